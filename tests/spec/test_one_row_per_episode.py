"""Every definition answers for every episode, once; every judge keeps rows and order."""

import pytest
from polars.testing import assert_frame_equal

from impasse.schemas.tables import KEYS, RESTRICTED
from impasse.transforms import classify as classify_module
from impasse.transforms.history.encode import encode
from impasse.transforms.history.episodes import build_episodes, spans_of
from impasse.transforms.judge.causes import Causes
from impasse.transforms.judge.eligibility import Histories, is_eligible
from impasse.transforms.judge.untried import find_impasses
from impasse.transforms.results import classify
from tests.spec.world import (
    classified,
    codes,
    count,
    counts,
    definition,
    extract,
    impasses,
    item,
    level,
    points,
    staged,
    stages,
    study,
    verdicts,
)
from tests.tables import assert_shows

_MIXED = extract(
    persons="""
    person    | birth_date
    child     | 2000-01-01
    not_ill   | 1970-01-01
    treated   | 1970-01-01
    untreated | 1970-01-01
    """,
    diagnoses="""
    person    | date
    child     | 2010-01-01
    treated   | 2010-01-01
    treated   | 2012-01-01
    untreated | 2010-01-01
    """,
    dispensings="""
    person  | drug        | date       | days
    child   | sertraline  | 2010-01-05 | 28
    treated | sertraline  | 2010-01-05 | 28
    treated | lithium     | 2010-01-05 | 28
    treated | venlafaxine | 2010-02-10 | 28
    not_ill | sertraline  | 2010-01-05 | 28
    """,
    scores="person | date | value\ntreated | 2010-02-05 | 5",
    procedures="person | treatment | date\ntreated | cbt | 2012-01-10",
)
_STUDY = study(tail_days=60)
_COUNTS = definition("a_count", eligible={"min_age": 18}, resistance=counts(count(1)))
_SCORES = definition("b_score", resistance=points(1.0, item("failed_trials", 1.0)))
_STAGES = definition("c_stage", eligible={"min_age": 18}, resistance=staged(level("one", [count(1)])))
_OPEN_SCORE = definition("d_open_score", resistance=points("none", item("failed_trials", 1.0)))


def test_an_untreated_and_an_ineligible_episode_are_rows() -> None:
    """One row per episode: a child, an untreated person and a second episode without treatment included."""
    assert_shows(
        verdicts(_MIXED, _COUNTS, by=_STUDY),
        """
        person    | number | verdict       | decided_by | n_trials
        child     | 1      | not_eligible  | eligible   | 1
        treated   | 1      | resistant     | resistance | 2
        treated   | 2      | not_resistant | trial      | 0
        untreated | 1      | not_resistant | trial      | 0
        """,
    )


def test_every_definition_has_a_row_for_every_episode() -> None:
    """Two definitions, four episodes: eight rows."""
    assert_shows(
        verdicts(_MIXED, _SCORES, _COUNTS, by=_STUDY),
        """
        definition_id | person    | number
        a_count       | child     | 1
        a_count       | treated   | 1
        a_count       | treated   | 2
        a_count       | untreated | 1
        b_score       | child     | 1
        b_score       | treated   | 1
        b_score       | treated   | 2
        b_score       | untreated | 1
        """,
    )


def test_every_staging_system_has_a_row_for_every_episode() -> None:
    """A staging system gives no verdict but a row in a table of its own, for the child and the untreated too."""
    assert_shows(
        stages(_MIXED, _OPEN_SCORE, _STAGES, _COUNTS, by=_STUDY),
        """
        definition_id | person    | number | is_eligible | score_min | level_min
        c_stage       | child     | 1      | false       | -         | -
        c_stage       | treated   | 1      | true        | -         | one
        c_stage       | treated   | 2      | true        | -         | none
        c_stage       | untreated | 1      | true        | -         | none
        d_open_score  | child     | 1      | true        | 0.0       | -
        d_open_score  | treated   | 1      | true        | 1.0       | -
        d_open_score  | treated   | 2      | true        | 0.0       | -
        d_open_score  | untreated | 1      | true        | 0.0       | -
        """,
    )
    assert verdicts(_MIXED, _OPEN_SCORE, _STAGES, by=_STUDY).is_empty()


def test_an_impasse_is_one_row_however_many_definitions_call_it_resistant() -> None:
    """One row for an episode that two definitions call resistant; none for the others, and none by a stage."""
    assert_shows(impasses(_MIXED, _COUNTS, _SCORES, by=_STUDY), "person | number\ntreated | 1")
    assert impasses(_MIXED, _STAGES, _OPEN_SCORE, by=_STUDY).is_empty()


def test_definitions_do_not_see_each_other() -> None:
    """A definition judged beside others gives the rows it gives alone."""
    together = verdicts(_MIXED, _COUNTS, _SCORES, _STAGES, by=_STUDY).filter(definition_id="a_count")
    staged_together = stages(_MIXED, _COUNTS, _STAGES, _OPEN_SCORE, by=_STUDY).filter(definition_id="c_stage")

    assert_frame_equal(verdicts(_MIXED, _COUNTS, by=_STUDY), together)
    assert_frame_equal(stages(_MIXED, _STAGES, by=_STUDY), staged_together)


def test_two_definitions_of_one_id_are_refused() -> None:
    """As a what-if is, that keeps the id of the definition it was made of; its answers would stand for both."""
    one, what_if = definition(), definition(adequacy={"drug": {"min_days": 999}})

    with pytest.raises(ValueError, match="an id of its own"):
        classify(_MIXED, study(), [one, what_if], codes())


def test_two_rules_of_one_short_name_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Their answers would share a column."""
    monkeypatch.setattr(classify_module, "rule_id", lambda *_: "the same")
    one, other = definition("one"), definition("other", adequacy={"drug": {"min_days": 999}})

    with pytest.raises(ValueError, match="Two rules of adequacy have one short name"):
        classify(_MIXED, study(), [one, other], codes())


def test_a_verdict_asked_for_alone_is_that_of_the_table() -> None:
    """Counted, scored, spared by a cause, or open: the verdict without its date and reasons is the same."""
    spared = definition("e_spared", eligible={"pseudo_resistance": "after"}, resistance=counts(count(1)))
    not_asked = definition("f_not_asked", eligible={"pseudo_resistance": "before"}, resistance=counts(count(1)))
    rules = (_COUNTS, _SCORES, spared, not_asked)

    table = classify(_MIXED, _STUDY, rules, codes()).classifications
    of_table = {rule.id: table.filter(definition_id=rule.id)["verdict"].to_list() for rule in rules}
    together = classify(_MIXED, _STUDY, rules, codes())
    by_itself = {rule.id: classify(_MIXED, _STUDY, [rule], codes()) for rule in rules}

    assert {rule.id: together.verdicts_of(rule).to_list() for rule in rules} == of_table
    assert {rule.id: by_itself[rule.id].verdicts_of(rule).to_list() for rule in rules} == of_table


def test_persons_do_not_see_each_other() -> None:
    """A person classified alone gets the rows they get among others."""
    alone = extract(diagnoses="person | date\nuntreated | 2010-01-01")
    among_others = verdicts(_MIXED, _COUNTS, by=_STUDY).filter(person="untreated")

    assert_frame_equal(verdicts(alone, _COUNTS, by=_STUDY), among_others)


def test_persons_staged_do_not_see_each_other() -> None:
    """A person staged alone gets the row they get among others."""
    alone = extract(diagnoses="person | date\nuntreated | 2010-01-01")
    among_others = stages(_MIXED, _STAGES, by=_STUDY).filter(person="untreated")

    assert_frame_equal(stages(alone, _STAGES, by=_STUDY), among_others)


def test_a_delivery_without_any_episode_gives_empty_tables() -> None:
    """Nobody ill: every table is there, and empty."""
    nobody = extract(diagnoses="person | date | code\nP1 | 2010-01-01 | J069")

    assert verdicts(nobody, _COUNTS, _SCORES, by=_STUDY).is_empty()
    assert stages(nobody, _STAGES, _OPEN_SCORE, by=_STUDY).is_empty()
    assert impasses(nobody, _COUNTS, by=_STUDY).is_empty()


def test_a_delivery_of_contacts_alone_is_classified() -> None:
    """With nothing delivered but persons and diagnoses, every episode is undetermined, its stage any."""
    given = extract(absent="coverage dispensings procedures scores admissions", observes="")

    assert_shows(verdicts(given, _COUNTS), "verdict | decided_by\nundetermined | trial")
    assert_shows(stages(given, _STAGES), "level_min | level_max\nnone | one")


def test_the_tables_are_as_declared() -> None:
    """Every restricted table satisfies its declared schema."""
    made = classify(_MIXED, _STUDY, [_COUNTS, _SCORES, _STAGES, _OPEN_SCORE], codes())

    RESTRICTED["episodes"].validate(made.episodes)
    RESTRICTED["trials"].validate(made.trials)
    RESTRICTED["judgements"].validate(made.judgements)
    RESTRICTED["classifications"].validate(made.classifications)
    RESTRICTED["stages"].validate(made.stages)
    RESTRICTED["impasses"].validate(made.impasses)


# --- The judges -------------------------------------------------------------------------------------------------------

_CODED = encode(_MIXED, codes(), ("depression",))
_EPISODES = build_episodes(_CODED, _STUDY.episodes, _STUDY.period, codes())
_BOTH_WAYS = [(rows, spans_of(rows, _CODED.disorders)) for rows in (_EPISODES, _EPISODES.reverse())]


def test_finding_causes_gives_one_answer_per_episode_in_order() -> None:
    """As many answers as episodes, in their order."""
    found, turned = (Causes(spans, _CODED, codes()) for _, spans in _BOTH_WAYS)

    assert [found.words[place] for place in found.diagnosed] == [
        turned.words[place] for place in reversed(turned.diagnosed)
    ]


def test_judging_eligibility_gives_one_answer_per_episode() -> None:
    """As many answers as episodes, in their order."""
    found, turned = (
        rows.with_columns(Histories(rows, spans, _CODED, codes()).facts([_COUNTS]))
        .select(is_eligible(_COUNTS.eligible))
        .to_series()
        .to_list()
        for rows, spans in _BOTH_WAYS
    )

    assert found == [False, True, True, True]
    assert turned == [True, True, True, False]


def test_finding_impasses_gives_one_row_per_episode() -> None:
    """As many rows as episodes that were asked about."""
    made = find_impasses(_EPISODES.reverse(), _CODED, codes())

    assert made["episode"].to_list() == _EPISODES["episode"].to_list()[::-1]


def test_every_trial_of_a_rule_is_judged_once() -> None:
    """Each trial stands once under each judging rule that its definitions have."""
    made = classified(_MIXED, _COUNTS, _SCORES, _STAGES, _OPEN_SCORE, by=_STUDY)

    assert not made.judgements.select(KEYS["judgements"]).is_duplicated().any()
    assert set(made.judgements.select(KEYS["trials"]).rows()) == set(made.trials.select(KEYS["trials"]).rows())


def test_a_definition_has_no_trials_where_it_does_not_speak() -> None:
    """An antidepressant in an episode of anxiety is no trial of a definition of depression."""
    given = extract(
        diagnoses="person | date | code\nlow | 2010-01-01 | F322\nanxious | 2010-01-01 | F411",
        dispensings="""
        person  | drug       | date       | days
        low     | sertraline | 2010-01-10 | 5
        anxious | sertraline | 2010-01-10 | 5
        """,
    )

    made = classified(given, definition(), by=study(disorders=["anxiety", "depression"]))

    assert made.trials["episode_id"].to_list() == ["low:depression:1"]
    assert made.classifications.select("episode_id", "verdict", "n_trials").rows() == [
        ("anxious:anxiety:1", "not_eligible", 0),
        ("low:depression:1", "not_resistant", 1),
    ]
