"""Adequacy: was the trial long and strong enough?"""

import pytest

from tests.spec.world import definition, extract, judged
from tests.tables import assert_shows


def test_27_days_are_too_short_28_are_enough() -> None:
    """A trial of four weeks needs 28 days."""
    given = extract(
        dispensings="""
        person    | drug       | date       | days
        one_short | sertraline | 2010-01-01 | 27
        enough    | sertraline | 2010-01-01 | 28
        """
    )

    assert_shows(
        judged(given, definition(adequacy={"drug": {"min_days": 28}})),
        """
        person    | is_adequate | adequacy_reason
        one_short | false       | too_short
        enough    | true        | adequate
        """,
    )


_MINIMUM_DOSE = definition(adequacy={"drug": {"dose_basis": "minimum_effective", "min_dose_ratio": 1.0}})


def test_the_minimum_effective_dose_is_enough_one_step_below_is_not() -> None:
    """Sertraline 50 mg is the minimum effective dose; 25 mg, or a milligram less, is underdosed."""
    given = extract(
        dispensings="""
        person     | drug       | date       | days | dose_mg
        at_minimum | sertraline | 2010-01-01 | 56   | 50
        step_below | sertraline | 2010-01-01 | 56   | 25
        just_below | sertraline | 2010-01-01 | 56   | 49
        """
    )

    assert_shows(
        judged(given, _MINIMUM_DOSE),
        """
        person     | is_adequate | adequacy_reason
        at_minimum | true        | adequate
        step_below | false       | underdosed
        just_below | false       | underdosed
        """,
    )


def test_a_ratio_asks_for_a_multiple_of_the_minimum_dose() -> None:
    """At one and a half times the minimum, venlafaxine needs 112.5 mg."""
    given = extract(
        dispensings="""
        person | drug        | date       | days | dose_mg
        at     | venlafaxine | 2010-01-01 | 56   | 112.5
        below  | venlafaxine | 2010-01-01 | 56   | 112
        """
    )
    rule = definition(adequacy={"drug": {"dose_basis": "minimum_effective", "min_dose_ratio": 1.5}})

    assert_shows(judged(given, rule), "person | is_adequate\nat | true\nbelow | false")


def test_dose_in_defined_daily_doses() -> None:
    """Two thirds of a defined daily dose is met by 0.67 DDD a day and missed by 0.66."""
    given = extract(
        dispensings="""
        person | drug       | date       | days | ddd
        at     | sertraline | 2010-01-01 | 56   | 0.67
        below  | sertraline | 2010-01-01 | 56   | 0.66
        """
    )
    rule = definition(adequacy={"drug": {"dose_basis": "ddd_ratio", "min_dose_ratio": 0.67}})

    assert_shows(judged(given, rule), "person | is_adequate\nat | true\nbelow | false")


def test_another_table_of_doses_may_judge_differently() -> None:
    """Bupropion 150 mg reaches the minimum effective dose, not the lower end of the usual range."""
    given = extract(dispensings="drug | date | days | dose_mg\nN06AX12 | 2010-01-01 | 56 | 150")
    usual = definition(adequacy={"drug": {"dose_basis": "usual_dose_lower", "min_dose_ratio": 1.0}})

    assert_shows(judged(given, _MINIMUM_DOSE), "is_adequate\ntrue")
    assert_shows(judged(given, usual), "adequacy_reason\nunderdosed")


def test_what_is_taken_as_equal_to_600_mg_of_chlorpromazine_is_enough() -> None:
    """8 mg of haloperidol are enough, 7 are not; where no such dose is listed, or no dose recorded, it is open."""
    given = extract(
        dispensings="""
        person      | drug       | date       | days | dose_mg
        at          | N05AD01    | 2010-01-01 | 56   | 8
        below       | N05AD01    | 2010-01-01 | 56   | 7
        itself      | N05AA01    | 2010-01-01 | 56   | 600
        unlisted    | N05AH02    | 2010-01-01 | 56   | 600
        no_dose     | N05AD01    | 2010-01-01 | 56   | -
        """
    )
    rule = definition(
        trial={"treatments": ["antipsychotics"], "augmenters": []},
        adequacy={"drug": {"dose_basis": "chlorpromazine_600", "min_dose_ratio": 1.0}},
    )

    assert_shows(
        judged(given, rule),
        """
        person   | is_adequate | adequacy_reason
        at       | true        | adequate
        below    | false       | underdosed
        itself   | true        | adequate
        unlisted | -           | dose_unknown
        no_dose  | -           | dose_unknown
        """,
    )


def test_an_instrument_has_minimum_doses_of_its_own() -> None:
    """150 mg of venlafaxine are the ATRQ's minimum, 149 are not; of tianeptine it has none, which leaves it open."""
    given = extract(
        dispensings="""
        person   | drug    | date       | days | dose_mg
        at       | N06AX16 | 2010-01-01 | 56   | 150
        below    | N06AX16 | 2010-01-01 | 56   | 149
        unlisted | N06AX14 | 2010-01-01 | 56   | 37.5
        no_dose  | N06AX16 | 2010-01-01 | 56   | -
        """
    )
    rule = definition(adequacy={"drug": {"dose_basis": "atrq", "min_dose_ratio": 1.0}})

    assert_shows(
        judged(given, rule),
        """
        person   | is_adequate | adequacy_reason
        at       | true        | adequate
        below    | false       | underdosed
        unlisted | -           | dose_unknown
        no_dose  | -           | dose_unknown
        """,
    )


def test_titration_counts_the_days_at_dose_not_the_mean() -> None:
    """Two weeks of 25 mg, then 28 days of 50 mg: enough days at dose though the mean is below; 27 are not."""
    given = extract(
        dispensings="""
        person    | drug       | date       | days | dose_mg
        enough    | sertraline | 2010-01-01 | 14   | 25
        enough    | sertraline | 2010-01-15 | 28   | 50
        one_short | sertraline | 2010-01-01 | 14   | 25
        one_short | sertraline | 2010-01-15 | 27   | 50
        """
    )

    assert_shows(
        judged(given, _MINIMUM_DOSE),
        """
        person    | n_days | is_adequate | adequacy_reason
        enough    | 42     | true        | adequate
        one_short | 41     | false       | underdosed
        """,
    )


def test_a_high_dose_does_not_make_up_for_days_below() -> None:
    """Two weeks of 25 mg and two of 200 mg: the mean is high, the days at dose are only 14."""
    given = extract(
        dispensings="""
        drug       | date       | days | dose_mg
        sertraline | 2010-01-01 | 14   | 25
        sertraline | 2010-01-15 | 14   | 200
        """
    )

    assert_shows(judged(given, _MINIMUM_DOSE), "is_adequate | adequacy_reason\nfalse | underdosed")


def test_an_unknown_dose_matters_only_where_it_could_change_the_answer() -> None:
    """14 days of unknown dose: enough without them, hopeless even with them, or left open."""
    given = extract(
        dispensings="""
        person         | drug       | date       | days | dose_mg
        enough_without | sertraline | 2010-01-01 | 28   | 50
        enough_without | sertraline | 2010-01-29 | 14   | -
        hopeless       | sertraline | 2010-01-01 | 13   | 50
        hopeless       | sertraline | 2010-01-14 | 14   | -
        hopeless       | sertraline | 2010-01-28 | 28   | 25
        left_open      | sertraline | 2010-01-01 | 14   | 50
        left_open      | sertraline | 2010-01-15 | 14   | -
        """
    )

    assert_shows(
        judged(given, _MINIMUM_DOSE),
        """
        person         | is_adequate | adequacy_reason
        enough_without | true        | adequate
        hopeless       | false       | underdosed
        left_open      | -           | dose_unknown
        """,
    )


def test_a_drug_without_a_listed_minimum_dose_cannot_be_judged_by_it() -> None:
    """A drug delivered only as its class has no minimum dose: long enough, its strength is unknown."""
    given = extract(
        dispensings="""
        person | drug              | date       | days | dose_mg
        long   | an_antidepressant | 2010-01-01 | 28   | 50
        short  | an_antidepressant | 2010-01-01 | 27   | 50
        """
    )

    assert_shows(
        judged(given, _MINIMUM_DOSE),
        """
        person | is_adequate | adequacy_reason
        long   | -           | dose_unknown
        short  | false       | too_short
        """,
    )


def test_any_dose_needs_no_dose() -> None:
    """A rule that does not look at doses judges trials without a recorded dose."""
    given = extract(dispensings="drug | date | days | dose_mg\nsertraline | 2010-01-01 | 28 | -")

    assert_shows(judged(given, definition(adequacy={"drug": {"dose_basis": "any"}})), "is_adequate\ntrue")


def test_a_supply_of_unknown_duration_may_have_been_long_enough() -> None:
    """Unknown duration is never too short; known supplies that suffice settle it."""
    given = extract(
        dispensings="""
        person         | drug       | date       | days
        never_known    | sertraline | 2010-01-01 | -
        enough_known   | sertraline | 2010-01-01 | 28
        enough_known   | sertraline | 2010-01-29 | -
        too_few_known  | sertraline | 2010-01-01 | 27
        too_few_known  | sertraline | 2010-01-28 | -
        """
    )

    assert_shows(
        judged(given, definition(adequacy={"drug": {"min_days": 28}})),
        """
        person        | is_adequate | adequacy_reason
        never_known   | -           | duration_unknown
        enough_known  | true        | adequate
        too_few_known | -           | duration_unknown
        """,
    )


_COVERED_79_80 = extract(
    dispensings="""
    person | drug       | date       | days
    at_80  | sertraline | 2010-01-01 | 60
    at_80  | sertraline | 2010-03-22 | 20
    at_79  | sertraline | 2010-01-01 | 59
    at_79  | sertraline | 2010-03-22 | 20
    """
)


def test_adherence_of_80_percent_is_enough_79_is_not() -> None:
    """80 of 100 days covered is adherent to a demand of 80 percent; 79 is low adherence."""
    rule = definition(adequacy={"drug": {"min_pdc_percent": 80}})

    assert_shows(
        judged(_COVERED_79_80, rule),
        """
        person | n_days | days_covered | is_adequate | adequacy_reason
        at_80  | 100    | 80           | true        | adequate
        at_79  | 100    | 79           | false       | low_adherence
        """,
    )


def test_without_a_demand_adherence_does_not_matter() -> None:
    """A demand of 0 percent is no demand."""
    rule = definition(adequacy={"drug": {"min_pdc_percent": 0}})

    assert_shows(judged(_COVERED_79_80, rule), "person | is_adequate\nat_80 | true\nat_79 | true")


_MORE_THAN_NEEDED = extract(
    dispensings="""
    person  | drug       | date       | days
    at_100  | sertraline | 2010-01-01 | 30
    at_100  | sertraline | 2010-01-11 | 10
    at_100  | sertraline | 2010-02-10 | 10
    at_98   | sertraline | 2010-01-01 | 30
    at_98   | sertraline | 2010-01-11 | 9
    at_98   | sertraline | 2010-02-10 | 10
    """
)


def test_a_possession_ratio_adds_up_what_was_handed_out() -> None:
    """Of 50 days 40 are covered; 50 or 49 were handed out for them, ten or nine while there was supply."""
    pdc = definition(trial={"carry_over": False}, adequacy={"drug": {"min_pdc_percent": 81}})
    mpr = definition(trial={"carry_over": False}, adequacy={"drug": {"min_mpr_percent": 100}})
    both = definition(trial={"carry_over": False}, adequacy={"drug": {"min_pdc_percent": 81, "min_mpr_percent": 100}})

    assert_shows(judged(_MORE_THAN_NEEDED, pdc), "person | is_adequate\nat_100 | false\nat_98 | false")
    assert_shows(judged(_MORE_THAN_NEEDED, both), "person | is_adequate\nat_100 | false\nat_98 | false")
    assert_shows(
        judged(_MORE_THAN_NEEDED, mpr),
        """
        person | n_days | days_covered | is_adequate | adequacy_reason
        at_100 | 50     | 40           | true        | adequate
        at_98  | 50     | 40           | false       | low_adherence
        """,
    )


def test_a_possession_ratio_may_exceed_1() -> None:
    """30 and 15 days handed out over 30 are 150 percent; 151 are not reached."""
    given = extract(dispensings="drug | date | days\nsertraline | 2010-01-01 | 30\nsertraline | 2010-01-11 | 15")
    rules = [
        definition(trial={"carry_over": False}, adequacy={"drug": {"min_mpr_percent": percent}})
        for percent in (150, 151)
    ]

    assert_shows(judged(given, rules[0]), "n_days | is_adequate\n30 | true")
    assert_shows(judged(given, rules[1]), "n_days | is_adequate\n30 | false")


@pytest.mark.parametrize("which", ["min_pdc_percent", "min_mpr_percent"])
def test_adherence_may_be_that_of_the_first_days(which: str) -> None:
    """Of the first 50 days 40 are covered, of all 140 more; a trial of 40 days has 40 of 50 too, one of 39 has not."""
    given = extract(
        dispensings="""
        person  | drug       | date       | days
        longer  | sertraline | 2010-01-01 | 40
        longer  | sertraline | 2010-02-20 | 90
        shorter | sertraline | 2010-01-01 | 40
        short   | sertraline | 2010-01-01 | 39
        """
    )
    first = definition(adequacy={"drug": {which: 80, "adherence_window_days": 50}})
    more = definition(adequacy={"drug": {which: 81, "adherence_window_days": 50}})
    whole = definition(adequacy={"drug": {which: 92}})

    assert_shows(judged(given, first), "person | is_adequate\nlonger | true\nshorter | true\nshort | false")
    assert_shows(judged(given, more), "person | is_adequate\nlonger | false\nshorter | false\nshort | false")
    assert_shows(judged(given, whole), "person | is_adequate\nlonger | true\nshorter | true\nshort | true")


@pytest.mark.parametrize(("percent", "is_adequate"), [(100, "true"), (101, "false")])
def test_a_window_ends_with_observation(percent: int, is_adequate: str) -> None:
    """30 days were handed out and 30 seen, of the first 90 that were asked about; if alive, more may have come."""

    def seen(death: str) -> object:
        return extract(
            persons=f"death_date\n{death}",
            coverage="start_date | end_date\n2000-01-01 | 2010-01-30",
            dispensings="drug | date | days\nsertraline | 2010-01-01 | 30",
        )

    rule = definition(adequacy={"drug": {"min_mpr_percent": percent, "adherence_window_days": 90}})

    assert_shows(judged(seen("2010-01-30"), rule), f"is_adequate\n{is_adequate}")
    assert_shows(judged(seen("-"), rule), "is_adequate | adequacy_reason\n- | duration_unknown")


@pytest.mark.parametrize(("day", "is_adequate"), [("2010-02-19", "-"), ("2010-02-20", "true")])
def test_a_supply_of_unknown_duration_after_the_window_hides_nothing(day: str, is_adequate: str) -> None:
    """On the 50th day it may have lasted for ever, on the 51st it is not looked at."""
    given = extract(dispensings=f"drug | date | days\nsertraline | 2010-01-01 | 40\nsertraline | {day} | -")
    rule = definition(adequacy={"drug": {"min_pdc_percent": 80, "adherence_window_days": 50}})

    assert_shows(judged(given, rule), f"is_adequate\n{is_adequate}")


def test_a_possession_ratio_where_only_dates_are_read() -> None:
    """What is in use is handed out: all of the trial's days."""
    given = extract(dispensings="drug | date | days\nsertraline | 2010-01-01 | 5\nsertraline | 2010-01-31 | 5")
    rule = definition(trial={"supply": "dates_only"}, adequacy={"drug": {"min_mpr_percent": 100, "min_days": 30}})

    assert_shows(judged(given, rule), "is_adequate\ntrue")


def test_adherence_is_unknown_where_a_duration_is() -> None:
    """Long enough by what is known, but how much was covered cannot be told."""
    given = extract(
        dispensings="""
        drug       | date       | days
        sertraline | 2010-01-01 | 28
        sertraline | 2010-01-29 | -
        """
    )
    rule = definition(adequacy={"drug": {"min_pdc_percent": 80}})

    assert_shows(judged(given, rule), "is_adequate | adequacy_reason\n- | duration_unknown")


def test_low_adherence_settles_a_trial_of_unknown_dose() -> None:
    """Where adherence is surely too low, the dose no longer matters."""
    given = extract(
        dispensings="""
        drug       | date       | days | dose_mg
        sertraline | 2010-01-01 | 30   | -
        sertraline | 2010-03-02 | 30   | -
        """
    )
    rule = definition(adequacy={"drug": {"dose_basis": "minimum_effective", "min_pdc_percent": 80}})

    assert_shows(judged(given, rule), "is_adequate | adequacy_reason\nfalse | low_adherence")


@pytest.mark.parametrize(
    ("basis", "expected"), [("span", "true | adequate"), ("covered", "false | too_short")], ids=["span", "covered"]
)
def test_days_may_be_counted_from_first_to_last_or_as_covered(basis: str, expected: str) -> None:
    """Two supplies of 20 days with a gap of 20: 60 days from first to last, 40 days covered."""
    given = extract(
        dispensings="""
        drug       | date       | days
        sertraline | 2010-01-01 | 20
        sertraline | 2010-02-10 | 20
        """
    )
    rule = definition(adequacy={"drug": {"min_days": 56, "duration_basis": basis}})

    assert_shows(judged(given, rule), f"is_adequate | adequacy_reason\n{expected}")


def test_covered_days_suffice_exactly_at_the_minimum() -> None:
    """40 covered days are enough for 40, not for 41."""
    given = extract(
        dispensings="""
        drug       | date       | days
        sertraline | 2010-01-01 | 20
        sertraline | 2010-02-10 | 20
        """
    )

    assert_shows(
        judged(given, definition(adequacy={"drug": {"min_days": 40, "duration_basis": "covered"}})),
        "is_adequate\ntrue",
    )
    assert_shows(
        judged(given, definition(adequacy={"drug": {"min_days": 41, "duration_basis": "covered"}})),
        "is_adequate\nfalse",
    )


def test_a_gap_counts_at_the_dose_before_it_when_days_run_from_first_to_last() -> None:
    """Over the span, the days until the next supply belong to the dose last dispensed."""
    given = extract(
        dispensings="""
        drug       | date       | days | dose_mg
        sertraline | 2010-01-01 | 14   | 50
        sertraline | 2010-01-29 | 14   | 25
        """
    )
    by_span = definition(adequacy={"drug": {"dose_basis": "minimum_effective", "duration_basis": "span"}})
    by_cover = definition(adequacy={"drug": {"dose_basis": "minimum_effective", "duration_basis": "covered"}})

    assert_shows(judged(given, by_span), "is_adequate | adequacy_reason\ntrue | adequate")
    assert_shows(judged(given, by_cover), "is_adequate | adequacy_reason\nfalse | underdosed")


def test_augmentation_has_a_rule_of_its_own() -> None:
    """35 days of lithium are enough for a rule of five weeks of augmentation, not for one of 36 days."""
    given = extract(
        dispensings="""
        drug       | date       | days
        sertraline | 2010-01-01 | 120
        lithium    | 2010-02-01 | 35
        """
    )

    assert_shows(
        judged(given, definition(adequacy={"augmentation": {"min_days": 35}})),
        "drug | is_adequate\nsertraline | true\nlithium | true",
    )
    assert_shows(
        judged(given, definition(adequacy={"augmentation": {"min_days": 36}})),
        "drug | adequacy_reason\nsertraline | adequate\nlithium | too_short",
    )


def test_psychotherapy_needs_weeks_and_sessions() -> None:
    """Three sessions over 29 days: exactly enough; one day or one session short is not."""
    given = extract(
        procedures="""
        person        | treatment | date
        enough        | cbt       | 2010-01-01
        enough        | cbt       | 2010-01-15
        enough        | cbt       | 2010-01-29
        day_short     | cbt       | 2010-01-01
        day_short     | cbt       | 2010-01-15
        day_short     | cbt       | 2010-01-28
        session_short | cbt       | 2010-01-01
        session_short | cbt       | 2010-01-29
        """
    )

    assert_shows(
        judged(given, definition(adequacy={"psychotherapy": {"min_days": 29, "min_sessions": 3}})),
        """
        person        | n_days | n_sessions | is_adequate | adequacy_reason
        enough        | 29     | 3          | true        | adequate
        day_short     | 28     | 3          | false       | too_short
        session_short | 29     | 2          | false       | too_few_sessions
        """,
    )


def test_a_course_both_short_and_sparse_is_too_short_first() -> None:
    """Where both are missing, the reason told is the time."""
    given = extract(procedures="treatment | date\ncbt | 2010-01-01")

    assert_shows(
        judged(given, definition(adequacy={"psychotherapy": {"min_days": 29, "min_sessions": 3}})),
        "adequacy_reason\ntoo_short",
    )


def test_ect_is_judged_by_its_own_rule() -> None:
    """Two sessions of ECT are enough for a rule of two, and not for one of three; CBT's rule is not asked."""
    given = extract(procedures="treatment | date\nect | 2010-01-01\nect | 2010-01-04")
    two = definition(adequacy={"neuromodulation": {"min_sessions": 2}})
    three = definition(adequacy={"neuromodulation": {"min_sessions": 3}})

    assert_shows(judged(given, two), "is_adequate | adequacy_reason\ntrue | adequate")
    assert_shows(judged(given, three), "is_adequate | adequacy_reason\nfalse | too_few_sessions")
