"""The made-up registry: reproducible, in the layout the program reads, and clinically believable."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from schemas import codelists
from transforms.simulate import BLOCK_SIZE, n_blocks, simulate, simulate_block

CODE_FOLDER = Path(__file__).resolve().parents[2] / "schemas" / "codelists"


@pytest.fixture(scope="module")
def registry() -> dict[str, pl.DataFrame]:
    """Four thousand persons, without faults."""
    return simulate(4000, seed=7, faults=False)


@pytest.fixture(scope="module")
def codes() -> codelists.CodeLists:
    """The shipped code lists."""
    return codelists.parse({path.stem: path.read_text(encoding="utf-8") for path in CODE_FOLDER.glob("*.csv")})


def _bytes(tables: dict[str, pl.DataFrame]) -> dict[str, str]:
    return {name: table.write_csv() for name, table in tables.items()}


def _share(condition: pl.Series) -> float:
    return float(condition.mean())


def test_same_seed_same_bytes():
    """A seed names one registry."""
    assert _bytes(simulate(300, seed=1)) == _bytes(simulate(300, seed=1))


def test_other_seed_other_registry():
    """Another seed names another registry."""
    assert _bytes(simulate(300, seed=1)) != _bytes(simulate(300, seed=2))


def test_blocks_made_alone_and_backwards_are_the_same_registry():
    """A block depends on the seed and its number, not on what was made before it."""
    n = BLOCK_SIZE + 40
    second, first = simulate_block(1, n, seed=3), simulate_block(0, n, seed=3)
    whole = simulate(n, seed=3)
    assert whole["dispensings"].equals(pl.concat([first["dispensings"], second["dispensings"]]))
    assert second["persons"]["person_id"].n_unique() == 40


def test_number_of_blocks_at_the_edge():
    """A full block is one block; one person more needs a second."""
    assert (n_blocks(BLOCK_SIZE), n_blocks(BLOCK_SIZE + 1), n_blocks(1)) == (1, 2, 1)


def test_columns_are_those_of_the_generic_layout(registry):
    """The tables carry the columns a delivery in the generic layout has."""
    assert {name: table.columns for name, table in registry.items()} == {
        "persons": ["person_id", "birth_date", "sex", "death_date"],
        "coverage": ["person_id", "start_date", "end_date"],
        "diagnoses": ["person_id", "date", "end_date", "code", "code_system", "position", "setting"],
        "dispensings": [
            "person_id",
            "date",
            "atc",
            "ddd",
            "n_packages",
            "ddd_per_package",
            "strength_mg",
            "quantity",
            "days_supply",
            "daily_dose_mg",
        ],
        "procedures": ["person_id", "date", "code", "code_system"],
        "scores": ["person_id", "date", "scale", "value"],
        "admissions": ["person_id", "start_date", "end_date", "main_code"],
    }


def test_rows_come_by_person_and_date(registry):
    """Every table is sorted by person, and within a person by date."""
    fills = registry["dispensings"].select("person_id", "date")
    assert fills.equals(fills.sort("person_id", "date"))


def test_nothing_is_recorded_outside_coverage(registry):
    """Every fill falls in an interval in which the registry observes the person."""
    inside = (
        registry["dispensings"]
        .join(registry["coverage"], on="person_id")
        .filter(pl.col("date").is_between(pl.col("start_date"), pl.col("end_date")))
    )
    assert inside.height == registry["dispensings"].height


def test_nothing_is_recorded_after_death(registry):
    """The dead fill no prescriptions."""
    fills = registry["dispensings"].join(registry["persons"], on="person_id")
    assert fills.filter(pl.col("date") > pl.col("death_date")).height == 0


def test_some_enter_late_and_some_leave(registry):
    """There is left truncation, emigration with return, and death."""
    assert 0.04 < _share(registry["coverage"]["start_date"] > "2012-01-01") < 0.15
    assert registry["coverage"]["person_id"].is_duplicated().any()
    assert 0.005 < _share(registry["persons"]["death_date"].is_not_null()) < 0.05


def test_drugs_of_the_illness_are_listed_treatments(registry, codes):
    """Psychotropic codes are in the code lists; pregabalin goes by its older code."""
    drugs = registry["dispensings"]["atc"].unique()
    psychotropic = set(drugs.filter(drugs.str.starts_with("N06A") | drugs.str.starts_with("N05A")))
    assert psychotropic <= set(codes.treatments["treatment"])
    assert "N03AX16" in set(drugs) & set(codes.atc_changes["old_atc"])


def test_ddd_agrees_with_the_dose_list(registry, codes):
    """Delivered DDDs are the amount divided by the listed DDD, for every listed drug."""
    rows = registry["dispensings"].join(codes.doses, on="atc").drop_nulls(["quantity", "ddd", "ddd_mg"])
    expected = rows["quantity"] * rows["strength_mg"] / rows["ddd_mg"]
    assert rows.height > 40_000
    assert float((rows["ddd"] - expected).abs().max()) < 0.001


def test_procedures_and_most_diagnoses_are_listed(registry, codes):
    """Every session code is a treatment; most diagnosis codes are in a list, some are of other illnesses."""
    sessions = registry["procedures"].select("code_system", "code").unique()
    diagnoses = registry["diagnoses"]
    listed = codes.codes_in_list(diagnoses).select("code_system", "code").unique()
    known = diagnoses.join(listed, on=["code_system", "code"], how="semi").height / diagnoses.height
    assert set(codes.resolve_procedures(sessions)["treatment"]) == {"cbt", "psychotherapy_unspecified", "ect", "tms"}
    assert sessions.height == 4
    assert 0.8 < known < 0.97


def test_scores_are_of_listed_scales_and_in_range(registry, codes):
    """Scores are of seven listed scales and inside their ranges."""
    rows = registry["scores"].join(codes.scales, on="scale", how="left")
    assert rows["scale"].n_unique() == 7
    assert rows["value"].is_between(rows["minimum"], rows["maximum"]).all()


def test_less_than_half_of_the_persons_have_scores(registry):
    """Scores are missing for half of the ill."""
    assert 0.3 < registry["scores"]["person_id"].n_unique() / 4000 < 0.5


def test_about_twenty_dispensings_per_treated_person(registry):
    """Those who take an antidepressant fill some twenty prescriptions."""
    fills = registry["dispensings"]
    treated = fills.filter(pl.col("atc").str.starts_with("N06A"))["person_id"].n_unique()
    assert 16 < fills.height / treated < 24


def test_supply_is_told_in_several_ways(registry):
    """Most fills tell days; some only quantity and daily dose, some only DDDs, few nothing."""
    days, quantity, ddd = (registry["dispensings"][c].is_null() for c in ("days_supply", "quantity", "ddd"))
    assert 0.03 < _share(days) < 0.09
    assert 0.01 < _share(days & ~quantity) < 0.04
    assert 0.01 < _share(quantity & ~ddd) < 0.06
    assert 0.01 < _share(ddd) < 0.05


def test_one_in_three_tries_three_antidepressants(registry):
    """Over ten years a minority goes through three substances or more, as in treatment resistance."""
    antidepressants = registry["dispensings"].filter(pl.col("atc").str.starts_with("N06A"))
    tried = antidepressants.group_by("person_id").agg(pl.col("atc").n_unique())
    assert 0.2 < _share(tried["atc"] >= 3) < 0.45


def test_cbt_is_a_course_of_weekly_sessions(registry):
    """Most CBT courses have a dozen sessions or more; some are broken off early."""
    courses = registry["procedures"].filter(pl.col("code") == "DU011").group_by("person_id").len()
    assert 10 <= float(courses["len"].median()) <= 20
    assert _share(courses["len"] < 9) > 0.1


def test_both_disorders_and_remission_occur(registry):
    """There are anxiety and depressive episodes, persons with both, and remission codes."""
    by_person = (
        registry["diagnoses"]
        .group_by("person_id")
        .agg(anxious=pl.col("code").str.starts_with("F4").any(), depressed=pl.col("code").str.starts_with("F3").any())
    )
    both = _share(by_person["anxious"] & by_person["depressed"])
    assert 0.05 < both < 0.2
    assert registry["diagnoses"].filter(pl.col("code") == "F334").height > 100


def test_without_faults_every_row_belongs_to_a_person(registry):
    """Person identifiers are unique and every fill is somebody's."""
    persons = registry["persons"]["person_id"]
    assert persons.is_unique().all()
    assert registry["dispensings"].join(registry["persons"], on="person_id", how="anti").height == 0


def test_about_one_row_in_a_thousand_is_faulty(registry):
    """Faults are few, and of the kinds deliveries have."""
    spoiled = simulate(4000, seed=7)
    fills, clean = spoiled["dispensings"], registry["dispensings"]
    changed = _share(fills.hash_rows() != clean.hash_rows())
    assert 0.0005 < changed < 0.002
    assert fills.filter(pl.col("days_supply") < 0).height > 0
    assert fills["date"].str.to_date("%Y-%m-%d", strict=False).null_count() > 0
    assert fills.join(spoiled["persons"], on="person_id", how="anti").height > 0
    assert spoiled["scores"].filter(pl.col("value") > 900).height > 0
    assert spoiled["persons"]["person_id"].is_duplicated().any()
