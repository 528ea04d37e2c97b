"""The workspace: eight patients side by side, one row per quantity.

Every number that a kernel touches lives in one flat float64 array ``ws``. A *row* is eight
consecutive numbers, one per patient (lane); a *block* is room for :data:`MAX_STATES` rows. All
offsets below are constants, so LLVM can prove that rows do not overlap and turns each
``for l in range(LANES)`` into vector instructions; separate arrays would not vectorize.

Floating point: kernels are compiled with :data:`FASTMATH`, which lets LLVM contract and reorder sums and
turn divisions into reciprocals. The choice is made once, at compile time, so a replay on the same kind of
machine with the same build gives the same bytes. NaN and infinity keep their meaning (a diverging
patient is seen, not optimized away), and no approximate functions are allowed. Another processor generation
may compile to other instructions and differ in the last digits.
"""

import math
from typing import Any

from numba import njit

LANES = 8
MAX_STATES = 72
MAX_PARAMETERS = 96
MAX_AUXILIARY = 24
BLOCK = MAX_STATES * LANES
BLOCK_MASK = 1023
"""The smallest 2^n - 1 above a block. ``offset & BLOCK_MASK`` leaves an offset inside a block as it is, and shows LLVM
that it is not negative: otherwise every access would be checked for a negative index, and would not vectorize."""

Y = 0  # state at the start of the step
S = BLOCK  # state at the current stage: what a right-hand side reads
DY = 2 * BLOCK  # its derivative: what a right-hand side writes
K1, K2, K3, K4, K5, K6, K7 = (n * BLOCK for n in range(3, 10))
P = 10 * BLOCK  # parameters of each patient
X = P + MAX_PARAMETERS * LANES  # quantities known in closed form, at the current stage time
B = X + MAX_AUXILIARY * LANES  # what those closed forms start from at the last stop
OBS = B + MAX_AUXILIARY * LANES  # observed quantities
FLOOR = OBS + BLOCK  # scale of each state below which its error is absolute
WORKSPACE = FLOOR + BLOCK

FASTMATH = {"contract", "reassoc", "arcp", "nsz"}
OPTIONS: dict[str, Any] = {"nogil": True, "error_model": "numpy", "fastmath": FASTMATH, "boundscheck": False}


@njit(inline="always", **OPTIONS)
def exp_decay(exponent: float) -> float:
    """Return ``exp(exponent)`` for an exponent in [-60, 2], to 1e-13 relative, in plain arithmetic.

    A call to the C library cannot be vectorized; a Taylor series of a 1/256 part and eight
    squarings can. Smaller exponents are taken as -60.
    """
    z = max(exponent, -60.0) * 0.00390625
    s = 1.0 + z * (1.0 / 9.0)
    s = 1.0 + z * (1.0 / 8.0) * s
    s = 1.0 + z * (1.0 / 7.0) * s
    s = 1.0 + z * (1.0 / 6.0) * s
    s = 1.0 + z * 0.2 * s
    s = 1.0 + z * 0.25 * s
    s = 1.0 + z * (1.0 / 3.0) * s
    s = 1.0 + z * 0.5 * s
    s = 1.0 + z * s
    s *= s
    s *= s
    s *= s
    s *= s
    s *= s
    s *= s
    s *= s
    return s * s


@njit(inline="always", **OPTIONS)
def survival(dose_gy: float, alpha: float, beta: float) -> float:
    """Return the linear-quadratic survival, continued linearly above ``2 alpha/beta``.

    The slope is continuous at the transition (LQ-L), so that large fractions are not over-counted.
    """
    if beta <= 0.0:
        return math.exp(-alpha * dose_gy)
    bend = 2.0 * alpha / beta
    if dose_gy <= bend:
        return math.exp(-alpha * dose_gy - beta * dose_gy * dose_gy)
    at_bend = alpha * bend + beta * bend * bend
    return math.exp(-at_bend - (alpha + 2.0 * beta * bend) * (dose_gy - bend))
