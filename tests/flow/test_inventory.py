"""What is found in a delivery is listed whole: by `check`, on the validation page and in the manifest."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace
from pathlib import Path
from time import process_time

import polars as pl
import pytest

from impasse.flows.delivery import delivery, inventory
from impasse.flows.delivery.delivery import DeliveredFiles
from impasse.flows.run.plan import make_plan
from impasse.reports.words.limits import unread_sentences
from impasse.schemas.errors import ImpasseError
from impasse.schemas.found import NO_ROWS, Found
from tests.flow.running import cleaned_of, run_steps
from tests.unit.deliveries import OMOP_LISTS, layout_of
from tests.unit.deliveries import study as drawn_study

PERSONS = "person_id,birth_date\n1,1970-01-01\n"
DRUGS = "person_id,date,atc\n1,2010-01-01,N06AB06\n"


def read(folder: Path, **source: object) -> DeliveredFiles:
    """A delivery in the generic layout."""
    chosen = drawn_study(path=folder.name, **source)
    return delivery.open_delivery(chosen, folder.parent, layout_of(chosen, folder))


def listed(folder: Path, **source: object) -> dict[str, Found]:
    """What is found in a delivery, by name."""
    return {found.name: found for found in read(folder, **source).found}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A delivery of persons alone."""
    (tmp_path / "delivery").mkdir()
    (tmp_path / "delivery" / "persons.csv").write_text(PERSONS)
    return tmp_path / "delivery"


def test_a_file_for_each_year_is_missed(folder: Path) -> None:
    """Half of a delivery beside the other half: what is not asked for is said to look like what is read."""
    (folder / "lmed_2019.csv").write_text(DRUGS)
    (folder / "LMED_2020.csv").write_bytes(DRUGS.upper().encode("latin-1"))
    found = listed(folder, files={"dispensings": "lmed_2019"})

    assert found["lmed_2019.csv"] == Found("lmed_2019.csv", "read", "dispensings", 1)
    assert found["LMED_2020.csv"].state == "not asked for"
    assert found["LMED_2020.csv"].note == "it has the columns of lmed_2019.csv, which is read"


def test_what_looks_like_nothing_is_listed_too(folder: Path) -> None:
    """Also below other folders; only what looks like a table is looked into."""
    (folder / "README").write_text("Read me.")
    (folder / "more").mkdir()
    (folder / "more" / "visits.csv.gz").write_bytes(gzip.compress(b"person_id,visit\n1,2\n"))

    assert listed(folder)["README"] == Found("README", "not asked for")
    assert listed(folder)["more/visits.csv.gz"] == Found("more/visits.csv.gz", "not asked for")


@pytest.mark.parametrize(
    ("name", "content", "note"),
    [
        ("old.csv", b"", "The file holds no rows."),
        ("old.csv.gz", b"secret", "The file cannot be unpacked."),
        ("old.parquet", b"secret", "The file cannot be read as Parquet."),
    ],
)
def test_what_cannot_be_read_is_listed_as_such(folder: Path, name: str, content: bytes, note: str) -> None:
    """It stops nothing if nothing asks for it."""
    (folder / name).write_bytes(content)

    assert listed(folder)[name] == Found(name, "unreadable", note=note)


def test_an_empty_file_that_is_asked_for(folder: Path) -> None:
    """A file of no bytes is no table without rows: it was not written to its end."""
    (folder / "scores.csv").write_text("")

    with pytest.raises(ImpasseError, match="holds no rows"):
        read(folder)


def test_a_header_without_rows_in_a_registry(folder: Path) -> None:
    """It was delivered with no row, which is noted, and shows nothing."""
    (folder / "dispensings.csv").write_text("person_id,date,atc\n")
    found = read(folder)

    assert found.found[0] == Found("dispensings.csv", "read", "dispensings", 0, NO_ROWS)
    assert "dispensings" not in found


def test_a_header_without_rows_in_omop(folder: Path) -> None:
    """The same: it is neither refused nor left out."""
    (folder / "person.csv").write_text("person_id,year_of_birth\n1,1970\n")
    (folder / "death.csv").write_text("person_id,death_date\n")
    found = delivery.open_delivery(drawn_study(kind="omop", path=folder.name), folder.parent, OMOP_LISTS)

    assert found.found[0] == Found("death.csv", "read", "death", 0, NO_ROWS)
    assert "death" not in found


def test_persons_without_a_row_are_refused(folder: Path) -> None:
    """Nobody is nothing to study."""
    (folder / "persons.csv").write_text("person_id,birth_date\n")

    with pytest.raises(ImpasseError, match="holds no rows"):
        read(folder)


def test_an_omop_table_that_cannot_be_read_is_not_left_out(folder: Path) -> None:
    """A first row that no parser takes is an error, not a table without rows."""
    (folder / "person.csv").write_text("person_id,year_of_birth\n1,1970\n")
    (folder / "concept.csv").write_text('concept_id,concept_name\n1,"lone quote\n2,sertraline\n')

    with pytest.raises(ImpasseError, match=r"file concept\.csv"):
        delivery.open_delivery(drawn_study(kind="omop", path=folder.name), folder.parent, OMOP_LISTS)


def test_what_was_not_plain_about_a_file_is_noted(folder: Path) -> None:
    """Line ends within quotes and blank lines are counted where they are few enough to be meant."""
    (folder / "scores.csv").write_text('person_id,date,scale,value\n1,2010-01-01,phq9,"5\n"\n\n')

    assert listed(folder)["scores.csv"].note == (
        "line ends within quotes: 1; the longest row has 2 lines; blank lines, each refused as a row: 1"
    )


def test_our_own_runs_are_no_part_of_a_delivery(tmp_path: Path) -> None:
    """Where a delivery lies beside its study, what runs have written is not listed."""
    (tmp_path / "persons.csv").write_text(PERSONS)
    (tmp_path / "runs" / "test").mkdir(parents=True)
    (tmp_path / "runs" / "test" / "report.csv").write_text("a\n1\n")
    chosen = drawn_study(path=".")
    found = delivery.open_delivery(chosen, tmp_path, layout_of(chosen, tmp_path)).found

    assert [entry.name for entry in found] == ["persons.csv"]


def test_too_many_files_are_not_all_listed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A delivery that lies among thousands of files says that it does."""
    monkeypatch.setattr("impasse.flows.delivery.inventory._MOST_LISTED", 1)
    (folder / "a.txt").write_text("a\n")

    assert "more than 1 files" in read(folder).found[-1].note


def test_values_in_the_names_of_folders_are_not_told(folder: Path) -> None:
    """A folder `lopnr=123` names a person: neither a list nor a message repeats it, and every file keeps its count."""
    for person in ("101", "102"):
        (folder / "scores" / f"lopnr={person}").mkdir(parents=True)
        pl.DataFrame({"person_id": [person], "date": ["2010-01-01"], "scale": ["phq9"], "value": [5]}).write_parquet(
            folder / "scores" / f"lopnr={person}" / "part-0.parquet"
        )
        (folder / "scores" / f"lopnr={person}" / "notes.csv").write_text("person_id,date,scale,value,lopnr\n")
    found = read(folder).found

    assert [(entry.name, entry.rows) for entry in found if entry.state == "read"][1:] == [
        ("scores/lopnr=…/part-0.parquet", 1),
        ("scores/lopnr=…/part-0.parquet (2)", 1),
    ]
    assert [entry.note for entry in found if "notes.csv" in entry.name] == [
        "it has the columns of scores/lopnr=…/part-0.parquet, which is read"
    ] * 2
    assert not any("10" in f"{entry.name}{entry.note}" for entry in found)


def test_messages_do_not_tell_values_in_the_names_of_folders(folder: Path) -> None:
    """Nor does what is said of two files that differ."""
    for person, column in (("101", "scale"), ("102", "score")):
        (folder / "scores" / f"lopnr={person}").mkdir(parents=True)
        pl.DataFrame({column: [1]}).write_parquet(folder / "scores" / f"lopnr={person}" / "part-0.parquet")

    with pytest.raises(ImpasseError, match="lopnr=…/part-0") as caught:
        read(folder)
    assert "10" not in str(caught.value).replace(str(folder), "")


def test_values_in_names_of_links_and_files_are_not_told(folder: Path, tmp_path: Path) -> None:
    """Whatever bears the name, and whatever is said of it: read, not asked for, unreadable, a link."""
    (folder / "old").mkdir()
    (folder / "old" / "person_id=199001011234").symlink_to(tmp_path)
    (folder / "person_id=199001011234.csv").write_text("")
    (folder / "person_id=199001011234.txt").write_text(PERSONS)
    (folder / "scores_id=199001011234.csv").write_text("person_id,date,scale,value\n1,2010-01-01,phq9,5\n")
    found = read(folder, files={"scores": "scores_*"}).found

    assert sorted((entry.name, entry.state) for entry in found) == [
        ("old/person_id=…", "not asked for"),
        ("person_id=….csv", "unreadable"),
        ("person_id=….txt", "not asked for"),
        ("persons.csv", "read"),
        ("scores_id=….csv", "read"),
    ]
    assert "1990" not in f"{found}"


@pytest.mark.parametrize(
    ("content", "named"),
    [
        ("", "scores_*"),
        ("person_id,date\n1,2010-01-01\n", "scores_*"),
        ("person_id,date,scale,value\n1\n", "scores_*"),
        ('person_id,date,scale,value\n"1\n', "scores_*"),
        ("person_id;date,scale,value\n", {"name": "scores_*", "delimiter": "|"}),
        ("person_id,date,scale,value\n\xf6\n", {"name": "scores_*", "encoding": "latin-1"}),
        ("", "scores_id=199001011234.parquet"),
        ("", "id=199001011234/scores"),
    ],
)
def test_no_message_tells_a_value_in_the_name_of_a_file(folder: Path, content: str, named: object) -> None:
    """Whatever is wrong with the file."""
    (folder / "scores_id=199001011234.csv").write_text(content)

    with pytest.raises(ImpasseError, match=r"id=…") as caught:
        read(folder, files={"scores": named})
    assert "1990" not in str(caught.value)


def test_delivered_files_are_named_without_the_values_of_folders(study: Path, tmp_path: Path) -> None:
    """Each file once, in the manifest of the release."""
    inputs = (("a/lopnr=101/p.parquet", "1f"), ("a/lopnr=102/p.parquet", "2f"), ("b.csv", "3f"))
    plan = replace(make_plan(study, tmp_path), inputs=inputs)

    assert plan.shown_inputs() == ["a/lopnr=…/p.parquet", "a/lopnr=…/p.parquet (2)", "b.csv"]


def test_many_files_are_listed_in_no_time(folder: Path) -> None:
    """What a file looks like is looked up, not compared with every other file."""
    columns = {f"{number}.parquet": ["a", f"{number}"] for number in range(5_000)}
    read = [Found(name, "read", "a", 1) for name in columns]
    begun = process_time()

    assert len(inventory.take_inventory(folder, read, columns, [], {})) == 5_001
    assert process_time() - begun < 5


@pytest.mark.parametrize("name", ["dispensings_2019.csv", "Dispensings/part-0000.csv", "dispensings.xlsx"])
def test_a_name_that_begins_with_that_of_a_missing_table(folder: Path, name: str) -> None:
    """An optional table that is missing may be in it: that is noted, with what to do, wherever files are listed."""
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_text(DRUGS)
    note = (
        "its name begins with 'dispensings' and dispensings is missing: "
        "if it belongs there, name it in source.files.dispensings"
    )

    assert listed(folder)[name] == Found(name, "not asked for", note=note)
    assert unread_sentences(listed(folder).values()) == [f"The file {name} was not read, though {note}."]


@pytest.mark.parametrize("files", [{"dispensings": []}, {"dispensings": "lmed"}], ids=["no part of it", "not missing"])
def test_a_name_that_begins_with_that_of_a_table_that_is_told(folder: Path, files: dict[str, object]) -> None:
    """What the study says of a table is no riddle."""
    (folder / "lmed.csv").write_text(DRUGS)
    (folder / "dispensings_old.csv").write_text("a\n1\n")

    assert listed(folder, files=files)["dispensings_old.csv"].note == ""


def test_check_lists_every_file(folder: Path) -> None:
    """The tables come with the files they were read from, and those they were not."""
    (folder / "lmed.csv").write_text(DRUGS)
    cleaned = cleaned_of(_study_file(folder))

    assert [(found.name, found.state) for found in cleaned.found] == [
        ("lmed.csv", "not asked for"),
        ("persons.csv", "read"),
    ]


def test_page_and_manifest_list_every_file(own_study: Path, tmp_path: Path) -> None:
    """Who follows a number finds there what it was made of, and what lay beside it."""
    (own_study.parent / "delivery" / "<b>old.csv").write_text("a,b\n1,2\n")
    run = run_steps(own_study, tmp_path)
    manifest = json.loads((run / "release" / "manifest.json").read_text())
    page = (run / "release" / "validation.html").read_text()

    assert {"name": "<b>old.csv", "state": "not asked for", "read_as": "", "rows": None, "note": ""} in (
        manifest["found"]
    )
    assert {found["state"] for found in manifest["found"]} == {"read", "not asked for"}
    assert "&lt;b&gt;old.csv" in page
    assert "<b>old" not in page


def _study_file(folder: Path) -> Path:
    """A study of the delivery."""
    path = folder.parent / "study.toml"
    path.write_text(
        f'name = "small"\n[source]\nkind = "registry"\nlayout = "generic"\npath = "{folder.name}"\n'
        '[period]\nstart = "2000-01-01"\nend = "2020-12-31"\n[episodes]\ndisorders = ["depression"]\n'
    )
    return path
