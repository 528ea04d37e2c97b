"""Modified Glasgow Prognostic Score."""

from collections.abc import Mapping

from simulation.model import Coefficient, KnownValue, ModelCard, Prediction, Reference, Value
from simulation.predictors import _blood
from simulation.predictors._answers import points
from simulation.predictors._arithmetic import number
from simulation.predictors._inputs import measured

HIGH_CRP_MG_PER_L = 10.0
GROUPS = ("low", "intermediate", "high")


class Model:
    """CRP above 10 mg/L counts 1; with albumin below 35 g/L as well, 2."""

    card = ModelCard(
        id="mgps",
        version="1.0.0",
        title="Modified Glasgow Prognostic Score (mGPS)",
        kind="predictor",
        outcome="prognostic group by systemic inflammation",
        purpose="Sorts patients with cancer into three prognostic groups by C-reactive protein and albumin.",
        population="Patients with cancer of many types and stages",
        inputs=(measured(_blood.CRP), measured(_blood.ALBUMIN)),
        equations=("0 if CRP <= 10 mg/L", "1 if CRP > 10 mg/L", "2 if CRP > 10 mg/L and albumin < 35 g/L"),
        references=(
            Reference(
                citation="McMillan DC, Cancer Treat Rev 2013;39:534",
                doi="10.1016/j.ctrv.2012.08.003",
                verified=False,
            ),
        ),
        leaves_out=_blood.LEAVES_OUT,
        known_failures=(_blood.PROGNOSTIC, "Infection raises C-reactive protein."),
        coefficients=tuple(
            Coefficient(name=name, value=value, unit=unit, evidence="published", source="McMillan 2013", verified=False)
            for name, value, unit in (
                ("cut-off of C-reactive protein", HIGH_CRP_MG_PER_L, "mg/L"),
                ("cut-off of albumin", _blood.LOW_ALBUMIN_G_PER_L, "g/L"),
            )
        ),
        example={_blood.CRP: 22.0, _blood.ALBUMIN: 39.0},
        known_values=tuple(
            KnownValue(
                inputs={_blood.CRP: crp, _blood.ALBUMIN: albumin},
                expected={"mgps_score": value},
                absolute_tolerance=0.0,
                source="definition in McMillan 2013",
            )
            for crp, albumin, value in ((4.0, 40.0, 0.0), (45.0, 32.0, 2.0), (10.0, 35.0, 0.0), (22.0, 39.0, 1.0))
        ),
        increases_with=(_blood.CRP,),
        decreases_with=(_blood.ALBUMIN,),
        validated_on_patients=True,
        history=("1.0.0: first version.",),
    )

    def predict(self, covariates: Mapping[str, Value]) -> tuple[Prediction, ...]:
        """Return the points with the group."""
        inflamed = number(covariates, _blood.CRP) > HIGH_CRP_MG_PER_L
        wasted = inflamed and number(covariates, _blood.ALBUMIN) < _blood.LOW_ALBUMIN_G_PER_L
        score, shares = points((_blood.CRP, inflamed), (_blood.ALBUMIN, wasted))
        return (
            Prediction(outcome="mgps_score", value=score, unit="points", group=GROUPS[score], contributions=shares),
        )
