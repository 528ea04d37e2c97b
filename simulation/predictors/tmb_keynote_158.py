"""KEYNOTE-158: pembrolizumab in pretreated solid tumors, by tumor mutational burden."""

from collections.abc import Mapping

from simulation.model import KnownValue, Prediction, Reference, Value
from simulation.predictors import _trials
from simulation.predictors._answers import published
from simulation.predictors._arithmetic import number
from simulation.predictors._inputs import CANCER_TYPES, chosen, measured

TMB = "patient.biomarkers.tmb_mutations_per_mb"
HIGH_PER_MB = 10.0
HIGH = (published("objective_response", 0.29, "probability", (0.21, 0.39), group="TMB >= 10 per Mb"),)
LOW = (published("objective_response", 0.06, "probability", (0.05, 0.08), group="TMB < 10 per Mb"),)


class Model:
    """Response in KEYNOTE-158 at the cut-off of 10 mutations per Mb."""

    card = _trials.trial_card(
        identifier="tmb-keynote-158",
        title="KEYNOTE-158: pembrolizumab alone, pretreated solid tumors, by TMB",
        outcome="objective response",
        population="Pretreated advanced solid tumors of ten types: biliary, endometrial, mesothelioma and SCLC",
        cancer_types=("endometrial", "hepatobiliary", "mesothelioma", "sclc", "other"),
        inputs=(
            chosen(
                _trials.CANCER_TYPE,
                CANCER_TYPES,
                ("endometrial", "hepatobiliary", "mesothelioma", "sclc", "other"),
                required=False,
            ),
            measured(TMB),
            _trials.pretreated(),
            _trials.agents("pembrolizumab"),
            _trials.no_chemotherapy(),
            _trials.no_radiotherapy(),
            _trials.advanced(),
            _trials.untreated_with_immunotherapy(),
            _trials.good_performance(),
        ),
        answers=(*HIGH, *LOW),
        references=(
            Reference(
                citation="Marabelle A et al., Lancet Oncol 2020;21:1353 (KEYNOTE-158)",
                doi="10.1016/S1470-2045(20)30445-9",
                verified=False,
            ),
            Reference(citation="Marabelle A et al., Ann Oncol 2019;30 suppl 5 (earlier report: 28.3 % against 6.5 %)"),
        ),
        example={
            _trials.CANCER_TYPE: "endometrial",
            TMB: 12.0,
            _trials.AGENTS: "pembrolizumab",
            _trials.CHEMOTHERAPY: False,
            _trials.PRIOR_THERAPY: True,
        },
        known_values=(
            KnownValue(
                inputs={
                    _trials.CANCER_TYPE: "endometrial",
                    TMB: 12.0,
                    _trials.AGENTS: "pembrolizumab",
                    _trials.CHEMOTHERAPY: False,
                    _trials.PRIOR_THERAPY: True,
                },
                expected={"objective_response": 0.29},
                absolute_tolerance=5e-4,
                source="doi:10.1016/S1470-2045(20)30445-9",
            ),
            KnownValue(
                inputs={
                    TMB: 9.9,
                    _trials.AGENTS: "pembrolizumab",
                    _trials.CHEMOTHERAPY: False,
                    _trials.PRIOR_THERAPY: True,
                },
                expected={"objective_response": 0.06},
                absolute_tolerance=5e-4,
                source="doi:10.1016/S1470-2045(20)30445-9",
            ),
        ),
        known_failures=("Cancer types respond differently at the same mutational burden.",),
        version="1.1.0",
        changes=("1.1.0: radiotherapy of the plan, and the stage, are compared with the trial.",),
    )

    def predict(self, covariates: Mapping[str, Value]) -> tuple[Prediction, ...]:
        """Return what the trial observed in the stratum."""
        return HIGH if number(covariates, TMB) >= HIGH_PER_MB else LOW
