"""Dispensings and procedures within episodes -> treatment trials, under one trial rule.

1. What was dispensed or done in the episode's window, of a treatment the rule speaks about.
2. Drugs: supplies of one drug joined over permissible gaps into eras; sessions likewise into courses.
3. Roles: an era that overlaps an earlier drug long enough is an add-on to it (augmentation or
   combination); otherwise it is the first treatment, a switch, or a return to an earlier one.
4. Add-ons become trials of their own, stay part of their host, or are ignored, as the rule says.

Supply intervals are half-open: `end_excl` is the first day no longer covered. `last_day` is the last one with
supply or with a dispensing, so that a drug of unknown supply is in use at least on the days it was dispensed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from schemas.definition import Trial
from transforms.encode import Coded, Vocabulary, lookup, no_supplies
from transforms.eras import opens_era, running_end, stocked

_ORDER = ("episode", "start", "treatment", "end_excl")


@dataclass(frozen=True)
class Trials:
    """What one trial rule makes of a delivery.

    trials    one row per trial, sorted by (episode, number), `trial` being the row's position
    supplies  one row per dispensing of a trial: trial, span_days, covered_days, dose_ug, dose_mddd
    changes   one row per pair of a trial and a later drug: trial, other_start, is_add_on
    """

    trials: pl.DataFrame
    supplies: pl.DataFrame
    changes: pl.DataFrame


def build_trials(exposures: Exposures, episodes: pl.DataFrame, rule: Trial, vocabulary: Vocabulary) -> Trials:
    """Every trial of every episode under `rule`; days are day numbers."""
    wanted = vocabulary.possible(rule.treatments + rule.augmenters)
    window = _window(exposures, episodes, rule, vocabulary)
    supplies, drug_eras = _drug_eras(_within(exposures.drugs, window, wanted), rule)
    eras = _with_roles(drug_eras, rule, vocabulary)
    courses = _courses(_within(exposures.sessions, window, vocabulary.possible(rule.treatments)), rule, vocabulary)
    kept = _kept(pl.concat([eras, courses], how="diagonal"), rule)
    trials = _described(kept, vocabulary)
    return Trials(
        trials=trials.drop("era", "host"),
        supplies=supplies.join(trials.select("era", "trial"), on="era").drop("era").sort("trial", maintain_order=True),
        changes=_changes(trials, rule.overlap_days),
    )


@dataclass(frozen=True)
class Exposures:
    """Dispensings and sessions within each episode's treatment window, shared by all trial rules.

    drugs     episode, treatment, day, days, dose_ug, dose_mddd, supply_basis, in the order of those columns
    sessions  episode, treatment, day; distinct and sorted
    """

    drugs: pl.DataFrame
    sessions: pl.DataFrame


def find_exposures(coded: Coded, episodes: pl.DataFrame) -> Exposures:
    """What was dispensed or done to the person between an episode's treated_from and its end."""
    spans = episodes.select("episode", "person", "treated_from", "end")
    drug_columns = ["episode", "treatment", "day", "days", "dose_ug", "dose_mddd", "supply_basis"]
    drugs = no_supplies() if coded.dispensings is None else coded.dispensings
    sessions = no_supplies() if coded.procedures is None else coded.procedures
    inside = pl.col("day").is_between(pl.col("treated_from"), pl.col("end"))
    return Exposures(
        drugs.join(spans, on="person").filter(inside).select(drug_columns).sort(drug_columns, nulls_last=False),
        sessions.join(spans, on="person").filter(inside).select(drug_columns[:3]).unique().sort(drug_columns[:3]),
    )


def with_episode_facts(trials: pl.DataFrame, episodes: pl.DataFrame) -> pl.DataFrame:
    """The trials in their order, with what their outcome needs to know of the episode."""
    facts = episodes.select("episode", "person", "disorder", "observed_until", "is_censored", episode_end="end")
    return trials.drop("observed_until").join(facts, on="episode", how="left", maintain_order="left")


def _window(exposures: Exposures, episodes: pl.DataFrame, rule: Trial, vocabulary: Vocabulary) -> pl.DataFrame:
    """The days each episode's trials are looked for in; without a last day there are none."""
    days = episodes.select("episode", "observed_until", "start", opens="treated_from", closes="end")
    if rule.window == "first_treated_days":
        days = days.join(_first_treated(exposures, rule, vocabulary), on="episode", how="left", maintain_order="left")
    bounds = {
        "episode": (pl.col("opens"), pl.col("closes")),
        "first_days": (pl.col("opens"), pl.min_horizontal("closes", pl.col("start") + rule.window_days - 1)),
        "last_days": (pl.max_horizontal("opens", pl.col("closes") - rule.window_days + 1), pl.col("closes")),
        "first_treated_days": (
            pl.col("opens"),
            pl.when(pl.col("first").is_not_null()).then(
                pl.min_horizontal("closes", pl.col("first") + rule.window_days - 1)
            ),
        ),
    }
    opens, closes = bounds[rule.window]
    return days.select("episode", "observed_until", opens=opens, closes=closes)


def _first_treated(exposures: Exposures, rule: Trial, vocabulary: Vocabulary) -> pl.DataFrame:
    """episode, first: the first day with something that makes a trial."""
    primary = lookup(vocabulary.possible(rule.treatments))
    days = [table.filter(primary).select("episode", "day") for table in (exposures.drugs, exposures.sessions)]
    return pl.concat(days).group_by("episode").agg(first=pl.col("day").min())


def _within(rows: pl.DataFrame, window: pl.DataFrame, wanted: pl.Series) -> pl.DataFrame:
    chosen = rows.filter(lookup(wanted)).join(window, on="episode", maintain_order="left")
    return chosen.filter(pl.col("day").is_between(pl.col("opens"), pl.col("closes"))).drop("opens", "closes")


def _drug_eras(rows: pl.DataFrame, rule: Trial) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Supplies with their era, and the eras."""
    drug = pl.struct("episode", "treatment").rle_id()
    days = pl.col("days") if rule.supply == "as_delivered" else pl.lit(0, pl.Int32)
    taken = rows.with_columns(days=days).with_columns(drug=drug, days_known=pl.col("days").fill_null(0))
    supplied = _stocked(taken, rule)
    clipped = supplied.with_columns(
        taken_end=pl.min_horizontal("taken_end", pl.col("observed_until") + 1)
    ).with_columns(taken_from=pl.min_horizontal("taken_from", "taken_end"))
    opens = opens_era(pl.col("drug"), pl.col("day"), pl.col("taken_end"), rule.drug_gap_days)
    eras = _until_next_drug(clipped.with_columns(era=opens.cum_sum().cast(pl.UInt32)), rule)
    covered_to = running_end(pl.col("era"), pl.col("taken_end"))
    last_of_era = pl.col("era") != pl.col("era").shift(-1)
    until = pl.when(last_of_era.fill_null(True)).then(pl.max_horizontal("covered_to", "taken_from"))
    supplies = (
        eras.with_columns(covered_to=covered_to)
        .with_columns(until=until.otherwise(pl.col("taken_from").shift(-1)))
        .with_columns(span_days=pl.col("until") - pl.col("taken_from"))
        .with_columns(covered_days=_covered_days(rule))
    )
    return supplies.select("era", "span_days", "covered_days", "dose_ug", "dose_mddd"), _era_facts(supplies, rule)


def _covered_days(rule: Trial) -> pl.Expr:
    """Days of the span with supply; of a drug known by its dates only, all of them."""
    if rule.supply == "dates_only":
        return pl.col("span_days")
    supplied = pl.max_horizontal(pl.col("covered_to") - pl.col("taken_from"), pl.lit(0, pl.Int32))
    return pl.min_horizontal(pl.col("span_days"), supplied)


def _until_next_drug(rows: pl.DataFrame, rule: Trial) -> pl.DataFrame:
    """A drug dispensed once, if the rule says so, lasts until the next drug of the episode starts."""
    if rule.single_dispensing_days == 0:
        return rows
    eras = rows.group_by("era").agg(
        pl.col("episode", "treatment").first(), start=pl.col("day").first(), end=pl.col("taken_end").max(), n=pl.len()
    )
    others = eras.select("episode", other="treatment", next="start")
    later = eras.filter(pl.col("n") == 1).join(others, on="episode")
    later = later.filter(pl.col("other") != pl.col("treatment"), pl.col("next") > pl.col("start"))
    lasting = later.group_by("era").agg(pl.col("next").min(), pl.col("start", "end").first())
    soon = (pl.col("next") - pl.col("start") <= rule.single_dispensing_days) & (pl.col("end") < pl.col("next"))
    ends = rows.join(lasting.filter(soon).select("era", "next"), on="era", how="left", maintain_order="left")
    return ends.with_columns(
        taken_end=pl.coalesce("next", "taken_end"),
        days=pl.when(pl.col("next").is_null()).then(pl.col("days")).otherwise(pl.col("next") - pl.col("day")),
    ).drop("next")


def _stocked(rows: pl.DataFrame, rule: Trial) -> pl.DataFrame:
    """Adds taken_from and taken_end: when each supply is used, after leftovers if the rule carries over."""
    if not rule.carry_over or rows.is_empty():
        return rows.with_columns(taken_from=pl.col("day"), taken_end=pl.col("day") + pl.col("days_known"))
    first = rows.select((pl.col("drug") != pl.col("drug").shift(1)).fill_null(True)).to_series().to_numpy()
    day, days = (rows[c].to_numpy().astype(np.int64) for c in ("day", "days_known"))
    wait = pl.Series(stocked(first, day, days, rule.carry_over_cap_days)).cast(pl.Int32)
    used = rows.with_columns(taken_from=pl.col("day") + wait)
    return used.with_columns(taken_end=pl.col("taken_from") + pl.col("days_known"))


def _era_facts(supplies: pl.DataFrame, rule: Trial) -> pl.DataFrame:
    known_dose, dose = pl.col("dose_ug").is_not_null().all(), pl.col("dose_ug")
    weighted = (dose * pl.col("covered_days")).sum()
    eras = supplies.group_by("era").agg(
        pl.col("episode", "treatment", "observed_until").first(),
        start=pl.col("day").first(),
        end_excl=pl.max_horizontal(pl.col("taken_end").max(), pl.col("day").first()),
        last_dispensed=pl.col("day").max(),
        has_unknown_supply=pl.col("days").is_null().any(),
        days_covered=pl.col("covered_days").sum().cast(pl.Int32),
        is_dose_raised=pl.when(known_dose).then(dose.max() > dose.first()),
        dose_ug_days=pl.when(known_dose).then(weighted),
        supply_basis=pl.when(pl.col("supply_basis").n_unique() == 1)
        .then(pl.col("supply_basis").first())
        .otherwise(pl.lit("mixed")),
    )
    ongoing = pl.col("end_excl") + rule.drug_gap_days > pl.col("observed_until")
    last_day = pl.max_horizontal("last_dispensed", pl.col("end_excl") - 1)
    known = eras.with_columns(is_ongoing=ongoing, last_day=last_day, n_sessions=pl.lit(None, pl.Int32))
    return known.drop("last_dispensed").sort(*_ORDER)


def _with_roles(eras: pl.DataFrame, rule: Trial, vocabulary: Vocabulary) -> pl.DataFrame:
    """Adds role and host; drops augmenters that were not added to anything."""
    primary = vocabulary.possible(rule.treatments)
    known = eras.with_columns(is_primary=lookup(primary))
    # Of drugs begun on one day an augmenter comes last, so that it has something to be added to.
    by_day = known.sort("episode", "start", ~pl.col("is_primary"), "treatment", "end_excl")
    placed = by_day.with_columns(place=pl.int_range(pl.len(), dtype=pl.UInt32))
    hosts = _hosts(placed, rule.overlap_days)
    is_add_on = pl.col("host").is_not_null()
    earlier_primary = (pl.col("is_primary").cum_sum().over("episode") - pl.col("is_primary").cast(pl.UInt32)) > 0
    returned = ~pl.struct("episode", "treatment").is_first_distinct()
    role = (
        pl.when(is_add_on & lookup(vocabulary.possible(rule.augmenters)))
        .then(pl.lit("augmentation"))
        .when(is_add_on)
        .then(pl.lit("combination"))
        .when(returned)
        .then(pl.lit("resumed"))
        .when(earlier_primary)
        .then(pl.lit("switch"))
        .otherwise(pl.lit("first"))
    )
    ranked = placed.join(hosts, on="place", how="left", maintain_order="left")
    return ranked.with_columns(role=role).filter(is_add_on | pl.col("is_primary")).drop("place", "is_primary")


def _hosts(eras: pl.DataFrame, overlap_days: int) -> pl.DataFrame:
    """For each add-on the era it was added to: the earlier primary drug it overlaps longest."""
    later = eras.select("episode", "place", "treatment", "start", "last_day")
    earlier = eras.filter("is_primary").select("episode", pl.exclude("episode").name.suffix("_host"))
    pairs = later.join(
        earlier.select("episode", "era_host", "place_host", "treatment_host", "last_day_host"),
        on="episode",
    ).filter(pl.col("place_host") < pl.col("place"), pl.col("treatment_host") != pl.col("treatment"))
    overlap = pl.min_horizontal("last_day", "last_day_host") - pl.col("start") + 1
    together = pairs.with_columns(overlap=overlap).filter(pl.col("overlap") >= overlap_days)
    longest = together.sort("place", -pl.col("overlap"), "place_host").unique(
        "place", keep="first", maintain_order=True
    )
    return longest.select("place", host="era_host")


def _courses(rows: pl.DataFrame, rule: Trial, vocabulary: Vocabulary) -> pl.DataFrame:
    """Courses of sessions (psychotherapy, neuromodulation), with their role among courses of their kind."""
    kind = pl.struct("episode", "treatment").rle_id()
    opens = opens_era(pl.col("line"), pl.col("day"), pl.col("day"), rule.session_gap_days)
    courses = (
        rows.with_columns(line=kind)
        .with_columns(course=opens.cum_sum())
        .group_by("course")
        .agg(
            pl.col("episode", "treatment", "observed_until").first(),
            start=pl.col("day").min(),
            end_excl=pl.col("day").max() + 1,
            n_sessions=pl.len().cast(pl.Int32),
        )
        .with_columns(
            last_day=pl.col("end_excl") - 1,
            days_covered=pl.col("n_sessions"),
            has_unknown_supply=pl.lit(False),
            is_dose_raised=pl.lit(False),
            is_ongoing=pl.col("end_excl") + rule.session_gap_days > pl.col("observed_until"),
            kind=lookup(vocabulary.column("modality")),
        )
        .sort(*_ORDER)
    )
    role = (
        pl.when(~pl.struct("episode", "treatment").is_first_distinct())
        .then(pl.lit("resumed"))
        .when(~pl.struct("episode", "kind").is_first_distinct())
        .then(pl.lit("switch"))
        .otherwise(pl.lit("first"))
    )
    return courses.with_columns(role=role).drop("course", "kind")


def _kept(eras: pl.DataFrame, rule: Trial) -> pl.DataFrame:
    """Applies the rule for add-ons and numbers the trials within the episode."""
    handling = {"augmentation": rule.augmentation, "combination": rule.combination}
    ignored = [role for role, how in handling.items() if how == "ignored"]
    parts = [role for role, how in handling.items() if how == "part_of_trial"]
    rows = eras.filter(~pl.col("role").is_in(ignored)).sort(*_ORDER)
    n_add_ons = rows.group_by(pl.col("host").alias("era")).agg(n_add_ons=pl.len().cast(pl.Int32))
    counted = rows.join(n_add_ons, on="era", how="left", maintain_order="left")
    return counted.with_columns(
        pl.col("n_add_ons").fill_null(0),
        is_counted=~pl.col("role").is_in(parts),
        number=pl.int_range(1, pl.len() + 1, dtype=pl.UInt32).over("episode"),
        trial=pl.int_range(pl.len(), dtype=pl.UInt32),
    )


def _described(trials: pl.DataFrame, vocabulary: Vocabulary) -> pl.DataFrame:
    """Adds what kind of treatment each trial is and its length."""
    modality = (
        pl.when(pl.col("role") == "augmentation")
        .then(pl.lit("augmentation"))
        .otherwise(lookup(vocabulary.column("modality")))
    )
    return trials.with_columns(
        modality=modality,
        n_days=pl.col("end_excl") - pl.col("start"),
    )


def _changes(trials: pl.DataFrame, overlap_days: int) -> pl.DataFrame:
    """Every later drug of the episode, seen from each trial: was it added, or did it follow?

    A drug that was added to some other one as an augmentation is no switch.
    """
    later = trials.filter(pl.col("n_sessions").is_null()).select(
        "episode",
        other_treatment="treatment",
        other_start="start",
        other_last="last_day",
        can_follow=pl.col("modality") == "drug",
    )
    is_drug = pl.col("n_sessions").is_null()
    mine = trials.select("episode", "trial", "treatment", "start", "end_excl", "last_day", is_drug=is_drug)
    pairs = mine.join(later, on="episode").filter(
        pl.col("other_treatment") != pl.col("treatment"), pl.col("other_start") > pl.col("start")
    )
    overlap = pl.min_horizontal("last_day", "other_last") - pl.col("other_start") + 1
    after_sessions = pl.col("is_drug") | (pl.col("other_start") >= pl.col("end_excl"))
    return (
        pairs.filter(after_sessions)
        .with_columns(is_add_on=pl.col("is_drug") & (overlap >= overlap_days))
        .filter(pl.col("is_add_on") | pl.col("can_follow"))
        .select("trial", "other_start", "is_add_on")
        .unique()
        .sort("trial", "other_start", "is_add_on")
    )
