"""Clonogen proliferation during a course, as dose lost per day after a kick-off time."""

from dataclasses import dataclass
from math import log


@dataclass(frozen=True, slots=True, kw_only=True)
class Repopulation:
    """Dose lost to proliferation.

    ``kick_off_day`` and the overall time must count days alike; ``rate_gy_per_day`` is in units of BED
    and belongs to the alpha that the BED goes with.
    """

    kick_off_day: float
    rate_gy_per_day: float

    def loss_gy(self, overall_time_days: float) -> float:
        """BED lost by the end of the course.

        Parameters
        ----------
        overall_time_days : float, d
            Overall treatment time.

        Returns
        -------
        float, Gy
            ``rate * max(0, T - kick_off)``.
        """
        return self.rate_gy_per_day * max(0.0, overall_time_days - self.kick_off_day)


def rate_from_doubling_gy_per_day(alpha_per_gy: float, doubling_time_days: float) -> float:
    r"""Daily BED that proliferation undoes, :math:`\ln 2/(\alpha T_{pot})`.

    Parameters
    ----------
    alpha_per_gy : float, 1/Gy
        Linear coefficient of the same tissue.
    doubling_time_days : float, d
        Effective doubling time of the clonogens during the course.

    Returns
    -------
    float, Gy/d
        Rate in units of BED.
    """
    if alpha_per_gy <= 0 or doubling_time_days <= 0:
        raise ValueError("alpha_per_gy and doubling_time_days must be > 0")
    return log(2.0) / (alpha_per_gy * doubling_time_days)
