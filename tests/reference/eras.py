"""The eras of drugs and the courses of sessions in one episode, before they have roles.

A supply of unknown length counts for no day that is sure, and may last as long as the study lets a supply last.
What is surely in use tells the eras; what may be in use tells each era's latest possible last day.
"""

from __future__ import annotations

from datetime import date

from impasse.schemas.definition import Trial
from impasse.schemas.study import SupplySection
from tests.reference.basics import Row, days_between, later, only
from tests.reference.taken import supplies_in_order, taken


def drug_eras(rows: list[Row], rule: Trial, episode: Row, supply: SupplySection) -> list[Row]:
    """The eras of one drug in one episode."""
    eras: list[list[Row]] = []
    for row in supplies_of(rows, rule, last_supplied_day(episode), supply):
        if eras and row["date"] <= later(max(s["until"] for s in eras[-1]), rule.permissible_gap_days):
            eras[-1].append(row)
        else:
            eras.append([row])
    return [era_from(supplies, rule, episode) for supplies in eras]


def last_supplied_day(episode: Row) -> date:
    """The last day on which a supply is taken for the episode: observation ends it, and so does a remission."""
    is_over = episode["end_reason"] == "remission"
    return min(episode["end_date"], episode["observed_until"]) if is_over else episode["observed_until"]


def may_go_on(end_excl: date, gap_days: int, episode: Row) -> bool:
    """Whether a trial may have gone on after what was seen.

    Reading: a remission ends the trials of its episode, so none of them goes on, however soon observation ends.
    """
    return episode["end_reason"] != "remission" and later(end_excl, gap_days) > episode["treatment_seen_until"]


def supplies_of(rows: list[Row], rule: Trial, last_day: date, supply: SupplySection) -> list[Row]:
    """The supplies of one drug in the order taken, each with the days [since, until) it surely is."""
    ordered = supplies_in_order(rows, rule, supply)
    spans = taken(ordered, rule, last_day, supply, unknown_days=0)
    return [{**row, "since": since, "until": until} for row, (since, until) in zip(ordered, spans, strict=True)]


def era_from(supplies: list[Row], rule: Trial, episode: Row) -> Row:
    """One drug era: its days, and per dispensing the days it spans and covers, and those it was prescribed for.

    Reading: the days that a supply was prescribed for are those delivered, also beyond the end of observation.
    """
    start = supplies[0]["date"]
    end_excl = max([start] + [supply["until"] for supply in supplies])
    covered = {
        later(supply["since"], n) for supply in supplies for n in range(days_between(supply["since"], supply["until"]))
    }
    next_since = [min(later_one["since"] for later_one in supplies[n:]) for n in range(1, len(supplies))] + [end_excl]
    for supply, until in zip(supplies, next_since, strict=True):
        own_days = [later(supply["since"], n) for n in range(days_between(supply["since"], until))]
        supply["span"] = len(own_days)
        supply["prescribed"] = max(len(own_days), supply["delivered_days"] or 0)
        is_in_use = rule.supply == "dates_only"  # from the first to the last dispensing
        supply["covered"] = len(own_days) if is_in_use else sum(day in covered for day in own_days)
    end_date = max(supplies[-1]["date"], later(end_excl, -1))
    return {
        **trial_from(supplies[0], start, end_excl, may_go_on(end_excl, rule.permissible_gap_days, episode)),
        "end_date": end_date,
        "last_day_at_most": end_date,
        "days_covered": sum(supply["covered"] for supply in supplies),
        "n_sessions": None,
        "has_unknown_supply": any(supply["days"] is None for supply in supplies),
        "lasts_until_next": False,
        "ends_before": None,
        "dispensed_if_one": [],
        "supplies": supplies,
    }


def extend_single_dispensings(eras: list[Row], rule: Trial, episode: Row) -> None:
    """A drug dispensed on one day only lasts until the next drug starts, where that is soon enough after it.

    Reading: of several supplies of the day it is the one taken last that lasts so long.
    """
    starts = [(era["treatment"], era["start_date"]) for era in eras]
    for era in eras:
        nexts = [day for name, day in starts if name != era["treatment"] and day > era["start_date"]]
        is_single = len({supply["date"] for supply in era["supplies"]}) == 1
        if not is_single or not nexts or not era["end_excl"] < min(nexts):
            continue
        n_days = days_between(era["start_date"], min(nexts))
        if n_days <= rule.single_dispensing_days:
            supply = era["supplies"][-1]
            own = days_between(supply["since"], min(nexts))
            supply |= {"span": own, "covered": own, "prescribed": max(own, supply["delivered_days"] or 0), "days": own}
            era |= {
                "end_excl": min(nexts),
                "end_date": later(min(nexts), -1),
                "last_day_at_most": later(min(nexts), -1),
                "n_days": n_days,
                "n_days_at_most": n_days,
                "days_covered": n_days,
                "has_unknown_supply": False,
                "lasts_until_next": True,
                "is_ongoing": may_go_on(min(nexts), rule.permissible_gap_days, episode),
            }


def end_for_new_drugs(eras: list[Row], rule: Trial, episode: Row) -> None:
    """A main drug not dispensed again once another main drug is begun ends the day before that one begins.

    An augmenter takes no drug's place, also where it is a main drug.

    Reading: only the first such day counts; who gets the drug then or later keeps it beside all that come after.
    Reading: what was handed out or prescribed stays so, also where it reaches beyond the day.
    Reading: it may yet go on, by the gap that a trial may hold, where observation ends so soon after the cut.
    """
    replacing = [era for era in eras if era["is_primary"] and not era["is_augmenter"]]
    starts = [(era["treatment"], era["start_date"]) for era in replacing]
    for era in eras:
        nexts = [day for name, day in starts if name != era["treatment"] and day > era["start_date"]]
        if not era["is_primary"] or not nexts or era["supplies"][-1]["date"] >= min(nexts):
            continue
        whole_end = era["end_excl"]
        if whole_end > min(nexts):
            sooner = [
                {**supply, "since": min(supply["since"], min(nexts)), "until": min(supply["until"], min(nexts))}
                for supply in era["supplies"]
            ]
            era |= era_from(sooner, rule, episode) | {"was_cut": True}
        era["ends_before"], era["whole_end"] = min(nexts), whole_end
        for supply in era["supplies"]:
            supply["ends_before"] = min(nexts)


def last_day_of_whole(era: Row) -> date:
    """The last day of an era by its known supplies, if no other drug had ended it."""
    return max(era["end_date"], later(era.get("whole_end", era["end_excl"]), -1))


def latest_own_day(era: Row, ends: list[date]) -> date:
    """The latest last day of an era by its own supplies, which may reach up to these ends."""
    return era["end_date"] if era["lasts_until_next"] else max([last_day_of_whole(era), later(max(ends), -1)])


def settle_latest_days(eras: list[Row], rule: Trial, episode: Row, supply: SupplySection) -> None:
    """The latest possible last day of each era of one drug, oldest first: an era may be one with those after it.

    `dispensed_if_one` are the days on which the eras that this one may be one with were dispensed.

    Reading: where no supply of the drug is unknown, its days are at most those it has, also by dates only, where
    the last day is in use and not among the trial's days.
    Reading: an era that reaches the next one may go on as far as either does, and from there to the one after.
    Reading: the days of a drug that lasts until the next drug starts are known, so they push no later supply further.
    Reading: a drug that another ended is looked at as if it went on; whether it did is settled afterwards.
    Reading: the next era is looked at whether or not it has a role of its own, for it would be part of this trial.
    """
    for era in eras:
        era["last_day_at_most"] = last_day_of_whole(era)
    rows = [row | {"ends_before": None} for era in eras for row in era["supplies"]]
    if not any(row["days"] is None for row in rows):
        return
    spans = taken(rows, rule, last_supplied_day(episode), supply, unknown_days=supply.max_days)
    ends = iter(until for _, until in spans)
    own = [latest_own_day(era, [next(ends) for _ in era["supplies"]]) for era in eras]
    for era, day in zip(eras, own, strict=True):
        era["last_day_at_most"] = day
    for position, era in enumerate(eras):
        for following in range(position + 1, len(eras)):
            reached = later(era["last_day_at_most"], 1 + rule.permissible_gap_days)
            if era["lasts_until_next"] or eras[following]["start_date"] > reached:
                break
            era["last_day_at_most"] = max(era["last_day_at_most"], own[following])
            era["dispensed_if_one"] += [row["date"] for row in eras[following]["supplies"]]
        if era["has_unknown_supply"] or era["last_day_at_most"] > era["end_date"]:
            era["n_days_at_most"] = days_between(era["start_date"], era["last_day_at_most"]) + 1


def session_courses(rows: list[Row], rule: Trial, episode: Row) -> list[Row]:
    """The courses of one treatment given in sessions. Reading: its covered days are the days with a session."""
    courses: list[list[date]] = []
    for day in sorted({row["date"] for row in rows}):
        if courses and days_between(courses[-1][-1], day) <= rule.session_gap_days:
            courses[-1].append(day)
        else:
            courses.append([day])
    return [
        {
            **trial_from(rows[0], days[0], end_excl, may_go_on(end_excl, rule.session_gap_days, episode)),
            "last_day_at_most": days[-1],
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
        "n_days_at_most": days_between(start, end_excl),
        "is_ongoing": is_ongoing,
        "is_drug": row["modality"] == "drug",
        "role": None,
        "host": None,
        "is_add_on": False,
        "was_cut": False,
    }
