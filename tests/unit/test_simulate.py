"""The made-up registry: reproducible, in the layout the program reads, and clinically believable."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from impasse.schemas import codelist_files, codelists
from impasse.schemas.definition import DISORDERS as KNOWN_DISORDERS
from impasse.transforms.simulator.course import MAX_STEPS
from impasse.transforms.simulator.disorders import DRUGS, SCALES, SESSIONS, TRAITS
from impasse.transforms.simulator.registry import BLOCK_SIZE, n_blocks, simulate, simulate_block, simulate_blocks

CODE_FOLDER = Path(__file__).resolve().parents[2] / "schemas" / "codelists"
PERSONS = BLOCK_SIZE

Tables = dict[str, pl.DataFrame]
each_disorder = pytest.mark.parametrize("name", TRAITS)


@pytest.fixture(scope="module")
def registry() -> Tables:
    """One block of persons, without faults."""
    return simulate(PERSONS, seed=7, faults=False)


@pytest.fixture(scope="module")
def codes() -> codelists.CodeLists:
    """The shipped code lists."""
    return codelist_files.parse({path.stem: path.read_text(encoding="utf-8") for path in CODE_FOLDER.glob("*.csv")})


def _bytes(tables: Tables) -> dict[str, str]:
    return {name: table.write_csv() for name, table in tables.items()}


def _share(condition: pl.Series) -> float:
    return float(condition.mean())


def _persons_with(registry: Tables, codes: codelists.CodeLists, disorder: str) -> pl.DataFrame:
    """person_id of everyone with a diagnosis of the disorder."""
    listed = codes.codes_in_list(registry["diagnoses"]).filter(list=disorder)
    found = registry["diagnoses"].join(listed, on=["code_system", "code"], how="semi")
    return found.select("person_id").unique()


def _of(registry: Tables, table: str, persons: pl.DataFrame) -> pl.DataFrame:
    """The rows of these persons."""
    return registry[table].join(persons, on="person_id", how="semi")


def _resolved(registry: Tables, codes: codelists.CodeLists) -> pl.DataFrame:
    """The procedures with their treatment, their codes in the spelling in which they are looked up."""
    plain = pl.col("code").str.to_uppercase().str.replace_all("[^A-Z0-9]", "")
    spelled = registry["procedures"].with_columns(code=plain)
    return spelled.join(codes.resolve_procedures(spelled), on=["code_system", "code"], how="left")


def test_same_seed_same_bytes() -> None:
    """A seed names one registry."""
    assert _bytes(simulate(300, seed=1)) == _bytes(simulate(300, seed=1))


def test_other_seed_other_registry() -> None:
    """Another seed names another registry."""
    assert _bytes(simulate(300, seed=1)) != _bytes(simulate(300, seed=2))


def test_blocks_made_alone_and_backwards_are_the_same_registry() -> None:
    """A block depends on the seed and its number, not on what was made before it."""
    n = BLOCK_SIZE + 40
    second, first = simulate_block(1, n, seed=3), simulate_block(0, n, seed=3)

    assert _bytes(simulate(n, seed=3)) == _bytes({name: pl.concat([first[name], second[name]]) for name in first})
    assert second["persons"]["person_id"].n_unique() == 40


def test_a_block_is_made_when_it_is_asked_for() -> None:
    """The first block of a registry of 10,000 million persons comes at once: the others are not made before it."""
    first = next(simulate_blocks(10**10, seed=3))

    assert first["persons"]["person_id"].n_unique() == BLOCK_SIZE


def test_number_of_blocks_at_the_edge() -> None:
    """A full block is one block; one person more needs a second."""
    assert (n_blocks(BLOCK_SIZE), n_blocks(BLOCK_SIZE + 1), n_blocks(1)) == (1, 2, 1)


def test_columns_are_those_of_the_generic_layout(registry: Tables) -> None:
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


def test_the_disorders_are_those_a_definition_may_speak_about() -> None:
    """A demonstration can show every definition at work."""
    assert set(TRAITS) == set(KNOWN_DISORDERS)


@each_disorder
def test_a_disorder_has_drugs_for_every_step(name: str) -> None:
    """Nobody runs out of drugs: as many as there can be steps, and more add-ons than the two that are given."""
    one = TRAITS[name]

    assert len(one.drugs) >= MAX_STEPS
    assert len(one.add_ons) > 2


@each_disorder
def test_a_disorder_names_what_there_is(name: str) -> None:
    """Drugs, sessions, scales and the second disorder stand in their tables."""
    one = TRAITS[name]

    assert set(one.drugs) | set(one.add_ons) | set(one.kept_back) <= set(DRUGS)
    assert set(one.therapies) <= set(SESSIONS)
    assert set(one.scales) <= set(SCALES)
    assert one.second in {*TRAITS, ""}


@pytest.mark.parametrize(
    ("disorder", "low", "high"),
    [
        ("anxiety", 0.35, 0.55),
        ("depression", 0.35, 0.55),
        ("ocd", 0.02, 0.04),
        ("ptsd", 0.02, 0.04),
        ("schizophrenia", 0.01, 0.03),
        ("bipolar_depression", 0.01, 0.03),
    ],
)
def test_every_disorder_occurs(
    registry: Tables, codes: codelists.CodeLists, disorder: str, low: float, high: float
) -> None:
    """Anxiety and depression are common, the other four are not."""
    assert low < _persons_with(registry, codes, disorder).height / PERSONS < high


@pytest.mark.parametrize(
    ("table", "low", "high"),
    [
        ("persons", 1, 1),
        ("coverage", 1, 1.02),
        ("diagnoses", 4.5, 5.5),
        ("dispensings", 19, 21),
        ("procedures", 0.9, 1.3),
        ("scores", 1.8, 2.2),
        ("admissions", 0.05, 0.1),
    ],
)
def test_rows_a_person(registry: Tables, table: str, low: float, high: float) -> None:
    """In ten years a person has some twenty dispensings, five diagnoses, two scores and one session."""
    assert low <= registry[table].height / PERSONS <= high


def test_rows_come_by_person_and_date(registry: Tables) -> None:
    """Every table is sorted by person, and within a person by date."""
    fills = registry["dispensings"].select("person_id", "date")

    assert fills.equals(fills.sort("person_id", "date"))


def test_nothing_is_recorded_outside_coverage(registry: Tables) -> None:
    """Every fill falls in an interval in which the registry observes the person."""
    inside = (
        registry["dispensings"]
        .join(registry["coverage"], on="person_id")
        .filter(pl.col("date").is_between(pl.col("start_date"), pl.col("end_date")))
    )

    assert inside.height == registry["dispensings"].height


def test_nothing_is_recorded_after_death(registry: Tables) -> None:
    """The dead fill no prescriptions."""
    fills = registry["dispensings"].join(registry["persons"], on="person_id")

    assert fills.filter(pl.col("date") > pl.col("death_date")).height == 0


def test_some_enter_late_and_some_leave(registry: Tables) -> None:
    """There is left truncation, emigration with return, and death."""
    assert 0.04 < _share(registry["coverage"]["start_date"] > "2012-01-01") < 0.15
    assert registry["coverage"]["person_id"].is_duplicated().any()
    assert 0.005 < _share(registry["persons"]["death_date"].is_not_null()) < 0.05


def test_drugs_of_the_illness_are_listed_treatments(registry: Tables, codes: codelists.CodeLists) -> None:
    """Psychotropic codes are in the code lists; pregabalin goes by its older code."""
    drugs = registry["dispensings"]["atc"].unique()
    psychotropic = set(drugs.filter(drugs.str.starts_with("N06A") | drugs.str.starts_with("N05A")))

    assert psychotropic <= set(codes.treatments["treatment"])
    assert "N03AX16" in set(drugs) & set(codes.atc_changes["old_atc"])


def test_ddd_agrees_with_the_dose_list(registry: Tables, codes: codelists.CodeLists) -> None:
    """Delivered DDDs are the amount divided by the listed DDD, for every listed drug."""
    listed = codes.doses.select("atc", "ddd_mg")
    rows = registry["dispensings"].join(listed, on="atc").drop_nulls(["quantity", "ddd", "ddd_mg"])
    expected = rows["quantity"] * rows["strength_mg"] / rows["ddd_mg"]

    assert rows.height > 100_000
    assert float((rows["ddd"] - expected).abs().max()) < 0.001


def test_sessions_are_of_listed_treatments(registry: Tables, codes: codelists.CodeLists) -> None:
    """Some sessions are known by a national code, some by the name of the treatment, some not by their kind."""
    assert set(_resolved(registry, codes)["treatment"]) == {
        *("cbt", "psychotherapy_unspecified", "trauma_focused_cbt", "emdr", "erp", "ipt", "act"),
        *("ect", "ect_bilateral", "tms"),
    }


def test_most_diagnoses_are_listed(registry: Tables, codes: codelists.CodeLists) -> None:
    """Most diagnosis codes are in a list, some are of other illnesses."""
    diagnoses = registry["diagnoses"]
    listed = codes.codes_in_list(diagnoses).select("code_system", "code").unique()
    known = diagnoses.join(listed, on=["code_system", "code"], how="semi").height / diagnoses.height

    assert 0.85 < known < 0.97


@pytest.mark.parametrize(
    "cause",
    [
        *(
            "hyperthyroidism",
            "hypothyroidism",
            "chronic_pain",
            "sleep_disorder",
            "substance_use",
            "alcohol",
            "cannabis",
        ),
        *("head_trauma", "nonadherence", "endocrine_other", "respiratory", "neurological", "adhd", "autism"),
        *("bipolar", "mania", "psychosis", "personality_disorder", "self_harm", "tobacco"),
    ],
)
def test_what_may_look_like_resistance_occurs(registry: Tables, codes: codelists.CodeLists, cause: str) -> None:
    """Some have a diagnosed cause of pseudo-resistance, or a diagnosis that definitions exclude."""
    assert _persons_with(registry, codes, cause).height >= 10


def test_scores_are_of_listed_scales_and_in_range(registry: Tables, codes: codelists.CodeLists) -> None:
    """Scores are of listed scales, each of which occurs, and inside their ranges."""
    rows = registry["scores"].join(codes.scales, on="scale", how="left")

    assert set(rows["scale"]) == set(SCALES)
    assert rows["value"].is_between(rows["minimum"], rows["maximum"]).all()


@pytest.mark.parametrize(
    ("disorder", "scale"),
    [("ocd", "ybocs"), ("ptsd", "pcl5"), ("schizophrenia", "panss"), ("bipolar_depression", "madrs")],
)
def test_a_disorder_is_followed_on_its_scale(
    registry: Tables, codes: codelists.CodeLists, disorder: str, scale: str
) -> None:
    """At least a fifth of the ill are rated on the scale of their disorder."""
    ill = _persons_with(registry, codes, disorder)
    rated = _of(registry, "scores", ill).filter(scale=scale)["person_id"].n_unique()

    assert 0.2 < rated / ill.height < 0.9


def test_some_of_the_depressed_have_the_beck_inventory(registry: Tables, codes: codelists.CodeLists) -> None:
    """One definition reads this scale only."""
    ill = _persons_with(registry, codes, "depression")
    rated = _of(registry, "scores", ill).filter(scale="bdi2")["person_id"].n_unique()

    assert 0.04 < rated / ill.height < 0.2


def test_less_than_half_of_the_persons_have_scores(registry: Tables) -> None:
    """Scores are missing for more than half."""
    assert 0.3 < registry["scores"]["person_id"].n_unique() / PERSONS < 0.5


def test_supply_is_told_in_several_ways(registry: Tables) -> None:
    """Most fills tell days; some only quantity and daily dose, some only DDDs, few nothing."""
    days, quantity, ddd = (registry["dispensings"][c].is_null() for c in ("days_supply", "quantity", "ddd"))

    assert 0.03 < _share(days) < 0.09
    assert 0.01 < _share(days & ~quantity) < 0.04
    assert 0.01 < _share(quantity & ~ddd) < 0.06
    assert 0.01 < _share(ddd) < 0.05


def test_one_in_three_tries_three_antidepressants(registry: Tables) -> None:
    """Over ten years a minority goes through three substances or more, as in treatment resistance."""
    antidepressants = registry["dispensings"].filter(pl.col("atc").str.starts_with("N06A"))
    tried = antidepressants.group_by("person_id").agg(pl.col("atc").n_unique())

    assert 0.2 < _share(tried["atc"] >= 3) < 0.45


def test_antipsychotics_are_dosed_around_600_mg_of_chlorpromazine(registry: Tables, codes: codelists.CodeLists) -> None:
    """In schizophrenia many fills reach the dose that a definition asks for, and many do not."""
    ill = _persons_with(registry, codes, "schizophrenia")
    listed = codes.doses.drop_nulls("chlorpromazine_600_mg")
    fills = _of(registry, "dispensings", ill).join(listed, on="atc").drop_nulls("daily_dose_mg")

    assert fills["atc"].n_unique() == 6
    assert 0.3 < _share(fills["daily_dose_mg"] >= fills["chlorpromazine_600_mg"]) < 0.9


def test_clozapine_comes_after_other_antipsychotics(registry: Tables, codes: codelists.CodeLists) -> None:
    """Some of those with schizophrenia get clozapine, nearly all of them after another antipsychotic."""
    fills = _of(registry, "dispensings", _persons_with(registry, codes, "schizophrenia"))
    first = fills.filter(pl.col("atc").str.starts_with("N05A")).group_by("person_id", "atc").agg(pl.col("date").min())
    clozapine = first.filter(atc="N05AH02").select("person_id", since="date")
    before = first.join(clozapine, on="person_id").filter(pl.col("date") < pl.col("since"))

    assert 10 <= clozapine.height <= 80
    assert before["person_id"].n_unique() >= 0.8 * clozapine.height


def test_ect_comes_after_two_other_treatments(registry: Tables, codes: codelists.CodeLists) -> None:
    """ECT is for some of the hardest to treat."""
    sessions = _resolved(registry, codes).filter(pl.col("treatment").is_in(["ect", "ect_bilateral"]))
    first = sessions.group_by("person_id").agg(since=pl.col("date").min())
    drugs = registry["dispensings"].filter(pl.col("atc").str.contains("^N0[56]A"))
    before = drugs.join(first, on="person_id").filter(pl.col("date") < pl.col("since"))
    tried = before.group_by("person_id").agg(pl.col("atc").n_unique())

    assert 30 <= first.height <= 200
    assert tried.filter(pl.col("atc") >= 2).height >= 0.8 * first.height


def test_the_ill_are_admitted_under_their_disorder(registry: Tables) -> None:
    """Schizophrenia leads to hospital far more often than its share of persons."""
    by_code = registry["admissions"].group_by(pl.col("main_code").str.slice(0, 3)).len()

    assert {"F20", "F31", "F32", "F41", "F42", "F43"} <= set(by_code["main_code"])
    assert by_code.filter(main_code="F20")["len"].item() > 0.05 * registry["admissions"].height


def test_cbt_is_a_course_of_weekly_sessions(registry: Tables) -> None:
    """Most CBT courses have a dozen sessions or more; some are broken off early."""
    courses = registry["procedures"].filter(pl.col("code") == "DU011").group_by("person_id").len()

    assert 10 <= float(courses["len"].median()) <= 20
    assert _share(courses["len"] < 9) > 0.1


def test_both_disorders_and_remission_occur(registry: Tables) -> None:
    """There are persons with anxiety and depression, and remission codes."""
    by_person = (
        registry["diagnoses"]
        .group_by("person_id")
        .agg(
            anxious=pl.col("code").str.contains("^F4[01]").any(), depressed=pl.col("code").str.contains("^F3[23]").any()
        )
    )

    assert 0.05 < _share(by_person["anxious"] & by_person["depressed"]) < 0.2
    assert registry["diagnoses"].filter(pl.col("code") == "F334").height > 100


def test_without_faults_every_row_belongs_to_a_person(registry: Tables) -> None:
    """Person identifiers are unique and every fill is somebody's."""
    assert registry["persons"]["person_id"].is_unique().all()
    assert registry["dispensings"].join(registry["persons"], on="person_id", how="anti").height == 0


def test_about_one_row_in_a_thousand_is_faulty(registry: Tables) -> None:
    """Faults are few, and of the kinds deliveries have."""
    spoiled = simulate(PERSONS, seed=7)
    fills, clean = spoiled["dispensings"], registry["dispensings"]

    assert 0.0005 < _share(fills.hash_rows() != clean.hash_rows()) < 0.002
    assert fills.filter(pl.col("days_supply") < 0).height > 0
    assert fills["date"].str.to_date("%Y-%m-%d", strict=False).null_count() > 0
    assert fills.join(spoiled["persons"], on="person_id", how="anti").height > 0
    assert spoiled["scores"].filter(pl.col("value") > 900).height > 0
    assert spoiled["persons"]["person_id"].is_duplicated().any()
