"""A published run read again: its released tables and definitions, and one episode with the rows of its verdicts."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import polars as pl

from impasse.flows.files import inputs, s3, tables, texts
from impasse.flows.files.pointer import followed
from impasse.flows.files.s3 import Place
from impasse.flows.gate.redact import redact
from impasse.reports.explain import render_explanation
from impasse.reports.run import named_in_run
from impasse.schemas import definition_file
from impasse.schemas.definition import Definition
from impasse.schemas.errors import ImpasseError

_RESTRICTED = ("trials", "judgements", "classifications", "stages", "impasses")


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
    from impasse.schemas.tables import RELEASE

    return tables.read_tables(run / "release", RELEASE)


@redact
def read_run_definitions(run: Place) -> dict[str, Definition]:
    """The definitions as they were when the run was made, by id."""
    written = texts.read_texts(run / "release" / "definitions", "*.toml")
    return {name: definition_file.parse(name, text) for name, text in written.items()}


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
    with tables.as_written(run / "restricted"):
        return render_explanation(
            episodes[0],
            mine["trials"],
            mine["judgements"],
            mine["classifications"],
            chosen,
            rules,
            names=dict(inputs.read_codelists().treatments.select("treatment", "name").iter_rows()),
            stages=mine["stages"],
            impasse=next(iter(mine["impasses"]), None),
        )


def _published(place: Place) -> Place:
    run = followed(place)
    if not _is_run(run):
        meant = [near for near in (place / "latest", place.parent) if _is_run(followed(near))]
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
    return tables.read_rows(path, pl.col("episode_id") == episode_id)
