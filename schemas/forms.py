"""How the files of a delivery are named and written: settings that a layout and a study share.

A study overrules a layout, and what it says of one file overrules what it says of the whole source. What nobody
states is None: then the first line tells the delimiter, text is UTF-8, cells may be quoted, and numbers are read
with either mark where that cannot be mistaken.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

_WILDCARDS = "*?"


def _as_tuple(value: object) -> object:
    return (value,) if isinstance(value, str) else value


def is_pattern(name: str) -> bool:
    """Whether a file's name stands for several: `*` is any text, `?` any one character."""
    return any(mark in name for mark in _WILDCARDS)


def _is_below(name: str) -> str:
    folder, _, last = name.rpartition("/")
    is_elsewhere = name.startswith("/") or ".." in name.split("/") or "\0" in name
    if is_pattern(folder) or last in ("", ".") or is_elsewhere:
        raise ValueError(
            "a file's name or a pattern such as lmed_*.csv, below source.path; a folder before it is named in full"
        )
    return name


def _regular_expression(shape: str) -> str:
    """A shape as Polars takes it, which alone says what it can read."""
    if shape:
        import polars as pl

        try:
            pl.Series([""]).str.contains(shape)
        except pl.exceptions.PolarsError:
            raise ValueError("a regular expression of moderate size, without look-around and references") from None
    return shape


WordList = Annotated[tuple[str, ...], BeforeValidator(_as_tuple, json_schema_input_type=str | tuple[str, ...])]
Shape = Annotated[str, AfterValidator(_regular_expression)]
FileName = Annotated[str, AfterValidator(_is_below)]
FileNames = Annotated[
    tuple[FileName, ...], BeforeValidator(_as_tuple, json_schema_input_type=str | tuple[FileName, ...])
]
# One mark of ASCII that is neither letter, figure, quote nor line end.
Mark = Annotated[str, Field(pattern=r"^[\t !#-/:-@\[-`{-~]$")]
DecimalMark = Literal[",", "."]


class FileForm(BaseModel):
    """How a CSV file is written; Parquet files need none of it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    delimiter: Mark | None = Field(
        None, description="What separates cells. Left out: the first line tells comma, semicolon, tab or bar."
    )
    encoding: Literal["utf-8", "latin-1"] | None = Field(
        None, description="How letters are written. Left out: utf-8, in which plain ASCII is written too."
    )
    decimal: DecimalMark | None = Field(
        None,
        description='The decimal mark of numbers in text: with "," 28,000 is 28, 1.234,5 and 1 234,5 are 1234.5, '
        "and 1.234 is refused. Left out: either mark is read, and 1,234 is refused.",
    )
    quoting: bool | None = Field(
        None,
        description="Whether a double quote encloses a cell. false: it is a letter as any other. Left out: true, "
        "but for tab-separated OMOP tables whose first line is not quoted.",
    )

    def stated(self) -> dict[str, Any]:
        """The settings that are stated, as a change to those of another form."""
        settings = {name: getattr(self, name) for name in FileForm.model_fields}
        return {name: value for name, value in settings.items() if value is not None}
