"""Where the blood is: compartments of the reference adult, their volumes and the flow between them."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulation.radiation.tables import read_table

SECONDS_PER_MINUTE = 60.0
_TABLE: Mapping[str, Any] = read_table("blood_compartments.toml")
REFERENCE: Mapping[str, Mapping[str, float]] = _TABLE["reference"]
EXPOSED_BY: Mapping[str, tuple[str, ...]] = {organ: tuple(parts) for organ, parts in _TABLE["exposed_by"].items()}


@dataclass(frozen=True, slots=True)
class Circulation:
    """Compartments in balance: what flows in flows out.

    Attributes
    ----------
    names : tuple of str
    volume_l : ndarray, shape (n,), L
        Blood in each compartment.
    flow_l_per_s : ndarray, shape (n, n), L/s
        From row to column.
    """

    names: tuple[str, ...]
    volume_l: NDArray[np.float64]
    flow_l_per_s: NDArray[np.float64]

    @property
    def total_volume_l(self) -> float:
        """Blood of the whole body, L."""
        return float(self.volume_l.sum())

    @property
    def mean_dwell_s(self) -> NDArray[np.float64]:
        """Mean time that blood stays in each compartment, s."""
        dwell: NDArray[np.float64] = self.volume_l / self.flow_l_per_s.sum(axis=1)
        return dwell

    def with_tumor(self, host: str, *, volume_fraction: float, flow_fraction: float) -> "Circulation":
        """Return a circulation in which a tumor takes part of its host's blood, in parallel.

        Parameters
        ----------
        host : str
            Compartment in which the tumor lies.
        volume_fraction, flow_fraction : float
            Parts of the host's blood volume and flow, 0 to 1 exclusive.

        Returns
        -------
        Circulation
            With a last compartment ``tumor``.
        """
        if not (0 < volume_fraction < 1 and 0 < flow_fraction < 1):
            raise ValueError("volume_fraction and flow_fraction must be between 0 and 1")
        at = self.names.index(host)
        size = len(self.names)
        volume = np.append(self.volume_l, self.volume_l[at] * volume_fraction)
        volume[at] *= 1 - volume_fraction
        flow = np.zeros((size + 1, size + 1))
        flow[:size, :size] = self.flow_l_per_s
        flow[size, :size], flow[:size, size] = flow[at, :size] * flow_fraction, flow[:size, at] * flow_fraction
        flow[at, :] *= 1 - flow_fraction
        flow[:size, at] *= 1 - flow_fraction
        return replace(self, names=(*self.names, "tumor"), volume_l=volume, flow_l_per_s=flow)


def reference_circulation(
    sex: str, *, total_blood_volume_l: float | None = None, cardiac_output_l_per_min: float | None = None
) -> Circulation:
    """Return the reference adult's circulation, scaled.

    Parameters
    ----------
    sex : str
        ``female`` or ``male``.
    total_blood_volume_l : float, optional, L
        Default: the reference adult's.
    cardiac_output_l_per_min : float, optional, L/min
        Default: the reference adult's, in proportion to the blood volume, so that transit times stay.

    Returns
    -------
    Circulation

    References
    ----------
    ICRP Publication 89. doi:10.1016/S0146-6453(03)00002-2
    """
    reference = REFERENCE[sex]
    total = total_blood_volume_l or reference["total_blood_volume_l"]
    output = cardiac_output_l_per_min or (
        reference["cardiac_output_l_per_min"] * total / reference["total_blood_volume_l"]
    )
    central, organs = _TABLE["central"], _TABLE["organs"]
    names = (*central, *organs)
    where = {name: number for number, name in enumerate(names)}
    volume = np.array([row[sex] for row in central.values()] + [row[sex][0] for row in organs.values()])
    flow = np.zeros((len(names), len(names)))
    supply = sum(row[sex][1] for row in organs.values())
    for name, row in organs.items():
        flow[where["large_arteries"], where[name]] = row[sex][1] / supply
    for name, row in sorted(organs.items(), key=lambda item: item[1]["drains_into"] != "liver"):
        flow[where[name], where[row["drains_into"]]] = flow[:, where[name]].sum()
    venous = flow[:, where["large_veins"]].sum()
    for vein in ("superior_vena_cava", "inferior_vena_cava"):
        flow[where["large_veins"], where[vein]] = venous * central[vein]["share_of_venous_return"]
        flow[where[vein], where["right_heart"]] = venous * central[vein]["share_of_venous_return"]
    for start, end in (
        ("right_heart", "pulmonary_artery"), ("pulmonary_artery", "lung"), ("lung", "left_heart"),
        ("left_heart", "aorta"), ("aorta", "large_arteries"),
    ):  # fmt: skip
        flow[where[start], where[end]] = flow[:, where[start]].sum()
    return Circulation(
        names=names,
        volume_l=volume / volume.sum() * total,
        flow_l_per_s=flow * output / SECONDS_PER_MINUTE,
    )


def blood_volume_l(sex: str, *, weight_kg: float | None = None, height_cm: float | None = None) -> float:
    """Estimate the total blood volume.

    Nadler's formula when weight and height are known, in proportion to weight when only that is
    known, the reference adult's volume otherwise.

    Parameters
    ----------
    sex : str
        ``female`` or ``male``.
    weight_kg : float, optional, kg
    height_cm : float, optional, cm

    Returns
    -------
    float, L

    References
    ----------
    Nadler SB, Hidalgo JU, Bloch T. Prediction of blood volume in normal human adults. Surgery 1962;51:224-232.
    """
    if weight_kg is None:
        return float(REFERENCE[sex]["total_blood_volume_l"])
    if height_cm is None:
        return float(REFERENCE[sex]["total_blood_volume_l"] * weight_kg / REFERENCE[sex]["weight_kg"])
    cubic, linear, constant = _TABLE["nadler"][sex]
    return float(cubic * (height_cm / 100.0) ** 3 + linear * weight_kg + constant)
