"""Friedrich 2022 over long horizons: what has been lysed stays so."""

import numpy as np
import pytest

from simulation.tumor.friedrich import CONVERGED_STEP_DAYS, PUBLISHED_STEP_DAYS, Treatment, simulate
from simulation.tumor.tables import values


@pytest.mark.parametrize("step_days", [PUBLISHED_STEP_DAYS, CONVERGED_STEP_DAYS])
@pytest.mark.parametrize(("days", "dose_gy"), [((15.0, 17.0, 19.0), 15.0), ((19.0,), 40.0)])
def test_growth_after_the_lysis_does_not_overflow(days: tuple[float, ...], dose_gy: float, step_days: float) -> None:
    treatment = Treatment(fraction_days=days, dose_gy=[dose_gy] * len(days), pd1_windows=[(5.0, 26.0)])
    _, states = simulate(values("friedrich", "parameters"), treatment, 400.0, step_days)
    assert np.isfinite(states).all()
    assert (states[:, :-1] >= 0.0).all()
