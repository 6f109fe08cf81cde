"""What a delivery cannot show: absent tables, rows not read or taken back, unobserved treatments in, sentences out."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from impasse.reports.words.numbers import count, listed, plural
from impasse.reports.words.prose import words
from impasse.schemas.found import Found
from impasse.schemas.plain import plain
from impasse.schemas.study import OBSERVABLE

_WITHOUT = {
    "coverage": "persons are taken as observed throughout the study period, also before their first record",
    "diagnoses": "there are no illness episodes",
    "dispensings": "no drug trial can be built",
    "procedures": "no psychotherapy or neuromodulation can be built into a trial",
    "scores": "no trial can be judged by a symptom scale",
    "deaths": "a death is known only where the table persons tells it",
    "admissions": "an admission cannot count as a sign that a trial failed",
}


def limit_sentences(observes: frozenset[str], absent_tables: list[str] | tuple[str, ...]) -> list[str]:
    """What the register cannot see: treatments that it does not show, and what is lost with absent tables."""
    return unobserved_sentences(observes) + absent_table_sentences(absent_tables)


def absent_table_sentences(tables: list[str] | tuple[str, ...]) -> list[str]:
    """One sentence per table of which no row was delivered."""
    return [
        f"No row of the table {table} was delivered: {_WITHOUT.get(table, 'what depends on it is unknown')}."
        for table in sorted(tables)
    ]


def unjudged_sentences(disorders: Iterable[str], judged: Iterable[str]) -> list[str]:
    """One sentence on disorders of the study that no definition of the run speaks about, or none."""
    left = [words(name) for name in disorders if name not in set(judged)]
    if not left:
        return []
    return [
        f"No definition that is compared speaks about {listed(left, 'or')}: episodes of it stand in no table. "
        "`impasse definitions list` shows those that there are, and which are unverified and off."
    ]


def unread_sentences(found: Iterable[Found]) -> list[str]:
    """One sentence per file or table that nothing asks for though it looks as if something should."""
    aside = [entry for entry in found if entry.state == "not asked for" and entry.note]
    return [f"The file {plain(entry.name)} was not read, though {plain(entry.note)}." for entry in aside]


def unused_rows_sentences(unused: list[dict[str, Any]]) -> list[str]:
    """One sentence per file (file, n) that holds rows which no part of the layout chooses, whatever their number."""
    return [
        f"The layout chooses no table for {plural(row['n'], 'row')} of the file {row['file']}: "
        "not read, and counted nowhere else."
        for row in sorted(unused, key=lambda row: row["file"])
    ]


def reversal_sentences(reversals: dict[str, int]) -> list[str]:
    """What became of rows with a negative amount: supplies taken back, and those nobody can tell any more; or none."""
    taken_back, unmatched, unknown = (count(reversals[name]) for name in ("n_taken_back", "n_unmatched", "n_unknown"))
    found = f"Dispensings taken back by a later row with a negative amount: {taken_back}. Neither row is a supply."
    lost = (
        f"Rows with a negative amount that take back no one dispensing: {unmatched}. "
        f"Supplies whose length is unknown for it: {unknown}."
    )
    return [found] * (reversals["n_taken_back"] > 0) + [lost] * (reversals["n_unmatched"] > 0)


def harmless_rows_sentences(coverage_of_others: int) -> list[str]:
    """One sentence on coverage of persons who are not in the extract, or none."""
    if not coverage_of_others:
        return []
    return [
        f"Rows of coverage of persons who are not in the extract: {coverage_of_others:,}. No result depends on them."
    ]


def unseen_options_sentences(names: list[str]) -> list[str]:
    """One sentence on the treatments of which the delivery cannot tell whether a person had them, or none."""
    return [f"Not shown, because this delivery cannot tell who had them: {listed(names)}."] if names else []


def rounded_sentence(base: int) -> str:
    """What was done to numbers that are rounded to multiples of `base`."""
    return f"Numbers are rounded to the nearest multiple of {base}, so they need not add up." if base > 1 else ""


def few_sentence(few: str) -> str:
    """What stands for numbers that are rounded to none."""
    return "" if few == "0" else f"“{few}” stands for any smaller number, none included."


def unobserved_sentences(observes: frozenset[str]) -> list[str]:
    """One sentence on the treatments the register does not show, or none."""
    unseen = [words(name) for name in OBSERVABLE if name not in observes]
    if not unseen:
        return []
    how = "a count that includes any of these has a lower bound and no upper bound"
    return [f"Not observed: {listed(unseen)}; {how}."]
