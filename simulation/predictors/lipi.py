"""Lung Immune Prognostic Index."""

from collections.abc import Mapping

from simulation.model import Coefficient, KnownValue, ModelCard, Performance, Prediction, Reference, Value
from simulation.predictors import _blood
from simulation.predictors._answers import points, published
from simulation.predictors._arithmetic import number
from simulation.predictors._inputs import CANCER_TYPES, checkpoint_class, chosen, measured, stage
from simulation.predictors.dnlr import HIGH as HIGH_DNLR
from simulation.predictors.dnlr import derived_neutrophil_lymphocyte_ratio

GROUPS = ("good", "intermediate", "poor")
_AGAINST_GOOD = "Relative to the good group (0 points); meta-analysis of 35 studies, 9,959 patients."


def _relative(group: str, *rows: tuple[str, float, str, tuple[float, float] | None]) -> tuple[Prediction, ...]:
    return tuple(
        published(outcome, value, unit, bounds, group=group, note=_AGAINST_GOOD, references=(1,))
        for outcome, value, unit, bounds in rows
    )


BY_GROUP = {
    "good": (),
    "intermediate": _relative(
        "intermediate",
        ("overall_survival", 1.69, "hazard_ratio", (1.55, 1.85)),
        ("progression_free_survival", 1.41, "hazard_ratio", None),
        ("objective_response", 0.63, "odds_ratio", (0.54, 0.75)),
        ("disease_control", 0.47, "odds_ratio", (0.35, 0.61)),
    ),
    "poor": _relative(
        "poor",
        ("overall_survival", 3.03, "hazard_ratio", (2.53, 3.63)),
        ("progression_free_survival", 2.23, "hazard_ratio", None),
        ("objective_response", 0.38, "odds_ratio", (0.29, 0.50)),
    ),
}


class Model:
    """dNLR above 3 and LDH above the upper limit of normal: one point each."""

    card = ModelCard(
        id="lipi",
        version="1.1.0",
        title="Lung Immune Prognostic Index (LIPI)",
        kind="predictor",
        outcome="overall survival, progression-free survival and response by group",
        purpose="Sorts patients with NSCLC into three prognostic groups before checkpoint inhibitors.",
        population="Patients with advanced NSCLC under immune checkpoint inhibitors",
        cancer_types=("nsclc",),
        inputs=(
            measured(_blood.NEUTROPHILS),
            measured(_blood.LEUKOCYTES),
            measured(_blood.LDH),
            chosen("patient.cancer_type", CANCER_TYPES, ("nsclc",), required=False),
            checkpoint_class(),
            stage("III", "IV"),
        ),
        equations=(
            "points = [dNLR > 3] + [LDH > upper limit of normal]",
            "0 good, 1 intermediate, 2 poor",
            "dNLR = neutrophils / (leukocytes - neutrophils)",
        ),
        references=(
            Reference(
                citation="Mezquita L et al., JAMA Oncol 2018;4:351",
                doi="10.1001/jamaoncol.2017.4771",
                verified=False,
            ),
            Reference(citation="Guo et al., BMC Cancer 2024 (meta-analysis)", doi="10.1186/s12885-024-12271-0"),
            Reference(
                citation="Kazandjian D et al., JAMA Oncol 2019 (pooled FDA analysis: not predictive)",
                doi="10.1001/jamaoncol.2019.1747",
            ),
        ),
        leaves_out=_blood.LEAVES_OUT,
        known_failures=(_blood.PROGNOSTIC,),
        coefficients=(
            Coefficient(
                name="cut-off of LDH over its upper limit",
                value=_blood.UPPER_LIMIT,
                unit="1",
                evidence="published",
                source="doi:10.1001/jamaoncol.2017.4771",
                verified=False,
            ),
        ),
        example={_blood.NEUTROPHILS: 5.1, _blood.LEUKOCYTES: 6.9, _blood.LDH: 1.2, "patient.cancer_type": "nsclc"},
        known_values=tuple(
            KnownValue(
                inputs={_blood.NEUTROPHILS: neutrophils, _blood.LEUKOCYTES: leukocytes, _blood.LDH: ldh},
                expected={"lipi_score": value, "lipi_score.group": GROUPS[int(value)]},
                absolute_tolerance=0.0,
                source="definition in doi:10.1001/jamaoncol.2017.4771",
            )
            for neutrophils, leukocytes, ldh, value in (
                (4.2, 6.4, 0.8, 0.0),
                (9.0, 11.0, 1.4, 2.0),
                (6.0, 8.0, 1.0, 0.0),
                (5.1, 6.9, 1.2, 1.0),
            )
        ),
        performance=(
            Performance(
                metric="AUC, objective response",
                value=0.606,
                lower=0.546,
                upper=0.665,
                level=0.95,
                n=429,
                data="independent cohort of Zhao et al. 2021",
                source="Zhao 2021",
                in_sample=False,
            ),
            Performance(
                metric="AUC, progression-free at 6 months",
                value=0.642,
                n=429,
                data="independent cohort of Zhao et al. 2021",
                source="Zhao 2021",
                in_sample=False,
            ),
        ),
        increases_with=(_blood.NEUTROPHILS, _blood.LDH),
        decreases_with=(_blood.LEUKOCYTES,),
        validated_on_patients=True,
        history=("1.0.0: first version.", "1.1.0: the stage is compared with the cohort."),
    )

    def predict(self, covariates: Mapping[str, Value]) -> tuple[Prediction, ...]:
        """Return the points with the group, and what the meta-analysis found for the group."""
        score, shares = points(
            (_blood.DNLR, derived_neutrophil_lymphocyte_ratio(covariates) > HIGH_DNLR),
            (_blood.LDH, number(covariates, _blood.LDH) > _blood.UPPER_LIMIT),
        )
        group = GROUPS[score]
        return (
            Prediction(
                outcome="lipi_score",
                value=score,
                unit="points",
                group=group,
                contributions=shares,
                note=_blood.PROGNOSTIC,
            ),
            *BY_GROUP[group],
        )
