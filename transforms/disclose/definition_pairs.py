"""What pairs of definitions, and all of them at once, would tell of a small count.

In: the release tables as computed, and prevalence as it is published. Out: agreement and its overall rows with what may
not be shown hidden; and which definitions lie within which.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import polars as pl

from impasse.schemas.tables import KEYS
from impasse.transforms.disclose.hiding import any_small, hide, is_among

_OPEN = ("open_a", "open_b")
_CELLS_OF_PAIR = ("n_undetermined", "n_both_resistant", "n_only_a", "n_only_b", "n_neither")


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


def nested_definitions(tables: dict[str, pl.DataFrame]) -> dict[str, list[tuple[str, np.ndarray]]]:
    """For each definition the others, and which of `_compared` lie, or may lie, within each other in every disorder."""
    if "agreement" not in tables:
        return {}
    cells = {"resistant": "n_both_resistant", "open": "n_undetermined", "other": "n_neither", "eligible": "n_common"}
    is_within = {g: pl.col(cell) == pl.min_horizontal(f"{g}_a", f"{g}_b") for g, cell in cells.items()}
    # A pair tells how many shared episodes either leaves open, not how many both do.
    least, most = pl.min_horizontal(*_OPEN), pl.max_horizontal(*_OPEN)
    is_within["open"] = pl.col("n_undetermined").is_between(least, most)
    paired = _with_margins(tables["agreement"], tables["prevalence"])
    found = paired.group_by("definition_a", "definition_b").agg(is_in.all().alias(g) for g, is_in in is_within.items())
    nested: dict[str, list[tuple[str, np.ndarray]]] = {}
    for a, b, *groups in found.sort("definition_a", "definition_b").iter_rows():
        nested.setdefault(a, []).append((b, np.array(groups)))
        nested.setdefault(b, []).append((a, np.array(groups)))
    return nested


def protect_pairs(tables: dict[str, pl.DataFrame], protected: pl.DataFrame, threshold: int) -> pl.DataFrame:
    """Agreement with the pairs hidden that tell a small number; `protected` is prevalence as published."""
    key = KEYS["agreement"]
    stated = _stated(protected).select("level", "definition_id").rows()
    is_stated = is_among(stated, ("disorder", "definition_a")) & is_among(stated, ("disorder", "definition_b"))
    paired = _with_margins(tables["agreement"], tables["prevalence"])
    marked = paired.with_columns(suppressed=any_small(_told_by_pair(), threshold) | ~is_stated)
    is_hidden = pl.col("suppressed") | _is_second(marked, key)
    return hide(marked.select(tables["agreement"].columns), key, is_hidden)


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
        told.append((pl.col(f"open_{own}") - pl.col("n_undetermined")).abs())
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
    return is_among(smallest.select(key).rows(), key)


def protect_overall(protected: dict[str, pl.DataFrame], threshold: int) -> pl.DataFrame:
    """The overall rows that may be shown beside the pairs and prevalences as published."""
    overall, agreement = protected["agreement_overall"], protected["agreement"]
    hidden_pairs = agreement.group_by("disorder").agg(n_hidden=pl.col("suppressed").sum())
    one_hidden = hidden_pairs.filter(pl.col("n_hidden") == 1)["disorder"]
    nested = [pl.col(name) for name in ("n_episodes", "n_compared", "n_decided_by_all")]
    is_small = any_small([*nested, *(wider - narrower for wider, narrower in pairwise(nested))], threshold)
    close = _close_to_overall(overall, agreement, protected["prevalence"], threshold)
    is_hidden = is_small | pl.col("disorder").is_in([*one_hidden, *close])
    return hide(overall, ("disorder", "n_definitions"), is_hidden)


def _close_to_overall(
    overall: pl.DataFrame, agreement: pl.DataFrame, prevalence: pl.DataFrame, threshold: int
) -> list[str]:
    """Disorders where few episodes lie between the overall row and a shown pair or definition, or none is shown."""
    stated = _stated(prevalence).select(disorder="level", n_decided=pl.col("n_total") - pl.col("n_undetermined"))
    n_by_pair = pl.col("n_common") - pl.col("n_undetermined")
    pairs = agreement.filter(~pl.col("suppressed")).select("disorder", n_decided=n_by_pair, n_by_pair=n_by_pair)
    decided = overall.join(pl.concat([stated, pairs], how="diagonal"), on="disorder", how="left")
    between = [pl.col("n_decided") - pl.col("n_decided_by_all"), pl.col("n_compared") - pl.col("n_by_pair")]
    is_close = any_small(between, threshold) | pl.col("n_decided").is_null()
    return decided.filter(is_close)["disorder"].unique().to_list()
