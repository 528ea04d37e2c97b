"""KEYNOTE-001: pembrolizumab in NSCLC, by PD-L1."""

from collections.abc import Mapping

from simulation.model import KnownValue, Prediction, Reference, Value
from simulation.predictors import _trials
from simulation.predictors._answers import published
from simulation.predictors._arithmetic import number
from simulation.predictors._inputs import measured

_NO_INTERVAL = "No interval is given: the size of the stratum was not read in the source."


def _stratum(group: str, response: float, references: tuple[int, ...]) -> tuple[Prediction, ...]:
    return (
        published("objective_response", response, "probability", group=group, note=_NO_INTERVAL, references=references),
    )


AT_LEAST_50 = _stratum("PD-L1 TPS >= 50 %", 0.452, (0,))
FROM_1_TO_49 = _stratum("PD-L1 TPS 1 to 49 %", 0.165, (1,))
BELOW_1 = _stratum("PD-L1 TPS < 1 %", 0.107, (1,))


class Model:
    """Response in the NSCLC cohorts of KEYNOTE-001, by PD-L1."""

    card = _trials.trial_card(
        identifier="pd-l1-keynote-001",
        title="KEYNOTE-001: pembrolizumab alone, NSCLC, by PD-L1",
        outcome="objective response",
        population="Advanced NSCLC, mostly pretreated (validation set with a PD-L1 result, 204 patients)",
        cancer_types=("nsclc",),
        inputs=(
            _trials.NSCLC,
            measured(_trials.PD_L1, (0.0, 100.0)),
            _trials.agents("pembrolizumab"),
            _trials.no_chemotherapy(),
            _trials.no_radiotherapy(),
            _trials.advanced(),
            _trials.untreated_with_immunotherapy(),
            _trials.good_performance(),
        ),
        answers=(*AT_LEAST_50, *FROM_1_TO_49, *BELOW_1),
        references=(
            Reference(
                citation="Garon EB et al., N Engl J Med 2015;372:2018 (KEYNOTE-001), abstract",
                doi="10.1056/NEJMoa1501824",
            ),
            Reference(
                citation="Garon EB et al., N Engl J Med 2015;372:2018 (KEYNOTE-001), lower strata",
                doi="10.1056/NEJMoa1501824",
                verified=False,
            ),
        ),
        example={
            _trials.CANCER_TYPE: "nsclc",
            _trials.PD_L1: 60.0,
            _trials.AGENTS: "pembrolizumab",
            _trials.CHEMOTHERAPY: False,
        },
        known_values=(
            KnownValue(
                inputs={
                    _trials.CANCER_TYPE: "nsclc",
                    _trials.PD_L1: 60.0,
                    _trials.AGENTS: "pembrolizumab",
                    _trials.CHEMOTHERAPY: False,
                },
                expected={"objective_response": 0.452},
                absolute_tolerance=5e-4,
                source="doi:10.1056/NEJMoa1501824",
            ),
            KnownValue(
                inputs={
                    _trials.CANCER_TYPE: "nsclc",
                    _trials.PD_L1: 10.0,
                    _trials.AGENTS: "pembrolizumab",
                    _trials.CHEMOTHERAPY: False,
                },
                expected={"objective_response": 0.165},
                absolute_tolerance=5e-4,
                source="doi:10.1056/NEJMoa1501824",
            ),
            KnownValue(
                inputs={
                    _trials.CANCER_TYPE: "nsclc",
                    _trials.PD_L1: 0.0,
                    _trials.AGENTS: "pembrolizumab",
                    _trials.CHEMOTHERAPY: False,
                },
                expected={"objective_response": 0.107},
                absolute_tolerance=5e-4,
                source="doi:10.1056/NEJMoa1501824",
            ),
        ),
        version="1.1.0",
        changes=("1.1.0: radiotherapy of the plan, and the stage, are compared with the trial.",),
    )

    def predict(self, covariates: Mapping[str, Value]) -> tuple[Prediction, ...]:
        """Return what the trial observed in the stratum."""
        expression = number(covariates, _trials.PD_L1)
        return AT_LEAST_50 if expression >= 50 else FROM_1_TO_49 if expression >= 1 else BELOW_1
