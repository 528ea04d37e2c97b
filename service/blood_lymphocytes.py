"""The lymphocyte count through all courses of a plan, for equally likely sensitivities at once."""

from collections.abc import Sequence
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from schemas import blood as wire
from schemas.base import Estimate, IntervalRead
from service.blood_exposure import CourseExposure
from service.errors import InvalidInput
from simulation.radiation.lymphocytes import (
    GRADE_LIMITS_1E9_PER_L,
    alpha_values_per_gy,
    blood_survival,
    count_quantiles,
    probability_below,
    relative_counts,
    reserve_survival,
)

DAYS_BEFORE: Final = 1.0
INTERVAL_NOTE: Final = (
    "the spread between patients is in the value; no interval, because the sources print no uncertainty of the "
    "calibrated relations"
)
ALREADY_BELOW: Final = (
    "the count measured before treatment is below the limit already, so that the grade is reached whatever the dose; "
    "the probability says nothing about the effect of the radiation"
)
Row = tuple[float, float, CourseExposure]
"""Day of a fraction, its size against the mean one, and the course."""


def survival_of_fractions(
    exposures: Sequence[CourseExposure], alpha: NDArray[np.float64]
) -> tuple[list[Row], NDArray[np.float64], NDArray[np.float64]]:
    """Return all fractions by day, and the shares of blood and of reserve lymphocytes that survive each.

    Parameters
    ----------
    exposures : sequence of CourseExposure
    alpha : ndarray, shape (n,), 1/Gy

    Returns
    -------
    tuple of list of rows, ndarray, ndarray
        The arrays have the shape (n_fractions, n).
    """
    rows = sorted(
        (
            (fraction.day, float(share), exposure)
            for exposure in exposures
            for fraction, share in zip(exposure.course.fractions, exposure.fraction_share, strict=True)
        ),
        key=lambda row: row[0],
    )
    known: dict[tuple[str, float], tuple[NDArray[np.float64], NDArray[np.float64]]] = {}
    for _, share, exposure in rows:
        key = (exposure.course.id, share)
        if key not in known:
            known[key] = (
                blood_survival(exposure.blood.particles_gy * share, alpha),
                reserve_survival(exposure.mean_exposure_gy * share, alpha),
            )
    survived = [known[exposure.course.id, share] for _, share, exposure in rows]
    return rows, np.array([blood for blood, _ in survived]), np.array([reserve for _, reserve in survived])


class LymphocyteCounts:
    """Counts over all courses for equally likely sensitivities, and how they are read."""

    def __init__(self, exposures: Sequence[CourseExposure], request: wire.BloodRequest) -> None:
        self._level = request.interval_level
        self.baseline = request.patient.labs.lymphocytes_1e9_per_l
        if self.baseline is not None and self.baseline <= 0:
            raise InvalidInput("/patient/labs/lymphocytes_1e9_per_l", "must be greater than 0")
        alpha = alpha_values_per_gy()
        self._median = len(alpha) // 2
        self._rows, self._blood, reserve = survival_of_fractions(exposures, alpha)
        fraction_days = np.array([row[0] for row in self._rows])
        self._days = np.arange(fraction_days[0] - DAYS_BEFORE, fraction_days[-1] + request.follow_days + 0.5)
        self._counts = relative_counts(fraction_days, self._blood, reserve, self._days)

    def _bounds(self) -> tuple[float, float]:
        return (1 - self._level) / 2, (1 + self._level) / 2

    def _estimate(self, values: NDArray[np.float64]) -> Estimate:
        lower, upper = np.quantile(values, self._bounds())
        interval = IntervalRead(level=self._level, lower=float(lower), upper=float(upper))
        return Estimate(value=float(values[self._median]), interval=interval)

    def _count_estimate(self, values: NDArray[np.float64], factor: float) -> Estimate:
        lower, upper = count_quantiles(values[None, :], self._bounds())[:, 0] * factor
        interval = IntervalRead(level=self._level, lower=float(lower), upper=float(upper))
        return Estimate(value=float(values[self._median]) * factor, interval=interval)

    def fractions(self) -> list[wire.FractionLymphocytes]:
        """Return one row for every fraction."""
        so_far = np.cumprod(self._blood, axis=0)
        return [
            wire.FractionLymphocytes(
                day=day,
                course_id=exposure.course.id,
                mean_blood_dose_gy=float(exposure.blood.mean_gy * share),
                surviving_fraction=self._estimate(self._blood[number]),
                surviving_fraction_so_far=self._estimate(so_far[number]),
                relative_count_after=self._count_estimate(self._counts.after_fractions[number], 1.0),
            )
            for number, (day, share, exposure) in enumerate(self._rows)
        ]

    def series(self, factor: float) -> wire.CountSeries:
        """Return the daily counts times a factor."""
        lower, upper = count_quantiles(self._counts.at_days, self._bounds()) * factor
        return wire.CountSeries(
            day=self._days.tolist(),
            value=(self._counts.at_days[:, self._median] * factor).tolist(),
            lower=lower.tolist(),
            upper=upper.tolist(),
        )

    def nadir(self) -> wire.Nadir:
        """Return the lowest count and its day."""
        median = [
            *zip(self._counts.at_days[:, self._median], self._days, strict=True),
            *zip(self._counts.after_fractions[:, self._median], (row[0] for row in self._rows), strict=True),
        ]
        lowest = self._counts.nadir
        return wire.Nadir(
            day=float(min(median)[1]),
            relative_count=self._count_estimate(lowest, 1.0),
            count_1e9_per_l=None if self.baseline is None else self._count_estimate(lowest, self.baseline),
        )

    def grades(self) -> list[wire.GradeProbability] | None:
        """Return the probabilities of severe lymphopenia."""
        if self.baseline is None:
            return None
        return [self._grade(3, self.baseline), self._grade(4, self.baseline)]

    def _grade(self, grade: Literal[3, 4], baseline: float) -> wire.GradeProbability:
        below = GRADE_LIMITS_1E9_PER_L[f"grade_{grade}"]
        return wire.GradeProbability(
            grade=grade,
            below_1e9_per_l=below,
            probability=Estimate(value=probability_below(below, baseline, self._counts.nadir), interval=None),
            interval_note=ALREADY_BELOW if baseline < below else INTERVAL_NOTE,
        )
