"""The answer of one disorder in sentences: the overall row and the definitions' shares in, text out.

The first sentence gives the range, with the number of episodes and of definitions; the ones after it name the lowest
and the highest definition, each with its own denominator and with the bounds that undetermined episodes leave. A small
table counts how far the episodes of both come: eligible, treated, adequately treated, failed, resistant.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from impasse.reports.words.numbers import coefficient, count, percent, plural
from impasse.schemas.values import Row

Left = dict[str, dict[str, int | None]]  # by definition: the episodes left after each step of the attrition table

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

    `steps` has a row per step, with the number of episodes left under the lowest and under the highest definition.
    """

    lead: str
    then: list[str]
    steps: tuple[tuple[str, str, str], ...] = ()


def answer(disorder: str, overall: Row, shares: dict[str, Row], titles: dict[str, str], left: Left) -> Answer:
    """The answer for one disorder. `shares`: prevalence rows by definition, `titles`: how to name each.

    `left` holds definitions of this disorder alone; a count that is suppressed is None.
    """
    if overall["suppressed"]:
        return Answer(f"The range for {disorder} is suppressed: too few episodes to publish.", [])
    n_hidden = sum(row["suppressed"] for row in shares.values())
    n_blind = sum(row["prevalence"] is None and not row["suppressed"] for row in shares.values())
    blind = _without_share(len(shares), n_blind, n_hidden)
    if overall["lowest_definition"] is None:
        return Answer(_open(disorder, overall, list(shares.values())), blind)
    lowest, highest = overall["lowest_definition"], overall["highest_definition"]
    if lowest == highest or overall["lowest_prevalence"] == overall["highest_prevalence"]:
        share = percent(overall["lowest_prevalence"])
        lead = f"{_among(disorder, overall)}, {share} of those that can be decided count as treatment-resistant."
        return Answer(lead, [_says("", lowest, shares, titles), *blind])
    n_told = len(shares) - n_blind - n_hidden
    return Answer(
        _range(disorder, overall, n_told),
        [
            _says("Lowest: ", lowest, shares, titles),
            _says("Highest: ", highest, shares, titles),
            _decided(overall, n_told),
            *blind,
        ],
        _steps(left.get(lowest, {}), left.get(highest, {})),
    )


def left_after_steps(attrition: Iterable[Row], definitions: Iterable[str]) -> Left:
    """Rows of the attrition table by definition and step, of some definitions."""
    left: Left = {definition: {} for definition in definitions}
    for row in attrition:
        if row["definition_id"] in left:
            left[row["definition_id"]][row["step"]] = row["n_left"]
    return left


def _open(disorder: str, overall: Row, shares: list[Row]) -> str:
    """The lead where no definition can give a share: how far the bounds reach."""
    lows = [row["bound_low"] for row in shares if row["bound_low"] is not None]
    highs = [row["bound_high"] for row in shares if row["bound_high"] is not None]
    lead = f"{_among(disorder, overall)}, no definition can say with this delivery how many are treatment-resistant"
    return f"{lead}: the bounds reach from {percent(min(lows))} to {percent(max(highs))}." if lows else f"{lead}."


def _without_share(n_definitions: int, n_blind: int, n_hidden: int) -> list[str]:
    """How many definitions get no share, and why."""
    of = plural(n_definitions, "definition")
    told = []
    if n_blind:
        told.append(
            f"Of {of}, {n_blind} {_get(n_blind)} bounds but no share: what this delivery shows leaves {_its(n_blind)} "
            "episodes undecided, or decides them one way only."
        )
    if n_hidden:
        told.append(f"Of {of}, {n_hidden} {'is' if n_hidden == 1 else 'are'} suppressed: small numbers would show.")
    return told


def _get(n: int) -> str:
    return "gets" if n == 1 else "get"


def _its(n: int) -> str:
    return "its" if n == 1 else "their"


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


def _range(disorder: str, overall: Row, n_definitions: int) -> str:
    low, high = percent(overall["lowest_prevalence"]), percent(overall["highest_prevalence"])
    return (
        f"{_among(disorder, overall)}, between {low} and {high} of those that can be decided count as "
        f"treatment-resistant, depending on which of {n_definitions} definitions is used."
    )


def _says(start: str, definition: str, shares: dict[str, Row], titles: dict[str, str]) -> str:
    row, title = shares.get(definition), titles.get(definition, definition)
    if row is None or row["suppressed"]:
        return f"{start}“{title}”."
    return (
        f"{start}“{title}” says {percent(row['prevalence'])} of the decided among {count(row['n_total'])} "
        f"eligible episodes{_bounds(row)}."
    )


def _steps(lowest: dict[str, int | None], highest: dict[str, int | None]) -> tuple[tuple[str, str, str], ...]:
    """How many episodes come how far under both; a step that is suppressed for one of them is left out."""
    shown = [step for step in _STEPS if None not in (lowest.get(step), highest.get(step))]
    if shown[:1] != ["eligible"] or len(shown) < 3:
        return ()
    return tuple((_STEPS[step], count(lowest[step]), count(highest[step])) for step in shown)


def _bounds(row: Row) -> str:
    if row["n_undetermined"] == 0:
        return ", all of them decided"
    return (
        f"; with {count(row['n_undetermined'])} that cannot be told, it is at least {percent(row['bound_low'])} "
        f"and at most {percent(row['bound_high'])}"
    )


def _decided(overall: Row, n_told: int) -> str:
    """How many times apart shares are, and how many episodes all definitions decide, with those that show no share."""
    ratio, by_all = overall["prevalence_ratio"], count(overall["n_decided_by_all"])
    times = "" if ratio is None else f"The highest share is about {float(f'{ratio:.2g}'):,g} times the lowest. "
    every = "Both" if overall["n_definitions"] == 2 else f"All {overall['n_definitions']}"
    others = ", also those without a share here," if n_told < overall["n_definitions"] else ""
    return f"{times}{every} definitions{others} reach a verdict on {by_all} of the episodes."
