"""One harm of two plans as a row of the answer."""

from collections.abc import Sequence
from math import hypot

from schemas.base import Estimate, IntervalRead
from schemas.simulations import HarmDifferenceRead
from service.simulations_outcomes import rounded


def harm_row(
    harm: str,
    organ: str | None,
    model: str,
    before: Estimate,
    after: Estimate,
    sources: Sequence[str],
    notes: Sequence[str],
    *,
    with_interval: bool = True,
) -> HarmDifferenceRead:
    """Return a harm under the reference plan and under the other one, and the difference.

    Parameters
    ----------
    harm, organ, model : str
        What is compared, where, and by which model.
    before, after : Estimate
        Probability under the reference plan and under the other one.
    sources, notes : sequence of str
        Where the figures come from, and what a reader must know of them.
    with_interval : bool
        False where the intervals of the figures leave out what the difference hangs on.
    """
    return HarmDifferenceRead(
        harm=harm,
        organ=organ,
        model=model,
        reference=before,
        plan=after,
        difference=Estimate(
            value=rounded(after.value - before.value), interval=_interval(before, after) if with_interval else None
        ),
        sources=list(sources),
        notes=list(notes),
    )


def _interval(before: Estimate, after: Estimate) -> IntervalRead | None:
    """Interval of a difference from those of its parts as if independent (Newcombe, doi:10.1002/sim.779)."""
    first, second = before.interval, after.interval
    if first is None or second is None or first.level != second.level:
        return None
    value = after.value - before.value
    down = hypot(after.value - second.lower, first.upper - before.value)
    up = hypot(second.upper - after.value, before.value - first.lower)
    return IntervalRead(level=first.level, lower=rounded(value - down), upper=rounded(value + up))
