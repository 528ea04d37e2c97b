"""Huang: radiation pneumonitis from mean lung dose and heart dose."""

from collections.abc import Mapping

from simulation.model import KnownValue, Prediction, Value
from simulation.predictors import _dose
from simulation.predictors._inputs import cancer_type, measured

DOSES = (_dose.LUNG, _dose.HEART_D10)


class Model:
    """Pneumonitis by mean lung dose and the dose of the hottest tenth of the heart."""

    card = _dose.dose_card(
        identifier="dvh-huang-pneumonitis",
        title="Radiation pneumonitis by mean lung dose and heart D10 (Huang)",
        outcome="radiation pneumonitis",
        models=("huang-pneumonitis",),
        inputs=(
            measured(_dose.LUNG, (0.0, 40.0)),
            measured(_dose.HEART_D10, (0.0, 80.0)),
            _dose.conventional(),
            cancer_type("nsclc"),
        ),
        equations=_dose.logistic_equations("huang-pneumonitis", DOSES),
        example={_dose.LUNG: 15.0, _dose.HEART_D10: 30.0},
        known_values=(
            KnownValue(
                inputs={_dose.LUNG: 10.0, _dose.HEART_D10: 5.0},
                expected={"pneumonitis": 0.061},
                absolute_tolerance=1e-5,
                source="CERR model library, commit 299446d",
            ),
            KnownValue(
                inputs={_dose.LUNG: 15.0, _dose.HEART_D10: 30.0},
                expected={"pneumonitis": 0.13889},
                absolute_tolerance=1e-5,
                source="CERR model library, commit 299446d",
            ),
            KnownValue(
                inputs={_dose.LUNG: 18.0, _dose.HEART_D10: 45.0},
                expected={"pneumonitis": 0.21775},
                absolute_tolerance=1e-5,
                source="CERR model library, commit 299446d",
            ),
        ),
        increases_with=DOSES,
        decreases_with=(),
        cancer_types=("nsclc",),
    )

    def predict(self, covariates: Mapping[str, Value]) -> tuple[Prediction, ...]:
        """Return the risk of one patient."""
        return (_dose.probability("huang-pneumonitis", "pneumonitis", DOSES, covariates),)
