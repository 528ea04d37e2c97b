"""JAVELIN Head and Neck 100: avelumab with chemoradiotherapy, a negative trial."""

from collections.abc import Mapping

from simulation.model import KnownValue, Prediction, Reference, Value
from simulation.predictors import _trials
from simulation.predictors._answers import published

_WITH = "avelumab with chemoradiotherapy"
_ANSWERS = (
    published("progression_free_survival", 1.21, "hazard_ratio", (0.93, 1.57), group=_WITH, note=_trials.NO_GAIN),
    published("overall_survival", 1.31, "hazard_ratio", (0.93, 1.85), group=_WITH, note=_trials.NO_GAIN),
)


class Model:
    """Survival against placebo."""

    card = _trials.trial_card(
        identifier="radiotherapy-javelin-head-neck-100",
        title="JAVELIN Head and Neck 100: avelumab with chemoradiotherapy, locally advanced (negative)",
        outcome="progression-free and overall survival",
        population="Untreated locally advanced head and neck squamous cell carcinoma (697 patients)",
        cancer_types=("head_and_neck",),
        inputs=(
            _trials.HEAD_AND_NECK,
            _trials.agents("avelumab"),
            _trials.with_radiotherapy(),
            _trials.together(),
            _trials.no_added_chemotherapy(),
            _trials.conventional(),
            _trials.chemoradiotherapy(),
            _trials.untreated(),
            _trials.stage("III", "IV"),
            _trials.good_performance(),
        ),
        answers=_ANSWERS,
        references=(
            Reference(
                citation="Lee NY et al., Lancet Oncol 2021;22:450 (JAVELIN Head and Neck 100)",
                doi="10.1016/S1470-2045(20)30737-3",
            ),
        ),
        example={
            _trials.CANCER_TYPE: "head_and_neck",
            _trials.AGENTS: "avelumab",
            _trials.RADIOTHERAPY: True,
            _trials.WITH_RADIOTHERAPY: "concurrent",
        },
        known_values=(
            KnownValue(
                inputs={
                    _trials.CANCER_TYPE: "head_and_neck",
                    _trials.AGENTS: "avelumab",
                    _trials.RADIOTHERAPY: True,
                    _trials.WITH_RADIOTHERAPY: "concurrent",
                },
                expected={"progression_free_survival": 1.21, "overall_survival": 1.31},
                absolute_tolerance=5e-4,
                source="doi:10.1016/S1470-2045(20)30737-3",
            ),
        ),
        version="1.1.0",
        changes=("1.1.0: fraction size, chemotherapy, line and start of the drug are compared with the trial.",),
    )

    def predict(self, covariates: Mapping[str, Value]) -> tuple[Prediction, ...]:
        """Return what the trial observed in the stratum."""
        return _ANSWERS
