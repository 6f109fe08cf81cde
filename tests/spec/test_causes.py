"""Causes: what may explain an apparent failure, and what a definition makes of a diagnosed cause.

The definition asks for one failed drug. The episode of depression is from 10 January to 11 March 2010.
"""

import polars as pl
import pytest

from impasse.schemas.definition import Definition
from impasse.schemas.extracts import Extract
from tests.spec.world import count, counts, definition, extract, number_item, points, study, verdicts
from tests.tables import assert_shows

_ONE = counts(count(1))
_FAILED = "sertraline | 2010-01-10 | 28", "venlafaxine | 2010-02-20 | 28"


def _ill(diagnoses: str, **drawn: str) -> Extract:
    """Drawn diagnoses, one person a name, each with a contact on 10 January and a failed drug from that day."""
    header, *lines = [line.strip() for line in diagnoses.strip().splitlines()]
    people = sorted({line.split("|")[0].strip() for line in lines})
    contacts = [f"{person} | 2010-01-10 | F322" for person in people]
    drugs = [f"{person} | {drug}" for person in people for drug in _FAILED]
    return extract(
        diagnoses="\n".join([header, *lines, *contacts]),
        dispensings="\n".join(["person | drug | date | days", *drugs]),
        **drawn,
    )


def _explained(given: Extract, rule: Definition, disorder: str = "depression") -> pl.DataFrame:
    """The verdicts, with "nothing" where no cause is named."""
    made = verdicts(given, rule, by=study(disorders=[disorder], tail_days=60))
    return made.with_columns(pl.col("causes").replace("", "nothing"))


# --- Diagnosed causes -------------------------------------------------------------------------------------------------


def test_a_cause_is_diagnosed_up_to_the_last_day_of_the_episode() -> None:
    """Years before, or on the last day: a cause. The day after: none."""
    given = _ill(
        """
        person      | date       | code
        never       | 2010-01-10 | J069
        years_ago   | 2006-01-01 | E039
        on_last_day | 2010-03-11 | E039
        day_after   | 2010-03-12 | E039
        """
    )

    assert_shows(
        _explained(given, definition(resistance=_ONE)),
        """
        person      | verdict   | pseudo_resistance | causes
        never       | resistant | none              | nothing
        years_ago   | resistant | likely            | hypothyroidism
        on_last_day | resistant | likely            | hypothyroidism
        day_after   | resistant | none              | nothing
        """,
    )


def test_causes_are_words_each_once_and_in_order() -> None:
    """Alcohol is a cause of its own and a use of substances; bipolar disorder and mania are one cause."""
    given = _ill(
        """
        person  | date       | code
        alcohol | 2010-01-10 | F102
        bipolar | 2009-01-10 | F319
        bipolar | 2010-01-10 | F301
        several | 2010-01-10 | G403
        several | 2010-01-10 | F900
        several | 2010-01-10 | E039
        """
    )

    assert_shows(
        _explained(given, definition(resistance=_ONE)),
        """
        person  | pseudo_resistance | causes
        alcohol | likely            | alcohol substance_use
        bipolar | likely            | bipolar
        several | likely            | adhd hypothyroidism neurological
        """,
    )


_ANXIOUS_FOR_NINE_MONTHS = "\n".join(f"{{person}} | 2010-{month}-10 | F411" for month in ("01", "05", "09"))


def _anxious(**drawn: str) -> Extract:
    """Persons with anxiety from 10 January to 9 November 2010, a name each, and another code on another day."""
    others = [f"{person} | {told}" for person, told in drawn.items()]
    contacts = [_ANXIOUS_FOR_NINE_MONTHS.format(person=person) for person in drawn]
    return extract(diagnoses="\n".join(["person | date | code", *contacts, *others]))


def test_a_second_disorder_is_a_cause_only_near_the_start_of_the_episode_and_only_possibly() -> None:
    """Up to 180 days before or after the first day of anxiety, depression may be what it was mistaken for."""
    given = _anxious(
        long_before="2009-07-13 | F321",
        before="2009-07-14 | F321",
        after="2010-07-09 | F321",
        long_after="2010-07-10 | F321",
        trauma="2010-07-09 | F431",
        trauma_late="2010-07-10 | F431",
    )

    assert_shows(
        _explained(given, definition(resistance=_ONE, eligible={"disorders": ["anxiety"]}), "anxiety"),
        """
        person      | pseudo_resistance | causes
        long_before | none              | nothing
        before      | possible          | depression
        after       | possible          | depression
        long_after  | none              | nothing
        trauma      | possible          | ptsd
        trauma_late | none              | nothing
        """,
    )


def test_a_second_disorder_recorded_after_the_episode_is_no_cause() -> None:
    """Though it is near the start."""
    given = _ill("person | date | code\non_last_day | 2010-03-11 | F411\nday_after | 2010-03-12 | F411")

    assert_shows(
        _explained(given, definition(resistance=_ONE)),
        "person | causes\non_last_day | anxiety\nday_after | nothing",
    )


def test_a_personality_disorder_is_a_possible_cause_at_any_time_until_the_end() -> None:
    """It lasts; so no day is too far from the start. Beside an illness that makes it likely, it is likely."""
    given = _ill(
        """
        person    | date       | code
        years_ago | 2006-01-01 | F603
        day_after | 2010-03-12 | F603
        both      | 2006-01-01 | F603
        both      | 2006-01-01 | E039
        """
    )

    assert_shows(
        _explained(given, definition(resistance=_ONE)),
        """
        person    | pseudo_resistance | causes
        years_ago | possible          | personality_disorder
        day_after | none              | nothing
        both      | likely            | hypothyroidism personality_disorder
        """,
    )


@pytest.mark.parametrize(
    ("code", "cause"),
    [
        ("B182", "infection"),
        ("K580", "gastrointestinal"),
        ("J449", "respiratory"),
        ("I48", "cardiac"),
        ("J069", "nothing"),
    ],
)
def test_bodily_illness_is_a_likely_cause_by_what_it_is(code: str, cause: str) -> None:
    """A lasting infection, a bowel, a lung and a heart disease; a cold is none."""
    given = _ill(f"person | date | code\nill | 2009-01-10 | {code}")
    likely = "none" if cause == "nothing" else "likely"

    assert_shows(_explained(given, definition(resistance=_ONE)), f"pseudo_resistance | causes\n{likely} | {cause}")


@pytest.mark.parametrize("handling", ["before", "after"])
def test_a_possible_cause_takes_no_episode_out(handling: str) -> None:
    """A code cannot tell a mistaken diagnosis from a second disorder; what is likely takes the episode out."""
    given = _ill("person | date | code\npossible | 2010-01-10 | F411\nlikely | 2010-01-10 | E039")
    verdict = {"before": "not_eligible", "after": "not_resistant"}[handling]
    rule = definition(resistance=_ONE, eligible={"pseudo_resistance": handling})

    assert_shows(
        _explained(given, rule),
        f"person | verdict | causes\npossible | resistant | anxiety\nlikely | {verdict} | hypothyroidism",
    )


def test_a_cause_belongs_to_a_disorder() -> None:
    """Depression may explain anxiety that resists, and anxiety depression; smoking explains schizophrenia only."""
    given = _ill(
        "person | date | code\nanxious | 2010-01-10 | F411\nsmoker | 2010-01-10 | F172\nsmoker | 2010-01-10 | F200"
    )
    of = {"disorders": ["anxiety", "depression", "schizophrenia"]}
    rule = definition(resistance=_ONE, eligible=of)
    columns = "person | pseudo_resistance | causes"

    assert_shows(_explained(given, rule), f"{columns}\nanxious | possible | anxiety\nsmoker | none | nothing")
    assert_shows(_explained(given, rule, "anxiety"), f"{columns}\nanxious | possible | depression")
    assert_shows(_explained(given, rule, "schizophrenia"), f"{columns}\nsmoker | likely | tobacco")


# --- Causes that lie in the trials ------------------------------------------------------------------------------------


def test_too_little_too_short_and_too_irregular_are_possible_causes() -> None:
    """Any trial of the groups that count may show a cause; one whose dose or length is unknown shows none."""
    given = extract(
        diagnoses="""
        person        | date
        adequate      | 2010-01-10
        underdosed    | 2010-01-10
        short         | 2010-01-10
        irregular     | 2010-01-10
        both          | 2010-01-10
        dose_unknown  | 2010-01-10
        days_unknown  | 2010-01-10
        another_group | 2010-01-10
        untreated     | 2010-01-10
        """,
        dispensings="""
        person        | drug        | date       | days | dose_mg
        adequate      | sertraline  | 2010-01-10 | 28   | 50
        underdosed    | sertraline  | 2010-01-10 | 28   | 25
        short         | sertraline  | 2010-01-10 | 27   | 50
        irregular     | sertraline  | 2010-01-10 | 14   | 50
        irregular     | sertraline  | 2010-02-10 | 14   | 50
        both          | sertraline  | 2010-01-10 | 28   | 25
        both          | venlafaxine | 2010-02-20 | 10   | 75
        dose_unknown  | sertraline  | 2010-01-10 | 28   | -
        days_unknown  | sertraline  | 2010-01-10 | -    | 50
        another_group | lithium     | 2010-01-10 | 10   | 50
        """,
    )
    drug = {"dose_basis": "minimum_effective", "min_days": 28, "min_pdc_percent": 80}

    assert_shows(
        _explained(given, definition(resistance=_ONE, adequacy={"drug": drug})),
        """
        person        | pseudo_resistance | causes
        adequate      | none              | nothing
        underdosed    | possible          | inadequate_dose
        short         | possible          | short_duration
        irregular     | possible          | poor_adherence
        both          | possible          | inadequate_dose short_duration
        dose_unknown  | none              | nothing
        days_unknown  | none              | nothing
        another_group | none              | nothing
        untreated     | none              | nothing
        """,
    )


def test_too_few_sessions_are_too_short_a_trial() -> None:
    """A course of CBT with enough weeks and too few sessions is a cause where CBT counts, and not where it does not."""
    given = extract(diagnoses="date\n2010-01-10", procedures="treatment | date\ncbt | 2010-01-10\ncbt | 2010-02-08")
    adequacy = {"psychotherapy": {"min_days": 28, "min_sessions": 3}}

    assert_shows(
        _explained(given, definition(resistance=counts(count(1, of="cbt")), adequacy=adequacy)),
        "pseudo_resistance | causes\npossible | short_duration",
    )
    assert_shows(
        _explained(given, definition(resistance=_ONE, adequacy=adequacy)), "pseudo_resistance | causes\nnone | nothing"
    )


def test_a_trial_that_may_be_of_the_group_shows_a_cause_one_that_is_no_trial_of_its_own_does_not() -> None:
    """A short trial of an unnamed antidepressant, and a short add-on that is a trial of its own or part of another."""
    given = extract(
        diagnoses="person | date\nmay_be | 2010-01-10\nadd_on | 2010-01-10",
        dispensings="""
        person | drug              | date       | days
        may_be | an_antidepressant | 2010-01-10 | 10
        add_on | sertraline        | 2010-01-10 | 90
        add_on | citalopram        | 2010-01-15 | 10
        """,
    )
    ssri = counts(count(1, of="ssri"))
    overlap = {"overlap_days": 10}

    assert_shows(
        _explained(given, definition(resistance=ssri, trial=overlap | {"combination": "own_trial"})),
        "person | causes\nmay_be | short_duration\nadd_on | short_duration",
    )
    assert_shows(
        _explained(given, definition(resistance=ssri, trial=overlap | {"combination": "part_of_trial"})),
        "person | causes\nmay_be | short_duration\nadd_on | nothing",
    )


def test_a_diagnosed_cause_is_likely_whatever_the_trials_show() -> None:
    """Both kinds of causes are named together, in order."""
    given = extract(
        diagnoses="date | code\n2010-01-10 | F322\n2010-01-10 | R521",
        dispensings="drug | date | days\nsertraline | 2010-01-10 | 10",
    )

    assert_shows(
        _explained(given, definition(resistance=_ONE)),
        "verdict | pseudo_resistance | causes\nnot_resistant | likely | chronic_pain short_duration",
    )


# --- What a definition makes of a diagnosed cause ---------------------------------------------------------------------

_OPEN_OUTCOME = {"change_signs": ["switch", "ect"]}  # and ECT is not observed
_ALCOHOL_OR_NOT = extract(
    observes="drug",
    persons="""
    person      | birth_date
    failed      | 1970-01-01
    failed_none | 1970-01-01
    open        | 1970-01-01
    open_none   | 1970-01-01
    short       | 1970-01-01
    too_young   | 2000-01-01
    no_birthday | -
    """,
    diagnoses="""
    person      | date       | code
    failed      | 2010-01-10 | F322
    failed      | 2010-03-11 | F102
    failed_none | 2010-01-10 | F322
    failed_none | 2010-03-12 | F102
    open        | 2010-01-10 | F322
    open        | 2010-01-10 | F102
    open_none   | 2010-01-10 | F322
    short       | 2010-01-10 | F322
    short       | 2010-01-10 | F102
    too_young   | 2010-01-10 | F322
    too_young   | 2010-01-10 | F102
    no_birthday | 2010-01-10 | F322
    no_birthday | 2010-01-10 | F102
    """,
    dispensings="""
    person      | drug        | date       | days
    failed      | sertraline  | 2010-01-10 | 28
    failed      | venlafaxine | 2010-02-20 | 10
    failed_none | sertraline  | 2010-01-10 | 28
    failed_none | venlafaxine | 2010-02-20 | 10
    open        | sertraline  | 2010-01-10 | 28
    open_none   | sertraline  | 2010-01-10 | 28
    short       | sertraline  | 2010-01-10 | 27
    too_young   | sertraline  | 2010-01-10 | 28
    too_young   | venlafaxine | 2010-02-20 | 10
    no_birthday | sertraline  | 2010-01-10 | 28
    no_birthday | venlafaxine | 2010-02-20 | 10
    """,
)


def _with_causes(handling: str, resistance: dict = _ONE) -> Definition:
    eligible = {"pseudo_resistance": handling, "min_age": 18}
    return definition(resistance=resistance, eligible=eligible, outcome=_OPEN_OUTCOME)


def test_a_cause_that_is_noted_changes_no_verdict() -> None:
    """The cause stands beside the verdict."""
    assert_shows(
        _explained(_ALCOHOL_OR_NOT, _with_causes("noted")),
        """
        person      | verdict       | decided_by | resistant_date | pseudo_resistance
        failed      | resistant     | resistance | 2010-02-20     | likely
        failed_none | resistant     | resistance | 2010-02-20     | possible
        open        | undetermined  | outcome    | -              | likely
        open_none   | undetermined  | outcome    | -              | none
        short       | not_resistant | adequacy   | -              | likely
        too_young   | not_eligible  | eligible   | -              | likely
        no_birthday | undetermined  | eligible   | -              | likely
        """,
    )


def test_a_cause_may_make_an_episode_not_eligible_before_failures_are_counted() -> None:
    """Whatever became of the trials; a cause found the day after the episode does not matter."""
    assert_shows(
        _explained(_ALCOHOL_OR_NOT, _with_causes("before")),
        """
        person      | verdict      | decided_by | resistant_date
        failed      | not_eligible | eligible   | -
        failed_none | resistant    | resistance | 2010-02-20
        open        | not_eligible | eligible   | -
        open_none   | undetermined | outcome    | -
        short       | not_eligible | eligible   | -
        too_young   | not_eligible | eligible   | -
        no_birthday | not_eligible | eligible   | -
        """,
    )


def test_a_cause_may_spare_an_episode_after_failures_are_counted() -> None:
    """What would be resistant or open is not resistant then; what is not resistant anyway keeps its own reason."""
    assert_shows(
        _explained(_ALCOHOL_OR_NOT, _with_causes("after")),
        """
        person      | verdict       | decided_by | resistant_date | n_failed_min | n_failed_max
        failed      | not_resistant | eligible   | -              | 1            | 1
        failed_none | resistant     | resistance | 2010-02-20     | 1            | 1
        open        | not_resistant | eligible   | -              | 0            | 1
        open_none   | undetermined  | outcome    | -              | 0            | 1
        short       | not_resistant | adequacy   | -              | 0            | 0
        too_young   | not_eligible  | eligible   | -              | 1            | 1
        no_birthday | undetermined  | eligible   | -              | 1            | 1
        """,
    )


@pytest.mark.parametrize(
    ("handling", "failed", "open_"),
    [
        ("noted", "resistant | resistance", "undetermined | outcome"),
        ("before", "not_eligible | eligible", "not_eligible | eligible"),
        ("after", "not_resistant | eligible", "not_resistant | eligible"),
    ],
)
def test_a_score_is_spared_as_a_count_is(handling: str, failed: str, open_: str) -> None:
    """The same where resistance is a score; the score itself stays."""
    rule = _with_causes(handling, points(1.0, number_item({1: 1.0})))

    assert_shows(
        _explained(_ALCOHOL_OR_NOT, rule).filter(pl.col("person").is_in(["failed", "open"])),
        f"""
        person | verdict | decided_by | score_min | score_max
        failed | {failed} | 1.0 | 1.0
        open   | {open_} | 0.0 | 1.0
        """,
    )


def test_a_cause_in_the_trials_spares_nobody() -> None:
    """Too short a trial is noted; only a diagnosis takes an episode out."""
    columns = "person | verdict | pseudo_resistance"
    failed = pl.col("person") == "failed_none"

    assert_shows(
        _explained(_ALCOHOL_OR_NOT, _with_causes("before")).filter(failed),
        f"{columns}\nfailed_none | resistant | possible",
    )
    assert_shows(
        _explained(_ALCOHOL_OR_NOT, _with_causes("after")).filter(failed),
        f"{columns}\nfailed_none | resistant | possible",
    )
