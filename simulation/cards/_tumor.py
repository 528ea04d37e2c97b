"""What the cards of several tumor simulators share: purpose, inputs, the survival link."""

from dataclasses import replace

from simulation.model import Input, Reference
from simulation.predictors._inputs import chosen, flag, measured
from simulation.tumor.tables import values

PURPOSE = "Compare schedules and ask what a plan might do, in research; not a forecast for one patient and not advice."
SIZES = "volume at the start; of a lesion given by its longest diameter, that of the sphere"
LESIONS = Input(name="patient.lesions.volume_cm3", unit="cm3", low=1e-3, high=20000.0, why=SIZES)
FRACTION = Input(
    name="plan.radiotherapy.dose_per_fraction_gy", unit="Gy", low=0.0, high=40.0, derivation_low=1.0,
    derivation_high=20.0, required=False,
)  # fmt: skip
FRACTION_OF_KOSINSKY = replace(FRACTION, derivation_low=2.0, derivation_high=7.0, why="The mice had 2, 4 or 7 Gy.")
FRACTION_OF_FRIEDRICH = replace(
    FRACTION, derivation_low=None, derivation_high=None,
    why="The doses of the experiments behind the model were not found; the authors' application starts with 2 Gy.",
)  # fmt: skip
_CART_CAPACITY_CM3 = values("cart_tumor", "parameters")["capacity"]
ALL_LESIONS = Input(
    name="patient.lesions.total_volume_cm3", unit="cm3", low=1e-3, high=0.99 * _CART_CAPACITY_CM3,
    why=f"the sum of all lesions, which from the carrying capacity of {_CART_CAPACITY_CM3:g} mL on do not grow: leave "
    "some out or ask another model",
)  # fmt: skip
ADULTS = measured("patient.age_years", (18.0, 120.0), required=False, why="The trials enrolled adults.")
TPS = measured("patient.biomarkers.pd_l1_tps_percent", required=False)
ALBUMIN = measured("patient.labs.albumin_g_per_l", required=False)
_KINETICS = "Acts on the kinetics of some antibodies."
_RATIO = (
    "The survival link is linear in the neutrophil-lymphocyte ratio; its cohort had a median of 4.1, and the range of "
    "that cohort was not found."
)
RATIO = (
    measured("patient.labs.neutrophils_1e9_per_l", required=False, why=_RATIO),
    measured("patient.labs.lymphocytes_1e9_per_l", required=False, why=_RATIO),
)
LDH = measured("patient.labs.ldh_u_per_l", required=False)
EGFR_MUTANT = flag("patient.biomarkers.egfr_mutant", required=False)
KINETICS = (
    chosen("patient.sex", ("female", "male"), required=False, why=_KINETICS),
    measured("patient.weight_kg", required=False, why=_KINETICS),
    measured("patient.ecog", required=False, why=_KINETICS),
    replace(LDH, why=_KINETICS),
    Input(
        name="patient.labs.egfr_ml_per_min", unit="mL/min/1.73m2", low=0.0, high=250.0, required=False, why=_KINETICS
    ),
)
PRIOR_SYSTEMIC_THERAPY = flag(
    "patient.prior_systemic_therapy", required=False, why="Unknown counts as yes; no effect in melanoma."
)
PRIOR_IMMUNOTHERAPY = chosen(
    "patient.prior_immunotherapy", ("none", "responded", "refractory"), required=False,
    why="Unknown counts as none: refractory disease then has the share of the calibration.",
)  # fmt: skip
EXAMPLE = {"patient.lesions.volume_cm3": 12.0, "plan.radiotherapy.dose_per_fraction_gy": 8.0}
STRUEMPER = Reference(
    citation="Struemper H, Rathi C, Muliaditan M, et al. Development of a joint tumor size-overall survival modeling "
    "and simulation framework supporting oncology development decision-making. CPT Pharmacometrics Syst Pharmacol "
    "2025;14:1006-1017 (NSCLC, n = 786).",
    doi="10.1002/psp4.70002",
    verified=False,
)
