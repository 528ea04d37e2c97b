"""Jackson: pneumonitis after hypofractionated radiotherapy from the mean lung EQD2."""

from collections.abc import Mapping

from simulation.model import KnownValue, Prediction, Value
from simulation.predictors import _dose
from simulation.predictors._inputs import measured


class Model:
    """Pneumonitis of grade 2 and of grade 3 by mean lung EQD2."""

    card = _dose.dose_card(
        identifier="eqd2-jackson-pneumonitis-lung",
        title="Pneumonitis after hypofractionated radiotherapy by mean lung EQD2 (Jackson)",
        outcome="radiation pneumonitis of grade 2 or higher, and of grade 3 or higher",
        models=("jackson-pneumonitis-g2-lung", "jackson-pneumonitis-g3-lung"),
        inputs=(measured(_dose.LUNG_EQD2, (0.0, 30.0)), _dose.hypofractionated()),
        equations=(
            *_dose.logistic_equations("jackson-pneumonitis-g2-lung", (_dose.LUNG_EQD2,)),
            *_dose.logistic_equations("jackson-pneumonitis-g3-lung", (_dose.LUNG_EQD2,)),
        ),
        example={_dose.LUNG_EQD2: 8.0},
        known_values=(
            KnownValue(
                inputs={_dose.LUNG_EQD2: 4.0},
                expected={"pneumonitis_grade_2_or_higher": 0.07149, "pneumonitis_grade_3_or_higher": 0.02112},
                absolute_tolerance=1e-5,
                source="CERR model library, commit 299446d",
            ),
            KnownValue(
                inputs={_dose.LUNG_EQD2: 8.0},
                expected={"pneumonitis_grade_2_or_higher": 0.18422, "pneumonitis_grade_3_or_higher": 0.05668},
                absolute_tolerance=1e-5,
                source="CERR model library, commit 299446d",
            ),
            KnownValue(
                inputs={_dose.LUNG_EQD2: 12.0},
                expected={"pneumonitis_grade_2_or_higher": 0.39843, "pneumonitis_grade_3_or_higher": 0.14332},
                absolute_tolerance=1e-5,
                source="CERR model library, commit 299446d",
            ),
        ),
        increases_with=(_dose.LUNG_EQD2,),
        decreases_with=(),
    )

    def predict(self, covariates: Mapping[str, Value]) -> tuple[Prediction, ...]:
        """Return the risk of one patient."""
        return (
            _dose.probability(
                "jackson-pneumonitis-g2-lung", "pneumonitis_grade_2_or_higher", (_dose.LUNG_EQD2,), covariates
            ),
            _dose.probability(
                "jackson-pneumonitis-g3-lung", "pneumonitis_grade_3_or_higher", (_dose.LUNG_EQD2,), covariates
            ),
        )
