"""Small-count suppression: everything that is released passes here once, together.

In: the release tables as computed, and the study's threshold. Out: the same tables; a row that may not be shown
holds nulls and `suppressed = true`. A count is small from 1 to threshold - 1. A zero is published, and so is a
prevalence of none among many.

1. Cells. A row is hidden if a group it splits its episodes into is small: resistant, undetermined and not
   resistant; of a pair, its four cells and the undetermined.
2. Nested denominators. Two published denominators tell the number of episodes between them. They are taken in
   the order of `NESTED`, and one is published only if every group between it and each one published before it
   is not small. The steps of attrition beyond the denominators are one member of this chain. A denominator
   that fails is hidden in every stratum, because its levels would add up to it, and as a step of attrition.
3. Levels add up to the row `all`. Hidden levels are joined by the smallest others that help, until all hidden
   levels *taken together* could be published as one level; so never one alone. A denominator hides at least the
   levels hidden in those before it, because the resistant are the same episodes in all of them.
4. Pairs are hidden where the eligible prevalence of either definition is. Never exactly one pair of a disorder,
   since the overall coefficients average over all pairs; where there is one pair only, they are hidden with it.
5. The lowest and highest prevalence are those among the definitions whose prevalence is published.

By 1 to 3, from all rows of one definition in prevalence and attrition, by addition and subtraction and knowing
that no count is negative, no small count of that definition has a single value left (the tests let an integer
solver try). A count that is not small may be known although its row is hidden: the resistant are the same in
every nested denominator, all episodes the same for every definition of the disorder.

Not guaranteed: the difference of two definitions. Who knows that one published definition lies within another
can tell the number between them, from two prevalences or two pairs. Nor are two runs protected from each other.
`reconciliation` counts delivered rows, not persons, and passes as it is.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import polars as pl

from schemas.errors import ImpasseError
from schemas.tables import KEYS, RELEASE
from transforms.agreement import extreme_prevalences

NESTED = ("eligible", "adequately_treated", "treated", "failed_a_trial", "episodes")  # most wanted first
_BEYOND_DENOMINATORS = ("failed_a_trial", "resistant_possible")  # published together, as member failed_a_trial
_CELLS_OF_PAIR = ("n_undetermined", "n_both_resistant", "n_only_a", "n_only_b", "n_neither")


def protect(tables: dict[str, pl.DataFrame], threshold: int) -> dict[str, pl.DataFrame]:
    """Every release table with the rows hidden that tell, alone or together, a count from 1 to threshold - 1."""
    _check_known(tables)
    prevalence, attrition = _protect_definitions(tables["prevalence"], tables.get("attrition"), threshold)
    protected = {**tables, "prevalence": prevalence}
    if attrition is not None:
        protected["attrition"] = attrition
    if "agreement" in tables:
        protected["agreement"] = _protect_pairs(tables["agreement"], prevalence, threshold)
    if "agreement_overall" in tables:
        protected["agreement_overall"] = _protect_overall(protected, threshold)
    return protected


def hide_small(rules: pl.DataFrame, threshold: int) -> pl.DataFrame:
    """Rows set aside by rule, as the pages may show them: `n` is null where it is small."""
    return rules.with_columns(n=pl.when(pl.col("n") >= threshold).then("n"))


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


def _any_small(columns: list[pl.Expr], threshold: int) -> pl.Expr:
    return pl.any_horizontal(column.is_between(1, threshold - 1) for column in columns)


def _hide(table: pl.DataFrame, stays: tuple[str, ...], is_hidden: pl.Expr) -> pl.DataFrame:
    """Null every number of the hidden rows; `stays` names what is no number of persons."""
    numbers = [name for name in table.columns if name not in (*stays, "suppressed")]
    return table.with_columns(suppressed=is_hidden).with_columns(
        pl.when(~pl.col("suppressed")).then(pl.col(name)).alias(name) for name in numbers
    )


# One definition: prevalence and attrition


def _protect_definitions(
    prevalence: pl.DataFrame, attrition: pl.DataFrame | None, threshold: int
) -> tuple[pl.DataFrame, pl.DataFrame | None]:
    shown_rows, shown_steps = [], []
    for (definition_id,), rows in prevalence.partition_by("definition_id", as_dict=True).items():
        cells = _cells(rows)
        steps = _steps_left(attrition, definition_id)
        chain = _published_chain(cells["all"], steps, threshold)
        shown_steps += [(definition_id, step) for step in steps if _is_step_shown(step, chain)]
        shown_rows += [(definition_id, *row) for row in _shown_levels(cells, chain, threshold)]
    protected = _hide(prevalence, KEYS["prevalence"], ~_is_among(shown_rows, KEYS["prevalence"]))
    return protected, None if attrition is None else _protect_steps(attrition, shown_steps)


def _cells(rows: pl.DataFrame) -> dict[str, dict[str, pl.DataFrame]]:
    """By stratum and denominator: level, n_resistant, n_undetermined, n_other, the same levels everywhere."""
    split = rows.with_columns(n_other=pl.col("n_total") - pl.col("n_resistant") - pl.col("n_undetermined"))
    cells: dict[str, dict[str, pl.DataFrame]] = {}
    for (stratum,), family in split.partition_by("stratum", as_dict=True).items():
        levels = family.select("level").unique().sort("level")
        for (denominator,), found in family.partition_by("denominator_id", as_dict=True).items():
            counts = found.select("level", "n_resistant", "n_undetermined", "n_other")
            complete = levels.join(counts, on="level", how="left", maintain_order="left").fill_null(0)
            cells.setdefault(stratum, {})[denominator] = complete
    return cells


def _steps_left(attrition: pl.DataFrame | None, definition_id: str) -> dict[str, int]:
    if attrition is None:
        return {}
    own = attrition.filter(pl.col("definition_id") == definition_id)
    return dict(zip(own["step"], own["n_left"], strict=True))


def _counts(cells: pl.DataFrame) -> np.ndarray:
    """Levels by (resistant, undetermined, not resistant)."""
    return cells.drop("level").to_numpy()


def _published_chain(wholes: dict[str, pl.DataFrame], steps: dict[str, int], threshold: int) -> list[str]:
    """The nested denominators whose whole may be published beside the ones before them."""
    members = {name: _counts(whole) for name, whole in wholes.items()}
    if steps:
        failed, possible, resistant = (steps[step] for step in (*_BEYOND_DENOMINATORS, "resistant"))
        members["failed_a_trial"] = np.array([[resistant, possible - resistant, failed - possible]])
    chain: list[str] = []
    for name in NESTED:
        if name in members:
            told = _told(members[name], [members[earlier] for earlier in chain])
            chain += [] if _is_small(told, threshold).any() else [name]
    return chain


def _told(counts: np.ndarray, earlier: list[np.ndarray]) -> np.ndarray:
    """What a published row tells: its own groups, and those between it and the rows published before it."""
    return np.hstack([counts, *(np.abs(counts - other) for other in earlier)])


def _is_step_shown(step: str, chain: list[str]) -> bool:
    if step == "resistant":
        return bool(chain)
    return ("failed_a_trial" if step in _BEYOND_DENOMINATORS else step) in chain


def _shown_levels(
    cells: dict[str, dict[str, pl.DataFrame]], chain: list[str], threshold: int
) -> list[tuple[str, str, str]]:
    """Denominator, stratum and level of every row of one definition that may be published."""
    persons = cells["all"].get("persons")
    are_persons_shown = persons is not None and not _is_small(_counts(persons), threshold).any()
    shown = []
    for stratum, family in cells.items():
        counts = {name: _counts(levels) for name, levels in family.items()}
        hidden = _hidden_in_chain([counts[name] for name in chain if name in counts], threshold)
        by_name = dict(zip([name for name in chain if name in counts], hidden, strict=True))
        if are_persons_shown and "persons" in counts:
            by_name["persons"] = _hidden_levels(counts["persons"], by_name.get("eligible", set()), threshold)
        for name, levels in by_name.items():
            shown += [(name, stratum, level) for i, level in enumerate(family[name]["level"]) if i not in levels]
    return shown


def _hidden_in_chain(chain: list[np.ndarray], threshold: int) -> list[set[int]]:
    """The levels to hide of each nested denominator: all that the one before it hides, and its own."""
    hidden: list[set[int]] = []
    for i, counts in enumerate(chain):
        before = hidden[-1] if hidden else set()
        hidden.append(_hidden_levels(_told(counts, chain[:i]), before, threshold))
    return hidden


def _hidden_levels(told: np.ndarray, hidden: set[int], threshold: int) -> set[int]:
    """Levels to hide, by position: small ones, and the smallest others until together they are not small."""
    hidden = hidden | set(np.flatnonzero(_is_small(told, threshold).any(axis=1)).tolist())
    while hidden:
        still_small = _is_small(told[sorted(hidden)].sum(axis=0), threshold)
        helpful = [i for i in range(len(told)) if i not in hidden and told[i, still_small].any()]
        if not helpful:
            break
        hidden = hidden | {min(helpful, key=lambda i: (told[i, :3].sum(), i))}
    return hidden


def _is_among(rows: list[tuple[str, ...]], key: tuple[str, ...]) -> pl.Expr:
    """Whether the key columns are one of `rows`."""
    known = pl.DataFrame(rows, schema=dict.fromkeys(key, pl.String), orient="row").to_struct()
    return pl.struct(key).is_in(known.implode())


def _protect_steps(attrition: pl.DataFrame, shown: list[tuple[str, str]]) -> pl.DataFrame:
    """What a step lost is left out also where the step before it is hidden, for it would tell that one."""
    protected = _hide(attrition, ("definition_id", "step_number", "step"), ~_is_among(shown, ("definition_id", "step")))
    before_is_hidden = pl.col("suppressed").shift(fill_value=False).over("definition_id", order_by="step_number")
    return protected.with_columns(n_lost=pl.when(~before_is_hidden).then("n_lost"))


# Two and more definitions: agreement


def _protect_pairs(agreement: pl.DataFrame, prevalence: pl.DataFrame, threshold: int) -> pl.DataFrame:
    key = KEYS["agreement"]
    eligible = prevalence.filter(
        pl.col("denominator_id") == "eligible", pl.col("stratum") == "disorder", ~pl.col("suppressed")
    )
    stated = eligible.select("level", "definition_id").rows()
    is_stated = _is_among(stated, ("disorder", "definition_a")) & _is_among(stated, ("disorder", "definition_b"))
    is_small = _any_small([pl.col(cell) for cell in _CELLS_OF_PAIR], threshold)
    marked = agreement.with_columns(suppressed=is_small | ~is_stated)
    return _hide(marked, key, pl.col("suppressed") | _is_second(marked, key))


def _is_second(marked: pl.DataFrame, key: tuple[str, ...]) -> pl.Expr:
    """The smallest other pair, with decided episodes, of each disorder in which exactly one pair is hidden."""
    alone = marked.group_by("disorder").agg(pl.col("suppressed").sum()).filter(pl.col("suppressed") == 1)
    others = marked.filter(~pl.col("suppressed"), pl.col("n_common") > pl.col("n_undetermined"))
    smallest = others.join(alone, on="disorder", how="semi").sort("n_common", *key).unique("disorder", keep="first")
    return _is_among(smallest.select(key).rows(), key)


def _protect_overall(protected: dict[str, pl.DataFrame], threshold: int) -> pl.DataFrame:
    overall = protected["agreement_overall"]
    hidden_pairs = protected["agreement"].group_by("disorder").agg(n_hidden=pl.col("suppressed").sum())
    one_hidden = hidden_pairs.filter(pl.col("n_hidden") == 1)["disorder"]
    nested = [pl.col(name) for name in ("n_episodes", "n_compared", "n_decided_by_all")]
    between = [wider - narrower for wider, narrower in pairwise(nested)]
    is_small = _any_small([*nested, *between], threshold)
    extremes = extreme_prevalences(protected["prevalence"])
    restated = overall.drop(set(extremes.columns) - {"disorder"}).join(
        extremes, on="disorder", how="left", maintain_order="left"
    )
    is_hidden = is_small | pl.col("disorder").is_in(one_hidden.implode())
    return _hide(restated.select(overall.columns), ("disorder", "n_definitions"), is_hidden)
