"""Complication models fed by the dose summaries of a plan; every number is that of the clinical table."""

from collections.abc import Callable, Mapping

from simulation.model import (
    Coefficient,
    Contribution,
    Input,
    Interval,
    KnownValue,
    ModelCard,
    Prediction,
    Reference,
    Value,
)
from simulation.predictors._arithmetic import logistic, number
from simulation.predictors._dose_intervals import interval_of
from simulation.predictors._inputs import chosen, flag, measured
from simulation.radiation.clinical import MODELS, ClinicalModel

LUNG = "plan.mean_lung_dose_gy"
HEART = "plan.mean_heart_dose_gy"
ESOPHAGUS = "plan.mean_esophagus_dose_gy"
BODY = "plan.mean_body_dose_gy"
LUNG_EQD2 = "plan.mean_lung_eqd2_gy"
HEART_EQD2 = "plan.mean_heart_eqd2_gy"
ESOPHAGUS_EQD2 = "plan.mean_esophagus_eqd2_gy"
ESOPHAGUS_D3CC = "plan.esophagus_d3cc_eqd2_gy"
HEART_D10 = "plan.heart_d10_percent_gy"
FRACTION_DOSE = "plan.dose_per_fraction_gy"
FRACTIONS = "plan.fraction_count"
CHEMOTHERAPY = "plan.chemotherapy_with_radiotherapy"
AGE = "patient.age_years"
SMOKING = "patient.smoking_status"
SEX = "patient.sex"
T_STAGE = "patient.clinical_t_stage"
COMORBIDITY = "patient.conditions.pulmonary_comorbidity"
LOBE = "patient.conditions.tumor_in_mid_or_lower_lobe"

AGE_CUT_OFF_YEARS = 63.0
CONVENTIONAL_GY = (1.0, 3.0)
HYPOFRACTIONATED_GY = (3.0, 40.0)
CLINICAL: Mapping[str, ClinicalModel] = {model.id: model for model in MODELS}
PLAN_MEANS = (
    "Dose means of the plan are taken as they are. POST /v1/doses/dvh evaluates the same model on the whole "
    "dose-volume histogram, corrected for fractionation."
)
LEAVES_OUT = ("The shape of the dose distribution beyond the stated summary.", "Differences in radiosensitivity.")
MANY_HEARTS = "An association within one cohort; a later cohort under immunotherapy did not find it for cardiac events."


FACTORS: Mapping[str, Callable[[Mapping[str, Value]], bool]] = {
    "pulmonary_comorbidity": lambda covariates: covariates[COMORBIDITY] is True,
    "middle_or_lower_lobe": lambda covariates: covariates[LOBE] is True,
    "age_over_63": lambda covariates: number(covariates, AGE) > AGE_CUT_OFF_YEARS,
    "sequential_chemotherapy": lambda covariates: covariates[CHEMOTHERAPY] == "sequential",
    "concurrent_chemotherapy": lambda covariates: covariates[CHEMOTHERAPY] == "concurrent",
    "former_smoker": lambda covariates: covariates[SMOKING] == "former",
    "current_smoker": lambda covariates: covariates[SMOKING] == "current",
    "female": lambda covariates: covariates[SEX] == "female",
    "t_stage_3_or_4": lambda covariates: covariates[T_STAGE] in ("T3", "T4"),
}
"""How the factors of the clinical table are read from the covariates."""


def conventional() -> Input:
    """Return the fraction size that cohorts of conventional radiotherapy had."""
    return measured(FRACTION_DOSE, CONVENTIONAL_GY, required=False, why="The cohort had conventional fractions.")


def hypofractionated() -> Input:
    """Return the fraction size that cohorts of hypofractionated radiotherapy had."""
    return measured(FRACTION_DOSE, HYPOFRACTIONATED_GY, required=False, why="The cohort had large fractions.")


def smoking() -> Input:
    """Return the smoking status."""
    return chosen(SMOKING, ("never", "former", "current"))


def chemotherapy() -> Input:
    """Return how chemotherapy and radiotherapy go together."""
    return chosen(CHEMOTHERAPY, ("none", "sequential", "concurrent"))


def comorbidity() -> Input:
    """Return the pulmonary comorbidity."""
    return flag(COMORBIDITY)


def lobe() -> Input:
    """Return whether the tumor is in the middle or lower lobe."""
    return flag(LOBE)


def factors_present(model: ClinicalModel, covariates: Mapping[str, Value]) -> dict[str, bool]:
    """Return the yes-or-no factors of a clinical model, read from the covariates.

    Parameters
    ----------
    model : ClinicalModel
        Its ``flags`` name the factors.
    covariates : mapping
        Holds what the factors depend on.

    Returns
    -------
    dict
        One entry per factor of the model.
    """
    return {name: FACTORS[name](covariates) for name in model.flags}


def linear_score(
    model: ClinicalModel, doses: Mapping[str, float], covariates: Mapping[str, Value]
) -> tuple[float, tuple[Contribution, ...]]:
    """Return intercept plus doses plus factors, and what each adds to it.

    Parameters
    ----------
    model : ClinicalModel
        With a logit link.
    doses : mapping
        Covariate name to dose in Gy, in the order of the model's terms.
    covariates : mapping
        Holds what the factors depend on.

    Returns
    -------
    float, tuple of Contribution
        Log-odds; contributions are against zero dose and no factor.
    """
    score = model.intercept
    shares = []
    for term, (name, dose) in zip(model.terms, doses.items(), strict=True):
        score += term.coefficient * dose
        shares.append(Contribution(name, term.coefficient * dose, "log-odds"))
    for name, present in factors_present(model, covariates).items():
        share = model.flags[name] if present else 0.0
        score += share
        shares.append(Contribution(name, share, "log-odds"))
    return score, tuple(shares)


def probability(
    identifier: str, outcome: str, doses: tuple[str, ...], covariates: Mapping[str, Value], note: str | None = None
) -> Prediction:
    """Return the complication probability of a clinical model.

    Parameters
    ----------
    identifier : str
        Id in the clinical table.
    outcome : str
        Name of the outcome on the wire.
    doses : tuple of str
        Covariates of the model's terms, in their order.
    covariates : mapping
        One patient.
    note : str, optional
        Goes with the value, before that on the interval; the table's own note by default.

    Returns
    -------
    Prediction
        The probability with its interval and contributions.
    """
    model = CLINICAL[identifier]
    given = {name: number(covariates, name) for name in doses}
    score, shares = linear_score(model, given, covariates)
    return Prediction(
        outcome=outcome,
        value=logistic(score),
        unit="probability",
        interval=interval_of(identifier, list(given.values()), score, factors_present(model, covariates)),
        contributions=shares,
        note=" ".join(filter(None, (note or model.note, model.interval_note))),
        horizon_days=model.horizon_days,
    )


def risk_multiple(identifier: str, outcome: str, dose: str, covariates: Mapping[str, Value]) -> Prediction:
    """Return a relative risk or hazard ratio of a clinical model with one dose.

    Parameters
    ----------
    identifier : str
        Id in the clinical table.
    outcome : str
        Name of the outcome on the wire.
    dose : str
        Covariate of the model's only term.
    covariates : mapping
        One patient.

    Returns
    -------
    Prediction
        The multiple with the image of the coefficient's interval.
    """
    model = CLINICAL[identifier]
    gray = number(covariates, dose)
    relative = model.link == "relative_risk"

    def multiple(coefficient: float) -> float:
        return 1.0 + coefficient * gray if relative else coefficient**gray

    source = model.coefficient_interval
    return Prediction(
        outcome=outcome,
        value=multiple(model.terms[0].coefficient),
        unit="relative_risk" if relative else "hazard_ratio",
        interval=None
        if source is None
        else Interval(level=source.level, lower=multiple(source.lower), upper=multiple(source.upper)),
        note=model.note,
    )


def coefficient_rows(*identifiers: str) -> tuple[Coefficient, ...]:
    """Return the numbers of clinical models for a card."""
    rows = []
    for identifier in identifiers:
        model = CLINICAL[identifier]
        source = model.reference.doi or model.reference.citation

        def row(
            name: str,
            value: float,
            unit: str,
            identifier: str = identifier,
            source: str = source,
            verified: bool = model.reference.verified,
        ) -> Coefficient:
            return Coefficient(
                name=f"{identifier}: {name}",
                value=value,
                unit=unit,
                evidence="published",
                source=source,
                verified=verified,
            )

        if model.link == "logit":
            rows.append(row("intercept", model.intercept, "1"))
        rows += [row(term.label, term.coefficient, "1/Gy") for term in model.terms]
        rows += [row(name, value, "log-odds") for name, value in model.flags.items()]
    return tuple(rows)


def logistic_equations(identifier: str, doses: tuple[str, ...]) -> tuple[str, ...]:
    """Return the equations of a logit model as text."""
    model = CLINICAL[identifier]
    terms = " ".join(f"{term.coefficient:+.6g} * {name}" for term, name in zip(model.terms, doses, strict=True))
    factors = " ".join(f"{value:+.6g} [{name}]" for name, value in model.flags.items())
    return ("p = 1 / (1 + exp(-s))", f"s = {model.intercept:g} {terms} {factors}".rstrip())


def dose_card(
    *,
    identifier: str,
    title: str,
    outcome: str,
    models: tuple[str, ...],
    inputs: tuple[Input, ...],
    equations: tuple[str, ...],
    example: dict[str, Value],
    known_values: tuple[KnownValue, ...],
    increases_with: tuple[str, ...],
    decreases_with: tuple[str, ...] = (),
    known_failures: tuple[str, ...] = (),
    cancer_types: tuple[str, ...] = (),
    references: tuple[Reference, ...] = (),
    version: str = "1.0.0",
    changes: tuple[str, ...] = (),
) -> ModelCard:
    """Return the card of a predictor that evaluates clinical models on plan summaries.

    Parameters
    ----------
    identifier, title, outcome : str
        As on the card.
    models : tuple of str
        Ids in the clinical table.
    inputs, equations, example, known_values, increases_with, decreases_with : tuple or dict
        As on the card.
    known_failures, cancer_types, references : tuple
        Added to what the table gives.
    version : str
        As on the card.
    changes : tuple of str
        History after the first version.

    Returns
    -------
    ModelCard
        The card.
    """
    used = [CLINICAL[name] for name in models]
    sources = dict.fromkeys(model.reference for model in used)
    return ModelCard(
        id=identifier,
        version=version,
        title=title,
        kind="predictor",
        outcome=outcome,
        purpose="Population risk of a complication from the dose summaries of a plan, for research.",
        population=" ".join(dict.fromkeys(model.population for model in used)),
        cancer_types=cancer_types,
        inputs=inputs,
        equations=equations,
        references=(*sources, *references),
        leaves_out=LEAVES_OUT,
        known_failures=(PLAN_MEANS, *known_failures),
        coefficients=coefficient_rows(*models),
        example=example,
        known_values=known_values,
        increases_with=increases_with,
        decreases_with=decreases_with,
        validated_on_patients=False,
        license_and_patents="Published coefficients; no code of the library that lists them is used.",
        history=("1.0.0: first version.", *changes),
    )
