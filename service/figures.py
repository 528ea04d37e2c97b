"""The one place that draws: print-ready SVG, the same bytes for the same input.

matplotlib's objects are used directly, never pyplot, so that threads share nothing but the
settings below, which are fixed at import. Text stays text, and every series differs by dash
and marker as well as by color.
"""

import hashlib
import io
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Final, Literal

import matplotlib
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import FuncFormatter, NullFormatter
from numpy.typing import ArrayLike

matplotlib.rcParams.update(
    {
        "svg.fonttype": "none",
        "svg.hashsalt": "abscope",
        "svg.id": None,
        "font.family": ["sans-serif"],
        "font.sans-serif": ["DejaVu Sans", "Arial", "Helvetica", "sans-serif"],
        "font.size": 8.0,
        "axes.labelsize": 8.0,
        "axes.titlesize": 9.0,
        "legend.fontsize": 7.0,
        "xtick.labelsize": 7.0,
        "ytick.labelsize": 7.0,
        "axes.linewidth": 0.6,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.unicode_minus": True,
        "axes.formatter.use_mathtext": False,
        "text.parse_math": False,
        "lines.linewidth": 1.2,
        "lines.markersize": 3.5,
        "legend.frameon": False,
        "path.simplify": True,
    }
)

MM_PER_INCH: Final = 25.4
MARGIN_MM: Final = 2.0
INK: Final = "#222222"
MUTED: Final = "#767676"

_RENDERING = threading.Lock()


@dataclass(frozen=True, slots=True)
class Style:
    """How one series looks: color, dash and marker together."""

    color: str
    dash: tuple[float, tuple[float, ...]] | Literal["solid"]
    marker: str


_STYLES: Final = (
    Style("#0072B2", "solid", "o"),
    Style("#D55E00", (0.0, (5.0, 1.5)), "s"),
    Style("#009E73", (0.0, (1.5, 1.2)), "^"),
    Style("#CC79A7", (0.0, (6.0, 1.5, 1.5, 1.5)), "D"),
    Style("#E69F00", (0.0, (3.0, 1.0, 1.0, 1.0, 1.0, 1.0)), "v"),
    Style("#56B4E9", (0.0, (8.0, 2.0)), "P"),
    Style("#8C6D1F", (0.0, (2.5, 2.5)), "X"),
    Style(INK, (0.0, (1.0, 2.5)), "*"),
)
"""Colors after Okabe and Ito's set for color-blind readers (yellow left out: too pale on paper)."""


def style(index: int) -> Style:
    """Return the look of the series with this index; it repeats after eight."""
    return _STYLES[index % len(_STYLES)]


def new_figure(width_mm: float = 160.0, height_mm: float = 100.0) -> tuple[Figure, Axes]:
    """Return a figure of this printed size with one axes that fills it."""
    margin = MARGIN_MM / MM_PER_INCH
    layout = ConstrainedLayoutEngine(w_pad=margin, h_pad=margin)
    figure = Figure(figsize=(width_mm / MM_PER_INCH, height_mm / MM_PER_INCH), layout=layout)
    FigureCanvasSVG(figure)
    return figure, figure.add_subplot()


def to_svg(fig: Figure, title: str, description: str) -> bytes:
    """Render to SVG with an accessible name and description.

    Nothing in the bytes depends on the clock, the thread or what was drawn before.
    """
    buffer = io.StringIO()
    with _RENDERING:
        fig.savefig(buffer, format="svg", metadata=dict.fromkeys(("Creator", "Date", "Format", "Type")))
    rendered = buffer.getvalue()
    width_mm, height_mm = (inches * MM_PER_INCH for inches in fig.get_size_inches())
    view_box = rendered.partition('viewBox="')[2].partition('"')[0]
    body = rendered[rendered.index(">", rendered.index("<svg")) + 1 :]
    key = hashlib.sha256(f"{title}\0{description}".encode()).hexdigest()[:8]
    head = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" version="1.1"'
        f' width="{width_mm:g}mm" height="{height_mm:g}mm" viewBox="{view_box}"'
        f' role="img" aria-labelledby="title-{key} desc-{key}">\n'
        f' <title id="title-{key}">{escape(title)}</title>\n'
        f' <desc id="desc-{key}">{escape(description)}</desc>'
    )
    return (head + body).encode()


def power_ticks(axis: Axis) -> None:
    """Label the powers of ten of a logarithmic axis in plain text; matplotlib's own labels are formulas."""
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}" if abs(value) < 1e5 else f"{value:.0e}"))
    axis.set_minor_formatter(NullFormatter())


def band(ax: Axes, x: ArrayLike, lower: ArrayLike, upper: ArrayLike, *, color: str, level: float) -> None:
    """Shade an interval; the wider its coverage the paler, with thin edges that survive a copier."""
    label = f"{100 * level:g} % interval"
    ax.fill_between(x, lower, upper, color=color, alpha=0.30 if level <= 0.5 else 0.15, linewidth=0, label=label)
    dash: tuple[float, tuple[float, ...]] = (0.0, (1.0, 1.0)) if level <= 0.5 else (0.0, (3.0, 2.0))
    for edge in (lower, upper):
        ax.plot(x, edge, color=color, linewidth=0.5, linestyle=dash)


def survival_curve(
    ax: Axes,
    time: ArrayLike,
    survival: ArrayLike,
    *,
    look: Style,
    label: str,
    lower: ArrayLike | None = None,
    upper: ArrayLike | None = None,
) -> None:
    """Step curve of a probability that changes only at the given times."""
    ax.step(time, survival, where="post", color=look.color, linestyle=look.dash, label=label)
    if lower is not None and upper is not None:
        ax.fill_between(time, lower, upper, step="post", color=look.color, alpha=0.15, linewidth=0)
    ax.set_ylim(0.0, 1.02)


def numbers_at_risk(ax: Axes, times: Sequence[float], rows: Sequence[tuple[str, Sequence[int | str]]]) -> None:
    """Table of the numbers at risk below a time axis, one row per group."""
    ax.set_xticks(list(times))
    below = ax.get_xaxis_transform()
    top = -0.24
    step = 0.075
    ax.text(0.0, top, "Number at risk", transform=ax.transAxes, fontsize=7, color=MUTED, ha="left", va="top")
    for row, (label, counts) in enumerate(rows, start=1):
        y = top - row * step
        ax.annotate(
            label, (0.0, y), xycoords="axes fraction", xytext=(-8, 0), textcoords="offset points",
            fontsize=7, ha="right", va="top",
        )  # fmt: skip
        for time, count in zip(times, counts, strict=True):
            ax.text(time, y, str(count), transform=below, fontsize=7, ha="center", va="top")


def treatment_marks(ax: Axes, fraction_days: Sequence[float], drug_days: Sequence[float]) -> None:
    """Mark fractions (bars) and drug doses (triangles) along the time axis."""
    low = ax.get_xaxis_transform()
    marks: tuple[tuple[Sequence[float], str, str, str, float], ...] = (
        (fraction_days, "|", "#D55E00", "radiotherapy fraction", 0.015),
        (drug_days, "^", "#0072B2", "drug dose", 0.045),
    )
    for days, marker, color, label, height in marks:
        if len(days):
            ax.plot(
                list(days), [height] * len(days), transform=low, linestyle="none", marker=marker, color=color,
                markersize=5, label=label,
            )  # fmt: skip


def recist_lines(ax: Axes) -> None:
    """Draw the RECIST marks -30 % and +20 % on an axis of percent change."""
    ax.axhline(0.0, color=INK, linewidth=0.6)
    for height, label in ((-30.0, "−30 %"), (20.0, "+20 %")):
        ax.axhline(height, color=MUTED, linewidth=0.7, linestyle=(0.0, (4.0, 2.0)))
        ax.annotate(
            label, (1.0, height), xycoords=("axes fraction", "data"), xytext=(2, 0), textcoords="offset points",
            fontsize=7, color=MUTED, va="center", annotation_clip=False,
        )  # fmt: skip
