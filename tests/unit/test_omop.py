"""OMOP CDM tables: what becomes a diagnosis, a dispensing, a score; checked on drawn rows and on three data sets."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest

from flows.files import delivery
from schemas.errors import ImpasseError
from schemas.mapping import Delivered
from tests.shipped import CODES
from tests.tables import assert_shows
from tests.unit.deliveries import OMOP_LISTS, SHARED, cleaned, study
from transforms.clean import Cleaned, clean
from transforms.encode import encode
from transforms.omop import ingredient_exposures

needs_shared = pytest.mark.skipif(not SHARED.is_dir(), reason="the shared data folder is not here")

PERSON = "person_id,gender_concept_id,year_of_birth,month_of_birth,day_of_birth,birth_datetime\n7,8532,1970,2,3,\n"
CONCEPT = """
    concept_id,concept_name,domain_id,vocabulary_id,concept_class_id,standard_concept,concept_code
    11,Major depressive disorder,Condition,ICD9CM,code,,296.33
    12,Depressive episode,Condition,ICD10CM,code,,F32.1
    13,Depressive disorder,Condition,SNOMED,Clinical Finding,S,35489007
    21,sertraline,Drug,RxNorm,Ingredient,S,36437
    22,sertraline 50 MG Oral Tablet,Drug,RxNorm,Clinical Drug,S,1
    23,12 HR venlafaxine 75 MG Extended Release Oral Capsule,Drug,RxNorm,Quant Clinical Drug,S,2
    24,amitriptyline 25 MG / perphenazine 2 MG Oral Tablet,Drug,RxNorm,Clinical Drug,S,3
    25,simvastatin 10 MG,Drug,RxNorm,Clinical Drug Comp,S,4
    31,Cognitive and behavioral therapy,Procedure,SNOMED,Procedure,S,228557008
"""
CONDITIONS = (
    "person_id,condition_concept_id,condition_start_date,condition_end_date,"
    "condition_source_concept_id,condition_source_value,visit_occurrence_id\n"
)
DRUGS = "person_id,drug_concept_id,drug_exposure_start_date,drug_exposure_end_date,days_supply,quantity\n"


def shared(name: str) -> Delivered:
    """A shared OMOP folder, as delivered."""
    return delivery.read_delivery(study(kind="omop", path=name), SHARED, OMOP_LISTS)


def shared_cleaned(name: str) -> Cleaned:
    """A shared OMOP folder, cleaned."""
    return clean(shared(name), OMOP_LISTS, study(kind="omop", path=name, end=2024), CODES)


def test_births_from_parts() -> None:
    """A date of birth, else year and month at the 15th, else the year at 1 July."""
    person = PERSON + "8,8507,1970,2,,\n9,0,1970,,,\n10,8507,1970,2,3,1971-01-01 00:00:00\n"

    assert_shows(
        cleaned("omop", person=person).extract.persons,
        """
        person_id | birth_date | sex
        7         | 1970-02-03 | female
        8         | 1970-02-15 | male
        9         | 1970-07-01 | unknown
        10        | 1971-01-01 | male
        """,
    )


def test_a_diagnosis_keeps_its_icd_code() -> None:
    """ICD from the source concept, else the standard concept's id, else SNOMED; nothing at all is refused."""
    rows = CONDITIONS + (
        "7,440383,2010-01-01,,11,29633,\n"
        "7,440383,2010-01-02,2010-01-05,12,F32.1,\n"
        "7,440383,2010-01-03,,13,35489007,\n"
        "7,0,2010-01-04,,13,35489007,\n"
        "7,0,2010-01-05,,0,,\n"
    )
    found = cleaned("omop", person=PERSON, concept=CONCEPT, condition_occurrence=rows)

    assert_shows(
        found.extract.diagnoses,
        """
        date       | end_date   | code     | code_system
        2010-01-01 | -          | 29633    | icd9
        2010-01-02 | 2010-01-05 | F321     | icd10
        2010-01-03 | -          | 440383   | omop
        2010-01-04 | -          | 35489007 | snomed
        """,
    )
    assert found.quarantine["diagnoses"]["rule"].to_list() == ["code_missing"]


def test_drugs_become_atc_by_ingredient() -> None:
    """By ingredient concept, by RxNorm name where no table tells; two treatments in a product are two dispensings."""
    rows = DRUGS + (
        "7,21,2010-01-01,2010-01-31,30,\n"
        "7,22,2010-02-01,2010-03-01,30,\n"
        "7,23,2010-03-01,2010-04-01,30,\n"
        "7,24,2010-04-01,2010-05-01,30,\n"
        "7,25,2010-05-01,2010-06-01,30,\n"
        "7,0,2010-06-01,2010-07-01,30,\n"
        "7,99,2010-07-01,2010-08-01,30,\n"
    )
    found = cleaned("omop", person=PERSON, concept=CONCEPT, drug_exposure=rows)

    assert_shows(
        found.extract.dispensings,
        """
        date       | atc
        2010-01-01 | N06AB06
        2010-02-01 | N06AB06
        2010-03-01 | N06AX16
        2010-04-01 | N06AA09
        2010-04-01 | N05AB03
        """,
    )
    assert found.quarantine["dispensings"]["drug_concept_id"].to_list() == ["0", "99"]
    assert_shows(
        found.reconciliation.filter(pl.col("table") == "dispensings"),
        "n_delivered | n_accepted | n_quarantined\n7 | 5 | 2",
    )


def test_ingredients_from_ancestors() -> None:
    """An ancestor that is an ingredient tells the drug; other ancestors do not."""
    rows = DRUGS + "7,500,2010-01-01,2010-01-31,30,\n"
    ancestors = "ancestor_concept_id,descendant_concept_id\n739138,500\n21604686,500\n500,500\n"
    found = cleaned("omop", person=PERSON, drug_exposure=rows, concept_ancestor=ancestors)

    assert found.extract.dispensings["atc"].to_list() == ["N06AB06"]


def test_days_are_supply_else_the_interval_else_unknown() -> None:
    """Zero or missing days' supply falls back on end less start; a one-day exposure has an unknown duration."""
    rows = DRUGS + (
        "7,21,2010-01-01,2010-01-31,14,\n"
        "7,21,2010-02-01,2010-03-01,0,\n"
        "7,21,2010-03-01,2010-03-11,,\n"
        "7,21,2010-04-01,2010-04-01,0,\n"
    )
    found = cleaned("omop", person=PERSON, concept=CONCEPT, drug_exposure=rows)

    assert_shows(
        found.extract.dispensings,
        """
        date       | days | supply_basis
        2010-01-01 | 14   | days_supply
        2010-02-01 | 28   | days_supply
        2010-03-01 | 10   | days_supply
        2010-04-01 | -    | unknown
        """,
    )


def test_amounts_that_cannot_be_read_refuse_the_exposure() -> None:
    """A quantity of 1,234 may be either of two, and one of 1e300 none; blank and NaN are not recorded."""
    rows = DRUGS + (
        '7,21,2010-01-01,2010-01-31,30,"1,234"\n'
        "7,21,2010-02-01,2010-03-01,many,\n"
        "7,21,2010-03-01,2010-03-11,1e300,\n"
        "7,21,2010-04-01,2010-04-11,NaN,\n"
        "7,21,2010-05-01,9999-12-31,,\n"
    )
    found = cleaned("omop", person=PERSON, concept=CONCEPT, drug_exposure=rows)

    assert found.quarantine["dispensings"]["rule"].to_list() == [
        "supply_unreadable",
        "supply_unreadable",
        "supply_too_large",
    ]
    assert_shows(found.extract.dispensings, "date | days\n2010-04-01 | 10\n2010-05-01 | -")


def test_dose_from_drug_strength() -> None:
    """30 tablets of 50 mg in 15 days are 100 mg a day; an amount in another unit tells nothing."""
    rows = DRUGS + "7,22,2010-01-01,2010-01-16,15,30\n"
    strength = "drug_concept_id,ingredient_concept_id,amount_value,amount_unit_concept_id\n22,21,50,{unit}\n"
    in_mg = cleaned(
        "omop", person=PERSON, concept=CONCEPT, drug_exposure=rows, drug_strength=strength.format(unit=8576)
    )
    in_units = cleaned(
        "omop", person=PERSON, concept=CONCEPT, drug_exposure=rows, drug_strength=strength.format(unit=8510)
    )

    assert in_mg.extract.dispensings["dose_ug"].to_list() == [100_000]
    assert in_units.extract.dispensings["dose_ug"].to_list() == [None]


def test_procedures_by_source_concept_shape_or_standard_concept() -> None:
    """SNOMED from the source concept, CPT by its shape where the concept is not delivered, else the concept id."""
    rows = (
        "person_id,procedure_concept_id,procedure_date,procedure_source_concept_id,procedure_source_value\n"
        "7,31,2010-01-01,31,228557008\n"
        "7,2514436,2010-01-02,2514436,90870\n"
        "7,4030840,2010-01-03,0,local\n"
        "7,0,2010-01-04,0,local\n"
    )
    found = cleaned("omop", person=PERSON, concept=CONCEPT, procedure_occurrence=rows)

    assert_shows(
        found.extract.procedures,
        """
        date       | code      | code_system | treatment
        2010-01-01 | 228557008 | snomed      | cbt
        2010-01-02 | 90870     | cpt         | ect
        2010-01-03 | 4030840   | omop        | ect
        """,
    )
    assert found.quarantine["procedures"]["rule"].to_list() == ["code_missing"]


def test_scores_need_a_value() -> None:
    """PHQ-9 by concept or LOINC code; no value is refused, never 0; other observations are not scores."""
    rows = (
        "person_id,observation_concept_id,observation_date,value_as_number,value_as_string,observation_source_value\n"
        "7,3042932,2010-01-01,0,,\n"
        "7,0,2010-01-02,,12,44261-6\n"
        "7,3042932,2010-01-03,,,44261-6\n"
        "7,123,2010-01-04,5,,x\n"
    )
    found = cleaned("omop", person=PERSON, observation=rows)

    assert_shows(found.extract.scores, "date | scale | value\n2010-01-01 | phq9 | 0\n2010-01-02 | phq9 | 12")
    assert_shows(found.quarantine["scores"], "observation_date | rule\n2010-01-03 | score_missing")


def test_inpatient_visits_are_admissions() -> None:
    """Inpatient visits only, with their main or only diagnosis; two unranked diagnoses tell none."""
    visits = (
        "visit_occurrence_id,person_id,visit_concept_id,visit_start_date,visit_end_date\n"
        "1,7,9201,2010-01-01,2010-01-05\n2,7,9202,2010-02-01,2010-02-01\n3,7,262,2010-03-01,2010-03-02\n"
    )
    rows = CONDITIONS + (
        "7,440383,2010-01-01,,12,F32.1,1\n7,440383,2010-03-01,,12,F32.1,3\n7,440383,2010-03-01,,11,29633,3\n"
    )
    found = cleaned("omop", person=PERSON, concept=CONCEPT, visit_occurrence=visits, condition_occurrence=rows).extract

    assert_shows(
        found.admissions,
        "start_date | end_date | main_code\n2010-01-01 | 2010-01-05 | F321\n2010-03-01 | 2010-03-02 | -",
    )
    assert found.diagnoses["setting"].unique().to_list() == ["inpatient"]


def test_what_is_observed_depends_on_what_is_delivered() -> None:
    """Without procedures nobody can see psychotherapy or ECT."""
    found = cleaned("omop", person=PERSON, concept=CONCEPT, drug_exposure=DRUGS + "7,21,2010-01-01,2010-01-31,30,\n")

    assert found.extract.observes == frozenset({"drug"})


def test_every_drug_of_the_vocabulary_has_an_ingredient() -> None:
    """A single-substance drug that definitions can count is found in OMOP by at least its name."""
    single = CODES.treatments.filter(
        (pl.col("modality") == "drug")
        & (pl.col("treatment").str.len_chars() == 7)
        & ~pl.col("name").str.contains(" and ", literal=True)
    )

    assert set(single["treatment"]) - set(OMOP_LISTS.ingredients["atc"]) == set()


def test_the_main_code_of_a_stay_may_be_a_concept() -> None:
    """Without an ICD code the stay's main code is the concept's id, and the stay counts for the disorder."""
    visits = (
        "visit_occurrence_id,person_id,visit_concept_id,visit_start_date,visit_end_date\n"
        "1,7,9201,2010-01-01,2010-01-05\n"
    )
    rows = CONDITIONS + "7,440383,2010-01-01,,,,1\n"
    found = cleaned("omop", person=PERSON, visit_occurrence=visits, condition_occurrence=rows).extract

    assert found.admissions["main_code"].to_list() == ["440383"]
    assert len(encode(found, CODES, ("depression",)).admissions) == 1


def test_identifiers_of_a_database_may_be_floats() -> None:
    """A float column of ids, as a tool writes integers with gaps, holds the same ids."""
    files = {
        "person": pl.DataFrame({"person_id": [7.0], "year_of_birth": [1970]}),
        "death": pl.DataFrame({"person_id": [7], "death_date": ["2010-01-01"]}),
    }
    found = clean(Delivered(files), OMOP_LISTS, study(kind="omop"), CODES)

    assert_shows(found.extract.persons, "person_id | death_date\n7 | 2010-01-01")


def test_odd_types_of_a_database_are_refused() -> None:
    """An interval where a date is due is told with table, column and type."""
    files = {
        "person": pl.DataFrame({"person_id": [7], "year_of_birth": [1970]}),
        "death": pl.DataFrame({"person_id": [7], "death_date": [timedelta(1)]}),
    }

    with pytest.raises(ImpasseError, match="Column 'death_date' is of the type Duration"):
        clean(Delivered(files), OMOP_LISTS, study(kind="omop"), CODES)


@needs_shared
def test_synpuf_exposures_give_the_published_eras() -> None:
    """2,134 drug eras with a 30-day gap, equal to drug_era on person, ingredient, start, end and count."""
    keys = ["person_id", "ingredient_concept_id"]
    exposures = ingredient_exposures(shared("omop-synpuf50"), OMOP_LISTS).sort(*keys, "start_date", "end_date")
    covered = exposures.with_columns(before=pl.col("end_date").cum_max().shift(1).over(keys))
    opens = ((pl.col("start_date") - pl.col("before")).dt.total_days() > 30).fill_null(True)
    eras = covered.group_by(*keys, opens.cum_sum().alias("era")).agg(
        pl.col("start_date").min(), pl.col("end_date").max(), pl.len().cast(pl.String).alias("n")
    )
    published = _published_eras(SHARED / "omop-synpuf50" / "drug_era.csv")

    assert eras.height == 2134
    assert eras.join(published, on=published.columns, how="inner").height == 2134


def _published_eras(path: Path) -> pl.DataFrame:
    era = pl.read_csv(path, infer_schema=False)
    start, end = (pl.col(f"drug_era_{edge}_date").str.to_date("%Y-%m-%d") for edge in ("start", "end"))
    return era.select(
        "person_id",
        ingredient_concept_id="drug_concept_id",
        start_date=start,
        end_date=end,
        n="drug_exposure_count",
    )


@needs_shared
def test_synpuf_counts() -> None:
    """All 5,121 conditions are ICD-9, 20 persons have an antidepressant, 88 exposures are no known drug."""
    found = shared_cleaned("omop-synpuf50")
    antidepressants = found.extract.dispensings.filter(pl.col("atc").cat.starts_with("N06A"))

    assert found.extract.diagnoses["code_system"].to_list() == ["icd9"] * 5121
    assert antidepressants["person"].n_unique() == 20
    assert_shows(found.rules, "table | rule | n\ndispensings | no_atc_mapping | 88")


@needs_shared
def test_synthea_scores_without_a_value_are_reported() -> None:
    """All 431 PHQ and GAD totals lack a value: every one is quarantined and none is a score."""
    found = shared_cleaned("omop-synthea27")

    assert found.extract.scores.is_empty()
    assert_shows(found.rules, "table | rule | n\nscores | score_missing | 431")


@needs_shared
def test_synthea1k_drug_concept_zero_is_no_drug() -> None:
    """7,911 exposures with concept 0 are refused; sertraline 4 and fluoxetine 3 persons are found by name."""
    found = shared_cleaned("omop-synthea1k")
    persons = found.extract.dispensings.group_by("atc").agg(pl.col("person").n_unique())

    assert found.quarantine["dispensings"]["rule"].to_list() == ["no_atc_mapping"] * 7911
    assert_shows(persons.filter(pl.col("atc").cat.starts_with("N06A")), "atc | person\nN06AB03 | 3\nN06AB06 | 4")
