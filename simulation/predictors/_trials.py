"""What the look-ups of trial results share: entry criteria as inputs, and the remarks."""

from simulation.model import Coefficient, Input, KnownValue, ModelCard, Prediction, Reference, Value
from simulation.predictors._dose import CONVENTIONAL_GY
from simulation.predictors._inputs import STAGES, chosen, flag, measured, only_cancer_type
from simulation.predictors._schedules import DOSE

CANCER_TYPE = "patient.cancer_type"
STAGE = "patient.stage"
ECOG = "patient.ecog"
PD_L1 = "patient.biomarkers.pd_l1_tps_percent"
EGFR = "patient.biomarkers.egfr_mutant"
PRIOR_THERAPY = "patient.prior_systemic_therapy"
PRIOR_IMMUNOTHERAPY = "patient.prior_immunotherapy"
AGENTS = "plan.agents"
CHEMOTHERAPY = "plan.with_chemotherapy"
RADIOTHERAPY = "plan.radiotherapy"
WITH_RADIOTHERAPY = "plan.chemotherapy_with_radiotherapy"
DRUG_START = "plan.drug_start_after_radiotherapy_days"
FIRST_FRACTION = "plan.drug_start_after_first_fraction_days"
TOTAL_DOSE = "plan.total_dose_gy"
TOGETHER_DAYS = (-14.0, 7.0)

LOOK_UP = "Look-up of the trial's result for its entry criteria; no interpolation between strata."
NOT_A_MODEL = (
    "The result of a trial population: patients who fulfil its entry criteria still differ from one another, and "
    "nothing is adjusted for them."
)
LEAVES_OUT = ("Every covariate that is not an entry criterion or a stratum.",)
NO_GAIN = "No gain from the combination was shown."


def agents(*accepted: str) -> Input:
    """Return the planned checkpoint inhibitors as an entry criterion."""
    return chosen(AGENTS, accepted, accepted, why="The trial gave this treatment.")


def no_chemotherapy() -> Input:
    """Return the criterion that the drug is given without chemotherapy."""
    return chosen(CHEMOTHERAPY, ("false",), ("false",), why="The trial gave the antibody alone.")


def no_added_chemotherapy() -> Input:
    """Return the remark that the regimen of the antibody had no chemotherapy."""
    return flag(CHEMOTHERAPY, derivation=False, required=False, why="The trial gave the antibody without it.")


def no_radiotherapy() -> Input:
    """Return the remark that the treatment of the trial had no radiotherapy."""
    return flag(RADIOTHERAPY, derivation=False, required=False, why="The trial gave the drugs without radiotherapy.")


def together(last_day: float = TOGETHER_DAYS[1]) -> Input:
    """Return the remark that drug and radiotherapy started together, the drug up to ``last_day`` later."""
    return measured(
        FIRST_FRACTION,
        (TOGETHER_DAYS[0], last_day),
        required=False,
        why="The trial gave drug and radiotherapy together; the window in days is ours.",
    )


def conventional() -> Input:
    """Return the fraction size of conventional chemoradiotherapy."""
    return measured(DOSE, CONVENTIONAL_GY, required=False, why="The trial gave conventional fractions.")


def with_radiotherapy() -> Input:
    """Return the criterion that radiotherapy is part of the plan."""
    return chosen(RADIOTHERAPY, ("true",), ("true",), why="The trial arm had radiotherapy.")


def chemoradiotherapy() -> Input:
    """Return the criterion that chemotherapy is given during the radiotherapy."""
    return chosen(WITH_RADIOTHERAPY, ("concurrent",), ("concurrent",), why="The trial gave chemoradiotherapy.")


def first_line() -> Input:
    """Return the criterion of no systemic therapy before."""
    return chosen(PRIOR_THERAPY, ("false",), ("false",), why="The trial was first-line.")


def untreated() -> Input:
    """Return the remark that the trial's patients had no systemic therapy before."""
    return flag(PRIOR_THERAPY, derivation=False, required=False, why="Entry criterion.")


def pretreated() -> Input:
    """Return the criterion of systemic therapy before."""
    return chosen(PRIOR_THERAPY, ("true",), ("true",), why="The trial enrolled pretreated patients.")


def untreated_with_immunotherapy() -> Input:
    """Return the remark that the trial's patients had no immunotherapy before."""
    return chosen(
        PRIOR_IMMUNOTHERAPY, ("none", "responded", "refractory"), ("none",), required=False, why="Entry criterion."
    )


def no_egfr_mutation() -> Input:
    """Return the remark that the trial excluded EGFR mutations."""
    return flag(EGFR, derivation=False, required=False, why="The trial excluded sensitizing mutations.")


def advanced() -> Input:
    """Return the remark that the trial enrolled advanced disease."""
    return stage("III", "IV")


def stage(*enrolled: str) -> Input:
    """Return the stages that the trial enrolled."""
    return chosen(STAGE, STAGES, enrolled, required=False, why="Entry criterion.")


def good_performance() -> Input:
    """Return the ECOG range that most trials enrolled."""
    return measured(ECOG, (0.0, 1.0), required=False, why="Entry criterion.")


def _figure(answer: Prediction, references: tuple[Reference, ...]) -> Coefficient:
    cited = [references[position] for position in answer.references] or list(references)
    group = "" if answer.group is None else f", {answer.group}"
    horizon = "" if answer.horizon_days is None else f", at {answer.horizon_days} d"
    interval = answer.interval
    return Coefficient(
        name=f"{answer.outcome}{group}{horizon}",
        value=answer.value,
        unit=answer.unit,
        evidence="computed" if answer.unit == "probability_difference" else "published",
        source="; ".join(dict.fromkeys(reference.citation for reference in cited)),
        verified=all(reference.verified for reference in cited),
        lower=None if interval is None else interval.lower,
        upper=None if interval is None else interval.upper,
        level=None if interval is None else interval.level,
    )


def trial_card(
    *,
    identifier: str,
    title: str,
    outcome: str,
    population: str,
    inputs: tuple[Input, ...],
    references: tuple[Reference, ...],
    answers: tuple[Prediction, ...],
    example: dict[str, Value],
    known_values: tuple[KnownValue, ...],
    cancer_types: tuple[str, ...] = (),
    known_failures: tuple[str, ...] = (),
    equations: tuple[str, ...] = (),
    version: str = "1.0.0",
    changes: tuple[str, ...] = (),
) -> ModelCard:
    """Return the card of a look-up of trial results.

    Parameters
    ----------
    identifier, title, outcome, population : str
        As on the card.
    inputs : tuple of Input
        Entry criteria and strata.
    references : tuple of Reference
        The publications that print the figures.
    answers : tuple of Prediction
        Every figure that the look-up may answer; the coefficients of the card.
    example : dict
        Covariates of one patient who fits.
    known_values : tuple of KnownValue
        Printed figures that the look-up gives back.
    cancer_types : tuple of str
        Cancer types that the trial enrolled.
    known_failures, equations : tuple of str
        Further remarks, and how strata are chosen.
    version : str
        As on the card.
    changes : tuple of str
        History after the first version.

    Returns
    -------
    ModelCard
        The card.
    """
    return ModelCard(
        id=identifier,
        version=version,
        title=title,
        kind="predictor",
        outcome=outcome,
        purpose="Shows what a published trial observed in patients who fulfil its entry criteria.",
        population=population,
        cancer_types=cancer_types,
        inputs=inputs,
        equations=(LOOK_UP, *equations),
        references=references,
        coefficients=tuple(_figure(answer, references) for answer in dict.fromkeys(answers)),
        leaves_out=LEAVES_OUT,
        known_failures=(NOT_A_MODEL, *known_failures),
        example=example,
        known_values=known_values,
        validated_on_patients=True,
        license_and_patents="Published summary figures; no text or table is copied.",
        history=("1.0.0: first version.", *changes),
    )


NSCLC = only_cancer_type("nsclc")
HEAD_AND_NECK = only_cancer_type("head_and_neck")
