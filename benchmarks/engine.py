"""Patients per second and core of the engine against other solvers of the same model, interleaved in one run.

    python benchmarks/engine.py [--patients 1024] [--rounds 5] [--diffrax PYTHON] [--accuracy]

Model: four lesions, two years, 30 x 2 Gy, pembrolizumab every three weeks, ipilimumab x 4, weekly output. Figures are
patients per CPU second of one thread. ``--diffrax`` names a Python that has diffrax installed. ``--accuracy`` checks
all states of 4,096 patients of every compiled model against a tolerance of 1e-10.
"""

import argparse
import ctypes
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numba import njit
from scipy.integrate import solve_ivp

from simulation.engine import lanes
from simulation.engine.stops import merge
from simulation.immunotherapy.plan import DoseEvent, DrugPlan
from simulation.tumor import cart_tumor, cart_tumor_kernel, kosinsky, kosinsky_model
from simulation.tumor import multi_lesion_kernel as kernel
from simulation.tumor import multi_lesion_model as model
from simulation.tumor.interface import simulate
from simulation.tumor.multi_lesion_reference import solve as solve_reference
from simulation.tumor.scenario import Covariates, Fractions, Scenario
from simulation.tumor.virtual_patients import Posterior, draw

LESIONS = 4
DAYS = 728.0
HERE = Path(__file__).resolve().parent


def plan() -> Scenario:
    weekdays = np.array([float(14 + 7 * (i // 5) + i % 5) for i in range(30)])
    dose = np.zeros((30, LESIONS))
    dose[:, 0] = 2.0
    drugs = [DoseEvent(21.0 * i, "pembrolizumab", 200.0, 0.02) for i in range(35)]
    drugs += [DoseEvent(21.0 * i, "ipilimumab", 210.0, 0.02) for i in range(4)]
    return Scenario(
        lesion_ids=tuple("abcd"),
        organs=("lung",) * LESIONS,
        volume_cm3=np.full(LESIONS, 12.0),
        fractions=Fractions(day=weekdays, dose_gy=dose, field_exposure=np.ones(30), node_dose_gy=np.zeros(30)),
        drugs=DrugPlan.of(drugs),
        horizon_days=DAYS,
        output_days=np.arange(0.0, DAYS, 7.0),
        covariates=Covariates(cancer_type="nsclc"),
        volume_spread_log=0.8,
    )


def patients(scenario: Scenario, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Parameters and settled start of n virtual patients."""
    parts = []
    for chunk in range(-(-n // 256)):
        drawn = draw(scenario, Posterior.shipped(), 2026, chunk, pd1="pembrolizumab", ctla4="ipilimumab")
        parts.append(model.settled_start(drawn))
    parameters, start = (
        np.ascontiguousarray(np.concatenate(arrays, axis=1)[:, :n]) for arrays in zip(*parts, strict=True)
    )
    return parameters, start


def build_peer(folder: Path) -> ctypes.CDLL:
    """Compile the C++ kernel with the row offsets of the Python module."""
    offsets = {
        "W": lanes.LANES,
        "WORKSPACE": lanes.WORKSPACE,
        "N_SYSTEMIC": kernel.N_SYSTEMIC,
        "N_LESION": kernel.N_LESION,
    }
    offsets |= {name: getattr(lanes, name) for name in ("Y", "S", "DY", "P", "OBS")}
    offsets |= {f"K{i}": getattr(lanes, f"K{i}") for i in range(1, 8)}
    offsets |= {name: getattr(kernel, name) for name in ("DOSE_PD1_MG", "DOSE_CTLA4_MG", "FIELD_EXPOSURE")}
    offsets |= {name: value for name, value in vars(kernel).items() if name.endswith("_") and isinstance(value, int)}
    (folder / "rows.h").write_text("".join(f"constexpr int {name} = {value};\n" for name, value in offsets.items()))
    library = folder / "peer.so"
    compiler = shutil.which("g++")
    if compiler is None:
        raise SystemExit("g++ is needed for the C++ peer")
    flags = ["-O3", "-march=native", "-mprefer-vector-width=512", "-std=c++17", "-shared", "-fPIC"]
    flags += ["-fno-math-errno", "-fno-trapping-math", "-fassociative-math", "-fno-signed-zeros", "-freciprocal-math"]
    subprocess.run([compiler, *flags, f"-I{folder}", str(HERE / "engine_peer.cpp"), "-o", str(library)], check=True)
    found = ctypes.CDLL(str(library))
    found.solve.restype = ctypes.c_long
    return found


def run_peer(
    peer: ctypes.CDLL, parameters: np.ndarray, start: np.ndarray, stops, days: np.ndarray, rtol: float
) -> np.ndarray:
    rows = kernel.OBS_SYSTEMIC + 2 * LESIONS
    out = np.empty((days.size, rows, start.shape[1]))
    floors = model.floors(LESIONS)
    pointer = ctypes.c_void_p
    code = peer.solve(
        pointer(parameters.ctypes.data), ctypes.c_long(parameters.shape[0]), pointer(start.ctypes.data),
        ctypes.c_long(start.shape[0]), ctypes.c_long(start.shape[1]), ctypes.c_long(LESIONS),
        pointer(stops.day.ctypes.data), ctypes.c_long(stops.day.size), pointer(stops.table.ctypes.data),
        ctypes.c_long(stops.table.shape[1]), pointer(days.ctypes.data), ctypes.c_long(days.size),
        pointer(floors.ctypes.data), ctypes.c_double(rtol), pointer(out.ctypes.data), ctypes.c_long(rows),
    )  # fmt: skip
    if code < 0:
        raise RuntimeError("the C++ peer failed")
    return out


(
    i_r, i_mu, i_Kmax, i_kappa, _, i_rR, i_kc, i_kin, i_dE, i_kex, i_half_ex, i_ex_relief, i_dX, i_krev, i_kL, i_L0,
    i_KL, i_rhoPD, i_kG, i_G0, i_gV, i_VG, i_del4, i_kF, i_KF, i_a0, i_VA, i_aRT, i_VRT, i_kH, i_Hh, i_p, i_sig4, i_pM,
    i_kC, i_eps, i_kM, i_kA, i_kN, i_Vsink, i_KD1, i_KD4,
) = range(42)  # fmt: skip
if kernel.PARAMETERS[41] != "KD4":
    raise SystemExit("the order of the parameters has changed; mend the row numbers above")
alpha1, beta1, alpha4, beta4 = (
    kernel.PARAMETERS.index(f"{axis}_{rate}") for axis in ("pd1", "ctla4") for rate in ("alpha", "beta")
)


@njit
def scalar_rhs(t, y, p, chi, amounts, since):
    """The right-hand side for one patient, scalar Numba, as SciPy calls it."""
    tau = t - since
    c1 = amounts[0] * np.exp(-p[alpha1] * tau) + amounts[1] * np.exp(-p[beta1] * tau)
    c4 = amounts[2] * np.exp(-p[alpha4] * tau) + amounts[3] * np.exp(-p[beta4] * tau)
    ro1 = c1 / (c1 + p[i_KD1])
    ro4 = c4 / (c4 + p[i_KD4])
    d = np.empty_like(y)
    n = chi.size
    H, C, M, A, N = y[0], y[1], y[2], y[3], y[4]
    signal = 0.0
    sink = 0.0
    for i in range(n):
        o = 5 + 8 * i
        V = y[o] + y[o + 1]
        F4 = y[o + 7] ** 4
        sink += chi[i] * V
        signal += p[i_a0] * V / (V + p[i_VA])
        signal += p[i_aRT] * p[i_kc] * F4 / (p[i_KF] ** 4 + F4) * y[o + 2] / (1 + y[o + 2] / p[i_VRT])
    pr = H / (p[i_Hh] + H)
    d[0] = signal - p[i_kH] * H
    d[1] = A * pr * (p[i_p] * N * (1 + p[i_sig4] * ro4) + p[i_pM] * M) - p[i_kC] * C
    d[2] = p[i_eps] * C - p[i_kM] * M
    d[3] = p[i_kA] * (1 - A)
    d[4] = p[i_kN] * (1 - N)
    inflow = p[i_kin] * C / (1 + sink / p[i_Vsink])
    for i in range(n):
        o = 5 + 8 * i
        s, r, e, x, pdl, g = y[o], y[o + 1], y[o + 3], y[o + 4], y[o + 5], y[o + 6]
        V = s + r
        kill = p[i_kappa] * e / (1 + p[i_rhoPD] * pdl * (1 - ro1)) / (1 + g)
        growth = p[i_r] * (1 - V / p[i_Kmax])
        ex = p[i_kex] * V / (V + p[i_half_ex]) * (1 - p[i_ex_relief] * ro1)
        rev = p[i_krev] * ro1
        d[o] = (growth - p[i_mu] - kill) * s
        d[o + 1] = growth * r + p[i_mu] * s - (1 - p[i_rR]) * kill * r
        d[o + 2] = -p[i_kc] * y[o + 2]
        d[o + 3] = chi[i] * inflow - (p[i_dE] + ex) * e + rev * x
        d[o + 4] = ex * e - (p[i_dX] + rev) * x
        d[o + 5] = p[i_kL] * (p[i_L0] + (1 - p[i_L0]) * e / (e + p[i_KL]) - pdl)
        d[o + 6] = p[i_kG] * (p[i_G0] * (1 + p[i_gV] * V / (V + p[i_VG])) * (1 - p[i_del4] * ro4) - g)
        d[o + 7] = -p[i_kF] * y[o + 7]
    return d


def run_scipy(parameters: np.ndarray, start: np.ndarray, stops, days: np.ndarray, compiled: bool) -> np.ndarray:
    """One patient with ``solve_ivp`` LSODA, split at every stop, right-hand side in NumPy or in Numba."""
    from simulation.tumor import multi_lesion as text

    p = dict(zip(kernel.PARAMETERS, parameters, strict=False))
    chi = parameters[kernel.CHI : kernel.CHI + LESIONS]
    atol = 1e-5 * model.floors(LESIONS)
    out = np.empty((days.size, start.size))
    out[0] = start
    y = start.copy()
    amounts = np.zeros(4)
    rates = np.array([p[f"{axis}_{rate}"] for axis in ("pd1", "ctla4") for rate in ("alpha", "beta")])
    unit = np.array([p[f"{axis}_{part}"] for axis in ("pd1", "ctla4") for part in ("a", "b")])
    persistence = np.ones(LESIONS)
    for k, (begin, end) in enumerate(zip(stops.day[:-1], stops.day[1:], strict=True)):
        row = stops.table[k]
        if k:
            amounts = amounts * np.exp(-rates * (begin - stops.day[k - 1]))
        amounts = amounts + unit * np.repeat(row[[kernel.DOSE_PD1_MG, kernel.DOSE_CTLA4_MG]], 2)
        y = text.extinguish(text.irradiate(y, row[:LESIONS], row[kernel.FIELD_EXPOSURE], 0.0, p), p)
        here = (days > begin) & (days <= end)
        if compiled:

            def rhs(t, state, amounts=amounts, begin=begin):
                return scalar_rhs(t, state, parameters, chi, amounts, begin)
        else:

            def rhs(t, state, amounts=amounts, begin=begin):
                c = amounts * np.exp(-rates * (t - begin))
                c1, c4 = c[0] + c[1], c[2] + c[3]
                drivers = text.Drivers(c1 / (c1 + p["KD1"]), c4 / (c4 + p["KD4"]), 0.0, persistence)
                return text.derivatives(state, drivers, p, chi)

        if end > begin:
            wanted = np.append(days[here], end) if not here.any() or days[here][-1] < end else days[here]
            part = solve_ivp(rhs, (begin, end), y, method="LSODA", t_eval=wanted, rtol=1e-5, atol=atol)
            out[here] = part.y.T[: int(here.sum())]
            y = text.extinguish(part.y[:, -1], p)
    return out


def timed(run: Callable[[], object]) -> float:
    start = time.process_time()
    run()
    return time.process_time() - start


def diffrax_rate(python: str, parameters: np.ndarray, start: np.ndarray, stops, days: np.ndarray) -> float:
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data.npz"
        np.savez(
            data, parameters=parameters, start=start, stop=stops.day, table=stops.table, days=days,
            names=np.array(kernel.PARAMETERS), floors=model.floors(LESIONS), chi=kernel.CHI,
        )  # fmt: skip
        done = subprocess.run(
            [python, "-P", str(HERE / "_engine_diffrax.py"), str(data)], check=True, stdout=subprocess.PIPE, text=True
        )
    return float(json.loads(done.stdout.splitlines()[-1])["patients_per_cpu_second"])


def race(n: int, rounds: int, diffrax: str | None) -> None:
    scenario = plan()
    parameters, start = patients(scenario, n)
    stops = model.event_table(scenario, DAYS)
    days = scenario.output_days
    with tempfile.TemporaryDirectory() as folder:
        peer = build_peer(Path(folder))
        ours = model.integrate(parameters, start, stops, days).observed
        theirs = run_peer(peer, parameters, start, stops, days, model.RELATIVE_TOLERANCE)
        gap = np.max(np.abs(ours - theirs) / (1e-2 + np.abs(ours)))
        print(f"largest difference of engine and C++ in {n} patients: {gap:.1e}")
        run_scipy(parameters[:, 0], start[:, 0], stops, days, True)
        rates: dict[str, list[float]] = {name: [] for name in ("engine", "C++", "LSODA, Numba", "LSODA, NumPy")}
        for k in range(rounds):
            rates["engine"].append(n / timed(lambda: model.integrate(parameters, start, stops, days)))
            rates["C++"].append(
                n / timed(lambda: run_peer(peer, parameters, start, stops, days, model.RELATIVE_TOLERANCE))
            )
            one = k % n
            rates["LSODA, Numba"].append(
                1.0 / timed(lambda one=one: run_scipy(parameters[:, one].copy(), start[:, one], stops, days, True))
            )
            rates["LSODA, NumPy"].append(
                1.0 / timed(lambda one=one: run_scipy(parameters[:, one].copy(), start[:, one], stops, days, False))
            )
        if diffrax:
            rates["diffrax"] = [diffrax_rate(diffrax, parameters[:, :64], start[:, :64], stops, days)]
    engine = float(np.median(rates["engine"]))
    print(f"{'solver':16s} {'patients/cpu-s':>15s} {'engine over it':>15s}")
    for name, found in rates.items():
        rate = float(np.median(found))
        print(f"{name:16s} {rate:15,.1f} {engine / rate:15,.2f}")
    single_parameters, single_start = parameters[:, :8].copy(), start[:, :8].copy()
    once = min(_wall(lambda: model.integrate(single_parameters, single_start, stops, days)) for _ in range(50))
    print(f"one patient, kernel, warm: {1e3 * once:.2f} ms")
    for threads in (1, 2):
        begin = time.process_time()
        wall = _wall(
            lambda threads=threads: simulate("multi-lesion", scenario, patients=20_000, seed=1, threads=threads)
        )
        spent = time.process_time() - begin
        print(f"20,000 virtual patients, two years, {threads} thread(s): {wall:.2f} s wall, {spent:.2f} CPU s")


def _wall(run: Callable[[], object]) -> float:
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def accuracy(n: int = 4096) -> None:
    """All states against a tolerance of 1e-10; the reference itself against DOP853 for a few patients."""
    scenario = plan()
    parameters, start = patients(scenario, n)
    stops = model.event_table(scenario, DAYS)
    days = scenario.output_days
    worst = []
    for first in range(0, n, 256):
        block = slice(first, first + 256)
        p, y = np.ascontiguousarray(parameters[:, block]), np.ascontiguousarray(start[:, block])
        loose = model.integrate(p, y, stops, days, all_states=True).observed
        tight = model.integrate(p, y, stops, days, rtol=1e-10, all_states=True).observed
        worst.append((np.abs(loose - tight) / model.error_scale(tight)).max(axis=(0, 1)))
        if first == 0:
            short = merge(zip(stops.day[:20], stops.table[:20], strict=True), 60.0, kernel.EVENT_COLUMNS)
            early = days[days < 60.0]
            found = model.integrate(p, y, short, early, rtol=1e-10, all_states=True).observed[:, :, :4]
            dop = np.stack([solve_reference(p[:, i], y[:, i], short, early) for i in range(4)], axis=2)
            gap = np.max(np.abs(found - dop) / model.error_scale(dop))
            print(f"reference against DOP853 1e-11, 4 patients, 60 d: {gap:.1e}")
    _show("multi-lesion", np.concatenate(worst))

    animals = kosinsky_model.animals(0.696 * np.random.Generator(np.random.Philox(1)).standard_normal(n))
    events = [(float(day), np.array([0.0, 444.4])) for day in (7, 9, 11, 14, 16, 18, 21, 23, 25)]
    events += [(float(day), np.array([2.0, 0.0])) for day in range(7, 12)]
    table = merge(events, 61.0, kosinsky.EVENT_COLUMNS)
    grid = np.arange(0.0, 60.0, 0.5)
    loose, tight = (
        kosinsky_model.integrate(animals, table, grid, rtol=r, all_states=True)
        for r in (kosinsky_model.RELATIVE_TOLERANCE, 1e-10)
    )
    scale = kosinsky.FLOORS[None, :, None] + np.abs(tight)
    _show("kosinsky-2018", (np.abs(loose - tight) / scale).max(axis=(0, 1)))

    generator = np.random.Generator(np.random.Philox(2))
    p = cart_tumor.typical(n)
    p[0] *= np.exp(1.0857 * generator.standard_normal(n))
    p[12] *= np.exp(1.5311 * generator.standard_normal(n))
    table = merge([(0.0, np.array([0.1]))], 361.0, cart_tumor_kernel.EVENT_COLUMNS)
    grid = np.arange(0.0, 360.0, 3.0)
    volume = np.exp(np.log(85.7) + 1.2 * generator.standard_normal(n))
    loose, tight = (
        cart_tumor.integrate(p, volume, table, grid, rtol=r) for r in (cart_tumor.RELATIVE_TOLERANCE, 1e-10)
    )
    scale = cart_tumor_kernel.FLOORS[None, :, None] + np.abs(tight)
    _show("mueller-schoell-2021", (np.abs(loose - tight) / scale).max(axis=(0, 1)))


def _show(name: str, worst: np.ndarray) -> None:
    p50, p99 = np.quantile(worst, [0.5, 0.99])
    print(f"{name:22s} {worst.size} patients, all states: p50 {p50:.1e}, p99 {p99:.1e}, max {worst.max():.1e}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--patients", type=int, default=1024)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--diffrax", metavar="PYTHON")
    parser.add_argument("--accuracy", action="store_true")
    arguments = parser.parse_args()
    if arguments.accuracy:
        accuracy()
    else:
        race(arguments.patients, arguments.rounds, arguments.diffrax)
    return 0


if __name__ == "__main__":
    sys.exit(main())
