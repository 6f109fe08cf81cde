"""A person's illness episodes of one disorder: contacts and treatment chained in time."""

from __future__ import annotations

from datetime import date
from itertools import zip_longest

from impasse.schemas.study import EpisodeSection, PeriodSection
from tests.reference.basics import Row, days_between, later
from tests.reference.codes import Codes


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
    for episode, following in zip_longest(episodes, episodes[1:]):
        episode["has_run_out"] = has_run_out(episode, following, rule)
        is_ended = episode["end_reason"] == "remission" or episode["has_died"]
        episode["is_censored"] = not is_ended and not episode["has_run_out"]
        episode["treatment_seen_until"] = treatment_seen_until(episode, person, rule, codes)
    return episodes


def has_run_out(episode: Row, following: Row | None, rule: EpisodeSection) -> bool:
    """Whether the episode's gap and its tail had run out by the last day observed.

    Where the person's next episode has begun by then, it has ended this one's tail.
    """
    last, until = episode["last_in_chain"], episode["observed_until"]
    is_followed = following is not None and following["start_date"] <= until
    return later(last, rule.gap_days) <= until and (later(last, rule.tail_days) <= until or is_followed)


def treatment_seen_until(episode: Row, person: Row, rule: EpisodeSection, codes: Codes) -> date:
    """The last day observed, or that before the first treatment which is of the episode only if the episode goes on."""
    if rule.treatment_bridges or not episode["is_censored"]:
        return episode["observed_until"]
    given = [event["first"] for event in bridging_treatments(person, episode["disorder"], codes)]
    later_ones = [day for day in given if episode["end_date"] < day <= episode["observed_until"]]
    return later(min(later_ones), -1) if later_ones else episode["observed_until"]


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
    observed_before = observed_days_before(start, coverage, period)
    contacts = [event["row"] for event in chain if event["kind"] != "treatment"]
    is_dead = person["death_date"] is not None and person["death_date"] <= observed_until
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
        "is_left_truncated": observed_before < rule.min_prior_observation_days,
        "has_died": is_dead,
        "last_in_chain": max(event["last"] for event in chain),
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


def observed_days_before(start: date, coverage: list[tuple[date, date]] | None, period: PeriodSection) -> int:
    """Days from the start of the interval that contains the episode's start; 0 outside every interval.

    Without the table of coverage persons were observed throughout the study period.
    """
    if coverage is None:
        return days_between(period.start, start)
    return next((days_between(since, start) for since, until in coverage if since <= start <= until), 0)


def completed_years(birth: date | None, day: date) -> int | None:
    """Age in completed years."""
    if birth is None:
        return None
    return day.year - birth.year - ((day.month, day.day) < (birth.month, birth.day))


def shares_treatment_with(person: Row, episode: Row, episodes: list[Row], codes: Codes) -> str:
    """The other disorders in whose episodes something counts too that was given in this one, and that treats both.

    Reading: what was given counts in an episode from the day its treatment is looked for until its last day.
    """
    others = [other for other in episodes if other["disorder"] != episode["disorder"]]
    mine = given_in(person, episode, codes)
    return " ".join(sorted({other["disorder"] for other in others if mine & given_in(person, other, codes)}))


def given_in(person: Row, episode: Row, codes: Codes) -> set[tuple[date, str]]:
    """What surely treats the disorder and was given in the episode: the day and the treatment."""
    group = codes.disorders[episode["disorder"]]["treatments"]
    return {
        (row["date"], row["treatment"])
        for row in person["treatments"]
        if group in row["groups"] and episode["treated_from"] <= row["date"] <= episode["end_date"]
    }
