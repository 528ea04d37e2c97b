"""Pictures and table of a predictions run."""

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any, Final

from service.figures import INK, MUTED, new_figure, style, to_svg

_ROW_MM: Final = 6.0
_FRAME_MM: Final = 26.0
_MOST_ROWS: Final = 40
_COLUMNS: Final = (
    "model", "outcome", "horizon_days", "value", "unit", "level", "lower", "upper", "group", "applicability", "note",
)  # fmt: skip

_APPLICABILITY: Final = {
    "inside": "inside the derivation cohort",
    "outside": "outside the derivation cohort",
    "unknown": "applicability unknown",
}
_MOST_LETTERS: Final = 48


def _text(name: str) -> str:
    return name.rpartition(".")[2].replace("_", " ")


def contributions(data: Mapping[str, Any], result: Mapping[str, Any]) -> bytes:
    """Bars of what each input adds, for the first answer that says so (the longest bar first)."""
    shown = _first_with_contributions(result["predictions"])
    shares = sorted(shown["contributions"], key=lambda share: -abs(share["value"])) if shown else []
    fig, ax = new_figure(height_mm=_FRAME_MM + _ROW_MM * max(4, len(shares)))
    if shown is None:
        ax.set_axis_off()
        ax.text(0.5, 0.5, "No answer of this run has contributions.", ha="center", va="center")
        return to_svg(fig, title="Contributions", description="No answer of this run has contributions.")
    rows = range(len(shares))
    up, down = style(0), style(1)
    values = [share["value"] for share in shares]
    ax.barh(
        rows, values, color=[up.color if value >= 0 else down.color for value in values],
        hatch=["" if value >= 0 else "////" for value in values], edgecolor=INK, linewidth=0.4, height=0.6,
    )  # fmt: skip
    ax.set_yticks(rows, [_text(share["input"]) for share in shares])
    ax.invert_yaxis()
    ax.axvline(0.0, color=INK, linewidth=0.8)
    ax.set_xlabel(f"Contribution, {shares[0]['unit']} (hatched: lowers the answer)")
    title = f"{shown['model']}: {_text(shown['outcome'])} {shown['value']:.3g}"
    ax.set_title(title, loc="left")
    ax.margins(x=0.1)
    listed = "; ".join(f"{_text(share['input'])} {share['value']:+.2f}" for share in shares)
    return to_svg(fig, title=title, description=f"Bars of contributions in {shares[0]['unit']}: {listed}.")


def _labels(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Model and outcome; the group as well where the same model answers the same outcome more than once."""
    names = [f"{read['model']}: {_text(read['outcome'])}" for read in rows]
    return [
        name if names.count(name) == 1 or not read["group"] else f"{name} ({_shortened(read['group'])})"
        for name, read in zip(names, rows, strict=True)
    ]


def _shortened(text: str) -> str:
    return text if len(text) <= _MOST_LETTERS else f"{text[: _MOST_LETTERS - 1]}…"


def probabilities(data: Mapping[str, Any], result: Mapping[str, Any]) -> bytes:
    """Every probability of the run with its interval, one a row."""
    found = [read for read in result["predictions"] if read["unit"] == "probability"]
    rows = sorted(found, key=lambda read: "response" not in read["outcome"])[:_MOST_ROWS]
    fig, ax = new_figure(width_mm=200.0, height_mm=_FRAME_MM + _ROW_MM * max(4, len(rows)))
    looks = {"inside": style(0), "outside": style(1), "unknown": style(2)}
    for position, read in enumerate(rows):
        look = looks[read["applicability"]["status"]]
        interval = read["interval"]
        if interval is not None:
            ax.plot([interval["lower"], interval["upper"]], [position] * 2, color=look.color, linestyle=look.dash)
        ax.plot(read["value"], position, color=look.color, marker=look.marker, linestyle="none")
    for status, look in looks.items():
        ax.plot([], [], color=look.color, marker=look.marker, linestyle=look.dash, label=_APPLICABILITY[status])
    ax.set_yticks(range(len(rows)), _labels(rows), fontsize=6)
    ax.invert_yaxis()
    ax.set_xlim(0.0, 1.0)
    ax.set_xlabel("Probability, with its interval where one is known")
    ax.grid(axis="x", color=MUTED, linewidth=0.3)
    fig.legend(loc="outside upper center", ncols=3)
    listed = "; ".join(f"{read['model']} {_text(read['outcome'])} {read['value']:.2f}" for read in rows)
    return to_svg(
        fig, title="Probabilities of all predictors", description=f"Points with intervals: {listed or 'none'}."
    )


def table(data: Mapping[str, Any], result: Mapping[str, Any]) -> str:
    """Every answer as one line of CSV."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for read in result["predictions"]:
        interval = read["interval"] or {"level": None, "lower": None, "upper": None}
        writer.writerow(
            (
                read["model"],
                read["outcome"],
                read["horizon_days"],
                read["value"],
                read["unit"],
                interval["level"],
                interval["lower"],
                interval["upper"],
                read["group"],
                read["applicability"]["status"],
                read["note"],
            )
        )
    return buffer.getvalue()


def _first_with_contributions(predictions: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    with_shares = [read for read in predictions if read["contributions"]]
    probabilities_first = sorted(with_shares, key=lambda read: read["unit"] != "probability")
    responses_first = sorted(probabilities_first, key=lambda read: read["outcome"] != "objective_response")
    return responses_first[0] if responses_first else None
