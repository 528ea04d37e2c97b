"""Jackson: pneumonitis after hypofractionated radiotherapy from the mean heart EQD2."""

from collections.abc import Mapping

from simulation.model import KnownValue, Prediction, Value
from simulation.predictors import _dose
from simulation.predictors._inputs import measured


class Model:
    """Pneumonitis of grade 2 by mean heart EQD2."""

    card = _dose.dose_card(
        identifier="eqd2-jackson-pneumonitis-heart",
        title="Pneumonitis after hypofractionated radiotherapy by mean heart EQD2 (Jackson)",
        outcome="radiation pneumonitis of grade 2 or higher",
        models=("jackson-pneumonitis-g2-heart",),
        inputs=(measured(_dose.HEART_EQD2, (0.0, 30.0)), _dose.hypofractionated()),
        equations=_dose.logistic_equations("jackson-pneumonitis-g2-heart", (_dose.HEART_EQD2,)),
        example={_dose.HEART_EQD2: 4.0},
        known_values=(
            KnownValue(
                inputs={_dose.HEART_EQD2: 4.0},
                expected={"pneumonitis_grade_2_or_higher": 0.23362},
                absolute_tolerance=1e-5,
                source="CERR model library, commit 299446d",
            ),
            KnownValue(
                inputs={_dose.HEART_EQD2: 8.0},
                expected={"pneumonitis_grade_2_or_higher": 0.37379},
                absolute_tolerance=1e-5,
                source="CERR model library, commit 299446d",
            ),
            KnownValue(
                inputs={_dose.HEART_EQD2: 12.0},
                expected={"pneumonitis_grade_2_or_higher": 0.53892},
                absolute_tolerance=1e-5,
                source="CERR model library, commit 299446d",
            ),
        ),
        increases_with=(_dose.HEART_EQD2,),
        decreases_with=(),
        known_failures=("At zero heart dose it still answers 13 %: heart dose stands in for the lung dose near it.",),
    )

    def predict(self, covariates: Mapping[str, Value]) -> tuple[Prediction, ...]:
        """Return the risk of one patient."""
        return (
            _dose.probability(
                "jackson-pneumonitis-g2-heart", "pneumonitis_grade_2_or_higher", (_dose.HEART_EQD2,), covariates
            ),
        )
