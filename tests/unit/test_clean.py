"""Which delivered rows are refused and why: both sides of each boundary, and nothing lost on the way."""

from __future__ import annotations

from datetime import date, datetime

import polars as pl

from schemas.mapping import Delivered
from tests.shipped import CODES
from tests.tables import assert_shows
from tests.unit.deliveries import cleaned, layout, study
from transforms.clean import clean

ONE = """
    person_id,birth_date,sex,death_date
    a,1970-05-05,female,2010-06-30
"""


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
        0      | 10        | 1971-01-01 | unknown
        1      | 9         | 1970-01-01 | male
        """,
    )


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
    """Short ATC codes are codes; broken ones, unreadable and negative amounts are refused."""
    found = cleaned(
        "generic",
        persons=ONE,
        dispensings="""
            person_id,date,atc,n_packages
            a,2010-01-01,N06AB06,1
            a,2010-01-01,n06a,"1,5"
            a,2010-01-01,N06AB6,1
            a,2010-01-01,,1
            a,2010-01-01,N06AB04,-1
            a,2010-01-01,N06AB05,many
            a,2010-01-01,N06AB03,0
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
