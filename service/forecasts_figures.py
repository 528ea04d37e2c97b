"""Fan chart of a size forecast."""

from collections.abc import Mapping
from typing import Any

from service.figures import MUTED, band, new_figure, style, to_svg


def fan(data: Mapping[str, Any], result: Mapping[str, Any]) -> bytes:
    """Draw the scans so far, then median and intervals: bands for one lesion, 90 % bars for several."""
    fig, ax = new_figure()
    alone = len(result["lesions"]) == 1
    sentences = []
    for index, lesion in enumerate(result["lesions"]):
        look = style(index)
        seen = [
            (scan["day"], one["longest_diameter_mm"])
            for scan in data["scans"]
            for one in scan["lesions"]
            if one["id"] == lesion["id"]
        ]
        ax.plot(*zip(*seen, strict=True), color=look.color, marker=look.marker, label=lesion["id"])
        days = [lesion["last_day"], *(point["day"] for point in lesion["points"])]
        median = [lesion["last_mm"], *(point["median_mm"] for point in lesion["points"])]
        ax.plot(
            days, median, color=look.color, linestyle=(0.0, (4.0, 2.0)), marker="_", label=f"{lesion['id']}, median"
        )
        if alone:
            for position, level in enumerate((0.5, 0.9)):
                limits = [point["intervals_mm"][position] for point in lesion["points"]]
                lower = [lesion["last_mm"], *(limit["lower"] for limit in limits)]
                upper = [lesion["last_mm"], *(limit["upper"] for limit in limits)]
                band(ax, days, lower, upper, color=look.color, level=level)
        else:
            for point in lesion["points"]:
                limit = point["intervals_mm"][1]
                reach = [
                    [max(point["median_mm"] - limit["lower"], 0.0)],
                    [max(limit["upper"] - point["median_mm"], 0.0)],
                ]
                ax.errorbar(
                    [point["day"] + index], [point["median_mm"]], yerr=reach, color=look.color, capsize=2, linewidth=0.9
                )
        threshold = max(1.2 * lesion["nadir_mm"], lesion["nadir_mm"] + 5.0)
        if alone:
            ax.axhline(threshold, color=MUTED, linewidth=0.8, linestyle=(0.0, (1.0, 2.0)), label="target progression")
        last = lesion["points"][-1]
        wide = last["intervals_mm"][1]
        sentences.append(
            f"{lesion['id']}: {lesion['last_mm']:g} mm at last, day {last['day']:g} median {last['median_mm']:.1f} mm, "
            f"90 % interval {wide['lower']:.1f} to {wide['upper']:.1f} mm"
        )
    ax.axvline(max(lesion["last_day"] for lesion in result["lesions"]), color=MUTED, linewidth=0.6)
    ax.set_ylim(bottom=0.0)
    ax.set_xlabel("Time, days")
    ax.set_ylabel("Diameter, mm")
    ax.legend(loc="upper left" if alone else "best")
    return to_svg(
        fig,
        title="Forecast of tumor size",
        description="Measured diameters, then the forecast. " + "; ".join(sentences) + ".",
    )
