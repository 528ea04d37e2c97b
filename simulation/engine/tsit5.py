"""One step of Tsitouras' 5(4) pair over all lanes, written out from the printed table.

Not to be confused with Dormand-Prince 5(4): same order and stages, other coefficients, smaller
principal error. The last stage is the first of the next step. The interpolant is of order 4.

References
----------
Tsitouras C. Runge-Kutta pairs of order 5(4) satisfying only the first column simplifying
assumption. Comput Math Appl 2011;62:770-775. doi:10.1016/j.camwa.2011.06.002
"""

import math
from collections.abc import Callable
from typing import Any

from numba import njit
from numpy.typing import NDArray

from simulation.engine.lanes import BLOCK_MASK, DY, FLOOR, K1, K2, K3, K4, K5, K6, K7, LANES, OPTIONS, S, Y

C = (0.0, 0.161, 0.327, 0.9, 0.9800255409045097, 1.0, 1.0)
A = (
    (),
    (0.161,),
    (-0.008480655492356989, 0.335480655492357),
    (2.8971530571054935, -6.359448489975075, 4.3622954328695815),
    (5.325864828439257, -11.748883564062828, 7.4955393428898365, -0.09249506636175525),
    (5.86145544294642, -12.92096931784711, 8.159367898576159, -0.071584973281401, -0.028269050394068383),
    (0.09646076681806523, 0.01, 0.4798896504144996, 1.379008574103742, -3.290069515436081, 2.324710524099774),
)
E = (
    -0.00178001105222577714, -0.0008164344596567469, 0.007880878010261995, -0.1447110071732629,
    0.5823571654525552, -0.45808210592918697, 0.015151515151515152,
)  # fmt: skip
# weight of stage i at the fraction x of the step: D[i][0] x + D[i][1] x^2 + D[i][2] x^3 + D[i][3] x^4
D = (
    (1.0, -2.763706197274826, 2.9132554618219126, -1.0530884977290216),
    (0.0, 0.1317, -0.2234, 0.1017),
    (0.0, 3.9302962368947516, -5.941033872131505, 2.490627285651253),
    (0.0, -12.411077166933676, 30.33818863028232, -16.548102889244902),
    (0.0, 37.50931341651104, -88.1789048947664, 47.37952196281928),
    (0.0, -27.896526289197286, 65.09189467479366, -34.87065786149661),
    (0.0, 1.5, -4.0, 2.5),
)
A21 = A[1][0]
A31, A32 = A[2]
A41, A42, A43 = A[3]
A51, A52, A53, A54 = A[4]
A61, A62, A63, A64, A65 = A[5]
A71, A72, A73, A74, A75, A76 = A[6]
E1, E2, E3, E4, E5, E6, E7 = E
C2, C3, C4, C5 = C[1:5]


def stepper(  # noqa: C901  (seven stages, written out)
    rhs: Callable[..., None], force: Callable[..., None]
) -> Callable[..., None]:
    """Compile ``stages(ws, size, units, since_stop, h, fresh)`` for one model.

    It evaluates the stages of one step of ``h`` days and leaves the new state in block S. ``fresh`` asks for the
    first stage too (after an event); otherwise it is taken from the step before.
    """

    @njit(**OPTIONS)
    def stages(  # noqa: C901  (seven stages, written out)
        ws: NDArray[Any], size: int, units: int, since_stop: float, h: float, fresh: bool
    ) -> None:
        for stage in range(0 if fresh else 1, 7):
            if stage == 0:
                tau = since_stop
                for e in range(size):
                    ws[S + e] = ws[Y + e]
            elif stage == 1:
                tau = since_stop + C2 * h
                for e in range(size):
                    ws[S + e] = ws[Y + e] + h * (A21 * ws[K1 + e])
            elif stage == 2:
                tau = since_stop + C3 * h
                for e in range(size):
                    d = ws[DY + e]
                    ws[K2 + e] = d
                    ws[S + e] = ws[Y + e] + h * (A31 * ws[K1 + e] + A32 * d)
            elif stage == 3:
                tau = since_stop + C4 * h
                for e in range(size):
                    d = ws[DY + e]
                    ws[K3 + e] = d
                    ws[S + e] = ws[Y + e] + h * (A41 * ws[K1 + e] + A42 * ws[K2 + e] + A43 * d)
            elif stage == 4:
                tau = since_stop + C5 * h
                for e in range(size):
                    d = ws[DY + e]
                    ws[K4 + e] = d
                    ws[S + e] = ws[Y + e] + h * (A51 * ws[K1 + e] + A52 * ws[K2 + e] + A53 * ws[K3 + e] + A54 * d)
            elif stage == 5:
                tau = since_stop + h
                for e in range(size):
                    d = ws[DY + e]
                    ws[K5 + e] = d
                    ws[S + e] = ws[Y + e] + h * (
                        A61 * ws[K1 + e] + A62 * ws[K2 + e] + A63 * ws[K3 + e] + A64 * ws[K4 + e] + A65 * d
                    )
            else:
                tau = since_stop + h
                for e in range(size):
                    d = ws[DY + e]
                    ws[K6 + e] = d
                    ws[S + e] = ws[Y + e] + h * (
                        A71 * ws[K1 + e]
                        + A72 * ws[K2 + e]
                        + A73 * ws[K3 + e]
                        + A74 * ws[K4 + e]
                        + A75 * ws[K5 + e]
                        + A76 * d
                    )
            if stage < 6:  # the last two stages are at the same time
                force(ws, units, tau)
            rhs(ws, units)
            if stage == 0:
                for e in range(size):
                    ws[K1 + e] = ws[DY + e]
        for e in range(size):
            ws[K7 + e] = ws[DY + e]

    return stages  # type: ignore[no-any-return]


@njit(**OPTIONS)
def error_ratio(ws: NDArray[Any], size: int, h: float, rtol: float) -> float:
    """Return the largest lane's RMS error over its tolerance ``rtol * (floor + |state|)``.

    Parameters
    ----------
    ws : ndarray, shape (WORKSPACE,)
        Block DY is overwritten.
    size : int
        Lanes times states.
    h : float
        Step, d.
    rtol : float

    Returns
    -------
    float
        Above 1 (or NaN) the step must be refused.
    """
    for e in range(size):
        err = h * (
            E1 * ws[K1 + e]
            + E2 * ws[K2 + e]
            + E3 * ws[K3 + e]
            + E4 * ws[K4 + e]
            + E5 * ws[K5 + e]
            + E6 * ws[K6 + e]
            + E7 * ws[K7 + e]
        )
        scaled = err / (ws[FLOOR + e] + max(abs(ws[Y + e]), abs(ws[S + e])))
        ws[DY + e] = scaled * scaled
    s0 = s1 = s2 = s3 = s4 = s5 = s6 = s7 = 0.0  # one per lane: a sum in memory would not vectorize
    rows = size // LANES
    for i in range(rows):
        e = DY + (i * LANES & BLOCK_MASK)
        s0 += ws[e]
        s1 += ws[e + 1]
        s2 += ws[e + 2]
        s3 += ws[e + 3]
        s4 += ws[e + 4]
        s5 += ws[e + 5]
        s6 += ws[e + 6]
        s7 += ws[e + 7]
    worst = 0.0
    for total in (s0, s1, s2, s3, s4, s5, s6, s7):
        if not total <= worst:
            worst = total
    return math.sqrt(worst / rows) / rtol


@njit(**OPTIONS)
def interpolate(ws: NDArray[Any], size: int, h: float, x: float) -> None:
    """Leave in block S the state inside the step just taken from block Y.

    Parameters
    ----------
    ws : ndarray, shape (WORKSPACE,)
    size : int
        Lanes times states.
    h : float
        Step, d.
    x : float
        Fraction of the step, 0 to 1.
    """
    w1 = h * x * (D[0][0] + x * (D[0][1] + x * (D[0][2] + x * D[0][3])))
    w2 = h * x * (D[1][0] + x * (D[1][1] + x * (D[1][2] + x * D[1][3])))
    w3 = h * x * (D[2][0] + x * (D[2][1] + x * (D[2][2] + x * D[2][3])))
    w4 = h * x * (D[3][0] + x * (D[3][1] + x * (D[3][2] + x * D[3][3])))
    w5 = h * x * (D[4][0] + x * (D[4][1] + x * (D[4][2] + x * D[4][3])))
    w6 = h * x * (D[5][0] + x * (D[5][1] + x * (D[5][2] + x * D[5][3])))
    w7 = h * x * (D[6][0] + x * (D[6][1] + x * (D[6][2] + x * D[6][3])))
    for e in range(size):
        ws[S + e] = (
            ws[Y + e]
            + w1 * ws[K1 + e]
            + w2 * ws[K2 + e]
            + w3 * ws[K3 + e]
            + w4 * ws[K4 + e]
            + w5 * ws[K5 + e]
            + w6 * ws[K6 + e]
            + w7 * ws[K7 + e]
        )
