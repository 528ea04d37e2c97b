"""Dose-volume histograms of a real plan: this service against dicompyler-core 0.5.6 on that project's own test set.

The script downloads the peer's source distribution, which carries the test plan, into a temporary
directory (or ``--environment``), and makes an environment of its own for it there, because it needs pydicom < 3
and numpy < 2. The two run in turn, round after round, each in its own process, both from the files to the
histograms of all structures; printed are CPU seconds (medians), ratios and peak memory, and then every member of the
published rows of this plan under both volume models. ``interpolated`` samples between the planes and beyond the last
one; the programs of those rows read the dose in the contour planes alone, as ``contour_planes`` does. A row is met when
one of the models has all its members inside the range of the programs as published. Exits with 1 when a row is not
met by any model or another target is missed::

    python benchmarks/dvh.py [--rounds 5] [--environment DIR]
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tarfile
import tempfile
import time
import venv
from pathlib import Path
from typing import Any

sys.path[0] = str(Path(__file__).resolve().parent.parent)  # not this folder, whose http.py hides the library's

from benchmarks._dvh_rows import METRICS, missed_by_all, read_rows, report  # noqa: E402

PEER = "dicompyler-core==0.5.6"
PEER_NEEDS = ("pydicom<3", "numpy<2", "six", "setuptools<81")
DATA = "tests/testdata/example_data"
TARGET_CPU_S, TARGET_RATIO, TARGET_PEAK_MIB = 1.0, 5.0, 300.0
FRACTION_COUNT = 7
FILES = ("rtdose.dcm", "rtss.dcm")


def own_worker(folder: Path) -> None:
    from schemas.dicom import DicomOptions
    from schemas.dvh import EvaluationOptions
    from service.dicom_reading import read_upload
    from service.dicom_request import ingest

    options = DicomOptions(evaluation=EvaluationOptions(fraction_count=FRACTION_COUNT))
    for _ in sys.stdin:
        streams = [(folder / name).open("rb") for name in FILES]
        began = time.process_time()
        request = ingest(streams, options)
        ended = time.process_time()
        read_upload(streams)
        reading = time.process_time() - ended
        found: dict[str, Any] = {left.name: None for left in request.left_out}
        for structure in request.structures:
            stored = structure.planning_system
            found[structure.name] = [structure.geometry.volume_cm3, structure.geometry.mean_gy] + (
                [] if stored is None else [stored.volume_cm3, stored.mean_gy]
            )
        for stream in streams:
            stream.close()
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        total = ended - began
        print(json.dumps({"total": total, "dvh": total - reading, "peak_mib": peak, "found": found}), flush=True)


def members(folder: Path, volume_model: str) -> dict[str, dict[str, float]]:
    """Every published member of every structure, read off the histograms that an upload is reduced to."""
    from schemas.dicom import DicomOptions
    from service.dicom_request import ingest
    from service.dvh_structures import distribution
    from simulation.radiation.metrics import metric

    options = DicomOptions.model_validate(
        {"volume_model": volume_model, "evaluation": {"fraction_count": FRACTION_COUNT}}
    )
    streams = [(folder / name).open("rb") for name in FILES]
    request = ingest(streams, options)
    for stream in streams:
        stream.close()
    found = {}
    for structure in request.structures:
        curve = distribution(structure.request.dvh, "/dvh")
        read = {member: metric(name).read(curve) for member, name in METRICS.items()}
        found[structure.name] = {"volume_cc": structure.geometry.volume_cm3, **read}
    return found


def prepare(home: Path) -> tuple[Path, Path]:
    """Return the peer's interpreter and the folder of its test plan, fetched on the first call."""
    source, environment = home / "source", home / "peer"
    python = environment / "bin" / "python"
    quiet = ["--quiet", "--disable-pip-version-check"]
    if not source.exists():
        subprocess.run(
            [
                sys.executable,
                "-m",
                "pip",
                "download",
                *quiet,
                "--no-deps",
                "--no-binary",
                ":all:",
                "-d",
                str(home),
                PEER,
            ],
            check=True,
        )
        with tarfile.open(next(home.glob("dicompyler*core-*.tar.gz"))) as archive:
            archive.extractall(source, filter="data")
    if not python.exists():
        venv.create(environment, with_pip=True)
        subprocess.run([str(python), "-m", "pip", "install", *quiet, *PEER_NEEDS, "matplotlib<3.10", PEER], check=True)
    return python, next(source.glob(f"*/{DATA}"))


class Worker:
    """A process that answers one line for every line it gets."""

    def __init__(self, command: list[str]) -> None:
        environment = os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
        )

    def run(self) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write("run\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return answer

    def close(self) -> None:
        self._process.communicate()


def compare(home: Path, rounds: int) -> bool:
    python, folder = prepare(home)
    workers = {
        "own": Worker([sys.executable, "-m", "benchmarks.dvh", "--own-worker", str(folder)]),
        "dicompyler-core 0.5.6": Worker(
            [
                str(python),
                "-P",
                str(Path(__file__).with_name("dvh_peer.py")),
                *(str(folder / n) for n in ("rtss.dcm", "rtdose.dcm")),
            ]
        ),
    }
    for worker in workers.values():
        worker.run()
    answers: dict[str, list[dict[str, Any]]] = {name: [] for name in workers}
    for _ in range(rounds):
        for name, worker in workers.items():
            answers[name].append(worker.run())
    for worker in workers.values():
        worker.close()
    own, peer = answers.values()
    print(f"{len(own[0]['found'])} structures, medians of {rounds} rounds after one warm-up, CPU s")
    medians = {}
    for name, runs in answers.items():
        medians[name] = [statistics.median(run[part] for run in runs) for part in ("total", "dvh")]
        peak = max(run["peak_mib"] for run in runs)
        total, histograms = medians[name]
        print(f"{name:24} files to histograms {total:.3f}  histograms alone {histograms:.3f}  peak {peak:.0f} MiB")
    (own_total, own_dvh), (peer_total, peer_dvh) = medians.values()
    print(f"ratio {peer_total / own_total:.1f} from the files on, {peer_dvh / own_dvh:.1f} for the histograms alone")
    print(f"{'structure':18} volume cm3 and mean Gy: own | peer | planning system")
    for name, values in own[0]["found"].items():
        row = [values[:2] if values else None, peer[0]["found"].get(name), values[2:] if values else None]
        print(f"{name:18} " + " | ".join("-" if not pair else f"{pair[0]:9.3f} {pair[1]:8.4f}" for pair in row))
    peak = max(run["peak_mib"] for run in own)
    rows = read_rows()
    missed = {model: report(model, members(folder, model), rows) for model in ("interpolated", "contour_planes")}
    unmet = missed_by_all(missed)
    print(
        f"\n{len(rows) - len(unmet)} of {len(rows)} rows met; by no volume model: {', '.join(sorted(unmet)) or 'none'}"
    )
    fast = own_total < TARGET_CPU_S and peer_total / own_total >= TARGET_RATIO and peak < TARGET_PEAK_MIB
    return fast and not unmet


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--environment", type=Path, help="keep the peer's environment here")
    parser.add_argument("--own-worker", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.own_worker is not None:
        own_worker(arguments.own_worker)
        return
    with tempfile.TemporaryDirectory() as temporary:
        home = arguments.environment or Path(temporary)
        home.mkdir(parents=True, exist_ok=True)
        if not compare(home, arguments.rounds):
            raise SystemExit("a target was missed")


if __name__ == "__main__":
    main()
