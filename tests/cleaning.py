"""A small delivery cleaned in memory, by the functions that a run calls piece by piece: for tests that draw one."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from impasse.schemas.codelists import CodeLists
from impasse.schemas.concepts import OmopLists
from impasse.schemas.delivered import Delivered
from impasse.schemas.extracts import MODELS, Extract
from impasse.schemas.found import Found
from impasse.schemas.mapping import Mapping
from impasse.schemas.study import Study
from impasse.transforms.ingest.clean import EVENT_TABLES, SourceReader, clean_persons, clean_pieces
from impasse.transforms.ingest.midnights import midnights
from impasse.transforms.ingest.omop.cdm import OmopNotes
from impasse.transforms.ingest.ordering import number_words, order_words, put_in_order
from impasse.transforms.ingest.refills.settle import lengths_of_drugs, settled_supplies
from impasse.transforms.ingest.reversals import Reversals, take_back
from impasse.transforms.ingest.tallies import (
    Lying,
    count_by_rule,
    count_noted,
    count_rules,
    present,
    reconcile,
    tally,
)
from impasse.transforms.ingest.unlike_frames import together


@dataclass(frozen=True)
class Cleaned:
    """The canonical tables, the refused rows by table, and how many rows went where and why.

    `unused` (file, n) counts rows that no part of the layout chooses, `reversals` dispensings that were taken back;
    `n_of_other_kinds` dispensings of a kind that the study does not read; `midnights` are
    columns of times that seem to be midnights of another zone; `found` lists the files of the delivery,
    `omop_notes` say more of an OMOP CDM.
    """

    extract: Extract
    quarantine: dict[str, pl.DataFrame]
    reconciliation: pl.DataFrame
    rules: pl.DataFrame
    unused: pl.DataFrame
    reversals: Reversals
    n_of_other_kinds: int
    midnights: list[dict[str, object]]
    omop_notes: OmopNotes | None
    found: tuple[Found, ...] = ()


def clean(delivered: Delivered, mapping: Mapping | OmopLists, study: Study, codes: CodeLists) -> Cleaned:
    """Canonical tables and quarantine of a delivery that fits in memory, and how many rows went where and why."""
    source = SourceReader(mapping, study, codes)
    people, refused, tallies = clean_persons(delivered, source)
    tables: dict[str, pl.DataFrame] = {}
    reversals = Reversals()
    for table in EVENT_TABLES:
        pieces = list(clean_pieces(table, delivered, source, people))
        tallies[table] = tally(pieces)
        if not tallies[table].n_delivered:
            continue
        rows, known = number_words(pieces, None)
        words = order_words(known)
        rows, settled = take_back(rows, words.supplies, words.places)
        tables[table], reversals = put_in_order(table, rows, words), reversals + settled
        if table == "dispensings":
            lengths = lengths_of_drugs([rows], words, study.supply)
            tables[table] = settled_supplies(tables[table], study.supply, lengths)
        refused[table] = [piece.refused for piece in pieces]
    named = dict.fromkeys(MODELS) | tables | {"persons": people.persons()}
    quarantine = {
        name: together([rows.lazy() for rows in frames]).collect() for name, frames in refused.items() if frames
    }
    lying = {
        table: Lying(
            source.n_in_files(table, delivered),
            done.n_due if table == "deaths" else len(named[table]) if named[table] is not None else 0,
            count_by_rule(
                quarantine[table].lazy() if table in quarantine else pl.LazyFrame(schema={"rule": pl.String})
            ),
            reversals.n_taken_back if table == "dispensings" else 0,
        )
        for table, done in tallies.items()
    }
    there = present(tallies)
    return Cleaned(
        extract=Extract(**named, observes=source.observes(tables)),
        quarantine={name: rows for name, rows in quarantine.items() if rows.height},
        reconciliation=reconcile(tallies, lying),
        rules=count_rules(lying),
        unused=source.unused(delivered),
        reversals=reversals,
        found=delivered.found,
        n_of_other_kinds=count_noted(there)["n_of_other_kinds"],
        midnights=midnights(count_noted(there)),
        omop_notes=source.omop_notes(delivered, there),
    )
