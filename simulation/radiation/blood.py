"""Dose to circulating blood: the exact mean, and its distribution by following particles from event to event."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from simulation.radiation.circulation import Circulation


@dataclass(frozen=True, slots=True)
class Beam:
    """One stretch of irradiation within a fraction."""

    start_s: float
    duration_s: float


@dataclass(frozen=True, slots=True)
class BloodDose:
    """Dose of one fraction to the blood.

    Attributes
    ----------
    mean_gy : float, Gy
        Exact: organ doses weighted by their blood volumes.
    particles_gy : ndarray, shape (n_particles,), Gy
        Doses of sampled blood particles, scaled so that their mean is ``mean_gy``.
    sampled_mean_gy : float, Gy
        Mean before that scaling.
    """

    mean_gy: float
    particles_gy: NDArray[np.float64]
    sampled_mean_gy: float


def mean_blood_dose_gy(circulation: Circulation, compartment_dose_gy: Mapping[str, float]) -> float:
    r"""Return the mean dose of all blood, exactly.

    .. math:: \bar D = \sum_i \bar D_i V_i / \sum_i V_i

    It holds for every beam time and every dwell-time law as long as the blood is in flow balance.

    Parameters
    ----------
    circulation : Circulation
    compartment_dose_gy : mapping, Gy
        Mean dose of the compartments that are irradiated, by name.

    Returns
    -------
    float, Gy
    """
    dose = _dose_vector(circulation, compartment_dose_gy)
    return float(dose @ circulation.volume_l / circulation.total_volume_l)


def sample_blood_dose(
    circulation: Circulation,
    compartment_dose_gy: Mapping[str, float],
    beams: Sequence[Beam],
    *,
    rng: np.random.Generator,
    particles: int = 100_000,
    dwell_shape: float = 2.0,
) -> BloodDose:
    """Sample what blood particles receive in one fraction.

    A particle stays in a compartment for a Weibull time with the mean volume/flow, then goes on in
    proportion to the flow. While a beam is on, it collects the compartment's mean dose rate. Particles
    start in equilibrium, so nothing needs to be simulated before the first beam.

    Parameters
    ----------
    circulation : Circulation
    compartment_dose_gy : mapping, Gy
        Mean dose of one fraction in each irradiated compartment.
    beams : sequence of Beam
        In order of time, not overlapping; the dose rate is the same in all of them.
    rng : numpy.random.Generator
    particles : int
    dwell_shape : float
        Shape of the Weibull law; 1 is exponential, 2 leaves less chance of very short and very long stays.

    Returns
    -------
    BloodDose

    References
    ----------
    Beekman C et al. (HEDOS). Phys Med Biol 2023;68:225007. doi:10.1088/1361-6560/ad02d6
    """
    ends = [beam.start_s + beam.duration_s for beam in beams]
    if not beams or any(beam.duration_s <= 0 for beam in beams):
        raise ValueError("there must be a beam, and every beam must last longer than 0 s")
    if any(later.start_s < end for later, end in zip(beams[1:], ends[:-1], strict=True)):
        raise ValueError("beams must be in order of time and must not overlap")
    dose = _dose_vector(circulation, compartment_dose_gy)
    mean = float(dose @ circulation.volume_l / circulation.total_volume_l)
    total_time = sum(beam.duration_s for beam in beams)
    edges = np.array([[beam.start_s, end] for beam, end in zip(beams, ends, strict=True)]) - beams[0].start_s
    branching = np.cumsum(circulation.flow_l_per_s, axis=1)
    branching /= branching[:, -1:]
    cumulative_volume = np.cumsum(circulation.volume_l) / circulation.total_volume_l
    collected = _follow(
        particles, cumulative_volume, circulation.mean_dwell_s / math.gamma(1 + 1 / dwell_shape), dwell_shape,
        branching, dose / total_time, edges, rng,
    )  # fmt: skip
    sampled = float(collected.mean())
    scaled = collected * (mean / sampled) if sampled > 0 else collected
    return BloodDose(mean, scaled, sampled)


def course_dose_gy(fractions: Sequence[NDArray[np.float64]], rng: np.random.Generator) -> NDArray[np.float64]:
    """Add fractions up, the blood being fully mixed between them.

    Parameters
    ----------
    fractions : sequence of ndarray, shape (n_particles,), Gy
        One array for every fraction.
    rng : numpy.random.Generator

    Returns
    -------
    ndarray, shape (n_particles,), Gy
    """
    total = np.zeros_like(fractions[0])
    for fraction in fractions:
        total += rng.permutation(fraction)
    return total


def _dose_vector(circulation: Circulation, compartment_dose_gy: Mapping[str, float]) -> NDArray[np.float64]:
    unknown = set(compartment_dose_gy) - set(circulation.names)
    if unknown:
        raise ValueError(f"no such compartment: {sorted(unknown)}")
    return np.array([float(compartment_dose_gy.get(name, 0.0)) for name in circulation.names])


@njit(cache=True, nogil=True)
def _follow(particles, cumulative_volume, scale, shape, branching, rate, beams, rng):  # type: ignore[no-untyped-def]
    """Dose of every particle; starting places are spread evenly over the volume, not drawn one by one."""
    collected = np.empty(particles, dtype=np.float64)
    count = beams.shape[0]
    last_end = beams[count - 1, 1]
    power = 1.0 / shape
    for p in range(particles):
        place = (p + rng.random()) / particles
        here = min(np.searchsorted(cumulative_volume, place, side="right"), cumulative_volume.shape[0] - 1)
        whole_stay = scale[here] * rng.standard_gamma(1.0 + power) ** power
        leave = whole_stay * rng.random()
        now = 0.0
        beam = 0
        dose = 0.0
        while True:
            if rate[here] > 0.0:
                b = beam
                while b < count and beams[b, 0] < leave:
                    overlap = min(leave, beams[b, 1]) - max(now, beams[b, 0])
                    if overlap > 0.0:
                        dose += rate[here] * overlap
                    b += 1
            if leave >= last_end:
                break
            now = leave
            while beam < count - 1 and beams[beam, 1] <= now:
                beam += 1
            draw = rng.random()
            onward = 0
            while branching[here, onward] <= draw:
                onward += 1
            here = onward
            leave = now + scale[here] * (-math.log1p(-rng.random())) ** power
        collected[p] = dose
    return collected
