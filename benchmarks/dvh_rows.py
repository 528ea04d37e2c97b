"""The published rows of the real plan: every member of every structure, and whether it is inside its tolerance.

A row holds what several programs give for one structure; a value is inside when it lies in the range of those
programs widened by 0.5 % or 0.02 Gy (volume: 3 %, the body 7 %). Where a row says that a program's value is not
converged, its converged value counts as one more program, and a value that needs it is marked.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ROWS = Path(__file__).parent.parent / "tests" / "published" / "data" / "radiation" / "real_plan_dvh.json"
METRICS = {
    "mean": "mean", "max": "max", "min": "min", "D2": "D2%", "D5": "D5%", "D50": "D50%", "D95": "D95%", "D98": "D98%",
    "V5Gy_pct": "V5Gy", "V10Gy_pct": "V10Gy",
}  # fmt: skip
RELATIVE, ABSOLUTE = 0.005, 0.02
VOLUME, BODY_VOLUME = 0.03, 0.07


def bounds(member: str, values: list[float], roi: str) -> tuple[float, float]:
    """Return the range of the programs, widened."""
    low, high = min(values), max(values)
    if member == "volume_cc":
        share = BODY_VOLUME if roi == "BODY" else VOLUME
        return low * (1 - share), high * (1 + share)
    return low - max(RELATIVE * low, ABSOLUTE), high + max(RELATIVE * high, ABSOLUTE)


def report(model: str, found: Mapping[str, Mapping[str, float]]) -> int:
    """Print every member of every row; return how many are outside, converged values counted as programs."""
    outside_as_stated = outside = 0
    print(f"\nvolume model {model}: own value, range of the other programs as stated, widened by the tolerance")
    for row in json.loads(ROWS.read_text(encoding="utf-8"))["rows"]:
        roi = row["inputs"]["ROI"]
        for member, value in found[roi].items():
            low, high = _range(member, roi, row["expected"])
            verdict = "in"
            if not low <= value <= high:
                outside_as_stated += 1
                wider = _range(member, roi, row["expected"] | row.get("converged", {}))
                explained = wider[0] <= value <= wider[1]
                outside += not explained
                verdict = "OUT as stated, in with the converged value of a program" if explained else "OUT"
            print(f"{roi:16} {member:10} {value:10.4f}  [{low:10.4f}, {high:10.4f}]  {verdict}")
    print(f"{outside_as_stated} outside the ranges as stated, {outside} of them also outside with converged values")
    return outside


def _range(member: str, roi: str, programs: Mapping[str, Mapping[str, Any]]) -> tuple[float, float]:
    return bounds(member, [float(program[member]) for program in programs.values()], roi)
