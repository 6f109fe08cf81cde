"""What a code means: resolution, membership, and the refusal of a code list that is not whole."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import polars as pl
import pytest

from schemas import codelists, definition
from schemas.codelists import CodeLists
from schemas.errors import ImpasseError

SCHEMAS = Path(__file__).resolve().parents[2] / "schemas"
TEXTS = {path.stem: path.read_text(encoding="utf-8") for path in (SCHEMAS / "codelists").glob("*.csv")}
CODES = codelists.parse(TEXTS)
BOKMA = definition.parse("bokma", (SCHEMAS / "definitions" / "anx_bokma_2019.toml").read_text(encoding="utf-8"))


def atc(code: str) -> dict:
    """The one row a delivered ATC code resolves to."""
    return CODES.resolve_atc(pl.Series([code], dtype=pl.String)).row(0, named=True)


def lists_of(system: str, code: str) -> list[str]:
    """The code lists one code is in."""
    return CODES.codes_in_list(pl.DataFrame({"code_system": [system], "code": [code]}))["list"].to_list()


def treatment_of(system: str, code: str) -> list[str]:
    """The treatment one procedure code stands for, as a list of none or one."""
    return CODES.resolve_procedures(pl.DataFrame({"code_system": [system], "code": [code]}))["treatment"].to_list()


def with_line(name: str, line: str) -> dict[str, str]:
    """The shipped texts with one more line at the end of one file."""
    return {**TEXTS, name: f"{TEXTS[name].rstrip()}\n{line}\n"}


def test_a_listed_drug_is_itself() -> None:
    """Sertraline is an identified SSRI, and first-line for anxiety."""
    found = atc("N06AB06")

    assert (found["treatment"], found["class"], found["is_identified"]) == ("N06AB06", "ssri", True)
    assert {"ssri", "antidepressants", "first_line_anxiety"} <= set(found["groups"])


def test_an_unlisted_drug_takes_the_facts_of_its_class_and_keeps_its_code() -> None:
    """Two unlisted SSRIs stay two substances of one class."""
    found = CODES.resolve_atc(pl.Series(["N06AB98", "N06AB99"]))

    assert found["treatment"].to_list() == ["N06AB98", "N06AB99"]
    assert found["class"].to_list() == ["ssri", "ssri"]


def test_a_short_code_is_surely_its_class_and_only_maybe_a_part_of_it() -> None:
    """N06A is an antidepressant and may be an SSRI; which drug it is cannot be told."""
    found = atc("N06A")

    assert "antidepressants" in found["groups"]
    assert "ssri" not in found["groups"]
    assert "ssri" in found["maybe_groups"]
    assert (found["class"], found["is_identified"]) == (None, False)


def test_the_longest_listed_prefix_wins() -> None:
    """Lithium is found under its own code, not under the antipsychotics it is filed with."""
    assert atc("N05AN01")["class"] == "lithium"
    assert "antipsychotics" not in atc("N05AN01")["groups"]


@pytest.mark.parametrize("code", ["C08", "N06", "N06BA04", ""])
def test_a_code_that_is_no_treatment_is_left_out(code: str) -> None:
    """A calcium antagonist, a code too short to tell, a stimulant and an empty code are not treatments."""
    assert CODES.resolve_atc(pl.Series([code])).is_empty()


def test_delivered_codes_may_repeat_and_be_missing() -> None:
    """One row per distinct code, none for null."""
    assert CODES.resolve_atc(pl.Series(["N06AB06", None, "N06AB06"])).height == 1


def test_no_delivered_codes_give_an_empty_answer_with_the_same_columns() -> None:
    """A register without dispensings is no special case."""
    empty = CODES.resolve_atc(pl.Series([], dtype=pl.String))

    assert empty.schema == CODES.resolve_atc(pl.Series(["N06AB06"])).schema
    assert empty.is_empty()


def test_psychotherapy_of_unrecorded_kind_is_only_maybe_cbt() -> None:
    """It is surely psychotherapy and not identified; CBT is."""
    found = CODES.resolve_treatment(["psychotherapy_unspecified", "cbt", "unheard_of"])

    assert found["treatment"].to_list() == ["cbt", "psychotherapy_unspecified"]
    assert found["is_identified"].to_list() == [True, False]
    assert found["maybe_groups"].to_list() == [[], ["cbt"]]


@pytest.mark.parametrize(
    ("system", "code", "lists"),
    [
        ("icd10", "F411", ["anxiety", "gad"]),
        ("icd10", "F4001", ["agoraphobia", "anxiety", "panic"]),
        ("icd10", "F321", ["depression"]),
        ("icd10", "F3342", ["depression_remission"]),
        ("icd10", "F3281", []),
        ("icd10", "F172", []),
        ("icd10", "F102", ["substance_use"]),
        ("icd9", "29633", ["depression"]),
        ("icd9", "29636", ["depression_remission"]),
        ("icd9", "30023", ["anxiety", "social_anxiety"]),
        ("icpc2", "P76", ["depression"]),
        ("omop", "440383", ["depression"]),
        ("omop", "4403831", []),
        ("icd9", "F321", []),
    ],
)
def test_a_code_is_in_the_lists_its_beginning_is_in(system: str, code: str, lists: list[str]) -> None:
    """Prefixes include, longer prefixes exclude, identifiers match exactly, systems are kept apart."""
    assert lists_of(system, code) == lists


@pytest.mark.parametrize(
    ("system", "code", "treatment"),
    [
        ("chop", "Z942A1", ["tms"]),
        ("omop", "4043071", ["cbt"]),
        ("omop", "40430710", []),
        ("icd10pcs", "GZB2ZZZ", ["ect_bilateral"]),
        ("cpt", "99213", []),
    ],
)
def test_a_procedure_code_stands_for_its_treatment(system: str, code: str, treatment: list[str]) -> None:
    """Classifications by prefix, identifiers exactly, other procedures not at all."""
    assert treatment_of(system, code) == treatment


def test_a_group_asks_for_every_kind_of_record_its_members_leave() -> None:
    """Psychotherapy with CBT and without, drugs among dispensings."""
    assert CODES.observed_as_of_group("psychotherapy") == {"psychotherapy", "cbt"}
    assert CODES.observed_as_of_group("antidepressants") == {"drug"}


def test_esketamine_is_seen_among_dispensings_and_among_procedures() -> None:
    """The ketamine group needs both kinds of record."""
    assert CODES.observed_as_of_group("ketamine") == {"drug", "ketamine"}


def test_the_karolinska_add_ons_are_the_five_of_the_paper() -> None:
    """Lithium, risperidone, olanzapine, aripiprazole and quetiapine, and no other."""
    members = CODES.treatments.filter(
        pl.col("groups").list.contains("augmenters_kim") & (pl.col("treatment").str.len_chars() == 7)
    )

    assert set(members["treatment"]) == {"N05AN01", "N05AX08", "N05AH03", "N05AX12", "N05AH04"}


def test_every_dose_is_of_a_known_drug() -> None:
    """A dose without its drug would never be looked up."""
    assert set(CODES.doses["atc"]) <= set(CODES.treatments["treatment"])


def test_every_procedure_is_a_treatment_of_the_vocabulary() -> None:
    """A procedure that resolves to nothing would be lost in silence."""
    assert set(CODES.procedures["treatment"]) <= set(CODES.treatments["treatment"])


def test_pregabalin_and_gabapentin_have_a_new_code() -> None:
    """Extracts from before the change spell them N03AX16 and N03AX12."""
    assert CODES.atc_changes.select("old_atc", "new_atc").rows() == [("N03AX16", "N02BF02"), ("N03AX12", "N02BF01")]


@pytest.mark.parametrize("group", ["ssri", "maoi", "treats_ptsd", "first_line_depression"])
def test_every_group_a_short_code_may_be_in_has_a_sure_member(group: str) -> None:
    """A group that only exists as a maybe could never be counted."""
    assert group in CODES.groups()


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("ham_x,Name,0,10,5,50,false,,2026-01-01,M", "source"),
        ("ham_x,Name,0,10,5,50,false,Paper,,M", "date"),
        ("ham_x,Name,0,10,5,50,false,Paper,2026-01-01,", "confidence"),
        ("ham_x,Name,0,10,5,50,false,Paper,2026-01-01,Q", "'Q'"),
        ("ham_a,Name,0,10,5,50,false,Paper,2026-01-01,M", "twice"),
        ("ham_x,Name,zero,10,5,50,false,Paper,2026-01-01,M", "minimum"),
        ("ham_x,Name,0,10", "cells"),
    ],
)
def test_a_row_that_is_not_whole_is_refused_by_file_and_line(line: str, what: str) -> None:
    """Not cited, not in the vocabulary, there twice, not a number, or cut short."""
    with pytest.raises(ImpasseError, match=what) as refusal:
        codelists.parse(with_line("scales", line))

    assert refusal.value.where == "scales.csv, line 20"


def test_an_unknown_modality_is_refused_with_the_nearest_one() -> None:
    """The message offers the spelling that was probably meant."""
    with pytest.raises(ImpasseError, match="modality 'drugs'") as refusal:
        codelists.parse(with_line("treatments", "X01XX01,x,drugs,,,drug,,,Paper,2026-01-01,M"))

    assert "'drug'" in refusal.value.do


def test_a_missing_code_list_is_named() -> None:
    """A program without its dose table does not start."""
    with pytest.raises(ImpasseError, match=r"doses\.csv"):
        codelists.parse({name: text for name, text in TEXTS.items() if name != "doses"})


def test_a_disorder_names_only_lists_that_exist() -> None:
    """An episode rule on a list that is not there would find no episode and say nothing."""
    broken = {**TEXTS, "disorders": TEXTS["disorders"].replace("anxiety,anxiety,", "anxiety,anxeity,")}

    with pytest.raises(ImpasseError, match="anxeity"):
        codelists.parse(broken)


def test_a_definition_in_known_words_is_accepted() -> None:
    """A shipped definition names groups, lists and scales that exist."""
    assert CODES.check_definition(BOKMA) is None


def misspelt(codes: CodeLists, **blocks: object) -> ImpasseError:
    """The refusal of the Bokma definition with one block changed."""
    with pytest.raises(ImpasseError) as refusal:
        codes.check_definition(dataclasses.replace(BOKMA, **blocks))
    return refusal.value


def test_an_unknown_group_is_refused_with_the_nearest_one() -> None:
    """A misspelt group would silently hold nothing."""
    refusal = misspelt(CODES, trial=dataclasses.replace(BOKMA.trial, treatments=("antidepresants",)))

    assert (refusal.where, refusal.do) == ("definition bokma", "Did you mean 'antidepressants'?")


def test_an_unknown_code_list_is_refused_with_the_nearest_one() -> None:
    """A misspelt code list would silently match no diagnosis."""
    refusal = misspelt(CODES, eligible=dataclasses.replace(BOKMA.eligible, diagnoses=("panics",)))

    assert (refusal.what, refusal.do) == ("Unknown code list 'panics'.", "Did you mean 'panic'?")


def test_an_unknown_scale_is_refused_with_the_nearest_one() -> None:
    """A misspelt scale would silently never be measured."""
    rule = dataclasses.replace(BOKMA.outcome.scales[0], scale="hama")
    refusal = misspelt(CODES, outcome=dataclasses.replace(BOKMA.outcome, scales=(rule,)))

    assert refusal.do == "Did you mean 'ham_a'?"
