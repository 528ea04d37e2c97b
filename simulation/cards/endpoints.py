"""Model cards of the response criteria."""

from simulation.cards import _rows
from simulation.model import Input, KnownValue, ModelCard, Reference

_RECIST = Reference(
    citation="Eisenhauer EA et al. New response evaluation criteria in solid tumours: revised RECIST guideline "
    "(version 1.1). Eur J Cancer 2009;45:228-247.",
    doi="10.1016/j.ejca.2008.10.026",
)
_IRECIST = Reference(
    citation="Seymour L et al. iRECIST: guidelines for response criteria for use in trials testing "
    "immunotherapeutics. Lancet Oncol 2017;18:e143-e152.",
    doi="10.1016/S1470-2045(17)30074-8",
)
_WORKING_GROUP = Reference(
    citation="RECIST Working Group. Questions and clarifications: abnormal lymph node; does a new lesion always "
    "result in PD?; how do new lesions define progression?",
    url="https://recist.eortc.org/recist-1-1-2/",
)
_INPUTS = (
    Input(name="scans.day", unit="d", low=-3650.0, high=3650.0),
    Input(name="scans.lesions.longest_diameter_mm", unit="mm", low=0.0, high=1000.0),
    Input(
        name="scans.lesions.short_axis_mm",
        unit="mm",
        low=0.0,
        high=1000.0,
        required=False,
        why="Lymph nodes are measured by their short axis.",
    ),
    Input(
        name="scans.non_target",
        unit="",
        choices=("none", "CR", "NON_CR_NON_PD", "PD", "NE"),
        required=False,
        why="Unequivocal progression of non-target disease is the reader's judgment.",
    ),
)
_LEAVES_OUT = (
    "the reading of the images, which decides what is a new lesion or unequivocal progression",
    "tumor markers, PET and cytology",
    "lesions that merge or split",
    "scans that were missed before an event",
)
_VALIDATED = "Definitions of endpoints, not predictions; the tests reproduce the worked examples."

CARDS: tuple[ModelCard, ...] = (
    ModelCard(
        id="recist_1_1",
        version="1.1.0",
        title="RECIST 1.1",
        kind="endpoint",
        outcome="response category of every visit, best overall response, progression-free survival",
        purpose="Classify measured tumor burden over time the same way everywhere. " + _VALIDATED,
        population="Adults with solid tumors in clinical trials.",
        inputs=_INPUTS,
        equations=(
            "sum = longest diameters + short axes of nodes; too small to measure counts 5 mm",
            "PD: sum >= 1.2 nadir and sum - nadir >= 5 mm, or new lesion, or unequivocal non-target progression",
            "CR: all gone, nodes < 10 mm; PR: sum <= 0.7 baseline; else SD; PD is judged before PR",
            "nadir: smallest sum before the visit, baseline included",
            "after an overall CR a target that is seen again is PD whatever its size, a target node from 10 mm short "
            "axis on; after PR or SD it only adds to the sum",
        ),
        references=(_RECIST, _WORKING_GROUP),
        leaves_out=_LEAVES_OUT,
        example={"scans.day": 42.0, "scans.lesions.longest_diameter_mm": 30.0},
        coefficients=_rows.thresholds(
            "target_relative_increase",
            "target_absolute_increase",
            "target_relative_decrease",
            "normal_node_short_axis",
            "target_node_short_axis",
            "target_longest_diameter",
            "too_small_diameter",
            "target_count",
            "targets_per_organ",
            "confirmation_interval",
            "stable_disease_duration",
        ),
        validated_on_patients=False,
        known_values=(
            KnownValue(
                inputs={"baseline_sum_mm": 100.0, "nadir_sum_mm": 40.0, "current_sum_mm": 48.0},
                expected={"target": "PD"},
                absolute_tolerance=0.0,
                source="10.1016/j.ejca.2008.10.026",
            ),
            KnownValue(
                inputs={"baseline_sum_mm": 50.0, "nadir_sum_mm": 20.0, "current_sum_mm": 24.0},
                expected={"target": "PR"},
                absolute_tolerance=0.0,
                source="10.1016/j.ejca.2008.10.026",
            ),
        ),
        known_failures=(
            "A visit is judged by its own sum: after a partial response a sum that drifts back above -30 % without "
            "progression reads SD at that visit, where some readers carry the response forward.",
            "A node that creeps back over 10 mm after CR, and nothing else, is PD although the change lies within "
            "the error of measurement: the working group's answer. It would have such a node imaged again before "
            "recurrence is decided; the answer carries a warning.",
            "Non-target disease that returns after CR is PD only where the reader reports PD; the category "
            "NON_CR_NON_PD does not tell a lesion that came back from a node that is visible again, so it reads PR "
            "(without targets NON_CR_NON_PD) with a warning.",
            "One scan that shows CR is enough for the rule of reappearance; the working group would have the CR "
            "confirmed first, since a lesion may have been there all the time.",
        ),
        license_and_patents="Published criteria, re-implemented.",
        history=(
            "1.0.0: first version.",
            "1.1.0: a return after complete response that is a node alone, or non-target disease, is named as such.",
        ),
    ),
    ModelCard(
        id="irecist",
        version="1.1.0",
        title="iRECIST",
        kind="endpoint",
        outcome="immune response category of every visit with unconfirmed and confirmed progression",
        purpose="Follow patients beyond a first progression under immunotherapy. " + _VALIDATED,
        population="Trials of immunotherapy in solid tumors.",
        inputs=_INPUTS,
        equations=(
            "first PD by RECIST 1.1: iUPD; confirming scan 4 to 8 weeks later (2 days of grace)",
            "iCPD: target sum >= sum at iUPD + 5 mm, any further non-target increase, new target lesions >= 5 "
            "mm larger in sum, any growth of another new lesion, more new lesions, or progression in a further "
            "category",
            "a new lesion is a target if it is measurable when first seen (10 mm, a node 15 mm short axis); one "
            "without a size that is measurable later has grown",
            "iCR, iPR or iSD resets; a new lesion that stays without such growth keeps the iUPD unless the targets "
            "improved",
        ),
        references=(_RECIST, _IRECIST, _WORKING_GROUP),
        leaves_out=(*_LEAVES_OUT, "clinical stability, which decides whether treatment goes on"),
        example={"scans.day": 42.0, "scans.lesions.longest_diameter_mm": 30.0},
        coefficients=_rows.thresholds(
            "target_absolute_increase",
            "target_longest_diameter",
            "target_node_short_axis",
            "progression_confirmation_earliest",
            "progression_confirmation_latest",
            "progression_confirmation_tolerance",
        ),
        validated_on_patients=False,
        known_failures=(
            "A confirming scan later than eight weeks is accepted and marked; protocols differ.",
            "New lesions reported without identity cannot be seen to grow or multiply.",
            "Growth of a new lesion without a size on both scans is seen only where `grown` reports it.",
            "Every new lesion that is measurable counts as a target, also beyond five, or two in one organ.",
        ),
        license_and_patents="Published criteria, re-implemented.",
        history=(
            "1.0.0: first version.",
            "1.1.0: any growth of a new lesion that was not measurable when first seen confirms progression.",
        ),
    ),
)
