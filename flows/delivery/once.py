"""Each row of a delivery once: no file is read under two names, no copy beside it, and no part is missing.

Names and links are looked at whenever files are looked for; bytes when a delivery is read, and only of files that are
as large as another of the table and begin as it does.
"""

from __future__ import annotations

import os
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence

from impasse.flows.delivery import parquet
from impasse.flows.delivery.regular import files_below
from impasse.flows.files.fingerprints import sha256_of, sha256_of_start
from impasse.flows.files.s3 import Address, Place, relative
from impasse.schemas.errors import ImpasseError
from impasse.schemas.file_names import shown

ENDINGS = (".csv", ".csv.gz", ".txt", ".txt.gz", ".tsv", ".tsv.gz", ".parquet")
_SHOWN = 10
_OF = re.compile(r"(\d+)[-_]of[-_](\d+)", re.IGNORECASE)
# Folders by which Delta, Hudi and Spark's streams say which files of a table count, and which no longer.
_LOGS = ("_delta_log", ".hoodie", "_hudi", "_spark_metadata")
_ICEBERG = (".metadata.json", "version-hint.text")


def without_ending(name: str) -> str:
    """A file's name in small letters, without the ending of a table."""
    low = name.lower()
    return next((low.removesuffix(ending) for ending in reversed(ENDINGS) if low.endswith(ending)), low)


def name_list(names: Iterable[str]) -> str:
    """Names as they are told, the first of them if they are many."""
    told = [f"'{shown(name)}'" for name in names]
    more = f" and {len(told) - _SHOWN} more" if len(told) > _SHOWN else ""
    return ", ".join(told[:_SHOWN]) + more


def require_once(located: Mapping[str, Sequence[Place]], folder: Place) -> None:
    """Raise ImpasseError if the files of a table are not each of its rows once, as far as names and links tell."""
    for paths in located.values():
        for table in (path for path in paths if path.is_dir()):
            _refuse_log_below(table, folder)
            refuse_two_endings(parquet.files_of(table), folder)
        files = [file for path in paths for file in parquet.files_of(path)]
        for alike in _groups(files, _true_place):
            raise _twice("Two names lead to one file", alike, folder)
        _require_all_parts(files, folder)
    _refuse_logs_above([path for paths in located.values() for path in paths], folder)


def _true_place(file: Place) -> Place | str:
    return file if isinstance(file, Address) else os.path.realpath(file)


def refuse_two_endings(paths: Sequence[Place], folder: Place) -> None:
    """A year that is there as CSV and as Parquet would be read twice."""
    counts = Counter(map(_place_and_name, paths))
    twice = [path.name for path in paths if counts[_place_and_name(path)] > 1]
    if twice:
        raise ImpasseError(
            f"Files differ only in ending or capitals: {name_list(twice)}.",
            where=f"folder {shown(folder.name)}",
            expected="each file once",
            do="Take the others away, or add the ending to a pattern of source.files, as in lmed_*.csv.",
        )


def _place_and_name(path: Place) -> tuple[Place, str]:
    return path.parent, without_ending(path.name)


def refuse_copies(files: Mapping[Place, Hashable], folder: Place) -> None:
    """Raise ImpasseError if two files of one table hold the same bytes.

    Files of which something else is told, such as the columns that folders give, hold other rows.
    """
    groups = [list(files)] if len(files) > 1 else []
    for look in (files.get, _n_bytes, sha256_of_start, sha256_of):
        groups = [alike for group in groups for alike in _groups(group, look)]
    for alike in groups:
        raise _twice("Two files hold the same bytes", alike, folder)


def _n_bytes(file: Place) -> int:
    return file.n_bytes() if isinstance(file, Address) else file.stat().st_size


def _groups(files: Iterable[Place], look: Callable[[Place], Hashable]) -> list[list[Place]]:
    """The files that are alike, where more than one is."""
    groups: dict[Hashable, list[Place]] = defaultdict(list)
    for file in files:
        groups[look(file)].append(file)
    return [group for group in groups.values() if len(group) > 1]


def _twice(what: str, files: Sequence[Place], folder: Place) -> ImpasseError:
    return ImpasseError(
        f"{what}: {name_list(str(relative(file, folder)) for file in files)}.",
        where=f"folder {shown(folder.name)}",
        expected="each file of a table once; its rows would count twice",
        do="Take the others away, or name in source.files the one that is meant.",
    )


def _require_all_parts(files: Sequence[Place], folder: Place) -> None:
    """Raise ImpasseError where a name says that it is one part of several, and not all of them are there."""
    parts: dict[Hashable, list[tuple[int, int]]] = defaultdict(list)
    for file in files:
        if found := _OF.search(file.name):
            parts[file.parent, file.name[: found.start()].lower()].append((int(found[1]), int(found[2])))
    for (_, name), numbers in parts.items():
        n_parts = max(of for _, of in numbers)
        if not are_numbered([number for number, _ in numbers]) or len(numbers) != n_parts:
            raise ImpasseError(
                f"Of the files '{shown(name)}…' there are {len(numbers)}, and their names speak of {n_parts}.",
                where=f"folder {shown(folder.name)}",
                expected="all parts of a table, each once",
                do="Deliver the others too. If nothing is missing, give the files names without '-of-'.",
            )


def are_numbered(numbers: Sequence[int]) -> bool:
    """Whether numbers go from 0 or 1 on, without a gap and each once."""
    return sorted(numbers) in (list(range(len(numbers))), list(range(1, len(numbers) + 1)))


def _refuse_log_below(table: Place, folder: Place) -> None:
    for file, _ in files_below(table):
        inside = relative(file, table).parts
        if not set(_LOGS).isdisjoint(inside) or (inside[-2:-1] == ("metadata",) and inside[-1].endswith(_ICEBERG)):
            raise _has_a_log(table, folder)


def _refuse_logs_above(paths: Sequence[Place], folder: Place) -> None:
    """Raise ImpasseError for a file of a table that is named without its log, as by a pattern."""
    steps = {step for path in paths for step in relative(path, folder).parents}
    for above in (folder / str(step) if step.name else folder for step in sorted(steps)):
        if any((above / log).exists() for log in _LOGS) or _has_iceberg(above / "metadata"):
            raise _has_a_log(above, folder)


def _has_iceberg(metadata: Place) -> bool:
    return metadata.is_dir() and any(file.name.endswith(_ICEBERG) for file, _ in files_below(metadata))


def _has_a_log(table: Place, folder: Place) -> ImpasseError:
    return ImpasseError(
        f"The folder '{shown(table.name)}' is a table of Delta, Hudi, Iceberg or a stream.",
        where=f"folder {shown(folder.name)}",
        expected="plain Parquet; which files of such a table still count only its log says, which is not read",
        do="Export the table as plain Parquet into a folder of its own.",
    )
