"""KEYNOTE-042: first-line pembrolizumab in NSCLC with PD-L1 of 1 % or more."""

from collections.abc import Mapping
from dataclasses import replace

from simulation.model import KnownValue, Prediction, Reference, Value
from simulation.predictors import _trials
from simulation.predictors._answers import published
from simulation.predictors._arithmetic import number
from simulation.predictors._inputs import measured

_AGAINST = "Against platinum-based chemotherapy."
_NESTED = "The stratum contains the patients of the strata above it."


def _stratum(
    group: str, response: float, response_bounds: tuple[float, float], hazard: float
) -> tuple[Prediction, ...]:
    return (
        published("objective_response", response, "probability", response_bounds, group=group, note=_NESTED),
        published("overall_survival", hazard, "hazard_ratio", group=group, note=f"{_AGAINST} {_NESTED}"),
    )


AT_LEAST_50 = _stratum("PD-L1 TPS >= 50 %", 0.39, (0.34, 0.45), 0.69)
AT_LEAST_20 = _stratum("PD-L1 TPS >= 20 %", 0.33, (0.29, 0.38), 0.77)
AT_LEAST_1 = (
    published("objective_response", 0.27, "probability", (0.24, 0.31), group="PD-L1 TPS >= 1 %", note=_NESTED),
    published("overall_survival", 0.92, "hazard_ratio", (0.77, 1.11), group="PD-L1 TPS 1 to 49 %", note=_AGAINST),
)


class Model:
    """Response and survival in the pembrolizumab arm of KEYNOTE-042, by PD-L1."""

    card = _trials.trial_card(
        identifier="pd-l1-keynote-042",
        title="KEYNOTE-042: pembrolizumab alone, first line, NSCLC, PD-L1 TPS >= 1 %",
        outcome="objective response; overall survival against chemotherapy",
        population="Untreated advanced NSCLC, PD-L1 TPS >= 1 %, no EGFR or ALK alteration (637 patients)",
        cancer_types=("nsclc",),
        inputs=(
            _trials.NSCLC,
            replace(measured(_trials.PD_L1, (1.0, 100.0)), low=1.0),
            _trials.first_line(),
            _trials.agents("pembrolizumab"),
            _trials.no_chemotherapy(),
            _trials.no_radiotherapy(),
            _trials.no_egfr_mutation(),
            _trials.stage("III", "IV"),
            _trials.good_performance(),
        ),
        answers=(*AT_LEAST_50, *AT_LEAST_20, *AT_LEAST_1),
        references=(
            Reference(
                citation="Mok TSK et al., Lancet 2019;393:1819 (KEYNOTE-042)", doi="10.1016/S0140-6736(18)32409-7"
            ),
        ),
        example={
            _trials.CANCER_TYPE: "nsclc",
            _trials.PD_L1: 60.0,
            _trials.PRIOR_THERAPY: False,
            _trials.AGENTS: "pembrolizumab",
            _trials.CHEMOTHERAPY: False,
        },
        known_values=(
            KnownValue(
                inputs={
                    _trials.CANCER_TYPE: "nsclc",
                    _trials.PD_L1: 60.0,
                    _trials.PRIOR_THERAPY: False,
                    _trials.AGENTS: "pembrolizumab",
                    _trials.CHEMOTHERAPY: False,
                },
                expected={"objective_response": 0.39, "overall_survival": 0.69},
                absolute_tolerance=5e-4,
                source="doi:10.1016/S0140-6736(18)32409-7",
            ),
            KnownValue(
                inputs={
                    _trials.CANCER_TYPE: "nsclc",
                    _trials.PD_L1: 20.0,
                    _trials.PRIOR_THERAPY: False,
                    _trials.AGENTS: "pembrolizumab",
                    _trials.CHEMOTHERAPY: False,
                },
                expected={"objective_response": 0.33, "overall_survival": 0.77},
                absolute_tolerance=5e-4,
                source="doi:10.1016/S0140-6736(18)32409-7",
            ),
            KnownValue(
                inputs={
                    _trials.CANCER_TYPE: "nsclc",
                    _trials.PD_L1: 5.0,
                    _trials.PRIOR_THERAPY: False,
                    _trials.AGENTS: "pembrolizumab",
                    _trials.CHEMOTHERAPY: False,
                },
                expected={"objective_response": 0.27, "overall_survival": 0.92},
                absolute_tolerance=5e-4,
                source="doi:10.1016/S0140-6736(18)32409-7",
            ),
        ),
        equations=("TPS >= 50 %, >= 20 % and >= 1 % are nested strata; 1 to 49 % is apart.",),
        version="1.1.0",
        changes=("1.1.0: radiotherapy of the plan is compared with the trial.",),
    )

    def predict(self, covariates: Mapping[str, Value]) -> tuple[Prediction, ...]:
        """Return what the trial observed in the stratum."""
        expression = number(covariates, _trials.PD_L1)
        return AT_LEAST_50 if expression >= 50 else AT_LEAST_20 if expression >= 20 else AT_LEAST_1
