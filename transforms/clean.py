"""Delivered files -> canonical tables, and every row that was refused with the rule that refused it.

A delivered row is refused whole: if one of its codes is unusable, none of them is used and the row is
in the quarantine as it was delivered, so nothing is dropped in silence and for every table
delivered = accepted + quarantined. Blank code cells are not codes; a row without any is refused
(code_missing). Only rows the layout chooses for a table count as delivered to it.

1. Persons first: a row without id is refused; rows of one person that tell the same are one person (the
   first is kept, the others are explained as duplicates); if they contradict each other, all are refused.
2. Deaths delivered in a table of their own hold over a death date in the persons table; the earliest counts.
3. Every other row must belong to an accepted person and be dated between birth (the earliest day it can
   have been) and death or the end of the study period. Identical dispensings are two dispensings.
4. A drug known to be no treatment here (OMOP knows drugs by ingredient, not by ATC) is an accepted row
   that the canonical table does not hold.
5. A coverage interval or hospital stay without an end goes on to the end of the period, and so does
   everything that ends after it: 9999-12-31 is how many registers write an open end. No end is before its
   own start. Coverage may begin before birth or after death and period: it says who is observed, not what
   happened; beginnings before 1900 or after 2200 are read as the first or last day of these years.
6. Rows of a file that the layout chooses for no table are counted in `unused`, file by file.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date

import polars as pl

from schemas.codelists import CodeLists
from schemas.concepts import OmopLists
from schemas.extracts import CODE_SYSTEMS, MODELS, SETTINGS, Extract
from schemas.mapping import SUPPLY_COLUMNS, TABLES, Delivered, Mapping
from schemas.study import FIRST_DAY, LAST_DAY, Study
from transforms import layout, omop
from transforms.drafts import LARGEST, OTHER_DRUG, Draft
from transforms.supply import add_supply

RULES: dict[str, str] = {
    "contact_missing": "no contact, or more than one, has this record number",
    "person_missing": "the row names no person",
    "person_conflicting": "rows of this person contradict each other; all are refused",
    "person_duplicate": "another row of this person says the same and is kept",
    "person_unknown": "the person is not among the accepted persons",
    "date_missing": "the date is not filled in",
    "date_unreadable": "a date fits none of the stated formats",
    "date_before_1900": "the date is before 1900",
    "date_before_birth": "the date is before the person's birth",
    "date_after_period": "the date is after the end of the study period",
    "date_after_death": "the date is after the person's death",
    "end_before_start": "the end is before the start",
    "birth_implausible": "the birth is before 1850 or after the end of the study period",
    "death_before_birth": "the death is before the birth",
    "atc_missing": "the ATC code is not filled in",
    "atc_malformed": "the ATC code does not have the form of one",
    "no_atc_mapping": "the drug's ingredient is not known",
    "supply_unreadable": "an amount is not a number",
    "supply_negative": "an amount is negative",
    "supply_too_large": "an amount is over 100,000",
    "code_missing": "the row holds no code",
    "code_system_unknown": "the code system of a code is not known",
    "score_missing": "the score has no value",
    "score_unreadable": "the score is not a number",
    "scale_unknown": "the scale is not in the list of scales",
    "score_out_of_range": "the score is outside the range of its scale",
}
_ATC = r"^[A-Z][0-9]{2}([A-Z]([A-Z]([0-9]{2})?)?)?$"
_COLUMNS = {table: list(model.to_schema().columns) for table, model in MODELS.items()}
_FACTS: dict[str, dict[str, type[pl.DataType]]] = {
    "persons": {"birth_date": pl.Date, "born_from": pl.Date, "sex": pl.String, "death_date": pl.Date},
    "deaths": {"date": pl.Date},
    "coverage": {"start_date": pl.Date, "end_date": pl.Date},
    "diagnoses": dict.fromkeys(("code", "code_system", "position", "setting"), pl.String)
    | {"date": pl.Date, "end_date": pl.Date},
    "dispensings": {"date": pl.Date, "atc": pl.String} | dict.fromkeys(SUPPLY_COLUMNS, pl.Float64),
    "procedures": {"date": pl.Date, "code": pl.String, "code_system": pl.String},
    "scores": {"date": pl.Date, "scale": pl.String, "value": pl.Float64},
    "admissions": {"start_date": pl.Date, "end_date": pl.Date, "main_code": pl.String},
}

EVENT_TABLES = tuple(table for table in TABLES if table not in ("persons", "deaths"))

Checks = dict[str, pl.Expr]


@dataclass(frozen=True)
class Cleaned:
    """The canonical tables, the refused rows by table, and how many rows went where and why.

    `unused` (file, n) counts rows that no part of the layout chooses.
    """

    extract: Extract
    quarantine: dict[str, pl.DataFrame]
    reconciliation: pl.DataFrame
    rules: pl.DataFrame
    unused: pl.DataFrame


@dataclass(frozen=True)
class Sorted:
    """One table after its checks: accepted rows, refused rows as delivered, and how many were delivered."""

    accepted: pl.DataFrame
    refused: pl.DataFrame
    n_delivered: int


@dataclass(frozen=True)
class People:
    """The accepted persons with their final death dates; `born_from` is the earliest day each can be born on."""

    frame: pl.DataFrame
    sorted_out: dict[str, Sorted]

    def persons(self) -> pl.DataFrame:
        """The canonical persons table."""
        return self.frame.select(_COLUMNS["persons"])


@dataclass(frozen=True)
class Source:
    """What a delivery is read by: a registry's mapping, or for an OMOP CDM the lists of its concepts."""

    mapping: Mapping | OmopLists
    study: Study
    codes: CodeLists

    def drafts(self, table: str, delivered: Delivered) -> Iterator[Draft]:
        """The drafts of one canonical table, piece by piece; none if what feeds it was not delivered."""
        if isinstance(self.mapping, OmopLists):
            return omop.draft_table(table, delivered, self.mapping)
        return layout.draft_table(table, delivered, self.mapping)

    def unused(self, delivered: Delivered) -> pl.DataFrame:
        """Rows that no part of a registry's layout chooses; OMOP tables are read by concept, not by layout."""
        if isinstance(self.mapping, OmopLists):
            return pl.DataFrame(schema={"file": pl.String, "n": pl.Int64})
        return layout.count_unused(delivered, self.mapping)

    def observes(self, tables: Iterable[str]) -> frozenset[str]:
        """What the delivery can show: the study's word, else the layout's, as far as there are rows to show it."""
        layouts = omop.OBSERVES if isinstance(self.mapping, OmopLists) else self.mapping.observes
        declared = layouts if self.study.source.observes is None else self.study.source.observes
        return frozenset(kind for kind in declared if ("dispensings" if kind == "drug" else "procedures") in tables)


def clean(delivered: Delivered, mapping: Mapping | OmopLists, study: Study, codes: CodeLists) -> Cleaned:
    """Canonical tables and quarantine of a delivery, and how many rows went where and why."""
    source = Source(mapping, study, codes)
    people = clean_persons(delivered, source)
    events = {table: clean_table(table, delivered, source, people) for table in EVENT_TABLES}
    events = {table: done for table, done in events.items() if done}
    sorted_out = people.sorted_out | events
    tables: dict[str, pl.DataFrame | None] = {name: done.accepted for name, done in events.items()}
    named = dict.fromkeys(MODELS) | tables | {"persons": people.persons()}
    return Cleaned(
        extract=Extract(**named, observes=source.observes(events)),
        quarantine={name: done.refused for name, done in sorted_out.items() if not done.refused.is_empty()},
        reconciliation=reconcile(sorted_out),
        rules=count_rules(sorted_out),
        unused=source.unused(delivered),
    )


def clean_persons(delivered: Delivered, source: Source) -> People:
    """Persons, numbered by person_id, and the deaths delivered in a table of their own."""
    persons = _sort_persons(list(source.drafts("persons", delivered)), source.study.period.end)
    people = _numbered(persons.accepted)
    sorted_out = {"persons": persons}
    deaths = [_sort(draft, "deaths", people, _death_checks()) for draft in source.drafts("deaths", delivered)]
    if any(piece.n_delivered for piece in deaths):
        sorted_out["deaths"] = merge(deaths)
        people = _with_deaths(people, sorted_out["deaths"].accepted)
    return People(people, sorted_out)


def clean_table(table: str, delivered: Delivered, source: Source, people: People) -> Sorted | None:
    """One canonical table of events, sorted by all its columns; None if no row of it was delivered.

    A long file that could hold hospital stays and holds none does not show that nobody was admitted.
    Every row is judged alone, so a file is cleaned piece by piece and only what is kept stays in memory.
    """
    checks = _checks(table, source.study, source.codes)
    done = []
    for draft in source.drafts(table, delivered):
        sifted = _sort(draft, table, people.frame, checks)
        tidy = _TIDY[table](sifted.accepted, source.study, source.codes).select(_COLUMNS[table])
        done.append(Sorted(tidy, sifted.refused, sifted.n_delivered))
    if not any(piece.n_delivered for piece in done):
        return None
    merged = merge(done)
    return Sorted(_ordered(merged.accepted, _COLUMNS[table]), merged.refused, merged.n_delivered)


def _ordered(table: pl.DataFrame, columns: list[str]) -> pl.DataFrame:
    """Sorted by all columns; person and day as one integer, which halves the time of the sort."""
    person, when, *others = columns
    key = pl.col(person).cast(pl.Int64) * 2**32 + pl.col(when).to_physical()
    return table.with_columns(key=key).sort("key", *others).drop("key")


def _checks(table: str, study: Study, codes: CodeLists) -> Checks:
    start = "start_date" if table in ("coverage", "admissions") else "date"
    specific = {
        "coverage": dict,
        "diagnoses": lambda: _code_checks(CODE_SYSTEMS),
        "dispensings": _dispensing_checks,
        "procedures": lambda: _code_checks(None),
        "scores": lambda: _score_checks(codes.scales),
        "admissions": dict,
    }[table]()
    ends = {"end_before_start": pl.col("end_date") < pl.col(start)} if "end_date" in _FACTS[table] else {}
    lived = _lived(start, study.period.end) if table != "coverage" else {}
    return {"date_missing": pl.col(start).is_null(), **lived, **ends, **specific}


def _lived(column: str, period_end: date) -> Checks:
    when = pl.col(column)
    return {
        "date_before_1900": when < date(1900, 1, 1),
        "date_before_birth": when < pl.col("born_from"),
        "date_after_period": when > period_end,
        "date_after_death": when > pl.col("death_date"),
    }


def _death_checks() -> Checks:
    when = pl.col("date")
    return {
        "date_missing": when.is_null(),
        "date_before_1900": when < date(1900, 1, 1),
        "date_before_birth": when < pl.col("born_from"),
    }


def _code_checks(systems: Iterable[str] | None) -> Checks:
    system = pl.col("code_system")
    return {
        "code_missing": pl.col("code").is_null(),
        "code_system_unknown": system.is_null() if systems is None else ~system.is_in(list(systems)).fill_null(False),
    }


def _dispensing_checks() -> Checks:
    return {
        "atc_missing": pl.col("atc").is_null(),
        "atc_malformed": ~pl.col("atc").str.contains(_ATC) & (pl.col("atc") != OTHER_DRUG),
        "supply_negative": pl.any_horizontal(pl.col(SUPPLY_COLUMNS) < 0),
        "supply_too_large": pl.any_horizontal(pl.col(SUPPLY_COLUMNS) > LARGEST),
    }


def _score_checks(scales: pl.DataFrame) -> Checks:
    scale, value = pl.col("scale"), pl.col("value")
    lowest = scale.replace_strict(scales["scale"], scales["minimum"], default=None, return_dtype=pl.Float64)
    highest = scale.replace_strict(scales["scale"], scales["maximum"], default=None, return_dtype=pl.Float64)
    return {
        "score_missing": value.is_null(),
        "scale_unknown": ~scale.is_in(scales["scale"].to_list()).fill_null(False),
        "score_out_of_range": (value < lowest) | (value > highest),
    }


def _sort_persons(found: list[Draft], period_end: date) -> Sorted:
    """Persons accepted once each, over all the files that name persons."""
    typed = [_typed(draft, "persons") for draft in found]
    facts = pl.concat([draft.facts.with_columns(part=pl.lit(i)) for i, draft in enumerate(typed)])
    checks = {
        "person_missing": pl.col("person_id").is_null(),
        "birth_implausible": (pl.col("born_from") < date(1850, 1, 1)) | (pl.col("born_from") > period_end),
        "death_before_birth": pl.col("death_date") < pl.col("born_from"),
    }
    facts = _once_each(facts.with_columns(rule=_first_rule(checks)))
    parts = [Draft(draft.delivered, facts.filter(pl.col("part") == i).drop("part")) for i, draft in enumerate(typed)]
    return merge([_split(draft) for draft in parts])


def _once_each(facts: pl.DataFrame) -> pl.DataFrame:
    sound = pl.when(pl.col("rule").is_null()).then(pl.col("person_id"))
    told = facts.filter(pl.col("rule").is_null()).filter(pl.col("person_id").is_duplicated())
    versions = told.group_by("person_id").agg(n=pl.struct("birth_date", "born_from", "sex", "death_date").n_unique())
    conflicting = versions.filter(pl.col("n") > 1)["person_id"].to_list()
    checks = {
        "person_conflicting": sound.is_in(conflicting),
        "person_duplicate": sound.is_not_null() & ~sound.is_first_distinct(),
    }
    return facts.with_columns(rule=_first_rule(checks))


def _numbered(persons: pl.DataFrame) -> pl.DataFrame:
    sex = pl.col("sex").str.to_lowercase()
    return (
        persons.drop("row", "rule")
        .with_columns(sex=pl.when(sex.is_in(["female", "male"])).then(sex).otherwise(pl.lit("unknown")))
        .sort("person_id")
        .with_row_index("person")
    )


def _with_deaths(people: pl.DataFrame, deaths: pl.DataFrame) -> pl.DataFrame:
    first = deaths.group_by("person").agg(own_table=pl.col("date").min())
    joined = people.join(first, on="person", how="left", maintain_order="left")
    return joined.with_columns(death_date=pl.coalesce("own_table", "death_date")).drop("own_table")


def _sort(draft: Draft, table: str, people: pl.DataFrame, checks: Checks) -> Sorted:
    """Facts joined to their persons and checked, rule by rule, in the order the rules are given."""
    who = {"person_missing": pl.col("person_id").is_null(), "person_unknown": pl.col("person").is_null()}
    known = people.select("person_id", "person", "born_from", "death_date")
    typed = _typed(draft, table)
    facts = typed.facts.join(known, on="person_id", how="left", maintain_order="left")
    facts = facts.with_columns(rule=_first_rule(who | checks)).drop("person_id", "born_from", "death_date")
    return _split(Draft(typed.delivered, facts))


def _first_rule(checks: Checks) -> pl.Expr:
    """The source's own finding, else the first check that is true."""
    return pl.coalesce(["rule", *(pl.when(test).then(pl.lit(name)) for name, test in checks.items())])


def _typed(draft: Draft, table: str) -> Draft:
    """The facts with all columns of their table, in one spelling; a column the source does not have is null."""
    spelled = {
        "atc": pl.col("atc").str.to_uppercase().str.replace_all(r"\s", ""),
        "scale": pl.col("scale").str.to_lowercase(),
        "code_system": pl.col("code_system").str.to_lowercase().str.replace("-", "", literal=True),
    }
    wanted = _FACTS[table]
    there = {name: spelled.get(name, pl.col(name)) for name in wanted if name in draft.facts.columns}
    columns = [there.get(name, pl.lit(None)).cast(kind).alias(name) for name, kind in wanted.items()]
    return Draft(draft.delivered, draft.facts.select("row", "person_id", *columns, pl.col("rule").cast(pl.String)))


def _split(draft: Draft) -> Sorted:
    """Accepted facts and refused rows; the first rule of a row's facts speaks for the row."""
    refused = draft.facts.select("row", "rule").drop_nulls("rule").unique("row", keep="first", maintain_order=True)
    taken = {name: f"{name}_delivered" for name in ("rule", "reason") if name in draft.delivered.columns}
    rows = draft.delivered.rename(taken)[refused["row"]]
    reason = refused["rule"].replace_strict(RULES, return_dtype=pl.String).alias("reason")
    accepted = draft.facts.join(refused.select("row"), on="row", how="anti", maintain_order="left")
    return Sorted(accepted, rows.with_columns(refused["rule"], reason), draft.delivered.height)


def merge(pieces: list[Sorted]) -> Sorted:
    """Pieces of one table as one."""
    return Sorted(
        pl.concat([piece.accepted for piece in pieces]),
        pl.concat([piece.refused for piece in pieces], how="diagonal_relaxed"),
        sum(piece.n_delivered for piece in pieces),
    )


def _tidy_coverage(facts: pl.DataFrame, study: Study, codes: CodeLists) -> pl.DataFrame:
    return _closed(facts.with_columns(pl.col("start_date").clip(FIRST_DAY, LAST_DAY)), study.period.end)


def _tidy_diagnoses(facts: pl.DataFrame, study: Study, codes: CodeLists) -> pl.DataFrame:
    position, setting = (pl.col(name).str.to_lowercase() for name in ("position", "setting"))
    return facts.with_columns(
        pl.col("end_date").clip(upper_bound=study.period.end),
        position=pl.when((position == "main").fill_null(True)).then(pl.lit("main")).otherwise(pl.lit("other")),
        setting=pl.when(setting.is_in(SETTINGS)).then(setting).otherwise(pl.lit("unknown")),
    )


def _tidy_dispensings(facts: pl.DataFrame, study: Study, codes: CodeLists) -> pl.DataFrame:
    moved = dict(codes.atc_changes.select("old_atc", "new_atc").iter_rows())
    listed = facts.filter(pl.col("atc") != OTHER_DRUG).with_columns(pl.col("atc").replace(moved))
    return add_supply(listed, study.supply, codes.doses)


def _tidy_procedures(facts: pl.DataFrame, study: Study, codes: CodeLists) -> pl.DataFrame:
    treatments = codes.resolve_procedures(facts.select("code_system", "code"))
    return facts.join(treatments, on=["code_system", "code"], how="left", maintain_order="left")


def _tidy_scores(facts: pl.DataFrame, study: Study, codes: CodeLists) -> pl.DataFrame:
    return facts


def _tidy_admissions(facts: pl.DataFrame, study: Study, codes: CodeLists) -> pl.DataFrame:
    return _closed(facts, study.period.end)


_TIDY = {
    "coverage": _tidy_coverage,
    "diagnoses": _tidy_diagnoses,
    "dispensings": _tidy_dispensings,
    "procedures": _tidy_procedures,
    "scores": _tidy_scores,
    "admissions": _tidy_admissions,
}


def _closed(facts: pl.DataFrame, period_end: date) -> pl.DataFrame:
    """An interval without an end, or with a later one, goes on to the end of the period; it is one day at least."""
    end = pl.min_horizontal("end_date", pl.lit(period_end))
    return facts.with_columns(end_date=pl.max_horizontal("start_date", end))


def reconcile(sorted_out: dict[str, Sorted]) -> pl.DataFrame:
    """One row per table: delivered = accepted + quarantined."""
    rows = [_counted(table, sorted_out.get(table)) for table in TABLES]
    counts = ("n_delivered", "n_accepted", "n_quarantined")
    return pl.DataFrame(rows, schema={"table": pl.String, "is_present": pl.Boolean} | dict.fromkeys(counts, pl.Int64))


def _counted(table: str, done: Sorted | None) -> dict[str, object]:
    delivered, refused = (done.n_delivered, done.refused.height) if done else (0, 0)
    counts = {"n_delivered": delivered, "n_accepted": delivered - refused, "n_quarantined": refused}
    return {"table": table, "is_present": done is not None, **counts}


def count_rules(sorted_out: dict[str, Sorted]) -> pl.DataFrame:
    """One row per table and rule: how many delivered rows it refused."""
    counted = [
        done.refused.group_by("rule").agg(n=pl.len().cast(pl.Int64)).select(pl.lit(table).alias("table"), "rule", "n")
        for table, done in sorted_out.items()
    ]
    return pl.concat(counted).sort("table", "rule")
