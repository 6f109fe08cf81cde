"""Disclosure control of persons beside their episodes, of one disorder beside several, of nested definitions."""

import numpy as np
import polars as pl
import pytest

from impasse.schemas.expectations import release
from impasse.schemas.study import DisclosureSection, Study
from impasse.transforms.compare.agreement import compare_pairs
from impasse.transforms.compare.prevalence import build_prevalence
from impasse.transforms.disclose.suppress import protect
from tests.tables import table
from tests.unit import attack, attack_disorders
from tests.unit.drawn_prevalence import prevalence, shown


def test_persons_hide_the_levels_that_eligible_episodes_hide():
    """Where most persons have one episode, persons would tell the episodes of a hidden level."""
    drawn = prevalence(
        """
        denominator_id | stratum | level  | n_total | n_resistant | n_undetermined
        eligible       | all     | all    | 200     | 60          | 7
        eligible       | sex     | female | 100     | 30          | 2
        eligible       | sex     | male   | 100     | 30          | 5
        persons        | all     | all    | 188     | 60          | 0
        persons        | sex     | female | 94      | 30          | 0
        persons        | sex     | male   | 94      | 30          | 0
        """
    )

    protected = protect({"prevalence": drawn}, 5)["prevalence"]

    assert shown(protected, "persons") == {"all": True, "female": False, "male": False}


def of_persons(n_total: int, n_resistant: int, n_undetermined: int) -> list[bool]:
    """Whether 100 eligible episodes, 60 resistant and 20 undetermined, are shown, and these persons beside them."""
    drawn = prevalence(
        f"""
        denominator_id | stratum | level | n_total   | n_resistant   | n_undetermined
        eligible       | all     | all   | 100       | 60            | 20
        persons        | all     | all   | {n_total} | {n_resistant} | {n_undetermined}
        """
    )
    protected = protect({"prevalence": drawn}, 5)["prevalence"]
    return [shown(protected)["all"], shown(protected, "persons")["all"]]


@pytest.mark.parametrize(
    ("persons", "are_shown"),
    [
        ((98, 58, 20), False),
        ((96, 56, 20), False),
        ((95, 55, 20), True),
        ((98, 60, 18), False),
        ((95, 60, 15), True),
        ((98, 60, 20), False),
        ((95, 60, 20), True),
        ((100, 60, 20), True),
        ((94, 55, 19), False),
    ],
)
def test_few_repeats_hide_the_persons_and_never_the_episodes(persons, are_shown):
    """60 resistant episodes beside 58 resistant persons tell two repeats; none and five may be told, of any verdict."""
    assert of_persons(*persons) == [True, are_shown]


@pytest.mark.parametrize(("female", "male", "unknown"), [(97, 82, 32), (103, 77, 31)])
def test_few_repeats_at_a_level_hide_its_persons_and_another(female, male, unknown):
    """Of 100 episodes of women three repeat, or three more persons stand there than episodes; the smallest joins."""
    drawn = prevalence(
        f"""
        denominator_id | stratum | level   | n_total   | n_resistant | n_undetermined
        eligible       | all     | all     | 239       | 0           | 0
        eligible       | sex     | female  | 100       | 0           | 0
        eligible       | sex     | male    | 100       | 0           | 0
        eligible       | sex     | unknown | 39        | 0           | 0
        persons        | all     | all     | 211       | 0           | 0
        persons        | sex     | female  | {female}  | 0           | 0
        persons        | sex     | male    | {male}    | 0           | 0
        persons        | sex     | unknown | {unknown} | 0           | 0
        """
    )

    protected = protect({"prevalence": drawn}, 5)["prevalence"]

    assert set(shown(protected).values()) == {True}
    assert shown(protected, "persons") == {"all": True, "female": False, "male": True, "unknown": False}


@pytest.mark.parametrize(("persons", "are_shown"), [(196, False), (195, True), (200, True)])
def test_few_persons_with_two_disorders_hide_the_persons_of_each(persons, are_shown):
    """A hundred persons of either disorder and 196 of both together: four have both."""
    drawn = prevalence(
        f"""
        denominator_id | stratum  | level      | n_total   | n_resistant | n_undetermined
        eligible       | all      | all        | 240       | 0           | 0
        eligible       | disorder | anxiety    | 120       | 0           | 0
        eligible       | disorder | depression | 120       | 0           | 0
        persons        | all      | all        | {persons} | 0           | 0
        persons        | disorder | anxiety    | 100       | 0           | 0
        persons        | disorder | depression | 100       | 0           | 0
        """
    )

    protected = protect({"prevalence": drawn}, 5)["prevalence"]

    assert shown(protected, "persons") == {"all": True, "anxiety": are_shown, "depression": are_shown}


def test_the_attacker_finds_repeats_where_persons_stand_beside_episodes():
    """Unprotected tables tell the solver how many episodes repeat."""
    groups = attack.draw(2)

    assert "('all', 'all'): repeats resistant" in attack.told(groups, attack.tables_of(groups), 5)


# Several disorders


@pytest.mark.parametrize(("hidden", "is_shown"), [(4, False), (5, True)])
def test_all_episodes_of_two_disorders_do_not_tell_those_of_a_hidden_one(hidden, is_shown):
    """104 episodes of both beside 100 of one are four of the other."""
    drawn = f"""
        definition_id | denominator_id | stratum  | level         | n_total        | n_resistant | n_undetermined
        both          | episodes       | all      | all           | {100 + hidden} | 0           | 0
        both          | episodes       | disorder | depression    | 100            | 0           | 0
        both          | episodes       | disorder | schizophrenia | {hidden}       | 0           | 0
        both          | eligible       | all      | all           | 50             | 0           | 0
        both          | eligible       | disorder | depression    | 50             | 0           | 0
        both          | eligible       | disorder | schizophrenia | 0              | 0           | 0
        one           | episodes       | all      | all           | 100            | 0           | 0
        one           | episodes       | disorder | depression    | 100            | 0           | 0
        one           | eligible       | all      | all           | 50             | 0           | 0
        one           | eligible       | disorder | depression    | 50             | 0           | 0
        """

    protected = protect({"prevalence": build_prevalence(table(drawn))}, 5)["prevalence"]
    rows = protected.filter(pl.col("denominator_id") == "episodes", pl.col("stratum") == "all")

    assert dict(zip(rows["definition_id"], ~rows["suppressed"], strict=True)) == {"both": is_shown, "one": True}


def sentences(groups: np.ndarray) -> list[str]:
    """What the page says is expected of a release with so many episodes."""
    study = Study.model_construct(disclosure=DisclosureSection(threshold=5))
    return [e.sentence for e in release(study, ["prevalence"], int(groups.sum()), 3)]


@pytest.mark.parametrize("seed", range(12))
def test_no_small_count_of_a_disorder_can_be_worked_out(seed):
    """A definition of two disorders, one of each, and what the pages say leave every small count another value."""
    groups = attack_disorders.draw(seed)
    protected = protect(attack_disorders.tables_of(groups), 5)["prevalence"]

    assert attack_disorders.told(groups, protected, sentences(groups), 5) == []


def test_the_attacker_on_disorders_finds_what_a_sentence_says():
    """The number of all episodes in a sentence tells those of the hidden disorder."""
    groups = attack_disorders.draw(1)
    protected = protect(attack_disorders.tables_of(groups), 5)["prevalence"]

    told = attack_disorders.told(groups, protected, [f"There are {groups.sum()} episodes x 3 definitions."], 5)

    assert "('all', 'all'): b xonr schizophrenia" in told


# Nested definitions


def two_definitions(a: tuple[int, int, int], b: tuple[int, int, int]) -> dict[str, pl.DataFrame]:
    """Eligible, resistant and undetermined of two definitions that share 100 episodes: 40 resistant, 40 not."""
    drawn = f"""
        definition_id | denominator_id | stratum  | level      | n_total | n_resistant | n_undetermined
        a             | eligible       | all      | all        | {a[0]}  | {a[1]}      | {a[2]}
        a             | eligible       | disorder | depression | {a[0]}  | {a[1]}      | {a[2]}
        b             | eligible       | all      | all        | {b[0]}  | {b[1]}      | {b[2]}
        b             | eligible       | disorder | depression | {b[0]}  | {b[1]}      | {b[2]}
        """
    pair = """
        definition_a | definition_b | n_common | n_both_resistant | n_only_a | n_only_b | n_neither
        a            | b            | 100      | 40               | 0        | 0        | 40
        """
    agreement = compare_pairs(table(pair).with_columns(disorder=pl.lit("depression")))
    return protect({"prevalence": build_prevalence(table(drawn)), "agreement": agreement}, 5)


def shown_definitions(protected: dict[str, pl.DataFrame]) -> set[str]:
    """Those with a row of prevalence that is shown."""
    return set(protected["prevalence"].filter(~pl.col("suppressed"))["definition_id"])


@pytest.mark.parametrize(("undetermined", "is_shown"), [(0, True), (1, False), (4, False), (5, True)])
def test_few_undetermined_episodes_between_nested_definitions_hide_the_narrower(undetermined, is_shown):
    """A copy that asks for a higher age leaves out 20 resistant, ten not resistant, and so many undetermined."""
    protected = two_definitions(a=(130 + undetermined, 60, 20 + undetermined), b=(100, 40, 20))

    assert shown_definitions(protected) == ({"a", "b"} if is_shown else {"a"})
    assert protected["agreement"]["suppressed"].to_list() == [not is_shown]


@pytest.mark.parametrize(("undetermined", "is_shown"), [(20, True), (19, False), (16, False), (15, True)])
def test_few_undetermined_by_one_definition_alone_hide_the_pair(undetermined, is_shown):
    """Of 20 shared episodes that either leaves open, the first leaves open so many: the others are the second's."""
    protected = two_definitions(a=(150, 60, undetermined), b=(150, 60, 40))

    assert shown_definitions(protected) == {"a", "b"}
    assert protected["agreement"]["suppressed"].to_list() == [not is_shown]
