"""What should be known of a delivery before its numbers are read: counts of its rows in, sentences out.

Counts under the study's disclosure threshold are not told.
"""

from __future__ import annotations

from typing import Any

from reports.limits import harmless_rows_sentences, reversal_sentences, unused_rows_sentences
from reports.numbers import guarded_count, guarded_part
from schemas.study import SUPPLY_KINDS, Study

_WITHOUT = {
    "concept": "the ICD and procedure codes of source concepts are unknown",
    "concept_ancestor": "only the listed concepts themselves are found, not those below them",
    "drug_strength": "the dose a day is unknown",
}
_DRUGS_WITHOUT = {
    "concept": "drugs are not found by their names",
    "concept_ancestor": "drugs are not found by the ingredients above them",
    "drug_strength": "drugs are not found by the ingredients that it lists",
}
_OTHER = {"inclusive": "exclusive", "exclusive": "inclusive"}
_ONE_DAY = {"inclusive": "one day too long", "exclusive": "one day too short"}


def note_sentences(noted: dict[str, Any], study: Study) -> list[str]:
    """The sentences on rows not read, taken back or without effect, on kinds of supply, and on an OMOP CDM."""
    threshold, omop = study.disclosure.threshold, noted["omop_notes"]
    notes = [
        *unused_rows_sentences(noted["unused"]),
        *reversal_sentences(noted["reversals"], threshold),
        *harmless_rows_sentences(noted["n_coverage_of_others"], threshold),
        *supply_kind_sentences(noted["kinds"], threshold),
    ]
    if omop is None:
        return notes
    notes += missing_vocabulary_sentences(omop["missing_vocabulary"], omop["has_drugs"])
    return notes + exposure_end_sentences(omop["exposure_ends"], study.source.exposure_end, threshold)


def supply_kind_sentences(kinds: list[dict[str, Any]], threshold: int) -> list[str]:
    """One sentence on how many dispensings are of each kind of supply, or none."""
    counts = {row["kind"]: row["n"] for row in kinds}
    whole = sum(counts.values())
    if not whole:
        return []
    met = [f"{guarded_part(counts[kind], whole, threshold)} {kind}" for kind in SUPPLY_KINDS if kind in counts]
    return [f"Kinds of supply, of {guarded_count(whole, threshold)} dispensings: {', '.join(met)}."]


def missing_vocabulary_sentences(tables: list[str] | tuple[str, ...], has_drugs: bool) -> list[str]:
    """One sentence per vocabulary table that an OMOP CDM lacks, on what is lost by it; then on the drugs, if any."""
    lost = {table: [_WITHOUT[table], *([_DRUGS_WITHOUT[table]] if has_drugs else [])] for table in tables}
    told = [f"The vocabulary table {table} is not delivered: {', and '.join(what)}." for table, what in lost.items()]
    refused = "A drug of which no delivered table tells the ingredient is refused (no_atc_mapping)."
    return [*told, refused] if lost and has_drugs else told


def exposure_end_sentences(ends: dict[str, int], stated: str, threshold: int) -> list[str]:
    """What the delivery's own columns say of its end dates beside what the study states; none if they say nothing."""
    whole, counts = ends["n_both"], {"inclusive": ends["n_inclusive"], "exclusive": ends["n_exclusive"]}
    if not whole:
        return []
    last, after = (guarded_part(counts[how], whole, threshold) for how in ("inclusive", "exclusive"))
    told = (
        f"Of {guarded_count(whole, threshold)} drug exposures with days of supply and an end date, {last} end on the "
        f'last day of the supply and {after} on the day after it; source.exposure_end is "{stated}".'
    )
    if counts[_OTHER[stated]] <= counts[stated]:
        return [told]
    return [
        f'{told} The delivery disagrees: if its end dates are "{_OTHER[stated]}", exposures without days of supply '
        f"are counted {_ONE_DAY[stated]}."
    ]
