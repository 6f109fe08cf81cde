"""The lines, rows and cells of CSV text, byte by byte: what a line is depends on the quotes above it.

A quote opens a cell at its start and closes it at its end; within a quoted cell a doubled one is text. Any other quote
is misplaced, because parsers part such cells differently. A line ends with a line feed, with or without a carriage
return before it.
"""

from __future__ import annotations

import numpy as np

from impasse.transforms.kernels.compiled import compiled

# What is counted, by its place among the counts. Lines are numbered from 1, and 0 is none.
N_LINES, N_QUOTED, N_BLANK_BEFORE, N_BLANK, LONGEST, LONGEST_AT = range(6)
N_BARE_RETURNS, BARE_RETURN_AT, MISPLACED_AT, UNFIT_AT, N_UNFIT_CELLS, N_CELLS = range(6, 12)
# Of the row that has begun: the line it starts on, its cells so far, and where the last byte stands.
ROW_AT, N_ROW_CELLS, IS_FILLED, ENDS_IN_RETURN, STANDS = range(12, 17)

_FEED, _RETURN = 10, 13
# At the start of a cell, within one that is not quoted, within quotes, after a quote that closes unless it is doubled.
_START, _PLAIN, IN_QUOTES, _CLOSED = range(4)


def nothing_counted() -> np.ndarray:
    """The counts before the first byte."""
    counts = np.zeros(STANDS + 1, dtype=np.int64)
    counts[ROW_AT] = counts[N_ROW_CELLS] = 1
    return counts


@compiled
def count_block(text: np.ndarray, delimiter: int, quote: int, counts: np.ndarray) -> None:
    """Add the next bytes of a text, which may be cut anywhere, to its counts; without quoting `quote` is -1."""
    stands, n_row_cells = counts[STANDS], counts[N_ROW_CELLS]
    is_filled, is_return = counts[IS_FILLED], counts[ENDS_IN_RETURN]
    for byte in text:
        if stands == IN_QUOTES:
            if byte == quote:
                stands = _CLOSED
            elif byte == _FEED:
                counts[N_LINES] += 1
                counts[N_QUOTED] += 1
            continue
        if is_return and byte != _FEED:
            _note(BARE_RETURN_AT, counts)
            counts[N_BARE_RETURNS] += 1
            stands = _START
        is_return = byte == _RETURN
        if byte == _FEED:
            _end_row(n_row_cells, is_filled, counts)
            stands, n_row_cells, is_filled = _START, 1, 0
        elif not is_return:
            is_filled = 1
            if byte == delimiter:
                n_row_cells += 1
                stands = _START
            elif byte == quote and stands != _PLAIN:
                stands = IN_QUOTES
            else:
                if byte == quote or stands == _CLOSED:
                    _note(MISPLACED_AT, counts)
                stands = _PLAIN
    counts[STANDS], counts[N_ROW_CELLS] = stands, n_row_cells
    counts[IS_FILLED], counts[ENDS_IN_RETURN] = is_filled, is_return


@compiled
def _end_row(n_cells: int, is_filled: int, counts: np.ndarray) -> None:
    """Count a row that ends here. The first that is not blank is the header, and says how many cells each has."""
    row_at, n_lines = counts[ROW_AT], counts[N_LINES] + 2 - counts[ROW_AT]
    counts[N_LINES] += 1
    counts[ROW_AT] = counts[N_LINES] + 1
    if n_lines > counts[LONGEST]:
        counts[LONGEST], counts[LONGEST_AT] = n_lines, row_at
    if not is_filled:
        counts[N_BLANK if counts[N_CELLS] else N_BLANK_BEFORE] += 1
    elif counts[N_CELLS] == 0:
        counts[N_CELLS] = n_cells
    elif n_cells != counts[N_CELLS] and counts[UNFIT_AT] == 0:
        counts[UNFIT_AT], counts[N_UNFIT_CELLS] = row_at, n_cells


@compiled
def _note(what: int, counts: np.ndarray) -> None:
    """Note the line on which the first row starts in which something is found."""
    if counts[what] == 0:
        counts[what] = counts[ROW_AT]
