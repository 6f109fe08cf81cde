"""A delivery, however large, into buckets of persons on disk.

Persons stay in memory, because every row of every other table is looked up among them. The other tables
are read one after another:

1. a piece of a file at a time is cleaned; what is refused waits for the quarantine;
2. what is accepted is dealt to the buckets, some million rows at a time, and set aside on disk;
3. when the table is read to its end, what was taken back is taken out of each bucket of it, and the bucket is put
   in order, checked and written.

So memory holds the persons, some million rows and one bucket of one table, never a whole table; and of each
table what is said in it, each thing once. What is checked of the delivery as a whole is counted bucket by
bucket and added up.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from impasse.flows.checks import quality
from impasse.flows.files.folders import remove
from impasse.flows.files.spill import BucketFiles, set_aside, write_quarantine
from impasse.flows.files.tables import count_rows, scan_parquet, write_parquet
from impasse.schemas.delivered import Delivered
from impasse.schemas.extracts import MODELS, scales_of
from impasse.schemas.study import SupplySection
from impasse.transforms.ingest.clean import EVENT_TABLES, SourceReader, clean_persons, clean_pieces
from impasse.transforms.ingest.midnights import midnights
from impasse.transforms.ingest.omop.cdm import OmopNotes
from impasse.transforms.ingest.ordering import OrderedWords, Piece, number_words, order_words, put_in_order
from impasse.transforms.ingest.refills.settle import NO_LENGTHS, lengths_of_drugs, settled_supplies
from impasse.transforms.ingest.reversals import Reversals, take_back
from impasse.transforms.ingest.supply import count_kinds
from impasse.transforms.ingest.tallies import (
    Lying,
    Tally,
    count_by_rule,
    count_noted,
    count_rules,
    present,
    reconcile,
    tally,
)
from impasse.transforms.ingest.unlike_frames import together
from impasse.transforms.partition.buckets import deal, persons_of, place_persons

BUCKETS = "buckets"  # the folder of them in a run's folder
# Rows kept in memory before they are dealt to the buckets, and refused rows before they are set aside.
_DEALT_AT_ONCE = 4_000_000
_REFUSED_AT_ONCE = 500_000
_NONE_REFUSED = pl.LazyFrame(schema={"rule": pl.String})


@dataclass(frozen=True)
class Taken:
    """What is known of a delivery in its buckets: rows by table, by rule and unused, and the facts that are checked.

    `reversals` counts dispensings that were taken back, `kinds` (kind, n, n_beside) those of each kind of supply,
    `n_of_other_kinds` those of kinds that the study does not read, `lengths` (atc, days) how long supplies last by
    waiting times, if the study asks for them; `midnights` are columns of times that
    seem to be midnights of another zone, `omop_notes` say more of an OMOP CDM.
    """

    reconciliation: pl.DataFrame
    rules: pl.DataFrame
    unused: pl.DataFrame
    reversals: Reversals
    kinds: pl.DataFrame
    n_of_other_kinds: int
    lengths: pl.DataFrame
    midnights: list[dict[str, object]]
    omop_notes: OmopNotes | None
    observes: frozenset[str]
    scales: frozenset[str]
    facts: pl.DataFrame


def take_in(work: Path, delivered: Delivered, source: SourceReader, n_buckets: int) -> Taken:
    """Clean a delivery piece by piece; write its buckets and its quarantine."""
    people, refused, tallies = clean_persons(delivered, source)
    for name, frames in refused.items():
        _write_refused(work, name, frames)
    places = place_persons(people.frame["person_id"], n_buckets)
    n_persons: list[int] = []
    facts: list[pl.DataFrame] = []
    reversals, lengths = Reversals(), NO_LENGTHS
    scales: frozenset[str] = frozenset()
    kinds: list[pl.DataFrame] = [count_kinds(None)]
    for bucket in range(n_buckets):
        persons = persons_of(people.persons(), places, bucket)
        n_persons.append(persons.height)
        facts.append(_write(work, source, bucket, "persons", persons, persons.height))
    for table in EVENT_TABLES:
        incoming = _TableIn(work, table, places, n_buckets, source.study.supply)
        for piece in clean_pieces(table, delivered, source, people):
            incoming.add(piece)
        tallies[table] = incoming.done()
        if tallies[table].n_delivered:
            for bucket, rows in enumerate(incoming.buckets()):
                facts.append(_write(work, source, bucket, table, rows, n_persons[bucket]))
                kinds += [count_kinds(rows)] if table == "dispensings" else []
                scales |= scales_of(rows) if table == "scores" else frozenset()
            reversals += incoming.reversals
            lengths = incoming.lengths if table == "dispensings" else lengths
    remove(work / "incoming")
    lying = {table: _lying(work, table, done, delivered, source, reversals) for table, done in tallies.items()}
    there = present(tallies)
    return Taken(
        reconciliation=reconcile(tallies, lying),
        rules=count_rules(lying),
        unused=source.unused(delivered),
        reversals=reversals,
        kinds=pl.concat(kinds).group_by("kind").agg(pl.col("n", "n_beside").sum()).sort("kind"),
        n_of_other_kinds=count_noted(there)["n_of_other_kinds"],
        lengths=lengths,
        midnights=midnights(count_noted(there)),
        omop_notes=source.omop_notes(delivered, there),
        observes=source.observes(there),
        scales=scales,
        facts=quality.sum_facts([*facts, quality.key_facts(there)]),
    )


def bucket_file(number: int, table: str) -> str:
    """The path of a table of one bucket of persons, in a run's folder."""
    return f"{BUCKETS}/{number:04d}/{table}.parquet"


def _write(
    work: Path, source: SourceReader, bucket: int, name: str, table: pl.DataFrame, n_persons: int
) -> pl.DataFrame:
    """Write one bucket of a table, checked against its model; returns the facts of it."""
    write_parquet(table, work / bucket_file(bucket, name), MODELS[name])
    return quality.measure_facts({name: table}, n_persons, source.study, source.codes)


def _lying(
    work: Path, table: str, done: Tally, delivered: Delivered, source: SourceReader, reversals: Reversals
) -> Lying:
    """How many rows of a table lie where. Deaths have no table of their own: they become the persons' death dates."""
    quarantine = _quarantine_file(work, table)
    return Lying(
        n_in_files=source.n_in_files(table, delivered),
        n_canonical=done.n_due if table == "deaths" else count_rows(work / BUCKETS, f"*/{table}.parquet"),
        by_rule=count_by_rule(scan_parquet(quarantine) if quarantine.exists() else _NONE_REFUSED),
        n_taken_back=reversals.n_taken_back if table == "dispensings" else 0,
    )


def _quarantine_file(work: Path, table: str) -> Path:
    return work / "restricted" / "quarantine" / f"{table}.parquet"


def _write_refused(work: Path, name: str, frames: list[pl.DataFrame]) -> None:
    quarantine = _Quarantine(work, name)
    for frame in frames:
        quarantine.add(frame)
    quarantine.write()


class _TableIn:
    """One table on its way into its buckets."""

    def __init__(self, work: Path, name: str, places: pl.DataFrame, n_buckets: int, supply: SupplySection) -> None:
        self._name, self._places, self._n_buckets, self._supply = name, places, n_buckets, supply
        self._files = BucketFiles(work / "incoming" / name)
        self._quarantine = _Quarantine(work, name)
        self._known: pl.DataFrame | None = None
        self._waiting: list[Piece] = []
        self._tally = Tally()
        self.reversals, self.lengths = Reversals(), NO_LENGTHS

    def add(self, piece: Piece) -> None:
        """Keep what is accepted and what is refused of a piece."""
        self._quarantine.add(piece.refused)
        self._tally += tally([piece])
        self._waiting.append(piece)
        if sum(waiting.rows.height for waiting in self._waiting) >= _DEALT_AT_ONCE:
            self._deal()

    def done(self) -> Tally:
        """The tally of the whole table; all of it is dealt, and what is refused is written."""
        self._deal()
        self._quarantine.write()
        return self._tally

    def buckets(self) -> Iterator[pl.DataFrame]:
        """The table, bucket by bucket; what was set aside is then removed."""
        words = order_words(self._known)
        if self._name != "dispensings":
            yield from (put_in_order(self._name, rows, words) for rows in map(self._files.read, range(self._n_buckets)))
        else:
            yield from self._supplies(words)
        self._files.remove()

    def _supplies(self, words: OrderedWords) -> Iterator[pl.DataFrame]:
        """The dispensings, bucket by bucket, without those taken back; where all tell lengths, all are read before."""
        numbers = range(self._n_buckets)
        self.lengths = lengths_of_drugs((self._left(bucket, words)[0] for bucket in numbers), words, self._supply)
        for bucket in numbers:
            rows, settled = self._left(bucket, words)
            self.reversals += settled
            yield settled_supplies(put_in_order(self._name, rows, words), self._supply, self.lengths)

    def _left(self, bucket: int, words: OrderedWords) -> tuple[pl.DataFrame, Reversals]:
        return take_back(self._files.read(bucket), words.supplies, words.places)

    def _deal(self) -> None:
        if self._waiting:
            rows, self._known = number_words(self._waiting, self._known)
            self._waiting = []
            self._files.add(deal(rows, self._places, self._n_buckets))


class _Quarantine:
    """The refused rows of one table, in the order in which they were delivered."""

    def __init__(self, work: Path, name: str) -> None:
        self._path = _quarantine_file(work, name)
        self._aside = work / "incoming" / "quarantine" / name
        self._parts: list[pl.DataFrame | Path] = []
        self._waiting: list[pl.DataFrame] = []

    def add(self, refused: pl.DataFrame) -> None:
        """Keep the refused rows of a piece."""
        if refused.height:
            self._waiting.append(refused)
        if sum(frame.height for frame in self._waiting) >= _REFUSED_AT_ONCE:
            self._set_aside()

    def write(self) -> None:
        """The file of the table, if any row of it was refused."""
        if self._parts or self._waiting:
            write_quarantine([*self._parts, *self._waiting], self._path)
        remove(self._aside)

    def _set_aside(self) -> None:
        whole = together([rows.lazy() for rows in self._waiting]).collect()
        self._parts.append(set_aside(whole, self._aside / f"{len(self._parts):05d}.arrow"))
        self._waiting = []
