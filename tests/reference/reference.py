"""The whole classification again, one person at a time, in slow plain Python.

In goes one person as a dict of row lists, the study's rules and the code tables; out come the person's
episodes, and per definition the trials, judgements and classifications. It exists to disagree: it
shares no code with transforms/, prefers loops and sets of days to cleverness, and every paragraph of
the rules has one function here. Where a rule can be read in two ways the reading is said in a comment
that starts with "Reading:".
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterable
from datetime import date, timedelta
from typing import Any

from schemas.definition import (
    Count,
    Definition,
    DrugAdequacy,
    Eligible,
    Exclusion,
    Item,
    Outcome,
    Resistance,
    ScaleRule,
    Scored,
    SessionAdequacy,
    Trial,
)
from schemas.study import EpisodeSection, PeriodSection
from tests.reference.codes import Codes, is_identified

Row = dict[str, Any]  # a row of drawn data or a fact being built: values of every type
Truth = bool | None
EPISODE_FACTS = (
    *("episode_id", "person_id", "disorder", "number", "start_date", "end_date", "end_reason", "observed_until"),
    *(
        "is_observed",
        "observed_days_before",
        "treated_from",
        "is_left_truncated",
        "is_censored",
        "n_contacts",
        "sex",
        "age",
    ),
)
TRIAL_FACTS = (
    *("trial_id", "episode_id", "treatment", "role", "modality", "is_counted", "start_date", "end_date"),
    *("n_days", "days_covered", "n_sessions", "n_add_ons", "has_unknown_supply", "is_ongoing"),
)
JUDGEMENT_FACTS = (*("trial_id", "is_adequate", "adequacy_reason", "has_failed", "outcome_evidence", "failure_date"),)


def classify_person(
    person: Row,
    study_episodes: EpisodeSection,
    period: PeriodSection,
    definitions: list[Definition],
    codes: Codes,
    observes: frozenset[str],
    absent_tables: frozenset[str],
) -> Row:
    """Everything the program says about one person, as lists of dicts."""
    person = delivered(person, absent_tables)
    every_episode = [
        episode
        for disorder in study_episodes.disorders
        for episode in episodes_of(person, disorder, study_episodes, period, codes)
    ]
    episodes = [e for e in every_episode if period.start <= e["start_date"] <= period.end]
    told: Row = {
        "episodes": [only(EPISODE_FACTS, e) for e in episodes],
        "trials": {},
        "judgements": {},
        "classifications": [],
    }
    for definition in definitions:
        judged = {e["episode_id"]: judged_trials(person, e, definition, codes, observes) for e in episodes}
        trials = [trial for of_episode in judged.values() for trial in of_episode]
        told["trials"][definition.id] = [only(TRIAL_FACTS, t) for t in trials]
        told["judgements"][definition.id] = [only(JUDGEMENT_FACTS, t) for t in trials]
        told["classifications"] += [
            classification(person, e, judged[e["episode_id"]], definition, codes, observes) for e in episodes
        ]
    return told


def delivered(person: Row, absent_tables: frozenset[str]) -> Row:
    """The person with None in place of every table the delivery does not have."""
    return {name: None if name in absent_tables else rows for name, rows in person.items()}


def judged_trials(person: Row, episode: Row, definition: Definition, codes: Codes, observes: frozenset[str]) -> list:
    """The trials of one episode, each with its two judgements."""
    trials = trials_of(person, episode, definition.trial, codes)
    for trial in trials:
        trial.update(judge_adequacy(trial, definition, codes))
        trial.update(judge_outcome(trial, trials, person, episode, definition, codes, observes))
    return trials


# --- Small helpers ----------------------------------------------------------------------------------------------------


def only(names: Iterable[str], row: Row) -> Row:
    """The named facts of a row."""
    return {name: row[name] for name in names}


def later(day: date, days: int) -> date:
    """The day so many days later."""
    return day + timedelta(days=days)


def days_between(first: date, until: date) -> int:
    """Days from `first` up to, not including, `until`."""
    return (until - first).days


def all_true(values: Iterable[Truth]) -> Truth:
    """Kleene AND: one false settles it, else one unknown leaves it open."""
    values = list(values)
    if False in values:
        return False
    return None if None in values else True


def any_true(values: Iterable[Truth]) -> Truth:
    """Kleene OR: one true settles it, else one unknown leaves it open."""
    values = list(values)
    if True in values:
        return True
    return None if None in values else False


# --- Episodes ---------------------------------------------------------------------------------------------------------


def episodes_of(person: Row, disorder: str, rule: EpisodeSection, period: PeriodSection, codes: Codes) -> list[Row]:
    """The person's episodes of one disorder, oldest first, also those outside the study period."""
    coverage = merged_coverage(person["coverage"])
    events = contacts_of(person, disorder, codes)
    if rule.treatment_bridges:
        events += bridging_treatments(person, disorder, codes)
    episodes: list[Row] = []
    for chain in chained(events, coverage or [], rule.gap_days):
        if any(event["kind"] == "contact" for event in chain):
            before = episodes[-1] if episodes else None
            number = len(episodes) + 1
            episodes.append(episode_from(chain, before, number, person, disorder, coverage, rule, period))
    return episodes


def merged_coverage(rows: list[Row] | None) -> list[tuple[date, date]] | None:
    """Coverage intervals, joined where the next starts by the day after the last ends; None without the table."""
    if rows is None:
        return None
    merged: list[tuple[date, date]] = []
    for start, end in sorted((row["start_date"], row["end_date"]) for row in rows):
        if merged and start <= later(merged[-1][1], 1):
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((start, end))
    return merged


def contacts_of(person: Row, disorder: str, codes: Codes) -> list[Row]:
    """Diagnoses of the disorder. One in the remission list is a remission contact, whatever else lists it."""
    lists = codes.disorders[disorder]
    contacts = []
    for row in person["diagnoses"] or []:
        is_remission = codes.in_list(lists["remission"], row["code"], row["code_system"])
        is_illness = codes.in_list(lists["diagnoses"], row["code"], row["code_system"])
        if is_remission or is_illness:
            last = max(row["date"], row["end_date"] or row["date"])
            kind = "remission" if is_remission else "contact"
            contacts.append({"first": row["date"], "last": last, "kind": kind, "row": row})
    return contacts


def bridging_treatments(person: Row, disorder: str, codes: Codes) -> list[Row]:
    """Treatments that surely treat the disorder: a dispensing for its days, a procedure for its day."""
    group = codes.disorders[disorder]["treatments"]
    bridges = []
    for row in person["dispensings"] or []:
        drug = codes.drug(row["atc"])
        if drug and group in drug.groups:
            last = later(row["date"], max((row["days"] or 1) - 1, 0))
            bridges.append({"first": row["date"], "last": last, "kind": "treatment", "row": row})
    for row in person["procedures"] or []:
        treatment = codes.named(row["treatment"])
        if treatment and group in treatment.groups:
            bridges.append({"first": row["date"], "last": row["date"], "kind": "treatment", "row": row})
    return bridges


def chained(events: list[Row], coverage: list[tuple[date, date]], gap_days: int) -> list[list[Row]]:
    """Events at most `gap_days` after everything before them, and in the same segment, make one chain."""
    remissions = {event["first"] for event in events if event["kind"] == "remission"}
    chains: list[list[Row]] = []
    for event in sorted(events, key=lambda e: e["first"]):
        chain = chains[-1] if chains else None
        if chain and is_continued(chain, event, coverage, remissions, gap_days):
            chain.append(event)
        else:
            chains.append([event])
    return chains


def is_continued(
    chain: list[Row], event: Row, coverage: list[tuple[date, date]], remissions: set[date], gap_days: int
) -> bool:
    """Whether the event belongs to the chain."""
    is_near = event["first"] <= later(max(e["last"] for e in chain), gap_days)
    return is_near and segment(event["first"], coverage, remissions) == segment(chain[0]["first"], coverage, remissions)


def segment(day: date, coverage: list[tuple[date, date]], remissions: set[date]) -> tuple[int, int]:
    """How many coverage intervals have begun, and how many remissions lie before the day.

    Reading: a day before the first interval is 0 and one in the first interval is 1, so they are apart.
    """
    begun = sum(start <= day for start, _ in coverage)
    return begun, sum(remission < day for remission in remissions)


def episode_from(
    chain: list[Row],
    before: Row | None,
    number: int,
    person: Row,
    disorder: str,
    coverage: list[tuple[date, date]] | None,
    rule: EpisodeSection,
    period: PeriodSection,
) -> Row:
    """One episode with all its facts; `before` is the person's previous episode of the disorder."""
    start = min(event["first"] for event in chain if event["kind"] == "contact")
    if before and before["end_date"] >= start:  # a long tail ends where the next episode begins
        before["end_date"] = later(start, -1)
    limits = observation_limits(start, person, coverage, period)
    observed_until = max(start, min(day for _, day in limits))
    end, reason = episode_end(chain, start, observed_until, limits, rule.tail_days)
    observed_before = observed_days_before(start, coverage)
    last = max(event["last"] for event in chain)
    contacts = [event["row"] for event in chain if event["kind"] != "treatment"]
    opens = later(start, -rule.lead_days)
    return {
        "episode_id": f"{person['person_id']}:{disorder}:{number}",
        "person_id": person["person_id"],
        "disorder": disorder,
        "number": number,
        "start_date": start,
        "end_date": end,
        "end_reason": reason,
        "observed_until": observed_until,
        "observed_days_before": observed_before,
        "is_observed": None if coverage is None else any(name == "coverage" for name, _ in limits),
        "treated_from": max(opens, later(before["end_date"], 1)) if before else opens,
        "is_left_truncated": None if observed_before is None else observed_before < rule.washout_days,
        "is_censored": reason not in ("remission", "death") and later(last, rule.gap_days) > observed_until,
        "n_contacts": len({(row["date"], row["code"]) for row in contacts}),
        "sex": person["sex"],
        "age": completed_years(person["birth_date"], start),
        "contacts": [event["row"] for event in chain if event["kind"] == "contact"],
    }


def observation_limits(
    start: date, person: Row, coverage: list[tuple[date, date]] | None, period: PeriodSection
) -> list[tuple[str, date]]:
    """What ends the view of an episode, by name, in the order in which ties are named."""
    limits = [("death", person["death_date"])] if person["death_date"] else []
    limits += [("coverage", until) for since, until in coverage or [] if since <= start <= until]
    return [*limits, ("period", period.end)]


def episode_end(
    chain: list[Row], start: date, observed_until: date, limits: list[tuple[str, date]], tail_days: int
) -> tuple[date, str]:
    """The episode's last day and why it is the last."""
    remissions = [event["first"] for event in chain if event["kind"] == "remission"]
    natural = max(remissions) if remissions else later(max(event["last"] for event in chain), tail_days)
    end = max(start, min(natural, observed_until))
    if natural > observed_until:
        # Reading: an episode that starts after death or after the period is named by that limit, too.
        nearest = min(day for _, day in limits)
        return end, next(name for name, day in limits if day == nearest)
    return end, "remission" if remissions else "tail"


def observed_days_before(start: date, coverage: list[tuple[date, date]] | None) -> int | None:
    """Days from the start of the interval that contains the episode's start; 0 outside every interval."""
    if coverage is None:
        return None
    return next((days_between(since, start) for since, until in coverage if since <= start <= until), 0)


def completed_years(birth: date | None, day: date) -> int | None:
    """Age in completed years."""
    if birth is None:
        return None
    return day.year - birth.year - ((day.month, day.day) < (birth.month, birth.day))


# --- Trials -----------------------------------------------------------------------------------------------------------


def trials_of(person: Row, episode: Row, rule: Trial, codes: Codes) -> list[Row]:
    """The trials of one episode, numbered by (start, treatment, end)."""
    by_treatment = rows_by_treatment(person, episode, rule, codes)
    drugs: list[Row] = []
    courses: list[Row] = []
    for rows in by_treatment.values():
        if rows[0]["modality"] == "drug":
            drugs += drug_eras(rows, rule, episode["observed_until"])
        else:
            courses += session_courses(rows, rule, episode["observed_until"])
    drugs, courses = sorted(drugs, key=trial_order), sorted(courses, key=trial_order)
    settle_drug_roles(drugs, rule)
    settle_session_roles(courses)
    kept = sorted((t for t in drugs + courses if is_kept(t, rule)), key=trial_order)
    trial_rule = hashlib.sha256(repr(rule).encode()).hexdigest()[:8]
    for number, trial in enumerate(kept, start=1):
        trial["trial_id"] = f"{episode['episode_id']}:{trial_rule}:{number}"
        trial["episode_id"] = episode["episode_id"]
        trial["is_counted"] = setting_of(trial["role"], rule) == "own_trial"
        trial["modality"] = "augmentation" if trial["role"] == "augmentation" else trial["modality"]
        trial["n_add_ons"] = sum(other["host"] is trial for other in kept)
        trial["taken_together_from"] = rule.overlap_days
    return kept


def trial_order(trial: Row) -> tuple[date, str, date]:
    """The order of trials within an episode."""
    return trial["start_date"], trial["treatment"], trial["end_excl"]


def window(episode: Row, rule: Trial) -> tuple[date, date]:
    """First and last day on which a treatment counts for the episode."""
    first, last = episode["treated_from"], episode["end_date"]
    if rule.window == "first_days":
        last = min(last, later(episode["start_date"], rule.window_days - 1))
    if rule.window == "last_days":
        first = max(first, later(last, 1 - rule.window_days))
    return first, last


def rows_by_treatment(person: Row, episode: Row, rule: Trial, codes: Codes) -> dict[str, list[Row]]:
    """The window's dispensings and procedures that may be what the rule speaks about."""
    first, last = window(episode, rule)
    by_treatment: dict[str, list[Row]] = {}
    for row in treatment_rows(person, codes):
        groups = row["groups"] | row["maybe_groups"]
        row["is_primary"] = bool(groups & set(rule.treatments))
        row["is_augmenter"] = bool(groups & set(rule.augmenters))
        if first <= row["date"] <= last and (row["is_primary"] or row["is_augmenter"]):
            by_treatment.setdefault(row["treatment"], []).append(row)
    return by_treatment


def treatment_rows(person: Row, codes: Codes) -> list[Row]:
    """Dispensings and procedures that are treatments, with what the vocabulary says of them.

    Reading: a procedure that gives a drug is a row of that drug with unknown days and dose.
    """
    unknown = {"days": None, "dose_ug": None, "dose_mddd": None}
    found = [(codes.drug(row["atc"]), row["atc"], row) for row in person["dispensings"] or []]
    found += [(codes.named(row["treatment"]), row["treatment"], unknown | row) for row in person["procedures"] or []]
    return [
        {
            **only(("date", "days", "dose_ug", "dose_mddd"), row),
            "treatment": treatment,
            "modality": listed.modality,
            "class": listed.class_name,
            "mechanism": listed.mechanism,
            "groups": listed.groups,
            "maybe_groups": listed.maybe_groups,
        }
        for listed, treatment, row in found
        if listed
    ]


def drug_eras(rows: list[Row], rule: Trial, observed_until: date) -> list[Row]:
    """The eras of one drug in one episode."""
    eras: list[list[Row]] = []
    for supply in supplies_of(rows, rule, observed_until):
        if eras and supply["date"] <= later(max(s["until"] for s in eras[-1]), rule.drug_gap_days):
            eras[-1].append(supply)
        else:
            eras.append([supply])
    return [era_from(supplies, rule, observed_until) for supplies in eras]


def supplies_of(rows: list[Row], rule: Trial, observed_until: date) -> list[Row]:
    """Each row with the days [since, until) its supply is taken; leftovers push the next row back."""
    supplies: list[Row] = []
    previous_until: date | None = None
    for row in sorted(rows, key=dispensing_order):
        left_over = days_between(row["date"], previous_until) if rule.carry_over and previous_until else 0
        since = later(row["date"], min(max(left_over, 0), rule.carry_over_cap_days))
        previous_until = later(since, row["days"] or 0)
        beyond = later(observed_until, 1)
        supplies.append({**row, "since": min(since, beyond), "until": min(previous_until, beyond)})
    return supplies


def dispensing_order(row: Row) -> tuple[date, int, int, int]:
    """Rows of one drug by date, then amount; an unknown amount comes first."""
    amounts = (-1 if row[name] is None else row[name] for name in ("days", "dose_ug", "dose_mddd"))
    return (row["date"], *amounts)


def era_from(supplies: list[Row], rule: Trial, observed_until: date) -> Row:
    """One drug era: its days, and per dispensing the days it spans and covers."""
    start = supplies[0]["date"]
    end_excl = max([start] + [supply["until"] for supply in supplies])
    covered = {
        later(supply["since"], n) for supply in supplies for n in range(days_between(supply["since"], supply["until"]))
    }
    next_since = [supply["since"] for supply in supplies[1:]] + [end_excl]
    for supply, until in zip(supplies, next_since, strict=True):
        own_days = [later(supply["since"], n) for n in range(days_between(supply["since"], until))]
        supply["span"] = len(own_days)
        supply["covered"] = sum(day in covered for day in own_days)
    return {
        **trial_from(supplies[0], start, end_excl, later(end_excl, rule.drug_gap_days) > observed_until),
        "days_covered": len(covered),
        "n_sessions": None,
        "has_unknown_supply": any(supply["days"] is None for supply in supplies),
        "supplies": supplies,
    }


def session_courses(rows: list[Row], rule: Trial, observed_until: date) -> list[Row]:
    """The courses of one treatment given in sessions. Reading: its covered days are the days with a session."""
    courses: list[list[date]] = []
    for day in sorted({row["date"] for row in rows}):
        if courses and days_between(courses[-1][-1], day) <= rule.session_gap_days:
            courses[-1].append(day)
        else:
            courses.append([day])
    return [
        {
            **trial_from(rows[0], days[0], end_excl, later(end_excl, rule.session_gap_days) > observed_until),
            "days_covered": len(days),
            "n_sessions": len(days),
            "has_unknown_supply": False,
            "supplies": [],
        }
        for days in courses
        for end_excl in [later(days[-1], 1)]
    ]


def trial_from(row: Row, start: date, end_excl: date, is_ongoing: bool) -> Row:
    """What eras and courses have in common."""
    of_treatment = ("treatment", "modality", "class", "mechanism", "groups", "maybe_groups")
    return {
        **only((*of_treatment, "is_primary", "is_augmenter"), row),
        "start_date": start,
        "end_excl": end_excl,
        "end_date": max(start, later(end_excl, -1)),
        "n_days": days_between(start, end_excl),
        "is_ongoing": is_ongoing,
        "is_drug": row["modality"] == "drug",
        "role": None,
        "host": None,
    }


def overlap_days(newer: Row, older: Row) -> int:
    """Days two trials are taken together, counted from the start of the newer one."""
    return days_between(newer["start_date"], min(newer["end_excl"], older["end_excl"]))


def settle_drug_roles(eras: list[Row], rule: Trial) -> None:
    """Give each era its role, and each add-on its host; an era left without a role is no trial."""
    for position, era in enumerate(eras):
        earlier = eras[:position]
        others = [e for e in earlier if e["is_primary"] and e["treatment"] != era["treatment"]]
        hosts = [e for e in others if overlap_days(era, e) >= rule.overlap_days]
        if hosts:
            era["role"] = "augmentation" if era["is_augmenter"] else "combination"
            era["host"] = max(hosts, key=lambda host: overlap_days(era, host))
        elif era["is_primary"]:
            era["role"] = plain_role(era, earlier)


def settle_session_roles(courses: list[Row]) -> None:
    """As for drugs, within a modality and without add-ons. Reading: an augmenter-only course is no trial."""
    for position, course in enumerate(courses):
        if course["is_primary"]:
            earlier = [c for c in courses[:position] if c["modality"] == course["modality"]]
            course["role"] = plain_role(course, earlier)


def plain_role(trial: Row, earlier: list[Row]) -> str:
    """The role of a trial that is no add-on."""
    if any(e["treatment"] == trial["treatment"] for e in earlier):
        return "resumed"
    return "switch" if any(e["is_primary"] for e in earlier) else "first"


def setting_of(role: str, rule: Trial) -> str:
    """What the rule makes of a role."""
    return {"augmentation": rule.augmentation, "combination": rule.combination}.get(role, "own_trial")


def is_kept(trial: Row, rule: Trial) -> bool:
    """Whether the rule keeps the trial, counted or not."""
    return trial["role"] is not None and setting_of(trial["role"], rule) != "ignored"


# --- Adequacy ---------------------------------------------------------------------------------------------------------


def judge_adequacy(trial: Row, definition: Definition, codes: Codes) -> Row:
    """Whether the trial was long and strong enough, and the reason."""
    rule = getattr(definition.adequacy, trial["modality"])
    if trial["is_drug"]:
        return drug_adequacy(trial, rule, codes)
    return session_adequacy(trial, rule)


def drug_adequacy(trial: Row, rule: DrugAdequacy, codes: Codes) -> Row:
    """Enough days at the dose, and enough of the days covered."""
    long_enough = is_long_enough(trial, rule, codes)
    is_adequate = all_true([long_enough, is_adherent(trial, rule)])
    total = sum(supply[rule.duration_basis] for supply in trial["supplies"])
    if is_adequate:
        reason = "adequate"
    elif is_adequate is None:
        reason = "duration_unknown" if trial["has_unknown_supply"] else "dose_unknown"
    elif long_enough is not False:
        reason = "low_adherence"
    else:
        reason = "too_short" if total < rule.min_days else "underdosed"
    return {"is_adequate": is_adequate, "adequacy_reason": reason}


def is_long_enough(trial: Row, rule: DrugAdequacy, codes: Codes) -> Truth:
    """Whether the days at the dose reach the minimum, for every or for no value of what is unknown."""
    lower, upper = 0.0, 0.0
    for supply in trial["supplies"]:
        is_strong = is_dose_enough(trial["treatment"], supply, rule, codes)
        lower += supply[rule.duration_basis] if is_strong else 0
        upper += supply[rule.duration_basis] if is_strong is not False else 0
    if trial["has_unknown_supply"]:
        upper = math.inf
    return between_bounds(lower, upper, rule.min_days)


def between_bounds(lower: float, upper: float, needed: float) -> Truth:
    """True when even the lower bound suffices, false when not even the upper one does."""
    if lower >= needed:
        return True
    return False if upper < needed else None


def is_dose_enough(treatment: str, supply: Row, rule: DrugAdequacy, codes: Codes) -> Truth:
    """Whether one dispensing reaches the rule's dose."""
    if rule.dose_basis == "any":
        return True
    ratio = dose_ratio(treatment, supply, rule.dose_basis, codes)
    return None if ratio is None else ratio >= rule.min_dose_ratio


def dose_ratio(treatment: str, supply: Row, basis: str, codes: Codes) -> float | None:
    """The daily dose as a share of the dose that `basis` names."""
    if basis == "ddd_ratio":
        return None if supply["dose_mddd"] is None else supply["dose_mddd"] / 1000
    mg = codes.doses.get(treatment, {}).get(f"{basis}_mg")
    return None if mg is None or supply["dose_ug"] is None else supply["dose_ug"] / (mg * 1000)


def is_adherent(trial: Row, rule: DrugAdequacy) -> Truth:
    """Whether enough of the trial's days are covered by supply."""
    if rule.min_adherence_percent == 0:
        return True
    if trial["has_unknown_supply"]:
        return None
    return trial["n_days"] > 0 and 100 * trial["days_covered"] >= rule.min_adherence_percent * trial["n_days"]


def session_adequacy(trial: Row, rule: SessionAdequacy) -> Row:
    """Enough days from first to last session, and enough sessions."""
    if trial["n_days"] < rule.min_days:
        return {"is_adequate": False, "adequacy_reason": "too_short"}
    if trial["n_sessions"] < rule.min_sessions:
        return {"is_adequate": False, "adequacy_reason": "too_few_sessions"}
    return {"is_adequate": True, "adequacy_reason": "adequate"}


# --- Outcome ----------------------------------------------------------------------------------------------------------

Verdict = tuple[Truth, str, date | None]  # has failed, evidence, date of the failure


def judge_outcome(
    trial: Row,
    trials: list[Row],
    person: Row,
    episode: Row,
    definition: Definition,
    codes: Codes,
    observes: frozenset[str],
) -> Row:
    """Whether the trial failed, by what evidence, and when."""
    rule = definition.outcome
    stopped = is_early_stop(trial, rule)
    if stopped and rule.early_stop != "by_evidence":
        verdict: Verdict = (False if rule.early_stop == "not_failed" else None, "early_stop", None)
    else:
        told = []
        for kind in rule.evidence:
            if kind == "scales":
                told.append(scales_verdict(trial, person, rule, codes))
            else:
                told.append(change_verdict(trial, trials, person, episode, rule, codes, observes))
        verdict = first_that_tells(told)
    return dict(zip(("has_failed", "outcome_evidence", "failure_date"), verdict, strict=True))


def first_that_tells(told: list[Verdict]) -> Verdict:
    """The first evidence that can tell.

    Reading: when none can, the treatment_change evidence still says why ("unfinished", "unobserved").
    """
    decided = [verdict for verdict in told if verdict[0] is not None]
    reasons = [verdict for verdict in told if verdict[1] != "none"]
    return next(iter(decided + reasons), (None, "none", None))


def is_early_stop(trial: Row, rule: Outcome) -> bool:
    """Surely stopped before the evidence could speak."""
    is_short = trial["n_days"] < rule.early_stop_days
    return is_short and not trial["has_unknown_supply"] and not trial["is_ongoing"]


def scales_verdict(trial: Row, person: Row, rule: Outcome, codes: Codes) -> Verdict:
    """What the scales say together."""
    verdicts = [scale_verdict(trial, person, scale, rule, codes) for scale in rule.scales]
    measured = [verdict for verdict in verdicts if verdict[0] is not None]
    failed = joined([verdict[0] for verdict in verdicts], rule.scales_joined)
    if failed is None:
        return None, "none", None
    _, evidence, day = next(verdict for verdict in measured if verdict[0] == failed)
    if not failed:
        return False, evidence, None
    failure_dates = [verdict[2] for verdict in verdicts if verdict[0] and verdict[2]]
    if rule.scales_joined in ("any", "any_measured"):
        day = min(failure_dates)
    if rule.scales_joined == "all":
        day = max(failure_dates)
    return True, evidence, day


def joined(verdicts: list[Truth], how: str) -> Truth:
    """Several scales' verdicts as one."""
    measured = [verdict for verdict in verdicts if verdict is not None]
    if how == "any":
        return any_true(verdicts)
    if how == "all":
        return all_true(verdicts)
    if how == "any_measured":
        return any_true(measured) if measured else None
    return measured[0] if measured else None


def scale_verdict(trial: Row, person: Row, scale: ScaleRule, rule: Outcome, codes: Codes) -> Verdict:
    """What one scale says, and on which day."""
    evidence = f"{scale.scale}:{scale.fails_if}"
    score = outcome_score(trial, person, scale.scale, rule)
    if score is None:
        return None, evidence, None
    if scale.fails_if == "score_above":
        return score["value"] > scale.value, evidence, score["date"]
    baseline = baseline_score(trial, person, scale.scale, rule)
    minimum = codes.scale_minimum[scale.scale]
    if baseline is None or baseline["value"] <= minimum:
        return None, evidence, None
    fall = baseline["value"] - score["value"]
    return fall * 100 < scale.value * (baseline["value"] - minimum), evidence, score["date"]


def scores_between(person: Row, scale: str, first: date, last: date) -> list[Row]:
    """The scale's scores from first to last day."""
    return [row for row in person["scores"] or [] if row["scale"] == scale and first <= row["date"] <= last]


def outcome_score(trial: Row, person: Row, scale: str, rule: Outcome) -> Row | None:
    """The latest score of the outcome window; of one day's scores the highest."""
    first = later(trial["start_date"], rule.score_from_day)
    last = later(trial["end_date"], rule.score_days_after_end)
    return max(scores_between(person, scale, first, last), key=lambda r: (r["date"], r["value"]), default=None)


def baseline_score(trial: Row, person: Row, scale: str, rule: Outcome) -> Row | None:
    """The latest score up to the trial's start, else the earliest after it; of one day's scores the highest."""
    start = trial["start_date"]
    before = scores_between(person, scale, later(start, -rule.baseline_days_before), start)
    if before:
        return max(before, key=lambda row: (row["date"], row["value"]))
    after = scores_between(person, scale, later(start, 1), later(start, rule.baseline_days_after))
    return min(after, key=lambda row: (row["date"], -row["value"]), default=None)


def change_verdict(
    trial: Row,
    trials: list[Row],
    person: Row,
    episode: Row,
    rule: Outcome,
    codes: Codes,
    observes: frozenset[str],
) -> Verdict:
    """What the treatment that followed says."""
    horizon = episode["end_date"]
    if rule.change_within != "episode":
        horizon = later(trial["end_date"], rule.change_within)
    dated = [
        (day, rule.change_signs.index(sign), sign)
        for sign in rule.change_signs
        for day in days_of_sign(sign, trial, trials, person, episode, codes)
        if trial["start_date"] < day <= horizon
    ]
    if dated:
        day, _, sign = min(dated)
        return True, sign, day
    if not all(is_sign_observed(sign, person, observes) for sign in rule.change_signs):
        return None, "unobserved", None
    if trial["has_unknown_supply"] and rule.change_within != "episode":
        return None, "unknown_end", None  # the days allowed are counted from a last day that is not known
    is_finished = horizon <= episode["observed_until"]
    if rule.change_within == "episode":
        is_finished = not episode["is_censored"]
    if is_finished:
        return False, "no_change", None
    return (False if rule.if_unfinished == "not_failed" else None), "unfinished", None


def days_of_sign(sign: str, trial: Row, trials: list[Row], person: Row, episode: Row, codes: Codes) -> list[date]:
    """All days of one sign, whenever they were."""
    if sign == "switch":
        return [other["start_date"] for other in trials if is_switch(trial, other)]
    if sign == "add_on":
        return [other["start_date"] for other in trials if is_add_on(trial, other)]
    if sign == "admission":
        illness = codes.disorders[episode["disorder"]]["diagnoses"]
        stays = person["admissions"] or []
        return [stay["start_date"] for stay in stays if codes.in_list_of_any_system(illness, stay["main_code"])]
    if trial["modality"] == "neuromodulation" and sign in trial["groups"]:
        return []
    treated = [(codes.named(row["treatment"]), row["date"]) for row in person["procedures"] or []]
    return [day for listed, day in treated if listed and sign in listed.groups]


def is_switch(trial: Row, other: Row) -> bool:
    """The other trial replaces this one: another drug that is not taken together with it.

    Reading: taken together is a matter of overlap alone, so a drug started on top of an
    augmenter that hosts nothing is no switch away from it.
    """
    if other["modality"] != "drug" or other["treatment"] == trial["treatment"]:
        return False
    if not trial["is_drug"]:
        return other["start_date"] >= trial["end_excl"]
    return overlap_days(other, trial) < trial["taken_together_from"]


def is_add_on(trial: Row, other: Row) -> bool:
    """The other drug is taken together with this one. Reading: this one may be an augmentation itself."""
    if not trial["is_drug"] or not other["is_drug"] or other["treatment"] == trial["treatment"]:
        return False
    return overlap_days(other, trial) >= trial["taken_together_from"]


def is_sign_observed(sign: str, person: Row, observes: frozenset[str]) -> bool:
    """Whether the delivery could show the sign."""
    if sign == "admission":
        return person["admissions"] is not None
    return {"switch": "drug", "add_on": "drug", "ect": "ect", "tms": "tms"}[sign] in observes


# --- Resistance -------------------------------------------------------------------------------------------------------

Stage = Callable[[Truth, Truth, Truth], bool]  # of member, adequate, failed: is the trial still in?

STAGES: dict[str, Stage] = {
    "trial": lambda member, adequate, failed: member is not False,
    "adequacy": lambda member, adequate, failed: False not in (member, adequate),
    "outcome": lambda member, adequate, failed: False not in (member, adequate, failed),
    "sure_adequate": lambda member, adequate, failed: bool(member and adequate) and failed is not False,
    "sure": lambda member, adequate, failed: bool(member and adequate and failed),
}


def classification(
    person: Row, episode: Row, trials: list[Row], definition: Definition, codes: Codes, observes: frozenset[str]
) -> Row:
    """The one row of an episode under a definition."""
    rule = definition.resistance
    counted = [trial for trial in trials if trial["is_counted"]]
    eligible = judge_eligibility(person, episode, definition.eligible, codes)
    met = is_met(rule, counted, codes, observes)
    verdict = verdict_of(eligible, met)
    every_group = tuple(sorted(definition.counted_groups))
    is_open = codes.is_unobserved(every_group, observes)
    score_min, score_max = score_bounds(rule, counted, codes, observes) if isinstance(rule, Scored) else (None, None)
    return {
        "episode_id": episode["episode_id"],
        "definition_id": definition.id,
        "verdict": verdict,
        "resistant_date": resistant_date(rule, counted) if verdict == "resistant" else None,
        "decided_by": decided_by(verdict, eligible, rule, counted),
        "n_trials": len(at_stage("trial", every_group, counted)),
        "n_adequate": sum(bool(t["is_adequate"]) for t in at_stage("trial", every_group, counted)),
        "n_failed_min": len(at_stage("sure", every_group, counted)),
        "n_failed_max": None if is_open else len(at_stage("outcome", every_group, counted)),
        "score_min": score_min,
        "score_max": score_max,
    }


def verdict_of(eligible: Truth, met: Truth) -> str:
    """The verdict from eligibility and the resistance rule."""
    if eligible is False:
        return "not_eligible"
    if eligible is None or met is None:
        return "undetermined"
    return "resistant" if met else "not_resistant"


def is_member(trial: Row, of: tuple[str, ...]) -> Truth:
    """Whether the trial's treatment is in one of the groups."""
    if trial["groups"] & set(of):
        return True
    return None if trial["maybe_groups"] & set(of) else False


def at_stage(stage: str, of: tuple[str, ...], trials: list[Row]) -> list[Row]:
    """The trials still in at a stage."""
    is_in = STAGES[stage]
    return [t for t in trials if is_in(is_member(t, of), t["is_adequate"], t["has_failed"])]


def is_met(rule: Resistance, trials: list[Row], codes: Codes, observes: frozenset[str]) -> Truth:
    """Whether the resistance rule is met; None when it hangs on what is unknown."""
    if isinstance(rule, Scored):
        lower, upper = score_bounds(rule, trials, codes, observes)
        return between_bounds(lower, upper, rule.threshold)
    return any_true(all_true(count_met(count, trials, codes, observes) for count in arm.all_of) for arm in rule.any_of)


def count_met(count: Count, trials: list[Row], codes: Codes, observes: frozenset[str]) -> Truth:
    """Whether one count is reached."""
    lower: float = lower_count(at_stage("sure", count.of, trials), count.distinct_by)
    upper: float = upper_count(at_stage("outcome", count.of, trials), count.distinct_by)
    if codes.is_unobserved(count.of, observes):
        upper = math.inf
    return between_bounds(lower, upper, count.n)


def key_of(trial: Row, distinct_by: str) -> str | None:
    """What must differ between trials; None where the trial does not say it.

    Reading: a class or mechanism is known wherever the vocabulary gives one, also to a short code.
    """
    if distinct_by == "substance":
        return trial["treatment"] if is_identified(trial["treatment"]) else None
    return trial[distinct_by] or None


def lower_count(sure: list[Row], distinct_by: str) -> int:
    """The fewest different ones the trials can be: those that do not say may repeat one that does."""
    if distinct_by == "none":
        return len(sure)
    keys = {key_of(trial, distinct_by) for trial in sure} - {None}
    return max(len(keys), 1 if sure else 0)


def upper_count(possible: list[Row], distinct_by: str) -> int:
    """The most different ones the trials can be: each one that does not say may be new."""
    if distinct_by == "none":
        return len(possible)
    keys = [key_of(trial, distinct_by) for trial in possible]
    return len(set(keys) - {None}) + keys.count(None)


def has_feature(item: Item, trial: Row) -> Truth:
    """Whether the trial has what the item asks beyond failing. Reading: sessions have no dose to raise."""
    if item.item == "failed_trials":
        return True
    if item.item == "extended":
        if trial["n_days"] >= item.extended_days:
            return True
        return None if trial["has_unknown_supply"] else False
    doses = [supply["dose_ug"] for supply in trial["supplies"]]
    if None in doses:
        return None
    return bool(doses) and max(doses) > doses[0]


def item_points(item: Item, trials: list[Row], needed: tuple[Truth, ...]) -> float:
    """The item's points for trials whose feature is one of the needed truths, capped."""
    return min(item.max_points, item.points * sum(has_feature(item, trial) in needed for trial in trials))


def score_bounds(rule: Scored, trials: list[Row], codes: Codes, observes: frozenset[str]) -> tuple[float, float]:
    """The lowest and highest score; half points are exact in binary, so floats may be added."""
    lower = upper = 0.0
    for item in rule.items:
        lower += item_points(item, at_stage("sure", item.of, trials), (True,))
        is_open = codes.is_unobserved(item.of, observes)
        possible = item_points(item, at_stage("outcome", item.of, trials), (True, None))
        upper += item.max_points if is_open else possible
    return lower, upper


def resistant_date(rule: Resistance, trials: list[Row]) -> date:
    """The first day on which the failures up to then make the rule true.

    Reading: this is also what "n-th smallest of the keys' first failures" means when no key is identified.
    """
    days = sorted({t["failure_date"] for t in trials if t["failure_date"]})
    return next(day for day in days if is_surely_met(rule, [t for t in trials if has_failed_by(t, day)]))


def has_failed_by(trial: Row, day: date) -> bool:
    """Whether the trial has failed on or before the day."""
    return trial["failure_date"] is not None and trial["failure_date"] <= day


def is_surely_met(rule: Resistance, trials: list[Row]) -> bool:
    """Whether the rule's lower bound is reached."""
    if isinstance(rule, Scored):
        points = [item_points(item, at_stage("sure", item.of, trials), (True,)) for item in rule.items]
        return sum(points) >= rule.threshold
    return any(
        all(lower_count(at_stage("sure", c.of, trials), c.distinct_by) >= c.n for c in arm.all_of)
        for arm in rule.any_of
    )


def decided_by(verdict: str, eligible: Truth, rule: Resistance, trials: list[Row]) -> str:
    """The block that settled the verdict, or left it open."""
    if eligible is not True:
        return "eligible"
    if verdict == "resistant":
        return "resistance"
    if verdict == "not_resistant":
        if not is_reachable(rule, trials, "trial", is_distinct=False):
            return "trial"
        if not is_reachable(rule, trials, "trial"):
            return "resistance"
        return "outcome" if is_reachable(rule, trials, "adequacy") else "adequacy"
    if not is_reachable(rule, trials, "outcome"):
        return "trial"
    return "outcome" if is_reachable(rule, trials, "sure_adequate") else "adequacy"


def is_reachable(rule: Resistance, trials: list[Row], stage: str, is_distinct: bool = True) -> bool:
    """Whether the rule could be met with all trials that are still in at the stage.

    Reading: a score's item asks for its feature (dose raised, extended) at every stage, and surely so
    where the adequacy is sure, because then nothing but the outcome may be open.
    """
    if isinstance(rule, Scored):
        needed = (True,) if stage == "sure_adequate" else (True, None)
        points = [item_points(item, at_stage(stage, item.of, trials), needed) for item in rule.items]
        return sum(points) >= rule.threshold
    return any(
        all(
            upper_count(at_stage(stage, c.of, trials), c.distinct_by if is_distinct else "none") >= c.n
            for c in arm.all_of
        )
        for arm in rule.any_of
    )


# --- Eligible ---------------------------------------------------------------------------------------------------------


def judge_eligibility(person: Row, episode: Row, rule: Eligible, codes: Codes) -> Truth:
    """Whether the definition speaks about the episode; nothing can be said of one that was not observed."""
    return all_true(
        [
            episode["disorder"] in rule.disorders,
            has_diagnosis(episode, rule.diagnoses, codes),
            *(not is_excluded(person, episode, exclusion, codes) for exclusion in rule.exclusions),
            is_of_age(episode["age"], rule),
            is_observed_before(episode["observed_days_before"], rule),
            None if episode["is_observed"] is False else True,
        ]
    )


def has_diagnosis(episode: Row, lists: tuple[str, ...], codes: Codes) -> bool:
    """Whether a contact up to the episode's end is in one of the lists; no list asks for nothing."""
    contacts = [row for row in episode["contacts"] if row["date"] <= episode["end_date"]]
    return not lists or any(codes.in_list(name, row["code"], row["code_system"]) for name in lists for row in contacts)


def is_excluded(person: Row, episode: Row, exclusion: Exclusion, codes: Codes) -> bool:
    """Whether the person has a diagnosis of the list at the stated time."""
    start, end = episode["start_date"], episode["end_date"]
    days = [
        row["date"]
        for row in person["diagnoses"] or []
        if codes.in_list(exclusion.codes, row["code"], row["code_system"])
    ]
    at_the_time = {
        "ever": [day for day in days if day <= episode["observed_until"]],
        "before": [day for day in days if day < start],
        "during": [day for day in days if start <= day <= end],
        "before_or_during": [day for day in days if day <= end],
    }
    return bool(at_the_time[exclusion.when])


def is_of_age(age: int | None, rule: Eligible) -> Truth:
    """Whether the age is in the range; an unknown age is in the full range."""
    if age is None:
        return True if (rule.min_age, rule.max_age) == (0, 150) else None
    return rule.min_age <= age <= rule.max_age


def is_observed_before(days: int | None, rule: Eligible) -> Truth:
    """Whether the person was observed long enough before the episode; unknown suffices where 0 is asked."""
    if days is None:
        return True if rule.min_observed_days == 0 else None
    return days >= rule.min_observed_days
