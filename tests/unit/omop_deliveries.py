"""Small OMOP deliveries for tests: rows that several tests need, and the shared data sets."""

from __future__ import annotations

import pytest

from impasse.flows.delivery import delivery
from impasse.schemas.delivered import Delivered
from tests.cleaning import Cleaned, clean
from tests.shipped import CODES
from tests.unit.deliveries import OMOP_LISTS, SHARED, study

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
    return delivery.open_delivery(study(kind="omop", path=name), SHARED, OMOP_LISTS)


def shared_cleaned(name: str) -> Cleaned:
    """A shared OMOP folder, cleaned."""
    return clean(shared(name), OMOP_LISTS, study(kind="omop", path=name, end=2024), CODES)
