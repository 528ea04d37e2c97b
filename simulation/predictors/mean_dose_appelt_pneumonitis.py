"""Appelt 2014: radiation pneumonitis from mean lung dose and clinical factors."""

from collections.abc import Mapping

from simulation.model import KnownValue, Prediction, Value
from simulation.predictors import _dose
from simulation.predictors._inputs import cancer_type, measured


class Model:
    """Pneumonitis by mean lung dose, adjusted for clinical factors."""

    card = _dose.dose_card(
        identifier="mean-dose-appelt-pneumonitis",
        title="Radiation pneumonitis by mean lung dose and clinical factors (Appelt 2014)",
        outcome="radiation pneumonitis grade 2 or higher",
        models=("appelt-pneumonitis",),
        inputs=(
            measured(_dose.LUNG, (0.0, 40.0)),
            _dose.comorbidity(),
            _dose.lobe(),
            measured(_dose.AGE),
            _dose.chemotherapy(),
            _dose.smoking(),
            _dose.conventional(),
            cancer_type("nsclc", "sclc"),
        ),
        equations=(
            *_dose.logistic_equations("appelt-pneumonitis", (_dose.LUNG,)),
            "the same as a logistic curve whose D50 and steepness are shifted by the product of the odds ratios",
        ),
        example={
            _dose.LUNG: 15.0,
            _dose.COMORBIDITY: True,
            _dose.LOBE: False,
            _dose.AGE: 66.0,
            _dose.CHEMOTHERAPY: "none",
            _dose.SMOKING: "former",
        },
        known_values=(
            KnownValue(
                inputs={
                    _dose.LUNG: 15.0,
                    _dose.COMORBIDITY: False,
                    _dose.LOBE: False,
                    _dose.AGE: 60.0,
                    _dose.CHEMOTHERAPY: "none",
                    _dose.SMOKING: "never",
                },
                expected={"pneumonitis": 0.0639},
                absolute_tolerance=1e-5,
                source="Appelt 2014",
            ),
            KnownValue(
                inputs={
                    _dose.LUNG: 15.0,
                    _dose.COMORBIDITY: True,
                    _dose.LOBE: False,
                    _dose.AGE: 60.0,
                    _dose.CHEMOTHERAPY: "none",
                    _dose.SMOKING: "never",
                },
                expected={"pneumonitis": 0.13416},
                absolute_tolerance=1e-5,
                source="Appelt 2014",
            ),
            KnownValue(
                inputs={
                    _dose.LUNG: 18.0,
                    _dose.COMORBIDITY: False,
                    _dose.LOBE: True,
                    _dose.AGE: 64.0,
                    _dose.CHEMOTHERAPY: "none",
                    _dose.SMOKING: "never",
                },
                expected={"pneumonitis": 0.24296},
                absolute_tolerance=1e-5,
                source="Appelt 2014",
            ),
            KnownValue(
                inputs={
                    _dose.LUNG: 12.0,
                    _dose.COMORBIDITY: False,
                    _dose.LOBE: False,
                    _dose.AGE: 60.0,
                    _dose.CHEMOTHERAPY: "none",
                    _dose.SMOKING: "current",
                },
                expected={"pneumonitis": 0.02718},
                absolute_tolerance=1e-5,
                source="Appelt 2014",
            ),
            KnownValue(
                inputs={
                    _dose.LUNG: 17.0,
                    _dose.COMORBIDITY: False,
                    _dose.LOBE: False,
                    _dose.AGE: 70.0,
                    _dose.CHEMOTHERAPY: "sequential",
                    _dose.SMOKING: "former",
                },
                expected={"pneumonitis": 0.14162},
                absolute_tolerance=1e-5,
                source="Appelt 2014",
            ),
            KnownValue(
                inputs={
                    _dose.LUNG: 22.0,
                    _dose.COMORBIDITY: True,
                    _dose.LOBE: False,
                    _dose.AGE: 60.0,
                    _dose.CHEMOTHERAPY: "none",
                    _dose.SMOKING: "current",
                },
                expected={"pneumonitis": 0.20196},
                absolute_tolerance=1e-5,
                source="Appelt 2014",
            ),
        ),
        increases_with=(_dose.LUNG, _dose.COMORBIDITY, _dose.LOBE, _dose.AGE),
        decreases_with=(),
        cancer_types=("nsclc", "sclc"),
        version="1.1.0",
        changes=("1.1.0: the answer carries the intervals of the odds ratios of the factors that are present.",),
    )

    def predict(self, covariates: Mapping[str, Value]) -> tuple[Prediction, ...]:
        """Return the risk of one patient."""
        return (_dose.probability("appelt-pneumonitis", "pneumonitis", (_dose.LUNG,), covariates),)
