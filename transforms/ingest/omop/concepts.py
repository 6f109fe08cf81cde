"""What the concepts of an OMOP delivery are: its vocabulary tables and our lists in, look-ups out.

Our lists name some concepts. A concept that they name means what they say. One that they do not name means what the
nearest listed concepts above it mean, as concept_ancestor tells them; of two of which one lies above the other the
lower is the nearer. So a kind of panic disorder is panic disorder, and not the "other anxiety" that any anxiety
disorder is. Where concept_ancestor was not delivered, only the listed concepts themselves are found.
"""

from __future__ import annotations

import polars as pl

from impasse.schemas.codelists import JOINED_BY, CodeLists
from impasse.schemas.delivered import Delivered
from impasse.transforms.ingest.omop.delivered_table import OmopFrame, OmopRules, once_per_delivery

_VOCABULARY = ("concept", "concept_ancestor", "drug_strength")
# Their codes are numbers without zeros in front, so a number is the code.
_NUMBERED = ("SNOMED", "RxNorm", "RxNorm Extension")
_PAIRS = {"concept": pl.String, "found": pl.String}


def missing_vocabulary(delivered: Delivered) -> tuple[str, ...]:
    """The vocabulary tables that were not delivered; drug_strength only where there are drugs."""
    needed = [table for table in _VOCABULARY if table != "drug_strength" or "drug_exposure" in delivered]
    return tuple(table for table in needed if table not in delivered)


@once_per_delivery
def concepts(frame: OmopFrame) -> pl.DataFrame:
    """concept_id, vocabulary, concept_code, class and lower-case name; empty without a vocabulary."""
    wanted = ("concept_id", "vocabulary", "concept_code", "concept_class", "concept_name")
    if not frame.has("concept"):
        return pl.DataFrame(schema=dict.fromkeys(wanted, pl.String))
    concept = OmopFrame(frame.delivered, "concept")
    return concept.select(
        concept_id=concept.key("concept_id"),
        vocabulary=concept.text("vocabulary_id"),
        concept_code=concept.codes("concept_code", is_exact=concept.text("vocabulary_id").is_in(_NUMBERED)),
        concept_class=concept.text("concept_class_id"),
        concept_name=concept.text("concept_name").str.to_lowercase(),
    ).unique("concept_id", keep="first", maintain_order=True)


def diagnosis_concepts(codes: CodeLists) -> pl.Series:
    """The concepts that a diagnosis list names, to include or to exclude."""
    return codes.diagnoses.filter(pl.col("code_system") == "omop")["code"].unique()


def procedure_concepts(codes: CodeLists) -> pl.Series:
    """The concepts that the procedure list names."""
    return codes.procedures.filter(pl.col("code_system") == "omop")["code"].unique()


def nearest_diagnoses(frame: OmopFrame, rules: OmopRules, used: pl.Series) -> pl.DataFrame:
    """concept, found: the listed diagnoses that each concept stands for.

    A list that leaves out one of them leaves out the concept. So one that is in no other list goes; if it is in
    another too, all of them are joined into one code, of which each list leaves out what it leaves out.
    """
    found = nearest_listed(frame, rules, used, diagnosis_concepts(rules.codes))
    judged = found.join(_left_out(found, rules.codes), on=["concept", "found"], how="left", maintain_order="left")
    judged = judged.with_columns(pl.col("is_gone", "is_parted").fill_null(False))
    judged = judged.with_columns(is_joined=pl.col("is_parted").any().over("concept"))
    alone = judged.filter(~pl.col("is_gone") & ~pl.col("is_joined")).select("concept", "found")
    together = judged.filter("is_joined").group_by("concept").agg(pl.col("found").sort().str.join(JOINED_BY))
    return pl.concat([alone, together]).sort("concept", "found")


def _left_out(found: pl.DataFrame, codes: CodeLists) -> pl.DataFrame:
    """concept, found, is_gone, is_parted: whether all of the lists that take `found` in leave the concept out, or some.

    They leave it out by another of the diagnoses that it stands for.
    """
    named = codes.diagnoses.filter(pl.col("code_system") == "omop").select("list", "use", found="code")
    told = found.join(named, on="found")
    out = told.filter(pl.col("use") == "exclude").select("concept", "list", is_out=True).unique()
    taken_in = told.filter(pl.col("use") == "include").join(out, on=["concept", "list"], how="left")
    is_out = pl.col("is_out").fill_null(False)
    return taken_in.group_by("concept", "found").agg(is_gone=is_out.all(), is_parted=is_out.any() & ~is_out.all())


def nearest_listed(frame: OmopFrame, rules: OmopRules, used: pl.Series, listed: pl.Series) -> pl.DataFrame:
    """concept, found: each used concept that is listed, else the nearest listed ones above it, if any."""
    asked = used.drop_nulls().unique().alias("concept").to_frame()
    itself = asked.filter(pl.col("concept").is_in(listed.implode())).with_columns(found="concept")
    above = _listed_above(frame, rules).filter(pl.col("found").is_in(listed.implode()))
    others = above.join(asked, on="concept", how="semi").join(itself, on="concept", how="anti")
    farther = others.join(above, left_on="found", right_on="concept", suffix="_farther")
    farther = farther.select("concept", found="found_farther")
    return pl.concat([itself, others.join(farther, on=["concept", "found"], how="anti")]).sort("concept", "found")


@once_per_delivery
def _listed_above(frame: OmopFrame, rules: OmopRules) -> pl.DataFrame:
    """concept, found: every concept that any of our lists names, with each concept below it."""
    if not frame.has("concept_ancestor"):
        return pl.DataFrame(schema=_PAIRS)
    is_told = pl.col("found").is_in(_listed(rules).implode()) & (pl.col("found") != pl.col("concept"))
    pieces = frame.delivered.pieces("concept_ancestor")  # tens of millions of rows, few of which are asked for
    return pl.concat([_ancestors(frame, piece).filter(is_told) for piece in pieces]).unique()


def _ancestors(frame: OmopFrame, piece: pl.DataFrame) -> pl.DataFrame:
    pairs = OmopFrame(frame.delivered, "concept_ancestor", piece)
    return pairs.select(concept=pairs.key("descendant_concept_id"), found=pairs.key("ancestor_concept_id"))


def _listed(rules: OmopRules) -> pl.Series:
    named = [
        diagnosis_concepts(rules.codes),
        procedure_concepts(rules.codes),
        rules.concepts.scales["concept_id"],
        rules.concepts.visits["concept_id"],
    ]
    return pl.concat([ids.alias("found") for ids in named]).unique()


def scale_of(frame: OmopFrame, rules: OmopRules, used: pl.Series) -> dict[str, str]:
    """The scale of each concept that is a score; one that is a score of two scales is of neither."""
    scales = rules.concepts.scales.select("scale", found="concept_id")
    found = nearest_listed(frame, rules, used, scales["found"]).join(scales, on="found").select("concept", "scale")
    return dict(found.unique().unique("concept", keep="none").iter_rows())


def setting_of(frame: OmopFrame, rules: OmopRules, used: pl.Series) -> dict[str, str]:
    """The setting of each visit concept; of one that lies under both, inpatient."""
    visits = rules.concepts.visits.select("setting", found="concept_id")
    found = nearest_listed(frame, rules, used, visits["found"]).join(visits, on="found")
    return dict(found.group_by("concept").agg(pl.col("setting").min()).sort("concept").iter_rows())


@once_per_delivery
def visit_settings(frame: OmopFrame, rules: OmopRules) -> pl.DataFrame:
    """visit, setting: the setting of each visit, null where its concept tells none."""
    if not frame.has("visit_occurrence"):
        return pl.DataFrame(schema={"visit": pl.String, "setting": pl.String})
    visits = OmopFrame(frame.delivered, "visit_occurrence")
    found = visits.select(visit=visits.key("visit_occurrence_id"), setting=visit_setting(visits, rules))
    return found.unique("visit", keep="first", maintain_order=True)


def visit_setting(visits: OmopFrame, rules: OmopRules) -> pl.Expr:
    """The setting of each row of visits."""
    concept = visits.key("visit_concept_id")
    settings = setting_of(visits, rules, visits.select(concept.alias("concept"))["concept"])
    return concept.replace_strict(settings, default=None, return_dtype=pl.String)
