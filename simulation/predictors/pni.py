"""Prognostic nutritional index."""

from collections.abc import Mapping

from simulation.model import Coefficient, Contribution, KnownValue, ModelCard, Prediction, Reference, Value
from simulation.predictors import _blood
from simulation.predictors._arithmetic import number
from simulation.predictors._inputs import measured

POOR = 45.0
POINTS_PER_G_PER_L = 1.0
POINTS_PER_1E9_PER_L = 5.0


class Model:
    """Albumin in g/L plus five times the lymphocytes in 1e9/L."""

    card = ModelCard(
        id="pni",
        version="1.0.0",
        title="Prognostic nutritional index (PNI)",
        kind="predictor",
        outcome="nutrition index; a low value goes with shorter survival",
        purpose="Prognostic marker from albumin and lymphocytes.",
        population="First described in gastrointestinal surgery; used across solid tumors",
        inputs=(measured(_blood.ALBUMIN), measured(_blood.LYMPHOCYTES)),
        equations=(
            "PNI = albumin in g/L + 5 * lymphocytes in 1e9/L",
            "(the same as 10 * albumin in g/dL + 0.005 * lymphocytes per mm3)",
            "poor: PNI < 45",
        ),
        references=(Reference(citation="Onodera T et al., Nihon Geka Gakkai Zasshi 1984;85:1001", verified=False),),
        leaves_out=_blood.LEAVES_OUT,
        known_failures=(_blood.CUT_OFF_VARIES,),
        coefficients=tuple(
            Coefficient(name=name, value=value, unit=unit, evidence="published", source="Onodera 1984", verified=False)
            for name, value, unit in (
                ("weight of albumin", POINTS_PER_G_PER_L, "L/g"),
                ("weight of lymphocytes", POINTS_PER_1E9_PER_L, "L/1e9"),
                ("cut-off", POOR, "1"),
            )
        ),
        example={_blood.ALBUMIN: 40.0, _blood.LYMPHOCYTES: 1.5},
        known_values=tuple(
            KnownValue(
                inputs={_blood.ALBUMIN: albumin, _blood.LYMPHOCYTES: lymphocytes},
                expected={"prognostic_nutritional_index": value},
                absolute_tolerance=1e-4,
                source="definition in Onodera 1984",
            )
            for albumin, lymphocytes, value in (
                (40.0, 1.5, 47.5),
                (32.0, 1.0, 37.0),
                (35.0, 2.0, 45.0),
                (39.0, 0.8, 43.0),
            )
        ),
        increases_with=(_blood.ALBUMIN, _blood.LYMPHOCYTES),
        validated_on_patients=True,
        history=("1.0.0: first version.",),
    )

    def predict(self, covariates: Mapping[str, Value]) -> tuple[Prediction, ...]:
        """Return the index and its group."""
        from_albumin = POINTS_PER_G_PER_L * number(covariates, _blood.ALBUMIN)
        from_lymphocytes = POINTS_PER_1E9_PER_L * number(covariates, _blood.LYMPHOCYTES)
        value = round(from_albumin + from_lymphocytes, 9)
        return (
            Prediction(
                outcome="prognostic_nutritional_index",
                value=value,
                unit="points",
                group="poor" if value < POOR else "good",
                contributions=(
                    Contribution(input=_blood.ALBUMIN, value=from_albumin, unit="points"),
                    Contribution(input=_blood.LYMPHOCYTES, value=from_lymphocytes, unit="points"),
                ),
                note=_blood.CUT_OFF_VARIES,
            ),
        )
