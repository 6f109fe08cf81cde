"""Delivered files -> canonical tables, and every row that was refused with the rule that refused it.

A delivered row is refused whole: if one of its codes is unusable, none of them is used and the row is
in the quarantine as it was delivered, so nothing is dropped in silence and for every table
delivered = accepted + quarantined. Blank code cells are not codes; a row without any is refused
(code_missing). Only rows the layout chooses for a table count as delivered to it.

1. Persons first, as `people` says. They stay in memory; of the other tables one piece of a file does, and for
   each accepted row nothing but its person, its days and the number of what it says.
2. Every other row must belong to an accepted person and be dated between birth (the earliest day it can
   have been) and death or the end of the study period. Identical dispensings are two dispensings; one with a
   negative amount takes another back, as `reversals` says, and is accepted too, also after death and period.
3. A drug known to be no treatment here (OMOP knows drugs by ingredient, not by ATC) is an accepted row
   that the canonical table does not hold.
4. A coverage interval or hospital stay without an end goes on to the end of the period, and so does
   everything that ends after it: 9999-12-31 is how many registers write an open end. No end is before its
   own start. Coverage may begin before birth or after death and period: it says who is observed, not what
   happened; beginnings before 1900 or after 2300 are read as the first or last day of these years.
5. Rows of a file that the layout chooses for no table are counted in `unused`, file by file.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date

import polars as pl

from impasse.schemas.codelists import CodeLists
from impasse.schemas.concepts import OmopLists
from impasse.schemas.delivered import Delivered
from impasse.schemas.extracts import MODELS, SETTINGS
from impasse.schemas.mapping import MAPPED_TABLES, SUPPLY_COLUMNS, Mapping
from impasse.schemas.study import FIRST_DAY, LAST_DAY, SUPPLY_KINDS, Study
from impasse.transforms.ingest import registry, rules
from impasse.transforms.ingest.drafts import OTHER_DRUG, Draft
from impasse.transforms.ingest.omop import cdm
from impasse.transforms.ingest.omop.cdm import OmopNotes
from impasse.transforms.ingest.omop.delivered_table import OmopRules
from impasse.transforms.ingest.ordering import DATE_COLUMNS, Piece
from impasse.transforms.ingest.persons import People, accept_persons
from impasse.transforms.ingest.refills.told import TOLD
from impasse.transforms.ingest.reversals import AMOUNT, AMOUNT_UNIT, IS_REVERSAL, count_due, with_late
from impasse.transforms.ingest.supply import is_return, kind_of_supply, read_supplies
from impasse.transforms.ingest.tallies import Tally, count_noted, tally
from impasse.transforms.partition.memory import Size

_COLUMNS = {table: list(model.to_schema().columns) for table, model in MODELS.items()}
_WHAT: dict[str, dict[str, type[pl.DataType]]] = {
    "diagnoses": dict.fromkeys(("code", "code_system", "position", "setting"), pl.String),
    "dispensings": dict.fromkeys(("atc", "kind"), pl.String) | dict.fromkeys(SUPPLY_COLUMNS, pl.Float64),
    "procedures": {"code": pl.String, "code_system": pl.String},
    "scores": {"scale": pl.String, "value": pl.Float64},
    "admissions": {"main_code": pl.String},
}
# What is said beside the columns of the canonical table, for what is settled when the table is whole.
_BESIDE = {"dispensings": (AMOUNT, AMOUNT_UNIT, IS_REVERSAL, *TOLD)}

# What accepted dispensings of a kind that the study does not read are counted as.
_OTHER_KINDS = "n_of_other_kinds"

EVENT_TABLES = tuple(table for table in MAPPED_TABLES if table not in ("persons", "deaths"))


@dataclass(frozen=True)
class SourceReader:
    """What a delivery is read by: a registry's mapping, or for an OMOP CDM the lists of its concepts."""

    mapping: Mapping | OmopLists
    study: Study
    codes: CodeLists

    def drafts(self, table: str, delivered: Delivered) -> Iterator[Draft]:
        """The drafts of one canonical table, piece by piece; none if what feeds it was not delivered."""
        if isinstance(self.mapping, OmopLists):
            return cdm.draft_omop_table(table, delivered, OmopRules(self.mapping, self.codes, self.study))
        return registry.draft_registry_table(table, delivered, self.mapping)

    def unused(self, delivered: Delivered) -> pl.DataFrame:
        """Rows that no part of a registry's layout chooses; OMOP tables are read by concept, not by layout."""
        if isinstance(self.mapping, OmopLists):
            return pl.DataFrame(schema={"file": pl.String, "n": pl.Int64})
        return registry.count_unused(delivered, self.mapping)

    def omop_notes(self, delivered: Delivered, tallies: dict[str, Tally]) -> OmopNotes | None:
        """What should be known of an OMOP CDM beside its rows; none of a registry."""
        is_omop = isinstance(self.mapping, OmopLists)
        return cdm.take_notes(delivered, count_noted(tallies)) if is_omop else None

    def size(self, delivered: Delivered) -> Size:
        """How large a delivery is at most, by the rows of its files; a file that feeds two tables counts twice.

        Persons that are whoever has an event are taken for a tenth of the events.
        """
        rows = {table: self.n_in_files(table, delivered) for table in MAPPED_TABLES}
        is_derived = isinstance(self.mapping, Mapping) and any(part.birth for part in self.mapping.persons)
        n_persons = rows["persons"] // (10 if is_derived else 1)
        looked_up = self._looked_up(delivered)
        read = {key for table in MAPPED_TABLES for key in self._files(table, delivered)} | set(looked_up)
        at_once = max(map(delivered.n_bytes_at_once, read), default=0)
        n_rows = sum(rows[table] for table in EVENT_TABLES)
        return Size(n_persons, n_rows, sum(map(delivered.n_rows, looked_up)), at_once)

    def n_in_files(self, table: str, delivered: Delivered) -> int:
        """How many rows the files that feed a table have, counted without reading them."""
        return sum(map(delivered.n_rows, self._files(table, delivered)))

    def _files(self, table: str, delivered: Delivered) -> list[str]:
        """The delivered files that feed a table, by key, once for each time they are read for it."""
        if isinstance(self.mapping, OmopLists):
            return [key for key in cdm.origins(table) if key in delivered]
        return [part.file for part in self.mapping.parts(table) if part.file in delivered]

    def _looked_up(self, delivered: Delivered) -> set[str]:
        """The delivered files that are read whole, because rows of others are looked up in them."""
        if isinstance(self.mapping, OmopLists):
            return {key for key in cdm.LOOKED_UP if key in delivered}
        joins = [part.join.file for table in MAPPED_TABLES for part in self.mapping.parts(table) if part.join]
        return {key for key in joins if key in delivered}

    def observes(self, tables: Iterable[str]) -> frozenset[str]:
        """What the delivery can show: the study's word, else the layout's, as far as there are rows to show it."""
        layouts = cdm.OBSERVES if isinstance(self.mapping, OmopLists) else self.mapping.observes
        declared = layouts if self.study.source.observes is None else self.study.source.observes
        return frozenset(kind for kind in declared if ("dispensings" if kind == "drug" else "procedures") in tables)


def clean_persons(
    delivered: Delivered, source: SourceReader
) -> tuple[People, dict[str, list[pl.DataFrame]], dict[str, Tally]]:
    """Persons with their final death dates, and of persons and deaths the refused rows and the tally."""
    drafts = list(source.drafts("persons", delivered))
    people, refused, n_delivered = accept_persons(drafts, source.study.period.end)
    n_apart, n_accepted = sum(draft.n_apart for draft in drafts), people.frame.height
    deaths = [_sift(draft, "deaths", people, source) for draft in source.drafts("deaths", delivered)]
    counts = sum((Counter(draft.counts) for draft in drafts), Counter())
    tallies = {"persons": Tally(n_delivered, n_apart, n_accepted, n_accepted, counts), "deaths": tally(deaths)}
    if deaths:
        people = people.with_deaths(pl.concat([piece.rows for piece in deaths]))
    return people, {"persons": refused, "deaths": [piece.refused for piece in deaths]}, tallies


def clean_pieces(table: str, delivered: Delivered, source: SourceReader, people: People) -> Iterator[Piece]:
    """One canonical table of events, piece by piece, as delivered; `said` numbers differ between pieces.

    Every row is judged alone, so how a file is cut into pieces does not show in what is made of them.
    """
    first = 0
    for draft in source.drafts(table, delivered):
        piece = _sift(draft, table, people, source)
        number = pl.col("said").cast(pl.UInt64) + first
        yield replace(piece, rows=piece.rows.with_columns(number), said=piece.said.with_columns(number))
        first += 2 * draft.facts.height  # what is said too late is numbered after all else


def _sift(draft: Draft, table: str, people: People, source: SourceReader) -> Piece:
    """Facts with their persons, checked: what is asked of a row is asked of each, what of its words once.

    Nearly every row is sound, so which rule was broken is looked for only in those that are not.
    """
    facts, said = _apart(draft, table)
    said = said.rename({"rule": "unread"}).with_columns(rule=pl.lit(None, dtype=pl.String))
    said = said.with_columns(unfit=rules.first_broken(rules.of_what(table, source.codes))).drop("rule")
    is_faulty = pl.col("unread").is_not_null() | pl.col("unfit").is_not_null()
    faults = said.filter(is_faulty).group_by("said", maintain_order=True)
    faulty = faults.agg(pl.col("unread", "unfit").drop_nulls().first())
    facts = _with_persons(facts, people).with_columns(_is_return(table, said))
    checks = rules.of_who() | rules.of_when(table, source.study.period.end)
    is_broken = rules.is_any_broken(checks) | pl.col("rule").is_not_null()
    broken = facts.filter(is_broken | pl.col("said").is_in(faulty["said"].implode()))
    refused = _with_rules(broken, faulty, checks)
    columns = ("person", *DATE_COLUMNS[table], "said")
    accepted = facts.filter(~pl.col("row").is_in(refused["row"].implode()))
    rows = accepted.select(columns)
    counts = draft.counts | _count_other_kinds(table, rows, said, source.study)
    told = _tidy(table, said.filter(~is_faulty), source)
    if table == "dispensings":
        rows, told = with_late(rows, told, rules.too_late(broken, refused, faulty).select(columns))
    return Piece(
        rows=_tidy_days(table, rows, source.study.period.end),
        said=told,
        refused=rules.as_delivered(draft.delivered, refused["row"], refused["rule"]),
        n_delivered=draft.delivered.height,
        n_apart=draft.n_apart,
        n_accepted=accepted["row"].n_unique(),
        n_due=count_due(rows, told),
        counts=counts,
    )


def _apart(draft: Draft, table: str) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Who and when, and what, each with all its columns in one spelling; one the source does not have is null."""
    what = _WHAT.get(table, {})
    if not what:
        facts, said = draft.facts.with_columns(said=pl.lit(0)), pl.DataFrame({"said": [0]})
    elif draft.said is None:
        facts = draft.facts.drop("said", strict=False).with_row_index("said")
        said = facts.drop("rule")
    else:
        facts, said = draft.facts, draft.said
    told = {"row": pl.UInt32, "said": pl.UInt32, "person_id": pl.String}
    days = dict.fromkeys(DATE_COLUMNS[table], pl.Date)
    rule = {"rule": pl.String}
    return _typed(facts, told | days | rule), _typed(said, {"said": pl.UInt32} | what | rule)


def _typed(facts: pl.DataFrame, kinds: dict[str, type[pl.DataType]]) -> pl.DataFrame:
    spelled = {
        "atc": pl.col("atc").str.to_uppercase().str.replace_all(r"\s", ""),
        "scale": pl.col("scale").str.to_lowercase(),
        "code_system": pl.col("code_system").str.to_lowercase().str.replace("-", "", literal=True),
    }
    there = {name: spelled.get(name, pl.col(name)) for name in kinds if name in facts.columns}
    return facts.select(there.get(name, pl.lit(None)).cast(kind).alias(name) for name, kind in kinds.items())


def _with_persons(facts: pl.DataFrame, people: People) -> pl.DataFrame:
    """The facts with the number of each row's person, the earliest day of birth and the day of death."""
    person = people.numbers(facts["person_id"])
    lived = [people.frame[column].gather(person) for column in ("born_from", "death_date")]
    return facts.with_columns(person, *lived)


def _is_return(table: str, said: pl.DataFrame) -> pl.Expr:
    """Whether what a row says takes a supply back."""
    returns = said.filter(is_return())["said"] if table == "dispensings" else said["said"].clear()
    return (pl.col("said").is_in(returns.implode()) if len(returns) else pl.lit(False)).alias(rules.IS_RETURN)


def _with_rules(broken: pl.DataFrame, faulty: pl.DataFrame, checks: rules.Checks) -> pl.DataFrame:
    """row, rule: the refused rows; the first rule of a row's facts speaks for the row."""
    told = broken.join(faulty, on="said", how="left", maintain_order="left")
    told = told.with_columns(rule=pl.coalesce("rule", "unread")).with_columns(rule=rules.first_broken(checks))
    found = told.select("row", rule=pl.coalesce("rule", "unfit"))
    return found.unique("row", keep="first", maintain_order=True)


def _tidy_days(table: str, rows: pl.DataFrame, period_end: date) -> pl.DataFrame:
    """The days of accepted rows, none after the end of the period but where coverage begins after it."""
    if table == "diagnoses":
        return rows.with_columns(pl.col("end_date").clip(upper_bound=period_end))
    if table == "coverage":
        return _closed(rows.with_columns(pl.col("start_date").clip(FIRST_DAY, LAST_DAY)), period_end)
    return _closed(rows, period_end) if table == "admissions" else rows


def _closed(rows: pl.DataFrame, period_end: date) -> pl.DataFrame:
    """An interval without an end, or with a later one, goes on to the end of the period; it is one day at least."""
    end = pl.min_horizontal("end_date", pl.lit(period_end))
    return rows.with_columns(end_date=pl.max_horizontal("start_date", end))


def _tidy(table: str, said: pl.DataFrame, source: SourceReader) -> pl.DataFrame:
    """What rows say in the words of the canonical table; what is not for the table is left out."""
    tidied = _TIDY[table](said, source.study, source.codes) if table in _TIDY else said
    told = (*_COLUMNS.get(table, ()), *_BESIDE.get(table, ()))
    return tidied.select("said", *(column for column in told if column in tidied.columns))


def _tidy_diagnoses(said: pl.DataFrame, study: Study, codes: CodeLists) -> pl.DataFrame:
    position, setting = (pl.col(name).str.to_lowercase() for name in ("position", "setting"))
    return said.with_columns(
        position=pl.when((position == "main").fill_null(True)).then(pl.lit("main")).otherwise(pl.lit("other")),
        setting=pl.when(setting.is_in(SETTINGS)).then(setting).otherwise(pl.lit("unknown")),
    )


def _tidy_dispensings(said: pl.DataFrame, study: Study, codes: CodeLists) -> pl.DataFrame:
    return read_supplies(said, study.supply, codes)


def _count_other_kinds(table: str, rows: pl.DataFrame, said: pl.DataFrame, study: Study) -> dict[str, int]:
    """How many accepted dispensings are of a kind of supply that the study does not read."""
    if table != "dispensings" or set(study.supply.kinds) == set(SUPPLY_KINDS):
        return {}
    others = said.filter((pl.col("atc") != OTHER_DRUG) & ~kind_of_supply().is_in(study.supply.kinds))
    return {_OTHER_KINDS: rows.join(others.select("said"), on="said").height}


def _tidy_procedures(said: pl.DataFrame, study: Study, codes: CodeLists) -> pl.DataFrame:
    treatments = codes.resolve_procedures(said.select("code_system", "code"))
    return said.join(treatments, on=["code_system", "code"], how="left", maintain_order="left")


def _tidy_scores(said: pl.DataFrame, study: Study, codes: CodeLists) -> pl.DataFrame:
    """0 and -0 are one value, and must not be two in the files."""
    return said.with_columns(value=pl.when(pl.col("value") != 0).then("value").otherwise(pl.lit(0.0)))


_TIDY = {
    "diagnoses": _tidy_diagnoses,
    "dispensings": _tidy_dispensings,
    "procedures": _tidy_procedures,
    "scores": _tidy_scores,
}
