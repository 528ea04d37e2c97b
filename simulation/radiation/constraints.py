"""Dose constraints of published protocols, checked against a distribution."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from simulation.model import Reference
from simulation.radiation.dvh import Dvh
from simulation.radiation.metrics import Metric, metric
from simulation.radiation.structure import Part
from simulation.radiation.tables import read_table

Protocol = Literal["quantec", "tg101", "hytec", "given"]
Scope = Literal["whole_organ", "each_side", "one_side"]
CONVENTIONAL_MAXIMUM_GY = 3.0
"""Dose per fraction up to which a course counts as conventionally fractionated here; assumed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Constraint:
    """An upper limit on a metric, or, where ``spared``, a least volume that must stay below the dose.

    ``scope`` says what the limit is stated for: the whole organ (both of a pair together), each of a pair alone
    as well, or one of a pair alone and never both together.
    """

    protocol: Protocol
    organ: str
    metric: Metric
    limit: float
    spared: bool = False
    scope: Scope = "whole_organ"
    fraction_count: int | None = None
    risk: str | None = None
    reference: Reference | None = None

    def meant_for(self, part: Part) -> bool:
        """Say whether the limit can be checked on this part of the organ.

        Parameters
        ----------
        part : str
            Which of a pair; ``whole`` is the organ, or both of a pair.

        Returns
        -------
        bool
            False for one side of what is limited as a whole, and for the whole of what is limited on one side.
        """
        return self.scope == "each_side" or (self.scope == "whole_organ") == (part == "whole")

    def value(self, dvh: Dvh) -> float:
        """Return what the distribution has, in the unit of the metric.

        Parameters
        ----------
        dvh : Dvh
            Physical dose.

        Returns
        -------
        float
            The metric; for a spared volume, the volume below the dose.
        """
        found = self.metric.read(dvh)
        if not self.spared:
            return found
        assert dvh.volume_cm3 is not None
        return dvh.volume_cm3 - found

    def margin(self, value: float) -> float:
        """Return how far a value is on the right side of the limit; negative when it fails.

        Parameters
        ----------
        value : float
            From :meth:`value`.

        Returns
        -------
        float
            In the unit of the metric.
        """
        return value - self.limit if self.spared else self.limit - value


_TABLE = read_table("radiation_constraints.toml")
CONSTRAINTS: Sequence[Constraint] = tuple(
    Constraint(
        protocol=row["protocol"],
        organ=row["organ"],
        metric=metric(row["metric"] + ("_cc" if row["unit"] == "cm3" and row["metric"].startswith("V") else "")),
        limit=row["limit"],
        spared=row.get("spared", False),
        scope=row.get("scope", "whole_organ"),
        fraction_count=row.get("fraction_count"),
        risk=row.get("risk"),
        reference=Reference(**_TABLE["sources"][row["source"]], verified=row["verified"]),
    )
    for row in _TABLE["constraints"]
)


def applicable(
    organ: str, fraction_count: int, dose_per_fraction_gy: float | None, part: Part = "whole"
) -> tuple[Constraint, ...]:
    """Return the constraints of an organ, or of one of a pair, that are meant for this fractionation.

    Parameters
    ----------
    organ : str
        Name in the organ vocabulary.
    fraction_count : int
        Number of fractions of the course.
    dose_per_fraction_gy : float or None, Gy
        Prescribed dose per fraction; None where unknown, then more than ten fractions count as
        conventional.
    part : str
        Which of a pair; ``whole`` is the organ, or both of a pair.

    Returns
    -------
    tuple of Constraint
        QUANTEC for conventional fractions, the stereotactic tables for their number of fractions.
    """
    conventional = (
        fraction_count > 10 if dose_per_fraction_gy is None else dose_per_fraction_gy <= CONVENTIONAL_MAXIMUM_GY
    )
    return tuple(
        constraint
        for constraint in CONSTRAINTS
        if constraint.organ == organ
        and constraint.meant_for(part)
        and (constraint.fraction_count is None if conventional else constraint.fraction_count == fraction_count)
    )
