"""Switch or combination: what a second treatment is to the first, and what it says of it."""

from tests.spec.world import definition, extract, judged, trials, verdicts
from tests.tables import assert_shows

_REFILL = {"overlap_needs_refill": True}

# Sertraline in a pack of 98 days, until 9 April; venlafaxine begun in the middle of it.
_LONG_PACKS = extract(
    dispensings="""
    person   | drug        | date       | days
    left     | sertraline  | 2010-01-02 | 98
    left     | venlafaxine | 2010-02-10 | 98
    refilled | sertraline  | 2010-01-02 | 98
    refilled | sertraline  | 2010-02-10 | 98
    refilled | venlafaxine | 2010-02-10 | 98
    before   | sertraline  | 2010-01-02 | 98
    before   | sertraline  | 2010-02-09 | 98
    before   | venlafaxine | 2010-02-10 | 98
    """
)


def test_a_long_pack_never_refilled_is_a_drug_that_was_left() -> None:
    """Dispensed again on the day the next drug begins, it is taken with it; the day before, it was left."""
    assert_shows(
        trials(_LONG_PACKS, definition(trial=_REFILL)).filter(drug="venlafaxine"),
        "person | role\nbefore | switch\nleft | switch\nrefilled | combination",
    )
    assert_shows(
        trials(_LONG_PACKS, definition(trial={"overlap_needs_refill": False})).filter(drug="venlafaxine"),
        "person | role\nbefore | combination\nleft | combination\nrefilled | combination",
    )


def test_a_drug_that_was_left_ends_the_day_before_the_next_begins() -> None:
    """39 of 98 days were taken: they are enough where 39 are asked for, and not where 40 are."""
    for min_days, told in ((39, "true"), (40, "false")):
        rule = definition(trial=_REFILL, adequacy={"drug": {"min_days": min_days}})
        assert_shows(
            judged(_LONG_PACKS, rule).filter(person="left", drug="sertraline"),
            f"end_date | n_days | is_adequate\n2010-02-09 | 39 | {told}",
        )
    whole = definition(trial={"overlap_needs_refill": False})
    assert_shows(trials(_LONG_PACKS, whole).filter(person="left"), "n_days\n98\n98")


def test_a_switch_within_a_long_pack_is_a_failure_by_switch() -> None:
    """A definition that looks for switches sees the one inside the pack; an add-on it does not look for."""
    switch = definition(trial=_REFILL, outcome={"change_signs": ["switch"], "change_within": 30})
    add_on = definition(trial=_REFILL, outcome={"change_signs": ["add_on"], "change_within": 30})

    assert_shows(
        judged(_LONG_PACKS, switch).filter(drug="sertraline"),
        """
        person   | has_failed | outcome_evidence | failure_date
        before   | true       | switch           | 2010-02-10
        left     | true       | switch           | 2010-02-10
        refilled | false      | no_change        | -
        """,
    )
    assert_shows(
        judged(_LONG_PACKS, add_on).filter(drug="sertraline"),
        """
        person   | has_failed | outcome_evidence | failure_date
        before   | false      | no_change        | -
        left     | false      | no_change        | -
        refilled | true       | add_on           | 2010-02-10
        """,
    )


def test_an_augmenter_takes_no_drugs_place() -> None:
    """Lithium added to a pack that is never refilled is an augmentation: it could not replace the antidepressant."""
    given = extract(
        dispensings="drug | date | days\nsertraline | 2010-01-02 | 98\nlithium | 2010-02-10 | 98",
    )

    assert_shows(trials(given, definition(trial=_REFILL)), "drug | role\nsertraline | first\nlithium | augmentation")


def test_a_pack_may_yet_be_refilled_within_the_gap_after_it() -> None:
    """The pack lasts to 9 April, and a refill within 30 days goes on with it: until 9 May it is open if it was left."""
    given = extract(
        coverage="person | start_date | end_date\nopen | 2005-01-01 | 2010-05-09\nover | 2005-01-01 | 2010-05-10",
        diagnoses="person | date\nopen | 2010-01-02\nopen | 2010-05-01\nover | 2010-01-02\nover | 2010-05-01",
        dispensings="""
        person | drug        | date       | days
        open   | sertraline  | 2010-01-02 | 98
        open   | venlafaxine | 2010-02-10 | 98
        over   | sertraline  | 2010-01-02 | 98
        over   | venlafaxine | 2010-02-10 | 98
        """,
    )
    adequacy = {"drug": {"min_days": 60}}
    switch = definition(trial=_REFILL, adequacy=adequacy, outcome={"change_signs": ["switch"], "change_within": 30})
    both = definition(trial=_REFILL, outcome={"change_signs": ["switch", "add_on"], "change_within": 30})

    assert_shows(
        judged(given, switch).filter(drug="sertraline"),
        """
        person | is_adequate | adequacy_reason  | has_failed | outcome_evidence
        open   | -           | duration_unknown | -          | unknown_overlap
        over   | false       | too_short        | true       | switch
        """,
    )
    assert_shows(
        judged(given, both).filter(drug="sertraline"),
        "person | has_failed | outcome_evidence\nopen | true | switch_or_add_on\nover | true | switch",
    )
    assert_shows(trials(given, switch).filter(drug="venlafaxine"), "person | role\nopen | combination\nover | switch")


def test_an_overlap_cut_off_by_the_end_of_observation_may_go_on() -> None:
    """Nine days together on the last day may become 28; where both had ended by then, they are nine."""
    given = extract(
        coverage="person | start_date | end_date\ncut | 2005-01-01 | 2010-02-09\nseen | 2005-01-01 | 2010-12-31",
        diagnoses="person | date\ncut | 2010-01-02\ncut | 2010-02-01\nseen | 2010-01-02\nseen | 2010-02-01",
        dispensings="""
        person | drug        | date       | days
        cut    | sertraline  | 2010-01-02 | 60
        cut    | sertraline  | 2010-02-01 | 9
        cut    | venlafaxine | 2010-02-01 | 28
        seen   | sertraline  | 2010-01-02 | 30
        seen   | sertraline  | 2010-02-01 | 9
        seen   | venlafaxine | 2010-02-01 | 28
        """,
    )
    switch = definition(trial=_REFILL, outcome={"change_signs": ["switch"], "change_within": 30})

    assert_shows(
        judged(given, switch).filter(drug="sertraline"),
        "person | has_failed | outcome_evidence\ncut | - | unknown_overlap\nseen | true | switch",
    )


def test_a_second_treatment_begun_within_two_weeks_is_one_plan() -> None:
    """From the 15th day on an add-on is a sign; before, neither the drug nor the psychotherapy failed by it."""
    given = extract(
        dispensings="""
        person | drug        | date       | days
        early  | sertraline  | 2010-02-01 | 30
        early  | sertraline  | 2010-02-20 | 60
        early  | venlafaxine | 2010-02-14 | 80
        late   | sertraline  | 2010-02-01 | 30
        late   | sertraline  | 2010-02-20 | 60
        late   | venlafaxine | 2010-02-15 | 80
        cbt    | sertraline  | 2010-02-01 | 56
        """,
        procedures="person | date\ncbt | 2010-02-14\ncbt | 2010-02-21",
    )
    rule = definition(outcome={"change_signs": ["switch", "add_on"], "change_within": 30, "add_on_from_day": 15})

    assert_shows(
        judged(given, rule).filter(drug="sertraline"),
        """
        person | has_failed | outcome_evidence
        cbt    | false      | no_change
        early  | false      | no_change
        late   | true       | add_on
        """,
    )


# --- Add-ons ----------------------------------------------------------------------------------------------------------


_IN_PLACE = extract(
    dispensings="""
    person   | drug       | date       | days
    replaced | sertraline | 2010-01-02 | 300
    replaced | lithium    | 2010-02-01 | 60
    replaced | quetiapine | 2010-04-10 | 60
    together | sertraline | 2010-01-02 | 300
    together | lithium    | 2010-02-01 | 100
    together | quetiapine | 2010-04-10 | 60
    """
)


def test_one_add_on_in_place_of_another_is_a_change() -> None:
    """Lithium left for quetiapine, 27 days together at most, failed by a switch; 28 days together are an add-on."""
    rule = definition(outcome={"change_signs": ["switch", "add_on"], "change_within": 30})

    assert_shows(
        judged(_IN_PLACE, rule).filter(drug="lithium"),
        """
        person   | has_failed | outcome_evidence | failure_date
        replaced | true       | switch           | 2010-04-10
        together | true       | add_on           | 2010-04-10
        """,
    )


def test_an_add_on_in_place_of_another_is_no_change_where_add_ons_are_no_trials() -> None:
    """Where an augmentation is part of the trial it joins, it is judged by nothing of its own and counts as none."""
    part = definition(
        trial={"augmentation": "part_of_trial"}, outcome={"change_signs": ["switch"], "change_within": 30}
    )

    assert_shows(
        judged(_IN_PLACE, part).filter(drug="lithium"), "person | has_failed\nreplaced | false\ntogether | false"
    )


def test_an_add_on_is_no_switch_for_the_drug_it_is_added_to() -> None:
    """Both are add-ons to sertraline; a definition that looks for switches sees none away from it."""
    rule = definition(outcome={"change_signs": ["switch"], "change_within": 30})

    assert_shows(
        judged(_IN_PLACE, rule).filter(drug="sertraline"),
        "person | has_failed | outcome_evidence\nreplaced | false | no_change\ntogether | false | no_change",
    )


def test_a_second_drug_begun_as_an_add_on_leaves_for_an_augmenter() -> None:
    """Mirtazapine beside sertraline, left for lithium: one add-on in place of another, of whichever kind."""
    given = extract(
        dispensings="""
        drug        | date       | days
        sertraline  | 2010-01-02 | 300
        mirtazapine | 2010-02-01 | 60
        lithium     | 2010-04-10 | 60
        """
    )
    rule = definition(outcome={"change_signs": ["switch"], "change_within": 30})

    assert_shows(
        judged(given, rule),
        """
        drug        | role         | has_failed | outcome_evidence
        sertraline  | first        | false      | no_change
        mirtazapine | combination  | true       | switch
        lithium     | augmentation | false      | no_change
        """,
    )


# --- Psychotherapy ----------------------------------------------------------------------------------------------------


def test_psychotherapy_begun_up_to_a_drugs_last_day_is_added_to_it() -> None:
    """Sertraline until 28 March: CBT begun on that day is an add-on, begun a day later it says nothing of the drug."""
    given = extract(
        dispensings="""
        person  | drug       | date       | days
        during  | sertraline | 2010-02-01 | 56
        after   | sertraline | 2010-02-01 | 56
        """,
        procedures="""
        person | date
        during | 2010-03-28
        during | 2010-04-04
        after  | 2010-03-29
        after  | 2010-04-05
        """,
    )
    rule = definition(outcome={"change_signs": ["switch", "add_on"], "change_within": 30})

    assert_shows(
        judged(given, rule).filter(drug="sertraline"),
        """
        person | role  | has_failed | outcome_evidence | failure_date
        after  | first | false      | no_change        | -
        during | first | true       | add_on           | 2010-03-28
        """,
    )
    assert_shows(trials(given, rule).filter(modality="psychotherapy"), "person | role\nafter | first\nduring | first")


def test_psychotherapy_and_a_drug_begun_on_one_day_are_one_plan() -> None:
    """Neither was added because the other did not do."""
    given = extract(
        dispensings="drug | date | days\nsertraline | 2010-02-01 | 56",
        procedures="date\n2010-02-01\n2010-02-08\n2010-02-15",
    )
    rule = definition(outcome={"change_signs": ["switch", "add_on"], "change_within": 30})

    assert_shows(judged(given, rule), "has_failed\nfalse\nfalse")


def test_a_drug_begun_during_psychotherapy_is_added_to_it_a_day_after_it_follows() -> None:
    """Sessions until 15 March: sertraline begun on that day is an add-on, a day later a switch."""
    given = extract(
        dispensings="""
        person  | drug       | date       | days
        during  | sertraline | 2010-03-15 | 10
        after   | sertraline | 2010-03-16 | 10
        """,
        procedures="""
        person | date
        during | 2010-03-01
        during | 2010-03-15
        after  | 2010-03-01
        after  | 2010-03-15
        """,
    )
    rule = definition(outcome={"change_signs": ["switch", "add_on"], "change_within": 30})

    assert_shows(
        judged(given, rule).filter(modality="psychotherapy"),
        "person | has_failed | outcome_evidence\nafter | true | switch\nduring | true | add_on",
    )


def test_psychotherapy_that_a_rule_does_not_speak_about_is_no_add_on() -> None:
    """A definition of drugs alone does not see that CBT was added."""
    given = extract(
        dispensings="drug | date | days\nsertraline | 2010-02-01 | 56", procedures="date\n2010-03-01\n2010-03-08"
    )
    rule = definition(
        trial={"treatments": ["antidepressants"]},
        outcome={"change_signs": ["switch", "add_on"], "change_within": 30},
    )

    assert_shows(judged(given, rule), "has_failed\nfalse")


def test_one_course_begun_during_another_is_no_sign() -> None:
    """Registries write one psychotherapy under two codes: two courses side by side say nothing of each other."""
    given = extract(
        procedures="""
        date       | treatment
        2010-02-01 | cbt
        2010-02-08 | cbt
        2010-02-08 | psychodynamic
        2010-02-15 | cbt
        """
    )
    rule = definition(
        trial={"treatments": ["psychotherapy"]},
        outcome={"change_signs": ["switch", "add_on"], "change_within": 30},
    )

    assert set(judged(given, rule)["outcome_evidence"].cast(str)) == {"no_change"}
    assert verdicts(given, rule)["verdict"].cast(str).to_list() == ["not_resistant"]
