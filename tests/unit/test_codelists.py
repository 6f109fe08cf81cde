"""What a code means: resolution, membership, and the refusal of a code list that is not whole."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import polars as pl
import pytest

from impasse.schemas import codelist_files, definition, definition_file
from impasse.schemas.codelists import CodeLists
from impasse.schemas.errors import ImpasseError
from impasse.schemas.values import POSSIBLE_CAUSES

SCHEMAS = Path(__file__).resolve().parents[2] / "schemas"
TEXTS = {path.stem: path.read_text(encoding="utf-8") for path in (SCHEMAS / "codelists").glob("*.csv")}
CODES = codelist_files.parse(TEXTS)
BOKMA = definition_file.parse(
    "bokma", (SCHEMAS / "definitions" / "anxiety" / "anx_bokma_2019.toml").read_text(encoding="utf-8")
)


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
    assert "cbt" in found["groups"].to_list()[0]
    assert "cbt" not in found["groups"].to_list()[1]
    assert "cbt" in found["maybe_groups"].to_list()[1]


NAMED_KINDS = ["act", "cbt", "dbt", "emdr", "erp", "ipt", "mbct", "psychodynamic", "trauma_focused_cbt"]


@pytest.mark.parametrize("kind", NAMED_KINDS)
def test_every_named_psychotherapy_is_psychotherapy_and_may_be_what_an_unrecorded_session_was(kind: str) -> None:
    """Each is an identified, evidence-based psychotherapy; a session of unrecorded kind may be any of them."""
    named, unknown = (
        CODES.resolve_treatment([name]).row(0, named=True) for name in (kind, "psychotherapy_unspecified")
    )

    assert named["is_identified"]
    assert {"psychotherapy", "evidence_based_psychotherapy"} <= set(named["groups"])
    assert set(named["groups"]) <= {*unknown["groups"], *unknown["maybe_groups"]}


@pytest.mark.parametrize("kind", NAMED_KINDS)
def test_a_named_psychotherapy_is_seen_where_its_kind_is(kind: str) -> None:
    """Exposure and response prevention and trauma-focused CBT are CBT; the other kinds are not."""
    named = CODES.resolve_treatment([kind]).row(0, named=True)
    is_cbt = kind in ("cbt", "erp", "trauma_focused_cbt")

    assert ("cbt" in named["groups"]) is is_cbt
    assert named["observed_as"] == ("cbt" if is_cbt else "psychotherapy")


def test_ect_of_unrecorded_placement_is_only_maybe_bilateral() -> None:
    """A session may have been bilateral unless it is recorded as unilateral."""
    found = CODES.resolve_treatment(["ect", "ect_bilateral", "ect_unilateral"])

    assert ["ect_bilateral" in groups for groups in found["groups"]] == [False, True, False]
    assert ["ect_bilateral" in groups for groups in found["maybe_groups"]] == [True, False, False]


@pytest.mark.parametrize(
    ("code", "group", "surely", "maybe"),
    [
        ("N06AB06", "antidepressants_not_tca", True, False),
        ("N06AA09", "antidepressants_not_tca", False, False),
        ("N06A", "antidepressants_not_tca", False, True),
        ("N06AX02", "antidepressants_not_tryptophan", False, False),
        ("N06AX03", "antidepressants_not_tryptophan", True, False),
        ("N06AX", "antidepressants_not_tryptophan", False, True),
        ("N05AH02", "clozapine", True, False),
        ("N05AH03", "clozapine", False, False),
        ("N05AH", "clozapine", False, True),
        ("N06AX27", "esketamine", True, False),
        ("N06AA04", "clomipramine", True, False),
        ("N06AA", "clomipramine", False, True),
        ("N03AX09", "augmenters_france", True, False),
        ("N05A", "augmenters_france", True, False),
        ("N05AN01", "augmenters_lithium_or_antipsychotic", True, False),
        ("N03AX09", "augmenters_lithium_or_antipsychotic", False, False),
        ("N05AX12", "augmenters_lithium_or_antipsychotic", True, False),
        ("N05AN01", "treats_bipolar_depression", True, False),
        ("N05BA01", "treats_bipolar_depression", False, False),
    ],
)
def test_a_drug_is_surely_perhaps_or_not_in_a_group(code: str, group: str, surely: bool, maybe: bool) -> None:
    """A class code is only perhaps in a group that has some of the class."""
    found = atc(code)

    assert (group in found["groups"], group in found["maybe_groups"]) == (surely, maybe)


def test_clonazepam_is_a_benzodiazepine_and_an_antiepileptic_and_pregabalin_is_neither() -> None:
    """Pregabalin left the antiepileptics' code; clonazepam did not."""
    assert {"antiepileptics", "benzodiazepines"} <= set(atc("N03AE01")["groups"])
    assert not {"antiepileptics", "benzodiazepines"} & set(atc("N02BF02")["groups"])


def members(group: str) -> set[str]:
    """The single drugs that are surely in a group."""
    rows = CODES.treatments.filter(
        pl.col("groups").list.contains(group), pl.col("modality") == "drug", pl.col("treatment").str.len_chars() == 7
    )
    return set(rows["treatment"])


def test_the_antipsychotics_of_cohort_1009_are_its_seven_ingredients() -> None:
    """Aripiprazole, clozapine, olanzapine, paliperidone, quetiapine, risperidone and ziprasidone."""
    assert members("antipsychotics_1009") == {
        *("N05AX12", "N05AH02", "N05AH03", "N05AX13", "N05AH04", "N05AX08", "N05AE04")
    }


def test_the_antidepressants_of_cohort_1009_are_its_ingredients() -> None:
    """Its 48 ingredients, and the two mixtures that hold one of them; no esketamine, and no moclobemide."""
    found = members("antidepressants_1009")

    assert len(found) == 48 + 2
    assert {"N06AX62", "N06CA03", "N06AX02", "N06AX25", "N06AF03", "N06AX05", "N04BD01"} <= found
    assert not {"N06AX27", "N06AG02", "N06AX28"} & found


@pytest.mark.parametrize(
    ("system", "code", "lists"),
    [
        ("icd10", "F411", ["anxiety", "gad"]),
        ("icd10", "F4001", ["agoraphobia", "anxiety", "panic"]),
        ("icd10", "F321", ["depression", "depression_moderate"]),
        ("icd10", "F329", ["depression"]),
        ("icd10", "F3131", ["bipolar", "bipolar_depression"]),
        ("icd10", "F316", ["bipolar"]),
        ("icd9", "29653", ["bipolar", "bipolar_depression"]),
        ("icd9", "29656", ["bipolar"]),
        ("icd10", "E039", ["hypothyroidism"]),
        ("icd10", "E271", ["endocrine_other"]),
        ("icd10", "E278", []),
        ("icd10", "S0600", ["head_trauma"]),
        ("icd10", "Z9114", ["nonadherence"]),
        ("icd10", "Z9111", []),
        ("icd10", "T43226A", ["nonadherence"]),
        ("icd10", "T43225A", []),
        ("icd10", "X849", ["self_harm"]),
        ("icd10", "X85", []),
        ("icd10", "F3342", ["depression_remission"]),
        ("icd10", "F3281", []),
        ("icd10", "F172", ["tobacco"]),
        ("icd10", "F102", ["alcohol", "substance_use"]),
        ("icd9", "29633", ["depression", "depression_severe"]),
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
    assert members("augmenters_kim") == {"N05AN01", "N05AX08", "N05AH03", "N05AX12", "N05AH04"}


def test_sessions_of_neurofeedback_and_psychedelics_are_seen_as_such() -> None:
    """A delivery says of each whether it can show it."""
    assert CODES.observed_as_of_group("neurofeedback") == {"neurofeedback"}
    assert CODES.observed_as_of_group("psychedelics") == {"psychedelics"}


def test_every_dose_is_of_a_known_drug() -> None:
    """A dose without its drug would never be looked up."""
    assert set(CODES.doses["atc"]) <= set(CODES.treatments["treatment"])


def test_every_procedure_is_a_treatment_of_the_vocabulary() -> None:
    """A procedure that resolves to nothing would be lost in silence."""
    assert set(CODES.procedures["treatment"]) <= set(CODES.treatments["treatment"])


def test_a_depot_is_listed_and_a_tablet_is_looked_up() -> None:
    """The daily dose of injected risperidone is not that of tablets."""
    assert CODES.doses.filter(atc="N05AX08").select("route", "ddd_mg").rows() == [("oral", 5.0)]
    assert "N05AX08,depot,false,2.7," in TEXTS["doses"]


def test_the_row_that_is_looked_up_is_the_last_of_its_drug() -> None:
    """Whoever reads the table from top to bottom ends with the same row."""
    last = {line.split(",")[0]: line.split(",")[2] for line in TEXTS["doses"].splitlines()[1:]}

    assert set(last.values()) == {"true"}


@pytest.mark.parametrize("looked_up", ["true", "false"])
def test_a_drug_whose_doses_cannot_be_told_apart_is_refused(looked_up: str) -> None:
    """A second row that is looked up, or a new drug without one."""
    drug = "N05AX08" if looked_up == "true" else "N05AX98"

    with pytest.raises(ImpasseError, match=f"{drug} has no row, or more than one"):
        codelist_files.parse(with_line("doses", f"{drug},nasal,{looked_up},1,,,,,,Paper,2026-01-01,M,M,,,,"))


def test_a_further_route_is_accepted() -> None:
    """And changes nothing that is looked up."""
    more = codelist_files.parse(with_line("doses", "N05AX08,nasal,false,1,,,,,,Paper,2026-01-01,M,M,,,,"))

    assert more.doses.equals(CODES.doses)


def test_600_mg_of_chlorpromazine_are_themselves() -> None:
    """The other antipsychotics' doses are the lower ends of published conversions."""
    known = CODES.doses.drop_nulls("chlorpromazine_600_mg").select("atc", "chlorpromazine_600_mg").rows()

    assert dict(known) == {
        "N05AA01": 600,
        "N05AD01": 8,
        "N05AH03": 20,
        "N05AH04": 750,
        "N05AL05": 600,
        "N05AX08": 6,
        "N05AX12": 22,
    }


def test_an_instrument_has_doses_of_its_own() -> None:
    """Of venlafaxine twice the minimum effective dose, of mirtazapine half; of tianeptine and augmenters none."""
    known = dict(CODES.doses.select("atc", "atrq_mg").rows())
    antidepressants = CODES.treatments.filter(pl.col("groups").list.contains("antidepressants"))["treatment"]

    assert (known["N06AX16"], known["N06AX11"], known["N06AX14"]) == (150, 15, None)
    assert {atc for atc, mg in known.items() if mg} <= set(antidepressants)


def test_an_instrument_dose_that_was_not_seen_is_marked_uncertain() -> None:
    """That of venlafaxine alone was read."""
    marks = dict(CODES.doses.drop_nulls("atrq_mg").select("atc", "atrq_confidence").rows())

    assert marks.pop("N06AX16") == "V"
    assert set(marks.values()) == {"U"}


def test_a_minimum_effective_dose_says_what_for() -> None:
    """The same drug needs another dose for another disorder."""
    assert CODES.doses["minimum_effective_mg"].is_null().equals(CODES.doses["indication"].is_null())


@pytest.mark.parametrize("column", ["ddd", "minimum_effective", "usual_dose_lower", "chlorpromazine_600", "atrq"])
def test_every_dose_has_its_own_confidence(column: str) -> None:
    """One row rests on several sources."""
    assert CODES.doses[f"{column}_mg"].is_null().equals(CODES.doses[f"{column}_confidence"].is_null())


def test_pregabalin_and_gabapentin_have_a_new_code() -> None:
    """Extracts from before the change spell them N03AX16 and N03AX12."""
    assert CODES.atc_changes.select("old_atc", "new_atc").rows() == [("N03AX16", "N02BF02"), ("N03AX12", "N02BF01")]


def test_every_group_a_short_code_may_be_in_has_a_sure_member() -> None:
    """A group that only exists as a maybe could never be counted."""
    assert set(CODES.treatments["maybe_groups"].explode().drop_nulls()) <= CODES.groups()


def test_no_treatment_is_surely_and_perhaps_in_one_group() -> None:
    """It is one or the other."""
    rows = CODES.treatments.select("groups", "maybe_groups").rows()

    assert not [1 for sure, maybe in rows if set(sure) & set(maybe)]


FUNCTION = ("sds", "whodas2", "gaf")


def scales_of(disorder: str) -> list[str]:
    """The scales of a disorder, best first."""
    return CODES.scales.filter(pl.col("disorders").list.contains(disorder))["scale"].to_list()


@pytest.mark.parametrize(
    ("disorder", "scales"),
    [
        ("anxiety", ["ham_a", "pdss", "lsas", "cgi_s", "cgi_i", "bai", "oasis", "gad7"]),
        ("depression", ["hamd17", "madrs", "ids_c30", "cgi_s", "cgi_i", "bdi2", "qids_sr16", "phq9"]),
        ("ocd", ["ybocs", "cgi_s", "cgi_i"]),
        ("ptsd", ["caps5", "cgi_s", "cgi_i", "pcl5"]),
        ("schizophrenia", ["panss", "cgi_s", "cgi_i"]),
    ],
)
def test_a_disorders_scales_are_in_order_of_preference(disorder: str, scales: list[str]) -> None:
    """What an observer rates comes before what the patient rates, and a screening tool comes last."""
    assert scales_of(disorder) == scales


def test_bipolar_depression_has_the_scales_of_depression() -> None:
    """The same symptoms are rated."""
    assert scales_of("bipolar_depression") == scales_of("depression")


def test_a_partial_response_is_told_by_the_scales_of_depression_and_by_the_y_bocs() -> None:
    """Other scales have no published band of partial response."""
    known = CODES.scales.drop_nulls("partial_fall_percent")

    assert set(known["scale"]) == {"hamd17", "madrs", "ids_c30", "bdi2", "qids_sr16", "phq9", "ybocs"}
    assert set(known["partial_fall_percent"]) == {25.0}


def test_a_response_is_told_in_one_way_only() -> None:
    """By percent, by points, or by the score itself, and so is worsening; the severity of an impression tells none."""
    for columns in (
        ("response_fall_percent", "response_fall_points", "response_max"),
        ("worse_rise_percent", "worse_rise_points", "worse_min"),
    ):
        ways = pl.sum_horizontal(pl.col(columns).is_not_null().cast(pl.Int8))
        told = dict(CODES.scales.select("scale", ways.alias("ways")).rows())

        assert [told.pop(scale) for scale in ("cgi_s", *FUNCTION)] == [0, 0, 0, 0]
        assert set(told.values()) == {1}


def test_worsening_mirrors_the_rules_of_response() -> None:
    """A quarter of the way, as a partial response; as many points as a response; much worse, as much improved."""
    scales = CODES.scales

    assert set(scales.drop_nulls("response_fall_percent")["worse_rise_percent"]) == {25}
    points = scales.drop_nulls("response_fall_points")
    assert points["worse_rise_points"].to_list() == points["response_fall_points"].to_list()
    assert scales.drop_nulls("response_max").select("response_max", "worse_min").rows() == [(2, 6)]


def test_scales_of_function_have_a_range_and_no_cut_off() -> None:
    """None was read in a source; they are of no disorder, and on one of them higher is better."""
    rows = {row["scale"]: row for row in CODES.scales.iter_rows(named=True) if row["scale"] in FUNCTION}
    given = {"name", "disorders", "minimum", "maximum", "higher_is", "is_screening_tool", "source", "date"}

    assert set(rows) == set(FUNCTION)
    for row in rows.values():
        assert {name for name, value in row.items() if value not in (None, [])} <= given | {
            *("scale", "disorders", "confidence"),
        }
    assert [rows[name]["higher_is"] for name in FUNCTION] == ["worse", "worse", "better"]


def test_a_definition_cannot_judge_by_a_scale_on_which_higher_is_better() -> None:
    """A fall on the GAF would be taken for improvement."""
    rule = dataclasses.replace(BOKMA.outcome.scales[0], scale="gaf")
    refusal = misspelt(CODES, outcome=dataclasses.replace(BOKMA.outcome, scales=(rule,)))

    assert refusal.what == "On the scale 'gaf' higher is better."


def test_panic_has_bands_with_and_without_agoraphobia() -> None:
    """Furukawa 2009."""
    (pdss,) = CODES.scales.filter(scale="pdss").to_dicts()

    assert pdss["severity_bands"] == ["normal:0", "borderline:2", "slight:6", "moderate:10", "marked:14"]
    assert pdss["bands_with"] == "agoraphobia"
    assert pdss["severity_bands_with"] == ["normal:0", "borderline:3", "slight:8", "moderate:11", "marked:16"]


def causes(disorder: str) -> set[str]:
    """The words for the diagnosed causes of pseudo-resistance of a disorder."""
    return set(CODES.causes.filter(disorder=disorder)["cause"])


def test_a_mistaken_diagnosis_is_a_cause_where_a_source_says_so() -> None:
    """Depression may be mistaken for anxiety, and bipolar disorder for either."""
    assert {"depression", "bipolar"} <= causes("anxiety")
    assert "bipolar" in causes("depression")
    assert not {"depression", "bipolar"} & causes("bipolar_depression")


@pytest.mark.parametrize("disorder", definition.DISORDERS)
def test_the_causes_that_the_special_report_names_are_causes_of_every_disorder(disorder: str) -> None:
    """Head trauma, endocrine, infectious, respiratory and gastrointestinal illness, and other mental disorders."""
    named = {"head_trauma", "endocrine", "infection", "respiratory", "gastrointestinal", "personality_disorder"}
    others = {"anxiety", "ptsd"} - {disorder}

    assert named | others <= causes(disorder)
    assert disorder not in causes(disorder)


def test_only_a_second_disorder_is_bound_to_the_start_of_the_episode() -> None:
    """Those that a code cannot tell from a mistaken diagnosis, but for personality disorders, which last."""
    bound = CODES.causes.drop_nulls("days_around_start")

    assert set(bound["cause"]) == set(POSSIBLE_CAUSES) - {"personality_disorder"}
    assert set(bound["days_around_start"]) == {180}


def test_every_disorder_has_causes_and_options() -> None:
    """An impasse of any disorder can be looked at."""
    for table in (CODES.causes, CODES.options):
        assert set(table["disorder"]) == set(definition.DISORDERS) == set(CODES.disorders["disorder"])


def test_a_first_line_option_of_every_disorder_is_known() -> None:
    """Who has had nothing has had not even that."""
    assert set(CODES.options.filter(tier="first_line")["disorder"]) == set(definition.DISORDERS)


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("ham_x,Name,anxiety,0,10,worse,5,50,,,,,,,,,,false,,2026-01-01,M", "source"),
        ("ham_x,Name,anxiety,0,10,worse,5,50,,,,,,,,,,false,Paper,,M", "date"),
        ("ham_x,Name,anxiety,0,10,worse,5,50,,,,,,,,,,false,Paper,2026-01-01,", "confidence"),
        ("ham_x,Name,anxiety,0,10,worse,5,50,,,,,,,,,,false,Paper,2026-01-01,Q", "'Q'"),
        ("ham_a,Name,anxiety,0,10,worse,5,50,,,,,,,,,,false,Paper,2026-01-01,M", "twice"),
        ("ham_x,Name,anxiety,zero,10,worse,5,50,,,,,,,,,,false,Paper,2026-01-01,M", "minimum"),
        ("ham_x,Name,anxiety,0,10", "cells"),
    ],
)
def test_a_row_that_is_not_whole_is_refused_by_file_and_line(line: str, what: str) -> None:
    """Not cited, not in the vocabulary, there twice, not a number, or cut short."""
    with pytest.raises(ImpasseError, match=what) as refusal:
        codelist_files.parse(with_line("scales", line))

    assert refusal.value.where == "scales.csv, line 23"


SCALE = "ham_x,Name,{disorders},0,10,{higher},5,50,{partial},,,,,,{bands},{given},{other},false,Paper,2026-01-01,M"
_PLAIN = {"disorders": "anxiety", "higher": "worse", "partial": "", "bands": "", "given": "", "other": ""}


@pytest.mark.parametrize(
    ("changed", "what"),
    [
        ({"disorders": "anxeity"}, "Unknown disorders 'anxeity'"),
        ({"bands": "mild"}, "severity_bands is not readable"),
        ({"bands": ":3"}, "severity_bands is not readable"),
        ({"bands": "mild:three"}, "severity_bands is not readable"),
        ({"bands": "none:0 mild:4 severe:4"}, "do not rise"),
        ({"bands": "none:0 mild:11"}, "do not rise"),
        ({"partial": "50"}, "partial_fall_percent"),
        ({"given": "agoraphobia"}, "go together"),
        ({"other": "mild:3"}, "go together"),
        ({"given": "agoraphobia", "other": "mild:4 severe:4"}, "severity_bands_with do not rise"),
        ({"given": "agorafobia", "other": "mild:4"}, "Unknown bands_with 'agorafobia'"),
        ({"higher": "better"}, "higher is better has cut-offs"),
        ({"higher": "lower"}, "Unknown higher_is 'lower'"),
    ],
)
def test_a_scale_that_no_score_could_be_read_by_is_refused(changed: dict[str, str], what: str) -> None:
    """A disorder that does not exist, bands that cannot be read or do not rise, a partial response beyond a whole."""
    line = SCALE.format(**{**_PLAIN, **changed})

    with pytest.raises(ImpasseError, match=what):
        codelist_files.parse(with_line("scales", line))


@pytest.mark.parametrize(
    "said",
    [
        {"disorders": "anxiety ocd", "partial": "49", "bands": "none:0 mild:4 severe:10"},
        {"disorders": "", "partial": "", "bands": "mild:4"},
        {"bands": "mild:4", "given": "agoraphobia", "other": "mild:5"},
    ],
)
def test_a_scale_that_can_be_read_is_accepted(said: dict[str, str]) -> None:
    """Bands from the lowest score to the highest, or from a cut-off on, or none."""
    more = codelist_files.parse(with_line("scales", SCALE.format(**{**_PLAIN, **said})))

    assert more.scales["scale"].to_list()[-1] == "ham_x"


@pytest.mark.parametrize(
    ("name", "line", "what"),
    [
        ("causes", "bipolar,anxeity,bipolar,likely,,Paper,2026-01-01,M", "Unknown disorder 'anxeity'"),
        ("causes", "bipolar,ocd,bipolr,likely,,Paper,2026-01-01,M", "Unknown list 'bipolr'"),
        ("causes", "bipolar,anxiety,bipolar,likely,,Paper,2026-01-01,M", "twice"),
        ("causes", "bipolar,ocd,bipolar,none,,Paper,2026-01-01,M", "Unknown makes 'none'"),
        ("causes", "bipolar,ocd,bipolar,possible,,Paper,2026-01-01,M", "makes pseudo-resistance possible"),
        ("causes", "ptsd,ptsd,ptsd,likely,,Paper,2026-01-01,M", "makes pseudo-resistance likely"),
        ("options", "vns,ocd,VNS,vns,lastline,Paper,2026-01-01,M", "Unknown tier 'lastline'"),
        ("options", "vns,odc,VNS,vns,later_line,Paper,2026-01-01,M", "Unknown disorder 'odc'"),
        ("options", "vns,ocd,VNS,vsn,later_line,Paper,2026-01-01,M", "Unknown treatments 'vsn'"),
        ("options", "ssri,ocd,SSRIs,ssri,later_line,Paper,2026-01-01,M", "twice"),
    ],
)
def test_a_cause_or_option_in_unknown_words_is_refused(name: str, line: str, what: str) -> None:
    """A misspelt disorder, code list, treatment group or tier would never be found."""
    with pytest.raises(ImpasseError, match=what):
        codelist_files.parse(with_line(name, line))


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("causes", "bipolar,ocd,bipolar,likely,,Paper,2026-01-01,M"),
        ("options", "vns,ocd,VNS,vns,later_line,Paper,2026-01-01,M"),
    ],
)
def test_a_cause_or_option_in_known_words_is_accepted(name: str, line: str) -> None:
    """It is the last of its table."""
    more = getattr(codelist_files.parse(with_line(name, line)), name)

    assert more.height == getattr(CODES, name).height + 1
    assert more.row(-1)[0] == line.split(",")[0]


def test_an_unknown_modality_is_refused_with_the_nearest_one() -> None:
    """The message offers the spelling that was probably meant."""
    with pytest.raises(ImpasseError, match="modality 'drugs'") as refusal:
        codelist_files.parse(with_line("treatments", "X01XX01,x,drugs,,,drug,,,Paper,2026-01-01,M"))

    assert "'drug'" in refusal.value.do


def test_a_missing_code_list_is_named() -> None:
    """A program without its dose table does not start."""
    with pytest.raises(ImpasseError, match=r"doses\.csv"):
        codelist_files.parse({name: text for name, text in TEXTS.items() if name != "doses"})


def test_a_disorder_names_only_lists_that_exist() -> None:
    """An episode rule on a list that is not there would find no episode and say nothing."""
    broken = {**TEXTS, "disorders": TEXTS["disorders"].replace("anxiety,anxiety,", "anxiety,anxeity,")}

    with pytest.raises(ImpasseError, match="anxeity"):
        codelist_files.parse(broken)


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

    assert (refusal.where, refusal.do) == ("definition file bokma.toml", "Did you mean 'antidepressants'?")


def test_an_unknown_group_that_may_not_have_been_given_is_refused() -> None:
    """A misspelt group of a wash-out would let everybody in."""
    eligible = dataclasses.replace(BOKMA.eligible, washout_treatments=("antidepresants",), washout_days=180)

    assert misspelt(CODES, eligible=eligible).what == "Unknown treatment group 'antidepresants'."


def test_a_known_group_that_may_not_have_been_given_is_accepted() -> None:
    """Though no trial is of that group."""
    eligible = dataclasses.replace(BOKMA.eligible, washout_treatments=("clozapine",), washout_days=180)

    assert CODES.check_definition(dataclasses.replace(BOKMA, eligible=eligible)) is None


def test_an_unknown_code_list_of_a_requirement_or_of_a_score_is_refused() -> None:
    """Both ask for diagnoses as the other settings do."""
    needed = definition.Requirement(codes="panics", when="before", days=2)
    level = definition.DiagnosisLevel(codes="panics", points=1)
    item = definition.DiagnosisItem(item="diagnosis", when="during", levels=(level,), otherwise=0)

    for blocks in (
        {"eligible": dataclasses.replace(BOKMA.eligible, requirements=(needed,))},
        {"resistance": definition.Scored(kind="score", items=(item,), threshold=1)},
    ):
        assert misspelt(CODES, **blocks).what == "Unknown code list 'panics'."


def test_an_unknown_code_list_is_refused_with_the_nearest_one() -> None:
    """A misspelt code list would silently match no diagnosis."""
    refusal = misspelt(CODES, eligible=dataclasses.replace(BOKMA.eligible, diagnoses=("panics",)))

    assert (refusal.what, refusal.do) == ("Unknown code list 'panics'.", "Did you mean 'panic'?")


def test_an_unknown_scale_is_refused_with_the_nearest_one() -> None:
    """A misspelt scale would silently never be measured."""
    rule = dataclasses.replace(BOKMA.outcome.scales[0], scale="hama")
    refusal = misspelt(CODES, outcome=dataclasses.replace(BOKMA.outcome, scales=(rule,)))

    assert refusal.do == "Did you mean 'ham_a'?"
