"""Rule `waiting_time_distribution`: a supply lasts until most persons who have the drug again have it again.

After the waiting time distribution (Støvring H, Pottegård A, Hallas J. Determining prescription durations based on the
parametric waiting time distribution. Pharmacoepidemiol Drug Saf 2016;25:1451-9, doi:10.1002/pds.4114): a prescription
lasts as long as 80% of current users take to come again. Laugesen 2017 (doi:10.2147/CLEP.S148671) takes the 80th to
the 99th percentile. (V: both abstracts; `waiting_time_percentile` is 80 by default.)

What is done: the percentile itself, of the days between one dispensing of a drug and the person's next, over all
persons of the delivery. A person counts once for each different number of days, so that who has the drug 200 times at
the same distance weighs as one who has it twice. Days of dispensing that follow each other by more than `max_days` are
two treatments and no refill. The length is the least number of days within which so many percent of these came (D).

What is not done: no distribution is fitted, nor are current users told from new ones by a mixture, and a person whose
refills differ counts more than once. So the length depends on `max_days`, and on persons who refill irregularly. It is
one length for a drug, whatever was handed out: the dose is known only where a daily dose was delivered.

Whole numbers are counted, each person in one bucket, so the lengths are the same however persons are cut into buckets.
A drug has a length only if at least `waiting_time_min_persons` persons have it twice, and at least ten of what is
counted took as long or longer: of a few long refills no length is made. Codes of a group of drugs (shorter than seven
letters) have none.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from impasse.schemas.study import WAITING_TIME, SupplySection
from impasse.transforms.ingest.ordering import OrderedWords
from impasse.transforms.ingest.refills.told import AWAITS, TOLD_MDDD, TOLD_UG
from impasse.transforms.kernels.days import packed, unpacked
from impasse.transforms.kernels.segments import distinct

_LENGTH_OF_A_DRUG = 7
_FEWEST_AS_LONG = 10


@dataclass(frozen=True)
class Refills:
    """How many persons had each drug again after how many days, and how many had it again at all; buckets add up.

    Rows are the drugs in the order of the alphabet, columns of `after` the days from 0 to the longest.
    """

    after: np.ndarray
    n_persons: np.ndarray

    def __add__(self, other: Refills) -> Refills:
        return Refills(self.after + other.after, self.n_persons + other.n_persons)


def count_refills(rows: pl.DataFrame, words: OrderedWords, longest: int) -> Refills:
    """The refills of some persons, whose dispensings (person, date, words) are all there."""
    drugs = _drugs(words)
    place = words.places.gather(rows["words"]).to_numpy()
    drug = np.searchsorted(drugs, words.in_order["atc"].cast(pl.String).to_numpy())[place]
    group = rows["person"].to_numpy().astype(np.int64) * len(drugs) + drug
    keys = distinct(packed(group, rows["date"].to_physical().to_numpy()))
    group, day = unpacked(keys)
    days = np.diff(day)
    is_refill = (np.diff(group) == 0) & (days <= longest)
    group, days = unpacked(distinct(packed(group[1:][is_refill], days[is_refill])))
    after = np.bincount(group % len(drugs) * (longest + 1) + days, minlength=len(drugs) * (longest + 1))
    persons = distinct(group) % len(drugs)
    return Refills(after.reshape(len(drugs), longest + 1), np.bincount(persons, minlength=len(drugs)))


def waiting_times(refills: Refills, words: OrderedWords, rule: SupplySection) -> pl.DataFrame:
    """atc, days: the length of a supply of each drug that persons enough have twice."""
    found = [
        (atc, length_of_most(after, rule.waiting_time_percentile))
        for atc, after, n in zip(_drugs(words), refills.after, refills.n_persons, strict=True)
        if n >= rule.waiting_time_min_persons and len(atc) == _LENGTH_OF_A_DRUG
    ]
    return pl.DataFrame([row for row in found if row[1]], schema={"atc": pl.String, "days": pl.Int32}, orient="row")


def length_of_most(after: np.ndarray, percent: int) -> int | None:
    """The least days within which so many percent of those counted came; None if under ten took as long or longer."""
    n_within = np.cumsum(after)
    days = int(np.argmax(100 * n_within >= percent * n_within[-1]))
    n_as_long = n_within[-1] - (n_within[days - 1] if days else 0)
    return days if n_as_long >= _FEWEST_AS_LONG else None


def with_waiting_times(table: pl.DataFrame, lengths: pl.DataFrame) -> pl.DataFrame:
    """The dispensings with the length of their drug where no rule before gives days."""
    found = table.join(
        lengths.select(pl.col("atc").cast(pl.Categorical), wait="days"), on="atc", how="left", maintain_order="left"
    )
    tells = pl.col(AWAITS[WAITING_TIME]).fill_null(False) & pl.col("wait").is_not_null()
    told = {
        "days": pl.col("wait"),
        "dose_ug": pl.col(TOLD_UG),
        "dose_mddd": pl.col(TOLD_MDDD),
        "supply_basis": pl.lit(WAITING_TIME, dtype=pl.Categorical),
    }
    changed = found.with_columns(pl.when(tells).then(value).otherwise(name).alias(name) for name, value in told.items())
    return changed.drop("wait")


def _drugs(words: OrderedWords) -> np.ndarray:
    return words.in_order["atc"].cast(pl.String).unique().sort().to_numpy()
