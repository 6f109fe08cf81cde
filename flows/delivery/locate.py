"""Which files of a folder each key of a layout stands for: a folder in, paths out.

A layout names a file, a pattern or several of these. Upper and lower case are one. What is named must be there, and
which of two files is meant is not guessed.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Container
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path

from impasse.flows.delivery import parquet
from impasse.flows.delivery.once import ENDINGS, name_list, refuse_two_endings, require_once, without_ending
from impasse.flows.delivery.regular import cannot_be_listed, leads_outside, refuse_folder_outside
from impasse.flows.files.s3 import Place
from impasse.schemas.errors import ImpasseError, nearest
from impasse.schemas.file_names import shown
from impasse.schemas.forms import is_pattern
from impasse.schemas.mapping import File, Mapping

_WRITTEN_OUT = 3

Located = dict[str, tuple[Place, ...]]
Listing = Callable[[Place], list[Place]]


def locate_files(folder: Place, layout: Mapping) -> Located:
    """The files of each key in the order of their names; a key without files was not delivered and is left out."""
    refuse_no_folder(folder)
    listing = listing_of(folder)
    found = {key: _files_of(key, file, folder, listing) for key, file in layout.files.items()}
    required = {key for key, file in layout.files.items() if not file.optional}
    for key in (key for key, file in layout.files.items() if file.instead_of):
        found, unneeded = _in_one_form(key, found, layout, folder)
        required -= unneeded
    for key in layout.files:
        if key in required and not found[key]:
            raise missing([layout.files[key]], folder, listing, key)
    return checked({key: paths for key, paths in found.items() if paths}, folder)


def begun_names(layout: Mapping, located: Container[str]) -> dict[str, str]:
    """How a file's name begins that may belong to a table that is missing though it may be: the table, by each word."""
    missing = [(key, file) for key, file in layout.files.items() if file.optional and file.name and key not in located]
    named = [(_start(name), key) for key, file in missing for name in (*file.name, *file.other_names)]
    return {start: key for start, key in named if start}


def _start(name: str) -> str:
    """What every name begins with that a name or pattern fits."""
    return without_ending(re.split(r"[*?]", name.rpartition("/")[2])[0])


def refuse_no_folder(folder: Place) -> None:
    """Raise ImpasseError unless there is a folder."""
    if not folder.is_dir():
        raise ImpasseError(
            "Not a folder.", where=shown(folder), expected="a folder of files", do="Correct source.path."
        )


def listing_of(delivery: Place) -> Listing:
    """The files of a folder of the delivery and the tables that are folders of Parquet files, looked up once."""

    @cache
    def files_in(folder: Place) -> list[Place]:
        refuse_folder_outside(folder, delivery)
        return [path for path in all_in(folder) if _is_table(path, delivery)] if folder.is_dir() else []

    return files_in


def all_in(folder: Place) -> list[Place]:
    """All files and folders in a folder, by their names."""
    try:
        if isinstance(folder, Path):
            os.stat(f"{folder}/.")  # one that may be listed and not entered tells names alone
        return sorted(folder.iterdir())
    except PermissionError as error:
        raise cannot_be_listed(folder, f"{error.strerror}") from None


def _is_table(path: Place, delivery: Place) -> bool:
    """Whether there is a file, or a folder of Parquet files that are one table.

    A folder outside the delivery, to which a link leads, is not looked into, and refused if it is asked for.
    """
    return not path.is_dir() or leads_outside(path, delivery) or parquet.is_table_folder(path)


def checked(found: Located, folder: Place) -> Located:
    """What is found, if none of it is a folder outside that of the delivery, and each row of it is there once."""
    for paths in found.values():
        for path in paths:
            refuse_folder_outside(path, folder)
    require_once(found, folder)
    return found


def _files_of(key: str, file: File, folder: Place, listing: Listing) -> tuple[Place, ...]:
    """What the file's own names fit, all of them; else the one file that any of its other names fits."""
    by_name = {name: _matching(name, folder, listing) for name in file.name}
    own = {path for paths in by_name.values() for path in paths}
    others = {path for name in file.other_names for path in _matching(name, folder, listing)} - own
    absent = [name for name, paths in by_name.items() if not paths]
    if own and absent:
        raise missing([File(name=absent[0])], folder, listing, key)
    if (own and others) or len(others) > 1:
        raise _either(key, sorted(own | others), folder)
    return tuple(sorted(own or others))


def _matching(name: str, folder: Place, listing: Listing) -> list[Place]:
    """The files that a name or pattern fits as it stands or with a known ending; of a plain name one."""
    stated = folder / name
    low = stated.name.lower()
    full_names = [low, *(f"{low}{ending}" for ending in ENDINGS)]
    there = [path for path in listing(stated.parent) if not path.name.startswith(".")]
    if is_pattern(low):
        fitting = [path for path in there if _fits(path, low, full_names)]
        refuse_two_endings(fitting, folder)
        return fitting
    if stated in there and low.endswith(ENDINGS):
        return [stated]
    fitting = [path for path in there if path.name.lower() in full_names]
    if len(fitting) > 1:
        raise _two_of_a_name(name, fitting, folder)
    return fitting


def _two_of_a_name(name: str, paths: list[Place], folder: Place) -> ImpasseError:
    return ImpasseError(
        f"More than one file may be meant by '{shown(name)}': {name_list(path.name for path in paths)}.",
        where=f"folder {shown(folder.name)}",
        expected="one file of the name",
        do="Name the one that is meant in source.files as it is written, with its ending, or take the others away.",
    )


def _fits(path: Place, pattern: str, full_names: list[str]) -> bool:
    """Whether a file has the pattern's ending or a known one; a folder of Parquet files needs none."""
    name = path.name.lower()
    if fnmatchcase(name, pattern) and ("." in pattern or path.is_dir()):
        return True
    return any(fnmatchcase(name, full) for full in full_names[1:])


def _in_one_form(key: str, found: Located, layout: Mapping, folder: Place) -> tuple[Located, set[str]]:
    """The files of one of two forms, and the keys of the other, which need not be there.

    A file that both forms would read is one of those that are delivered instead.
    """
    others = layout.files[key].instead_of
    parts = {path for other in others for path in found[other]}
    if parts and not parts.isdisjoint(found[key]):
        found = found | {key: tuple(path for path in found[key] if path not in parts)}
    if parts and found[key]:
        raise _two_forms([*found[key], *sorted(parts)], key, folder)
    files = [layout.files[name] for name in (key, *others)]
    if not parts and not found[key] and any(file.name for file in files):
        raise missing(files, folder, listing_of(folder), key)
    return found, {key} if parts else set(others)


def missing(files: list[File], folder: Place, listing: Listing, key: str = "") -> ImpasseError:
    """No file of any of the names; what is there is told, first what looks like it."""
    names = [name for file in files for name in (*file.name, *file.other_names)]
    there = [path.name for path in listing((folder / names[0]).parent)]
    return ImpasseError(
        f"File '{shown(names[0])}' is missing.",
        where=f"folder {shown(folder.name)}",
        expected=f"{' or '.join(map(shown, names))} with the ending {', '.join(ENDINGS)}",
        do=_remedy(names, there, key),
    )


def _remedy(names: list[str], there: list[str], key: str) -> str:
    """What to do about a missing file: what is there that begins with a name or resembles it is told, else all."""
    starts = [_start(name) for name in names]
    plain = {without_ending(name): name for name in there}
    alike = {name for name in there if any(start and name.lower().startswith(start) for start in starts)}
    likely = sorted(alike | {plain[near] for near in [nearest(starts[0], list(plain))] if near})
    naming = f"name what is meant in source.files, as in {key} = {_toml(likely)}" if key else "give it that name"
    if likely:
        verb = "is" if len(likely) == 1 else "are"
        return f"There {verb} {name_list(likely)}: {naming}."
    told = f"The folder holds {name_list(there)}: {naming}. " if there else ""
    absent = f" If it is no part of the delivery, say {key} = []." if key else ""
    return f"{told}Deliver it, or correct source.path.{absent}"


def _toml(names: list[str]) -> str:
    if not 0 < len(names) <= _WRITTEN_OUT:
        return "[...]"
    told = [shown(name) for name in names]
    return json.dumps(told[0] if len(told) == 1 else told, ensure_ascii=False)


def _either(key: str, paths: list[Place], folder: Place) -> ImpasseError:
    return ImpasseError(
        f"More than one file may be meant by '{key}': {name_list(path.name for path in paths)}.",
        where=f"folder {shown(folder.name)}",
        expected="one file of the names that the layout knows",
        do=f"Name what is to be read in source.files, as in {key} = {_toml([path.name for path in paths])}.",
    )


def _two_forms(paths: list[Place], key: str, folder: Place) -> ImpasseError:
    return ImpasseError(
        f"The same rows seem to be delivered in two forms: {name_list(path.name for path in paths)}.",
        where=f"folder {shown(folder.name)}",
        expected="one of the two forms that the layout reads",
        do=f"Say in source.files which is not to be read, as in {key} = [].",
    )
