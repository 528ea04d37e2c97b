"""Scenarios that several tests of the tumor models share."""

import numpy as np

from simulation.immunotherapy.plan import DoseEvent, DrugPlan
from simulation.tumor.scenario import CellDose, Covariates, Fractions, Scenario

PEMBROLIZUMAB = tuple(DoseEvent(21.0 * i, "pembrolizumab", 200.0, 0.02) for i in range(12))
IPILIMUMAB = tuple(DoseEvent(21.0 * i, "ipilimumab", 210.0, 0.02) for i in range(4))
SBRT = ((0.0, 8.0), (2.0, 8.0), (4.0, 8.0))


def fractions(course: tuple[tuple[float, float], ...], lesions: int, *, field: float = 0.3, node_gy: float = 0.0):
    """Irradiate the first lesion."""
    dose = np.zeros((len(course), lesions))
    dose[:, 0] = [gy for _, gy in course]
    return Fractions(
        day=np.array([day for day, _ in course]),
        dose_gy=dose,
        field_exposure=np.full(len(course), field),
        node_dose_gy=np.full(len(course), node_gy),
    )


def scenario(
    *,
    course: tuple[tuple[float, float], ...] = (),
    drugs: tuple[DoseEvent, ...] = (),
    volumes: tuple[float, ...] = (12.0, 5.0, 30.0),
    organs: tuple[str, ...] = ("lung", "liver", "lymph_node"),
    cells: tuple[CellDose, ...] = (),
    vaccine_days: tuple[float, ...] = (),
    covariates: Covariates = Covariates(cancer_type="nsclc"),  # noqa: B008
    days: np.ndarray | None = None,
    node_gy: float = 0.0,
) -> Scenario:
    output = np.arange(0.0, 365.0, 21.0) if days is None else days
    return Scenario(
        lesion_ids=tuple(f"lesion-{i + 1}" for i in range(len(volumes))),
        organs=organs[: len(volumes)] + ("lung",) * (len(volumes) - len(organs)),
        volume_cm3=np.array(volumes),
        fractions=fractions(course, len(volumes), node_gy=node_gy),
        drugs=DrugPlan.of(drugs),
        cells=cells,
        vaccine_days=vaccine_days,
        horizon_days=float(output[-1]),
        output_days=output,
        covariates=covariates,
    )
