"""Which files of a folder each OMOP table stands for: a folder in, paths out.

A table is one file, its parts by number as databases export them (`drug_exposure_000000000000.csv`), or a folder of CSV
or Parquet parts. No file that begins with the name of a table is passed over while that table is missing.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from impasse.flows.delivery import parquet
from impasse.flows.delivery.locate import Located, all_in, checked, listing_of, missing, refuse_no_folder
from impasse.flows.delivery.once import ENDINGS, are_numbered, name_list, refuse_two_endings, without_ending
from impasse.flows.delivery.regular import files_below, refuse_closed, refuse_folder_outside
from impasse.flows.files import s3
from impasse.flows.files.s3 import Place
from impasse.schemas.concepts import OMOP_TABLES
from impasse.schemas.errors import ImpasseError
from impasse.schemas.file_names import shown
from impasse.schemas.mapping import File

_PART = re.compile(r"[_-]([0-9]+)(-of-[0-9]+)?")
# Tables that are not read and begin with the name of one that is.
_OTHERS = ("concept_class", "concept_cpt4", "concept_relationship", "concept_synonym")
_NO_DATA = (".sql", ".md", ".log", ".pdf", ".html", ".docx", ".md5", ".sha256")
_MARKS = ("_", ".")


def locate_omop(folder: Place) -> Located:
    """The files of each OMOP table that is there, in the order of their names; only persons must be."""
    refuse_no_folder(folder)
    there = [path for path in all_in(folder) if not path.name.startswith(_MARKS)]
    found = {table: _files_of(table, there, folder) for table in OMOP_TABLES}
    if not found["person"]:
        raise missing([File(name="person")], folder, listing_of(folder))
    return checked({table: paths for table, paths in found.items() if paths}, folder)


def _files_of(table: str, there: Sequence[Place], folder: Place) -> tuple[Place, ...]:
    begun = [path for path in there if _table_of(path) == table]
    whole = [path for path in begun if without_ending(path.name) == table]
    numbers = {path: _part(path, table) for path in begun}
    parts = [path for path, number in numbers.items() if number is not None]
    if len(whole) + bool(parts) > 1:
        raise _either(table, [*whole, *parts], folder)
    refuse_two_endings(parts, folder)
    odd = [path for path in begun if path not in parts and not path.name.lower().endswith(_NO_DATA)]
    if odd and not whole:
        raise _odd_names(table, odd, folder)
    if parts and not are_numbered([number for number in numbers.values() if number is not None]):
        raise _not_numbered(table, parts, folder)
    return tuple(file for path in whole or parts for file in _parts_of(path, folder))


def _table_of(path: Place) -> str:
    """The table with whose name a file's name begins, the longest of them."""
    return max((name for name in (*OMOP_TABLES, *_OTHERS) if path.name.lower().startswith(name)), key=len, default="")


def _part(path: Place, table: str) -> int | None:
    """The number of a part, if the name is that of one."""
    is_data = path.name.lower().endswith(ENDINGS) or path.is_dir()
    found = _PART.fullmatch(without_ending(path.name).removeprefix(table)) if is_data else None
    return int(found[1]) if found else None


def _parts_of(path: Place, folder: Place) -> list[Place]:
    """A file or a folder of Parquet files, as it is; of a folder of CSV files each."""
    if not path.is_dir():
        return [path]
    refuse_folder_outside(path, folder)
    inside = [(file, why) for file, why in files_below(path) if not parquet.is_mark(s3.relative(file, path))]
    for file, why in inside:
        refuse_closed(file, why, path)
    tables = [file for file, _ in inside if not file.name.lower().endswith(_NO_DATA)]
    parts = [file for file in tables if file.name.lower().endswith(ENDINGS)]
    is_parquet = {file.suffix.lower() == ".parquet" for file in parts}
    if len(is_parquet) != 1 or len(parts) < len(tables):
        raise ImpasseError(
            f"The folder '{shown(path.name)}' is no table.",
            where=f"folder {shown(path.parent.name)}",
            expected="a folder of CSV files, or of Parquet files, and of nothing else",
            do="Deliver the table so, or take the folder away.",
        )
    refuse_two_endings(parts, folder)
    return [path] if is_parquet == {True} and parquet.is_table_folder(path) else parts


def _either(table: str, paths: Sequence[Place], folder: Place) -> ImpasseError:
    return ImpasseError(
        f"More than one file may be meant by '{table}': {name_list(path.name for path in paths)}.",
        where=f"folder {shown(folder.name)}",
        expected=f"the table once: {_expected(table)}",
        do="Take away what is not meant.",
    )


def _odd_names(table: str, paths: Sequence[Place], folder: Place) -> ImpasseError:
    return ImpasseError(
        f"The table {table} may be in {name_list(path.name for path in paths)}, which is not read under such a name.",
        where=f"folder {shown(folder.name)}",
        expected=_expected(table),
        do="Give it such a name; if it is no part of the delivery, take it out of the folder.",
    )


def _not_numbered(table: str, paths: Sequence[Place], folder: Place) -> ImpasseError:
    return ImpasseError(
        f"The numbers of the parts of {table} have a gap or are no numbers of parts: "
        f"{name_list(path.name for path in paths)}.",
        where=f"folder {shown(folder.name)}",
        expected="numbers from 0 or 1 on, each once; files of two dates may be the whole table twice",
        do=f"Deliver what is missing. If they are the parts of one table, put them in a folder {table}; if each is the "
        f"whole table, leave one and call it {table}.csv or {table}.parquet.",
    )


def _expected(table: str) -> str:
    return f"{table}.csv, parts such as {table}_1.csv and {table}_2.csv, or a folder {table} of such parts"
