"""A model card as one HTML page: no scripts, no fetched resources, fit for print."""

from collections.abc import Iterable, Sequence
from html import escape

from schemas.base import IntervalRead
from schemas.models import CalibrationRead, InputRead, ModelCardRead, ReferenceRead

_STYLE = """
:root { color-scheme: light; }
body { font: 16px/1.5 system-ui, sans-serif; color: #1a1a1a; background: #fff; max-width: 62rem; margin: 2rem auto;
  padding: 0 1rem; }
h1 { font-size: 1.6rem; line-height: 1.25; margin-bottom: .25rem; }
h2 { font-size: 1.15rem; margin-top: 2rem; border-bottom: 1px solid #bbb; }
table { border-collapse: collapse; width: 100%; font-size: .9rem; }
th, td { text-align: left; vertical-align: top; padding: .3rem .6rem .3rem 0; border-bottom: 1px solid #ddd; }
td.number { font-variant-numeric: tabular-nums; }
code { font-family: ui-monospace, monospace; font-size: .9em; overflow-wrap: anywhere; }
.notice { border-left: .3rem solid #8a5300; padding: .5rem .8rem; background: #fff8ec; }
figure { margin: 1rem 0; }
figcaption { font-size: .9rem; }
.wide { overflow-x: auto; }
@media print { body { max-width: none; margin: 0; font-size: 10pt; } h2 { break-after: avoid; }
  tr, figure { break-inside: avoid; } a { color: inherit; } }
""".strip()

_PLOT_SIZE = 360
_PLOT_MARGIN = 48


def render(card: ModelCardRead) -> str:
    """Return the page of a card; every text is escaped."""
    sections = (
        _section("Purpose", _paragraph(card.purpose), _facts(card)),
        _section("Who it was derived in", _paragraph(card.population), _list(card.cancer_types, "Cancer types")),
        _section("Inputs", _inputs(card.inputs)),
        _section("Equations", _codes(card.equations)),
        _section("Coefficients", _coefficients(card)),
        _section("Performance", _performance(card)),
        _section("Calibration", _calibrations(card)),
        _section("Known failures and limits", _list(card.known_failures)),
        _section("What it leaves out", _list(card.leaves_out)),
        _section("Answers that the tests reproduce", _known_values(card)),
        _section("Sources", _references(card.references)),
        _section("License and patents", _paragraph(card.license_and_patents)),
        _section("Version history", _list(card.history)),
    )
    title = escape(card.title)
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{title}: model card</title>\n<style>\n{_STYLE}\n</style>\n</head>\n<body>\n<main>\n"
        f"<h1>{title}</h1>\n"
        f"<p><code>{escape(card.id)}</code>, version {escape(card.version)}, {escape(card.kind)}</p>\n"
        f"{_notice(card)}{''.join(sections)}</main>\n</body>\n</html>\n"
    )


def _notice(card: ModelCardRead) -> str:
    notes = ["For research use. It does not replace clinical judgment."]
    if not card.validated_on_patients:
        notes.append("Not validated on patients other than those it was derived in.")
    return f'<p class="notice">{escape(" ".join(notes))}</p>\n'


def _section(title: str, *parts: str) -> str:
    body = "".join(part for part in parts if part)
    return f"<section>\n<h2>{escape(title)}</h2>\n{body}</section>\n" if body else ""


def _paragraph(text: str) -> str:
    return f"<p>{escape(text)}</p>\n" if text else ""


def _list(items: Sequence[str], lead: str = "") -> str:
    if not items:
        return ""
    rows = "".join(f"<li>{escape(item)}</li>\n" for item in items)
    return f"{_paragraph(f'{lead}:' if lead else '')}<ul>\n{rows}</ul>\n"


def _codes(items: Sequence[str]) -> str:
    return "".join(f"<p><code>{escape(item)}</code></p>\n" for item in items)


def _table(caption: str, header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    body = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>\n" for row in rows)
    if not body:
        return ""
    head = "".join(f'<th scope="col">{escape(cell)}</th>' for cell in header)
    return (
        f'<div class="wide"><table>\n<caption>{escape(caption)}</caption>\n'
        f"<thead><tr>{head}</tr></thead>\n<tbody>\n{body}</tbody>\n</table></div>\n"
    )


def _facts(card: ModelCardRead) -> str:
    rows = [("Outcome", card.outcome)]
    if card.horizon_days is not None:
        rows.append(("Horizon", f"{card.horizon_days} days"))
    if card.increases_with:
        rows.append(("Rises with", ", ".join(card.increases_with)))
    if card.decreases_with:
        rows.append(("Falls with", ", ".join(card.decreases_with)))
    return _table("At a glance", ("Fact", "Value"), rows)


def _range(low: float | None, high: float | None, choices: Sequence[str], unknown: str) -> str:
    if choices:
        return ", ".join(choices)
    if low is None and high is None:
        return unknown
    if high is None:
        return f"from {low:g}"
    return f"up to {high:g}" if low is None else f"{low:g} to {high:g}"


def _inputs(inputs: Sequence[InputRead]) -> str:
    return _table(
        "What the model asks for",
        ("Input", "Unit", "Required", "Accepted", "Derivation cohort", "Remark"),
        (
            (
                given.name,
                given.unit or "none",
                "yes" if given.required else "no",
                _range(given.low, given.high, given.choices, "any"),
                _range(given.derivation_low, given.derivation_high, given.derivation_choices, "not published"),
                given.why,
            )
            for given in inputs
        ),
    )


def _coefficients(card: ModelCardRead) -> str:
    table = _table(
        "Numbers of the model",
        ("Name", "Value", "Interval", "Unit", "Evidence", "Source"),
        (
            (
                row.name,
                f"{row.value:.10g}",
                _interval(row.interval),
                row.unit,
                _evidence(row.evidence, row.verified),
                row.source,
            )
            for row in card.coefficients
        ),
    )
    return table + _paragraph(card.coefficients_note or "")


def _interval(interval: IntervalRead | None) -> str:
    return "" if interval is None else f"{interval.lower:g} to {interval.upper:g} ({interval.level:.0%})"


def _evidence(evidence: str, verified: bool) -> str:
    return evidence if verified else f"{evidence}, not re-read in the source"


def _performance(card: ModelCardRead) -> str:
    table = _table(
        "Measured performance",
        ("Measure", "Value", "Interval", "n", "Data", "In sample", "Source"),
        (
            (
                figure.metric,
                f"{figure.value:g}",
                _interval(figure.interval),
                "" if figure.n is None else str(figure.n),
                figure.data,
                "yes" if figure.in_sample else "no",
                figure.source,
            )
            for figure in card.performance
        ),
    )
    return table + _paragraph(card.performance_note or "")


def _calibrations(card: ModelCardRead) -> str:
    note = card.calibration_note
    return "".join(map(_calibration, card.calibration)) + _paragraph(note or "")


def _calibration(item: CalibrationRead) -> str:
    scale = _PLOT_SIZE - 2 * _PLOT_MARGIN

    def x(value: float) -> str:
        return f"{_PLOT_MARGIN + scale * value:.1f}"

    def y(value: float) -> str:
        return f"{_PLOT_SIZE - _PLOT_MARGIN - scale * value:.1f}"

    ticks = "".join(
        f'<text x="{x(tick)}" y="{_PLOT_SIZE - 30}" text-anchor="middle">{tick:g}</text>'
        f'<text x="{_PLOT_MARGIN - 8}" y="{y(tick)}" text-anchor="end" dominant-baseline="middle">{tick:g}</text>'
        for tick in (0.0, 0.25, 0.5, 0.75, 1.0)
    )
    points = "".join(
        f'<circle cx="{x(group.mean_predicted)}" cy="{y(group.events / group.n)}" r="4"/>' for group in item.groups
    )
    label = f"Calibration of {item.outcome}: observed against predicted probability in {len(item.groups)} groups"
    plot = (
        f'<svg viewBox="0 0 {_PLOT_SIZE} {_PLOT_SIZE}" width="{_PLOT_SIZE}" role="img" aria-label="{escape(label)}" '
        'font-size="11" fill="#1a1a1a">'
        f'<path d="M{x(0)} {y(1)}V{y(0)}H{x(1)}" fill="none" stroke="#1a1a1a"/>'
        f'<path d="M{x(0)} {y(0)}L{x(1)} {y(1)}" fill="none" stroke="#767676" stroke-dasharray="5 4"/>'
        f'{ticks}{points}<text x="{x(0.5)}" y="{_PLOT_SIZE - 10}" text-anchor="middle">predicted probability</text>'
        f'<text transform="translate(14 {y(0.5)}) rotate(-90)" text-anchor="middle">observed proportion</text></svg>'
    )
    caption = f"{item.data}{' (in sample)' if item.in_sample else ''}. Dashed: perfect calibration. {item.source}"
    rows = ((f"{group.mean_predicted:.3f}", f"{group.events / group.n:.3f}", str(group.n)) for group in item.groups)
    table = _table("Calibration", ("Mean predicted", "Observed", "n"), rows)
    return f"<figure>\n{plot}\n<figcaption>{escape(caption)}</figcaption>\n</figure>\n{table}"


def _known_values(card: ModelCardRead) -> str:
    return _table(
        "Inputs and expected answers",
        ("Inputs", "Expected", "Tolerance", "Source"),
        (
            (
                "; ".join(f"{name} = {value}" for name, value in known.inputs.items()),
                "; ".join(f"{name} = {value}" for name, value in known.expected.items()),
                f"{known.absolute_tolerance:g}",
                known.source,
            )
            for known in card.known_values
        ),
    )


def _references(references: Sequence[ReferenceRead]) -> str:
    rows = []
    for reference in references:
        target = f"https://doi.org/{reference.doi}" if reference.doi else reference.url
        link = ""
        if target is not None and target.startswith("https://"):
            shown = reference.doi or target
            link = f' <a href="{escape(target, quote=True)}" rel="noreferrer">{escape(shown)}</a>'
        evidence = escape(_evidence(reference.evidence, reference.verified))
        rows.append(f"<li>{escape(reference.citation)}.{link} ({evidence})</li>\n")
    return f"<ol>\n{''.join(rows)}</ol>\n"
