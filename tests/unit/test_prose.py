from dataclasses import replace

import pytest
import report_data as data

from impasse.reports.words.prose import describe, summary
from impasse.reports.words.resistance import follow_up
from impasse.reports.words.settings import settings
from impasse.schemas.definition import Definition, Exclusion, Requirement, ScaleBand, ScaleRule
from impasse.schemas.resistance import (
    AdmissionItem,
    Alternative,
    Band,
    Count,
    Counted,
    DiagnosisItem,
    DiagnosisLevel,
    LengthItem,
    Level,
    NumberItem,
    Scored,
    Staged,
)


def test_five_blocks() -> None:
    """A description has one text for each of the five blocks, in their order."""
    assert list(describe(data.definition())) == ["eligible", "trial", "adequacy", "outcome", "resistance"]


def test_same_settings_same_words() -> None:
    """The words come from the settings: another id and title change nothing."""
    assert describe(data.definition("a", "One")) == describe(data.definition("b", "Two"))


def test_summary() -> None:
    """The summary says what must fail, how long, and how failure is told."""
    assert summary(data.definition()) == (
        "At least 2 failed adequate trials of SSRIs, SNRIs or CBT, each of a different substance; drugs at least "
        "8 weeks (56 days); failure told by symptom scales, else a change of treatment."
    )


def eligible(**changes: object) -> str:
    """The eligible block's prose with some settings changed."""
    return describe(data.definition(eligible=replace(data.ELIGIBLE, **changes)))["eligible"]


def test_eligible_in_full() -> None:
    """Disorder, ages, prior observation and exclusions are all said."""
    assert eligible() == (
        "Speaks about episodes of anxiety. Persons aged 18 or over at the start. Prior observation of at least 1 "
        "year (365 days) is required. Not eligible with a diagnosis of bipolar disorder at any time "
        "while the person is observed. A recorded cause of pseudo-resistance is noted and changes nothing."
    )


def test_any_age() -> None:
    """The widest age range is no requirement."""
    assert "Persons of any age." in eligible(min_age=0, max_age=150)


def test_both_ages() -> None:
    """Two age limits are said as a range."""
    assert "aged 18 to 64 at the start" in eligible(max_age=64)


def test_only_a_highest_age() -> None:
    """An upper limit alone is said alone."""
    assert "aged 64 or under at the start" in eligible(min_age=0, max_age=64)


def test_no_prior_observation() -> None:
    """A prior observation of 0 days is no requirement."""
    assert "No prior observation is required." in eligible(min_observed_days=0)


def test_prior_observation_of_one_day() -> None:
    """A prior observation of 1 day is a requirement."""
    assert "Prior observation of at least 1 day is required." in eligible(min_observed_days=1)


def test_no_exclusion() -> None:
    """A definition without exclusions says so."""
    assert "No other diagnosis excludes an episode." in eligible(exclusions=())


def test_exclusion_during() -> None:
    """When an exclusion applies is in the words."""
    assert "diagnosis of psychosis during the episode." in eligible(
        exclusions=(Exclusion(codes="psychosis", when="during"),)
    )


def test_exclusions_at_the_same_time() -> None:
    """Exclusions at the same time share a sentence, others have their own."""
    rules = (
        Exclusion(codes="mania", when="ever"),
        Exclusion(codes="dementia", when="before"),
        Exclusion(codes="psychosis", when="ever"),
    )

    assert (
        "Not eligible with a diagnosis of mania or psychosis at any time while the person is observed. "
        "Not eligible with a diagnosis of dementia before the episode starts."
    ) in eligible(exclusions=rules)


def test_required_diagnoses() -> None:
    """Required code lists are named."""
    assert "with at least one contact coded as generalised anxiety disorder or panic disorder." in eligible(
        diagnoses=("gad", "panic")
    )


def test_what_must_have_been_seen_is_said() -> None:
    """Of verdicts, scores and stages, with the window where a definition has one of its own at the start."""
    plain = data.definition()
    early = data.definition(trial=replace(data.TRIAL, window="first_days", window_days=180))
    late = data.definition(trial=replace(data.TRIAL, window="last_days", window_days=180))

    assert follow_up(plain) == (
        "An episode is called not resistant only if the episode was seen from its true start, for which the study asks "
        "for some prior observation, until it was over (by a remission, a death, or the study's gap and tail after the "
        "last contact or covered day, and no trial of it still running). Else its verdict cannot be told."
    )
    assert "or the 180 days in which trials are sought had passed. Else" in follow_up(early)
    assert follow_up(late) == follow_up(plain)
    assert follow_up(data.definition(resistance=data.STAGED)).endswith("Else there may be a higher one.")


def trial(**changes: object) -> str:
    """The trial block's prose with some settings changed."""
    return describe(data.definition(trial=replace(data.TRIAL, **changes)))["trial"]


def test_trial_in_full() -> None:
    """Treatments, gaps, carry-over, overlap, add-ons and window are all said."""
    assert trial() == (
        "A trial is one stretch of treatment with SSRIs, SNRIs or CBT. The permissible gap in supply is 30 days; a "
        "longer one ends the drug trial. Supply left over at the next dispensing is carried over, up to 90 days. "
        "Sessions more than 60 days apart belong to separate trials. Two drugs that overlap by 4 weeks (28 days) or "
        "more are taken together; with less overlap the later one follows the earlier one. A drug that is no augmenter "
        "also follows an earlier main drug that is not dispensed again on its first day or later: that one was left, "
        "and ends the day before the first; while a refill may yet come, that is open. An augmentation (adding "
        "antipsychotic to a trial, on its first day or later) is a trial of its own. A combination (adding any other "
        "drug that makes a trial) is part of the trial it joins and is not counted. Trials are sought in the whole "
        "episode."
    )


def test_an_overlap_that_needs_no_refill() -> None:
    """Where overlap alone tells, nothing is said of dispensings."""
    assert "dispensed again" not in trial(overlap_needs_refill=False)


def test_kinds_of_supply_that_are_not_looked_at() -> None:
    """Only what a rule leaves out is said."""
    assert "Supplies that were administered are not looked at." in trial(supply_kinds=("dispensed", "prescribed"))
    assert "Supplies that were prescribed or administered are not looked at." in trial(supply_kinds=("dispensed",))
    assert "not looked at" not in trial()


def test_no_gap() -> None:
    """A gap of 0 days lets any uncovered day end the trial."""
    assert "Any day without supply ends a drug trial." in trial(permissible_gap_days=0)


def test_no_carry_over() -> None:
    """Carry-over switched off, or capped at 0 days, is no carry-over."""
    assert "is not carried over." in trial(carry_over=False)
    assert "is not carried over." in trial(carry_over_cap_days=0)


def test_no_augmenters() -> None:
    """Without augmenters the augmentation setting cannot matter and is not said."""
    text = trial(augmenters=())

    assert "No drug is named as an augmenter." in text
    assert "An augmentation" not in text


def test_bounded_windows() -> None:
    """A window is said by which end of the episode it takes, and its length."""
    assert "in the first 1 year (365 days) of the episode only." in trial(window="first_days", window_days=365)
    told = trial(window="last_days", window_days=90)
    assert "in the last 90 days of the episode only; while it may go on, nothing is sure." in told


def adequacy(**changes: object) -> str:
    """The adequacy block's prose with some settings of the drug rule changed."""
    drug = replace(data.DRUG, **changes)
    return describe(data.definition(adequacy=replace(data.ADEQUACY, drug=drug, augmentation=drug)))["adequacy"]


def test_adequacy_in_full() -> None:
    """Length, dose, basis and adherence of drugs, and days and sessions of the others, are all said."""
    assert adequacy() == (
        "A drug trial, augmentation included, is adequate with at least 8 weeks (56 days) at or above the minimum "
        "effective dose (counting days covered by supply), whatever the proportion of days covered. "
        "Psychotherapy is adequate with at "
        "least 8 sessions over at least 8 weeks (56 days). Neuromodulation is adequate with at least 6 sessions over "
        "any length of time."
    )


def test_no_minimum_length() -> None:
    """With 0 days any length is enough, and so is any dose."""
    assert "is adequate with any length and any dose, whatever the proportion of days covered" in adequacy(min_days=0)


def test_any_dose() -> None:
    """A dose basis of any asks for no dose, not even a known one."""
    assert "at any dose, known or not" in adequacy(dose_basis="any")


def test_dose_ratio() -> None:
    """A ratio other than 1 is said; a ratio of 0 still asks for a known dose."""
    assert "at or above 1.5 times the defined daily dose (DDD)" in adequacy(dose_basis="ddd_ratio", min_dose_ratio=1.5)
    assert "at a dose known in relation to the minimum effective dose" in adequacy(min_dose_ratio=0.0)


def test_proportion_of_days_covered() -> None:
    """A proportion of 0 percent is no requirement, 1 percent is one."""
    assert "whatever the proportion of days covered" in adequacy(min_pdc_percent=0)
    assert "and a proportion of days covered of at least 1%" in adequacy(min_pdc_percent=1)
    assert "and a medication possession ratio of at least 120%." in adequacy(min_mpr_percent=120)
    both = adequacy(min_pdc_percent=80, min_mpr_percent=90, adherence_window_days=84)
    assert "of at least 80% and a medication possession ratio of at least 90% in its first 12 weeks (84 days)" in both


def test_span_basis() -> None:
    """Counting the span says that gaps are included."""
    assert "(counting days from first to last, gaps included)" in adequacy(duration_basis="span")


def test_augmentation_apart() -> None:
    """A different rule for augmentation is said apart."""
    rule = replace(data.ADEQUACY, augmentation=replace(data.DRUG, min_days=28))

    assert (
        "An augmentation is adequate with at least 4 weeks (28 days)"
        in describe(data.definition(adequacy=rule))["adequacy"]
    )


def outcome(**changes: object) -> str:
    """The outcome block's prose with some settings changed."""
    return describe(data.definition(outcome=replace(data.OUTCOME, **changes)))["outcome"]


def test_outcome_in_full() -> None:
    """Order of evidence, scale, baseline, score, signs, horizon and early stop are all said."""
    assert outcome() == (
        "Judged by symptom scales, else by a change of treatment; while the first may yet tell, the second decides "
        "nothing. On symptom scales a trial fails if HAM-A falls by less than 50%. The fall is a share of the "
        "distance from baseline to the scale's lowest score; the baseline is the last score in the 2 weeks (14 days) "
        "up to the trial's start, else the first in the 7 days after it. The score that counts is the last one on "
        "treatment from the trial's day 28 on, while no trial begun later is in use; if there is none, the "
        "first one from that day on, within 30 days of the trial's last day and by the day on which the next begins. "
        "If an earlier one from that day on was no failure by the same rule, the loss since then is a failure. If a "
        "trial still runs when observation ends, it tells nothing, for another may follow. Where it is not known "
        "which score that is, all that may be it must tell the same. By change of treatment a trial "
        "fails if another drug is started in its place, another drug (or psychotherapy, where it makes trials) is "
        "added to it or the person is admitted for the disorder after its start and within 90 days of its last "
        "day. What is added before its day 15 is one plan with it, and no failure. If observation ends sooner, other "
        "than by death, a trial without such a change cannot be judged. Where a score was measured that cannot be "
        "compared with a baseline, that no change came proves nothing. A trial stopped before 4 weeks (28 days) has "
        "not failed, whatever the evidence."
    )


def test_which_score_and_which_baseline() -> None:
    """Each choice has its words; only the last score can be worse than an earlier one."""
    best, first = outcome(score="best", score_days_after_end=0), outcome(score="first")

    assert "is the lowest one on treatment from the trial's day 28 on, while no trial begun later" in best
    assert "is the first one on treatment" in first
    assert "the loss since" not in best + first
    assert "it tells a response only, for another may follow." in best
    assert "it tells a response only, for another may follow." in outcome(lost_response="not_failed")
    assert "for another may follow" not in first
    assert "the loss since then is no failure." in outcome(lost_response="not_failed")
    assert "up to the episode's start, else" in outcome(baseline="episode")


def test_horizon() -> None:
    """The horizon is the episode, the last day itself, or days after it."""
    assert "after its start and before the episode ends." in outcome(change_within="episode")
    assert "after its start and by its last day." in outcome(change_within=0)
    assert "after its start and within 1 day of its last day." in outcome(change_within=1)


def test_no_early_stop_rule() -> None:
    """0 days, or judging by evidence, makes an early stop a trial like any other."""
    assert outcome(early_stop_days=0).endswith("judged like any other.")
    assert outcome(early_stop="by_evidence").endswith("judged like any other.")


def test_unknown_early_stop() -> None:
    """An early stop that leaves the outcome open says so."""
    assert outcome(early_stop="unknown").endswith("before 4 weeks (28 days) cannot be judged, whatever the evidence.")


def test_unfinished_is_not_failed() -> None:
    """What the end of observation means is said."""
    assert "a trial without such a change has not failed." in outcome(if_unfinished="not_failed")


def test_score_above_needs_no_baseline() -> None:
    """A cut-off has no baseline, so none is said."""
    text = outcome(scales=(ScaleRule(scale="cgi_i", fails_if="score_above", value=2.0),))

    assert "CGI-I is above 2." in text
    assert "baseline" not in text


def test_joined_scales() -> None:
    """With several scales it is said how they combine; with one it is not."""
    two = (*data.OUTCOME.scales, ScaleRule(scale="bai", fails_if="fall_below", value=50.0))

    assert "Every one of these scales must fail." in outcome(scales=two, scales_joined="all")
    assert "Every one of these scales must fail." not in outcome(scales_joined="all")


def test_scales_with_the_same_cut_off() -> None:
    """Neighbouring scales with one cut-off share a clause, in their order."""
    two = (*data.OUTCOME.scales, ScaleRule(scale="bai", fails_if="fall_below", value=50.0))

    assert "if HAM-A or BAI falls by less than 50%." in outcome(scales=two)


def test_alternatives() -> None:
    """Alternatives are named, with what each needs; a single failure has nothing to differ from."""
    assert describe(data.definition(resistance=data.TWO_ALTERNATIVES))["resistance"] == (
        "Resistant with any of these: drug alternative: at least 2 failed adequate trials of SSRIs or SNRIs, each of a "
        "different class; or therapy alternative: at least 1 failed adequate trial of CBT."
    )


def counted(*counts: Count, within: int | str = "episode") -> Counted:
    """A rule of one alternative."""
    return Counted(kind="count", any_of=(Alternative(name="one", within=within, all_of=counts),))


def resistance(rule: object) -> str:
    """The prose of a resistance block."""
    return describe(data.definition(resistance=rule))["resistance"]


def count(**changes: object) -> Count:
    """Two failed trials of SSRIs, with some settings changed."""
    plain = Count(n=2, of=("ssri",), what="failed", distinct_by="none", timing="any")
    return replace(plain, **changes)


def test_counts_of_one_alternative() -> None:
    """All counts of an alternative are needed together."""
    assert resistance(counted(count(), count(n=1, of=("cbt",)))) == (
        "Resistant with at least 2 failed adequate trials of SSRIs and at least 1 failed adequate trial of CBT."
    )


def test_score() -> None:
    """Every item of a score is said, with its points, its cap and its days, and the threshold."""
    assert describe(data.definition(resistance=data.SCORED))["resistance"] == (
        "Resistant with a score of at least 3.5 points: 1 point for each failed adequate trial of antidepressant, 5 at "
        "most; 0.5 points for each failed adequate trial of antidepressant whose dose was raised, 2 at most; "
        "0.5 points for each failed adequate trial of antidepressant that lasted at least 12 weeks (84 days), 2 at "
        "most."
    )


def test_required_diagnosis() -> None:
    """A required diagnosis is said with its time, and with its days where one is not enough."""
    once = Requirement(codes="panic", when="before", days=1)

    assert "The person must have a diagnosis of panic disorder before the episode starts." in eligible(
        requirements=(once,)
    )
    assert "The person must have diagnoses of panic disorder on at least 2 different days before" in eligible(
        requirements=(replace(once, days=2),)
    )


def test_washout() -> None:
    """A washout is said with its groups; without groups nothing is."""
    assert "Washout: no SSRIs or CBT in the 26 weeks (182 days) before treatment of the episode" in eligible(
        washout_treatments=("ssri", "cbt"), washout_days=182
    )
    assert "Washout" not in eligible()


def test_pseudo_resistance() -> None:
    """Noted, refused before the count, or taken back after it; a staging system takes back a stage."""
    after = replace(data.ELIGIBLE, pseudo_resistance="after")
    staged = data.definition(eligible=after, resistance=data.STAGED)

    assert "is noted and changes nothing." in eligible()
    assert "Not eligible with a likely cause of pseudo-resistance recorded before or during" in eligible(
        pseudo_resistance="before"
    )
    assert eligible(pseudo_resistance="after").endswith("recorded before or during it is not resistant.")
    assert describe(staged)["eligible"].endswith("recorded before or during it gets no stage.")


def test_dates_only() -> None:
    """By dates alone nothing is carried over, and a gap lies between two dispensings."""
    text = trial(supply="dates_only")

    assert "A drug is in use from the first to the last of its dispensings, whatever they hold." in text
    assert "The permissible gap between dispensings is 30 days; after a longer one another drug trial begins." in text
    assert "carried over" not in text


def test_dates_only_without_a_gap() -> None:
    """A gap of 0 days parts any two days."""
    assert "Dispensings on different days belong to separate drug trials." in trial(
        supply="dates_only", permissible_gap_days=0
    )


def test_a_single_dispensing() -> None:
    """A drug dispensed once may last until the next one starts; 0 days switch that off."""
    assert "their starts are at most 14 weeks (98 days) apart." in trial(single_dispensing_days=98)
    assert "dispensed only once" not in trial(single_dispensing_days=0)


def test_a_window_from_the_first_treatment() -> None:
    """A window may count from the first day of treatment."""
    assert "in the first 26 weeks (182 days) of the episode’s treatment only." in trial(
        window="first_treated_days", window_days=182
    )


def test_a_dose_in_chlorpromazine() -> None:
    """An equivalent of 600 mg of chlorpromazine, or a part of it."""
    assert "at or above 600 mg a day of chlorpromazine or its equivalent" in adequacy(dose_basis="chlorpromazine_600")
    assert "at or above 0.5 times 600 mg a day of chlorpromazine" in adequacy(
        dose_basis="chlorpromazine_600", min_dose_ratio=0.5
    )


def test_a_dose_of_an_instrument() -> None:
    """The minimum dose of the MGH ATRQ."""
    assert "at or above the minimum dose of the MGH ATRQ" in adequacy(dose_basis="atrq", min_dose_ratio=1.0)


def test_a_fall_in_points() -> None:
    """A fall in points has a baseline and is no share."""
    text = outcome(scales=(ScaleRule(scale="pcl5", fails_if="points_below", value=10),))

    assert "PCL-5 falls by less than 10 points. The baseline is the last score in the 2 weeks" in text
    assert "share" not in text


def test_a_fall_between() -> None:
    """A fall from one percentage to under another is a failure of its own kind."""
    text = outcome(scales=(ScaleBand(scale="madrs", fails_if="fall_between", at_least=25, below=50),))

    assert "MADRS falls by at least 25% and by less than 50%. The fall is a share of the distance" in text


def test_falls_of_both_kinds() -> None:
    """Of falls in percent and in points only the first are shares."""
    points = ScaleRule(scale="pcl5", fails_if="points_below", value=10)

    assert "A fall in percent is a share of the distance" in outcome(scales=(*data.OUTCOME.scales, points))


def test_trials_given() -> None:
    """Trials may count whatever came of them, and then adequacy and outcome are not asked."""
    assert resistance(counted(count(what="given"))) == (
        "Resistant with at least 2 trials of SSRIs, failed or not. Whether a trial was adequate or failed is not asked."
    )


def test_additions() -> None:
    """What is added to another drug may count by itself."""
    assert "at least 1 addition of SSRIs to another drug." in resistance(counted(count(n=1, what="added")))


def test_an_order_in_time() -> None:
    """One count before a day and another on it."""
    text = resistance(counted(count(timing="before"), count(what="given", distinct_by="class", timing="last")))

    assert text == (
        "Resistant with a day that has at least 2 failed adequate trials of SSRIs, failing before that day, and at "
        "least 2 trials of SSRIs, failed or not, each of a different class, one of them starting on that day."
    )


def test_the_only_one_on_a_day() -> None:
    """Of one trial it is not said that it is one of them."""
    assert "at least 1 failed adequate trial of SSRIs, failing on that day." in resistance(
        counted(count(n=1, timing="last"))
    )


def test_a_window_of_trials() -> None:
    """Trials that ended too long ago do not count."""
    assert resistance(counted(count(), within=365)) == (
        "Resistant with a day that has at least 2 failed adequate trials of SSRIs, without trials that ended more "
        "than 1 year (365 days) before it."
    )


NUMBER = NumberItem(
    item="number_of_trials",
    of=("ssri",),
    what="failed",
    distinct_by="substance",
    bands=(Band(at_least=1, points=1), Band(at_least=3, points=2.5)),
    is_required=True,
)
LENGTH = LengthItem(item="episode_days", bands=(Band(at_least=0, points=1), Band(at_least=366, points=2)))
DIAGNOSIS = DiagnosisItem(
    item="diagnosis",
    when="during",
    levels=(DiagnosisLevel(codes="depression_mild", points=1), DiagnosisLevel(codes="depression_severe", points=3)),
    otherwise=2,
)
ADMISSION = AdmissionItem(item="admission", points=1)


def scored(*items: object, threshold: float | str = 5.0) -> Scored:
    """A score of these items."""
    return Scored(kind="score", items=items, threshold=threshold)


@pytest.mark.parametrize(
    ("item", "told"),
    [
        (
            NUMBER,
            "points by the number of failed adequate trials of SSRIs, each of a different substance: 1 point from 1, "
            "2.5 points from 3, and no score at all with fewer than 1",
        ),
        (
            replace(NUMBER, is_required=False, what="given", distinct_by="none"),
            "points by the number of trials of SSRIs, failed or not: 1 point from 1, 2.5 points from 3",
        ),
        (LENGTH, "points by the length of the episode: 1 point from 0 days, 2 points from 366 days"),
        (
            DIAGNOSIS,
            "points for a diagnosis during the episode, the most that one earns: 1 for mild depression, 3 for severe "
            "depression, else 2",
        ),
        (ADMISSION, "1 point for an admission for the disorder during the episode"),
    ],
)
def test_items_of_a_score(item: object, told: str) -> None:
    """Each kind of item says what earns how many points."""
    assert resistance(scored(item)).startswith(f"Resistant with a score of at least 5 points: {told}.")


def test_a_score_of_facts_alone_asks_for_no_failure() -> None:
    """Length, diagnosis and admission have nothing to do with trials."""
    assert resistance(scored(LENGTH)).endswith("Whether a trial was adequate or failed is not asked.")
    assert "is not asked" not in resistance(scored(LENGTH, NUMBER))


def test_a_score_without_a_threshold() -> None:
    """A staging score gives no verdict, and says so in full and in short."""
    d = data.definition(resistance=scored(NUMBER, threshold="none"))

    assert describe(d)["resistance"].startswith("Gives a score and no verdict: points by the number of")
    assert summary(d).startswith("A score, without a threshold; drugs at least 8 weeks (56 days);")


def test_stages() -> None:
    """Stages say their order, their alternatives and the days that the source gives them."""
    assert resistance(data.STAGED) == (
        "Gives the highest stage reached, and no verdict. Stages, lowest first, each reached only with all before it: "
        "I: at least 1 failed adequate trial of SSRIs, in its source after 4 weeks (28 days) to 12 weeks (84 days) of "
        "failed trials in all; II: at least 2 failed adequate trials of SSRIs or SNRIs, each of a different class. A "
        "stage reached outside its source’s days is marked."
    )


def test_stages_in_short() -> None:
    """In short, a system of stages is the number of its stages."""
    assert summary(data.definition(resistance=data.STAGED)).startswith("The highest stage reached, of 2; drugs")


def test_a_stage_of_several_alternatives() -> None:
    """Each alternative has its name, in brackets of its own."""
    level = Level(name="I", any_of=data.TWO_ALTERNATIVES.any_of, band_days=())

    assert (
        "each reached by itself: I: (drug alternative: at least 2 failed adequate trials of SSRIs or SNRIs, each of a "
        "different class), or (therapy alternative: at least 1 failed adequate trial of CBT)."
    ) in resistance(Staged(kind="stage", levels=(level,), is_cumulative=False))


def test_alternatives_in_time_in_short() -> None:
    """Several alternatives of many words are named alone in the summary."""
    alternatives = (Alternative(name="quick", within=90, all_of=(count(),)), *data.TWO_ALTERNATIVES.any_of)

    assert summary(data.definition(resistance=Counted(kind="count", any_of=alternatives))).startswith(
        "Any of these: quick, drug alternative or therapy alternative; drugs"
    )


def changed(block: str, **changes: object) -> Definition:
    """The definition of the examples with settings of one block changed."""
    plain = data.definition()
    return replace(plain, **{block: replace(getattr(plain, block), **changes)})


def of_count(**changes: object) -> Definition:
    """A rule of one count, changed."""
    return data.definition(resistance=counted(count(**changes)))


def of_scale(rule: object) -> Definition:
    """One scale rule."""
    return changed("outcome", scales=(rule,))


def of_rule(rule: object) -> Definition:
    """Another resistance block."""
    return data.definition(resistance=rule)


def of_stage(**changes: object) -> Definition:
    """A staging system with its first stage changed."""
    first, *others = data.STAGED.levels
    return of_rule(replace(data.STAGED, levels=(replace(first, **changes), *others)))


DRUG = data.ADEQUACY.drug
REQUIRED = Requirement(codes="panic", when="before", days=1)
POINTS = ScaleRule(scale="ham_a", fails_if="points_below", value=50)
BAND = ScaleBand(scale="ham_a", fails_if="fall_between", at_least=25, below=50)
DIFFERENT = [
    data.definition(),
    changed("eligible", disorders=("depression",)),
    changed("eligible", diagnoses=("gad",)),
    changed("eligible", requirements=(REQUIRED,)),
    changed("eligible", requirements=(replace(REQUIRED, codes="gad"),)),
    changed("eligible", requirements=(replace(REQUIRED, when="ever"),)),
    changed("eligible", requirements=(replace(REQUIRED, days=2),)),
    changed("eligible", exclusions=()),
    changed("eligible", exclusions=(Exclusion(codes="bipolar", when="during"),)),
    changed("eligible", min_age=17),
    changed("eligible", max_age=64),
    changed("eligible", min_observed_days=364),
    changed("eligible", washout_treatments=("ssri",), washout_days=180),
    changed("eligible", washout_treatments=("snri",), washout_days=180),
    changed("eligible", washout_treatments=("ssri",), washout_days=181),
    changed("eligible", pseudo_resistance="before"),
    changed("eligible", pseudo_resistance="after"),
    changed("trial", treatments=("ssri",)),
    changed("trial", augmenters=("lithium",)),
    changed("trial", permissible_gap_days=31),
    changed("trial", session_gap_days=61),
    changed("trial", carry_over=False),
    changed("trial", carry_over_cap_days=91),
    changed("trial", augmentation="part_of_trial"),
    changed("trial", augmentation="ignored"),
    changed("trial", combination="own_trial"),
    changed("trial", combination="ignored"),
    changed("trial", overlap_days=29),
    changed("trial", overlap_needs_refill=False),
    changed("outcome", add_on_from_day=16),
    changed("trial", supply_kinds=("dispensed", "prescribed")),
    changed("trial", supply="dates_only"),
    changed("trial", supply="dates_only", permissible_gap_days=31),
    changed("trial", single_dispensing_days=98),
    changed("trial", single_dispensing_days=99),
    changed("trial", window="first_days", window_days=365),
    changed("trial", window="last_days", window_days=365),
    changed("trial", window="first_treated_days", window_days=365),
    changed("trial", window="first_treated_days", window_days=366),
    changed("adequacy", drug=replace(DRUG, min_days=55)),
    changed("adequacy", drug=replace(DRUG, duration_basis="span")),
    changed("adequacy", drug=replace(DRUG, dose_basis="any")),
    changed("adequacy", drug=replace(DRUG, dose_basis="ddd_ratio")),
    changed("adequacy", drug=replace(DRUG, dose_basis="usual_dose_lower")),
    changed("adequacy", drug=replace(DRUG, dose_basis="chlorpromazine_600")),
    changed("adequacy", drug=replace(DRUG, dose_basis="atrq")),
    changed("adequacy", drug=replace(DRUG, min_dose_ratio=1.5)),
    changed("adequacy", drug=replace(DRUG, min_pdc_percent=80)),
    changed("adequacy", drug=replace(DRUG, min_mpr_percent=80)),
    changed("adequacy", drug=replace(DRUG, min_mpr_percent=80, adherence_window_days=90)),
    changed("adequacy", augmentation=replace(DRUG, min_days=28)),
    changed("adequacy", psychotherapy=replace(data.ADEQUACY.psychotherapy, min_sessions=9)),
    changed("adequacy", psychotherapy=replace(data.ADEQUACY.psychotherapy, min_days=57)),
    changed("adequacy", neuromodulation=replace(data.ADEQUACY.neuromodulation, min_sessions=7)),
    changed("outcome", evidence=("treatment_change", "scales")),
    changed("outcome", evidence=("scales",)),
    of_scale(replace(data.OUTCOME.scales[0], scale="bai")),
    of_scale(replace(data.OUTCOME.scales[0], value=25)),
    of_scale(replace(data.OUTCOME.scales[0], fails_if="score_above")),
    of_scale(POINTS),
    of_scale(BAND),
    of_scale(replace(BAND, at_least=20)),
    of_scale(replace(BAND, below=40)),
    changed("outcome", baseline_days_before=15),
    changed("outcome", baseline_days_after=8),
    changed("outcome", score_from_day=29),
    changed("outcome", score_days_after_end=31),
    changed("outcome", change_signs=("switch",)),
    changed("outcome", change_within="episode"),
    changed("outcome", if_unfinished="not_failed"),
    changed("outcome", early_stop_days=29),
    changed("outcome", early_stop="unknown"),
    changed("outcome", early_stop="by_evidence"),
    of_count(),
    of_count(n=3),
    of_count(of=("snri",)),
    of_count(what="given"),
    of_count(what="added"),
    of_count(distinct_by="substance"),
    of_count(distinct_by="class"),
    of_count(distinct_by="mechanism"),
    of_count(timing="before"),
    of_count(timing="last"),
    of_count(what="given", timing="last"),
    of_rule(counted(count(), within=365)),
    of_rule(counted(count(), within=366)),
    of_rule(counted(count(), count(of=("cbt",)))),
    of_rule(data.SCORED),
    of_rule(data.OPEN_SCORE),
    of_rule(scored(NUMBER)),
    of_rule(scored(NUMBER, threshold=6.0)),
    of_rule(scored(replace(NUMBER, of=("snri",)))),
    of_rule(scored(replace(NUMBER, what="given"))),
    of_rule(scored(replace(NUMBER, what="added"))),
    of_rule(scored(replace(NUMBER, distinct_by="none"))),
    of_rule(scored(replace(NUMBER, bands=NUMBER.bands[:1]))),
    of_rule(scored(replace(NUMBER, is_required=False))),
    of_rule(scored(LENGTH)),
    of_rule(scored(replace(LENGTH, bands=LENGTH.bands[:1]))),
    of_rule(scored(DIAGNOSIS)),
    of_rule(scored(replace(DIAGNOSIS, when="before"))),
    of_rule(scored(replace(DIAGNOSIS, levels=DIAGNOSIS.levels[:1]))),
    of_rule(scored(replace(DIAGNOSIS, otherwise=0))),
    of_rule(scored(ADMISSION)),
    of_rule(scored(replace(ADMISSION, points=2))),
    of_rule(data.STAGED),
    of_rule(replace(data.STAGED, is_cumulative=False)),
    of_rule(replace(data.STAGED, levels=data.STAGED.levels[:1])),
    of_stage(name="A"),
    of_stage(band_days=()),
    of_stage(band_days=(28, 85)),
    of_stage(any_of=data.TWO_ALTERNATIVES.any_of),
]


def test_what_differs_never_reads_the_same() -> None:
    """No two settings share their words, in prose or one by one."""
    prose = ["\n".join(describe(d).values()) for d in DIFFERENT]
    told = [str([settings(getattr(d, block)) for block in describe(d)]) for d in DIFFERENT]

    assert len(set(prose)) == len(DIFFERENT)
    assert len(set(told)) == len(DIFFERENT)
