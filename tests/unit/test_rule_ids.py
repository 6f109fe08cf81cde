"""The short names of rules: of their values, so that a renamed setting moves no table."""

from dataclasses import make_dataclass, replace

from impasse.schemas.rule_ids import judging_rule, rule_id, trial_rule
from tests.shipped import SHIPPED


def test_a_renamed_setting_keeps_the_name() -> None:
    """Values and their order make it."""
    before, after = (make_dataclass("Rule", [name], frozen=True) for name in ("drug_gap_days", "permissible_gap_days"))

    assert rule_id(before(30)) == rule_id(after(30)) != rule_id(before(31))


def test_rules_are_one_only_if_they_are_equal() -> None:
    """Of all that are shipped; and each setting of the trial makes another."""
    trials = {trial_rule(definition): definition.trial for definition in SHIPPED}
    judged = {judging_rule(definition): (definition.adequacy, definition.outcome) for definition in SHIPPED}
    one = SHIPPED[0].trial
    others = [replace(one, overlap_days=one.overlap_days + 1), replace(one, carry_over=not one.carry_over)]

    assert len(trials) == len({definition.trial for definition in SHIPPED})
    assert len(judged) == len({(definition.adequacy, definition.outcome) for definition in SHIPPED})
    assert len({rule_id(rule) for rule in (one, *others)}) == 3


def test_zero_has_one_name() -> None:
    """However it is written; one that is equal in memory must be equal on every machine."""
    drug = SHIPPED[0].adequacy.drug

    assert str(replace(drug, min_dose_ratio=-0.0).min_dose_ratio) == "0.0"
