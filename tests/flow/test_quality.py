"""Deliveries and releases checked with Great Expectations: what passes, what warns, what stops."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from impasse.flows.checks.quality import check_facts, check_release, measure_facts, require_met
from impasse.schemas import codelist_files, study
from impasse.schemas.errors import PublicationStopped
from impasse.schemas.expectations import ExpectationResult
from impasse.schemas.extracts import Extract
from impasse.schemas.study import QualitySection, Study

CODE_FOLDER = Path(__file__).resolve().parents[2] / "schemas" / "codelists"
CODES = codelist_files.parse({path.stem: path.read_text(encoding="utf-8") for path in CODE_FOLDER.glob("*.csv")})
STUDY = study.parse(
    "study.toml",
    """
    name = "example"
    source = { kind = "registry", path = "delivery" }
    period = { start = 2015-01-01, end = 2016-12-31 }
    episodes = { disorders = ["depression"] }
    quality = { max_quarantined_percent = 10, min_rows = { persons = 100 } }
    """,
)
NO_RULES = pl.DataFrame(schema={"table": pl.String, "rule": pl.String, "n": pl.Int64})


def _persons(n: int = 100) -> pl.DataFrame:
    person = pl.int_range(n, eager=True, dtype=pl.UInt32).alias("person")
    return pl.DataFrame({"person": person}).select(
        "person",
        pl.format("p{}", "person").alias("person_id"),
        pl.lit(date(1970, 1, 1)).alias("birth_date"),
        pl.lit("female", pl.Categorical).alias("sex"),
        pl.lit(None, pl.Date).alias("death_date"),
    )


def _dispensings(n_unknown_days: int = 0, atc: str = "N06AB06", day: date = date(2015, 6, 1)) -> pl.DataFrame:
    """One hundred fills, the second fifty a year later."""
    return pl.DataFrame({"person": pl.int_range(100, eager=True, dtype=pl.UInt32)}).select(
        "person",
        pl.when(pl.col("person") < 50).then(day).otherwise(pl.lit(day).dt.offset_by("1y")).alias("date"),
        pl.lit(atc, pl.Categorical).alias("atc"),
        pl.when(pl.col("person") >= n_unknown_days).then(30).cast(pl.Int32).alias("days"),
        pl.lit(50_000, pl.Int64).alias("dose_ug"),
        pl.lit(1000, pl.Int64).alias("dose_mddd"),
        pl.lit("days_supply", pl.Categorical).alias("supply_basis"),
        pl.lit("dispensed", pl.Categorical).alias("kind"),
    )


def _scores(value: float = 20.0) -> pl.DataFrame:
    return pl.DataFrame({"person": [0] * 20, "date": [date(2015, 6, 1)] * 20, "scale": "madrs", "value": value}).cast(
        {"person": pl.UInt32, "scale": pl.Categorical}
    )


EXTRACT = Extract(_persons(), None, None, _dispensings(), None, _scores(), None, frozenset({"drug"}))


def _reconciliation(quarantined: int = 0, n_persons: int = 100) -> pl.DataFrame:
    """Of a hundred delivered dispensings `quarantined` were rejected."""
    return pl.DataFrame(
        [("persons", True, n_persons, n_persons, 0), ("dispensings", True, 100, 100 - quarantined, quarantined)],
        schema=["table", "is_present", "n_delivered", "n_accepted", "n_quarantined"],
        orient="row",
    )


def _failed(results: list[ExpectationResult]) -> list[tuple[str, str, str]]:
    return [(r.table, r.sentence, r.observed) for r in results if not r.success]


def _checked(
    extract: Extract, reconciliation: pl.DataFrame, rules: pl.DataFrame, study: Study
) -> list[ExpectationResult]:
    """A delivery in memory, checked."""
    facts = measure_facts(extract.tables(), extract.persons.height, study, CODES)
    return check_facts(facts, reconciliation, rules, study)


def _check(extract: Extract = EXTRACT, **reconciliation: int) -> list[ExpectationResult]:
    return _checked(extract, _reconciliation(**reconciliation), NO_RULES, STUDY)


def test_a_normal_delivery_passes():
    """A delivery like others meets every expectation and may be published."""
    results = _check()
    assert _failed(results) == []
    assert len(results) > 12
    require_met(results)


def test_ten_percent_quarantined_is_allowed():
    """The limit itself is still within the limit."""
    assert _failed(_check(quarantined=10)) == []


def test_eleven_percent_quarantined_stops_publication():
    """One row in a hundred over the limit stops publication, in words that name table and limit."""
    results = _check(quarantined=11)
    assert _failed(results) == [
        ("dispensings", "At most 10% of the delivered rows are quarantined.", "11 (11.0%) of 100"),
    ]
    with pytest.raises(PublicationStopped, match="dispensings: At most 10% of the delivered rows are quarantined"):
        require_met(results)


def test_too_few_persons_stop_publication():
    """Ninety-nine persons where the study asks for a hundred."""
    results = _check(n_persons=99)
    assert _failed(results) == [("persons", "Rows that can be used: at least 100.", "99 rows")]
    with pytest.raises(PublicationStopped, match="1 critical check failed"):
        require_met(results)


def test_twenty_percent_unknown_supply_is_normal():
    """Eighty in a hundred fills that tell how long they last are enough."""
    assert _failed(_check(replace(EXTRACT, dispensings=_dispensings(n_unknown_days=20)))) == []


def test_more_unknown_supply_warns_but_does_not_stop():
    """Twenty-one unknown fills are told, and published all the same."""
    results = _check(replace(EXTRACT, dispensings=_dispensings(n_unknown_days=21)))
    assert _failed(results) == [
        ("dispensings", "At least 80% of dispensings tell how many days they last.", "79.0% of 100"),
    ]
    require_met(results)


def test_codes_nobody_lists_warn():
    """A column of other drugs' codes is noticed."""
    failed = _failed(_check(replace(EXTRACT, dispensings=_dispensings(atc="A02BC01"))))
    assert [(table, observed) for table, _, observed in failed] == [("dispensings", "none of 100")]


def test_a_year_without_rows_warns():
    """A delivery that ends a year early has an empty year."""
    failed = _failed(_check(replace(EXTRACT, dispensings=_dispensings(day=date(2014, 6, 1)))))
    assert ("dispensings", "Every calendar year of the study period has rows.", "none in 2016") in failed


def test_scores_outside_their_scale_warn():
    """MADRS ends at 60."""
    assert _failed(_check(replace(EXTRACT, scores=_scores(60.0)))) == []
    assert [r[0] for r in _failed(_check(replace(EXTRACT, scores=_scores(61.0))))] == ["scores"]


def test_one_rule_that_takes_more_than_a_twentieth_warns():
    """Six of a hundred rows lost to one rule is a systematic fault; five are not."""
    six = pl.DataFrame({"table": ["dispensings"], "rule": ["unknown_person"], "n": [6]})
    five = six.with_columns(n=pl.lit(5, pl.Int64))
    many = _checked(EXTRACT, _reconciliation(), six, STUDY)
    few = _checked(EXTRACT, _reconciliation(), five, STUDY)
    assert [r[0] for r in _failed(many)] == ["dispensings"]
    assert _failed(few) == []


def test_a_delivery_in_two_buckets_is_checked_as_one():
    """Facts are added up over buckets: the same results, word for word, whatever is where."""
    tables = EXTRACT.tables()
    first = {name: table.filter(pl.col("person") < 30) for name, table in tables.items()}
    second = {name: table.filter(pl.col("person") >= 30) for name, table in tables.items()}
    facts = [measure_facts(part, part["persons"].height, STUDY, CODES) for part in (first, second)]

    assert second["scores"].height == 0
    assert check_facts(pl.concat(facts), _reconciliation(), NO_RULES, STUDY) == _check()


def test_absent_tables_are_not_asked_about():
    """A table that was not delivered is unknown, not wrong."""
    assert {r.table for r in _check()} == {"persons", "dispensings", "scores"}


def test_a_table_the_study_needs_must_be_there():
    """A minimum of rows set for a table that was not delivered stops publication."""
    needs = STUDY.model_copy(update={"quality": QualitySection(min_rows={"admissions": 1})})
    absent = pl.DataFrame([("admissions", False, 0, 0, 0)], schema=_reconciliation().schema, orient="row")
    results = _checked(EXTRACT, pl.concat([_reconciliation(), absent]), NO_RULES, needs)
    assert _failed(results) == [("admissions", "Rows that can be used: at least 1.", "0 rows")]


def test_small_counts_are_not_told():
    """Three of a hundred persons without a birth date stay untold, and so do all but three."""
    persons = _persons().with_columns(birth_date=pl.when(pl.col("person") >= 3).then("birth_date"))
    results = _check(replace(EXTRACT, persons=persons))
    assert [r.observed for r in results if "have a birth date" in r.sentence] == ["all but fewer than 5 of 100"]


def _prevalence(**columns: list) -> pl.DataFrame:
    """Two definitions, the second suppressed."""
    base = {
        "definition_id": ["first", "second"],
        "denominator_id": ["episodes", "episodes"],
        "stratum": ["all", "all"],
        "level": ["all", "all"],
        "n_total": [100, None],
        "n_resistant": [20, None],
        "n_undetermined": [10, None],
        "prevalence": [20 / 90, None],
        "bound_low": [0.2, None],
        "bound_high": [0.3, None],
        "suppressed": [False, True],
    }
    return pl.DataFrame(base | columns)


def _classifications(first: int = 10, second: int = 10) -> pl.LazyFrame:
    return pl.LazyFrame({"definition_id": ["first"] * first + ["second"] * second})


def _released(**tables: pl.DataFrame | pl.LazyFrame) -> list[ExpectationResult]:
    normal = {
        "prevalence": _prevalence(),
        "reconciliation": _reconciliation(),
        "classifications": _classifications(),
    }
    return check_release(normal | tables, episodes_rows=10, definitions_n=2, study=STUDY)


def test_a_normal_release_passes():
    """Suppressed rows hold nulls and are no fault."""
    results = _released()
    assert _failed(results) == []
    assert len(results) == 12
    require_met(results)


def test_a_count_under_the_threshold_stops_publication():
    """Four must not be published; five may."""
    four = _released(prevalence=_prevalence(n_resistant=[4, None]))
    five = _released(prevalence=_prevalence(n_resistant=[5, None]))
    assert [r[1] for r in _failed(four)] == ["No published count is from 1 to 4."]
    assert _failed(five) == []
    with pytest.raises(PublicationStopped):
        require_met(four)


@pytest.mark.parametrize(("persons", "is_wrong"), [((94, 20), True), ((88, 18), True), ((88, 20), False)])
def test_few_repeats_between_episodes_and_persons_stop_publication(persons, is_wrong):
    """Of 70 episodes that are not resistant 69 persons, or of 20 resistant ones 18, are told; 63 and 20 are not."""
    two = _prevalence(
        definition_id=["first", "first"],
        denominator_id=["eligible", "persons"],
        n_total=[100, persons[0]],
        n_resistant=[20, persons[1]],
        n_undetermined=[10, 5],
        suppressed=[False, False],
    )
    failed = [r[1] for r in _failed(_released(prevalence=two))]
    assert failed == ["No two denominators of a definition, or its episodes and persons, are 1 to 4 apart."] * is_wrong


def _profile(n: int, n_of: int) -> pl.DataFrame:
    """One level of a shown definition, and one of a suppressed."""
    return pl.DataFrame(
        {
            "definition_id": ["first", "second"],
            "characteristic": ["afterwards", "afterwards"],
            "level": ["died", "died"],
            "n": [n, None],
            "n_of": [n_of, None],
            "suppressed": [False, True],
        }
    )


@pytest.mark.parametrize(("n", "n_of", "is_wrong"), [(10, 25, False), (0, 25, False), (11, 25, True), (10, 26, True)])
def test_an_exact_number_in_a_profile_stops_publication(n, n_of, is_wrong):
    """Multiples of five are rounded; eleven, or an exact total, is not."""
    failed = _failed(_released(profile=_profile(n, n_of)))
    assert [r[1] for r in failed] == ["Every number is a multiple of 5."] * is_wrong


def test_a_missing_classification_stops_publication():
    """Nineteen rows for ten episodes and two definitions."""
    failed = _failed(_released(classifications=_classifications(second=9)))
    assert {r[0] for r in failed} == {"classifications"}
    assert len(failed) == 2


def test_a_definition_that_gained_what_another_lost_is_noticed():
    """The total is right and the rows are not."""
    failed = _failed(_released(classifications=_classifications(first=11, second=9)))
    assert [r[1] for r in failed] == ["Every definition classifies every episode."]


def test_no_classifications_at_all_stop_publication():
    """An absent table counts as no rows."""
    results = check_release({"prevalence": _prevalence()}, episodes_rows=10, definitions_n=2, study=STUDY)
    assert [r[0] for r in _failed(results)] == ["classifications"]


def test_bounds_must_hold_the_prevalence():
    """A lower bound above the prevalence is an error; equal is not."""
    above = _released(prevalence=_prevalence(bound_low=[0.25, None]))
    equal = _released(prevalence=_prevalence(bound_low=[20 / 90, None]))
    assert [r[1] for r in _failed(above)] == ["bound_low is at most prevalence."]
    assert _failed(equal) == []


def test_a_row_twice_stops_publication():
    """Two rows under one key."""
    failed = _failed(_released(prevalence=_prevalence(definition_id=["first", "first"])))
    assert [r[1] for r in failed] == ["There is one row per definition_id, denominator_id, stratum, level."]


def test_a_reconciliation_that_loses_a_row_stops_publication():
    """A delivered row that is neither accepted nor quarantined."""
    lost = _reconciliation().with_columns(n_delivered=pl.lit(101, pl.Int64))
    assert [r[0] for r in _failed(_released(reconciliation=lost))] == ["reconciliation"]


def test_an_exception_inside_the_check_is_a_failure_without_its_message():
    """A check that cannot run fails, and says only what kind of error it was."""
    shares = _prevalence(prevalence=["secret", None])
    failed = _failed(_released(prevalence=shares))
    assert ("prevalence", "prevalence is from 0 to 1.", "could not be checked: TypeError") in failed
    assert "secret" not in str(failed)


def test_checking_leaves_no_files_and_says_nothing(tmp_path, monkeypatch, capfd):
    """Nothing is written to the folder, the terminal or the log."""
    monkeypatch.chdir(tmp_path)
    _check()
    assert list(tmp_path.iterdir()) == []
    assert capfd.readouterr() == ("", "")
