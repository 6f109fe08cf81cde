"""How often each verdict, decider, stage and score comes about over drawn histories.

`python -m tests.reference.coverage --persons 10000` classifies so many drawn persons under all shipped
definitions with both implementations, prints how far they agree and what was reached how often, and
fails on a disagreement or on something that was never reached.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterable

from impasse.schemas.definition import DECIDERS, Definition, DrugAdequacy, SessionAdequacy
from impasse.schemas.resistance import Count, Item, NumberItem, Scored, Staged
from impasse.schemas.values import NO_LEVEL, VERDICTS
from tests.reference.both import PERSONS_A_ROUND, VARIANTS_A_ROUND, Facts, differences, drawn_round, fast, slow
from tests.shipped import REFERENCE_CODES, SHIPPED

Reached = Counter[tuple[str, str, str]]  # of definition, what was reached, and its value
SHOWN_DIFFERENCES = 20


def reached(facts: Facts) -> Reached:
    """How often each definition gave each verdict by each block, or each stage or score."""
    counted: Reached = Counter()
    for row in facts["classifications"].values():
        counted[row["definition_id"], "verdict", row["verdict"]] += 1
        counted[row["definition_id"], "decided by", row["decided_by"]] += 1
    for row in facts["stages"].values():
        name = row["definition_id"]
        counted[name, "is eligible", str(row["is_eligible"])] += 1
        if row["level_min"] is not None:
            counted[name, "stage", row["level_min"]] += 1
        if row["score_min"] is not None:
            counted[name, "score", f"{row['score_min']:g}"] += 1
            counted[name, "score", "any"] += 1
    return counted


def never_reached(counted: Reached, definitions: Iterable[Definition] = SHIPPED) -> list[tuple[str, str, str]]:
    """What the definitions' settings allow and no history reached."""
    return [cell for definition in definitions for cell in possible(definition) if not counted[cell]]


def possible(definition: Definition) -> list[tuple[str, str, str]]:
    """What histories must reach: all verdicts and deciders that can be, or all stages, or a score."""
    rule = definition.resistance
    if definition.gives == "verdict":
        cells = [("verdict", verdict) for verdict in VERDICTS]
        cells += [("decided by", decider) for decider in possible_deciders(definition)]
    elif isinstance(rule, Staged):
        cells = [("stage", name) for name in (NO_LEVEL, *(level.name for level in rule.levels))]
    else:
        cells = [("score", "any")]
    return [(definition.id, *cell) for cell in cells]


def possible_deciders(definition: Definition) -> list[str]:
    """The blocks that can decide, and follow-up.

    Eligibility, trials, resistance and follow-up always can. A treatment given is asked neither for its adequacy
    nor for its outcome, so these two blocks need a part that counts failed trials; and adequacy needs a rule that
    asks for something of the kind of treatment that the part counts.
    """
    failed = [part for part in counting_parts(definition) if isinstance(part, Item) or part.what == "failed"]
    groups = {group for part in failed for group in part.of}
    modalities = {row.modality for row in REFERENCE_CODES.treatments if row.groups & groups}
    impossible = set() if failed else {"adequacy", "outcome"}
    if not any(asks_for_something(getattr(definition.adequacy, modality)) for modality in modalities):
        impossible.add("adequacy")
    return [decider for decider in DECIDERS if decider not in impossible]


def counting_parts(definition: Definition) -> list[Count | Item | NumberItem]:
    """The parts of a definition that gives verdicts that count trials."""
    rule = definition.resistance
    if isinstance(rule, Scored):
        return [item for item in rule.items if isinstance(item, Item | NumberItem)]
    return [count for alternative in rule.any_of for count in alternative.all_of]


def asks_for_something(rule: DrugAdequacy | SessionAdequacy) -> bool:
    """Whether a trial can fall short of the rule."""
    if isinstance(rule, SessionAdequacy):
        return rule.min_sessions > 1 or rule.min_days > 1
    asks_for_dose = rule.dose_basis != "any" and rule.min_dose_ratio > 0
    return rule.min_days > 0 or asks_for_dose or max(rule.min_pdc_percent, rule.min_mpr_percent) > 0


def table(counted: Reached) -> str:
    """A line for each definition and each kind of thing reached."""
    kinds: dict[tuple[str, str], list[str]] = {}
    for (name, what, value), n in sorted(counted.items()):
        if value != "any":
            kinds.setdefault((name, what), []).append(f"{value} {n}")
    return "\n".join(f"{name:45} {what:11} {', '.join(values)}" for (name, what), values in kinds.items())


def main() -> int:
    """Draw, compare, count and print; 1 if something differs or was never reached."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--persons", type=int, default=1000, help="how many persons to draw")
    parser.add_argument("--seed", type=int, default=0, help="the seed of the first hundred persons")
    parser.add_argument(
        "--variants", type=int, default=VARIANTS_A_ROUND, help="how many definitions of other settings a round"
    )
    asked = parser.parse_args()
    counted: Reached = Counter()
    differing: list[str] = []
    n_rows = 0
    for first in range(0, asked.persons, PERSONS_A_ROUND):
        seed = asked.seed + first // PERSONS_A_ROUND
        drawn = drawn_round(seed, min(PERSONS_A_ROUND, asked.persons - first), asked.variants)
        told, again = fast(drawn), slow(drawn)
        counted += reached(told)
        n_rows += sum(len(told[name]) for name in ("classifications", "stages"))
        differing += [f"seed {seed}, {difference}" for difference in differences(told, again)]
        print(f"{first + len(drawn.persons)} persons, {len(differing)} facts differ", file=sys.stderr, flush=True)
    missing = never_reached(counted)
    print(table(counted))
    print(f"\n{asked.persons} persons, {n_rows} verdicts and stages, {len(differing)} facts differ.")
    print("\n".join(differing[:SHOWN_DIFFERENCES]))
    print("\n".join(f"never reached: {' '.join(cell)}" for cell in missing))
    return 1 if differing or missing else 0


if __name__ == "__main__":
    raise SystemExit(main())
