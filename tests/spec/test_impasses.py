"""Impasses: what became of resistant episodes, and what was never tried. An impasse need not be an endpoint.

Everybody's sertraline failed by a switch to venlafaxine, which is resistance to this definition.
"""

import polars as pl
import pytest

from impasse.schemas.extracts import Extract
from impasse.schemas.study import Study
from tests.spec.world import count, counts, definition, extract, impasses, study
from tests.tables import assert_shows

_RULE = definition(eligible={"disorders": ["depression", "anxiety"]}, resistance=counts(count(1)))
_FAILED = "sertraline | 2010-01-05 | 28", "venlafaxine | 2010-02-20 | 28"


def _resistant(people: str, others: str = "", **drawn: str) -> Extract:
    """Persons with one failed drug each, and other drawn dispensings."""
    drugs = [f"{person} | {drug}" for person in people.split() for drug in _FAILED]
    more = [line for line in others.strip().splitlines() if line.strip()]
    return extract(dispensings="\n".join(["person | drug | date | days", *drugs, *more]), **drawn)


def _option(option: str, given: Extract, by: Study | None = None) -> pl.DataFrame:
    """Of one option: is it untried, is it unobserved?"""
    words = [pl.col(column).str.split(" ").list.contains(option) for column in ("untried", "unobserved")]
    return impasses(given, _RULE, by=by).with_columns(words)


# --- Afterwards -------------------------------------------------------------------------------------------------------


def test_an_episode_may_end_in_remission_in_death_by_itself_or_go_on() -> None:
    """A code for remission, death, nothing more within the gap, or nobody looking on for so long."""
    given = _resistant(
        "remitted ended died continued still_watched",
        persons="""
        person        | death_date
        died          | 2010-03-01
        remitted      | -
        ended         | -
        continued     | -
        still_watched | -
        """,
        coverage="""
        person        | start_date | end_date
        remitted      | 2005-01-01 | 2025-12-31
        ended         | 2005-01-01 | 2025-12-31
        died          | 2005-01-01 | 2025-12-31
        continued     | 2005-01-01 | 2010-06-29
        still_watched | 2005-01-01 | 2010-06-30
        """,
        diagnoses="""
        person        | date       | code
        remitted      | 2010-01-01 | F322
        remitted      | 2010-03-01 | F325
        ended         | 2010-01-01 | F322
        died          | 2010-01-01 | F322
        continued     | 2010-01-01 | F322
        still_watched | 2010-01-01 | F322
        """,
    )

    assert_shows(
        impasses(given, _RULE, by=study(gap_days=180, tail_days=60)),
        """
        person        | afterwards
        remitted      | remitted
        ended         | ended
        died          | died
        continued     | continued
        still_watched | ended
        """,
    )


def test_death_and_remission_are_told_though_observation_ended_too() -> None:
    """An episode whose end is known is not one that went on."""
    given = _resistant(
        "died remitted",
        persons="person | death_date\ndied | 2010-03-01\nremitted | -",
        coverage="person | start_date | end_date\ndied | 2005-01-01 | 2010-03-01\nremitted | 2005-01-01 | 2010-03-01",
        diagnoses="""
        person   | date       | code
        died     | 2010-01-01 | F322
        remitted | 2010-01-01 | F322
        remitted | 2010-03-01 | F325
        """,
    )

    assert_shows(
        impasses(given, _RULE, by=study(tail_days=60)), "person | afterwards\ndied | died\nremitted | remitted"
    )


def test_only_a_resistant_episode_is_an_impasse() -> None:
    """Who did not fail, or only perhaps, or is not spoken of, has no row."""
    given = extract(
        observes="drug",
        persons="""
        person    | birth_date
        resistant | 1970-01-01
        open      | 1970-01-01
        too_young | 2000-01-01
        short     | 1970-01-01
        """,
        dispensings="""
        person    | drug        | date       | days
        resistant | sertraline  | 2010-01-05 | 28
        resistant | venlafaxine | 2010-02-20 | 10
        open      | sertraline  | 2010-01-05 | 28
        too_young | sertraline  | 2010-01-05 | 28
        too_young | venlafaxine | 2010-02-20 | 10
        short     | sertraline  | 2010-01-05 | 10
        """,
    )
    rule = definition(
        eligible={"min_age": 18}, outcome={"change_signs": ["switch", "ect"]}, resistance=counts(count(1))
    )

    assert_shows(impasses(given, rule), "person\nresistant")


# --- What was not tried -----------------------------------------------------------------------------------------------


def test_untried_are_the_established_options_of_the_disorder_in_their_order() -> None:
    """Of an SSRI and an SNRI everything else is left, but nothing experimental. Where all is seen, all is told."""
    made = impasses(_resistant("P1"), _RULE)

    assert made["untried"].to_list() == [
        "other_antidepressants cbt tca maoi lithium antipsychotics liothyronine"
        " ipt psychodynamic tms esketamine ect vns"
    ]
    assert made["unobserved"].to_list() == [""]


def test_each_disorder_has_its_own_options() -> None:
    """Pregabalin is an option in anxiety, lithium is not."""
    given = _resistant("P1", diagnoses="person | date | code\nP1 | 2010-01-01 | F411")
    anxiety = study(disorders=["anxiety"], tail_days=60)

    assert_shows(_option("alpha2delta", given, anxiety), "disorder | untried\nanxiety | true")
    assert_shows(_option("lithium", given, anxiety), "disorder | untried\nanxiety | false")


def test_an_option_is_tried_if_anything_of_it_was_given_until_the_end_of_the_episode() -> None:
    """Years before, or on the episode's last day, for however short a time: tried. The day after: not yet."""
    given = _resistant(
        "never years_ago last_day day_after",
        """
        years_ago | lithium | 2006-01-01 | 1
        last_day  | lithium | 2010-12-31 | 1
        day_after | lithium | 2011-01-01 | 1
        """,
    )

    assert_shows(
        _option("lithium", given),
        """
        person    | untried | unobserved
        never     | true    | false
        years_ago | false   | false
        last_day  | false   | false
        day_after | true    | false
        """,
    )


def test_what_may_have_been_of_the_option_counts_as_tried() -> None:
    """An unnamed antidepressant may have been a tricyclic, a psychotherapy of unrecorded kind may have been CBT."""
    given = _resistant(
        "maybe surely neither",
        """
        maybe  | an_antidepressant | 2010-06-01 | 10
        surely | clomipramine      | 2010-06-01 | 10
        """,
        procedures="""
        person  | treatment                 | date
        maybe   | psychotherapy_unspecified | 2010-06-01
        surely  | cbt                       | 2010-06-01
        neither | psychotherapy_other       | 2010-06-01
        """,
    )
    columns = "person | untried"

    assert_shows(_option("tca", given), f"{columns}\nmaybe | false\nsurely | false\nneither | true")
    assert_shows(_option("cbt", given), f"{columns}\nmaybe | false\nsurely | false\nneither | true")


def test_an_experimental_option_is_never_left_untried() -> None:
    """Deep brain stimulation is not named, tried or not, seen or not."""
    given = _resistant("P1")
    blind = _resistant("P1", observes="drug")

    assert_shows(_option("dbs", given), "untried | unobserved\nfalse | false")
    assert_shows(_option("dbs", blind), "untried | unobserved\nfalse | false")


# --- What nobody could see --------------------------------------------------------------------------------------------


def test_what_the_delivery_cannot_show_is_unobserved_not_untried() -> None:
    """A delivery of drugs alone says nothing of therapy and stimulation."""
    made = impasses(_resistant("P1", observes="drug"), _RULE)

    assert made["untried"].to_list() == [
        "other_antidepressants tca maoi lithium antipsychotics liothyronine esketamine"
    ]
    assert made["unobserved"].to_list() == ["cbt ipt psychodynamic tms ect vns"]


@pytest.mark.parametrize(
    ("observes", "cbt", "ect"),
    [
        ("drug", "false | true", "false | true"),
        ("drug cbt", "true | false", "false | true"),
        ("drug psychotherapy", "true | false", "false | true"),
        ("drug ect", "false | true", "true | false"),
    ],
)
def test_an_option_is_untried_only_where_all_of_it_is_observed(observes: str, cbt: str, ect: str) -> None:
    """CBT is seen by its name or as some psychotherapy, ECT by its name."""
    given = _resistant("P1", observes=observes)

    assert_shows(_option("cbt", given), f"untried | unobserved\n{cbt}")
    assert_shows(_option("ect", given), f"untried | unobserved\n{ect}")


def test_what_was_seen_all_the_same_is_tried() -> None:
    """A session of ECT in a delivery that does not claim to show ECT is a fact."""
    given = _resistant("had had_not", observes="drug", procedures="person | treatment | date\nhad | ect | 2010-06-01")

    assert_shows(_option("ect", given), "person | untried | unobserved\nhad | false | false\nhad_not | false | true")


def test_deliveries_without_dispensings_or_procedures_show_what_is_left() -> None:
    """Without a table of procedures nothing of them was tried, and what they would show is not observed."""
    given = _resistant("P1", absent="procedures", observes="drug")

    assert_shows(_option("ect", given), "untried | unobserved\nfalse | true")
    assert_shows(_option("lithium", given), "untried | unobserved\ntrue | false")
