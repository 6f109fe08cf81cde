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
   Without the eligible nothing of the definition is shown. Persons are outside the chain, but most have one
   episode, so they hide the levels that the eligible hide.
4. Nested definitions. Definitions are taken by their resistant episodes, most first. Where the resistant, the
   not resistant or the eligible of one all belong to the other too, so that their difference may be known to be
   a number of episodes, the later one is hidden if that difference is small, in any denominator.
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
   definitions share, and hides a characteristic of which a number would be left one value.

So for who adds and subtracts and knows that no count is negative, no small count has a single value left: what a
definition says at any level, and what two say together of all episodes of a disorder. The tests let an integer
solver try; that is no proof. A count that is not small may be known although its row is hidden.

What remains. Who knows from the rules themselves that one definition lies within another (the same with a longer
duration) is kept from what each says alone and from the differences of step 4, but may now and then work out what
the two say together at a level, or of a hidden pair from the overall row. Not looked at are cells of three
definitions, differences between definitions of different disorders, a treatment rule within another where the
verdicts are not, and the difference of two runs. Nor is, of profiles, what staging systems have in common with each
other or with a definition that sets a threshold on one. `reconciliation` counts delivered rows and passes as it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import polars as pl

from schemas.errors import ImpasseError
from schemas.tables import KEYS, RELEASE
from transforms.agreement import extreme_prevalences
from transforms.rounding import protect_profile

NESTED = ("eligible", "adequately_treated", "treated", "failed_a_trial", "episodes")  # most wanted first
_BEYOND_DENOMINATORS = ("failed_a_trial", "resistant_possible")  # published together, as member failed_a_trial
_GROUPS = ("n_resistant", "n_undetermined", "n_other", "n_outside")  # they add up to the level's episodes
_CELLS_OF_PAIR = ("n_undetermined", "n_both_resistant", "n_only_a", "n_only_b", "n_neither")

_Family = dict[str, np.ndarray]  # one definition and stratum, by denominator: levels by _GROUPS
_Others = list[tuple[_Family, np.ndarray]]  # published definitions, and in which of `_compared` they are nested


def protect(tables: dict[str, pl.DataFrame], threshold: int) -> dict[str, pl.DataFrame]:
    """Every release table with the rows hidden that tell, alone or together, a count from 1 to threshold - 1."""
    _check_known(tables)
    shown_rows, shown_steps = _shown(tables, threshold)
    prevalence = _hide(tables["prevalence"], KEYS["prevalence"], ~_is_among(shown_rows, KEYS["prevalence"]))
    protected = {**tables, "prevalence": prevalence}
    if "attrition" in tables:
        protected["attrition"] = _protect_steps(tables["attrition"], shown_steps)
    if "agreement" in tables:
        protected["agreement"] = _protect_pairs(tables, prevalence, threshold)
    if "agreement_overall" in tables:
        protected["agreement_overall"] = _protect_overall(protected, threshold)
    if "profile" in tables:
        shown = _profiled(tables["profile"], prevalence, threshold)
        protected["profile"] = protect_profile(tables["profile"], shown, _shared(tables), threshold)
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


def _is_small(counts: np.ndarray, threshold: int) -> np.ndarray:
    return (counts > 0) & (counts < threshold)


def _any_small(columns: Sequence[pl.Expr], threshold: int) -> pl.Expr:
    return pl.any_horizontal(column.is_between(1, threshold - 1) for column in columns).fill_null(False)


def _hide(table: pl.DataFrame, stays: tuple[str, ...], is_hidden: pl.Expr) -> pl.DataFrame:
    """Null every number of the hidden rows; `stays` names what is no number of persons."""
    numbers = [name for name in table.columns if name not in (*stays, "suppressed")]
    return table.with_columns(suppressed=is_hidden).with_columns(
        pl.when(~pl.col("suppressed")).then(pl.col(name)).alias(name) for name in numbers
    )


def _is_among(rows: list[tuple[str, ...]], key: tuple[str, ...]) -> pl.Expr:
    """Whether the key columns are one of `rows`."""
    known = pl.DataFrame(rows, schema=dict.fromkeys(key, pl.String), orient="row").to_struct()
    return pl.struct(key).is_in(known.implode())


# Definitions: prevalence and attrition


def _shown(
    tables: dict[str, pl.DataFrame], threshold: int
) -> tuple[list[tuple[str, str, str, str]], list[tuple[str, str]]]:
    """Keys of the rows of prevalence, and definition and name of the steps of attrition, that may be published."""
    counts, levels = _counts(tables)
    nested = _nested_definitions(tables)
    published: dict[str, dict[str, _Family]] = {}
    rows, steps = [], []
    for definition in sorted(counts, key=lambda d: (-counts[d]["all"]["eligible"][0, 0], d)):
        strata = counts[definition]
        others = [(published[other], groups) for other, groups in nested.get(definition, []) if other in published]
        beside = {s: [(other[s], groups) for other, groups in others if s in other] for s in strata}
        names = _publishable(strata["all"], beside["all"], threshold)
        published[definition] = {s: {n: family[n] for n in names if n in family} for s, family in strata.items()}
        for stratum, family in published[definition].items():
            for name, hidden in _hidden_levels_of(family, beside[stratum], threshold).items():
                shown = (level for i, level in enumerate(levels[stratum]) if i not in hidden)
                rows += [(definition, name, stratum, level) for level in shown]
        steps += [(definition, step) for step in _steps_of(names)]
    return rows, steps


def _counts(tables: dict[str, pl.DataFrame]) -> tuple[dict[str, dict[str, _Family]], dict[str, list[str]]]:
    """By definition and stratum the counts of every denominator, and the levels of every stratum."""
    total = pl.col("n_total").filter(pl.col("denominator_id") == "episodes").first()
    split = tables["prevalence"].with_columns(
        n_other=pl.col("n_total") - pl.col("n_resistant") - pl.col("n_undetermined"),
        n_outside=pl.when(pl.col("denominator_id") != "persons")
        .then(total.over("definition_id", "stratum", "level") - pl.col("n_total"))
        .fill_null(0),
    )
    counts: dict[str, dict[str, _Family]] = {}
    levels = {}
    for (stratum,), rows in split.partition_by("stratum", as_dict=True).items():
        names = rows["level"].unique().sort()
        levels[stratum] = names.to_list()
        for (definition, name), found in rows.partition_by("definition_id", "denominator_id", as_dict=True).items():
            level_counts = np.zeros((len(names), len(_GROUPS)), dtype=np.int64)
            level_counts[names.search_sorted(found["level"])] = found.select(_GROUPS).to_numpy()
            counts.setdefault(definition, {}).setdefault(stratum, {})[name] = level_counts
    if "attrition" in tables:
        for definition, family in counts.items():
            family["all"]["failed_a_trial"] = _beyond_denominators(tables["attrition"], definition)
    return counts, levels


def _beyond_denominators(attrition: pl.DataFrame, definition: str) -> np.ndarray:
    own = attrition.filter(pl.col("definition_id") == definition)
    left = dict(zip(own["step"], own["n_left"], strict=True))
    failed, possible, resistant = (left[step] for step in (*_BEYOND_DENOMINATORS, "resistant"))
    return np.array([[resistant, possible - resistant, failed - possible, left["episodes"] - failed]])


def _publishable(whole: _Family, others: _Others, threshold: int) -> list[str]:
    """The denominators whose whole may be published beside the ones before them; none without the eligible."""
    names: list[str] = []
    for name in NESTED:
        if name in whole and not _is_small(_told(name, whole, names, others), threshold).any():
            names.append(name)
    if "eligible" not in names:
        return []
    are_persons_shown = "persons" in whole and not _is_small(_told("persons", whole, [], others), threshold).any()
    return [*names, "persons"] if are_persons_shown else names


def _told(name: str, own: _Family, earlier: list[str], others: _Others) -> np.ndarray:
    """Levels by what a published row tells: its own groups, and those between it and rows published before it."""
    between = [own[name] - own[before] for before in earlier]
    nested = [(_compared(own[name]) - _compared(other[name]))[:, groups] for other, groups in others if name in other]
    return np.abs(np.hstack([own[name], *between, *nested]))


def _compared(counts: np.ndarray) -> np.ndarray:
    """Levels by resistant, not resistant and all within the denominator: what may be nested in another definition."""
    return np.column_stack([counts[:, 0], counts[:, 2], counts[:, :3].sum(axis=1)])


def _hidden_levels_of(family: _Family, others: _Others, threshold: int) -> dict[str, set[int]]:
    """The levels to hide of each denominator: all that the one before it hides, and its own."""
    if not family:
        return {}
    groups = [family["eligible"].sum(axis=1), *family["eligible"].T]
    before = set().union(*(_hidden_levels(group[:, None], set(), threshold) for group in groups))
    chain = [name for name in family if name != "persons"]
    hidden = {}
    for i, name in enumerate(chain):
        before = hidden[name] = _hidden_levels(_told(name, family, chain[:i], others), before, threshold)
    if "persons" in family:
        hidden["persons"] = _hidden_levels(_told("persons", family, [], others), hidden["eligible"], threshold)
    return hidden


def _hidden_levels(told: np.ndarray, hidden: set[int], threshold: int) -> set[int]:
    """Levels to hide, by position: small ones, and the smallest others until together they are not small."""
    hidden = hidden | set(np.flatnonzero(_is_small(told, threshold).any(axis=1)).tolist())
    while hidden:
        still_small = _is_small(told[sorted(hidden)].sum(axis=0), threshold)
        helpful = [i for i in range(len(told)) if i not in hidden and told[i, still_small].any()]
        if not helpful:
            break
        hidden = hidden | {min(helpful, key=lambda i: (told[i].sum(), i))}
    return hidden


def _steps_of(names: list[str]) -> list[str]:
    """The steps of attrition that may be shown with these denominators."""
    beyond = _BEYOND_DENOMINATORS if "failed_a_trial" in names else ()
    return [*names, *beyond, "resistant"] if names else []


def _protect_steps(attrition: pl.DataFrame, shown: list[tuple[str, str]]) -> pl.DataFrame:
    """What a step lost is left out also where the step before it is hidden, for it would tell that one."""
    protected = _hide(attrition, ("definition_id", "step_number", "step"), ~_is_among(shown, ("definition_id", "step")))
    before_is_hidden = pl.col("suppressed").shift(fill_value=False).over("definition_id", order_by="step_number")
    return protected.with_columns(n_lost=pl.when(~before_is_hidden).then("n_lost"))


# Profiles


def _profiled(profile: pl.DataFrame, prevalence: pl.DataFrame, threshold: int) -> list[str]:
    """Definitions whose eligible prevalence is shown, and staging systems that speak about enough episodes."""
    whole = prevalence.filter(pl.col("denominator_id") == "eligible", pl.col("stratum") == "all")
    staged = profile.join(prevalence, on="definition_id", how="anti")
    few = staged.filter(pl.col("n_of").is_between(1, threshold - 1))["definition_id"]
    shown = whole.filter(~pl.col("suppressed"))["definition_id"]
    return sorted({*shown, *staged["definition_id"]} - {*few})


def _shared(tables: dict[str, pl.DataFrame]) -> pl.DataFrame:
    """Resistant episodes of two definitions, over all their disorders, also of pairs that are hidden."""
    if "agreement" not in tables:
        return pl.DataFrame(schema={"definition_a": pl.String, "definition_b": pl.String, "n_both": pl.Int64})
    pairs = tables["agreement"].group_by("definition_a", "definition_b")
    return pairs.agg(n_both=pl.col("n_both_resistant").sum()).sort("definition_a", "definition_b")


# Two and more definitions: agreement


def _with_margins(agreement: pl.DataFrame, prevalence: pl.DataFrame) -> pl.DataFrame:
    """Pairs with each definition's eligible, resistant, undetermined and not resistant, and the disorder's episodes."""
    whole = prevalence.filter(pl.col("stratum") == "disorder").rename({"level": "disorder"})
    eligible = whole.filter(pl.col("denominator_id") == "eligible").select(
        "disorder",
        definition="definition_id",
        eligible="n_total",
        resistant="n_resistant",
        open="n_undetermined",
        other=pl.col("n_total") - pl.col("n_resistant") - pl.col("n_undetermined"),
    )
    episodes = whole.filter(pl.col("denominator_id") == "episodes")
    totals = episodes.group_by("disorder").agg(n_episodes=pl.col("n_total").max())
    paired = agreement.join(totals, on="disorder", how="left", maintain_order="left")
    for side in "ab":
        own = eligible.select("disorder", pl.exclude("disorder").name.suffix(f"_{side}"))
        paired = paired.join(own, on=["disorder", f"definition_{side}"], how="left", maintain_order="left")
    return paired


def _nested_definitions(tables: dict[str, pl.DataFrame]) -> dict[str, list[tuple[str, np.ndarray]]]:
    """For each definition the others, and which of `_compared` lie within each other in every disorder."""
    if "agreement" not in tables:
        return {}
    cells = {"resistant": "n_both_resistant", "other": "n_neither", "eligible": "n_common"}
    is_within = {g: pl.col(cell) == pl.min_horizontal(f"{g}_a", f"{g}_b") for g, cell in cells.items()}
    paired = _with_margins(tables["agreement"], tables["prevalence"])
    found = paired.group_by("definition_a", "definition_b").agg(is_in.all().alias(g) for g, is_in in is_within.items())
    nested: dict[str, list[tuple[str, np.ndarray]]] = {}
    for a, b, *groups in found.sort("definition_a", "definition_b").iter_rows():
        nested.setdefault(a, []).append((b, np.array(groups)))
        nested.setdefault(b, []).append((a, np.array(groups)))
    return nested


def _protect_pairs(tables: dict[str, pl.DataFrame], protected: pl.DataFrame, threshold: int) -> pl.DataFrame:
    key = KEYS["agreement"]
    stated = _stated(protected).select("level", "definition_id").rows()
    is_stated = _is_among(stated, ("disorder", "definition_a")) & _is_among(stated, ("disorder", "definition_b"))
    paired = _with_margins(tables["agreement"], tables["prevalence"])
    marked = paired.with_columns(suppressed=_any_small(_told_by_pair(), threshold) | ~is_stated)
    is_hidden = pl.col("suppressed") | _is_second(marked, key)
    return _hide(marked.select(tables["agreement"].columns), key, is_hidden)


def _stated(prevalence: pl.DataFrame) -> pl.DataFrame:
    """The eligible prevalences by disorder that are shown."""
    return prevalence.filter(
        pl.col("denominator_id") == "eligible", pl.col("stratum") == "disorder", ~pl.col("suppressed")
    )


def _told_by_pair() -> list[pl.Expr]:
    """What a pair tells beside the two prevalences."""
    both, neither = pl.col("n_both_resistant"), pl.col("n_neither")
    told = [pl.col(cell) for cell in _CELLS_OF_PAIR]
    undecided = []  # decided by one definition alone
    for own, other in ("ab", "ba"):
        told.append(pl.col(f"eligible_{own}") - pl.col("n_common"))
        resistant_alone = pl.col(f"resistant_{own}") - both - pl.col(f"n_only_{own}")
        other_alone = pl.col(f"other_{own}") - neither - pl.col(f"n_only_{other}")
        told += [resistant_alone, other_alone, (pl.col(f"open_{other}") - resistant_alone - other_alone).abs()]
        undecided += [resistant_alone, other_alone]
    told.append(pl.col("n_episodes") - pl.col("eligible_a") - pl.col("eligible_b") + pl.col("n_common"))
    return [*told, (pl.col("n_undetermined") - pl.sum_horizontal(undecided)).abs()]


def _is_second(marked: pl.DataFrame, key: tuple[str, ...]) -> pl.Expr:
    """The smallest other pair, with decided episodes, of each disorder in which exactly one pair is hidden."""
    alone = marked.group_by("disorder").agg(pl.col("suppressed").sum()).filter(pl.col("suppressed") == 1)
    others = marked.filter(~pl.col("suppressed"), pl.col("n_common") > pl.col("n_undetermined"))
    smallest = others.join(alone, on="disorder", how="semi").sort("n_common", *key).unique("disorder", keep="first")
    return _is_among(smallest.select(key).rows(), key)


def _protect_overall(protected: dict[str, pl.DataFrame], threshold: int) -> pl.DataFrame:
    overall, agreement = protected["agreement_overall"], protected["agreement"]
    hidden_pairs = agreement.group_by("disorder").agg(n_hidden=pl.col("suppressed").sum())
    one_hidden = hidden_pairs.filter(pl.col("n_hidden") == 1)["disorder"]
    nested = [pl.col(name) for name in ("n_episodes", "n_compared", "n_decided_by_all")]
    is_small = _any_small([*nested, *(wider - narrower for wider, narrower in pairwise(nested))], threshold)
    close = _close_to_overall(overall, agreement, protected["prevalence"], threshold)
    extremes = extreme_prevalences(protected["prevalence"])
    restated = overall.drop(set(extremes.columns) - {"disorder"}).join(
        extremes, on="disorder", how="left", maintain_order="left"
    )
    is_hidden = is_small | pl.col("disorder").is_in([*one_hidden, *close])
    return _hide(restated.select(overall.columns), ("disorder", "n_definitions"), is_hidden)


def _close_to_overall(
    overall: pl.DataFrame, agreement: pl.DataFrame, prevalence: pl.DataFrame, threshold: int
) -> list[str]:
    """Disorders where few episodes lie between the overall row and a shown pair or definition, or none is shown."""
    stated = _stated(prevalence).select(disorder="level", n_decided=pl.col("n_total") - pl.col("n_undetermined"))
    n_by_pair = pl.col("n_common") - pl.col("n_undetermined")
    pairs = agreement.filter(~pl.col("suppressed")).select("disorder", n_decided=n_by_pair, n_by_pair=n_by_pair)
    decided = overall.join(pl.concat([stated, pairs], how="diagonal"), on="disorder", how="left")
    between = [pl.col("n_decided") - pl.col("n_decided_by_all"), pl.col("n_compared") - pl.col("n_by_pair")]
    is_close = _any_small(between, threshold) | pl.col("n_decided").is_null()
    return decided.filter(is_close)["disorder"].unique().to_list()
