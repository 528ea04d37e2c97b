"""The parts of a plan, by which two plans differ or not, and which of them a tumor model represents."""

from collections.abc import Hashable, Mapping
from typing import Final, Literal

import numpy as np

from simulation.tumor.scenario import Scenario
from simulation.tumor.virtual_patients import CTLA4_AGENTS, PD1_AGENTS

Part = Literal[
    "radiotherapy", "kind of radiation", "dose to blood and lymph nodes", "chemotherapy",
    "time of the first PD-(L)1 dose", "schedule of the PD-(L)1 doses", "size of the PD-(L)1 doses", "PD-(L)1 antibody",
    "second PD-(L)1 antibody", "CTLA-4 antibody", "other antibody", "cell infusion", "further cell infusions",
    "cell product", "number of infused cells", "vaccine", "vaccine product",
]  # fmt: skip
RADIOTHERAPY: Final[frozenset[Part]] = frozenset({"radiotherapy"})
BLOOD: Final[Part] = "dose to blood and lymph nodes"
PD1_START: Final[frozenset[Part]] = frozenset({"time of the first PD-(L)1 dose"})
PD1_SCHEDULE: Final[frozenset[Part]] = PD1_START | {"schedule of the PD-(L)1 doses"}
PD1_ANTIBODY: Final[Part] = "PD-(L)1 antibody"
PD1: Final[frozenset[Part]] = PD1_SCHEDULE | {"size of the PD-(L)1 doses", PD1_ANTIBODY}
_LIKE_PHOTONS: Final = ("photon", "electron")


def differing(first: Scenario, second: Scenario) -> tuple[Part, ...]:
    """Return the parts up to the horizon in which two plans for one patient differ.

    What only describes another part (the product of an infusion) counts where both plans have that part. The dose to
    blood and lymph nodes counts where the doses to the lesions are the same.

    Parameters
    ----------
    first, second : Scenario
        Of the same patient, with the same lesions in the same order.

    Returns
    -------
    tuple of Part
    """
    one, other = _values(first), _values(second)
    found = [part for part in one if one[part] != other[part] and one[part] is not None and other[part] is not None]
    if "radiotherapy" in found and BLOOD in found:
        found.remove(BLOOD)
    return tuple(found)


def pd1_agents(scenario: Scenario) -> frozenset[str]:
    """Return the antibodies against PD-1 or PD-L1 that the plan gives."""
    return frozenset(agent for agent in scenario.drugs.agents if agent in PD1_AGENTS)


def unlike_photons(scenario: Scenario) -> tuple[str, ...]:
    """Return the kinds of radiation of the plan whose biological effect differs from that of photons."""
    return tuple(sorted({kind for kind in scenario.modalities if kind not in _LIKE_PHOTONS}))


def _values(scenario: Scenario) -> Mapping[Part, Hashable]:
    """Return what stands for each part; None where a part that describes another one has nothing to describe."""
    drugs = [dose for dose in scenario.drugs.events if dose.time_days <= scenario.horizon_days]
    pd1 = [dose for dose in drugs if dose.agent in PD1_AGENTS]
    cells = sorted((cell for cell in scenario.cells if cell.day <= scenario.horizon_days), key=lambda cell: cell.day)
    days = [day for day in scenario.vaccine_days if day <= scenario.horizon_days]
    plan = scenario.fractions
    hit = plan.dose_gy.max(axis=1, initial=0.0) > 0.0
    counted = scenario.lymphocytes
    return {
        "radiotherapy": tuple(map(tuple, np.column_stack((plan.day, plan.dose_gy))[hit].tolist())),
        "kind of radiation": tuple(
            (day, kind)
            for day, kind in zip(plan.day.tolist(), scenario.modalities or ("photon",) * plan.day.size, strict=True)
            if kind not in _LIKE_PHOTONS
        ),
        BLOOD: (
            plan.day.tobytes(), plan.field_exposure.tobytes(), plan.node_dose_gy.tobytes(),
            b"" if counted is None else counted.relative.tobytes(),
        ),
        "chemotherapy": scenario.chemotherapy,
        "time of the first PD-(L)1 dose": tuple(dose.time_days for dose in pd1[:1]),
        "schedule of the PD-(L)1 doses": tuple(round(dose.time_days - pd1[0].time_days, 9) for dose in pd1) or None,
        "size of the PD-(L)1 doses": tuple(sorted({dose.amount_mg for dose in pd1})) or None,
        PD1_ANTIBODY: tuple(sorted({dose.agent for dose in pd1})) or None,
        "second PD-(L)1 antibody": tuple(sorted({dose.agent for dose in pd1} - {dose.agent for dose in pd1[:1]})),
        "CTLA-4 antibody": tuple((d.time_days, d.agent, d.amount_mg) for d in drugs if d.agent in CTLA4_AGENTS),
        "other antibody": tuple(
            (d.time_days, d.agent, d.amount_mg) for d in drugs if d.agent not in (*PD1_AGENTS, *CTLA4_AGENTS)
        ),
        "cell infusion": tuple(cell.day for cell in cells[:1]),
        "further cell infusions": tuple(cell.day for cell in cells[1:]),
        "cell product": tuple(cell.product for cell in cells) or None,
        "number of infused cells": tuple(cell.cells for cell in cells) or None,
        "vaccine": tuple(days),
        "vaccine product": (scenario.vaccine_products or None) if days else None,
    }  # fmt: skip
