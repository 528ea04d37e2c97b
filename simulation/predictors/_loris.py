"""What the fits of the LORIS family share: the linear predictor, its inputs and its remarks."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from simulation.model import Coefficient, Contribution, Evidence, Input, Prediction, Reference, Value
from simulation.predictors._arithmetic import logistic, neutrophil_lymphocyte_ratio
from simulation.predictors._inputs import cancer_type, checkpoint_class, flag, measured, only_cancer_type

CancerTerms = Mapping[str, float]

TMB = "patient.biomarkers.tmb_mutations_per_mb"
PD_L1 = "patient.biomarkers.pd_l1_tps_percent"
ALBUMIN = "patient.labs.albumin_g_per_l"
NEUTROPHILS = "patient.labs.neutrophils_1e9_per_l"
LYMPHOCYTES = "patient.labs.lymphocytes_1e9_per_l"
AGE = "patient.age_years"
PRIOR_THERAPY = "patient.prior_systemic_therapy"
CANCER_TYPE = "patient.cancer_type"
NLR = "neutrophil_lymphocyte_ratio"

TMB_CAP_PER_MB = 50.0
NLR_CAP = 25.0
AGE_CAP_YEARS = 85.0
G_PER_L_IN_G_PER_DL = 10.0
HIGH_SCORE = 0.5
NLR_DERIVATION = (0.3, 87.0)

CHANG_2024 = Reference(
    citation="Chang T-G et al., Nat Cancer 2024;5:1158-1175",
    doi="10.1038/s43018-024-00772-7",
)
README_FIT = Reference(
    citation="Formula as printed in rootchang/LORIS, commit eb87300",
    url="https://github.com/rootchang/LORIS",
)
LUNG_COHORT = Reference(
    citation="Contributions: against the means of 169 NSCLC patients of Chowell_train in the authors' workbook, about "
    "half of the derivation cohort",
    url="https://github.com/rootchang/LORIS",
    evidence="computed",
)
WEB_FIT = Reference(
    citation="Web calculator, rootchang/LORIS_web, commit cd55326",
    url="https://github.com/rootchang/LORIS_web",
)
TRAINING_COHORT = Reference(
    citation="Contributions: against the means of Chowell_train (n = 964) in the authors' workbook",
    url="https://github.com/rootchang/LORIS",
    evidence="computed",
)
RECOVERED = Reference(
    citation="Coefficients recovered from the full-precision scores of sheet MSK_nonICB in the authors' workbook "
    "(largest residual of the log-odds 6e-14); the mesothelioma term is the printed one",
    url="https://github.com/rootchang/LORIS",
    evidence="computed",
)
RERUN = Reference(
    citation="Independent re-run of the authors' fitting procedure on Chowell_train (3,000 of 10,000 resamples, "
    "Monte-Carlo error about 0.005); not a published model",
    evidence="computed",
)
OTHER_FIT = "A score of this fit must not be read against the response rates of another fit."
RECOVERED_REMARK = "The authors print rounded coefficients; this set differs from them in the third digit of the score."
RERUN_REMARK = "Nobody published or validated this reduced model."
RERUN_NOTE = (
    "Ranking score, not a probability, of a reduced model that was re-run here and is not published by its authors."
)
NOT_A_PROBABILITY = (
    "Ranking score, not a probability: the model was fitted with balanced class weights, so the score lies above "
    "the response rate."
)
LICENSE = (
    "Re-implemented from the published formula; the authors' repositories carry GPL-3.0 and no code or table of "
    "theirs is used. A patent application covers related work of the same groups (US 2024/0282410); counsel should "
    "look at it before commercial use."
)
PARTLY_PROGNOSTIC = "The score also orders survival in patients who never had immunotherapy: it is partly prognostic."
POPULATION = (
    "Patients with advanced solid tumors treated with immune checkpoint inhibitors; fitted on 964 patients of one "
    "center (282 responders, treatment start 2015 to 2017)"
)
LUNG_POPULATION = (
    "Patients with advanced NSCLC and a PD-L1 test, treated with immune checkpoint inhibitors at one center "
    "(n = 324, 89 responders)"
)
_WEB_COHORT = "the cohort behind the web calculator's coefficients is not documented"
WEB_POPULATION = f"Patients with advanced solid tumors treated with immune checkpoint inhibitors; {_WEB_COHORT}"
WEB_LUNG_POPULATION = (
    f"Patients with advanced NSCLC and a PD-L1 test, treated with immune checkpoint inhibitors; {_WEB_COHORT}"
)
LEAVES_OUT = (
    "Radiotherapy: no cohort records it.",
    "Drug, dose and line of treatment.",
    "ECOG status, liver metastases, LDH and everything measured after the start of treatment.",
)


@dataclass(frozen=True, kw_only=True)
class LorisFit:
    """One set of coefficients, and the means against which contributions are stated.

    ``coefficients`` has the keys tmb (per mutation per Mb), prior_systemic_therapy, albumin
    (per g/dL), nlr, age (per year) and pd_l1 (per percent), as far as the fit uses them.
    """

    intercept: float
    coefficients: Mapping[str, float]
    reference_means: Mapping[str, float]
    cancer_terms: CancerTerms = field(default_factory=dict)

    @cached_property
    def terms(self) -> tuple[tuple[str, float, float, float, float], ...]:
        """Covariate, divisor, upper truncation, weight and reference mean of every feature."""
        return tuple(
            (*_FEATURES[name], weight, self.reference_means[name]) for name, weight in self.coefficients.items()
        )

    @cached_property
    def reference_cancer_term(self) -> float:
        """Mean cancer term of the training cohort; 0 where the fit has none."""
        total = sum(TRAINING_COUNTS[name] * term for name, term in self.cancer_terms.items())
        return total / sum(TRAINING_COUNTS.values())


PAN_MEANS = {
    "tmb": 9.714523,
    "prior_systemic_therapy": 0.662863,
    "albumin": 3.810581,
    "nlr": 5.831961,
    "age": 61.778320,
}
LUNG_MEANS = {
    "tmb": 8.549704,
    "prior_systemic_therapy": 0.650888,
    "albumin": 3.724852,
    "nlr": 5.835148,
    "age": 64.868352,
    "pd_l1": 30.639053,
}
TRAINING_CLASSES = ("pd1", "pd_l1", "ctla4", "pd1_ctla4", "pd_l1_ctla4")
TRAINING_COUNTS = {
    "bladder": 65,
    "breast": 12,
    "colorectal": 28,
    "endometrial": 27,
    "esophageal": 24,
    "gastric": 43,
    "head_and_neck": 48,
    "hepatobiliary": 36,
    "melanoma": 152,
    "mesothelioma": 20,
    "nsclc": 331,
    "ovarian": 23,
    "pancreatic": 15,
    "renal": 73,
    "sarcoma": 33,
    "sclc": 34,
}
_FEATURES = {
    "tmb": (TMB, 1.0, TMB_CAP_PER_MB),
    "prior_systemic_therapy": (PRIOR_THERAPY, 1.0, 1.0),
    "albumin": (ALBUMIN, G_PER_L_IN_G_PER_DL, math.inf),
    "nlr": (NLR, 1.0, NLR_CAP),
    "age": (AGE, 1.0, AGE_CAP_YEARS),
    "pd_l1": (PD_L1, 1.0, 100.0),
}
"""Covariate, divisor to the unit of the publication, and upper truncation of every feature."""
_UNIT_OF = {
    "tmb": "Mb",
    "prior_systemic_therapy": "1",
    "albumin": "dL/g",
    "nlr": "1",
    "age": "1/a",
    "pd_l1": "1/%",
}


def linear_predictor(
    covariates: Mapping[str, Value], fit: LorisFit, nlr: float
) -> tuple[float, tuple[Contribution, ...]]:
    """Return the log-odds S and what every input adds to it against the reference means.

    Units are those of the publication, and the upper truncations are applied. ``nlr`` is the
    neutrophil-lymphocyte ratio.
    """
    total = fit.intercept
    shares = []
    for source, divisor, cap, weight, mean in fit.terms:
        value = nlr if source == NLR else float(covariates[source]) / divisor
        if value > cap:
            value = cap
        total += weight * value
        shares.append(Contribution(source, weight * (value - mean), "log-odds"))
    if fit.cancer_terms:
        term = fit.cancer_terms.get(str(covariates[CANCER_TYPE]), 0.0)
        total += term
        shares.append(Contribution(CANCER_TYPE, term - fit.reference_cancer_term, "log-odds"))
    return total, tuple(shares)


def outside_derivation(nlr: float) -> tuple[str, ...]:
    """Return why the neutrophil-lymphocyte ratio lies outside the training cohort, if it does."""
    low, high = NLR_DERIVATION
    if low <= nlr <= high:
        return ()
    return (f"The neutrophil-lymphocyte ratio lies outside the derivation cohort ({low:g} to {high:g}).",)


def score_prediction(
    covariates: Mapping[str, Value], fit: LorisFit, note: str = NOT_A_PROBABILITY, references: tuple[int, ...] = ()
) -> Prediction:
    """Return the LORIS score with its group at the authors' cut-off 0.5."""
    nlr = neutrophil_lymphocyte_ratio(covariates)
    s, shares = linear_predictor(covariates, fit, nlr)
    return scored(nlr, s, shares, note, references)


def scored(
    nlr: float,
    s: float,
    shares: tuple[Contribution, ...],
    note: str = NOT_A_PROBABILITY,
    references: tuple[int, ...] = (),
) -> Prediction:
    """Return the score of the log-odds ``s``, with its group at the authors' cut-off 0.5."""
    score = logistic(s)
    return Prediction(
        outcome="loris_score",
        value=score,
        unit="score",
        group="high" if score >= HIGH_SCORE else "low",
        contributions=shares,
        note=note,
        references=references,
        outside=outside_derivation(nlr),
    )


def inputs(fit: LorisFit) -> tuple[Input, ...]:
    """Return the inputs of a fit, with the ranges of the training cohort."""
    listed = []
    if "tmb" in fit.coefficients:
        listed.append(measured(TMB, (0.0, 178.2), why="Truncated at 50 per Mb."))
    if "pd_l1" in fit.coefficients:
        listed.append(measured(PD_L1, (0.0, 100.0)))
    if "prior_systemic_therapy" in fit.coefficients:
        listed.append(flag(PRIOR_THERAPY, why="Chemotherapy or targeted therapy before the immunotherapy."))
    listed.append(measured(ALBUMIN, (16.0, 49.0)))
    ratio_only = "Enters as neutrophils over lymphocytes, truncated at 25; the cohort bounds the ratio, 0.3 to 87."
    listed.append(measured(NEUTROPHILS, (0.0, 500.0), why=ratio_only))
    listed.append(measured(LYMPHOCYTES, (0.01, 500.0), why=ratio_only))
    if "age" in fit.coefficients:
        listed.append(measured(AGE, (14.9, 92.0), why="Truncated at 85 years."))
    if "pd_l1" in fit.coefficients:
        listed.append(only_cancer_type("nsclc"))
    elif fit.cancer_terms:
        listed.append(cancer_type(*fit.cancer_terms, required=True))
    else:
        listed.append(cancer_type(*TRAINING_COUNTS))
    listed.append(checkpoint_class(*TRAINING_CLASSES))
    return tuple(listed)


def equations(fit: LorisFit) -> tuple[str, ...]:
    """Return the equations of a fit as text."""
    names = {
        "tmb": "min(TMB, 50 /Mb)",
        "prior_systemic_therapy": "prior therapy (0 or 1)",
        "albumin": "albumin in g/dL",
        "nlr": "min(NLR, 25)",
        "age": "min(age, 85 years)",
        "pd_l1": "PD-L1 TPS in %",
    }
    terms = " ".join(f"{weight:+g} * {names[name]}" for name, weight in fit.coefficients.items())
    cancer = " + cancer term (0 for a type outside the list)" if fit.cancer_terms else ""
    return ("score = 1 / (1 + exp(-S))", f"S = {fit.intercept:g} {terms}{cancer}", "NLR = neutrophils / lymphocytes")


def coefficient_rows(fit: LorisFit, *, evidence: Evidence, source: str) -> tuple[Coefficient, ...]:
    """Return the coefficients of a fit for its card."""
    rows = [Coefficient(name="intercept", value=fit.intercept, unit="1", evidence=evidence, source=source)]
    for name, value in fit.coefficients.items():
        rows.append(Coefficient(name=name, value=value, unit=_UNIT_OF[name], evidence=evidence, source=source))
    for name, value in fit.cancer_terms.items():
        rows.append(Coefficient(name=f"cancer term {name}", value=value, unit="1", evidence=evidence, source=source))
    return tuple(rows)


def covariates_of(
    fit: LorisFit,
    tmb: float,
    prior: bool,
    albumin_g_per_dl: float,
    nlr: float,
    age: float,
    cancer: str,
    pd_l1: float = 0.0,
) -> dict[str, Value]:
    """Return the covariates of a fit with these features; lymphocytes are set to 1e9 per liter."""
    everything: dict[str, Value] = {
        TMB: tmb,
        PD_L1: pd_l1,
        PRIOR_THERAPY: prior,
        ALBUMIN: round(albumin_g_per_dl * G_PER_L_IN_G_PER_DL, 9),
        NEUTROPHILS: nlr,
        LYMPHOCYTES: 1.0,
        AGE: age,
        CANCER_TYPE: cancer,
    }
    return {given.name: everything[given.name] for given in inputs(fit) if given.name in everything}
