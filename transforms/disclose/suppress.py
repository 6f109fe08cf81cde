"""Small-count suppression: everything that is released passes here once, together.

In: the release tables as computed, and the study's threshold. Out: the same tables; a row that may not be shown
holds nulls and `suppressed = true`. A count is small from 1 to threshold - 1. A zero is published, and so is a
prevalence of none among many.

1. Cells. A row is hidden if a group it splits its episodes into is small: resistant, undetermined, not resistant.
2. Totals. How many episodes there are, in all or at a level, is the same for every definition of the same
   disorders and stands in several tables. So it counts as known: a row is hidden too if it leaves few out.
3. Nested denominators. Two published denominators tell the number of episodes between them. They are taken in
   the order of `NESTED`, and one is published only if every group between it and each one published before it
   is not small. The steps of attrition beyond the denominators are one member of this chain. A denominator
   that fails is hidden in every stratum, because its levels would add up to it, and as a step of attrition.
   Without the eligible nothing of the definition is shown. Persons are nested in their eligible episodes: what the
   episodes of a verdict, or all of them, have beyond the persons are repeats, and where these are few the row of
   persons is hidden, never that of episodes. By age and year a difference may be below zero, since a person stands
   at the first episode, and is small by its size. Persons hide at least the levels that the eligible hide. Persons
   by disorder come to more than all persons where some have several disorders; where these are few, no disorder
   shows persons.
4. Nested definitions. Definitions are taken by their resistant episodes, most first. Where the resistant, the
   undetermined, the not resistant or the eligible of one all belong, or may belong, to the other too, so that their
   difference may be known to be a number of episodes, the later one is hidden if that difference is small, in any
   denominator. All episodes of several disorders tell those of a hidden disorder, beside the others: they are
   hidden where these are few, and at the levels at which a definition of one of the disorders hides them.
5. Levels add up to the row `all`. Hidden levels are joined by the smallest others that help, until all hidden
   levels *taken together* could be published as one level; so never one alone. This is done for the episodes and
   for each eligible group by itself first, so that definitions with the same group hide the same levels for it. A
   denominator hides at least the levels hidden in those before it, because the resistant are the same episodes.
6. Pairs are hidden where the eligible prevalence of either definition is, and where a number is small that the
   row tells, alone or beside the two prevalences: its cells, those only one of the two speaks about or decides,
   those neither does. Never exactly one pair of a disorder, since the overall coefficients average over all
   pairs; where there is one pair only, they are hidden with it.
7. The overall row of a disorder is hidden where a number is small that it tells, alone or beside the pairs and
   prevalences shown, or where no prevalence of the disorder is shown. Its lowest and highest prevalence are
   those among the definitions whose prevalence is published.
8. Profiles (pseudo-resistance, impasses, stages) are rounded to multiples of the threshold, n and n_of alike, and
   hidden with the eligible prevalence of their definition; a staging system has none and is hidden if it speaks
   about few episodes. The totals of these rows are known exactly from step 1, and the pairs tell how many episodes
   two definitions call resistant alike. So `rounding` narrows every number by what adds up and by what two
   definitions share, and hides a characteristic of which a number would be left one value. The states of trials by
   their order, and why verdicts cannot be told, are rounded alike: each place of a definition, or definition, by
   itself, its number of trials or episodes taken for known. Risks are rounded as the numbers are that make them.

So for who adds and subtracts and knows that no count is negative, no small count has a single value left: what a
definition says at any level of episodes and of persons, and what two say together of all episodes of a disorder.
The tests let an integer solver try; that is no proof. A count that is not small may be known although its row is
hidden.

What remains. Who knows from the rules themselves that one definition lies within another (the same with a longer
duration) is kept from what each says alone and from the differences of step 4, but may now and then work out what
the two say together at a level, or of a hidden pair from the overall row. Not looked at are cells of three
definitions, differences between definitions of different disorders but for their episodes in all, a treatment rule
within another where the verdicts are not, which persons two definitions share, and the difference of two runs. Nor
is, of profiles, what staging systems have in common with each other or with a definition that sets a threshold on
one; nor what two definitions tell together of states of trials, or of why verdicts cannot be told.
`reconciliation` counts delivered rows and passes as it is.

Sentences pass the same gate: each that counts episodes or persons is made from the tables this returns, what is
expected of a release names no number of the run, and `sentences` stops a run that says anything else.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from impasse.schemas.errors import ImpasseError
from impasse.schemas.tables import KEYS, RELEASE
from impasse.transforms.disclose.definition_pairs import nested_definitions, protect_overall, protect_pairs
from impasse.transforms.disclose.hiding import hide, is_among, is_small
from impasse.transforms.disclose.rounding import protect_parts, protect_profile, protect_risks

NESTED = ("eligible", "adequately_treated", "treated", "failed_a_trial", "episodes")  # most wanted first
_BEYOND_DENOMINATORS = ("failed_a_trial", "resistant_possible")  # published together, as member failed_a_trial
_GROUPS = ("n_resistant", "n_undetermined", "n_other", "n_outside")  # they add up to the level's episodes
_ROW = ("definition_id", "denominator_id", "level", *_GROUPS)

_Family = dict[str, np.ndarray]  # one definition and stratum, by denominator: levels by _GROUPS
_Others = list[tuple[_Family, np.ndarray]]  # published definitions, and in which of `_compared` they are nested
_Totals = dict[str, dict[int, np.ndarray]]  # by stratum and place of the disorder: the episodes of every level


def protect(tables: dict[str, pl.DataFrame], threshold: int) -> dict[str, pl.DataFrame]:
    """Every release table with the rows hidden that tell, alone or together, a count from 1 to threshold - 1."""
    _check_known(tables)
    shown_rows, shown_steps = _shown(tables, threshold)
    prevalence = hide(tables["prevalence"], KEYS["prevalence"], ~is_among(shown_rows, KEYS["prevalence"]))
    protected = {**tables, "prevalence": prevalence}
    if "attrition" in tables:
        protected["attrition"] = _protect_steps(tables["attrition"], shown_steps)
    if "agreement" in tables:
        protected["agreement"] = protect_pairs(tables, prevalence, threshold)
    if "agreement_overall" in tables:
        protected["agreement_overall"] = protect_overall(protected, threshold)
    if "profile" in tables:
        shown = _profiled(tables["profile"], prevalence, threshold)
        protected["profile"] = protect_profile(tables["profile"], shown, _shared(tables), threshold)
    for name in ("responses", "undetermined"):
        if name in tables:
            protected[name] = protect_parts(tables[name], KEYS[name], _shown_whole(prevalence), threshold)
    if "risks" in tables:
        protected["risks"] = protect_risks(tables["risks"], _shown_whole(prevalence), threshold)
    return protected


def _check_known(tables: dict[str, pl.DataFrame]) -> None:
    unknown = sorted(set(tables) - set(RELEASE))
    if unknown:
        raise ImpasseError(
            f"No disclosure rule for: {', '.join(unknown)}.",
            where="disclosure control",
            expected=f"tables among {', '.join(RELEASE)}",
            do="Add a rule before releasing the table.",
        )
    if "prevalence" not in tables or ("agreement_overall" in tables) > ("agreement" in tables):
        raise ImpasseError(
            "Release tables came apart.",
            where="disclosure control",
            expected="prevalence, and agreement with agreement_overall, since rows of one can tell rows of another",
            do="Pass all release tables at once.",
        )


# Definitions: prevalence and attrition


def _shown(
    tables: dict[str, pl.DataFrame], threshold: int
) -> tuple[list[tuple[str, str, str, str]], list[tuple[str, str]]]:
    """Keys of the rows of prevalence, and definition and name of the steps of attrition, that may be published."""
    counts, levels = _counts(tables)
    nested, totals = nested_definitions(tables), _totals_by_disorder(counts)
    published: dict[str, dict[str, _Family]] = {}
    rows, steps = [], []
    for definition in sorted(counts, key=lambda d: (-counts[d]["all"]["eligible"][0, 0], d)):
        strata = counts[definition]
        others = [(published[other], groups) for other, groups in nested.get(definition, []) if other in published]
        beside = {s: [(other[s], groups) for other, groups in others if s in other] for s in strata}
        published[definition] = _families_shown(strata, beside["all"], threshold)
        for stratum, family in published[definition].items():
            of_disorders = _hidden_by_disorder(stratum, strata, totals, threshold)
            for name, hidden in _hidden_levels_of(family, beside[stratum], of_disorders, threshold).items():
                shown = (level for i, level in enumerate(levels[stratum]) if i not in hidden)
                rows += [(definition, name, stratum, level) for level in shown]
        steps += [(definition, step) for step in _steps_of(list(published[definition]["all"]))]
    return rows, steps


def _counts(tables: dict[str, pl.DataFrame]) -> tuple[dict[str, dict[str, _Family]], dict[str, list[str]]]:
    """By definition and stratum the counts of every denominator, and the levels of every stratum."""
    total = pl.col("n_total").filter(pl.col("denominator_id") == "episodes").first()
    split = tables["prevalence"].with_columns(
        n_other=pl.col("n_total") - pl.col("n_resistant") - pl.col("n_undetermined"),
        n_outside=(total.over("definition_id", "stratum", "level") - pl.col("n_total")).fill_null(0),
    )
    counts: dict[str, dict[str, _Family]] = {}
    levels = {}
    for (stratum,), rows in split.partition_by("stratum", as_dict=True).items():
        levels[stratum] = rows["level"].unique().sort().to_list()
        place = {level: i for i, level in enumerate(levels[stratum])}
        for definition, name, level, *found in rows.select(_ROW).iter_rows():
            family = counts.setdefault(definition, {}).setdefault(stratum, {})
            no_level = np.zeros((len(place), len(_GROUPS)), dtype=np.int64)
            family.setdefault(name, no_level)[place[level]] = found
    if "attrition" in tables:
        for definition, strata in counts.items():
            strata["all"]["failed_a_trial"] = _beyond_denominators(tables["attrition"], definition)
    return counts, levels


def _beyond_denominators(attrition: pl.DataFrame, definition: str) -> np.ndarray:
    own = attrition.filter(pl.col("definition_id") == definition)
    left = dict(zip(own["step"], own["n_left"], strict=True))
    possible, resistant = left["resistant_possible"], left["resistant"]
    failed = left.get("failed_a_trial", possible)  # there is no such step where only what was given is asked
    return np.array([[resistant, possible - resistant, failed - possible, left["episodes"] - failed]])


def _families_shown(strata: dict[str, _Family], others: _Others, threshold: int) -> dict[str, _Family]:
    """By stratum the denominators that may be published, with all their levels."""
    names = _publishable(strata["all"], others, threshold)
    if _are_few_beyond_disorders(strata, threshold):
        names = [name for name in names if name != "episodes"]
    shown = {stratum: {name: family[name] for name in names if name in family} for stratum, family in strata.items()}
    if _are_few_with_several_disorders(strata, threshold):
        shown["disorder"].pop("persons", None)
    return shown


def _publishable(whole: _Family, others: _Others, threshold: int) -> list[str]:
    """The denominators whose whole may be published beside the ones before them; none without the eligible."""
    names: list[str] = []
    for name in NESTED:
        if name in whole and not is_small(_told(name, whole, names, others), threshold).any():
            names.append(name)
    if "eligible" not in names:
        return []
    if "persons" in whole and not is_small(_told("persons", whole, ["eligible"], others), threshold).any():
        names.append("persons")
    return names


def _told(name: str, own: _Family, earlier: list[str], others: _Others) -> np.ndarray:
    """Levels by what a published row tells: its own groups, and those between it and rows published before it."""
    between = [own[name] - own[before] for before in earlier]
    nested = [(_compared(own[name]) - _compared(other[name]))[:, groups] for other, groups in others if name in other]
    return np.hstack([own[name], *between, *nested])


def _compared(counts: np.ndarray) -> np.ndarray:
    """Levels by resistant, undetermined, not resistant and all of the denominator: what may be nested in another."""
    return np.column_stack([counts[:, :3], counts[:, :3].sum(axis=1)])


def _hidden_levels_of(family: _Family, others: _Others, of_disorders: set[int], threshold: int) -> dict[str, set[int]]:
    """The levels to hide of each denominator: all that the one before it hides, and its own.

    `of_disorders`: those that may not show all episodes.
    """
    if not family:
        return {}
    before = _hidden_by_itself(family["eligible"], threshold)
    chain = [name for name in family if name != "persons"]
    hidden = {}
    for i, name in enumerate(chain):
        also = of_disorders if name == "episodes" else set()
        before = hidden[name] = _hidden_levels(_told(name, family, chain[:i], others), before | also, threshold)
    if "persons" in family:
        repeats = _hidden_by_itself(family["eligible"] - family["persons"], threshold)
        before = hidden["eligible"] | repeats | _hidden_by_itself(family["persons"], threshold)
        hidden["persons"] = _hidden_levels(_told("persons", family, ["eligible"], others), before, threshold)
    return hidden


def _hidden_by_itself(counts: np.ndarray, threshold: int) -> set[int]:
    """Levels that each group by itself hides, whatever else there is: alike for definitions with the same group."""
    groups = [counts.sum(axis=1), counts[:, :3].sum(axis=1), *counts.T]
    return set().union(*(_hidden_levels(group[:, None], set(), threshold) for group in groups))


def _hidden_levels(told: np.ndarray, hidden: set[int], threshold: int) -> set[int]:
    """Levels to hide, by position: small ones, and the smallest others until together they are not small."""
    hidden = hidden | set(np.flatnonzero(is_small(told, threshold).any(axis=1)).tolist())
    while hidden:
        still_small = is_small(told[sorted(hidden)].sum(axis=0), threshold)
        helpful = [i for i in range(len(told)) if i not in hidden and told[i, still_small].any()]
        if not helpful:
            break
        hidden = hidden | {min(helpful, key=lambda i: (np.abs(told[i]).sum(), i))}
    return hidden


# Several disorders


def _episodes_by_disorder(strata: dict[str, _Family]) -> np.ndarray:
    return strata.get("disorder", {}).get("episodes", np.zeros((0, len(_GROUPS)), dtype=np.int64)).sum(axis=1)


def _totals_by_disorder(counts: dict[str, dict[str, _Family]]) -> _Totals:
    """By stratum and disorder the episodes of every level, as a definition of this disorder alone tells them."""
    totals: _Totals = {}
    for strata in counts.values():
        places = np.flatnonzero(_episodes_by_disorder(strata)).tolist()
        for stratum, family in strata.items() if len(places) == 1 else ():
            totals.setdefault(stratum, {})[places[0]] = family["episodes"].sum(axis=1)
    return totals


def _hidden_by_disorder(stratum: str, strata: dict[str, _Family], totals: _Totals, threshold: int) -> set[int]:
    """Levels that the episodes of some disorder hide by themselves."""
    places = np.flatnonzero(_episodes_by_disorder(strata)).tolist()
    alone = [totals[stratum][place] for place in places if place in totals.get(stratum, {})]
    return set().union(*(_hidden_levels(episodes[:, None], set(), threshold) for episodes in alone))


def _are_few_beyond_disorders(strata: dict[str, _Family], threshold: int) -> bool:
    """Are there few episodes in all beyond those of the disorders that have enough to be told?"""
    by_disorder = _episodes_by_disorder(strata)
    return bool(is_small(by_disorder[by_disorder < threshold].sum(), threshold))


def _are_few_with_several_disorders(strata: dict[str, _Family], threshold: int) -> bool:
    """Do the persons of all disorders, added up, come to a few more than all persons, in all or of a verdict?"""
    if "persons" not in strata.get("disorder", {}):
        return False
    again = strata["disorder"]["persons"][:, :3].sum(axis=0) - strata["all"]["persons"][0, :3]
    return bool(is_small(np.append(again, again.sum()), threshold).any())


def _steps_of(names: list[str]) -> list[str]:
    """The steps of attrition that may be shown with these denominators."""
    beyond = _BEYOND_DENOMINATORS if "failed_a_trial" in names else ()
    return [*names, *beyond, "resistant"] if names else []


def _protect_steps(attrition: pl.DataFrame, shown: list[tuple[str, str]]) -> pl.DataFrame:
    """What a step lost is left out also where the step before it is hidden, for it would tell that one."""
    protected = hide(attrition, ("definition_id", "step_number", "step"), ~is_among(shown, ("definition_id", "step")))
    before_is_hidden = pl.col("suppressed").shift(fill_value=False).over("definition_id", order_by="step_number")
    return protected.with_columns(n_lost=pl.when(~before_is_hidden).then("n_lost"))


# Profiles


def _profiled(profile: pl.DataFrame, prevalence: pl.DataFrame, threshold: int) -> list[str]:
    """Definitions whose eligible prevalence is shown, and staging systems that speak about enough episodes."""
    staged = profile.join(prevalence, on="definition_id", how="anti")
    few = staged.filter(pl.col("n_of").is_between(1, threshold - 1))["definition_id"]
    return sorted({*_shown_whole(prevalence), *staged["definition_id"]} - {*few})


def _shown_whole(prevalence: pl.DataFrame) -> list[str]:
    """Definitions whose eligible prevalence is shown."""
    whole = prevalence.filter(pl.col("denominator_id") == "eligible", pl.col("stratum") == "all")
    return whole.filter(~pl.col("suppressed"))["definition_id"].to_list()


def _shared(tables: dict[str, pl.DataFrame]) -> pl.DataFrame:
    """Resistant episodes of two definitions, over all their disorders, also of pairs that are hidden."""
    if "agreement" not in tables:
        return pl.DataFrame(schema={"definition_a": pl.String, "definition_b": pl.String, "n_both": pl.Int64})
    pairs = tables["agreement"].group_by("definition_a", "definition_b")
    return pairs.agg(n_both=pl.col("n_both_resistant").sum()).sort("definition_a", "definition_b")
