"""Amounts as delivered -> days of supply and dose a day, by the study's ordered rules. The rule used stays on the row.

1. The rules are tried in order; the first that gives more than 0 days is used. 0 is "not recorded", not "no days".

    days_supply               days as delivered
    quantity_per_daily_dose   quantity x strength / daily dose
    ddd                       total DDD delivered, at 1 DDD a day
    packages_x_ddd            packages x DDD per package, at 1 DDD a day
    assumed_days_per_package  packages x the study's assumed days per package
    personal_refill_rhythm    total DDD over what the person uses a day (refills/rhythm.py)
    waiting_time_distribution when most persons have the drug again (refills/waiting_times.py)

   The last two look at other dispensings, so they are left for when a table is whole: what the row alone tells stands
   until then, with what they need beside it (refills/told.py).

   A row that takes a supply back is `is_reversal`: DDD, packages or units are negative, none of them nor the days
   is positive. It is read as the supply that it takes back, and `amount` is how much that is: DDD if they are told,
   else mg, units, packages or days, as `amount_unit` tells. A row with any other negative amount is refused before.
2. Days are rounded down, at least 1, at most `max_days`. No rule applies: days are null, basis "unknown".
3. The dose is the daily dose as delivered; else, where days are as delivered, the amount over the days.
   In DDD it is the DDD delivered over the days, or the dose over the drug's DDD.
4. Where days were themselves made from DDD, DDD over days would be 1 for every patient by
   construction: that says nothing about the dose, so it is null unless a daily dose was delivered.
5. A dose of over 100,000 mg or DDD a day, which only a slip in an amount can give, is null.
"""

from __future__ import annotations

import polars as pl

from impasse.schemas.codelists import CodeLists
from impasse.schemas.mapping import SUPPLY_COLUMNS
from impasse.schemas.study import SUPPLY_KINDS, SupplySection
from impasse.transforms.ingest.drafts import LARGEST, OTHER_DRUG
from impasse.transforms.ingest.refills.told import AWAITS, TOLD_MDDD, TOLD_UG, TOTAL_MDDD, TOTAL_UG, needs_others

# How much was handed out, and what each unit of it holds.
_AMOUNTS = ("ddd", "n_packages", "quantity")
_PER_UNIT = ("ddd_per_package", "strength_mg", "daily_dose_mg")
_FROM_DDD = ("ddd", "packages_x_ddd")
# Keeps 3 x 0.1 / 0.1, which is a hair under 3 in floating point, at 3 days.
_HAIR = 1e-9
_LARGEST_DOSE = LARGEST * 1000
_KINDS = {"kind": pl.String, "n": pl.Int64, "n_beside": pl.Int64}


def count_kinds(dispensings: pl.DataFrame | None) -> pl.DataFrame:
    """kind, n, n_beside: how many dispensings of each kind of supply there are, no rows where there are none; and of
    how many the person has the drug in another known kind too.
    """
    if dispensings is None:
        return pl.DataFrame(schema=_KINDS)
    kinds = dispensings.select("person", "atc", kind=pl.col("kind").cast(pl.String))
    known = kinds.filter(pl.col("kind") != "unknown")
    if known["kind"].n_unique() > 1:
        known = known.filter(pl.col("kind").n_unique().over("person", "atc") > 1)
    else:
        known = known.clear()
    n = pl.len().cast(pl.Int64)
    beside = known.group_by("kind").agg(n_beside=n)
    counted = kinds.group_by("kind").agg(n=n).join(beside, on="kind", how="left")
    return counted.with_columns(pl.col("n_beside").fill_null(0)).sort("kind")


def read_supplies(said: pl.DataFrame, rule: SupplySection, codes: CodeLists) -> pl.DataFrame:
    """What dispensings say, of drugs and kinds of supply that are read, with what `add_supply` tells of them."""
    moved = dict(codes.atc_changes.select("old_atc", "new_atc").iter_rows())
    listed = said.filter(pl.col("atc") != OTHER_DRUG).with_columns(pl.col("atc").replace(moved), kind=kind_of_supply())
    return add_supply(listed.filter(pl.col("kind").is_in(rule.kinds)), rule, codes.doses)


def kind_of_supply() -> pl.Expr:
    """The kind of supply that a row tells of; any word that is none is unknown."""
    kind = pl.col("kind").str.to_lowercase()
    return pl.when(kind.is_in(SUPPLY_KINDS)).then(kind).otherwise(pl.lit("unknown"))


def add_supply(dispensings: pl.DataFrame, rule: SupplySection, doses: pl.DataFrame) -> pl.DataFrame:
    """The dispensings with `days`, `dose_ug`, `dose_mddd`, `supply_basis`, `amount`, `amount_unit` and `is_reversal`.

    Needs the columns atc, ddd, n_packages, ddd_per_package, strength_mg, quantity, days_supply and
    daily_dose_mg; null and 0 mean not recorded.
    """
    supply = [(name, _DAYS[name](rule)) for name in rule.rules if name in _DAYS]
    found = dispensings.with_columns(pl.col(SUPPLY_COLUMNS).abs(), is_reversal=is_return()).with_columns(
        amount=pl.coalesce(_positive(amount) for _, amount in _told_amounts()),
        amount_unit=pl.coalesce(pl.when(amount > 0).then(pl.lit(unit)) for unit, amount in _told_amounts()),
        exact_days=pl.coalesce([*(_positive(days) for _, days in supply), pl.lit(None, dtype=pl.Float64)]),
        supply_basis=pl.coalesce([*(pl.when(days > 0).then(pl.lit(name)) for name, days in supply), pl.lit("unknown")]),
    )
    dosed = found.with_columns(dose_mg=_dose_mg())
    return dosed.with_columns(
        days=whole_days(pl.col("exact_days"), rule.max_days),
        dose_ug=whole_dose(pl.col("dose_mg") * 1000),
        dose_mddd=whole_dose(_dose_ddd(doses) * 1000),
        **(_for_others(rule, doses) if needs_others(rule) else {}),
    ).drop("exact_days", "dose_mg")


def whole_days(exact: pl.Expr, at_most: int) -> pl.Expr:
    """Days of supply: rounded down, at least 1, `at_most` at most."""
    return (exact + _HAIR).floor().clip(1, at_most).cast(pl.Int32)


def whole_dose(value: pl.Expr) -> pl.Expr:
    """A dose as a whole number of its small unit; null if it is none, or larger than any amount may be."""
    whole = value.round()
    return pl.when(whole.is_between(1, _LARGEST_DOSE)).then(whole).cast(pl.Int64)


def is_return() -> pl.Expr:
    """Whether a row takes a supply back; days alone do not tell it, because -1 is how many write unknown days."""
    told, fixed = pl.col(_AMOUNTS), pl.col(_PER_UNIT)
    is_taken = pl.any_horizontal(told < 0).fill_null(False)
    is_given = pl.any_horizontal(told > 0, pl.col("days_supply") > 0, fixed < 0).fill_null(False)
    return is_taken & ~is_given


_DAYS = {
    "days_supply": lambda rule: pl.col("days_supply"),
    "quantity_per_daily_dose": lambda rule: (
        pl.col("quantity") * pl.col("strength_mg") / _positive(pl.col("daily_dose_mg"))
    ),
    "ddd": lambda rule: pl.col("ddd"),
    "packages_x_ddd": lambda rule: pl.col("n_packages") * pl.col("ddd_per_package"),
    "assumed_days_per_package": lambda rule: pl.col("n_packages") * rule.assumed_days_per_package,
}


def _positive(value: pl.Expr) -> pl.Expr:
    return pl.when(value > 0).then(value)


def _told_amounts() -> list[tuple[str, pl.Expr]]:
    """Unit and amount, the first that is told being the one that counts."""
    per_package = pl.col("n_packages") * pl.col("ddd_per_package")
    per_unit = pl.col("quantity") * pl.col("strength_mg")
    plain = [(name, pl.col(name)) for name in ("quantity", "n_packages", "days_supply")]
    return [("ddd", pl.col("ddd")), ("ddd", per_package), ("mg", per_unit), *plain]


def _dose_mg() -> pl.Expr:
    by_amount = pl.when(pl.col("supply_basis") == "days_supply").then(
        pl.col("quantity") * pl.col("strength_mg") / pl.col("exact_days")
    )
    return pl.coalesce(_positive(pl.col("daily_dose_mg")), _positive(by_amount))


def _dose_ddd(doses: pl.DataFrame) -> pl.Expr:
    delivered = pl.coalesce(_positive(pl.col("ddd")), _positive(pl.col("n_packages") * pl.col("ddd_per_package")))
    by_amount = pl.when(~pl.col("supply_basis").is_in(_FROM_DDD)).then(delivered / pl.col("exact_days"))
    return pl.coalesce(by_amount, pl.col("dose_mg") / _ddd_mg(doses))


def _ddd_mg(doses: pl.DataFrame) -> pl.Expr:
    known = doses.filter(pl.col("ddd_mg") > 0)
    return pl.col("atc").replace_strict(known["atc"], known["ddd_mg"], default=None, return_dtype=pl.Float64)


def _for_others(rule: SupplySection, doses: pl.DataFrame) -> dict[str, pl.Expr]:
    """What rules that look at other dispensings need of this one."""
    in_mg, told_mg = pl.col("quantity") * pl.col("strength_mg"), _positive(pl.col("daily_dose_mg"))
    per_package = pl.col("n_packages") * pl.col("ddd_per_package")
    in_ddd = pl.coalesce(_positive(pl.col("ddd")), _positive(per_package), _positive(in_mg / _ddd_mg(doses)))
    amounts = {TOTAL_MDDD: in_ddd, TOTAL_UG: in_mg, TOLD_UG: told_mg, TOLD_MDDD: told_mg / _ddd_mg(doses)}
    thousandths = {name: whole_dose(amount * 1000) for name, amount in amounts.items()}
    return thousandths | {column: _is_left_to(name, rule) for name, column in AWAITS.items()}


def _is_left_to(name: str, rule: SupplySection) -> pl.Expr:
    """Whether no rule before this one, of those that read the row alone, gives days."""
    if name not in rule.rules:
        return pl.lit(False)
    before = [_DAYS[other](rule) for other in rule.rules[: rule.rules.index(name)] if other in _DAYS]
    return pl.all_horizontal(pl.lit(True), *((days > 0).fill_null(False).not_() for days in before))
