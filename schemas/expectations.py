"""What a normal delivery and a normal release look like, as data.

In: the study file (its limits) and, for a release, how many episodes and definitions the run had. A sentence names
limits of the study alone and no number of the run: it stands on a page that is released.
Out: a list of expectations, each with a sentence a registry person can read. `flows/checks/quality.py`
measures and runs them. An expectation that is critical stops publication when it is not met; the
others are told in the validation report, since an unusual delivery may still be a right one.

Delivery expectations look at facts: one number per table and question, such as the share of
dispensings that say how long they last. Whether single rows are valid is settled before, row by row,
by the models in `schemas/extracts.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from impasse.schemas.mapping import MAPPED_TABLES
from impasse.schemas.study import Study
from impasse.schemas.tables import KEYS

BETWEEN = "ExpectColumnValuesToBeBetween"
NOT_IN_SET = "ExpectColumnValuesToNotBeInSet"
EQUAL_PAIR = "ExpectColumnPairValuesToBeEqual"
ORDERED_PAIR = "ExpectColumnPairValuesAToBeGreaterThanB"
UNIQUE = "ExpectColumnValuesToBeUnique"
UNIQUE_TOGETHER = "ExpectCompoundColumnsToBeUnique"

# No more than this share of a table's delivered rows should fall to one and the same rule.
MAX_SHARE_OF_ONE_RULE = 0.05
MAX_AGE = 110
# So many rows of an OMOP table must have a key of their own; fewer are a table that is there twice, or half of it.
LEAST_OWN_KEYS = 0.95


@dataclass(frozen=True)
class Expectation:
    """One expectation: `type` is the Great Expectations class, run with `kwargs` on the frame named `frame`.

    `column` is what the reader is told about; `sentence` says what is expected and is true when it is met. It counts
    no episodes and no persons, also not where `kwargs` do.
    """

    suite: str
    table: str
    frame: str
    type: str
    column: str
    sentence: str
    is_critical: bool
    kwargs: dict[str, Any] = field(default_factory=dict, hash=False)


@dataclass(frozen=True)
class ExpectationResult:
    """What became of an expectation; `observed` holds counts and shares, never a value from a row."""

    suite: str
    table: str
    expectation: str
    column: str
    sentence: str
    is_critical: bool
    success: bool
    observed: str

    def report_row(self) -> dict[str, Any]:
        """The result as the validation report shows it."""
        return {
            "suite": f"{self.suite}: {self.table}",
            "expectation": self.sentence,
            "column": self.column,
            "critical": self.is_critical,
            "success": self.success,
            "observed": self.observed,
        }


@dataclass(frozen=True)
class _Share:
    """The least share of a table's rows for which a fact should hold."""

    table: str
    fact: str
    column: str
    least: float
    sentence: str


_SHARES = (
    _Share("persons", "unique_id", "person_id", 1.0, "Every person is there once."),
    _Share("persons", "known_birth_date", "birth_date", 0.95, "At least 95% of persons have a birth date."),
    _Share(
        "persons",
        "plausible_age",
        "birth_date",
        0.99,
        f"At least 99% of persons are 0 to {MAX_AGE} years old at the end.",
    ),
    _Share("persons", "known_sex", "sex", 0.95, "The sex of at least 95% of persons is known."),
    _Share("coverage", "covered_persons", "person_id", 0.95, "At least 95% of persons are observed for some time."),
    _Share("diagnoses", "in_period", "date", 0.5, "At least half of the diagnoses are dated in the study period."),
    _Share(
        "diagnoses",
        "known_code",
        "code",
        0.05,
        "At least 5% of the diagnosis codes are in a code list; far fewer means another code system or column.",
    ),
    _Share("dispensings", "in_period", "date", 0.5, "At least half of the dispensings are dated in the study period."),
    _Share("dispensings", "known_days", "days", 0.8, "At least 80% of dispensings tell how many days they last."),
    _Share("dispensings", "known_dose", "dose", 0.5, "At least half of the dispensings tell the dose a day."),
    _Share(
        "dispensings",
        "known_code",
        "atc",
        0.1,
        "At least 10% of dispensings are of a listed treatment; far fewer means another code system or column.",
    ),
    _Share("procedures", "in_period", "date", 0.5, "At least half of the procedures are dated in the study period."),
    _Share("procedures", "known_code", "code", 0.01, "At least 1% of the procedures are a listed treatment."),
    _Share("scores", "in_period", "date", 0.5, "At least half of the scores are dated in the study period."),
    _Share("scores", "known_scale", "scale", 0.9, "At least 90% of the scores are of a listed scale."),
    _Share("scores", "plausible_value", "value", 1.0, "Every score lies between its scale's lowest and highest value."),
    _Share("admissions", "in_period", "start_date", 0.5, "At least half of the hospital stays start in the period."),
    _Share("admissions", "known_main_code", "main_code", 0.9, "At least 90% of hospital stays have a main diagnosis."),
)
# Quarantined rows that no result can depend on, and that no limit counts.
_LEFT_OUT = {"coverage": ", those of persons who are not in the extract left out"}
_YEARLY = ("diagnoses", "dispensings")


ROUNDED = ("profile", "responses", "undetermined")


def facts_frame(table: str) -> str:
    """The name of the one-row frame that holds a table's facts."""
    return f"{table}_facts"


def years_frame(table: str) -> str:
    """The name of the frame that holds a table's rows per calendar year of the study period."""
    return f"{table}_years"


def rounding_frame(table: str) -> str:
    """The frame that holds how far every number of a rounded table is beyond a multiple."""
    return f"{table}_rounding"


def counts_frame(table: str) -> str:
    """The name of the frame that holds every count of a released table in one column."""
    return f"{table}_counts"


DIFFERENCES = "prevalence_differences"  # the frame that holds what every row counts beyond the rows nested in it


def delivery_expectations(study: Study) -> list[Expectation]:
    """What a delivery to this study looks like."""
    return [
        expectation
        for table in MAPPED_TABLES
        for expectation in (*_volume(table, study), _one_rule(table), *_yearly(table), *_keys(table), *_shares(table))
    ]


def _expected(table: str, frame: str, about: str, sentence: str, is_critical: bool, **kwargs: Any) -> Expectation:
    return Expectation("delivery", table, frame, BETWEEN, about, sentence, is_critical, kwargs)


def _volume(table: str, study: Study) -> list[Expectation]:
    """The limits the study file sets; a table no limit is set for needs no rows at all."""
    most, least = study.quality.max_quarantined_percent, study.quality.min_rows.get(table)
    sentence = f"At most {most:g}% of the delivered rows are quarantined{_LEFT_OUT.get(table, '')}."
    limits = {"column": "quarantined", "min_value": 0, "max_value": most / 100}
    quarantined = _expected(table, facts_frame(table), "", sentence, True, **limits)
    if least is None:
        return [quarantined]
    enough = f"Rows that can be used: at least {least:,}."
    return [quarantined, _expected(table, facts_frame(table), "", enough, True, column="rows", min_value=least)]


def _one_rule(table: str) -> Expectation:
    least = f"No single rule quarantines more than {MAX_SHARE_OF_ONE_RULE:.0%} of the delivered rows"
    sentence = f"{least}{_LEFT_OUT.get(table, '')}."
    limits = {"column": "worst_rule", "min_value": 0, "max_value": MAX_SHARE_OF_ONE_RULE}
    return _expected(table, facts_frame(table), "", sentence, False, **limits)


def _yearly(table: str) -> list[Expectation]:
    if table not in _YEARLY:
        return []
    sentence = "Every calendar year of the study period has rows."
    return [_expected(table, years_frame(table), "date", sentence, False, column="n_rows", min_value=1)]


def _keys(table: str) -> list[Expectation]:
    """What is expected of the primary keys of a CDM; a registry has none. Persons are expected to be there once."""
    if table in ("persons", "deaths"):
        return []
    frame, column = facts_frame(table), "own_key"
    most = (
        f"At least {LEAST_OWN_KEYS:.0%} of the rows have a primary key that no earlier row has; fewer are there twice."
    )
    return [
        _expected(table, frame, "", most, True, column=column, min_value=LEAST_OWN_KEYS, max_value=1),
        _expected(table, frame, "", "Every row has a primary key of its own.", False, column=column, min_value=1),
    ]


def _shares(table: str) -> list[Expectation]:
    return [
        _expected(
            table,
            facts_frame(table),
            share.column,
            share.sentence,
            False,
            column=share.fact,
            min_value=share.least,
            max_value=1,
        )
        for share in _SHARES
        if share.table == table
    ]


def release(study: Study, tables: Sequence[str], n_episodes: int, n_definitions: int) -> list[Expectation]:
    """What a release of these tables looks like. All of it is critical: a breach is our error, not the data's."""
    found = [_key(table) for table in tables if table in KEYS]
    found += [_counts(table, study.disclosure.threshold) for table in tables]
    found += [_differences(study.disclosure.threshold), *_prevalence()] if "prevalence" in tables else []
    found += [_rounded(table, study.disclosure.threshold) for table in ROUNDED if table in tables]
    found += [_reconciliation()] if "reconciliation" in tables else []
    return found + _classifications(n_episodes, n_definitions)


def _critical(table: str, frame: str, kind: str, about: str, sentence: str, **kwargs: Any) -> Expectation:
    return Expectation("release", table, frame, kind, about, sentence, is_critical=True, kwargs=kwargs)


def _key(table: str) -> Expectation:
    key = KEYS[table]
    sentence = f"There is one row per {', '.join(key)}."
    if len(key) == 1:
        return _critical(table, table, UNIQUE, key[0], sentence, column=key[0])
    return _critical(table, table, UNIQUE_TOGETHER, ", ".join(key), sentence, column_list=list(key))


def _counts(table: str, threshold: int) -> Expectation:
    sentence = f"No published count is from 1 to {threshold - 1}." if threshold > 1 else "Every count may be published."
    hidden = list(range(1, threshold))
    return _critical(table, counts_frame(table), NOT_IN_SET, "", sentence, column="n", value_set=hidden)


def _differences(threshold: int) -> Expectation:
    between = "denominators of a definition, or its episodes and persons,"
    sentence = f"No two {between} are 1 to {threshold - 1} apart."
    if threshold == 1:
        sentence = f"Two {between} may be any number apart."
    hidden = list(range(1, threshold))
    return _critical("prevalence", DIFFERENCES, NOT_IN_SET, "", sentence, column="n", value_set=hidden)


def _rounded(table: str, threshold: int) -> Expectation:
    sentence = f"Every number is a multiple of {threshold}."
    limits = {"column": "beyond", "min_value": 0, "max_value": 0}
    return _critical(table, rounding_frame(table), BETWEEN, "n, n_of", sentence, **limits)


def _prevalence() -> list[Expectation]:
    shares = [
        _critical("prevalence", "prevalence", BETWEEN, c, f"{c} is from 0 to 1.", column=c, min_value=0, max_value=1)
        for c in ("prevalence", "bound_low", "bound_high")
    ]
    ordered = [
        _critical(
            "prevalence",
            "prevalence_shown",
            ORDERED_PAIR,
            f"{low}, {high}",
            f"{low} is at most {high}.",
            column_A=high,
            column_B=low,
            or_equal=True,
        )
        for low, high in (("bound_low", "prevalence"), ("prevalence", "bound_high"))
    ]
    return shares + ordered


def _reconciliation() -> Expectation:
    return _critical(
        "reconciliation",
        "reconciliation",
        EQUAL_PAIR,
        "n_delivered",
        "Every delivered row is either accepted or quarantined.",
        column_A="n_delivered",
        column_B="n_accepted_and_quarantined",
    )


def _classifications(n_episodes: int, n_definitions: int) -> list[Expectation]:
    total = n_episodes * n_definitions
    return [
        _critical(
            "classifications",
            "classifications_facts",
            BETWEEN,
            "",
            "There are as many classifications as episodes x definitions.",
            column="rows",
            min_value=total,
            max_value=total,
        ),
        _critical(
            "classifications",
            "classifications_per_definition",
            BETWEEN,
            "definition_id",
            "Every definition classifies every episode.",
            column="n_rows",
            min_value=n_episodes,
            max_value=n_episodes,
        ),
    ]
