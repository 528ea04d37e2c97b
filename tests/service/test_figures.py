"""The drawing module: same input, same bytes; names for screen readers; printed size."""

import re
from concurrent.futures import ThreadPoolExecutor
from xml.etree import ElementTree

import numpy as np
import pytest

from service import figures

SVG = "{http://www.w3.org/2000/svg}"


def draw(title: str = "Fan & <chart>") -> bytes:
    fig, ax = figures.new_figure(120, 80)
    days = np.linspace(0, 100, 50)
    figures.band(ax, days, -days / 5 - 1, days / 5 + 1, color=figures.style(0).color, level=0.5)
    figures.band(ax, days, -days / 2 - 1, days / 2 + 1, color=figures.style(0).color, level=0.9)
    figures.recist_lines(ax)
    figures.treatment_marks(ax, [0, 2, 4], [0, 21, 42])
    ax.plot(days, days, label="lesion_1 $x$", marker=figures.style(1).marker, linestyle=figures.style(1).dash)
    ax.set_xlabel("Days")
    ax.legend()
    return figures.to_svg(fig, title=title, description="A fan.")


def test_the_same_input_gives_the_same_bytes_after_other_drawings() -> None:
    first = draw()
    draw("something else")
    assert draw() == first


def test_threads_do_not_disturb_each_other() -> None:
    expected = draw()
    with ThreadPoolExecutor(2) as pool:
        drawn = list(pool.map(lambda _: draw(), range(8)))
    assert all(picture == expected for picture in drawn)


def test_it_is_named_for_screen_readers_and_has_a_printed_size() -> None:
    root = ElementTree.fromstring(draw())
    assert root.tag == f"{SVG}svg"
    assert root.attrib["role"] == "img"
    title, desc = root[0], root[1]
    assert (title.tag, title.text) == (f"{SVG}title", "Fan & <chart>")
    assert (desc.tag, desc.text) == (f"{SVG}desc", "A fan.")
    assert root.attrib["aria-labelledby"] == f"{title.attrib['id']} {desc.attrib['id']}"
    assert (root.attrib["width"], root.attrib["height"]) == ("120mm", "80mm")
    width, height = (float(number) for number in root.attrib["viewBox"].split()[2:])
    assert width / height == pytest.approx(1.5, rel=1e-3)


def test_text_stays_text_and_no_date_or_outside_resource_is_named() -> None:
    svg = draw().decode()
    texts = {element.text for element in ElementTree.fromstring(svg).iter(f"{SVG}text")}
    assert {"Days", "lesion_1 $x$", "−30 %", "+20 %"} <= texts
    assert "DOCTYPE" not in svg
    assert "<metadata" not in svg
    addresses = set(re.findall(r"https?://[^\"' <]+", svg))
    assert addresses <= {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}


def test_series_never_differ_by_color_alone() -> None:
    looks = [figures.style(index) for index in range(8)]
    assert len({look.color for look in looks}) == 8
    assert len({look.dash for look in looks}) == 8
    assert len({look.marker for look in looks}) == 8
    assert figures.style(8) == looks[0]


def test_the_table_of_numbers_at_risk_holds_every_count() -> None:
    fig, ax = figures.new_figure()
    figures.survival_curve(
        ax, [0, 5, 9], [1.0, 0.8, 0.4], look=figures.style(0), label="all", lower=[1, 0.6, 0.2], upper=[1, 0.9, 0.6]
    )
    figures.numbers_at_risk(ax, [0, 5, 10], [("all", [101, 77, 13]), ("other", [99, 55, 8])])
    texts = [e.text for e in ElementTree.fromstring(figures.to_svg(fig, "KM", "d")).iter(f"{SVG}text")]
    assert {"101", "77", "13", "99", "55", "8", "Number at risk", "other"} <= set(texts)


def test_a_table_with_a_missing_count_is_refused() -> None:
    _, ax = figures.new_figure()
    with pytest.raises(ValueError, match="zip"):
        figures.numbers_at_risk(ax, [0, 5], [("all", [1])])
