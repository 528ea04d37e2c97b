"""QUANTEC radiation pneumonitis from the mean lung dose of a plan."""

from collections.abc import Mapping

from simulation.model import KnownValue, Prediction, Value
from simulation.predictors import _dose
from simulation.predictors._inputs import measured


class Model:
    """Symptomatic pneumonitis by mean lung dose."""

    card = _dose.dose_card(
        identifier="mean-dose-quantec-pneumonitis",
        title="Radiation pneumonitis by mean lung dose (QUANTEC)",
        outcome="symptomatic radiation pneumonitis",
        models=("quantec-pneumonitis",),
        inputs=(measured(_dose.LUNG, (0.0, 40.0)), _dose.conventional()),
        equations=_dose.logistic_equations("quantec-pneumonitis", (_dose.LUNG,)),
        example={_dose.LUNG: 12.5},
        known_values=(
            KnownValue(
                inputs={_dose.LUNG: 5.0},
                expected={"pneumonitis": 0.03769},
                absolute_tolerance=1e-5,
                source="Marks 2010",
            ),
            KnownValue(
                inputs={_dose.LUNG: 10.0},
                expected={"pneumonitis": 0.0685},
                absolute_tolerance=1e-5,
                source="Marks 2010",
            ),
            KnownValue(
                inputs={_dose.LUNG: 12.5},
                expected={"pneumonitis": 0.09154},
                absolute_tolerance=1e-5,
                source="Marks 2010",
            ),
            KnownValue(
                inputs={_dose.LUNG: 15.0},
                expected={"pneumonitis": 0.12132},
                absolute_tolerance=1e-5,
                source="Marks 2010",
            ),
            KnownValue(
                inputs={_dose.LUNG: 25.0},
                expected={"pneumonitis": 0.32739},
                absolute_tolerance=1e-5,
                source="Marks 2010",
            ),
        ),
        increases_with=(_dose.LUNG,),
        decreases_with=(),
        version="1.1.0",
        changes=("1.1.0: the answer carries the published intervals of the dose of 50 % risk and of the slope there.",),
    )

    def predict(self, covariates: Mapping[str, Value]) -> tuple[Prediction, ...]:
        """Return the risk of one patient."""
        return (_dose.probability("quantec-pneumonitis", "pneumonitis", (_dose.LUNG,), covariates),)
