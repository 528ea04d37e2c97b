"""Advanced lung cancer inflammation index."""

from collections.abc import Mapping

from simulation.model import Coefficient, KnownValue, ModelCard, NotApplicable, Prediction, Reference, Value
from simulation.predictors import _blood
from simulation.predictors._arithmetic import neutrophil_lymphocyte_ratio, number
from simulation.predictors._inputs import CANCER_TYPES, chosen, measured, stage

WEIGHT = "patient.weight_kg"
HEIGHT = "patient.height_cm"
POOR = 18.0


class Model:
    """Body-mass index times albumin over the neutrophil-lymphocyte ratio."""

    card = ModelCard(
        id="ali",
        version="1.1.0",
        title="Advanced lung cancer inflammation index (ALI)",
        kind="predictor",
        outcome="inflammation and nutrition index; a low value goes with shorter survival",
        purpose="Prognostic marker in advanced lung cancer.",
        population="Patients with metastatic NSCLC, before the time of checkpoint inhibitors",
        cancer_types=("nsclc",),
        inputs=(
            measured(WEIGHT),
            measured(HEIGHT),
            measured(_blood.ALBUMIN),
            measured(_blood.NEUTROPHILS),
            measured(_blood.LYMPHOCYTES),
            chosen("patient.cancer_type", CANCER_TYPES, ("nsclc",), required=False),
            stage("IV"),
        ),
        equations=(
            "ALI = BMI in kg/m2 * albumin in g/dL / NLR",
            "BMI = weight / height^2; NLR = neutrophils / lymphocytes",
            "poor: ALI < 18",
        ),
        references=(
            Reference(
                citation="Jafri SH et al., BMC Cancer 2013;13:158", doi="10.1186/1471-2407-13-158", verified=False
            ),
        ),
        leaves_out=_blood.LEAVES_OUT,
        known_failures=(_blood.PROGNOSTIC,),
        coefficients=(
            Coefficient(
                name="cut-off", value=POOR, unit="1", evidence="published", source="Jafri 2013", verified=False
            ),
        ),
        example={
            WEIGHT: 70.0,
            HEIGHT: 168.0,
            _blood.ALBUMIN: 40.0,
            _blood.NEUTROPHILS: 4.2,
            _blood.LYMPHOCYTES: 1.5,
            "patient.cancer_type": "nsclc",
        },
        known_values=tuple(
            KnownValue(
                inputs={
                    WEIGHT: bmi,
                    HEIGHT: 100.0,
                    _blood.ALBUMIN: albumin,
                    _blood.NEUTROPHILS: neutrophils,
                    _blood.LYMPHOCYTES: lymphocytes,
                },
                expected={"advanced_lung_cancer_inflammation_index": value},
                absolute_tolerance=1e-4,
                source="definition in Jafri 2013 (height 1 m, so that the weight in kg is the BMI)",
            )
            for bmi, albumin, neutrophils, lymphocytes, value in (
                (25.0, 40.0, 4.2, 1.5, 35.7143),
                (21.0, 32.0, 9.0, 1.0, 7.4667),
                (24.0, 35.0, 6.0, 2.0, 28.0),
                (31.0, 39.0, 5.1, 0.8, 18.9647),
            )
        ),
        increases_with=(WEIGHT, _blood.ALBUMIN, _blood.LYMPHOCYTES),
        decreases_with=(HEIGHT, _blood.NEUTROPHILS),
        validated_on_patients=True,
        history=("1.0.0: first version.", "1.1.0: the stage is compared with the cohort."),
    )

    def predict(self, covariates: Mapping[str, Value]) -> tuple[Prediction, ...]:
        """Return the index and its group."""
        nlr = neutrophil_lymphocyte_ratio(covariates)
        if nlr <= 0:
            raise NotApplicable("the index is not defined without neutrophils")
        bmi_kg_per_m2 = number(covariates, WEIGHT) / (number(covariates, HEIGHT) / 100) ** 2
        value = round(bmi_kg_per_m2 * number(covariates, _blood.ALBUMIN) / 10 / nlr, 9)
        return (
            Prediction(
                outcome="advanced_lung_cancer_inflammation_index",
                value=value,
                unit="points",
                group="poor" if value < POOR else "good",
            ),
        )
