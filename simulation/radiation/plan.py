"""The radiotherapy of a plan: which lesion gets which dose when, and what the organs get."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from simulation.radiation.dvh import Dvh


@dataclass(frozen=True, slots=True, order=True)
class Fraction:
    """One irradiation."""

    day: float
    dose_gy: float


@dataclass(frozen=True, slots=True, kw_only=True)
class OrganDose:
    """What one organ receives over a whole course; ``dvh`` is None where only the mean is known."""

    organ: str
    mean_dose_gy: float
    dvh: Dvh | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """Fractions, sorted by day, to some lesions.

    ``field_exposure`` is the exposure of blood and lymphoid tissue relative to a conventional thoracic
    field, None where the plan is silent; the nodes receive ``node_dose_per_fraction_gy`` at each fraction.
    """

    id: str
    lesion_ids: tuple[str, ...]
    modality: str
    fractions: tuple[Fraction, ...]
    organs: tuple[OrganDose, ...] = ()
    field_exposure: float | None = None
    node_dose_per_fraction_gy: float | None = None

    def __post_init__(self) -> None:
        if any(later.day < earlier.day for earlier, later in zip(self.fractions, self.fractions[1:], strict=False)):
            raise ValueError("fractions must be sorted by day")

    @property
    def total_dose_gy(self) -> float:
        """Prescribed dose of the whole course, Gy."""
        return sum(fraction.dose_gy for fraction in self.fractions)

    @property
    def fraction_count(self) -> int:
        """Number of fractions."""
        return len(self.fractions)

    def scaled(self, factor: float) -> "Course":
        """Return the course with every dose, organs included, multiplied by a factor.

        Parameters
        ----------
        factor : float
            Greater than 0.

        Returns
        -------
        Course
            Same days, scaled doses.
        """
        return replace(
            self,
            fractions=tuple(Fraction(fraction.day, fraction.dose_gy * factor) for fraction in self.fractions),
            organs=tuple(
                OrganDose(
                    organ=organ.organ,
                    mean_dose_gy=organ.mean_dose_gy * factor,
                    dvh=None if organ.dvh is None else organ.dvh.scaled(factor),
                )
                for organ in self.organs
            ),
            node_dose_per_fraction_gy=(
                None if self.node_dose_per_fraction_gy is None else self.node_dose_per_fraction_gy * factor
            ),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class RadiotherapyPlan:
    """All courses of a plan on one time axis; day 0 is the start of treatment."""

    courses: tuple[Course, ...] = ()

    def fractions_of(self, lesion_id: str) -> tuple[Fraction, ...]:
        """Return every fraction that a lesion receives, sorted by day.

        Parameters
        ----------
        lesion_id : str
            The lesion.

        Returns
        -------
        tuple of Fraction
            Empty for a lesion that is not irradiated.
        """
        return tuple(
            sorted(
                fraction for course in self.courses if lesion_id in course.lesion_ids for fraction in course.fractions
            )
        )

    def total_dose_gy(self, lesion_id: str) -> float:
        """Return the physical dose that a lesion receives, Gy.

        Parameters
        ----------
        lesion_id : str
            The lesion.

        Returns
        -------
        float, Gy
            0 for a lesion that is not irradiated.
        """
        return sum(fraction.dose_gy for fraction in self.fractions_of(lesion_id))

    def fraction_table(self, lesion_ids: Sequence[str]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Table of the doses to some lesions at every irradiation of the plan.

        Parameters
        ----------
        lesion_ids : sequence of str, length L
            The lesions, in the order of the columns.

        Returns
        -------
        days : ndarray, shape (K,), d
            Times of the fractions that reach any of the lesions, not decreasing; fractions of several
            courses on one day are separate rows, so that each keeps its own size.
        dose_gy : ndarray, shape (K, L), Gy
            Dose of each lesion at each fraction.
        """
        rows: list[tuple[float, int, NDArray[np.float64]]] = []
        for order, course in enumerate(self.courses):
            hit = np.array([lesion in course.lesion_ids for lesion in lesion_ids], dtype=np.float64)
            if hit.any():
                rows.extend((fraction.day, order, fraction.dose_gy * hit) for fraction in course.fractions)
        rows.sort(key=lambda row: (row[0], row[1]))
        days = np.array([row[0] for row in rows], dtype=np.float64)
        doses = np.array([row[2] for row in rows], dtype=np.float64).reshape(len(rows), len(lesion_ids))
        return days, doses

    def organ_mean_dose_gy(self, organ: str) -> float | None:
        """Return the physical mean dose of an organ, summed over the courses.

        Parameters
        ----------
        organ : str
            The organ.

        Returns
        -------
        float, Gy, or None
            None when no course says anything about the organ.
        """
        found = [dose.mean_dose_gy for course in self.courses for dose in course.organs if dose.organ == organ]
        return sum(found) if found else None
