"""Response: the state a trial ended in by the published rules of a scale, whatever a definition calls failure.

Everybody took one drug from 1 February to 28 March 2010. A score on 1 February is the baseline, one on
28 March the outcome. The definition looks at changes of treatment only.
"""

import pytest

from impasse.schemas.extracts import Extract
from tests.spec.world import definition, extract, judged, study
from tests.tables import assert_shows

_TREATED = "sertraline | 2010-02-01 | 56"


def _scored(scores: str, **drawn: str) -> Extract:
    """Drawn scores, one person a name, each with the same eight weeks of one drug."""
    people = sorted({line.split("|")[0].strip() for line in scores.strip().splitlines()[1:]})
    rows = [f"{person} | {_TREATED}" for person in people]
    return extract(scores=scores, dispensings="\n".join(["person | drug | date | days", *rows]), **drawn)


def _change(scale: str, baseline: float | None, outcome: float) -> Extract:
    """One person's scores before and after."""
    before = [] if baseline is None else [f"P1 | {scale} | 2010-02-01 | {baseline}"]
    return _scored("\n".join(["person | scale | date | value", *before, f"P1 | {scale} | 2010-03-28 | {outcome}"]))


# --- The states of one scale ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("baseline", "outcome", "state"),
    [
        (24, 7, "remission"),
        (24, 8, "insufficient"),
        (24, 12, "insufficient"),
        (24, 13, "partial"),
        (24, 18, "partial"),
        (24, 19, "no_response"),
        (24, 24, "no_response"),
        (24, 29, "no_response"),
        (24, 30, "worse"),
        (8, 7, "remission"),
        (7, 8, "no_response"),
        (8, 9, "no_response"),
        (8, 10, "worse"),
    ],
)
def test_the_states_of_the_hamilton_scale(baseline: int, outcome: int, state: str) -> None:
    """Remission is 7 or less; half the way is response, a quarter partial response or, upwards, worse."""
    assert_shows(
        judged(_change("hamd17", baseline, outcome), definition()), f"response | response_scale\n{state} | hamd17"
    )


@pytest.mark.parametrize(
    ("baseline", "outcome", "state"),
    [(40, 10, "remission"), (40, 11, "insufficient"), (40, 30, "partial"), (40, 31, "no_response")],
)
def test_each_scale_has_its_own_cut_off(baseline: int, outcome: int, state: str) -> None:
    """On the MADRS remission is 10 or less."""
    assert_shows(
        judged(_change("madrs", baseline, outcome), definition()), f"response | response_scale\n{state} | madrs"
    )


@pytest.mark.parametrize(
    ("baseline", "outcome", "state", "scale"),
    [
        (None, 7, "remission", "hamd17"),
        (None, 8, "cannot_tell", "-"),
        (0, 8, "cannot_tell", "-"),
        (0, 7, "remission", "hamd17"),
        (1, 8, "worse", "hamd17"),
    ],
)
def test_without_room_to_fall_only_remission_can_be_told(
    baseline: int | None, outcome: int, state: str, scale: str
) -> None:
    """Without a baseline, or with one at the scale's minimum, a percentage says nothing; a cut-off does."""
    assert_shows(
        judged(_change("hamd17", baseline, outcome), definition()), f"response | response_scale\n{state} | {scale}"
    )


# --- Scales that tell in their own way --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("baseline", "outcome", "state", "scale"),
    [
        (20, 4, "cannot_tell", "-"),
        (20, 5, "insufficient", "phq9"),
        (20, 10, "insufficient", "phq9"),
        (20, 11, "partial", "phq9"),
        (20, 15, "partial", "phq9"),
        (20, 16, "no_response", "phq9"),
    ],
)
def test_a_screening_tool_cannot_prove_remission(baseline: int, outcome: int, state: str, scale: str) -> None:
    """A PHQ-9 of 4 is no proof of remission, so nothing can be told; all above it can be."""
    assert_shows(
        judged(_change("phq9", baseline, outcome), definition()), f"response | response_scale\n{state} | {scale}"
    )


@pytest.mark.parametrize(
    ("scale", "baseline", "outcome", "state"),
    [
        ("pcl5", 60, 28, "remission"),
        ("pcl5", 60, 29, "insufficient"),
        ("pcl5", 60, 45, "insufficient"),
        ("pcl5", 60, 46, "no_response"),
        ("pcl5", 40, 29, "no_response"),
        ("pcl5", 15, 29, "no_response"),
        ("pcl5", 14, 29, "worse"),
        ("pcl5", 0, 29, "worse"),
        ("caps5", 40, 52, "no_response"),
        ("caps5", 40, 53, "worse"),
        ("caps5", 40, 8, "remission"),
        ("caps5", 40, 27, "insufficient"),
        ("caps5", 40, 28, "no_response"),
        ("ybocs", 30, 19, "cannot_tell"),
    ],
)
def test_scales_of_trauma_count_points(scale: str, baseline: int, outcome: int, state: str) -> None:
    """15 points on the PCL-5 and 13 on the CAPS-5 are response, or worse; OCD has scales of its own."""
    given = _scored(
        f"person | scale | date | value\nP1 | {scale} | 2010-02-01 | {baseline}\nP1 | {scale} | 2010-03-28 | {outcome}",
        diagnoses="person | date | code\nP1 | 2010-02-01 | F431",
    )

    assert_shows(
        judged(given, definition(eligible={"disorders": ["ptsd"]}), by=study(disorders=["ptsd"], tail_days=60)),
        f"response\n{state}",
    )


def test_without_a_baseline_points_cannot_be_told() -> None:
    """A PCL-5 of 29 without a baseline says nothing."""
    given = _scored(
        "person | scale | date | value\nP1 | pcl5 | 2010-03-28 | 29",
        diagnoses="person | date | code\nP1 | 2010-02-01 | F431",
    )

    assert_shows(
        judged(given, definition(eligible={"disorders": ["ptsd"]}), by=study(disorders=["ptsd"], tail_days=60)),
        "response | response_scale\ncannot_tell | -",
    )


@pytest.mark.parametrize(
    ("baseline", "outcome", "state"),
    [
        (30, 14, "remission"),
        (30, 19, "insufficient"),
        (30, 20, "partial"),
        (20, 15, "partial"),
        (20, 16, "no_response"),
    ],
)
def test_a_response_of_ocd_is_a_fall_of_35_percent(baseline: int, outcome: int, state: str) -> None:
    """From 30 a fall to 19 is 37 percent, to 20 is 33: partial, as is one of exactly 25; under that there is none."""
    given = _scored(
        f"person | scale | date | value\nP1 | ybocs | 2010-02-01 | {baseline}\nP1 | ybocs | 2010-03-28 | {outcome}",
        diagnoses="person | date | code\nP1 | 2010-02-01 | F422",
    )

    assert_shows(
        judged(given, definition(eligible={"disorders": ["ocd"]}), by=study(disorders=["ocd"], tail_days=60)),
        f"response | response_scale\n{state} | ybocs",
    )


@pytest.mark.parametrize(
    ("outcome", "state", "scale"), [(70, "cannot_tell", "-"), (71, "no_response", "panss")], ids=["response", "none"]
)
def test_a_response_on_a_scale_without_a_cut_off_leaves_remission_open(outcome: int, state: str, scale: str) -> None:
    """A fall of 20 percent on the PANSS is response, but remission or not it does not say; less is none."""
    given = _scored(
        f"person | scale | date | value\nP1 | panss | 2010-02-01 | 80\nP1 | panss | 2010-03-28 | {outcome}",
        diagnoses="person | date | code\nP1 | 2010-02-01 | F200",
    )

    assert_shows(
        judged(
            given,
            definition(eligible={"disorders": ["schizophrenia"]}),
            by=study(disorders=["schizophrenia"], tail_days=60),
        ),
        f"response | response_scale\n{state} | {scale}",
    )


@pytest.mark.parametrize(
    ("scale", "outcome", "state"),
    [
        ("cgi_s", 2, "remission"),
        ("cgi_s", 3, "cannot_tell"),
        ("cgi_i", 2, "cannot_tell"),
        ("cgi_i", 3, "no_response"),
        ("cgi_i", 5, "no_response"),
        ("cgi_i", 6, "worse"),
    ],
)
def test_a_global_impression_tells_one_thing_only(scale: str, outcome: int, state: str) -> None:
    """Severity shows remission and nothing else; improvement shows that there was none, or that it is much worse."""
    assert_shows(judged(_change(scale, None, outcome), definition()), f"response\n{state}")


# --- Recovery ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scores", "state"),
    [
        ("2010-03-01 7, 2010-08-30 7", "recovery"),
        ("2010-03-01 7, 2010-08-29 7", "remission"),
        ("2010-03-01 7, 2010-06-01 8, 2010-08-30 7", "remission"),
        ("2010-02-28 8, 2010-03-01 7, 2010-08-30 7", "recovery"),
        ("2010-03-01 7, 2010-08-30 9", "lost"),
        ("2010-02-27 7, 2010-08-28 7", "remission"),
        ("2010-02-28 7, 2010-08-29 7", "recovery"),
        ("2010-03-01 7, 2010-08-31 7", "remission"),
        ("2010-03-01 8, 2010-08-30 7", "remission"),
    ],
)
def test_a_recovery_is_a_remission_held_for_half_a_year_on_treatment(scores: str, state: str) -> None:
    """182 days from the first to the last score, all of at most 7 between them; from the 28th day to the last one."""
    rows = [f"P1 | hamd17 | {told.replace(' ', ' | ')}" for told in scores.split(", ")]
    given = extract(
        scores="\n".join(["person | scale | date | value", "P1 | hamd17 | 2010-02-01 | 16", *rows]),
        dispensings="person | drug | date | days\nP1 | sertraline | 2010-02-01 | 211",
        diagnoses="person | date\nP1 | 2010-02-01\nP1 | 2010-07-01",
    )
    rule = definition(outcome={"score_from_day": 28, "score_days_after_end": 14})

    assert_shows(judged(given, rule), f"response\n{state}")


def test_a_screening_tool_and_a_response_without_a_cut_off_show_no_recovery() -> None:
    """A PHQ-9 of 4 for a year proves no remission."""
    given = extract(
        scores="scale | date | value\nphq9 | 2010-02-01 | 20\nphq9 | 2010-03-01 | 4\nphq9 | 2010-12-01 | 4",
        dispensings="drug | date | days\nsertraline | 2010-02-01 | 365",
    )

    assert_shows(judged(given, definition()), "response\ncannot_tell")


@pytest.mark.parametrize("which", ["best", "first"])
def test_where_another_score_than_the_last_tells_nothing_is_held(which: str) -> None:
    """The first or the best score is one day."""
    given = extract(
        scores="date | value\n2010-02-01 | 20\n2010-03-01 | 5\n2010-12-01 | 5",
        dispensings="drug | date | days\nsertraline | 2010-02-01 | 365",
    )

    assert_shows(judged(given, definition(outcome={"score": which})), "response\nremission")


def test_what_got_worse_after_a_response_is_worse() -> None:
    """How the trial ended counts: from 24 to 12 and to 30 is worse, to 29 lost."""
    given = _scored(
        """
        person | scale  | date       | value
        worse  | hamd17 | 2010-02-01 | 24
        worse  | hamd17 | 2010-03-01 | 12
        worse  | hamd17 | 2010-03-28 | 30
        lost   | hamd17 | 2010-02-01 | 24
        lost   | hamd17 | 2010-03-01 | 12
        lost   | hamd17 | 2010-03-28 | 29
        """
    )

    assert_shows(judged(given, definition()), "person | response\nlost | lost\nworse | worse")


# --- Which scale tells ------------------------------------------------------------------------------------------------


def test_the_first_scale_in_the_order_of_the_list_that_can_tell_decides() -> None:
    """The HAM-D comes before the MADRS, whatever the MADRS says; where the HAM-D cannot tell, the MADRS does."""
    given = _scored(
        """
        person      | scale  | date       | value
        hamd_first  | madrs  | 2010-03-28 | 5
        hamd_first  | hamd17 | 2010-02-01 | 24
        hamd_first  | hamd17 | 2010-03-28 | 24
        hamd_blind  | hamd17 | 2010-03-28 | 24
        hamd_blind  | madrs  | 2010-03-28 | 5
        screened    | phq9   | 2010-03-28 | 3
        screened    | bdi2   | 2010-03-28 | 13
        impressions | cgi_i  | 2010-03-28 | 3
        impressions | cgi_s  | 2010-03-28 | 3
        both_good   | cgi_s  | 2010-03-28 | 3
        both_good   | cgi_i  | 2010-03-28 | 2
        """
    )

    assert_shows(
        judged(given, definition()),
        """
        person      | response    | response_scale
        hamd_first  | no_response | hamd17
        hamd_blind  | remission   | madrs
        screened    | remission   | bdi2
        impressions | no_response | cgi_i
        both_good   | cannot_tell | -
        """,
    )


def test_a_scale_of_another_disorder_tells_nothing() -> None:
    """The HAM-A is no scale of depression; a trial without any score cannot be told either."""
    given = _scored(
        "person | scale | date | value\nanxious | ham_a | 2010-03-28 | 5\nunscored | hamd17 | 2009-01-01 | 5"
    )

    assert_shows(
        judged(given, definition()),
        "person | response | response_scale\nanxious | cannot_tell | -\nunscored | cannot_tell | -",
    )


def test_the_score_must_lie_in_the_time_of_the_outcome() -> None:
    """From the 28th day until 14 days after the end a score is an outcome; a day sooner or later it is none."""
    given = _scored(
        """
        person      | date       | value
        day_27      | 2010-02-27 | 5
        day_28      | 2010-02-28 | 5
        end_plus_14 | 2010-04-11 | 5
        end_plus_15 | 2010-04-12 | 5
        lost_again  | 2010-03-01 | 5
        lost_again  | 2010-03-28 | 24
        """
    )

    assert_shows(
        judged(given, definition(outcome={"score_from_day": 28, "score_days_after_end": 14})),
        """
        person      | response
        day_27      | cannot_tell
        day_28      | remission
        end_plus_14 | remission
        end_plus_15 | cannot_tell
        lost_again  | cannot_tell
        """,
    )


def test_the_state_is_told_beside_the_verdict_not_by_it() -> None:
    """A switch after remission is failure to this definition, and the trial ended in remission all the same."""
    given = extract(
        dispensings="drug | date | days\nsertraline | 2010-02-01 | 56\nvenlafaxine | 2010-04-01 | 56",
        scores="date | value\n2010-03-28 | 5",
    )

    assert_shows(
        judged(given, definition()),
        "drug | has_failed | response\nsertraline | true | remission\nvenlafaxine | false | cannot_tell",
    )
