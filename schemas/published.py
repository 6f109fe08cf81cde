"""Shares that papers published, each with its denominator and source: the text of published.csv in, figures out.

A figure stands beside what a run says of the definition it was published for; it is no expectation. Where a paper gives
the counts as well, the share must follow from them, to the digits that are printed, or it is flagged.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from decimal import Decimal

from impasse.schemas.tables import DENOMINATORS

WEIGHTINGS = ("none", "weighted", "standardised")


@dataclass(frozen=True)
class PublishedFigure:
    """One row: `percent` as it is printed, and the denominator of a run that is most like the paper's, if any is."""

    definition_id: str
    setting: str
    denominator: str
    denominator_id: str | None
    n_numerator: int | None
    n_denominator: int | None
    percent: str
    weighting: str
    source: str
    confidence: str

    @property
    def follows(self) -> bool | None:
        """Does the printed share follow from the printed counts? None where one is not given, or it was weighted."""
        if self.n_numerator is None or self.n_denominator is None or self.weighting != "none":
            return None
        printed = Decimal(self.percent)
        half_a_digit = Decimal(10) ** -len(self.percent.partition(".")[2]) / 2
        return abs(100 * Decimal(self.n_numerator) / Decimal(self.n_denominator) - printed) <= half_a_digit


def parse_figures(text: str) -> tuple[PublishedFigure, ...]:
    """All figures of the text of published.csv, by definition. Raises ValueError for an unknown word."""
    return tuple(sorted(map(_figure, csv.DictReader(text.splitlines())), key=lambda figure: figure.definition_id))


def _figure(row: dict[str, str]) -> PublishedFigure:
    if row["denominator_id"] not in ("", *DENOMINATORS) or row["weighting"] not in WEIGHTINGS:
        raise ValueError(f"published.csv, {row['definition_id']}: no such denominator or weighting.")
    n, n_of = (int(row[name]) if row[name] else None for name in ("n_numerator", "n_denominator"))
    words = (row[name] for name in ("percent", "weighting", "source", "confidence"))
    of = (row["definition_id"], row["setting"], row["denominator"], row["denominator_id"] or None)
    return PublishedFigure(*of, n, n_of, *words)
