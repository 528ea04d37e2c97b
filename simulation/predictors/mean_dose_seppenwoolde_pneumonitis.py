"""Seppenwoolde 2003: radiation pneumonitis from the mean lung dose, Lyman model with n = 1."""

from collections.abc import Mapping
from math import erfc, sqrt
from typing import Any

from simulation.model import Coefficient, KnownValue, ModelCard, Prediction, Reference, Value
from simulation.predictors import _dose
from simulation.predictors._arithmetic import number
from simulation.predictors._inputs import measured
from simulation.radiation.tables import read_table

_TABLE = read_table("radiation_ntcp.toml")
_SET: Mapping[str, Any] = next(row for row in _TABLE["sets"] if row["id"] == "seppenwoolde-pneumonitis")
TD50_GY: float = _SET["parameters"]["td50_gy"]
M: float = _SET["parameters"]["m"]
_REFERENCE = Reference(**_TABLE["sources"][_SET["source"]])


class Model:
    """Pneumonitis by mean lung dose as a normal distribution function."""

    card = ModelCard(
        id="mean-dose-seppenwoolde-pneumonitis",
        version="1.0.0",
        title="Radiation pneumonitis by mean lung dose (Seppenwoolde 2003, n = 1)",
        kind="predictor",
        outcome="radiation pneumonitis grade 2 or higher",
        purpose="Population risk of a complication from the dose summaries of a plan, for research.",
        population="Thoracic tumors, conventional radiotherapy, five centers",
        inputs=(measured(_dose.LUNG, (0.0, 40.0)), _dose.conventional()),
        equations=("p = Phi((mean lung dose - TD50) / (m * TD50))", "generalized EUD = mean dose for n = 1"),
        references=(_REFERENCE,),
        leaves_out=_dose.LEAVES_OUT,
        known_failures=(_dose.PLAN_MEANS,),
        coefficients=tuple(
            Coefficient(
                name=name,
                value=value,
                unit=unit,
                evidence="published",
                source=f"doi:{_REFERENCE.doi}",
                verified=_REFERENCE.verified,
            )
            for name, value, unit in (("TD50", TD50_GY, "Gy"), ("m", M, "1"))
        ),
        example={_dose.LUNG: 15.0},
        known_values=tuple(
            KnownValue(
                inputs={_dose.LUNG: dose},
                expected={"pneumonitis_grade_2_or_higher": risk},
                absolute_tolerance=1e-5,
                source="TD50 30.8 Gy, m 0.37, n 1",
            )
            for dose, risk in ((12.0, 0.0495), (15.0, 0.0828), (25.0, 0.30539))
        ),
        increases_with=(_dose.LUNG,),
        validated_on_patients=False,
        history=("1.0.0: first version.",),
    )

    def predict(self, covariates: Mapping[str, Value]) -> tuple[Prediction, ...]:
        """Return the risk of one patient."""
        t = (number(covariates, _dose.LUNG) - TD50_GY) / (M * TD50_GY)
        return (
            Prediction(outcome="pneumonitis_grade_2_or_higher", value=0.5 * erfc(-t / sqrt(2.0)), unit="probability"),
        )
