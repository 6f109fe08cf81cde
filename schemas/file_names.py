"""Names of files and folders as they may be told: what stands after `name=` may be the value of a person.

Spark and Hive write values of a column into the names of folders. A file, a link or a key on S3 may be named so too, so
every part of a path is looked at, whatever it is the name of.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

# From the mark to the end of that part of the path, but for the ending of a table.
_VALUE = re.compile(r"(=|%3D)[^/]*?(?=(\.(csv|txt|tsv)(\.gz)?|\.parquet)?(/|\Z))", re.IGNORECASE)


def shown(path: object) -> str:
    """A name or path without the values that are written into it: `lopnr=…`."""
    return _VALUE.sub("=…", str(path))


def shown_apart(names: Iterable[str]) -> list[str]:
    """Names of files as they may be told, each once: those that are alike without their values are numbered."""
    n_alike: Counter[str] = Counter()
    told = []
    for name in map(shown, names):
        n_alike[name] += 1
        told.append(name if n_alike[name] == 1 else f"{name} ({n_alike[name]})")
    return told
