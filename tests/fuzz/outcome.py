"""What became of a mutated delivery, held against a count of its own.

A delivery is read as a run reads it. It must end in one of two ways: every row of every file is accounted for, or one
clear message refuses it. What is counted here does not come from the program: CSV is taken apart by Python's own
module, Parquet tells its rows itself. Every cell of CSV is compared too.
"""

from __future__ import annotations

import csv
import gzip
import io
import re
import traceback
from codecs import BOM_UTF8
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from random import Random
from time import perf_counter

import polars as pl

from impasse.flows.delivery import delivery
from impasse.flows.delivery.delivery import SourceFile
from impasse.flows.gate.redact import InternalError, redact
from impasse.flows.run.loading import load
from impasse.flows.run.plan import make_plan
from impasse.flows.run.steps import reading
from impasse.schemas.delivered import Delivered
from impasse.schemas.errors import ImpasseError
from tests.fuzz.mutations import MUTATIONS, Files
from tests.fuzz.shapes import MARK, SHAPES, Chosen, Row, Shape, as_csv
from tests.unit.deliveries import table_of

_QUOTED = re.compile(rf"{MARK}\d|77000000\d\d")
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


@dataclass(frozen=True)
class Outcome:
    """How one delivery ended: `read`, `refused` or `wrong`, with the words that tell it, and the seconds it took."""

    seed: int
    kind: str
    shape: str
    mutations: tuple[str, ...]
    told: str
    seconds: float


def drawn(seed: int) -> tuple[Shape, Files, tuple[str, ...]]:
    """A delivery of some shape after one to three mutations."""
    rng = Random(seed)
    shape = rng.choice(SHAPES)(rng)
    files = {name: as_csv(rows) for name, rows in shape.files.items()}
    chosen = [rng.choice(MUTATIONS) for _ in range(rng.choice((1, 1, 2, 3)))]
    for mutate in chosen:
        mutate(files, rng)
    return shape, files, tuple(mutate.__name__.lstrip("_") for mutate in chosen)


def tried(seed: int, folder: Path) -> Outcome:
    """Write the delivery of a seed below a folder, read it, and judge what became of it."""
    shape, files, names = drawn(seed)
    started = perf_counter()
    kind, told = judged(shape, files, folder)
    return Outcome(seed, kind, shape.name, names, told, perf_counter() - started)


def judged(shape: Shape, files: Files, folder: Path) -> tuple[str, str]:
    """How the reading of a delivery ends, and the words that tell it."""
    return _read(written(shape, files, folder), folder / "out", shape, files)


def written(shape: Shape, files: Files, folder: Path) -> Path:
    """The delivery on disk; returns its study file."""
    (folder / "delivery").mkdir(parents=True)
    for name, content in files.items():
        path = folder / "delivery" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    study = folder / "study.toml"
    study.write_text(shape.study())
    return study


def _read(study: Path, out: Path, shape: Shape, files: Files) -> tuple[str, str]:
    try:
        plan = redact(make_plan)(study, out)
        loaded = load(plan.study_path)
        redact(reading.read_delivery)(plan, loaded)
        delivered = delivery.open_delivery(loaded.study, plan.base, loaded.layout)
    except InternalError as error:
        return "wrong", f"{error}\n{traceback.format_exc()}"
    except ImpasseError as error:
        return _judged(error, [])
    except Exception as error:
        return "wrong", f"{type(error).__name__} passed the gate"
    return _judged(None, _uncounted(plan.work, shape, files) + _other_cells(delivered))


def _judged(error: ImpasseError | None, faults: list[str]) -> tuple[str, str]:
    """A refusal must be clear and quote no row; a delivery that is read must account for every row."""
    text = str(error or "")
    if _QUOTED.search(text):
        return "wrong", f"the message quotes a row: {text}"
    if _CONTROL.search(text):
        return "wrong", f"the message holds control characters: {text!r}"
    if error is not None and not (error.where and error.do):
        return "wrong", f"the message does not say where, or what to do: {text}"
    if faults:
        return "wrong", "; ".join(faults)
    return ("refused", error.what) if error else ("read", "")


def _uncounted(work: Path, shape: Shape, files: Files) -> list[str]:
    """Where rows are not accounted for."""
    reconciliation = pl.read_parquet(work / "release" / "reconciliation.parquet").filter("is_present")
    faults = []
    delivered = {row["table"]: row for row in reconciliation.to_dicts()}
    for table, parts in shape.feeds.items():
        own = sum(_n_rows(_content(files, file), chosen) for file, chosen in parts)
        row = delivered.get(table, {"n_delivered": 0, "n_accepted": 0, "n_quarantined": 0})
        if row["n_delivered"] != own:
            faults.append(f"{table}: {own} rows lie in the files, {row['n_delivered']} count as delivered")
    for table, row in delivered.items():
        kept = work / "restricted" / "quarantine" / f"{table}.parquet"
        n_kept = pl.read_parquet(kept).height if kept.exists() else 0
        if row["n_quarantined"] != n_kept:
            faults.append(f"{table}: {n_kept} rows lie in the quarantine, {row['n_quarantined']} are told")
        if row["n_accepted"] + row["n_quarantined"] != row["n_delivered"]:
            faults.append(f"{table}: accepted and quarantined are not what was delivered")
        if table in ("persons", "coverage", "scores", "admissions") and _n_canonical(work, table) != row["n_accepted"]:
            faults.append(f"{table}: {_n_canonical(work, table)} canonical rows, {row['n_accepted']} accepted")
    return faults


def _other_cells(delivered: Delivered) -> list[str]:
    """Where other cells are read of a CSV file than Python's own module reads."""
    sources = delivered.sources if isinstance(delivered, delivery.DeliveredFiles) else {}
    files = {file for each in sources.values() for file in each if not file.is_parquet}
    apart = [file.path.name for file in files if told_cells(file) != own_cells(file.path.read_bytes(), file)]
    return [f"{name}: other cells lie in the file" for name in sorted(apart)]


def told_cells(file: SourceFile) -> list[list[str]]:
    """The rows that are read of a file, by place."""
    return [[cell or "" for cell in row] for row in table_of(file).rows()]


def own_cells(content: bytes, file: SourceFile) -> list[list[str]]:
    """The rows that Python's own module finds in a CSV file; a blank line below the header is one of blank cells."""
    unpacked = gzip.decompress(content) if file.path.suffix.lower() == ".gz" else content
    text = unpacked.removeprefix(BOM_UTF8).decode(file.form.encoding).lstrip("\r\n")
    quoting = csv.QUOTE_MINIMAL if file.form.quoting else csv.QUOTE_NONE
    csv.field_size_limit(1 << 30)
    header, *rows = csv.reader(io.StringIO(text, newline=""), delimiter=file.form.delimiter, quoting=quoting)
    return [row or [""] * len(header) for row in rows]


def _n_canonical(work: Path, table: str) -> int:
    return sum(pl.read_parquet(path).height for path in (work / "buckets").glob(f"*/{table}.parquet"))


def _content(files: Files, name: str) -> bytes:
    """The bytes under which a file of the shape is now found, whatever its ending and capitals."""
    stem = name.removesuffix(".csv")
    found = {path.lower(): content for path, content in files.items()}
    for path in (name, f"{name}.gz", f"{stem}.parquet"):
        if path in found:
            return gzip.decompress(found[path]) if path.endswith(".gz") else found[path]
    parts = [found[path] for path in sorted(found) if path.startswith((f"{stem}.parquet/", f"{stem}/"))]
    return parts[0] if parts else b""


def _n_rows(content: bytes, chosen: Chosen) -> int:
    rows = _parquet_rows(content) if content[:4] == b"PAR1" else _csv_rows(content)
    return sum(1 for row in rows if chosen(row))


def _parquet_rows(content: bytes) -> list[Row]:
    frame = pl.read_parquet(io.BytesIO(content))
    told = (pl.String, pl.Categorical, pl.Int64, pl.Float64, pl.Boolean)
    shown = [
        pl.col(name).cast(pl.String) if frame.schema[name] in told else pl.lit("").alias(name) for name in frame.columns
    ]
    text = frame.with_columns(shown).fill_null("")
    return [{name.lower(): value for name, value in row.items()} for row in text.to_dicts()]


def _csv_rows(content: bytes) -> list[Row]:
    """The rows of a CSV file by column name in lower case, as Python's own module finds them; a blank line is one."""
    text = content.decode("utf-8-sig", errors="replace") if _is_utf8(content) else content.decode("latin-1")
    csv.field_size_limit(1 << 30)
    first = text.lstrip("\r\n").splitlines()[:1] or [""]
    delimiter = max(",;\t|", key=first[0].count)
    rows = list(csv.reader(io.StringIO(text.lstrip("\r\n"), newline=""), delimiter=delimiter))
    if not rows:
        return []
    names = [name.strip().lower() for name in rows[0]]
    return [dict(zip(names, row, strict=False)) for row in rows[1:]]


def _is_utf8(content: bytes) -> bool:
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def counted(outcomes: list[Outcome]) -> str:
    """Outcomes by kind, the refusals by what was said, and the slowest."""
    kinds = Counter(outcome.kind for outcome in outcomes)
    refusals = [outcome.told.split("\n")[0] for outcome in outcomes if outcome.kind == "refused"]
    said = Counter(re.sub(r"'[^']*'|\d+", "…", refusal) for refusal in refusals)
    slowest = max(outcomes, key=lambda outcome: outcome.seconds)
    lines = [f"{kind:<10} {n:>6,}" for kind, n in sorted(kinds.items())]
    lines += [f"  {n:>6,}  {what}" for what, n in said.most_common()]
    return "\n".join(
        [*lines, f"slowest: {slowest.seconds:.2f} s, seed {slowest.seed} ({', '.join(slowest.mutations)})"]
    )
