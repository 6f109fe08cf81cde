"""OMOP drug exposures: what becomes a dispensing, how long it lasts, of what kind it is; on drawn and shared rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

from impasse.schemas.delivered import Delivered
from impasse.schemas.study import SupplySection
from impasse.transforms.ingest.omop.drugs import ExposureEnds, ingredient_exposures
from impasse.transforms.ingest.supply import count_kinds
from tests.cleaning import clean
from tests.shipped import CODES
from tests.tables import assert_shows
from tests.unit.deliveries import OMOP_LISTS, SHARED, cleaned, delivered, study
from tests.unit.omop_deliveries import CONCEPT, DRUGS, PERSON, needs_shared, shared, shared_cleaned


def test_drugs_become_atc_by_ingredient() -> None:
    """By ingredient concept, by RxNorm name where no table tells; two treatments in a product are two dispensings."""
    rows = DRUGS + (
        "7,21,2010-01-01,2010-01-31,30,\n"
        "7,22,2010-02-01,2010-03-01,30,\n"
        "7,23,2010-03-01,2010-04-01,30,\n"
        "7,24,2010-04-01,2010-05-01,30,\n"
        "7,25,2010-05-01,2010-06-01,30,\n"
        "7,0,2010-06-01,2010-07-01,30,\n"
        "7,99,2010-07-01,2010-08-01,30,\n"
    )
    found = cleaned("omop", person=PERSON, concept=CONCEPT, drug_exposure=rows)

    assert_shows(
        found.extract.dispensings,
        """
        date       | atc
        2010-01-01 | N06AB06
        2010-02-01 | N06AB06
        2010-03-01 | N06AX16
        2010-04-01 | N06AA09
        2010-04-01 | N05AB03
        """,
    )
    assert found.quarantine["dispensings"]["drug_concept_id"].to_list() == ["0", "99"]
    assert_shows(
        found.reconciliation.filter(pl.col("table") == "dispensings"),
        "n_delivered | n_accepted | n_quarantined\n7 | 5 | 2",
    )


def test_ingredients_from_ancestors() -> None:
    """An ancestor that is an ingredient tells the drug; other ancestors do not."""
    rows = DRUGS + "7,500,2010-01-01,2010-01-31,30,\n"
    ancestors = "ancestor_concept_id,descendant_concept_id\n739138,500\n21604686,500\n500,500\n"
    found = cleaned("omop", person=PERSON, drug_exposure=rows, concept_ancestor=ancestors)

    assert found.extract.dispensings["atc"].to_list() == ["N06AB06"]


def test_days_are_supply_else_the_interval_else_unknown() -> None:
    """Zero or missing days' supply falls back on the days from start to end, both counted; without an end unknown."""
    rows = DRUGS + (
        "7,21,2010-01-01,2010-01-31,14,\n"
        "7,21,2010-02-01,2010-03-01,0,\n"
        "7,21,2010-03-01,2010-03-11,,\n"
        "7,21,2010-04-01,2010-04-01,0,\n"
        "7,21,2010-06-01,,,\n"
        "7,21,2010-07-01,9999-12-31,,\n"
    )
    found = cleaned("omop", person=PERSON, concept=CONCEPT, drug_exposure=rows)

    assert_shows(
        found.extract.dispensings,
        """
        date       | days | supply_basis
        2010-01-01 | 14   | days_supply
        2010-02-01 | 29   | days_supply
        2010-03-01 | 11   | days_supply
        2010-04-01 | 1    | days_supply
        2010-06-01 | -    | unknown
        2010-07-01 | -    | unknown
        """,
    )


EXPOSURES = DRUGS + (
    "7,21,2016-01-01,2016-02-11,,\n"  # 42 days, both counted
    "7,21,2016-03-01,2016-03-02,,\n"
    "7,21,2016-04-01,2016-04-01,,\n"
    "7,21,2016-05-02,2016-05-01,,\n"
    "7,21,2016-06-01,2016-07-12,42,\n"
)


@pytest.mark.parametrize(
    ("exposure_end", "days"), [("inclusive", [42, 2, 1, None, 42]), ("exclusive", [41, 1, None, None, 42])]
)
def test_an_end_date_is_the_last_day_or_the_day_after_it(exposure_end: str, days: list[int | None]) -> None:
    """1 January to 11 February are 42 days by the CDM, and 41 where the study says that the end is the day after."""
    chosen = study(kind="omop", exposure_end=exposure_end)
    found = clean(delivered(person=PERSON, concept=CONCEPT, drug_exposure=EXPOSURES), OMOP_LISTS, chosen, CODES)

    assert found.extract.dispensings["days"].to_list() == days


def test_what_the_two_columns_say_of_the_end() -> None:
    """Of three exposures with days and an end one ends on the last day, one on the day after, one on neither."""
    rows = DRUGS + (
        "7,21,2010-01-01,2010-01-30,30,\n"
        "7,21,2010-02-01,2010-03-03,30,\n"
        "7,21,2010-04-01,2010-05-02,30,\n"
        "7,21,2010-05-01,2010-05-31,0,\n"
        "7,21,2010-06-01,,30,\n"
        "7,21,2010-07-01,2010-07-31,,\n"
    )
    found = cleaned("omop", person=PERSON, concept=CONCEPT, drug_exposure=rows)

    assert found.omop_notes.exposure_ends == ExposureEnds(
        n_both=3, n_inclusive=1, n_exclusive=1, n_by_end=2, n_one_day=0
    )


ONE_DAY = (
    "person_id,drug_concept_id,drug_exposure_start_date,drug_exposure_end_date,days_supply,drug_type_concept_id\n"
    "7,21,2010-01-01,2010-01-01,,32825\n"
    "7,21,2010-01-02,2010-01-02,0,\n"
    "7,21,2010-01-03,2010-01-03,,32818\n"
    "7,21,2010-01-04,2010-01-05,,32825\n"
    "7,21,2010-01-06,2010-01-06,28,32825\n"
)


@pytest.mark.parametrize(("stated", "days"), [("one_day", [1, 1, 1, 2, 28]), ("unknown", [None, None, 1, 2, 28])])
def test_an_end_on_the_first_day_is_one_day_or_tells_nothing(stated: str, days: list[int | None]) -> None:
    """One day by the CDM; unknown where the study says so, but for what is administered, and both are counted."""
    chosen = study(kind="omop", exposure_of_one_day=stated)
    found = clean(delivered(person=PERSON, concept=CONCEPT, drug_exposure=ONE_DAY), OMOP_LISTS, chosen, CODES)
    ends = found.omop_notes.exposure_ends

    assert found.extract.dispensings["days"].to_list() == days
    assert (ends.n_by_end, ends.n_one_day) == (4, 2)


def test_an_end_far_after_the_period_tells_nothing() -> None:
    """A year, which a supply may last, after the end of the period is an end; a day later none is told."""
    rows = DRUGS + "7,21,2020-12-01,2022-01-01,,\n7,21,2020-12-02,2022-01-02,,\n7,21,2020-12-03,2099-12-31,,\n"
    found = cleaned("omop", person=PERSON, concept=CONCEPT, drug_exposure=rows)

    assert found.extract.dispensings["days"].to_list() == [366, None, None]


def test_an_end_far_after_death_tells_nothing() -> None:
    """A supply may go on after a death, by a year, which is as long as one may last; an end a day later is none."""
    rows = DRUGS + "7,21,2009-12-31,2011-01-01,,\n7,21,2009-12-31,2011-01-02,,\n7,21,2009-12-31,2010-01-27,,\n"
    death = "person_id,death_date\n7,2009-12-31\n"
    found = cleaned("omop", person=PERSON, concept=CONCEPT, drug_exposure=rows, death=death)

    assert found.extract.dispensings["days"].to_list() == [None, 28, 366]


def test_a_file_of_exposures_is_read_once() -> None:
    """What is told of end dates is counted while the rows are read, a piece at a time; so are drugs looked up."""
    pieces = _Pieces(delivered(person=PERSON, drug_exposure=ONE_DAY, concept_ancestor=SERTRALINE)._files)
    found = clean(pieces, OMOP_LISTS, study(kind="omop"), CODES)

    assert found.omop_notes.exposure_ends.n_by_end == 4
    assert found.extract.dispensings["atc"].to_list() == ["N06AB06"] * 5
    assert pieces.n_read["drug_exposure"] == 1
    assert pieces.n_read["concept_ancestor"] == 1


SERTRALINE = "ancestor_concept_id,descendant_concept_id\n739138,21\n"


class _Pieces(Delivered):
    """A delivery whose files come row by row, and which counts how often each is read."""

    def __init__(self, files: dict[str, pl.DataFrame]) -> None:
        super().__init__(files)
        self.n_read: Counter[str] = Counter()

    def pieces(self, key: str) -> Iterator[pl.DataFrame]:
        """The file row by row."""
        self.n_read[key] += 1
        yield from self._files[key].iter_slices(1)


def test_without_exposures_nothing_is_said_of_their_ends() -> None:
    """A CDM without drugs has no end dates, and misses no strengths."""
    notes = cleaned("omop", person=PERSON).omop_notes

    assert notes.exposure_ends == ExposureEnds(n_both=0, n_inclusive=0, n_exclusive=0, n_by_end=0, n_one_day=0)
    assert (notes.has_drugs, notes.missing_vocabulary) == (False, ("concept", "concept_ancestor"))


def test_the_kind_of_supply_is_that_of_the_drug_type() -> None:
    """Dispensed, prescribed and administered by type concept, old and new; self-reported and others are unknown."""
    header = "person_id,drug_concept_id,drug_exposure_start_date,drug_exposure_end_date,drug_type_concept_id\n"
    rows = header + (
        "7,21,2010-01-01,,32825\n"
        "7,21,2010-01-02,,38000175\n"
        "7,21,2010-01-03,,32838\n"
        "7,21,2010-01-04,,38000177\n"
        "7,21,2010-01-05,,32818\n"
        "7,21,2010-01-06,,38000180\n"
        "7,21,2010-01-07,,44787730\n"
        "7,21,2010-01-08,,32817\n"
        "7,21,2010-01-09,,\n"
    )
    found = cleaned("omop", person=PERSON, concept=CONCEPT, drug_exposure=rows)

    assert found.extract.dispensings["kind"].to_list() == [
        *("dispensed", "dispensed"),
        *("prescribed", "prescribed"),
        *("administered", "administered"),
        *("unknown", "unknown", "unknown"),
    ]


KINDS = (
    "person_id,drug_concept_id,drug_exposure_start_date,drug_exposure_end_date,drug_type_concept_id\n"
    "7,21,2010-01-01,2010-01-28,32838\n"
    "7,21,2010-01-02,2010-01-29,32825\n"
    "7,24,2010-01-02,2010-01-29,32825\n"
    "7,25,2010-01-02,2010-01-29,32838\n"
    "7,21,2010-01-03,2010-01-30,\n"
)


def test_a_study_says_which_kinds_of_supply_are_read() -> None:
    """Of the others the rows are accepted, not used and counted; a drug that is no treatment is not."""
    chosen = study(kind="omop", supply=SupplySection(kinds=("dispensed",)))
    found = clean(delivered(person=PERSON, concept=CONCEPT, drug_exposure=KINDS), OMOP_LISTS, chosen, CODES)
    whole = found.reconciliation.filter(table="dispensings")

    assert_shows(
        found.extract.dispensings, "date | atc\n2010-01-02 | N05AB03\n2010-01-02 | N06AA09\n2010-01-02 | N06AB06"
    )
    assert found.n_of_other_kinds == 2
    assert_shows(whole, "n_delivered | n_accepted | n_quarantined\n5 | 5 | 0")


def test_a_drug_in_two_kinds_of_supply_is_counted() -> None:
    """Sertraline was ordered and dispensed; amitriptyline only dispensed; an unknown kind may be either."""
    found = cleaned("omop", person=PERSON, concept=CONCEPT, drug_exposure=KINDS)

    assert found.n_of_other_kinds == 0
    assert_shows(
        count_kinds(found.extract.dispensings),
        "kind | n | n_beside\ndispensed | 3 | 1\nprescribed | 1 | 1\nunknown | 1 | 0",
    )


def test_an_exposure_without_a_type_is_of_an_unknown_kind() -> None:
    """CDM columns that are not there say nothing."""
    found = cleaned("omop", person=PERSON, concept=CONCEPT, drug_exposure=DRUGS + "7,21,2010-01-01,2010-01-31,30,\n")

    assert found.extract.dispensings["kind"].to_list() == ["unknown"]


def test_a_model_without_a_vocabulary_says_which_tables_it_lacks() -> None:
    """A drug no table tells the ingredient of is refused, and the missing tables are named."""
    found = cleaned("omop", person=PERSON, drug_exposure=DRUGS + "7,22,2010-01-01,2010-01-31,30,\n")

    assert_shows(found.rules, "table | rule | n\ndispensings | no_atc_mapping | 1")
    assert found.omop_notes.missing_vocabulary == ("concept", "concept_ancestor", "drug_strength")
    assert found.omop_notes.has_drugs


def test_a_registry_has_no_concepts() -> None:
    """Only an OMOP CDM can lack a vocabulary."""
    assert cleaned("generic", persons="person_id,birth_date\n7,1970-01-01").omop_notes is None


def test_amounts_that_cannot_be_read_refuse_the_exposure() -> None:
    """A quantity of 1,234 may be either of two, and one of 1e300 none; blank and NaN are not recorded."""
    rows = DRUGS + (
        '7,21,2010-01-01,2010-01-31,30,"1,234"\n'
        "7,21,2010-02-01,2010-03-01,many,\n"
        "7,21,2010-03-01,2010-03-11,1e300,\n"
        "7,21,2010-04-01,2010-04-11,NaN,\n"
        "7,21,2010-05-01,9999-12-31,,\n"
    )
    found = cleaned("omop", person=PERSON, concept=CONCEPT, drug_exposure=rows)

    assert found.quarantine["dispensings"]["rule"].to_list() == [
        "supply_unreadable",
        "supply_unreadable",
        "supply_too_large",
    ]
    assert_shows(found.extract.dispensings, "date | days\n2010-04-01 | 11\n2010-05-01 | -")


def test_dose_from_drug_strength() -> None:
    """30 tablets of 50 mg in 15 days are 100 mg a day; an amount in another unit tells nothing."""
    rows = DRUGS + "7,22,2010-01-01,2010-01-16,15,30\n"
    strength = "drug_concept_id,ingredient_concept_id,amount_value,amount_unit_concept_id\n22,21,50,{unit}\n"
    in_mg = cleaned(
        "omop", person=PERSON, concept=CONCEPT, drug_exposure=rows, drug_strength=strength.format(unit=8576)
    )
    in_units = cleaned(
        "omop", person=PERSON, concept=CONCEPT, drug_exposure=rows, drug_strength=strength.format(unit=8510)
    )

    assert in_mg.extract.dispensings["dose_ug"].to_list() == [100_000]
    assert in_units.extract.dispensings["dose_ug"].to_list() == [None]


def test_every_drug_of_the_vocabulary_has_an_ingredient() -> None:
    """A single-substance drug that definitions can count is found in OMOP by at least its name."""
    single = CODES.treatments.filter(
        (pl.col("modality") == "drug")
        & (pl.col("treatment").str.len_chars() == 7)
        & ~pl.col("name").str.contains(" and ", literal=True)
    )

    assert set(single["treatment"]) - set(OMOP_LISTS.ingredients["atc"]) == set()


@needs_shared
def test_synpuf_exposures_give_the_published_eras() -> None:
    """2,134 drug eras with a 30-day gap, equal to drug_era on person, ingredient, start, end and count."""
    keys = ["person_id", "ingredient_concept_id"]
    exposures = ingredient_exposures(shared("omop-synpuf50"), OMOP_LISTS).sort(*keys, "start_date", "end_date")
    covered = exposures.with_columns(before=pl.col("end_date").cum_max().shift(1).over(keys))
    opens = ((pl.col("start_date") - pl.col("before")).dt.total_days() > 30).fill_null(True)
    eras = covered.group_by(*keys, opens.cum_sum().alias("era")).agg(
        pl.col("start_date").min(), pl.col("end_date").max(), pl.len().cast(pl.String).alias("n")
    )
    published = _published_eras(SHARED / "omop-synpuf50" / "drug_era.csv")

    assert eras.height == 2134
    assert eras.join(published, on=published.columns, how="inner").height == 2134


def _published_eras(path: Path) -> pl.DataFrame:
    era = pl.read_csv(path, infer_schema=False)
    start, end = (pl.col(f"drug_era_{edge}_date").str.to_date("%Y-%m-%d") for edge in ("start", "end"))
    return era.select(
        "person_id",
        ingredient_concept_id="drug_concept_id",
        start_date=start,
        end_date=end,
        n="drug_exposure_count",
    )


@needs_shared
def test_synthea1k_drug_concept_zero_is_no_drug() -> None:
    """7,911 exposures with concept 0 are refused; sertraline 4 and fluoxetine 3 persons are found by name."""
    found = shared_cleaned("omop-synthea1k")
    persons = found.extract.dispensings.group_by("atc").agg(pl.col("person").n_unique())

    assert found.quarantine["dispensings"]["rule"].to_list() == ["no_atc_mapping"] * 7911
    assert_shows(persons.filter(pl.col("atc").cat.starts_with("N06A")), "atc | person\nN06AB03 | 3\nN06AB06 | 4")
