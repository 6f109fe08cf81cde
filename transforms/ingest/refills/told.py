"""What a dispensing says beside its supply, for rules that look at other dispensings too; dropped when they are done.

    awaits_rhythm, awaits_waiting_time  whether no rule before that one, of those that read the row alone, gives days
    total_mddd                          how much was handed out, in thousandths of a DDD
    total_ug                            the same in micrograms
    told_ug, told_mddd                  the daily dose as delivered

None of these columns is there unless the study uses such a rule.
"""

from __future__ import annotations

from impasse.schemas.study import RHYTHM, WAITING_TIME, SupplySection

AWAITS = {RHYTHM: "awaits_rhythm", WAITING_TIME: "awaits_waiting_time"}
TOTAL_MDDD, TOTAL_UG = "total_mddd", "total_ug"
TOLD_UG, TOLD_MDDD = "told_ug", "told_mddd"
TOLD = (*AWAITS.values(), TOTAL_MDDD, TOTAL_UG, TOLD_UG, TOLD_MDDD)


def needs_others(rule: SupplySection) -> bool:
    """Whether a rule of the study looks at other dispensings than the one whose days it tells."""
    return any(name in rule.rules for name in AWAITS)
