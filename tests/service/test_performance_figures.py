"""The pictures of local performance."""

from xml.etree import ElementTree

import numpy as np

from schemas.performance import SurvivalCurve
from service import performance_figures as draw
from simulation.outcome import calibration, performance

RNG = np.random.Generator(np.random.Philox(5))
CHANCE = RNG.random(200)
EVENT = RNG.random(200) < CHANCE


def texts(svg: bytes) -> set[str | None]:
    root = ElementTree.fromstring(svg)
    return {element.text for element in root.iter("{http://www.w3.org/2000/svg}text")}


def test_calibration_plot() -> None:
    points = calibration.calibration_curve(EVENT, CHANCE, groups=5)
    svg = draw.calibration_plot(points, CHANCE, title="Calibration of a model")
    assert svg == draw.calibration_plot(points, CHANCE, title="Calibration of a model")
    assert {"Observed rate", "Predicted probability", "ideal"} <= texts(svg)
    assert b"200 patients in 5 groups" in svg


def test_decision_plot_names_where_the_model_helps() -> None:
    curve = performance.decision_curve(EVENT, CHANCE, np.linspace(0.05, 0.95, 19))
    assert b"highest net benefit from" in draw.decision_plot(curve, title="Decision curve")
    useless = performance.decision_curve(EVENT, 1.0 - CHANCE, [0.5, 0.6])
    assert b"net benefit nowhere" in draw.decision_plot(useless, title="Decision curve")


def test_survival_plot_has_numbers_at_risk() -> None:
    days = [0.0, 30.0, 60.0, 90.0]
    low = SurvivalCurve(
        group="low",
        level=0.95,
        days=days,
        survival=[1.0, 0.8, 0.6, 0.5],
        lower=[1.0, 0.7, 0.4, 0.3],
        upper=[1.0, 0.9, 0.8, 0.7],
        at_risk=[40, 31, 22, 13],
    )
    high = SurvivalCurve(
        group="high",
        level=0.95,
        days=days[:2],
        survival=[1.0, 0.5],
        lower=[1.0, 0.3],
        upper=[1.0, 0.7],
        at_risk=[40, 19],
    )
    svg = draw.survival_plot([low, high], title="PFS by group", outcome="progression-free survival")
    assert {"Number at risk", "low", "high", "Progression-free survival", "31", "19", "–"} <= texts(svg)
    assert b"low: n = 40, 0.50 at day 90; high: n = 40, 0.50 at day 30" in svg
