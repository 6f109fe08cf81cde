"""What went into a run, by what it was judged, and what came out: one manifest to release and one to keep.

A run gives the same bytes for the same rows. So whoever knows how a file is made can try rows until its SHA-256 comes
out, and a file of few rows is found within seconds. The fingerprints of delivered and restricted files are therefore
kept in `restricted/manifest.json`, beside a random key. `release/manifest.json` names these files and holds one seal of
all their fingerprints, made with the key: who has both can check each file, who has the release alone learns nothing.
"""

from __future__ import annotations

import hmac
import json
from pathlib import Path
from secrets import token_hex

from impasse.flows.files import inputs, texts
from impasse.flows.files.fingerprints import sha256_of
from impasse.flows.files.folders import files_in_folder
from impasse.flows.files.tables import read_parquet
from impasse.flows.run.loading import Loaded
from impasse.flows.run.plan import Plan
from impasse.flows.run.program import versions
from impasse.flows.run.steps.findings import notes_of_run, read_findings
from impasse.flows.run.steps.page_contents import as_shown, parameters
from impasse.schemas.rule_ids import judging_rule, trial_rule

_KEPT, _RELEASED = "restricted/manifest.json", "release/manifest.json"
OWN_LISTS_RELEASED = "release/codelists"
_KEY_BYTES = 32


def released_manifest(run: Path) -> Path:
    """Where the manifest of a run is: a folder without it is no run."""
    return run / _RELEASED


def layout_file(loaded: Loaded) -> str | None:
    """Where the layout is kept as it was read: one's own, which may name files and words of persons, is restricted."""
    layout = loaded.study.source.layout
    if not loaded.layout_text:
        return None
    return f"{'restricted' if layout.endswith('.toml') else 'release'}/layout/{Path(layout).stem}.toml"


def write_manifests(plan: Plan, loaded: Loaded) -> None:
    """Write both, the one that makes the run whole last."""
    kept = {"inputs": dict(plan.inputs), "outputs": _fingerprints(plan.work, "restricted", _KEPT)}
    key = token_hex(_KEY_BYTES)
    texts.write_json({**kept, "key": key}, plan.work / _KEPT)
    texts.write_json(_released(plan, loaded, kept, key), released_manifest(plan.work))


def seal(fingerprints: dict[str, dict[str, str]], key: str) -> str:
    """HMAC-SHA256 of the fingerprints as JSON with sorted keys; the key is 32 bytes, written in hexadecimal."""
    return hmac.digest(bytes.fromhex(key), json.dumps(fingerprints, sort_keys=True).encode(), "sha256").hex()


def _fingerprints(folder: Path, part: str, manifest: str) -> dict[str, str]:
    """SHA-256 of every file of a part of the run but the manifest itself, by its path in the run."""
    paths = {str(path.relative_to(folder)): path for path in files_in_folder(folder / part)}
    return {name: sha256_of(path) for name, path in paths.items() if name != manifest}


def _released(plan: Plan, loaded: Loaded, kept: dict[str, dict[str, str]], key: str) -> dict[str, object]:
    checks = read_findings(plan.work)
    return {
        "run_id": plan.run_id,
        "started": plan.number,
        "study": as_shown(loaded.study.model_dump(mode="json")),
        "parameters": parameters(loaded.study),
        "versions": versions(),
        "inputs": plan.shown_inputs(),
        "restricted": sorted(kept["outputs"]),
        "seal": seal(kept, key),
        "found": checks["found"],
        "observes": checks["observes"],
        "notes": notes_of_run(plan.work, loaded),
        "rows": read_parquet(plan.release("reconciliation")).to_dicts(),
        "definitions": {path.stem: sha256_of(path) for path in files_in_folder(plan.work / "release/definitions")},
        "layout": layout_file(loaded),
        "rules": {d.id: [trial_rule(d), judging_rule(d)] for d in loaded.definitions},
        "own_codelists": {path.stem: sha256_of(path) for path in files_in_folder(plan.work / OWN_LISTS_RELEASED)},
        "codelists": {path.stem: sha256_of(path) for path in files_in_folder(inputs.shipped("codelists"))},
        "outputs": _fingerprints(plan.work, "release", _RELEASED),
    }
