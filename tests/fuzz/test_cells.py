"""CSV with quotes wherever they may fall: what is read has the cells that Python's own module reads, or it is refused.

Thousands of short texts are drawn of what quotes go wrong with. Most are refused; a fifth and more are read.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from random import Random

import pytest

from impasse.flows.delivery.csv import CsvForm
from impasse.flows.delivery.delivery import SourceFile
from impasse.schemas.errors import ImpasseError
from tests.fuzz.outcome import own_cells, told_cells

N_TEXTS = 300
BITS = ('"', '"', '""', ",", "\n", "x", " ", "\r\n", '"x"', '"a""b"', ',"', '",', '"\n"', "\r", "å", ";", '"\r\n')
SOUND = (
    "x",
    "x y",
    "",
    "'",
    '"x"',
    '"a""b"',
    '""',
    '"\n"',
    '"a,b"',
    '"\r"',
    '""""',
    '"a\r\nb"',
    '"å"',
    '"a;b"',
    '" x"',
)
AMISS = ('"x"y', 'x"y', ' "x"', '"x" ', '"1/2" x"', '5" x 4"', 'a "b" c', '""x""', '"a\\"b"')
FORMS = [CsvForm(*each) for each in ((",",), (";",), (",", "latin-1"), (",", "utf-8", False), ("\t", "latin-1", False))]


def drawn(rng: Random, form: CsvForm) -> str:
    """A header of one to three names, and rows of cells or of whatever bits."""
    width = rng.choice((1, 2, 2, 3))
    rows = ["".join(rng.choices(BITS, k=rng.randrange(14)))] if rng.random() < 0.3 else []
    cells = rng.choice((SOUND, SOUND + AMISS))
    rows += [form.delimiter.join(rng.choices(cells, k=width)) for _ in range(rng.randrange(4))]
    end = rng.choice(("\n", "\r\n"))
    return end.join([form.delimiter.join("hkm"[:width]), *rows]) + rng.choice(("", end))


def compared(seed: int, file: SourceFile) -> tuple[int, list[str]]:
    """How many texts are read, and those of which other cells are read."""
    rng, n_read, apart = Random(seed), 0, []
    for _ in range(N_TEXTS):
        text = drawn(rng, file.form)
        file.path.write_bytes(text.encode(file.form.encoding))
        with suppress(ImpasseError):
            rows = told_cells(file)
            n_read += 1
            apart += [text] if rows != own_cells(file.path.read_bytes(), file) else []
    return n_read, apart


@pytest.mark.parametrize("form", FORMS, ids=str)
@pytest.mark.parametrize("seed", range(3))
def test_what_is_read_has_the_cells_of_another_parser(seed: int, form: CsvForm, tmp_path: Path) -> None:
    """No quote shifts a cell: a file whose cells could be told in two ways is refused."""
    n_read, apart = compared(seed, SourceFile(tmp_path / "a.csv", form))

    assert apart == []
    assert n_read > N_TEXTS / 5
