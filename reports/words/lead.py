"""The answer of one disorder in sentences: the overall row and the definitions' bounds in, text out.

Bounds lead, for they always hold. If one definition calls surely more episodes resistant than another may, the first
sentence says how far the two are apart; else that what cannot be told is wider than any difference. The sentences after
it name the two, each with its own denominator. A small table counts how far the episodes of both come: eligible,
treated, adequately treated, failed, resistant.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from impasse.reports.words.numbers import coefficient, count, percent, plural
from impasse.schemas.values import Row

Left = dict[str, dict[str, int | None]]  # by definition: the episodes left after each step of the attrition table

_ENOUGH = 30  # resistant episodes without which no ratio is printed
_STEPS = {
    "eligible": "eligible",
    "treated": "treated",
    "adequately_treated": "adequately treated",
    "failed_a_trial": "surely failed at least once",
    "resistant": "resistant",
}


@dataclass(frozen=True)
class Answer:
    """What the reader sees first: one leading sentence, the sentences that qualify it, and how far episodes come.

    `steps` has a row per step: the episodes left under the definition with the fewest resistant, and under the one with
    the most.
    """

    lead: str
    then: list[str]
    steps: tuple[tuple[str, str, str], ...] = ()


def answer(disorder: str, overall: Row, shares: dict[str, Row], titles: dict[str, str], left: Left) -> Answer:
    """The answer for one disorder. `shares`: prevalence rows by definition, `titles`: how to name each.

    `left` holds definitions of this disorder alone; a count that is suppressed is None.
    """
    if overall["suppressed"]:
        return Answer(f"What the definitions say of {disorder} is suppressed: too few episodes to publish.", [])
    told = {d: row for d, row in sorted(shares.items()) if not row["suppressed"] and row["bound_low"] is not None}
    hidden = _hidden(len(shares), len(shares) - len(told))
    if not told:
        return Answer(f"{_among(disorder, overall)}, no definition has an eligible one that may be told of.", hidden)
    fewest = min(told, key=lambda d: (told[d]["bound_high"], told[d]["bound_low"]))
    most = max(told, key=lambda d: (told[d]["bound_low"], told[d]["bound_high"]))
    if fewest == most:
        return Answer(_one(disorder, overall, told, fewest), [_says("", fewest, told, titles), *hidden])
    return Answer(
        _apart(disorder, overall, told, fewest, most),
        [
            _says("Fewest: ", fewest, told, titles),
            _says("Most: ", most, told, titles),
            *_times(told[fewest], told[most]),
            _decided(overall),
            *hidden,
        ],
        _steps(left.get(fewest, {}), left.get(most, {})),
    )


def left_after_steps(attrition: Iterable[Row], definitions: Iterable[str]) -> Left:
    """Rows of the attrition table by definition and step, of some definitions."""
    left: Left = {definition: {} for definition in definitions}
    for row in attrition:
        if row["definition_id"] in left:
            left[row["definition_id"]][row["step"]] = row["n_left"]
    return left


def _hidden(n_definitions: int, n_hidden: int) -> list[str]:
    """How many definitions are not told of."""
    if not n_hidden:
        return []
    are = "is" if n_hidden == 1 else "are"
    return [f"Of {plural(n_definitions, 'definition')}, {n_hidden} {are} suppressed: small numbers would show."]


def agreement_sentence(overall: Row) -> str:
    """Agreement of all definitions at once."""
    hidden = overall["suppressed"]
    fleiss, alpha = coefficient(overall["fleiss_kappa"], hidden), coefficient(overall["krippendorff_alpha"], hidden)
    n = overall["n_definitions"]
    every = "Both definitions" if n == 2 else f"All {plural(n, 'definition')}"
    return (
        f"{every} at once: Fleiss’ kappa {fleiss} on the "
        f"{count(overall['n_decided_by_all'])} episodes that every definition decides, Krippendorff’s alpha {alpha} "
        "on all decisions. 1 is full agreement, 0 is what chance would give."
    )


def _among(disorder: str, overall: Row) -> str:
    return f"Among {count(overall['n_episodes'])} episodes of {disorder}"


def _one(disorder: str, overall: Row, told: dict[str, Row], only: str) -> str:
    """The lead where one definition has both the fewest and the most: that of one alone, or of all with its bounds."""
    by = "one definition" if len(told) == 1 else f"each of {len(told)} definitions"
    return f"{_among(disorder, overall)}, {_bounds(told[only])} are treatment-resistant by {by}."


def _apart(disorder: str, overall: Row, told: dict[str, Row], fewest: str, most: str) -> str:
    at_most, at_least = told[fewest]["bound_high"], told[most]["bound_low"]
    if at_least > at_most:
        return (
            f"{_among(disorder, overall)}, at most {percent(at_most)} of those eligible are treatment-resistant by one "
            f"definition and at least {percent(at_least)} by another, whatever cannot be told: {_these(len(told))}."
        )
    lowest, highest = (f(row[name] for row in told.values()) for f, name in ((min, "bound_low"), (max, "bound_high")))
    return (
        f"{_among(disorder, overall)}, no two of {len(told)} definitions surely disagree on how many are "
        f"treatment-resistant: what cannot be told is wider than any difference between them. Their bounds reach from "
        f"{percent(lowest)} to {percent(highest)}."
    )


def _these(n_definitions: int) -> str:
    if n_definitions == 2:
        return "the two definitions surely disagree"
    return f"of {n_definitions} definitions these two surely disagree most"


def _times(fewest: Row, most: Row) -> list[str]:
    """How many times more the one surely calls resistant than the other may, where it is more, and of enough."""
    at_most, at_least = fewest["bound_high"], most["bound_low"]
    are_few = min(fewest["n_resistant"] + fewest["n_undetermined"], most["n_resistant"]) < _ENOUGH
    if are_few or not 0 < at_most < at_least:
        return []
    return [f"That is at least {float(f'{at_least / at_most:.2g}'):,g} times as large a share of the eligible."]


def _says(start: str, definition: str, told: dict[str, Row], titles: dict[str, str]) -> str:
    row, title = told[definition], titles.get(definition, definition)
    unknown = row["n_undetermined"]
    of = f"{start}“{title}” calls {_bounds(row)} of {count(row['n_total'])} eligible episodes treatment-resistant"
    return f"{of}; {count(unknown)} cannot be told." if unknown else f"{of}; all can be told."


def _steps(fewest: dict[str, int | None], most: dict[str, int | None]) -> tuple[tuple[str, str, str], ...]:
    """How many episodes come how far under both; a step that is suppressed for one of them is left out."""
    shown = [step for step in _STEPS if None not in (fewest.get(step), most.get(step))]
    if shown[:1] != ["eligible"] or len(shown) < 3:
        return ()
    return tuple((_STEPS[step], count(fewest[step]), count(most[step])) for step in shown)


def _bounds(row: Row) -> str:
    low, high = percent(row["bound_low"]), percent(row["bound_high"])
    return low if row["bound_low"] == row["bound_high"] else f"at least {low} and at most {high}"


def _decided(overall: Row) -> str:
    """How many episodes all definitions decide, the suppressed ones among them."""
    every = "Both" if overall["n_definitions"] == 2 else f"All {overall['n_definitions']}"
    return f"{every} definitions reach a verdict on {count(overall['n_decided_by_all'])} of the episodes."
