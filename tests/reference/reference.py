"""The whole classification again, one person at a time, in slow plain Python.

In goes one person as a dict of row lists, the study's rules and the code tables; out come the person's
episodes, per definition the trials, judgements and classifications or stages, and the impasses. It
exists to disagree: it shares no code with transforms/, prefers loops and sets of days to cleverness, and
every paragraph of the rules has one function, in the module of its block. Where a rule can be read in
two ways the reading is said in a comment that starts with "Reading:".
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from functools import cache

from impasse.schemas.definition import Definition, Trial
from impasse.schemas.resistance import AdmissionItem, DiagnosisItem, LengthItem, Scored
from impasse.schemas.study import EpisodeSection, PeriodSection, SupplySection
from tests.reference.adequacy import judge_adequacy
from tests.reference.basics import Known, Row, Truth, only, still_runs, treatment_rows
from tests.reference.codes import Codes
from tests.reference.eligibility import diagnosed_causes, judge_eligibility
from tests.reference.episodes import episodes_of, shares_treatment_with
from tests.reference.impasses import impasse
from tests.reference.outcome import judge_outcome, judge_response
from tests.reference.points import first_day_reached, is_possible, score_bounds, score_met
from tests.reference.resistance import alternatives_met, deciding_block, failed_at, first_day_met, is_reached, plain
from tests.reference.severity import judge_severity
from tests.reference.stages import staged
from tests.reference.trials import rows_looked_at, trials_of, window_closes

EPISODE_FACTS = (
    *("episode_id", "person_id", "disorder", "number", "start_date", "end_date", "end_reason", "observed_until"),
    *("is_observed", "observed_days_before", "treated_from", "is_left_truncated", "is_censored", "n_contacts"),
    *("shares_treatment_with", "sex", "age"),
)
TRIAL_FACTS = (
    *("trial_id", "episode_id", "treatment", "role", "modality", "is_counted", "start_date", "end_date"),
    *("n_days", "days_covered", "n_sessions", "n_add_ons", "has_unknown_supply", "is_ongoing"),
)
JUDGEMENT_FACTS = (
    *("trial_id", "is_adequate", "adequacy_reason", "has_failed", "outcome_evidence", "failure_date"),
    *("response", "response_scale", "baseline_severity", "outcome_severity", "severity_scale"),
)
CAUSES_BY_REASON = {
    "underdosed": "inadequate_dose",
    "too_short": "short_duration",
    "too_few_sessions": "short_duration",
    "low_adherence": "poor_adherence",
}
LOOK_AT_ALL_DAYS = LengthItem | DiagnosisItem | AdmissionItem  # what earns points in the whole episode
BY_DEFAULT = SupplySection()


def classify_person(
    person: Row,
    study_episodes: EpisodeSection,
    period: PeriodSection,
    definitions: list[Definition],
    codes: Codes,
    observes: frozenset[str],
    absent_tables: frozenset[str],
    supply: SupplySection = BY_DEFAULT,
    scales: frozenset[str] | None = None,
) -> Row:
    """Everything the program says about one person, as lists of dicts.

    `scales` are those of which the delivery has a score of anybody; unless told, those of this person.
    """
    person = delivered(person, absent_tables, codes, scales)
    every_episode = [
        episode
        for disorder in study_episodes.disorders
        for episode in episodes_of(person, disorder, study_episodes, period, codes)
    ]
    episodes = [
        episode
        | {f"{makes}_causes": diagnosed_causes(person, episode, codes, makes) for makes in ("likely", "possible")}
        for episode in every_episode
        if period.start <= episode["start_date"] <= period.end
    ]
    for episode in episodes:
        episode["shares_treatment_with"] = shares_treatment_with(person, episode, episodes, codes)

    @cache
    def trials_under(rule: Trial, number: int) -> list[Row]:
        return trials_of(person, episodes[number], rule, supply)

    told: Row = {
        "episodes": [only(EPISODE_FACTS, e) for e in episodes],
        "trials": {},
        "judgements": {},
        "classifications": [],
        "stages": [],
    }
    for definition in definitions:
        judged = []
        for number, episode in enumerate(episodes):
            speaks = episode["disorder"] in definition.eligible.disorders
            trials = trials_under(definition.trial, number) if speaks else []
            judged.append(all_known(Known(person, episode, trials, codes, observes), definition))
        trials = [trial for known in judged for trial in known.trials]
        told["trials"][definition.id] = [only(TRIAL_FACTS, t) for t in trials]
        told["judgements"][definition.id] = [only(JUDGEMENT_FACTS, t) for t in trials]
        if definition.gives == "verdict":
            told["classifications"] += [classification(known, definition) for known in judged]
        else:
            told["stages"] += [
                staged(known, definition, eligibility(known, definition), may_have_missed(known, definition))
                for known in judged
            ]
    resistant = {row["episode_id"] for row in told["classifications"] if row["verdict"] == "resistant"}
    stuck = [episode for episode in episodes if episode["episode_id"] in resistant]
    told["impasses"] = [impasse(Known(person, episode, [], codes, observes)) for episode in stuck]
    return told


def delivered(person: Row, absent_tables: frozenset[str], codes: Codes, scales: frozenset[str] | None) -> Row:
    """The person with None for every table not delivered, all treatments as one table, and the delivery's scales."""
    tables = {name: None if name in absent_tables else rows for name, rows in person.items()}
    scores = tables["scores"]
    if scores is None or scales is None:
        scales = frozenset(row["scale"] for row in scores or [])
    return tables | {"treatments": treatment_rows(tables, codes), "scales_delivered": scales}


def all_known(known: Known, definition: Definition) -> Known:
    """The episode, each of its trials with its judgements under the definition."""
    person, episode, codes = known.person, known.episode, known.codes
    trials = [dict(trial) for trial in known.trials]
    for trial in trials:
        trial.update(judge_adequacy(trial, episode, definition, codes))
        trial.update(judge_outcome(trial, trials, person, episode, definition, codes, known.observes))
        trial.update(judge_response(trial, trials, person, episode, definition, codes))
        trial.update(judge_severity(trial, trials, person, episode, definition, codes))
    return replace(known, trials=trials)


def eligibility(known: Known, definition: Definition) -> Truth:
    """Whether a staging system speaks about the episode: not where resistance is feigned and that is asked last."""
    if definition.eligible.pseudo_resistance == "after" and known.episode["likely_causes"]:
        return False
    return judge_eligibility(known, definition.eligible)


# --- Time not seen ----------------------------------------------------------------------------------------------------


def is_followed_up(known: Known, definition: Definition) -> bool:
    """Whether the episode was seen from its true start to the day on which the definition closes.

    Reading: of an episode outside all coverage, too, only these two are asked, so one that may be neither
    censored nor left truncated (where the study asks for no prior observation) passes as followed up.
    """
    return not known.episode["is_left_truncated"] and is_seen_to_the_close(known, definition)


def is_seen_to_the_close(known: Known, definition: Definition) -> bool:
    """Whether the episode was seen to its own end, or to the last day of the trial block's own window.

    An episode in which a trial still runs was not seen to its own end.

    A definition that gives points for what it finds in the whole episode closes with the episode alone.

    Reading: so it does for the verdict and the score, not for what a change of treatment says of a trial.
    Reading: an episode whose tail has run out, and that may go on all the same, is seen to the close from that day on.
    """
    if not known.episode["is_censored"] and not any(still_runs(trial, known.episode) for trial in known.trials):
        return True
    if does_look_at_all_days(definition):
        return False
    rule = definition.trial
    last = window_closes(rows_looked_at(known.person, rule), known.episode, rule)
    return last is not None and last <= known.episode["observed_until"]


def does_look_at_all_days(definition: Definition) -> bool:
    """Whether the definition is a score that gives points for the episode's length, admissions or diagnoses.

    Reading: diagnoses at whatever time, also those before the episode alone.
    """
    rule = definition.resistance
    return isinstance(rule, Scored) and any(isinstance(item, LOOK_AT_ALL_DAYS) for item in rule.items)


def are_last_days_unknown(known: Known, rule: Trial) -> bool:
    """Whether the rule looks at the last days of an episode that was not seen to its end."""
    return rule.window == "last_days" and known.episode["is_censored"]


def may_have_missed(known: Known, definition: Definition) -> bool:
    """Whether something may have happened unseen in an episode of the definition's disorders."""
    speaks = known.episode["disorder"] in definition.eligible.disorders
    return speaks and not is_followed_up(known, definition)


# --- Verdicts ---------------------------------------------------------------------------------------------------------


def classification(known: Known, definition: Definition) -> Row:
    """The one row of an episode under a definition that gives verdicts."""
    rule = definition.resistance
    eligible = judge_eligibility(known, definition.eligible)
    is_score = isinstance(rule, Scored)
    met = score_met(rule, known) if is_score else alternatives_met(rule.any_of, known)
    is_unseen = may_have_missed(known, definition)
    verdict = verdict_of(eligible, met, is_unseen)
    decided_by = deciding_block(verdict, eligible, met, lambda *stage: could_be_met(definition, known, *stage))
    # Reading: this changes the verdict alone; failures and points are counted in the days that were last so far.
    if verdict == "resistant" and are_last_days_unknown(known, definition.trial):
        verdict, decided_by = "undetermined", "follow_up"
    likely = known.episode["likely_causes"]
    is_feigned = definition.eligible.pseudo_resistance == "after" and bool(likely and eligible)
    if is_feigned and verdict in ("resistant", "undetermined"):
        verdict, decided_by = "not_resistant", "eligible"
    every_group = tuple(sorted(definition.counted_groups))
    tried = failed_at("trial", every_group, known.trials)
    diagnosed = likely | known.episode["possible_causes"]
    causes = diagnosed | {CAUSES_BY_REASON.get(trial["adequacy_reason"], "") for trial in tried} - {""}
    # Reading: a score with a threshold is no staging system, but what was not seen may raise its upper bound alike.
    score_min, score_max = score_bounds(rule, known, is_unseen) if is_score else (None, None)
    return {
        "episode_id": known.episode["episode_id"],
        "definition_id": definition.id,
        "verdict": verdict,
        "resistant_date": since(definition, known) if verdict == "resistant" else None,
        "decided_by": decided_by,
        "n_trials": len(tried),
        "n_adequate": sum(bool(trial["is_adequate"]) for trial in tried),
        "n_failed_min": len(failed_at("sure", every_group, known.trials)),
        "n_failed_max": most_failed(known, every_group, is_unseen),
        "score_min": score_min,
        "score_max": score_max,
        "pseudo_resistance": "likely" if likely else "possible" if causes else "none",
        "causes": " ".join(sorted(causes)),
    }


def verdict_of(eligible: Truth, met: Truth, is_unseen: bool) -> str:
    """The verdict from eligibility, the resistance rule, and whether what would meet it may not have been seen."""
    if eligible is False:
        return "not_eligible"
    if eligible is None or met is None:
        return "undetermined"
    if met:
        return "resistant"
    return "undetermined" if is_unseen else "not_resistant"


def most_failed(known: Known, groups: tuple[str, ...], is_unseen: bool) -> int | None:
    """The most trials of the groups that may have failed; None where there is no upper bound.

    Reading: treatments that the delivery cannot show take the bound from an episode of another disorder as before.
    """
    if is_unseen or known.is_blind(groups):
        return None
    return len(failed_at("outcome", groups, known.trials))


def could_be_met(definition: Definition, known: Known, stage: str, by_number_alone: bool) -> bool:
    """Whether the rule could be met with all trials still in at the stage. A score is by numbers in any case."""
    rule = definition.resistance
    if isinstance(rule, Scored):
        return is_possible(rule, stage, known)
    return any(
        is_reached(plain(alternative) if by_number_alone else alternative, stage, known.trials)
        for alternative in rule.any_of
    )


def since(definition: Definition, known: Known) -> date:
    """The first day on which the rule is surely met, but not before the episode's first day."""
    rule = definition.resistance
    day = first_day_reached(rule, known) if isinstance(rule, Scored) else first_day_met(rule.any_of, known.trials)
    return max(day, known.episode["start_date"])
