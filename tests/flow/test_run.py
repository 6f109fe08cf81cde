"""One delivery, end to end: what a published run promises."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import polars as pl
import pytest

from impasse.flows.run.loading import load
from impasse.flows.run.plan import make_plan
from impasse.flows.run.steps import classifying, comparing, publication, reading
from impasse.schemas.errors import PublicationStopped
from impasse.schemas.rule_ids import judging_rule, trial_rule
from impasse.schemas.tables import RELEASE, RESTRICTED
from tests.flow.running import copied, data_hashes, run_steps
from tests.shipped import COMPARED, SHIPPED

VERDICTS = [d.id for d in SHIPPED if d.id in COMPARED and d.gives == "verdict"]
STAGING = [d.id for d in SHIPPED if d.id in COMPARED and d.gives != "verdict"]


def test_every_table_is_there_and_keeps_its_promises(run: Path) -> None:
    """Each published table has the declared columns, types and allowed values."""
    models = {
        **{f"restricted/{n}": m for n, m in RESTRICTED.items()},
        **{f"release/{n}": m for n, m in RELEASE.items()},
    }

    for name, model in models.items():
        model.validate(pl.read_parquet(run / f"{name}.parquet"))


def test_one_verdict_per_episode_and_definition(run: Path) -> None:
    """classifications has exactly episodes x definitions rows, every pair once."""
    episodes = pl.read_parquet(run / "restricted/episodes.parquet")
    made = pl.read_parquet(run / "restricted/classifications.parquet")

    assert sorted(made["definition_id"].unique()) == VERDICTS
    assert len(made) == len(episodes) * len(VERDICTS)
    assert made.select("episode_id", "definition_id").is_duplicated().sum() == 0


def test_one_stage_per_episode_and_staging_system(run: Path) -> None:
    """stages has exactly episodes x staging systems rows, and what is not eligible has no stage and no score."""
    episodes = pl.read_parquet(run / "restricted/episodes.parquet")
    made = pl.read_parquet(run / "restricted/stages.parquet")
    given = pl.any_horizontal(pl.col("score_min", "score_max", "level_min", "level_max").is_not_null())

    assert sorted(made["definition_id"].unique()) == STAGING
    assert made.select("episode_id", "definition_id").is_duplicated().sum() == 0
    assert len(made) == len(episodes) * len(STAGING)
    assert made.filter(given & ~pl.col("is_eligible").fill_null(False)).height == 0


def test_an_impasse_is_told_of_every_episode_that_some_definition_calls_resistant(run: Path) -> None:
    """impasses has those episodes and no others."""
    made = pl.read_parquet(run / "restricted/classifications.parquet").filter(pl.col("verdict") == "resistant")
    impasses = pl.read_parquet(run / "restricted/impasses.parquet")

    assert len(impasses) > 0
    assert sorted(impasses["episode_id"]) == sorted(made["episode_id"].unique())


def test_profiles_are_the_rounded_counts_of_the_restricted_tables(run: Path) -> None:
    """Counting by hand what became of resistant episodes gives the released numbers, rounded to five."""
    impasses = pl.read_parquet(run / "restricted/impasses.parquet")
    made = pl.read_parquet(run / "restricted/classifications.parquet").filter(pl.col("verdict") == "resistant")
    released = pl.read_parquet(run / "release/profile.parquet").filter(
        ~pl.col("suppressed"), pl.col("characteristic") == "afterwards"
    )
    counted = made.join(impasses, on="episode_id").group_by("definition_id", level="afterwards").len("exact")
    counted = counted.with_columns(pl.col("definition_id", "level").cast(pl.String))
    compared = released.join(counted, on=["definition_id", "level"], how="left").with_columns(
        pl.col("exact").fill_null(0).cast(pl.Int64)
    )

    assert len(compared) > 100
    assert (compared["n"] == (compared["exact"] + 2) // 5 * 5).all()
    assert (compared["n_of"] % 5 == 0).all()


def test_responses_are_the_rounded_counts_of_the_restricted_tables(run: Path) -> None:
    """Counting by hand the states of first trials in eligible episodes gives the released numbers, rounded to five."""
    trials = pl.read_parquet(run / "restricted/trials.parquet").filter("is_counted")
    first = trials.filter(pl.col("number") == pl.col("number").min().over("trial_rule", "episode_id"))
    released = pl.read_parquet(run / "release/responses.parquet").filter(~pl.col("suppressed"), pl.col("trial") == "1")
    made = pl.read_parquet(run / "restricted/classifications.parquet").filter(pl.col("verdict") != "not_eligible")
    judged = pl.read_parquet(run / "restricted/judgements.parquet")
    rules = {d.id: (trial_rule(d), judging_rule(d)) for d in SHIPPED if d.id in VERDICTS}
    told = first.join(judged, on=["trial_rule", "episode_id", "number"])

    n_compared = 0
    for definition, (by_trial, by_judging) in rules.items():
        mine = told.filter(pl.col("trial_rule") == by_trial, pl.col("judging_rule") == by_judging)
        eligible = made.filter(pl.col("definition_id") == definition).select("episode_id")
        counted = dict(mine.join(eligible, on="episode_id")["response"].cast(pl.String).value_counts().iter_rows())
        for state, n in released.filter(pl.col("definition_id") == definition).select("response", "n").iter_rows():
            assert n == (counted.get(state, 0) + 2) // 5 * 5
            n_compared += 1
    assert n_compared > 100


def test_reasons_for_open_verdicts_are_the_rounded_counts_of_the_restricted_tables(run: Path) -> None:
    """Counting undetermined episodes by what decided them, and whether the start was seen, gives the released ones."""
    released = pl.read_parquet(run / "release/undetermined.parquet").filter(~pl.col("suppressed"))
    episodes = pl.read_parquet(run / "restricted/episodes.parquet").select("episode_id", "is_left_truncated")
    made = pl.read_parquet(run / "restricted/classifications.parquet").join(episodes, on="episode_id")
    left_open = made.filter(pl.col("verdict") == "undetermined").with_columns(
        reason=pl.when(pl.col("decided_by") != "follow_up")
        .then(pl.col("decided_by").cast(pl.String))
        .otherwise(pl.when("is_left_truncated").then(pl.lit("start_not_seen")).otherwise(pl.lit("end_not_seen")))
    )
    by_reason = left_open.group_by(pl.col("definition_id").cast(pl.String), "reason").len()
    counted = {(definition, reason): n for definition, reason, n in by_reason.iter_rows()}

    for definition, reason, n in released.select("definition_id", "reason", "n").iter_rows():
        assert n == (counted.get((definition, reason), 0) + 2) // 5 * 5
    assert {"outcome", "end_not_seen"} <= set(released.filter(pl.col("n") > 0)["reason"])


def test_risks_are_those_of_the_restricted_tables(run: Path) -> None:
    """The lower reading from the episode's start: by each day in turn, of those then at risk, rounded to 5 episodes."""
    released = pl.read_parquet(run / "release/risks.parquet").filter(
        ~pl.col("suppressed"), origin="episode_start", years=2
    )
    made = pl.read_parquet(run / "restricted/classifications.parquet").filter(pl.col("verdict") != "not_eligible")
    seen = pl.read_parquet(run / "restricted/episodes.parquet").filter(~pl.col("is_left_truncated").fill_null(True))
    followed = made.join(seen, on="episode_id").with_columns(
        last=pl.when("is_censored").then("observed_until").otherwise("end_date")
    )

    for row in released.iter_rows(named=True):
        mine = followed.filter(definition_id=row["definition_id"], disorder=row["disorder"])
        left = [
            ((min(called or last, last) - start).days, "censored" if censored and not called else called is not None)
            for start, called, last, censored in mine.select(
                "start_date", "resistant_date", "last", "is_censored"
            ).iter_rows()
        ]
        free, risk, n = 1.0, 0.0, len(left)
        for day in sorted({day for day, _ in left if day <= 730}):
            at_risk = sum(when >= day for when, _ in left)
            ways = [how for when, how in left if when == day]
            risk += free * ways.count(True) / at_risk
            free *= 1 - (ways.count(True) + ways.count(False)) / at_risk
        assert row["n"] == (n + 2) // 5 * 5
        assert row["risk_min"] == pytest.approx(min(1, (round(risk * n) + 2) // 5 * 5 / row["n"]))
    assert released.filter(pl.col("risk_min") > 0).height > 20


def test_staging_systems_are_in_no_table_of_verdicts(run: Path) -> None:
    """They have a profile, and neither prevalence nor attrition nor pairs."""
    ids = {
        name: set(pl.read_parquet(run / f"release/{name}.parquet")[column])
        for name, column in (
            ("prevalence", "definition_id"),
            ("attrition", "definition_id"),
            ("profile", "definition_id"),
        )
    }

    assert (sorted(ids["prevalence"]), sorted(ids["attrition"])) == (VERDICTS, VERDICTS)
    assert sorted(ids["profile"]) == sorted(VERDICTS + STAGING)


def test_prevalence_recomputed_from_the_verdicts_is_the_released_one(run: Path) -> None:
    """Counting the verdicts of eligible episodes by hand gives the released counts."""
    made = pl.read_parquet(run / "restricted/classifications.parquet").filter(pl.col("verdict") != "not_eligible")
    released = pl.read_parquet(run / "release/prevalence.parquet").filter(
        pl.col("denominator_id") == "eligible", pl.col("stratum") == "all", ~pl.col("suppressed")
    )
    counted = (
        made.group_by("definition_id")
        .agg(
            n_total=pl.len().cast(pl.Int64),
            n_resistant=(pl.col("verdict") == "resistant").sum().cast(pl.Int64),
            n_undetermined=(pl.col("verdict") == "undetermined").sum().cast(pl.Int64),
        )
        .sort("definition_id")
    )

    assert len(released) >= 8
    assert released.select(counted.columns).rows() == [
        row for row in counted.rows() if row[0] in set(released["definition_id"])
    ]


def test_the_same_input_gives_the_same_bytes(run: Path, study: Path, tmp_path: Path) -> None:
    """Run again, with the persons cut into seven buckets instead of one, a study differs in no data file."""
    bucketed = copied(study, tmp_path)
    bucketed.write_text(study.read_text().replace("[period]", "[output]\nbuckets = 7\n\n[period]"))

    assert data_hashes(run_steps(bucketed, tmp_path)) == data_hashes(run)


def test_delivered_is_accepted_plus_quarantined(run: Path) -> None:
    """Nothing is lost: every delivered row is accepted or in the quarantine file."""
    rows = pl.read_parquet(run / "release/reconciliation.parquet")
    kept = {path.stem: len(pl.read_parquet(path)) for path in (run / "restricted/quarantine").glob("*.parquet")}

    assert (rows["n_delivered"] == rows["n_accepted"] + rows["n_quarantined"]).all()
    assert {t: n for t, n in rows.select("table", "n_quarantined").iter_rows() if n} == kept
    assert sum(kept.values()) > 0


def test_the_manifests_tell_what_went_in_and_what_came_out(run: Path, study: Path) -> None:
    """Fingerprints of the delivered files and of every output are those of the files."""
    released, kept = (json.loads((run / part / "manifest.json").read_text()) for part in ("release", "restricted"))
    outputs = released["outputs"] | kept["outputs"]
    delivered = sorted((study.parent / "delivery").glob("*.parquet"))

    assert outputs == {name: hashlib.sha256((run / name).read_bytes()).hexdigest() for name in outputs}
    assert {f"{path.relative_to(run)}" for path in run.rglob("*") if path.is_file() and path.stem != "manifest"} == set(
        outputs
    )
    assert kept["inputs"] == {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in delivered}
    assert sorted(released["definitions"]) == COMPARED


def test_latest_points_at_the_published_run(run: Path) -> None:
    """`latest` beside the run leads to it, and no work folder is left."""
    assert (run.parent / "latest").resolve() == run.resolve()
    assert sorted(path.name for path in run.parent.iterdir()) == sorted([run.name, "latest"])


def test_no_person_leaves_with_the_release(run: Path) -> None:
    """No person id of the registry is in a text column of a released table, nor in a released text."""
    persons = pl.read_parquet(run / "restricted/episodes.parquet")["person_id"].unique().to_list()
    released = [path for path in (run / "release").rglob("*") if path.is_file()]
    tables = [pl.read_parquet(path) for path in released if path.suffix == ".parquet"]
    columns = [column for table in tables for column in table.select(pl.col(pl.String))]
    texts = [path.read_text() for path in released if path.suffix in (".html", ".json", ".toml")]
    everything = "\n".join([*texts, *(value for column in columns for value in column.unique().drop_nulls())])

    assert len(persons) > 500
    assert (len(tables), len(tables) + len(texts)) == (len(RELEASE), len(released))
    assert "dep_karolinska" in columns[0]
    assert [person for person in persons if person in everything] == []


def test_small_counts_are_not_released(run: Path) -> None:
    """No released count of persons or episodes is from 1 to 4."""
    names = (
        "prevalence",
        "agreement",
        "agreement_overall",
        "attrition",
        "profile",
        "responses",
        "undetermined",
        "risks",
    )
    counts = [pl.read_parquet(run / f"release/{name}.parquet").select(pl.col("^n(_.*)?$")) for name in names]
    told = [table.select(pl.all().exclude("n_definitions")).unpivot()["value"].drop_nulls() for table in counts]

    assert min(len(values) for values in told) > 0
    assert [values.filter(values.is_between(1, 4)).to_list() for values in told] == [[]] * len(names)


def test_no_two_tables_tell_the_few_that_a_definition_leaves_out(run: Path) -> None:
    """Of the episodes any definition or the overall row shows, none shown leaves out 1 to 4."""
    shown = pl.read_parquet(run / "release/prevalence.parquet").filter(~pl.col("suppressed"))
    overall = pl.read_parquet(run / "release/agreement_overall.parquet").select(
        level="disorder", total="n_episodes", stratum=pl.lit("disorder")
    )
    disorder = shown.filter(pl.col("stratum") == "disorder").select("definition_id", disorder="level").unique()
    episodes = shown.filter(pl.col("denominator_id") != "persons").join(disorder, on="definition_id")
    totals = episodes.filter(pl.col("denominator_id") == "episodes")
    known = totals.group_by("disorder", "stratum", "level").agg(total=pl.col("n_total").first())
    left_out = pl.concat(
        [
            episodes.join(known, on=["disorder", "stratum", "level"]).select(n=pl.col("total") - pl.col("n_total")),
            episodes.join(overall, on=["stratum", "level"]).select(n=pl.col("total") - pl.col("n_total")),
        ]
    )["n"]

    assert left_out.max() > 4
    assert left_out.min() == 0
    assert left_out.filter(left_out.is_between(1, 4)).to_list() == []


def test_a_failed_critical_check_stops_publication(own_study: Path, tmp_path: Path) -> None:
    """A delivery with more rows set aside than allowed is not published, and the message names the check."""
    own_study.write_text(own_study.read_text() + "\n[quality]\nmax_quarantined_percent = 0.0\n")
    plan = make_plan(own_study, tmp_path)

    with pytest.raises(PublicationStopped, match="critical"):
        reading.read_delivery(plan, load(plan.study_path))
    page = publication.keep_validation(plan, load(plan.study_path))
    publication.clear(plan)

    assert page.exists()
    assert not (tmp_path / "demo" / "latest").exists()
    assert not list((tmp_path / "demo").glob(".work-*"))


def test_the_release_is_checked_before_it_is_published(small_study: Path, tmp_path: Path) -> None:
    """A classifications table with a row missing is noticed."""
    plan = make_plan(small_study, tmp_path)
    reading.read_delivery(plan, load(plan.study_path))
    classifying.classify_part(plan, part=0, n_parts=1, n_buckets=1)
    path = plan.restricted("classifications") / "0000.parquet"
    pl.read_parquet(path).head(-1).write_parquet(path)

    with pytest.raises(PublicationStopped):
        comparing.compare(plan, load(plan.study_path))
    publication.clear(plan)
