"""Deliveries and runs on S3: the same bytes as on this machine, a run whole or not at all, and no word of a key."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import polars as pl
import pytest

from impasse.flows import pipeline
from impasse.flows.delivery import csv, source_files
from impasse.flows.delivery.delivery import open_delivery
from impasse.flows.files import s3, s3_account
from impasse.flows.files.fingerprints import sha256_of
from impasse.flows.files.folders import files_in_folder
from impasse.flows.published import explain
from impasse.flows.run.loading import load
from impasse.flows.run.plan import Plan, make_plan
from impasse.flows.run.steps import intake, reading
from impasse.flows.run.unfinished import PROGRESS, STARTED
from impasse.schemas import study as studies
from impasse.schemas.errors import ImpasseError, PublicationStopped, RunInterrupted
from impasse.schemas.file_names import shown
from tests.flow.running import cleaned_of, data_hashes, run_steps
from tests.flow.s3_server import BUCKET, S3, running
from tests.flow.servers import free_port
from tests.flow.test_intake import hashes
from tests.flow.test_prefect_server import WATCH
from tests.unit.deliveries import OMOP_LISTS
from tests.unit.deliveries import study as omop_study

pytestmark = pytest.mark.usefixtures("blank_report")

ROOT = Path(__file__).resolve().parents[2]
CLEARED = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_REGION", "AWS_DEFAULT_REGION")


@pytest.fixture(scope="module")
def study(small_study: Path) -> Path:
    """A registry of few persons under few definitions: where its files lie is asked, not what they say."""
    return small_study


@pytest.fixture(scope="module")
def run(study: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same registry, run on this machine."""
    return run_steps(study, tmp_path_factory.mktemp("local"))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3]:
    """The server, stopped at the end."""
    with running(tmp_path_factory.mktemp("s3")) as started:
        yield started


@pytest.fixture(scope="module")
def delivery(server: S3, study: Path) -> str:
    """The address of the simulated registry's files."""
    return server.put_folder(study.parent / "delivery", "delivery")


def use(monkeypatch: pytest.MonkeyPatch, server: S3, user: str) -> None:
    """Be a user of the store, and nobody else."""
    for name in (*CLEARED, "AWS_ENDPOINT_URL_S3"):
        monkeypatch.delenv(name, raising=False)
    for name, value in server.environment(user).items():
        monkeypatch.setenv(name, value)


@pytest.fixture(autouse=True)
def as_writer(server: S3, monkeypatch: pytest.MonkeyPatch) -> None:
    """The user who may do all, unless a test says otherwise."""
    use(monkeypatch, server, "writer")


def written(folder: Path, study: Path, path: str, more: str = "") -> Path:
    """The study with its delivery elsewhere."""
    folder.mkdir(exist_ok=True)
    text = study.read_text().replace('path = "delivery"', f'path = "{path}"')
    (folder / "study.toml").write_text(text + more)
    return folder / "study.toml"


def sha256(content: bytes) -> str:
    """The fingerprint of bytes."""
    return hashlib.sha256(content).hexdigest()


def impasse(*words: str, before: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the command with this and no other environment for S3; before it, a statement."""
    inherited = {name: value for name, value in os.environ.items() if name not in (*CLEARED, "AWS_ENDPOINT_URL")}
    return subprocess.run(
        [sys.executable, "-c", f"{before}\nfrom impasse.flows.cli.app import app; app()", *words],
        capture_output=True,
        text=True,
        env={**inherited, "COLUMNS": "80", "NO_COLOR": "1", **environment},
        timeout=300,
        cwd=ROOT,
    )


# A whole run.


@pytest.fixture(scope="module")
def published(server: S3, delivery: str, study: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The address of a run from S3 to S3, by the flow itself."""
    folder = tmp_path_factory.mktemp("to-s3")
    chosen = written(folder, study, delivery, f'\n[output]\nfolder = "s3://{BUCKET}/runs"\n')
    with pytest.MonkeyPatch.context() as patch:
        use(patch, server, "writer")
        address = pipeline.run_study(str(chosen))
    assert list((folder / "work/demo").iterdir()) == []
    return address


@pytest.fixture
def objects(server: S3, published: str) -> dict[str, bytes]:
    """Everything that is kept of the published run."""
    return server.kept(published.removeprefix(f"s3://{BUCKET}/"))


def test_a_run_on_s3_is_the_run_of_this_machine(objects: dict[str, bytes], run: Path) -> None:
    """The same data files, to the byte, and every other file as well."""
    data = {name: sha256(content) for name, content in objects.items() if name.endswith(".parquet")}

    assert data == data_hashes(run)
    assert set(objects) == {path.relative_to(run).as_posix() for path in files_in_folder(run)}


def test_the_manifests_on_s3_tell_the_truth(objects: dict[str, bytes], run: Path) -> None:
    """They fingerprint what was delivered and every file beside them, as those of a local run do."""
    released, kept = (json.loads(objects[f"{part}/manifest.json"]) for part in ("release", "restricted"))
    local = json.loads((run / "restricted/manifest.json").read_text())

    assert kept["inputs"] == local["inputs"]
    assert released["outputs"] | kept["outputs"] == {
        name: sha256(content) for name, content in objects.items() if not name.endswith("/manifest.json")
    }


def test_the_manifest_comes_last_and_then_the_pointer(server: S3, published: str) -> None:
    """Whoever reads meanwhile sees no run, or a whole one."""
    run_id = published.rpartition("/")[2]
    made = [path.partition("?")[0] for verb, path, _ in server.requests() if verb in ("PUT", "POST")]
    mine = list(dict.fromkeys(path for path in made if run_id in path or path.endswith("/latest")))

    assert mine[-2:] == [f"/{BUCKET}/runs/demo/{run_id}/release/manifest.json", f"/{BUCKET}/runs/demo/latest"]


def test_no_file_of_a_run_is_sent_in_parts(server: S3, published: str) -> None:
    """A store keeps the parts of a file whose sender vanished, with rows of persons, and lists them to nobody."""
    run_id = published.rpartition("/")[2]
    sent = [path for verb, path, _ in server.requests() if verb in ("PUT", "POST") and run_id in path]

    assert sent
    assert not any("upload" in path.lower() for path in sent)


def test_an_episode_is_explained_from_s3(published: str, run: Path) -> None:
    """By the run's own address and by `latest`, in the words of a local run."""
    episode = pl.read_parquet(run / "restricted/episodes.parquet")["episode_id"][0]
    own = s3.address(published)

    told = [explain(place, episode) for place in (run, own, own.parent / "latest")]

    assert told[0] == told[1] == told[2]


@pytest.mark.parametrize("path", ["delivery", "delivery/persons.parquet", "runs/demo", "nothing"])
@pytest.mark.usefixtures("published", "delivery")
def test_where_no_run_is_there_is_nothing_to_explain(path: str) -> None:
    """Neither in a folder of other files, nor in a file that leads nowhere, nor where nothing is."""
    with pytest.raises(ImpasseError, match=f"No published run here(.|\n)*{path}"):
        explain(s3.address(f"s3://{BUCKET}/{path}"), "P:anxiety:1")


def test_a_later_run_takes_over_the_pointer(server: S3, delivery: str, study: Path, tmp_path: Path) -> None:
    """`--out` holds over the study; both runs stay."""
    chosen = written(tmp_path / "study", study, delivery)
    runs = [run_steps(chosen, f"s3://{BUCKET}/twice") for _ in range(2)]
    kept = server.kept("twice/demo")

    assert {name.split("/")[0] for name in kept} == {runs[0].name, runs[1].name, "latest"}
    assert kept["latest"].decode() == f"{runs[1].name}\n"


def test_work_is_done_where_the_study_says(delivery: str, study: Path, tmp_path: Path) -> None:
    """A folder of this machine that all workers see; a local run needs none."""
    chosen = written(tmp_path, study, delivery, f'\n[output]\nfolder = "s3://{BUCKET}/x"\nwork = "scratch"\n')

    assert make_plan(chosen).work.parent == tmp_path / "scratch/demo"
    assert make_plan(chosen, tmp_path / "here").work.parent == tmp_path / "here/demo"


# A run that is not whole.


def test_a_run_that_is_stopped_publishes_nothing(server: S3, delivery: str, study: Path, tmp_path: Path) -> None:
    """A critical check fails: nothing is on S3, and the reason stands on this machine."""
    chosen = written(tmp_path, study, delivery, "\n[quality.min_rows]\npersons = 100_000\n")

    with pytest.raises(PublicationStopped):
        pipeline.run_study(str(chosen), f"s3://{BUCKET}/stopped")

    assert server.kept("stopped") == {}
    assert [path.name for path in files_in_folder(tmp_path / "work")] == ["validation.html"]


def test_a_run_that_could_not_be_copied_is_gone_on_with(
    server: S3, delivery: str, study: Path, run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Refused by the store it is no run there, and kept; resumed by who may write it is as if nothing had been."""
    chosen = written(tmp_path, study, delivery)
    use(monkeypatch, server, "reader")
    with pytest.raises(RunInterrupted, match=r"S3 refuses the credentials(.|\n)*--resume"):
        pipeline.run_study(str(chosen), f"s3://{BUCKET}/resumed")
    assert server.kept("resumed") == {}

    use(monkeypatch, server, "writer")
    address = pipeline.run_study(str(chosen), f"s3://{BUCKET}/resumed", resume=True)
    kept = server.kept(address.removeprefix(f"s3://{BUCKET}/"))

    assert {n: sha256(c) for n, c in kept.items() if n.endswith(".parquet")} == data_hashes(run)
    assert kept["release/validation.html"].count(b"<tr") == (run / "release/validation.html").read_bytes().count(b"<tr")
    assert files_in_folder(tmp_path / "work") == []


def test_each_refused_file_is_told(server: S3, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many are refused, one after another: no process ends by it, and none counts as copied."""
    (tmp_path / "table.parquet").write_bytes(b"x" * 5000)
    use(monkeypatch, server, "reader")

    for number in range(100):
        with pytest.raises(ImpasseError, match="S3 refuses the credentials"):
            s3.copy(tmp_path / "table.parquet", s3.address(f"s3://{BUCKET}/refused/{number}"))

    assert server.kept("refused") == {}


@pytest.mark.parametrize("name", ["table.csv.gz", "table.csv", "empty"])
def test_a_file_is_copied_as_it_is(server: S3, tmp_path: Path, name: str) -> None:
    """Whatever its name says of it."""
    content = b"" if name == "empty" else b"person_id,date\n" * 700_000  # ten and a half megabytes: in parts
    (tmp_path / name).write_bytes(content)

    s3.copy(tmp_path / name, s3.address(f"s3://{BUCKET}/copied/{name}"))

    assert server.kept("copied")[name] == content


def test_half_a_copy_is_no_run(
    server: S3, delivery: str, study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The store goes away in between: no manifest, no pointer."""
    copy, chosen = s3.copy, written(tmp_path, study, delivery)

    def until_the_report(path: Path, to: s3.Address) -> None:
        if path.name == "report.html":
            monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{free_port()}")
        copy(path, to)

    monkeypatch.setattr(s3, "copy", until_the_report)
    with pytest.raises(RunInterrupted, match="S3 does not answer"):
        run_steps(chosen, f"s3://{BUCKET}/half")
    kept = server.kept("half/demo")

    assert any(name.endswith("classifications.parquet/0000.parquet") for name in kept)
    assert not any(name.endswith(("release/manifest.json", "latest")) for name in kept)


# Reading.


def _parquet(rows: pl.DataFrame, path: Path) -> None:
    rows.write_parquet(path.with_suffix(".parquet"), row_group_size=500)


def _csv(rows: pl.DataFrame, path: Path) -> None:
    rows.write_csv(path.with_suffix(".csv"))


def _marked(rows: pl.DataFrame, path: Path) -> None:
    path.with_suffix(".CSV").write_bytes(rows.write_csv(include_bom=True, line_terminator="\r\n").encode())


def _packed(rows: pl.DataFrame, path: Path) -> None:
    path.with_suffix(".csv.gz").write_bytes(gzip.compress(rows.write_csv().encode()))


def read_there(plan: Plan) -> tuple[object, ...]:
    """What a run has of a delivery that it has read: its files, rows and fingerprints, wherever the delivery was."""
    files = {name: told for name, told in hashes(plan.work).items() if name not in (PROGRESS, STARTED)}
    progress = json.loads(plan.progress.read_text())
    return files, progress["counts"], progress["of"]["inputs"]


@pytest.mark.parametrize("write", [_parquet, _csv, _marked, _packed])
def test_a_delivery_is_read_in_pieces(
    server: S3, study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write: Callable
) -> None:
    """Of every kind of file some bytes at a time; buckets, quarantine, counts and fingerprints are as from disk."""
    (tmp_path / "delivery").mkdir()
    for path in sorted((study.parent / "delivery").glob("*.parquet")):
        write(pl.read_parquet(path), tmp_path / "delivery" / path.stem)
    folder = f"pieces {write.__name__}"
    address = server.put_folder(tmp_path / "delivery", folder)
    monkeypatch.setattr(source_files, "_SMALL", 0)
    monkeypatch.setattr(csv, "_BLOCK", 4_000)
    monkeypatch.setattr(s3, "_AT_ONCE", 3_000)
    monkeypatch.setattr(intake, "_DEALT_AT_ONCE", 2_000)

    plans = [
        make_plan(written(tmp_path, study, "delivery"), tmp_path / "out"),
        make_plan(written(tmp_path / "on s3", study, address), tmp_path / "out of s3"),
    ]
    for plan in plans:
        reading.read_delivery(plan, load(plan.study_path))
    asked = [request for request in server.requests() if f"/{folder.replace(' ', '%20')}/dispensings" in request[1]]
    answers = [answer for verb, _, answer in asked if verb == "GET"]

    assert read_there(plans[0]) == read_there(plans[1])
    assert set(answers) == {206}  # a part of the file
    assert len(answers) > 10


@pytest.mark.parametrize("name", ["a.csv.gz", "a.csv.bz2", "a.csv.zst", "a.csv"])
def test_a_fingerprint_is_of_the_bytes_in_the_store(server: S3, name: str) -> None:
    """Nothing is unpacked by its name."""
    content = gzip.compress(b"person_id\n1\n", mtime=0)
    server.put(content, f"bytes/{name}")
    place = s3.address(f"s3://{BUCKET}/bytes/{name}")

    assert server.kept("bytes")[name] == content
    with place.open() as stream:
        assert stream.read() == content
    assert sha256_of(place) == sha256(content)


@pytest.mark.parametrize("key", ["a//b.csv", "//b.csv", "./b.csv", "../b.csv", "a/../b.csv", "id=1990//b.csv"])
def test_a_key_that_is_no_path(server: S3, tmp_path: Path, key: str) -> None:
    """It is listed as what cannot be read, and refused where it is a part of a table; a value in it is not told."""
    folder = f"odd/{sha256(key.encode())[:8]}"
    server.put(b"person_id,year_of_birth\n1,1970\n", f"{folder}/person.csv")
    server.put_at(f"{folder}/{key}", b"a\n1\n")
    chosen = omop_study(kind="omop", path=f"s3://{BUCKET}/{folder}")

    found = {entry.state: entry for entry in open_delivery(chosen, tmp_path, OMOP_LISTS).found}
    assert (found["unreadable"].name, found["unreadable"].note) == (shown(key), "Its key is no path.")
    assert found["read"].name == "person.csv"

    server.put_at(f"{folder}/death/{key}", b"person_id,death_date\n")
    with pytest.raises(ImpasseError, match=r"Its key is no path\.(.|\n)*death/") as caught:
        open_delivery(chosen, tmp_path, OMOP_LISTS)
    assert "1990" not in str(caught.value)


def test_each_row_on_s3_once(server: S3, tmp_path: Path) -> None:
    """Copies, and tables of which only a log says what is in them, are found there too."""
    server.put(b"person_id,year_of_birth\n1,1970\n", "once/person/part-0.csv")
    server.put(b"person_id,year_of_birth\n1,1970\n", "once/person/part-0 (1).csv")
    chosen = omop_study(kind="omop", path=f"s3://{BUCKET}/once")
    with pytest.raises(ImpasseError, match="Two files hold the same bytes"):
        open_delivery(chosen, tmp_path, OMOP_LISTS)

    server.put(b"{}", "once/_delta_log/0.json")
    with pytest.raises(ImpasseError, match="'once' is a table of Delta"):
        open_delivery(chosen, tmp_path, OMOP_LISTS)


def test_an_omop_folder(server: S3, tmp_path: Path) -> None:
    """Tables of an OMOP folder, capitals and tabs as they come; an empty one counts as not delivered."""
    server.put(b"PERSON_ID,YEAR_OF_BIRTH\n1,1970\n", "omop/PERSON.csv")
    server.put(gzip.compress(b"concept_id\tconcept_name\n1\tx, y\n"), "omop/CONCEPT.csv.gz")
    server.put(b"person_id,death_date\n", "omop/death.csv")
    pl.DataFrame({"visit_occurrence_id": [1, 2]}).write_parquet(tmp_path / "visit_occurrence.parquet")
    server.put((tmp_path / "visit_occurrence.parquet").read_bytes(), "omop/visit_occurrence.parquet")

    found = open_delivery(omop_study(kind="omop", path=f"s3://{BUCKET}/omop"), tmp_path, OMOP_LISTS)

    assert [t for t in ("concept", "death", "person", "visit_occurrence") if t in found] == [
        "concept",
        "person",
        "visit_occurrence",
    ]
    assert found.whole("concept").to_dicts() == [{"concept_id": "1", "concept_name": "x, y"}]
    assert (found.n_rows("person"), found.n_rows("visit_occurrence")) == (1, 2)


def test_a_database_on_s3_is_refused(server: S3, tmp_path: Path) -> None:
    """One message that says to copy it; the copy is read."""
    with duckdb.connect(str(tmp_path / "cdm.duckdb")) as database:
        database.sql("create table person as select 1 as person_id")
    server.put((tmp_path / "cdm.duckdb").read_bytes(), "cdm.duckdb")

    with pytest.raises(ImpasseError, match=r"DuckDB file cannot be read on S3(.|\n)*Copy the file"):
        open_delivery(omop_study(kind="omop", path=f"s3://{BUCKET}/cdm.duckdb"), tmp_path, OMOP_LISTS)
    assert open_delivery(omop_study(kind="omop", path="cdm.duckdb"), tmp_path, OMOP_LISTS).n_rows("person") == 1


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("persons.parquet", b"PAR1 cut off", "cannot be read as Parquet"),
        ("persons.csv", b"person_id,birth_date\n1,1970-01-01\n2\n", "a line does not fit the first one"),
        ("persons.csv.gz", gzip.compress(b"person_id,birth_date\n" * 99, mtime=0)[:-20], "cut off"),
        ("persons.csv", b"", "holds no rows"),
    ],
    ids=["Parquet", "CSV", "gzip", "empty"],
)
def test_a_broken_file_is_told_as_one(
    server: S3, study: Path, tmp_path: Path, name: str, content: bytes, message: str
) -> None:
    """What is wrong with a file is not taken for a fault of the store."""
    folder = f"broken/{sha256(content)[:8]}"
    server.put(content, f"{folder}/{name}")

    with pytest.raises(ImpasseError, match=message):
        cleaned_of(written(tmp_path, study, f"s3://{BUCKET}/{folder}"))


# What is wrong, told once.


def _told(ended: subprocess.CompletedProcess[str]) -> str:
    """The one message of a command that found bad input, on one line."""
    assert ended.returncode == 2, ended.stderr
    assert ended.stderr.count("Error:") == 1
    assert "Traceback" not in ended.stderr + ended.stdout
    return " ".join(ended.stderr.split())


@pytest.mark.parametrize(
    ("path", "changed", "message"),
    [
        ("no-such-bucket/delivery", {}, "There is no such bucket. where: s3://no-such-bucket/delivery"),
        (f"{BUCKET}/elsewhere", {}, f"There is no such file or folder. where: s3://{BUCKET}/elsewhere"),
        (f"{BUCKET}/incomplete", {}, "File 'persons' is missing. where: folder incomplete"),
        (f"{BUCKET}/delivery", {"AWS_SECRET_ACCESS_KEY": "wrongsecret"}, "S3 refuses the credentials"),
        (f"{BUCKET}/delivery", {"AWS_ACCESS_KEY_ID": "AKIAWRONGKEY"}, "S3 refuses the credentials"),
        (f"{BUCKET}/delivery", {"AWS_ACCESS_KEY_ID": ""}, "There are no credentials for S3. where: environment"),
        (f"{BUCKET}/delivery", {"AWS_ENDPOINT_URL": ""}, "It is not said where the bucket is. where: environment"),
        (f"{BUCKET}/delivery", {"AWS_ALLOW_HTTP": ""}, "The endpoint of S3 is not encrypted."),
        (f"{BUCKET}/delivery", {"AWS_ENDPOINT_URL": "store.local:9000"}, "The endpoint of S3 is no web address."),
    ],
)
def test_bad_input_is_told(
    server: S3, delivery: str, study: Path, tmp_path: Path, path: str, changed: dict[str, str], message: str
) -> None:
    """What was found, where, and what to do; exit code 2; no key, secret or endpoint is repeated."""
    server.put(b"a,b\n1,2\n", "incomplete/sales.csv")
    environment = server.environment() | changed

    told = _told(impasse("check", str(written(tmp_path, study, f"s3://{path}")), **environment))

    assert message in told
    assert "do: " in told
    assert not [name for name, value in environment.items() if value and value in told and len(value) > 5]


@pytest.mark.parametrize("kind", ["closed", "silent"])
def test_an_endpoint_that_does_not_answer_is_given_up(
    server: S3, delivery: str, study: Path, tmp_path: Path, kind: str
) -> None:
    """Whether nobody listens or somebody listens and says nothing: after the stated seconds, in our words."""
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        port = silent.getsockname()[1] if kind == "silent" else free_port()
        environment = server.environment() | {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}"}
        chosen = str(written(tmp_path, study, delivery))
        soon = "from impasse.flows.files import s3_account; s3_account._SILENT_SECONDS = 1"
        told = _told(impasse("check", chosen, before=soon, **environment))

    assert "S3 does not answer." in told


def test_a_silent_endpoint_is_given_up_within_half_a_minute() -> None:
    """Each try waits for so long."""
    assert s3_account._TRIES * s3_account._SILENT_SECONDS <= 30


def test_https_needs_no_allowance(monkeypatch: pytest.MonkeyPatch) -> None:
    """Encrypted it is tried, and found closed; plain it is not tried."""
    monkeypatch.delenv("AWS_ALLOW_HTTP")
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"https://127.0.0.1:{free_port()}")
    with pytest.raises(ImpasseError, match="does not answer"):
        s3.address(f"s3://{BUCKET}/delivery").exists()

    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{free_port()}")
    with pytest.raises(ImpasseError, match="not encrypted"):
        s3.address(f"s3://{BUCKET}/delivery").exists()


def test_a_bucket_for_the_output_is_missed_before_the_work(delivery: str, study: Path, tmp_path: Path) -> None:
    """Not at the end of the night."""
    with pytest.raises(ImpasseError, match="no such bucket"):
        make_plan(written(tmp_path, study, delivery), "s3://no-such-bucket/runs")
    assert files_in_folder(tmp_path / "work") == []


# Addresses.


@pytest.mark.parametrize("path", ["s3://bucket", "s3://my.bucket-1/", "s3://bucket/a folder/b", "folder/s3"])
def test_what_may_be_a_source(study: Path, path: str) -> None:
    """A bucket, a folder in it, or a path."""
    assert studies.parse("study.toml", study.read_text().replace('"delivery"', f'"{path}"')).source.path == path


@pytest.mark.parametrize(
    "path",
    ["s3://key:topsecret@bucket/a", "s3://bucket/a?secret_key=topsecret", "S3://bucket/a", "s3:/bucket/a", "s3://B/a"],
)
def test_what_may_not_be_a_source(study: Path, path: str) -> None:
    """Keys and settings in an address, or one that is misspelt: refused, and not repeated."""
    with pytest.raises(ImpasseError, match=r"source\.path(.|\n)*s3://bucket/folder") as told:
        studies.parse("study.toml", study.read_text().replace('"delivery"', f'"{path}"'))
    assert path not in str(told.value)
    assert "topsecret" not in str(told.value)

    with pytest.raises(ImpasseError, match="no address on S3") as told:
        s3.address(path)
    assert "topsecret" not in str(told.value)


@pytest.mark.parametrize(
    "more", ['[definitions]\nfolders = ["s3://bucket/own"]', '[output]\nwork = "s3://bucket/work"']
)
def test_what_must_be_on_this_machine(study: Path, more: str) -> None:
    """Definitions and the work folder."""
    with pytest.raises(ImpasseError, match=r"only source\.path and output\.folder may be on S3"):
        studies.parse("study.toml", f"{study.read_text().partition('[definitions]')[0]}\n{more}\n")


@pytest.mark.parametrize("words", [("run", "s3://bucket/study.toml"), ("simulate", "--out", "s3://bucket/made")])
def test_no_folder_is_made_of_an_address(words: tuple[str, ...], tmp_path: Path) -> None:
    """Where only a path can be meant, an address is refused."""
    ended = impasse(*words, PYTHONPATH=str(ROOT))

    assert ended.returncode == 2
    assert "must be on this machine" in " ".join(ended.stderr.replace("│", " ").split())
    assert not (ROOT / "s3:").exists()


def test_keys_in_an_address_are_not_handed_on(study: Path, tmp_path: Path) -> None:
    """Refused before Prefect starts, which would keep what the command line says."""
    told = _told(impasse("run", str(study), "--out", "s3://key:topsecret@bucket/runs", PREFECT_HOME=str(tmp_path)))

    assert "This is no address on S3." in told
    assert "topsecret" not in told
    assert not any(b"topsecret" in path.read_bytes() for path in files_in_folder(tmp_path))


def test_an_address_is_asked_like_a_path() -> None:
    """Its parts, its neighbours and its order."""
    file = s3.address("s3://bucket/a//b/c.csv.gz/")

    assert str(file) == "s3://bucket/a/b/c.csv.gz"
    assert (file.name, file.stem, file.suffix, str(file.parent)) == ("c.csv.gz", "c.csv", ".gz", "s3://bucket/a/b")
    assert str(file.parent.parent.parent / "d") == "s3://bucket/d"
    assert s3.address("s3://bucket").name == "bucket"
    assert sorted([file, file.parent]) == [file.parent, file]


# Keys, and who is called.


def test_nothing_of_a_key_is_kept_or_shown(server: S3, objects: dict[str, bytes], published: str, study: Path) -> None:
    """Not in any file of a run, and not by what holds the keys."""
    secrets = [text.encode() for keys in server.keys.values() for text in keys]

    assert len(secrets) == 4
    assert [name for name, content in objects.items() for secret in secrets if secret in content] == []
    assert not any(text in repr(s3_account._account()) for keys in server.keys.values() for text in keys)


def test_nobody_else_is_called_and_nothing_is_left(server: S3, study: Path, tmp_path: Path) -> None:
    """The command calls this machine only, looks for no profile, and leaves no copy of the delivery behind."""
    (tmp_path / "made").mkdir()
    for path in sorted((study.parent / "delivery").glob("*.parquet")):
        (_parquet if path.stem == "persons" else _csv)(pl.read_parquet(path), tmp_path / "made" / path.stem)
    (tmp_path / "watch").mkdir()
    called = tmp_path / "called.txt"
    (tmp_path / "watch/sitecustomize.py").write_text(WATCH.format(path=str(called)))
    called.write_text("")
    environment = {
        **server.environment(),
        "PYTHONPATH": f"{tmp_path / 'watch'}:{ROOT}",
        "HOME": str(tmp_path / "home"),
        "TMPDIR": str(tmp_path / "tmp"),
        "POLARS_TEMP_DIR": str(tmp_path / "tmp"),
    }
    (tmp_path / "home/.aws").mkdir(parents=True)
    (tmp_path / "home/.aws/credentials").write_text("[default]\naws_access_key_id = other\naws_secret_access_key = x\n")
    (tmp_path / "tmp").mkdir()

    ended = impasse(
        "check", str(written(tmp_path, study, server.put_folder(tmp_path / "made", "watched"))), **environment
    )

    assert ended.returncode == 0, ended.stderr
    assert set(called.read_text().split()) <= {"127.0.0.1"}
    assert files_in_folder(tmp_path / "tmp") == []
    assert [path.name for path in files_in_folder(tmp_path / "home")] == ["credentials"]


def test_a_parquet_folder_and_what_lies_beside_it(server: S3, tmp_path: Path) -> None:
    """A table in several files is read in their order, and every object below the delivery is listed."""
    pl.DataFrame({"person_id": [1], "year_of_birth": [1970]}).write_parquet(tmp_path / "0")
    pl.DataFrame({"person_id": [2], "year_of_birth": [1970]}).write_parquet(tmp_path / "1")
    server.put((tmp_path / "0").read_bytes(), "listed/person/part-0.parquet")
    server.put((tmp_path / "1").read_bytes(), "listed/person/part-1.parquet")
    server.put(b"", "listed/person/_SUCCESS")
    server.put(b"note_id\n1\n", "listed/note.csv")

    found = open_delivery(omop_study(kind="omop", path=f"s3://{BUCKET}/listed"), tmp_path, OMOP_LISTS)

    assert found.whole("person")["person_id"].to_list() == [1, 2]
    assert [(entry.name, entry.state, entry.rows) for entry in found.found] == [
        ("note.csv", "not asked for", None),
        ("person/_SUCCESS", "not asked for", None),
        ("person/part-0.parquet", "read", 1),
        ("person/part-1.parquet", "read", 1),
    ]


def test_lines_of_a_file_on_s3_are_counted(server: S3, tmp_path: Path) -> None:
    """As they are streamed: a carriage return alone is found there too."""
    server.put(b"person_id,year_of_birth\n1,1970\r2,1970\n", "mixed/person.csv")

    with pytest.raises(ImpasseError, match="carriage return"):
        open_delivery(omop_study(kind="omop", path=f"s3://{BUCKET}/mixed"), tmp_path, OMOP_LISTS)
