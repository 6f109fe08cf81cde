"""Treatment pathways of another package: its interval cases through our trials.

The cases are unit tests of the R package TreatmentPatterns. Its rules in our settings: it measures from day to
day where we count days, so its gap of 5 days is one of 4 uncovered days, its overlap of 5 days one of 6 shared
days, and its minimum of 14 days one of 15. It drops what is too short before it joins, we join first; and it drops
short pieces beside a combination, which we have no setting for. No case hinges on either.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from impasse.schemas.definition import Definition
from impasse.schemas.history import parse_history
from impasse.schemas.study import Study
from impasse.schemas.tables import KEYS
from impasse.transforms.results import Results, classify
from impasse.transforms.try_cases import drawn_extract
from tests.shipped import CODES, SHIPPED

FOLDER = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "treatment-pathway-cases"

pytestmark = pytest.mark.skipif(not FOLDER.exists(), reason="the pathway cases are not beside this repository")

# Cases in which the two sets of rules give different pathways, and the rule that differs.
DIFFERS = {
    "tp31": "dispensings of one drug without an uncovered day between them are one trial; there they are several",
    "tp37": "the same, and each target has a pathway of its own; there both targets' are one",
}
ATC = {"A": "N06AB04", "B": "N06AX11", "C": "N06AX16"}
LABEL = {atc: label for label, atc in ATC.items()}
DEFAULT = "30"

STUDY = Study.model_validate(
    {
        "name": "pathways",
        "source": {"kind": "registry", "path": "."},
        "period": {"start": date(2013, 1, 1), "end": date(2016, 12, 31)},
        "episodes": {"disorders": ["depression"], "treatment_bridges": False, "tail_days": 0, "lead_days": 0},
    }
)


def _cases() -> dict[str, dict[str, str]]:
    """The cases by id, as text; none where the folder is missing."""
    if not FOLDER.exists():
        return {}
    rows = pl.read_csv(FOLDER / "cases.csv", infer_schema=False).to_dicts()
    return {row["case_id"]: row for row in rows}


CASES = _cases()


def _rule(case: dict[str, str]) -> Definition:
    """The case's settings in ours: antidepressants, of which two together are trials of their own."""
    plain = next(d for d in SHIPPED if d.id == "dep_liu_2021")
    overlap = int(case["combination_window"].replace("default", DEFAULT)) + 1
    trial = replace(
        plain.trial,
        treatments=("antidepressants",),
        augmenters=(),
        permissible_gap_days=max(int(case["era_collapse_size"]) - 1, 0),
        carry_over=False,
        combination="own_trial",
        overlap_days=overlap,
        overlap_needs_refill=False,
    )
    long_enough = replace(plain.adequacy.drug, min_days=int(case["min_era_duration"]) + 1, dose_basis="any")
    return replace(plain, trial=trial, adequacy=replace(plain.adequacy, drug=long_enough))


def _persons(case_id: str) -> list[dict]:
    """One person per target: an illness from its first to its last day, and the drugs begun in it."""
    rows = pl.read_csv(FOLDER / "intervals.csv", try_parse_dates=True).filter(pl.col("case_id") == case_id)
    targets = rows.filter(pl.col("role") == "target").select("start_date", "end_date").rows()
    drugs = rows.filter(pl.col("role") == "event").select("label", "start_date", "end_date").rows()
    return [
        parse_history(
            [
                f"dx {first} F322 until={last}",
                *(
                    f"disp {start} {ATC[label]} days={(end - start).days + 1}"
                    for label, start, end in drugs
                    if first <= start <= last
                ),
            ],
            f"{case_id}:{number}",
        )
        for number, (first, last) in enumerate(targets, start=1)
    ]


def _classified(case_id: str) -> Results:
    absent = frozenset({"coverage", "procedures", "scores", "admissions"})
    extract = drawn_extract(_persons(case_id), frozenset({"drug"}), absent)
    return classify(extract, STUDY, [_rule(CASES[case_id])], CODES)


def _long_enough(made: Results) -> pl.DataFrame:
    return made.trials.join(made.judgements.filter("is_adequate"), on=KEYS["trials"], how="semi")


def _pathway(trials: list[tuple[str, date, date]]) -> list[str]:
    """The drugs in use after each start and after each end, in the package's notation: A-A+B-B."""
    changes = sorted({start for _, start, _ in trials} | {end for _, _, end in trials})
    in_use = [
        "+".join(sorted(LABEL[drug] for drug, start, end in trials if start <= day and (end > day or start == day)))
        for day in changes
    ]
    return [step for step in in_use if step]


def _pathways(case_id: str, made: Results) -> list[str]:
    """The pathway of each target, as far as the case looks."""
    case = CASES[case_id]
    steps = 1 if case["filter_treatments"] == "First" else int(case["max_path_length"])
    by_target = _long_enough(made).group_by("person_id", maintain_order=True).agg("treatment", "start_date", "end_date")
    return [
        "-".join(_pathway(list(zip(drugs, starts, ends, strict=True)))[:steps])
        for _, drugs, starts, ends in by_target.iter_rows()
    ]


def _published(case_id: str) -> list[str]:
    """The pathways of the case, each as often as it occurs."""
    case = CASES[case_id]
    paths, times = case["expected_pathways"].split(";"), case["expected_freq"].split(";")
    return [path for path, n in zip(paths, times, strict=True) for _ in range(int(n))]


@pytest.mark.parametrize("case_id", sorted(CASES.keys() - DIFFERS.keys()))
def test_a_pathway_of_which_both_sets_of_rules_agree(case_id: str) -> None:
    """Our trials are the package's steps: joined alike, replaced alike, and together where it says together."""
    made = _classified(case_id)

    assert _pathways(case_id, made) == _published(case_id)


@pytest.mark.parametrize("case_id", sorted(CASES.keys() - DIFFERS.keys()))
def test_drugs_taken_together_are_a_combination(case_id: str) -> None:
    """A plus sign in the package's pathway is an add-on among our trials, and only there."""
    roles = set(_classified(case_id).trials["role"])

    assert ("combination" in roles) == ("+" in CASES[case_id]["expected_pathways"])


@pytest.mark.parametrize("case_id", sorted(CASES.keys() & DIFFERS.keys()))
def test_a_pathway_of_which_they_differ(case_id: str) -> None:
    """A case stays on the list only as long as the pathways differ."""
    assert _pathways(case_id, _classified(case_id)) != _published(case_id)


def test_every_case_is_looked_at() -> None:
    """Nineteen cases; those that differ are among them."""
    assert len(CASES) == 19
    assert DIFFERS.keys() <= CASES.keys()
