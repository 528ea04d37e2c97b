"""Huang: esophagitis from mean esophagus dose and chemotherapy."""

from collections.abc import Mapping

from simulation.model import KnownValue, Prediction, Value
from simulation.predictors import _dose
from simulation.predictors._inputs import cancer_type, measured


class Model:
    """Esophagitis by mean esophagus dose and concurrent chemotherapy."""

    card = _dose.dose_card(
        identifier="mean-dose-huang-esophagitis",
        title="Esophagitis by mean esophagus dose and chemotherapy (Huang)",
        outcome="acute esophagitis (grade not stated where the coefficients were read)",
        models=("huang-esophagitis",),
        inputs=(
            measured(_dose.ESOPHAGUS, (0.0, 60.0)),
            _dose.chemotherapy(),
            _dose.conventional(),
            cancer_type("nsclc"),
        ),
        equations=_dose.logistic_equations("huang-esophagitis", (_dose.ESOPHAGUS,)),
        example={_dose.ESOPHAGUS: 20.0, _dose.CHEMOTHERAPY: "concurrent"},
        known_values=(
            KnownValue(
                inputs={_dose.ESOPHAGUS: 20.0, _dose.CHEMOTHERAPY: "none"},
                expected={"esophagitis": 0.14754},
                absolute_tolerance=1e-5,
                source="CERR model library, commit 299446d",
            ),
            KnownValue(
                inputs={_dose.ESOPHAGUS: 20.0, _dose.CHEMOTHERAPY: "concurrent"},
                expected={"esophagitis": 0.43684},
                absolute_tolerance=1e-5,
                source="CERR model library, commit 299446d",
            ),
            KnownValue(
                inputs={_dose.ESOPHAGUS: 34.0, _dose.CHEMOTHERAPY: "concurrent"},
                expected={"esophagitis": 0.67022},
                absolute_tolerance=1e-5,
                source="CERR model library, commit 299446d",
            ),
        ),
        increases_with=(_dose.ESOPHAGUS,),
        decreases_with=(),
        cancer_types=("nsclc",),
    )

    def predict(self, covariates: Mapping[str, Value]) -> tuple[Prediction, ...]:
        """Return the risk of one patient."""
        return (_dose.probability("huang-esophagitis", "esophagitis", (_dose.ESOPHAGUS,), covariates),)
