"""CPU and memory of a batch of predictions, without a database.

Peer: the standard library's ``json`` reading the same rows and writing the same answers, which
is the least that any service in Python would do with them. Both run interleaved, in rounds.

    python benchmarks/predictions_batch.py [rows]
"""

import json
import resource
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import orjson

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from service.batch import Row, row_parser  # noqa: E402
from service.predictions import compute  # noqa: E402

ROUND = 500


def rows(first: int, count: int) -> list[bytes]:
    """Patients that differ in age, albumin, TMB and drug, each as one JSON line."""
    body = json.loads((ROOT / "examples" / "predict_nsclc.json").read_text())
    found = []
    for number in range(first, first + count):
        body["patient"]["reference"] = f"p-{number}"
        body["patient"]["age_years"] = 35 + number % 50
        body["patient"]["labs"]["albumin_g_per_l"] = 28 + number % 17
        body["patient"]["biomarkers"]["tmb_mutations_per_mb"] = number % 400 / 10
        body["plan"]["drugs"][0]["agent"] = ("pembrolizumab", "nivolumab", "atezolizumab")[number % 3]
        found.append(orjson.dumps(body) + b"\n")
    return found


def answered(lines: list[bytes], media_type: str) -> Iterator[bytes]:
    """Parse, compute and serialize."""
    parser = row_parser(media_type)
    for line in lines:
        for row in parser.feed(line):
            assert isinstance(row, Row)
            yield orjson.dumps(compute(row.request).result)
    assert not list(parser.finish())


def main() -> None:
    """Print seconds of CPU for all rows, the ratio to the peer, and the peak memory."""
    total = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    ours = peer = 0.0
    size = 0
    for first in range(0, total, ROUND):
        lines = rows(first, min(ROUND, total - first))
        start = time.process_time()
        for answer in answered(lines, "application/x-ndjson"):
            size += len(answer)
        ours += time.process_time() - start
        answer_text = json.loads(answer)
        start = time.process_time()
        for line in lines:
            json.loads(line)
            json.dumps(answer_text)
        peer += time.process_time() - start
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{total} rows: {ours:.2f} s CPU to parse, predict and serialize ({1e6 * ours / total:.0f} us a row)")
    print(f"peer, standard library json on the same bytes: {peer:.2f} s CPU; ratio ours / peer {ours / peer:.2f}")
    print(f"answers: {size / total / 1000:.1f} kB a row; peak resident memory {memory:.0f} MB")


if __name__ == "__main__":
    main()
