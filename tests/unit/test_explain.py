from dataclasses import replace
from datetime import date
from typing import Any

import pytest
import report_data as data

from impasse.reports.explain import render_explanation
from impasse.schemas.definition import Definition
from impasse.schemas.resistance import Count, Counted

Row = dict[str, Any]
ID = "p1:anxiety:1"
EPISODE: Row = {
    "episode_id": ID,
    "person_id": "p1",
    "disorder": "anxiety",
    "number": 1,
    "start_date": date(2014, 1, 1),
    "end_date": date(2014, 12, 31),
    "end_reason": "tail",
    "observed_until": date(2016, 12, 31),
    "observed_days_before": 900,
    "treated_from": date(2013, 12, 2),
    "is_left_truncated": False,
    "shares_treatment_with": "",
    "is_censored": False,
    "n_contacts": 4,
    "sex": "female",
    "age": 41,
}


def trial(number: int = 1, **changes: object) -> Row:
    """A trial of sertraline for 120 days; name a column to change it."""
    row = {
        "episode_id": ID,
        "person_id": "p1",
        "trial_rule": "aa",
        "number": number,
        "treatment": "N06AB06",
        "treatment_class": "ssri",
        "modality": "drug",
        "role": "first",
        "is_counted": True,
        "start_date": date(2014, 1, 1),
        "end_date": date(2014, 4, 30),
        "n_days": 120,
        "days_covered": 110,
        "n_sessions": None,
        "n_add_ons": 0,
        "has_unknown_supply": False,
        "is_ongoing": False,
        "supply_basis": "ddd",
        "dose_mg": 50.0,
        "adherence": 0.9,
    }
    return {**row, **changes}


def judged(number: int = 1, **changes: object) -> Row:
    """An adequate trial that failed on a switch; name a column to change it."""
    row = {
        "episode_id": ID,
        "trial_rule": "aa",
        "number": number,
        "judging_rule": "j",
        "is_adequate": True,
        "adequacy_reason": "adequate",
        "has_failed": True,
        "outcome_evidence": "switch",
        "failure_date": date(2014, 5, 1),
        "response": "cannot_tell",
        "response_scale": None,
    }
    return {**row, **changes}


TOO_SHORT = {
    "is_adequate": False,
    "adequacy_reason": "too_short",
    "has_failed": False,
    "outcome_evidence": "early_stop",
}


def verdict(**changes: object) -> Row:
    """One of two failures: not resistant; name a column to change it."""
    row = {
        "episode_id": ID,
        "definition_id": "anx-two",
        "verdict": "not_resistant",
        "resistant_date": None,
        "decided_by": "outcome",
        "n_trials": 1,
        "n_adequate": 1,
        "n_failed_min": 1,
        "n_failed_max": 1,
        "score_min": None,
        "score_max": None,
        "pseudo_resistance": "none",
        "causes": "",
    }
    return {**row, **changes}


def stage(**changes: object) -> Row:
    """A score of 3.5; name a column to change it."""
    row = {
        "episode_id": ID,
        "definition_id": "anx-two",
        "is_eligible": True,
        "score_min": 3.5,
        "score_max": 3.5,
        "level_min": None,
        "level_max": None,
        "is_outside_band": None,
    }
    return {**row, **changes}


def explained(trials: list[Row], judgements: list[Row], row: Row, definition: Definition | None = None) -> str:
    """The explanation with line breaks inside sentences taken out."""
    definitions = [definition or data.definition()]
    text = render_explanation(EPISODE, trials, judgements, [row], definitions, {"anx-two": ("aa", "j")})
    return " ".join(text.split())


def test_every_line_fits() -> None:
    """No line is longer than the width, whatever the names."""
    long = trial(treatment="x" * 200, role="switch")
    text = render_explanation(
        EPISODE, [long], [judged()], [verdict()], [data.definition(title="word " * 50)], {"anx-two": ("aa", "j")}
    )

    assert max(len(line) for line in text.splitlines()) <= 80


def test_one_of_two() -> None:
    """A missing failure is counted against what is needed, with what was wrong with the second trial."""
    second = trial(2, n_days=20, days_covered=20, role="switch", treatment="N06AB10")

    assert (
        "NOT RESISTANT: only 1 of 2 needed failures; trial 2 (N06AB10) was not adequate, too short (20 of 56 days "
        "covered)."
    ) in explained([trial(), second], [judged(), judged(2, **TOO_SHORT)], verdict(n_trials=2))


def test_enough_failures_that_are_not_different_enough() -> None:
    """Two failures of one substance are two, and not of two substances."""
    told = explained(
        [trial(), trial(2, role="resumed")], [judged(), judged(2)], verdict(n_trials=2, n_failed_min=2, n_failed_max=2)
    )

    assert "NOT RESISTANT: only 2 failed adequate trials, not of 2 different" in told


def test_resistant() -> None:
    """A resistant verdict says from when, and how many failures it counts."""
    counts = {"n_failed_min": 2, "n_failed_max": 2}
    row = verdict(verdict="resistant", decided_by="resistance", resistant_date=date(2014, 9, 1), **counts)

    assert "RESISTANT from 2014-09-01: 2 failed adequate trials." in explained([trial()], [judged()], row)


def test_open_outcome() -> None:
    """An undetermined verdict gives the range and the trial that leaves it open."""
    open_ = judged(has_failed=None, outcome_evidence="unfinished", failure_date=None)
    row = verdict(verdict="undetermined", n_failed_min=0)

    assert (
        "CANNOT TELL: it is not known whether a trial failed; between 0 and 1 failed adequate trials; trial 1 "
        "(N06AB06) may have failed, observation ended before it was known how it went."
    ) in explained([trial()], [open_], row)


def test_unobserved_treatment() -> None:
    """Without an upper bound the reason is the treatment that is not observed."""
    row = verdict(verdict="undetermined", decided_by="trial", n_failed_max=None)

    assert (
        "CANNOT TELL: a treatment that counts is not observed here; 1 or more failed adequate trials."
    ) in explained([trial()], [judged()], row)


def test_no_trial() -> None:
    """An episode without trials says so."""
    text = explained([], [], verdict(decided_by="trial", n_trials=0, n_adequate=0, n_failed_min=0, n_failed_max=0))

    assert "No trial in this episode." in text
    assert "NOT RESISTANT: 0 trials of a kind that counts." in text


def test_too_young() -> None:
    """A person under the lowest age is not eligible for that reason."""
    text = render_explanation(
        {**EPISODE, "age": 17}, [], [], [verdict(verdict="not_eligible", decided_by="eligible", n_trials=0)],
        [data.definition()], {"anx-two": ("aa", "j")},
    )  # fmt: skip

    assert "NOT ELIGIBLE: aged 17, outside 18 to 150." in text


def test_excluded_by_a_diagnosis() -> None:
    """At the lowest age it is a diagnosis that makes the episode not eligible."""
    text = render_explanation(
        {**EPISODE, "age": 18}, [], [], [verdict(verdict="not_eligible", decided_by="eligible", n_trials=0)],
        [data.definition()], {"anx-two": ("aa", "j")},
    )  # fmt: skip

    assert "NOT ELIGIBLE: a required diagnosis is missing or an excluding one is recorded." in text


def test_score() -> None:
    """A score is explained in points."""
    row = verdict(n_failed_max=None, score_min=1.5, score_max=1.5)

    assert "NOT RESISTANT: only 1.5 points" in explained(
        [trial()], [judged()], row, data.definition(resistance=data.SCORED)
    )


def test_trial_is_described() -> None:
    """A trial's role, dates, days, dose and days covered are all there."""
    assert (
        "1. N06AB06 (first, SSRIs): 2014-01-01 to 2014-04-30, 120 days; 110 days covered; 50 mg a day; "
        "proportion of days covered 90%."
    ) in explained([trial()], [judged()], verdict())


def test_scale_evidence() -> None:
    """A failure on a scale names the scale and the date."""
    assert "adequate; failed on 2014-05-01: the fall in HAM-A." in explained(
        [trial()], [judged(outcome_evidence="ham_a:fall_below")], verdict()
    )


def test_sessions() -> None:
    """Too few sessions are counted against those needed."""
    therapy = trial(treatment="cbt", modality="psychotherapy", n_sessions=7, dose_mg=None, adherence=None)
    short = judged(is_adequate=False, adequacy_reason="too_few_sessions")

    assert "not adequate: too few sessions (7 of 8)" in explained([therapy], [short], verdict())


def test_timeline() -> None:
    """Trials are drawn on the episode's own axis: the first third of the year is the first third of the line."""
    text = render_explanation(
        EPISODE, [trial()], [judged()], [verdict()], [data.definition()], {"anx-two": ("aa", "j")}
    )
    lines = text.splitlines()

    assert f"{'episode':<22}{'-' * 58}" in lines
    assert f"{'1. N06AB06':<22}{'=' * 19}" in lines


def test_shared_trial_rule() -> None:
    """Definitions with one trial rule share one drawing, another rule has its own."""
    definitions = [data.definition(id) for id in ("a", "b", "c")]
    text = render_explanation(
        EPISODE, [trial()], [judged()], [verdict(definition_id=d.id) for d in definitions], definitions,
        {"a": ("aa", "j"), "b": ("aa", "j"), "c": ("bb", "j")},
    )  # fmt: skip

    assert "TRIALS under rule aa (a, b)" in text
    assert "TRIALS under rule bb (c)" in text


def test_terminal_codes_are_not_obeyed() -> None:
    """A control character in a treatment's name does not reach the terminal."""
    assert "\x1b" not in explained([trial(treatment="\x1b[31mred")], [judged()], verdict())


def test_names_of_treatments() -> None:
    """A treatment's readable name is used, with its code beside the trial."""
    text = render_explanation(
        EPISODE, [trial()], [judged()], [verdict()], [data.definition()], {"anx-two": ("aa", "j")},
        names={"N06AB06": "sertraline"},
    )  # fmt: skip

    assert "1. sertraline (N06AB06, first, SSRIs)" in text


def test_response_state() -> None:
    """The state a trial ended in is named with the scale that tells it; one that cannot be told is left out."""
    partial = judged(response="partial", response_scale="ham_a")

    assert "failed on 2014-05-01: a switch to another drug; partial response on HAM-A." in explained(
        [trial()], [partial], verdict()
    )
    assert "failed on 2014-05-01: a switch to another drug." in explained([trial()], [judged()], verdict())


def test_pseudo_resistance() -> None:
    """What may explain the failures is said, with how sure it is."""
    row = verdict(pseudo_resistance="likely", causes="alcohol short_duration")

    assert "Pseudo-resistance is likely: alcohol and short duration." in explained([trial()], [judged()], row)
    assert "Pseudo-resistance" not in explained([trial()], [judged()], verdict())


def test_explained_away() -> None:
    """A definition that removes pseudo-resistance after counting says so, and how far the count came."""
    row = verdict(decided_by="eligible", n_failed_min=2, n_failed_max=2, n_trials=2)

    assert "NOT RESISTANT: a likely cause of pseudo-resistance is recorded; 2 failed adequate trials." in explained(
        [trial()], [judged()], row
    )


def test_explained_before() -> None:
    """One that removes it before has it as the reason for not being eligible."""
    strict = data.definition(eligible=replace(data.ELIGIBLE, pseudo_resistance="before"))
    row = verdict(verdict="not_eligible", decided_by="eligible", pseudo_resistance="likely", causes="alcohol")

    assert "NOT ELIGIBLE: a likely cause of pseudo-resistance is recorded." in explained(
        [trial()], [judged()], row, strict
    )


def test_unsure_kind() -> None:
    """Where every counted treatment is observed, it is the kind of the treatment that is not known."""
    row = verdict(verdict="undetermined", decided_by="trial", n_failed_max=2)

    assert "CANNOT TELL: it is not known whether a treatment is of a kind that counts" in explained(
        [trial()], [judged()], row
    )


def test_no_score_of_a_threshold() -> None:
    """Without a trial that a score needs there is no score to compare."""
    row = verdict(score_min=None, score_max=None)

    assert "NOT RESISTANT: only no score" in explained(
        [trial()], [judged()], row, data.definition(resistance=data.SCORED)
    )


def counts(what: str, timing: str) -> Definition:
    """Two SSRIs, failed or given, at any time or one of them on the day."""
    count = Count(n=2, of=("ssri",), what=what, distinct_by="none", timing=timing)
    return data.definition(resistance=Counted(kind="count", any_of=(data.alternative("two", count),)))


def test_trials_given() -> None:
    """A rule that does not ask for failure counts trials, not failures."""
    assert "RESISTANT from 2014-09-01: 2 trials of a kind that counts." in explained(
        [trial()], [judged()],
        verdict(verdict="resistant", decided_by="resistance", resistant_date=date(2014, 9, 1), n_trials=2),
        counts("given", "any"),
    )  # fmt: skip


def test_trials_apart() -> None:
    """Enough failures that lie too far apart are not called too few."""
    row = verdict(decided_by="outcome", n_failed_min=3, n_failed_max=3)

    assert "NOT RESISTANT: the trials do not come together in time as needed; 3 failed adequate trials" in explained(
        [trial()], [judged()], row, counts("failed", "last")
    )


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "SCORE: 3.5."),
        ({"score_max": 5.0}, "SCORE: between 3.5 and 5."),
        ({"score_min": None}, "SCORE: none, or up to 3.5."),
        ({"score_min": None, "score_max": None}, "NO SCORE: a trial that it needs is missing."),
        ({"level_min": "II", "level_max": "II"}, "STAGE: II."),
        ({"level_min": "none", "level_max": "none"}, "STAGE: no stage."),
        ({"level_min": "I", "level_max": "III"}, "STAGE: between I and III."),
        (
            {"level_min": "I", "level_max": "I", "is_outside_band": True},
            "STAGE: I; reached outside the days that the source gives it.",
        ),
        ({"is_eligible": False}, "NOT ELIGIBLE: the system does not speak about the episode."),
        ({"is_eligible": None}, "CANNOT TELL: it is not known whether the system speaks about the episode."),
    ],
)
def test_stages(changes: Row, said: str) -> None:
    """A staging system gives a score or a stage, with what is open about it."""
    text = render_explanation(
        EPISODE, [trial()], [judged()], [], [data.definition()], {"anx-two": ("aa", "j")}, stages=[stage(**changes)]
    )

    assert f"anx-two: Two failed adequate trials\n  {said}\n" in text


def test_impasse() -> None:
    """What became of a resistant episode and what was never tried are told before the trials."""
    impasse = {"episode_id": ID, "afterwards": "remitted", "untried": "ect lithium", "unobserved": "cbt"}
    text = render_explanation(
        EPISODE, [trial()], [judged()], [verdict()], [data.definition()], {"anx-two": ("aa", "j")}, impasse=impasse
    )

    assert (
        "AN IMPASSE, NOT AN ENDPOINT\n"
        "  The episode ended in remission.\n"
        "  Never tried until then: ECT and lithium.\n"
        "  Not seen here, so perhaps tried: CBT.\n\n"
        "TRIALS"
    ) in text


def test_in_short() -> None:
    """Of several definitions the verdicts come first, by verdict."""
    definitions = [data.definition(id) for id in ("a", "b", "c")]
    rows = [verdict(definition_id="a"), verdict(definition_id="b"), verdict(definition_id="c", verdict="not_eligible")]
    text = render_explanation(
        EPISODE, [trial()], [judged()], rows, definitions, dict.fromkeys(("a", "b", "c"), ("aa", "j"))
    )

    assert "IN SHORT\n  Not resistant (2): a, b.\n  Not eligible (1): c.\n" in text


@pytest.mark.parametrize(
    ("covered", "told"),
    [
        (110, "2014-01-01 to 2014-04-30, at least 120 days; 110 days covered; 50 mg a day; proportion of days covered"),
        (0, "from 2014-01-01; 50 mg a day; supply unknown."),
    ],
)
def test_a_supply_of_unknown_length_is_no_supply_of_none(covered: int, told: str) -> None:
    """What is known of a trial's days is the least of them; of one supply without a length nothing is."""
    shown = explained([trial(has_unknown_supply=True, days_covered=covered)], [judged()], verdict())

    assert told in " ".join(shown.split())
