"""Systemic immune-inflammation index."""

from collections.abc import Mapping

from simulation.model import KnownValue, ModelCard, Prediction, Reference, Value
from simulation.predictors import _blood
from simulation.predictors._arithmetic import number, ratio
from simulation.predictors._inputs import measured


class Model:
    """Platelets times neutrophils over lymphocytes."""

    card = ModelCard(
        id="sii",
        version="1.0.0",
        title="Systemic immune-inflammation index (SII)",
        kind="predictor",
        outcome="inflammation index; a high value goes with shorter survival",
        purpose="Prognostic marker from the blood count.",
        population="First described in hepatocellular carcinoma; used across solid tumors",
        inputs=(measured(_blood.PLATELETS), measured(_blood.NEUTROPHILS), measured(_blood.LYMPHOCYTES)),
        equations=("SII = platelets * neutrophils / lymphocytes, in 1e9/L",),
        references=(
            Reference(
                citation="Hu B et al., Clin Cancer Res 2014;20:6212",
                doi="10.1158/1078-0432.CCR-14-0442",
                verified=False,
            ),
        ),
        coefficients_note="A quotient of counts without a fitted number.",
        leaves_out=_blood.LEAVES_OUT,
        known_failures=("Cut-offs from 330 to 1,400 are in use and none is universal, so no group is given.",),
        example={_blood.PLATELETS: 250.0, _blood.NEUTROPHILS: 4.2, _blood.LYMPHOCYTES: 1.5},
        known_values=tuple(
            KnownValue(
                inputs={_blood.PLATELETS: platelets, _blood.NEUTROPHILS: neutrophils, _blood.LYMPHOCYTES: lymphocytes},
                expected={"systemic_immune_inflammation_index": value},
                absolute_tolerance=1e-4,
                source="definition",
            )
            for platelets, neutrophils, lymphocytes, value in (
                (250.0, 4.2, 1.5, 700.0),
                (420.0, 9.0, 1.0, 3780.0),
                (300.0, 6.0, 2.0, 900.0),
                (198.0, 5.1, 0.8, 1262.25),
            )
        ),
        increases_with=(_blood.PLATELETS, _blood.NEUTROPHILS),
        decreases_with=(_blood.LYMPHOCYTES,),
        validated_on_patients=True,
        history=("1.0.0: first version.",),
    )

    def predict(self, covariates: Mapping[str, Value]) -> tuple[Prediction, ...]:
        """Return the index."""
        value = ratio(
            number(covariates, _blood.PLATELETS) * number(covariates, _blood.NEUTROPHILS),
            number(covariates, _blood.LYMPHOCYTES),
        )
        return (Prediction(outcome="systemic_immune_inflammation_index", value=value, unit="1e9/L"),)
