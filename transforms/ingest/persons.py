"""The persons of a delivery: accepted once each, numbered, and found by the identifier that a row names.

1. A row without id is refused; rows of one person that contradict each other in nothing are one person: the first
   is kept, with what it leaves blank filled from the others, which are explained as duplicates. If two tell
   different things, all are refused; a blank, or an unknown sex, contradicts nothing.
2. Deaths delivered in a table of their own hold over a death date in the persons table; the earliest counts. One that
   tells only the year or month of a death is read as its last day: a date in the persons table within it stands.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import polars as pl

from impasse.transforms.ingest.drafts import Draft, once
from impasse.transforms.ingest.rules import Checks, as_delivered, first_broken

_FACTS = {"birth_date": pl.Date, "born_from": pl.Date, "sex": pl.String, "death_date": pl.Date}


@dataclass(frozen=True)
class People:
    """The accepted persons, sorted by person_id, `person` being the row number.

    `born_from` is the earliest day each can be born on; a birth known by year is in its middle.
    """

    frame: pl.DataFrame

    def persons(self) -> pl.DataFrame:
        """The canonical persons table."""
        return self.frame.select("person", "person_id", "birth_date", "sex", "death_date")

    def numbers(self, person_ids: pl.Series) -> pl.Series:
        """The number of the person of each id; null where the id is nobody's. Each id is looked for once."""
        different, number = once(person_ids.alias("person_id").to_frame(), ["person_id"])
        known, asked = self.frame["person_id"], different["person_id"]
        order = asked.arg_sort()  # ids in order are found fast, since each is near the one before
        place = known.search_sorted(asked.gather(order))
        found = known.gather(pl.select(pl.when(place < known.len()).then(place)).to_series())
        person = pl.select(pl.when(found == asked.gather(order)).then(place)).to_series().cast(pl.UInt32)
        return person.gather(order.arg_sort()).gather(number).alias("person")

    def with_deaths(self, deaths: pl.DataFrame) -> People:
        """The same persons, dead on the first day that a table of deaths names (person, date, date_from).

        `date_from` is the earliest day that a death known by year or month can have been on.
        """
        is_first = pl.col("date") == pl.col("date").min()
        first = deaths.group_by("person").agg(
            own_table=pl.col("date").min(), own_from=pl.col("date_from").filter(is_first).max()
        )
        joined = self.frame.join(first, on="person", how="left", maintain_order="left")
        is_closer = pl.col("death_date").is_between("own_from", "own_table")
        death_date = pl.when(is_closer).then("death_date").otherwise(pl.coalesce("own_table", "death_date"))
        return People(joined.with_columns(death_date=death_date).drop("own_table", "own_from"))


def accept_persons(found: list[Draft], period_end: date) -> tuple[People, list[pl.DataFrame], int]:
    """The persons over all the files that name them, the refused rows of each piece, and how many were delivered."""
    facts = _once_each(pl.concat([_typed(draft.facts) for draft in found]), period_end)
    ends = pl.Series([0] + [draft.facts.height for draft in found]).cum_sum().to_list()
    refused = [_refused(draft, facts[start:end]) for draft, start, end in zip(found, ends[:-1], ends[1:], strict=True)]
    people = People(_numbered(facts.filter(pl.col("rule").is_null())))
    return people, [rows for rows in refused if rows.height], sum(draft.delivered.height for draft in found)


def _typed(facts: pl.DataFrame) -> pl.DataFrame:
    """All columns of a person; one that the source does not have is null, and so is a sex that is neither."""
    columns = [pl.col(name) if name in facts.columns else pl.lit(None).alias(name) for name in _FACTS]
    typed = facts.select("row", "person_id", *columns, "rule").cast({**_FACTS, "rule": pl.String})  # type: ignore[dict-item]  # it does not take names alone
    sex = pl.col("sex").str.to_lowercase()
    return typed.with_columns(sex=pl.when(sex.is_in(["female", "male"])).then(sex))


def _once_each(facts: pl.DataFrame, period_end: date) -> pl.DataFrame:
    """The facts, blanks filled from other rows of the person, with the rule that each row breaks, if any."""
    facts = facts.with_columns(rule=first_broken(_single(period_end)))
    sound = pl.when(pl.col("rule").is_null()).then(pl.col("person_id"))
    together = _together(facts.filter(pl.col("rule").is_null()).filter(pl.col("person_id").is_duplicated()))
    conflicting = together.filter("is_conflicting")["person_id"].implode()
    checks = {
        "person_conflicting": sound.is_in(pl.lit(conflicting)),
        "person_duplicate": sound.is_not_null() & ~sound.is_first_distinct(),
    }
    told = facts.with_columns(rule=first_broken(checks))
    if together.is_empty():
        return told
    told = told.join(together, on="person_id", how="left", suffix="_together", maintain_order="left")
    filled = [pl.coalesce(name, f"{name}_together").alias(name) for name in _FACTS]
    return told.with_columns(filled).select(facts.columns)


def _together(told: pl.DataFrame) -> pl.DataFrame:
    """What all rows of each person tell, and whether they contradict each other."""
    values = pl.col(list(_FACTS)).drop_nulls()
    different = values.n_unique().name.suffix("_different")
    persons = told.group_by("person_id").agg(values.first(), different)
    n_different = pl.max_horizontal(pl.col("^.*_different$"))
    is_dead_unborn = (pl.col("death_date") < pl.col("born_from")).fill_null(False)
    return persons.select("person_id", *_FACTS, is_conflicting=(n_different > 1) | is_dead_unborn)


def _single(period_end: date) -> Checks:
    """What one row alone shows to be wrong."""
    return {
        "person_missing": pl.col("person_id").is_null(),
        "birth_implausible": (pl.col("born_from") < date(1850, 1, 1)) | (pl.col("born_from") > period_end),
        "death_before_birth": pl.col("death_date") < pl.col("born_from"),
    }


def _refused(draft: Draft, facts: pl.DataFrame) -> pl.DataFrame:
    broken = facts.select("row", "rule").drop_nulls("rule")
    return as_delivered(draft.delivered, broken["row"], broken["rule"])


def _numbered(persons: pl.DataFrame) -> pl.DataFrame:
    named = persons.drop("row", "rule").with_columns(pl.col("sex").fill_null("unknown").cast(pl.Categorical))
    return named.sort("person_id").with_row_index("person")
