"""Appelt-Thor variant: radiation pneumonitis from mean lung dose, age and comorbidity."""

from collections.abc import Mapping

from simulation.model import KnownValue, Prediction, Value
from simulation.predictors import _dose
from simulation.predictors._inputs import cancer_type, measured


class Model:
    """Pneumonitis by mean lung dose, age and comorbidity."""

    card = _dose.dose_card(
        identifier="mean-dose-appelt-thor-pneumonitis",
        title="Radiation pneumonitis by mean lung dose, age and comorbidity (Appelt-Thor)",
        outcome="radiation pneumonitis grade 2 or higher",
        models=("appelt-thor-pneumonitis",),
        inputs=(
            measured(_dose.LUNG, (0.0, 40.0)),
            measured(_dose.AGE),
            _dose.comorbidity(),
            _dose.conventional(),
            cancer_type("nsclc", "sclc"),
        ),
        equations=_dose.logistic_equations("appelt-thor-pneumonitis", (_dose.LUNG,)),
        example={_dose.LUNG: 15.0, _dose.AGE: 66.0, _dose.COMORBIDITY: True},
        known_values=(
            KnownValue(
                inputs={_dose.LUNG: 15.0, _dose.AGE: 60.0, _dose.COMORBIDITY: False},
                expected={"pneumonitis": 0.0774},
                absolute_tolerance=1e-5,
                source="CERR model library, commit 299446d",
            ),
            KnownValue(
                inputs={_dose.LUNG: 15.0, _dose.AGE: 64.0, _dose.COMORBIDITY: False},
                expected={"pneumonitis": 0.12225},
                absolute_tolerance=1e-5,
                source="CERR model library, commit 299446d",
            ),
            KnownValue(
                inputs={_dose.LUNG: 18.0, _dose.AGE: 70.0, _dose.COMORBIDITY: True},
                expected={"pneumonitis": 0.30171},
                absolute_tolerance=1e-5,
                source="CERR model library, commit 299446d",
            ),
        ),
        increases_with=(_dose.LUNG, _dose.AGE, _dose.COMORBIDITY),
        decreases_with=(),
        cancer_types=("nsclc", "sclc"),
        version="1.1.0",
        changes=("1.1.0: the answer carries the intervals of the odds ratios of the factors that are present.",),
    )

    def predict(self, covariates: Mapping[str, Value]) -> tuple[Prediction, ...]:
        """Return the risk of one patient."""
        return (_dose.probability("appelt-thor-pneumonitis", "pneumonitis", (_dose.LUNG,), covariates),)
