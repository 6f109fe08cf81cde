"""Words that columns may hold and that people write too, in cases and definitions; the tables take them from here.

They stand apart from the tables, so that commands which only read definitions need not load what checks tables.
"""

from __future__ import annotations

from typing import Any

Row = dict[str, Any]  # a row of a table, by column

CODE_SYSTEMS = ("icd10", "icd9", "icd8", "icpc2", "snomed", "omop", "other")
SETTINGS = ("inpatient", "outpatient", "primary", "unknown")
VERDICTS = ("resistant", "not_resistant", "undetermined", "not_eligible")
PSEUDO_RESISTANCE = ("none", "possible", "likely")
# Diagnosed causes that make it possible only: a code cannot tell a mistaken diagnosis from a second disorder.
POSSIBLE_CAUSES = ("anxiety", "depression", "personality_disorder", "ptsd")
CHANGE_SIGNS = ("switch", "add_on", "ect", "tms", "admission")  # the changes of treatment that a rule may ask for
NO_LEVEL = "none"
RECOVERY_DAYS = 182  # half a year, by convention of the project: a remission held so long is a recovery
BELOW_BANDS = "below"  # the severity of a score under the lowest band of its scale
