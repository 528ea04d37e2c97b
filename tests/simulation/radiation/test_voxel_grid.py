"""Dose between grid points."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulation.radiation.grid import dose_at, make_grid

AXES = (
    ((1, 0, 0), (0, 1, 0)),
    ((-1, 0, 0), (0, -1, 0)),
    ((0, -1, 0), (1, 0, 0)),
    ((0, 1, 0), (0, 0, -1)),
    ((0.6, 0.8, 0), (-0.8, 0.6, 0)),
)


def grid_of(field, *, axes=AXES[0], spacing=(2.0, 3.0), offsets=(0.0, 2.0, 5.0, 6.0), shape=(5, 6), origin=(1, 2, 3)):
    along, down = np.array(axes[0], float), np.array(axes[1], float)
    normal = np.cross(along, down)
    k, r, c = np.meshgrid(offsets, np.arange(shape[0]), np.arange(shape[1]), indexing="ij")
    points = np.array(origin) + k[..., None] * normal + r[..., None] * spacing[0] * down
    points = points + c[..., None] * spacing[1] * along
    return make_grid(
        field(points).astype(np.float32),
        origin_mm=origin,
        row_direction=along,
        column_direction=down,
        row_spacing_mm=spacing[0],
        column_spacing_mm=spacing[1],
        frame_offsets_mm=offsets,
    ), points.reshape(-1, 3)


@settings(max_examples=60, deadline=None)
@given(
    axes=st.sampled_from(AXES),
    gradient=st.tuples(*[st.floats(-1, 1)] * 3),
    spacing=st.tuples(st.floats(0.5, 4), st.floats(0.5, 4)),
    offsets=st.sampled_from([(0.0, 2.0, 5.0, 6.0), (0.0, -2.0, -5.0), (0.0, 3.0, 1.0, 2.0)]),
    inside=st.lists(st.tuples(*[st.floats(0, 1)] * 3), min_size=1, max_size=8),
)
def test_linear_dose_is_exact_in_every_orientation(axes, gradient, spacing, offsets, inside):
    grid, _ = grid_of(lambda p: 50 + p @ np.array(gradient), axes=axes, spacing=spacing, offsets=offsets)
    along, down = np.array(axes[0], float), np.array(axes[1], float)
    normal = np.cross(along, down)
    low, high = min(offsets), max(offsets)
    points = np.array(
        [
            np.array([1, 2, 3])
            + a * 5 * spacing[1] * along
            + b * 4 * spacing[0] * down
            + (low + c * (high - low)) * normal
            for a, b, c in inside
        ]
    )
    assert dose_at([grid], points) == pytest.approx(50 + points @ np.array(gradient), abs=1e-3)


def test_half_a_step_beyond_the_outermost_points_is_covered():
    grid, _ = grid_of(lambda p: p[..., 0])
    points = np.array(
        [[1 - 1.4, 2, 3], [1 - 1.6, 2, 3], [1, 2, 3 - 0.9], [1, 2, 3 - 1.1], [1, 2, 3 + 6.4], [1, 2, 9.6]]
    )
    found = dose_at([grid], points)
    assert np.isfinite(found).tolist() == [True, False, True, False, True, False]
    assert found[0] == pytest.approx(1.0)


def test_grids_add_up_and_one_that_does_not_reach_makes_it_unknown():
    first, _ = grid_of(lambda p: 1 + 0 * p[..., 0])
    second, _ = grid_of(lambda p: 2 + 0 * p[..., 0], origin=(1, 2, 5))
    found = dose_at([first, second], np.array([[2.0, 3.0, 6.0], [2.0, 3.0, 3.5]]))
    assert found[0] == pytest.approx(3.0)
    assert np.isnan(found[1])


def test_other_axes_of_the_points():
    grid, _ = grid_of(lambda p: p[..., 0] + 10 * p[..., 1])
    turned = np.array([[0.0, 1.0, 0.0], [0.0, 0.0, 1.0], [1.0, 0.0, 0.0]])
    point = np.array([[2.5, 3.5, 4.0]])
    assert dose_at([grid], point @ turned.T, basis=turned) == pytest.approx(dose_at([grid], point))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"row_direction": (1, 0.2, 0)}, "unit"),
        ({"column_direction": (0.6, 0.8, 0)}, "perpendicular"),
        ({"row_spacing_mm": 0.0}, "spacing"),
        ({"frame_offsets_mm": (0.0, 1.0)}, "offset"),
        ({"frame_offsets_mm": (0.0, 1.0, 1.0)}, "same place"),
    ],
)
def test_impossible_geometry(change, message):
    given_members = {
        "origin_mm": (0, 0, 0),
        "row_direction": (1, 0, 0),
        "column_direction": (0, 1, 0),
        "row_spacing_mm": 1.0,
        "column_spacing_mm": 1.0,
        "frame_offsets_mm": (0.0, 1.0, 2.0),
    }
    with pytest.raises(ValueError, match=message):
        make_grid(np.zeros((3, 2, 2), np.float32), **(given_members | change))


def test_single_frame_is_as_thick_as_told():
    grid = make_grid(
        np.ones((1, 3, 3), np.float32),
        origin_mm=(0, 0, 0),
        row_direction=(1, 0, 0),
        column_direction=(0, 1, 0),
        row_spacing_mm=1.0,
        column_spacing_mm=1.0,
        frame_offsets_mm=(0.0,),
        single_frame_thickness_mm=4.0,
    )
    assert np.isfinite(dose_at([grid], np.array([[1.0, 1, 1.9], [1, 1, 2.1]]))).tolist() == [True, False]
    assert grid.mean_spacing_mm == pytest.approx(4 ** (1 / 3))
