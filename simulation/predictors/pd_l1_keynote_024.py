"""KEYNOTE-024: first-line pembrolizumab in NSCLC with PD-L1 of 50 % or more."""

from collections.abc import Mapping
from dataclasses import replace

from simulation.model import KnownValue, Prediction, Reference, Value
from simulation.predictors import _trials
from simulation.predictors._answers import published, wilson
from simulation.predictors._inputs import measured

_STRATUM = "PD-L1 TPS >= 50 %"
_ANSWERS = (
    published(
        "objective_response",
        0.448,
        "probability",
        wilson(69, 154),
        group=_STRATUM,
        note="44.8 % of 154; the interval is computed (Wilson).",
    ),
    published(
        "overall_survival",
        0.62,
        "hazard_ratio",
        (0.48, 0.81),
        group=_STRATUM,
        note="Against platinum-based chemotherapy.",
    ),
)


class Model:
    """Response and survival in the pembrolizumab arm of KEYNOTE-024."""

    card = _trials.trial_card(
        identifier="pd-l1-keynote-024",
        title="KEYNOTE-024: pembrolizumab alone, first line, NSCLC, PD-L1 TPS >= 50 %",
        outcome="objective response; overall survival against chemotherapy",
        population="Untreated advanced NSCLC, PD-L1 TPS >= 50 %, no EGFR or ALK alteration (154 patients)",
        cancer_types=("nsclc",),
        inputs=(
            _trials.NSCLC,
            replace(measured(_trials.PD_L1, (50.0, 100.0)), low=50.0),
            _trials.first_line(),
            _trials.agents("pembrolizumab"),
            _trials.no_chemotherapy(),
            _trials.no_radiotherapy(),
            _trials.no_egfr_mutation(),
            _trials.stage("IV"),
            _trials.good_performance(),
        ),
        answers=_ANSWERS,
        references=(
            Reference(
                citation="Reck M et al., N Engl J Med 2016;375:1823 and updates (KEYNOTE-024)",
                doi="10.1056/NEJMoa1606774",
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
                expected={"objective_response": 0.448, "overall_survival": 0.62},
                absolute_tolerance=5e-4,
                source="doi:10.1056/NEJMoa1606774 and updates",
            ),
        ),
        version="1.1.0",
        changes=("1.1.0: radiotherapy of the plan is compared with the trial.",),
    )

    def predict(self, covariates: Mapping[str, Value]) -> tuple[Prediction, ...]:
        """Return what the trial observed in the stratum."""
        return _ANSWERS
