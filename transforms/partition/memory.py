"""How much memory a run takes, and how many parts it can work on at a time within what it is given.

Measured on made-up registries of 0.1 to 5 million persons under all shipped definitions, and rounded up:

1. The program takes 700 MB.
2. While a delivery is read, memory also holds every person (400 bytes), every row of files that others are
   looked up in (300 bytes), and pieces of files on their way (800 MB, if the files are so large; of Parquet, where
   that is more, the row groups that are there at once).
3. While parts are classified, memory also holds 900 bytes for each row of each part that is worked on, all
   tables together; persons differ, so the largest part is taken for a quarter larger than the mean. A process
   of its own holds a program of its own.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from impasse.schemas.errors import ImpasseError

_PROGRAM = 700_000_000
_PIECES = 800_000_000
_PER_PERSON = 400
_PER_LOOKED_UP_ROW = 300
_PER_ROW_READ = 1_000
_PER_ROW = 900
_GB = 10**9


@dataclass(frozen=True)
class Size:
    """How large a delivery is: persons, rows of all other tables, and rows of files that are looked up whole.

    `n_bytes_at_once` is what must be in memory of one file, as the file itself states it.
    """

    n_persons: int
    n_rows: int
    n_looked_up: int = 0
    n_bytes_at_once: int = 0


def parts_at_a_time(size: Size, n_parts: int, memory: int, workers: int, *, in_processes: bool = False) -> int:
    """How many parts may be classified at a time within `memory` bytes: as many as there are workers, or fewer.

    Raises ImpasseError, with what is needed, where the delivery cannot be read or not even one part classified.
    """
    of_one = (size.n_rows + size.n_persons) * _PER_ROW * 5 // 4 // n_parts
    needed = max(_reading(size), _PROGRAM + of_one + (_PROGRAM if in_processes else 0))
    _require(needed, size, memory, "study file, output.memory, or --memory")
    each = of_one + (_PROGRAM if in_processes else 0)
    return max(1, min(workers, (memory - _PROGRAM) // max(1, each)))


def require_to_read(size: Size, memory: int) -> None:
    """Raise ImpasseError, with what is needed, where a delivery cannot be read within `memory` bytes."""
    _require(_reading(size), size, memory, "study file, output.memory")


def _require(needed: int, size: Size, memory: int, where: str) -> None:
    if memory < needed:
        smaller = "Write its Parquet files in smaller row groups, allow" if _is_grouped(size) else "Allow"
        raise ImpasseError(
            f"{math.floor(memory / _GB * 10) / 10:.1f} GB of memory are too little for this delivery.",
            where=where,
            expected=f"at least {math.ceil(needed / _GB * 10) / 10:.1f} GB",
            do=f"{smaller} more memory, or run on a machine that has it.",
        )


def _is_grouped(size: Size) -> bool:
    """Whether row groups take more than other pieces of files."""
    return size.n_bytes_at_once > _pieces(size)


def _pieces(size: Size) -> int:
    return min(_PIECES, size.n_rows * _PER_ROW_READ)


def _reading(size: Size) -> int:
    pieces = max(_pieces(size), size.n_bytes_at_once)
    return _PROGRAM + pieces + size.n_persons * _PER_PERSON + size.n_looked_up * _PER_LOOKED_UP_ROW
