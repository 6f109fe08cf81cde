"""Canonical tables -> integers, once; everything after this computes with small integers.

Dates become day numbers (days since 1970-01-01), treatments become their position in the sorted
vocabulary of the delivery, so that ordering by number is ordering by name. The one place where codes
are looked up: each distinct code is resolved once, never row by row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl

from schemas.codelists import CodeLists
from schemas.extracts import Extract
from transforms.bounds import Bounds, any_of
from transforms.segments import NEVER


@dataclass(frozen=True)
class Vocabulary:
    """The treatments met in a delivery: one row each, sorted by name, `treatment` being the position."""

    treatments: pl.DataFrame

    @cached_property
    def _members(self) -> dict[str, Bounds]:
        """For each group of the vocabulary: is each treatment in it?"""
        sure, maybe = (self.treatments[column].to_list() for column in ("groups", "maybe_groups"))
        named = {group for groups in (*sure, *maybe) for group in groups}
        in_groups = {group: np.array([group in groups for groups in sure], dtype=bool) for group in named}
        return {
            group: Bounds(is_in, is_in | np.array([group in groups for groups in maybe], dtype=bool))
            for group, is_in in in_groups.items()
        }

    def membership(self, groups: tuple[str, ...]) -> Bounds:
        """For each treatment: is it in one of the groups?"""
        nowhere = Bounds.known(np.zeros(len(self.treatments), dtype=bool))
        return any_of([nowhere, *(self._members[group] for group in groups if group in self._members)])

    def column(self, name: str) -> pl.Series:
        """A column of the vocabulary, to be looked up by treatment number."""
        return self.treatments[name]


@dataclass(frozen=True)
class Coded:
    """The canonical tables as integers. Absent tables are None; `observes` as in the extract.

    Dispensings and procedures are sorted by person, day, treatment and what follows.

    contacts      person, disorder, day, code, last_day, is_remission: diagnoses of the study's disorders
    listed        person, day, code, list: every diagnosis that is in some code list
    dispensings   person, day, treatment, days, dose_ug, dose_mddd, supply_basis; also a drug given as a procedure
    procedures    person, day, treatment: sessions
    scores        person, day, scale, value: at most one row per person, scale and day (the highest)
    admissions    person, day, disorder: by the disorder of the main code
    """

    persons: pl.DataFrame
    coverage: pl.DataFrame | None
    contacts: pl.DataFrame
    listed: pl.DataFrame
    dispensings: pl.DataFrame | None
    procedures: pl.DataFrame | None
    scores: pl.DataFrame | None
    admissions: pl.DataFrame | None
    vocabulary: Vocabulary
    observes: frozenset[str]


def lookup(values: pl.Series, number: str = "treatment") -> pl.Expr:
    """The value of a vocabulary column for each row's treatment number."""
    return pl.lit(values).gather(pl.col(number))


def decode(places: np.ndarray, names: Sequence[str]) -> pl.Series:
    """The name at each place, in a column that says each name once."""
    return pl.Series(names, dtype=pl.Categorical).gather(pl.Series(places).cast(pl.UInt32))


def dated(days: np.ndarray) -> pl.Series:
    """Day numbers as dates; NEVER is null."""
    comes = pl.Series(days != NEVER)
    known = pl.Series(np.where(days == NEVER, 0, days)).cast(pl.Int32).cast(pl.Date)
    return pl.select(pl.when(comes).then(known)).to_series()


def encode(extract: Extract, codes: CodeLists, disorders: tuple[str, ...]) -> Coded:
    """Code one extract. Rows whose drug or procedure is no treatment of the vocabulary are left out."""
    vocabulary, numbers = _vocabulary(extract, codes)
    dispensings, procedures = _by_kind(extract, vocabulary, numbers)
    rows = codes.disorders.filter(pl.col("disorder").is_in(disorders))
    listed = _listed(extract.diagnoses, codes)
    return Coded(
        persons=extract.persons.with_columns(
            birth=pl.col("birth_date").to_physical(), death=pl.col("death_date").to_physical()
        ),
        coverage=None if extract.coverage is None else _days(extract.coverage, start="start_date", end="end_date"),
        contacts=_contacts(listed, rows),
        listed=listed.select("person", "day", "code", "list"),
        dispensings=dispensings,
        procedures=procedures,
        scores=_scores(extract.scores),
        admissions=_admissions(extract.admissions, codes, rows),
        vocabulary=vocabulary,
        observes=_shown(extract.observes),
    )


def _shown(observes: frozenset[str]) -> frozenset[str]:
    """Where psychotherapy is seen, so is CBT, though it may not be told apart."""
    return observes | {"cbt"} if "psychotherapy" in observes else observes


def _days(table: pl.DataFrame, **columns: str) -> pl.DataFrame:
    days = [pl.col(old).to_physical().alias(new) for new, old in columns.items()]
    return table.select("person", *days)


def _vocabulary(extract: Extract, codes: CodeLists) -> tuple[Vocabulary, pl.DataFrame]:
    """The vocabulary and, for each delivered name, its treatment number."""
    empty = pl.Series(dtype=pl.String)
    atc = empty if extract.dispensings is None else extract.dispensings["atc"].unique()
    named = empty if extract.procedures is None else extract.procedures["treatment"].drop_nulls().unique()
    found = pl.concat(
        [
            codes.resolve_atc(atc).rename({"atc": "delivered"}),
            codes.resolve_treatment(named).with_columns(pl.col("treatment").alias("delivered")),
        ],
        how="diagonal",
    )
    treatments = found.drop("delivered").unique("treatment").sort("treatment").with_row_index("number")
    numbers = found.join(treatments.select("treatment", "number"), on="treatment").select(
        "delivered", treatment=pl.col("number").cast(pl.UInt16)
    )
    return Vocabulary(treatments.drop("number")), numbers


def _by_kind(
    extract: Extract, vocabulary: Vocabulary, numbers: pl.DataFrame
) -> tuple[pl.DataFrame | None, pl.DataFrame | None]:
    """Supplies of drugs, and sessions. A drug recorded as a procedure is a supply of unknown days and dose."""
    supplies, sessions = _dispensings(extract.dispensings, numbers), _procedures(extract.procedures, numbers)
    if sessions is None:
        return supplies, None
    is_drug = lookup(vocabulary.column("modality") == "drug")
    given = sessions.filter(is_drug).with_columns(supply_basis=pl.lit("unknown"))
    if given.is_empty():
        return supplies, sessions
    both = pl.concat([no_supplies() if supplies is None else supplies, given], how="diagonal")
    return both.sort(pl.all()), sessions.filter(~is_drug)


def no_supplies() -> pl.DataFrame:
    """Supplies of drugs, none of them."""
    ids = {"person": pl.UInt32, "day": pl.Int32, "treatment": pl.UInt16}
    amounts = {"days": pl.Int32, "dose_ug": pl.Int64, "dose_mddd": pl.Int64, "supply_basis": pl.String}
    return pl.DataFrame(schema={**ids, **amounts})


def _dispensings(table: pl.DataFrame | None, numbers: pl.DataFrame) -> pl.DataFrame | None:
    if table is None:
        return None
    coded = table.join(numbers, left_on="atc", right_on="delivered", maintain_order="left")
    return coded.select(
        "person", pl.col("date").to_physical().alias("day"), "treatment", "days", "dose_ug", "dose_mddd", "supply_basis"
    )


def _procedures(table: pl.DataFrame | None, numbers: pl.DataFrame) -> pl.DataFrame | None:
    if table is None:
        return None
    coded = table.select("person", "date", delivered="treatment").join(numbers, on="delivered")
    return coded.select("person", pl.col("date").to_physical().alias("day"), "treatment").unique().sort(pl.all())


def _scores(table: pl.DataFrame | None) -> pl.DataFrame | None:
    if table is None:
        return None
    days = table.select("person", pl.col("date").to_physical().alias("day"), "scale", "value")
    return days.group_by("person", "scale", "day").agg(pl.col("value").max()).sort("day", "person", "scale")


def _listed(diagnoses: pl.DataFrame | None, codes: CodeLists) -> pl.DataFrame:
    """Every diagnosis with each code list it is in."""
    if diagnoses is None:
        days = dict.fromkeys(("day", "last_day"), pl.Int32)
        return pl.DataFrame(schema={"person": pl.UInt32, **days, "code": pl.String, "list": pl.String})
    members = codes.codes_in_list(diagnoses.select("code_system", "code").unique())
    day, last = pl.col("date").to_physical(), pl.col("end_date").to_physical()
    rows = diagnoses.join(members, on=["code_system", "code"]).select(
        "person", day.alias("day"), pl.max_horizontal(day, last).alias("last_day"), "code", "list"
    )
    return rows.unique().sort(pl.all())


def _contacts(listed: pl.DataFrame, disorders: pl.DataFrame) -> pl.DataFrame:
    """Diagnoses of each disorder; a code that is also in its remission list is a remission contact."""
    kinds = pl.concat(
        [
            disorders.select("disorder", list="diagnoses", is_remission=pl.lit(False)),
            disorders.filter(pl.col("remission") != "").select("disorder", list="remission", is_remission=pl.lit(True)),
        ]
    )
    contacts = listed.join(kinds, on="list")
    merged = contacts.group_by("person", "disorder", "day", "code").agg(
        pl.col("last_day").max(), pl.col("is_remission").any()
    )
    return merged.sort("person", "disorder", "day", "code")


def _admissions(table: pl.DataFrame | None, codes: CodeLists, disorders: pl.DataFrame) -> pl.DataFrame | None:
    """Hospital stays whose main code, which comes without a system, is one of a disorder's diagnoses in any system."""
    if table is None:
        return None
    unique = table.select(code="main_code").drop_nulls().unique()
    systems = codes.diagnoses.select("code_system").unique()
    members = codes.codes_in_list(unique.join(systems, how="cross").select("code_system", "code"))
    wanted = members.join(disorders.select("disorder", list="diagnoses"), on="list").select("code", "disorder").unique()
    rows = table.join(wanted, left_on="main_code", right_on="code")
    return rows.select("person", pl.col("start_date").to_physical().alias("day"), "disorder").unique().sort("day")
