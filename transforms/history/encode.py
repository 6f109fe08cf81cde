"""Canonical tables -> integers, once; everything after this computes with small integers in arrays.

Dates become day numbers (days since 1970-01-01), treatments become their position in the sorted
vocabulary of the delivery, so that ordering by number is ordering by name. The one place where codes
are looked up: each distinct code is resolved once, never row by row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import polars as pl

from impasse.schemas.codelists import CodeLists
from impasse.schemas.extracts import SUPPLY_BASES, Extract
from impasse.schemas.study import SUPPLY_KINDS
from impasse.transforms.history.vocabulary import Vocabulary
from impasse.transforms.kernels.days import Days, packed
from impasse.transforms.kernels.segments import NEVER, Segments, distinct, in_order, places

UNKNOWN = -1  # an amount that is not known; amounts are never negative
_NOT_DELIVERED = -1
_AMOUNTS = {
    "days": pl.Int32,
    "dose_ug": pl.Int64,
    "dose_mddd": pl.Int64,
    "supply_basis": pl.Categorical,
    "kind": pl.Categorical,
}


class Dispensed(NamedTuple):
    """One row per supply of a drug, sorted by person, day, treatment and amounts.

    `row` is its row of `delivered`, whose amounts are looked up when they are asked for, because few rows lie in an
    episode. A drug given as a procedure has none, and is a supply of unknown days and dose.
    """

    person: np.ndarray
    day: np.ndarray
    treatment: np.ndarray
    row: np.ndarray
    delivered: pl.DataFrame

    def amounts(self, rows: np.ndarray, *names: str) -> list[np.ndarray]:
        """Amounts of some of the supplies; see UNKNOWN."""
        found = self._of(rows, *names).with_columns(pl.all().fill_null(UNKNOWN))
        return [found[name].to_numpy() for name in names]

    def bases(self, rows: np.ndarray) -> np.ndarray:
        """How the days of some of the supplies were worked out, as a place in SUPPLY_BASES."""
        return _places(self._of(rows, "supply_basis")["supply_basis"].fill_null("unknown"), SUPPLY_BASES)

    def kinds(self, rows: np.ndarray) -> np.ndarray:
        """The kind of some of the supplies, as a place in SUPPLY_KINDS; a drug given as a procedure is administered."""
        return _places(self._of(rows, "kind")["kind"].fill_null("administered"), SUPPLY_KINDS)

    def _of(self, rows: np.ndarray, *names: str) -> pl.DataFrame:
        """Columns of some of the supplies, null of those that were not delivered as such."""
        row = self.row[rows]
        taken = pl.Series(row)
        if (row == _NOT_DELIVERED).any():
            taken = taken.set(taken == _NOT_DELIVERED, None)
        return self.delivered.select(pl.col(names).gather(taken))


class Done(NamedTuple):
    """One row per person, day and treatment of which there was a session, sorted by these."""

    person: np.ndarray
    day: np.ndarray
    treatment: np.ndarray


@dataclass(frozen=True)
class Diagnosed:
    """The diagnoses that are in some code list, sorted by person, day and spelling.

    `code` numbers the codes with their systems, `spelling` the codes alone. `lists` says for each list which codes
    are in it.
    """

    person: np.ndarray
    day: np.ndarray
    last_day: np.ndarray
    code: np.ndarray
    spelling: np.ndarray
    lists: dict[str, np.ndarray]
    _days: dict[str, Days] = field(default_factory=dict)

    def are_in(self, *names: str) -> np.ndarray:
        """Is each row's code in one of the lists?"""
        met = [self.lists[name] for name in names if name in self.lists]
        return np.logical_or.reduce(met)[self.code] if met else np.zeros(len(self.code), dtype=bool)

    def days_of(self, name: str) -> Days:
        """The different days on which each person was given a code of the list."""
        if name not in self._days:
            rows = np.flatnonzero(self.are_in(name))
            self._days[name] = Days(self.person[rows], self.day[rows]).distinct()
        return self._days[name]


@dataclass(frozen=True)
class ScoresOfScale:
    """The scores of one scale, by person and day: `values` in the order of `days`; whose they are."""

    days: Days
    values: np.ndarray
    has_some: np.ndarray


@dataclass(frozen=True)
class Coded:
    """The canonical tables as arrays of integers; `disorders` are the study's, in order.

    persons     as in the extract; a person's number is the row
    coverage    person, first and last day of each time of observation, sorted; None where the table is absent
    scores      by scale, at most one per person and day (the highest)
    scales      those of which the delivery has scores, though perhaps of none of these persons
    admissions  days of stays by `person_disorder`, the disorder being that of the main code; None where absent
    """

    persons: pl.DataFrame
    coverage: tuple[np.ndarray, np.ndarray, np.ndarray] | None
    diagnosed: Diagnosed
    dispensed: Dispensed
    done: Done
    scores: dict[str, ScoresOfScale]
    scales: frozenset[str]
    admissions: Days | None
    disorders: tuple[str, ...]
    vocabulary: Vocabulary
    observes: frozenset[str]

    def days_given(self, is_meant: np.ndarray) -> Days:
        """The different days on which each person was given or dispensed a treatment that is meant (a mask)."""
        keys = [packed(t.person[rows], t.day[rows]) for t, rows in self._rows_of(is_meant)]
        return Days.of_keys(distinct(np.concatenate(keys)))

    def _rows_of(self, is_meant: np.ndarray) -> list[tuple[Dispensed | Done, np.ndarray]]:
        return [(table, np.flatnonzero(is_meant[table.treatment])) for table in (self.dispensed, self.done)]


def person_disorder(person: np.ndarray, disorder: np.ndarray | int, n_disorders: int) -> np.ndarray:
    """Person and disorder as one number."""
    return person.astype(np.int64) * n_disorders + disorder


def decode(places: np.ndarray, names: Sequence[str]) -> pl.Series:
    """The name at each place, in a column that says each name once."""
    return pl.Series(names, dtype=pl.Categorical).gather(pl.Series(places).cast(pl.UInt32))


def spelled(flags: dict[str, np.ndarray], n_rows: int) -> tuple[np.ndarray, tuple[str, ...]]:
    """The names whose flag is set, as words: the place of each row's words, and these.

    Words are names with a blank between, in the order of `flags`; those without a name are the first.
    """
    sets = np.zeros(n_rows, dtype=np.int64)
    for n, is_set in enumerate(flags.values()):
        sets |= is_set.astype(np.int64) << n
    met, place = places(np.append(sets, 0))
    words = tuple(" ".join(name for n, name in enumerate(flags) if one >> n & 1) for one in met.tolist())
    return place[:-1], words


def dated(days: np.ndarray) -> pl.Series:
    """Day numbers as dates; NEVER is null."""
    day = pl.Series(days.astype(np.int32, copy=False))
    return pl.select(pl.when(day != NEVER).then(day).cast(pl.Date)).to_series()


def encode(extract: Extract, codes: CodeLists, disorders: tuple[str, ...]) -> Coded:
    """Code one extract. Rows whose drug or procedure is no treatment of the vocabulary are left out."""
    drugs, procedures = _named(extract.dispensings, "atc"), _named(extract.procedures, "treatment")
    vocabulary, numbers = _vocabulary(drugs, procedures, codes)
    dispensed, done = _by_kind(_dispensings(drugs, numbers), _procedures(procedures, numbers), vocabulary)
    named = tuple(sorted(disorders))
    return Coded(
        persons=extract.persons,
        coverage=_coverage(extract.coverage),
        diagnosed=_diagnosed(extract.diagnoses, codes),
        dispensed=dispensed,
        done=done,
        scores=_scores(extract.scores, len(extract.persons)),
        scales=extract.delivered_scales(),
        admissions=_admissions(extract.admissions, codes, named),
        disorders=named,
        vocabulary=vocabulary,
        observes=_shown(extract.observes),
    )


def _shown(observes: frozenset[str]) -> frozenset[str]:
    """Where psychotherapy is seen, so is CBT, though it may not be told apart."""
    return observes | {"cbt"} if "psychotherapy" in observes else observes


def _arrays(table: pl.DataFrame, *columns: str) -> list[np.ndarray]:
    """Columns without blanks as arrays, dates as day numbers."""
    return [table[column].to_physical().to_numpy() for column in columns]


def numbered(column: pl.Series) -> tuple[pl.Series, np.ndarray]:
    """The different words of a column of words without blanks, sorted, and each row's place among them."""
    word = column.to_physical().to_numpy().astype(np.intp)
    met, place = _met(word, int(word.max(initial=-1)) + 1)
    names = pl.Series(met, dtype=pl.UInt32).cat.to(column.dtype).cast(pl.String)
    order = names.arg_sort().to_numpy()
    place[met[order]] = np.arange(len(order))
    return names.gather(order), place[word]


def _places(column: pl.Series, words: Sequence[str]) -> np.ndarray:
    """The place among some words of each row's word."""
    names, place = numbered(column)
    return np.array([words.index(name) for name in names], dtype=np.uint8)[place]


class _Named(NamedTuple):
    """The rows of a table that name a treatment, the different names, and which of them each row has."""

    rows: pl.DataFrame
    names: pl.Series
    place: np.ndarray


def _named(table: pl.DataFrame | None, column: str) -> _Named | None:
    if table is None:
        return None
    rows = table.filter(pl.col(column).is_not_null()) if table[column].has_nulls() else table
    return _Named(rows, *numbered(rows[column]))


def _vocabulary(drugs: _Named | None, procedures: _Named | None, codes: CodeLists) -> tuple[Vocabulary, dict[str, int]]:
    """The vocabulary and, for each delivered name, its treatment number; a procedure may be named by an ATC code."""
    atc, names = (pl.Series(dtype=pl.String) if part is None else part.names for part in (drugs, procedures))
    by_name = codes.resolve_treatment(names).with_columns(pl.col("treatment").alias("delivered"))
    by_code = codes.resolve_atc(pl.concat([atc, names])).rename({"atc": "delivered"})
    found = pl.concat([by_code, by_name], how="diagonal")
    treatments = found.drop("delivered").unique("treatment").sort("treatment")
    place = {name: number for number, name in enumerate(treatments["treatment"])}
    numbers = {delivered: place[name] for delivered, name in found.select("delivered", "treatment").iter_rows()}
    return Vocabulary(treatments), numbers


def _treatments(named: _Named, numbers: dict[str, int]) -> tuple[np.ndarray, np.ndarray]:
    """The rows whose name is a treatment of the vocabulary, and their treatment numbers."""
    number = np.array([numbers.get(name, -1) for name in named.names], dtype=np.int16)[named.place]
    rows = np.flatnonzero(number >= 0)
    return rows, number[rows].astype(np.uint16)


def _by_kind(supplies: Dispensed, sessions: Done, vocabulary: Vocabulary) -> tuple[Dispensed, Done]:
    """Supplies of drugs, and sessions. A drug recorded as a procedure is a supply of unknown days and dose."""
    is_drug = (vocabulary.column("modality") == "drug").to_numpy()[sessions.treatment]
    if not is_drug.any():
        return supplies, sessions
    given = [column[is_drug] for column in sessions]
    row = np.full(len(given[0]), _NOT_DELIVERED)
    # Those given come first: of rows of one day the unknown ones do.
    both = [np.concatenate(pair) for pair in zip([*given, row], supplies[:-1], strict=True)]
    order = in_order(packed(both[0], both[1]) * len(vocabulary.treatments) + both[2])
    given_or_delivered = Dispensed._make([*(column[order] for column in both), supplies.delivered])
    return given_or_delivered, Done(*(column[~is_drug] for column in sessions))


def _dispensings(named: _Named | None, numbers: dict[str, int]) -> Dispensed:
    if named is None:
        kinds = (np.uint32, np.int32, np.uint16, np.int64)
        return Dispensed._make([*(np.zeros(0, dtype=kind) for kind in kinds), pl.DataFrame(schema=_AMOUNTS)])
    rows, treatment = _treatments(named, numbers)
    person, day = (column[rows] for column in _arrays(named.rows, "person", "date"))
    return Dispensed(person, day, treatment, rows, named.rows)


def _procedures(named: _Named | None, numbers: dict[str, int]) -> Done:
    if named is None:
        return Done(*(np.zeros(0, dtype=kind) for kind in (np.uint32, np.int32, np.uint16)))
    rows, treatment = _treatments(named, numbers)
    person, day = (column[rows] for column in _arrays(named.rows, "person", "date"))
    order = in_order(packed(person, day) * (len(numbers) + 1) + treatment)
    first = order[Segments(person[order], day[order], treatment[order]).first] if len(order) else order
    return Done(person[first], day[first], treatment[first])


def _coverage(table: pl.DataFrame | None) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
    """Times of observation, sorted by person, first and last day."""
    if table is None:
        return None
    person, first, last = _arrays(table.sort("person", "start_date", "end_date"), "person", "start_date", "end_date")
    return person, first.copy(), last.copy()  # for compiled loops, which take arrays of Polars for another type


def _scores(table: pl.DataFrame | None, n_persons: int) -> dict[str, ScoresOfScale]:
    if table is None:
        return {}
    scales, scale = numbered(table["scale"])
    person, day, value = _arrays(table, "person", "date", "value")
    return {name: _scores_of(person, day, value, scale == place, n_persons) for place, name in enumerate(scales)}


def _scores_of(
    person: np.ndarray, day: np.ndarray, value: np.ndarray, mine: np.ndarray, n_persons: int
) -> ScoresOfScale:
    person, day, value = person[mine], day[mine], value[mine]
    order = in_order(packed(person, day))
    days = Segments(person[order], day[order])
    first = order[days.first]
    has_some = np.zeros(n_persons, dtype=bool)
    has_some[person] = True
    return ScoresOfScale(Days(person[first], day[first]), days.max(value[order]), has_some)


def _diagnosed(table: pl.DataFrame | None, codes: CodeLists) -> Diagnosed:
    """Every diagnosis that is in a code list."""
    if table is None:
        nothing = np.zeros(0, dtype=np.int32)
        return Diagnosed(nothing.astype(np.uint32), nothing, nothing, nothing, nothing, {})
    spellings, spelling = numbered(table["code"])
    systems, system = numbered(table["code_system"])
    pair = spelling * len(systems) + system
    pairs, place = _met(pair, len(spellings) * len(systems))
    code = place[pair]
    named = pl.DataFrame(
        {"code_system": systems.gather(pairs % len(systems)), "code": spellings.gather(pairs // len(systems))}
    )
    lists = _lists(named, codes)
    is_listed = np.logical_or.reduce([np.zeros(len(pairs), dtype=bool), *lists.values()])
    rows = np.flatnonzero(is_listed[code])
    person, day = (column[rows] for column in _arrays(table, "person", "date"))
    last = table["end_date"].to_physical().fill_null(-NEVER).to_numpy()[rows]
    order = in_order(packed(person, day) * (len(spellings) + 1) + spelling[rows])
    columns = (person, day, np.maximum(day, last), code[rows], spelling[rows])
    return Diagnosed(*(column[order] for column in columns), lists)  # type: ignore[call-arg]  # as many as it has


def _met(numbers: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray]:
    """The different ones of some numbers below n, in order, and of each such number the place among them."""
    is_met = np.zeros(n, dtype=bool)
    is_met[numbers] = True
    met, place = np.flatnonzero(is_met), np.empty(n, dtype=np.int64)
    place[met] = np.arange(len(met))
    return met, place


def _lists(named: pl.DataFrame, codes: CodeLists) -> dict[str, np.ndarray]:
    """For each list that has one of the codes: is each code in it?"""
    place = {pair: n for n, pair in enumerate(named.select("code_system", "code").iter_rows())}
    lists: dict[str, np.ndarray] = {}
    for system, code, name in codes.codes_in_list(named).select("code_system", "code", "list").iter_rows():
        lists.setdefault(name, np.zeros(len(place), dtype=bool))[place[system, code]] = True
    return lists


def _admissions(table: pl.DataFrame | None, codes: CodeLists, disorders: tuple[str, ...]) -> Days | None:
    """Hospital stays whose main code, which comes without a system, is one of a disorder's diagnoses in any system."""
    if table is None:
        return None
    coded = table.filter(pl.col("main_code").is_not_null())
    names, place = numbered(coded["main_code"])
    person, day = _arrays(coded, "person", "start_date")
    systems = codes.diagnoses.select("code_system").unique()
    members = codes.codes_in_list(names.alias("code").to_frame().join(systems, how="cross"))
    keys = [np.zeros(0, dtype=np.int64)]
    for number, disorder in enumerate(disorders):
        is_meant = names.is_in(
            members.filter(pl.col("list") == codes.diagnoses_of[disorder])["code"].implode()
        ).to_numpy()
        rows = np.flatnonzero(is_meant[place])
        keys.append(packed(person_disorder(person[rows], number, len(disorders)), day[rows]))
    return Days.of_keys(distinct(np.concatenate(keys)))
