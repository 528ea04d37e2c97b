"""Twelve pembrolizumab trials: response by exome-wide mutational burden."""

from collections.abc import Mapping

from simulation.model import KnownValue, Prediction, Reference, Value
from simulation.predictors import _trials
from simulation.predictors._answers import published
from simulation.predictors._arithmetic import number
from simulation.predictors._inputs import measured

TMB = "patient.biomarkers.tmb_mutations_per_mb"
HIGH_PER_MB = 10.0
_ASSUMED = (
    "The trials used 175 mutations per exome; 10 per Mb of panel sequencing stands in for it here, an assumption.",
)


def _stratum(
    group: str, response: float, bounds: tuple[float, float] | None, references: tuple[int, ...]
) -> tuple[Prediction, ...]:
    answer = published("objective_response", response, "probability", bounds, group=group, references=references)
    return (answer._replace(outside=_ASSUMED),)


HIGH = _stratum("TMB >= 175 mutations per exome", 0.314, (0.271, 0.360), (0,))
LOW = _stratum("TMB < 175 mutations per exome", 0.095, None, (1,))


class Model:
    """Response of pretreated solid tumors with a high exome-wide mutational burden."""

    card = _trials.trial_card(
        identifier="tmb-pembrolizumab-pooled",
        title="Twelve pembrolizumab trials: response by TMB (whole exome)",
        outcome="objective response",
        population="Pretreated advanced solid tumors in 12 trials, 1,772 patients on pembrolizumab alone",
        cancer_types=(),
        inputs=(
            measured(TMB),
            _trials.pretreated(),
            _trials.agents("pembrolizumab"),
            _trials.no_chemotherapy(),
            _trials.no_radiotherapy(),
            _trials.advanced(),
            _trials.untreated_with_immunotherapy(),
        ),
        answers=(*HIGH, *LOW),
        references=(
            Reference(
                citation="Cristescu R et al., J Immunother Cancer 2022;10:e003091", doi="10.1136/jitc-2021-003091"
            ),
            Reference(
                citation="Cristescu R et al., J Immunother Cancer 2022;10:e003091, low stratum",
                doi="10.1136/jitc-2021-003091",
                verified=False,
            ),
        ),
        example={TMB: 12.0, _trials.AGENTS: "pembrolizumab", _trials.CHEMOTHERAPY: False, _trials.PRIOR_THERAPY: True},
        known_values=(
            KnownValue(
                inputs={
                    TMB: 12.0,
                    _trials.AGENTS: "pembrolizumab",
                    _trials.CHEMOTHERAPY: False,
                    _trials.PRIOR_THERAPY: True,
                },
                expected={"objective_response": 0.314},
                absolute_tolerance=5e-4,
                source="doi:10.1136/jitc-2021-003091",
            ),
            KnownValue(
                inputs={
                    TMB: 4.0,
                    _trials.AGENTS: "pembrolizumab",
                    _trials.CHEMOTHERAPY: False,
                    _trials.PRIOR_THERAPY: True,
                },
                expected={"objective_response": 0.095},
                absolute_tolerance=5e-4,
                source="doi:10.1136/jitc-2021-003091",
            ),
        ),
        known_failures=_ASSUMED,
        version="1.1.0",
        changes=("1.1.0: radiotherapy of the plan, and the stage, are compared with the trial.",),
    )

    def predict(self, covariates: Mapping[str, Value]) -> tuple[Prediction, ...]:
        """Return what the trial observed in the stratum."""
        return HIGH if number(covariates, TMB) >= HIGH_PER_MB else LOW
