"""Dose-volume histograms of one structure and what is read from them."""

from collections.abc import Callable
from dataclasses import dataclass
from math import exp, log

import numpy as np
from numpy.typing import ArrayLike, NDArray

from simulation.radiation.linear_quadratic import bed_gy, dose_in_fractions_gy, eqd2_gy

FLOOR_DOSE_GY = 1e-3
"""Dose that stands for zero where an exponent of zero or below would make one cold voxel decide alone."""

WIDEST_BIN_GY = 0.5
"""Steps of a cumulative curve wider than this are divided before anything is summed over the volume."""

_SHARE_TOLERANCE = 1e-12
_NEAR_GEOMETRIC, _GEOMETRIC = 0.01, 1e-9


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Dvh:
    """The dose distribution of one structure.

    Two views of one distribution: bins for sums over the volume, and the nodes of the cumulative curve,
    joined by straight lines (vertical where a dose repeats), for reading off doses and volumes.

    Attributes
    ----------
    dose_gy : ndarray, shape (n_bins,), Gy
        Representative dose of each bin, increasing.
    share : ndarray, shape (n_bins,)
        Share of the volume in each bin; sums to 1.
    curve_dose_gy : ndarray, shape (n_nodes,), Gy
        Dose of each node of the cumulative curve, not decreasing.
    curve_share : ndarray, shape (n_nodes,)
        Share of the volume that receives at least that dose, from 1 down, not increasing.
    volume_cm3 : float or None
        Volume of the structure; None where only relative volumes are known.
    """

    dose_gy: NDArray[np.float64]
    share: NDArray[np.float64]
    curve_dose_gy: NDArray[np.float64]
    curve_share: NDArray[np.float64]
    volume_cm3: float | None = None

    @property
    def mean_gy(self) -> float:
        """Mean dose, Gy."""
        return float(np.dot(self.dose_gy, self.share))

    @property
    def minimum_gy(self) -> float:
        """Smallest dose in the structure, Gy."""
        return self.dose_at_share(1.0)

    @property
    def maximum_gy(self) -> float:
        """Largest dose in the structure, Gy."""
        return float(self.curve_dose_gy[-1])

    def dose_at_share(self, share: float) -> float:
        """Return the dose that the hottest share of the volume receives at least.

        Parameters
        ----------
        share : float
            0 to 1; 0.95 for D95 %.

        Returns
        -------
        float, Gy
            The largest dose whose cumulative volume is still ``share``.
        """
        if not 0.0 <= share <= 1.0:
            raise ValueError("share must be 0 to 1")
        node = int(np.searchsorted(-self.curve_share, -(share - _SHARE_TOLERANCE), side="right")) - 1
        if node < 0:
            return float(self.curve_dose_gy[0])
        if node >= len(self.curve_dose_gy) - 1:
            return self.maximum_gy
        upper, lower = self.curve_share[node], self.curve_share[node + 1]
        along = min(1.0, max(0.0, (upper - share) / (upper - lower)))
        start, stop = self.curve_dose_gy[node], self.curve_dose_gy[node + 1]
        return float(start + along * (stop - start))

    def dose_at_volume_cm3(self, volume_cm3: float) -> float:
        """Return the dose that the hottest volume receives at least.

        Parameters
        ----------
        volume_cm3 : float, cm3
            For instance 0.03 for D0.03cc; at most the volume of the structure.

        Returns
        -------
        float, Gy
            The dose.
        """
        if self.volume_cm3 is None:
            raise ValueError("the volume of the structure is not known")
        if volume_cm3 > self.volume_cm3 * (1.0 + 1e-9):
            raise ValueError("the structure is smaller than this volume")
        return self.dose_at_share(min(1.0, volume_cm3 / self.volume_cm3))

    def share_at_dose(self, dose_gy: float) -> float:
        """Return the share of the volume that receives at least a dose.

        Parameters
        ----------
        dose_gy : float, Gy
            The dose; 20 for V20.

        Returns
        -------
        float
            0 to 1.
        """
        node = int(np.searchsorted(self.curve_dose_gy, dose_gy, side="left"))
        if node == len(self.curve_dose_gy):
            return 0.0
        if node == 0 or self.curve_dose_gy[node] == dose_gy:
            return float(self.curve_share[node])
        start, stop = self.curve_dose_gy[node - 1], self.curve_dose_gy[node]
        along = (dose_gy - start) / (stop - start)
        return float(self.curve_share[node - 1] + along * (self.curve_share[node] - self.curve_share[node - 1]))

    def generalized_eud_gy(self, exponent: float) -> float:
        r"""Return the generalized equivalent uniform dose.

        Parameters
        ----------
        exponent : float
            :math:`a`: 1 is the mean, large values approach the maximum, negative values (tumors) weigh
            cold spots; from zero down doses below :data:`FLOOR_DOSE_GY` count as that dose.

        Returns
        -------
        float, Gy
            :math:`(\sum_i v_i D_i^a)^{1/a}`, computed on logarithms; the geometric mean for 0.
        """
        used = self.share > 0
        dose, share = self.dose_gy[used], self.share[used]
        if exponent <= 0:
            dose = np.maximum(dose, FLOOR_DOSE_GY)
        else:
            share, dose = share[dose > 0], dose[dose > 0]
            if not dose.size:
                return 0.0
        log_dose = np.log(dose)
        if abs(exponent) < _NEAR_GEOMETRIC:
            return _near_geometric_mean(exponent, log_dose, share)
        terms = exponent * log_dose + np.log(share)
        peak = float(terms.max())
        return float(np.exp((peak + np.log(np.sum(np.exp(terms - peak)))) / exponent))

    def is_floored(self, exponent: float) -> bool:
        """Say whether :data:`FLOOR_DOSE_GY` enters the generalized equivalent uniform dose.

        Parameters
        ----------
        exponent : float
            Exponent of the generalized equivalent uniform dose.

        Returns
        -------
        bool
            True when the exponent is not positive and some of the volume gets less than the floor.
        """
        return exponent <= 0 and bool(np.any(self.dose_gy[self.share > 0] < FLOOR_DOSE_GY))

    def condensed(self, bin_count: int) -> "Dvh":
        """Return a distribution with fewer bins, for costly sums; the curve stays as it is.

        Parameters
        ----------
        bin_count : int
            Most bins wanted, of equal width in dose.

        Returns
        -------
        Dvh
            Bins at the mean dose of what they hold, so that the mean is kept.
        """
        if len(self.dose_gy) <= bin_count:
            return self
        low, high = float(self.dose_gy[0]), float(self.dose_gy[-1])
        where = np.minimum(((self.dose_gy - low) / (high - low) * bin_count).astype(np.int64), bin_count - 1)
        share = np.asarray(np.bincount(where, weights=self.share, minlength=bin_count), dtype=np.float64)
        total = np.bincount(where, weights=self.share * self.dose_gy, minlength=bin_count)
        used = share > 0
        return Dvh(
            dose_gy=total[used] / share[used],
            share=share[used],
            curve_dose_gy=self.curve_dose_gy,
            curve_share=self.curve_share,
            volume_cm3=self.volume_cm3,
        )

    def mapped(self, transform: Callable[[NDArray[np.float64]], NDArray[np.float64]]) -> "Dvh":
        """Return the distribution after an increasing function of dose.

        Parameters
        ----------
        transform : callable
            Non-decreasing, from and to dose in Gy; applied to bins and nodes.

        Returns
        -------
        Dvh
            Same volumes, other doses.
        """
        return Dvh(
            dose_gy=transform(self.dose_gy),
            share=self.share,
            curve_dose_gy=transform(self.curve_dose_gy),
            curve_share=self.curve_share,
            volume_cm3=self.volume_cm3,
        )

    def scaled(self, factor: float) -> "Dvh":
        """Return the distribution with every dose multiplied by a factor.

        Parameters
        ----------
        factor : float
            Greater than 0.

        Returns
        -------
        Dvh
            The scaled distribution.
        """
        return self.mapped(lambda dose: dose * factor)

    def in_bed(self, fraction_count: float, alpha_beta_gy: float) -> "Dvh":
        """Return the distribution of BED, each bin with its own dose per fraction.

        Parameters
        ----------
        fraction_count : float
            Number of equal fractions that gave the dose.
        alpha_beta_gy : float, Gy
            Ratio alpha/beta of the structure.

        Returns
        -------
        Dvh
            Doses are BED, Gy.
        """
        return self.mapped(lambda dose: bed_gy(dose, fraction_count, alpha_beta_gy))

    def in_eqd2(self, fraction_count: float, alpha_beta_gy: float) -> "Dvh":
        """Return the distribution of EQD2, each bin with its own dose per fraction.

        Parameters
        ----------
        fraction_count : float
            Number of equal fractions that gave the dose.
        alpha_beta_gy : float, Gy
            Ratio alpha/beta of the structure.

        Returns
        -------
        Dvh
            Doses are EQD2, Gy.
        """
        return self.mapped(lambda dose: eqd2_gy(dose, fraction_count, alpha_beta_gy))

    def in_fractions(self, fraction_count: float, new_fraction_count: float, alpha_beta_gy: float) -> "Dvh":
        """Return the iso-effective distribution in another number of fractions.

        Parameters
        ----------
        fraction_count, new_fraction_count : float
            Numbers of equal fractions.
        alpha_beta_gy : float, Gy
            Ratio alpha/beta of the structure.

        Returns
        -------
        Dvh
            Doses are total doses in ``new_fraction_count`` fractions, Gy.
        """
        return self.mapped(lambda dose: dose_in_fractions_gy(dose, fraction_count, new_fraction_count, alpha_beta_gy))


def _near_geometric_mean(exponent: float, log_dose: NDArray[np.float64], share: NDArray[np.float64]) -> float:
    """Generalized EUD for exponents around zero, where the usual form loses all digits."""
    irradiated = float(share.sum())
    top = float(log_dose.max())
    weight = share / irradiated
    if abs(exponent) < _GEOMETRIC:
        log_eud = float(np.dot(weight, log_dose))
    else:
        log_eud = top + float(np.log1p(np.dot(weight, np.expm1(exponent * (log_dose - top))))) / exponent
    if irradiated < 1.0 - _SHARE_TOLERANCE:
        log_eud += log(irradiated) / exponent
    return exp(log_eud)


def _checked(dose_gy: ArrayLike, volume: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    dose = np.array(dose_gy, dtype=np.float64)
    amount = np.array(volume, dtype=np.float64)
    if dose.ndim != 1 or dose.shape != amount.shape or not dose.size:
        raise ValueError("dose and volume must be one-dimensional and of the same length")
    if not (np.all(np.isfinite(dose)) and np.all(np.isfinite(amount)) and np.all(dose >= 0) and np.all(amount >= 0)):
        raise ValueError("doses and volumes must be finite and >= 0")
    return dose, amount


def from_cumulative(dose_gy: ArrayLike, volume: ArrayLike, *, volume_cm3: float | None = None) -> Dvh:
    """Build from a cumulative curve.

    Parameters
    ----------
    dose_gy : array-like, shape (n,), Gy
        Increasing.
    volume : array-like, shape (n,)
        Volume that receives at least each dose, not increasing, in any unit; the first value is the whole
        structure. What is left at the last dose receives exactly that dose.
    volume_cm3 : float, optional, cm3
        Volume of the structure.

    Returns
    -------
    Dvh
        Bins are the steps of the curve, at their midpoints; wider steps than :data:`WIDEST_BIN_GY` are
        filled evenly, as the straight line between two nodes says.
    """
    dose, amount = _checked(dose_gy, volume)
    if np.any(np.diff(dose) <= 0):
        raise ValueError("dose must increase")
    if np.any(np.diff(amount) > 1e-9 * max(1.0, float(amount[0]))) or amount[0] <= 0:
        raise ValueError("the volume of a cumulative curve must not increase and must start above 0")
    share = np.minimum.accumulate(amount) / amount[0]
    empty = np.flatnonzero(share == 0)
    if empty.size:
        dose, share = dose[: empty[0] + 1], share[: empty[0] + 1]
    else:
        dose, share = np.append(dose, dose[-1]), np.append(share, 0.0)
    pieces = np.maximum(np.ceil(np.diff(dose) / WIDEST_BIN_GY).astype(np.int64), 1)
    which = np.repeat(np.arange(len(pieces)), pieces)
    within = np.arange(len(which)) - np.repeat(np.cumsum(pieces) - pieces, pieces)
    width = np.diff(dose) / pieces
    return Dvh(
        dose_gy=dose[which] + (within + 0.5) * width[which],
        share=(share[:-1] - share[1:])[which] / pieces[which],
        curve_dose_gy=dose,
        curve_share=share,
        volume_cm3=volume_cm3,
    )


def from_samples(dose_gy: ArrayLike, volume: ArrayLike, *, volume_cm3: float | None = None) -> Dvh:
    """Build from doses that carry a volume each: differential bins or sampled points.

    Parameters
    ----------
    dose_gy : array-like, shape (n,), Gy
        Dose of each bin or point, in any order.
    volume : array-like, shape (n,)
        Its volume, in any unit.
    volume_cm3 : float, optional, cm3
        Volume of the structure.

    Returns
    -------
    Dvh
        The cumulative curve is a staircase.
    """
    dose, amount = _checked(dose_gy, volume)
    total = float(amount.sum())
    if total <= 0:
        raise ValueError("the structure has no volume")
    dose, where = np.unique(dose[amount > 0], return_inverse=True)
    share = np.bincount(where, weights=amount[amount > 0]) / total
    above = np.cumsum(share[::-1])[::-1]
    above[0] = 1.0
    below = np.append(above[1:], 0.0)
    return Dvh(
        dose_gy=dose,
        share=share,
        curve_dose_gy=np.repeat(dose, 2),
        curve_share=np.column_stack((above, below)).ravel(),
        volume_cm3=volume_cm3,
    )
