"""Which program this is: the folders of its code, and the versions of what it runs on."""

from __future__ import annotations

from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from platform import python_version

_HERE = Path(__file__).resolve().parents[2]
PACKAGES = tuple(_HERE / name for name in ("schemas", "transforms", "reports", "flows"))
_COMPUTING = ("impasse", "polars", "numpy", "numba", "pyarrow")
_TELLING = ("pandera", "great-expectations", "prefect", "altair", "statsmodels")
_RENDERING = ("jinja2", "markupsafe")


def place(file: str) -> str | None:
    """A file of ours by its path below the packages; none of anybody else's."""
    path = Path(file)
    return str(path.relative_to(_HERE)) if any(path.is_relative_to(package) for package in PACKAGES) else None


@lru_cache(maxsize=1)
def versions() -> dict[str, str]:
    """Python, the program, and the libraries that shape results and pages."""
    return {**computing(), **{name: version(name) for name in _TELLING}}


@lru_cache(maxsize=1)
def rendering() -> dict[str, str]:
    """What a page without tables of a run depends on, beside its own contents."""
    return {"python": python_version(), **{name: version(name) for name in ("impasse", *_RENDERING)}}


@lru_cache(maxsize=1)
def computing() -> dict[str, str]:
    """What must be the same wherever a part of a run is worked on."""
    return {"python": python_version(), **{name: version(name) for name in _COMPUTING}}
