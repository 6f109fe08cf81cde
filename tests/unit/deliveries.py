"""Small deliveries for tests: files drawn as CSV text, cleaned under a shipped layout."""

from __future__ import annotations

from datetime import date
from io import StringIO
from pathlib import Path

import polars as pl

from impasse.flows.delivery import delivery
from impasse.flows.files import inputs
from impasse.schemas import concepts, mapping, mapping_file
from impasse.schemas.delivered import Delivered
from impasse.schemas.study import EpisodeSection, PeriodSection, SourceSection, Study, SupplySection
from tests.cleaning import Cleaned, clean
from tests.shipped import CODES

SCHEMAS = Path(__file__).resolve().parents[2] / "schemas"
SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"
OMOP_LISTS = concepts.parse({path.stem: path.read_text() for path in (SCHEMAS / "codelists").glob("omop_*.csv")})


def layout(name: str) -> mapping.Mapping:
    """A shipped mapping."""
    return mapping_file.parse(name, (SCHEMAS / "mappings" / f"{name}.toml").read_text())


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


def written(folder: Path, **files: str) -> Path:
    """A folder of files drawn as text, each under its name with `__` for the point before its ending."""
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(
            "\n".join(line.strip() for line in text.strip().splitlines()) + "\n"
        )
    return folder


def layout_of(chosen: Study, base: Path) -> mapping.Mapping | concepts.OmopLists:
    """What the source of a study in a folder is read by."""
    return inputs.read_layout_of(chosen, base)[0]


def read(folder: Path, **source: object) -> delivery.DeliveredFiles:
    """What a study with this source finds in a folder."""
    chosen = study(path=folder.name, **source)
    return delivery.open_delivery(chosen, folder.parent, layout_of(chosen, folder))


def read_and_cleaned(folder: Path, **source: object) -> Cleaned:
    """The delivery of a folder, read and cleaned as a study with this source says."""
    chosen = study(path=folder.name, **source)
    return clean(read(folder, **source), layout_of(chosen, folder), chosen, CODES)


def table_of(file: delivery.SourceFile) -> pl.DataFrame:
    """All rows of one file."""
    return delivery.DeliveredFiles({"table": (file,)}).whole("table")


def _csv(text: str) -> pl.DataFrame:
    lines = "\n".join(line.strip() for line in text.strip().splitlines())
    return pl.read_csv(StringIO(lines), infer_schema=False)
