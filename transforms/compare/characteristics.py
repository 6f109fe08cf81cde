"""What else is known of resistant episodes, and how staging systems spread the episodes they speak about.

In: `episodes`, `classifications`, `stages`, `impasses`, the definitions and the code lists. Out: integer counts
by definition, characteristic and level that may be added up over buckets.

    pseudo_resistance  none, possible, likely                  of the resistant episodes of a definition that
    cause              each cause of the disorder, and those   gives verdicts
                       that lie in the definition's trials
    afterwards         remitted, ended, died, continued
    shared_treatment   each other disorder in an episode of which some of the treatment counts too
    untried            each option of the disorder that was never tried
    unobserved         each option of which the delivery cannot tell
    stage              the stage or score where both bounds    of the episodes a staging system speaks about
                       agree, else "open"; "no score"
    outside_band       yes, no, or unknown

Levels of pseudo_resistance, afterwards, stage and outside_band add up to `n_of`; an episode may have several of
the others. Which levels there are follows from the definitions and the code lists alone: a level without an
episode has a row with zero, so a row tells nothing by being there. `n_of` counts the episodes of the disorders
that have the level.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import polars as pl

from impasse.schemas.codelists import CodeLists
from impasse.schemas.definition import DISORDERS, Definition
from impasse.schemas.resistance import AdmissionItem, AnyItem, DiagnosisItem, Item, Scored, Staged
from impasse.schemas.tables import AFTERWARDS, CAUSES_OF_TRIALS, KEYS, NO_SCORE, OPEN_LEVEL, PSEUDO_RESISTANCE
from impasse.schemas.values import NO_LEVEL
from impasse.transforms.judge.untried import ESTABLISHED

_KEY = KEYS["profile"]
_COUNTED = ("definition_id", "disorder", "characteristic", "level")
_WORDS = {
    "cause": "causes",
    "shared_treatment": "shares_treatment_with",
    "untried": "untried",
    "unobserved": "unobserved",
}


def count_profile(
    episodes: pl.DataFrame,
    classifications: pl.DataFrame,
    stages: pl.DataFrame,
    impasses: pl.DataFrame,
    definitions: Sequence[Definition],
    codes: CodeLists,
) -> pl.DataFrame:
    """Every level of every definition with the episodes that have it, n, among n_of; additive over buckets."""
    disorder = episodes.select("episode_id", "disorder")
    told = episodes.select("episode_id", "disorder", "shares_treatment_with")
    resistant = classifications.filter(pl.col("verdict") == "resistant").join(impasses, on="episode_id")
    resistant = resistant.join(told, on="episode_id")
    staged = stages.filter(pl.col("is_eligible")).with_columns(stage=_stage(), outside_band=_outside_band())
    staged = staged.join(disorder, on="episode_id")
    found = [_counted(resistant, c) for c in ("pseudo_resistance", "afterwards")]
    found += [_counted(resistant, c, words) for c, words in _WORDS.items()]
    found += [_counted(staged, c) for c in ("stage", "outside_band")]
    both = pl.concat([rows.select("definition_id", "disorder") for rows in (resistant, staged)])
    totals = both.group_by("definition_id", "disorder").agg(n_of=pl.len().cast(pl.Int64))
    totals = totals.with_columns(pl.col("definition_id", "disorder").cast(pl.String))
    grid = pl.DataFrame(_levels(definitions, codes), schema=dict.fromkeys(_COUNTED, pl.String), orient="row")
    counts = grid.join(pl.concat(found), on=_COUNTED, how="left").join(totals, on=_COUNTED[:2], how="left")
    return sum_profile(counts.with_columns(pl.col("n", "n_of").fill_null(0)))


def sum_profile(counts: pl.DataFrame) -> pl.DataFrame:
    """The counts of one or more buckets as one table."""
    return counts.group_by(_KEY).agg(pl.col("n", "n_of").sum()).sort(_KEY).with_columns(suppressed=pl.lit(False))


def _counted(rows: pl.DataFrame, characteristic: str, words: str | None = None) -> pl.DataFrame:
    """Episodes by level; of a column of several words each word is a level, and equal texts are taken apart once."""
    found = rows.group_by("definition_id", "disorder", level=words or characteristic).agg(n=pl.len().cast(pl.Int64))
    texts = found.with_columns(pl.col("definition_id", "disorder", "level").cast(pl.String))
    if words:
        texts = texts.with_columns(pl.col("level").str.split(" ")).explode("level")
    named = texts.with_columns(characteristic=pl.lit(characteristic))
    return named.group_by(_COUNTED).agg(pl.col("n").sum())


def _stage() -> pl.Expr:
    """The stage or score by its name where both bounds agree."""
    none = pl.all_horizontal(pl.col(c).is_null() for c in ("score_min", "score_max", "level_min", "level_max"))
    halves = (pl.col("score_min") * 2).cast(pl.Int64)
    score = pl.format("{}{}", halves // 2, pl.when(halves % 2 == 1).then(pl.lit(".5")).otherwise(pl.lit("")))
    return (
        pl.when(none)
        .then(pl.lit(NO_SCORE))
        .when(pl.col("level_min") == pl.col("level_max"))
        .then("level_min")
        .when(pl.col("score_min") == pl.col("score_max"))
        .then(score)
        .otherwise(pl.lit(OPEN_LEVEL))
    )


def _outside_band() -> pl.Expr:
    known = pl.when("is_outside_band").then(pl.lit("yes")).otherwise(pl.lit("no"))
    return pl.when(pl.col("is_outside_band").is_null()).then(pl.lit("unknown")).otherwise(known)


# Which levels there are


def _levels(definitions: Sequence[Definition], codes: CodeLists) -> Iterator[tuple[str, str, str, str]]:
    """Definition, disorder, characteristic and level of every row there can be."""
    of_verdicts = {disorder: _of_verdicts(disorder, codes) for disorder in DISORDERS}
    for definition in definitions:
        for disorder in definition.eligible.disorders:
            levels = of_verdicts[disorder] if definition.gives == "verdict" else _of_stages(definition)
            for characteristic, names in levels.items():
                for name in dict.fromkeys(names):
                    yield definition.id, disorder, characteristic, name


def _of_verdicts(disorder: str, codes: CodeLists) -> dict[str, Sequence[str]]:
    mine = pl.col("disorder") == disorder
    causes = codes.causes.filter(mine)["cause"].to_list()
    options = codes.options.filter(mine, pl.col("tier").is_in(ESTABLISHED))["option"].to_list()
    return {
        "pseudo_resistance": PSEUDO_RESISTANCE,
        "cause": [*causes, *CAUSES_OF_TRIALS],
        "afterwards": AFTERWARDS,
        "shared_treatment": [name for name in DISORDERS if name != disorder],
        "untried": options,
        "unobserved": options,
    }


def _of_stages(definition: Definition) -> dict[str, Sequence[str]]:
    rule = definition.resistance
    levels: dict[str, Sequence[str]] = {"stage": level_names(rule)}  # type: ignore[arg-type]  # a staging system does not count
    if isinstance(rule, Staged) and any(level.band_days for level in rule.levels):
        levels["outside_band"] = ("yes", "no", "unknown")
    return levels


def level_names(rule: Staged | Scored) -> list[str]:
    """Every level a staging system can give, in its order: "none" and its stages, or each of its scores."""
    if isinstance(rule, Staged):
        return [NO_LEVEL, *(level.name for level in rule.levels), OPEN_LEVEL]
    points = [_points(item) for item in rule.items]
    step = 1 if all(point == int(point) for each in points for point in each) else 0.5
    most = sum(max(each) for each in points)
    return [*(f"{step * n:g}" for n in range(round(most / step) + 1)), OPEN_LEVEL, NO_SCORE]


def _points(item: AnyItem) -> list[float]:
    """What the item can earn at a time, and in all."""
    if isinstance(item, Item):
        return [item.points, item.max_points]
    if isinstance(item, AdmissionItem):
        return [item.points]
    if isinstance(item, DiagnosisItem):
        return [item.otherwise, *(level.points for level in item.levels)]
    return [band.points for band in item.bands]
