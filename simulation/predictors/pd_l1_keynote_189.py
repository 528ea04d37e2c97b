"""KEYNOTE-189: first-line pembrolizumab and chemotherapy in non-squamous NSCLC."""

from collections.abc import Mapping

from simulation.model import KnownValue, Prediction, Reference, Value
from simulation.predictors import _trials
from simulation.predictors._answers import published
from simulation.predictors._arithmetic import number
from simulation.predictors._inputs import chosen, measured

HISTOLOGY = "patient.histology"


def _stratum(group: str, response: float, bounds: tuple[float, float]) -> tuple[Prediction, ...]:
    return (published("objective_response", response, "probability", bounds, group=group),)


ALL = _stratum("any PD-L1", 0.48, (0.431, 0.53))
AT_LEAST_50 = _stratum("PD-L1 TPS >= 50 %", 0.621, (0.533, 0.704))
FROM_1_TO_49 = _stratum("PD-L1 TPS 1 to 49 %", 0.492, (0.403, 0.582))
BELOW_1 = _stratum("PD-L1 TPS < 1 %", 0.323, (0.243, 0.412))


class Model:
    """Response in the pembrolizumab arm of KEYNOTE-189, by PD-L1."""

    card = _trials.trial_card(
        identifier="pd-l1-keynote-189",
        title="KEYNOTE-189: pembrolizumab with chemotherapy, first line, non-squamous NSCLC",
        outcome="objective response",
        population="Untreated metastatic non-squamous NSCLC, no EGFR or ALK alteration (410 patients)",
        cancer_types=("nsclc",),
        inputs=(
            _trials.NSCLC,
            chosen(HISTOLOGY, ("non_squamous",), ("non_squamous",)),
            measured(_trials.PD_L1, (0.0, 100.0), required=False),
            _trials.first_line(),
            _trials.agents("pembrolizumab"),
            chosen(_trials.CHEMOTHERAPY, ("true",), ("true",)),
            _trials.no_radiotherapy(),
            _trials.no_egfr_mutation(),
            _trials.stage("IV"),
            _trials.good_performance(),
        ),
        answers=(*ALL, *AT_LEAST_50, *FROM_1_TO_49, *BELOW_1),
        references=(
            Reference(citation="KEYNOTE-189, response by PD-L1 as tabulated in Diagnostics 2022;12:124, table 1"),
        ),
        example={
            _trials.CANCER_TYPE: "nsclc",
            _trials.PD_L1: 60.0,
            _trials.PRIOR_THERAPY: False,
            _trials.AGENTS: "pembrolizumab",
            _trials.CHEMOTHERAPY: True,
            HISTOLOGY: "non_squamous",
        },
        known_values=(
            KnownValue(
                inputs={
                    _trials.CANCER_TYPE: "nsclc",
                    _trials.PD_L1: 60.0,
                    _trials.PRIOR_THERAPY: False,
                    _trials.AGENTS: "pembrolizumab",
                    _trials.CHEMOTHERAPY: True,
                    HISTOLOGY: "non_squamous",
                },
                expected={"objective_response": 0.621},
                absolute_tolerance=5e-4,
                source="Diagnostics 2022;12:124, table 1",
            ),
            KnownValue(
                inputs={
                    _trials.CANCER_TYPE: "nsclc",
                    _trials.PD_L1: 20.0,
                    _trials.PRIOR_THERAPY: False,
                    _trials.AGENTS: "pembrolizumab",
                    _trials.CHEMOTHERAPY: True,
                    HISTOLOGY: "non_squamous",
                },
                expected={"objective_response": 0.492},
                absolute_tolerance=5e-4,
                source="Diagnostics 2022;12:124, table 1",
            ),
            KnownValue(
                inputs={
                    _trials.CANCER_TYPE: "nsclc",
                    _trials.PD_L1: 0.0,
                    _trials.PRIOR_THERAPY: False,
                    _trials.AGENTS: "pembrolizumab",
                    _trials.CHEMOTHERAPY: True,
                    HISTOLOGY: "non_squamous",
                },
                expected={"objective_response": 0.323},
                absolute_tolerance=5e-4,
                source="Diagnostics 2022;12:124, table 1",
            ),
        ),
        version="1.1.0",
        changes=("1.1.0: radiotherapy of the plan is compared with the trial.",),
    )

    def predict(self, covariates: Mapping[str, Value]) -> tuple[Prediction, ...]:
        """Return what the trial observed in the stratum."""
        if _trials.PD_L1 not in covariates:
            return ALL
        expression = number(covariates, _trials.PD_L1)
        return AT_LEAST_50 if expression >= 50 else FROM_1_TO_49 if expression >= 1 else BELOW_1
