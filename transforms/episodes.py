"""Diagnosis contacts -> illness episodes, by one rule for the whole study.

1. Contacts and, where treatment bridges, dispensings and procedures of the disorder are laid on one line per
   person and disorder; a remission code and the start of a new observation interval cut the line.
2. Events at most `gap_days` apart are chained; a chain with a contact is an episode and opens at it.
3. It ends at the last contact or covered day plus a tail, at a remission code, at death or when
   observation ends, whichever is first, and always before the person's next episode of the disorder.
Episodes are numbered over everything delivered, so a number does not move with the study period.
"""

from __future__ import annotations

from datetime import date

import polars as pl

from schemas.codelists import CodeLists
from schemas.study import EpisodeSection, PeriodSection
from transforms.encode import Coded, lookup
from transforms.eras import opens_era

_LINE = ("person", "disorder", "interval", "cut")


def build_episodes(coded: Coded, rule: EpisodeSection, period: PeriodSection, codes: CodeLists) -> pl.DataFrame:
    """One row per episode that starts in the period, days as day numbers, sorted by (person, disorder, number).

    Columns: episode, person, disorder, number, start, end, end_reason, observed_until, is_observed,
    observed_days_before, treated_from, is_left_truncated, is_censored, n_contacts, sex, age.
    """
    observed = _observed(coded.coverage)
    chains = _chains(_events(coded, rule, codes), observed, rule.gap_days)
    first, last = _day_number(period.start), _day_number(period.end)
    dated = _ends(_watched(chains, observed, coded, last), rule, has_coverage=coded.coverage is not None)
    line = pl.col("person", "disorder")
    next_start = pl.col("start").shift(-1).over("person", "disorder")
    numbered = (
        dated.sort("person", "disorder", "start")
        .with_columns(
            number=pl.int_range(1, pl.len() + 1, dtype=pl.UInt32).over("person", "disorder"),
            end=pl.min_horizontal("end", next_start - 1),
        )
        .with_columns(
            treated_from=pl.max_horizontal(
                pl.col("start") - rule.lead_days, (pl.col("end") + 1).shift(1).over("person", "disorder")
            )
        )
    )
    kept = numbered.filter(pl.col("start").is_between(first, last)).sort(line, "number")
    return kept.with_row_index("episode").select(
        "episode", "person", "disorder", "number", "start", "end", "end_reason", "observed_until", "is_observed",
        "observed_days_before", "treated_from", "is_left_truncated", "is_censored", "n_contacts", "sex", "age",
    )  # fmt: skip


def _day_number(day: date) -> int:
    return (day - date(1970, 1, 1)).days


def _events(coded: Coded, rule: EpisodeSection, codes: CodeLists) -> pl.DataFrame:
    """Contacts, and treatments where they bridge: person, disorder, day, last_day, is_contact, is_remission."""
    contacts = coded.contacts.filter(pl.col("disorder").is_in(rule.disorders)).select(
        "person", "disorder", "day", "last_day", is_contact=pl.lit(True), is_remission="is_remission"
    )
    if not rule.treatment_bridges:
        return contacts
    groups = codes.disorders.filter(pl.col("disorder").is_in(rule.disorders)).select("disorder", "treatments")
    parts = [contacts]
    for disorder, group in groups.iter_rows():
        parts += [_bridges(table, coded, disorder, group) for table in (coded.dispensings, coded.procedures)]
    return pl.concat([part for part in parts if part is not None])


def _bridges(table: pl.DataFrame | None, coded: Coded, disorder: str, group: str) -> pl.DataFrame | None:
    if table is None:
        return None
    mine = table.filter(lookup(pl.Series(coded.vocabulary.membership((group,)).sure)))
    patients = coded.contacts.filter(pl.col("disorder") == disorder).select("person").unique()
    day = pl.col("day")
    last = pl.max_horizontal(day, day + pl.col("days") - 1) if "days" in table.columns else day
    return mine.join(patients, on="person", how="semi").select(
        "person",
        disorder=pl.lit(disorder),
        day=day,
        last_day=last,
        is_contact=pl.lit(False),
        is_remission=pl.lit(False),
    )


def _observed(coverage: pl.DataFrame | None) -> pl.DataFrame:
    """Merged observation intervals: person, interval, from, until."""
    if coverage is None:
        return pl.DataFrame(schema={"person": pl.UInt32, "from": pl.Int32, "until": pl.Int32, "interval": pl.UInt32})
    rows = coverage.sort("person", "start", "end")
    merged = rows.group_by("person", _eras(rows, "person", "start", "end", gap=1).alias("interval")).agg(
        pl.col("start").min().alias("from"), pl.col("end").max().alias("until")
    )
    return merged.select("person", "from", "until", interval=pl.col("interval").cast(pl.UInt32)).sort("from", "person")


def _eras(rows: pl.DataFrame, group: str, start: str, end: str, gap: int) -> pl.Series:
    """The number of each row's era; rows come sorted by group and start."""
    return pl.Series(opens_era(*(rows[column].to_numpy() for column in (group, start, end)), gap).cumsum())


def _chains(events: pl.DataFrame, observed: pl.DataFrame, gap: int) -> pl.DataFrame:
    """One row per chain with a contact: its first contact, last day, remission day and number of contacts."""
    cut = _cut_at_remission(events.sort("day", "person"))
    lined = cut.join_asof(observed, left_on="day", right_on="from", by="person", check_sortedness=False)
    sorted_events = lined.with_columns(pl.col("interval").fill_null(0)).sort(
        *_LINE, "day", "last_day", "is_contact", "is_remission"
    )
    lined_up = sorted_events.with_columns(line=pl.struct(_LINE).rle_id())
    chained = lined_up.with_columns(_eras(lined_up, "line", "day", "last_day", gap).alias("chain"))
    opening = pl.col("is_contact") & ~pl.col("is_remission")
    return (
        chained.group_by("person", "disorder", "chain")
        .agg(
            start=pl.col("day").filter(opening).min(),
            last_day=pl.col("last_day").max(),
            remission=pl.col("day").filter(pl.col("is_remission")).max(),
            n_contacts=pl.col("is_contact").sum().cast(pl.UInt32),
        )
        .filter(pl.col("start").is_not_null())
    )


def _cut_at_remission(events: pl.DataFrame) -> pl.DataFrame:
    """Adds `cut`: how many of the line's remission days lie strictly before the event."""
    days = events.filter(pl.col("is_remission")).select("person", "disorder", "day").unique()
    ranked = days.sort("person", "disorder", "day").with_columns(
        cut=pl.int_range(1, pl.len() + 1, dtype=pl.UInt32).over("person", "disorder"), after=pl.col("day") + 1
    )
    joined = events.join_asof(
        ranked.select("person", "disorder", "after", "cut").sort("after"),
        left_on="day",
        right_on="after",
        by=["person", "disorder"],
        check_sortedness=False,
    )
    return joined.drop("after", strict=False).with_columns(pl.col("cut").fill_null(0))


def _watched(chains: pl.DataFrame, observed: pl.DataFrame, coded: Coded, period_end: int) -> pl.DataFrame:
    """Adds the person's facts and until when the episode could be seen."""
    people = coded.persons.select("person", "birth", "death", "birth_date", "sex")
    rows = chains.sort("start").join_asof(
        observed.drop("interval"), left_on="start", right_on="from", by="person", check_sortedness=False
    )
    inside = pl.col("start") <= pl.col("until")
    rows = rows.with_columns(
        pl.when(inside).then(pl.col("from")).alias("from"), pl.when(inside).then(pl.col("until")).alias("until")
    ).join(people, on="person")
    seen = pl.min_horizontal("death", "until", pl.lit(period_end, pl.Int32))
    return rows.with_columns(observed_until=pl.max_horizontal(seen, "start"), seen=seen)


def _ends(rows: pl.DataFrame, rule: EpisodeSection, *, has_coverage: bool) -> pl.DataFrame:
    """Adds end, why it ended, age at start and the two honesty flags."""
    natural = pl.coalesce("remission", pl.col("last_day") + rule.tail_days)
    end = pl.max_horizontal("start", pl.min_horizontal(natural, "observed_until"))
    is_observed = pl.col("from").is_not_null()
    before = pl.when(is_observed).then(pl.col("start") - pl.col("from")).otherwise(0)
    if not has_coverage:
        before, is_observed = pl.lit(None, pl.Int32), pl.lit(None, pl.Boolean)
    reason = (
        pl.when(pl.col("remission") <= pl.col("observed_until"))
        .then(pl.lit("remission"))
        .when(natural <= pl.col("observed_until"))
        .then(pl.lit("tail"))
        .when(pl.col("death") == pl.col("seen"))
        .then(pl.lit("death"))
        .when(pl.col("until") == pl.col("seen"))
        .then(pl.lit("coverage"))
        .otherwise(pl.lit("period"))
    )
    unseen = pl.col("last_day") + rule.gap_days > pl.col("observed_until")
    return rows.with_columns(
        end=end,
        end_reason=reason,
        is_observed=is_observed,
        observed_days_before=before.cast(pl.Int32),
        age=_age("birth_date", "start"),
    ).with_columns(
        is_left_truncated=pl.col("observed_days_before") < rule.washout_days,
        is_censored=~pl.col("end_reason").is_in(["remission", "death"]) & unseen,
    )


def _age(born: str, day: str) -> pl.Expr:
    """Completed years on a day; a birthday on 29 February is completed on 1 March in common years."""
    birth, at = pl.col(born), pl.col(day).cast(pl.Date)
    had_birthday = _month_and_day(at) >= _month_and_day(birth)
    return (at.dt.year() - birth.dt.year() - (~had_birthday).cast(pl.Int32)).cast(pl.Int32)


def _month_and_day(day: pl.Expr) -> pl.Expr:
    return day.dt.month().cast(pl.Int32) * 100 + day.dt.day()
