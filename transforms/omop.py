"""OMOP CDM 5.2 to 5.4 tables -> drafts of the canonical tables.

* A diagnosis keeps the ICD code it came with (source concept); without one, the standard concept's id
  (`omop`); without that, its SNOMED code. One condition is one code, or contacts would count double.
* A drug becomes ATC by its ingredients: from drug_ingredient, drug_strength or concept_ancestor, or being
  an ingredient itself; failing all, RxNorm names start with the ingredient. A product of two treatments
  is two dispensings. A drug whose ingredients are none of ours is an accepted row that is no treatment;
  a drug nothing is known about (concept 0, a procedure code) is refused (no_atc_mapping).
* Days are days_supply if over 0, else end less start if over 0 (and no end such as 9999-12-31), else unknown.
* A score is a row whose concept is a known score; without a value it is refused, never read as 0.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import wraps
from weakref import WeakKeyDictionary

import polars as pl

from schemas.concepts import OmopLists
from schemas.mapping import Delivered
from transforms import drafts
from transforms.drafts import OTHER_DRUG, Draft

_ICD = {
    "ICD9CM": "icd9",
    "ICD10": "icd10",
    "ICD10CM": "icd10",
    "ICD10GM": "icd10",
    "ICD10CN": "icd10",
    "CIM10": "icd10",
}
_PROCEDURES = {
    "CPT4": "cpt",
    "HCPCS": "hcpcs",
    "ICD10PCS": "icd10pcs",
    "ICD9Proc": "icd9proc",
    "SNOMED": "snomed",
    "OPCS4": "opcs4",
    "OPS": "ops",
}
# For source values whose concept is not delivered (CPT-4 is licensed apart): the shapes do not overlap.
_PROCEDURE_SHAPES = {"cpt": r"^[0-9]{4}[0-9FTU]$", "hcpcs": r"^[A-V][0-9]{4}$", "icd10pcs": r"^[0-9A-HJ-NP-Z]{7}$"}
_DRUG_VOCABULARIES = ("RxNorm", "RxNorm Extension", "CVX")
_INPATIENT = ("9201", "262")
_OUTPATIENT = ("9202", "9203", "581477")
_PRIMARY_STATUS = ("32901", "32902", "32903")
_FIRST_POSITION = ("38000183", "38000184", "38000199", "38000200", "38000215", "38000230", "44786627")
_POSITIONED = (38000183, 38000245)
_SEX = {"8507": "male", "8532": "female"}
_MG = "8576"
_FORMATS = ("%Y-%m-%d", "%Y%m%d")
_MISSING = ("NaN",)
_QUANTITY = re.compile(r"^[0-9.]+ (hr|ml|day|actuat|mg) ")


# What rows of other tables are looked up in is read whole.
LOOKED_UP = (
    "concept",
    "concept_ancestor",
    "drug_strength",
    "drug_ingredient",
    "visit_occurrence",
    "condition_occurrence",
)

# Procedure codes seldom tell CBT from other psychotherapy, so it is not claimed.
OBSERVES = ("drug", "psychotherapy", "ect", "tms")


def draft_table(table: str, delivered: Delivered, lists: OmopLists) -> Iterator[Draft]:
    """The drafts of one canonical table, piece by piece; none if no OMOP table that feeds it was delivered."""
    origins, read = _ORIGINS[table]
    for origin in origins:
        if origin in delivered:
            yield from (read(_Frame(delivered, origin, piece), lists) for piece in delivered.pieces(origin))


def origins(table: str) -> tuple[str, ...]:
    """The OMOP tables that feed a canonical table."""
    return _ORIGINS[table][0]


def ingredient_exposures(delivered: Delivered, lists: OmopLists) -> pl.DataFrame:
    """Person, ingredient, first and last day of every exposure to every ingredient: what drug eras are built from."""
    frame = _Frame(delivered, "drug_exposure")
    days = frame.select(
        person_id=frame.key("person_id"),
        drug=frame.key("drug_concept_id"),
        start_date=frame.day("drug_exposure_start_date"),
        end_date=frame.day("drug_exposure_end_date"),
    )
    found = days.join(_ingredients(frame, lists), on="drug", maintain_order="left")
    return found.select("person_id", pl.col("ingredient").alias("ingredient_concept_id"), "start_date", "end_date")


def _once(look_up: Callable[..., pl.DataFrame]) -> Callable[..., pl.DataFrame]:
    """A table that rows are looked up in, made once for a delivery and not again for every piece of a file."""
    made: WeakKeyDictionary[Delivered, pl.DataFrame] = WeakKeyDictionary()

    @wraps(look_up)
    def kept(frame: _Frame, *lists: OmopLists) -> pl.DataFrame:
        if frame.delivered not in made:
            made[frame.delivered] = look_up(frame, *lists)
        return made[frame.delivered]

    return kept


class _Frame:
    """An OMOP table as delivered, read by lower-case column names."""

    def __init__(self, delivered: Delivered, name: str, piece: pl.DataFrame | None = None) -> None:
        self.delivered, self.name = delivered, name
        self.raw = delivered.whole(name) if piece is None else piece
        self.low = self.raw.rename({column: column.lower() for column in self.raw.columns})

    def has(self, *tables: str) -> bool:
        return all(table in self.delivered for table in tables)

    def text(self, column: str, optional: bool = False) -> pl.Expr:
        there = drafts.find(self.low, (column,), self.name, optional)
        return drafts.text(self.low, column, _MISSING) if there else pl.lit(None, dtype=pl.String)

    def key(self, column: str, optional: bool = False) -> pl.Expr:
        there = drafts.find(self.low, (column,), self.name, optional)
        return drafts.key(self.low, column, self.name, _MISSING) if there else pl.lit(None, dtype=pl.String)

    def number(self, column: str, optional: bool = False) -> pl.Expr:
        return drafts.number(self.text(column, optional))

    def day(self, column: str, optional: bool = False, partial: str = "") -> pl.Expr:
        """A date; one that is known by month or year only is where `partial` says, if it says so."""
        there = drafts.find(self.low, (column,), self.name, optional)
        if there and self.low.schema[column].is_temporal():
            return drafts.calendar_day(pl.col(column), self.low.schema[column])
        told = self.text(column, optional)
        return drafts.day_of_span(told, _FORMATS, partial) if partial else drafts.day(told, _FORMATS)

    def has_cell(self, column: str) -> pl.Expr:
        """Whether something is written in a column that need not be there."""
        is_time = self.low.schema.get(column, pl.String()).is_temporal()
        return (pl.col(column) if is_time else self.text(column, True)).is_not_null()

    def unreadable(self, *columns: str, amounts: tuple[str, ...] = (), partial: str = "") -> pl.Expr:
        """The rule for dates, and amounts, that are there and cannot be read."""
        dates = [self.has_cell(column) & self.day(column, True, partial).is_null() for column in columns]
        numbers = [self.text(column, True).is_not_null() & self.number(column, True).is_null() for column in amounts]
        no_date = pl.when(pl.any_horizontal(dates)).then(pl.lit("date_unreadable"))
        no_number = pl.when(pl.any_horizontal(pl.lit(False), *numbers)).then(pl.lit("supply_unreadable"))
        return pl.coalesce(no_date, no_number).alias("rule")

    def select(self, *facts: pl.Expr, **named: pl.Expr) -> pl.DataFrame:
        return self.low.select(*facts, **named)

    def draft(self, *facts: pl.Expr, **named: pl.Expr) -> Draft:
        row = pl.int_range(pl.len(), dtype=pl.UInt32).alias("row")
        # Lazily: only then does Polars compute once what several columns use.
        return Draft(self.raw, self.low.lazy().select(row, *facts, **named).collect())


def _persons(frame: _Frame, lists: OmopLists) -> Draft:
    year, month, day = (frame.number(f"{part}_of_birth", part != "year") for part in ("year", "month", "day"))
    exact = pl.coalesce(frame.day("birth_datetime", True), _date(year, month, day))
    first = pl.coalesce(exact, _date(year, month, pl.lit(1)), _date(year, pl.lit(1), pl.lit(1)))
    middle = pl.coalesce(exact, _date(year, month, pl.lit(15)), _date(year, pl.lit(7), pl.lit(1)))
    return frame.draft(
        frame.unreadable("birth_datetime"),
        person_id=frame.key("person_id"),
        birth_date=middle,
        born_from=first,
        sex=frame.key("gender_concept_id", True).replace_strict(_SEX, default="unknown"),
    )


def _date(*parts: pl.Expr) -> pl.Expr:
    """A date of year, month and day, null where they make none."""
    whole = [part.cast(pl.Int32, strict=False).cast(pl.String).str.zfill(2) for part in parts]
    return pl.concat_str(whole, separator="-").str.to_date("%Y-%m-%d", strict=False)


def _deaths(frame: _Frame, lists: OmopLists) -> Draft:
    return frame.draft(
        frame.unreadable("death_date", partial="last"),
        person_id=frame.key("person_id"),
        date=frame.day("death_date", partial="last"),
    )


def _coverage(frame: _Frame, lists: OmopLists) -> Draft:
    start, end = "observation_period_start_date", "observation_period_end_date"
    return frame.draft(
        frame.unreadable(start, end),
        person_id=frame.key("person_id"),
        start_date=frame.day(start),
        end_date=frame.day(end),
    )


def _diagnoses(frame: _Frame, lists: OmopLists) -> Draft:
    draft = frame.draft(
        frame.unreadable("condition_start_date", "condition_end_date"),
        person_id=frame.key("person_id"),
        date=frame.day("condition_start_date"),
        end_date=frame.day("condition_end_date", True),
        concept=_known(frame.key("condition_concept_id")),
        source=frame.key("condition_source_concept_id", True),
        visit=frame.key("visit_occurrence_id", True),
        position=_position(frame),
    )
    facts = draft.facts.join(
        _concepts(frame), left_on="source", right_on="concept_id", how="left", maintain_order="left"
    )
    facts = facts.with_columns(*_diagnosis_code()).join(_visits(frame), on="visit", how="left", maintain_order="left")
    return Draft(draft.delivered, facts)


def _diagnosis_code() -> list[pl.Expr]:
    icd = pl.col("vocabulary").replace_strict(_ICD, default=None, return_dtype=pl.String)
    snomed = pl.when(pl.col("vocabulary") == "SNOMED").then(pl.col("concept_code"))
    code = pl.when(icd.is_not_null()).then(drafts.code(pl.col("concept_code")))
    standard = pl.when(pl.col("concept").is_not_null()).then(pl.lit("omop"))
    return [
        pl.coalesce(code, "concept", snomed).alias("code"),
        pl.coalesce(icd, standard, pl.when(snomed.is_not_null()).then(pl.lit("snomed"))).alias("code_system"),
    ]


def _position(frame: _Frame) -> pl.Expr:
    """Main where status or type says so, other where the type names another position, else not told."""
    kind = frame.key("condition_type_concept_id", True)
    is_main = frame.key("condition_status_concept_id", True).is_in(_PRIMARY_STATUS).fill_null(False)
    is_main |= kind.is_in(_FIRST_POSITION).fill_null(False)
    is_positioned = kind.cast(pl.Int64, strict=False).is_between(*_POSITIONED)
    return pl.when(is_main).then(pl.lit("main")).when(is_positioned).then(pl.lit("other"))


def _known(concept: pl.Expr) -> pl.Expr:
    """A concept id that stands for something; 0 is "no matching concept"."""
    return pl.when(concept != "0").then(concept)


@_once
def _concepts(frame: _Frame) -> pl.DataFrame:
    """concept_id, vocabulary, concept_code, class and lower-case name; empty without a vocabulary."""
    wanted = ("concept_id", "vocabulary", "concept_code", "concept_class", "concept_name")
    if not frame.has("concept"):
        return pl.DataFrame(schema=dict.fromkeys(wanted, pl.String))
    concept = _Frame(frame.delivered, "concept")
    return concept.select(
        concept_id=concept.key("concept_id"),
        vocabulary=concept.text("vocabulary_id"),
        concept_code=concept.text("concept_code"),
        concept_class=concept.text("concept_class_id"),
        concept_name=concept.text("concept_name").str.to_lowercase(),
    ).unique("concept_id", keep="first", maintain_order=True)


@_once
def _visits(frame: _Frame) -> pl.DataFrame:
    if not frame.has("visit_occurrence"):
        return pl.DataFrame(schema={"visit": pl.String, "setting": pl.String})
    visits = _Frame(frame.delivered, "visit_occurrence")
    kind = visits.key("visit_concept_id")
    inpatient = pl.when(kind.is_in(_INPATIENT)).then(pl.lit("inpatient"))
    outpatient = pl.when(kind.is_in(_OUTPATIENT)).then(pl.lit("outpatient"))
    found = visits.select(visit=visits.key("visit_occurrence_id"), setting=pl.coalesce(inpatient, outpatient))
    return found.unique("visit", keep="first", maintain_order=True)


def _dispensings(frame: _Frame, lists: OmopLists) -> Draft:
    start, end = frame.day("drug_exposure_start_date"), frame.day("drug_exposure_end_date", True)
    given = frame.number("days_supply", True)
    lasted = (end - start).dt.total_days().cast(pl.Float64)
    draft = frame.draft(
        frame.unreadable("drug_exposure_start_date", "drug_exposure_end_date", amounts=("quantity", "days_supply")),
        person_id=frame.key("person_id"),
        date=start,
        drug=_known(frame.key("drug_concept_id")),
        quantity=frame.number("quantity", True),
        days_supply=pl.coalesce(
            pl.when(given != 0).then(given), pl.when(lasted.is_between(1, drafts.LARGEST)).then(lasted)
        ),
    )
    drugs = _treatments(frame, lists)
    facts = draft.facts.join(drugs, on="drug", how="left", maintain_order="left_right")
    unknown = pl.when(pl.col("atc").is_null()).then(pl.lit("no_atc_mapping"))
    return Draft(draft.delivered, facts.with_columns(rule=pl.coalesce("rule", unknown)))


def _treatments(frame: _Frame, lists: OmopLists) -> pl.DataFrame:
    """drug, atc, strength_mg: one row per treatment in a drug, or one OTHER_DRUG for a drug that is none of ours."""
    found = pl.concat([_by_ingredient(frame, lists), _by_name(frame, lists)])
    is_other = pl.col("atc") == OTHER_DRUG
    ours = found.filter(~is_other).unique(["drug", "atc"], keep="first", maintain_order=True)
    others = found.filter(is_other).unique("drug", maintain_order=True).join(ours, on="drug", how="anti")
    return pl.concat([ours, others]).sort("drug", "atc")


def _by_ingredient(frame: _Frame, lists: OmopLists) -> pl.DataFrame:
    known = lists.ingredients.drop_nulls("concept_id").select("concept_id", by_id="atc")
    named = lists.ingredients.select("name", by_name="atc")
    found = _ingredients(frame, lists)
    found = found.join(known, left_on="ingredient", right_on="concept_id", how="left", maintain_order="left")
    found = found.join(named, on="name", how="left", maintain_order="left")
    atc = pl.coalesce("by_id", "by_name", pl.lit(OTHER_DRUG)).alias("atc")
    found = found.join(_strengths(frame), on=["drug", "ingredient"], how="left", maintain_order="left")
    return found.select("drug", atc, "strength_mg")


def _ingredients(frame: _Frame, lists: OmopLists) -> pl.DataFrame:
    """drug, ingredient, name: every ingredient of every drug concept that was used, from whatever tells it."""
    drugs = frame.select(drug=_known(frame.key("drug_concept_id"))).drop_nulls().unique()
    concepts = _concepts(frame)
    ids = concepts.filter(pl.col("concept_class") == "Ingredient")["concept_id"]
    ids = pl.concat([ids, lists.ingredients["concept_id"].drop_nulls()]).unique().implode()
    pairs = [drugs.filter(pl.col("drug").is_in(pl.lit(ids))).with_columns(ingredient="drug")]
    for table, drug, ingredient in _INGREDIENT_TABLES:
        if frame.has(table):
            other = _Frame(frame.delivered, table)
            pairs.append(other.select(drug=other.key(drug), ingredient=other.key(ingredient)).unique())
    listed = pl.concat(pairs).unique().join(drugs, on="drug", how="semi")
    names = pl.concat([concepts.select("concept_id", name="concept_name"), _own_names(frame)])
    names = names.unique("concept_id", keep="first", maintain_order=True)
    named = listed.join(names, left_on="ingredient", right_on="concept_id", how="left")
    is_ingredient = pl.col("ingredient").is_in(pl.lit(ids)) | pl.lit(not frame.has("concept_ancestor"))
    return named.filter(is_ingredient).sort("drug", "ingredient")


_INGREDIENT_TABLES = (
    ("drug_ingredient", "drug_concept_id", "ingredient_concept_id"),
    ("drug_strength", "drug_concept_id", "ingredient_concept_id"),
    ("concept_ancestor", "descendant_concept_id", "ancestor_concept_id"),
)


@_once
def _own_names(frame: _Frame) -> pl.DataFrame:
    if not frame.has("drug_ingredient"):
        return pl.DataFrame(schema={"concept_id": pl.String, "name": pl.String})
    own = _Frame(frame.delivered, "drug_ingredient")
    return own.select(
        concept_id=own.key("ingredient_concept_id"), name=own.text("ingredient_name", True).str.to_lowercase()
    )


@_once
def _strengths(frame: _Frame) -> pl.DataFrame:
    """Milligrams of the ingredient in one unit, where drug_strength tells and tells one amount."""
    if not frame.has("drug_strength"):
        return pl.DataFrame(schema={"drug": pl.String, "ingredient": pl.String, "strength_mg": pl.Float64})
    strengths = _Frame(frame.delivered, "drug_strength")
    in_mg = strengths.low.filter(strengths.key("amount_unit_concept_id") == _MG).select(
        drug=strengths.key("drug_concept_id"),
        ingredient=strengths.key("ingredient_concept_id"),
        strength_mg=strengths.number("amount_value"),
    )
    return in_mg.unique().unique(["drug", "ingredient"], keep="none")


def _by_name(frame: _Frame, lists: OmopLists) -> pl.DataFrame:
    """Drugs whose ingredients no table tells: RxNorm writes the ingredient first, several with a slash between."""
    drugs = frame.select(concept_id=_known(frame.key("drug_concept_id"))).drop_nulls().unique()
    untold = drugs.join(_ingredients(frame, lists), left_on="concept_id", right_on="drug", how="anti")
    concepts = _concepts(frame).filter(pl.col("vocabulary").is_in(_DRUG_VOCABULARIES))
    named = untold.join(concepts, on="concept_id").select("concept_id", "concept_name").sort("concept_id")
    listed = lists.ingredients.select("name", "atc").rows()
    rows = [(drug, atc, None) for drug, name in named.iter_rows() for atc in _named_in(name, listed) or [OTHER_DRUG]]
    return pl.DataFrame(rows, schema={"drug": pl.String, "atc": pl.String, "strength_mg": pl.Float64}, orient="row")


def _named_in(name: str, listed: list[tuple[str, str]]) -> list[str]:
    parts = [_QUANTITY.sub("", part) + " " for part in name.split(" / ")]
    return [atc for ingredient, atc in listed if any(part.startswith(f"{ingredient} ") for part in parts)]


def _procedures(frame: _Frame, lists: OmopLists) -> Draft:
    draft = frame.draft(
        frame.unreadable("procedure_date"),
        person_id=frame.key("person_id"),
        date=frame.day("procedure_date"),
        concept=_known(frame.key("procedure_concept_id")),
        source=_known(frame.key("procedure_source_concept_id", True)),
        written=drafts.code(frame.text("procedure_source_value", True)),
    )
    facts = draft.facts.join(
        _concepts(frame), left_on="source", right_on="concept_id", how="left", maintain_order="left"
    )
    return Draft(draft.delivered, facts.with_columns(*_procedure_code()))


def _procedure_code() -> list[pl.Expr]:
    told = pl.col("vocabulary").replace_strict(_PROCEDURES, default=None, return_dtype=pl.String)
    shaped = pl.coalesce(
        [pl.when(pl.col("written").str.contains(shape)).then(pl.lit(name)) for name, shape in _PROCEDURE_SHAPES.items()]
    )
    guessed = pl.when(pl.col("vocabulary").is_null()).then(shaped)
    standard = pl.when(pl.col("concept").is_not_null()).then(pl.lit("omop"))
    code = pl.when(told.is_not_null()).then(drafts.code(pl.col("concept_code")))
    return [
        pl.coalesce(code, pl.when(guessed.is_not_null()).then(pl.col("written")), "concept").alias("code"),
        pl.coalesce(told, guessed, standard).alias("code_system"),
    ]


def _scores(frame: _Frame, lists: OmopLists) -> Draft:
    """The rows of one table whose concept, or source value, is a score."""
    kind = frame.name
    listed = lists.scales
    by_id = frame.key(f"{kind}_concept_id").replace_strict(listed["concept_id"], listed["scale"], default=None)
    by_code = frame.text(f"{kind}_source_value", True).replace_strict(listed["code"], listed["scale"], default=None)
    scale = frame.select(scale=pl.coalesce(by_id, by_code))["scale"]
    is_score = scale.is_not_null()
    chosen = _Frame(frame.delivered, kind, frame.raw.filter(is_score))
    value = pl.coalesce(chosen.number("value_as_number"), chosen.number("value_as_string", True))
    return chosen.draft(
        chosen.unreadable(f"{kind}_date"),
        person_id=chosen.key("person_id"),
        date=chosen.day(f"{kind}_date"),
        scale=pl.lit(scale.filter(is_score)),
        value=value,
    )


def _admissions(frame: _Frame, lists: OmopLists) -> Draft:
    is_inpatient = frame.select(frame.key("visit_concept_id").is_in(_INPATIENT).fill_null(False)).to_series()
    chosen = _Frame(frame.delivered, frame.name, frame.raw.filter(is_inpatient))
    draft = chosen.draft(
        chosen.unreadable("visit_start_date", "visit_end_date"),
        person_id=chosen.key("person_id"),
        start_date=chosen.day("visit_start_date"),
        end_date=chosen.day("visit_end_date"),
        visit=chosen.key("visit_occurrence_id"),
    )
    facts = draft.facts.join(_main_codes(frame, lists), on="visit", how="left", maintain_order="left")
    return Draft(draft.delivered, facts)


@_once
def _main_codes(frame: _Frame, lists: OmopLists) -> pl.DataFrame:
    """The main diagnosis of each visit: the one said to be main, else the only one; else not told."""
    if not frame.has("condition_occurrence"):
        return pl.DataFrame(schema={"visit": pl.String, "main_code": pl.String})
    conditions = _diagnoses(_Frame(frame.delivered, "condition_occurrence"), lists).facts.drop_nulls(["visit", "code"])
    main = pl.col("code").filter(pl.col("position") == "main").min()
    only = pl.when(pl.col("code").n_unique() == 1).then(pl.col("code").first())
    return conditions.group_by("visit").agg(main_code=pl.coalesce(main, only))


_ORIGINS = {
    "persons": (("person",), _persons),
    "deaths": (("death",), _deaths),
    "coverage": (("observation_period",), _coverage),
    "diagnoses": (("condition_occurrence",), _diagnoses),
    "dispensings": (("drug_exposure",), _dispensings),
    "procedures": (("procedure_occurrence",), _procedures),
    "scores": (("measurement", "observation"), _scores),
    "admissions": (("visit_occurrence",), _admissions),
}
