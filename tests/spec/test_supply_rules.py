"""Trial: how long a drug is in use where its supply is not taken as delivered, or not known."""

import pytest

from tests.spec.world import definition, extract, judged, study, trials
from tests.tables import assert_shows

# --- Only the dates of dispensings ------------------------------------------------------------------------------------


def _by_dates(gap: int = 182, adequacy: dict | None = None, **settings: object) -> object:
    trial = {"supply": "dates_only", "permissible_gap_days": gap} | settings
    return definition(trial=trial, adequacy=adequacy or {})


def test_a_drug_known_by_its_dates_lasts_from_the_first_to_the_last_dispensing() -> None:
    """Dispensed twice 182 days apart it was in use for 182 days; 183 days apart it was dispensed once, twice."""
    given = extract(
        dispensings="""
        person   | drug       | date       | days
        at_gap   | sertraline | 2010-01-01 | 30
        at_gap   | sertraline | 2010-07-02 | 30
        past_gap | sertraline | 2010-01-01 | 30
        past_gap | sertraline | 2010-07-03 | 30
        """
    )

    assert_shows(
        trials(given, _by_dates()),
        """
        person   | start_date | end_date   | n_days | days_covered | adherence | role
        at_gap   | 2010-01-01 | 2010-07-02 | 182    | 182          | 1.0       | first
        past_gap | 2010-01-01 | 2010-01-01 | 0      | 0            | -         | first
        past_gap | 2010-07-03 | 2010-07-03 | 0      | 0            | -         | resumed
        """,
    )


def test_days_that_are_not_read_say_nothing_of_the_order_on_a_day() -> None:
    """Of two supplies of one day the stronger is the one in use, whichever of them was to last longer."""
    given = extract(
        dispensings="""
        person      | drug       | date       | days | ddd
        weak_long   | sertraline | 2010-01-01 | 7    | 0.8
        weak_long   | sertraline | 2010-01-01 | 1    | 1.5
        weak_long   | sertraline | 2010-01-31 | 1    | 1.0
        strong_long | sertraline | 2010-01-01 | 1    | 0.8
        strong_long | sertraline | 2010-01-01 | 7    | 1.5
        strong_long | sertraline | 2010-01-31 | 1    | 1.0
        """
    )
    strong = {"drug": {"min_days": 28, "dose_basis": "ddd_ratio", "min_dose_ratio": 1.0}}

    assert_shows(
        judged(given, _by_dates(adequacy=strong)),
        """
        person      | is_adequate | adequacy_reason
        strong_long | true        | adequate
        weak_long   | true        | adequate
        """,
    )


def test_each_gap_counts_from_the_dispensing_before() -> None:
    """Three dispensings, each within the gap of the one before, are one trial."""
    given = extract(
        dispensings="""
        drug       | date       | days
        sertraline | 2010-01-01 | 30
        sertraline | 2010-05-01 | 30
        sertraline | 2010-09-01 | 30
        """
    )

    assert_shows(trials(given, _by_dates()), "start_date | end_date | n_days\n2010-01-01 | 2010-09-01 | 243")


@pytest.mark.parametrize("carry_over", [True, False], ids=["carry_over", "no_carry_over"])
@pytest.mark.parametrize("days", ["-", "1", "366"])
def test_what_was_dispensed_does_not_matter_where_only_dates_do(days: str, carry_over: bool) -> None:
    """An unknown, a short and a very long supply give the same trial, and nothing is left to carry over."""
    given = extract(
        dispensings=f"""
        drug       | date       | days
        sertraline | 2010-01-01 | {days}
        sertraline | 2010-02-01 | {days}
        """
    )

    assert_shows(
        trials(given, _by_dates(carry_over=carry_over)),
        "end_date | n_days | days_covered | has_unknown_supply\n2010-02-01 | 31 | 31 | false",
    )


def test_dispensings_28_days_apart_are_adequate_27_are_too_short() -> None:
    """Days from the first to the last dispensing are asked for; one dispensing alone has none."""
    given = extract(
        dispensings="""
        person    | drug       | date       | days
        enough    | sertraline | 2010-01-01 | 30
        enough    | sertraline | 2010-01-29 | 30
        one_short | sertraline | 2010-01-01 | 30
        one_short | sertraline | 2010-01-28 | 30
        once      | sertraline | 2010-01-01 | 90
        """
    )

    assert_shows(
        judged(given, _by_dates(adequacy={"drug": {"min_days": 28, "duration_basis": "covered"}})),
        """
        person    | is_adequate | adequacy_reason
        enough    | true        | adequate
        one_short | false       | too_short
        once      | false       | too_short
        """,
    )


def test_a_drug_known_by_its_dates_was_taken_throughout() -> None:
    """However far apart the dispensings, adherence is complete; of a trial without any day there is none."""
    given = extract(
        dispensings="""
        person | drug       | date       | days
        sparse | sertraline | 2010-01-01 | 1
        sparse | sertraline | 2010-06-01 | 1
        once   | sertraline | 2010-01-01 | 90
        """
    )
    rule = _by_dates(adequacy={"drug": {"min_days": 0, "min_pdc_percent": 100}})

    assert_shows(
        judged(given, rule),
        "person | is_adequate | adequacy_reason\nsparse | true | adequate\nonce | false | low_adherence",
    )


def test_days_at_dose_run_to_the_next_dispensing() -> None:
    """Each dose lasts until the next dispensing, the last one no day: 28 days at 50 mg are enough, 27 are not."""
    given = extract(
        dispensings="""
        person    | drug       | date       | days | dose_mg
        enough    | sertraline | 2010-01-01 | 30   | 25
        enough    | sertraline | 2010-01-15 | 30   | 50
        enough    | sertraline | 2010-02-12 | 30   | 25
        one_short | sertraline | 2010-01-01 | 30   | 25
        one_short | sertraline | 2010-01-15 | 30   | 50
        one_short | sertraline | 2010-02-11 | 30   | 200
        """
    )
    rule = _by_dates(adequacy={"drug": {"min_days": 28, "dose_basis": "minimum_effective"}})

    assert_shows(
        judged(given, rule),
        "person | is_adequate | adequacy_reason\nenough | true | adequate\none_short | false | underdosed",
    )


def test_drugs_known_by_their_dates_overlap_from_the_first_to_the_last_dispensing() -> None:
    """Both in use on 28 days, the last dispensing's day included, is together; on 27 one replaced the other."""
    given = extract(
        dispensings="""
        person    | drug        | date       | days
        together  | sertraline  | 2010-01-01 | 1
        together  | sertraline  | 2010-03-01 | 1
        together  | venlafaxine | 2010-02-02 | 1
        together  | venlafaxine | 2010-03-01 | 1
        one_short | sertraline  | 2010-01-01 | 90
        one_short | sertraline  | 2010-03-01 | 90
        one_short | venlafaxine | 2010-02-03 | 90
        one_short | venlafaxine | 2010-04-01 | 90
        """
    )

    assert_shows(
        trials(given, _by_dates(overlap_days=28)),
        """
        person    | drug        | role
        together  | sertraline  | first
        together  | venlafaxine | combination
        one_short | sertraline  | first
        one_short | venlafaxine | switch
        """,
    )


def test_a_drug_known_by_its_dates_is_ongoing_until_the_gap_has_passed() -> None:
    """Last dispensed on 1 January with a gap of 30 days: observed until 31 January it was over, a day less not."""
    given = extract(
        coverage="""
        person  | start_date | end_date
        ongoing | 2005-01-01 | 2010-01-30
        over    | 2005-01-01 | 2010-01-31
        """,
        diagnoses="person | date\nongoing | 2010-01-01\nover | 2010-01-01",
        dispensings="""
        person  | drug       | date       | days
        ongoing | sertraline | 2010-01-01 | 90
        over    | sertraline | 2010-01-01 | 90
        """,
    )

    assert_shows(trials(given, _by_dates(gap=30)), "person | is_ongoing\nongoing | true\nover | false")


# --- A drug dispensed once --------------------------------------------------------------------------------------------


def _until_next(days: int = 90, **settings: object) -> object:
    return definition(trial={"single_dispensing_days": days} | settings)


_ONCE = extract(
    dispensings="""
    person     | drug        | date       | days
    at_limit   | sertraline  | 2010-01-01 | 10
    at_limit   | venlafaxine | 2010-04-01 | 30
    past_limit | sertraline  | 2010-01-01 | 10
    past_limit | venlafaxine | 2010-04-02 | 30
    """
)


def test_a_drug_dispensed_once_lasts_until_the_next_drug_within_the_limit() -> None:
    """With the next drug 90 days after it, ten days of sertraline are taken as 90; after 91 days as ten."""
    assert_shows(
        trials(_ONCE, _until_next(90)),
        """
        person     | drug        | end_date   | n_days | days_covered | role
        at_limit   | sertraline  | 2010-03-31 | 90     | 90           | first
        at_limit   | venlafaxine | 2010-04-30 | 30     | 30           | switch
        past_limit | sertraline  | 2010-01-10 | 10     | 10           | first
        past_limit | venlafaxine | 2010-05-01 | 30     | 30           | switch
        """,
    )


def test_without_a_limit_supply_stays_as_it_was_dispensed() -> None:
    """A limit of 0 days is none."""
    assert_shows(
        trials(_ONCE, _until_next(0)).filter(drug="sertraline"), "person | n_days\nat_limit | 10\npast_limit | 10"
    )


def test_only_what_was_dispensed_on_a_single_day_is_drawn_out() -> None:
    """A second day tells how long the drug was taken; two packages of one day, or one row for both, are the same."""
    given = extract(
        dispensings="""
        person  | drug        | date       | days
        once    | sertraline  | 2010-01-01 | 10
        once    | venlafaxine | 2010-03-02 | 30
        twice   | sertraline  | 2010-01-01 | 10
        twice   | sertraline  | 2010-01-11 | 10
        twice   | venlafaxine | 2010-03-02 | 30
        one_day | sertraline  | 2010-01-01 | 10
        one_day | sertraline  | 2010-01-01 | 12
        one_day | venlafaxine | 2010-03-02 | 30
        """
    )

    assert_shows(
        trials(given, _until_next()).filter(drug="sertraline"), "person | n_days\nonce | 60\ntwice | 20\none_day | 60"
    )


def test_a_single_supply_of_unknown_length_becomes_known_by_the_next_drug() -> None:
    """Dispensed once for an unknown time: until the next drug, if that is near enough, else it stays unknown."""
    given = extract(
        dispensings="""
        person     | drug        | date       | days
        at_limit   | sertraline  | 2010-01-01 | -
        at_limit   | venlafaxine | 2010-04-01 | 30
        past_limit | sertraline  | 2010-01-01 | -
        past_limit | venlafaxine | 2010-04-02 | 30
        """
    )

    assert_shows(
        judged(given, _until_next(90)).filter(drug="sertraline"),
        """
        person     | end_date   | n_days | has_unknown_supply | is_adequate | adequacy_reason
        at_limit   | 2010-03-31 | 90     | false              | true        | adequate
        past_limit | 2010-01-01 | 0      | true               | -           | duration_unknown
        """,
    )


def test_a_supply_that_reaches_the_next_drug_is_left_as_it_is() -> None:
    """100 days in hand when the next drug starts on day 60 stay 100; so do the 60 that end just then."""
    given = extract(
        dispensings="""
        person     | drug        | date       | days
        beyond     | sertraline  | 2010-01-01 | 100
        beyond     | venlafaxine | 2010-03-02 | 90
        just_then  | sertraline  | 2010-01-01 | 60
        just_then  | venlafaxine | 2010-03-02 | 90
        day_before | sertraline  | 2010-01-01 | 59
        day_before | venlafaxine | 2010-03-02 | 90
        """
    )

    assert_shows(
        trials(given, _until_next()).filter(drug="sertraline"),
        "person | n_days\nbeyond | 100\njust_then | 60\nday_before | 60",
    )


def test_only_another_drug_that_starts_later_ends_a_single_supply() -> None:
    """No further drug, a return to the same one, or one started on the same day: nothing tells when it ended."""
    given = extract(
        dispensings="""
        person    | drug        | date       | days
        no_other  | sertraline  | 2010-01-01 | 10
        returned  | sertraline  | 2010-01-01 | 10
        returned  | sertraline  | 2010-03-02 | 10
        same_day  | sertraline  | 2010-01-01 | 10
        same_day  | venlafaxine | 2010-01-01 | 10
        day_after | sertraline  | 2010-01-01 | 10
        day_after | venlafaxine | 2010-01-01 | 10
        day_after | mirtazapine | 2010-01-12 | 10
        """
    )

    assert_shows(
        trials(given, _until_next()),
        """
        person    | drug        | start_date | n_days
        no_other  | sertraline  | 2010-01-01 | 10
        returned  | sertraline  | 2010-01-01 | 10
        returned  | sertraline  | 2010-03-02 | 10
        same_day  | sertraline  | 2010-01-01 | 10
        same_day  | venlafaxine | 2010-01-01 | 10
        day_after | sertraline  | 2010-01-01 | 11
        day_after | venlafaxine | 2010-01-01 | 11
        day_after | mirtazapine | 2010-01-12 | 10
        """,
    )


def test_an_augmenter_that_is_no_trial_ends_a_single_supply_too() -> None:
    """Lithium is looked at before roles are: sertraline lasts until it, and lithium was added to nothing."""
    given = extract(
        dispensings="""
        drug       | date       | days
        sertraline | 2010-01-01 | 10
        lithium    | 2010-02-01 | 60
        """
    )

    assert_shows(trials(given, _until_next()), "drug | end_date | n_days | n_add_ons\nsertraline | 2010-01-31 | 31 | 0")


def test_all_single_supplies_are_drawn_out_at_once() -> None:
    """Of three drugs dispensed once each, each lasts until the next one starts, the last as dispensed."""
    given = extract(
        dispensings="""
        drug        | date       | days
        sertraline  | 2010-01-01 | 10
        venlafaxine | 2010-02-01 | 10
        mirtazapine | 2010-03-01 | 10
        """
    )

    assert_shows(
        trials(given, _until_next()),
        """
        drug        | n_days | role
        sertraline  | 31     | first
        venlafaxine | 28     | switch
        mirtazapine | 10     | switch
        """,
    )


def test_a_drawn_out_supply_keeps_its_dose() -> None:
    """31 days of 50 mg reach the minimum effective dose, 31 days of 25 mg do not."""
    given = extract(
        dispensings="""
        person | drug        | date       | days | dose_mg
        at     | sertraline  | 2010-01-01 | 10   | 50
        at     | venlafaxine | 2010-02-01 | 10   | 75
        below  | sertraline  | 2010-01-01 | 10   | 25
        below  | venlafaxine | 2010-02-01 | 10   | 75
        """
    )
    dose = {"drug": {"min_days": 28, "dose_basis": "minimum_effective", "min_pdc_percent": 100}}
    rule = definition(trial={"single_dispensing_days": 90}, adequacy=dose)

    assert_shows(
        judged(given, rule).filter(drug="sertraline"),
        "person | dose_mg | adequacy_reason\nat | 50.0 | adequate\nbelow | 25.0 | underdosed",
    )


# --- Supply of unknown duration ---------------------------------------------------------------------------------------

_UNKNOWN_TOGETHER = extract(
    dispensings="""
    person    | drug        | date       | days
    together  | sertraline  | 2010-01-01 | -
    together  | sertraline  | 2010-01-29 | -
    together  | venlafaxine | 2010-01-02 | 60
    one_short | sertraline  | 2010-01-01 | -
    one_short | sertraline  | 2010-01-29 | -
    one_short | venlafaxine | 2010-01-03 | 60
    """
)


def test_a_drug_of_unknown_supply_is_in_use_until_it_was_last_dispensed() -> None:
    """Last dispensed on 29 January: with a drug started on 2 January for 28 days, on 3 January for 27 or more."""
    assert_shows(
        trials(_UNKNOWN_TOGETHER, definition(trial={"overlap_days": 28})),
        """
        person    | drug        | end_date   | role
        together  | sertraline  | 2010-01-29 | first
        together  | venlafaxine | 2010-03-02 | combination
        one_short | sertraline  | 2010-01-29 | first
        one_short | venlafaxine | 2010-03-03 | combination
        """,
    )


def test_an_added_drug_of_unknown_supply_is_in_use_until_it_was_last_dispensed() -> None:
    """Lithium dispensed twice, 27 days apart, was taken on 28 days with sertraline; 26 days apart on 27."""
    given = extract(
        dispensings="""
        person    | drug       | date       | days
        together  | sertraline | 2010-01-01 | 120
        together  | lithium    | 2010-02-01 | -
        together  | lithium    | 2010-02-28 | -
        one_short | sertraline | 2010-01-01 | 120
        one_short | lithium    | 2010-02-01 | -
        one_short | lithium    | 2010-02-27 | -
        """
    )

    assert_shows(
        trials(given, definition(trial={"overlap_days": 28})),
        """
        person    | drug       | role
        together  | sertraline | first
        together  | lithium    | augmentation
        one_short | sertraline | first
        """,
    )


def test_a_drug_begun_27_known_days_before_an_unknown_end_was_added_or_followed() -> None:
    """28 known days together are an add-on; of 27 and perhaps more it is not known whether they are one or a switch."""
    columns = "person | has_failed | outcome_evidence"
    added = definition(outcome={"change_signs": ["add_on"]})
    changed = definition(outcome={"change_signs": ["switch"]})
    either = definition(outcome={"change_signs": ["switch", "add_on"]})

    assert_shows(
        judged(_UNKNOWN_TOGETHER, added).filter(drug="sertraline"),
        f"{columns}\ntogether | true | add_on\none_short | - | unknown_overlap",
    )
    assert_shows(
        judged(_UNKNOWN_TOGETHER, changed).filter(drug="sertraline"),
        f"{columns}\ntogether | false | no_change\none_short | - | unknown_overlap",
    )
    assert_shows(
        judged(_UNKNOWN_TOGETHER, either).filter(drug="sertraline"),
        f"{columns}\ntogether | true | add_on\none_short | true | switch_or_add_on",
    )


def test_the_time_allowed_runs_from_the_last_dispensing_of_unknown_supply() -> None:
    """Within 30 days of the last dispensing on 29 January: a score on 28 February counts, on 1 March it does not."""
    given = extract(
        dispensings="""
        person   | drug       | date       | days
        in_time  | sertraline | 2010-01-01 | -
        in_time  | sertraline | 2010-01-29 | -
        too_late | sertraline | 2010-01-01 | -
        too_late | sertraline | 2010-01-29 | -
        """,
        scores="person | date | value\nin_time | 2010-02-28 | 20\ntoo_late | 2010-03-01 | 20",
    )
    scale = {"scale": "hamd17", "fails_if": "score_above", "value": 7}
    rule = definition(outcome={"evidence": ["scales"], "scales": [scale], "score_days_after_end": 30})

    assert_shows(judged(given, rule, by=study()), "person | has_failed\nin_time | true\ntoo_late | -")
