"""A supply rule that a layout can never feed is refused, by its name and with the reason."""

from __future__ import annotations

import pytest

from impasse.schemas import mapping_file
from impasse.schemas.errors import ImpasseError
from impasse.schemas.mapping import Mapping
from impasse.schemas.study import SupplySection
from impasse.schemas.supply_rules import require_amounts
from tests.unit.deliveries import OMOP_LISTS, SCHEMAS, layout

RHYTHM = "personal_refill_rhythm"
LINES = {
    name: f'{name} = {{ column = "{name}", optional = true }}\n'
    for name in ("ddd", "n_packages", "ddd_per_package", "strength_mg", "quantity")
}


def mapped(*names: str) -> Mapping:
    """The generic layout with these amounts alone."""
    text = (SCHEMAS / "mappings" / "generic.toml").read_text()
    for name in LINES.keys() - set(names):
        text = text.replace(LINES[name], "")
    return mapping_file.parse("mine", text)


def told(rules: tuple[str, ...], *names: str) -> str:
    """What the user is told of rules under a layout with these amounts, nothing if they are accepted."""
    try:
        require_amounts(SupplySection(rules=rules), mapped(*names), "study file, supply.rules")
    except ImpasseError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("names", [("ddd",), ("n_packages", "ddd_per_package"), ("quantity", "strength_mg")])
def test_any_full_amount_is_enough(names: tuple[str, ...]) -> None:
    """Total DDD, packages with the DDD in each, units with the mg in each."""
    assert told((RHYTHM,), *names) == ""


@pytest.mark.parametrize("names", [(), ("n_packages",), ("ddd_per_package", "quantity"), ("strength_mg",)])
def test_half_an_amount_is_none(names: tuple[str, ...]) -> None:
    """The rule is named, and what would feed it."""
    message = told((RHYTHM,), *names)

    assert RHYTHM in message
    assert "n_packages and ddd_per_package" in message
    assert told(("ddd", "waiting_time_distribution"), *names) == ""


def test_amounts_that_a_rule_before_takes_do_not_reach_it() -> None:
    """DDD is read by the rule ddd; where the layout also maps tablets, those that have no DDD reach it."""
    assert '"ddd", which take every amount' in told(("ddd", RHYTHM), "ddd")
    assert told((RHYTHM, "ddd"), "ddd") == ""
    assert told(("ddd", RHYTHM), "ddd", "quantity", "strength_mg") == ""


def test_shipped_layouts() -> None:
    """The Finnish one has packages without their DDD; an OMOP CDM tells quantity and strength."""
    rule = SupplySection(rules=(RHYTHM,))

    with pytest.raises(ImpasseError, match=RHYTHM):
        require_amounts(rule, layout("finnish"), "")
    for name in ("swedish", "danish", "generic"):
        assert require_amounts(rule, layout(name), "") is None
    assert require_amounts(rule, OMOP_LISTS, "") is None
