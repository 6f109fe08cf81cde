"""A registry's delivered files and its mapping -> drafts, one per part of the mapping that feeds the table.

What the mapping says is done in this order: choose the rows, join, read each column, spread the codes.
Who and when is read once per different cell, all the rest once per different combination of its cells.
Nothing is judged here, except that a value is there and cannot be read. Rows that no part chooses are counted.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

import polars as pl

from impasse.schemas.codelists import EXACT_SYSTEMS
from impasse.schemas.delivered import Delivered
from impasse.schemas.mapping import (
    MAPPED_TABLES,
    NUMBERS,
    SUPPLY_COLUMNS,
    Birth,
    Column,
    Filter,
    Mapping,
    Part,
)
from impasse.schemas.unfit import codes_as_numbers
from impasse.transforms.ingest import drafts
from impasse.transforms.ingest.cells import ROW, matching, spread, system_of
from impasse.transforms.ingest.drafts import Draft
from impasse.transforms.ingest.midnights import count_times

_DATES = ("date", "start_date", "end_date", "birth_date", "death_date")
# Where in its span a day is that is known by month or year only: the middle errs least on age, and nothing of
# a living person is after the last.
_PARTIAL = {"birth_date": "middle", "death_date": "last"}
_EARLIEST = {"birth_date": "born_from", "death_date": "died_from"}
# Names no delivered column can be expected to have.
_JOINED_ON, _IS_JOINED = "#joined_on", "#is_joined"
_CODES = ("code", "main_code")
_AFTER_START = ("end_date",)
_WHO_AND_WHEN = ("person_id", *_DATES)
# Persons are compared whole, row by row.
_READ_BY_ROW = ("persons",)
# Rows of persons kept before they are made one for each person.
_TOLD_AT_ONCE = 2_000_000
# Reading once what several rows say is worth it only where so many rows, on average, say the same.
_WORTH_IT = 3
# What a file of dispensings tells of where it has no column for it; a blank cell of such a column is unknown.
_WHERE_ABSENT = {"kind": "dispensed"}
_STATED = {name: Column(constant=word) for name, word in _WHERE_ABSENT.items()}
_UNREADABLE = dict.fromkeys(_DATES, "date_unreadable")
_UNREADABLE |= dict.fromkeys(SUPPLY_COLUMNS, "supply_unreadable") | {"value": "score_unreadable"}


def draft_registry_table(table: str, delivered: Delivered, mapping: Mapping) -> Iterator[Draft]:
    """The drafts of one canonical table, piece by piece; none if no file that feeds it was delivered."""
    for part in _parts(table, mapping):
        if part.file in delivered and part.birth:
            yield _derive_persons(part, part.birth, delivered, mapping)
        elif part.file in delivered and table == "deaths":
            for draft in _drafts(table, _dying(part), delivered, mapping):
                facts = draft.facts.rename({"death_date": "date", "died_from": "date_from"})
                yield Draft(draft.delivered, facts, n_apart=draft.n_apart)
        elif part.file in delivered:
            yield from _drafts(table, part, delivered, mapping)


def _dying(part: Part) -> Part:
    """A part of the deaths, whose dates are read as the death dates of persons are."""
    columns = {"death_date" if name == "date" else name: column for name, column in part.columns.items()}
    return part.model_copy(update={"columns": columns})


def _drafts(table: str, part: Part, delivered: Delivered, mapping: Mapping) -> Iterator[Draft]:
    other = _lookup(part, delivered, mapping)
    for piece in delivered.pieces(part.file):
        chosen = piece.filter(_chosen(piece, part.rows, mapping.missing, part.file))
        frame = _joined(chosen.with_row_index(ROW), part, other, mapping.missing)
        _refuse_numbers(frame, part, mapping.missing)
        draft = _draft(table, chosen, frame, part, mapping.missing)
        counts = count_times(frame, part.file, _day_columns(frame, part))
        yield replace(draft, counts=counts, n_apart=piece.height - chosen.height)


def _day_columns(frame: pl.DataFrame, part: Part) -> list[str]:
    """The delivered columns that days are read from."""
    told = [column for name, column in part.columns.items() if name in _DATES and column.column]
    found = [drafts.find_column(frame, column.column, part.file, column.optional) for column in told]
    return [column for column in found if column]


def _refuse_numbers(frame: pl.DataFrame, part: Part, missing: tuple[str, ...]) -> None:
    """Stop at codes that were written as numbers; identifiers of concepts are numbers, and blanks are of any type."""
    columns = [part.columns[name] for name in (*_CODES, "atc") if name in part.columns]
    named = [
        drafts.find_column(frame, column.column, part.file, column.optional) for column in columns if column.column
    ]
    coded = [column for entry in part.codes for column in matching(frame, entry, part.file)]
    for name in (*filter(None, named), *coded):
        numbers = frame[name] if frame.schema[name].is_numeric() else pl.Series([], dtype=pl.Int64)
        filled = frame.filter(numbers.cast(pl.Float64).fill_nan(None).is_not_null()) if len(numbers) else frame.clear()
        if filled.height and not _are_ids(filled, name, part, missing):
            raise codes_as_numbers(name, part.file)


def _are_ids(frame: pl.DataFrame, column: str, part: Part, missing: tuple[str, ...]) -> bool:
    """Whether every code of a column is of a system whose codes are numbers, with all its digits."""
    drafts.key(frame, column, part.file)
    told = {name: entry for name, entry in part.columns.items() if name == "code_system"}
    if not told:
        return False
    systems = _read(frame, told, part, missing)["code_system"].str.to_lowercase()
    return systems.is_in(EXACT_SYSTEMS).fill_null(False).all()


def _parts(table: str, mapping: Mapping) -> Iterable[Part]:
    """The parts that feed a table; one of dispensings that says nothing of their kind tells of dispensings."""
    if table != "dispensings":
        return mapping.parts(table)
    return [part.model_copy(update={"columns": {**_STATED, **part.columns}}) for part in mapping.parts(table)]


def _draft(table: str, chosen: pl.DataFrame, frame: pl.DataFrame, part: Part, missing: tuple[str, ...]) -> Draft:
    telling = [] if table in _READ_BY_ROW else _telling(frame, part)
    if telling:
        different, number = drafts.once(frame, telling)
        if different.height * _WORTH_IT <= frame.height:
            facts = _who_and_when(frame, part, missing).with_columns(number.alias("said"))
            said = _what(different.with_row_index(ROW), part, missing, ()).rename({"row": "said"})
            return Draft(chosen, _unjoined(facts, frame, part), said)
    return Draft(chosen, _unjoined(_what(frame, part, missing, _WHO_AND_WHEN), frame, part))


def _telling(frame: pl.DataFrame, part: Part) -> list[str]:
    """The delivered columns that say what, not who or when; none if what they say hangs on the day."""
    if any(rule.since or rule.until for rule in part.code_systems):
        return []
    told = [column for name, column in part.columns.items() if name not in _WHO_AND_WHEN and column.column]
    found = [drafts.find_column(frame, column.column, part.file, column.optional) for column in told]
    coded = [column for entry in part.codes for column in matching(frame, entry, part.file)]
    return list(dict.fromkeys([*(column for column in found if column), *coded]))


def _what(frame: pl.DataFrame, part: Part, missing: tuple[str, ...], besides: tuple[str, ...]) -> pl.DataFrame:
    """What the rows say, one row for each code of a row; `besides` names the columns of who and when to read too."""
    columns = {name: column for name, column in part.columns.items() if name in besides or name not in _WHO_AND_WHEN}
    facts = _read(frame, columns, part, missing)
    if part.codes:
        facts = spread(frame, facts, part.codes, missing, part)
    if part.code_systems:
        facts = facts.with_columns(code_system=system_of(part.code_systems))
    return facts


def _who_and_when(frame: pl.DataFrame, part: Part, missing: tuple[str, ...]) -> pl.DataFrame:
    """Person and dates of every row."""
    columns = {name: column for name, column in part.columns.items() if name in _WHO_AND_WHEN}
    if any(column.days_after_start for column in columns.values()):
        return _read(frame, columns, part, missing)
    read = [_read_once(frame, {name: columns[name]}, part, missing) for name in _in_order(columns)]
    rules = [facts["rule"].alias(f"rule_{n}") for n, facts in enumerate(read)]
    together = pl.concat([frame.select(row=ROW), *(facts.drop("row", "rule") for facts in read)], how="horizontal")
    return together.with_columns(pl.DataFrame(rules).select(rule=pl.coalesce(pl.all())).to_series())


def _read_once(frame: pl.DataFrame, columns: dict[str, Column], part: Part, missing: tuple[str, ...]) -> pl.DataFrame:
    """A column of text read once per different cell; dates and numbers are as quickly read row by row."""
    (column,) = columns.values()
    delivered = drafts.find_column(frame, column.column, part.file, column.optional) if column.column else None
    if delivered is None or frame.schema[delivered] != pl.String:
        return _read(frame, columns, part, missing)
    different, number = drafts.once(frame, [delivered])
    return _read(different.with_row_index(ROW), columns, part, missing)[number]


def _unjoined(facts: pl.DataFrame, frame: pl.DataFrame, part: Part) -> pl.DataFrame:
    """Rows that need a row of another file and have none are so refused, whatever else is wrong with them."""
    if part.join is None:
        return facts
    unfound = frame.select(row=ROW, unfound=pl.when(~pl.col(_IS_JOINED)).then(pl.lit("contact_missing")))
    told = facts.join(unfound, on="row", how="left", maintain_order="left")
    return told.with_columns(rule=pl.coalesce("unfound", "rule")).drop("unfound")


def count_unused(delivered: Delivered, mapping: Mapping) -> pl.DataFrame:
    """file, n: rows of a file that no part of the mapping chooses, neither to read nor to look up; none left out.

    Persons that are whoever has an event come from every row, which says nothing about the rest of it.
    """
    filters: dict[str, list[tuple[Filter, ...]]] = {}
    for part in (part for table in MAPPED_TABLES for part in mapping.parts(table) if not part.birth):
        filters.setdefault(part.file, []).append(part.rows)
        if part.join and part.file in delivered:
            filters.setdefault(part.join.file, []).append(part.join.rows)
    # A file that some part takes whole leaves no row out.
    partly = {key: chosen for key, chosen in filters.items() if key in delivered and all(chosen)}
    counts = {
        mapping.files[key].label: sum(_n_unused(piece, chosen, mapping.missing, key) for piece in delivered.pieces(key))
        for key, chosen in partly.items()
    }
    counted = pl.DataFrame(list(counts.items()), schema={"file": pl.String, "n": pl.Int64}, orient="row")
    return counted.filter(pl.col("n") > 0).sort("file")


def _n_unused(piece: pl.DataFrame, filters: list[tuple[Filter, ...]], missing: tuple[str, ...], file: str) -> int:
    is_used = pl.any_horizontal(_chosen(piece, rows, missing, file).fill_null(False) for rows in filters)
    return piece.select((~is_used).sum()).item()


def _chosen(frame: pl.DataFrame, rows: tuple[Filter, ...], missing: Iterable[str], file: str) -> pl.Expr:
    """Whether a row passes every filter."""
    passed = (
        _passes(rule, drafts.text(frame, drafts.require_column(frame, (rule.column,), file), missing)) for rule in rows
    )
    return pl.all_horizontal(pl.lit(True), *passed)


def _passes(rule: Filter, value: pl.Expr) -> pl.Expr:
    word = value.str.to_lowercase()
    if rule.filled:
        return value.is_not_null()
    if rule.equals:
        return word.is_in([known.lower() for known in rule.equals])
    return pl.any_horizontal(word.str.starts_with(start.lower()) for start in rule.starts_with)


def _lookup(part: Part, delivered: Delivered, mapping: Mapping) -> pl.DataFrame | None:
    """The other file of a join, one row for each key that names exactly one."""
    if part.join is None or part.join.file not in delivered:
        return None
    whole = delivered.whole(part.join.file)
    other = whole.filter(_chosen(whole, part.join.rows, mapping.missing, part.join.file))
    key = drafts.require_column(other, (part.join.on,), part.join.file)
    keyed = other.with_columns(drafts.key(other, key, part.join.file, mapping.missing).alias(_JOINED_ON)).drop(key)
    # Two different rows under one key cannot both be right, and which one is cannot be told.
    return keyed.unique().unique(_JOINED_ON, keep="none").with_columns(pl.lit(True).alias(_IS_JOINED))


def _joined(frame: pl.DataFrame, part: Part, other: pl.DataFrame | None, missing: tuple[str, ...]) -> pl.DataFrame:
    """The frame with the columns of the other file; _IS_JOINED says whether exactly one row of it was found."""
    if part.join is None:
        return frame
    is_fine_alone = not part.join.required
    if other is None:
        return frame.with_columns(pl.lit(is_fine_alone).alias(_IS_JOINED))
    key = drafts.require_column(frame, (part.join.on,), part.file)
    there = {column.lower() for column in frame.columns}
    new = other.select(column for column in other.columns if column.lower() not in there)
    keyed = frame.with_columns(drafts.key(frame, key, part.file, missing).alias(_JOINED_ON))
    joined = keyed.join(new, on=_JOINED_ON, how="left", maintain_order="left")
    return joined.with_columns(pl.col(_IS_JOINED).fill_null(is_fine_alone))


def _in_order(columns: dict[str, Column]) -> list[str]:
    """The order to read columns in: an end may be told as days after the start."""
    return [*(name for name in columns if name not in _AFTER_START), *(n for n in _AFTER_START if n in columns)]


def _read(frame: pl.DataFrame, columns: dict[str, Column], part: Part, missing: tuple[str, ...]) -> pl.DataFrame:
    """Some canonical columns of a part, and the rule of the first cell that is filled and cannot be read.

    Lazily, because only then does Polars compute an expression once that is used twice.
    """
    names = _in_order(columns)
    cells = [_cell(frame, name, columns[name], part.file, missing).alias(f"{name}_cell") for name in names]
    read = frame.lazy().select(pl.col(ROW).alias("row"), *cells)
    kinds = read.collect_schema()
    for name in names:
        read = read.with_columns(_fact(name, columns[name], kinds[f"{name}_cell"], part.strip_prefix).alias(name))
    for name, earliest in _EARLIEST.items():
        if name in columns:
            first = _date(name, columns[name], kinds[f"{name}_cell"], "first")
            read = read.with_columns(first.alias(earliest))
    return read.with_columns(_rule(names)).drop(f"{name}_cell" for name in names).collect(engine="in-memory")


def _cell(frame: pl.DataFrame, name: str, column: Column, file: str, missing: tuple[str, ...]) -> pl.Expr:
    """A column as text, or the date or number that a Parquet file holds where one is wanted."""
    if column.constant is not None:
        return pl.lit(column.constant, dtype=pl.String)
    delivered = drafts.find_column(frame, column.column, file, column.optional)
    if delivered is None:
        return pl.lit(_WHERE_ABSENT.get(name), dtype=pl.String)
    if name == "person_id":
        return drafts.key(frame, delivered, file, missing)
    kind = frame.schema[delivered]
    is_number = name in NUMBERS or column.days_after_start
    if kind.is_numeric() and is_number:
        return pl.col(delivered).fill_nan(None) if kind.is_float() else pl.col(delivered)
    if kind.is_temporal() and name in _DATES and not is_number:
        return pl.col(delivered)
    return drafts.text(frame, delivered, missing)


def _fact(name: str, column: Column, kind: pl.DataType, prefix: str) -> pl.Expr:
    cell = pl.col(f"{name}_cell")
    if column.days_after_start:
        return _days_after(cell, column, kind)
    if name in _DATES:
        return _date(name, column, kind, _PARTIAL.get(name))
    if name in NUMBERS:
        return _number(cell, column, kind)
    if name in _CODES:
        return drafts.code(cell, prefix)
    return _word(cell, column)


def _date(name: str, column: Column, kind: pl.DataType, partial: str | None) -> pl.Expr:
    cell = pl.col(f"{name}_cell")
    if kind.is_temporal():
        return drafts.calendar_day(cell, kind)
    if partial:
        return drafts.day_of_span(cell, column.formats, partial, column.months)
    return drafts.day(cell, column.formats, language=column.months)


def _number(cell: pl.Expr, column: Column, kind: pl.DataType) -> pl.Expr:
    return cell.cast(pl.Float64) if kind.is_numeric() else drafts.parse_number(cell, column.decimal)


def _days_after(cell: pl.Expr, column: Column, kind: pl.DataType) -> pl.Expr:
    told = _number(cell, column, kind)
    n_days = pl.when(told.abs() <= drafts.LARGEST).then(told.floor().cast(pl.Int32, strict=False))
    start = pl.coalesce(pl.col("^(date|start_date)$"))
    return (start.cast(pl.Int32) + n_days).cast(pl.Date)


def _word(cell: pl.Expr, column: Column) -> pl.Expr:
    if not column.values and column.otherwise is None:
        return cell
    other = cell if column.otherwise is None else pl.lit(column.otherwise)
    low = cell.str.to_lowercase()
    known = [pl.when(low == word.lower()).then(pl.lit(meaning)) for word, meaning in column.values.items()]
    return pl.when(cell.is_not_null()).then(pl.coalesce([*known, other]))


def _rule(names: list[str]) -> pl.Expr:
    unread = [
        pl.when(pl.col(f"{name}_cell").is_not_null() & pl.col(name).is_null()).then(pl.lit(_UNREADABLE[name]))
        for name in names
        if name in _UNREADABLE
    ]
    return pl.coalesce([*unread, pl.lit(None, dtype=pl.String)]).alias("rule")


def _derive_persons(part: Part, birth: Birth, delivered: Delivered, mapping: Mapping) -> Draft:
    """Persons of a delivery without a persons file: everyone who has an event, born as the events say."""
    found: list[pl.DataFrame] = []
    n_read = 0
    for piece in delivered.pieces(part.file):
        n_read += piece.height
        found.append(_persons_of(piece, part, birth, mapping.missing))
        if sum(told.height for told in found[1:]) > _TOLD_AT_ONCE + found[0].height:
            found = [_first_births(found)]
    told = _first_births(found).sort("person_id")
    facts = told.with_row_index("row").with_columns(born_from="birth_date", rule=pl.lit(None, dtype=pl.String))
    return Draft(delivered=told.select("person_id"), facts=facts, n_apart=n_read - told.height)


def _persons_of(piece: pl.DataFrame, part: Part, birth: Birth, missing: tuple[str, ...]) -> pl.DataFrame:
    frame = piece.filter(_chosen(piece, part.rows, missing, part.file))
    person = drafts.key(
        frame, drafts.require_column(frame, part.columns["person_id"].column, part.file), part.file, missing
    )
    named = frame.select(person_id=person, birth_date=_birth(frame, birth, part.file, missing))
    return _first_births([named.drop_nulls("person_id")])


def _first_births(told: list[pl.DataFrame]) -> pl.DataFrame:
    """Every person once, born on the earliest day that any row tells."""
    return pl.concat(told).group_by("person_id").agg(pl.col("birth_date").min())


def _birth(frame: pl.DataFrame, birth: Birth, file: str, missing: tuple[str, ...]) -> pl.Expr:
    delivered = drafts.require_column(frame, (birth.day,), file)
    is_date = frame.schema[delivered].is_temporal()
    day = (
        drafts.calendar_day(pl.col(delivered), frame.schema[delivered])
        if is_date
        else drafts.day(drafts.text(frame, delivered, missing), birth.formats, language=birth.months)
    )
    years = drafts.parse_number(
        drafts.text(frame, drafts.require_column(frame, (birth.age,), file), missing), birth.decimal
    )
    n_days = (years * 365.25).round().cast(pl.Int32, strict=False)
    return (day.cast(pl.Int32) - n_days).cast(pl.Date)
