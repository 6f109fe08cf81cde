"""The columns of every table a run makes, by what Python calls what is in them.

They stand apart from `tables.py`, so that who reads a published run need not load what checks tables.
"""

from __future__ import annotations

from datetime import date


def _columns(text: str = "", whole: str = "", number: str = "", day: str = "", yes_no: str = "") -> dict[str, type]:
    """Names of columns, by what is in them."""
    named = ((text, str), (whole, int), (number, float), (day, date), (yes_no, bool))
    return {name: kind for names, kind in named for name in names.split()}


RESTRICTED_COLUMNS: dict[str, dict[str, type]] = {
    "episodes": _columns(
        text="episode_id person_id disorder end_reason shares_treatment_with sex",
        whole="number observed_days_before n_contacts age",
        day="start_date end_date observed_until treated_from",
        yes_no="is_observed is_left_truncated is_censored",
    ),
    "trials": _columns(
        text="episode_id person_id trial_rule treatment treatment_class modality role supply_basis",
        whole="number n_days days_covered n_sessions n_add_ons",
        number="dose_mg adherence",
        day="start_date end_date",
        yes_no="is_counted has_unknown_supply is_ongoing",
    ),
    "judgements": _columns(
        text="episode_id trial_rule judging_rule adequacy_reason outcome_evidence response response_scale "
        "baseline_severity outcome_severity severity_scale",
        whole="number",
        day="failure_date",
        yes_no="is_adequate has_failed",
    ),
    "classifications": _columns(
        text="episode_id definition_id verdict decided_by pseudo_resistance causes",
        whole="n_trials n_adequate n_failed_min n_failed_max",
        number="score_min score_max",
        day="resistant_date",
    ),
    "stages": _columns(
        text="episode_id definition_id level_min level_max",
        number="score_min score_max",
        yes_no="is_eligible is_outside_band",
    ),
    "impasses": _columns(
        text="episode_id afterwards untried unobserved",
    ),
}
RELEASE_COLUMNS: dict[str, dict[str, type]] = {
    "prevalence": _columns(
        text="definition_id denominator_id stratum level",
        whole="n_total n_resistant n_undetermined",
        number="prevalence ci_low ci_high bound_low bound_high",
        yes_no="suppressed",
    ),
    "agreement": _columns(
        text="definition_a definition_b disorder",
        whole="n_common n_undetermined n_both_resistant n_only_a n_only_b n_neither",
        number=(
            "difference difference_ci_low difference_ci_high kappa ac1 pabak jaccard positive_agreement "
            "negative_agreement"
        ),
        yes_no="suppressed",
    ),
    "agreement_overall": _columns(
        text="disorder",
        whole="n_definitions n_episodes n_compared n_decided_by_all",
        number="fleiss_kappa krippendorff_alpha",
        yes_no="suppressed",
    ),
    "attrition": _columns(
        text="definition_id step",
        whole="step_number n_left n_lost",
        yes_no="suppressed",
    ),
    "profile": _columns(
        text="definition_id characteristic level",
        whole="n n_of",
        yes_no="suppressed",
    ),
    "responses": _columns(
        text="definition_id trial response",
        whole="n n_of",
        yes_no="suppressed",
    ),
    "undetermined": _columns(
        text="definition_id reason",
        whole="n n_of",
        yes_no="suppressed",
    ),
    "risks": _columns(
        text="definition_id disorder origin",
        whole="years n n_at_risk",
        number="risk_min risk_max",
        yes_no="suppressed",
    ),
    "reconciliation": _columns(
        text="table",
        whole="n_delivered n_accepted n_quarantined",
        yes_no="is_present",
    ),
}
