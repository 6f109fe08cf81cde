"""The five shapes in which deliveries come, small and whole: what the mutations start from.

Each shape is a folder of CSV files, a study, and, for each canonical table, which rows of which file are meant for it.
Every person's id carries a mark, by which a message that quotes a row is found.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from random import Random

MARK = "zqx"
_DAY_0 = date(2015, 1, 1)
_CODES = ("F321", "F411", "F331", "J069", "F400")
_DRUGS = ("N06AB06", "N06AX11", "N06AX16", "C07AB02", "N05AN01")

Row = dict[str, str]
Chosen = Callable[[Row], bool]


@dataclass(frozen=True)
class Shape:
    """A delivery as it should be. `feeds` says for each table the files that feed it, and which of their rows."""

    name: str
    source: str
    files: dict[str, list[Row]]
    feeds: dict[str, tuple[tuple[str, Chosen], ...]]

    def study(self) -> str:
        """The text of its study file."""
        return _STUDY.format(name=self.name, source=self.source)


_STUDY = """\
name = "{name}"
[source]
{source}
path = "delivery"
[period]
start = 2015-01-01
end = 2020-12-31
[episodes]
disorders = ["anxiety", "depression"]
[quality]
max_quarantined_percent = 100
"""


def as_csv(rows: list[Row]) -> bytes:
    """Rows as CSV with a header, in UTF-8."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def _every(_row: Row) -> bool:
    return True


def _is(column: str, *values: str) -> Chosen:
    return lambda row: row.get(column, "").strip().lower() in values


def _starts(column: str, *starts: str) -> Chosen:
    return lambda row: row.get(column, "").strip().lower().startswith(starts)


def _both(*tests: Chosen) -> Chosen:
    return lambda row: all(test(row) for test in tests)


def _is_filled(column: str) -> Chosen:
    return lambda row: row.get(column, "").strip().lower() not in ("", "na", "nan", "null", ".", "\\n")


def _day(rng: Random, form: str = "%Y-%m-%d") -> str:
    return (_DAY_0 + timedelta(rng.randrange(1800))).strftime(form)


def _ids(n: int) -> list[str]:
    return [f"{MARK}{number:03d}" for number in range(n)]


def generic(rng: Random, n: int = 12) -> Shape:
    """One file per table, plain names."""
    ids = _ids(n)
    some = partial(rng.choices, ids)
    files = {
        "persons.csv": [
            {
                "person_id": i,
                "birth_date": f"19{rng.randrange(40, 99)}-03-02",
                "sex": rng.choice("fm"),
                "death_date": "",
            }
            for i in ids
        ],
        "coverage.csv": [{"person_id": i, "start_date": "2010-01-01", "end_date": "2020-12-31"} for i in ids],
        "diagnoses.csv": [
            {"person_id": i, "date": _day(rng), "code": rng.choice(_CODES), "code_system": "icd10", "note": "x, y"}
            for i in some(k=30)
        ],
        "dispensings.csv": [
            {"person_id": i, "date": _day(rng), "atc": rng.choice(_DRUGS), "days_supply": "28", "strength_mg": "50.5"}
            for i in some(k=40)
        ],
        "scores.csv": [
            {"person_id": i, "date": _day(rng), "scale": "phq9", "value": str(rng.randrange(28))} for i in some(k=20)
        ],
        "admissions.csv": [
            {"person_id": i, "start_date": "2016-02-01", "end_date": "2016-02-09", "main_code": "F321"}
            for i in some(k=5)
        ],
    }
    feeds = {name.removesuffix(".csv"): ((name, _every),) for name in files}
    return Shape("generic", 'kind = "registry"\nlayout = "generic"', files, feeds)


def swedish(rng: Random, n: int = 12) -> Shape:
    """Patient register with SOURCE, prescribed drug register, persons, causes of death."""
    ids = _ids(n)
    kinds = ("inpatient", "outpatient", "cancer")
    files = {
        "demographics.csv": [
            {"lopnr": i, "fodelseman": f"19{rng.randrange(40, 99)}{rng.randrange(1, 13):02d}", "kon": rng.choice("12")}
            for i in ids
        ],
        "causes_of_death.csv": [{"lopnr": ids[0], "dodsdat": "20200300"}, {"lopnr": ids[1], "dodsdat": "20201105"}],
        "diagnoses.csv": [
            {
                "lopnr": rng.choice(ids),
                "SOURCE": rng.choice(kinds),
                "INDATUM": _day(rng),
                "HDIA": rng.choice(_CODES),
                "DIA1": rng.choice(("", "Z000")),
                "OP": rng.choice(("", "DA024", "AA001 DA025")),
            }
            for _ in range(30)
        ],
        "prescriptions.csv": [
            {
                "lopnr": rng.choice(ids),
                "EDATUM": _day(rng),
                "ATC": rng.choice(_DRUGS),
                "ANTAL": "1",
                "forpddd": "98",
            }
            for _ in range(40)
        ],
    }
    is_contact = _is("source", "inpatient", "outpatient")
    feeds = {
        "persons": (("demographics.csv", _every),),
        "deaths": (("causes_of_death.csv", _every),),
        "diagnoses": (("diagnoses.csv", is_contact),),
        "procedures": (("diagnoses.csv", _both(is_contact, _is_filled("op"))),),
        "admissions": (("diagnoses.csv", _is("source", "inpatient")),),
        "dispensings": (("prescriptions.csv", _every),),
    }
    return Shape("swedish", 'kind = "registry"\nlayout = "swedish"', files, feeds)


def danish(rng: Random, n: int = 12) -> Shape:
    """LMDB, LPR and CPR; diagnoses have their person from the contact."""
    ids = _ids(n)
    contacts = [f"r{number}" for number in range(25)]
    files = {
        "cpr.csv": [{"pnr": i, "foed_dag": "03OKT1970", "koen": rng.choice("KM"), "doddato": ""} for i in ids],
        "adm.csv": [
            {
                "pnr": rng.choice(ids),
                "recnum": r,
                "c_pattype": rng.choice("023"),
                "d_inddto": "2016-01-02",
                "d_uddto": "2016-01-09",
            }
            for r in contacts
        ],
        "diag.csv": [{"recnum": r, "c_diag": "DF321", "c_diagtype": rng.choice("ABGH")} for r in contacts],
        "lmdb.csv": [
            {"pnr": rng.choice(ids), "eksd": "02MAJ2016", "atc": rng.choice(_DRUGS), "apk": "1", "volume": "98,00"}
            for _ in range(40)
        ],
    }
    feeds = {
        "persons": (("cpr.csv", _every),),
        "diagnoses": (("diag.csv", _is("c_diagtype", "a", "b", "g")),),
        "admissions": (("adm.csv", _is("c_pattype", "0")),),
        "dispensings": (("lmdb.csv", _every),),
    }
    return Shape("danish", 'kind = "registry"\nlayout = "danish"', files, feeds)


def finnish(rng: Random, n: int = 12) -> Shape:
    """One long table of events; persons are whoever has one."""
    ids = _ids(n)
    sources = ("PURCH", "INPAT", "OUTPAT", "PRIM_OUT", "CANC", "OPER_IN", "DEATH")
    rows = []
    for _ in range(80):
        source = rng.choice(sources)
        rows.append(
            {
                "FINNGENID": rng.choice(ids),
                "SOURCE": source,
                "EVENT_AGE": f"{rng.randrange(20, 80)}.5",
                "APPROX_EVENT_DAY": "2020-12-01" if source == "DEATH" else _day(rng),
                "CODE1": rng.choice(_DRUGS if source == "PURCH" else _CODES),
                "CODE2": "",
                "CODE4": "1",
                "ICDVER": "10",
                "CATEGORY": "ICD0" if source == "PRIM_OUT" else "0",
            }
        )
    file = "service_sector.csv"
    primary, operation = _is("source", "prim_out"), _is("source", "oper_in", "oper_out")
    feeds = {
        "deaths": ((file, _is("source", "death")),),
        "dispensings": ((file, _is("source", "purch")),),
        "diagnoses": (
            (file, _is("source", "inpat", "outpat")),
            (file, _both(primary, _starts("category", "icd"))),
            (file, _both(primary, _starts("category", "icp"))),
        ),
        "procedures": ((file, operation), (file, _both(primary, _starts("category", "op", "mop")))),
        "admissions": ((file, _both(_is("source", "inpat"), _is("category", "0", "1"))),),
    }
    return Shape("finnish", 'kind = "registry"\nlayout = "finnish"', {file: rows}, feeds)


def omop(rng: Random, n: int = 12) -> Shape:
    """An OMOP CDM as a folder, with the vocabulary it needs; persons are numbers of a span that nothing else has."""
    ids = [str(7_700_000_000 + number) for number in range(n)]
    some = partial(rng.choices, ids)
    concept = ("concept_id", "concept_name", "domain_id", "vocabulary_id", "concept_class_id", "concept_code")
    known = (
        ("739138", "sertraline", "Drug", "RxNorm", "Ingredient", "36437"),
        ("440383", "Depressive disorder", "Condition", "SNOMED", "Disorder", "35489007"),
        ("45591448", "Depressive episode", "Condition", "ICD10", "ICD10 code", "F32.1"),
    )
    files = {
        "person.csv": [
            {"person_id": i, "year_of_birth": str(rng.randrange(1940, 2000)), "gender_concept_id": "8507"} for i in ids
        ],
        "observation_period.csv": [
            {
                "person_id": i,
                "observation_period_start_date": "2010-01-01",
                "observation_period_end_date": "2020-12-31",
            }
            for i in ids
        ],
        "condition_occurrence.csv": [
            {
                "person_id": i,
                "condition_concept_id": "440383",
                "condition_start_date": _day(rng),
                "condition_source_concept_id": "45591448",
            }
            for i in some(k=30)
        ],
        "drug_exposure.csv": [
            {
                "person_id": i,
                "drug_concept_id": "739138",
                "drug_exposure_start_date": _day(rng),
                "quantity": "28",
                "days_supply": "28",
            }
            for i in some(k=40)
        ],
        "concept.csv": [dict(zip(concept, row, strict=True)) for row in known],
    }
    feeds = {
        "persons": (("person.csv", _every),),
        "coverage": (("observation_period.csv", _every),),
        "diagnoses": (("condition_occurrence.csv", _every),),
        "dispensings": (("drug_exposure.csv", _every),),
    }
    return Shape("omop", 'kind = "omop"', files, feeds)


SHAPES = (generic, swedish, danish, finnish, omop)
