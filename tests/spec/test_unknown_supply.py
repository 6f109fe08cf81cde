"""A supply of unknown length: what depends on it is unknown, and nothing else.

The study lets a supply last 366 days at most.
"""

from tests.spec.world import definition, extract, judged, study, trials, verdicts
from tests.tables import assert_shows

_SWITCH = {
    "evidence": ["treatment_change"],
    "change_signs": ["switch"],
    "change_within": 30,
    "if_unfinished": "unknown",
}


def _rule(**settings: dict) -> object:
    return definition(**({"outcome": _SWITCH} | settings))


def test_an_unknown_supply_in_the_middle_does_not_hide_what_came_after() -> None:
    """Dispensed again after it, twelve times, the drug ended when the last known supply did: no change followed."""
    later = "\n".join(f"sertraline | 2010-{month:02}-01 | 31" for month in range(4, 13))
    given = extract(
        dispensings=f"drug | date | days\nsertraline | 2010-02-01 | 28\nsertraline | 2010-03-02 | -\n{later}",
    )

    assert_shows(
        judged(given, _rule()),
        "end_date | has_unknown_supply | has_failed | outcome_evidence\n2010-12-31 | true | false | no_change",
    )


def test_what_an_unknown_supply_leaves_over_is_carried_over_no_further_than_the_cap() -> None:
    """With leftovers of up to 90 days the drug may last to 31 March; the 30 days after it must have been seen."""
    given = extract(
        coverage="person | start_date | end_date\nseen | 2005-01-01 | 2011-04-30\ncut | 2005-01-01 | 2011-04-29",
        diagnoses="person | date\nseen | 2010-11-01\nseen | 2011-04-01\ncut | 2010-11-01\ncut | 2011-04-01",
        dispensings="""
        person | drug       | date       | days
        seen   | sertraline | 2010-11-01 | -
        seen   | sertraline | 2010-12-01 | 31
        cut    | sertraline | 2010-11-01 | -
        cut    | sertraline | 2010-12-01 | 31
        """,
    )
    stockpiled = _rule(trial={"carry_over": True, "carry_over_cap_days": 90})

    assert_shows(
        judged(given, stockpiled),
        "person | end_date | has_failed | outcome_evidence\ncut | 2010-12-31 | - | unknown_end\n"
        "seen | 2010-12-31 | false | no_change",
    )
    assert_shows(judged(given, _rule()), "person | has_failed\ncut | false\nseen | false")


def test_the_last_supply_lasts_no_longer_than_the_study_lets_one_last() -> None:
    """366 days from 1 February 2010 end on 1 February 2011; 30 days later it is known that no change came."""
    given = extract(
        coverage="person | start_date | end_date\nseen | 2005-01-01 | 2011-03-03\ncut | 2005-01-01 | 2011-03-02",
        diagnoses="person | date\nseen | 2010-02-01\nseen | 2011-03-01\ncut | 2010-02-01\ncut | 2011-03-01",
        dispensings="""
        person | drug       | date       | days
        seen   | sertraline | 2010-02-01 | -
        cut    | sertraline | 2010-02-01 | -
        """,
    )

    assert_shows(
        judged(given, _rule()),
        "person | has_failed | outcome_evidence\ncut | - | unknown_end\nseen | false | no_change",
    )


def test_the_next_era_of_the_drug_may_be_the_same_trial() -> None:
    """What lasted up to 366 days reaches the same drug's next era: a switch after that one may be the first's too."""
    given = extract(
        dispensings="""
        person | drug        | date       | days
        same   | sertraline  | 2010-02-01 | -
        same   | sertraline  | 2011-01-01 | 60
        same   | venlafaxine | 2011-03-20 | 56
        other  | sertraline  | 2010-02-01 | 28
        other  | sertraline  | 2011-01-01 | 60
        other  | venlafaxine | 2011-03-20 | 56
        """,
        diagnoses="person | date\nsame | 2010-02-01\nsame | 2010-08-01\nsame | 2011-02-01\nsame | 2011-06-01\n"
        "other | 2010-02-01\nother | 2010-08-01\nother | 2011-02-01\nother | 2011-06-01",
    )

    assert_shows(
        judged(given, _rule(), study(gap_days=200)).filter(drug="sertraline"),
        """
        person | start_date | has_failed | outcome_evidence
        other  | 2010-02-01 | false      | no_change
        other  | 2011-01-01 | true       | switch
        same   | 2010-02-01 | -          | unknown_end
        same   | 2011-01-01 | true       | switch
        """,
    )


# --- Adequacy ---------------------------------------------------------------------------------------------------------


def _adequate(min_days: int, **settings: object) -> object:
    return definition(adequacy={"drug": {"min_days": min_days, "dose_basis": "minimum_effective"} | settings})


def test_an_unknown_supply_may_have_lasted_as_long_as_it_was_possible_and_no_longer() -> None:
    """366 days and no more: 366 days are possible, 367 are surely too many."""
    given = extract(dispensings="drug | date | days | dose_mg\nsertraline | 2010-02-01 | - | 50")

    assert_shows(judged(given, _adequate(366)), "is_adequate | adequacy_reason\n- | duration_unknown")
    assert_shows(judged(given, _adequate(367)), "is_adequate | adequacy_reason\nfalse | too_short")


def test_an_unknown_supply_of_too_low_a_dose_adds_no_day_at_the_dose() -> None:
    """However long 25 mg lasted, it was no day at 50 mg; one supply that may be at the dose leaves it open."""
    given = extract(
        dispensings="""
        person | drug       | date       | days | dose_mg
        low    | sertraline | 2010-02-01 | -    | 25
        open   | sertraline | 2010-02-01 | -    | -
        """
    )

    assert_shows(
        judged(given, _adequate(28)),
        "person | is_adequate | adequacy_reason\nlow | false | underdosed\nopen | - | duration_unknown",
    )


def test_an_unknown_supply_in_the_middle_is_bounded_by_the_trial() -> None:
    """Between 1 February and 31 March there are 59 days: 59 at the dose are possible, 60 are not."""
    given = extract(
        dispensings="""
        drug       | date       | days | dose_mg
        sertraline | 2010-02-01 | -    | 50
        sertraline | 2010-03-01 | 31   | 50
        """
    )

    covered = {"duration_basis": "covered"}

    assert_shows(judged(given, _adequate(31, **covered)), "is_adequate\ntrue")
    assert_shows(judged(given, _adequate(59, **covered)), "is_adequate | adequacy_reason\n- | duration_unknown")
    assert_shows(judged(given, _adequate(60, **covered)), "is_adequate | adequacy_reason\nfalse | too_short")
    assert_shows(judged(given, _adequate(59)), "is_adequate\ntrue")


# --- Remission and death ----------------------------------------------------------------------------------------------

_REMITTED = extract(
    persons="person | death_date\nremitted | -\ndied | 2010-03-10\ncut | -",
    coverage="""
    person   | start_date | end_date
    remitted | 2005-01-01 | 2020-12-31
    died     | 2005-01-01 | 2020-12-31
    cut      | 2005-01-01 | 2010-03-10
    """,
    diagnoses="""
    person   | date       | code
    remitted | 2010-02-01 | F322
    remitted | 2010-03-10 | F334
    died     | 2010-02-01 | F322
    cut      | 2010-02-01 | F322
    """,
    dispensings="""
    person   | drug       | date       | days
    remitted | sertraline | 2010-02-01 | 98
    died     | sertraline | 2010-02-01 | 98
    cut      | sertraline | 2010-02-01 | 98
    """,
)


def test_a_trial_ends_with_the_remission_of_its_episode() -> None:
    """The supply reaches beyond the remission on 10 March; the trial does not, as it does not beyond a death."""
    assert_shows(
        trials(_REMITTED, _rule()),
        """
        person   | end_date   | n_days
        cut      | 2010-03-10 | 38
        died     | 2010-03-10 | 38
        remitted | 2010-03-10 | 38
        """,
    )


def test_after_a_remission_or_death_no_change_can_come() -> None:
    """Where observation just ends, a change may come within 30 days of the last day seen."""
    assert_shows(
        judged(_REMITTED, _rule()),
        """
        person   | has_failed | outcome_evidence
        cut      | -          | unfinished
        died     | false      | no_change
        remitted | false      | no_change
        """,
    )


def test_what_is_done_after_a_remission_tells_nothing_of_the_trial_before_it() -> None:
    """ECT on the day of the remission is a sign, on the day after it is the next episode's."""
    rule = definition(outcome=_SWITCH | {"change_signs": ["ect"]}, trial={"treatments": ["antidepressants"]})

    def after(day: str) -> object:
        diagnoses = "date | code\n2010-02-01 | F322\n2010-03-10 | F334"
        dispensings = "drug | date | days\nsertraline | 2010-02-01 | 98"
        return extract(diagnoses=diagnoses, dispensings=dispensings, procedures=f"date | treatment\n{day} | ect")

    assert_shows(judged(after("2010-03-10"), rule), "has_failed | outcome_evidence\ntrue | ect")
    assert_shows(judged(after("2010-03-11"), rule), "has_failed | outcome_evidence\nfalse | no_change")


def test_a_verdict_is_reached_where_an_unknown_supply_lies_years_back() -> None:
    """One unknown supply at the start leaves neither the trial after it nor the verdict open."""
    given = extract(
        dispensings="""
        drug        | date       | days
        citalopram  | 2010-02-01 | -
        sertraline  | 2012-02-01 | 56
        """,
        diagnoses="date\n" + "\n".join(f"201{year}-{month:02}-01" for year in range(4) for month in (2, 6, 10)),
    )

    assert_shows(verdicts(given, _rule()), "verdict | decided_by\nnot_resistant | outcome")


def test_a_known_supply_of_the_same_day_does_not_bound_an_unknown_one() -> None:
    """Only a later dispensing shows that it was used up: one of the same day may have been handed out with it."""
    given = extract(
        coverage="start_date | end_date\n2005-01-01 | 2010-06-30",
        dispensings="drug | date | days\nsertraline | 2010-02-01 | -\nsertraline | 2010-02-01 | 28",
    )

    assert_shows(judged(given, _rule()), "end_date | has_failed | outcome_evidence\n2010-02-28 | - | unknown_end")
