"""The shipped code lists and definitions, read once for all tests."""

from __future__ import annotations

from pathlib import Path

from schemas import codelists, definition
from tests.reference import codes as reference_codes

SCHEMAS = Path(__file__).resolve().parents[1] / "schemas"
CODES = codelists.parse({path.stem: path.read_text() for path in (SCHEMAS / "codelists").glob("*.csv")})
REFERENCE_CODES = reference_codes.load(SCHEMAS / "codelists")
SHIPPED = [definition.parse(path.stem, path.read_text()) for path in sorted((SCHEMAS / "definitions").glob("*.toml"))]
COMPARED = [d.id for d in SHIPPED if d.status == "active"]  # by default, where a study is about their disorders
