"""Spider and waterfall plot of the targets of one patient."""

from collections.abc import Mapping
from typing import Any

from service.figures import INK, new_figure, recist_lines, style, to_svg


def spider(data: Mapping[str, Any], result: Mapping[str, Any]) -> bytes:
    """Percent change from baseline over time: every target, and their sum in bold."""
    fig, ax = new_figure()
    start = result["baseline"]["day"]
    names = [lesion["id"] for lesion in data["scans"][0].get("lesions", [])]
    recist_lines(ax)
    for index, name in enumerate(names):
        look = style(index)
        points = [(start, 0.0)]
        for visit in result["visits"]:
            change = visit["lesions"][index]["change_from_baseline"]
            if change is not None:
                points.append((visit["day"], 100.0 * change))
        ax.plot(*zip(*points, strict=True), color=look.color, linestyle=look.dash, marker=look.marker, label=name)
    total = [(start, 0.0)] + [
        (visit["day"], 100.0 * visit["change_from_baseline"])
        for visit in result["visits"]
        if visit["change_from_baseline"] is not None
    ]
    ax.plot(*zip(*total, strict=True), color=INK, linewidth=2.2, label="sum of targets")
    last = result["visits"][-1]["day"] if result["visits"] else start + 1.0
    margin = 0.04 * (last - start)
    ax.set_xlim(start - margin, last + margin)
    for visit in result["visits"]:
        ax.annotate(
            f"{visit['recist']['overall'].replace('_', '-')}\n{visit['irecist']['overall'].replace('_', '-')}",
            (visit["day"], 1.0), xycoords=("data", "axes fraction"), xytext=(0, 2), textcoords="offset points",
            fontsize=6.5, ha="center", va="bottom",
        )  # fmt: skip
    ax.set_xlabel("Time, days")
    ax.set_ylabel("Change from baseline, %")
    ax.legend(loc="best")
    visits = result["visits"]
    best = result["recist_best_response"]["category"]
    return to_svg(
        fig,
        title="Change of target lesions over time",
        description=f"Percent change from baseline of {len(names)} target lesions and of their sum over "
        f"{len(visits)} visits, with the RECIST lines at -30 % and +20 %. Above each visit: RECIST 1.1 and iRECIST "
        f"category. Best overall response by RECIST 1.1: {best}.",
    )


def waterfall(data: Mapping[str, Any], result: Mapping[str, Any]) -> bytes:
    """Best percent change from baseline of every target, largest increase first."""
    fig, ax = new_figure()
    bars = []
    for index, lesion in enumerate(data["scans"][0].get("lesions", [])):
        changes = [visit["lesions"][index]["change_from_baseline"] for visit in result["visits"]]
        known = [100.0 * change for change in changes if change is not None]
        if known:
            bars.append((min(known), lesion["id"]))
    bars.sort(key=lambda bar: (-bar[0], bar[1]))
    recist_lines(ax)
    for position, (height, _) in enumerate(bars):
        shrinks = height <= 0.0
        ax.bar(
            position, height, width=0.7, color=style(0 if shrinks else 1).color, edgecolor=INK, linewidth=0.5,
            hatch=None if shrinks else "///",
        )  # fmt: skip
        ax.annotate(
            f"{height:+.0f}".replace("-", "−"), (position, height), xytext=(0, -8 if shrinks else 2),
            textcoords="offset points", fontsize=7, ha="center",
        )  # fmt: skip
    ax.set_xticks(range(len(bars)), [name for _, name in bars])
    heights = [height for height, _ in bars]
    ax.set_xlim(-0.6, max(len(bars), 1) - 0.4)
    ax.set_ylim(min([-40.0, *heights]) * 1.15, max([30.0, *heights]) * 1.15)
    ax.set_ylabel("Best change from baseline, %")
    return to_svg(
        fig,
        title="Best change of every target lesion",
        description="Bars of the best percent change from baseline: "
        + "; ".join(f"{name} {height:+.0f} %" for height, name in bars)
        + ". RECIST lines at -30 % and +20 %.",
    )
