"""Pictures of simulated patients: fan chart, spider, waterfall, survival."""

from collections.abc import Mapping
from typing import Any

from service.figures import (
    band,
    new_figure,
    numbers_at_risk,
    recist_lines,
    style,
    survival_curve,
    to_svg,
    treatment_marks,
)

INCIDENCES = ("response", "abscopal_response", "progression", "relapse_after_response")
_RESEARCH = "Research use; simulated, not observed."
_MAX_TICKS = 8
_WATERFALL = {
    "growth": ("+20 % or more", "#D55E00"),
    "neither": ("between", "#999999"),
    "shrinkage": ("−30 % or less", "#0072B2"),
}
"""Label and color of the bars."""


def fan(_input: Mapping[str, Any], result: Mapping[str, Any]) -> bytes:
    """Draw the sum of diameters with its bands and twenty single courses, one line style per model."""
    fig, ax = new_figure()
    days = result["time_days"]
    for index, simulation in enumerate(result["simulations"]):
        look = style(index)
        data = simulation["sum_of_diameters_mm"]
        for shaded in reversed(data["bands"]):
            if index == 0:
                band(ax, days, shaded["lower"], shaded["upper"], color=look.color, level=shaded["level"])
        if index == 0:
            for course in simulation["courses_mm"]:
                ax.plot(days, course, color=look.color, linewidth=0.3, alpha=0.5)
        ax.plot(days, data["median"], color=look.color, linestyle=look.dash, label=f"{simulation['model']}, median")
    start = result["simulations"][0]["sum_of_diameters_mm"]["median"][0]
    for factor, label in ((1.2, "+20 % of the start"), (0.7, "−30 % of the start")):
        ax.axhline(start * factor, color="#767676", linewidth=0.7, linestyle=(0.0, (4.0, 2.0)), label=label)
    treatment_marks(ax, result["fractions"], result["doses"])
    ax.set_ylim(bottom=0.0)
    ax.set_xlabel("Days from the start of treatment")
    ax.set_ylabel("Sum of diameters of the target lesions, mm")
    ax.legend()
    first = result["simulations"][0]
    low, high = (first["sum_of_diameters_mm"]["bands"][-1][side][-1] for side in ("lower", "upper"))
    description = (
        f"Sum of the target lesions by {first['model']}: from {start:.0f} mm to a median of "
        f"{first['sum_of_diameters_mm']['median'][-1]:.0f} mm on day {days[-1]:.0f}; 90 percent of the virtual "
        f"patients lie between {low:.0f} and {high:.0f} mm. Thin lines are single virtual patients. {_RESEARCH}"
    )
    return to_svg(fig, "How large could the tumors become?", description)


def spider(_input: Mapping[str, Any], result: Mapping[str, Any]) -> bytes:
    """Draw the median change of every lesion; irradiated and not by dash and label."""
    fig, ax = new_figure()
    simulation = result["simulations"][0]
    parts = []
    for index, lesion in enumerate(simulation["lesions"]):
        median = lesion["diameter_mm"]["median"]
        change = [100.0 * (size / median[0] - 1.0) for size in median]
        where = "irradiated" if lesion["irradiated"] else "not irradiated"
        ax.plot(
            result["time_days"],
            change,
            color=style(index).color,
            linestyle="solid" if lesion["irradiated"] else (0.0, (5.0, 1.5)),
            label=f"{lesion['id']} ({lesion['organ']}, {where})",
        )
        parts.append(f"{lesion['id']}, {where}: {change[-1]:+.0f} percent")
    recist_lines(ax)
    treatment_marks(ax, result["fractions"], result["doses"])
    ax.set_xlabel("Days from the start of treatment")
    ax.set_ylabel("Median change of diameter, %")
    ax.legend(frameon=True, framealpha=0.9, edgecolor="none")
    return to_svg(fig, "Change of every lesion", f"Change at the horizon: {'; '.join(parts)}. {_RESEARCH}")


def waterfall(_input: Mapping[str, Any], result: Mapping[str, Any]) -> bytes:
    """Draw the best change of the target sum over the virtual patients, largest first."""
    fig, ax = new_figure()
    simulation = result["simulations"][0]
    change = [100.0 * value for value in reversed(simulation["best_change_percentiles"])]
    groups = ["growth" if value >= 20 else "shrinkage" if value <= -30 else "neither" for value in change]
    for name, (label, color) in _WATERFALL.items():
        places = [place for place, group in enumerate(groups) if group == name]
        heights = [change[place] for place in places]
        ax.bar(places, heights, width=1.0, color=color, edgecolor="white", linewidth=0.2, label=label)
    ax.legend(frameon=True, framealpha=0.9, edgecolor="none")
    recist_lines(ax)
    ax.set_xlabel("Virtual patients, per cent, sorted")
    ax.set_ylabel("Best change of the target sum, %")
    below = sum(value <= -30 for value in change)
    description = f"About {below} of 100 virtual patients shrink by 30 percent or more. {_RESEARCH}"
    return to_svg(fig, "Best change of the target lesions", description)


def survival(_input: Mapping[str, Any], result: Mapping[str, Any]) -> bytes:
    """Draw progression-free and overall survival with numbers at risk."""
    fig, ax = new_figure(160.0, 120.0)
    outcomes = result["simulations"][0]["outcomes"]
    curves = {"progression-free": outcomes["progression_free_survival"]}
    if outcomes["overall_survival"] is not None:
        curves["overall"] = outcomes["overall_survival"]
    return _survival(fig, ax, curves, "Progression-free and overall survival")


def incidence(_input: Mapping[str, Any], result: Mapping[str, Any]) -> bytes:
    """Draw response, abscopal response, progression and relapse by time, each with its interval."""
    fig, ax = new_figure()
    simulation = result["simulations"][0]
    by_time = simulation["outcomes"]["by_time"]
    days = by_time["time_days"]
    parts = []
    for index, name in enumerate(INCIDENCES):
        curve = by_time[name]
        if curve is None:
            continue
        look, label = style(index), name.replace("_", " ")
        ax.step(days, curve["probability"], where="post", color=look.color, linestyle=look.dash, label=label)
        if curve["lower"] is not None:
            ax.fill_between(
                days, curve["lower"], curve["upper"], step="post", color=look.color, alpha=0.15, linewidth=0
            )
        parts.append(f"{label} {100.0 * curve['probability'][-1]:.0f} percent")
    treatment_marks(ax, result["fractions"], result["doses"])
    ax.set_ylim(0.0, 1.0)
    ax.set_xlabel("Days from the start of treatment")
    ax.set_ylabel("Share of virtual patients")
    ax.legend(frameon=True, framealpha=0.9, edgecolor="none")
    description = (
        f"By day {days[-1]:.0f}, by {simulation['model']}: {'; '.join(parts)}. Bands are "
        f"{100.0 * by_time['level']:.0f} percent intervals; relapse is among those who respond. {_RESEARCH}"
    )
    return to_svg(fig, "Response, progression and relapse by time", description)


def comparison(_input: Mapping[str, Any], result: Mapping[str, Any]) -> bytes:
    """Draw the difference of every plan from the reference with its interval."""
    rows = [
        (f"{compared['id']}: {row['outcome'].replace('_', ' ')}", row["difference"])
        for compared in result["comparisons"]
        for row in compared["differences"]
        if row["unit"] == "probability"
    ] + [
        (
            f"{compared['id']}: {' '.join(filter(None, (row['organ'], row['harm'].replace('_', ' '))))}",
            row["difference"],
        )
        for compared in result["comparisons"]
        for row in compared["harms"]
    ]
    fig, ax = new_figure(170.0, 30.0 + 8.0 * len(rows))
    for position, (_, difference) in enumerate(rows):
        interval = difference["interval"]
        if interval is not None:
            ends = [100 * interval["lower"], 100 * interval["upper"]]
            ax.plot(ends, [position, position], color="#222222", linewidth=1.0)
        ax.plot([100 * difference["value"]], [position], color="#0072B2", marker="o")
    ax.axvline(0.0, color="#767676", linewidth=0.8, linestyle=(0.0, (4.0, 2.0)))
    ax.set_yticks(range(len(rows)), [name for name, _ in rows])
    ax.invert_yaxis()
    ax.set_xlabel(
        f"Percentage points against {result['reference']}; 90 % intervals of outcomes, 95 % of harms where known"
    )
    verdicts = "; ".join(f"{compared['id']}: {compared['verdict']}" for compared in result["comparisons"])
    return to_svg(fig, f"Plans against {result['reference']}", f"{verdicts}. {_RESEARCH}")


def comparison_survival(_input: Mapping[str, Any], result: Mapping[str, Any]) -> bytes:
    """Draw progression-free survival of every plan with numbers at risk."""
    fig, ax = new_figure(160.0, 110.0 + 6.0 * len(result["plans"]))
    curves = {plan["id"]: plan["outcomes"]["progression_free_survival"] for plan in result["plans"]}
    return _survival(fig, ax, curves, "Progression-free survival by plan")


def _survival(fig: Any, ax: Any, curves: Mapping[str, Any], title: str) -> bytes:
    medians = []
    for index, (name, curve) in enumerate(curves.items()):
        known = [i for i, value in enumerate(curve["survival"]) if value is not None]
        days, shares = ([curve[key][i] for i in known] for key in ("time_days", "survival"))
        lower, upper = ([curve[key][i] or 0.0 for i in known] for key in ("lower", "upper"))
        survival_curve(ax, days, shares, look=style(index), label=name, lower=lower, upper=upper)
        middle = curve["median_days"]
        medians.append(f"{name}: median {'not reached' if middle is None else f'{middle:.0f} days'}")
    first = next(iter(curves.values()))
    step = max(1, -(-len(first["time_days"]) // _MAX_TICKS))
    ticks = first["time_days"][::step]
    ax.set_xlabel("Days from the start of treatment")
    ax.set_ylabel("Share of virtual patients")
    ax.legend()
    numbers_at_risk(ax, ticks, [(name, curve["at_risk"][::step]) for name, curve in curves.items()])
    return to_svg(fig, title, f"{'; '.join(medians)}. {_RESEARCH}")
