"""Gustave Roussy Immune Score."""

from collections.abc import Mapping

from simulation.model import Coefficient, KnownValue, ModelCard, Performance, Prediction, Reference, Value
from simulation.predictors import _blood
from simulation.predictors._answers import points, published
from simulation.predictors._arithmetic import neutrophil_lymphocyte_ratio, number
from simulation.predictors._inputs import checkpoint_class, measured, stage

HIGH_NLR = 6.0
HIGH_POINTS = 2
_BIGOT = "10.1016/j.ejca.2017.07.027"
_AGAINST_LOW = "Relative to the low group (0 or 1 point); meta-analysis of 4,997 patients."
BY_GROUP = {
    "low": (),
    "high": (
        published(
            "overall_survival",
            2.07,
            "hazard_ratio",
            (1.73, 2.48),
            group="high",
            note=_AGAINST_LOW,
            references=(1,),
        ),
        published(
            "progression_free_survival",
            1.42,
            "hazard_ratio",
            (1.22, 1.66),
            group="high",
            note=_AGAINST_LOW,
            references=(1,),
        ),
    ),
}


class Model:
    """NLR above 6, LDH above normal, albumin below 35 g/L: one point each."""

    card = ModelCard(
        id="grim",
        version="1.1.0",
        title="Gustave Roussy Immune Score (GRIm)",
        kind="predictor",
        outcome="overall and progression-free survival by group",
        purpose="Sorts patients in early trials of immunotherapy into two prognostic groups.",
        population="Patients with advanced solid tumors in phase I trials of immunotherapy (n = 155 and 113)",
        inputs=(
            measured(_blood.NEUTROPHILS),
            measured(_blood.LYMPHOCYTES),
            measured(_blood.LDH),
            measured(_blood.ALBUMIN),
            checkpoint_class(),
            stage("III", "IV"),
        ),
        equations=(
            "points = [NLR > 6] + [LDH > upper limit of normal] + [albumin < 35 g/L]",
            "0 or 1 low, 2 or 3 high",
        ),
        references=(
            Reference(citation="Bigot F et al., Eur J Cancer 2017;84:212", doi=_BIGOT),
            Reference(citation="Meta-analysis of the GRIm score under immunotherapy, n = 4,997"),
        ),
        leaves_out=_blood.LEAVES_OUT,
        known_failures=(_blood.PROGNOSTIC,),
        coefficients=tuple(
            Coefficient(name=name, value=value, unit=unit, evidence="published", source=f"doi:{_BIGOT}")
            for name, value, unit in (
                ("cut-off of NLR", HIGH_NLR, "1"),
                ("cut-off of LDH over its upper limit", _blood.UPPER_LIMIT, "1"),
                ("cut-off of albumin", _blood.LOW_ALBUMIN_G_PER_L, "g/L"),
            )
        ),
        example={_blood.NEUTROPHILS: 5.1, _blood.LYMPHOCYTES: 0.8, _blood.LDH: 1.2, _blood.ALBUMIN: 39.0},
        known_values=tuple(
            KnownValue(
                inputs={
                    _blood.NEUTROPHILS: neutrophils,
                    _blood.LYMPHOCYTES: lymphocytes,
                    _blood.LDH: ldh,
                    _blood.ALBUMIN: albumin,
                },
                expected={"grim_score": value, "grim_score.group": group},
                absolute_tolerance=0.0,
                source=f"definition in doi:{_BIGOT}",
            )
            for neutrophils, lymphocytes, ldh, albumin, value, group in (
                (4.2, 1.5, 0.8, 40.0, 0.0, "low"),
                (9.0, 1.0, 1.4, 32.0, 3.0, "high"),
                (6.0, 2.0, 1.0, 35.0, 0.0, "low"),
                (5.1, 0.8, 1.2, 39.0, 2.0, "high"),
            )
        ),
        performance=(
            Performance(
                metric="hazard ratio of death, NLR > 6",
                value=1.75,
                lower=1.04,
                upper=2.95,
                level=0.95,
                n=155,
                data="derivation cohort",
                source=f"doi:{_BIGOT}",
                in_sample=True,
            ),
        ),
        increases_with=(_blood.NEUTROPHILS, _blood.LDH),
        decreases_with=(_blood.LYMPHOCYTES, _blood.ALBUMIN),
        validated_on_patients=True,
        history=("1.0.0: first version.", "1.1.0: the stage is compared with the cohort."),
    )

    def predict(self, covariates: Mapping[str, Value]) -> tuple[Prediction, ...]:
        """Return the points with the group, and what the meta-analysis found for the group."""
        score, shares = points(
            (_blood.NLR, neutrophil_lymphocyte_ratio(covariates) > HIGH_NLR),
            (_blood.LDH, number(covariates, _blood.LDH) > _blood.UPPER_LIMIT),
            (_blood.ALBUMIN, number(covariates, _blood.ALBUMIN) < _blood.LOW_ALBUMIN_G_PER_L),
        )
        group = "high" if score >= HIGH_POINTS else "low"
        return (
            Prediction(outcome="grim_score", value=score, unit="points", group=group, contributions=shares),
            *BY_GROUP[group],
        )
