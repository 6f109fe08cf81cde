"""Which delivered rows are refused and why: both sides of each boundary, and nothing lost on the way."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from types import SimpleNamespace
from typing import Any, cast

import polars as pl
import pytest

from impasse.schemas.delivered import Delivered
from impasse.schemas.errors import ImpasseError
from impasse.transforms.ingest import clean as cleaning
from impasse.transforms.ingest.ordering import Piece
from tests.cleaning import clean
from tests.shipped import CODES
from tests.tables import assert_shows
from tests.unit.deliveries import cleaned, layout, study

ONE = """
    person_id,birth_date,sex,death_date
    a,1970-05-05,female,2010-06-30
"""


@pytest.fixture(autouse=True, params=[0, 10**9], ids=["read once", "read row by row"])
def _either_way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is read once for all rows that say it, and what is read row by row, is read by the same rules."""
    monkeypatch.setattr("impasse.transforms.ingest.registry._WORTH_IT", request.param)


def refused(layout: str, table: str, **files: str) -> pl.DataFrame:
    """The quarantine of one table."""
    return cleaned(layout, **files).quarantine[table]


def test_persons_are_numbered_by_identifier() -> None:
    """`person` is the row number by the text of person_id, so 10 comes before 9."""
    found = cleaned("generic", persons="person_id,birth_date,sex\n9,1970-01-01,m\n10,1971-01-01,F\n")

    assert_shows(
        found.extract.persons,
        """
        person | person_id | birth_date | sex
        0      | 10        | 1971-01-01 | female
        1      | 9         | 1970-01-01 | male
        """,
    )


def test_words_for_sex_are_read_in_capitals_too() -> None:
    """F and f are one word, and so are Female and female; a word the layout does not know is unknown."""
    found = cleaned("generic", persons="person_id,birth_date,sex\na,,F\nb,,f\nc,,Female\nd,,M\ne,,x\n")

    assert found.extract.persons["sex"].to_list() == ["female", "female", "female", "male", "unknown"]


def test_births_known_by_month_or_year_fall_in_the_middle() -> None:
    """A birth known by year is 1 July, by month the 15th."""
    found = cleaned("generic", persons="person_id,birth_date\na,1970\nb,1970-02\nc,1970-02-03\n")

    assert_shows(
        found.extract.persons,
        "person_id | birth_date\na | 1970-07-01\nb | 1970-02-15\nc | 1970-02-03",
    )


def test_a_birth_known_by_year_refuses_nothing_of_that_year() -> None:
    """Born in 2001: a row of January 2001 may be right, one of December 2000 cannot."""
    diagnoses = "person_id,date,code,code_system\na,2001-01-01,F32,icd10\na,2000-12-31,F32,icd10\n"
    found = cleaned("generic", persons="person_id,birth_date\na,2001\n", diagnoses=diagnoses)

    assert_shows(found.quarantine["diagnoses"], "date | rule\n2000-12-31 | date_before_birth")


def test_identical_person_rows_are_one_person() -> None:
    """The first is kept, the other explained as a duplicate, whatever else its row says."""
    found = cleaned("generic", persons="person_id,birth_date,town\na,1970-01-01,x\na,1970-01-01,y\n")

    assert found.extract.persons.height == 1
    assert_shows(found.quarantine["persons"], "town | rule\ny | person_duplicate")


def test_contradicting_person_rows_are_all_refused() -> None:
    """Nobody can tell which of two births is right, so the person and all rows of it go."""
    found = cleaned(
        "generic",
        persons="person_id,birth_date\na,1970-01-01\na,1971-01-01\nb,1980-01-01\n",
        dispensings="person_id,date,atc\na,2010-01-01,N06AB06\nb,2010-01-01,N06AB06\n",
    )

    assert found.extract.persons["person_id"].to_list() == ["b"]
    assert found.quarantine["persons"]["rule"].to_list() == ["person_conflicting", "person_conflicting"]
    assert_shows(found.quarantine["dispensings"], "person_id | rule\na | person_unknown")


def test_implausible_persons_are_refused() -> None:
    """No id, a birth outside 1850 to the end of the study, or a death before birth."""
    found = refused(
        "generic",
        "persons",
        persons="""
            person_id,birth_date,death_date
            ,1970-01-01,
            b,1849-12-31,
            c,1850-01-01,
            d,2021-01-01,
            e,1970-02-30,
            f,1970-01-02,1970-01-01
            g,,
        """,
    )

    assert_shows(
        found,
        """
        person_id | rule
        -         | person_missing
        b         | birth_implausible
        d         | birth_implausible
        e         | date_unreadable
        f         | death_before_birth
        """,
    )


def test_dates_of_events_are_bounded_by_life_and_period() -> None:
    """Rows dated before birth, after death, after the period, not at all or unreadably are refused."""
    found = refused(
        "generic",
        "procedures",
        persons="person_id,birth_date,death_date\na,1970-05-05,2010-06-30\nb,,\n",
        procedures="""
            person_id,date,code,code_system
            a,1970-05-04,X1,kva
            a,1970-05-05,X1,kva
            a,2010-06-30,X1,kva
            a,2010-07-01,X1,kva
            b,1899-12-31,X1,kva
            b,1900-01-01,X1,kva
            b,2020-12-31,X1,kva
            b,2021-01-01,X1,kva
            b,2010-02-30,X1,kva
            b,20100228,X1,kva
            b,,X1,kva
            ,2010-01-01,X1,kva
            z,2010-01-01,X1,kva
        """,
    )

    assert_shows(
        found,
        """
        person_id | date       | rule
        a         | 1970-05-04 | date_before_birth
        a         | 2010-07-01 | date_after_death
        b         | 1899-12-31 | date_before_1900
        b         | 2021-01-01 | date_after_period
        b         | 2010-02-30 | date_unreadable
        b         | 20100228   | date_unreadable
        b         | -          | date_missing
        -         | 2010-01-01 | person_missing
        z         | 2010-01-01 | person_unknown
        """,
    )


def test_refused_rows_are_kept_as_delivered() -> None:
    """The quarantine holds every delivered column untouched, the rule and its reason."""
    found = refused(
        "generic", "dispensings", persons=ONE, dispensings="person_id,date,atc,note\na,2010-01-01,bad, x \n"
    )

    assert found.to_dicts() == [
        {
            "person_id": "a",
            "date": "2010-01-01",
            "atc": "bad",
            "note": " x",
            "rule": "atc_malformed",
            "reason": "the ATC code does not have the form of one",
        }
    ]


def test_dispensings_need_a_whole_atc_code_and_amounts_that_can_be() -> None:
    """Short ATC codes are codes; broken ones and unreadable amounts are refused, and so is a negative daily dose."""
    found = cleaned(
        "generic",
        persons=ONE,
        dispensings="""
            person_id,date,atc,n_packages,daily_dose_mg
            a,2010-01-01,N06AB06,1,
            a,2010-01-01,n06a,"1,5",
            a,2010-01-01,N06AB6,1,
            a,2010-01-01,,1,
            a,2010-01-01,N06AB04,1,-1
            a,2010-01-01,N06AB05,many,
            a,2010-01-01,N06AB03,0,
        """,
    )

    assert found.extract.dispensings["atc"].to_list() == ["N06A", "N06AB03", "N06AB06"]
    assert_shows(
        found.quarantine["dispensings"],
        """
        atc     | rule
        N06AB6  | atc_malformed
        -       | atc_missing
        N06AB04 | supply_negative
        N06AB05 | supply_unreadable
        """,
    )


def test_identical_dispensings_are_two_dispensings() -> None:
    """Two packages handed out on one day are two rows of the register, and stay so."""
    found = cleaned(
        "generic", persons=ONE, dispensings="person_id,date,atc\na,2010-01-01,N06AB06\na,2010-01-01,N06AB06\n"
    )

    assert found.extract.dispensings.height == 2


def test_moved_atc_codes_get_their_new_code() -> None:
    """Pregabalin is one drug before and after its ATC code moved."""
    found = cleaned("generic", persons=ONE, dispensings="person_id,date,atc\na,2010-01-01,N03AX16\n")

    assert found.extract.dispensings["atc"].to_list() == ["N02BF02"]


def test_codes_get_one_spelling() -> None:
    """Upper case, without dots and commas, whatever the register writes."""
    diagnoses = 'person_id,date,code,code_system\na,2010-01-01,f32.1,ICD-10\na,1980-01-01,"300,40",icd8\n'
    found = cleaned("generic", persons=ONE, diagnoses=diagnoses)

    assert_shows(found.extract.diagnoses, "code | code_system\nF321 | icd10\n30040 | icd8")


def test_diagnoses_need_a_code_of_a_known_system() -> None:
    """A blank code, a code of punctuation only and an unknown system are refused; so is an end before the start."""
    found = refused(
        "generic",
        "diagnoses",
        persons=ONE,
        diagnoses="""
            person_id,date,end_date,code,code_system
            a,2010-01-01,2010-01-01,F32,icd10
            a,2010-01-01,,,icd10
            a,2010-01-01,,-,icd10
            a,2010-01-01,,F32,dsm
            a,2010-01-01,,F32,
            a,2010-01-01,2009-12-31,F32,icd10
        """,
    )

    assert found["rule"].to_list() == [
        "code_missing",
        "code_missing",
        "code_system_unknown",
        "code_system_unknown",
        "end_before_start",
    ]


def test_a_score_without_a_value_is_never_zero() -> None:
    """Missing, unreadable, impossible and unknown scores are refused; both ends of the range are scores."""
    found = cleaned(
        "generic",
        persons=ONE,
        scores="""
            person_id,date,scale,value
            a,2010-01-01,PHQ9,0
            a,2010-01-02,phq9,27
            a,2010-01-03,phq9,27.5
            a,2010-01-03,phq9,-1
            a,2010-01-03,phq9,
            a,2010-01-03,phq9,high
            a,2010-01-03,mood,3
        """,
    )

    assert_shows(found.extract.scores, "scale | value\nphq9 | 0\nphq9 | 27")
    assert found.quarantine["scores"]["rule"].to_list() == [
        "score_out_of_range",
        "score_out_of_range",
        "score_missing",
        "score_unreadable",
        "scale_unknown",
    ]


def test_open_coverage_goes_on_and_may_begin_before_birth() -> None:
    """Coverage says who is observed: without an end it lasts to the end of the period."""
    coverage = "person_id,start_date,end_date\na,1960-01-01,\na,2005-01-01,2004-12-31\na,2005-01-01,2005-01-01\n"
    found = cleaned("generic", persons=ONE, coverage=coverage)

    assert_shows(found.extract.coverage, "start_date | end_date\n1960-01-01 | 2020-12-31\n2005-01-01 | 2005-01-01")
    assert found.quarantine["coverage"]["rule"].to_list() == ["end_before_start"]


def test_delivered_is_accepted_plus_quarantined() -> None:
    """For every table each delivered row is on exactly one side, and absent tables are said to be absent."""
    found = cleaned(
        "generic",
        persons=ONE,
        dispensings="person_id,date,atc\na,2010-01-01,N06AB06\na,2010-01-01,bad\nz,2010-01-01,N06AB06\n",
    )

    assert_shows(
        found.reconciliation.filter(pl.col("table").is_in(["persons", "dispensings", "scores"])),
        """
        table       | is_present | n_delivered | n_accepted | n_quarantined
        persons     | true       | 1           | 1          | 0
        dispensings | true       | 3           | 1          | 2
        scores      | false      | 0           | 0          | 0
        """,
    )
    assert_shows(
        found.rules,
        "table | rule | n\ndispensings | atc_malformed | 1\ndispensings | person_unknown | 1",
    )


def test_absent_tables_are_none() -> None:
    """What was not delivered is unknown, not empty."""
    found = cleaned("generic", persons=ONE).extract

    assert found.scores is None
    assert found.dispensings is None


def test_order_of_delivery_does_not_matter() -> None:
    """The same rows in another order give the same canonical table."""
    one = cleaned(
        "generic", persons=ONE, dispensings="person_id,date,atc\na,2010-01-02,N06AB06\na,2010-01-01,N06AB04\n"
    )
    two = cleaned(
        "generic", persons=ONE, dispensings="person_id,date,atc\na,2010-01-01,N06AB04\na,2010-01-02,N06AB06\n"
    )

    assert one.extract.dispensings.equals(two.extract.dispensings)


def test_only_delivered_tables_show_anything() -> None:
    """The generic layout could show psychotherapy; without procedures nobody can tell, and it is not observed."""
    rows = "person_id,date,atc\na,2010-01-01,N06AB06\n"

    assert cleaned("generic", persons=ONE, dispensings=rows).extract.observes == frozenset({"drug"})
    assert cleaned("generic", persons=ONE).extract.observes == frozenset()


def test_typed_columns_are_read_as_they_are() -> None:
    """Parquet brings whole-number ids, dates with a time and NaN: NaN is not recorded, not unreadable."""
    files = {
        "persons": pl.DataFrame({"PERSON_ID": [1], "Birth_Date": [date(1970, 1, 1)]}),
        "dispensings": pl.DataFrame(
            {
                "person_id": [1, 1],
                "date": [datetime(2010, 1, 1, 12), datetime(2010, 1, 2)],
                "atc": ["N06AB06", "N06AB06"],
                "days_supply": [30.0, float("nan")],
            }
        ),
    }
    found = clean(Delivered(files), layout("generic"), study(), CODES)

    assert_shows(
        found.extract.dispensings,
        "date | days | supply_basis\n2010-01-01 | 30 | days_supply\n2010-01-02 | - | unknown",
    )


def test_ends_after_the_period_are_its_end() -> None:
    """A far end stands for an open one: it is cut to the end of the period, and an end on its last day stays."""
    ends = "a,2010-01-01,2020-12-30\na,2010-01-02,2020-12-31\na,2010-01-03,2021-01-01\na,2010-01-04,9999-12-31\n"
    found = cleaned(
        "generic",
        persons="person_id,birth_date\na,1970-05-05\n",
        coverage="person_id,start_date,end_date\n" + ends,
        admissions="person_id,start_date,end_date\n" + ends,
        diagnoses="person_id,date,end_date,code,code_system\n" + ends.replace("\n", ",F32,icd10\n"),
    ).extract
    cut = [date(2020, 12, 30), date(2020, 12, 31), date(2020, 12, 31), date(2020, 12, 31)]

    assert found.coverage["end_date"].to_list() == cut
    assert found.admissions["end_date"].to_list() == cut
    assert found.diagnoses["end_date"].to_list() == cut


def test_coverage_keeps_to_the_years_a_study_can_have() -> None:
    """Coverage that begins after the period is one day; a start before 1900 or after 2300 stands for an open one."""
    coverage = """
        person_id,start_date,end_date
        a,0001-01-01,0001-12-31
        a,0001-01-01,2010-12-31
        a,2021-03-01,2022-12-31
        a,9999-12-31,9999-12-31
    """
    found = cleaned("generic", persons=ONE, coverage=coverage)

    assert_shows(
        found.extract.coverage,
        """
        start_date | end_date
        1900-01-01 | 1900-01-01
        1900-01-01 | 2010-12-31
        2021-03-01 | 2021-03-01
        2300-12-31 | 2300-12-31
        """,
    )


def test_a_comma_before_three_digits_is_not_guessed() -> None:
    """1,234 is a thousand to some and a little over one to others; 0,5 and 37,5 are decimals to all."""
    found = cleaned(
        "generic",
        persons=ONE,
        dispensings="""
            person_id,date,atc,days_supply
            a,2010-01-01,N06AB03,"37,5"
            a,2010-01-02,N06AB03,"1,234"
            a,2010-01-03,N06AB03,"12,345,678"
            a,2010-01-04,N06AB03,"0,500"
            a,2010-01-05,N06AB03,"1,2345"
        """,
        scores='person_id,date,scale,value\na,2010-01-01,phq9,"0,5"\na,2010-01-02,phq9,"1,234"\n',
    )

    assert found.extract.dispensings["days"].to_list() == [37, 1, 1]
    assert_shows(
        found.quarantine["dispensings"],
        "date | rule\n2010-01-02 | supply_unreadable\n2010-01-03 | supply_unreadable",
    )
    assert found.extract.scores["value"].to_list() == [0.5]
    assert found.quarantine["scores"]["rule"].to_list() == ["score_unreadable"]


def test_amounts_nobody_is_given_are_refused() -> None:
    """An amount of 100,000 may be; more than that is a slip, however large, and refuses the row."""
    found = cleaned(
        "generic",
        persons=ONE,
        dispensings="""
            person_id,date,atc,quantity,days_supply,daily_dose_mg
            a,2010-01-01,N06AB06,,100000,
            a,2010-01-02,N06AB06,,100000.5,
            a,2010-01-03,N06AB06,,1e18,
            a,2010-01-04,N06AB06,1e300,30,
            a,2010-01-05,N06AB06,,30,1e300
            a,2010-01-06,N06AB06,,1e400,
        """,
    )

    assert found.extract.dispensings["days"].to_list() == [366]
    assert found.quarantine["dispensings"]["rule"].to_list() == ["supply_too_large"] * 4 + ["supply_unreadable"]


def test_float_identifiers_are_the_whole_numbers_they_are() -> None:
    """An id column with gaps becomes 7.0 in other tools, in Parquet and in CSV: it is still person 7."""
    files = {
        "persons": pl.DataFrame({"person_id": [7.0, 197001011234.0, None], "birth_date": [date(1970, 1, 1)] * 3}),
        "dispensings": pl.DataFrame(
            {"person_id": [7, 197001011234], "date": [date(2010, 1, 1)] * 2, "atc": ["N06AB06"] * 2}
        ),
        "scores": pl.DataFrame({"person_id": ["7.0"], "date": ["2010-01-01"], "scale": ["phq9"], "value": ["5"]}),
    }
    found = clean(Delivered(files), layout("generic"), study(), CODES)

    assert found.extract.persons["person_id"].to_list() == ["197001011234", "7"]
    assert found.extract.dispensings["person"].to_list() == [0, 1]
    assert found.extract.scores["person"].to_list() == [1]
    assert found.quarantine["persons"]["rule"].to_list() == ["person_missing"]


def test_words_of_float_columns_are_whole_numbers() -> None:
    """A coded word does not get a nought more because the column is a float."""
    files = {
        "persons": pl.DataFrame({"lopnr": [1], "fodelseman": [1956.0], "kon": [2.0]}),
        "dispensings": pl.DataFrame(
            {"lopnr": [1], "EDATUM": [20100201.0], "ATC": ["N06A"], "ANTAL": 1, "forpddd": 9.5}
        ),
        "diagnoses": pl.DataFrame(
            {"SOURCE": ["inpatient"], "lopnr": 1, "INDATUM": "1985-01-01", "HDIA": "29609"}
        ).with_columns(pl.lit(None).alias("DIA1"), pl.lit(None).alias("OP")),
    }
    found = clean(Delivered(files), layout("swedish"), study(), CODES).extract

    assert_shows(found.persons, "birth_date | sex\n1956-07-01 | female")
    assert_shows(found.dispensings, "date | days\n2010-02-01 | 9")
    assert_shows(found.diagnoses, "code | code_system\n29609 | icd8")


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([time(1)], "Time"),
        ([timedelta(1)], "Duration"),
        ([["secret"]], "List"),
        ([{"a": "secret"}], "Struct"),
        ([b"secret"], "Binary"),
    ],
)
@pytest.mark.parametrize("column", ["person_id", "date", "atc", "days_supply"])
def test_columns_of_types_that_are_no_text_number_or_date_are_refused(column: str, values: list, kind: str) -> None:
    """One message names file, column and type; no value."""
    whole = {"person_id": ["a"], "date": ["2010-01-01"], "atc": ["N06AB06"], "days_supply": [30]}
    files = {
        "persons": pl.DataFrame({"person_id": ["a"], "birth_date": ["1970-01-01"]}),
        "dispensings": pl.DataFrame(whole | {column: values}),
    }

    with pytest.raises(ImpasseError) as caught:
        clean(Delivered(files), layout("generic"), study(), CODES)

    assert f"Column '{column}' is of the type {kind}" in str(caught.value)
    assert "file dispensings" in str(caught.value)
    assert "secret" not in str(caught.value)


def test_an_odd_column_that_nothing_reads_does_no_harm() -> None:
    """Only columns the layout reads must be text, numbers or dates; the row is quarantined as it came."""
    files = {
        "persons": pl.DataFrame({"person_id": ["a"], "birth_date": ["1970-01-01"], "tags": [["x"]]}),
        "dispensings": pl.DataFrame({"person_id": ["a"], "date": ["2010-01-01"], "atc": ["bad"], "at": [time(1)]}),
    }
    found = clean(Delivered(files), layout("generic"), study(), CODES)

    assert found.quarantine["dispensings"]["at"].to_list() == [time(1)]


def test_a_column_of_dates_where_a_number_is_due_is_unreadable() -> None:
    """A date is no number of days, and a number no date."""
    files = {
        "persons": pl.DataFrame({"person_id": ["a"], "birth_date": ["1970-01-01"]}),
        "dispensings": pl.DataFrame(
            {"person_id": ["a"], "date": ["2010-01-01"], "atc": ["N06AB06"], "days_supply": [date(2010, 1, 1)]}
        ),
    }
    found = clean(Delivered(files), layout("generic"), study(), CODES)

    assert found.quarantine["dispensings"]["rule"].to_list() == ["supply_unreadable"]


def test_every_row_of_the_generic_layout_is_read() -> None:
    """A layout without row filters leaves no row unread."""
    assert cleaned("generic", persons=ONE).unused.is_empty()


def test_nothing_below_nothing_is_nothing() -> None:
    """0 and -0 are one value of a score."""
    found = cleaned("generic", persons=ONE, scores="person_id,date,scale,value\na,2010-01-01,phq9,-0\n")

    assert str(found.extract.scores["value"][0]) == "0.0"


def test_what_many_rows_say_is_held_against_each() -> None:
    """Rows that say the same are read once, and each is refused for it, or for its own person or day."""
    rows = "a,2010-01-01,N06AB06,-1\n" * 3 + "z,2010-01-01,N06AB06,1\na,1969-01-01,N06AB06,1\n" * 3
    found = cleaned("generic", persons=ONE, dispensings=f"person_id,date,atc,daily_dose_mg\n{rows}")

    assert (
        found.quarantine["dispensings"]["rule"].to_list()
        == ["supply_negative"] * 3
        + [
            "person_unknown",
            "date_before_birth",
        ]
        * 3
    )
    assert found.extract.dispensings.height == 0


def test_an_unreadable_date_speaks_before_an_unreadable_amount() -> None:
    """The first rule of a row speaks, however many rows say the same."""
    rows = "a,2010-02-30,N06AB06,many\n" * 4 + "a,2010-02-28,N06AB06,many\nz,2010-02-28,N06AB06,many\n"
    found = refused("generic", "dispensings", persons=ONE, dispensings=f"person_id,date,atc,n_packages\n{rows}")

    assert found["rule"].to_list() == ["date_unreadable"] * 4 + ["supply_unreadable"] * 2


def test_a_delivery_without_any_usable_person_refuses_every_row() -> None:
    """Nobody is left for a row to belong to; a row that names nobody is told as such."""
    found = cleaned(
        "generic",
        persons="person_id,birth_date\na,1700-01-01\n",
        dispensings="person_id,date,atc\na,2010-01-01,N06A\n,2010-01-01,N06A\n",
    )

    assert (found.extract.persons.height, found.extract.dispensings.height) == (0, 0)
    assert found.quarantine["dispensings"]["rule"].to_list() == ["person_unknown", "person_missing"]


def test_what_is_said_is_numbered_beyond_32_bits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pieces of a table of billions of rows are numbered one after another."""
    said = pl.DataFrame({"said": [1]}, schema={"said": pl.UInt32})
    piece, draft = Piece(said, said, pl.DataFrame(), 1, 0, 1, 1), SimpleNamespace(facts=SimpleNamespace(height=2**31))
    monkeypatch.setattr(cleaning, "_sift", lambda *_: piece)
    source = SimpleNamespace(drafts=lambda *_: [draft, draft])
    pieces = cleaning.clean_pieces("scores", cast(Delivered, None), cast(Any, source), cast(Any, None))

    assert [each.rows["said"].item() for each in pieces] == [1, 2**32 + 1]
