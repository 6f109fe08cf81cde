"""What else is counted of resistant episodes, and how staging systems spread theirs."""

from dataclasses import replace

import polars as pl
import pytest
import report_data as data

from impasse.schemas.resistance import AdmissionItem, Band, DiagnosisItem, DiagnosisLevel, NumberItem, Scored
from impasse.transforms.compare.characteristics import count_profile, level_names, sum_profile
from tests.shipped import CODES
from tests.tables import assert_shows, table

EPISODES = """
    episode_id | disorder   | shares_treatment_with
    e1         | depression | -
    e2         | depression | anxiety
    e3         | depression | anxiety ptsd
    e4         | anxiety    | depression
    """
CLASSIFICATIONS = """
    episode_id | definition_id | verdict       | pseudo_resistance | causes
    e1         | a             | resistant     | likely            | alcohol short_duration
    e2         | a             | resistant     | none              |
    e3         | a             | not_resistant | possible          | inadequate_dose
    e1         | b             | resistant     | likely            | alcohol
    e2         | b             | undetermined  | none              |
    e3         | b             | not_eligible  | none              |
    """
IMPASSES = """
    episode_id | afterwards | untried  | unobserved
    e1         | remitted   | ect cbt  | vns
    e2         | died       | ect      | vns
    """
STAGES = """
    episode_id | definition_id | is_eligible | score_min | score_max | level_min | level_max | is_outside_band
    e1         | stages        | true        | -         | -         | I         | I         | true
    e2         | stages        | true        | -         | -         | none      | II        | -
    e3         | stages        | true        | -         | -         | I         | I         | false
    e1         | score         | true        | 3.5       | 3.5       | -         | -         | -
    e2         | score         | true        | 3         | 4         | -         | -         | -
    e3         | score         | -           | -         | -         | -         | -         | -
    """
DEPRESSION = replace(data.ELIGIBLE, disorders=("depression",))


def definition(id: str, resistance: object = data.RESISTANCE, disorders: tuple[str, ...] = ("depression",)):
    """A definition of depression."""
    return data.definition(id, eligible=replace(DEPRESSION, disorders=disorders), resistance=resistance)


VERDICTS = (definition("a"), definition("b"))
STAGING = (definition("stages", data.STAGED), definition("score", data.OPEN_SCORE))


def drawn(text: str, *words: str) -> pl.DataFrame:
    """A drawn table in which an empty cell of the named columns is an empty text."""
    return table(text).with_columns(pl.col(words).fill_null("") if words else [])


def counted(definitions=(*VERDICTS, *STAGING), stages: str = STAGES, **changes: str) -> pl.DataFrame:
    """The counts of drawn tables."""
    texts = {"episodes": EPISODES, "classifications": CLASSIFICATIONS, "impasses": IMPASSES} | changes
    return count_profile(
        drawn(texts["episodes"], "shares_treatment_with"),
        drawn(texts["classifications"], "causes"),
        table(stages),
        drawn(texts["impasses"], "untried", "unobserved"),
        definitions,
        CODES,
    )


def of(counts: pl.DataFrame, definition: str, characteristic: str) -> pl.DataFrame:
    """Levels that some episode has."""
    mine = (pl.col("definition_id") == definition) & (pl.col("characteristic") == characteristic)
    return counts.filter(mine & (pl.col("n") > 0))


def test_pseudo_resistance_is_counted_among_the_resistant():
    """Of a's two resistant episodes one is likely explained; what is not resistant is not looked at."""
    assert_shows(of(counted(), "a", "pseudo_resistance"), "level n n_of\nnone 1 2\nlikely 1 2")


def test_every_cause_of_an_episode_is_counted():
    """The first episode has a diagnosed cause and one in its trials under a, under b the diagnosed one alone."""
    counts = counted()

    assert_shows(of(counts, "a", "cause"), "level n n_of\nalcohol 1 2\nshort_duration 1 2")
    assert_shows(of(counts, "b", "cause"), "level n n_of\nalcohol 1 1")


def test_treatment_that_counts_in_two_episodes_is_counted_by_the_other_disorder():
    """An episode may share with several; what no resistant episode shares with has a row of none."""
    counts = counted()

    assert_shows(of(counts, "a", "shared_treatment"), "level n n_of\nanxiety 1 2")
    levels = counts.filter(pl.col("definition_id") == "a", pl.col("characteristic") == "shared_treatment")["level"]
    assert set(levels) == {"anxiety", "bipolar_depression", "ocd", "ptsd", "schizophrenia"}


def test_what_became_of_them_is_counted():
    """One remission and one death."""
    assert_shows(of(counted(), "a", "afterwards"), "level n n_of\nremitted 1 2\ndied 1 2")


def test_what_was_never_tried_is_counted_by_option():
    """Both were without ECT, one without CBT, and of VNS the delivery cannot tell."""
    counts = counted()

    assert_shows(of(counts, "a", "untried"), "level n n_of\nect 2 2\ncbt 1 2")
    assert_shows(of(counts, "a", "unobserved"), "level n n_of\nvns 2 2")


def test_a_stage_is_told_where_its_bounds_agree():
    """Two episodes are at stage I; one may be at none or at II."""
    counts = counted()

    assert_shows(of(counts, "stages", "stage"), "level n n_of\nI 2 3\nopen 1 3")
    assert_shows(of(counts, "stages", "outside_band"), "level n n_of\nyes 1 3\nno 1 3\nunknown 1 3")


def test_a_score_is_told_where_its_bounds_agree():
    """One score is 3.5, one between 3 and 4; the episode that may not be eligible is left out."""
    assert_shows(of(counted(), "score", "stage"), "level | n | n_of\n3.5 | 1 | 2\nopen | 1 | 2")


def test_no_score_is_a_level_and_none_yet_is_open():
    """Without a needed trial there is no score; with one that may have failed there may be one."""
    stages = """
        episode_id | definition_id | is_eligible | score_min | score_max | level_min | level_max | is_outside_band
        e1         | score         | true        | -         | -         | -         | -         | -
        e2         | score         | true        | -         | 4.0       | -         | -         | -
        """
    typed = table(stages).with_columns(pl.col("score_min").cast(pl.Float64), pl.col("is_outside_band").cast(pl.Boolean))
    none = table(CLASSIFICATIONS).filter(pl.lit(False))
    counts = count_profile(drawn(EPISODES, "shares_treatment_with"), none, typed, table(IMPASSES), STAGING[1:], CODES)

    assert_shows(of(counts, "score", "stage"), "level | n | n_of\nno score | 1 | 2\nopen | 1 | 2")


def test_a_level_without_an_episode_has_a_row():
    """Rows tell nothing by being there: the levels are those of the code lists and the definition."""
    counts = counted()
    causes = counts.filter(pl.col("definition_id") == "b", pl.col("characteristic") == "cause")

    assert set(causes["level"]) >= {"bipolar", "hypothyroidism", "inadequate_dose", "short_duration", "poor_adherence"}
    assert counts.filter(pl.col("n") == 0).height > 30


def test_experimental_options_are_no_levels():
    """Psychedelics are not counted as never tried."""
    untried = counted().filter(pl.col("characteristic") == "untried")

    assert "ect" in untried["level"].to_list()
    assert "psychedelics" not in untried["level"].to_list()


def test_an_option_is_counted_among_the_episodes_of_its_disorders():
    """Of a definition of two disorders only the depressive episodes could lack lithium, but all of them CBT."""
    both = definition("a", disorders=("anxiety", "depression"))
    more = CLASSIFICATIONS + "e4 | a | resistant | none | -\n"
    counts = counted((both,), classifications=more, impasses=IMPASSES + "e4 | ended | cbt | -\n")
    shown = counts.filter(pl.col("characteristic") == "untried", pl.col("level").is_in(["lithium", "cbt", "ect"]))

    assert_shows(shown, "level n n_of\nlithium 0 2\ncbt 2 3\nect 2 3")


def test_buckets_add_up():
    """The counts of two parts of the episodes are those of the whole."""
    header, first, *rest = EPISODES.strip().splitlines()
    one = counted(VERDICTS, episodes="\n".join([header, first]))
    other = counted(VERDICTS, episodes="\n".join([header, *rest]))

    assert sum_profile(pl.concat([one, other])).equals(counted(VERDICTS))


def score(*items: object) -> Scored:
    """A score without a threshold."""
    return Scored(kind="score", items=items, threshold="none")


NUMBER = NumberItem(
    item="number_of_trials",
    of=("ssri",),
    what="failed",
    distinct_by="none",
    bands=(Band(at_least=1, points=1), Band(at_least=3, points=2)),
    is_required=False,
)
DIAGNOSIS = DiagnosisItem(
    item="diagnosis", when="during", levels=(DiagnosisLevel(codes="bipolar", points=3),), otherwise=1
)


@pytest.mark.parametrize(
    ("rule", "levels"),
    [
        (data.STAGED, ["none", "I", "II", "open"]),
        (score(NUMBER), ["0", "1", "2", "open", "no score"]),
        (score(NUMBER, DIAGNOSIS), ["0", "1", "2", "3", "4", "5", "open", "no score"]),
        (score(AdmissionItem(item="admission", points=0.5)), ["0", "0.5", "open", "no score"]),
    ],
)
def test_levels_are_every_stage_and_every_score(rule, levels):
    """Scores go up to the most that can be earned, in halves only where an item has half points."""
    assert level_names(rule) == levels
