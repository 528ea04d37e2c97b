"""Which values the parameters of control and complication models may take."""

from collections.abc import Iterable, Mapping
from typing import Final

from schemas.dvh import ParameterInterval
from service.errors import InvalidInput
from simulation.model import Interval

_BOUNDS: Final[Mapping[str, tuple[float, float]]] = {
    "alpha_per_gy": (1e-4, 10.0),
    "alpha_sd_per_gy": (0.0, 10.0),
    "alpha_beta_gy": (0.05, 100.0),
    "clonogens": (1.0, 1e15),
    "clonogens_per_cm3": (1.0, 1e12),
    "repopulation_loss_gy": (0.0, 300.0),
    "hypoxic_share": (0.0, 1.0),
    "hypoxic_oxygen_tension_mmhg": (0.0, 200.0),
    "birth_per_day": (1e-6, 10.0),
    "death_per_day": (0.0, 10.0),
    "followup_days": (0.0, 10000.0),
    "td50_gy": (0.1, 1000.0),
    "d50_gy": (0.1, 1000.0),
    "m": (0.005, 5.0),
    "n": (0.005, 10.0),
    "gamma50": (0.01, 50.0),
    "gamma": (0.01, 50.0),
    "exponent": (-100.0, 100.0),
    "seriality": (0.001, 100.0),
}


def check_parameters(
    pointer: str, given: Mapping[str, float], *, needed: Iterable[str], optional: Iterable[str] = ()
) -> None:
    """Refuse missing, unknown and meaningless parameters."""
    wanted = tuple(needed)
    allowed = {*wanted, *optional}
    if not set(wanted) <= set(given) <= allowed:
        also = ", ".join(optional)
        raise InvalidInput(
            f"{pointer}/parameters", f"this form needs {', '.join(wanted)}" + (f" and may have {also}" if also else "")
        )
    for name, value in given.items():
        low, high = _BOUNDS[name]
        if not low <= value <= high:
            raise InvalidInput(f"{pointer}/parameters/{name}", f"must lie between {low:g} and {high:g}")


def check_intervals(
    pointer: str, values: Mapping[str, float], given: Mapping[str, ParameterInterval]
) -> dict[str, Interval]:
    """Return the intervals of parameters; each must contain its value and stay within what is allowed."""
    for name, interval in given.items():
        if name not in values or not interval.lower <= values[name] <= interval.upper:
            raise InvalidInput(f"{pointer}/intervals/{name}", "belongs to a given parameter and contains its value")
        low, high = _BOUNDS[name]
        if interval.lower < low or interval.upper > high or (values[name] > 0 and interval.lower <= 0):
            raise InvalidInput(f"{pointer}/intervals/{name}", "must lie within what the parameter itself may be")
    return {
        name: Interval(level=interval.level, lower=interval.lower, upper=interval.upper)
        for name, interval in given.items()
    }
