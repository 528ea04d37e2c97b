"""Royal Marsden Hospital score."""

from collections.abc import Mapping

from simulation.model import Coefficient, KnownValue, ModelCard, Prediction, Reference, Value
from simulation.predictors import _blood
from simulation.predictors._answers import points
from simulation.predictors._arithmetic import number
from simulation.predictors._inputs import measured, stage

SITES = "patient.metastatic_site_count"
MANY_SITES = 2.0
HIGH_POINTS = 2
_ARKENAU = "10.1200/JCO.2008.19.5081"


class Model:
    """LDH above normal, albumin below 35 g/L, more than two metastatic sites: one point each."""

    card = ModelCard(
        id="rmh",
        version="1.1.0",
        title="Royal Marsden Hospital score (RMH)",
        kind="predictor",
        outcome="prognostic group in early trials",
        purpose="Sorts patients in phase I trials into two prognostic groups.",
        population="Patients with advanced cancer in phase I trials, before the time of checkpoint inhibitors",
        inputs=(measured(_blood.LDH), measured(_blood.ALBUMIN), measured(SITES), stage("III", "IV")),
        equations=(
            "points = [LDH > upper limit of normal] + [albumin < 35 g/L] + [more than 2 metastatic sites]",
            "0 or 1 low, 2 or 3 high",
        ),
        references=(
            Reference(citation="Arkenau H-T et al., J Clin Oncol 2009;27:2692", doi=_ARKENAU, verified=False),
            Reference(citation="Bigot F et al., Eur J Cancer 2017;84:212", doi="10.1016/j.ejca.2017.07.027"),
        ),
        leaves_out=_blood.LEAVES_OUT,
        known_failures=(
            "The number of metastatic sites was not prognostic under immunotherapy (hazard ratio 0.83, 0.51 to 1.35).",
        ),
        coefficients=tuple(
            Coefficient(
                name=name, value=value, unit=unit, evidence="published", source=f"doi:{_ARKENAU}", verified=False
            )
            for name, value, unit in (
                ("cut-off of LDH over its upper limit", _blood.UPPER_LIMIT, "1"),
                ("cut-off of albumin", _blood.LOW_ALBUMIN_G_PER_L, "g/L"),
                ("cut-off of metastatic sites", MANY_SITES, "1"),
            )
        ),
        example={_blood.LDH: 1.2, _blood.ALBUMIN: 39.0, SITES: 4},
        known_values=tuple(
            KnownValue(
                inputs={_blood.LDH: ldh, _blood.ALBUMIN: albumin, SITES: sites},
                expected={"rmh_score": value, "rmh_score.group": group},
                absolute_tolerance=0.0,
                source=f"definition in doi:{_ARKENAU}",
            )
            for ldh, albumin, sites, value, group in (
                (0.8, 40.0, 1, 0.0, "low"),
                (1.4, 32.0, 3, 3.0, "high"),
                (1.0, 35.0, 2, 0.0, "low"),
                (1.2, 39.0, 4, 2.0, "high"),
            )
        ),
        increases_with=(_blood.LDH, SITES),
        decreases_with=(_blood.ALBUMIN,),
        validated_on_patients=True,
        history=("1.0.0: first version.", "1.1.0: the stage is compared with the cohort."),
    )

    def predict(self, covariates: Mapping[str, Value]) -> tuple[Prediction, ...]:
        """Return the points with the group."""
        score, shares = points(
            (_blood.LDH, number(covariates, _blood.LDH) > _blood.UPPER_LIMIT),
            (_blood.ALBUMIN, number(covariates, _blood.ALBUMIN) < _blood.LOW_ALBUMIN_G_PER_L),
            (SITES, number(covariates, SITES) > MANY_SITES),
        )
        return (
            Prediction(
                outcome="rmh_score",
                value=score,
                unit="points",
                group="high" if score >= HIGH_POINTS else "low",
                contributions=shares,
            ),
        )
