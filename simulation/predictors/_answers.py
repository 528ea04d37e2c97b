"""Ready-made answers: published figures by group or stratum, and points of a score."""

import math

from simulation.model import Contribution, Interval, Published

NORMAL_QUANTILE_975 = 1.959963984540054
LEVEL = 0.95


def interval(bounds: tuple[float, float] | None) -> Interval | None:
    """Return a 95 % interval, or None where none is known."""
    return None if bounds is None else Interval(level=LEVEL, lower=bounds[0], upper=bounds[1])


def wilson(events: int, patients: int) -> tuple[float, float]:
    """Return the 95 % Wilson score interval of a proportion.

    Parameters
    ----------
    events, patients : int
        0 <= events <= patients, patients > 0.

    Returns
    -------
    tuple of float
        Lower and upper bound, 0 to 1.

    References
    ----------
    Wilson EB. J Am Stat Assoc 1927;22:209-212. doi:10.1080/01621459.1927.10502953
    """
    z2 = NORMAL_QUANTILE_975**2
    p = events / patients
    center = (p + z2 / (2 * patients)) / (1 + z2 / patients)
    half = NORMAL_QUANTILE_975 * math.sqrt(p * (1 - p) / patients + z2 / (4 * patients**2)) / (1 + z2 / patients)
    return max(0.0, center - half), min(1.0, center + half)


def wilson_difference(events: int, patients: int, other_events: int, other_patients: int) -> tuple[float, float]:
    """Return the 95 % interval of the difference of two independent proportions (Newcombe's method 10).

    Parameters
    ----------
    events, patients : int
        The arm that the difference is counted for.
    other_events, other_patients : int
        The arm that is subtracted.

    Returns
    -------
    tuple of float
        Lower and upper bound, -1 to 1.

    References
    ----------
    Newcombe RG. Stat Med 1998;17:873-890.
    doi:10.1002/(SICI)1097-0258(19980430)17:8<873::AID-SIM779>3.0.CO;2-I
    """
    p, q = events / patients, other_events / other_patients
    low_p, high_p = wilson(events, patients)
    low_q, high_q = wilson(other_events, other_patients)
    return (
        p - q - math.sqrt((p - low_p) ** 2 + (high_q - q) ** 2),
        p - q + math.sqrt((high_p - p) ** 2 + (q - low_q) ** 2),
    )


def published(
    outcome: str,
    value: float,
    unit: str,
    bounds: tuple[float, float] | None = None,
    *,
    group: str | None = None,
    note: str | None = None,
    horizon_days: int | None = None,
    references: tuple[int, ...] = (),
) -> Published:
    """Return a printed figure with its printed 95 % interval."""
    return Published(
        outcome=outcome,
        value=value,
        unit=unit,
        interval=interval(bounds),
        group=group,
        note=note,
        horizon_days=horizon_days,
        references=references,
    )


def counted(
    outcome: str,
    events: int,
    patients: int,
    *,
    group: str | None = None,
    note: str | None = None,
    references: tuple[int, ...] = (),
) -> Published:
    """Return a proportion with its Wilson interval, computed from the counts."""
    counts = f"{events} of {patients}; the interval is computed (Wilson)."
    return published(
        outcome,
        events / patients,
        "probability",
        wilson(events, patients),
        group=group,
        note=f"{counts} {note}" if note else counts,
        references=references,
    )


def points(*factors: tuple[str, bool]) -> tuple[int, tuple[Contribution, ...]]:
    """Return the number of factors that are present, and the share of each (1 point or 0)."""
    shares = [Contribution(name, 1.0 if present else 0.0, "points") for name, present in factors]
    return sum([present for _, present in factors]), tuple(shares)
