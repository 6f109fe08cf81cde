"""Columns of a delivery whose type has lost what they are read for: one message each, with the file and the remedy.

A number does not keep the zeros of a code, nor a floating point number all digits of a long identifier; a time in
a zone that nobody knows has no day.
"""

from __future__ import annotations

from impasse.schemas.errors import ImpasseError


def codes_as_numbers(column: str, file: str) -> ImpasseError:
    """A column that codes are read from holds numbers."""
    return ImpasseError(
        f"The codes of the column '{column}' were written as numbers and have lost their zeros.",
        where=f"file {file}",
        expected="codes as text: 300.00 and 300 are two codes, and as numbers they are one",
        do="Deliver the column as text, from where it was text.",
    )


def inexact_ids(column: str, file: str) -> ImpasseError:
    """A column of identifiers holds floating point numbers that are too large to be exact."""
    return ImpasseError(
        f"The identifiers of the column '{column}' were written as floating point numbers and have lost digits.",
        where=f"file {file}",
        expected="identifiers as text or whole numbers; a floating point number is exact below 2^53, in 32 bits 2^24",
        do="Deliver the column as text or as whole numbers, from where it had all digits.",
    )


def unknown_zone(column: str, file: str) -> ImpasseError:
    """A column of times is in a zone that is in no list of zones."""
    return ImpasseError(
        f"The times of the column '{column}' are in a zone that is not known, so their days are not either.",
        where=f"file {file}",
        expected="dates, times without a zone, or a zone such as Europe/Stockholm, +01:00 or UTC",
        do="Write the column again as dates.",
    )
