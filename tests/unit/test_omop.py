"""OMOP CDM tables: what becomes a person, a diagnosis, a procedure, a score and an admission."""

from __future__ import annotations

from datetime import timedelta

import polars as pl
import pytest

from impasse.schemas.delivered import Delivered
from impasse.schemas.errors import ImpasseError
from impasse.transforms.history.encode import encode
from tests.cleaning import clean
from tests.shipped import CODES
from tests.tables import assert_shows
from tests.unit.deliveries import OMOP_LISTS, cleaned, study
from tests.unit.omop_deliveries import CONCEPT, CONDITIONS, DRUGS, PERSON, needs_shared, shared_cleaned


@pytest.mark.parametrize("word", ["", "NA", "NULL", "NaN", "\\N"])
def test_words_for_a_blank_cell(word: str) -> None:
    """R writes NA, a SQL export NULL, a database dump \\N: nothing is recorded, and no row is refused for it."""
    drugs = f"{DRUGS}7,22,2010-03-01,{word},{word},30\n7,22,2010-04-01,{word},28,{word}\n"

    found = cleaned("omop", person=PERSON, concept=CONCEPT, drug_exposure=drugs)

    assert found.extract.dispensings.sort("date")["days"].to_list()[1] == 28
    assert "dispensings" not in found.quarantine


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


VISITS = "visit_occurrence_id,person_id,visit_concept_id,visit_start_date,visit_end_date\n"


def test_psychiatric_and_hospital_stays_are_admissions() -> None:
    """Every listed inpatient visit is an admission, and its diagnoses are inpatient; outpatient hospital is none."""
    visits = VISITS + (
        "1,7,8971,2010-01-01,2010-01-20\n"
        "2,7,8717,2010-02-01,2010-02-20\n"
        "3,7,32037,2010-03-01,2010-03-20\n"
        "4,7,8756,2010-04-01,2010-04-01\n"
        "5,7,42898160,2010-05-01,2010-05-20\n"
    )
    rows = CONDITIONS + (
        "7,440383,2010-01-01,,,,1\n"
        "7,440383,2010-02-01,,,,2\n"
        "7,440383,2010-03-01,,,,3\n"
        "7,440383,2010-04-01,,,,4\n"
        "7,440383,2010-05-01,,,,5\n"
    )
    found = cleaned("omop", person=PERSON, visit_occurrence=visits, condition_occurrence=rows).extract

    assert_shows(
        found.admissions,
        """
        start_date | end_date
        2010-01-01 | 2010-01-20
        2010-02-01 | 2010-02-20
        2010-03-01 | 2010-03-20
        """,
    )
    assert found.diagnoses["setting"].to_list() == ["inpatient", "inpatient", "inpatient", "outpatient", "unknown"]


def test_what_is_observed_depends_on_what_is_delivered() -> None:
    """Without procedures nobody can see psychotherapy or ECT."""
    found = cleaned("omop", person=PERSON, concept=CONCEPT, drug_exposure=DRUGS + "7,21,2010-01-01,2010-01-31,30,\n")

    assert found.extract.observes == frozenset({"drug"})


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


def _numbered(code: pl.Series, vocabulary: str) -> Delivered:
    """A condition whose source concept has a code that was written as a number."""
    concept = {"concept_id": [11], "vocabulary_id": [vocabulary], "concept_class_id": ["code"], "concept_name": ["a"]}
    condition = {"person_id": [7], "condition_concept_id": [0], "condition_start_date": ["2010-01-01"]}
    return Delivered(
        {
            "person": pl.DataFrame({"person_id": [7], "year_of_birth": [1970]}),
            "concept": pl.DataFrame({**concept, "concept_code": code}),
            "condition_occurrence": pl.DataFrame({**condition, "condition_source_concept_id": [11]}),
        }
    )


@pytest.mark.parametrize(
    ("code", "vocabulary"),
    [
        (pl.Series([300.0]), "ICD9CM"),
        (pl.Series([8.45]), "ICD9CM"),
        (pl.Series([845]), "ICD9CM"),
        (pl.Series([90870]), "CPT4"),
    ],
)
def test_codes_of_concepts_written_as_numbers_are_refused(code: pl.Series, vocabulary: str) -> None:
    """300.00 and 300 are two codes of ICD-9 and one number, so the delivery is refused by file and column."""
    with pytest.raises(ImpasseError, match=r"'concept_code' were written as numbers(.|\n)*file concept\b"):
        clean(_numbered(code, vocabulary), OMOP_LISTS, study(kind="omop"), CODES)


@pytest.mark.parametrize("code", [pl.Series([35489007]), pl.Series([35489007.0])])
def test_codes_that_are_numbers_may_be_written_so(code: pl.Series) -> None:
    """A code of SNOMED has no zeros to lose."""
    found = clean(_numbered(code, "SNOMED"), OMOP_LISTS, study(kind="omop"), CODES).extract

    assert found.diagnoses["code"].to_list() == ["35489007"]


def test_a_column_of_codes_without_a_code_is_of_any_type() -> None:
    """Nothing is lost of a blank, whatever type a tool gave the column."""
    found = clean(_numbered(pl.Series([None], dtype=pl.Float64), "ICD9CM"), OMOP_LISTS, study(kind="omop"), CODES)

    assert_shows(found.rules, "table | rule | n\ndiagnoses | code_missing | 1")


def test_source_values_that_codes_are_read_from_are_refused_as_numbers() -> None:
    """A CPT code is read from the source value, and 00104 is 104 as a number."""
    procedure = {"person_id": [7], "procedure_concept_id": [0], "procedure_date": ["2010-01-01"]}
    files = {
        "person": pl.DataFrame({"person_id": [7], "year_of_birth": [1970]}),
        "procedure_occurrence": pl.DataFrame({**procedure, "procedure_source_value": [90870]}),
    }

    with pytest.raises(ImpasseError, match=r"'procedure_source_value'(.|\n)*file procedure_occurrence"):
        clean(Delivered(files), OMOP_LISTS, study(kind="omop"), CODES)


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
