"""Pictures of a blood-dose run: the lymphocyte count over time, and the dose over the blood."""

from collections.abc import Mapping
from typing import Any

from service.figures import MUTED, band, new_figure, style, to_svg, treatment_marks
from simulation.radiation.lymphocytes import GRADE_LIMITS_1E9_PER_L


def draw_counts(_input: Mapping[str, Any], result: Mapping[str, Any]) -> bytes:
    """Draw the count with its interval, fractions below, grade limits across."""
    figure, axes = new_figure(160.0, 100.0)
    absolute = result["count_1e9_per_l"]
    counts = absolute or result["relative_count"]
    look = style(0)
    axes.plot(counts["day"], counts["value"], color=look.color, label="median sensitivity")
    band(axes, counts["day"], counts["lower"], counts["upper"], color=look.color, level=result["interval_level"])
    treatment_marks(axes, [fraction["day"] for fraction in result["fractions"]], [])
    if absolute is not None:
        for grade in ("grade_3", "grade_4"):
            limit = GRADE_LIMITS_1E9_PER_L[grade]
            axes.axhline(limit, color=MUTED, linewidth=0.7, linestyle=(0.0, (4.0, 2.0)))
            axes.annotate(
                f"below: grade {grade[-1]}", (1.0, limit), xycoords=("axes fraction", "data"), xytext=(-2, 2),
                textcoords="offset points", fontsize=7, color=MUTED, ha="right",
            )  # fmt: skip
    axes.set_xlabel("Time (d)")
    axes.set_ylabel("Lymphocytes over baseline" if absolute is None else "Lymphocytes (10⁹/L)")
    axes.set_ylim(0.0, 1.15 * max(counts["upper"]))
    axes.legend(loc="upper right", ncols=3)
    nadir = result["nadir"]
    description = (
        f"The count starts at {counts['value'][0]:.3g}, is lowest on day {nadir['day']:.0f} at "
        f"{nadir['relative_count']['value']:.2f} of the baseline, and ends at {counts['value'][-1]:.3g} on day "
        f"{counts['day'][-1]:.0f}."
    )
    return to_svg(figure, "Lymphocyte count under radiotherapy", description)


def draw_blood_dose(_input: Mapping[str, Any], result: Mapping[str, Any]) -> bytes:
    """Draw the share of the blood below each dose, for every course."""
    figure, axes = new_figure(160.0, 100.0)
    said = []
    for index, course in enumerate(result["courses"]):
        look = style(index)
        quantiles = course["course"]["quantiles"]
        axes.plot(
            [one["dose_gy"] for one in quantiles],
            [100.0 * one["probability"] for one in quantiles],
            color=look.color,
            linestyle=look.dash,
            marker=look.marker,
            label=course["course_id"],
        )
        mean = course["course"]["mean_gy"]
        axes.axvline(mean, color=look.color, linewidth=0.7, label=f"{course['course_id']}: mean {mean:.3g} Gy")
        said.append(f"{course['course_id']}: mean {course['course']['mean_gy']:.3g} Gy")
    axes.set_xlabel("Dose of the whole course (Gy)")
    axes.set_ylabel("Blood that receives less (%)")
    axes.set_xlim(left=0.0)
    axes.set_ylim(0.0, 100.0)
    axes.legend(loc="upper left")
    description = "Quantiles of the dose over the circulating blood; thin lines are the means. "
    return to_svg(figure, "Dose to circulating blood", description + "; ".join(said) + ".")
