"""Model cards of the human growth-inhibition models."""

from simulation.cards._tables import FIRST_VERSION, of_table
from simulation.cards._tumor import (
    ADULTS,
    ALBUMIN,
    EGFR_MUTANT,
    EXAMPLE,
    LDH,
    LESIONS,
    PURPOSE,
    RATIO,
    STRUEMPER,
    TPS,
)
from simulation.model import Input, ModelCard, Reference
from simulation.predictors._inputs import cancer_type

_RIBBA = Reference(
    citation="Ribba B, Roller A, Helms H-J, Stern M, Bleul C. Circulating tumor DNA: opportunities and challenges for "
    "pharmacometric approaches. Front Pharmacol 2022;13:1058220 (OAK).",
    doi="10.3389/fphar.2022.1058220",
    verified=False,
)
_NOT_VALIDATED = "Not checked against patients here: no calibration plot and no figure of merit is known."


def _tgi(
    model_id: str, title: str, equations: tuple[str, ...], references: tuple[Reference, ...], population: str,
    inputs: tuple[Input, ...], own: tuple[str, ...], known_failures: tuple[str, ...] = (),
    unused: tuple[str, ...] = (),
) -> ModelCard:  # fmt: skip
    return ModelCard(
        id=model_id,
        version="1.1.0",
        title=title,
        kind="simulator",
        outcome="sum of target diameters over time, survival through the link of Struemper 2025",
        purpose=PURPOSE,
        population=population,
        inputs=(*inputs, ALBUMIN, *RATIO, ADULTS, cancer_type("nsclc")),
        equations=equations,
        references=(*references, STRUEMPER),
        leaves_out=(
            "radiotherapy, cell therapy, vaccines, CTLA-4 blockade",
            "new lesions and non-target progression: response and progression-free time are overstated",
            "differences between lesions; drug dose and interval",
        ),
        example=EXAMPLE,
        validated_on_patients=False,
        horizon_days=1826,
        cancer_types=("nsclc",),
        coefficients=of_table("tgi", *own, "struemper_survival", without=unused),
        known_failures=(_NOT_VALIDATED, *known_failures),
        history=(
            *FIRST_VERSION,
            "1.1.0: survival from the drawn growth rate and its own time to growth, and before the first dose from "
            "untreated growth; diameters end at 400 mm.",
        ),
    )


CARDS: tuple[ModelCard, ...] = (
    _tgi(
        "chatterjee-2016",
        "Chatterjee 2016, pembrolizumab in NSCLC",
        (
            "SLD = SLD0 [(1 - f) exp(kg t) + f exp(-kd t)]",
            "kd by PD-L1, f by EGFR mutation, log-normal between patients",
        ),
        (
            Reference(
                citation="Chatterjee M, Turner DC, Felip E, et al. Systematic evaluation of pembrolizumab dosing in "
                "patients with advanced non-small-cell lung cancer. Ann Oncol 2016;27:1291-1298.",
                doi="10.1093/annonc/mdw174",
                verified=False,
            ),
        ),
        "Pembrolizumab in non-small-cell lung cancer, KEYNOTE-001 (n = 496).",
        (LESIONS, TPS, EGFR_MUTANT),
        ("chatterjee",),
        ("The paper enters each patient's own delay from baseline scan to first dose; it is taken as 0.",),
    ),
    _tgi(
        "claret-2009",
        "Claret's tumor growth inhibition",
        ("y' = kL y - kD exp(-lambda t) y, solved in closed form",),
        (
            Reference(
                citation="Claret L, Girard P, Hoff PM, et al. Model-based prediction of phase III overall survival in "
                "colorectal cancer on the basis of phase II tumor dynamics. J Clin Oncol 2009;27:4103-4108.",
                doi="10.1200/JCO.2008.21.0807",
                verified=False,
            ),
            _RIBBA,
        ),
        "Form of Claret 2009 with growth and shrinkage of atezolizumab and docetaxel in NSCLC (OAK, n = 1225).",
        (LESIONS,),
        ("claret",),
        ("The rate at which the effect fades is an assumption: no immunotherapy estimate of this form was found.",),
    ),
    _tgi(
        "stein-growth-decay",
        "Stein's growth and decay",
        ("y = y0 (exp(-d t) + exp(g t) - 1)",),
        (
            Reference(
                citation="Stein WD, Gulley JL, Schlom J, et al. Tumor regression and growth rates determined in five "
                "intramural NCI prostate cancer trials. Clin Cancer Res 2011;17:907-917.",
                doi="10.1158/1078-0432.CCR-10-1762",
                verified=False,
            ),
            _RIBBA,
        ),
        "Form of Stein 2011 with growth and decay of atezolizumab and docetaxel in NSCLC (OAK, n = 1225).",
        (LESIONS,),
        ("claret",),
        unused=("resistance",),
    ),
    _tgi(
        "struemper-2025",
        "Struemper 2025, joint tumor size and survival",
        (
            "y = y0 (exp(-ks t) + exp(kg t) - 1), weeks; ks exp(0.00902 PD-L1 %), kg (LDH/225.5)^0.474",
            "log survival = 6.94 - 6.91 kg/(kg + 0.109) - 0.00366 (SLD0 - 100) + 0.0124 (TTG - 39.9) "
            "+ 0.0452 (albumin - 39.4) - 0.0141 (NLR - 4.1) + 0.718 z",
        ),
        (),
        "Non-small-cell lung cancer on pembrolizumab or dostarlimab.",
        (LESIONS, TPS, LDH),
        ("struemper_pembrolizumab", "struemper_dostarlimab", "struemper_covariates"),
        (
            "Total protein, which the paper's survival link weighs with 0.0194 per g/L, stays at 71 g/L.",
            "The paper had no single PD-L1 values of its pembrolizumab arm and put 70 % for every patient of it.",
        ),
    ),
)
