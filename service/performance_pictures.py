"""Local performance of a model as a picture."""

from collections.abc import Callable, Mapping
from typing import Final

import numpy as np

from schemas.performance import EndpointPerformance, ModelPerformance
from service.errors import NotFound
from service.performance_figures import calibration_plot, decision_plot, survival_plot
from simulation.model import Interval
from simulation.outcome.calibration import CalibrationPoint
from simulation.outcome.performance import DecisionCurve

_Picture = Callable[[str, EndpointPerformance], bytes | None]


def draw(performance: ModelPerformance, figure: str) -> bytes:
    """Return a picture of the first endpoint that has what it shows, as SVG.

    Parameters
    ----------
    performance : ModelPerformance
    figure : str
        A name in :data:`PICTURES`.

    Raises
    ------
    NotFound
        The model predicts nothing of that sort, or too few outcomes are known.
    """
    for endpoint in performance.endpoints:
        picture = PICTURES[figure](performance.model, endpoint)
        if picture is not None:
            return picture
    raise NotFound(f"no endpoint of this model has enough outcomes for the picture {figure}")


def _calibration(model: str, endpoint: EndpointPerformance) -> bytes | None:
    if endpoint.calibration is None or not endpoint.calibration.points:
        return None
    points = endpoint.calibration.points
    predicted = np.repeat([point.mean_predicted for point in points], [point.n for point in points])
    drawn = [
        CalibrationPoint(
            n=point.n,
            predicted=point.mean_predicted,
            observed=point.observed,
            interval=Interval(level=point.interval.level, lower=point.interval.lower, upper=point.interval.upper),
        )
        for point in points
    ]
    return calibration_plot(drawn, predicted, title=f"{model}: predicted and observed {endpoint.endpoint}")


def _decision(model: str, endpoint: EndpointPerformance) -> bytes | None:
    if not endpoint.net_benefit:
        return None
    curve = DecisionCurve(
        threshold=np.array([point.threshold for point in endpoint.net_benefit]),
        model=np.array([point.model for point in endpoint.net_benefit]),
        everyone=np.array([point.everyone for point in endpoint.net_benefit]),
    )
    return decision_plot(curve, title=f"{model}: decision curve for {endpoint.endpoint}")


def _survival(model: str, endpoint: EndpointPerformance) -> bytes | None:
    if not endpoint.survival:
        return None
    outcome = "overall survival" if endpoint.endpoint == "death" else "progression-free survival"
    return survival_plot(
        endpoint.survival,
        title=f"{model}: {outcome} by risk predicted from {endpoint.predicted.replace('_', ' ')}",
        outcome=outcome,
    )


PICTURES: Final[Mapping[str, _Picture]] = {
    "calibration": _calibration,
    "decision": _decision,
    "survival": _survival,
}
