"""EPSILoN score."""

from collections.abc import Mapping

from simulation.model import Coefficient, KnownValue, ModelCard, Performance, Prediction, Reference, Value
from simulation.predictors import _blood
from simulation.predictors._answers import points, published
from simulation.predictors._arithmetic import neutrophil_lymphocyte_ratio, number
from simulation.predictors._inputs import checkpoint_class, flag, measured, only_cancer_type, stage

ECOG = "patient.ecog"
PACK_YEARS = "patient.smoking_pack_years"
LIVER = "patient.liver_metastases"
PRIOR_THERAPY = "patient.prior_systemic_therapy"
LDH_U_PER_L = "patient.labs.ldh_u_per_l"
POOR_ECOG = 2.0
HEAVY_SMOKING_PACK_YEARS = 43.0
HIGH_LDH_U_PER_L = 400.0
HIGH_NLR = 4.0
INTERMEDIATE_POINTS = 2
HIGH_POINTS = 3
_DERIVATION = "10.1016/j.cllc.2019.11.017"
_GROUP_UNREAD = "The cut-points of the groups (0 or 1, 2, 3 or more) were not re-read in the paper."


def _medians(group: str, progression_free_months: float, overall_months: float) -> tuple[Prediction, ...]:
    note = f"Median of the validation cohort (n = 193). {_GROUP_UNREAD}"
    return (
        published(
            "progression_free_survival", progression_free_months, "months", group=group, note=note, references=(1, 2)
        ),
        published("overall_survival", overall_months, "months", group=group, note=note, references=(1, 2)),
    )


BY_GROUP = {
    "low": _medians("low", 6.0, 24.5),
    "intermediate": _medians("intermediate", 3.8, 8.9),
    "high": _medians("high", 1.9, 3.4),
}


class Model:
    """Five factors of one point each: ECOG 2, little smoking, liver metastases, LDH, NLR."""

    card = ModelCard(
        id="epsilon",
        version="1.1.0",
        title="EPSILoN score",
        kind="predictor",
        outcome="progression-free and overall survival by group",
        purpose="Sorts patients with pretreated NSCLC into three groups before checkpoint inhibitors.",
        population="Patients with advanced NSCLC under second-line checkpoint inhibitors (n = 154; validation n = 193)",
        cancer_types=("nsclc",),
        inputs=(
            measured(ECOG, (0.0, 2.0)),
            measured(PACK_YEARS),
            flag(LIVER),
            measured(LDH_U_PER_L, why="Absolute activity: the cut-off depends on the assay."),
            measured(_blood.NEUTROPHILS),
            measured(_blood.LYMPHOCYTES),
            only_cancer_type("nsclc"),
            checkpoint_class(),
            stage("III", "IV"),
            flag(PRIOR_THERAPY, derivation=True, required=False, why="The cohort was under second-line treatment."),
        ),
        equations=(
            "points = [ECOG >= 2] + [pack-years <= 43] + [liver metastases] + [LDH >= 400 U/L] + [NLR >= 4]",
            "0 or 1 low, 2 intermediate, 3 or more high",
        ),
        references=(
            Reference(citation="Prelaj A et al., Clin Lung Cancer 2020 (derivation)", doi=_DERIVATION),
            Reference(citation="Prelaj A et al., Cancers 2019;11:1954 (validation)", doi="10.3390/cancers11121954"),
            Reference(
                citation="Cut-points of the groups and the direction of the smoking factor, Prelaj A et al. 2020",
                doi=_DERIVATION,
                verified=False,
            ),
        ),
        leaves_out=_blood.LEAVES_OUT,
        known_failures=(
            "LDH is printed in mg/dL in the paper; it is an activity and is read here as U/L.",
            _GROUP_UNREAD,
        ),
        coefficients=tuple(
            Coefficient(name=name, value=value, unit=unit, evidence="published", source=f"doi:{_DERIVATION}")
            for name, value, unit in (
                ("cut-off of ECOG", POOR_ECOG, "1"),
                ("cut-off of smoking", HEAVY_SMOKING_PACK_YEARS, "pack-years"),
                ("cut-off of LDH", HIGH_LDH_U_PER_L, "U/L"),
                ("cut-off of NLR", HIGH_NLR, "1"),
            )
        ),
        example={
            ECOG: 1,
            PACK_YEARS: 30.0,
            LIVER: False,
            LDH_U_PER_L: 220.0,
            _blood.NEUTROPHILS: 5.0,
            _blood.LYMPHOCYTES: 1.6,
            "patient.cancer_type": "nsclc",
        },
        known_values=tuple(
            KnownValue(
                inputs={
                    ECOG: ecog,
                    PACK_YEARS: pack_years,
                    LIVER: liver,
                    LDH_U_PER_L: ldh,
                    _blood.NEUTROPHILS: nlr,
                    _blood.LYMPHOCYTES: 1.0,
                    "patient.cancer_type": "nsclc",
                },
                expected={"epsilon_score": value},
                absolute_tolerance=0.0,
                source=f"definition in doi:{_DERIVATION}",
            )
            for ecog, pack_years, liver, ldh, nlr, value in (
                (1, 60.0, False, 250.0, 2.0, 0.0),
                (2, 60.0, False, 400.0, 3.9, 2.0),
                (2, 10.0, True, 520.0, 6.0, 5.0),
                (1, 43.0, False, 399.0, 4.0, 2.0),
            )
        ),
        performance=(
            Performance(
                metric="AUC, objective response",
                value=0.666,
                data="independent cohort of Zhao et al. 2021",
                source="Zhao 2021",
                in_sample=False,
            ),
            Performance(
                metric="AUC, progression-free at 6 months",
                value=0.633,
                data="independent cohort of Zhao et al. 2021",
                source="Zhao 2021",
                in_sample=False,
            ),
        ),
        increases_with=(ECOG, LIVER, LDH_U_PER_L, _blood.NEUTROPHILS),
        decreases_with=(PACK_YEARS, _blood.LYMPHOCYTES),
        validated_on_patients=True,
        history=("1.0.0: first version.", "1.1.0: stage and earlier therapy are compared with the cohort."),
    )

    def predict(self, covariates: Mapping[str, Value]) -> tuple[Prediction, ...]:
        """Return the points with the group, and the median survival times of the group."""
        score, shares = points(
            (ECOG, number(covariates, ECOG) >= POOR_ECOG),
            (PACK_YEARS, number(covariates, PACK_YEARS) <= HEAVY_SMOKING_PACK_YEARS),
            (LIVER, bool(covariates[LIVER])),
            (LDH_U_PER_L, number(covariates, LDH_U_PER_L) >= HIGH_LDH_U_PER_L),
            (_blood.NLR, neutrophil_lymphocyte_ratio(covariates) >= HIGH_NLR),
        )
        group = "high" if score >= HIGH_POINTS else "intermediate" if score >= INTERMEDIATE_POINTS else "low"
        return (
            Prediction(
                outcome="epsilon_score",
                value=score,
                unit="points",
                group=group,
                contributions=shares,
                note=_GROUP_UNREAD,
            ),
            *BY_GROUP[group],
        )
