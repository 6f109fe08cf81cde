from dataclasses import replace

import report_data as data

from reports.prose import describe, summary
from schemas.definition import Count, Exclusion, ScaleRule


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
    """Disorder, ages, look-back and exclusions are all said."""
    assert eligible() == (
        "Speaks about episodes of anxiety. Persons aged 18 or over at the start. The person must have been observed "
        "for at least 1 year (365 days) before the start. Not eligible with a diagnosis of bipolar disorder at any "
        "time while the person is observed."
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


def test_no_look_back() -> None:
    """A look-back of 0 days is no requirement."""
    assert "No time under observation before the start is required." in eligible(min_observed_days=0)


def test_look_back_of_one_day() -> None:
    """A look-back of 1 day is a requirement."""
    assert "observed for at least 1 day before the start" in eligible(min_observed_days=1)


def test_no_exclusion() -> None:
    """A definition without exclusions says so."""
    assert eligible(exclusions=()).endswith("No other diagnosis excludes an episode.")


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

    assert eligible(exclusions=rules).endswith(
        "Not eligible with a diagnosis of mania or psychosis at any time while the person is observed. "
        "Not eligible with a diagnosis of dementia before the episode starts."
    )


def test_required_diagnoses() -> None:
    """Required code lists are named."""
    assert "with at least one contact coded as generalised anxiety disorder or panic disorder." in eligible(
        diagnoses=("gad", "panic")
    )


def trial(**changes: object) -> str:
    """The trial block's prose with some settings changed."""
    return describe(data.definition(trial=replace(data.TRIAL, **changes)))["trial"]


def test_trial_in_full() -> None:
    """Treatments, gaps, carry-over, overlap, add-ons and window are all said."""
    assert trial() == (
        "A trial is one stretch of treatment with SSRIs, SNRIs or CBT. More than 30 days without supply end a drug "
        "trial; a shorter gap is part of it. Sessions more than 60 days apart belong to separate trials. Supply left "
        "over at the next dispensing is carried over, up to 90 days. Two drugs that overlap by 4 weeks (28 days) or "
        "more are taken together; with less overlap the later one follows the earlier one. An augmentation (adding "
        "antipsychotic to a trial) is a trial of its own. A combination (adding any other drug that makes a "
        "trial) is part of the trial it joins and is not counted. Trials are sought in the whole episode."
    )


def test_no_gap() -> None:
    """A gap of 0 days lets any uncovered day end the trial."""
    assert "Any day without supply ends a drug trial." in trial(drug_gap_days=0)


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
    assert "in the last 90 days of the episode only." in trial(window="last_days", window_days=90)


def adequacy(**changes: object) -> str:
    """The adequacy block's prose with some settings of the drug rule changed."""
    drug = replace(data.DRUG, **changes)
    return describe(data.definition(adequacy=replace(data.ADEQUACY, drug=drug, augmentation=drug)))["adequacy"]


def test_adequacy_in_full() -> None:
    """Length, dose, basis and adherence of drugs, and days and sessions of the others, are all said."""
    assert adequacy() == (
        "A drug trial, augmentation included, is adequate with at least 8 weeks (56 days) at or above the minimum "
        "effective dose (counting days covered by supply), whatever the adherence. Psychotherapy is adequate with at "
        "least 8 sessions over at least 8 weeks (56 days). Neuromodulation is adequate with at least 6 sessions over "
        "any length of time."
    )


def test_no_minimum_length() -> None:
    """With 0 days any length is enough, and so is any dose."""
    assert "is adequate with any length and any dose, whatever the adherence" in adequacy(min_days=0)


def test_any_dose() -> None:
    """A dose basis of any asks for no dose, not even a known one."""
    assert "at any dose, known or not" in adequacy(dose_basis="any")


def test_dose_ratio() -> None:
    """A ratio other than 1 is said; a ratio of 0 still asks for a known dose."""
    assert "at or above 1.5 times the defined daily dose (DDD)" in adequacy(dose_basis="ddd_ratio", min_dose_ratio=1.5)
    assert "at a dose known in relation to the minimum effective dose" in adequacy(min_dose_ratio=0.0)


def test_adherence() -> None:
    """An adherence of 0 percent is no requirement, 1 percent is one."""
    assert "whatever the adherence" in adequacy(min_adherence_percent=0)
    assert "supply for at least 1% of the trial's days" in adequacy(min_adherence_percent=1)


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
        "Judged by symptom scales, else by a change of treatment. On symptom scales a trial fails if HAM-A falls by "
        "less than 50%. The fall is a share of the distance from baseline to the scale's lowest score; the baseline is "
        "the last score in the 2 weeks (14 days) up to the trial's start, else the first in the 7 days after it. The "
        "score that counts is the last one from 4 weeks (28 days) after the trial's start to 30 days after its last "
        "day. By change of treatment a trial fails if another drug is started in its place, another drug is added to "
        "it or the person is admitted for the disorder after its start and within 90 days of its last day. If "
        "observation ends before that time is over, a trial without such a change cannot be judged. A trial stopped "
        "before 4 weeks (28 days) has not failed, whatever the evidence."
    )


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


def test_arms() -> None:
    """Arms are named, with what each needs; a single failure has nothing to differ from."""
    assert describe(data.definition(resistance=data.TWO_ARMS))["resistance"] == (
        "Resistant with any of these: drug arm: at least 2 failed adequate trials of SSRIs or SNRIs, each of a "
        "different class; or therapy arm: at least 1 failed adequate trial of CBT."
    )


def test_counts_of_one_arm() -> None:
    """All counts of an arm are needed together."""
    drugs = Count(n=2, of=("ssri",), distinct_by="none")
    therapy = Count(n=1, of=("cbt",), distinct_by="none")
    arm = replace(data.RESISTANCE.any_of[0], all_of=(drugs, therapy))
    rule = replace(data.RESISTANCE, any_of=(arm,))

    assert describe(data.definition(resistance=rule))["resistance"] == (
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
