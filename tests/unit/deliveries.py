"""Small deliveries for tests: files drawn as CSV text, cleaned under a shipped layout."""

from __future__ import annotations

from datetime import date
from io import StringIO
from pathlib import Path

import polars as pl

from schemas import concepts, mapping
from schemas.mapping import Delivered
from schemas.study import EpisodeSection, PeriodSection, SourceSection, Study, SupplySection
from tests.shipped import CODES
from transforms.clean import Cleaned, clean

SCHEMAS = Path(__file__).resolve().parents[2] / "schemas"
SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"
OMOP_LISTS = concepts.parse({path.stem: path.read_text() for path in (SCHEMAS / "codelists").glob("omop_*.csv")})


def layout(name: str) -> mapping.Mapping:
    """A shipped mapping."""
    return mapping.parse(name, (SCHEMAS / "mappings" / f"{name}.toml").read_text())


def study(
    kind: str = "registry", path: str = ".", supply: SupplySection | None = None, end: int = 2020, **source: object
) -> Study:
    """A study of the years 2000 to `end`."""
    return Study(
        name="test",
        source=SourceSection(kind=kind, path=path, **source),
        supply=supply or SupplySection(),
        period=PeriodSection(start=date(2000, 1, 1), end=date(end, 12, 31)),
        episodes=EpisodeSection(disorders=("depression",)),
    )


def delivered(**files: str) -> Delivered:
    """Files drawn as CSV text, one line per row; surrounding space is not part of the text."""
    return Delivered({name: _csv(text) for name, text in files.items()})


def cleaned(layout_name: str, supply: SupplySection | None = None, **files: str) -> Cleaned:
    """A drawn delivery cleaned under a shipped layout, or under `omop`."""
    chosen = study(kind="omop") if layout_name == "omop" else study(supply=supply)
    read_by = OMOP_LISTS if layout_name == "omop" else layout(layout_name)
    return clean(delivered(**files), read_by, chosen, CODES)


def _csv(text: str) -> pl.DataFrame:
    lines = "\n".join(line.strip() for line in text.strip().splitlines())
    return pl.read_csv(StringIO(lines), infer_schema=False)
