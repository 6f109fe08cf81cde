"""OMOP drug exposures -> drafts of dispensings, and what drug eras are built from.

* A drug becomes ATC by its ingredients: from drug_ingredient, drug_strength or concept_ancestor, or being
  an ingredient itself; failing all, RxNorm names start with the ingredient. A product of two treatments
  is two dispensings. A drug whose ingredients are none of ours is an accepted row that is no treatment;
  a drug nothing is known about (concept 0, a procedure code) is refused (no_atc_mapping).
* Days are days_supply if over 0, else those from the start to the end date, else unknown. By the CDM the end date is
  the last day of the exposure and counts; the study may state that it does not (`source.exposure_end`). An end such as
  9999-12-31, later than death or period by more than a supply may last, tells nothing. One on the first day is one
  day, as the CDM has it of what is administered; where it stands for a missing end, the study may state that it tells
  nothing (`source.exposure_of_one_day`). Days between dates have the sign of the quantity.
* The kind of supply is what omop_drug_types.csv says of drug_type_concept_id; of any other type it is unknown.
"""

from __future__ import annotations

import re
from collections.abc import Hashable
from dataclasses import dataclass
from datetime import timedelta

import polars as pl

from impasse.schemas.concepts import OmopLists
from impasse.schemas.delivered import Delivered
from impasse.transforms.ingest import drafts
from impasse.transforms.ingest.drafts import OTHER_DRUG, Draft
from impasse.transforms.ingest.omop.concepts import concepts
from impasse.transforms.ingest.omop.delivered_table import OmopFrame, OmopRules, known, once_per_delivery

_DRUG_VOCABULARIES = ("RxNorm", "RxNorm Extension", "CVX")
_MG = "8576"
_QUANTITY = re.compile(r"^[0-9.]+ (hr|ml|day|actuat|mg) ")
_INGREDIENT_TABLES = (
    ("drug_ingredient", "drug_concept_id", "ingredient_concept_id"),
    ("drug_strength", "drug_concept_id", "ingredient_concept_id"),
    ("concept_ancestor", "descendant_concept_id", "ancestor_concept_id"),
)
_ADMINISTERED = "administered"
_DAYS_COUNTED = {"inclusive": 1, "exclusive": 0}


@dataclass(frozen=True)
class ExposureEnds:
    """What a delivery's own columns say of its end dates: of the exposures with days' supply and both dates (`n_both`),
    how many end on the last day of the supply and how many on the day after it; and of those without days' supply and
    with both dates (`n_by_end`), how many end on the day they start without being administered.
    """

    n_both: int
    n_inclusive: int
    n_exclusive: int
    n_by_end: int
    n_one_day: int


def draft_dispensings(frame: OmopFrame, rules: OmopRules) -> Draft:
    """The dispensings of some exposures, one for each treatment in the drug."""
    start = frame.day("drug_exposure_start_date")
    draft = frame.draft(
        frame.unreadable("drug_exposure_start_date", "drug_exposure_end_date", amounts=("quantity", "days_supply")),
        person_id=frame.key("person_id"),
        date=start,
        drug=known(frame.key("drug_concept_id")),
        quantity=frame.number("quantity", True),
        days_supply=_days(frame, rules),
        kind=_kind(frame, rules),
    )
    drugs = _treatments(frame, rules.concepts)
    facts = draft.facts.join(drugs, on="drug", how="left", maintain_order="left_right")
    unknown = pl.when(pl.col("atc").is_null()).then(pl.lit("no_atc_mapping"))
    facts = facts.with_columns(rule=pl.coalesce("rule", unknown))
    return Draft(draft.delivered, facts, counts=_count_ends(frame, rules))


def _days(frame: OmopFrame, rules: OmopRules) -> pl.Expr:
    supplied = frame.number("days_supply", True)
    lasted = _days_to_end(frame) + _DAYS_COUNTED[rules.study.source.exposure_end]
    is_told = lasted.is_between(1, drafts.LARGEST) & _is_end_told(frame, rules)
    told = pl.when(is_told).then(lasted.cast(pl.Float64))
    is_return = (frame.number("quantity", True) < 0).fill_null(False)
    return pl.coalesce(pl.when(supplied != 0).then(supplied), pl.when(is_return).then(-told).otherwise(told))


def _is_end_told(frame: OmopFrame, rules: OmopRules) -> pl.Expr:
    """Whether an end date says when the exposure ended: none far after the person's death or the period does."""
    study = rules.study
    last = pl.min_horizontal(pl.lit(_death_dates(frame)), pl.lit(study.period.end))
    is_told = frame.day("drug_exposure_end_date", True) <= last + timedelta(study.supply.max_days)
    if study.source.exposure_of_one_day == "unknown":
        is_told &= (_days_to_end(frame) != 0) | (_kind(frame, rules) == _ADMINISTERED)
    return is_told


def _death_dates(frame: OmopFrame) -> pl.Series:
    """For each row the day its person died, null if that is not told."""
    persons = frame.select(person_id=frame.key("person_id"))
    return persons.join(_deaths(frame), on="person_id", how="left", maintain_order="left")["death_date"]


@once_per_delivery
def _deaths(frame: OmopFrame) -> pl.DataFrame:
    """person_id, death_date: the first day on which a person is said to have died."""
    if not frame.has("death"):
        return pl.DataFrame(schema={"person_id": pl.String, "death_date": pl.Date})
    death = OmopFrame(frame.delivered, "death")
    told = death.select(person_id=death.key("person_id"), death_date=death.day("death_date", partial="last"))
    return told.group_by("person_id").agg(pl.col("death_date").min())


def _days_to_end(frame: OmopFrame) -> pl.Expr:
    return (frame.day("drug_exposure_end_date", True) - frame.day("drug_exposure_start_date")).dt.total_days()


def _kind(frame: OmopFrame, rules: OmopRules) -> pl.Expr:
    types = rules.concepts.drug_types
    told = frame.key("drug_type_concept_id", True)
    return told.replace_strict(types["concept_id"], types["kind"], default="unknown")


def _count_ends(frame: OmopFrame, rules: OmopRules) -> dict[Hashable, int]:
    """What the exposures say of their end dates, by the names of `ExposureEnds`."""
    told = frame.select(days=_days_to_end(frame), supply=frame.number("days_supply", True), kind=_kind(frame, rules))
    days, is_supplied = pl.col("days"), (pl.col("supply") > 0).fill_null(False)
    is_by_end = days.is_not_null() & (pl.col("supply").fill_null(0) == 0)
    counts = {
        "n_both": is_supplied & days.is_not_null(),
        "n_inclusive": is_supplied & (days + 1 == pl.col("supply")),
        "n_exclusive": is_supplied & (days == pl.col("supply")),
        "n_by_end": is_by_end,
        "n_one_day": is_by_end & (days == 0) & (pl.col("kind") != _ADMINISTERED),
    }
    sums = told.select(test.sum().cast(pl.Int64).alias(name) for name, test in counts.items())
    return dict(zip(counts, sums.row(0), strict=True))


def ingredient_exposures(delivered: Delivered, lists: OmopLists) -> pl.DataFrame:
    """Person, ingredient, first and last day of every exposure to every ingredient: what drug eras are built from."""
    frame = OmopFrame(delivered, "drug_exposure")
    days = frame.select(
        person_id=frame.key("person_id"),
        drug=frame.key("drug_concept_id"),
        start_date=frame.day("drug_exposure_start_date"),
        end_date=frame.day("drug_exposure_end_date"),
    )
    found = days.join(_ingredients(frame, lists), on="drug", maintain_order="left")
    return found.select("person_id", pl.col("ingredient").alias("ingredient_concept_id"), "start_date", "end_date")


def _treatments(frame: OmopFrame, lists: OmopLists) -> pl.DataFrame:
    """drug, atc, strength_mg: one row per treatment in a drug, or one OTHER_DRUG for a drug that is none of ours."""
    found = pl.concat([_by_ingredient(frame, lists), _by_name(frame, lists)])
    is_other = pl.col("atc") == OTHER_DRUG
    ours = found.filter(~is_other).unique(["drug", "atc"], keep="first", maintain_order=True)
    others = found.filter(is_other).unique("drug", maintain_order=True).join(ours, on="drug", how="anti")
    return pl.concat([ours, others]).sort("drug", "atc")


def _by_ingredient(frame: OmopFrame, lists: OmopLists) -> pl.DataFrame:
    known = lists.ingredients.drop_nulls("concept_id").select("concept_id", by_id="atc")
    named = lists.ingredients.select("name", by_name="atc")
    found = _ingredients(frame, lists)
    found = found.join(known, left_on="ingredient", right_on="concept_id", how="left", maintain_order="left")
    found = found.join(named, on="name", how="left", maintain_order="left")
    atc = pl.coalesce("by_id", "by_name", pl.lit(OTHER_DRUG)).alias("atc")
    found = found.join(_strengths(frame), on=["drug", "ingredient"], how="left", maintain_order="left")
    return found.select("drug", atc, "strength_mg")


def _ingredients(frame: OmopFrame, lists: OmopLists) -> pl.DataFrame:
    """drug, ingredient, name: every ingredient of every drug concept that was used, from whatever tells it."""
    drugs = frame.select(drug=known(frame.key("drug_concept_id"))).drop_nulls().unique()
    return _all_ingredients(frame, lists).join(drugs, on="drug", how="semi").sort("drug", "ingredient")


@once_per_delivery
def _all_ingredients(frame: OmopFrame, lists: OmopLists) -> pl.DataFrame:
    """drug, ingredient, name: every ingredient of every drug concept; an ingredient is one of itself."""
    told = concepts(frame)
    ids = told.filter(pl.col("concept_class") == "Ingredient")["concept_id"]
    ids = pl.concat([ids, lists.ingredients["concept_id"].drop_nulls()]).unique().alias("ingredient")
    is_ingredient = pl.col("ingredient").is_in(ids.implode()) | pl.lit(not frame.has("concept_ancestor"))
    pairs = [ids.to_frame().select(drug="ingredient", ingredient="ingredient")]
    for table, drug, ingredient in _INGREDIENT_TABLES:
        for piece in frame.delivered.pieces(table) if frame.has(table) else ():
            other = OmopFrame(frame.delivered, table, piece)
            pairs.append(other.select(drug=other.key(drug), ingredient=other.key(ingredient)).filter(is_ingredient))
    names = pl.concat([told.select("concept_id", name="concept_name"), _own_names(frame)])
    names = names.unique("concept_id", keep="first", maintain_order=True)
    return pl.concat(pairs).unique().join(names, left_on="ingredient", right_on="concept_id", how="left")


@once_per_delivery
def _own_names(frame: OmopFrame) -> pl.DataFrame:
    if not frame.has("drug_ingredient"):
        return pl.DataFrame(schema={"concept_id": pl.String, "name": pl.String})
    own = OmopFrame(frame.delivered, "drug_ingredient")
    return own.select(
        concept_id=own.key("ingredient_concept_id"), name=own.text("ingredient_name", True).str.to_lowercase()
    )


@once_per_delivery
def _strengths(frame: OmopFrame) -> pl.DataFrame:
    """Milligrams of the ingredient in one unit, where drug_strength tells and tells one amount."""
    if not frame.has("drug_strength"):
        return pl.DataFrame(schema={"drug": pl.String, "ingredient": pl.String, "strength_mg": pl.Float64})
    strengths = OmopFrame(frame.delivered, "drug_strength")
    in_mg = strengths.low.filter(strengths.key("amount_unit_concept_id") == _MG).select(
        drug=strengths.key("drug_concept_id"),
        ingredient=strengths.key("ingredient_concept_id"),
        strength_mg=strengths.number("amount_value"),
    )
    return in_mg.unique().unique(["drug", "ingredient"], keep="none")


def _by_name(frame: OmopFrame, lists: OmopLists) -> pl.DataFrame:
    """Drugs whose ingredients no table tells: RxNorm writes the ingredient first, several with a slash between."""
    drugs = frame.select(concept_id=known(frame.key("drug_concept_id"))).drop_nulls().unique()
    untold = drugs.join(_ingredients(frame, lists), left_on="concept_id", right_on="drug", how="anti")
    listed_drugs = concepts(frame).filter(pl.col("vocabulary").is_in(_DRUG_VOCABULARIES))
    named = untold.join(listed_drugs, on="concept_id").select("concept_id", "concept_name").sort("concept_id")
    listed = lists.ingredients.select("name", "atc").rows()
    rows = [(drug, atc, None) for drug, name in named.iter_rows() for atc in _named_in(name, listed) or [OTHER_DRUG]]
    return pl.DataFrame(rows, schema={"drug": pl.String, "atc": pl.String, "strength_mg": pl.Float64}, orient="row")


def _named_in(name: str, listed: list[tuple[str, str]]) -> list[str]:
    parts = [_QUANTITY.sub("", part) + " " for part in name.split(" / ")]
    return [atc for ingredient, atc in listed if any(part.startswith(f"{ingredient} ") for part in parts)]
