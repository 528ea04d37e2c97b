"""Pictures of a dose-volume evaluation: the curves with their constraints, and the therapeutic window."""

from collections.abc import Mapping
from typing import Any

from service.figures import INK, MUTED, new_figure, style, to_svg

_MOST_CURVES = 12
_LONGEST_LABEL = 30
_LEGEND_CHARACTERS, _LEGEND_HANDLE = 120, 9


def draw_curves(_input: Mapping[str, Any], result: Mapping[str, Any]) -> bytes:
    """Draw the cumulative curves; constraints on volumes and doses are marks, filled where they fail."""
    figure, axes = new_figure(160.0, 100.0)
    drawn = result["structures"][:_MOST_CURVES]
    said = []
    for index, structure in enumerate(drawn):
        look = style(index)
        curve = structure["curve"]
        axes.plot(
            curve["dose_gy"],
            curve["volume_percent"],
            color=look.color,
            linestyle=look.dash,
            marker=look.marker,
            markevery=(3 + index, 12),
            label=_short(structure["id"]),
        )
        failed = 0
        for constraint in structure["constraints"]:
            place = _place(constraint, structure["volume_cm3"])
            if place is None:
                continue
            failed += constraint["passed"] is False
            axes.plot(
                [place[0]],
                [place[1]],
                linestyle="none",
                marker="<" if constraint["kind"] == "at_most" else ">",
                markersize=6,
                clip_on=False,
                markeredgecolor=look.color,
                markerfacecolor=look.color if constraint["passed"] is False else "none",
            )
        mean = next(one["value"] for one in structure["physical"] if one["name"] == "mean")
        said.append(f"{structure['id']}: mean {mean:.3g} Gy, {failed} constraint marks failed")
    if any(_place(one, structure["volume_cm3"]) for structure in drawn for one in structure["constraints"]):
        for label, face in (("constraint kept", "none"), ("constraint failed", INK)):
            axes.plot([], [], linestyle="none", marker="<", markeredgecolor=INK, markerfacecolor=face, label=label)
    axes.set_xlabel("Dose (Gy)")
    axes.set_ylabel("Volume (%)")
    axes.set_xlim(left=0.0)
    axes.set_ylim(0.0, 102.0)
    longest = max(len(label) for label in axes.get_legend_handles_labels()[1])
    figure.legend(loc="outside lower center", ncols=min(4, _LEGEND_CHARACTERS // (longest + _LEGEND_HANDLE)))
    description = "Cumulative curves, physical dose. Open marks are constraints kept, filled marks constraints failed. "
    return to_svg(figure, "Dose-volume histogram", description + "; ".join(said) + ".")


def _short(label: str) -> str:
    return label if len(label) <= _LONGEST_LABEL else label[: _LONGEST_LABEL - 1] + "…"


def _place(constraint: Mapping[str, Any], volume_cm3: float | None) -> tuple[float, float] | None:
    """Where a constraint lies in the plane of dose and percent of the volume."""
    name, limit = constraint["metric"], constraint["limit"]
    if name == "max":
        return limit, 0.0
    if name.startswith("V"):
        dose = float(name[1:].partition("Gy")[0])
        if constraint["unit"] == "%":
            return dose, limit
        if volume_cm3 is None:
            return None
        limit = volume_cm3 - limit if constraint["kind"] == "spared_at_least" else limit
        return (dose, 100.0 * limit / volume_cm3) if 0.0 <= limit <= volume_cm3 else None
    if name.startswith("D") and name.endswith("%"):
        return limit, float(name[1:-1])
    if name.startswith("D") and volume_cm3 is not None:
        share = 100.0 * float(name[1:-2]) / volume_cm3
        return (limit, share) if share <= 100.0 else None
    return None


def draw_window(_input: Mapping[str, Any], result: Mapping[str, Any]) -> bytes:
    """Draw control, complications and complication-free control against the prescription."""
    figure, axes = new_figure(160.0, 100.0)
    window = result["window"]
    if window is None:
        axes.set_axis_off()
        axes.text(0.5, 0.5, "No therapeutic window was asked for.", ha="center", va="center", color=MUTED)
        return to_svg(figure, "Therapeutic window", "The request did not ask for a therapeutic window.")
    doses = window["prescribed_dose_gy"]
    across = window["scale"] if doses is None else doses
    axes.plot(across, window["control"], color=INK, linewidth=1.6, label="tumor control")
    for index, one in enumerate(window["complications"]):
        look = style(index)
        axes.plot(
            across,
            one["probability"],
            color=look.color,
            linestyle=look.dash,
            marker=look.marker,
            markevery=(index, 6),
            label=f"{one['structure_id']}: {one['endpoint']}",
        )
    free = window["complication_free_control"]
    axes.plot(across, free, color=INK, linewidth=1.6, linestyle=(0.0, (6.0, 2.0)), label="control without complication")
    factor = 1.0 if doses is None else doses[0] / window["scale"][0]
    best = window["best_scale"] * factor
    axes.axvline(factor, color=MUTED, linewidth=0.7)
    axes.annotate(
        "plan", (factor, 1.0), xycoords=("data", "axes fraction"), xytext=(2, -8), textcoords="offset points",
        fontsize=7, color=MUTED,
    )  # fmt: skip
    axes.set_xlabel("Dose over the dose of the plan" if doses is None else "Prescribed dose (Gy), same fractions")
    axes.set_ylabel("Probability")
    axes.set_ylim(0.0, 1.02)
    axes.legend(loc="upper left", fontsize=6)
    unit = "times the plan" if doses is None else "Gy"
    description = (
        f"Tumor control runs from {window['control'][0]:.2f} to {window['control'][-1]:.2f}; control without "
        f"complication is highest, {max(free):.2f}, at {best:.4g} {unit}. Complications count as independent."
    )
    return to_svg(figure, "Therapeutic window", description)
