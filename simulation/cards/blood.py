"""Cards of blood dose, immune-cell dose and the lymphocyte model."""

from simulation.cards import _rows
from simulation.cards._tables import UNCHECKED
from simulation.model import Coefficient, Input, KnownValue, ModelCard, Performance, Reference
from simulation.radiation.tables import read_table

_HEDOS = Reference(
    citation="Beekman C, Withrow JD, Correa Alfonso CM, et al. A stochastic model of blood flow to calculate blood "
    "dose during radiotherapy (HEDOS). Phys Med Biol 2023;68:225007",
    doi="10.1088/1361-6560/ad02d6",
    verified=False,
)
_ICRP = Reference(
    citation="ICRP Publication 89: Basic anatomical and physiological data for use in radiological protection. "
    "Ann ICRP 2002;32(3-4)",
    doi="10.1016/S0146-6453(03)00002-2",
    verified=False,
)
_CHEN = Reference(
    citation="Chen F, Jin JY, Hui TSK, et al. Radiation induced lymphopenia is associated with the effective dose to "
    "the circulating immune cells in breast cancer. Front Oncol 2022;12:768956",
    doi="10.3389/fonc.2022.768956",
)
_YU = Reference(
    citation="Yu Y, Fu P, Jin JY, et al. Impact of effective dose to immune cells (EDIC) on lymphocyte nadir and "
    "survival in limited-stage SCLC. Radiother Oncol 2021;162:26-33",
    doi="10.1016/j.radonc.2021.06.020",
)

CARDS: tuple[ModelCard, ...] = (
    ModelCard(
        id="blood-dose",
        version="1",
        title="Dose to circulating blood",
        kind="dose",
        outcome="mean dose of the blood and its distribution per fraction and course",
        purpose="Tells how much dose the blood collects from organ doses and beam times.",
        population="Reference adults; scaled to the patient's blood volume.",
        inputs=(
            Input(name="plan.radiotherapy.organs.mean_dose_gy", unit="Gy", low=0, high=200),
            Input(name="deliveries.beams.duration_seconds", unit="s", low=0, high=3600),
        ),
        equations=(
            "mean = sum over compartments of mean dose times blood volume, over total blood volume (exact)",
            "dwell time: Weibull with mean volume/flow; next compartment in proportion to flow",
            "a particle collects the compartment's mean dose rate while a beam is on; full mixing between fractions",
        ),
        references=(_HEDOS, _ICRP),
        leaves_out=(
            "dose differences within an organ",
            "organs that the plan does not list",
            "changes of flow under treatment",
            "different dose rates of the beams of one fraction",
        ),
        coefficients=_rows.blood_compartments(),
        example={"plan.radiotherapy.organs.mean_dose_gy": 14.3, "deliveries.beams.duration_seconds": 40.0},
        known_values=(
            KnownValue(
                inputs={"sex": "female", "beam_on_seconds": 10.0, "lung_gy": 0.476563, "heart_gy": 0.250723},
                expected={"mean_gy": 0.12020983, "sd_gy": 0.1713},
                absolute_tolerance=0.006,
                source="HEDOS on its own example plan; the mean is the exact one",
            ),
        ),
        validated_on_patients=False,
        known_failures=("Full mixing between beams and fractions is assumed.", UNCHECKED),
        license_and_patents="Own implementation; ICRP volumes and flows as numbers.",
        history=("1: first version.",),
    ),
    ModelCard(
        id="edic",
        version="1",
        title="Effective dose to immune cells (EDIC, EDRIC)",
        kind="dose",
        outcome="uniform dose with the same effect on immune cells",
        purpose="One number for the exposure of circulating immune cells by a thoracic course.",
        population="Thoracic radiotherapy.",
        inputs=(
            Input(name="mean_lung_dose_gy", unit="Gy", low=0, high=200),
            Input(name="mean_heart_dose_gy", unit="Gy", low=0, high=200),
            Input(name="integral_dose_gy_l", unit="Gy L", low=0),
            Input(name="fraction_count", unit="1", low=1, high=200),
        ),
        equations=(
            "EDIC = 0.12 MLD + 0.08 MHD + (0.45 + 0.35 * 0.85 * sqrt(n / 45)) * ITD / 61.8",
            "EDRIC puts the mean body dose in place of ITD / 61.8",
        ),
        references=(_CHEN, _YU),
        leaves_out=("abdominal and pelvic organs", "beam time"),
        coefficients=_rows.immune_cells(_CHEN),
        example={
            "mean_lung_dose_gy": 15.0,
            "mean_heart_dose_gy": 10.0,
            "integral_dose_gy_l": 120.0,
            "fraction_count": 30,
        },
        known_values=(
            KnownValue(
                inputs={
                    "mean_lung_dose_gy": 15.0,
                    "mean_heart_dose_gy": 10.0,
                    "integral_dose_gy_l": 120.0,
                    "fraction_count": 30,
                },
                expected={"edic_gy": 3.945452},
                absolute_tolerance=1e-5,
                source="formula",
            ),
        ),
        performance=(
            Performance(
                metric="C-index, overall survival",
                value=0.617,
                n=503,
                data="limited-stage small-cell lung cancer, EDIC alone",
                source="doi:10.1016/j.radonc.2021.06.020, abstract",
                in_sample=True,
            ),
        ),
        known_failures=(
            "The mean dose inside a scanned outline overestimates that of the whole body.",
            "No calibration plot: it is a dose, not a probability.",
        ),
        validated_on_patients=True,
        history=("1: first version.",),
    ),
    ModelCard(
        id="lymphocytes-two-pool",
        version="2",
        title="Lymphocyte count under radiotherapy",
        kind="dose",
        outcome="lymphocyte count over time, nadir, probability of grade 3 and 4 lymphopenia",
        purpose="Turns blood dose and immune-cell dose of every fraction into a lymphocyte count with recovery.",
        population="Calibrated to adjuvant breast and limited-stage small-cell lung cancer cohorts.",
        inputs=(
            Input(name="patient.labs.lymphocytes_1e9_per_l", unit="1e9/L", low=0, high=500, required=False),
            Input(name="edic_gy", unit="Gy", low=0, derivation_low=0.5, derivation_high=7.34),
        ),
        equations=(
            "each fraction: c is multiplied by the mean of exp(-alpha d) over the blood, d its dose in the listed "
            "organs; the exposed reserve by exp(-alpha k e), e the EDIC of the fraction; EDRIC where the volume of the "
            "body is not known, the mean dose of the blood where EDRIC is not known either, both with a warning",
            "between fractions: dc/dt = k_x (sum of r - c), dr/dt = rho (F - r), four parts of the reserve",
            "spread between patients: log-normal, growing with the loss",
            "probability of a grade: 1 where the measured count before treatment lies below its limit already",
        ),
        references=(_CHEN, _YU),
        leaves_out=(
            "chemotherapy and corticosteroids",
            "lymphocyte subsets",
            "dose to marrow, spleen and nodes of their own",
            "chronic lymphopenia after repeated courses",
        ),
        example={"patient.labs.lymphocytes_1e9_per_l": 1.6, "edic_gy": 4.0},
        coefficients=tuple(
            Coefficient(
                name=name,
                value=row["value"],
                unit=row["unit"],
                evidence=row["evidence"],
                source=row["source"],
                verified=row["verified"],
            )
            for name, row in read_table("lymphocyte_response.toml")["parameters"].items()
        ),
        known_values=(
            KnownValue(
                inputs={"cohort": "breast", "edic_gy": 2.0},
                expected={"relative_count": 0.58},
                absolute_tolerance=0.087,
                source="linear relation 0.90 - 0.16 EDIC, doi:10.3389/fonc.2022.768956",
            ),
            KnownValue(
                inputs={"cohort": "limited-stage SCLC", "edic_gy": 7.34},
                expected={"relative_nadir": 0.291},
                absolute_tolerance=0.044,
                source="mean counts 1.65 before and 0.48 at nadir, doi:10.1016/j.radonc.2021.06.020",
            ),
        ),
        performance=(
            Performance(
                metric="largest relative error of the count ratio",
                value=0.120,
                data="the eight relation points it was fitted to, EDIC 0.5 to 3.5 Gy and 7.34 Gy",
                source="scripts/calibrate_lymphocytes.py",
                in_sample=True,
            ),
        ),
        known_failures=(
            "The schedules of the cohorts, and the shares of lung and heart in their EDIC, were assumed: their "
            "abstracts name none.",
            "Between EDIC 3.5 and 7.34 Gy there is no published point. The straight line of the breast cohort, "
            "continued to 4 Gy, lies below the ratio of the lung cohort at 7.34 Gy; the model's ratio is 36 % above "
            "that line.",
            "EDRIC, taken where the volume of the body is not known, overstates the loss on a partial scan.",
            "Without the doses of lung, heart and body the loss is usually understated: the blood of the listed organs "
            "receives less than EDIC.",
            "Grade probabilities were not compared with counted grades.",
        ),
        validated_on_patients=False,
        decreases_with=("edic_gy",),
        history=(
            "1: first version.",
            "2: calibrated with the blood dose that the service works out, EDRIC where the volume of the body is not "
            "known, and grade probabilities of 1 below a measured baseline under the limit.",
        ),
    ),
)
