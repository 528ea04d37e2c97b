"""Patient, plan and grid of a request as the scenario that the tumor models take."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from schemas.patient import Lesion, Patient
from schemas.plan import Plan
from schemas.run import RunWarning
from schemas.simulations import ComparisonRequest, SimulationRequest, VirtualPopulation
from service.errors import InvalidInput
from service.plan_lymphocytes import plan_lymphocytes
from service.radiotherapy import radiotherapy_plan
from service.regimens import drug_plan, regimen_of
from simulation.immunotherapy.cart import PRODUCTS as CELL_PRODUCTS
from simulation.immunotherapy.vaccines import PRODUCTS as VACCINES
from simulation.tumor.exposure import course_exposure
from simulation.tumor.scenario import CellDose, Covariates, Fractions, Scenario, volume_cm3

Floats = NDArray[np.float64]
MAX_OUTPUTS = 800
MAX_LESIONS = 8


def scenario_of(
    request: SimulationRequest | ComparisonRequest, plan: Plan, pointer: str = "/plan"
) -> tuple[Scenario, tuple[RunWarning, ...]]:
    """Return the scenario of one patient under one plan, and what to know about how it was read.

    Parameters
    ----------
    request : SimulationRequest or ComparisonRequest
        Patient, population and grid.
    plan : Plan
        The plan to follow.
    pointer : str
        Where the plan stands in the request.

    Raises
    ------
    InvalidInput
        A lesion lacks its size, a course names no lesion or an unknown one, a product is unknown or has no target in
        the tumor, something is given before day 0, or the grid is too fine.
    """
    lesions = lesions_of(request)
    _known_products(plan, request.patient.cancer_type, pointer)
    _nothing_before_the_start(plan, pointer)
    ids = tuple(lesion.id for lesion in lesions)
    population = request.population
    days = np.union1d(np.append(output_days(request), request.horizon_days), scan_days(request))
    lymphocytes, field_exposure, noticed = plan_lymphocytes(request, plan, days, pointer)
    fractions, modalities = _fractions(plan, ids, request.horizon_days, pointer)
    if field_exposure is not None:
        fractions = replace(fractions, field_exposure=field_exposure)
    scenario = Scenario(
        lesion_ids=ids,
        organs=tuple(lesion.organ for lesion in lesions),
        volume_cm3=np.array([volume for _, volume in lesion_volumes(request)]),
        fractions=fractions,
        drugs=drug_plan(plan.drugs, request.patient.weight_kg, f"{pointer}/drugs"),
        cells=tuple(CellDose(cell.day, cell.product, cell.dose_cells) for cell in plan.cells),
        vaccine_days=tuple(sorted(day for vaccine in plan.vaccines for day in vaccine.days)),
        horizon_days=request.horizon_days,
        output_days=days,
        covariates=_covariates(request.patient),
        volume_spread_log=population.log_volume_sd if population is not None else 0.0,
        lymphocytes=lymphocytes,
        modalities=modalities,
        chemotherapy=_chemotherapy(plan, pointer),
        vaccine_products=tuple(sorted({vaccine.product for vaccine in plan.vaccines})),
    )
    return scenario, (*_without_lesion(plan, pointer), *noticed)


def lesion_volumes(request: SimulationRequest | ComparisonRequest) -> list[tuple[str, float]]:
    """Return the volume of every lesion in cm3, with the pointer of the member that gives it.

    Raises
    ------
    InvalidInput
        A lesion has no size, or none that differs from 0.
    """
    return [_volume(lesion, index) for index, lesion in enumerate(lesions_of(request))]


def lesions_of(request: SimulationRequest | ComparisonRequest) -> Sequence[Lesion]:
    """Return the measured lesions, or those of the virtual population."""
    if request.population is not None:
        return _virtual(request.population)
    if len(request.patient.lesions) > MAX_LESIONS:
        raise InvalidInput(
            "/patient/lesions", f"at most {MAX_LESIONS} lesions can be simulated; leave the smallest out"
        )
    seen: set[str] = set()
    for index, lesion in enumerate(request.patient.lesions):
        if lesion.id in seen:
            raise InvalidInput(f"/patient/lesions/{index}/id", "lesion ids must differ")
        seen.add(lesion.id)
    return request.patient.lesions


def output_days(request: SimulationRequest | ComparisonRequest) -> Floats:
    """Return the days on which trajectories are answered, from 0 to the horizon."""
    if request.horizon_days / request.output_interval_days > MAX_OUTPUTS:
        raise InvalidInput(
            "/output_interval_days", f"the horizon holds more than {MAX_OUTPUTS} such intervals; widen the interval"
        )
    return _grid(request.horizon_days, request.output_interval_days)


def scan_days(request: SimulationRequest | ComparisonRequest) -> Floats:
    """Return the days of the scans, the first one on day 0."""
    return _grid(request.horizon_days, request.scan_interval_days)


def _grid(end: float, step: float) -> Floats:
    return np.arange(int(end / step + 1e-9) + 1, dtype=np.float64) * step


def _virtual(population: VirtualPopulation) -> list[Lesion]:
    return [
        Lesion(id=f"lesion-{number}", organ=population.organ, volume_cm3=population.median_volume_cm3)
        for number in range(1, population.lesion_count + 1)
    ]


def _volume(lesion: Lesion, index: int) -> tuple[str, float]:
    where = f"/patient/lesions/{index}"
    if lesion.volume_cm3 is not None:
        where, volume = f"{where}/volume_cm3", lesion.volume_cm3
    elif lesion.longest_diameter_mm is not None:
        where, volume = f"{where}/longest_diameter_mm", float(volume_cm3(np.array(lesion.longest_diameter_mm)))
    else:
        volume = 0.0
    if volume <= 0.0:
        raise InvalidInput(where, "give longest_diameter_mm or volume_cm3 greater than 0, or leave the lesion out")
    return where, volume


def _known_products(plan: Plan, cancer_type: str | None, pointer: str) -> None:
    for index, cell in enumerate(plan.cells):
        where = f"{pointer}/cells/{index}/product"
        if cell.product not in CELL_PRODUCTS:
            raise InvalidInput(where, f"choose one of {', '.join(sorted(CELL_PRODUCTS))}")
        product = CELL_PRODUCTS[cell.product]
        if cancer_type is not None and cancer_type not in product.cancer_types:
            raise InvalidInput(
                where,
                f"its target {product.target} is not on this type of tumor: nothing is known of an effect; it is "
                f"answered for the cancer type {' or '.join(product.cancer_types)} or without one",
            )
    for index, vaccine in enumerate(plan.vaccines):
        where = f"{pointer}/vaccines/{index}/product"
        if vaccine.product not in VACCINES:
            raise InvalidInput(where, f"choose one of {', '.join(sorted(VACCINES))}")
        types = VACCINES[vaccine.product].cancer_types
        if cancer_type is not None and types and cancer_type not in types:
            raise InvalidInput(
                where,
                "its antigens do not belong to this type of tumor: nothing is known of an effect; it is answered for "
                f"the cancer type {' or '.join(types)} or without one",
            )


def _nothing_before_the_start(plan: Plan, pointer: str) -> None:
    days = [(drug.start_day, f"drugs/{index}/start_day") for index, drug in enumerate(plan.drugs)]
    days += [(cell.day, f"cells/{index}/day") for index, cell in enumerate(plan.cells)]
    for index, vaccine in enumerate(plan.vaccines):
        days += [(day, f"vaccines/{index}/days/{place}") for place, day in enumerate(vaccine.days)]
    for day, where in days:
        if day < 0.0:
            raise InvalidInput(f"{pointer}/{where}", _BEFORE)


def _chemotherapy(plan: Plan, pointer: str) -> tuple[str, ...]:
    """Return in words how the plan gives chemotherapy."""
    found = []
    if plan.chemotherapy_with_radiotherapy not in (None, "none"):
        found.append(f"{plan.chemotherapy_with_radiotherapy} with radiotherapy")
    for index, course in enumerate(plan.drugs):
        regimen = regimen_of(course, f"{pointer}/drugs/{index}")
        if regimen is not None and regimen.with_chemotherapy:
            found.append(f"of the regimen {regimen.name}")
    return tuple(sorted(set(found)))


def _without_lesion(plan: Plan, pointer: str) -> tuple[RunWarning, ...]:
    """Return a warning for every course that reaches no lesion but something else; refuse one that reaches nothing."""
    found = []
    for index, course in enumerate(plan.radiotherapy):
        if course.lesion_ids:
            continue
        where = f"{pointer}/radiotherapy/{index}/lesion_ids"
        if not course.organs and course.node_dose_per_fraction_gy is None and course.field_exposure != 0.0:
            raise InvalidInput(where, "name the lesions that this course irradiates, or give the doses of organs")
        found.append(
            RunWarning(
                code="course-without-lesion",
                message="this course names no lesion: no tumor is irradiated by it, only what its organs and nodes say",
                pointer=where,
            )
        )
    return tuple(found)


def _fractions(
    plan: Plan, ids: tuple[str, ...], horizon_days: float, pointer: str
) -> tuple[Fractions, tuple[str, ...]]:
    """Return the fractions up to the horizon, and the kind of radiation of each."""
    courses = radiotherapy_plan(plan.radiotherapy, pointer=f"{pointer}/radiotherapy").courses
    rows: list[tuple[float, Floats, float, float, str]] = []
    for index, course in enumerate(courses):
        if course.fractions[0].day < 0.0:
            raise InvalidInput(f"{pointer}/radiotherapy/{index}", _BEFORE)
        for place, lesion in enumerate(course.lesion_ids):
            if lesion not in ids:
                where = f"{pointer}/radiotherapy/{index}/lesion_ids/{place}"
                raise InvalidInput(where, "no lesion of the patient has this id")
        hit = np.array([lesion in course.lesion_ids for lesion in ids], dtype=np.float64)
        for fraction in course.fractions:
            if fraction.day <= horizon_days:
                exposure = course.field_exposure
                if exposure is None:
                    exposure = course_exposure(fraction.dose_gy)
                node_gy = course.node_dose_per_fraction_gy or 0.0
                rows.append((fraction.day, fraction.dose_gy * hit, exposure, node_gy, course.modality))
    rows.sort(key=lambda row: row[0])
    fractions = Fractions(
        day=np.array([row[0] for row in rows], dtype=np.float64),
        dose_gy=np.array([row[1] for row in rows], dtype=np.float64).reshape(len(rows), len(ids)),
        field_exposure=np.array([row[2] for row in rows], dtype=np.float64),
        node_dose_gy=np.array([row[3] for row in rows], dtype=np.float64),
    )
    return fractions, tuple(row[4] for row in rows)


_BEFORE = "day 0 is the start of treatment and of the simulation: shift the plan so that nothing lies before it"


def _covariates(patient: Patient) -> Covariates:
    labs = patient.labs
    ratio = None
    if labs.neutrophils_1e9_per_l is not None and labs.lymphocytes_1e9_per_l:
        ratio = labs.neutrophils_1e9_per_l / labs.lymphocytes_1e9_per_l
    return Covariates(
        cancer_type=patient.cancer_type,
        pd_l1_tps_percent=patient.biomarkers.pd_l1_tps_percent,
        prior_immunotherapy=patient.prior_immunotherapy,
        prior_systemic_therapy=patient.prior_systemic_therapy,
        egfr_mutant=patient.biomarkers.egfr_mutant,
        sex=patient.sex,
        weight_kg=patient.weight_kg,
        ecog=patient.ecog,
        albumin_g_per_l=labs.albumin_g_per_l,
        egfr_ml_per_min=labs.egfr_ml_per_min,
        ldh_u_per_l=labs.ldh_u_per_l,
        neutrophil_lymphocyte_ratio=ratio,
    )
