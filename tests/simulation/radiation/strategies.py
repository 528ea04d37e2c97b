"""Random dose distributions and schedules."""

import numpy as np
from hypothesis import strategies as st

from simulation.radiation.dvh import Dvh, from_cumulative, from_samples
from simulation.radiation.schedule import Phase

doses = st.floats(min_value=0.0, max_value=90.0, allow_subnormal=False)
ratios = st.floats(min_value=0.5, max_value=30.0)


@st.composite
def samples(draw: st.DrawFn) -> Dvh:
    dose = draw(st.lists(doses, min_size=1, max_size=25))
    volume = draw(st.lists(st.floats(min_value=0.01, max_value=10.0), min_size=len(dose), max_size=len(dose)))
    return from_samples(dose, volume, volume_cm3=sum(volume))


@st.composite
def curves(draw: st.DrawFn) -> Dvh:
    steps = draw(st.lists(st.floats(min_value=0.05, max_value=10.0), min_size=1, max_size=15))
    falls = draw(st.lists(st.floats(min_value=0.0, max_value=10.0), min_size=len(steps), max_size=len(steps)))
    dose = np.append(0.0, np.cumsum(steps))
    rest = draw(st.floats(min_value=0.1, max_value=10.0))
    volume = rest + np.append(np.cumsum(falls[::-1])[::-1], 0.0)
    return from_cumulative(dose, volume, volume_cm3=float(volume[0]))


distributions = st.one_of(samples(), curves())
phases = st.builds(
    Phase,
    dose_per_fraction_gy=st.floats(min_value=0.5, max_value=12.0),
    fraction_count=st.integers(min_value=2, max_value=40),
    treatment_days_per_week=st.integers(min_value=1, max_value=7),
    start_day=st.integers(min_value=-10, max_value=30).map(float),
)
