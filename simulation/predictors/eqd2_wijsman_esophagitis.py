"""Wijsman 2015: esophagitis from mean esophagus EQD2, sex, chemotherapy and tumor stage."""

from collections.abc import Mapping

from simulation.model import KnownValue, Prediction, Value
from simulation.predictors import _dose
from simulation.predictors._inputs import cancer_type, chosen, measured


class Model:
    """Esophagitis of grade 2 by mean EQD2 and clinical factors."""

    card = _dose.dose_card(
        identifier="eqd2-wijsman-esophagitis",
        title="Esophagitis by mean esophagus EQD2 and clinical factors (Wijsman 2015)",
        outcome="acute esophagitis of grade 2 or higher",
        models=("wijsman-esophagitis",),
        inputs=(
            measured(_dose.ESOPHAGUS_EQD2, (0.0, 60.0)),
            chosen(_dose.SEX, ("female", "male")),
            _dose.chemotherapy(),
            chosen(_dose.T_STAGE, ("T1", "T2", "T3", "T4")),
            _dose.conventional(),
            cancer_type("nsclc"),
        ),
        equations=_dose.logistic_equations("wijsman-esophagitis", (_dose.ESOPHAGUS_EQD2,)),
        example={_dose.ESOPHAGUS_EQD2: 30.0, _dose.SEX: "male", _dose.CHEMOTHERAPY: "concurrent", _dose.T_STAGE: "T3"},
        known_values=(
            KnownValue(
                inputs={
                    _dose.ESOPHAGUS_EQD2: 30.0,
                    _dose.SEX: "male",
                    _dose.CHEMOTHERAPY: "concurrent",
                    _dose.T_STAGE: "T3",
                },
                expected={"esophagitis_grade_2_or_higher": 0.67502},
                absolute_tolerance=1e-5,
                source="Wijsman 2015; CERR model library, commit 299446d",
            ),
            KnownValue(
                inputs={
                    _dose.ESOPHAGUS_EQD2: 20.0,
                    _dose.SEX: "female",
                    _dose.CHEMOTHERAPY: "concurrent",
                    _dose.T_STAGE: "T1",
                },
                expected={"esophagitis_grade_2_or_higher": 0.443},
                absolute_tolerance=1e-5,
                source="Wijsman 2015; CERR model library, commit 299446d",
            ),
            KnownValue(
                inputs={_dose.ESOPHAGUS_EQD2: 34.0, _dose.SEX: "male", _dose.CHEMOTHERAPY: "none", _dose.T_STAGE: "T2"},
                expected={"esophagitis_grade_2_or_higher": 0.08017},
                absolute_tolerance=1e-5,
                source="Wijsman 2015; CERR model library, commit 299446d",
            ),
        ),
        increases_with=(_dose.ESOPHAGUS_EQD2,),
        decreases_with=(),
        cancer_types=("nsclc",),
    )

    def predict(self, covariates: Mapping[str, Value]) -> tuple[Prediction, ...]:
        """Return the risk of one patient."""
        return (
            _dose.probability(
                "wijsman-esophagitis", "esophagitis_grade_2_or_higher", (_dose.ESOPHAGUS_EQD2,), covariates
            ),
        )
