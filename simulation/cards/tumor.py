"""Model cards of the mechanistic tumor simulators."""

from typing import Any

from simulation.cards import _rows
from simulation.cards._tables import FIRST_VERSION, of_table
from simulation.cards._tumor import (
    ADULTS,
    ALBUMIN,
    ALL_LESIONS,
    EXAMPLE,
    FRACTION,
    FRACTION_OF_FRIEDRICH,
    FRACTION_OF_KOSINSKY,
    KINETICS,
    LESIONS,
    PRIOR_IMMUNOTHERAPY,
    PRIOR_SYSTEMIC_THERAPY,
    PURPOSE,
    RATIO,
    SIZES,
    STRUEMPER,
    TPS,
)
from simulation.model import Input, ModelCard, Performance, Reference
from simulation.predictors._inputs import cancer_type
from simulation.tumor.tables import document, values

_CAPACITY_CM3 = values("multi_lesion", "parameters")["Kmax"]
_BELOW_CAPACITY = Input(
    name="patient.lesions.volume_cm3", unit="cm3", low=1e-3, high=0.99 * _CAPACITY_CM3, derivation_low=1.0,
    derivation_high=60.0,
    why=f"{SIZES}; from its carrying capacity of {_CAPACITY_CM3:g} cm3 (assumed) on a lesion of this model does not "
    "grow: leave it out or ask another model",
)  # fmt: skip
_FRACTIONS = Input(
    name="plan.radiotherapy.fraction_count",
    unit="1",
    low=1.0,
    high=200.0,
    derivation_low=1.0,
    derivation_high=60.0,
    required=False,
)
_FRIEDRICH = Reference(
    citation="Friedrich T, Scholz M, Durante M. A predictive biophysical model of the combined action of radiation "
    "therapy and immunotherapy of cancer. Int J Radiat Oncol Biol Phys 2022;113:872-884.",
    doi="10.1016/j.ijrobp.2022.03.030",
)
_KOSINSKY = Reference(
    citation="Kosinsky Y, Dovedi SJ, Peskov K, et al. Radiation and PD-(L)1 treatment combinations: immune response "
    "and dose optimization via a predictive systems model. J Immunother Cancer 2018;6:17.",
    doi="10.1186/s40425-018-0327-9",
)
_VANPOUILLE = Reference(
    citation="Vanpouille-Box C, Alard A, Aryankalayil MJ, et al. DNA exonuclease Trex1 regulates radiotherapy-induced "
    "tumour immunogenicity. Nat Commun 2017;8:15618.",
    doi="10.1038/ncomms15618",
)
_MOUSE_LEAVES_OUT = (
    "every difference between mouse and human: rates are ten to a hundred times faster",
    "absolute sizes, organs, new lesions, survival, lymphocyte count",
)
_OWN_COURSES = (
    "1.1.0: every lesion receives the fractions of its own courses, those of one instant together; a derivation range "
    "of the dose per fraction of its own."
)


def _performance() -> tuple[Performance, ...]:
    """Calibration arms (in sample) and held-out arms, each with the trial's own interval in its data line."""
    found = []
    for arm in document("multi_lesion_posterior")["calibration_arms"]:
        lower, upper = arm["observed_90"]
        found.append(
            Performance(
                metric=f"{arm['endpoint']}, simulated ({'inside' if arm['inside'] else 'outside'} the trial's 90 % "
                f"interval {lower:g} to {upper:g})",
                value=arm["simulated"], lower=arm["simulated_90"][0], upper=arm["simulated_90"][1], level=0.9,
                n=arm["n"] or None, data=f"{arm['arm']}: observed {arm['observed']:g}", source=arm["source"],
                in_sample=True,
            )
        )  # fmt: skip
    for arm in document("multi_lesion_holdout")["arms"]:
        found.append(
            Performance(
                metric=f"{arm['endpoint']}, simulated ({'hit' if arm['hit'] else 'miss'})", value=arm["simulated"],
                n=arm["n"], data=f"{arm['arm']}: {_observed(arm)}; applicability {arm['applicability']}",
                source=arm["source"], in_sample=False,
            )
        )  # fmt: skip
    return tuple(found)


def _observed(arm: dict[str, Any]) -> str:
    if arm["observed_interval"] is None:
        return f"expected {arm['observed']}"
    lower, upper = arm["observed_interval"]
    return f"observed {arm['observed']:g} ({lower:g} to {upper:g})"


def _failures() -> tuple[str, ...]:
    calibration = [
        f"Calibration arm outside its interval: {arm['arm']} ({arm['endpoint']}), simulated {arm['simulated']:g}, "
        f"observed {arm['observed']:g}."
        for arm in document("multi_lesion_posterior")["calibration_arms"]
        if not arm["inside"]
    ]
    held_out = [
        f"Held-out arm missed: {arm['arm']}, simulated {arm['simulated']:g}, {_observed(arm)}."
        for arm in document("multi_lesion_holdout")["arms"]
        if not arm["hit"]
    ]
    not_simulated = [f"Not simulated: {text}." for text in document("multi_lesion_holdout")["not_simulated"]]
    return tuple(calibration + held_out + not_simulated)


CARDS: tuple[ModelCard, ...] = (
    ModelCard(
        id="multi-lesion",
        version="1.3.0",
        title="Multi-lesion model of radiotherapy and immunotherapy",
        kind="simulator",
        outcome="every lesion over time, response in and out of the field, new lesions, lymphocyte count, survival",
        purpose=PURPOSE,
        population="Virtual patients calibrated to trials of metastatic non-small-cell lung cancer and melanoma, with "
        "lesions of median 4 or 12 cm3 and a standard deviation of log volume of 0.8.",
        inputs=(
            _BELOW_CAPACITY,
            FRACTION,
            _FRACTIONS,
            ADULTS,
            TPS,
            ALBUMIN,
            *RATIO,
            PRIOR_SYSTEMIC_THERAPY,
            PRIOR_IMMUNOTHERAPY,
            *KINETICS,
            cancer_type("nsclc", "melanoma"),
        ),
        equations=(
            "S' = (r (1 - V/Kmax) - mu - k_imm - k_car) S;  R' = r (1 - V/Kmax) R + mu S - (1 - rR) k_imm R;  "
            "V = S + R",
            "D' = -kc D (dying, imaged, releases antigen);  F' = -kF F (adjuvanticity)",
            "k_imm = kappa E / (1 + rhoPD L (1 - o1)) / (1 + G);  k_car = kappa_car K chi q",
            "E' = kin chi C / (1 + sum chi V / Vsink) - (dE + ex) E + krev o1 X;  X' = ex E - (dX + krev o1) X;  "
            "ex = kex V/(V + 5) (1 - 0.6 o1)",
            "L' = kL (L0 + (1 - L0) E/(E + KL) - L);  G' = kG (G0 (1 + gV V/(V + VG)) (1 - del4 o4) - G)",
            "H' = sum [a0 V/(V + VA) + aRT kc F^4/(KF^4 + F^4) D/(1 + D/VRT)] - kH H",
            "C' = A H/(Hh + H) [p N (1 + sig4 o4) + pM M] - kC C;  M' = eps C - kM M",
            "A' = kA (1 - A);  N' = kN (1 - N)",
            "fraction of d Gy: S and R times exp(-alpha d - beta d^2), linear above 2 alpha/beta; what is killed "
            "goes to D; E and X times max(exp(-aL d - bL d^2), 0.01); "
            "F += d^2/(d50^2 + d^2) (1 - trex d^8/(dT^8 + d^8)); "
            "A times 1 - lamA field; where every course lists an organ that holds blood, field is chosen so that A "
            "follows the median count of the card lymphocytes-two-pool before every fraction, and the reported count "
            "is that of the card, by the sensitivity of each patient",
            "reported lymphocytes: 1 on day 0, the measured count, then the count times exp(s z), s the spread between "
            "patients of the card lymphocytes-two-pool; A itself is the same for all patients of a plan; the lowest "
            "count is that just after a fraction, at most 1",
            "start: the immune state settles for 120 d at fixed volumes; kappa makes the kill of the burden phi r; "
            "R/V log-normal between patients, mu = (R/V)/300 d",
            "new lesions: hazard h0 + h1 max(0, d ln V/dt) V^(2/3);  o = c/(c + KD), two-compartment kinetics",
            f"carrying capacity Kmax = {_CAPACITY_CM3:g} cm3 a lesion (assumed): growth stops there and is slower by "
            "V/Kmax before, so that large lesions progress late and the immune kill may exceed what growth is left",
            "extinct when S + R < V_ext",
            "dropout: patients leave observation without an event at "
            f"{values('multi_lesion', 'population')['dropout_hazard']:g} per day (assumed); they are censored, so that "
            "progression is one minus Kaplan-Meier",
            "death: the log-normal link of Struemper 2025 along what has been seen so far: time runs at the pace of a "
            "patient without growth while the sum of diameters is at its nadir, and from regrowth on at the pace of "
            "the growth since then (of the last 24 weeks) and of the time to it",
        ),
        references=(
            _FRIEDRICH,
            _KOSINSKY,
            _VANPOUILLE,
            Reference(
                citation="Poleszczuk JT, Luddy KA, Prokopiou S, et al. Abscopal benefits of localized radiotherapy "
                "depend on activated T-cell trafficking and distribution between metastatic lesions. Cancer Res "
                "2016;76:1009-1018.",
                doi="10.1158/0008-5472.CAN-15-1423",
                verified=False,
            ),
            Reference(
                citation="Theelen WSME, Chen D, Verma V, et al. Pembrolizumab with or without radiotherapy for "
                "metastatic non-small-cell lung cancer: a pooled analysis of two randomised trials. Lancet Respir Med "
                "2021;9:467-475.",
                doi="10.1016/S2213-2600(20)30391-X",
                verified=False,
            ),
            STRUEMPER,
        ),
        leaves_out=(
            "chemotherapy, GM-CSF, LAG-3 blockade, surgery",
            "dose gradients inside a lesion; incomplete repair between fractions",
            "clearance of antibodies that changes over time: its mean is used",
            "adverse events and any reason to stop treatment",
            "tumors other than lung cancer and melanoma: they use the lung cancer population",
            "any evidence for the size of the vaccine term and of CAR-T kill in solid tumors",
        ),
        example=EXAMPLE,
        validated_on_patients=False,
        horizon_days=1826,
        cancer_types=("nsclc", "melanoma"),
        coefficients=_rows.multi_lesion(),
        performance=_performance(),
        calibration_note="Compared with trials arm by arm, under performance; outcomes of their single patients are "
        "not open, so there is no plot.",
        known_failures=(
            *_failures(),
            document("multi_lesion_holdout")["protocol"],
            "Rates held fixed come from an exploratory fit that had seen arms by schedule; agreement with those arms "
            "is weaker evidence than a clean hold-out.",
            "Response rates identify one or two dimensions of the synergy; other structures fit the same trials and "
            "disagree on single large fractions.",
            "An untreated lesion does not shrink at first, but may later where PD-L1 is high: a small one beside large "
            "ones, and one near the carrying capacity, whose growth stops while the immune kill goes on.",
        ),
        decreases_with=("plan.radiotherapy.dose_per_fraction_gy",),
        history=(
            "1.0.0: first version; posterior sample of 96 parameter sets.",
            "1.1.0: resistant clone that differs between patients, calibrated lifetimes of effector and memory T "
            "cells, regrowth that acts on survival from the nadir on; calibrated again to the calibration arms with "
            "the scans of each trial on their own days.",
            "1.2.0: lymphocyte count from organ doses, and with the spread between patients; dropouts censored in "
            "progression; lesions near the carrying capacity refused.",
            "1.3.0: survival depends on the past of a course alone; immune kill nowhere exceeds the growth of an "
            "untreated lesion; radiotherapy alone is held to almost no response outside the field in patients with "
            "high PD-L1 as well; all covariates that act on an answer stand among the inputs; calibrated again; the "
            "variance between parameter sets is never taken as zero because its estimate fell below zero, and widens "
            "the survival curves as well; lowest lymphocyte count just after a fraction, no spread of the measured "
            "one.",
        ),
    ),
    *(
        ModelCard(
            id=model_id,
            version="1.1.0",
            title=title,
            kind="simulator",
            outcome="an irradiated and a distant tumor of one mouse over time, relative to their start",
            purpose=PURPOSE,
            population="Mice with two tumors; defaults of the authors' public application.",
            inputs=(LESIONS, FRACTION_OF_FRIEDRICH),
            equations=(
                "T' = m1 T - c1 (L + K), survival ST per fraction; doomed cells lyse with f(t) = (1 - (k1 t)^k3) "
                "(1 - exp(-k2 t)) / I",
                "T2' = m2 T2 - c1 q G;  m = a / (V/1e6)^b",
                "A' = -lam A + rho (T + T2) + psi lysis;  production = integral of f0 c4 SN^n A, delayed",
                "L' = muL L + g production - c1 L;  G' = muL G + (1 - g) production",
                f"explicit Euler, {step}, drug and delay terms two steps back, states clamped at 0",
            ),
            references=(_FRIEDRICH,),
            leaves_out=(
                *_MOUSE_LEAVES_OUT,
                "recovery of irradiated lymph nodes; differences between animals",
                "an effect of CTLA-4 blockade at the published default",
            ),
            example=EXAMPLE,
            validated_on_patients=False,
            known_failures=failures,
            coefficients=of_table("friedrich", "parameters"),
            history=(*FIRST_VERSION, _OWN_COURSES),
        )
        for model_id, title, step, failures in (
            (
                "friedrich-2022",
                "Friedrich 2022, published step",
                "step 0.1 d",
                (
                    "Not converged at the published step: the dying mass after few large fractions is several-fold too "
                    "high.",
                ),
            ),
            (
                "friedrich-2022-converged",
                "Friedrich 2022, converged step",
                "step 0.01 d",
                ("Not the published numbers: the step is ten times smaller.",),
            ),
        )
    ),
    ModelCard(
        id="kosinsky-2018",
        version="1.1.0",
        title="Kosinsky 2018, radiotherapy and anti-PD-L1 in CT26 mice",
        kind="simulator",
        outcome="tumor of one mouse over time, relative to its size when treatment starts",
        purpose=PURPOSE,
        population="CT26 tumors in mice (n = 59); animals differ in their sensitivity to antigen.",
        inputs=(LESIONS, FRACTION_OF_KOSINSKY),
        equations=(
            "TV' = r TV (1 - TV/TVmax) - (e e_d + d0) TV;  TVd' = -mu TVd",
            "n' = kLN Ag/(Ag + SL) + IAR n (kpro - kdif) - kel n;  e_d' = IAR n kdif - kapo e_d",
            "Ag = (TV + TVd) TCD^2/(TCD^2 + Ktcd^2);  IAR = (1 - L/(1 + C/KD)) (1 - Ag/(Ag + SR))",
            "fraction: exp(-alpha D - alpha D^2/10) of TV survives, the rest moves to TVd",
        ),
        references=(_KOSINSKY,),
        leaves_out=(
            *_MOUSE_LEAVES_OUT,
            "any effect of an irradiated lesion on another; CTLA-4 blockade",
            "extinction: tumors of a few uL relapse when the antibody is gone",
        ),
        example=EXAMPLE,
        validated_on_patients=False,
        known_failures=(
            "The public SBML file BIOMD0000000863 codes the repair of double-strand breaks as tau U; the paper's table "
            "gives a time. This model uses U/tau, so it does not follow that file after irradiation.",
        ),
        coefficients=of_table("kosinsky", "parameters", "start"),
        history=(*FIRST_VERSION, _OWN_COURSES),
    ),
    ModelCard(
        id="mueller-schoell-2021",
        version="1.1.0",
        title="Mueller-Schoell 2021, CAR-T phenotypes and tumor",
        kind="simulator",
        outcome="four CAR-T phenotypes and the tumor volume over time",
        purpose=PURPOSE,
        population="Axicabtagene ciloleucel in large B-cell lymphoma (n = 19).",
        inputs=(LESIONS, ALL_LESIONS),
        equations=(
            "X' = Vmax1 T X/(KM1 + X) + (kp - k_next - ke) X + k_before X_before, naive to effector memory",
            "Teff' = k34 Tem - ke4 Teff",
            "T' = k5 T (1 - T/K0) - sum Vmax5 X T/(KM5 + T)",
        ),
        references=(
            Reference(
                citation="Mueller-Schoell A, Puebla-Osorio N, Michelet R, et al. Early survival prediction framework "
                "in CD19-specific CAR-T cell immunotherapy using a quantitative systems pharmacology model. Cancers "
                "2021;13:2782.",
                doi="10.3390/cancers13112782",
                verified=False,
            ),
        ),
        leaves_out=(
            "radiotherapy, checkpoint antibodies, vaccines",
            "the number of infused cells, antigen loss, lymphodepletion",
            "differences between lesions, new lesions, survival",
        ),
        example={**EXAMPLE, ALL_LESIONS.name: EXAMPLE["patient.lesions.volume_cm3"]},
        validated_on_patients=False,
        known_failures=("Solid tumors lie outside its population.",),
        coefficients=of_table("cart_tumor", "parameters", "population"),
        history=(
            *FIRST_VERSION,
            "1.1.0: tumors near the carrying capacity refused; CAR-T cells over the peak of the typical patient.",
        ),
    ),
)
