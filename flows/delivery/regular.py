"""What may be opened of a delivery: regular files. A pipe never ends, a device may never end, a socket is no file.

A link to a file is read as the file. A link that leads outside the delivery is read too, since institutions link the
files of a year, and said to be one. A folder outside is not walked into: the whole machine may be below it.
"""

from __future__ import annotations

import os
from pathlib import Path

from impasse.flows.files import s3
from impasse.flows.files.s3 import Address, Place
from impasse.schemas.errors import ImpasseError
from impasse.schemas.file_names import shown

LEADS_OUTSIDE = "a link that leads outside the delivery"


def require_regular(place: Place) -> None:
    """Raise ImpasseError unless a place on this machine is a regular file of a name that libraries take."""
    if isinstance(place, Address):
        return
    if not place.exists():
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
        where=f"file {shown(place.name)}",
        expected="a file, and no folder, pipe, socket or device",
        do="Deliver the rows as a file, or take it away.",
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
