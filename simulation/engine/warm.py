"""Compiles every kernel into Numba's cache, so that no request waits for a compiler.

    python -m simulation.engine.warm

Run at install and at image build. The cache lies beside the sources, or where ``NUMBA_CACHE_DIR`` says; it holds for
the processor it was built on.
"""

import sys
import time
from collections.abc import Callable, Iterator

import numpy as np


def _tumor_models() -> Iterator[tuple[str, Callable[[], object]]]:
    from simulation.immunotherapy.plan import DoseEvent, DrugPlan
    from simulation.tumor.interface import MODELS, simulate
    from simulation.tumor.scenario import CellDose, Fractions, Scenario

    scenario = Scenario(
        lesion_ids=("lesion-1",),
        organs=("lung",),
        volume_cm3=np.array([1.0]),
        fractions=Fractions(
            day=np.array([1.0]), dose_gy=np.array([[2.0]]), field_exposure=np.ones(1), node_dose_gy=np.ones(1)
        ),
        drugs=DrugPlan.of([DoseEvent(0.0, "pembrolizumab", 200.0, 0.02)]),
        cells=(CellDose(2.0, "car-t", 1e8),),
        horizon_days=10.0,
        output_days=np.array([0.0, 10.0]),
    )
    for model_id in MODELS:
        yield model_id, lambda model_id=model_id: simulate(model_id, scenario, patients=1, seed=0)  # type: ignore[misc]


def _pharmacokinetics() -> Iterator[tuple[str, Callable[[], object]]]:
    from simulation.immunotherapy.antibodies import MODELS
    from simulation.immunotherapy.disposition import simulate
    from simulation.immunotherapy.timeline import Doses

    doses = Doses.of([0.0], [100.0], [0.02])
    for model_id, model in MODELS.items():
        yield model_id, lambda model=model: simulate(model.individual(), doses, [0.0, 1.0])  # type: ignore[misc]


def _dose_volume_histograms() -> Iterator[tuple[str, Callable[[], object]]]:
    from simulation.radiation.contours import stack_contours
    from simulation.radiation.grid import make_grid
    from simulation.radiation.sampling import structure_dose

    square = np.array([[2.0, 2.0, 0.0], [6.0, 2.0, 0.0], [6.0, 6.0, 0.0], [2.0, 6.0, 0.0]])

    def sample() -> object:
        grid = make_grid(
            np.ones((5, 9, 9), dtype=np.float32),
            origin_mm=(0.0, 0.0, 0.0),
            row_direction=(1.0, 0.0, 0.0),
            column_direction=(0.0, 1.0, 0.0),
            row_spacing_mm=1.0,
            column_spacing_mm=1.0,
            frame_offsets_mm=np.arange(5.0),
        )
        planes = [square + np.array([0.0, 0.0, z]) for z in (1.0, 2.0, 3.0)]
        return structure_dose(stack_contours(planes, single_plane_thickness_mm=1.0), [grid])

    yield "structure dose", sample


def main() -> int:
    """Compile every kernel and say how long each took."""
    for name, run in (*_tumor_models(), *_pharmacokinetics(), *_dose_volume_histograms()):
        start = time.perf_counter()
        run()
        sys.stdout.write(f"{name:34s} {time.perf_counter() - start:6.2f} s\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
