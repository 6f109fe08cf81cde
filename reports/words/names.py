"""Names as words: vocabulary names in, what a reader calls the thing out.

Groups, code lists, scales, kinds and marks are named in one place, so a thing has one name in every sentence,
table and command.
"""

from __future__ import annotations

from collections.abc import Sequence

from impasse.reports.words.numbers import listed

_PREFIXES = {
    "first_line_": "first-line treatments for ",
    "augmenters_": "augmenters for ",
    "treats_": "treatments for ",
}
_NAMES = {
    "act": "acceptance and commitment therapy",
    "adhd": "ADHD",
    "alpha2delta": "alpha-2-delta ligands",
    "antidepressants_1009": "antidepressants of OHDSI cohort 1009",
    "antidepressants_not_tca": "antidepressants other than TCAs",
    "antidepressants_not_tryptophan": "antidepressants other than tryptophan",
    "antidepressants_other": "antidepressants other than SSRIs, SNRIs, TCAs and MAOIs",
    "antipsychotics_1009": "antipsychotics of OHDSI cohort 1009",
    "augmenters_france": "augmenters of the French rules",
    "augmenters_kim": "augmenters of the Karolinska model",
    "augmenters_lithium_or_antipsychotic": "lithium/antipsychotics",
    "bipolar": "bipolar disorder",
    "caffeine": "caffeine or other stimulants",
    "cardiorespiratory": "heart or lung disease",
    "cbt": "CBT",
    "dbs": "DBS",
    "dbt": "dialectical behaviour therapy",
    "depression_mild": "mild depression",
    "depression_moderate": "moderate depression",
    "depression_psychotic": "psychotic depression",
    "depression_remission": "depression in remission",
    "depression_severe": "severe depression",
    "ect": "ECT",
    "ect_bilateral": "bilateral ECT",
    "ect_unilateral": "unilateral ECT",
    "emdr": "EMDR",
    "endocrine": "endocrine disease",
    "endocrine_other": "other endocrine disease",
    "erp": "exposure and response prevention",
    "evidence_based_psychotherapy": "evidence-based psychotherapy",
    "gad": "generalised anxiety disorder",
    "ipt": "interpersonal therapy",
    "maoi": "MAOIs",
    "mbct": "mindfulness-based cognitive therapy",
    "mdma": "MDMA",
    "neurological": "neurological disease",
    "nonadherence": "recorded non-adherence",
    "ocd": "OCD",
    "organic": "organic mood or anxiety disorder",
    "organic_anxiety": "organic anxiety disorder",
    "organic_mood": "organic mood disorder",
    "other_anxiety": "other anxiety disorder",
    "other_mood": "other mood disorder",
    "panic": "panic disorder",
    "parkinson": "Parkinson’s disease",
    "probable_ptsd": "probable PTSD",
    "psychodynamic": "psychodynamic psychotherapy",
    "psychotherapy_other": "other psychotherapy",
    "psychotherapy_unspecified": "psychotherapy of unknown kind",
    "ptsd": "PTSD",
    "self_harm": "self-harm",
    "snri": "SNRIs",
    "social_anxiety": "social anxiety disorder",
    "sri": "serotonin reuptake inhibitors",
    "ssri": "SSRIs",
    "tca": "TCAs",
    "thyroid": "thyroid hormones",
    "tms": "TMS",
    "trauma_focused": "trauma-focused psychotherapy",
    "trauma_focused_cbt": "trauma-focused CBT",
    "vns": "VNS",
}
_SCALES = {
    "bdi2": "BDI-II",
    "caps5": "CAPS-5",
    "gad7": "GAD-7",
    "ham_a": "HAM-A",
    "hamd17": "HAM-D17",
    "pcl5": "PCL-5",
    "phq9": "PHQ-9",
    "ybocs": "Y-BOCS",
}
KIND_NAMES = {
    "count": "by counting trials",
    "score": "by a score",
    "stage": "by stages",
    "descriptive": "described, not computed",
}
STATUS_MEANINGS = {
    "active": "used by default",
    "unverified": "off by default: nobody has checked it against the source",
    "draft": "a draft: no study uses it",
    "withdrawn": "withdrawn: it proved wrong",
    "descriptive": "cited, not computed",
}
_CONFIDENCE = {
    "V": "verified in the text of the source",
    "V-abs": "verified in the source’s abstract only",
    "V-code": "verified in the authors’ published program",
    "V2": "verified in another text that describes the source",
    "M": "well known, but the source was not seen",
    "U": "uncertain; check the source before use",
    "D": "a choice of this program, not from a paper",
}


def words(name: str) -> str:
    """A vocabulary name in readable words: chronic_pain -> chronic pain, ssri -> SSRIs."""
    if name in _NAMES:
        return _NAMES[name]
    start = next((prefix for prefix in _PREFIXES if name.startswith(prefix)), "")
    rest = name.removeprefix(start)
    return _PREFIXES.get(start, "") + _NAMES.get(rest, rest.replace("_", " "))


def groups(names: Sequence[str], word: str = "or") -> str:
    """Several vocabulary names as one phrase."""
    return listed([words(name) for name in names], word) if names else "no treatment"


def scale_name(scale: str) -> str:
    """A scale's vocabulary name as it is printed: ham_a -> HAM-A."""
    return _SCALES.get(scale, scale.upper().replace("_", "-"))


def confidence(mark: str) -> str:
    """What a confidence mark says."""
    return _CONFIDENCE[mark]


def capital(text: str) -> str:
    """The text with its first letter as at the start of a sentence."""
    return text[:1].upper() + text[1:]
