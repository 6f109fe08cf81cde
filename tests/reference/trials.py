"""The trials of one episode: supplies joined to eras, sessions to courses, and what each is to the others."""

from __future__ import annotations

from datetime import date

from impasse.schemas.definition import Trial
from impasse.schemas.rule_ids import rule_id
from tests.reference.basics import Row, days_between, is_member, later, only
from tests.reference.same_day import in_order_taken


def trials_of(person: Row, episode: Row, rule: Trial, same_day: str) -> list[Row]:
    """The trials of one episode, numbered by (start, treatment, end)."""
    by_treatment = rows_by_treatment(person, episode, rule)
    drugs: list[Row] = []
    courses: list[Row] = []
    for rows in by_treatment.values():
        if rows[0]["modality"] == "drug":
            drugs += drug_eras(rows, rule, episode["observed_until"], same_day)
        else:
            courses += session_courses(rows, rule, episode["observed_until"])
    extend_single_dispensings(drugs, rule, episode["observed_until"])
    drugs, courses = sorted(drugs, key=role_order), sorted(courses, key=trial_order)
    settle_drug_roles(drugs, rule)
    settle_session_roles(courses)
    kept = sorted((t for t in drugs + courses if is_kept(t, rule)), key=trial_order)
    by = rule_id(rule)
    for number, trial in enumerate(kept, start=1):
        trial["trial_id"] = f"{episode['episode_id']}:{by}:{number}"
        trial["episode_id"] = episode["episode_id"]
        trial["is_counted"] = setting_of(trial["role"], rule) == "own_trial"
        trial["modality"] = "augmentation" if trial["role"] == "augmentation" else trial["modality"]
        trial["n_add_ons"] = sum(other["host"] is trial for other in kept)
        trial["taken_together_from"] = rule.overlap_days
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
    if rule.window == "first_days":
        last = min(last, later(episode["start_date"], rule.window_days - 1))
    if rule.window == "last_days":
        first = max(first, later(last, 1 - rule.window_days))
    if rule.window == "first_treated_days":
        treated = [row["date"] for row in rows if row["is_primary"] and first <= row["date"] <= last]
        if not treated:
            return None
        last = min(last, later(min(treated), rule.window_days - 1))
    return first, last


def rows_by_treatment(person: Row, episode: Row, rule: Trial) -> dict[str, list[Row]]:
    """The window's dispensings and procedures that may be what the rule speaks about."""
    rows = [dict(row) for row in person["treatments"]]
    for row in rows:
        row["is_primary"] = is_member(row, rule.treatments) is not False
        row["is_augmenter"] = is_member(row, rule.augmenters) is not False
        if rule.supply == "dates_only":
            row["days"] = 0
    days = window(rows, episode, rule)
    by_treatment: dict[str, list[Row]] = {}
    for row in rows:
        if days and days[0] <= row["date"] <= days[1] and (row["is_primary"] or row["is_augmenter"]):
            by_treatment.setdefault(row["treatment"], []).append(row)
    return by_treatment


def drug_eras(rows: list[Row], rule: Trial, observed_until: date, same_day: str) -> list[Row]:
    """The eras of one drug in one episode."""
    eras: list[list[Row]] = []
    for supply in supplies_of(in_order_taken(rows, rule, same_day), rule, observed_until):
        if eras and supply["date"] <= later(max(s["until"] for s in eras[-1]), rule.permissible_gap_days):
            eras[-1].append(supply)
        else:
            eras.append([supply])
    return [era_from(supplies, rule, observed_until) for supplies in eras]


def supplies_of(rows: list[Row], rule: Trial, observed_until: date) -> list[Row]:
    """Each row with the days [since, until) its supply is taken; leftovers push the next row back."""
    supplies: list[Row] = []
    previous_until: date | None = None
    for row in rows:
        left_over = days_between(row["date"], previous_until) if rule.carry_over and previous_until else 0
        since = later(row["date"], min(max(left_over, 0), rule.carry_over_cap_days))
        since = previous_until if row["goes_on"] and previous_until else since
        previous_until = later(since, row["days"] or 0)
        beyond = later(observed_until, 1)
        supplies.append({**row, "since": min(since, beyond), "until": min(previous_until, beyond)})
    return supplies


def era_from(supplies: list[Row], rule: Trial, observed_until: date) -> Row:
    """One drug era: its days, and per dispensing the days it spans and covers."""
    start = supplies[0]["date"]
    end_excl = max([start] + [supply["until"] for supply in supplies])
    covered = {
        later(supply["since"], n) for supply in supplies for n in range(days_between(supply["since"], supply["until"]))
    }
    next_since = [min(later_one["since"] for later_one in supplies[n:]) for n in range(1, len(supplies))] + [end_excl]
    for supply, until in zip(supplies, next_since, strict=True):
        own_days = [later(supply["since"], n) for n in range(days_between(supply["since"], until))]
        supply["span"] = len(own_days)
        is_in_use = rule.supply == "dates_only"  # from the first to the last dispensing
        supply["covered"] = len(own_days) if is_in_use else sum(day in covered for day in own_days)
    return {
        **trial_from(supplies[0], start, end_excl, later(end_excl, rule.permissible_gap_days) > observed_until),
        "end_date": max(supplies[-1]["date"], later(end_excl, -1)),
        "days_covered": sum(supply["covered"] for supply in supplies),
        "n_sessions": None,
        "has_unknown_supply": any(supply["days"] is None for supply in supplies),
        "supplies": supplies,
    }


def extend_single_dispensings(eras: list[Row], rule: Trial, observed_until: date) -> None:
    """A drug dispensed once lasts until the next drug starts, where that is soon enough after it."""
    starts = [(era["treatment"], era["start_date"]) for era in eras]
    for era in eras:
        nexts = [day for name, day in starts if name != era["treatment"] and day > era["start_date"]]
        is_single = sum(supply["dispensings"] for supply in era["supplies"]) == 1
        if not is_single or not nexts or not era["end_excl"] < min(nexts):
            continue
        n_days = days_between(era["start_date"], min(nexts))
        if n_days <= rule.single_dispensing_days:
            era["supplies"][0] |= {"span": n_days, "covered": n_days}
            era |= {
                "end_excl": min(nexts),
                "end_date": later(min(nexts), -1),
                "n_days": n_days,
                "days_covered": n_days,
                "has_unknown_supply": False,
                "is_ongoing": later(min(nexts), rule.permissible_gap_days) > observed_until,
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
    """Days two drugs are both in use, counted from the start of the newer one."""
    return days_between(newer["start_date"], min(newer["end_date"], older["end_date"])) + 1


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


def switch_days(trial: Row, trials: list[Row]) -> list[date]:
    """The days, after the trial's first, on which another drug replaced it.

    Reading: also a drug that is no trial of its own, being added to a third one.
    """
    starts = [other["start_date"] for other in trials if is_switch(trial, other)]
    return [day for day in starts if day > trial["start_date"]]


def later_trials(trial: Row, trials: list[Row]) -> list[Row]:
    """The trials of their own that began after the trial's first day, whatever their treatment."""
    return [other for other in trials if other["is_counted"] and other["start_date"] > trial["start_date"]]
