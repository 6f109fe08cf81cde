"""Rule `personal_refill_rhythm`: how long a supply lasts by how fast this person uses up the drug.

After PRE2DUP (Tanskanen A et al. From prescription drug purchases to drug use periods: a second generation method
(PRE2DUP). BMC Med Inform Decis Mak 2015;15:21, doi:10.1186/s12911-015-0140-z). Days are the DDD handed out over a
sliding average of DDD a day: those of a purchase (weight 4), of the one before and of the one after it (weight 1), over
the days between them. The first and the last purchase weigh 5; for the days after the last one the pace of the one
before is taken. The average is the dose a day.

What is done, and how sure it is:
* The average, the last purchase and the days: as in table 2 of the paper, whose numbers are a test (V).
* What a person buys of a drug on one day is one purchase; days are divided among its rows by their DDD (V).
* Three purchases at least, else the rule tells nothing and the next one is tried (V, from the open implementation in
  R by the authors, PRE2DUP-R 0.1; so are the next two).
* At most 10 DDD a day are taken to be used (V).
* `irregular_refills = "lengthen"`: days times 1 + the relative standard deviation of the averages of purchases that lie
  together, from 0.2 to 0.5 of it (V). By default days are those of table 2.
* Purchases more than `max_days` apart do not lie together, and no supply lasts longer: there 300 days, here 366 (D).
* A purchase whose DDD is not known parts those before it from those after (D); there it counts as none.

What is not done: the least and most days and DDD a day that experts state for each package and ATC group, the usual
days of a package, days in hospital, the dampening of the last purchase of a period, and the joining of periods, which
is each definition's permissible gap and carry-over. Codes of a group of drugs (shorter than seven letters) are no drug.

By construction supplies reach about as far as the next refill. So a proportion of days covered under this rule says
nothing of adherence, and the dose is what was bought, not what was prescribed.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from impasse.schemas.study import RHYTHM, SupplySection
from impasse.transforms.ingest.refills.told import AWAITS, TOLD_UG, TOTAL_MDDD, TOTAL_UG
from impasse.transforms.ingest.supply import whole_days, whole_dose
from impasse.transforms.kernels.segments import Segments, in_order
from impasse.transforms.kernels.sliding import relative_spreads, sliding_averages

_LENGTH_OF_A_DRUG = 7
# In thousandths of a DDD.
_MOST_A_DAY, _MOST_IN_SPREAD = 10_000, 99_000
_LEAST_SPREAD, _LARGEST_SPREAD = 0.2, 0.5


def with_rhythm(table: pl.DataFrame, rule: SupplySection) -> pl.DataFrame:
    """The dispensings of some persons, sorted by person and date, with the days that the rhythm tells those in need."""
    if not table[AWAITS[RHYTHM]].any():
        return table
    found = table.with_columns(_by_rhythm(table, rule))
    tells = pl.col(AWAITS[RHYTHM]).fill_null(False) & pl.col("exact").is_not_nan()
    told = {
        "days": whole_days(pl.col("exact"), rule.max_days),
        "dose_ug": pl.coalesce(TOLD_UG, whole_dose(pl.col("by_amount"))),
        "dose_mddd": whole_dose(pl.col("average")),
        "supply_basis": pl.lit(RHYTHM, dtype=pl.Categorical),
    }
    changed = found.with_columns(pl.when(tells).then(value).otherwise(name).alias(name) for name, value in told.items())
    return changed.drop("exact", "average", "by_amount")


def _by_rhythm(table: pl.DataFrame, rule: SupplySection) -> list[pl.Series]:
    """For each row the days that it lasts, and thousandths of a DDD and micrograms a day; NaN where unknown."""
    group, day, total, in_ug = _columns(table)
    order = in_order(group)
    at_once = Segments(group[order], day[order])
    amount, micrograms = (_summed(at_once, column[order]) for column in (total, in_ug))
    first = np.append(True, np.diff(group[order][at_once.first]) != 0)
    average, opens = sliding_averages(first, day[order][at_once.first], amount, rule.max_days)
    used = np.minimum(average, _MOST_A_DAY)
    longer = 1 + _lengthening(opens, average) if rule.irregular_refills == "lengthen" else np.ones(len(used))
    with np.errstate(divide="ignore", invalid="ignore"):
        by_amount = np.where(micrograms > 0, micrograms * used / amount, np.nan)
    of_row = np.empty(len(order), dtype=np.int64)
    of_row[order] = at_once.of
    exact = total / used[of_row] * longer[of_row]
    named = {"exact": exact, "average": used[of_row], "by_amount": by_amount[of_row]}
    return [pl.Series(name, values) for name, values in named.items()]


def _columns(table: pl.DataFrame) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Person and drug as one number, the day, and what was handed out; 0 where that is not known of a drug."""
    drug = table["atc"].to_physical().to_numpy().astype(np.int64)
    group = table["person"].to_numpy().astype(np.int64) * (drug.max() + 1) + drug
    is_drug = table.select(pl.col("atc").cast(pl.String).str.len_bytes() == _LENGTH_OF_A_DRUG).to_series()
    total = table[TOTAL_MDDD].fill_null(0).to_numpy() * is_drug.to_numpy()
    return group, table["date"].to_physical().to_numpy(), total, table[TOTAL_UG].fill_null(0).to_numpy()


def _summed(at_once: Segments, amount: np.ndarray) -> np.ndarray:
    """The amount of each purchase, 0 where that of a row of it is not known."""
    return np.where(at_once.min(amount) > 0, at_once.sum(amount), 0)


def _lengthening(opens: np.ndarray, average: np.ndarray) -> np.ndarray:
    """By which part supplies last longer: how irregular the purchases that lie together are, within limits."""
    return np.clip(relative_spreads(opens, np.minimum(average, _MOST_IN_SPREAD)), _LEAST_SPREAD, _LARGEST_SPREAD)
