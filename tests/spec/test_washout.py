"""Eligible: was nothing given in the time before the episode's treatment?

The definition asks for one failed drug, and everybody's first drug failed: whoever is eligible is resistant.
The episode starts on 1 January 2010; without a lead its treatment is looked for from that day on.
"""

import pytest

from impasse.schemas.extracts import Extract
from tests.spec.world import count, counts, definition, extract, study, verdicts
from tests.tables import assert_shows

_NO_LEAD = study(lead_days=0)


def _washout(*groups: str, days: int = 183) -> object:
    return definition(eligible={"washout_treatments": groups, "washout_days": days}, resistance=counts(count(1)))


def _failed(earlier: str, **drawn: str) -> Extract:
    """Drawn earlier dispensings, one person a name, each with a failed drug in January 2010."""
    header, *lines = [line.strip() for line in earlier.strip().splitlines()]
    people = sorted({line.split("|")[0].strip() for line in lines})
    rows = [f"{p} | sertraline | 2010-01-05 | 28\n{p} | venlafaxine | 2010-02-20 | 28" for p in people]
    return extract(dispensings="\n".join([header, *lines, *rows]), **drawn)


_BEFORE = _failed(
    """
    person         | drug       | date       | days
    day_184_before | citalopram | 2009-07-01 | 28
    day_183_before | citalopram | 2009-07-02 | 28
    day_182_before | citalopram | 2009-07-03 | 28
    day_before     | citalopram | 2009-12-31 | 28
    on_start       | citalopram | 2010-01-01 | 28
    supply_reaches | citalopram | 2009-07-01 | 180
    another_group  | lithium    | 2009-10-01 | 28
    """
)


def test_nothing_of_the_group_may_have_been_dispensed_in_the_days_before() -> None:
    """183 days free of antidepressants: one dispensed 183 days before the episode is too recent, 184 days is not.

    What counts is the day it was dispensed, not how long it lasted; from the episode's start on it is treatment.
    """
    assert_shows(
        verdicts(_BEFORE, _washout("antidepressants"), by=_NO_LEAD),
        """
        person         | verdict      | decided_by
        day_184_before | resistant    | resistance
        day_183_before | not_eligible | eligible
        day_182_before | not_eligible | eligible
        day_before     | not_eligible | eligible
        on_start       | resistant    | resistance
        supply_reaches | resistant    | resistance
        another_group  | resistant    | resistance
        """,
    )


def test_one_day_less_asked_for_is_one_day_less() -> None:
    """Of 182 days, a drug 183 days before no longer matters, one 182 days before does."""
    assert_shows(
        verdicts(_BEFORE, _washout("antidepressants", days=182), by=_NO_LEAD),
        """
        person         | verdict
        day_184_before | resistant
        day_183_before | resistant
        day_182_before | not_eligible
        day_before     | not_eligible
        on_start       | resistant
        supply_reaches | resistant
        another_group  | resistant
        """,
    )


def test_any_of_several_groups_is_too_much() -> None:
    """Free of antidepressants and of their augmenters: lithium alone is too much too."""
    rule = _washout("antidepressants", "augmenters_depression")

    assert_shows(
        verdicts(_BEFORE, rule, by=_NO_LEAD).filter(person="another_group"),
        "person | verdict\nanother_group | not_eligible",
    )


def test_the_days_are_before_treatment_is_looked_for() -> None:
    """With a lead of 30 days, 2 December to the start is the episode's treatment; the 183 days end before it."""
    given = _failed(
        """
        person         | drug       | date       | days
        in_lead        | citalopram | 2009-12-02 | 14
        before_lead    | citalopram | 2009-12-01 | 14
        day_183_before | citalopram | 2009-06-02 | 14
        day_184_before | citalopram | 2009-06-01 | 14
        """
    )

    assert_shows(
        verdicts(given, _washout("antidepressants"), by=study(lead_days=30)),
        """
        person         | verdict
        in_lead        | resistant
        before_lead    | not_eligible
        day_183_before | not_eligible
        day_184_before | resistant
        """,
    )


def test_the_days_before_reach_into_an_earlier_episode() -> None:
    """An episode ended in remission on 20 December: a drug of that day is too much, one the day after is treatment."""
    given = _failed(
        """
        person    | drug       | date       | days
        on_end    | citalopram | 2009-12-20 | 5
        day_after | citalopram | 2009-12-21 | 5
        """,
        diagnoses="""
        person    | date       | code
        on_end    | 2009-11-01 | F322
        on_end    | 2009-12-20 | F325
        on_end    | 2010-01-01 | F322
        day_after | 2009-11-01 | F322
        day_after | 2009-12-20 | F325
        day_after | 2010-01-01 | F322
        """,
    )

    assert_shows(
        verdicts(given, _washout("antidepressants"), by=study(lead_days=30, tail_days=60)).filter(number=2),
        "person | verdict\non_end | not_eligible\nday_after | resistant",
    )


def test_a_session_counts_as_a_drug_does() -> None:
    """Free of CBT: a session before the episode is too much; one of unrecorded kind may have been."""
    given = extract(
        procedures="""
        person      | treatment                 | date
        cbt         | cbt                       | 2009-10-01
        unspecified | psychotherapy_unspecified | 2009-10-01
        other_kind  | psychotherapy_other       | 2009-10-01
        long_ago    | cbt                       | 2009-07-01
        """,
        dispensings="""
        person      | drug        | date       | days
        cbt         | sertraline  | 2010-01-05 | 28
        cbt         | venlafaxine | 2010-02-20 | 28
        unspecified | sertraline  | 2010-01-05 | 28
        unspecified | venlafaxine | 2010-02-20 | 28
        other_kind  | sertraline  | 2010-01-05 | 28
        other_kind  | venlafaxine | 2010-02-20 | 28
        long_ago    | sertraline  | 2010-01-05 | 28
        long_ago    | venlafaxine | 2010-02-20 | 28
        """,
    )

    assert_shows(
        verdicts(given, _washout("cbt"), by=_NO_LEAD),
        """
        person      | verdict
        cbt         | not_eligible
        unspecified | undetermined
        other_kind  | resistant
        long_ago    | resistant
        """,
    )


def test_a_drug_that_may_be_of_the_group_leaves_it_open() -> None:
    """Free of SSRIs: an antidepressant of unrecorded class may have been one, mirtazapine was not."""
    given = _failed(
        """
        person       | drug              | date       | days
        may_be       | an_antidepressant | 2009-10-01 | 28
        is_not       | mirtazapine       | 2009-10-01 | 28
        may_be_early | an_antidepressant | 2009-07-01 | 28
        is_too       | an_antidepressant | 2009-10-01 | 28
        is_too       | citalopram        | 2009-11-01 | 28
        """
    )

    assert_shows(
        verdicts(given, _washout("ssri"), by=_NO_LEAD),
        """
        person       | verdict      | decided_by
        may_be       | undetermined | eligible
        is_not       | resistant    | resistance
        may_be_early | resistant    | resistance
        is_too       | not_eligible | eligible
        """,
    )


def test_the_days_must_have_been_observed() -> None:
    """183 days before the episode must be observed: a day less leaves it open, unless a drug was seen all the same."""
    given = _failed(
        """
        person        | drug        | date       | days
        enough        | paracetamol | 2010-01-01 | 5
        one_short     | paracetamol | 2010-01-01 | 5
        short_but_had | citalopram  | 2009-12-01 | 28
        """,
        coverage="""
        person        | start_date | end_date
        enough        | 2009-07-02 | 2020-12-31
        one_short     | 2009-07-03 | 2020-12-31
        short_but_had | 2009-07-03 | 2020-12-31
        """,
    )

    assert_shows(
        verdicts(given, _washout("antidepressants"), by=_NO_LEAD),
        """
        person        | verdict      | decided_by
        enough        | resistant    | resistance
        one_short     | undetermined | eligible
        short_but_had | not_eligible | eligible
        """,
    )


def test_with_a_lead_the_days_before_it_must_have_been_observed() -> None:
    """The lead of 30 days is not part of the 183: 213 days before the episode must be observed."""
    given = _failed(
        "person | drug | date | days\nenough | paracetamol | 2010-01-01 | 5\none_short | paracetamol | 2010-01-01 | 5",
        coverage="""
        person    | start_date | end_date
        enough    | 2009-06-02 | 2020-12-31
        one_short | 2009-06-03 | 2020-12-31
        """,
    )

    assert_shows(
        verdicts(given, _washout("antidepressants"), by=study(lead_days=30)),
        "person | verdict\nenough | resistant\none_short | undetermined",
    )


_TREATED_OR_NOT = """
    person | drug        | date       | days
    had    | citalopram  | 2009-12-01 | 28
    had_no | paracetamol | 2010-01-01 | 5
    """


def test_without_coverage_a_washout_is_seen_from_the_first_day_of_the_study_on() -> None:
    """No table says who was observed when: all were, throughout the study."""
    given = _failed(_TREATED_OR_NOT, absent="coverage")

    assert_shows(
        verdicts(given, _washout("antidepressants"), by=_NO_LEAD),
        "person | verdict\nhad | not_eligible\nhad_no | resistant",
    )


def test_where_the_treatment_is_not_observed_nobody_is_known_to_be_free_of_it() -> None:
    """Where the delivery does not show all drugs, one that was seen settles it, and none that was seen does not."""
    given = _failed(_TREATED_OR_NOT, observes="ect")

    assert_shows(
        verdicts(given, _washout("antidepressants"), by=_NO_LEAD),
        "person | verdict | decided_by\nhad | not_eligible | eligible\nhad_no | undetermined | eligible",
    )


@pytest.mark.parametrize(
    ("observes", "groups", "verdict"),
    [
        ("drug", "cbt", "undetermined"),
        ("drug psychotherapy", "cbt", "resistant"),
        ("drug cbt", "cbt", "resistant"),
        ("drug cbt", "psychotherapy", "undetermined"),
        ("drug", "antidepressants cbt", "undetermined"),
        ("drug cbt", "antidepressants cbt", "resistant"),
    ],
)
def test_every_treatment_of_every_group_must_be_observed(observes: str, groups: str, verdict: str) -> None:
    """Free of CBT where no therapy is seen: open. Where therapy is seen, none seen is none, though not by its name."""
    given = _failed("person | drug | date | days\nP1 | paracetamol | 2010-01-01 | 5", observes=observes)

    assert_shows(verdicts(given, _washout(*groups.split(), days=5), by=_NO_LEAD), f"verdict\n{verdict}")


def test_a_definition_that_names_no_group_asks_nothing() -> None:
    """Without a demand, earlier treatment and missing observation do not matter."""
    given = _failed(_TREATED_OR_NOT, absent="coverage")
    rule = definition(resistance=counts(count(1)))

    assert_shows(verdicts(given, rule, by=_NO_LEAD), "person | verdict\nhad | resistant\nhad_no | resistant")
