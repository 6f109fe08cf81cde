"""Arms and their counts: at least so many trials of some kind, of different substances, perhaps within a time.

Every count has a lower bound (what surely counts) and an upper one (what may count; without limit where a
counted treatment is not observed). An arm that says nothing about time compares the numbers of the whole
episode. One that does is tried on each day on which something may begin to count; that is enough,
because between two such days no number rises.
"""

from __future__ import annotations

from functools import reduce
from operator import and_

import polars as pl

from schemas.codelists import CodeLists
from schemas.definition import Arm, Count
from transforms.encode import Vocabulary, lookup
from transforms.stages import FAILED, STAGES, SURELY_FAILED, SURELY_TRIED, TRIED, among, date_at, date_of

KEYS = {"substance": "treatment", "class": "class", "mechanism": "mechanism"}
_NEVER = 2**31 - 1
# Of each stage, the one that asks the same where nothing has to have failed.
_GIVEN_ALIKE = (TRIED, TRIED, TRIED, SURELY_TRIED, SURELY_TRIED, SURELY_FAILED)
_DAY = ["episode", "day"]


def is_blind(groups: tuple[str, ...], observes: frozenset[str], codes: CodeLists) -> bool:
    """Is there a treatment in the groups that the delivery cannot show?"""
    return any(not codes.observed_as_of_group(group) <= observes for group in groups)


def membership(vocabulary: Vocabulary, groups: tuple[str, ...], what: str) -> pl.Expr:
    """Per trial: is it counted? Add-ons count as added even where they are no trials of their own."""
    is_meant = pl.col("is_counted")
    if what == "added":
        is_meant = pl.col("role").is_in(["augmentation", "combination"])
    return lookup(vocabulary.membership(groups)) & is_meant


def number(stage: str, member: str, what: str, distinct_by: str) -> pl.Expr:
    """How many trials of the stage's set, by what must differ.

    Of trials whose kind is not known, each may be another kind; surely there is one kind at least.
    """
    chosen = among(stage, member, what)
    if distinct_by == "none":
        return chosen.sum()
    known = is_known(distinct_by)
    kinds = pl.col(KEYS[distinct_by]).filter(chosen & known).n_unique()
    if stage == SURELY_FAILED:
        return pl.max_horizontal(kinds, chosen.any().cast(pl.UInt32))
    return kinds + (chosen & ~known).sum()


def is_known(distinct_by: str) -> pl.Expr:
    """Can the trial's kind be told apart from another's?"""
    if distinct_by == "substance":
        return pl.col("is_identified")
    return pl.col(KEYS[distinct_by]).fill_null("") != ""


class Arms:
    """The arms of a rule, numbered, over the trials of all episodes."""

    def __init__(self, arms: list[Arm], vocabulary: Vocabulary, observes: frozenset[str], codes: CodeLists) -> None:
        self.arms, self.vocabulary = arms, vocabulary
        self.counts = [count for arm in arms for count in arm.all_of]
        self.limits = [is_blind(count.of, observes, codes) for count in self.counts]
        self.blind = any(self.limits)
        self._first = [sum(len(arm.all_of) for arm in arms[:place]) for place in range(len(arms))]

    def memberships(self) -> list[pl.Expr]:
        """Per trial: member of each count's groups, `member_0` and so on."""
        return [membership(self.vocabulary, c.of, c.what).alias(f"member_{n}") for n, c in enumerate(self.counts)]

    def table(self, trials: pl.DataFrame, others: list[pl.Expr]) -> pl.DataFrame:
        """One row per episode with trials: what `met` asks for, and other numbers of its trials."""
        numbers = trials.group_by("episode").agg(self._numbers() + others)
        for place, arm in enumerate(self.arms):
            if _has_time(arm):
                numbers = numbers.join(self._timed(trials, place), on="episode", how="left")
        return numbers

    def _numbers(self) -> list[pl.Expr]:
        """Each count over each stage's trials, and over all tried whatever must differ."""
        wide = [
            number(stage, f"member_{n}", count.what, count.distinct_by).alias(f"{stage}_{n}")
            for n, count in enumerate(self.counts)
            for stage in STAGES
        ]
        plain = [
            number(TRIED, f"member_{n}", count.what, "none").alias(f"plain_{n}") for n, count in enumerate(self.counts)
        ]
        return wide + plain

    def _timed(self, trials: pl.DataFrame, place: int) -> pl.DataFrame:
        """episode, and whether the arm is met at each stage; stages that ask the same are looked at once."""
        alike = STAGES if any(count.what == "failed" for count in self.arms[place].all_of) else _GIVEN_ALIKE
        met = {stage: self._episodes_met(trials, place, stage) for stage in dict.fromkeys(alike)}
        named = {_timed_name(place, stage): met[same] for stage, same in zip(STAGES, alike, strict=True)}
        asked = self._asked(place, open_ended=True)
        if len(asked) == len(self._of(place)):
            named[_timed_name(place, FAILED, open_ended=True)] = named[_timed_name(place, FAILED)]
        elif asked:
            open_name = _timed_name(place, FAILED, open_ended=True)
            named[open_name] = self._episodes_met(trials, place, FAILED, open_ended=True)
        episodes = trials.select("episode").unique()
        return episodes.with_columns(pl.col("episode").is_in(found).alias(name) for name, found in named.items())

    def _episodes_met(self, trials: pl.DataFrame, place: int, stage: str, *, open_ended: bool = False) -> pl.Series:
        return self._days_met(trials, place, stage, open_ended=open_ended)["episode"].unique().implode()

    def _asked(self, place: int, *, open_ended: bool) -> list[int]:
        """The counts of an arm to look at; open-ended, a count of treatments that are not observed holds anyway."""
        return [n for n in self._of(place) if not (open_ended and self.limits[n])]

    def _days_met(self, trials: pl.DataFrame, place: int, stage: str, *, open_ended: bool) -> pl.DataFrame:
        """episode, day: the days on which all counts of the arm hold."""
        arm, asked = self.arms[place], self._asked(place, open_ended=open_ended)
        spans = [self._spans(trials, n, stage, arm) for n in asked]
        rows = _of_episodes_with_enough(spans, [self.counts[n].n for n in asked])
        days = pl.concat(
            [part.select("episode", day=pl.col("opens") + late) for part in rows for late in (0, 1)]
        ).unique()
        for n, part in zip(asked, rows, strict=True):
            days = self._days_reached(days, part, n, stage)
        return days

    def _spans(self, trials: pl.DataFrame, n: int, stage: str, arm: Arm) -> pl.DataFrame:
        """The trials that may count, each with the first and last day on which it does."""
        count = self.counts[n]
        chosen = trials.filter(among(stage, f"member_{n}", count.what))
        date = pl.when(pl.col("has_failed")).then(date_at(stage, count.what))
        if count.what != "failed":
            date = date_of(count.what)
        closes = pl.lit(_NEVER, pl.Int32)
        if arm.within != "episode":
            may_last = pl.col("has_unknown_supply") & pl.lit(stage != SURELY_FAILED)
            closes = pl.when(may_last).then(_NEVER).otherwise(pl.col("last_day") + arm.within)
        asked = ("episode", "start", *KEYS.values(), "is_identified", f"member_{n}", "is_adequate", "has_failed")
        dated = chosen.select(*asked, date=date, closes=closes.cast(pl.Int32))
        return dated.with_columns(opens=pl.coalesce("date", "start"))

    def _days_reached(self, days: pl.DataFrame, rows: pl.DataFrame, n: int, stage: str) -> pl.DataFrame:
        """Those of the days on which count `n` holds over its trials."""
        count = self.counts[n]
        late = 1 if count.timing == "before" else 0
        both = days.join(rows, on="episode").filter(
            pl.col("opens") + late <= pl.col("day"), pl.col("day") <= pl.col("closes")
        )
        reached = both.group_by(_DAY).agg(
            n=number(stage, f"member_{n}", count.what, count.distinct_by),
            is_last=(pl.col("date").is_null() | (pl.col("date") == pl.col("day"))).any(),
        )
        holds = (pl.col("n") >= count.n) & (pl.col("is_last") | pl.lit(count.timing != "last"))
        return reached.filter(holds).select(_DAY)

    def _of(self, place: int) -> range:
        return range(self._first[place], self._first[place] + len(self.arms[place].all_of))

    def met(self, place: int, stage: str, *, distinct: bool = True, open_ended: bool = False) -> pl.Expr:
        """Is an arm met by a stage's trials? `open_ended`: unobserved treatments may be without limit."""
        asked = self._asked(place, open_ended=open_ended)
        if not asked:
            return pl.lit(True)
        if distinct and _has_time(self.arms[place]):
            return pl.col(_timed_name(place, stage, open_ended=open_ended))
        reached = [pl.col(f"{stage}_{n}" if distinct else f"plain_{n}") >= self.counts[n].n for n in asked]
        return reduce(and_, reached)

    def dates(self, trials: pl.DataFrame) -> pl.DataFrame:
        """episode, arm_0 and so on: the day each arm was surely met, null where it was not."""
        episodes = trials.select("episode").unique()
        for place, arm in enumerate(self.arms):
            days = self._first_day(trials, place) if _has_time(arm) else self._last_needed(trials, place)
            episodes = episodes.join(days.rename({"day": f"arm_{place}"}), on="episode", how="left")
        return episodes

    def _first_day(self, trials: pl.DataFrame, place: int) -> pl.DataFrame:
        days = self._days_met(trials, place, SURELY_FAILED, open_ended=False)
        return days.group_by("episode").agg(pl.col("day").min())

    def _last_needed(self, trials: pl.DataFrame, place: int) -> pl.DataFrame:
        """When the last of the needed trials began to count, over all counts of the arm."""
        table = trials.select("episode").unique()
        for n in self._of(place):
            table = table.join(self._reached(trials, n, self.counts[n]).rename({"day": f"day_{n}"}), on="episode")
        return table.select("episode", day=pl.max_horizontal([f"day_{n}" for n in self._of(place)]))

    def _reached(self, trials: pl.DataFrame, n: int, count: Count) -> pl.DataFrame:
        """episode, day: the day the count's n-th (distinct) sure trial began to count."""
        chosen = trials.filter(among(SURELY_FAILED, f"member_{n}", count.what)).with_columns(day=date_of(count.what))
        if count.distinct_by != "none" and count.n > 1:
            key = pl.col(KEYS[count.distinct_by])
            chosen = chosen.filter(is_known(count.distinct_by)).group_by("episode", key).agg(pl.col("day").min())
        ordered = chosen.group_by("episode").agg(pl.col("day").sort())
        day = pl.col("day").list.get(count.n - 1, null_on_oob=True)
        return ordered.select("episode", day=day).drop_nulls()


def _of_episodes_with_enough(parts: list[pl.DataFrame], needed: list[int]) -> list[pl.DataFrame]:
    """The parts without the episodes that have too few rows in one of them to hold all counts on any day."""
    able = [
        part.group_by("episode").len().filter(pl.col("len") >= n).select("episode")
        for part, n in zip(parts, needed, strict=True)
    ]
    everywhere = reduce(lambda some, others: some.join(others, on="episode", how="semi"), able)
    return [part.join(everywhere, on="episode", how="semi") for part in parts]


def _has_time(arm: Arm) -> bool:
    return arm.within != "episode" or any(count.timing != "any" for count in arm.all_of)


def _timed_name(place: int, stage: str, *, open_ended: bool = False) -> str:
    return f"arm_{place}_{stage}{'_open' if open_ended else ''}"
