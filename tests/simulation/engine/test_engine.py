"""The engine apart from any tumor model: random streams, stops, chunks, the stepper, the cache key."""

import re
import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import solve_ivp

from simulation.engine import lanes, tsit5
from simulation.engine.chunks import in_order
from simulation.engine.source import ENGINE_SOURCE
from simulation.engine.stops import merge
from simulation.engine.streams import CHUNK, chunk_count, stream
from simulation.tumor import multi_lesion_kernel


def test_butcher_table_is_consistent() -> None:
    for row, node in zip(tsit5.A, tsit5.C, strict=True):
        assert sum(row) == pytest.approx(node, abs=1e-14)
    weights = np.array([*tsit5.A[6], 0.0])
    nodes = np.array(tsit5.C)
    for power in range(5):
        assert weights @ nodes**power == pytest.approx(1.0 / (power + 1), abs=1e-13)
    assert sum(tsit5.E) == pytest.approx(0.0, abs=1e-14)


def test_interpolant_ends_at_the_weights() -> None:
    table = np.array(tsit5.D)
    assert table.sum(axis=1) == pytest.approx([*tsit5.A[6], 0.0], abs=1e-12)
    nodes = np.array(tsit5.C)
    for x in (0.2, 0.5, 0.9):
        b = table @ np.array([x, x**2, x**3, x**4])
        for power in range(4):
            assert b @ nodes**power == pytest.approx(x ** (power + 1) / (power + 1), abs=1e-10)


@given(st.floats(-60.0, 2.0))
def test_exponential_in_plain_arithmetic(exponent: float) -> None:
    assert lanes.exp_decay.py_func(exponent) == pytest.approx(np.exp(exponent), rel=1e-11)


@given(st.floats(0.0, 60.0), st.floats(0.01, 1.0), st.floats(0.001, 0.2))
def test_survival_is_smooth_at_the_bend(dose: float, alpha: float, beta: float) -> None:
    value = lanes.survival.py_func
    bend = 2 * alpha / beta
    assert 0.0 <= value(dose, alpha, beta) <= 1.0
    assert value(bend * (1 + 1e-9), alpha, beta) == pytest.approx(value(bend, alpha, beta), rel=1e-5, abs=1e-300)
    assert value(dose + 1.0, alpha, beta) <= value(dose, alpha, beta)
    assert value(dose, alpha, 0.0) == pytest.approx(np.exp(-alpha * dose))


def test_streams_belong_to_seed_chunk_and_purpose() -> None:
    first = stream(3, 1, 0).random(4)
    assert np.array_equal(first, stream(3, 1, 0).random(4))
    others = [stream(*key).random(4) for key in ((4, 1, 0), (3, 2, 0), (3, 1, 1))]
    assert all(not np.array_equal(first, other) for other in others)
    with pytest.raises(ValueError, match="non-negative"):
        stream(-1, 0, 0)


def test_chunks_come_back_in_order_whatever_finishes_first() -> None:
    turn = threading.Event()

    def run(chunk: int, size: int) -> tuple[int, int]:
        if chunk == 0:
            turn.wait(5.0)
        else:
            turn.set()
        return chunk, size

    patients = 3 * CHUNK + 5
    assert chunk_count(patients) == 4
    assert list(in_order(run, patients, 2)) == [(0, CHUNK), (1, CHUNK), (2, CHUNK), (3, 5)]
    with pytest.raises(ValueError, match="at least 1"):
        list(in_order(run, 0, 1))


def test_stops_merge_sort_and_drop_nothing_events() -> None:
    first, second, nothing = np.array([1.0, 0.0]), np.array([0.0, 2.0]), np.zeros(2)
    stops = merge([(5.0, second), (3.0, nothing), (2.0, first), (5.0, first), (50.0, first)], 10.0, 2, kinks=[7.0])
    assert stops.day.tolist() == [0.0, 2.0, 5.0, 5.0, 7.0, 10.0]
    assert stops.table.tolist() == [[0, 0], [1, 0], [0, 2], [1, 0], [0, 0], [0, 0]]
    with pytest.raises(ValueError, match="before day 0"):
        merge([(-1.0, first)], 10.0, 2)
    with pytest.raises(ValueError, match="after day 0"):
        merge([], 0.0, 2)


def test_the_stepper_has_order_five() -> None:
    """Integrate y' = -2 t y with the table itself and watch the error fall."""

    def step(t: float, y: float, h: float) -> float:
        k = []
        for row, node in zip(tsit5.A, tsit5.C, strict=True):
            stage = y + h * sum(a * b for a, b in zip(row, k, strict=False))
            k.append(-2.0 * (t + node * h) * stage)
        return y + h * sum(a * b for a, b in zip(tsit5.A[6], k, strict=False))

    errors = []
    for n in (10, 20, 40):
        y = 1.0
        for i in range(n):
            y = step(i / n, y, 1.0 / n)
        errors.append(abs(y - np.exp(-1.0)))
    assert errors[0] / errors[1] > 25.0
    assert errors[1] / errors[2] > 25.0
    reference = solve_ivp(lambda t, y: -2 * t * y, (0, 1), [1.0], rtol=1e-12, atol=1e-14).y[0, -1]
    assert errors[2] < 1e-8
    assert reference == pytest.approx(np.exp(-1.0), rel=1e-9)


def test_right_hand_sides_are_vectorized() -> None:
    """Loops over lanes must stay vector instructions; a scalar kernel is several times slower."""
    ws = np.zeros(lanes.WORKSPACE)
    multi_lesion_kernel.rhs(ws, 4)
    assembly = next(iter(multi_lesion_kernel.rhs.inspect_asm().values()))
    packed = len(re.findall(r"\bv(?:mul|add|sub|div|fmadd|fnmadd|fmsub)\w*pd\b", assembly))
    assert packed > 40 or not re.search(r"[xyz]mm", assembly)


def test_the_cache_key_knows_the_engine() -> None:
    assert ENGINE_SOURCE in multi_lesion_kernel.solve.py_func.__defaults__
