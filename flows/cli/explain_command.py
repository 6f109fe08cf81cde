"""One episode of a published run, told from the rows that its verdicts came from."""

from __future__ import annotations

import polars as pl

from impasse.flows.files import inputs, texts
from impasse.flows.files.s3 import Place
from impasse.flows.run import io
from impasse.reports.explain import render_explanation
from impasse.schemas import definition as definitions
from impasse.schemas.definition import Definition
from impasse.schemas.errors import ImpasseError, nearest


def explain(place: Place, episode_id: str, definition_id: str | None = None) -> str:
    """The story of an episode as text, 80 columns wide, for the definitions that speak about its disorder."""
    run = io.followed(place)
    if not (run / "release" / "manifest.json").exists():
        raise ImpasseError(
            "No published run here.",
            where=str(place),
            do="Name a run's folder, such as runs/demo/latest or s3://bucket/runs/demo/latest.",
        )
    known = _definitions(run)
    episodes = _rows(run, "episodes", pl.col("episode_id") == episode_id)
    if not episodes:
        raise ImpasseError(
            "No such episode in this run.",
            where=str(run),
            expected="an episode_id of restricted/episodes.parquet: person_id:disorder:number",
            do="Look it up there.",
        )
    about = [d for d in known.values() if episodes[0]["disorder"] in d.eligible.disorders]
    chosen = [_named(definition_id, known)] if definition_id else about
    mine = {
        name: _rows(run, name, pl.col("episode_id") == episode_id)
        for name in ("trials", "judgements", "classifications", "stages", "impasses")
    }
    return render_explanation(
        episodes[0],
        mine["trials"],
        mine["judgements"],
        mine["classifications"],
        chosen,
        {name: tuple(rules) for name, rules in texts.read_json(run / "release" / "manifest.json")["rules"].items()},
        names=dict(inputs.read_codelists().treatments.select("treatment", "name").iter_rows()),
        stages=mine["stages"],
        impasse=next(iter(mine["impasses"]), None),
    )


def _definitions(run: Place) -> dict[str, Definition]:
    """The definitions as they were when the run was made."""
    written = texts.read_texts(run / "release" / "definitions", "*.toml")
    return {name: definitions.parse(name, text) for name, text in written.items()}


def _named(name: str, known: dict[str, Definition]) -> Definition:
    if name not in known:
        guess = nearest(name, sorted(known))
        raise ImpasseError(
            f"Definition '{name}' was not part of this run.",
            expected=", ".join(known),
            do=f"Did you mean '{guess}'?" if guess else "Name one of these.",
        )
    return known[name]


def _rows(run: Place, table: str, condition: pl.Expr) -> list[dict]:
    return io.scan(run / "restricted" / f"{table}.parquet").filter(condition).collect().to_dicts()
