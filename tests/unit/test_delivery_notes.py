"""What is to be known of a delivery before its numbers are read, in sentences."""

from __future__ import annotations

from reports.delivery_notes import (
    exposure_end_sentences,
    missing_vocabulary_sentences,
    note_sentences,
    supply_kind_sentences,
)
from tests.unit.deliveries import study


def test_kinds_of_supply_in_words() -> None:
    """Each kind that there is, as a share; counts under the threshold and their complements are not told."""
    many = [{"kind": "prescribed", "n": 100}, {"kind": "dispensed", "n": 1900}]
    few = [{"kind": "administered", "n": 4}, {"kind": "dispensed", "n": 1996}]

    assert supply_kind_sentences(many, 5) == [
        "Kinds of supply, of 2,000 dispensings: 95.0% dispensed, 5.0% prescribed."
    ]
    assert supply_kind_sentences(few, 5) == [
        "Kinds of supply, of 2,000 dispensings: all but fewer than 5 dispensed, fewer than 5 administered."
    ]
    assert supply_kind_sentences([{"kind": "unknown", "n": 5}], 5) == [
        "Kinds of supply, of 5 dispensings: all unknown."
    ]
    assert supply_kind_sentences([], 5) == []


def test_missing_vocabulary_tables_in_words() -> None:
    """Each missing table with what is lost; of drugs only where there are some."""
    assert missing_vocabulary_sentences(["concept_ancestor"], has_drugs=False) == [
        "The vocabulary table concept_ancestor is not delivered: only the listed concepts themselves are found, not "
        "those below them."
    ]
    assert missing_vocabulary_sentences(["drug_strength"], has_drugs=True) == [
        "The vocabulary table drug_strength is not delivered: the dose a day is unknown, and drugs are not found by "
        "the ingredients that it lists.",
        "A drug of which no delivered table tells the ingredient is refused (no_atc_mapping).",
    ]
    assert missing_vocabulary_sentences([], has_drugs=True) == []


ENDS = {"n_both": 100, "n_inclusive": 90, "n_exclusive": 10}


def test_end_dates_that_agree_with_the_study() -> None:
    """What the two columns say stands beside what the study states."""
    assert exposure_end_sentences(ENDS, "inclusive", 5) == [
        "Of 100 drug exposures with days of supply and an end date, 90.0% end on the last day of the supply and 10.0% "
        'on the day after it; source.exposure_end is "inclusive".'
    ]


def test_end_dates_that_disagree_with_the_study() -> None:
    """More for the other reading is a disagreement, as many is none; either says how far days are wrong."""
    even = {"n_both": 100, "n_inclusive": 50, "n_exclusive": 50}
    one_more = {"n_both": 101, "n_inclusive": 50, "n_exclusive": 51}

    assert "disagrees" not in exposure_end_sentences(even, "inclusive", 5)[0]
    assert exposure_end_sentences(one_more, "inclusive", 5)[0].endswith(
        'The delivery disagrees: if its end dates are "exclusive", exposures without days of supply are counted one '
        "day too long."
    )
    assert exposure_end_sentences(ENDS, "exclusive", 5)[0].endswith("are counted one day too short.")


def test_end_dates_of_few_exposures_are_not_counted_in_public() -> None:
    """Four exposures are fewer than five; none say nothing."""
    few = {"n_both": 4, "n_inclusive": 4, "n_exclusive": 0}

    assert "Of fewer than 5 drug exposures" in exposure_end_sentences(few, "inclusive", 5)[0]
    assert exposure_end_sentences(dict.fromkeys(ENDS, 0), "inclusive", 5) == []


def test_a_registry_has_no_notes_on_concepts() -> None:
    """Rows not read and kinds of supply are told of every delivery, the rest of an OMOP CDM."""
    omop = {"missing_vocabulary": ["concept"], "has_drugs": False, "exposure_ends": ENDS}
    noted = {
        "unused": [{"file": "diag", "n": 7}],
        "reversals": {"n_taken_back": 0, "n_unmatched": 0, "n_unknown": 0},
        "n_coverage_of_others": 0,
        "kinds": [{"kind": "dispensed", "n": 10}],
        "omop_notes": None,
    }

    assert len(note_sentences(noted, study())) == 2
    assert len(note_sentences(noted | {"unused": [], "omop_notes": omop}, study(kind="omop"))) == 3
