"""What should be known of a delivery before its numbers are read: its counts and its layout in, sentences out.

These are counts of delivered rows, which the tables of the same pages add up to: each is told as it is.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from impasse.reports.words.limits import harmless_rows_sentences, reversal_sentences, unused_rows_sentences
from impasse.reports.words.numbers import listed, part_of, plural
from impasse.schemas.mapping import NUMBERS, OMOP_DATES, Column, Mapping
from impasse.schemas.plain import plain
from impasse.schemas.study import RHYTHM, SUPPLY_KINDS, WAITING_TIME, SourceSection, Study, SupplySection

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
_OMOP_DATES = f"{' or '.join(OMOP_DATES)}, whatever time stands after it"
_OMOP_AMOUNTS = "quantity and days_supply"
_MARKS = {
    ",": "with a decimal comma: 28,000 is 28, and 1.000, which may be a thousand, is not read",
    ".": "with a decimal point: 28.000 is 28, and 1,000, which may be a thousand, is not read",
    None: "with a point or a comma: 28.5 and 28,5 are read, and 1,000, which may be a thousand, is not",
}
_REMEDY = "If that is not how they are written, state source.decimal, or the decimal of the file in source.files."
_BY_RHYTHM = (
    "Days of supply by personal_refill_rhythm reach about as far as the person's next refill: the proportion of days "
    "covered by them is no measure of adherence, and their dose is what was bought a day."
)
_OTHER = {"inclusive": "exclusive", "exclusive": "inclusive"}
_ONE_DAY = {"inclusive": "one day too long", "exclusive": "one day too short"}


def note_sentences(noted: dict[str, Any], study: Study) -> list[str]:
    """The sentences on rows not read, taken back or without effect, on kinds of supply, and on an OMOP CDM."""
    omop = noted["omop_notes"]
    notes = [
        *unused_rows_sentences(noted["unused"]),
        *reversal_sentences(noted["reversals"]),
        *harmless_rows_sentences(noted["n_coverage_of_others"]),
        *midnight_sentences(noted["midnights"]),
        *supply_kind_sentences(noted["kinds"]),
        *mixed_kind_sentences(noted["kinds"]),
        *other_kind_sentences(noted["n_of_other_kinds"], study.supply.kinds),
        *refill_sentences(study.supply, noted["lengths"]),
    ]
    if omop is None:
        return notes
    notes += missing_vocabulary_sentences(omop["missing_vocabulary"], omop["has_drugs"])
    notes += exposure_end_sentences(omop["exposure_ends"], study.source.exposure_end)
    return notes + one_day_sentences(omop["exposure_ends"], study.source)


def midnight_sentences(columns: list[dict[str, Any]]) -> list[str]:
    """One sentence per column of times that seem to be midnights of another zone."""
    return [
        f"Most times of the column {plain(row['column'])} of {plain(row['file'])} are {' or '.join(row['times'])}: "
        "midnight of another zone, so that its days may be one early. Write them as dates, or as times of that zone."
        for row in columns
    ]


def supply_kind_sentences(kinds: list[dict[str, Any]]) -> list[str]:
    """One sentence on how many dispensings are of each kind of supply, or none."""
    counts = {row["kind"]: row["n"] for row in kinds}
    whole = sum(counts.values())
    if not whole:
        return []
    met = [f"{part_of(counts[kind], whole)} {kind}" for kind in SUPPLY_KINDS if kind in counts]
    return [f"Kinds of supply, of {whole:,} dispensings: {', '.join(met)}."]


def mixed_kind_sentences(kinds: list[dict[str, Any]]) -> list[str]:
    """One sentence on drugs that a person has in several kinds of supply, such as an order and its dispensing."""
    whole, beside = (sum(row[count] for row in kinds) for count in ("n", "n_beside"))
    if not beside:
        return []
    told = f"Of {whole:,} dispensings, {part_of(beside, whole)}"
    return [
        f"{told} are of a drug that the person also has in another kind of supply, and each counts. If an order and "
        "its dispensing or administration tell of one supply, name the kinds that are to be read in supply.kinds."
    ]


def other_kind_sentences(n: int, read: tuple[str, ...]) -> list[str]:
    """One sentence on accepted dispensings of kinds that the study does not read, or none."""
    kinds = ", ".join(read)
    told = f"Accepted dispensings that are not used, because supply.kinds reads {kinds} only"
    return [f"{told}: {n:,}."] if n else []


def refill_sentences(supply: SupplySection, lengths: Iterable[tuple[str, int]]) -> list[str]:
    """What it means that refills tell how long supplies last, and the lengths (atc, days) that waiting times give."""
    notes = [_BY_RHYTHM] if RHYTHM in supply.rules else []
    if WAITING_TIME in supply.rules:
        told = ", ".join(f"{plain(atc)} {plural(days, 'day')}" for atc, days in lengths) or "known of no drug"
        notes.append(
            f"How long a supply lasts where nothing else tells, until {supply.waiting_time_percentile}% of the refills "
            f"of its drug have come: {told}. Refills of a person after the same number of days count once. A drug that "
            f"fewer than {supply.waiting_time_min_persons} persons have twice has no such length."
        )
    return notes


def missing_vocabulary_sentences(tables: list[str] | tuple[str, ...], has_drugs: bool) -> list[str]:
    """One sentence per vocabulary table that an OMOP CDM lacks, on what is lost by it; then on the drugs, if any."""
    lost = {table: [_WITHOUT[table], *([_DRUGS_WITHOUT[table]] if has_drugs else [])] for table in tables}
    told = [
        f"No row of the vocabulary table {table} is delivered: {', and '.join(what)}." for table, what in lost.items()
    ]
    refused = "A drug of which no delivered table tells the ingredient is refused (no_atc_mapping)."
    return [*told, refused] if lost and has_drugs else told


def exposure_end_sentences(ends: dict[str, int], stated: str) -> list[str]:
    """What the delivery's own columns say of its end dates beside what the study states; none if they say nothing."""
    whole, counts = ends["n_both"], {"inclusive": ends["n_inclusive"], "exclusive": ends["n_exclusive"]}
    if not whole:
        return []
    last, after = (part_of(counts[how], whole) for how in ("inclusive", "exclusive"))
    told = (
        f"Of {whole:,} drug exposures with days of supply and an end date, {last} end on the "
        f'last day of the supply and {after} on the day after it; source.exposure_end is "{stated}".'
    )
    if counts[_OTHER[stated]] <= counts[stated]:
        return [told]
    return [
        f'{told} The delivery disagrees: if its end dates are "{_OTHER[stated]}", exposures without days of supply '
        f"are counted {_ONE_DAY[stated]}."
    ]


def one_day_sentences(ends: dict[str, int], source: SourceSection) -> list[str]:
    """What exposures are taken for that end on the day they start, where the end date is all that tells; or none."""
    if not ends["n_one_day"] or source.exposure_end == "exclusive":
        return []
    told = (
        f"Of {ends['n_by_end']:,} drug exposures with an end date and no days of supply, "
        f"{part_of(ends['n_one_day'], ends['n_by_end'])} end on the day they start and are not "
        "administered;"
    )
    if source.exposure_of_one_day == "unknown":
        return [f"{told} their length is taken as unknown."]
    return [
        f"{told} they count as one day. If the start date was filled in for a missing end date, state "
        'source.exposure_of_one_day = "unknown".'
    ]


def reading_sentences(rules: Iterable[dict[str, Any]], layout: object) -> list[str]:
    """One sentence per table of which dates, or numbers, could not be read, on their columns and how they are read.

    `layout` is what the study reads its delivery by: a mapping, or the lists of an OMOP CDM.
    """
    return [_TOLD[row["rule"]](row["table"], layout) for row in rules if row["rule"] in _TOLD]


def _dates(table: str, layout: object) -> str:
    read = [f"{_named(column)} as {_form(column)}" for name, column in _columns(layout, table) if name.endswith("date")]
    return f"Dates of {table} are read so: {'; '.join(dict.fromkeys(read)) or _OMOP_DATES}."


def _form(column: Column) -> str:
    return "a number of days" if column.days_after_start else " or ".join(column.formats)


def _numbers(table: str, layout: object) -> str:
    by_mark: dict[str | None, dict[str, None]] = {}
    for name, column in _columns(layout, table):
        if name in NUMBERS:
            by_mark.setdefault(column.decimal, {})[_named(column)] = None
    read = [f"{listed(list(columns))} {_MARKS[mark]}" for mark, columns in by_mark.items()]
    if not read:
        return f"Numbers of {table} are read so: {_OMOP_AMOUNTS} {_MARKS[None]}."
    return f"Numbers of {table} are read so: {'; '.join(read)}. {_REMEDY}"


def _columns(layout: object, table: str) -> list[tuple[str, Column]]:
    """The delivered columns of a table by what they feed; an OMOP CDM has its own."""
    parts = layout.parts(table) if isinstance(layout, Mapping) else ()
    return [pair for part in parts for pair in part.columns.items() if pair[1].column]


def _named(column: Column) -> str:
    return " or ".join(column.column)


_TOLD = {"date_unreadable": _dates, "supply_unreadable": _numbers, "score_unreadable": _numbers}
