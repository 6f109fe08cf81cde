"""A published run in a notebook: its released tables with labels, two definitions compared, one episode explained.

    from impasse.reports.run import open_run

    run = open_run("runs/my-study/latest")
    run.table("prevalence")

Everything but `open_run` is made of tables that were read already.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from impasse.reports.words.contrast import Contrast, contrast
from impasse.reports.words.names import words
from impasse.reports.words.numbers import count, percent
from impasse.schemas.columns import RESTRICTED_COLUMNS
from impasse.schemas.definition import DISORDERS, Definition
from impasse.schemas.errors import ImpasseError, nearest

_TITLED = ("definition_id", "definition_a", "definition_b")
_SHARES = (
    *("definition_id", "n_total", "n_resistant", "n_undetermined", "bound_low", "bound_high"),
    *("prevalence", "ci_low", "ci_high", "suppressed"),
)
_SEEN_FROM_THE_OTHER = {
    "definition_a": pl.col("definition_b"),
    "definition_a_title": pl.col("definition_b_title"),
    "definition_b": pl.col("definition_a"),
    "definition_b_title": pl.col("definition_a_title"),
    "n_only_a": pl.col("n_only_b"),
    "n_only_b": pl.col("n_only_a"),
    "difference": -pl.col("difference"),
    "difference_ci_low": -pl.col("difference_ci_high"),
    "difference_ci_high": -pl.col("difference_ci_low"),
}
_CELLS = (
    ("resistant", "resistant", "n_both_resistant"),
    ("resistant", "not_resistant", "n_only_a"),
    ("not_resistant", "resistant", "n_only_b"),
    ("not_resistant", "not_resistant", "n_neither"),
)


@dataclass(frozen=True, eq=False)
class Comparison:
    """How two definitions differ on a run. `print` shows it as text. Counts are of episodes, shares from 0 to 1.

    shares: one row per definition, of its eligible episodes: how many are resistant, the share at least and at most
        (`bound_low`, `bound_high`), and that of the decided episodes with its 95% interval.
    agreement: one row per disorder both speak about, as in `agreement.parquet`; a is the first, b the other.
    verdicts: four rows per disorder: the verdict of each (`one`, `other`) and `n`, of the episodes both decide.
    settings: one row per setting that differs: block, setting, and its value in words in `one` and `other`.

    What disclosure control hides is null. Staging systems give no verdict, so they have no row but in `settings`.
    """

    one: Definition = field(repr=False)
    other: Definition = field(repr=False)
    shares: pl.DataFrame
    agreement: pl.DataFrame
    verdicts: pl.DataFrame
    settings: pl.DataFrame

    def __str__(self) -> str:
        titles = [f"{d.id}: {d.title}" for d in (self.one, self.other)]
        differ = [f"  {block}.{setting}: {one} | {other}" for block, setting, one, other in self.settings.iter_rows()]
        parts = [
            *titles,
            "Resistant among the eligible episodes:",
            *self._resistant(),
            "Verdicts on the episodes both decide:",
            *self._agreement(),
            f"Settings that differ ({self.one.id} | {self.other.id}):",
            *(differ or ["  none"]),
        ]
        return "\n".join(parts)

    def _staging(self) -> list[str]:
        """A line for each of the two that gives no verdict."""
        ids = {d.id: d.gives for d in (self.one, self.other)}
        return [f"  none: {name} gives stages and no verdict" for name, gives in ids.items() if gives != "verdict"]

    def _resistant(self) -> list[str]:
        """A line for each definition that gives verdicts, and for each that gives none."""
        return [*map(_share, self.shares.iter_rows(named=True)), *self._staging()]

    def _agreement(self) -> list[str]:
        """A line for each disorder, or why there is none."""
        if self._staging():
            return self._staging()
        if self.one.id == self.other.id:
            return ["  none: it is one definition"]
        lines = [_verdicts(row) for row in self.agreement.iter_rows(named=True)]
        return lines or ["  none: they have no disorder in common"]


@dataclass(frozen=True, eq=False)
class Run:
    """A published run: its released tables, its definitions, two of them compared, one episode explained."""

    place: str
    _known: Mapping[str, Definition] = field(repr=False)
    _tables: Mapping[str, pl.DataFrame] = field(repr=False)
    _explain: Callable[[str, str | None], str] = field(repr=False)

    @property
    def tables(self) -> tuple[str, ...]:
        """The names of the released tables."""
        return tuple(self._tables)

    @property
    def definitions(self) -> pl.DataFrame:
        """One row per definition of the run: id, title, disorders, what it gives, status, confidence, citation."""
        return pl.DataFrame([_entry(d) for d in self._known.values()])

    def table(self, name: str) -> pl.DataFrame:
        """A released table, with a label after each id: grain, key and units are those of the table's description.

        Beside `definition_id` stands `definition_title`, beside `definition_a` `definition_a_title`, beside `disorder`
        `disorder_name`. Raises ImpasseError if the run has no table of this name.
        """
        if isinstance(name, str) and name in RESTRICTED_COLUMNS:
            raise ImpasseError(
                f"Table '{name}' is not released.",
                where=f"{self.place}/restricted",
                expected=", ".join(self.tables),
                do="Read it from there; its rows are of persons, treat it as the extract.",
            )
        if not isinstance(name, str) or name not in self._tables:
            raise _unknown(f"This run has no released table '{name}'.", name, self.tables)
        return _labelled(self._tables[name], {d.id: d.title for d in self._known.values()})

    def explain(self, episode_id: str, definition: str | None = None) -> str:
        """The story of one episode as text, 80 columns wide, for all definitions of its disorder or for one.

        It is read from the restricted tables and is about one person: treat it as the extract. Raises ImpasseError if
        the run has no such episode or definition.
        """
        return self._explain(episode_id, definition)

    def compare(self, one: str, other: str) -> Comparison:
        """How two definitions differ on this run, from its released tables and the definitions it was made with.

        The result is printed as text, or read as frames. Counts are of episodes, shares from 0 to 1:
        shares: definition_id, definition_title; n_total eligible episodes, of which n_resistant and n_undetermined;
            bound_low and bound_high, the share that is resistant at least and at most; prevalence, that of the
            decided episodes, and ci_low and ci_high, its 95% interval; suppressed.
        agreement: one row per disorder both speak about, as in the table of this name; a is `one`, b is `other`.
        verdicts: disorder, disorder_name; the verdict of each (one, other); n, of the episodes both decide.
        settings: block, setting; the value in words in one and in other.

        What disclosure control hides is null. A staging system gives no verdict and has rows in `settings` alone.
        Raises ImpasseError if one of them was not part of the run.
        """
        a, b = named_in_run(one, self._known), named_in_run(other, self._known)
        agreement = _seen_from(self.table("agreement"), a.id, b.id)
        return Comparison(
            a, b, _shares(self.table("prevalence"), a.id, b.id), agreement, _cells(agreement), _settings(contrast(a, b))
        )


def open_run(folder: str | Path) -> Run:
    """Open a published run: its folder, such as runs/my-study/latest, or its address on S3.

    Only released tables are read; those of persons are read when one episode is asked for. `latest` is followed once:
    a run that is published later changes nothing. Raises ImpasseError if no run was published there.
    """
    from impasse.flows import published

    place = published.find_run(folder)
    return Run(
        str(place),
        published.read_run_definitions(place),
        published.read_run_tables(place),
        lambda episode_id, definition: published.explain(place, episode_id, definition),
    )


def named_in_run(name: str, known: Mapping[str, Definition]) -> Definition:
    """The definition of this id, of those of a run."""
    if not isinstance(name, str) or name not in known:
        raise _unknown(f"Definition '{name}' was not part of this run.", name, tuple(known))
    return known[name]


def _unknown(what: str, name: object, known: tuple[str, ...]) -> ImpasseError:
    guess = nearest(str(name), sorted(known))
    do = f"Did you mean '{guess}'?" if guess else "Name one of these."
    return ImpasseError(what, expected=", ".join(known), do=do)


def _entry(d: Definition) -> dict[str, object]:
    return {
        "definition_id": d.id,
        "definition_title": d.title,
        "disorders": list(d.eligible.disorders),
        "gives": d.gives,
        "status": d.status,
        "confidence": d.source.confidence,
        "citation": d.source.citation,
    }


def _labelled(table: pl.DataFrame, titles: Mapping[str, str]) -> pl.DataFrame:
    """The table with a column of labels after each column of ids."""
    return table.select(part for column in table.columns for part in (column, *_labels(column, titles)))


def _labels(column: str, titles: Mapping[str, str]) -> Iterator[pl.Expr]:
    if column in _TITLED:
        yield _renamed(column, titles).alias(f"{column.removesuffix('_id')}_title")
    if column == "disorder":
        yield _renamed(column, {disorder: words(disorder) for disorder in DISORDERS}).alias("disorder_name")


def _renamed(column: str, names: Mapping[str, str]) -> pl.Expr:
    return pl.col(column).cast(pl.String).replace_strict(dict(names), default=None, return_dtype=pl.String)


def _shares(prevalence: pl.DataFrame, one: str, other: str) -> pl.DataFrame:
    """The rows of the two definitions in the order asked, for all their eligible episodes."""
    of_all = prevalence.filter(pl.col("denominator_id") == "eligible", pl.col("stratum") == "all")
    rows = [of_all.filter(pl.col("definition_id") == name) for name in (one, other)]
    return pl.concat(rows).select("definition_id", "definition_title", *_SHARES[1:])


def _seen_from(agreement: pl.DataFrame, one: str, other: str) -> pl.DataFrame:
    """The rows of the pair, with the first definition as a, however the table has them."""
    as_asked = agreement.filter(pl.col("definition_a") == one, pl.col("definition_b") == other)
    turned = agreement.filter(pl.col("definition_a") == other, pl.col("definition_b") == one)
    return pl.concat([as_asked, turned.with_columns(**_SEEN_FROM_THE_OTHER)])


def _cells(agreement: pl.DataFrame) -> pl.DataFrame:
    """The four cells of each row's table of two by two."""
    cells = [
        agreement.select("disorder", "disorder_name", pl.lit(one).alias("one"), pl.lit(other).alias("other"), n=n)
        for one, other, n in _CELLS
    ]
    return pl.concat(cells).sort("disorder", maintain_order=True)


def _settings(blocks: list[Contrast]) -> pl.DataFrame:
    rows = [(block.block, *setting) for block in blocks for setting in block.settings]
    return pl.DataFrame(rows, dict.fromkeys(("block", "setting", "one", "other"), pl.String), orient="row")


def _share(row: Mapping[str, object]) -> str:
    if row["suppressed"]:
        return f"  {row['definition_id']}: suppressed"
    bounds = f"at least {percent(row['bound_low'])}, at most {percent(row['bound_high'])} of {count(row['n_total'])}"
    return f"  {row['definition_id']}: {bounds}"


def _verdicts(row: Mapping[str, object]) -> str:
    if row["suppressed"]:
        return f"  {row['disorder_name']}: suppressed"
    cells = (
        f"both resistant {count(row['n_both_resistant'])}, only {row['definition_a']} {count(row['n_only_a'])}, "
        f"only {row['definition_b']} {count(row['n_only_b'])}, neither {count(row['n_neither'])}"
    )
    return f"  {row['disorder_name']}: {cells}; {count(row['n_undetermined'])} not decided by both"
