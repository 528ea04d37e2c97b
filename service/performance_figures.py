"""Calibration plot, decision curve and Kaplan-Meier plot of a model on the runs of a site."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from schemas.performance import SurvivalCurve
from service.figures import INK, MUTED, new_figure, numbers_at_risk, style, survival_curve, to_svg
from simulation.outcome.calibration import CalibrationPoint
from simulation.outcome.performance import DecisionCurve


def calibration_plot(points: Sequence[CalibrationPoint], probability: ArrayLike, *, title: str) -> bytes:
    """Observed rate against prediction with intervals, and a histogram of the predictions.

    Parameters
    ----------
    points : sequence of CalibrationPoint
    probability : array-like, shape (n,)
        Predictions of the same patients, for the histogram.
    title : str
    """
    fig, ax = new_figure(110.0, 120.0)
    look = style(0)
    ax.plot([0.0, 1.0], [0.0, 1.0], color=MUTED, linewidth=0.8, linestyle=(0.0, (4.0, 2.0)), label="ideal")
    predicted = np.array([point.predicted for point in points])
    observed = np.array([point.observed for point in points])
    reach = np.array(
        [[point.observed - point.interval.lower, point.interval.upper - point.observed] for point in points]
    )
    ax.errorbar(
        predicted, observed, yerr=np.maximum(reach, 0.0).T, color=look.color, marker=look.marker, linestyle="none",
        capsize=2, elinewidth=0.8, label=f"groups with {100 * points[0].interval.level:g} % interval",
    )  # fmt: skip
    ax.set_xlim(-0.02, 1.02)
    ax.set_ylim(-0.02, 1.02)
    ax.set_ylabel("Observed rate")
    ax.legend(loc="upper left")
    strip = ax.inset_axes((0.0, -0.34, 1.0, 0.18), sharex=ax)
    values = np.asarray(probability, dtype=np.float64)
    strip.hist(values, bins=[0.05 * edge for edge in range(21)], color=look.color, edgecolor=INK, linewidth=0.3)
    strip.set_ylabel("Patients")
    strip.set_xlabel("Predicted probability")
    n = sum(point.n for point in points)
    return to_svg(
        fig,
        title=title,
        description=f"Calibration plot of {n} patients in {len(points)} groups: "
        + "; ".join(f"predicted {point.predicted:.2f}, observed {point.observed:.2f}" for point in points)
        + ". Below, a histogram of the predictions.",
    )


def decision_plot(curve: DecisionCurve, *, title: str) -> bytes:
    """Net benefit of the model against acting on everyone or on no one."""
    fig, ax = new_figure()
    for index, (label, values) in enumerate((("model", curve.model), ("everyone", curve.everyone))):
        look = style(index)
        ax.plot(curve.threshold, values, color=look.color, linestyle=look.dash, label=label)
    ax.axhline(0.0, color=INK, linewidth=0.8, label="no one")
    top = float(max(np.max(curve.model), np.max(curve.everyone), 0.01))
    ax.set_ylim(-0.25 * top, 1.1 * top)
    ax.set_xlabel("Threshold probability")
    ax.set_ylabel("Net benefit a patient")
    ax.legend(loc="upper right")
    better = curve.threshold[curve.model > np.maximum(curve.everyone, 0.0)]
    span = f"from {better.min():.2f} to {better.max():.2f}" if better.size else "nowhere"
    return to_svg(
        fig,
        title=title,
        description="Decision curve of the model against acting on everyone and on no one. "
        f"The model has the highest net benefit {span} of the threshold probability.",
    )


def survival_plot(curves: Sequence[SurvivalCurve], *, title: str, outcome: str) -> bytes:
    """Kaplan-Meier curves with limits and numbers at risk.

    Parameters
    ----------
    curves : sequence of SurvivalCurve
    title : str
    outcome : str
        What the curve is the probability of, ``progression-free survival``.
    """
    fig, ax = new_figure(160.0, 100.0 + 6.0 * len(curves))
    end = max(curve.days[-1] for curve in curves)
    sentences = []
    for index, curve in enumerate(curves):
        survival_curve(
            ax, curve.days, curve.survival, lower=curve.lower, upper=curve.upper, look=style(index), label=curve.group
        )
        sentences.append(f"{curve.group}: n = {curve.at_risk[0]}, {curve.survival[-1]:.2f} at day {curve.days[-1]:g}")
    step = _round_step(end / 6.0)
    times = [float(time) for time in np.arange(0.0, end + 0.5 * step, step)]
    numbers_at_risk(ax, times, [(curve.group, [_at(curve, time) for time in times]) for curve in curves])
    ax.set_xlabel("Time, days")
    ax.set_ylabel(outcome[:1].upper() + outcome[1:])
    ax.legend(loc="upper right")
    return to_svg(
        fig,
        title=title,
        description=f"Kaplan-Meier estimate of {outcome} with numbers at risk. " + "; ".join(sentences) + ".",
    )


def _at(curve: SurvivalCurve, day: float) -> str:
    """Return how many are at risk on the last step up to a day; a dash after the end of the curve."""
    if day > curve.days[-1]:
        return "–"
    return str(curve.at_risk[int(np.searchsorted(curve.days, day, side="right")) - 1])


def _round_step(raw: float) -> float:
    """Return a whole number of 30-day steps, at least one, so that ticks are days of the curves."""
    return 30.0 * max(1.0, float(np.ceil(raw / 30.0)))
