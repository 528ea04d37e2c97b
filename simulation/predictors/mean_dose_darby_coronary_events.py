"""Darby 2013: relative risk of a major coronary event from mean heart dose."""

from collections.abc import Mapping

from simulation.model import KnownValue, Prediction, Value
from simulation.predictors import _dose
from simulation.predictors._inputs import cancer_type, chosen, measured


class Model:
    """Relative risk of a major coronary event by mean heart dose."""

    card = _dose.dose_card(
        identifier="mean-dose-darby-coronary-events",
        title="Major coronary events by mean heart dose (Darby 2013)",
        outcome="relative risk of a major coronary event",
        models=("darby-coronary-events",),
        inputs=(
            measured(_dose.HEART, (0.0, 28.0)),
            chosen(_dose.SEX, ("female", "male"), ("female",), required=False),
            cancer_type("breast"),
            _dose.conventional(),
        ),
        equations=("relative risk = 1 + 0.074 * mean heart dose in Gy (0.029 to 0.145)",),
        example={_dose.HEART: 3.0, _dose.SEX: "female", "patient.cancer_type": "breast"},
        known_values=(
            KnownValue(
                inputs={_dose.HEART: 1.0},
                expected={"major_coronary_event": 1.074},
                absolute_tolerance=1e-4,
                source="Darby 2013",
            ),
            KnownValue(
                inputs={_dose.HEART: 3.0},
                expected={"major_coronary_event": 1.222},
                absolute_tolerance=1e-4,
                source="Darby 2013",
            ),
            KnownValue(
                inputs={_dose.HEART: 5.0},
                expected={"major_coronary_event": 1.37},
                absolute_tolerance=1e-4,
                source="Darby 2013",
            ),
            KnownValue(
                inputs={_dose.HEART: 10.0},
                expected={"major_coronary_event": 1.74},
                absolute_tolerance=1e-4,
                source="Darby 2013",
            ),
        ),
        increases_with=(_dose.HEART,),
        decreases_with=(),
        cancer_types=("breast",),
    )

    def predict(self, covariates: Mapping[str, Value]) -> tuple[Prediction, ...]:
        """Return the risk of one patient."""
        return (_dose.risk_multiple("darby-coronary-events", "major_coronary_event", _dose.HEART, covariates),)
