"""Episodes: diagnosis contacts become illness episodes, by one rule for the whole study."""

from tests.spec.world import episodes, extract, study
from tests.tables import assert_shows


def test_contacts_at_most_the_gap_apart_are_one_episode() -> None:
    """Contacts 180 days apart belong to one episode, 181 days apart to two."""
    given = extract(
        diagnoses="""
        person    | date
        at_gap    | 2010-01-01
        at_gap    | 2010-06-30
        past_gap  | 2010-01-01
        past_gap  | 2010-07-01
        """
    )

    assert_shows(
        episodes(given, study(gap_days=180)),
        """
        person   | number | start_date | end_date   | n_contacts
        at_gap   | 1      | 2010-01-01 | 2010-07-30 | 2
        past_gap | 1      | 2010-01-01 | 2010-01-31 | 1
        past_gap | 2      | 2010-07-01 | 2010-07-31 | 1
        """,
    )


def test_the_gap_counts_from_the_last_contact_not_the_first() -> None:
    """Many contacts, each within the gap of the one before, are one long episode."""
    given = extract(
        diagnoses="""
        date
        2010-01-01
        2010-06-01
        2010-11-01
        """
    )

    assert_shows(episodes(given, study()), "start_date | end_date\n2010-01-01 | 2010-12-01")


def test_a_hospital_stay_lasts_until_discharge() -> None:
    """The gap after a stay is counted from discharge: 180 days later is the same episode, 181 a new one."""
    given = extract(
        diagnoses="""
        person    | date       | end_date   | setting
        at_gap    | 2010-01-01 | 2010-03-31 | inpatient
        at_gap    | 2010-09-27 | -          | outpatient
        past_gap  | 2010-01-01 | 2010-03-31 | inpatient
        past_gap  | 2010-09-28 | -          | outpatient
        """
    )

    assert_shows(
        episodes(given, study(gap_days=180)),
        """
        person   | start_date | end_date
        at_gap   | 2010-01-01 | 2010-10-27
        past_gap | 2010-01-01 | 2010-04-30
        past_gap | 2010-09-28 | 2010-10-28
        """,
    )


def test_a_long_stay_is_not_cut_short_by_a_later_visit_within_it() -> None:
    """A consultation during a stay does not move the end of the stay forward."""
    given = extract(
        diagnoses="""
        date       | end_date   | setting
        2010-01-01 | 2010-06-30 | inpatient
        2010-02-01 | -          | outpatient
        """
    )

    assert_shows(episodes(given, study(tail_days=30)), "start_date | end_date\n2010-01-01 | 2010-07-30")


_BRIDGED = extract(
    diagnoses="""
    date
    2010-01-01
    2010-09-01
    """,
    dispensings="""
    drug       | date       | days
    sertraline | 2010-04-01 | 90
    """,
)


def test_treatment_bridges_a_gap_where_the_study_says_so() -> None:
    """Contacts eight months apart with an antidepressant between them are one episode."""
    assert_shows(episodes(_BRIDGED, study(treatment_bridges=True)), "start_date | end_date\n2010-01-01 | 2010-10-01")


def test_treatment_bridges_nothing_where_the_study_says_not() -> None:
    """Without bridging, the same contacts are two episodes, whatever was dispensed."""
    assert_shows(
        episodes(_BRIDGED, study(treatment_bridges=False)),
        """
        start_date | end_date
        2010-01-01 | 2010-01-31
        2010-09-01 | 2010-10-01
        """,
    )


def test_a_bridge_reaches_from_its_last_covered_day() -> None:
    """A supply of 90 days from 1 April covers until 29 June; 180 days after that still belongs, 181 does not."""
    given = extract(
        diagnoses="""
        person   | date
        at_gap   | 2010-04-01
        at_gap   | 2010-12-26
        past_gap | 2010-04-01
        past_gap | 2010-12-27
        """,
        dispensings="""
        person   | drug       | date       | days
        at_gap   | sertraline | 2010-04-01 | 90
        past_gap | sertraline | 2010-04-01 | 90
        """,
    )

    assert_shows(
        episodes(given, study(treatment_bridges=True, gap_days=180)),
        """
        person   | start_date | end_date
        at_gap   | 2010-04-01 | 2011-01-25
        past_gap | 2010-04-01 | 2010-07-29
        past_gap | 2010-12-27 | 2011-01-26
        """,
    )


def test_a_supply_of_unknown_duration_bridges_from_its_date() -> None:
    """A dispensing of unknown duration is a sign of treatment on that day, no longer."""
    given = extract(
        diagnoses="date\n2010-01-01\n2010-11-30",
        dispensings="""
        drug       | date       | days
        sertraline | 2010-06-15 | -
        """,
    )

    assert_shows(episodes(given, study(treatment_bridges=True, gap_days=168)), "start_date\n2010-01-01")


def test_a_session_of_psychotherapy_bridges_too() -> None:
    """Procedures that treat the disorder hold an episode together as drugs do."""
    given = extract(diagnoses="date\n2010-01-01\n2010-09-01", procedures="date | treatment\n2010-05-01 | cbt")

    assert_shows(episodes(given, study(treatment_bridges=True)), "start_date\n2010-01-01")


def test_a_drug_for_another_disorder_bridges_nothing() -> None:
    """A beta-blocker is not among the treatments of depression: it does not hold an episode together."""
    given = extract(
        diagnoses="date\n2010-01-01\n2010-09-01", dispensings="drug | date | days\npropranolol | 2010-04-01 | 90"
    )

    assert_shows(episodes(given, study(treatment_bridges=True)), "start_date\n2010-01-01\n2010-09-01")


def test_what_a_definition_of_the_disorder_counts_bridges() -> None:
    """Lithium is counted as an augmenter of depression: it holds an episode together, whatever is compared."""
    given = extract(
        diagnoses="date\n2010-01-01\n2010-09-01", dispensings="drug | date | days\nlithium | 2010-04-01 | 90"
    )

    assert_shows(episodes(given, study(treatment_bridges=True)), "start_date\n2010-01-01")


def test_an_episode_opens_at_its_first_contact_not_at_an_earlier_drug() -> None:
    """A drug before the first contact may belong to the episode, but does not open it."""
    given = extract(diagnoses="date\n2010-03-01", dispensings="drug | date | days\nsertraline | 2010-01-01 | 30")

    assert_shows(episodes(given, study(treatment_bridges=True)), "start_date\n2010-03-01")


def test_treatment_without_any_contact_is_no_episode() -> None:
    """A drug alone says nothing of a diagnosis."""
    given = extract(
        diagnoses="person | date\nP2 | 2010-01-01", dispensings="drug | date | days\nsertraline | 2010-01-01 | 30"
    )

    assert_shows(episodes(given, study(treatment_bridges=True)), "person\nP2")


def test_treatment_counts_from_the_lead_before_the_first_contact() -> None:
    """The treatment window opens 30 days before the first contact."""
    given = extract(diagnoses="date\n2010-01-31")

    assert_shows(episodes(given, study(lead_days=30)), "treated_from\n2010-01-01")


def test_the_lead_does_not_reach_into_the_episode_before() -> None:
    """Treatment up to the end of the previous episode belongs to that one."""
    given = extract(
        diagnoses="""
        date       | code
        2010-01-01 | F322
        2010-03-01 | F325
        2010-03-20 | F322
        """
    )

    assert_shows(
        episodes(given, study(lead_days=30)),
        """
        number | treated_from
        1      | 2009-12-02
        2      | 2010-03-02
        """,
    )


def test_episodes_before_the_study_period_are_numbered_but_not_shown() -> None:
    """The first episode of the period may be the person's second: its number does not move with the period."""
    given = extract(diagnoses="date\n2008-01-01\n2010-01-01")

    assert_shows(episodes(given, study(start="2009-01-01")), "number | start_date\n2 | 2010-01-01")


def test_the_study_period_asks_for_the_day_an_episode_starts() -> None:
    """An episode that starts on the first or last day of the period is in it; a day outside it is not."""
    given = extract(
        diagnoses="""
        person     | date
        day_before | 2009-12-31
        first_day  | 2010-01-01
        last_day   | 2010-12-31
        """
    )

    assert_shows(episodes(given, study(start="2010-01-01", end="2010-12-31")), "person\nfirst_day\nlast_day")
    assert_shows(episodes(given, study(start="2010-01-01", end="2010-12-30")), "person\nfirst_day")


def test_an_episode_under_way_when_the_period_begins_is_not_of_the_period() -> None:
    """Contacts in the period do not make a new episode of one that started before it."""
    given = extract(diagnoses="date\n2009-12-01\n2010-02-01")

    assert_shows(episodes(given, study(start="2010-01-01")).select("person"), "person")


def test_disorders_have_episodes_of_their_own() -> None:
    """Depression and anxiety at once are two episodes, each with its own number and end."""
    given = extract(
        diagnoses="""
        date       | code
        2010-01-01 | F322
        2010-02-01 | F411
        2010-03-01 | F322
        """
    )

    assert_shows(
        episodes(given, study(disorders=["depression", "anxiety"])),
        """
        disorder   | number | start_date | end_date
        depression | 1      | 2010-01-01 | 2010-03-31
        anxiety    | 1      | 2010-02-01 | 2010-03-03
        """,
    )


def test_a_disorder_the_study_does_not_ask_for_has_no_episodes() -> None:
    """Anxiety contacts make no episode in a study of depression."""
    given = extract(diagnoses="date | code\n2010-01-01 | F322\n2010-02-01 | F411")

    assert_shows(episodes(given, study(disorders=["depression"])), "disorder\ndepression")


def test_one_code_on_one_day_is_one_contact() -> None:
    """The same code twice on a day counts once; two codes of the disorder on a day count as two."""
    given = extract(
        diagnoses="""
        person     | date       | code | position | setting
        same_code  | 2010-01-01 | F322 | main     | outpatient
        same_code  | 2010-01-01 | F322 | other    | primary
        two_codes  | 2010-01-01 | F322 | main     | outpatient
        two_codes  | 2010-01-01 | F332 | other    | outpatient
        """
    )

    assert_shows(
        episodes(given, study()),
        """
        person    | n_contacts
        same_code | 1
        two_codes | 2
        """,
    )


def test_age_is_in_completed_years_on_the_day_the_episode_starts() -> None:
    """A birthday on the day counts; one the day after does not, in any month of the year."""
    given = extract(
        persons="""
        person         | birth_date
        spring_before  | 1980-03-15
        spring_after   | 1980-03-16
        winter_long_by | 1980-01-01
        winter_after   | 1980-12-02
        never_recorded | -
        """,
        diagnoses="""
        person         | date
        spring_before  | 2010-03-15
        spring_after   | 2010-03-15
        winter_long_by | 2010-12-01
        winter_after   | 2010-12-01
        never_recorded | 2010-12-01
        """,
    )

    assert_shows(
        episodes(given, study()),
        """
        person         | age
        spring_before  | 30
        spring_after   | 29
        winter_long_by | 30
        winter_after   | 29
        never_recorded | -
        """,
    )


def test_a_tail_does_not_reach_into_the_next_episode() -> None:
    """Where the tail is longer than the gap, an episode still ends the day before the next one begins."""
    given = extract(diagnoses="date\n2010-01-01\n2010-01-15")

    assert_shows(
        episodes(given, study(gap_days=13, tail_days=30)),
        """
        number | start_date | end_date   | treated_from
        1      | 2010-01-01 | 2010-01-14 | 2009-12-02
        2      | 2010-01-15 | 2010-02-14 | 2010-01-15
        """,
    )


def test_bipolar_depression_is_a_disorder_of_its_own() -> None:
    """A depressive episode of bipolar disorder is one; a manic one, or a depression by itself, is not."""
    given = extract(
        diagnoses="""
        person    | date       | code
        mild      | 2010-01-01 | F313
        severe    | 2010-01-01 | F314
        psychotic | 2010-01-01 | F315
        manic     | 2010-01-01 | F311
        mixed     | 2010-01-01 | F316
        unipolar  | 2010-01-01 | F322
        """
    )

    assert_shows(
        episodes(given, study(disorders=["bipolar_depression"])),
        """
        person    | disorder
        mild      | bipolar_depression
        severe    | bipolar_depression
        psychotic | bipolar_depression
        """,
    )
    assert_shows(
        episodes(given, study(disorders=["depression", "bipolar_depression"])).filter(person="unipolar"),
        "person | disorder\nunipolar | depression",
    )


def test_a_drug_of_bipolar_depression_bridges_its_contacts() -> None:
    """Lithium between two contacts holds an episode of bipolar depression together, paracetamol does not."""
    given = extract(
        diagnoses="""
        person      | date       | code
        lithium     | 2010-01-01 | F314
        lithium     | 2010-09-01 | F314
        paracetamol | 2010-01-01 | F314
        paracetamol | 2010-09-01 | F314
        """,
        dispensings="""
        person      | drug        | date       | days
        lithium     | lithium     | 2010-03-01 | 60
        paracetamol | paracetamol | 2010-03-01 | 60
        """,
    )

    assert_shows(
        episodes(given, study(disorders=["bipolar_depression"], treatment_bridges=True)),
        """
        person      | number | start_date
        lithium     | 1      | 2010-01-01
        paracetamol | 1      | 2010-01-01
        paracetamol | 2      | 2010-09-01
        """,
    )
