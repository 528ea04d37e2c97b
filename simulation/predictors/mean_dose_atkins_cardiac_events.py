"""Atkins 2019: cardiac events and death in lung cancer from mean heart dose."""

from collections.abc import Mapping

from simulation.model import KnownValue, Prediction, Value
from simulation.predictors import _dose
from simulation.predictors._inputs import cancer_type, measured


class Model:
    """Hazard ratios of cardiac events and of death by mean heart dose."""

    card = _dose.dose_card(
        identifier="mean-dose-atkins-cardiac-events",
        title="Cardiac events and death by mean heart dose in NSCLC (Atkins 2019)",
        outcome="hazard ratio of major adverse cardiac events, and of death from any cause",
        models=("atkins-cardiac-events", "atkins-mortality"),
        inputs=(measured(_dose.HEART, (0.0, 50.0)), cancer_type("nsclc"), _dose.conventional()),
        equations=(
            "hazard ratio = 1.05 ^ (mean heart dose in Gy), events",
            "hazard ratio = 1.02 ^ (mean heart dose in Gy), death",
        ),
        example={_dose.HEART: 10.0, "patient.cancer_type": "nsclc"},
        known_values=(
            KnownValue(
                inputs={_dose.HEART: 10.0},
                expected={"major_adverse_cardiac_event": 1.62889, "overall_survival": 1.21899},
                absolute_tolerance=1e-5,
                source="1.05 and 1.02 per Gy, Atkins 2019",
            ),
        ),
        increases_with=(_dose.HEART,),
        decreases_with=(),
        cancer_types=("nsclc",),
        known_failures=(_dose.MANY_HEARTS,),
    )

    def predict(self, covariates: Mapping[str, Value]) -> tuple[Prediction, ...]:
        """Return the risk of one patient."""
        return (
            _dose.risk_multiple("atkins-cardiac-events", "major_adverse_cardiac_event", _dose.HEART, covariates),
            _dose.risk_multiple("atkins-mortality", "overall_survival", _dose.HEART, covariates),
        )
