"""What the cards of several tumor simulators share: purpose, inputs, the survival link."""

from simulation.model import Input, Reference
from simulation.predictors._inputs import measured

PURPOSE = "Compare schedules and ask what a plan might do, in research; not a forecast for one patient and not advice."
SIZES = "volume at the start; of a lesion given by its longest diameter, that of the sphere"
LESIONS = Input(name="patient.lesions.volume_cm3", unit="cm3", low=1e-3, high=20000.0, why=SIZES)
ADULTS = measured("patient.age_years", (18.0, 120.0), required=False, why="The trials enrolled adults.")
TPS = measured("patient.biomarkers.pd_l1_tps_percent", required=False)
ALBUMIN = measured("patient.labs.albumin_g_per_l", required=False)
EXAMPLE = {"patient.lesions.volume_cm3": 12.0, "plan.radiotherapy.dose_per_fraction_gy": 8.0}
STRUEMPER = Reference(
    citation="Struemper H, Rathi C, Muliaditan M, et al. Development of a joint tumor size-overall survival modeling "
    "and simulation framework supporting oncology development decision-making. CPT Pharmacometrics Syst Pharmacol "
    "2025;14:1006-1017 (NSCLC, n = 786).",
    doi="10.1002/psp4.70002",
    verified=False,
)
