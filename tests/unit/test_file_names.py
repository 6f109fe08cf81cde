"""Names as they may be told: no value of a person stands in one."""

from __future__ import annotations

import pytest

from impasse.schemas.file_names import shown, shown_apart


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("scores/lopnr=101/part-0.parquet", "scores/lopnr=…/part-0.parquet"),
        ("scores/lopnr=101", "scores/lopnr=…"),
        ("lopnr=101.parquet", "lopnr=….parquet"),
        ("lopnr=101.csv.GZ", "lopnr=….csv.GZ"),
        ("lopnr=101.1234", "lopnr=…"),
        ("a=1/b=Anna Svensson.txt/c", "a=…/b=….txt/c"),
        ("=101/part-0.parquet", "=…/part-0.parquet"),
        ("lopnr%3D101", "lopnr=…"),
        ("lopnr=1=2", "lopnr=…"),
        ("lopnr=101\n", "lopnr=…"),
        ("s3://bucket/person_id=1990/x.csv", "s3://bucket/person_id=…/x.csv"),
        ("lopnr=", "lopnr=…"),
        ("scores/part-0.parquet", "scores/part-0.parquet"),
    ],
)
def test_what_is_told_of_a_name(name: str, told: str) -> None:
    """Folder, file, link or key: what stands after the mark is left out, but for the ending of a table."""
    assert shown(name) == told


def test_names_that_are_alike_are_numbered() -> None:
    """Each file is told once."""
    assert shown_apart(["a=1.csv", "b.csv", "a=2.csv"]) == ["a=….csv", "b.csv", "a=….csv (2)"]
