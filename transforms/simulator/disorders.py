"""What the made-up registry is made of: drugs, disorders with how each is treated and measured, codes.

Nobody's data, and no estimate of anything: shares and weights are chosen so that every disorder and every kind
of treatment occurs, and so that histories look like those of a clinic. The course of an illness is the same
for all disorders, in `transforms/simulator/course.py`; what differs between them is the table `DISORDERS`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

Weights = dict[str, float]


class Drug(NamedTuple):
    """A substance in one use: its dose steps in mg a day, with the tablet each step is taken in."""

    atc: str
    ddd_mg: float
    doses: tuple[float, float, float, float]  # starting, usual, raised, highest
    tablets: tuple[float, float, float, float]


DRUGS = {
    "sertraline": Drug("N06AB06", 50, (25, 50, 100, 150), (25, 50, 50, 50)),
    "escitalopram": Drug("N06AB10", 10, (5, 10, 15, 20), (5, 10, 5, 20)),
    "citalopram": Drug("N06AB04", 20, (10, 20, 30, 40), (10, 20, 10, 40)),
    "fluoxetine": Drug("N06AB03", 20, (20, 20, 40, 60), (20, 20, 20, 20)),
    "paroxetine": Drug("N06AB05", 20, (10, 20, 30, 40), (10, 20, 30, 20)),
    "fluvoxamine": Drug("N06AB08", 100, (50, 100, 200, 300), (50, 100, 100, 100)),
    "venlafaxine": Drug("N06AX16", 100, (37.5, 75, 150, 225), (37.5, 75, 150, 75)),
    "duloxetine": Drug("N06AX21", 60, (30, 60, 90, 120), (30, 60, 30, 60)),
    "mirtazapine": Drug("N06AX11", 30, (15, 30, 45, 45), (15, 30, 45, 45)),
    "bupropion": Drug("N06AX12", 300, (150, 150, 300, 300), (150, 150, 300, 300)),
    "vortioxetine": Drug("N06AX26", 10, (5, 10, 15, 20), (5, 10, 15, 20)),
    "clomipramine": Drug("N06AA04", 100, (25, 75, 100, 150), (25, 75, 25, 75)),
    "phenelzine": Drug("N06AF03", 60, (30, 45, 60, 75), (15, 15, 15, 15)),
    "amitriptyline": Drug("N06AA09", 75, (25, 75, 100, 150), (25, 25, 50, 50)),
    "lithium": Drug("N05AN01", 887, (600, 900, 900, 1200), (300, 300, 300, 300)),
    "lamotrigine": Drug("N03AX09", 300, (50, 100, 200, 200), (50, 100, 100, 100)),
    "pregabalin": Drug("N03AX16", 300, (150, 300, 450, 600), (75, 150, 150, 300)),
    "buspirone": Drug("N05BE01", 30, (15, 30, 30, 45), (5, 10, 10, 10)),
    # Antipsychotics beside another drug, then by themselves, where they are dosed higher.
    "low quetiapine": Drug("N05AH04", 400, (50, 150, 200, 300), (50, 150, 200, 300)),
    "low aripiprazole": Drug("N05AX12", 15, (5, 5, 10, 15), (5, 5, 10, 15)),
    "low risperidone": Drug("N05AX08", 5, (0.5, 1, 2, 3), (0.5, 1, 1, 1)),
    "quetiapine": Drug("N05AH04", 400, (300, 600, 750, 900), (300, 300, 150, 300)),
    "aripiprazole": Drug("N05AX12", 15, (10, 15, 30, 30), (10, 15, 15, 15)),
    "risperidone": Drug("N05AX08", 5, (2, 6, 6, 8), (2, 3, 3, 2)),
    "olanzapine": Drug("N05AH03", 10, (10, 20, 20, 25), (10, 10, 10, 5)),
    "haloperidol": Drug("N05AD01", 8, (4, 8, 10, 15), (4, 4, 5, 5)),
    "amisulpride": Drug("N05AL05", 400, (400, 600, 800, 1000), (200, 200, 400, 200)),
    "clozapine": Drug("N05AH02", 300, (100, 300, 400, 500), (100, 100, 100, 100)),
}

# Dispensed beside the illness: as-needed sedatives, and drugs that say nothing about it. ATC code: DDD in mg.
AS_NEEDED = {"N05BA04": 50.0, "N05BA01": 10.0, "N05BB01": 75.0, "N05CF02": 10.0}
OTHER_DRUGS = {"A02BC01": 20.0, "C09AA02": 10.0, "N02BE01": 3000.0, "H03AA01": 0.15, "R03AC02": 0.8, "C10AA05": 20.0}

# Sessions: code and code system. The system `impasse` holds the treatments by their own names.
SESSIONS = {
    "cbt": ("DU011", "kva"),
    "unspecified": ("90834", "cpt"),
    "trauma_focused_cbt": ("trauma_focused_cbt", "impasse"),
    "emdr": ("emdr", "impasse"),
    "erp": ("erp", "impasse"),
    "ipt": ("ipt", "impasse"),
    "act": ("act", "impasse"),
    "ect": ("DA024", "kva"),
    "ect_bilateral": ("ect_bilateral", "impasse"),
    "tms": ("90868", "cpt"),
}

# Scales: the lowest value, and the value of the most severe illness seen.
SCALES = {
    "ham_a": (0, 56),
    "gad7": (0, 21),
    "bai": (0, 63),
    "madrs": (0, 60),
    "phq9": (0, 27),
    "hamd17": (0, 52),
    "bdi2": (0, 63),
    "ybocs": (0, 40),
    "pcl5": (0, 80),
    "caps5": (0, 80),
    "panss": (30, 150),
    "cgi_i": (1, 7),
}


@dataclass(frozen=True)
class Traits:
    """What tells one disorder from another. Shares are of persons or of episodes, weights are of choices."""

    share: float  # of persons, as their leading disorder
    codes: Weights
    drugs: Weights  # tried one after another; at least as many as an episode can have steps
    add_ons: Weights
    therapies: Weights
    scales: Weights
    second: str = ""  # a disorder that some of the persons have as well
    has_second: float = 0.0
    is_hard: float = 0.36  # to treat
    has_scores: float = 0.42
    is_rated: float = 0.53  # the start or end of a step, where there are scores at all
    has_impression: float = 0.0  # is also rated by the CGI-I
    psychotherapy_first: float = 0.0  # psychotherapy before any drug
    psychotherapy_beside: float = 0.0  # on average; more often where the person is hard to treat
    weeks: tuple[int, int] = (12, 21)  # of psychotherapy that is not broken off
    patience: float = 1.0  # how long a drug that is too weak is kept
    adds: float = 0.27  # the next step is an add-on, not a switch
    kept_back: Weights = field(default_factory=dict)  # a drug moved to the third place, for this share
    is_raised: tuple[float, float] = (0.25, 0.5)  # the dose, where the drug works and where it does not
    lasts: tuple[int, int] = (240, 900)  # days of a drug that works
    fall: tuple[float, float] = (0.52, 0.95)  # of symptoms, as a share, in a course that works
    small_fall: tuple[float, float] = (-0.1, 0.46)  # in one that does not
    spacing: tuple[int, int] = (750, 1300)  # days between the starts of two episodes
    is_admitted: float = 0.02
    is_stimulated: float = 0.0  # ECT or TMS after two steps that did not work, for this share of the hard to treat
    is_ect: float = 1.0
    remission: str = ""


def _weigh(text: str) -> Weights:
    """Weights written as `sertraline 24, low quetiapine 28`."""
    pairs = (entry.rsplit(maxsplit=1) for entry in text.split(","))
    return {name.strip(): float(weight) for name, weight in pairs}


TRAITS = {
    "anxiety": Traits(
        share=0.37,
        codes=_weigh("F411 30, F410 24, F401 13, F400 8, F419 14, F418 3, F412 6, F413 2"),
        drugs=_weigh(
            "sertraline 26, escitalopram 26, citalopram 10, fluoxetine 5, paroxetine 6, venlafaxine 12, duloxetine 5, "
            "mirtazapine 3, bupropion 0.2, vortioxetine 1, clomipramine 1.5, amitriptyline 0.3"
        ),
        add_ons=_weigh("pregabalin 34, buspirone 22, mirtazapine 20, low quetiapine 14, low aripiprazole 6, lithium 1"),
        therapies=_weigh("cbt 66, unspecified 26, act 8"),
        scales=_weigh("ham_a 35, gad7 35, bai 30"),
        has_impression=0.4,
        psychotherapy_first=0.03,
        psychotherapy_beside=0.035,
    ),
    "depression": Traits(
        share=0.46,
        codes=_weigh("F320 10, F321 29, F322 12, F323 3, F329 13, F330 8, F331 15, F332 7, F339 3"),
        drugs=_weigh(
            "sertraline 24, escitalopram 18, citalopram 14, fluoxetine 8, paroxetine 3, venlafaxine 10, duloxetine 6, "
            "mirtazapine 9, bupropion 4, vortioxetine 3, clomipramine 1, amitriptyline 2, phenelzine 0.6"
        ),
        add_ons=_weigh("mirtazapine 30, low quetiapine 28, lithium 18, low aripiprazole 14, buspirone 5, pregabalin 3"),
        therapies=_weigh("cbt 62, unspecified 26, ipt 12"),
        scales=_weigh("madrs 36, phq9 24, hamd17 18, bdi2 22"),
        second="anxiety",
        has_second=0.25,
        psychotherapy_first=0.01,
        psychotherapy_beside=0.02,
        is_admitted=0.05,
        is_stimulated=0.1,
        is_ect=0.8,
        remission="F334",
    ),
    "ocd": Traits(
        share=0.03,
        codes=_weigh("F420 25, F421 20, F422 40, F429 15"),
        drugs=_weigh(
            "sertraline 30, fluoxetine 20, escitalopram 18, paroxetine 10, fluvoxamine 10, clomipramine 6, citalopram 3"
        ),
        add_ons=_weigh("low risperidone 40, low aripiprazole 40, low quetiapine 15, buspirone 5"),
        therapies=_weigh("erp 45, cbt 40, unspecified 15"),
        scales=_weigh("ybocs 1"),
        second="depression",
        has_second=0.2,
        is_hard=0.5,
        has_scores=0.75,
        is_rated=0.85,
        psychotherapy_first=0.08,
        psychotherapy_beside=0.25,
        weeks=(18, 33),
        patience=2.4,
        kept_back=_weigh("clomipramine 0.5"),
        is_raised=(0.6, 0.85),
        fall=(0.36, 0.8),
        small_fall=(-0.1, 0.35),
        is_stimulated=0.06,
        is_ect=0.0,
    ),
    "ptsd": Traits(
        share=0.03,
        codes=_weigh("F431 1"),
        drugs=_weigh(
            "sertraline 40, paroxetine 15, venlafaxine 15, fluoxetine 10, escitalopram 8, mirtazapine 8, duloxetine "
            "3, citalopram 3"
        ),
        add_ons=_weigh("low quetiapine 40, low risperidone 25, low aripiprazole 20, pregabalin 15"),
        therapies=_weigh("emdr 40, trauma_focused_cbt 35, cbt 10, unspecified 15"),
        scales=_weigh("pcl5 80, caps5 20"),
        second="depression",
        has_second=0.35,
        is_hard=0.45,
        has_scores=0.7,
        is_rated=0.75,
        psychotherapy_first=0.1,
        psychotherapy_beside=0.25,
        weeks=(8, 17),
    ),
    "schizophrenia": Traits(
        share=0.02,
        codes=_weigh("F200 62, F201 6, F203 10, F205 10, F209 12"),
        drugs=_weigh(
            "olanzapine 30, risperidone 26, aripiprazole 20, quetiapine 10, haloperidol 6, amisulpride 7, clozapine 0.1"
        ),
        add_ons=_weigh("low aripiprazole 50, lithium 20, sertraline 20, mirtazapine 10"),
        therapies=_weigh("cbt 50, unspecified 50"),
        scales=_weigh("panss 1"),
        is_hard=0.5,
        has_scores=0.8,
        is_rated=0.9,
        has_impression=0.3,
        psychotherapy_beside=0.08,
        patience=1.6,
        adds=0.12,
        kept_back=_weigh("clozapine 0.5"),
        is_raised=(0.4, 0.7),
        lasts=(500, 1800),
        fall=(0.25, 0.65),
        small_fall=(-0.1, 0.22),
        spacing=(1800, 3000),
        is_admitted=0.25,
        is_stimulated=0.08,
    ),
    "bipolar_depression": Traits(
        share=0.02,
        codes=_weigh("F313 60, F314 40"),
        drugs=_weigh(
            "quetiapine 34, lithium 22, olanzapine 10, lamotrigine 12, escitalopram 7, sertraline 7, bupropion 6, "
            "venlafaxine 3"
        ),
        add_ons=_weigh("lithium 35, lamotrigine 25, low quetiapine 15, sertraline 15, bupropion 10"),
        therapies=_weigh("unspecified 60, cbt 40"),
        scales=_weigh("madrs 50, hamd17 30, phq9 20"),
        second="anxiety",
        has_second=0.15,
        is_hard=0.45,
        has_scores=0.6,
        psychotherapy_beside=0.06,
        adds=0.4,
        lasts=(300, 900),
        spacing=(900, 1500),
        is_admitted=0.12,
        is_stimulated=0.2,
    ),
}

# Contacts for something else: what may look like resistance, what definitions exclude, and what none looks at.
CAUSES = _weigh(
    "E050 7, E059 10, E039 8, R522 12, M797 8, G470 16, F510 8, S060 8, F072 2, F101 16, F102 22, F122 6, F132 6, "
    "F172 6, Z911 14, F900 8, F840 2, G409 3, E119 12, J459 12"
)
EXCLUSIONS = _weigh("F310 6, F317 5, F319 7, F301 2, F239 3, F259 2, F603 9, X619 5")
UNRELATED = ("I109", "J069", "M545", "L309", "R529", "Z000", "G439", "K219")

NAMES = tuple(TRAITS)
CODES = tuple(
    dict.fromkeys(
        [
            *(code for disorder in TRAITS.values() for code in disorder.codes),
            *(disorder.remission for disorder in TRAITS.values() if disorder.remission),
            *CAUSES,
            *EXCLUSIONS,
            *UNRELATED,
        ]
    )
)


def setting(name: str) -> np.ndarray:
    """One setting of every disorder, in their order."""
    return np.array([getattr(disorder, name) for disorder in TRAITS.values()])


def weights(name: str, entries: Iterable[str]) -> np.ndarray:
    """A table of weights of every disorder: one row for each, one column for each entry."""
    return np.array([[getattr(one, name).get(entry, 0.0) for entry in entries] for one in TRAITS.values()])
