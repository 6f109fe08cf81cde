"""How soon episodes are called resistant: the estimator against R, the counts behind it, rounding, and the page."""

import numpy as np
import polars as pl
import pytest
import report_data as data

from impasse.reports.pages.report import render_report
from impasse.transforms.compare.risks import FollowedEpisodes, aalen_johansen, build_risks, count_risks
from impasse.transforms.disclose.rounding import protect_risks
from impasse.transforms.kernels.segments import NEVER
from tests.tables import assert_shows, table

DISORDERS = ("anxiety", "depression")
# Drawn by R: set.seed(20261201); time <- sample(0:40, 60, replace = TRUE); 1 is the event, 2 competes, 0 is censored.
TIME = [0, 10, 36, 40, 1, 0, 19, 28, 13, 21, 38, 13, 1, 18, 25, 19, 38, 20, 9, 33, 33, 9, 9, 31, 15, 40, 31, 32, 13, 24,
        38, 23, 3, 26, 38, 36, 22, 34, 13, 38, 3, 31, 0, 36, 4, 16, 21, 34, 28, 19, 38, 12, 28, 37, 35, 36, 2, 12, 40,
        35]  # fmt: skip
STATUS = [2, 2, 0, 2, 1, 0, 2, 2, 0, 0, 2, 1, 2, 1, 0, 2, 2, 2, 1, 2, 2, 1, 0, 0, 2, 1, 0, 2, 0, 2, 0, 0, 1, 0, 0, 2, 0,
          2, 1, 2, 0, 1, 0, 0, 0, 1, 0, 2, 2, 0, 0, 0, 0, 0, 1, 2, 1, 2, 2, 1]  # fmt: skip
# R 4.2.2, survival 3.5.3: summary(survfit(Surv(time, factor(status)) ~ 1), times = names) of the event, 12 digits.
BY_R = {0: 0.0, 5: 0.051754385965, 10: 0.087610365784, 20: 0.164268312882, 30: 0.164268312882, 40: 0.320652075460}


# Bone-marrow transplants of Scrucca 2007 (Bone Marrow Transplant 40:381-7): months, and 1 relapse, 2 death, 0 censored.
MONTHS = [13, 1, 72, 7, 8, 67, 9, 5, 70, 4, 7, 68, 1, 10, 7, 3, 4, 4, 3, 3, 22, 8, 2, 0, 0, 35, 35, 4, 14, 26, 3, 2, 8,
          32, 12]  # fmt: skip
ENDED = [2, 1, 0, 2, 2, 0, 2, 2, 0, 0, 0, 0, 2, 2, 2, 1, 1, 1, 1, 1, 2, 1, 2, 2, 1, 0, 0, 2, 2, 2, 2, 0, 0, 0,
         1]  # fmt: skip
# Of the same rows, the tests of scikit-survival 0.28: relapse and death by the month.
BY_SCIKIT_SURVIVAL = {4: (0.20492611, 0.14482759), 12: (0.27283899, 0.34076015), 72: (0.27283899, 0.48126955)}


def by_day(time: list[int], status: list[int], kind: int, n_days: int) -> np.ndarray:
    """How many of one kind leave on each day."""
    return np.bincount(np.array(time)[np.array(status) == kind], minlength=n_days)


def followed(*rows: tuple[int, int, int, int, bool], of: str = "a", treated: int = NEVER) -> FollowedEpisodes:
    """Episodes of depression by first day, days of being called resistant, last day and whether it is censored."""
    first, surely, perhaps, last, is_censored = (np.array(column) for column in zip(*rows, strict=True))
    origins = (first, np.full(len(first), treated))
    return FollowedEpisodes(
        of, DISORDERS, np.ones(len(first), dtype=np.uint8), origins, surely, perhaps, last, is_censored
    )


def risks(*rows: tuple[int, int, int, int, bool], **more: object) -> pl.DataFrame:
    """The risks of some episodes, from their start."""
    return build_risks(count_risks([followed(*rows, **more)])).filter(pl.col("origin") == "episode_start")


def test_it_is_the_estimate_of_r() -> None:
    """Sixty episodes with ties, events on the first day and a last one who is censored."""
    share = aalen_johansen(*(by_day(TIME, STATUS, kind, 42) for kind in (1, 2, 0)))

    assert {day: round(share[day], 12) for day in BY_R if day < 40} == {d: s for d, s in BY_R.items() if d < 40}


def test_it_is_the_estimate_of_scikit_survival() -> None:
    """Thirty-five transplants; relapse and death compete, and three are seen until the last months."""
    relapsed, died, censored = (by_day(MONTHS, ENDED, kind, 74) for kind in (1, 2, 0))
    shares = [aalen_johansen(relapsed, died, censored), aalen_johansen(died, relapsed, censored)]

    assert {m: tuple(round(share[m], 8) for share in shares) for m in (4, 12)} == {
        m: BY_SCIKIT_SURVIVAL[m] for m in (4, 12)
    }
    assert tuple(round(share[71], 8) for share in shares) == BY_SCIKIT_SURVIVAL[72]


def test_once_everybody_left_it_is_known_only_if_nobody_was_censored() -> None:
    """After the last day the share stays if all had an event; one censored last leaves it open."""
    all_seen = aalen_johansen(np.array([0, 1, 0, 0]), np.array([0, 0, 1, 0]), np.zeros(4, dtype=int))
    one_censored = aalen_johansen(np.array([0, 1, 0, 0]), np.zeros(4, dtype=int), np.array([0, 0, 1, 0]))

    assert all_seen.tolist() == [0, 0.5, 0.5, 0.5]
    assert one_censored[:2].tolist() == [0, 0.5]
    assert np.isnan(one_censored[2:]).all()


@pytest.mark.parametrize(
    ("days", "within"),
    [(365, [1, 1, 1]), (366, [0, 1, 1]), (730, [0, 1, 1]), (731, [0, 0, 1]), (1826, [0, 0, 1]), (1827, [0, 0, 0])],
)
def test_a_year_has_365_days(days: int, within: list[float]) -> None:
    """A label on the 365th day after the first is within a year, on the next it is not."""
    made = risks((100, 100 + days, 100 + days, 9000, False))

    assert made["risk_min"].to_list() == within
    assert made["risk_max"].to_list() == within


def test_what_is_over_stays_in_the_whole_and_what_is_censored_does_not() -> None:
    """Of two, one is called resistant on day 200. The other was over, or unseen, after 100 days."""
    resistant = (0, 200, 200, 400, False)

    assert risks(resistant, (0, NEVER, NEVER, 100, False))["risk_min"][0] == 0.5
    assert risks(resistant, (0, NEVER, NEVER, 100, True))["risk_min"][0] == 1


def test_two_readings_of_what_cannot_be_told() -> None:
    """One is surely called resistant on day 400 and perhaps on day 300, another perhaps on day 10."""
    made = risks((0, 400, 300, 900, False), (0, NEVER, 10, 900, False), (0, NEVER, NEVER, 3000, True))

    assert_shows(
        made.with_columns(pl.col("risk_min", "risk_max").round(3)),
        """
        definition_id | disorder   | origin        | years | n | n_at_risk | risk_min | risk_max | suppressed
        a             | depression | episode_start | 1     | 3 | 3         | 0        | 0.667    | false
        a             | depression | episode_start | 2     | 3 | 2         | 0.333    | 0.667    | false
        a             | depression | episode_start | 5     | 3 | 1         | 0.333    | 0.667    | false
        """,
    )


def test_the_first_treatment_is_an_origin_of_its_own() -> None:
    """From treatment on day 100 a label on day 400 is within a year; untreated episodes have no such risk."""
    treated = build_risks(count_risks([followed((0, 400, 400, 900, False), treated=100)]))
    untreated = build_risks(count_risks([followed((0, 400, 400, 900, False))]))

    assert treated.filter(origin="first_treatment", years=1)["risk_min"].to_list() == [1]
    assert treated.filter(origin="episode_start", years=1)["risk_min"].to_list() == [0]
    assert untreated["origin"].unique().to_list() == ["episode_start"]


def test_counts_add_up_over_buckets() -> None:
    """Two buckets give what both give together."""
    one, other = followed((0, 200, 200, 400, False)), followed((50, NEVER, 90, 700, True), (0, NEVER, NEVER, 30, False))
    both = followed((0, 200, 200, 400, False), (50, NEVER, 90, 700, True), (0, NEVER, NEVER, 30, False))

    added = build_risks(pl.concat([count_risks([one]), count_risks([other])]))

    assert added.equals(build_risks(count_risks([both])))


def test_nobody_has_no_risk() -> None:
    """Without a definition, or an episode, there is no row."""
    nobody = np.empty(0, dtype=np.int64)

    assert build_risks(count_risks([])).is_empty()
    assert count_risks([FollowedEpisodes("a", DISORDERS, nobody, (nobody, nobody), *[nobody] * 4)]).is_empty()


def test_risks_are_rounded_and_those_of_few_hidden() -> None:
    """7 of 33 are 5 of 35; four episodes, and a definition whose prevalence is hidden, show nothing."""
    rows = table(
        """
        definition_id | disorder | origin        | years | n  | n_at_risk | risk_min | risk_max | suppressed
        few           | anxiety  | episode_start | 1     | 4  | 4         | 0.25     | 0.5      | false
        hidden        | anxiety  | episode_start | 1     | 33 | 20        | 0.25     | 0.5      | false
        many          | anxiety  | episode_start | 1     | 33 | 23        | 0.2121   | 0.99     | false
        many          | anxiety  | episode_start | 5     | 33 | 0         | -        | -        | false
        """
    )

    assert_shows(
        protect_risks(rows, ["few", "many"], 5).with_columns(pl.col("risk_min", "risk_max").round(4)),
        """
        definition_id | disorder | origin        | years | n  | n_at_risk | risk_min | risk_max | suppressed
        few           | anxiety  | episode_start | 1     | -  | -         | -        | -        | true
        hidden        | anxiety  | episode_start | 1     | -  | -         | -        | -        | true
        many          | anxiety  | episode_start | 1     | 35 | 25        | 0.1429   | 1        | false
        many          | anxiety  | episode_start | 5     | 35 | 0         | -        | -        | false
        """,
    )


def test_the_page_shows_both_readings() -> None:
    """From both origins, by 1, 2 and 5 years; no part without a risk."""
    page = render_report(data.contents())

    assert "Share called resistant within years of the start of the episode" in page
    assert "Share called resistant within years of the first treatment that counts" in page
    assert "<h3>How soon</h3>" not in render_report(data.contents(risks=data.risks().clear()))
