"""OMOP CDM 5.2 to 5.4 tables -> drafts of the canonical tables; drugs are in `drugs`.

* A diagnosis keeps the ICD code it came with (source concept); without one, it is the listed diagnosis that its
  standard concept is or lies below (code system `omop`, see `concepts`), or else that concept's id; without a standard
  concept, its SNOMED code. One condition is one code, or contacts would count double; only a concept
  below two listed ones of which neither is above the other is both.
* A procedure keeps the code it came with if that is a treatment; else it is the listed procedure that its standard
  concept is or lies below; else it keeps the code, or the concept's id.
* A score is a row whose concept is a known score or lies below one; without a value it is refused, never read as 0.
* A visit whose concept is an inpatient one or lies below it is an admission.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterator
from dataclasses import dataclass, fields, replace

import polars as pl

from impasse.schemas.codelists import CodeLists
from impasse.schemas.delivered import Delivered
from impasse.transforms.ingest import drafts
from impasse.transforms.ingest.drafts import Draft
from impasse.transforms.ingest.midnights import count_times
from impasse.transforms.ingest.omop.concepts import (
    concepts,
    missing_vocabulary,
    nearest_diagnoses,
    nearest_listed,
    procedure_concepts,
    scale_of,
    visit_setting,
    visit_settings,
)
from impasse.transforms.ingest.omop.delivered_table import OmopFrame, OmopRules, known, once_per_delivery
from impasse.transforms.ingest.omop.drugs import ExposureEnds, draft_dispensings
from impasse.transforms.ingest.omop.repeated_keys import RowKeys

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
_PRIMARY_STATUS = ("32901", "32902", "32903")
_FIRST_POSITION = ("38000183", "38000184", "38000199", "38000200", "38000215", "38000230", "44786627")
_POSITIONED = (38000183, 38000245)
_SEX = {"8507": "male", "8532": "female"}
# How the columns end that days are read from.
_DAYS = ("_date", "birth_datetime")


# What rows of other tables are looked up in is read whole.
LOOKED_UP = (
    "concept",
    "concept_ancestor",
    "drug_strength",
    "drug_ingredient",
    "visit_occurrence",
    "condition_occurrence",
    "death",
)

# Procedure codes seldom tell CBT from other psychotherapy, so it is not claimed.
OBSERVES = ("drug", "psychotherapy", "ect", "tms")


def draft_omop_table(table: str, delivered: Delivered, rules: OmopRules) -> Iterator[Draft]:
    """The drafts of one canonical table, piece by piece; none if no OMOP table that feeds it was delivered."""
    origins, read = _ORIGINS[table]
    for origin in origins:
        if origin in delivered:
            keys = RowKeys()
            for piece in delivered.pieces(origin):
                frame = OmopFrame(delivered, origin, piece)
                draft = read(frame, rules)
                days = [column for column in frame.low.columns if column.endswith(_DAYS)]
                counts = draft.counts | count_times(frame.low, origin, days) | keys.count(frame)
                yield replace(draft, counts=counts, n_apart=piece.height - draft.delivered.height)


@dataclass(frozen=True)
class OmopNotes:
    """What should be known of a CDM beside its rows: missing vocabulary tables, and what its end dates mean."""

    missing_vocabulary: tuple[str, ...]
    has_drugs: bool
    exposure_ends: ExposureEnds


def take_notes(delivered: Delivered, counts: Counter[Hashable]) -> OmopNotes:
    """What should be known of a CDM beside its rows, some of which were counted as they were read."""
    ends = ExposureEnds(**{entry.name: counts[entry.name] for entry in fields(ExposureEnds)})
    return OmopNotes(missing_vocabulary(delivered), "drug_exposure" in delivered, ends)


def origins(table: str) -> tuple[str, ...]:
    """The OMOP tables that feed a canonical table."""
    return _ORIGINS[table][0]


def _persons(frame: OmopFrame, rules: OmopRules) -> Draft:
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


def _deaths(frame: OmopFrame, rules: OmopRules) -> Draft:
    return frame.draft(
        frame.unreadable("death_date", partial="last"),
        person_id=frame.key("person_id"),
        date=frame.day("death_date", partial="last"),
        date_from=frame.day("death_date", partial="first"),
    )


def _coverage(frame: OmopFrame, rules: OmopRules) -> Draft:
    start, end = "observation_period_start_date", "observation_period_end_date"
    return frame.draft(
        frame.unreadable(start, end),
        person_id=frame.key("person_id"),
        start_date=frame.day(start),
        end_date=frame.day(end),
    )


def _diagnoses(frame: OmopFrame, rules: OmopRules) -> Draft:
    draft = frame.draft(
        frame.unreadable("condition_start_date", "condition_end_date"),
        person_id=frame.key("person_id"),
        date=frame.day("condition_start_date"),
        end_date=frame.day("condition_end_date", True),
        concept=known(frame.key("condition_concept_id")),
        source=frame.key("condition_source_concept_id", True),
        visit=frame.key("visit_occurrence_id", True),
        position=_position(frame),
    )
    facts = draft.facts.join(
        concepts(frame), left_on="source", right_on="concept_id", how="left", maintain_order="left"
    ).with_columns(*_diagnosis_code())
    facts = _as_listed(facts, nearest_diagnoses(frame, rules, _standard(facts)["code"]))
    facts = facts.join(visit_settings(frame, rules), on="visit", how="left", maintain_order="left")
    return Draft(draft.delivered, facts)


def _standard(facts: pl.DataFrame) -> pl.DataFrame:
    """The facts whose code is a standard concept's id."""
    return facts.filter(pl.col("code_system") == "omop")


def _as_listed(facts: pl.DataFrame, found: pl.DataFrame) -> pl.DataFrame:
    """The facts with each standard concept replaced by what is listed for it (concept, found), if anything is."""
    listed = found.select("found", code="concept", code_system=pl.lit("omop"))
    named = facts.join(listed, on=["code", "code_system"], how="left", maintain_order="left_right")
    return named.with_columns(code=pl.coalesce("found", "code")).drop("found")


def _diagnosis_code() -> list[pl.Expr]:
    icd = pl.col("vocabulary").replace_strict(_ICD, default=None, return_dtype=pl.String)
    snomed = pl.when(pl.col("vocabulary") == "SNOMED").then(pl.col("concept_code"))
    code = pl.when(icd.is_not_null()).then(drafts.code(pl.col("concept_code")))
    standard = pl.when(pl.col("concept").is_not_null()).then(pl.lit("omop"))
    return [
        pl.coalesce(code, "concept", snomed).alias("code"),
        pl.coalesce(icd, standard, pl.when(snomed.is_not_null()).then(pl.lit("snomed"))).alias("code_system"),
    ]


def _position(frame: OmopFrame) -> pl.Expr:
    """Main where status or type says so, other where the type names another position, else not told."""
    kind = frame.key("condition_type_concept_id", True)
    is_main = frame.key("condition_status_concept_id", True).is_in(_PRIMARY_STATUS).fill_null(False)
    is_main |= kind.is_in(_FIRST_POSITION).fill_null(False)
    is_positioned = kind.cast(pl.Int64, strict=False).is_between(*_POSITIONED)
    return pl.when(is_main).then(pl.lit("main")).when(is_positioned).then(pl.lit("other"))


def _procedures(frame: OmopFrame, rules: OmopRules) -> Draft:
    draft = frame.draft(
        frame.unreadable("procedure_date"),
        person_id=frame.key("person_id"),
        date=frame.day("procedure_date"),
        concept=known(frame.key("procedure_concept_id")),
        source=known(frame.key("procedure_source_concept_id", True)),
        written=drafts.code(frame.codes("procedure_source_value", True)),
    )
    facts = draft.facts.join(
        concepts(frame), left_on="source", right_on="concept_id", how="left", maintain_order="left"
    )
    found = nearest_listed(frame, rules, facts["concept"], procedure_concepts(rules.codes))
    coded = _or_concept(facts.with_columns(*_procedure_code()), found, rules.codes)
    return Draft(draft.delivered, _as_listed(coded, found))


def _or_concept(facts: pl.DataFrame, found: pl.DataFrame, codes: CodeLists) -> pl.DataFrame:
    """The facts with the standard concept in place of a code that is no treatment, where the concept is one."""
    treatments = codes.resolve_procedures(facts.select("code_system", "code"))
    told = facts.join(treatments, on=["code_system", "code"], how="left", maintain_order="left")
    is_by_concept = pl.col("treatment").is_null() & pl.col("concept").is_in(found["concept"].implode())
    code = pl.when(is_by_concept).then("concept").otherwise("code")
    system = pl.when(is_by_concept).then(pl.lit("omop")).otherwise("code_system")
    return told.with_columns(code=code, code_system=system).drop("treatment")


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


def _scores(frame: OmopFrame, rules: OmopRules) -> Draft:
    """The rows of one table whose concept, or source value, is a score."""
    kind = frame.name
    listed = rules.concepts.scales
    concept = frame.key(f"{kind}_concept_id")
    scales = scale_of(frame, rules, frame.select(concept=concept)["concept"])
    by_id = concept.replace_strict(scales, default=None, return_dtype=pl.String)
    by_code = frame.text(f"{kind}_source_value", True).replace_strict(listed["code"], listed["scale"], default=None)
    scale = frame.select(scale=pl.coalesce(by_id, by_code))["scale"]
    is_score = scale.is_not_null()
    chosen = OmopFrame(frame.delivered, kind, frame.raw.filter(is_score))
    value = pl.coalesce(chosen.number("value_as_number"), chosen.number("value_as_string", True))
    return chosen.draft(
        chosen.unreadable(f"{kind}_date"),
        person_id=chosen.key("person_id"),
        date=chosen.day(f"{kind}_date"),
        scale=pl.lit(scale.filter(is_score)),
        value=value,
    )


def _admissions(frame: OmopFrame, rules: OmopRules) -> Draft:
    is_inpatient = frame.select((visit_setting(frame, rules) == "inpatient").fill_null(False)).to_series()
    chosen = OmopFrame(frame.delivered, frame.name, frame.raw.filter(is_inpatient))
    draft = chosen.draft(
        chosen.unreadable("visit_start_date", "visit_end_date"),
        person_id=chosen.key("person_id"),
        start_date=chosen.day("visit_start_date"),
        end_date=chosen.day("visit_end_date"),
        visit=chosen.key("visit_occurrence_id"),
    )
    facts = draft.facts.join(_main_codes(frame, rules), on="visit", how="left", maintain_order="left")
    return Draft(draft.delivered, facts)


@once_per_delivery
def _main_codes(frame: OmopFrame, rules: OmopRules) -> pl.DataFrame:
    """The main diagnosis of each visit: the one said to be main, else the only one; else not told."""
    if not frame.has("condition_occurrence"):
        return pl.DataFrame(schema={"visit": pl.String, "main_code": pl.String})
    facts = _diagnoses(OmopFrame(frame.delivered, "condition_occurrence"), rules).facts
    conditions = facts.unique("row", keep="first", maintain_order=True).drop_nulls(["visit", "code"])
    main = pl.col("code").filter(pl.col("position") == "main").min()
    only = pl.when(pl.col("code").n_unique() == 1).then(pl.col("code").first())
    return conditions.group_by("visit").agg(main_code=pl.coalesce(main, only))


_ORIGINS = {
    "persons": (("person",), _persons),
    "deaths": (("death",), _deaths),
    "coverage": (("observation_period",), _coverage),
    "diagnoses": (("condition_occurrence",), _diagnoses),
    "dispensings": (("drug_exposure",), draft_dispensings),
    "procedures": (("procedure_occurrence",), _procedures),
    "scores": (("measurement", "observation"), _scores),
    "admissions": (("visit_occurrence",), _admissions),
}
