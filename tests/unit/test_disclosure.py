"""Disclosure control: what is hidden, what with it, what is not, and that nothing small can be worked out."""

import polars as pl
import pytest

from impasse.schemas.errors import ImpasseError
from impasse.schemas.tables import RELEASE
from impasse.transforms.compare.agreement import compare_pairs
from impasse.transforms.compare.attrition import compare_attrition
from impasse.transforms.compare.prevalence import build_prevalence
from impasse.transforms.compare.responses import count_responses, sum_responses
from impasse.transforms.compare.risks import build_risks, count_risks
from impasse.transforms.compare.undetermined import count_undetermined, sum_undetermined
from impasse.transforms.disclose.rounding import protect_profile
from impasse.transforms.disclose.suppress import protect
from tests.tables import assert_shows, table
from tests.unit import attack_profile, attack_together
from tests.unit.attack import draw, tables_of, told
from tests.unit.drawn_prevalence import prevalence, shown

NO_PREVALENCE = build_prevalence(
    table("definition_id denominator_id stratum level n_total n_resistant n_undetermined\nd eligible all all 9 0 0")
).clear()


def one_row(n_total: int, n_resistant: int, n_undetermined: int) -> dict:
    """One unstratified eligible row after protection with threshold 5."""
    counts = f"eligible all all {n_total} {n_resistant} {n_undetermined}"
    drawn = prevalence(f"denominator_id stratum level n_total n_resistant n_undetermined\n{counts}")
    return protect({"prevalence": drawn}, 5)["prevalence"].row(0, named=True)


@pytest.mark.parametrize(
    ("counts", "is_hidden"),
    [
        ((100, 4, 0), True),
        ((100, 5, 0), False),
        ((100, 1, 0), True),
        ((100, 0, 0), False),
        ((100, 50, 4), True),
        ((100, 50, 5), False),
        ((100, 96, 0), True),
        ((100, 95, 0), False),
        ((100, 100, 0), False),
        ((4, 0, 0), True),
        ((5, 0, 0), False),
        ((0, 0, 0), False),
    ],
)
def test_a_row_is_hidden_by_any_group_from_one_to_four(counts, is_hidden):
    """Resistant, undetermined and not resistant alike; none and five are shown, and so is none of many."""
    assert one_row(*counts)["suppressed"] == is_hidden


def test_a_hidden_row_says_nothing_and_not_zero():
    """Every number of the row is null, rates and limits too."""
    row = one_row(100, 3, 0)

    assert set(list(row.values())[4:-1]) == {None}
    assert row["suppressed"] is True


def test_a_threshold_of_one_hides_nothing():
    """A study may decide to publish every count."""
    tables = tables_of(draw(7))

    assert all(protect(tables, 1)[name].equals(tables[name]) for name in tables)


def test_one_hidden_level_takes_the_smallest_other_with_it():
    """The row of all would give a single hidden level away; of the others the smallest that helps goes."""
    drawn = prevalence(
        """
        denominator_id | stratum | level   | n_total | n_resistant | n_undetermined
        eligible       | all     | all     | 390     | 63          | 0
        eligible       | sex     | female  | 220     | 40          | 0
        eligible       | sex     | male    | 110     | 20          | 0
        eligible       | sex     | unknown | 60      | 3           | 0
        """
    )

    assert shown(protect({"prevalence": drawn}, 5)["prevalence"]) == {
        "all": True,
        "female": True,
        "male": False,
        "unknown": False,
    }


def test_hidden_levels_together_must_themselves_be_large_enough():
    """Two levels with 1 and 2 resistant would be told to hold 3, so a third goes with them."""
    drawn = prevalence(
        """
        denominator_id | stratum | level | n_total | n_resistant | n_undetermined
        eligible       | all     | all   | 400     | 53          | 0
        eligible       | year    | 2010  | 100     | 1           | 0
        eligible       | year    | 2011  | 100     | 2           | 0
        eligible       | year    | 2012  | 90      | 20          | 0
        eligible       | year    | 2013  | 110     | 30          | 0
        """
    )

    assert shown(protect({"prevalence": drawn}, 5)["prevalence"]) == {
        "2010": False,
        "2011": False,
        "2012": False,
        "2013": True,
        "all": True,
    }


def test_two_hidden_levels_that_are_large_together_take_no_other():
    """Levels with 3 and 4 resistant hide each other."""
    drawn = prevalence(
        """
        denominator_id | stratum | level | n_total | n_resistant | n_undetermined
        eligible       | all     | all   | 300     | 27          | 0
        eligible       | year    | 2010  | 100     | 3           | 0
        eligible       | year    | 2011  | 100     | 4           | 0
        eligible       | year    | 2012  | 100     | 20          | 0
        """
    )

    assert shown(protect({"prevalence": drawn}, 5)["prevalence"])["2012"]


def test_a_level_of_its_own_is_hidden_with_the_whole():
    """Where all are women, hiding all hides the women, though nothing else is published."""
    drawn = prevalence(
        """
        denominator_id | stratum | level  | n_total | n_resistant | n_undetermined
        eligible       | all     | all    | 100     | 3           | 0
        eligible       | sex     | female | 100     | 3           | 0
        """
    )

    assert shown(protect({"prevalence": drawn}, 5)["prevalence"]) == {"all": False, "female": False}


def test_two_denominators_do_not_tell_the_few_between_them():
    """Three untreated among 100: the treated are hidden, the eligible stay."""
    drawn = prevalence(
        """
        denominator_id | stratum | level | n_total | n_resistant | n_undetermined
        eligible       | all     | all   | 100     | 20          | 0
        treated        | all     | all   | 97      | 20          | 0
        """
    )

    protected = protect({"prevalence": drawn}, 5)["prevalence"]

    assert (shown(protected), shown(protected, "treated")) == ({"all": True}, {"all": False})


def test_equal_denominators_are_both_shown():
    """Nobody between them is a zero, and zeros are published."""
    drawn = prevalence(
        """
        denominator_id | stratum | level | n_total | n_resistant | n_undetermined
        eligible       | all     | all   | 100     | 20          | 0
        treated        | all     | all   | 100     | 20          | 0
        """
    )

    assert shown(protect({"prevalence": drawn}, 5)["prevalence"], "treated") == {"all": True}


def test_few_episodes_left_out_hide_a_definition():
    """Another definition shows all 100, so 97 eligible would tell the three that are not."""
    drawn = prevalence(
        """
        denominator_id | stratum | level | n_total | n_resistant | n_undetermined
        episodes       | all     | all   | 100     | 20          | 0
        eligible       | all     | all   | 97      | 20          | 0
        """
    )

    protected = protect({"prevalence": drawn}, 5)["prevalence"]

    assert (shown(protected), shown(protected, "episodes")) == ({"all": False}, {"all": False})


def test_few_episodes_left_out_hide_a_level():
    """Three women are not eligible; the smallest other level with some not eligible goes with them."""
    drawn = prevalence(
        """
        denominator_id | stratum | level   | n_total | n_resistant | n_undetermined
        episodes       | all     | all     | 330     | 60          | 0
        eligible       | all     | all     | 300     | 60          | 0
        episodes       | sex     | female  | 103     | 20          | 0
        eligible       | sex     | female  | 100     | 20          | 0
        episodes       | sex     | male    | 127     | 20          | 0
        eligible       | sex     | male    | 100     | 20          | 0
        episodes       | sex     | unknown | 100     | 20          | 0
        eligible       | sex     | unknown | 100     | 20          | 0
        """
    )

    assert shown(protect({"prevalence": drawn}, 5)["prevalence"]) == {
        "all": True,
        "female": False,
        "male": False,
        "unknown": True,
    }


STEPS = """
    step_number | step               | n_left | definition_id
    1           | episodes           | 200    | d
    2           | eligible           | 100    | d
    3           | treated            | 97     | d
    4           | adequately_treated | 60     | d
    5           | failed_a_trial     | 40     | d
    6           | resistant_possible | 30     | d
    7           | resistant          | 20     | d
    """
PREVALENCES = """
    denominator_id     | stratum | level | n_total | n_resistant | n_undetermined
    episodes           | all     | all   | 200     | 20          | 10
    eligible           | all     | all   | 100     | 20          | 10
    treated            | all     | all   | 97      | 20          | 10
    adequately_treated | all     | all   | 60      | 20          | 10
    """


def test_a_step_is_hidden_with_its_denominator_and_its_neighbour_says_no_loss():
    """The treated are hidden in both tables, and what the next step lost would tell them."""
    steps = compare_attrition(table(STEPS))

    protected = protect({"prevalence": prevalence(PREVALENCES), "attrition": steps}, 5)

    assert_shows(
        protected["attrition"],
        """
        step               | n_left | n_lost | suppressed
        episodes           | 200    | 0      | false
        eligible           | 100    | 100    | false
        treated            | -      | -      | true
        adequately_treated | 60     | -      | false
        failed_a_trial     | 40     | 20     | false
        resistant_possible | 30     | 10     | false
        resistant          | 20     | 10     | false
        """,
    )


@pytest.mark.parametrize(("possible", "hidden"), [(30, []), (23, ["resistant_possible"])])
def test_steps_without_failures_are_held_to_the_same_rules(possible, hidden):
    """Where only what was given is asked, three open episodes more than the resistant would be told all the same."""
    given = STEPS.replace("| 97 ", "| 90 ").replace("| 30 ", f"| {possible} ")
    steps = table(given).filter(~pl.col("step").is_in(["adequately_treated", "failed_a_trial"]))
    stated = prevalence(PREVALENCES.replace("| 97 ", "| 90 "))

    protected = protect({"prevalence": stated, "attrition": compare_attrition(steps)}, 5)["attrition"]

    assert protected.filter(pl.col("suppressed"))["step"].to_list() == hidden


def test_a_step_that_loses_few_is_hidden_though_no_denominator_counts_it():
    """Two adequately treated without a failed trial: both steps that only attrition shows are hidden."""
    few_lost = STEPS.replace("| 40 ", "| 58 ")

    protected = protect({"prevalence": prevalence(PREVALENCES), "attrition": compare_attrition(table(few_lost))}, 5)

    steps = protected["attrition"]
    assert steps.filter(pl.col("suppressed"))["step"].to_list() == ["treated", "failed_a_trial", "resistant_possible"]
    assert steps["n_lost"].to_list() == [0, 100, None, None, None, None, None]


@pytest.mark.parametrize("seed", range(25))
def test_no_small_count_of_a_definition_can_be_worked_out(seed):
    """Against an integer solver that knows all sums, small counts and few repeats keep another value that fits."""
    groups = draw(seed)

    assert told(groups, protect(tables_of(groups), 5), 5) == []


def test_the_attacker_finds_what_is_not_protected():
    """The solver is no straw man: unprotected tables tell it small counts."""
    groups = draw(1)

    assert told(groups, tables_of(groups), 5) != []


# Agreement


BOTH_STATED = """
    definition_id | denominator_id | stratum  | level      | n_total | n_resistant | n_undetermined
    a             | eligible       | disorder | depression | 500     | 100         | 0
    b             | eligible       | disorder | depression | 500     | 200         | 0
    c             | eligible       | disorder | depression | 500     | 50          | 0
    a             | eligible       | all      | all        | 500     | 100         | 0
    b             | eligible       | all      | all        | 500     | 200         | 0
    c             | eligible       | all      | all        | 500     | 50          | 0
    """
PAIRS = """
    definition_a | definition_b | n_common | n_both_resistant | n_only_a | n_only_b | n_neither
    a            | b            | 500      | 90               | 10       | 110      | 290
    a            | c            | 490      | 40               | 60       | 10       | 380
    b            | c            | 495      | 40               | 160      | 10       | 285
    """
OVERALL = """
    disorder   | n_definitions | n_episodes | n_compared | n_decided_by_all
    depression | 3             | 500        | 500        | 480
    """


def compared(pairs: str, stated: str = BOTH_STATED, overall: str = OVERALL) -> dict[str, pl.DataFrame]:
    """The protected tables of drawn pairs of depression."""
    numbers = ("fleiss_kappa", "krippendorff_alpha")
    tables = {
        "prevalence": build_prevalence(table(stated)),
        "agreement": compare_pairs(table(pairs).with_columns(disorder=pl.lit("depression"))),
        "agreement_overall": table(overall)
        .with_columns(pl.lit(0.5).alias(name) for name in numbers)
        .with_columns(suppressed=pl.lit(False))
        .select(RELEASE["agreement_overall"].to_schema().columns.keys()),
    }
    return protect(tables, 5)


def hidden_pairs(tables: dict[str, pl.DataFrame]) -> list[str]:
    """The hidden pairs by name."""
    pairs = tables["agreement"].filter(pl.col("suppressed"))
    return (pairs["definition_a"] + pairs["definition_b"]).to_list()


def test_pairs_with_large_cells_are_shown():
    """Cells of ten and more hide nothing."""
    tables = compared(PAIRS)

    assert hidden_pairs(tables) == []
    assert tables["agreement_overall"]["suppressed"].to_list() == [False]


@pytest.mark.parametrize(("n_only_a", "hidden"), [(4, ["ab", "bc"]), (5, []), (0, [])])
def test_a_small_cell_hides_its_pair_and_the_smallest_other(n_only_a, hidden):
    """One hidden pair could be solved from the overall coefficients, two cannot; the smaller other goes."""
    pairs = f"""
        definition_a | definition_b | n_common         | n_both_resistant | n_only_a   | n_only_b | n_neither
        a            | b            | {490 + n_only_a} | 90               | {n_only_a} | 110      | 290
        a            | c            | 500              | 40               | 60         | 10       | 390
        b            | c            | 495              | 40               | 160        | 10       | 285
        """

    assert hidden_pairs(compared(pairs)) == hidden


def test_few_undetermined_hide_a_pair():
    """Three episodes either leaves open are as small as three in a cell."""
    assert hidden_pairs(compared(PAIRS.replace("490 ", "493 "))) == ["ac", "bc"]


@pytest.mark.parametrize(("eligible", "hidden"), [(493, ["ab", "bc"]), (495, [])])
def test_few_that_only_one_definition_speaks_about_hide_a_pair(eligible, hidden):
    """Beside 490 in common, the prevalence of b would tell that three are eligible under b alone."""
    pairs = """
        definition_a | definition_b | n_common | n_both_resistant | n_only_a | n_only_b | n_neither
        a            | b            | 490      | 90               | 10       | 110      | 280
        a            | c            | 490      | 40               | 60       | 10       | 380
        b            | c            | 480      | 40               | 160      | 10       | 270
        """
    stated = BOTH_STATED.replace("500     | 200", f"{eligible}     | 200")

    assert hidden_pairs(compared(pairs, stated)) == hidden


@pytest.mark.parametrize(("resistant", "are_hidden"), [(97, True), (95, False), (100, False)])
def test_a_definition_within_another_is_hidden_if_few_lie_between(resistant, are_hidden):
    """All resistant of c are resistant under a, which has 100: three more would be told, five or none may be."""
    nested = f"""
        definition_a | definition_b | n_common | n_both_resistant | n_only_a          | n_only_b | n_neither
        a            | c            | 500      | {resistant}      | {100 - resistant} | 0        | 400
        """
    stated = BOTH_STATED.replace("| 50 ", f"| {resistant} ")

    prevalences = compared(nested, stated)["prevalence"].filter(pl.col("stratum") == "disorder")

    assert prevalences["suppressed"].to_list() == [False, False, are_hidden]


def test_a_hidden_prevalence_hides_its_pairs():
    """Where the prevalence of c may not be told, its pairs may not tell it."""
    few = BOTH_STATED.replace("| 50 ", "| 3  ")

    assert hidden_pairs(compared(PAIRS, few)) == ["ac", "bc"]


def test_a_single_hidden_pair_hides_the_overall_row_too():
    """Of two definitions the overall coefficients are the pair's own."""
    tables = compared(
        """
        definition_a | definition_b | n_common | n_both_resistant | n_only_a | n_only_b | n_neither
        a            | b            | 494      | 90               | 4        | 110      | 290
        """
    )

    assert tables["agreement_overall"].row(0)[2:-1] == (None,) * 5
    assert tables["agreement_overall"].row(0)[:2] == ("depression", 3)


@pytest.mark.parametrize(("by_all", "is_hidden"), [(496, True), (495, False), (500, False), (4, True)])
def test_few_episodes_decided_by_all_or_by_some_hide_the_overall_row(by_all, is_hidden):
    """500 compared and 496 decided by all tell of four that some leave open."""
    tables = compared(PAIRS, overall=OVERALL.replace("480", str(by_all)))

    assert tables["agreement_overall"]["suppressed"].to_list() == [is_hidden]


@pytest.mark.parametrize(("by_all", "is_hidden"), [(487, True), (485, False), (490, False)])
def test_few_episodes_between_the_overall_row_and_a_pair_hide_it(by_all, is_hidden):
    """The pair of a and c decides 490: where all decide 487, b leaves three of those open."""
    tables = compared(PAIRS, overall=OVERALL.replace("480", str(by_all)))

    assert tables["agreement_overall"]["suppressed"].to_list() == [is_hidden]


@pytest.mark.parametrize("seed", range(20))
def test_no_small_count_of_two_definitions_can_be_worked_out(seed):
    """Prevalence, pair and overall row together leave every small count another value that fits."""
    groups = attack_together.draw(seed, 2, nested=False)

    assert attack_together.told(groups, protect(attack_together.tables_of(groups), 5), 5, nested=False) == []


@pytest.mark.parametrize("seed", range(20))
def test_nor_by_who_knows_that_one_lies_within_the_other(seed):
    """The same, against one who knows that a is the stricter of the two."""
    groups = attack_together.draw(seed, 2, nested=True)

    assert attack_together.told(groups, protect(attack_together.tables_of(groups), 5), 5, nested=True) == []


@pytest.mark.parametrize("seed", range(6))
def test_no_small_count_of_three_definitions_can_be_worked_out(seed):
    """The same of three, whose overall coefficients are not those of a pair."""
    groups = attack_together.draw(seed, 3, nested=False)

    assert attack_together.told(groups, protect(attack_together.tables_of(groups), 5), 5, nested=False) == []


def test_the_attacker_on_several_finds_what_is_not_protected():
    """Nor is this solver a straw man."""
    groups = attack_together.draw(1, 2, nested=False)

    assert attack_together.told(groups, attack_together.tables_of(groups), 5, nested=False) != []


# Profiles


def profile(drawn: str) -> pl.DataFrame:
    """Profiles as counted."""
    return table(drawn).with_columns(pl.col("level").cast(pl.String), suppressed=pl.lit(False))


def rounded(drawn: str, shared: int | None = None, threshold: int = 5) -> pl.DataFrame:
    """The protected rows of drawn profiles of a and b, which have so many resistant episodes in common."""
    pairs = [("a", "b", shared)] if shared is not None else []
    both = pl.DataFrame(pairs, schema=["definition_a", "definition_b", "n_both"], orient="row")
    return protect_profile(profile(drawn), ["a", "b"], both, threshold)


@pytest.mark.parametrize(
    ("threshold", "n", "shown"),
    [(5, 12, 10), (5, 13, 15), (5, 2, 0), (5, 3, 5), (4, 13, 12), (4, 14, 16), (1, 3, 3)],
)
def test_profiles_are_rounded_to_the_nearest_multiple(threshold, n, shown):
    """Half way goes up; below half the threshold nothing is left, and with a threshold of one all is."""
    made = rounded(
        f"""
        definition_id | characteristic | level | n   | n_of
        a             | untried        | ect   | {n} | 101
        """,
        threshold=threshold,
    )

    assert made["n"].to_list() == [shown]
    assert made["n_of"].to_list() == [101 // threshold * threshold]


ENDED = """
    definition_id | characteristic | level     | n  | n_of
    a             | afterwards     | continued | 2  | {n_of}
    a             | afterwards     | ended     | {ended} | {n_of}
    a             | afterwards     | remitted  | 7  | {n_of}
    a             | untried        | ect       | 9  | {n_of}
    """


def hidden(protected: pl.DataFrame) -> list[str]:
    """The characteristics that are hidden, with their definitions."""
    rows = protected.filter(pl.col("suppressed")).select("definition_id", "characteristic").unique().sort(pl.all())
    return [" ".join(row) for row in rows.rows()]


@pytest.mark.parametrize(("ended", "is_hidden"), [(22, True), (21, False)])
def test_levels_that_only_fit_their_total_in_one_way_are_hidden(ended, is_hidden):
    """0, 20 and 5 of exactly 31 can only be 2, 22 and 7; of 30 one of them may be one less."""
    protected = rounded(ENDED.format(ended=ended, n_of=9 + ended))

    assert hidden(protected) == ["a afterwards"] * is_hidden
    assert protected.filter(pl.col("characteristic") == "untried")["n"].to_list() == [10]


NESTED = """
    definition_id | characteristic | level | n | n_of
    a             | untried        | ect   | 2 | 50
    b             | untried        | ect   | 8 | {n_of}
    """


@pytest.mark.parametrize(("n_of", "is_hidden"), [(56, True), (57, False)])
def test_a_level_that_only_fits_a_wider_definition_in_one_way_is_hidden(n_of, is_hidden):
    """0 in a and 10 in b, which has six episodes more, can only be 2 and 8; of seven one may be without."""
    assert hidden(rounded(NESTED.format(n_of=n_of), shared=50)) == ["a untried", "b untried"] * is_hidden


@pytest.mark.parametrize(("remitted", "is_hidden"), [(20, True), (21, False)])
def test_levels_that_leave_a_wider_definition_no_choice_are_hidden(remitted, is_hidden):
    """b has seven episodes more: at least six of them ended and at least one goes on, so that is all of them."""
    drawn = f"""
        definition_id | characteristic | level     | n          | n_of
        a             | afterwards     | ended     | 32         | 64
        a             | afterwards     | continued | 12         | 64
        a             | afterwards     | remitted  | 20         | 64
        b             | afterwards     | ended     | 38         | {51 + remitted}
        b             | afterwards     | continued | 13         | {51 + remitted}
        b             | afterwards     | remitted  | {remitted} | {51 + remitted}
        """

    assert hidden(rounded(drawn, shared=64)) == ["a afterwards", "b afterwards"] * is_hidden


def test_causes_that_two_definitions_see_differently_are_not_compared():
    """The same fifty episodes are too short a trial for one definition and long enough for the other."""
    drawn = """
        definition_id | characteristic | level          | n  | n_of
        a             | cause          | short_duration | 40 | 50
        b             | cause          | short_duration | 11 | 50
        """

    assert rounded(drawn, shared=50)["n"].to_list() == [40, 10]


def test_unrelated_definitions_hide_nothing():
    """The same numbers of definitions that share few episodes say nothing of each other."""
    assert hidden(rounded(NESTED.format(n_of=56), shared=10)) == []


def test_none_and_all_are_no_secret():
    """Eight of eight, and none of eight, are told as eight of eight would be by a prevalence of 100%."""
    drawn = """
        definition_id | characteristic | level | n | n_of
        a             | untried        | ect   | 8 | 8
        a             | untried        | tms   | 0 | 8
        """

    assert hidden(rounded(drawn)) == []


PROFILES = """
    definition_id | characteristic | level | n  | n_of
    a             | untried        | ect   | 60 | 100
    c             | untried        | ect   | 2  | 3
    many          | stage          | I     | 3  | 40
    many          | stage          | none  | 37 | 40
    some          | stage          | I     | 1  | 4
    some          | stage          | none  | 3  | 4
    """


def test_a_hidden_definition_has_no_profile_and_nor_has_a_staging_system_of_few():
    """Where the prevalence is hidden the profile is; a system that speaks about four episodes says nothing."""
    stated = build_prevalence(table(BOTH_STATED.replace("| 50 ", "| 3  "))).filter(pl.col("definition_id") != "b")
    protected = protect({"prevalence": stated, "profile": profile(PROFILES)}, 5)["profile"]

    assert_shows(
        protected,
        """
        definition_id | level | n  | n_of | suppressed
        a             | ect   | 60 | 100  | false
        c             | ect   | -  | -    | true
        many          | I     | 5  | 40   | false
        many          | none  | 35 | 40   | false
        some          | I     | -  | -    | true
        some          | none  | -  | -    | true
        """,
    )


def profiled(seed: int, n: int, nested: bool) -> list[str]:
    """The small counts that protected profiles of n invented definitions tell."""
    groups = attack_profile.draw(seed, n, nested=nested)
    counts, shared = attack_profile.profile_of(groups, n), attack_profile.shared_of(groups, n)
    published = protect_profile(counts, list(attack_profile.NAMES[:n]), shared, 5)
    return attack_profile.told(groups, n, published, 5)


@pytest.mark.parametrize("nested", [True, False])
@pytest.mark.parametrize("seed", range(20))
def test_no_small_count_of_two_profiles_can_be_worked_out(seed, nested):
    """Exact totals, what the definitions share and every rounded number leave small counts another value."""
    assert profiled(seed, 2, nested) == []


@pytest.mark.parametrize("nested", [True, False])
@pytest.mark.parametrize("seed", range(4))
def test_no_small_count_of_three_profiles_can_be_worked_out(seed, nested):
    """The same of three definitions."""
    assert profiled(seed, 3, nested) == []


@pytest.mark.parametrize("seed", [7, 8])
def test_the_attacker_on_profiles_finds_what_is_only_rounded(seed):
    """Rounding alone leaves some small counts a single value."""
    groups = attack_profile.draw(seed, 2, nested=True)
    unhidden = attack_profile.profile_of(groups, 2).with_columns(n=(pl.col("n") * 2 + 5) // 10 * 5)

    assert attack_profile.told(groups, 2, unhidden, 5) != []


# The gate itself


def test_a_table_without_a_rule_is_refused():
    """What the gate does not know does not pass it."""
    with pytest.raises(ImpasseError, match="No disclosure rule for: intersections"):
        protect({"prevalence": NO_PREVALENCE, "intersections": NO_PREVALENCE}, 5)


def test_tables_that_protect_each_other_must_come_together():
    """Attrition without prevalence could tell what prevalence hides."""
    with pytest.raises(ImpasseError, match="came apart"):
        protect({"attrition": compare_attrition(table(STEPS))}, 5)


def test_counts_of_delivered_rows_pass_as_they_are():
    """Reconciliation counts rows of files, not persons."""
    rows = pl.DataFrame({"table": ["scores"], "n_quarantined": [2]})

    assert protect({"prevalence": NO_PREVALENCE, "reconciliation": rows}, 5)["reconciliation"].equals(rows)


_NO_VERDICTS = {"definition_id": pl.String, "episode_id": pl.String, "verdict": pl.String, "decided_by": pl.String}
_NO_EPISODES = {"episode_id": pl.String, "is_left_truncated": pl.Boolean}
NO_REASONS = sum_undetermined(
    count_undetermined(pl.DataFrame(schema=_NO_VERDICTS), pl.DataFrame(schema=_NO_EPISODES), [])
)


def test_protected_tables_keep_their_contracts():
    """Columns, types and order stay, with nulls where something is hidden."""
    tables = compared(PAIRS) | {
        "attrition": protect(tables_of(draw(3)), 5)["attrition"],
        "reconciliation": pl.DataFrame(
            {"table": ["a"], "is_present": [True], "n_delivered": [2], "n_accepted": [1], "n_quarantined": [1]}
        ),
        "profile": protect({"prevalence": NO_PREVALENCE, "profile": profile(PROFILES)}, 5)["profile"],
        "responses": protect({"prevalence": NO_PREVALENCE, "responses": sum_responses(count_responses([]))}, 5)[
            "responses"
        ],
        "undetermined": protect({"prevalence": NO_PREVALENCE, "undetermined": NO_REASONS}, 5)["undetermined"],
        "risks": protect({"prevalence": NO_PREVALENCE, "risks": build_risks(count_risks([]))}, 5)["risks"],
    }

    assert [RELEASE[name].validate(tables[name]).height for name in RELEASE] == [6, 3, 1, 7, 6, 0, 0, 0, 1]
