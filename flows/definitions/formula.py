"""What Polars prints of an expression, read into its parts and written again in lines that fit a terminal.

    formula   a column, a text or a number; branches; two formulas with a sign between them; a call on a formula
    Polars    [(formula) sign (formula)]   .when(f).then(f).otherwise(f)   formula.name(f)   formula.name([f, f])

Text in double quotes is one token and is never edited. Brackets that only Polars prints are not written again;
those that are written are round and tell what belongs together.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

_TOKEN = re.compile(r'"[^"]*"|[\[\](),]|\.(?=[a-z_])|dyn (?:int|float): |[^\s\[\](),"]+?(?=\.[a-z_]|[\s\[\](),"]|$)')
_FUNCTIONS = ("coalesce", "min_horizontal", "max_horizontal", "any_horizontal", "all_horizontal")
_STEP = 2


@dataclass(frozen=True)
class Word:
    """A column, a text, a number, a type."""

    text: str


@dataclass(frozen=True)
class Pair:
    """Formulas with one sign between them, from left to right."""

    sign: str
    parts: tuple[Formula, ...]


@dataclass(frozen=True)
class Branching:
    """Conditions with the formulas they lead to, in order, and the formula where none holds."""

    branches: tuple[tuple[Formula, Formula], ...]
    otherwise: Formula


@dataclass(frozen=True)
class Call:
    """A function of formulas, or where `of` is one a call on it."""

    of: Formula | None
    name: str
    arguments: tuple[Formula, ...]


Formula = Word | Pair | Branching | Call


def read_formula(printed: str, names: Mapping[str, str]) -> Formula:
    """The parts of what Polars prints; columns under the names that are given for theirs, whole names only."""
    tokens = [token for token in _TOKEN.findall(printed) if not token.startswith("dyn ")]
    reader = _Reader(tokens, names)
    formula = reader.formula()
    if reader.rest:
        raise ValueError(f"not read to its end: {printed}")
    return formula


class _Reader:
    """The tokens of a printed expression, taken one after the other."""

    def __init__(self, tokens: list[str], names: Mapping[str, str]) -> None:
        self.rest, self._names = tokens[::-1], names

    def formula(self) -> Formula:
        """A formula with the calls on it."""
        formula = self._first()
        while self._is_next("."):
            self._take(".")
            name = self._take()
            arguments = tuple(self._arguments())
            is_function = name in _FUNCTIONS
            formula = Call(None, name, (formula, *arguments)) if is_function else Call(formula, name, arguments)
        return formula

    def _first(self) -> Formula:
        if self._is_next("."):
            return self._branching()
        if self._is_next("["):
            return self._pair()
        word = self._take()
        if word != "col":
            return Word(word)
        self._take("(")
        name = self._take()[1:-1]
        self._take(")")
        return Word(f'col("{self._names.get(name, name)}")')

    def _branching(self) -> Formula:
        told = []
        for word in ("when", "then", "otherwise"):
            self._take(".")
            self._take(word)
            told.append(self._enclosed())
        condition, then, otherwise = told
        if isinstance(otherwise, Branching):
            return Branching(((condition, then), *otherwise.branches), otherwise.otherwise)
        return Branching(((condition, then),), otherwise)

    def _pair(self) -> Formula:
        self._take("[")
        left = self._enclosed()
        sign = self._take()
        right = self._enclosed()
        self._take("]")
        if isinstance(left, Pair) and left.sign == sign and sign in "&|+":
            return Pair(sign, (*left.parts, right))
        return Pair(sign, (left, right))

    def _enclosed(self) -> Formula:
        self._take("(")
        formula = self.formula()
        self._take(")")
        return formula

    def _arguments(self) -> Iterator[Formula]:
        """The formulas in the brackets of a call, which hold a list, one formula or none."""
        self._take("(")
        is_list = self._is_next("[") and self.rest[-2] != "("  # else the bracket of a pair
        if is_list:
            self._take("[")
        while not self._is_next("]" if is_list else ")"):
            yield self.formula()
            if self._is_next(","):
                self._take(",")
        if is_list:
            self._take("]")
        self._take(")")

    def _is_next(self, token: str) -> bool:
        return self.rest[-1:] == [token]

    def _take(self, expected: str | None = None) -> str:
        token = self.rest.pop() if self.rest else "the end"
        if expected not in (None, token):
            raise ValueError(f"{expected} expected, {token} found")
        return token


def in_lines(formula: Formula, width: int) -> list[str]:
    """A formula in lines of at most this width, what is nested set in; a word that is longer has a line of its own."""
    line = _in_one(formula)
    if len(line) <= width or isinstance(formula, Word):
        return [line]
    if isinstance(formula, Pair):
        first, *others = formula.parts
        lines = _part(first, "", width)
        for part in others:
            lines += _part(part, f"{formula.sign} ", width)
        return lines
    if isinstance(formula, Branching):
        lines = []
        for n, (condition, then) in enumerate(formula.branches):
            lines += _enclosing(".when(" if n else "when(", (condition,), width)
            lines += _enclosing(".then(", (then,), width)
        return lines + _enclosing(".otherwise(", (formula.otherwise,), width)
    if formula.of is None:
        return _enclosing(f"{formula.name}(", formula.arguments, width)
    *lines, last = _part(formula.of, "", width)
    call = f"{last}.{formula.name}("
    return [*lines, *_enclosing(call, formula.arguments, width)]


def _in_one(formula: Formula) -> str:
    """A formula in one line."""
    if isinstance(formula, Word):
        return formula.text
    if isinstance(formula, Pair):
        return f" {formula.sign} ".join(map(_part_in_one, formula.parts))
    if isinstance(formula, Branching):
        branches = (f"when({_in_one(condition)}).then({_in_one(then)})" for condition, then in formula.branches)
        return f"{'.'.join(branches)}.otherwise({_in_one(formula.otherwise)})"
    of = "" if formula.of is None else f"{_part_in_one(formula.of)}."
    return f"{of}{formula.name}({', '.join(map(_in_one, formula.arguments))})"


def _part_in_one(formula: Formula) -> str:
    return f"({_in_one(formula)})" if isinstance(formula, Pair | Branching) else _in_one(formula)


def _part(formula: Formula, before: str, width: int) -> list[str]:
    """A formula beside a sign or under a call: what is made of several stands in brackets."""
    if isinstance(formula, Pair | Branching):
        return _enclosing(f"{before}(", (formula,), width)
    first, *others = in_lines(formula, width - len(before))
    return [before + first, *others]


def _enclosing(before: str, formulas: tuple[Formula, ...], width: int) -> list[str]:
    """Formulas in brackets: in one line if they fit, else each in lines of its own, set in."""
    line = f"{before}{', '.join(map(_in_one, formulas))})"
    if len(line) <= width or not formulas:
        return [line]
    lines = [before]
    for n, formula in enumerate(formulas):
        *others, last = in_lines(formula, width - _STEP - 1)
        comma = "," if n < len(formulas) - 1 else ""
        lines += [" " * _STEP + each for each in (*others, last + comma)]
    return [*lines, ")"]
