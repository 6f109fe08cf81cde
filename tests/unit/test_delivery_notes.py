"""What is to be known of a delivery before its numbers are read, in sentences."""

from __future__ import annotations

from impasse.reports.words.delivery_notes import (
    exposure_end_sentences,
    missing_vocabulary_sentences,
    mixed_kind_sentences,
    note_sentences,
    one_day_sentences,
    other_kind_sentences,
    reading_sentences,
    refill_sentences,
    supply_kind_sentences,
)
from impasse.schemas.overrules import overruled
from impasse.schemas.study import SupplySection
from tests.unit.deliveries import OMOP_LISTS, layout, study


def test_kinds_of_supply_in_words() -> None:
    """Each kind that there is, counted as it is, also where it is few: the tables beside it tell as much."""
    many = [{"kind": "prescribed", "n": 100}, {"kind": "dispensed", "n": 1900}]
    few = [{"kind": "administered", "n": 4}, {"kind": "dispensed", "n": 1996}]

    assert supply_kind_sentences(many) == [
        "Kinds of supply, of 2,000 dispensings: 1,900 (95.0%) dispensed, 100 (5.0%) prescribed."
    ]
    assert supply_kind_sentences(few) == [
        "Kinds of supply, of 2,000 dispensings: 1,996 (99.8%) dispensed, 4 (0.2%) administered."
    ]
    assert supply_kind_sentences([{"kind": "unknown", "n": 5}]) == ["Kinds of supply, of 5 dispensings: all unknown."]
    assert supply_kind_sentences([]) == []


def test_missing_vocabulary_tables_in_words() -> None:
    """Each missing table with what is lost; of drugs only where there are some."""
    assert missing_vocabulary_sentences(["concept_ancestor"], has_drugs=False) == [
        "No row of the vocabulary table concept_ancestor is delivered: only the listed concepts themselves are found, "
        "not those below them."
    ]
    assert missing_vocabulary_sentences(["drug_strength"], has_drugs=True) == [
        "No row of the vocabulary table drug_strength is delivered: the dose a day is unknown, and drugs are not found "
        "by the ingredients that it lists.",
        "A drug of which no delivered table tells the ingredient is refused (no_atc_mapping).",
    ]
    assert missing_vocabulary_sentences([], has_drugs=True) == []


def test_what_it_means_that_refills_tell_how_long_supplies_last() -> None:
    """One sentence for each rule; under the rules of a study that states none, nothing."""
    waiting = SupplySection(rules=("ddd", "waiting_time_distribution"), waiting_time_percentile=90)
    rhythm = SupplySection(rules=("personal_refill_rhythm",))

    assert refill_sentences(SupplySection(), []) == []
    assert [sentence.split(":")[0] for sentence in refill_sentences(rhythm, [])] == [
        "Days of supply by personal_refill_rhythm reach about as far as the person's next refill"
    ]
    assert refill_sentences(waiting, [("N06AB06", 84), ("N06AX16", 1)]) == [
        "How long a supply lasts where nothing else tells, until 90% of the refills of its drug have come: "
        "N06AB06 84 days, N06AX16 1 day. Refills of a person after the same number of days count once. "
        "A drug that fewer than 50 persons have twice has no such length."
    ]
    assert "have come: known of no drug." in refill_sentences(waiting, [])[0]


ENDS = {"n_both": 100, "n_inclusive": 90, "n_exclusive": 10, "n_by_end": 40, "n_one_day": 10}


def test_end_dates_that_agree_with_the_study() -> None:
    """What the two columns say stands beside what the study states."""
    assert exposure_end_sentences(ENDS, "inclusive") == [
        "Of 100 drug exposures with days of supply and an end date, 90 (90.0%) end on the last day of the supply and "
        '10 (10.0%) on the day after it; source.exposure_end is "inclusive".'
    ]


def test_end_dates_that_disagree_with_the_study() -> None:
    """More for the other reading is a disagreement, as many is none; either says how far days are wrong."""
    even = ENDS | {"n_inclusive": 50, "n_exclusive": 50}
    one_more = ENDS | {"n_both": 101, "n_inclusive": 50, "n_exclusive": 51}

    assert "disagrees" not in exposure_end_sentences(even, "inclusive")[0]
    assert exposure_end_sentences(one_more, "inclusive")[0].endswith(
        'The delivery disagrees: if its end dates are "exclusive", exposures without days of supply are counted one '
        "day too long."
    )
    assert exposure_end_sentences(ENDS, "exclusive")[0].endswith("are counted one day too short.")


def test_end_dates_of_few_exposures_are_counted_too() -> None:
    """Four delivered rows are four rows; none say nothing."""
    few = {"n_both": 4, "n_inclusive": 4, "n_exclusive": 0}

    assert "Of 4 drug exposures" in exposure_end_sentences(few, "inclusive")[0]
    assert exposure_end_sentences(dict.fromkeys(ENDS, 0), "inclusive") == []


def test_exposures_that_end_on_the_day_they_start() -> None:
    """What they are taken for, and what to state if the end was only filled in; nothing where there are none."""
    unknown = study(kind="omop", exposure_of_one_day="unknown").source
    exclusive = study(kind="omop", exposure_end="exclusive").source
    (as_one_day,) = one_day_sentences(ENDS, study(kind="omop").source)
    (as_unknown,) = one_day_sentences(ENDS, unknown)

    assert as_one_day == (
        "Of 40 drug exposures with an end date and no days of supply, 10 (25.0%) end on the day they start and are not "
        "administered; they count as one day. If the start date was filled in for a missing end date, state "
        'source.exposure_of_one_day = "unknown".'
    )
    assert as_unknown.endswith("administered; their length is taken as unknown.")
    assert one_day_sentences(ENDS, exclusive) == []
    assert one_day_sentences(ENDS | {"n_one_day": 0}, unknown) == []


def test_a_drug_in_two_kinds_of_supply() -> None:
    """An order and its dispensing both count, and the reader is told what to state."""
    mixed = [{"kind": "dispensed", "n": 60, "n_beside": 20}, {"kind": "prescribed", "n": 20, "n_beside": 20}]
    few = [{"kind": "dispensed", "n": 60, "n_beside": 1}, {"kind": "prescribed", "n": 20, "n_beside": 1}]

    assert mixed_kind_sentences(mixed) == [
        "Of 80 dispensings, 40 (50.0%) are of a drug that the person also has in another kind of supply, and each "
        "counts. If an order and its dispensing or administration tell of one supply, name the kinds that are to be "
        "read in supply.kinds."
    ]
    assert mixed_kind_sentences(few)[0].startswith("Of 80 dispensings, 2 (2.5%) are of a drug")
    assert mixed_kind_sentences([{"kind": "dispensed", "n": 60, "n_beside": 0}]) == []


def test_dispensings_of_other_kinds() -> None:
    """What is accepted and not used is counted."""
    assert other_kind_sentences(12, ("dispensed",)) == [
        "Accepted dispensings that are not used, because supply.kinds reads dispensed only: 12."
    ]
    assert other_kind_sentences(4, ("dispensed",))[0].endswith(": 4.")
    assert other_kind_sentences(0, ("dispensed",)) == []


def test_a_registry_has_no_notes_on_concepts() -> None:
    """Rows not read and kinds of supply are told of every delivery, the rest of an OMOP CDM."""
    omop = {"missing_vocabulary": ["concept"], "has_drugs": False, "exposure_ends": ENDS}
    noted = {
        "unused": [{"file": "diag", "n": 7}],
        "reversals": {"n_taken_back": 0, "n_unmatched": 0, "n_unknown": 0},
        "n_coverage_of_others": 0,
        "kinds": [{"kind": "dispensed", "n": 10, "n_beside": 0}],
        "n_of_other_kinds": 0,
        "lengths": [],
        "midnights": [],
        "omop_notes": None,
    }

    assert len(note_sentences(noted, study())) == 2
    assert len(note_sentences(noted | {"unused": [], "omop_notes": omop}, study(kind="omop"))) == 4


def _read_so(rule: str, table: str, name: str = "swedish", **source: object) -> list[str]:
    chosen = study(**source)
    return reading_sentences([{"table": table, "rule": rule, "n": 3}], overruled(layout(name), chosen))


def test_how_amounts_are_read_is_told_where_one_could_not_be() -> None:
    """The columns, the decimal mark that is meant, and the setting that states it."""
    (comma,) = _read_so("supply_unreadable", "dispensings", decimal=",")
    (point,) = _read_so("supply_unreadable", "dispensings", decimal=".")
    (neither,) = _read_so("supply_unreadable", "dispensings")

    assert comma == (
        "Numbers of dispensings are read so: ANTAL and forpddd with a decimal comma: 28,000 is 28, and 1.000, which "
        "may be a thousand, is not read. If that is not how they are written, state source.decimal, or the decimal of "
        "the file in source.files."
    )
    assert "a decimal point: 28.000 is 28, and 1,000, which may be a thousand, is not read" in point
    assert "a point or a comma: 28.5 and 28,5 are read, and 1,000, which may be a thousand, is not" in neither


def test_how_other_cells_are_read_is_told_where_one_could_not_be() -> None:
    """Scores as amounts, dates by their formats, and nothing of a rule that is about no form."""
    assert "Numbers of scores are read so: value with" in _read_so("score_unreadable", "scores", "generic")[0]
    assert _read_so("date_unreadable", "deaths") == ["Dates of deaths are read so: dodsdat as %Y-%m-%d or %Y%m%d."]
    assert _read_so("code_missing", "diagnoses") == []


def test_how_cells_of_an_omop_model_are_read() -> None:
    """It has its own columns and forms."""
    rules = [{"table": "deaths", "rule": "date_unreadable"}, {"table": "dispensings", "rule": "supply_unreadable"}]
    dates, amounts = reading_sentences(rules, OMOP_LISTS)

    assert dates == "Dates of deaths are read so: %Y-%m-%d or %Y%m%d, whatever time stands after it."
    assert amounts.startswith("Numbers of dispensings are read so: quantity and days_supply with a point or a comma")
