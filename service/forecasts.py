"""Forecast of tumor size from the scans so far."""

import csv
import io
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from schemas import forecasts as wire
from schemas.base import IntervalRead
from schemas.run import ModelRef, RunWarning
from service import forecasts_figures
from service.errors import InvalidInput
from service.kinds import Computation, Kind
from simulation.forecast import FITTED, forecast, progression_threshold_mm, validation_rows
from simulation.forecast_mixture import FLOOR_MM, Predictive
from simulation.registry import CARDS

Floats = NDArray[np.float64]

MODEL = "lesion_size_forecast"
LEVELS = (0.5, 0.9)
FAR_DAYS = 180.0
_LEAST_AHEAD_DAYS: Final = 0.01
_ROUNDING_DAYS: Final = 1e-9
"""Differences of days such as 42.01 and 42 miss the decimal number by rounding."""
GRID = np.linspace(0.001, 0.999, 999)


def compute(request: wire.ForecastRequest) -> Computation:
    """Forecast every lesion, and their sum."""
    days = np.array(request.forecast_days)
    lesions = _lesions(request)
    answers, predictions = [], []
    for name, (scan_days, sizes) in lesions.items():
        found = forecast(scan_days, sizes, days)
        predictions.append(found)
        answers.append(_read_lesion(name, np.array(scan_days), np.array(sizes), days, found))
    counts = [len(scan_days) for scan_days, _ in lesions.values()]
    result = wire.ForecastResult(
        lesions=answers,
        sum_of_lesions=_sum(request, lesions, days, predictions),
        validation=_validation(max(counts)),
    )
    return Computation(
        result=result,
        models=(ModelRef(id=MODEL, version=CARDS[MODEL].version),),
        warnings=tuple(_warnings(request, counts, lesions)),
    )


def _lesions(request: wire.ForecastRequest) -> dict[str, tuple[list[float], list[float]]]:
    """Days and sizes of every lesion, in order of first appearance."""
    found: dict[str, tuple[list[float], list[float]]] = {}
    for index, scan in enumerate(request.scans):
        if index and scan.day <= request.scans[index - 1].day:
            raise InvalidInput(f"/scans/{index}/day", "must be later than the scan before")
        for position, lesion in enumerate(scan.lesions):
            days, sizes = found.setdefault(lesion.id, ([], []))
            if days and days[-1] == scan.day:
                raise InvalidInput(f"/scans/{index}/lesions/{position}/id", "this lesion is listed twice on the scan")
            days.append(scan.day)
            sizes.append(lesion.longest_diameter_mm)
    if not found:
        raise InvalidInput("/scans", "at least one scan must list a lesion")
    previous = request.scans[-1].day
    for index, day in enumerate(request.forecast_days):
        if day <= previous or day - request.scans[-1].day < _LEAST_AHEAD_DAYS - _ROUNDING_DAYS:
            raise InvalidInput(
                f"/forecast_days/{index}",
                f"must increase and come at least {_LEAST_AHEAD_DAYS} days after the last scan",
            )
        previous = day
    return found


def _intervals(lower_upper: Mapping[float, tuple[float, float]]) -> list[IntervalRead]:
    return [IntervalRead(level=level, lower=lower, upper=upper) for level, (lower, upper) in lower_upper.items()]


def _read_lesion(name: str, scan_days: Floats, sizes: Floats, days: Floats, found: Predictive) -> wire.LesionForecast:
    held = np.maximum(sizes, FLOOR_MM)
    median = found.quantile(0.5)
    bounds = {level: (found.quantile(0.5 - level / 2), found.quantile(0.5 + level / 2)) for level in LEVELS}
    progression = found.at_least(progression_threshold_mm(float(held.min())))
    gone = found.not_measurable()
    return wire.LesionForecast(
        id=name,
        scan_count=len(scan_days),
        last_day=float(scan_days[-1]),
        last_mm=float(sizes[-1]),
        nadir_mm=float(sizes.min()),
        points=[
            wire.ForecastPoint(
                day=float(day),
                days_ahead=float(day - scan_days[-1]),
                median_mm=float(median[i]),
                intervals_mm=_intervals({level: (float(a[i]), float(b[i])) for level, (a, b) in bounds.items()}),
                probability_unchanged=float(found.repeat[i]),
                probability_not_measurable=float(min(gone[i], 1.0)),
                probability_target_progression=float(min(progression[i], 1.0)),
            )
            for i, day in enumerate(days)
        ],
    )


def _sum(
    request: wire.ForecastRequest,
    lesions: Mapping[str, tuple[list[float], list[float]]],
    days: Floats,
    predictions: list[Predictive],
) -> wire.SumForecast | None:
    """Add the quantiles of the lesions level by level; None unless two or more were on the last scan."""
    last_day = request.scans[-1].day
    if len(lesions) < 2 or any(scan_days[-1] != last_day for scan_days, _ in lesions.values()):
        return None
    shared = [scan for scan in request.scans if {x.id for x in scan.lesions} == set(lesions)]
    sums = [sum(lesion.longest_diameter_mm for lesion in scan.lesions) for scan in shared]
    added = np.sum([found.quantile(GRID[:, None]) for found in predictions], axis=0)
    threshold = progression_threshold_mm(min(sums))
    bounds = {level: np.quantile(added, (0.5 - level / 2, 0.5 + level / 2), axis=0) for level in LEVELS}
    return wire.SumForecast(
        last_mm=sums[-1],
        nadir_mm=min(sums),
        points=[
            wire.SumPoint(
                day=float(day),
                days_ahead=float(day - last_day),
                median_mm=float(np.median(added[:, i])),
                intervals_mm=_intervals({level: (float(a[i]), float(b[i])) for level, (a, b) in bounds.items()}),
                probability_target_progression=float(np.mean(added[:, i] >= threshold)),
            )
            for i, day in enumerate(days)
        ],
    )


def _validation(scan_count: int) -> list[wire.ValidationRead]:
    count = min(scan_count, 4)
    return [
        wire.ValidationRead(
            scan_count=count,
            horizon=row["horizon"],
            n=row["n"],
            mean_absolute_error_mm=row["mae_mm"],
            last_value_mean_absolute_error_mm=row["mae_mm"] / (1.0 - row["skill"]),
            skill=row["skill"],
            skill_interval=IntervalRead(
                level=0.95, lower=row["skill_interval_95"][0], upper=row["skill_interval_95"][1]
            ),
            coverage_of_90_percent_interval=row["coverage_90"],
        )
        for row in validation_rows(count)
    ]


def _warnings(
    request: wire.ForecastRequest, counts: list[int], lesions: Mapping[str, tuple[list[float], list[float]]]
) -> list[RunWarning]:
    largest = max(max(sizes) for _, sizes in lesions.values())
    found: list[tuple[str, str, str | None]] = [
        (
            "close-to-last-value",
            "On left-out patients the median was hardly better than the last value carried forward; the use of "
            "this forecast is its interval.",
            None,
        )
    ]
    if request.quantity == "sum_of_diameters":
        found.append(("sum-outside-derivation", "The model was fitted to single lesions, not to sums.", "/quantity"))
    if min(counts) == 1:
        found.append(("one-scan", "A lesion with one scan gets the population's course around its size.", "/scans"))
    if len(lesions) > 1:
        found.append(
            (
                "lesions-move-together",
                "How lesions of one patient move together was not in the data; the sum assumes that they all do.",
                None,
            )
        )
    if request.forecast_days[-1] - request.scans[-1].day > FAR_DAYS:
        found.append(
            (
                "far-horizon",
                "More than half a year ahead the data hold few scans.",
                f"/forecast_days/{len(request.forecast_days) - 1}",
            )
        )
    if largest > FITTED["data"]["largest_mm"]:
        found.append(("outside-derivation-range", "A lesion is larger than any in the data.", "/scans"))
    return [RunWarning(code=code, message=message, pointer=pointer) for code, message, pointer in found]


def series(data: Mapping[str, Any], result: Mapping[str, Any]) -> str:
    """One row for every lesion and day; the sum comes last."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(
        (
            "lesion", "day", "days_ahead", "median_mm", "lower_50_mm", "upper_50_mm", "lower_90_mm", "upper_90_mm",
            "probability_target_progression",
        )
    )  # fmt: skip
    parts = [(lesion["id"], lesion["points"]) for lesion in result["lesions"]]
    if result["sum_of_lesions"] is not None:
        parts.append(("sum", result["sum_of_lesions"]["points"]))
    for name, points in parts:
        for point in points:
            bounds = [limit for one in point["intervals_mm"] for limit in (one["lower"], one["upper"])]
            writer.writerow(
                (
                    name, point["day"], point["days_ahead"], point["median_mm"], *bounds,
                    point["probability_target_progression"],
                )
            )  # fmt: skip
    return out.getvalue()


_EXAMPLE: dict[str, Any] = {
    "scans": [
        {"day": -3, "lesions": [{"id": "lung-1", "longest_diameter_mm": 34}]},
        {"day": 42, "lesions": [{"id": "lung-1", "longest_diameter_mm": 36}]},
        {"day": 84, "lesions": [{"id": "lung-1", "longest_diameter_mm": 41}]},
    ],
    "forecast_days": [126, 168, 210],
}
_TWO: dict[str, Any] = {
    "scans": [
        {
            "day": 0,
            "lesions": [{"id": "liver-1", "longest_diameter_mm": 52}, {"id": "node-1", "longest_diameter_mm": 24}],
        },
        {
            "day": 56,
            "lesions": [{"id": "liver-1", "longest_diameter_mm": 40}, {"id": "node-1", "longest_diameter_mm": 24}],
        },
    ],
    "forecast_days": [98],
}

KIND = Kind(
    name="forecasts",
    path="/forecasts",
    summary="Forecast the size of lesions on the next scans",
    description="The first scans of a patient in, the size of every lesion on later days out, with 50 and 90 % "
    "intervals and the probability of target progression. A population model of single lesions under PD-(L)1 "
    "blockade, shrunk to the individual; how it did on left-out patients, against the last value carried forward, "
    "is part of the answer. Research use.",
    request=wire.ForecastRequest,
    result=wire.ForecastResult,
    compute=compute,
    examples={"growing_lesion": _EXAMPLE, "two_lesions": _TWO},
    figures={"fan": forecasts_figures.fan},
    series=series,
)
