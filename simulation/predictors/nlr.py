"""Neutrophil-lymphocyte ratio."""

from collections.abc import Mapping

from simulation.model import Coefficient, KnownValue, ModelCard, Prediction, Reference, Value
from simulation.predictors import _blood
from simulation.predictors._arithmetic import neutrophil_lymphocyte_ratio
from simulation.predictors._inputs import measured

HIGH = 5.0


class Model:
    """Neutrophils over lymphocytes."""

    card = ModelCard(
        id="nlr",
        version="1.0.0",
        title="Neutrophil-lymphocyte ratio (NLR)",
        kind="predictor",
        outcome="inflammation index; a high value goes with shorter survival under immunotherapy",
        purpose="Component of several scores and a prognostic marker on its own.",
        population="Any; used across solid tumors",
        inputs=(measured(_blood.NEUTROPHILS), measured(_blood.LYMPHOCYTES)),
        equations=("NLR = neutrophils / lymphocytes, rounded to 9 digits", "high: NLR >= 5"),
        references=(Reference(citation="Definition of the ratio; cut-offs of 5 (>=) and 6 (>) are in use"),),
        leaves_out=_blood.LEAVES_OUT,
        known_failures=(_blood.CUT_OFF_VARIES, _blood.PROGNOSTIC, "Corticosteroids and infection raise it."),
        coefficients=(
            Coefficient(
                name="cut-off", value=HIGH, unit="1", evidence="assumed", source="one of the cut-offs in common use"
            ),
        ),
        example={_blood.NEUTROPHILS: 4.2, _blood.LYMPHOCYTES: 1.5},
        known_values=tuple(
            KnownValue(
                inputs={_blood.NEUTROPHILS: neutrophils, _blood.LYMPHOCYTES: lymphocytes},
                expected={"neutrophil_lymphocyte_ratio": value},
                absolute_tolerance=1e-4,
                source="definition",
            )
            for neutrophils, lymphocytes, value in (
                (4.2, 1.5, 2.8),
                (9.0, 1.0, 9.0),
                (6.0, 2.0, 3.0),
                (5.1, 0.8, 6.375),
            )
        ),
        increases_with=(_blood.NEUTROPHILS,),
        decreases_with=(_blood.LYMPHOCYTES,),
        validated_on_patients=True,
        history=("1.0.0: first version.",),
    )

    def predict(self, covariates: Mapping[str, Value]) -> tuple[Prediction, ...]:
        """Return the ratio and its group."""
        value = neutrophil_lymphocyte_ratio(covariates)
        return (
            Prediction(
                outcome="neutrophil_lymphocyte_ratio",
                value=value,
                unit="ratio",
                group="high" if value >= HIGH else "low",
                note=_blood.CUT_OFF_VARIES,
            ),
        )
