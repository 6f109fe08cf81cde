"""The shipped code lists and definitions, read once for all tests."""

from __future__ import annotations

import re
from pathlib import Path

from impasse.schemas import codelist_files, definition, definition_file
from tests.reference import codes as reference_codes

SCHEMAS = Path(__file__).resolve().parents[1] / "schemas"
CODES = codelist_files.parse({path.stem: path.read_text() for path in (SCHEMAS / "codelists").glob("*.csv")})
REFERENCE_CODES = reference_codes.load(SCHEMAS / "codelists")
CATALOGUE = [definition_file.parse(p.stem, p.read_text()) for p in sorted((SCHEMAS / "definitions").glob("*/*.toml"))]
SHIPPED = [d for d in CATALOGUE if isinstance(d, definition.Definition)]  # those that can be computed
COMPARED = [d.id for d in SHIPPED if d.status == "active"]  # by default, where a study is about their disorders


def copied(name: str, label: str) -> str:
    """The text of a shipped definition's file, with a title and a short label of one's own."""
    (path,) = (SCHEMAS / "definitions").glob(f"*/{name}.toml")
    return with_label(path.read_text(encoding="utf-8"), label)


def with_label(text: str, label: str) -> str:
    """The text of a definition's file under another title and short label."""
    for key in ("title", "short"):
        text, n_found = re.subn(rf"^{key} = .*$", f'{key} = "{label}"', text, count=1, flags=re.MULTILINE)
        assert n_found == 1
    return text
