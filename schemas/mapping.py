"""A mapping: where in a registry's own files each canonical column is found.

A mapping names the files of a delivery and says, for each canonical table, which rows of which file
feed it and which column becomes which. It holds values only: a layout that is new to the program is
a new TOML file, not new code. A table may be fed by several parts ([[diagnoses]] twice), and one
file may feed several tables. Column names are compared without regard to upper and lower case.

Dates state their formats (%Y, %m, %d, %b). A month's name (%b) is read in English and in the language of `months`,
short or in full, in any capitals, with or without a dot. A format without a day is allowed for two columns only:
a birth known by year is read as 1 July, by month as the 15th (the middle errs least on age); a
death known by year or month is read as its last day (so that no row of a living person is refused). Births, and
deaths in whatever table, may also write 00 for an unknown day or month, or leave it out, in any format.
A table of deaths that tells only the year or month leaves a death date of the persons within it as it is.
A time of day after a date is not read.

Dispensings may have a `kind`: dispensed, prescribed, administered or unknown. Where a mapping does not name it, or an
optional column for it is not in the file, they are dispensed; a blank cell and any other word are unknown.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Annotated, Literal

from pydantic import (
    AliasChoices,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    model_validator,
)

from impasse.schemas.forms import DecimalMark, FileForm, FileNames, Shape, WordList
from impasse.schemas.months import Language
from impasse.schemas.study import OBSERVABLE

SUPPLY_COLUMNS = (
    "ddd",
    "n_packages",
    "ddd_per_package",
    "strength_mg",
    "quantity",
    "days_supply",
    "daily_dose_mg",
)
REQUIRED: dict[str, tuple[str, ...]] = {
    "persons": ("person_id",),
    "deaths": ("person_id", "date"),
    "coverage": ("person_id", "start_date"),
    "diagnoses": ("person_id", "date", "code", "code_system"),
    "dispensings": ("person_id", "date", "atc"),
    "procedures": ("person_id", "date", "code", "code_system"),
    "scores": ("person_id", "date", "scale", "value"),
    "admissions": ("person_id", "start_date"),
}
ALLOWED: dict[str, tuple[str, ...]] = {
    "persons": (*REQUIRED["persons"], "birth_date", "sex", "death_date"),
    "deaths": REQUIRED["deaths"],
    "coverage": (*REQUIRED["coverage"], "end_date"),
    "diagnoses": (*REQUIRED["diagnoses"], "end_date", "position", "setting"),
    "dispensings": (*REQUIRED["dispensings"], *SUPPLY_COLUMNS, "kind"),
    "procedures": REQUIRED["procedures"],
    "scores": REQUIRED["scores"],
    "admissions": (*REQUIRED["admissions"], "end_date", "main_code"),
}
MAPPED_TABLES = tuple(ALLOWED)
# How R, SQL exports and database dumps write a blank cell.
BLANK_WORDS = ("NA", "NaN", "NULL", "\\N")
PARTIAL_DATES = ("birth_date", "death_date")
NUMBERS = (*SUPPLY_COLUMNS, "value")
# How an OMOP CDM writes dates in text.
OMOP_DATES = ("%Y-%m-%d", "%Y%m%d")


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class File(FileForm):
    """A table of the delivery: one file, or several that are read in the order of their names.

    A name or pattern without ending is looked for as .csv, .txt or .tsv, each also with .gz after it, and as .parquet,
    in any capitals. What is named here must be there, unless it is `optional`, or another file is delivered instead.
    """

    name: Annotated[FileNames, Field(min_length=1)] = Field(
        description="The file's name, a pattern such as lmed_*.csv, or a list of these, each of which must be there."
    )
    other_names: FileNames = Field(
        (), description="Names and patterns under which registers deliver it too. Only one file may have any of them."
    )
    instead_of: WordList = Field(
        (), description="Keys of files that hold the same rows in another form: those or this one must be there."
    )
    optional: bool = Field(False, description="Whether it may be absent without a word of the study.")

    @property
    def label(self) -> str:
        """What to call it where no file is at hand."""
        return ", ".join(self.name)


class Filter(_Entry):
    """Rows whose column equals one of `is`, starts with one of `starts_with`, or is `filled`; in any capitals."""

    column: str
    equals: WordList = Field((), validation_alias=AliasChoices("is", "equals"), serialization_alias="is")
    starts_with: WordList = ()
    filled: bool = False

    @model_validator(mode="after")
    def _says_one_thing(self) -> Filter:
        if bool(self.equals) + bool(self.starts_with) + self.filled != 1:
            raise ValueError("a filter states one of `is`, `starts_with` and `filled`")
        return self


class Written(_Entry):
    """How dates and numbers are written in a column."""

    formats: WordList = ("%Y-%m-%d",)
    months: Language | None = Field(None, description="The language of months' names, if not that of the mapping.")
    decimal: DecimalMark | None = Field(None, description="The decimal mark, if it is not that of the file.")


class Column(Written):
    """What feeds a canonical column: a delivered column (the first of several accepted names) or a constant.

    `values` translates delivered words, in any capitals; `otherwise` stands for every word not in it. An `optional`
    column may be missing from the file and is null then. `days_after_start` reads an end date
    delivered as a number of days.
    """

    column: WordList = ()
    constant: str | None = None
    values: dict[str, str] = {}
    otherwise: str | None = None
    optional: bool = False
    days_after_start: bool = False

    @model_validator(mode="after")
    def _has_one_origin(self) -> Column:
        if bool(self.column) == (self.constant is not None):
            raise ValueError("a column states either `column` or `constant`")
        return self


def _as_column(value: object) -> object:
    return {"column": value} if isinstance(value, str | list | tuple) else value


Fed = Annotated[Column, BeforeValidator(_as_column, json_schema_input_type=str | tuple[str, ...] | Column)]


class CodeColumn(_Entry):
    """Delivered columns holding codes; `*` stands for any ending. `separator` splits several codes in one cell.

    Where it is stated, dagger and star before another code do so too.
    """

    column: str
    position: Literal["main", "other"] | None = None
    separator: str = ""


class SystemRule(_Entry):
    """Codes of this shape (a regular expression), dated in this interval, are of this code system."""

    system: str
    shape: Shape = ""
    since: date | None = None
    until: date | None = None


class Join(_Entry):
    """Columns taken from another file, found by a common column. Rows without a match are refused if `required`."""

    file: str
    on: str
    rows: tuple[Filter, ...] = ()
    required: bool = True


class Birth(Written):
    """Persons are whoever has an event; born on the day of the event less the age (in years) at it."""

    day: str
    age: str


class Part(_Entry):
    """Rows of one file that feed one canonical table."""

    file: str
    rows: tuple[Filter, ...] = ()
    join: Join | None = None
    columns: dict[str, Fed]
    codes: tuple[CodeColumn, ...] = ()
    code_systems: tuple[SystemRule, ...] = ()
    strip_prefix: str = ""
    birth: Birth | None = None

    @property
    def fed(self) -> set[str]:
        """The canonical columns this part feeds."""
        fed = set(self.columns)
        return fed | ({"code"} if self.codes else set()) | ({"code_system"} if self.code_systems else set())


Parts = tuple[Part, ...]


class Mapping(_Entry):
    """A registry's layout. `observes` is what the delivery can show, `missing` how it writes "not recorded"."""

    title: str
    says: str = ""
    observes: tuple[Literal[OBSERVABLE], ...]  # type: ignore[valid-type]  # the words are a tuple that others count
    missing: WordList = (*BLANK_WORDS, ".")
    months: Language | None = Field(
        None, description="The language of months' names where a date's format has %b; English is read as well."
    )
    files: dict[str, File]
    persons: Parts
    deaths: Parts = ()
    coverage: Parts = ()
    diagnoses: Parts = ()
    dispensings: Parts = ()
    procedures: Parts = ()
    scores: Parts = ()
    admissions: Parts = ()

    def parts(self, table: str) -> Parts:
        """The parts that feed a canonical table."""
        return getattr(self, table)


def with_columns(mapping: Mapping, settings: Callable[[Part, Written], dict[str, str | None]]) -> Mapping:
    """The mapping with some settings of every column changed."""

    def changed(part: Part) -> Part:
        columns = {name: column.model_copy(update=settings(part, column)) for name, column in part.columns.items()}
        birth = part.birth and part.birth.model_copy(update=settings(part, part.birth))
        return part.model_copy(update={"columns": columns, "birth": birth})

    return mapping.model_copy(update={table: tuple(map(changed, mapping.parts(table))) for table in MAPPED_TABLES})


def needed_columns(part: Part) -> list[tuple[str, ...]]:
    """The delivered columns a part cannot do without, each with its accepted names; `*` columns are left out."""
    columns = [column.column for column in part.columns.values() if column.column and not column.optional]
    columns += [(rule.column,) for rule in part.rows]
    columns += [(entry.column,) for entry in part.codes if "*" not in entry.column]
    columns += [(part.join.on,)] if part.join else []
    return columns + ([(part.birth.day,), (part.birth.age,)] if part.birth else [])
