"""The trials of one episode: which rows they are made of, and what each era and course is to the others."""

from __future__ import annotations

from datetime import date

from impasse.schemas.definition import Trial
from impasse.schemas.rule_ids import rule_id
from impasse.schemas.study import SupplySection
from tests.reference.basics import Row, Truth, is_member, later
from tests.reference.eras import (
    drug_eras,
    end_for_new_drugs,
    extend_single_dispensings,
    session_courses,
    settle_latest_days,
)
from tests.reference.together import (
    is_taken_together,
    overlap_days,
    settle_what_may_be_refilled,
    settle_what_may_be_together,
)

ADD_ON_ROLES = ("augmentation", "combination")


def trials_of(person: Row, episode: Row, rule: Trial, supply: SupplySection) -> list[Row]:
    """The trials of one episode, numbered by (start, treatment, end)."""
    eras_of_drugs: list[list[Row]] = []
    courses: list[Row] = []
    looked_at = rows_looked_at(person, rule)
    days = window(looked_at, episode, rule)
    if days is None:
        return []
    for rows in rows_by_treatment(looked_at, *days).values():
        if rows[0]["modality"] == "drug":
            eras_of_drugs.append(drug_eras(rows, rule, episode, supply))
        else:
            courses += session_courses(rows, rule, episode)
    drugs = sorted((era for eras in eras_of_drugs for era in eras), key=role_order)
    extend_single_dispensings(drugs, rule, episode)
    if supply.new_drug_ends_old or rule.overlap_needs_refill:
        end_for_new_drugs(drugs, rule, episode)
    for eras in eras_of_drugs:
        settle_latest_days(eras, rule, episode, supply)
    settle_what_may_be_refilled(drugs, days[1], episode, rule)
    courses = sorted(courses, key=trial_order)
    settle_what_may_be_together(drugs, days[1], episode, rule)
    settle_drug_roles(drugs)
    settle_session_roles(courses)
    kept = sorted((t for t in drugs + courses if is_kept(t, rule)), key=trial_order)
    by = rule_id(rule)
    for number, trial in enumerate(kept, start=1):
        trial["trial_id"] = f"{episode['episode_id']}:{by}:{number}"
        trial["episode_id"] = episode["episode_id"]
        trial["is_counted"] = is_counted(trial, rule)
        trial["may_be_left_out"] = setting_of(trial["role"], rule) == "ignored"
        trial["modality"] = "augmentation" if trial["role"] == "augmentation" else trial["modality"]
        added = [other for other in kept if setting_of(other["role"], rule) != "ignored"]
        trial["n_add_ons"] = sum(other["host"] is trial for other in added)
        trial["window_closes"] = window_closes(looked_at, episode, rule)
    return kept


def role_order(trial: Row) -> tuple[date, bool, str, date]:
    """The order in which drugs get their roles: of those begun on one day, an augmenter comes last."""
    return trial["start_date"], not trial["is_primary"], trial["treatment"], trial["end_excl"]


def trial_order(trial: Row) -> tuple[date, str, date]:
    """The order of trials within an episode."""
    return trial["start_date"], trial["treatment"], trial["end_excl"]


def window(rows: list[Row], episode: Row, rule: Trial) -> tuple[date, date] | None:
    """First and last day on which a treatment counts for the episode; None where no day does."""
    first, last = episode["treated_from"], episode["end_date"]
    closes = window_closes(rows, episode, rule)
    if rule.window == "first_treated_days" and closes is None:
        return None
    if rule.window == "last_days":
        first = max(first, later(last, 1 - rule.window_days))
    return first, last if closes is None else min(last, closes)


def window_closes(rows: list[Row], episode: Row, rule: Trial) -> date | None:
    """The last day of the rule's own window; None where it closes with the episode, or no treatment opens it.

    Reading: the day is the window's own, also where it lies after the last day the episode was given.
    Reading: treatment begins when it was dispensed or given, not on a day that an earlier supply covers.
    """
    begins = []
    if rule.window == "first_days":
        begins = [episode["start_date"]]
    if rule.window == "first_treated_days":
        opens, end = episode["treated_from"], episode["end_date"]
        begins = [row["date"] for row in rows if row["is_primary"] and opens <= row["date"] <= end]
    return later(min(begins), rule.window_days - 1) if begins else None


def is_looked_at(row: Row, rule: Trial) -> bool:
    """Whether the row is of a kind that the rule makes trials of; sessions and unknown kinds always are."""
    return row["modality"] != "drug" or row["kind"] in (None, "unknown", *rule.supply_kinds)


def rows_looked_at(person: Row, rule: Trial) -> list[Row]:
    """All dispensings and procedures of the kinds that the rule looks at, and what they may be to it."""
    rows = [row | {"delivered_days": row["days"]} for row in person["treatments"] if is_looked_at(row, rule)]
    for row in rows:
        row["is_primary"] = is_member(row, rule.treatments) is not False
        row["is_augmenter"] = is_member(row, rule.augmenters) is not False
        if rule.supply == "dates_only":
            row["days"] = 0
    return rows


def rows_by_treatment(rows: list[Row], first: date, last: date) -> dict[str, list[Row]]:
    """Those from first to last day that may be what the rule speaks about."""
    by_treatment: dict[str, list[Row]] = {}
    for row in rows:
        if first <= row["date"] <= last and (row["is_primary"] or row["is_augmenter"]):
            by_treatment.setdefault(row["treatment"], []).append(row)
    return by_treatment


def is_added_to(older: Row, newer: Row) -> Truth:
    """Whether the newer drug is an add-on to the older one; an augmenter is one by the overlap that is known.

    Reading: a drug that may be an augmenter is one.
    """
    if not older["is_primary"] or older["treatment"] == newer["treatment"]:
        return False
    if newer["is_augmenter"]:
        return overlap_days(newer, older) >= older["taken_together_from"]
    return is_taken_together(older, newer)


def settle_drug_roles(eras: list[Row]) -> None:
    """Give each era its role, and each add-on its host; an era left without a role is no trial.

    Reading: of hosts in doubt, too, the known days from the newer drug's start tell, also where they are fewer than 0.
    """
    for position, era in enumerate(eras):
        earlier = eras[:position]
        hosts = [older for older in earlier if is_added_to(older, era)]
        perhaps = [older for older in earlier if is_added_to(older, era) is None]
        if hosts or perhaps:
            era["role"] = "augmentation" if era["is_augmenter"] else "combination"
            era["host"] = max(hosts or perhaps, key=lambda host: overlap_days(era, host))
            era["is_add_on"] = True if hosts else None
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


def is_counted(trial: Row, rule: Trial) -> Truth:
    """Whether the trial counts; an add-on that is none of its own does not, and nobody knows of what may be one."""
    if setting_of(trial["role"], rule) == "own_trial":
        return True
    return None if trial["is_add_on"] is None else False


def is_kept(trial: Row, rule: Trial) -> bool:
    """Whether the rule keeps the trial, counted or not; what may be no add-on is not ignored."""
    if trial["role"] is None:
        return False
    return setting_of(trial["role"], rule) != "ignored" or trial["is_add_on"] is None
