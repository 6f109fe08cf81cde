"""What may be opened of a delivery: regular files. A pipe never ends, a device may never end, a socket is no file.

A link to a file is read as the file. A link that leads outside the delivery is read too, since institutions link the
files of a year, and said to be one. A folder to which a link leads is not walked into: the whole machine may be below
it, or what is read elsewhere. Nor can one be that may not be listed. Both stand in the list of files themselves, each
with the reason, and are refused where they may hold rows of a table.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from impasse.flows.files import s3
from impasse.flows.files.faults import fault
from impasse.flows.files.s3 import Address, Place
from impasse.schemas.errors import ImpasseError
from impasse.schemas.file_names import shown

LEADS_OUTSIDE = "a link that leads outside the delivery"
LINKED = "a link to a folder, which is not looked into"


def require_regular(place: Place) -> None:
    """Raise ImpasseError unless a place on this machine is a regular file of a name that libraries take."""
    if isinstance(place, Address):
        return
    try:
        is_there = place.exists()
    except OSError as error:  # a folder above it may not be entered
        raise fault(error, place) or error from None
    if not is_there:
        raise s3.no_file(place)
    if not place.is_file():
        raise _not_regular(place)
    try:
        str(place).encode()
    except UnicodeEncodeError:
        raise ImpasseError(
            "Its name is not UTF-8.", where=f"file {shown(place.name)}", do="Give file and folders other names."
        ) from None


def _not_regular(place: Path) -> ImpasseError:
    return ImpasseError(
        "It is not a regular file.",
        where=f"file {shown(place)}",
        expected="a file, and no folder, pipe, socket or device",
        do="Put a file in its place, or take it away.",
    )


def leads_outside(place: Place, folder: Place) -> bool:
    """Whether a place below a folder is in truth elsewhere, because it or a folder above it is a link."""
    if isinstance(place, Address) or isinstance(folder, Address):
        return False
    return not Path(os.path.realpath(place)).is_relative_to(os.path.realpath(folder))


def refuse_folder_outside(place: Place, folder: Place) -> None:
    """Raise ImpasseError if a table is a folder to which a link leads out of the delivery."""
    if leads_outside(place, folder) and place.is_dir():
        raise ImpasseError(
            f"The folder '{shown(place.name)}' is {LEADS_OUTSIDE}.",
            where=f"folder {shown(folder.name)}",
            expected="a folder of Parquet files in the delivery itself, or links to single files",
            do="Copy or move the folder into the delivery.",
        )


def files_below(folder: Place, besides: Sequence[Path] = ()) -> Iterator[tuple[Place, str]]:
    """Every file below a folder in the order of paths, but for those in some other folders.

    With each comes nothing, or why it is a folder whose files are not in the list.
    """
    if isinstance(folder, Address):
        yield from ((file, "") for file in sorted(folder.below()))
        return
    closed: list[OSError] = []
    for here, folders, names in os.walk(folder, onerror=closed.append):
        yield from _taken(closed)
        inside = sorted(name for name in folders if Path(here, name).resolve() not in besides)
        folders[:] = inside
        links = {name for name in inside if os.path.islink(Path(here, name))}
        yield from ((Path(here, name), LINKED * (name in links)) for name in sorted([*names, *links]))
    yield from _taken(closed)


def _taken(closed: list[OSError]) -> list[tuple[Path, str]]:
    """The folders that could not be listed since this was asked last."""
    taken = [(Path(error.filename), f"{error.strerror}") for error in closed]
    closed.clear()
    return taken


def refuse_closed(place: Place, why: str, table: Place) -> None:
    """Raise ImpasseError if a place is a folder of a table that was not walked into."""
    if why == LINKED:
        raise ImpasseError(
            f"The folder '{shown(place.name)}' is {LINKED}.",
            where=f"folder {shown(table.name)}",
            expected="the folders of a table themselves, or links to single files",
            do="Copy or move the folder into that of the table.",
        )
    if why:
        raise cannot_be_listed(place, why)


def cannot_be_listed(place: Place, why: str) -> ImpasseError:
    """What to say of a folder that the system does not let be listed."""
    return ImpasseError(
        f"The folder cannot be listed: {why}.",
        where=shown(place),
        expected="a folder that may be read, with all folders below it",
        do="Correct the permission, or take the folder away.",
    )
