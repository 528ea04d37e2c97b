"""The published rows of the real plan: every member of every structure, and whether it is inside its tolerance.

A row holds what several programs give for one structure; a value is inside when it lies in the range of those
programs widened by 0.5 % or 0.02 Gy (volume: 3 %, the body 7 %), and a row is met when all its values are inside.
Where a row also holds the value that a program converges to on a finer raster, that value is printed beside as an
explanation; it does not widen the range.
"""

import json
from collections.abc import Mapping, Sequence
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


def report(model: str, found: Mapping[str, Mapping[str, float]], rows: Sequence[Mapping[str, Any]]) -> set[str]:
    """Print every member of every row; return the identifiers of the rows that are not met."""
    missed: set[str] = set()
    outside = 0
    print(f"\nvolume model {model}: own value, range of the other programs widened by the tolerance")
    for row in rows:
        roi = row["inputs"]["ROI"]
        for member, value in found[roi].items():
            low, high = bounds(member, _values(row["expected"], member), roi)
            verdict = "in"
            if not low <= value <= high:
                outside += 1
                missed.add(row["id"])
                converged = _values(row.get("converged", {}), member)
                verdict = "OUT" + "".join(f" (converged value of a program: {other:g})" for other in converged)
            print(f"{roi:16} {member:10} {value:10.4f}  [{low:10.4f}, {high:10.4f}]  {verdict}")
    print(f"{model}: {outside} values outside, rows not met: {', '.join(sorted(missed)) or 'none'}")
    return missed


def read_rows() -> list[dict[str, Any]]:
    """Return the published rows."""
    rows: list[dict[str, Any]] = json.loads(ROWS.read_text(encoding="utf-8"))["rows"]
    return rows


def missed_by_all(missed: Mapping[str, set[str]]) -> set[str]:
    """Return the rows that no volume model meets."""
    return set.intersection(*missed.values())


def _values(programs: Mapping[str, Mapping[str, Any]], member: str) -> list[float]:
    return [float(program[member]) for program in programs.values()]
