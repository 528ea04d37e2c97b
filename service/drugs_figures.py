"""Concentration over time, with target, dose marks and population percentiles."""

from collections.abc import Mapping
from typing import Any

from matplotlib.figure import Figure

from service import figures

_PANEL_MM = 62.0
_HEADROOM = 1.25
"""Room above the curves for the legend."""


def concentration_figure(_: Mapping[str, Any], result: Mapping[str, Any]) -> bytes:
    """Draw one panel per agent that has a concentration curve."""
    agents = [agent for agent in result["agents"] if agent["profile"] is not None]
    fig, first = figures.new_figure(width_mm=160, height_mm=max(80.0, _PANEL_MM * max(len(agents), 1)))
    if not agents:
        first.set_axis_off()
        first.text(0.5, 0.5, "No concentration curve: only label figures are published.", ha="center")
    else:
        fig.delaxes(first)
        _panels(fig, agents, result["horizon_days"])
    return figures.to_svg(fig, title="Antibody concentration over time", description=_describe(result))


def _panels(fig: Figure, agents: list[Mapping[str, Any]], horizon_days: float) -> None:
    for index, agent in enumerate(agents):
        ax = fig.add_subplot(len(agents), 1, index + 1)
        look = figures.style(index)
        profile = agent["profile"]
        time = profile["time_days"]
        bands = {band["percent"]: band["concentration_mg_per_l"] for band in profile["bands"]}
        if bands:
            figures.band(ax, time, bands[5.0], bands[95.0], color=look.color, level=0.9)
            figures.band(ax, time, bands[25.0], bands[75.0], color=look.color, level=0.5)
        label = "median" if bands else "concentration"
        ax.plot(time, profile["concentration_mg_per_l"], color=look.color, linestyle=look.dash, label=label)
        given = [dose["time_days"] for dose in agent["doses"] if dose["time_days"] <= horizon_days]
        ax.plot(given, [0.0] * len(given), linestyle="none", marker="^", color=figures.INK, clip_on=False, label="dose")
        target = agent["target"]
        if target is not None:
            level = target["concentration_mg_per_l"]
            ax.axhspan(0.0, level, color=figures.MUTED, alpha=0.12, linewidth=0)
            ax.axhline(level, color=figures.MUTED, linewidth=0.8, linestyle=(0.0, (4.0, 2.0)), label=target["what"])
        ax.set_xlim(min(0.0, time[0]), horizon_days)
        ax.set_ylim(0.0, _HEADROOM * ax.get_ylim()[1])
        ax.set_title(agent["agent"], loc="left")
        ax.set_ylabel("mg/L")
        ax.legend(loc="upper right", ncols=3)
        if index == len(agents) - 1:
            ax.set_xlabel("days")


def _describe(result: Mapping[str, Any]) -> str:
    parts = []
    for agent in result["agents"]:
        if not agent["cycles"]:
            parts.append(f"{agent['agent']}: label figures only.")
            continue
        last = agent["cycles"][-1]
        parts.append(
            f"{agent['agent']}, number of doses: {len(agent['doses'])}; in the last cycle the maximum is "
            f"{last['maximum_mg_per_l']['value']:.3g} mg/L and the trough {last['trough_mg_per_l']['value']:.3g} mg/L."
        )
    return " ".join(parts)
