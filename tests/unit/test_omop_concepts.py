"""OMOP concepts: what a concept stands for that no list names, by the concepts above it."""

from __future__ import annotations

import pytest

from impasse.schemas import concepts
from impasse.schemas.errors import ImpasseError
from impasse.transforms.history.encode import encode
from tests.shipped import CODES
from tests.tables import assert_shows
from tests.unit.deliveries import SCHEMAS, cleaned
from tests.unit.omop_deliveries import CONCEPT, CONDITIONS, PERSON

ANXIETY, PANIC, PTSD, DEPRESSION, ATYPICAL, MANIA = "442077", "436074", "436676", "440383", "438727", "4333677"
PSYCHOSES, PSYCHOTIC_DEPRESSION = "435783", "438406"
ANCESTORS = "ancestor_concept_id,descendant_concept_id\n"


def _conditions(*concept_ids: str) -> str:
    return CONDITIONS + "".join(f"7,{concept},2010-01-0{n},,,,\n" for n, concept in enumerate(concept_ids, start=1))


def _above(*pairs: tuple[str, str]) -> str:
    return ANCESTORS + "".join(f"{ancestor},{descendant}\n" for ancestor, descendant in pairs)


def test_a_condition_below_a_listed_one_is_that() -> None:
    """A kind of depression that no list names is depression; a condition below nothing that is listed stays itself."""
    above = _above((DEPRESSION, "900"), ("800", "900"), (DEPRESSION, DEPRESSION), ("800", "901"), ("901", "901"))
    found = cleaned(
        "omop", person=PERSON, condition_occurrence=_conditions("900", "901", DEPRESSION), concept_ancestor=above
    )

    assert_shows(
        found.extract.diagnoses,
        """
        date       | code   | code_system
        2010-01-01 | 440383 | omop
        2010-01-02 | 901    | omop
        2010-01-03 | 440383 | omop
        """,
    )


def test_without_ancestors_only_the_listed_concepts_are_found() -> None:
    """The same condition stays itself, and the delivery is said to lack the table."""
    found = cleaned("omop", person=PERSON, condition_occurrence=_conditions("900"))

    assert found.extract.diagnoses["code"].to_list() == ["900"]
    assert "concept_ancestor" in found.omop_notes.missing_vocabulary


def test_the_nearest_listed_concept_speaks() -> None:
    """A kind of panic disorder is panic disorder and not the anxiety disorder that panic disorder is."""
    above = _above((ANXIETY, PANIC), (ANXIETY, "900"), (PANIC, "900"))
    found = cleaned("omop", person=PERSON, condition_occurrence=_conditions("900"), concept_ancestor=above)

    assert found.extract.diagnoses["code"].to_list() == [PANIC]


def test_a_listed_concept_is_itself() -> None:
    """PTSD lies below anxiety disorders in the vocabulary; the lists name it on its own, so it is no anxiety."""
    above = _above((ANXIETY, PTSD))
    found = cleaned("omop", person=PERSON, condition_occurrence=_conditions(PTSD), concept_ancestor=above)

    assert found.extract.diagnoses["code"].to_list() == [PTSD]
    assert CODES.lists_of("omop", PTSD) == ["ptsd"]


def test_what_a_list_leaves_out_is_left_out_below_it_too() -> None:
    """Below depression and below a depression that the list leaves out: left out, whichever way it is above."""
    nested = _above((DEPRESSION, ATYPICAL), (DEPRESSION, "900"), (ATYPICAL, "900"))
    beside = _above((DEPRESSION, "900"), (ATYPICAL, "900"))
    rows = _conditions("900")

    assert _codes(rows, nested) == [ATYPICAL]
    assert _codes(rows, beside) == [ATYPICAL]
    assert CODES.lists_of("omop", ATYPICAL) == []


def test_a_list_leaves_out_a_condition_for_itself_only() -> None:
    """Below schizophrenia and a depression that psychosis leaves out: schizophrenia and depression, no psychosis."""
    (code,) = _codes(_conditions("900"), _above((PSYCHOSES, "900"), (PSYCHOTIC_DEPRESSION, "900")))

    assert CODES.lists_of("omop", PSYCHOSES) == ["psychosis", "schizophrenia"]
    assert code == f"{PSYCHOSES}+{PSYCHOTIC_DEPRESSION}"
    assert CODES.lists_of("omop", code) == ["depression", "schizophrenia"]


def test_a_stay_for_a_condition_that_one_list_leaves_out_is_one_for_the_others() -> None:
    """The main code of the stay is that of the diagnosis, and the stay counts for both of its disorders."""
    visits = "visit_occurrence_id,person_id,visit_concept_id,visit_start_date,visit_end_date\n"
    found = cleaned(
        "omop",
        person=PERSON,
        visit_occurrence=visits + "1,7,9201,2010-01-01,2010-01-05\n",
        condition_occurrence=CONDITIONS + "7,900,2010-01-01,,,,1\n",
        concept_ancestor=_above((PSYCHOSES, "900"), (PSYCHOTIC_DEPRESSION, "900")),
    )

    assert found.extract.admissions["main_code"].to_list() == [f"{PSYCHOSES}+{PSYCHOTIC_DEPRESSION}"]
    assert len(encode(found.extract, CODES, ("depression", "schizophrenia")).admissions) == 2
    assert found.rules.is_empty()


def _codes(conditions: str, above: str) -> list[str]:
    found = cleaned("omop", person=PERSON, condition_occurrence=conditions, concept_ancestor=above)
    return found.extract.diagnoses["code"].to_list()


def test_a_condition_below_two_listed_ones_is_both() -> None:
    """Panic in a depression is panic and depression; it is one row of the delivery."""
    above = _above((DEPRESSION, "900"), (PANIC, "900"))
    found = cleaned("omop", person=PERSON, condition_occurrence=_conditions("900"), concept_ancestor=above)

    assert found.extract.diagnoses["code"].to_list() == [PANIC, DEPRESSION]
    assert_shows(found.reconciliation.filter(table="diagnoses"), "n_delivered | n_accepted | n_quarantined\n1 | 1 | 0")


def test_an_icd_code_comes_before_the_concepts_above() -> None:
    """The code that the contact was given says more than the concept it was mapped to."""
    rows = CONDITIONS + "7,900,2010-01-01,,12,F32.1,\n"
    found = cleaned(
        "omop", person=PERSON, concept=CONCEPT, condition_occurrence=rows, concept_ancestor=_above((PANIC, "900"))
    )

    assert_shows(found.extract.diagnoses, "code | code_system\nF321 | icd10")


def test_a_stay_for_a_condition_below_two_listed_ones_has_a_main_code() -> None:
    """One diagnosis is the only one of its stay, though it stands for two."""
    visits = "visit_occurrence_id,person_id,visit_concept_id,visit_start_date,visit_end_date\n"
    found = cleaned(
        "omop",
        person=PERSON,
        visit_occurrence=visits + "1,7,9201,2010-01-01,2010-01-05\n",
        condition_occurrence=CONDITIONS + "7,900,2010-01-01,,,,1\n",
        concept_ancestor=_above((DEPRESSION, "900"), (PANIC, "900")),
    )

    assert found.extract.admissions["main_code"].to_list() == [PANIC]


PROCEDURES = (
    "person_id,procedure_concept_id,procedure_date,procedure_source_concept_id,procedure_source_value\n"
    "7,900,2010-01-01,0,local\n"
    "7,900,2010-01-02,31,228557008\n"
    "7,900,2010-01-03,41,1\n"
    "7,901,2010-01-04,41,1\n"
)
PROCEDURE_CONCEPT = CONCEPT + "    41,Some other procedure,Procedure,SNOMED,Procedure,S,999999\n"


def test_a_procedure_below_a_listed_one_is_that_treatment() -> None:
    """The code it came with if that is a treatment, else the listed procedure above its concept, else the code."""
    found = cleaned(
        "omop",
        person=PERSON,
        concept=PROCEDURE_CONCEPT,
        procedure_occurrence=PROCEDURES,
        concept_ancestor=_above(("4030840", "900"), ("4327941", "902")),
    )

    assert_shows(
        found.extract.procedures,
        """
        date       | code      | code_system | treatment
        2010-01-01 | 4030840   | omop        | ect
        2010-01-02 | 228557008 | snomed      | cbt
        2010-01-03 | 4030840   | omop        | ect
        2010-01-04 | 999999    | snomed      | -
        """,
    )


def test_a_score_below_a_listed_one_is_that_scale() -> None:
    """A kind of PHQ-9 total is a PHQ-9; one below two scales is of neither."""
    rows = (
        "person_id,measurement_concept_id,measurement_date,value_as_number\n"
        "7,900,2010-01-01,12\n7,901,2010-01-02,13\n7,3042932,2010-01-03,14\n"
    )
    above = _above(("3042932", "900"), ("3042932", "901"), ("42868746", "901"))
    found = cleaned("omop", person=PERSON, measurement=rows, concept_ancestor=above)

    assert_shows(found.extract.scores, "date | scale | value\n2010-01-01 | phq9 | 12\n2010-01-03 | phq9 | 14")


def test_a_visit_below_an_inpatient_one_is_an_admission() -> None:
    """A ward that is not listed lies below the inpatient visit; below inpatient and outpatient it is inpatient."""
    visits = (
        "visit_occurrence_id,person_id,visit_concept_id,visit_start_date,visit_end_date\n"
        "1,7,900,2010-01-01,2010-01-05\n2,7,901,2010-02-01,2010-02-05\n"
        "3,7,902,2010-03-01,2010-03-05\n4,7,903,2010-04-01,2010-04-05\n"
    )
    above = _above(("9201", "900"), ("9202", "901"), ("9201", "902"), ("9202", "902"), ("42898160", "903"))
    found = cleaned("omop", person=PERSON, visit_occurrence=visits, concept_ancestor=above)

    assert_shows(found.extract.admissions, "start_date | end_date\n2010-01-01 | 2010-01-05\n2010-03-01 | 2010-03-05")


TEXTS = {path.stem: path.read_text() for path in (SCHEMAS / "codelists").glob("omop_*.csv")}


@pytest.mark.parametrize(
    ("name", "right", "wrong"),
    [("omop_visits", ",inpatient,", ",impatient,"), ("omop_drug_types", ",dispensed,", ",dispensd,")],
)
def test_a_list_says_only_words_that_are_known(name: str, right: str, wrong: str) -> None:
    """A misspelt setting or kind of supply is told with its line and the right spelling."""
    with pytest.raises(ImpasseError, match=rf"{name}.csv, line 2(.|\n)*Did you mean '{right.strip(',')}'"):
        concepts.parse(TEXTS | {name: TEXTS[name].replace(right, wrong, 1)})
