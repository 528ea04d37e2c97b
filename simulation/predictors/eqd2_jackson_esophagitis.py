"""Jackson: esophagitis after hypofractionated radiotherapy from the hottest 3 cm3."""

from collections.abc import Mapping

from simulation.model import KnownValue, Prediction, Value
from simulation.predictors import _dose
from simulation.predictors._inputs import measured


class Model:
    """Esophagitis of grade 2 by the EQD2 of the hottest 3 cm3."""

    card = _dose.dose_card(
        identifier="eqd2-jackson-esophagitis",
        title="Esophagitis after hypofractionated radiotherapy by D3cc (Jackson)",
        outcome="acute esophagitis of grade 2 or higher",
        models=("jackson-esophagitis",),
        inputs=(measured(_dose.ESOPHAGUS_D3CC, (0.0, 80.0)), _dose.hypofractionated()),
        equations=_dose.logistic_equations("jackson-esophagitis", (_dose.ESOPHAGUS_D3CC,)),
        example={_dose.ESOPHAGUS_D3CC: 30.0},
        known_values=(
            KnownValue(
                inputs={_dose.ESOPHAGUS_D3CC: 30.0},
                expected={"esophagitis_grade_2_or_higher": 0.13193},
                absolute_tolerance=1e-5,
                source="CERR model library, commit 299446d",
            ),
            KnownValue(
                inputs={_dose.ESOPHAGUS_D3CC: 50.0},
                expected={"esophagitis_grade_2_or_higher": 0.47004},
                absolute_tolerance=1e-5,
                source="CERR model library, commit 299446d",
            ),
            KnownValue(
                inputs={_dose.ESOPHAGUS_D3CC: 60.0},
                expected={"esophagitis_grade_2_or_higher": 0.68179},
                absolute_tolerance=1e-5,
                source="CERR model library, commit 299446d",
            ),
        ),
        increases_with=(_dose.ESOPHAGUS_D3CC,),
        decreases_with=(),
    )

    def predict(self, covariates: Mapping[str, Value]) -> tuple[Prediction, ...]:
        """Return the risk of one patient."""
        return (
            _dose.probability(
                "jackson-esophagitis", "esophagitis_grade_2_or_higher", (_dose.ESOPHAGUS_D3CC,), covariates
            ),
        )
