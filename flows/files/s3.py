"""Files on S3: an address that is asked what a path is asked.

pyarrow's object store lists, streams and copies; Polars' own reads Parquet, of which it fetches what it needs. What the
stores say of a fault can quote what they were sent, so of that only the
kind is passed on.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from errno import ENOENT
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from shutil import copyfileobj
from typing import TYPE_CHECKING

from impasse.flows.files.s3_account import client, polars_options
from impasse.schemas.addresses import ADDRESS, ADDRESS_FORM, is_address
from impasse.schemas.errors import ImpasseError, NoAnswer
from impasse.schemas.file_names import shown
from impasse.schemas.plain import plain

if TYPE_CHECKING:  # and loaded only when a store is asked
    import polars as pl
    from pyarrow import NativeFile
    from pyarrow.fs import FileInfo

# What one request fetches of a file that is read from its start to its end, and what is written at once.
_AT_ONCE = 8 << 20

_CODE = re.compile(r"AWS Error ([A-Z_]+(?: \(HTTP status \d+\))?)")
_REFUSALS = (
    "ACCESS_DENIED",
    "INVALID_ACCESS_KEY_ID",
    "SIGNATURE_DOES_NOT_MATCH",
    "INVALID_CLIENT_TOKEN_ID",
    "UNRECOGNIZED_CLIENT",
    "REQUEST_EXPIRED",
    "UNKNOWN (HTTP status 401)",
    "UNKNOWN (HTTP status 403)",
)
# What stands between slashes in a key and is no name of a file or folder.
_NO_NAMES = {"", ".", ".."}
_MISDIRECTED = ("UNKNOWN (HTTP status 301)", "UNKNOWN (HTTP status 400)")


@dataclass(frozen=True, order=True)
class Address:
    """A file or folder on S3, with the questions that a path answers."""

    bucket: str
    key: str = ""

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.key}".rstrip("/")

    def __truediv__(self, name: str) -> Address:
        return Address(self.bucket, f"{self.key}/{name}".strip("/"))

    @property
    def name(self) -> str:
        """The last word of the address."""
        return PurePosixPath(self.key).name or self.bucket

    @property
    def stem(self) -> str:
        """The name without its ending."""
        return PurePosixPath(self.key).stem

    @property
    def suffix(self) -> str:
        """The name's ending."""
        return PurePosixPath(self.key).suffix

    @property
    def parent(self) -> Address:
        """The folder it is in."""
        return Address(self.bucket, self.key.rpartition("/")[0])

    def exists(self) -> bool:
        """Whether anything is here."""
        return self._info().type.name != "NotFound"

    def is_file(self) -> bool:
        """Whether a file is here."""
        return self._info().type.name == "File"

    def is_dir(self) -> bool:
        """Whether there are files below."""
        return self._info().type.name == "Directory"

    def n_bytes(self) -> int:
        """How large the file is."""
        return self._info().size or 0

    def signature(self) -> tuple[int, ...]:
        """What tells that the file was written again."""
        info = self._info()
        return info.size or 0, info.mtime_ns or 0

    def iterdir(self) -> list[Address]:
        """What is in the folder."""
        from pyarrow.fs import FileSelector

        with _told(self):
            found = client().get_file_info(FileSelector(_path(self)))
        start = len(_path(self)) + 1
        return [self / info.path[start:] for info in found if info.path[start:]]

    def glob(self, pattern: str) -> list[Address]:
        """What is in the folder and has a name of the pattern."""
        return [address for address in self.iterdir() if fnmatchcase(address.name, pattern)]

    def below(self) -> list[Address]:
        """Every file in the folder and in the folders below it."""
        from pyarrow.fs import FileSelector

        with _told(self):
            found = client().get_file_info(FileSelector(_path(self), recursive=True))
        start = len(_path(self)) + 1
        return [self / info.path[start:] for info in found if info.type.name == "File"]

    def open(self) -> NativeFile:
        """The file's bytes as they are, whatever its name ends with: from the start to the end, some at a time."""
        with _told(self):
            return client().open_input_stream(_path(self), compression=None, buffer_size=_AT_ONCE)

    def open_anywhere(self) -> NativeFile:
        """The file's bytes, of which those that are wanted are fetched."""
        with _told(self):
            return client().open_input_file(_path(self))

    def _info(self) -> FileInfo:
        with _told(self):
            info = client().get_file_info(_path(self))
            if info.type.name == "NotFound":
                _ask_for_bucket(self)
        return info


Place = Path | Address


def address(text: str) -> Address:
    """The address that a text spells; the text itself is not repeated, because some spell their keys into it."""
    if not ADDRESS.fullmatch(text):
        where = "an address that starts with s3:"
        raise ImpasseError("This is no address on S3.", where=where, expected=ADDRESS_FORM, do="Correct it.")
    bucket, _, key = text.removeprefix("s3://").partition("/")
    return Address(bucket, "/".join(part for part in key.split("/") if part))


def placed(text: str, base: Path) -> Place:
    """The place that a text names: an address, or a path seen from a folder."""
    return address(text) if is_address(text) else base / text


def relative(place: Place, folder: Place) -> PurePosixPath:
    """The path of a place seen from a folder; of one that is not in it, its name."""
    return PurePosixPath(_inside(place, folder))


def _inside(place: Place, folder: Place) -> str:
    """The same as text, of a key as it is spelled."""
    above, spelled = f"{_spelled(folder)}/", _spelled(place)
    return spelled.removeprefix(above) if spelled.startswith(above) else place.name


def told_name(place: Place, folder: Place) -> str:
    """The path of a place seen from a folder as text that can be printed and written, whatever is in its name."""
    return plain(_inside(place, folder))


def _spelled(place: Place) -> str:
    return place.as_posix() if isinstance(place, Path) else str(place)


def scan_parquet_on_s3(place: Address, n_rows: int | None = None) -> pl.LazyFrame:
    """A Parquet file, or all Parquet files of a folder in their order."""
    import polars as pl

    files = [place] if place.is_file() else sorted(place.glob("*.parquet"))
    if not files:
        raise no_file(place)
    options = polars_options()
    return pl.scan_parquet(
        [str(file) for file in files], n_rows=n_rows, glob=False, storage_options=options, credential_provider=None
    )


def copy(path: Path, to: Address) -> None:
    """Copy a file of this machine; it is there as a whole or not at all.

    Not by pyarrow's `copy_files`: where the store refuses, it ends the process or, without threads, says nothing.
    """
    with _told(to), path.open("rb") as file, _to_be_written(to) as stream:
        copyfileobj(file, stream, _AT_ONCE)


def write_bytes(content: bytes, to: Address) -> None:
    """Write a small file."""
    with _told(to), _to_be_written(to) as stream:
        stream.write(content)


def _to_be_written(to: Address) -> NativeFile:
    return client().open_output_stream(_path(to), compression=None)  # as it is, whatever its name ends with


def no_file(place: Place) -> ImpasseError:
    """What to say of a place where nothing is."""
    return ImpasseError("There is no such file or folder.", where=shown(place), do="Correct the path.")


def store_fault(error: Exception, place: Address) -> ImpasseError | None:
    """What a store's fault means for the user, if it is the store's and not that of the file's content."""
    found = _CODE.search(str(error))
    code = found[1] if found else ""
    if code == "NO_SUCH_BUCKET":
        return ImpasseError(
            "There is no such bucket.",
            where=shown(place),
            expected="a bucket at the endpoint that AWS_ENDPOINT_URL names, or at Amazon's",
            do="Correct the address or the environment, or make the bucket.",
        )
    if code in _REFUSALS or isinstance(error, PermissionError):
        return _refusal(place)
    if code in _MISDIRECTED:
        return ImpasseError(
            "S3 does not take the request for this bucket.",
            where=shown(place),
            expected="the bucket's own region in AWS_REGION, and in AWS_SESSION_TOKEN a token that has not expired",
            do="Correct the environment.",
        )
    if code == "NO_SUCH_KEY" or isinstance(error, FileNotFoundError):
        return no_file(place)
    if code or isinstance(error, ConnectionError | TimeoutError) or "object-store error" in str(error):
        return _no_answer(place, code)
    return None


def _refusal(place: Address) -> ImpasseError:
    return ImpasseError(
        "S3 refuses the credentials, or they do not allow this.",
        where=shown(place),
        expected="credentials in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (and AWS_SESSION_TOKEN, if they are "
        "temporary) that may list and read the folder of the delivery, or write to the folder of the output",
        do="Correct the environment, or ask whoever owns the bucket.",
    )


def _no_answer(place: Address, code: str) -> NoAnswer:
    is_silent = code in ("", "NETWORK_CONNECTION")
    return NoAnswer(
        "S3 does not answer." if is_silent else f"S3 could not do what it was asked: {code}.",
        where=shown(place),
        expected="an endpoint that answers: the one that AWS_ENDPOINT_URL names, or Amazon's",
        do="Correct the environment, or look whether the endpoint can be reached from here, and start again.",
    )


@contextmanager
def _told(place: Address) -> Iterator[None]:
    """Around everything that asks the store."""
    try:
        yield
    except OSError as error:
        raise store_fault(error, place) or error from None


def _ask_for_bucket(place: Address) -> None:
    """Raise the store's fault if not even the bucket is there."""
    from pyarrow.fs import FileSelector

    try:
        client().get_file_info(FileSelector(_path(place)))
    except OSError as error:
        if error.errno != ENOENT:
            raise


def _path(place: Address) -> str:
    """How pyarrow writes an address; an object whose key is no path can be listed and not be asked for."""
    if place.key and not _NO_NAMES.isdisjoint(place.key.split("/")):
        raise ImpasseError(
            "Its key is no path.",
            where=shown(place),
            expected="a name between slashes, and none that is a point or two",
            do="Give the object another key, or take it away.",
        )
    return f"{place.bucket}/{place.key}".rstrip("/")
