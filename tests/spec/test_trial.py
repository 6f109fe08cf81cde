"""Trial: what counts as one treatment attempt."""

from tests.spec.world import definition, extract, judged, study, trials
from tests.tables import assert_shows


def test_a_gap_of_up_to_30_uncovered_days_is_one_trial() -> None:
    """Supply ends on 30 January; the next dispensing after 30 uncovered days continues, after 31 starts anew."""
    given = extract(
        dispensings="""
        person   | drug       | date       | days
        at_gap   | sertraline | 2010-01-01 | 30
        at_gap   | sertraline | 2010-03-02 | 30
        past_gap | sertraline | 2010-01-01 | 30
        past_gap | sertraline | 2010-03-03 | 30
        """
    )

    assert_shows(
        trials(given, definition(trial={"permissible_gap_days": 30})),
        """
        person   | start_date | end_date   | n_days | days_covered | role
        at_gap   | 2010-01-01 | 2010-03-31 | 90     | 60           | first
        past_gap | 2010-01-01 | 2010-01-30 | 30     | 30           | first
        past_gap | 2010-03-03 | 2010-04-01 | 30     | 30           | resumed
        """,
    )


def test_no_gap_allowed_means_the_very_next_day() -> None:
    """With a gap of 0, a refill on the first uncovered day continues; a day later it does not."""
    given = extract(
        dispensings="""
        person   | drug       | date       | days
        on_time  | sertraline | 2010-01-01 | 30
        on_time  | sertraline | 2010-01-31 | 30
        day_late | sertraline | 2010-01-01 | 30
        day_late | sertraline | 2010-02-01 | 30
        """
    )

    assert_shows(
        trials(given, definition(trial={"permissible_gap_days": 0})),
        """
        person   | start_date | n_days
        on_time  | 2010-01-01 | 60
        day_late | 2010-01-01 | 30
        day_late | 2010-02-01 | 30
        """,
    )


def test_a_long_supply_is_not_cut_short_by_a_small_refill() -> None:
    """100 days in hand and a refill of 10 within them: the trial lasts the 100 days."""
    given = extract(
        dispensings="""
        drug       | date       | days
        sertraline | 2010-01-01 | 100
        sertraline | 2010-01-11 | 10
        """
    )

    assert_shows(
        trials(given, definition(trial={"carry_over": False})),
        "end_date | n_days | days_covered\n2010-04-10 | 100 | 100",
    )


_EARLY_REFILL = extract(
    dispensings="""
    drug       | date       | days
    sertraline | 2010-01-01 | 30
    sertraline | 2010-01-21 | 30
    """
)


def test_leftover_supply_is_lost_without_carry_over() -> None:
    """A refill 10 days early replaces what was left: 50 days of treatment."""
    assert_shows(trials(_EARLY_REFILL, definition(trial={"carry_over": False})), "n_days | days_covered\n50 | 50")


def test_leftover_supply_is_used_first_with_carry_over() -> None:
    """A refill 10 days early waits until the first supply is used: 60 days of treatment."""
    assert_shows(trials(_EARLY_REFILL, definition(trial={"carry_over": True})), "n_days | days_covered\n60 | 60")


def test_carry_over_is_capped() -> None:
    """Leftovers of 89 and 90 days are all used; of 91 days, one day is lost to a cap of 90."""
    given = extract(
        dispensings="""
        person     | drug       | date       | days
        left_89    | sertraline | 2010-01-01 | 100
        left_89    | sertraline | 2010-01-12 | 100
        left_90    | sertraline | 2010-01-01 | 100
        left_90    | sertraline | 2010-01-11 | 100
        left_91    | sertraline | 2010-01-01 | 100
        left_91    | sertraline | 2010-01-10 | 100
        """
    )

    assert_shows(
        trials(given, definition(trial={"carry_over": True, "carry_over_cap_days": 90})),
        """
        person  | n_days
        left_89 | 200
        left_90 | 200
        left_91 | 199
        """,
    )


def test_carry_over_adds_up_over_refills() -> None:
    """Three refills, each 10 days early, give four full months."""
    given = extract(
        dispensings="""
        drug       | date       | days
        sertraline | 2010-01-01 | 30
        sertraline | 2010-01-21 | 30
        sertraline | 2010-02-10 | 30
        sertraline | 2010-03-02 | 30
        """
    )

    assert_shows(trials(given, definition(trial={"carry_over": True})), "n_days | days_covered\n120 | 120")


def test_carried_over_supply_closes_a_gap() -> None:
    """20 days left over at an early refill make the next refill 30 instead of 50 uncovered days late."""
    given = extract(
        dispensings="""
        drug       | date       | days
        sertraline | 2010-01-01 | 30
        sertraline | 2010-01-11 | 30
        sertraline | 2010-03-31 | 30
        """
    )

    assert_shows(trials(given, definition(trial={"carry_over": True})), "start_date\n2010-01-01")
    assert_shows(trials(given, definition(trial={"carry_over": False})), "start_date\n2010-01-01\n2010-03-31")


def test_two_packages_on_one_day() -> None:
    """Two packages of 30 days on a day are 60 days where supply carries over, 30 where it does not."""
    given = extract(
        dispensings="""
        drug       | date       | days
        sertraline | 2010-01-01 | 30
        sertraline | 2010-01-01 | 30
        """
    )

    assert_shows(trials(given, definition(trial={"carry_over": True})), "n_days | days_covered\n60 | 60")
    assert_shows(trials(given, definition(trial={"carry_over": False})), "n_days | days_covered\n30 | 30")


def test_a_drug_dispensed_in_the_episode_counts_from_lead_to_end() -> None:
    """The day the treatment window opens and the last day of the episode count; a day outside does not."""
    given = extract(
        diagnoses="""
        person       | date
        day_too_soon | 2010-01-31
        first_day    | 2010-01-31
        last_day     | 2010-01-31
        day_too_late | 2010-01-31
        """,
        dispensings="""
        person       | drug       | date
        day_too_soon | sertraline | 2009-12-31
        first_day    | sertraline | 2010-01-01
        last_day     | sertraline | 2010-03-02
        day_too_late | sertraline | 2010-03-03
        """,
    )

    assert_shows(
        trials(given, definition(), study(lead_days=30, tail_days=30)),
        """
        person    | start_date
        first_day | 2010-01-01
        last_day  | 2010-03-02
        """,
    )


def test_a_window_of_the_first_days_counts_from_the_first_contact() -> None:
    """In a window of the first 90 days, day 90 counts and day 91 does not."""
    given = extract(
        dispensings="""
        person | drug       | date
        day_90 | sertraline | 2010-03-31
        day_91 | sertraline | 2010-04-01
        """
    )
    rule = definition(trial={"window": "first_days", "window_days": 90})

    assert_shows(trials(given, rule), "person | start_date\nday_90 | 2010-03-31")


def test_a_window_of_the_last_days_counts_back_from_the_end() -> None:
    """In a window of the last 90 days of an episode to 31 December, 3 October counts and 2 October does not."""
    given = extract(
        dispensings="""
        person  | drug       | date
        day_90  | sertraline | 2010-10-03
        day_91  | sertraline | 2010-10-02
        """
    )
    rule = definition(trial={"window": "last_days", "window_days": 90})

    assert_shows(trials(given, rule), "person | start_date\nday_90 | 2010-10-03")


_FROM_TREATMENT = {"window": "first_treated_days", "window_days": 90}


def test_a_window_of_the_first_treated_days_counts_from_the_first_dispensing() -> None:
    """First treated on 1 February: in a window of 90 days from then, day 90 is 1 May, and 2 May is too late."""
    given = extract(
        dispensings="""
        person | drug        | date       | days
        day_90 | sertraline  | 2010-02-01 | 30
        day_90 | venlafaxine | 2010-05-01 | 30
        day_91 | sertraline  | 2010-02-01 | 30
        day_91 | venlafaxine | 2010-05-02 | 30
        """
    )

    assert_shows(
        trials(given, definition(trial=_FROM_TREATMENT)),
        """
        person | drug        | start_date
        day_90 | sertraline  | 2010-02-01
        day_90 | venlafaxine | 2010-05-01
        day_91 | sertraline  | 2010-02-01
        """,
    )


def test_the_first_treated_day_lies_within_the_treatment_window_of_the_episode() -> None:
    """A drug in the 30 days of lead opens the 90 days, one before the lead does not; none are after the episode."""
    given = extract(
        dispensings="""
        person      | drug        | date       | days
        in_lead     | sertraline  | 2009-12-02 | 10
        in_lead     | venlafaxine | 2010-03-02 | 10
        before_lead | sertraline  | 2009-12-01 | 10
        before_lead | venlafaxine | 2010-03-02 | 10
        late        | sertraline  | 2010-12-31 | 10
        late        | venlafaxine | 2011-01-01 | 10
        """
    )

    assert_shows(
        trials(given, definition(trial=_FROM_TREATMENT), study(lead_days=30)),
        """
        person      | drug        | start_date
        in_lead     | sertraline  | 2009-12-02
        before_lead | venlafaxine | 2010-03-02
        late        | sertraline  | 2010-12-31
        """,
    )


def test_what_opens_the_treated_days() -> None:
    """A treatment of the rule opens them, one that only may be such too, a session too; an augmenter does not."""
    given = extract(
        dispensings="""
        person    | drug              | date       | days
        augmenter | lithium           | 2010-01-10 | 10
        augmenter | sertraline        | 2010-04-20 | 10
        maybe     | an_antidepressant | 2010-01-10 | 10
        maybe     | sertraline        | 2010-04-20 | 10
        session   | sertraline        | 2010-04-20 | 10
        nothing   | lithium           | 2010-01-10 | 10
        """,
        procedures="person | treatment | date\nsession | cbt | 2010-01-10",
    )
    rule = definition(trial=_FROM_TREATMENT | {"treatments": ["ssri", "cbt"]})

    assert_shows(
        trials(given, rule),
        "person | drug\naugmenter | sertraline\nmaybe | an_antidepressant\nsession | cbt",
    )


def test_a_supply_of_unknown_duration_is_unknown_not_zero() -> None:
    """A dispensing of unknown duration is a trial with unknown supply, whatever is known of the others."""
    given = extract(
        dispensings="""
        person  | drug       | date       | days
        never   | sertraline | 2010-01-10 | -
        in_part | sertraline | 2010-01-10 | 30
        in_part | sertraline | 2010-02-10 | -
        known   | sertraline | 2010-01-10 | 30
        """
    )

    assert_shows(
        trials(given, definition()),
        """
        person  | start_date | end_date   | n_days | has_unknown_supply
        never   | 2010-01-10 | 2010-01-10 | 0      | true
        in_part | 2010-01-10 | 2010-02-10 | 31     | true
        known   | 2010-01-10 | 2010-02-08 | 30     | false
        """,
    )


def test_supply_is_counted_only_while_the_person_is_observed() -> None:
    """A person who dies 20 days into a supply of 90 days was treated for 20 days."""
    given = extract(
        persons="death_date\n2010-01-20", diagnoses="date\n2010-01-01",
        dispensings="drug | date | days\nsertraline | 2010-01-01 | 90",
    )  # fmt: skip

    assert_shows(
        trials(given, definition()), "end_date | n_days | days_covered | is_ongoing\n2010-01-20 | 20 | 20 | true"
    )


def test_supply_may_outlast_the_episode() -> None:
    """A supply dispensed in the episode is followed beyond its end while the person is observed."""
    given = extract(dispensings="drug | date | days\nsertraline | 2010-12-31 | 90")

    assert_shows(trials(given, definition()), "end_date | n_days | is_ongoing\n2011-03-30 | 90 | false")


def test_a_trial_is_ongoing_until_the_gap_has_passed_unfilled() -> None:
    """With 30 uncovered days left to observe, the trial was over; with 29, a refill could still have come."""
    given = extract(
        coverage="""
        person  | start_date | end_date
        ongoing | 2005-01-01 | 2010-03-01
        over    | 2005-01-01 | 2010-03-02
        """,
        diagnoses="""
        person  | date
        ongoing | 2010-01-01
        over    | 2010-01-01
        """,
        dispensings="""
        person  | drug       | date       | days
        ongoing | sertraline | 2010-01-01 | 30
        over    | sertraline | 2010-01-01 | 30
        """,
    )

    assert_shows(
        trials(given, definition(trial={"permissible_gap_days": 30})),
        """
        person  | is_ongoing
        ongoing | true
        over    | false
        """,
    )


def test_sessions_within_the_gap_are_one_course() -> None:
    """Sessions 30 days apart are one course, 31 days apart two."""
    given = extract(
        procedures="""
        person   | treatment | date
        at_gap   | cbt       | 2010-01-01
        at_gap   | cbt       | 2010-01-31
        past_gap | cbt       | 2010-01-01
        past_gap | cbt       | 2010-02-01
        """
    )

    assert_shows(
        trials(given, definition(trial={"session_gap_days": 30})),
        """
        person   | start_date | end_date   | n_days | n_sessions | role    | modality
        at_gap   | 2010-01-01 | 2010-01-31 | 31     | 2          | first   | psychotherapy
        past_gap | 2010-01-01 | 2010-01-01 | 1      | 1          | first   | psychotherapy
        past_gap | 2010-02-01 | 2010-02-01 | 1      | 1          | resumed | psychotherapy
        """,
    )


def test_two_sessions_on_a_day_count_once() -> None:
    """A course is counted in days with a session."""
    given = extract(procedures="treatment | date | code\ncbt | 2010-01-01 | X\ncbt | 2010-01-01 | Y")

    assert_shows(trials(given, definition()), "n_sessions\n1")


def test_another_kind_of_stimulation_is_a_switch_within_its_modality_only() -> None:
    """ECT after TMS is a switch; CBT after ECT is the first psychotherapy; drugs have roles of their own."""
    given = extract(
        procedures="""
        treatment | date
        tms       | 2010-02-01
        ect       | 2010-04-01
        cbt       | 2010-06-01
        """,
        dispensings="drug | date | days\nsertraline | 2010-07-01 | 60",
    )

    assert_shows(
        trials(given, definition()),
        """
        drug       | modality        | role
        tms        | neuromodulation | first
        ect        | neuromodulation | switch
        cbt        | psychotherapy   | first
        sertraline | drug            | first
        """,
    )


def test_a_short_code_is_a_trial_of_an_unnamed_drug() -> None:
    """A drug delivered as its class alone is a trial of that class, apart from the named drugs of it."""
    given = extract(
        dispensings="""
        drug       | date       | days
        sertraline | 2010-01-01 | 30
        some_ssri  | 2010-03-01 | 30
        """
    )

    assert_shows(
        trials(given, definition()),
        """
        treatment | treatment_class | role
        N06AB06   | ssri            | first
        N06AB     | ssri            | switch
        """,
    )


def test_a_drug_of_no_group_the_rule_names_is_no_trial() -> None:
    """Painkillers, and antidepressants where the rule asks for CBT only, are not trials."""
    given = extract(
        dispensings="""
        drug        | date
        paracetamol | 2010-01-01
        sertraline  | 2010-01-01
        """
    )

    assert trials(given, definition(trial={"treatments": ["cbt"], "augmenters": []})).is_empty()


def test_each_person_has_trials_of_their_own() -> None:
    """One person's supply does not continue another's."""
    given = extract(
        dispensings="""
        person | drug       | date       | days
        P1     | sertraline | 2010-01-01 | 30
        P2     | sertraline | 2010-02-01 | 30
        """
    )

    assert_shows(
        trials(given, definition()),
        """
        person | start_date | role
        P1     | 2010-01-01 | first
        P2     | 2010-02-01 | first
        """,
    )


def test_a_drug_recorded_as_a_procedure_is_a_drug_of_unknown_duration() -> None:
    """Esketamine recorded as given, not dispensed: a drug trial whose supply nobody recorded, not a course."""
    given = extract(procedures="treatment | date\nN06AX27 | 2010-02-01")

    assert_shows(
        judged(given, definition()),
        """
        modality | n_sessions | has_unknown_supply | is_adequate | adequacy_reason
        drug     | -          | true               | -           | duration_unknown
        """,
    )


def test_a_trials_dose_and_adherence_are_over_its_own_days() -> None:
    """The dose is the mean over covered days, 20 of 50 mg and 40 of 125; 60 of 80 days covered is 0.75."""
    given = extract(
        dispensings="""
        person    | drug       | date       | days | dose_mg
        known     | sertraline | 2010-01-01 | 20   | 50
        known     | sertraline | 2010-02-10 | 40   | 125
        part_only | sertraline | 2010-01-01 | 20   | 50
        part_only | sertraline | 2010-02-10 | 40   | -
        """
    )

    assert_shows(
        trials(given, definition()),
        """
        person    | n_days | days_covered | dose_mg | adherence
        known     | 80     | 60           | 100.0   | 0.75
        part_only | 80     | 60           | -       | 0.75
        """,
    )
