"""Severity: the bands of the scores at the start and at the end of a trial.

Everybody took one drug from 1 February to 28 March 2010. A score on 1 February is the baseline, one on 28 March the
outcome.
"""

import pytest

from impasse.schemas.extracts import Extract
from tests.spec.world import definition, extract, judged, study
from tests.tables import assert_shows

_COLUMNS = "baseline_severity | outcome_severity | severity_scale"
_TREATED = "drug | date | days\nsertraline | 2010-02-01 | 56"


def _change(scale: str, baseline: float | None, outcome: float | None, code: str = "F322", other: str = "") -> Extract:
    """One person's scores before and after, and perhaps another diagnosis on a day."""
    days = (("2010-02-01", baseline), ("2010-03-28", outcome))
    scores = [f"{scale} | {day} | {value}" for day, value in days if value is not None]
    return extract(
        scores="\n".join(["scale | date | value", *scores]),
        dispensings=_TREATED,
        diagnoses="\n".join(["date | code", f"2010-02-01 | {code}", other]).strip(),
    )


@pytest.mark.parametrize(
    ("value", "band"),
    [
        (7, "none"),
        (8, "mild"),
        (13, "mild"),
        (14, "moderate"),
        (18, "moderate"),
        (19, "severe"),
        (22, "severe"),
        (23, "very_severe"),
    ],
)
def test_a_band_begins_at_its_lowest_score(value: int, band: str) -> None:
    """The Hamilton scale, at the start and at the end."""
    assert_shows(judged(_change("hamd17", value, 0), definition()), f"{_COLUMNS}\n{band} | none | hamd17")
    assert_shows(judged(_change("hamd17", 30, value), definition()), f"{_COLUMNS}\nvery_severe | {band} | hamd17")


def test_without_a_baseline_the_end_alone_has_a_band() -> None:
    """And without an outcome score nothing has: which score is the baseline depends on it."""
    assert_shows(judged(_change("hamd17", None, 20), definition()), f"{_COLUMNS}\n- | severe | hamd17")
    assert_shows(judged(_change("hamd17", 20, None), definition()), f"{_COLUMNS}\n- | - | -")


def test_the_first_scale_of_the_list_with_bands_tells() -> None:
    """The HAM-D before the MADRS; the CGI-I has no bands."""
    given = extract(
        scores="""
        scale  | date       | value
        madrs  | 2010-02-01 | 40
        madrs  | 2010-03-28 | 40
        hamd17 | 2010-03-28 | 8
        """,
        dispensings=_TREATED,
    )

    assert_shows(judged(given, definition()), f"{_COLUMNS}\n- | mild | hamd17")
    assert_shows(judged(_change("cgi_i", None, 6), definition()), f"{_COLUMNS}\n- | - | -")


@pytest.mark.parametrize(("value", "band"), [(57, "below"), (58, "mild"), (74, "mild"), (75, "moderate")])
def test_a_score_under_the_lowest_band_is_below(value: int, band: str) -> None:
    """The bands of the PANSS begin at 58."""
    rule, by = definition(eligible={"disorders": ["schizophrenia"]}), study(disorders=["schizophrenia"], tail_days=60)

    assert_shows(judged(_change("panss", 120, value, "F200"), rule, by), f"{_COLUMNS}\nsevere | {band} | panss")


@pytest.mark.parametrize(
    ("value", "plain", "with_agoraphobia"),
    [
        (1, "normal", "normal"),
        (2, "borderline", "normal"),
        (3, "borderline", "borderline"),
        (7, "slight", "borderline"),
        (8, "slight", "slight"),
        (10, "moderate", "slight"),
        (11, "moderate", "moderate"),
        (14, "marked", "moderate"),
        (16, "marked", "marked"),
    ],
)
def test_panic_with_agoraphobia_has_bands_of_its_own(value: int, plain: str, with_agoraphobia: str) -> None:
    """Furukawa 2009: the same score is less severe with agoraphobia."""
    rule, by = definition(eligible={"disorders": ["anxiety"]}), study(disorders=["anxiety"], tail_days=60)
    panic = judged(_change("pdss", 20, value, "F410"), rule, by)
    both = judged(_change("pdss", 20, value, "F410", "2008-01-01 | F400"), rule, by)
    late = judged(_change("pdss", 20, value, "F410", "2012-01-01 | F400"), rule, by).head(1)

    assert_shows(panic, f"{_COLUMNS}\nmarked | {plain} | pdss")
    assert_shows(both, f"{_COLUMNS}\nmarked | {with_agoraphobia} | pdss")
    assert_shows(late, f"{_COLUMNS}\nmarked | {plain} | pdss")
