"""Eligible: which episodes does the definition speak about?

The definition asks for one failed drug, and everybody's first drug failed: whoever is eligible is resistant.
"""

import pytest

from impasse.schemas.extracts import Extract
from tests.spec.world import count, counts, definition, extract, study, verdicts
from tests.tables import assert_shows

_TWO_DRUGS = "drug | date | days\nsertraline | 2010-01-05 | 28\nvenlafaxine | 2010-02-20 | 28"


def _eligible(**settings: object) -> object:
    return definition(eligible=settings, resistance=counts(count(1)))


def _failed(diagnoses: str, **drawn: str) -> Extract:
    """Drawn contacts, one person a name, each with a failed drug in January 2010."""
    people = sorted({line.split("|")[0].strip() for line in diagnoses.strip().splitlines()[1:]})
    rows = [f"{p} | sertraline | 2010-01-05 | 28\n{p} | venlafaxine | 2010-02-20 | 28" for p in people]
    return extract(diagnoses=diagnoses, dispensings="\n".join(["person | drug | date | days", *rows]), **drawn)


# --- Age --------------------------------------------------------------------------------------------------------------

_EIGHTEEN = _failed(
    """
    person       | date
    day_too_young | 2010-01-10
    just_18      | 2010-01-10
    last_day_of_65 | 2010-01-10
    just_66      | 2010-01-10
    """,
    persons="""
    person         | birth_date
    day_too_young  | 1992-01-11
    just_18        | 1992-01-10
    last_day_of_65 | 1944-01-11
    just_66        | 1944-01-10
    """,
)


def test_age_limits_are_completed_years_at_the_start() -> None:
    """From 18 to 65: the 18th birthday is in, the day before is not; 65 lasts until the 66th birthday."""
    assert_shows(
        verdicts(_EIGHTEEN, _eligible(min_age=18, max_age=65), by=study(tail_days=60)),
        """
        person         | verdict      | decided_by
        day_too_young  | not_eligible | eligible
        just_18        | resistant    | resistance
        last_day_of_65 | resistant    | resistance
        just_66        | not_eligible | eligible
        """,
    )


def test_age_is_right_late_in_the_year_too() -> None:
    """A person born in January is a year older by December."""
    given = extract(
        persons="birth_date\n1992-01-10",
        diagnoses="date\n2010-12-01",
        dispensings="drug | date | days\nsertraline | 2010-12-01 | 28\nvenlafaxine | 2011-01-10 | 28",
    )

    assert_shows(verdicts(given, _eligible(min_age=18), by=study(tail_days=60)), "verdict\nresistant")


@pytest.mark.parametrize(
    ("limits", "verdict"),
    [
        ({"min_age": 18}, "undetermined"),
        ({"max_age": 65}, "undetermined"),
        ({"min_age": 0, "max_age": 150}, "resistant"),
    ],
    ids=["from 18", "until 65", "any age"],
)
def test_without_a_birth_date_an_age_limit_leaves_it_open(limits: dict, verdict: str) -> None:
    """Unknown age is undetermined under any limit, and no matter where there is none."""
    given = extract(persons="birth_date\n-", dispensings=_TWO_DRUGS)

    assert_shows(verdicts(given, _eligible(**limits)), f"verdict\n{verdict}")


# --- Exclusions -------------------------------------------------------------------------------------------------------

# The episode of depression starts on 2010-01-10, ends on 2010-03-11 and is observed until 2024-12-31.
_BIPOLAR = _failed(
    """
    person          | date       | code
    never           | 2010-01-10 | F322
    day_before      | 2010-01-10 | F322
    day_before      | 2010-01-09 | F319
    on_start        | 2010-01-10 | F322
    on_start        | 2010-01-10 | F319
    on_last_day     | 2010-01-10 | F322
    on_last_day     | 2010-03-11 | F319
    day_after       | 2010-01-10 | F322
    day_after       | 2010-03-12 | F319
    last_observed   | 2010-01-10 | F322
    last_observed   | 2024-12-31 | F319
    never_seen      | 2010-01-10 | F322
    never_seen      | 2025-01-01 | F319
    """
)
_SIXTY_DAYS = study(tail_days=60)


def _without_bipolar(when: str) -> object:
    return _eligible(exclusions=[{"codes": "bipolar", "when": when}])


def test_an_exclusion_at_any_time_looks_as_far_as_was_observed() -> None:
    """Ever: any code until the end of observation excludes; one dated after it was not seen."""
    assert_shows(
        verdicts(_BIPOLAR, _without_bipolar("ever"), by=_SIXTY_DAYS),
        """
        person        | verdict
        never         | resistant
        day_before    | not_eligible
        on_start      | not_eligible
        on_last_day   | not_eligible
        day_after     | not_eligible
        last_observed | not_eligible
        never_seen    | resistant
        """,
    )


def test_an_exclusion_before_ends_the_day_before_the_episode() -> None:
    """Before: a code the day before the episode excludes; one on its first day does not."""
    assert_shows(
        verdicts(_BIPOLAR, _without_bipolar("before"), by=_SIXTY_DAYS),
        """
        person        | verdict
        never         | resistant
        day_before    | not_eligible
        on_start      | resistant
        on_last_day   | resistant
        day_after     | resistant
        last_observed | resistant
        never_seen    | resistant
        """,
    )


def test_an_exclusion_during_includes_the_first_and_the_last_day() -> None:
    """During: a code on the first or last day of the episode excludes; a day outside does not."""
    assert_shows(
        verdicts(_BIPOLAR, _without_bipolar("during"), by=_SIXTY_DAYS),
        """
        person        | verdict
        never         | resistant
        day_before    | resistant
        on_start      | not_eligible
        on_last_day   | not_eligible
        day_after     | resistant
        last_observed | resistant
        never_seen    | resistant
        """,
    )


def test_an_exclusion_before_or_during_ends_with_the_episode() -> None:
    """Before or during: any code up to the last day excludes; the day after does not."""
    assert_shows(
        verdicts(_BIPOLAR, _without_bipolar("before_or_during"), by=_SIXTY_DAYS),
        """
        person        | verdict
        never         | resistant
        day_before    | not_eligible
        on_start      | not_eligible
        on_last_day   | not_eligible
        day_after     | resistant
        last_observed | resistant
        never_seen    | resistant
        """,
    )


def test_any_one_of_several_exclusions_excludes() -> None:
    """Bipolar disorder or schizophrenia: either is enough, another person's diagnosis is not."""
    given = _failed(
        """
        person        | date       | code
        bipolar       | 2010-01-10 | F322
        bipolar       | 2009-01-01 | F319
        schizophrenic | 2010-01-10 | F322
        schizophrenic | 2009-01-01 | F200
        neither       | 2010-01-10 | F322
        """
    )
    rule = _eligible(exclusions=[{"codes": "bipolar", "when": "ever"}, {"codes": "schizophrenia", "when": "ever"}])

    assert_shows(
        verdicts(given, rule, by=_SIXTY_DAYS),
        "person | verdict\nbipolar | not_eligible\nschizophrenic | not_eligible\nneither | resistant",
    )


# --- Requirements -----------------------------------------------------------------------------------------------------

# The episode of depression starts on 2010-01-10, ends on 2010-03-11 and is observed until 2024-12-31.
_PERSONALITY = _failed(
    """
    person        | date       | code
    never         | 2010-01-10 | F322
    day_before    | 2010-01-10 | F322
    day_before    | 2010-01-09 | F603
    on_start      | 2010-01-10 | F322
    on_start      | 2010-01-10 | F603
    on_last_day   | 2010-01-10 | F322
    on_last_day   | 2010-03-11 | F603
    day_after     | 2010-01-10 | F322
    day_after     | 2010-03-12 | F603
    last_observed | 2010-01-10 | F322
    last_observed | 2024-12-31 | F603
    never_seen    | 2010-01-10 | F322
    never_seen    | 2025-01-01 | F603
    """
)


def _only_with(codes: str, when: str, days: int = 1) -> object:
    return _eligible(requirements=[{"codes": codes, "when": when, "days": days}])


def test_a_requirement_at_any_time_looks_as_far_as_was_observed() -> None:
    """Ever: any code until the end of observation will do; one dated after it was not seen."""
    assert_shows(
        verdicts(_PERSONALITY, _only_with("personality_disorder", "ever"), by=_SIXTY_DAYS),
        """
        person        | verdict      | decided_by
        never         | not_eligible | eligible
        day_before    | resistant    | resistance
        on_start      | resistant    | resistance
        on_last_day   | resistant    | resistance
        day_after     | resistant    | resistance
        last_observed | resistant    | resistance
        never_seen    | not_eligible | eligible
        """,
    )


def test_a_requirement_before_ends_the_day_before_the_episode() -> None:
    """Before: a code the day before the episode will do; one on its first day comes too late."""
    assert_shows(
        verdicts(_PERSONALITY, _only_with("personality_disorder", "before"), by=_SIXTY_DAYS),
        """
        person        | verdict
        never         | not_eligible
        day_before    | resistant
        on_start      | not_eligible
        on_last_day   | not_eligible
        day_after     | not_eligible
        last_observed | not_eligible
        never_seen    | not_eligible
        """,
    )


def test_a_requirement_during_includes_the_first_and_the_last_day() -> None:
    """During: a code on the first or last day of the episode will do; a day outside it does not count."""
    assert_shows(
        verdicts(_PERSONALITY, _only_with("personality_disorder", "during"), by=_SIXTY_DAYS),
        """
        person        | verdict
        never         | not_eligible
        day_before    | not_eligible
        on_start      | resistant
        on_last_day   | resistant
        day_after     | not_eligible
        last_observed | not_eligible
        never_seen    | not_eligible
        """,
    )


def test_a_requirement_before_or_during_ends_with_the_episode() -> None:
    """Before or during: any code up to the last day will do; the day after is too late."""
    assert_shows(
        verdicts(_PERSONALITY, _only_with("personality_disorder", "before_or_during"), by=_SIXTY_DAYS),
        """
        person        | verdict
        never         | not_eligible
        day_before    | resistant
        on_start      | resistant
        on_last_day   | resistant
        day_after     | not_eligible
        last_observed | not_eligible
        never_seen    | not_eligible
        """,
    )


def test_a_requirement_counts_days_not_codes() -> None:
    """Of a demand of two days, two codes on one day are one short; two days with one code each are enough."""
    given = _failed(
        """
        person     | date       | code
        one_day    | 2010-01-10 | F322
        two_codes  | 2010-01-10 | F322
        two_codes  | 2010-01-10 | F332
        two_days   | 2010-01-10 | F322
        two_days   | 2010-01-11 | F322
        three_days | 2010-01-10 | F322
        three_days | 2010-01-11 | F332
        three_days | 2010-01-12 | F322
        """
    )
    columns = "person | verdict"

    assert_shows(
        verdicts(given, _only_with("depression", "during", days=2), by=_SIXTY_DAYS),
        f"""
        {columns}
        one_day    | not_eligible
        two_codes  | not_eligible
        two_days   | resistant
        three_days | resistant
        """,
    )
    assert_shows(
        verdicts(given, _only_with("depression", "during", days=3), by=_SIXTY_DAYS),
        f"""
        {columns}
        one_day    | not_eligible
        two_codes  | not_eligible
        two_days   | not_eligible
        three_days | resistant
        """,
    )


def test_only_the_days_at_the_stated_time_count() -> None:
    """One day before the episode and one within it are two days at any time, and one day during."""
    given = _failed("person | date | code\nP1 | 2009-01-10 | F603\nP1 | 2010-01-10 | F322\nP1 | 2010-01-20 | F603")

    assert_shows(
        verdicts(given, _only_with("personality_disorder", "before_or_during", days=2), by=_SIXTY_DAYS),
        "verdict\nresistant",
    )
    assert_shows(
        verdicts(given, _only_with("personality_disorder", "during", days=2), by=_SIXTY_DAYS), "verdict\nnot_eligible"
    )


def test_every_requirement_must_be_met() -> None:
    """Asked for a personality disorder and for chronic pain, one of them falls short."""
    given = _failed(
        """
        person | date       | code
        both   | 2010-01-10 | F322
        both   | 2010-01-10 | F603
        both   | 2010-01-10 | R521
        one    | 2010-01-10 | F322
        one    | 2010-01-10 | F603
        """
    )
    rule = _eligible(
        requirements=[
            {"codes": "personality_disorder", "when": "ever", "days": 1},
            {"codes": "chronic_pain", "when": "ever", "days": 1},
        ]
    )

    assert_shows(verdicts(given, rule, by=_SIXTY_DAYS), "person | verdict\nboth | resistant\none | not_eligible")


# --- Observation ------------------------------------------------------------------------------------------------------


def test_a_definition_may_ask_for_a_time_of_observation_before() -> None:
    """365 days observed before the episode are enough for 365, one less is not eligible."""
    given = _failed(
        "person | date\none_short | 2010-01-01\nenough | 2010-01-01",
        coverage="""
        person    | start_date | end_date
        one_short | 2009-01-02 | 2020-12-31
        enough    | 2009-01-01 | 2020-12-31
        """,
    )

    assert_shows(
        verdicts(given, _eligible(min_observed_days=365), by=_SIXTY_DAYS),
        "person | verdict\none_short | not_eligible\nenough | resistant",
    )


def test_without_coverage_persons_were_observed_from_the_first_day_of_the_study_on() -> None:
    """An episode that begins 365 days after the study does was observed for 365 days before."""
    given = extract(absent="coverage", dispensings=_TWO_DRUGS)

    assert_shows(verdicts(given, _eligible(min_observed_days=365)), "verdict\nresistant")
    assert_shows(verdicts(given, _eligible(min_observed_days=366)), "verdict | decided_by\nnot_eligible | eligible")


# --- Diagnoses and disorders ------------------------------------------------------------------------------------------

_ANXIOUS = _failed(
    """
    person           | date       | code
    panic_only       | 2010-01-01 | F410
    gad_only         | 2010-01-01 | F411
    panic_then_gad   | 2010-01-01 | F410
    panic_then_gad   | 2010-02-01 | F411
    gad_long_before  | 2008-01-01 | F411
    gad_long_before  | 2010-01-01 | F410
    """
)
_ANXIETY = study(disorders=["anxiety"], tail_days=60)


def test_one_contact_of_a_named_list_in_the_episode_is_enough() -> None:
    """For a definition of generalised anxiety, one such contact in the episode will do; in an earlier one not."""
    assert_shows(
        verdicts(_ANXIOUS, _eligible(disorders=["anxiety"], diagnoses=["gad"]), by=_ANXIETY),
        """
        person          | verdict
        panic_only      | not_eligible
        gad_only        | resistant
        panic_then_gad  | resistant
        gad_long_before | not_eligible
        """,
    )


def test_any_of_several_lists_will_do() -> None:
    """Generalised anxiety or panic: either contact makes the episode eligible."""
    assert_shows(
        verdicts(_ANXIOUS, _eligible(disorders=["anxiety"], diagnoses=["gad", "panic"]), by=_ANXIETY),
        """
        person          | verdict
        panic_only      | resistant
        gad_only        | resistant
        panic_then_gad  | resistant
        gad_long_before | resistant
        """,
    )


def test_no_list_means_any_contact_of_the_disorder() -> None:
    """A definition that names no list speaks about every episode of its disorders."""
    assert_shows(
        verdicts(_ANXIOUS, _eligible(disorders=["anxiety"], diagnoses=[]), by=_ANXIETY),
        """
        person          | verdict
        panic_only      | resistant
        gad_only        | resistant
        panic_then_gad  | resistant
        gad_long_before | resistant
        """,
    )


def test_a_remission_contact_makes_no_episode_eligible() -> None:
    """A code for remission says the person was ill before, not that they were then."""
    given = _failed("person | date | code\nP1 | 2010-01-01 | F322\nP1 | 2010-02-25 | F325")

    assert_shows(
        verdicts(given, _eligible(diagnoses=["depression_remission"]), by=_SIXTY_DAYS), "verdict\nnot_eligible"
    )
    assert_shows(verdicts(given, _eligible(diagnoses=["depression"]), by=_SIXTY_DAYS), "verdict\nresistant")


def test_a_definition_speaks_only_about_its_disorders() -> None:
    """The anxiety episode of a person with both is a row, but not eligible for a definition of depression."""
    given = _failed("person | date | code\nP1 | 2010-01-01 | F322\nP1 | 2010-01-01 | F411")

    assert_shows(
        verdicts(
            given,
            _eligible(disorders=["depression"]),
            by=study(disorders=["depression", "anxiety"], tail_days=60),
        ),
        "disorder | verdict\ndepression | resistant\nanxiety | not_eligible",
    )


def test_a_sure_exclusion_outweighs_an_unknown_age() -> None:
    """Where one condition surely fails, what is unknown no longer matters."""
    given = _failed(
        "person | date | code\nP1 | 2010-01-01 | F322\nP1 | 2009-01-01 | F319", persons="person | birth_date\nP1 | -"
    )
    rule = _eligible(min_age=18, exclusions=[{"codes": "bipolar", "when": "ever"}])

    assert_shows(verdicts(given, rule, by=_SIXTY_DAYS), "verdict\nnot_eligible")


def test_an_episode_nobody_watched_is_left_open() -> None:
    """Starting on the last observed day it is eligible, and not followed up; a day later that is not known either."""
    given = _failed(
        "person | date | code\nwatched | 2010-01-10 | F322\nunwatched | 2010-01-10 | F322",
        coverage="""
        person    | start_date | end_date
        watched   | 2005-01-01 | 2010-01-10
        unwatched | 2005-01-01 | 2010-01-09
        """,
    )

    assert_shows(
        verdicts(given, _eligible(), by=_SIXTY_DAYS),
        """
        person    | verdict      | decided_by
        watched   | undetermined | follow_up
        unwatched | undetermined | eligible
        """,
    )
