"""KEYNOTE-412: pembrolizumab with chemoradiotherapy in head and neck cancer, a negative trial."""

from collections.abc import Mapping

from simulation.model import KnownValue, Prediction, Reference, Value
from simulation.predictors import _trials
from simulation.predictors._answers import published

_WITH = "pembrolizumab with chemoradiotherapy"
_MISSED = f"p = 0.0429 against a threshold of 0.0242. {_trials.NO_GAIN}"
_ANSWERS = (
    published("event_free_survival", 0.83, "hazard_ratio", (0.68, 1.03), group=_WITH, note=_MISSED),
    published("overall_survival", 0.90, "hazard_ratio", group=_WITH, note=_trials.NO_GAIN, references=(1,)),
)


class Model:
    """Event-free and overall survival against placebo."""

    card = _trials.trial_card(
        identifier="radiotherapy-keynote-412",
        title="KEYNOTE-412: pembrolizumab with chemoradiotherapy, locally advanced head and neck cancer (negative)",
        outcome="event-free and overall survival",
        population="Untreated high-risk locally advanced head and neck squamous cell carcinoma (804 patients)",
        cancer_types=("head_and_neck",),
        inputs=(
            _trials.HEAD_AND_NECK,
            _trials.agents("pembrolizumab"),
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
                citation="Machiels J-P et al., Lancet Oncol 2024;25:572 (KEYNOTE-412), event-free survival",
                doi="10.1016/S1470-2045(24)00100-1",
            ),
            Reference(
                citation="Machiels J-P et al., Lancet Oncol 2024;25:572 (KEYNOTE-412), interval and overall survival",
                doi="10.1016/S1470-2045(24)00100-1",
                verified=False,
            ),
        ),
        example={
            _trials.CANCER_TYPE: "head_and_neck",
            _trials.AGENTS: "pembrolizumab",
            _trials.RADIOTHERAPY: True,
            _trials.WITH_RADIOTHERAPY: "concurrent",
        },
        known_values=(
            KnownValue(
                inputs={
                    _trials.CANCER_TYPE: "head_and_neck",
                    _trials.AGENTS: "pembrolizumab",
                    _trials.RADIOTHERAPY: True,
                    _trials.WITH_RADIOTHERAPY: "concurrent",
                },
                expected={"event_free_survival": 0.83, "overall_survival": 0.90},
                absolute_tolerance=5e-4,
                source="doi:10.1016/S1470-2045(24)00100-1",
            ),
        ),
        version="1.1.0",
        changes=("1.1.0: fraction size, chemotherapy, line and start of the drug are compared with the trial.",),
    )

    def predict(self, covariates: Mapping[str, Value]) -> tuple[Prediction, ...]:
        """Return what the trial observed in the stratum."""
        return _ANSWERS
