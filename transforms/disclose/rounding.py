"""Small counts among known totals: rounded, and left out where even the rounded ones would tell one.

In: `profile` as counted, the definitions whose rows may be shown, how many resistant episodes two of them share,
and the study's threshold. Out: the same rows; n and n_of rounded to the nearest multiple of the threshold, half
up; null and `suppressed` where the row may not be shown.

Rounding alone is not enough, for the exact totals stand in other tables. With a threshold of 5, levels shown as
20, 5 and 0 of exactly 31 can only be 22, 7 and 2. Of two definitions, one within the other and 6 episodes wider,
a level shown as 0 in one and as 10 in the other can only be 2 and 8. So the rows are read as an attacker would
read them. Each number lies within its rounding, and

    the levels of one characteristic add up to the total, where an episode has exactly one of them;
    pseudo-resistance is likely with a cause that makes it so, possible with one of the others (that lie in the trials,
    or may be a second disorder), else none;
    what is a fact of the episode (what became of it, what was never tried, a diagnosed cause) is the same under
    two definitions, so either number is made of the episodes both call resistant and of those one calls so alone,
    and how many these are in all is known. A cause in the trials depends on the definition; it is taken to be the
    same unless the exact numbers contradict that, since two definitions may ask the same of a trial.

From these facts the least and the most of every number are narrowed until nothing narrows any more. A row
discloses if one of its numbers has a single possible value other than 0 or the total. Of
the episodes two definitions share or one has alone, few with a level or few without it tell. What tells hides the
characteristic of its definition; if it is told all the same, the characteristic of every definition; then
everything.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import polars as pl

from impasse.schemas.tables import CAUSES_OF_TRIALS, KEYS, PSEUDO_RESISTANCE
from impasse.schemas.values import POSSIBLE_CAUSES
from impasse.transforms.disclose.hiding import hide

_OF_TRIALS = (
    *(("cause", cause) for cause in CAUSES_OF_TRIALS),
    *(("pseudo_resistance", w) for w in ("none", "possible")),
)
_PARTS = "parts"
_ADD_UP = ("pseudo_resistance", "afterwards", "stage", "outside_band", _PARTS)
_NUMBERS = ("n", "n_of")
_NO_PAIR = -1
_Levels = dict[tuple[str, str], int]  # the number of every characteristic and level


def protect_profile(profile: pl.DataFrame, shown: list[str], shared: pl.DataFrame, threshold: int) -> pl.DataFrame:
    """The table with rounded numbers, and none where a number could be worked out.

    `shared`: definition_a, definition_b, n_both, the resistant episodes that two definitions have in common.
    """
    may_show = pl.col("definition_id").is_in(shown)
    known = profile.filter(may_show).with_columns(suppressed=False)
    if threshold > 1:
        known = known.with_columns(suppressed=pl.Series(_hidden(known, shared, threshold), dtype=pl.Boolean))
    rows = pl.concat([known, profile.filter(~may_show).with_columns(suppressed=True)])
    numbers = [pl.when(~pl.col("suppressed")).then(rounded(pl.col(name), threshold)).alias(name) for name in _NUMBERS]
    return rows.with_columns(numbers).sort(KEYS["profile"])


def protect_parts(table: pl.DataFrame, key: Sequence[str], shown: list[str], threshold: int) -> pl.DataFrame:
    """The same of a table with `key` whose last column parts the episodes or trials of the columns before it.

    Each whole is read by itself, its total taken for known; one of few is hidden.
    """
    *of, part = key
    whole = pl.concat_str(of, separator=" ")
    rows = table.with_columns(definition_id=whole, is_shown=pl.col("definition_id").is_in(shown))
    few = pl.col("n_of").is_between(1, threshold - 1)
    told = rows.filter(pl.col("is_shown"), ~few)["definition_id"].unique().to_list()
    alike = rows.select("definition_id", "n", "n_of", "suppressed", characteristic=pl.lit(_PARTS), level=part)
    nothing = pl.DataFrame(schema={"definition_a": pl.String, "definition_b": pl.String, "n_both": pl.Int64})
    protected = protect_profile(alike, told, nothing, threshold)
    numbers = protected.select("n", "n_of", "suppressed", whole="definition_id", part="level")
    keys = table.select(*key, whole=whole, part=part)
    joined = keys.join(numbers, on=["whole", "part"], how="left", maintain_order="left")
    return joined.select(table.columns).sort(key)


def protect_risks(risks: pl.DataFrame, shown: list[str], threshold: int) -> pl.DataFrame:
    """Risks as shares that a multiple of the threshold has in a number that is one; few episodes have none."""
    may_show = risks.select(pl.col("definition_id").is_in(shown) & (pl.col("n") >= threshold)).to_series()
    if threshold == 1:
        return hide(risks, KEYS["risks"], pl.lit(~may_show)).sort(KEYS["risks"])
    whole = rounded(pl.col("n"), threshold)
    shares = [
        (rounded((pl.col(name) * pl.col("n")).round().cast(pl.Int64), threshold) / whole).clip(0, 1).alias(name)
        for name in ("risk_min", "risk_max")
    ]
    numbers = [rounded(pl.col(name), threshold).alias(name) for name in ("n", "n_at_risk")]
    return hide(risks.with_columns(*shares, *numbers), KEYS["risks"], pl.lit(~may_show)).sort(KEYS["risks"])


def rounded(count: pl.Expr, base: int) -> pl.Expr:
    """The nearest multiple of `base`; half way, the higher one."""
    return (count * 2 + base) // (2 * base) * base


def _hidden(known: pl.DataFrame, shared: pl.DataFrame, base: int) -> np.ndarray:
    """Which rows to hide so that no number is told."""
    facts = _facts(known, shared)
    hidden = np.zeros(known.height, dtype=bool)
    while (told := _told(known, hidden, facts, base)).any() and not hidden.all():
        hidden = hidden | _with_alike(known, told, hidden)
    return hidden


def _told(known: pl.DataFrame, hidden: np.ndarray, facts: _Facts, base: int) -> np.ndarray:
    """Rows that tell a number."""
    n_of = known["n_of"].to_numpy()
    shown = known.select(rounded(pl.col("n"), base)).to_series().to_numpy()
    least = np.where(hidden, 0, np.maximum(shown - base // 2, 0))
    most = np.where(hidden, n_of, np.minimum(shown + (base - 1) // 2, n_of))
    low, high = facts.narrowed(least, most)
    all_of = np.concatenate([n_of, *facts.limits])
    is_one = (low == high) & (low > 0) & (high < all_of)
    is_few = np.minimum(low, all_of - high) < base
    told = is_one[: known.height].copy()
    told[_joined(facts.owned)[(is_one & is_few)[known.height :]]] = True
    return told


def _with_alike(known: pl.DataFrame, told: np.ndarray, hidden: np.ndarray) -> np.ndarray:
    """The told rows with all of their characteristic; more where those are hidden already."""
    for key in (["definition_id", "characteristic"], ["characteristic"]):
        alike = known.select(pl.struct(key).is_in(known.filter(told).select(pl.struct(key)).to_series().implode()))
        wider = alike.to_series().to_numpy()
        if (wider & ~hidden).any():
            return wider
    return np.ones(known.height, dtype=bool)


# What is known beside the numbers themselves


@dataclass
class _Facts:
    """Sums of numbers that come to at most so much. The first numbers are the rows, others are parts of them.

    A part has the most it can be, the row that is hidden if it is told, and the place of its two definitions.
    """

    n_numbers: int
    limits: list[np.ndarray] = field(default_factory=list)
    owned: list[np.ndarray] = field(default_factory=list)
    placed: list[np.ndarray] = field(default_factory=list)
    most: list[int] = field(default_factory=list)
    fact_of: list[int] = field(default_factory=list)  # a term: its fact, its number, 1 if added or -1 if taken away
    number_of: list[int] = field(default_factory=list)
    sign_of: list[int] = field(default_factory=list)

    def parts(self, limit: int, owners: np.ndarray, place: int) -> np.ndarray:
        """New numbers, one for each of the rows that own them."""
        first = self.n_numbers
        self.n_numbers += len(owners)
        self.limits.append(np.full(len(owners), limit))
        self.owned.append(owners)
        self.placed.append(np.full(len(owners), place))
        return np.arange(first, self.n_numbers)

    def each_at_most(self, most: int, *terms: tuple[np.ndarray, int]) -> None:
        """For each place: the numbers there, added or taken away, come to at most so much."""
        n_places = len(terms[0][0])
        for numbers, sign in terms:
            self.fact_of += range(len(self.most), len(self.most) + n_places)
            self.number_of += numbers.tolist()
            self.sign_of += [sign] * n_places
        self.most += [most] * n_places

    def each(self, total: int, *terms: tuple[np.ndarray, int]) -> None:
        """For each place: they come to exactly so much."""
        self.each_at_most(total, *terms)
        self.each_at_most(-total, *((numbers, -sign) for numbers, sign in terms))

    def all_at_most(self, most: int, added: Sequence[int], taken: Sequence[int] = ()) -> None:
        """All added, less all that are taken away, come to at most so much."""
        self.fact_of += [len(self.most)] * (len(added) + len(taken))
        self.number_of += [*added, *taken]
        self.sign_of += [1] * len(added) + [-1] * len(taken)
        self.most.append(most)

    def all_are(self, total: int, numbers: Sequence[int]) -> None:
        """All together are so many."""
        self.all_at_most(total, numbers)
        self.all_at_most(-total, (), numbers)

    def narrowed(self, least: np.ndarray, most: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The least and the most of every number when no fact narrows them any more."""
        low, high = self._start(least, most)
        terms, bound = self._terms(), np.array(self.most, dtype=np.int64)
        while True:
            next_low, next_high = _once(low, high, terms, bound)
            if (next_low == low).all() and (next_high == high).all():
                return low, high
            low, high = next_low, next_high

    def contradicted(self, exact: np.ndarray) -> frozenset[int]:
        """Places of the pairs whose parts cannot be what the exact numbers of the rows would make them."""
        low, high = self._start(exact, exact)
        place = np.concatenate([np.full(len(exact), _NO_PAIR), *self.placed])
        terms, bound = self._terms(), np.array(self.most, dtype=np.int64)
        of_fact = np.full(len(bound), _NO_PAIR)
        np.maximum.at(of_fact, terms[:, 0], place[terms[:, 1]])
        found = {_NO_PAIR}
        while True:
            terms = terms[~np.isin(of_fact[terms[:, 0]], list(found))]
            next_low, next_high = _once(low, high, terms, bound)
            next_low[: len(exact)], next_high[: len(exact)] = exact, exact
            crossed = set(place[next_low > next_high].tolist()) - found
            if not crossed and (next_low == low).all() and (next_high == high).all():
                return frozenset(found - {_NO_PAIR})
            low, high, found = next_low, next_high, found | crossed

    def _terms(self) -> np.ndarray:
        """A row for each term. They are some hundred thousand, a few at a time: lists grow faster than arrays join."""
        return np.array([self.fact_of, self.number_of, self.sign_of], dtype=np.int64).T

    def _start(self, least: np.ndarray, most: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        limits = _joined(self.limits)
        return np.concatenate([least, np.zeros_like(limits)]), np.concatenate([most, limits])


def _once(low: np.ndarray, high: np.ndarray, terms: np.ndarray, bound: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What every fact says by itself of the numbers in it, if all others of the fact are at their least."""
    fact, number, is_added = terms[:, 0], terms[:, 1], terms[:, 2] > 0
    least = np.where(is_added, low[number], -high[number])
    room = bound - np.bincount(fact, weights=least, minlength=len(bound)).astype(np.int64)
    most = room[fact] + least
    next_low, next_high = low.copy(), high.copy()
    np.minimum.at(next_high, number[is_added], most[is_added])
    np.maximum.at(next_low, number[~is_added], -most[~is_added])
    return next_low, next_high


def _joined(parts: list[np.ndarray]) -> np.ndarray:
    """Whole numbers in one array; there may be none."""
    return np.concatenate([np.zeros(0, dtype=np.int64), *parts])


def _facts(known: pl.DataFrame, shared: pl.DataFrame) -> _Facts:
    """What follows from what the rows count."""
    facts = _written(known, shared, frozenset())
    differing = facts.contradicted(known["n"].to_numpy())
    return _written(known, shared, differing) if differing else facts


def _written(known: pl.DataFrame, shared: pl.DataFrame, differing: frozenset[int]) -> _Facts:
    """The facts; `differing` are the pairs whose causes in the trials are not the same."""
    facts = _Facts(known.height)
    rows: dict[str, _Levels] = {}
    for i, (definition, *level) in enumerate(known.select(KEYS["profile"]).iter_rows()):
        rows.setdefault(definition, {})[tuple(level)] = i
    n_of = known["n_of"].to_numpy()
    totals = {definition: int(n_of[list(mine.values())].max()) for definition, mine in rows.items()}
    for definition, mine in rows.items():
        _of_one(facts, mine, totals[definition])
    for place, (a, b, n_both) in enumerate(shared.select("definition_a", "definition_b", "n_both").iter_rows()):
        if n_both and a in rows and b in rows:
            levels = [level for level in rows[a] if level in rows[b]]
            same = [level for level in levels if place not in differing or level not in _OF_TRIALS]
            sizes = (n_both, totals[a] - n_both, totals[b] - n_both)
            _of_two(facts, [{level: rows[d][level] for level in same} for d in (a, b)], sizes, place)
    return facts


def _of_one(facts: _Facts, numbers: _Levels, total: int) -> None:
    """Of the same episodes: levels that add up, and how pseudo-resistance follows from the causes."""
    none, possible, likely = (numbers.get(("pseudo_resistance", level)) for level in PSEUDO_RESISTANCE)
    for characteristic in _ADD_UP:
        levels = [i for (kind, _), i in numbers.items() if kind == characteristic]
        if levels and (characteristic != "pseudo_resistance" or none is not None):
            facts.all_are(total, levels)
    causes = {level: i for (kind, level), i in numbers.items() if kind == "cause"}
    of_possible = [i for level, i in causes.items() if level in (*CAUSES_OF_TRIALS, *POSSIBLE_CAUSES)]
    of_likely = [i for i in causes.values() if i not in of_possible]
    if none is None or possible is None or likely is None or not of_likely or not of_possible:
        return
    every = np.array([*of_likely, *of_possible])
    facts.each_at_most(total, (every, 1), (np.full(len(every), none), 1))
    facts.each_at_most(0, (np.array(of_likely), 1), (np.full(len(of_likely), likely), -1))
    facts.all_at_most(0, [likely], of_likely)
    facts.all_at_most(0, [possible], of_possible)


def _of_two(facts: _Facts, of: list[_Levels], sizes: tuple[int, int, int], place: int) -> None:
    """A level of two definitions counts episodes that they share and some that one has alone; `sizes` of these."""
    a, b = (np.array(list(rows.values()), dtype=np.int64) for rows in of)
    parts = [facts.parts(size, a if sizes[1] <= sizes[2] else b, place) for size in sizes]
    for rows, alone in ((a, parts[1]), (b, parts[2])):
        facts.each(0, (rows, 1), (parts[0], -1), (alone, -1))
    for part, size in zip(parts, sizes, strict=True):
        _of_one(facts, dict(zip(of[0], part.tolist(), strict=True)), size)
