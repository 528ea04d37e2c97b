"""Antibody concentrations of virtual patients: the exact propagator against ODE solvers.

18 infusions of 200 mg every 3 weeks, 379 daily outputs, time-varying clearance with inter-individual
variability (the nivolumab model of Zhang 2019). The solvers run in turn, round after round, in one go; printed
are the CPU microseconds per patient (median of the rounds), the largest relative error against an integration at
1e-10, and the ratio to ours. diffrax runs in an environment of its own, made on the first call.

    python -m benchmarks.pk [--rounds 5] [--patients 2048] [--without-diffrax] [--environment DIR]
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.integrate import solve_ivp

from simulation.immunotherapy.antibodies import MODELS
from simulation.immunotherapy.disposition import Disposition, simulate
from simulation.immunotherapy.timeline import Doses

Array = NDArray[np.float64]
MODEL = MODELS["pk-nivolumab-zhang2019"]
DOSES, INTERVAL, AMOUNT, INFUSION = 18, 21.0, 200.0, 0.5 / 24.0
OUTPUTS = np.arange(DOSES * INTERVAL + 1.0)
CHECKED = 8
TARGET_MICROSECONDS, TARGET_ERROR = 15.0, 1e-5
PEER = "diffrax==0.7.2"


def cohort(patients: int) -> Disposition:
    return MODEL.individual({}, MODEL.draw(np.random.Generator(np.random.Philox(7)), patients))


def ours(patients: Disposition) -> Array:
    doses = Doses.of(INTERVAL * np.arange(DOSES), AMOUNT, INFUSION)
    run = simulate(patients, doses, OUTPUTS, longest_step_days=MODEL.longest_step_days)
    return run.concentration_mg_per_l.T


def by_scipy(patients: Disposition, method: str, tolerance: float) -> Array:
    return np.array([_one(patients, index, method, tolerance) for index in range(patients.size)])


def _one(patients: Disposition, index: int, method: str, tolerance: float) -> Array:
    cl, vc, q, vp = (
        float(values[index]) for values in (patients.cl_l_per_day, patients.vc_l, patients.q_l_per_day, patients.vp_l)
    )
    emax, half = float(patients.emax[index]), float(patients.t50_days[index]) ** patients.hill
    found, state = np.zeros(OUTPUTS.size), np.zeros(2)

    def slope(t: float, y: Array, rate: float) -> list[float]:
        age = t**patients.hill
        out = cl * np.exp(emax * age / (half + age)) * y[0] / vc
        exchange = q * (y[0] / vc - y[1] / vp)
        return [rate - out - exchange, exchange]

    for start in INTERVAL * np.arange(DOSES):
        for begin, end, rate in (
            (start, start + INFUSION, AMOUNT / INFUSION),
            (start + INFUSION, start + INTERVAL, 0.0),
        ):
            inside = (begin < OUTPUTS) & (end >= OUTPUTS)
            at = np.append(OUTPUTS[inside], end) if not OUTPUTS[inside].size else OUTPUTS[inside]
            run = solve_ivp(
                slope, (begin, end), state, method=method, t_eval=at, args=(rate,), rtol=tolerance, atol=tolerance
            )
            found[inside] = run.y[0, : int(inside.sum())] / vc
            state = run.y[:, -1]
    return found


class Diffrax:
    """A worker process with diffrax; it answers one line per run."""

    def __init__(self, patients: Disposition, environment: Path, folder: Path) -> None:
        python = environment / "bin" / "python"
        if not python.exists():
            venv.create(environment, with_pip=True)
        present = subprocess.run([python, "-c", "import diffrax"], capture_output=True, check=False).returncode == 0
        if not present:
            subprocess.run([python, "-m", "pip", "install", "--quiet", PEER], check=True)
        parameters = folder / "patients.npz"
        np.savez(
            parameters,
            table=np.stack([patients.cl_l_per_day, patients.vc_l, patients.q_l_per_day, patients.vp_l, patients.emax]),
            t50=float(patients.t50_days[0]),
            hill=patients.hill,
            schedule=np.array([DOSES, INTERVAL, AMOUNT, INFUSION]),
        )
        self.answer = folder / "concentrations.npy"
        threads = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
        self.process = subprocess.Popen(
            [python, "-P", str(Path(__file__).with_name("pk_diffrax_worker.py")), str(parameters), str(self.answer)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"XLA_FLAGS": threads, "JAX_ENABLE_X64": "1", "JAX_PLATFORMS": "cpu"},
        )
        self.first = self.run()

    def run(self) -> float:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        print("run", file=self.process.stdin, flush=True)
        return float(json.loads(self.process.stdout.readline())["cpu_seconds"])

    def concentrations(self) -> Array:
        loaded: Array = np.load(self.answer)
        return loaded

    def close(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait()


def cpu_seconds(work: Callable[[], object]) -> float:
    begin = time.process_time()
    work()
    return time.process_time() - begin


def first(patients: Disposition, count: int) -> Disposition:
    return Disposition.of(
        cl_l_per_day=patients.cl_l_per_day[:count],
        vc_l=patients.vc_l[:count],
        q_l_per_day=patients.q_l_per_day[:count],
        vp_l=patients.vp_l[:count],
        form=patients.form,
        emax=patients.emax[:count],
        t50_days=patients.t50_days[:count],
        hill=patients.hill,
    )


def largest_error(found: Array, reference: Array) -> float:
    return float(np.max(np.abs(found[:CHECKED, 1:] / reference[:, 1:] - 1.0)))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--patients", type=int, default=2048)
    parser.add_argument("--without-diffrax", action="store_true")
    parser.add_argument("--environment", type=Path, default=Path(tempfile.gettempdir()) / "abscope-benchmark-diffrax")
    chosen = parser.parse_args()
    patients = cohort(chosen.patients)
    few = first(patients, CHECKED)
    reference = by_scipy(few, "DOP853", 1e-10)
    errors = {
        "exact propagator": largest_error(ours(patients), reference),
        "SciPy LSODA, 1e-8": largest_error(by_scipy(few, "LSODA", 1e-8), reference),
    }
    spent: dict[str, list[float]] = {name: [] for name in errors}
    with tempfile.TemporaryDirectory() as folder:
        peer = None if chosen.without_diffrax else Diffrax(patients, chosen.environment, Path(folder))
        if peer is not None:
            errors["diffrax Tsit5, 1e-8"] = largest_error(peer.concentrations(), reference)
            spent["diffrax Tsit5, 1e-8"] = []
        for _ in range(chosen.rounds):
            spent["exact propagator"].append(cpu_seconds(lambda: ours(patients)) / patients.size)
            spent["SciPy LSODA, 1e-8"].append(cpu_seconds(lambda: by_scipy(few, "LSODA", 1e-8)) / CHECKED)
            if peer is not None:
                spent["diffrax Tsit5, 1e-8"].append(peer.run() / patients.size)
        if peer is not None:
            peer.close()
    own = statistics.median(spent["exact propagator"]) * 1e6
    print(f"{patients.size} patients, {DOSES} doses, {OUTPUTS.size} outputs, {chosen.rounds} interleaved rounds")
    for name, error in errors.items():
        micro = statistics.median(spent[name]) * 1e6
        spread = " to ".join(f"{1e6 * extreme(spent[name]):.3g}" for extreme in (min, max))
        print(f"{name:20} {micro:10.1f} us/patient ({spread})  error {error:.1e}  ratio {micro / own:8.1f}")
    met = own <= TARGET_MICROSECONDS and errors["exact propagator"] <= TARGET_ERROR
    print(f"target of {TARGET_MICROSECONDS:g} us and {TARGET_ERROR:g}: {'met' if met else 'missed'}")
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
