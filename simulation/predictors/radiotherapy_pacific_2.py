"""PACIFIC-2: durvalumab during chemoradiotherapy in stage III NSCLC, a negative trial."""

from collections.abc import Mapping
from dataclasses import replace

from simulation.model import KnownValue, Prediction, Reference, Value
from simulation.predictors import _trials
from simulation.predictors._answers import published, wilson
from simulation.predictors._inputs import measured

_WITH = "durvalumab from the start of chemoradiotherapy"
_ANSWERS = (
    published("progression_free_survival", 0.85, "hazard_ratio", (0.65, 1.12), group=_WITH, note=_trials.NO_GAIN),
    published("overall_survival", 1.03, "hazard_ratio", (0.78, 1.39), group=_WITH, note=_trials.NO_GAIN),
    published(
        "objective_response", 0.607, "probability", wilson(133, 219), group=_WITH, note="Interval computed (Wilson)."
    ),
    published(
        "objective_response_difference",
        0.002,
        "probability_difference",
        (-0.152, 0.163),
        group=_WITH,
        note=f"Against 60.6 % with placebo. {_trials.NO_GAIN}",
    ),
)


class Model:
    """Response and survival in PACIFIC-2 against placebo."""

    card = _trials.trial_card(
        identifier="radiotherapy-pacific-2",
        title="PACIFIC-2: durvalumab from the start of chemoradiotherapy, stage III NSCLC (negative)",
        outcome="progression-free and overall survival; objective response",
        population="Unresectable stage III NSCLC (219 patients with durvalumab, 109 with placebo)",
        cancer_types=("nsclc",),
        inputs=(
            _trials.NSCLC,
            _trials.agents("durvalumab"),
            _trials.with_radiotherapy(),
            _trials.together(),
            _trials.no_added_chemotherapy(),
            _trials.conventional(),
            _trials.chemoradiotherapy(),
            replace(
                measured(_trials.DRUG_START, (-60.0, 0.0), why="Given from the start of six weeks of treatment."),
                high=0.0,
            ),
            _trials.stage("III"),
            _trials.good_performance(),
        ),
        answers=_ANSWERS,
        references=(
            Reference(citation="Bradley JD et al., J Clin Oncol 2025;43:3610 (PACIFIC-2)", doi="10.1200/JCO-25-00036"),
        ),
        example={
            _trials.CANCER_TYPE: "nsclc",
            _trials.AGENTS: "durvalumab",
            _trials.RADIOTHERAPY: True,
            _trials.WITH_RADIOTHERAPY: "concurrent",
            _trials.DRUG_START: -40.0,
            _trials.STAGE: "III",
        },
        known_values=(
            KnownValue(
                inputs={
                    _trials.CANCER_TYPE: "nsclc",
                    _trials.AGENTS: "durvalumab",
                    _trials.RADIOTHERAPY: True,
                    _trials.WITH_RADIOTHERAPY: "concurrent",
                    _trials.DRUG_START: -40.0,
                },
                expected={"progression_free_survival": 0.85, "overall_survival": 1.03, "objective_response": 0.607},
                absolute_tolerance=5e-4,
                source="doi:10.1200/JCO-25-00036",
            ),
        ),
        known_failures=("More deaths from adverse events with durvalumab (13.7 % against 10.2 %).",),
        version="1.1.0",
        changes=("1.1.0: fraction size, chemotherapy and start of the drug are compared with the trial.",),
    )

    def predict(self, covariates: Mapping[str, Value]) -> tuple[Prediction, ...]:
        """Return what the trial observed in the stratum."""
        return _ANSWERS
