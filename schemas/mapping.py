"""A mapping: where in a registry's own files each canonical column is found. Text of a TOML file in, values out.

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

from collections.abc import Callable, Iterable, Iterator
from datetime import date
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import (
    AliasChoices,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

from impasse.schemas import toml
from impasse.schemas.errors import ImpasseError, nearest
from impasse.schemas.forms import DecimalMark, FileForm, FileNames, Shape, Words
from impasse.schemas.found import Found
from impasse.schemas.months import Language
from impasse.schemas.study import OBSERVABLE, SUPPLY_KINDS

if TYPE_CHECKING:
    import polars as pl

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
TABLES = tuple(ALLOWED)
# How R, SQL exports and database dumps write a blank cell.
BLANK_WORDS = ("NA", "NaN", "NULL", "\\N")
PARTIAL_DATES = ("birth_date", "death_date")


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
    instead_of: Words = Field(
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
    equals: Words = Field((), validation_alias=AliasChoices("is", "equals"), serialization_alias="is")
    starts_with: Words = ()
    filled: bool = False

    @model_validator(mode="after")
    def _says_one_thing(self) -> Filter:
        if bool(self.equals) + bool(self.starts_with) + self.filled != 1:
            raise ValueError("a filter states one of `is`, `starts_with` and `filled`")
        return self


class Written(_Entry):
    """How dates and numbers are written in a column."""

    formats: Words = ("%Y-%m-%d",)
    months: Language | None = Field(None, description="The language of months' names, if not that of the mapping.")
    decimal: DecimalMark | None = Field(None, description="The decimal mark, if it is not that of the file.")


class Column(Written):
    """What feeds a canonical column: a delivered column (the first of several accepted names) or a constant.

    `values` translates delivered words, in any capitals; `otherwise` stands for every word not in it. An `optional`
    column may be missing from the file and is null then. `days_after_start` reads an end date
    delivered as a number of days.
    """

    column: Words = ()
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
    missing: Words = (*BLANK_WORDS, ".")
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


class Delivered:
    """Files as delivered, by the mapping's key for each (OMOP: by table name). What was not delivered is absent.

    A big file is read piece by piece, so that no more than one piece of it is in memory at a time. `found` lists every
    file and table there is, also those that nothing asks for.
    """

    found: tuple[Found, ...] = ()

    def __init__(self, files: dict[str, pl.DataFrame]) -> None:
        self._files = files

    def __contains__(self, key: str) -> bool:
        return key in self._files

    def whole(self, key: str) -> pl.DataFrame:
        """A file in one piece, for look-ups."""
        return self._files[key]

    def pieces(self, key: str) -> Iterator[pl.DataFrame]:
        """A file's rows in order, in pieces; at least one, and each with all columns."""
        yield self._files[key]

    def n_rows(self, key: str) -> int:
        """How many rows a file has, without reading it."""
        return self._files[key].height


def json_schema() -> dict[str, Any]:
    """JSON Schema of a mapping file, for editors."""
    return Mapping.model_json_schema()


def parse(name: str, text: str) -> Mapping:
    """Read a mapping file's text; `name` is the file, for messages. Raises ImpasseError."""
    where = f"mapping {name}"
    try:
        mapping = Mapping.model_validate(toml.read(text, where, "Correct the line; names and codes need quotes."))
    except ValidationError as error:
        raise _explained(error, where) from None
    for key, file in mapping.files.items():
        _check_instead(key, file, mapping, where)
    for table in TABLES:
        for part in mapping.parts(table):
            _check_part(table, part, mapping, f"{where}, {table}")

    def settings(part: Part, column: Written) -> dict[str, str | None]:
        decimal = column.decimal or mapping.files[part.file].decimal
        return {"decimal": decimal, "months": column.months or mapping.months}

    return with_columns(mapping, settings)


def with_columns(mapping: Mapping, settings: Callable[[Part, Written], dict[str, str | None]]) -> Mapping:
    """The mapping with some settings of every column changed."""

    def changed(part: Part) -> Part:
        columns = {name: column.model_copy(update=settings(part, column)) for name, column in part.columns.items()}
        birth = part.birth and part.birth.model_copy(update=settings(part, part.birth))
        return part.model_copy(update={"columns": columns, "birth": birth})

    return mapping.model_copy(update={table: tuple(map(changed, mapping.parts(table))) for table in TABLES})


def needed_columns(part: Part) -> list[tuple[str, ...]]:
    """The delivered columns a part cannot do without, each with its accepted names; `*` columns are left out."""
    columns = [column.column for column in part.columns.values() if column.column and not column.optional]
    columns += [(rule.column,) for rule in part.rows]
    columns += [(entry.column,) for entry in part.codes if "*" not in entry.column]
    columns += [(part.join.on,)] if part.join else []
    return columns + ([(part.birth.day,), (part.birth.age,)] if part.birth else [])


def is_a_row(columns: Iterable[str]) -> bool:
    """Whether a row of a person stands where names of columns should be, as in a file without a header.

    No program names a column as a number or a date. A name may be a person's, so what looks otherwise may be a row too.
    """
    return any(name.strip()[:1] in set("+-.0123456789") for name in columns)


def missing_column(
    spellings: tuple[str, ...], there: list[str], file: str, other_keys: tuple[str, ...] = ()
) -> ImpasseError:
    """A column the layout needs is not in the file, which may have been meant for another key."""
    hint = _likely_column(spellings[0], there, file)
    if other_keys:
        hint += f"If the file is the one of {' or '.join(other_keys)}, name it so in source.files. "
    return ImpasseError(
        f"Column '{spellings[0]}' is missing.",
        where=f"file {file}",
        expected=f"a column named {' or '.join(spellings)} (upper or lower case)",
        do=f"{hint}Deliver the column; for a register, a layout can name another (source.layout).",
    )


def _likely_column(wanted: str, there: list[str], file: str) -> str:
    """Which column may be meant: by its name in a Parquet file, else by its place.

    The first line of other files may be a row of a person, whatever it looks like, so nothing of it is repeated.
    """
    low = [column.lower() for column in there]
    guess = nearest(wanted.lower(), low)
    if guess and file.lower().endswith(".parquet"):
        return f"The file has '{guess}'. "
    if is_a_row(there):
        return "The file seems to have no header: its first line must name the columns. "
    place = f"The name of column {low.index(guess) + 1} is near it. " if guess else ""
    return f"{place}If the file has no header, give it one: its first line must name the columns. "


def odd_type(column: str, kind: str, file: str) -> ImpasseError:
    """A column of a Parquet file or database is neither text nor number nor date."""
    return ImpasseError(
        f"Column '{column}' is of the type {kind}, which cannot be read.",
        where=f"file {file}",
        expected="text, numbers, dates or dates with a time",
        do="Write the column again as one of these.",
    )


def _check_instead(key: str, file: File, mapping: Mapping, where: str) -> None:
    others = [other for other in mapping.files if other != key]
    for other in file.instead_of:
        if other not in others:
            raise unknown_word(other, "file", others, f"{where}, files.{key}.instead_of")


def _check_part(table: str, part: Part, mapping: Mapping, where: str) -> None:
    for key in [part.file] + ([part.join.file] if part.join else []):
        if key not in mapping.files:
            raise unknown_word(key, "file", list(mapping.files), where)
    for name in part.columns:
        if name not in ALLOWED[table]:
            raise unknown_word(name, "column", list(ALLOWED[table]), where)
    for name in REQUIRED[table]:
        if name not in part.fed:
            raise ImpasseError(f"Nothing feeds the column '{name}'.", where=where, do="Say where it is found.")
    for name, column in part.columns.items():
        if name not in PARTIAL_DATES and any("%d" not in form for form in column.formats):
            raise ImpasseError(
                f"The date format of '{name}' has no day.",
                where=where,
                expected="a format with %d; only birth_date and death_date may be known by year or month",
                do="Correct `formats`.",
            )
    if "kind" in part.columns:
        _check_kinds(part.columns["kind"], where)


def _check_kinds(kind: Column, where: str) -> None:
    """Every word that the mapping itself gives as a kind of supply is one."""
    given = [word for word in (kind.constant, kind.otherwise, *kind.values.values()) if word is not None]
    for word in {*given} - {*SUPPLY_KINDS}:
        raise unknown_word(word, "kind of supply", list(SUPPLY_KINDS), where)


def unknown_word(word: str, kind: str, known: list[str], where: str) -> ImpasseError:
    """A word that is none of those known at the place, with the nearest of them."""
    guess = nearest(word, known)
    hint = f"Did you mean '{guess}'?" if guess else "Use one of these."
    return ImpasseError(f"Unknown {kind} '{word}'.", where=where, expected=", ".join(known), do=hint)


def _explained(error: ValidationError, where: str) -> ImpasseError:
    problem = error.errors()[0]
    key = ".".join(str(part) for part in problem["loc"])
    if problem["type"] == "extra_forbidden":
        return unknown_word(str(problem["loc"][-1]), "key", _known_keys(), f"{where}, {key}")
    if problem["type"] == "missing":
        return ImpasseError(f"Missing key '{key}'.", where=where, expected="this key to be set", do="Add it.")
    return ImpasseError(
        f"Key '{key}' has a value that is not allowed.",
        where=where,
        expected=problem["msg"].removeprefix("Value error, "),
        do="Correct it.",
    )


def _known_keys() -> list[str]:
    models = (Mapping, File, Filter, Column, CodeColumn, SystemRule, Join, Birth, Part)
    return sorted({field.serialization_alias or name for model in models for name, field in model.model_fields.items()})
