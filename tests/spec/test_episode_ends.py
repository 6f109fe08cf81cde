"""Episodes: how they end, and what of them was observed."""

import pytest

from tests.spec.world import episodes, extract, study
from tests.tables import assert_shows


def test_a_remission_code_ends_the_episode_and_the_next_contact_opens_another() -> None:
    """F32.5 ends the episode on its day, without a tail; a relapse a month later is a new episode."""
    given = extract(
        diagnoses="""
        date       | code
        2010-01-01 | F322
        2010-03-01 | F325
        2010-04-01 | F322
        """
    )

    assert_shows(
        episodes(given, study()),
        """
        number | start_date | end_date   | end_reason | n_contacts
        1      | 2010-01-01 | 2010-03-01 | remission  | 2
        2      | 2010-04-01 | 2010-05-01 | tail       | 1
        """,
    )


def test_a_contact_on_the_day_of_remission_still_belongs_to_the_episode() -> None:
    """A second code on the remission day does not open a new episode; the day after, it does."""
    given = extract(
        diagnoses="""
        person    | date       | code
        same_day  | 2010-01-01 | F322
        same_day  | 2010-03-01 | F325
        same_day  | 2010-03-01 | F322
        day_after | 2010-01-01 | F322
        day_after | 2010-03-01 | F325
        day_after | 2010-03-02 | F322
        """
    )

    assert_shows(
        episodes(given, study()),
        """
        person    | start_date | end_date
        same_day  | 2010-01-01 | 2010-03-01
        day_after | 2010-01-01 | 2010-03-01
        day_after | 2010-03-02 | 2010-04-01
        """,
    )


def test_remission_alone_is_no_episode() -> None:
    """A person only ever seen in remission has no episode; one ill contact makes one."""
    given = extract(
        diagnoses="""
        person         | date       | code
        remission_only | 2010-01-01 | F325
        remission_only | 2010-03-01 | F334
        ill_once       | 2010-01-01 | F325
        ill_once       | 2010-03-01 | F332
        """
    )

    assert_shows(episodes(given, study()), "person | start_date\nill_once | 2010-03-01")


def test_after_remission_treatment_no_longer_holds_the_episode_open() -> None:
    """Maintenance treatment after a remission code does not join the relapse to the episode before."""
    given = extract(
        diagnoses="""
        date       | code
        2010-01-01 | F322
        2010-03-01 | F325
        2010-06-01 | F322
        """,
        dispensings="drug | date | days\nsertraline | 2010-03-15 | 90",
    )

    assert_shows(
        episodes(given, study(treatment_bridges=True)),
        """
        start_date | end_reason
        2010-01-01 | remission
        2010-06-01 | tail
        """,
    )


@pytest.mark.parametrize(("tail_days", "end_date"), [(0, "2010-01-01"), (30, "2010-01-31"), (31, "2010-02-01")])
def test_an_episode_outlasts_its_last_contact_by_the_tail(tail_days: int, end_date: str) -> None:
    """The tail is added to the last contact, no more and no less."""
    given = extract(diagnoses="date\n2010-01-01")

    assert_shows(episodes(given, study(tail_days=tail_days)), f"end_date | end_reason\n{end_date} | tail")


def test_death_ends_the_episode() -> None:
    """Death within the tail ends the episode; after a death on its last day, too, nothing can follow."""
    given = extract(
        persons="""
        person      | death_date
        died_within | 2010-01-30
        died_at_end | 2010-01-31
        """,
        diagnoses="""
        person      | date
        died_within | 2010-01-01
        died_at_end | 2010-01-01
        """,
    )

    assert_shows(
        episodes(given, study()),
        """
        person      | end_date   | end_reason | observed_until | is_censored
        died_within | 2010-01-30 | death      | 2010-01-30     | false
        died_at_end | 2010-01-31 | tail       | 2010-01-31     | false
        """,
    )


def test_the_end_of_observation_ends_the_episode() -> None:
    """Emigration within the tail ends the episode there; on its last day it changes nothing."""
    given = extract(
        coverage="""
        person      | start_date | end_date
        left_within | 2005-01-01 | 2010-01-30
        left_at_end | 2005-01-01 | 2010-01-31
        """,
        diagnoses="""
        person      | date
        left_within | 2010-01-01
        left_at_end | 2010-01-01
        """,
    )

    assert_shows(
        episodes(given, study()),
        """
        person      | end_date   | end_reason
        left_within | 2010-01-30 | coverage
        left_at_end | 2010-01-31 | tail
        """,
    )


def test_the_end_of_the_study_period_ends_the_episode() -> None:
    """An episode that would outlast the study ends with it."""
    given = extract(diagnoses="date\n2010-01-01")

    assert_shows(
        episodes(given, study(end="2010-01-30")),
        "end_date | end_reason | observed_until\n2010-01-30 | period | 2010-01-30",
    )


def test_death_outranks_the_end_of_observation_on_the_same_day() -> None:
    """A registry that stops with death: the episode ended by death."""
    given = extract(
        persons="death_date\n2010-01-10", coverage="start_date | end_date\n2005-01-01 | 2010-01-10",
        diagnoses="date\n2010-01-01",
    )  # fmt: skip

    assert_shows(episodes(given, study(end="2010-01-10")), "end_reason\ndeath")


def test_a_remission_recorded_before_the_end_of_observation_is_what_ended_it() -> None:
    """Remission on the last observed day ends by remission; one day later nobody could have seen it."""
    given = extract(
        coverage="""
        person | start_date | end_date
        seen   | 2005-01-01 | 2010-03-01
        unseen | 2005-01-01 | 2010-02-28
        """,
        diagnoses="""
        person | date       | code
        seen   | 2010-01-01 | F322
        seen   | 2010-03-01 | F325
        unseen | 2010-01-01 | F322
        unseen | 2010-03-01 | F325
        """,
    )

    assert_shows(
        episodes(given, study()),
        """
        person | end_date   | end_reason
        seen   | 2010-03-01 | remission
        unseen | 2010-02-28 | coverage
        """,
    )


def test_a_break_in_observation_divides_an_episode() -> None:
    """Contacts either side of a stay abroad are two episodes, though only two months apart."""
    given = extract(
        coverage="""
        person   | start_date | end_date
        abroad   | 2005-01-01 | 2010-01-31
        abroad   | 2010-02-15 | 2020-12-31
        adjacent | 2005-01-01 | 2010-01-31
        adjacent | 2010-02-01 | 2020-12-31
        """,
        diagnoses="""
        person   | date
        abroad   | 2010-01-01
        abroad   | 2010-03-01
        adjacent | 2010-01-01
        adjacent | 2010-03-01
        """,
    )

    assert_shows(
        episodes(given, study(tail_days=60)),
        """
        person   | start_date | end_date   | end_reason | observed_days_before
        abroad   | 2010-01-01 | 2010-01-31 | coverage   | 1826
        abroad   | 2010-03-01 | 2010-04-30 | tail       | 14
        adjacent | 2010-01-01 | 2010-04-30 | tail       | 1826
        """,
    )


def test_left_truncated_without_enough_prior_observation() -> None:
    """364 days of observation before the first contact are too few where 365 are asked for; 365 are enough."""
    given = extract(
        coverage="""
        person    | start_date | end_date
        one_short | 2009-01-02 | 2020-12-31
        enough    | 2009-01-01 | 2020-12-31
        """,
        diagnoses="""
        person    | date
        one_short | 2010-01-01
        enough    | 2010-01-01
        """,
    )

    assert_shows(
        episodes(given, study(min_prior_observation_days=365)),
        """
        person    | observed_days_before | is_left_truncated
        one_short | 364                  | true
        enough    | 365                  | false
        """,
    )


def test_without_coverage_persons_are_taken_as_observed_throughout_the_study() -> None:
    """Where nobody tells when persons were observed, what lies before the study's first day is not seen."""
    given = extract(absent="coverage", diagnoses="person | date\nenough | 2010-01-01\none_short | 2009-12-31")

    assert_shows(
        episodes(given, study()),
        """
        person    | is_observed | observed_days_before | is_left_truncated
        enough    | -           | 365                  | false
        one_short | -           | 364                  | true
        """,
    )


def test_a_contact_outside_any_observation_has_no_days_before_it() -> None:
    """A contact in a year the person was not observed counts as observed for zero days."""
    given = extract(coverage="start_date | end_date\n2011-01-01 | 2020-12-31", diagnoses="date\n2010-01-01")

    assert_shows(episodes(given, study()), "observed_days_before | is_left_truncated\n0 | true")


def test_censored_when_the_gap_could_not_be_waited_out() -> None:
    """Another contact within 180 days could still have come: censored. Observed for all 180: not."""
    given = extract(
        coverage="""
        person     | start_date | end_date
        one_short  | 2005-01-01 | 2010-06-29
        waited_out | 2005-01-01 | 2010-06-30
        """,
        diagnoses="""
        person     | date
        one_short  | 2010-01-01
        waited_out | 2010-01-01
        """,
    )

    assert_shows(
        episodes(given, study(gap_days=180)),
        """
        person     | end_date   | is_censored
        one_short  | 2010-01-31 | true
        waited_out | 2010-01-31 | false
        """,
    )


def test_an_episode_that_ended_in_remission_is_not_censored() -> None:
    """Remission is an end, however soon observation stops after it."""
    given = extract(
        coverage="start_date | end_date\n2005-01-01 | 2010-03-02",
        diagnoses="date | code\n2010-01-01 | F322\n2010-03-01 | F325",
    )

    assert_shows(episodes(given, study()), "end_reason | is_censored\nremission | false")
