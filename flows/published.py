"""A published run read again: its released tables and definitions, and one episode with the rows of its verdicts."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from impasse.flows.files import inputs, s3, tables, texts
from impasse.flows.files.pointer import followed
from impasse.flows.files.s3 import Place
from impasse.flows.gate.redact import redact
from impasse.reports.explain import render_explanation
from impasse.reports.run import named_in_run
from impasse.schemas import columns, definition_file
from impasse.schemas.definition import Definition
from impasse.schemas.errors import ImpasseError
from impasse.schemas.file_names import shown

_RESTRICTED = ("trials", "judgements", "classifications", "stages", "impasses")
_LONGEST_PATH = 300


@dataclass(frozen=True)
class _Manifest:
    """What the manifest says of each definition: its trial rule and its judging rule."""

    rules: dict[str, tuple[str, str]]


@redact
def find_run(folder: str | Path) -> Place:
    """The folder of a published run; `latest` is followed once. Raises ImpasseError if no run was published there."""
    run = _published(s3.placed(str(folder), Path()))
    return run.resolve() if isinstance(run, Path) else run


@redact
def read_run_tables(run: Place) -> dict[str, pl.DataFrame]:
    """The released tables of a run, by name."""
    with _opened(run / "release"):
        return tables.read_tables(run / "release", columns.RELEASE_COLUMNS)


@redact
def read_run_definitions(run: Place) -> dict[str, Definition]:
    """The definitions as they were when the run was made, by id; those that are only described judge nothing."""
    with _opened(run / "release" / "definitions"):
        written = texts.read_texts(run / "release" / "definitions", "*.toml")
    parsed = {name: definition_file.parse(name, text) for name, text in written.items()}
    return {name: definition for name, definition in parsed.items() if isinstance(definition, Definition)}


@redact
def explain(place: Place, episode_id: str, definition_id: str | None = None) -> str:
    """The story of an episode as text, 80 columns wide, for the definitions that speak about its disorder."""
    run = _published(place)
    known = read_run_definitions(run)
    episodes = _rows(run, "episodes", episode_id)
    if not episodes:
        raise ImpasseError(
            "No such episode in this run.",
            where=str(run),
            expected="an episode_id of restricted/episodes.parquet: person_id:disorder:number",
            do="Look it up there.",
        )
    about = [d for d in known.values() if episodes[0]["disorder"] in d.eligible.disorders]
    chosen = [named_in_run(definition_id, known)] if definition_id else about
    mine = {name: _rows(run, name, episode_id) for name in _RESTRICTED}
    rules = texts.read_json(run / "release" / "manifest.json", _Manifest).rules
    with _as_published(run, episode_id):
        return render_explanation(
            episodes[0],
            mine["trials"],
            mine["judgements"],
            mine["classifications"],
            chosen,
            rules,
            names=_treatment_names(run),
            stages=mine["stages"],
            impasse=next(iter(mine["impasses"]), None),
        )


def _treatment_names(run: Place) -> dict[str, str]:
    """The names of all treatments: the shipped ones, and those that the study's own folders added."""
    names = dict(inputs.read_codelists().treatments.select("treatment", "name").iter_rows())
    with _opened(run / "release"):
        kept = run / "release" / inputs.OWN_LISTS
        own = texts.read_texts(kept, "treatments*.csv").values() if kept.is_dir() else ()
    rows = (row for text in own for row in csv.DictReader(text.splitlines()))
    return {row["treatment"]: row["name"] for row in rows if row.get("treatment") and row.get("name")} | names


def _published(place: Place) -> Place:
    with _opened(place):
        run = followed(place)
        is_there = _is_run(run)
        meant = [] if is_there else [near for near in (place / "latest", place.parent) if _is_run(followed(near))]
    if not is_there:
        raise ImpasseError(
            "No published run here.",
            where=str(place),
            do=f"Did you mean {meant[0]}?"
            if meant
            else "Name a run's folder, such as runs/demo/latest or s3://bucket/runs/demo/latest.",
        )
    return run


def _is_run(folder: Place) -> bool:
    """Is it the folder of a published run?"""
    return (folder / "release" / "manifest.json").exists()


def _rows(run: Place, table: str, episode_id: str) -> list[dict]:
    path = run / "restricted" / f"{table}.parquet"
    _require_there(run / "restricted", path)
    asked = str(episode_id).encode(errors="replace").decode()  # no table holds what is no text
    with _opened(path):
        return tables.read_rows(path, columns.RESTRICTED_COLUMNS[table], pl.col("episode_id") == asked)


@contextmanager
def _as_published(run: Place, episode_id: str) -> Iterator[None]:
    """Around the telling of rows: where it fails because of a table that is not as it was published, that is told."""
    try:
        with tables.as_written(run / "restricted"):
            yield
    except (ArithmeticError, AttributeError, ImpasseError, TypeError, ValueError):
        from impasse.schemas.tables import RESTRICTED  # only now: it loads what checks tables

        for table, model in RESTRICTED.items():
            tables.require_rows(run / "restricted" / f"{table}.parquet", model, pl.col("episode_id") == episode_id)
        raise


def _require_there(folder: Place, path: Place) -> None:
    """Raise ImpasseError if the rows of persons were not copied with the rest of the run, or not all of them."""
    with _opened(folder):
        missing = folder if not folder.is_dir() else None if path.exists() else path
    if missing is not None:
        raise ImpasseError(
            "The rows of persons are not in this copy of the run, or not all of them.",
            where=shown(missing),
            expected="the folder restricted/ beside release/, as the run was published",
            do="Explain the episode where the run was published; released tables can be read without it.",
        )


@contextmanager
def _opened(place: Place) -> Iterator[None]:
    """Around the opening of what was published: whoever reads a run can mend what the system says of it."""
    try:
        yield
    except OSError as error:
        raise ImpasseError(
            f"This cannot be opened: {os.strerror(error.errno) if error.errno else 'input or output failed'}.",
            where=_short(shown(error.filename or place)),
            expected="the folder of a published run, whose files may be read",
            do="Correct the path, or the permission.",
        ) from None


def _short(path: str) -> str:
    return path if len(path) <= _LONGEST_PATH else f"{path[:_LONGEST_PATH]}…"
