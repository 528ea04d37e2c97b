"""From contours to volumes and doses."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulation.radiation.contours import stack_contours
from simulation.radiation.grid import make_grid
from simulation.radiation.sampling import TooComplex, structure_dose
from tests.support.synthetic_rt import circle


def box(width, height, z, corner=(-10.0, -10.0)):
    x, y = corner
    return np.array([[x, y, z], [x + width, y, z], [x + width, y + height, z], [x, y + height, z]], dtype=float)


def wide_grid(gradient=(0.0, 0.0, 0.0), half=60.0, step=5.0):
    axis = np.arange(-half, half + 1e-9, step)
    z, y, x = np.meshgrid(axis, axis, axis, indexing="ij")
    dose = 40 + gradient[0] * x + gradient[1] * y + gradient[2] * z
    return make_grid(
        dose.astype(np.float32),
        origin_mm=(-half, -half, -half),
        row_direction=(1, 0, 0),
        column_direction=(0, 1, 0),
        row_spacing_mm=step,
        column_spacing_mm=step,
        frame_offsets_mm=axis + half,
    )


def measured(contours, grid=None, thickness=3.0, volume_model="interpolated", **options):
    stack = stack_contours(contours, single_plane_thickness_mm=thickness, volume_model=volume_model)
    return structure_dose(stack, [grid or wide_grid()], **options)


def test_half_slice_end_caps_of_a_box():
    assert measured([box(20, 10, z) for z in (0.0, 3.0, 6.0)]).volume_cm3 == pytest.approx(1.8, rel=0.005)


def test_single_plane_is_as_thick_as_told():
    assert measured([box(20, 10, 0.0)], thickness=4.0).volume_cm3 == pytest.approx(0.8, rel=0.005)


def test_unequal_gaps():
    contours = [box(20, 10, 0.0), box(20, 10, 2.0), box(20, 10, 6.0)]
    assert measured(contours).volume_cm3 == pytest.approx(0.2 * (1 + 2 + 4 + 2), rel=0.005)


def test_cone_is_interpolated_between_its_planes():
    contours = [circle(10.0, (0, 0), 0.0), circle(20.0, (0, 0), 10.0)]
    frustum = np.pi * 10 / 3 * (100 + 200 + 400)
    caps = np.pi * 5 * (100 + 400)
    assert measured(contours).volume_cm3 == pytest.approx((frustum + caps) / 1000, rel=0.005)


def test_contour_planes_are_slabs_with_the_dose_of_their_plane():
    contours = [circle(10.0, (0, 0), 0.0), circle(20.0, (0, 0), 4.0), circle(10.0, (0, 0), 6.0)]
    found = measured(contours, wide_grid((0, 0, 1.0)), volume_model="contour_planes")
    volumes = np.pi * np.array([100 * 4.0, 400 * 3.0, 100 * 2.0]) / 1000
    assert found.volume_cm3 == pytest.approx(volumes.sum(), rel=0.002)
    assert found.mean_gy == pytest.approx((volumes @ [40.0, 44.0, 46.0]) / volumes.sum(), abs=0.005)
    assert (found.minimum_gy, found.maximum_gy) == pytest.approx((40.0, 46.0), abs=1e-4)
    occupied = found.volumes_cm3[found.volumes_cm3 > 0]
    assert occupied == pytest.approx(volumes, rel=0.005)


def test_a_small_structure_has_enough_points_in_both_volume_models():
    contours = [box(2, 2, z) for z in (0.0, 3.0)]
    for volume_model in ("interpolated", "contour_planes"):
        assert measured(contours, volume_model=volume_model).point_count >= 20_000


def test_end_caps_carry_the_dose_of_their_own_place():
    """Halfway beyond the last plane the dose differs from that in the plane; the planes' slabs do not see it."""
    contours = [box(20, 10, z) for z in (0.0, 3.0, 6.0)]
    grid = wide_grid((0, 0, 1.0))
    through, planes = (measured(contours, grid, volume_model=model) for model in ("interpolated", "contour_planes"))
    assert (through.surface_minimum_gy, through.surface_maximum_gy) == pytest.approx((38.5, 47.5), abs=1e-4)
    assert (planes.surface_minimum_gy, planes.surface_maximum_gy) == pytest.approx((40.0, 46.0), abs=1e-4)
    assert through.volume_cm3 == pytest.approx(planes.volume_cm3, rel=0.005)


def keyhole(outer, inner):
    return np.concatenate([outer, outer[:1], inner[::-1], inner[-1:], outer[:1]])


def test_hole_and_keyhole_are_the_same():
    heights = (0.0, 3.0, 6.0, 9.0)
    grid = wide_grid((0.2, 0.1, 0.3))
    nested = measured([circle(r, (0, 0), z) for z in heights for r in (20.0, 8.0)], grid)
    cut = measured([keyhole(circle(20.0, (0, 0), z), circle(8.0, (0, 0), z)) for z in heights], grid)
    expected = np.pi * (400 - 64) * 12 / 1000
    assert nested.volume_cm3 == pytest.approx(expected, rel=0.005)
    assert cut.volume_cm3 == pytest.approx(expected, rel=0.005)
    assert cut.mean_gy == pytest.approx(nested.mean_gy, abs=0.02)


def test_island_in_a_hole_counts_again():
    contours = [circle(r, (0, 0), z) for z in (0.0, 3.0) for r in (20.0, 12.0, 5.0)]
    assert measured(contours).volume_cm3 == pytest.approx(np.pi * (400 - 144 + 25) * 6 / 1000, rel=0.01)


def test_several_contours_in_a_plane():
    grid = wide_grid((0.5, 0, 0))
    found = measured([circle(6.0, (c, 0), z) for z in (0.0, 3.0, 6.0) for c in (-20.0, 20.0)], grid)
    assert found.volume_cm3 == pytest.approx(2 * np.pi * 36 * 9 / 1000, rel=0.005)
    assert found.mean_gy == pytest.approx(40.0, abs=0.05)
    assert (found.surface_minimum_gy, found.surface_maximum_gy) == pytest.approx((27.0, 53.0), abs=0.02)


def test_a_piece_that_ends_reaches_half_way():
    main = [circle(15.0, (0, 0), z) for z in (0.0, 3.0, 6.0)]
    side = [circle(5.0, (30, 0), 0.0)]
    expected = np.pi * (225 * 9 + 25 * 3) / 1000
    assert measured(main + side).volume_cm3 == pytest.approx(expected, rel=0.005)


def test_thin_oblique_sheet_keeps_its_volume():
    contours = [box(3, 40, z, corner=(-10 + 2 * z, -20)) for z in (0.0, 3.0, 6.0, 9.0)]
    found = measured(contours, wide_grid((0.4, 0, 0)))
    assert found.volume_cm3 == pytest.approx(3 * 40 * 12 / 1000, rel=0.01)
    assert found.mean_gy == pytest.approx(40 + 0.4 * (-10 + 9 + 1.5), abs=0.05)


def test_wide_gap_separates_parts_and_a_skipped_slice_does_not():
    near = [box(10, 10, z) for z in (0.0, 2.0, 6.0, 8.0, 10.0)]
    far = [box(10, 10, z) for z in (30.0, 32.0)]
    stack = stack_contours(near + far, single_plane_thickness_mm=2.0)
    assert (stack.parts, stack.skipped_gaps, stack.plane_count) == (2, 1, 7)
    assert measured(near + far).volume_cm3 == pytest.approx(0.1 * (12 + 4), rel=0.005)


@settings(max_examples=15, deadline=None)
@given(share=st.floats(0.1, 0.9))
def test_coverage_outside_the_grid(share):
    reach = 61.0 + 1.5  # the grid reaches half a step beyond its last point at 60 mm
    left = reach - 20 * share
    contours = [box(20, 10, z, corner=(left, 0)) for z in (0.0, 3.0)]
    found = measured(contours, wide_grid(half=60.0, step=5.0))
    assert found.coverage_fraction == pytest.approx(share, abs=0.01)
    assert found.mean_gy == pytest.approx(40.0)
    assert found.volumes_cm3.sum() == pytest.approx(found.volume_cm3 * found.coverage_fraction)


def test_nothing_covered():
    found = measured([box(5, 5, z, corner=(200, 200)) for z in (0.0, 3.0)])
    assert found.coverage_fraction == 0.0
    assert np.isnan(found.mean_gy)


@settings(max_examples=12, deadline=None)
@given(angle=st.floats(-1.2, 1.2), tilt=st.floats(-1.2, 1.2))
def test_turning_everything_changes_nothing(angle, tilt):
    """Contours in oblique planes: a cylinder turned with the gradient of its dose."""
    about_x = np.array([[1, 0, 0], [0, np.cos(tilt), -np.sin(tilt)], [0, np.sin(tilt), np.cos(tilt)]])
    about_z = np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]])
    turn = about_z @ about_x
    contours = [circle(12.0, (4, 0), z) @ turn.T for z in np.arange(-9.0, 9.1, 3.0)]
    along, across = turn @ [0.0, 0.0, 0.3], turn @ [0.2, 0.0, 0.0]
    found = measured(contours, wide_grid(along + across))
    assert found.volume_cm3 == pytest.approx(np.pi * 144 * 21 / 1000, rel=0.005)
    assert found.mean_gy == pytest.approx(40.8, abs=0.03)
    assert found.surface_maximum_gy == pytest.approx(40.8 + 0.2 * 12 + 0.3 * 10.5, abs=0.02)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 1000), corners=st.integers(3, 12))
def test_random_polygons_keep_their_area(seed, corners):
    rng = np.random.default_rng(seed)
    angle = (np.arange(corners) + 0.8 * rng.random(corners)) * 2 * np.pi / corners
    radius = 5 + 20 * rng.random(corners)
    x, y = radius * np.cos(angle), radius * np.sin(angle)
    area = abs(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2
    if area < 20:
        return
    contours = [np.column_stack([x, y, np.full(corners, z)]) for z in (0.0, 2.0, 4.0)]
    found = measured(contours, wide_grid((0.1, 0.2, 0.1)))
    assert found.volume_cm3 == pytest.approx(area * 6 / 1000, rel=0.02)
    assert found.surface_minimum_gy <= found.minimum_gy <= found.mean_gy
    assert found.mean_gy <= found.maximum_gy <= found.surface_maximum_gy
    assert found.volumes_cm3.min() >= 0
    assert found.volumes_cm3.sum() == pytest.approx(found.volume_cm3)


def test_uniform_dose():
    found = measured([box(10, 10, z) for z in (0.0, 3.0)])
    assert (found.minimum_gy, found.mean_gy, found.maximum_gy) == (40.0, 40.0, 40.0)


def test_same_answer_again():
    contours = [circle(9.0, (1, 2), z) for z in (0.0, 2.5, 5.0)]
    first, second = (measured(contours, wide_grid((0.1, 0.3, 0.2))) for _ in range(2))
    assert np.array_equal(first.volumes_cm3, second.volumes_cm3)


@pytest.mark.parametrize(
    ("contours", "message"),
    [
        ([], "area"),
        ([np.zeros((5, 3))], "area"),
        ([box(10, 10, 0.0) + np.array([[0, 0, 0], [0, 0, 3], [0, 0, 0], [0, 0, 3]])], "parallel"),
        ([box(10, 10, 0.0), box(10, 10, 5.0)[:, [0, 2, 1]]], "parallel"),
    ],
)
def test_unusable_contours(contours, message):
    with pytest.raises(ValueError, match=message):
        stack_contours(contours, single_plane_thickness_mm=1.0)


def test_sliver_across_a_huge_area_is_refused():
    contour = np.array([[-9000, -9000, 0], [9000, 9000, 0], [9000, 9000.001, 0]], dtype=float)
    with pytest.raises(TooComplex):
        measured([contour, contour + np.array([0, 0, 3])])


def test_endless_zigzag_is_refused():
    points = 40_000
    zigzag = np.column_stack([np.linspace(-9, 9, points), np.tile([-9.0, 9.0], points // 2), np.zeros(points)])
    zigzag[:, 1] += np.linspace(0, 3, points) ** 2
    contours = [zigzag + np.array([0, 0, z]) for z in np.arange(0.0, 30.0, 1.0)]
    with pytest.raises(TooComplex):
        measured(contours)
