"""Fits the lesion-size forecast, cross-validates it against its rivals, and writes the parameters.

    python scripts/fit_forecast.py laleh2022_training.csv
    python scripts/fit_forecast.py laleh2022_training.csv --only-fit    # keep the stored validation

The table is the training part (studies 1, 2, 3 and 5) of the supplementary data S6 of Ghaffari Laleh et al. 2022,
doi:10.1371/journal.pcbi.1009822, CC BY 4.0, reshaped to one row a scan. It is checked by its SHA-256 and is not part of
the repository.
"""

import argparse
import hashlib
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from forecast_fitting import Cases, Floats, Series, cases, fit, predict, read
from forecast_rivals import RIVALS, SHIPPED

from simulation.forecast_mixture import REPEAT_TERMS, SCALE_TERMS, VANISH_TERMS, Model
from simulation.outcome.performance import auc, brier

TARGET = Path(__file__).resolve().parent.parent / "simulation" / "data" / "forecast_parameters.json"
SHA256 = "b72f125d7cd8742898107fadffb0220825922a3d3e46d6ffe58fc341048be97c"
VERSION = "1.0.0"
FOLDS = 5
SEED = 20_220_203
COUNTS = (1, 2, 3, 4)
BOOTSTRAP = 2000
HORIZONS = ("next", "second", "last")


def main() -> int:
    """Fit, validate, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("table", type=Path)
    parser.add_argument("--only-fit", action="store_true")
    given = parser.parse_args()
    digest = hashlib.sha256(given.table.read_bytes()).hexdigest()
    if digest != SHA256:
        print(f"this is another table: SHA-256 {digest}", file=sys.stderr)
        return 1
    series = read(given.table)
    if given.only_fit:
        validation = json.loads(TARGET.read_text(encoding="utf-8"))["validation"]
    else:
        generator = np.random.Generator(np.random.Philox(SEED))
        random = generator.permutation(len(series)) % FOLDS
        studies = np.unique([one.study for one in series], return_inverse=True)[1]
        validation = {
            "folds": FOLDS,
            "seed": SEED,
            "by_patient": _validate(series, random, tuple(RIVALS)),
            "by_study": _validate(series, studies, ("last value", SHIPPED)),
        }
    model = fit(series)
    TARGET.write_text(json.dumps(_document(series, model, digest, validation), indent=1) + "\n", encoding="utf-8")
    return 0


def _validate(series: Sequence[Series], fold: Floats, methods: Sequence[str]) -> list[dict[str, Any]]:
    parts = []
    for held_out in np.unique(fold):
        training = [one for one, mine in zip(series, fold, strict=True) if mine != held_out]
        test = [one for one, mine in zip(series, fold, strict=True) if mine == held_out]
        model = fit(training)
        asked = cases(test, model.process, COUNTS)
        answers = {name: RIVALS[name](training, test, asked, model) for name in methods}
        found = predict(model, asked)
        inner = (found.quantile(0.25), found.quantile(0.75))
        threshold = np.maximum(1.2 * asked.nadir_mm, asked.nadir_mm + 5.0) - 1e-6
        study = np.array([test[patient].study for patient in asked.patient])
        parts.append((asked, answers, inner, found.at_least(threshold), threshold, study))
        print(f"fold {held_out}: {len(training)} patients to fit, {len(test)} left out", flush=True)
    rows = []
    for count in COUNTS:
        for horizon in HORIZONS:
            for name in methods:
                rows.append(_row(parts, count, horizon, name))
                print(_line(rows[-1]), flush=True)
            if count == 3 and horizon == "next":
                rows.extend(_row(parts, count, horizon, SHIPPED, study) for study in ("1", "2", "3", "5"))
    return rows


def _wanted(asked: Cases, count: int, horizon: str) -> Floats:
    rows = asked.state.scan_count == count
    return rows & {"next": asked.ahead == 0, "second": asked.ahead == 1, "last": asked.is_last}[horizon]


def _row(parts: list[Any], count: int, horizon: str, name: str, study: str | None = None) -> dict[str, Any]:
    picked: list[tuple[Any, ...]] = []
    for asked, answers, inner, chance, threshold, studies in parts:
        rows = _wanted(asked, count, horizon)
        if study is not None:
            rows = rows & (studies == study)
        columns = (asked.seen_mm, asked.state.last_mm, *answers[name], *inner, chance, threshold)
        picked.append(tuple(None if column is None else column[rows] for column in columns))
    joined = [None if column[0] is None else np.concatenate(column) for column in zip(*picked, strict=True)]
    seen, last, median, lower, upper, low50, high50, chance, threshold = joined
    error, reference = np.abs(seen - median), np.abs(seen - last)
    row: dict[str, Any] = {
        "method": name,
        "study": study,
        "scans": count,
        "horizon": horizon,
        "n": int(seen.size),
        "mae_mm": float(error.mean()),
        "median_error_mm": float(np.median(error)),
        "mean_abs_log_error": float(np.abs(np.log(seen / median)).mean()),
        "skill": float(1.0 - error.mean() / reference.mean()),
    }
    if name == SHIPPED:
        pick = np.random.Generator(np.random.Philox(SEED)).integers(0, seen.size, (BOOTSTRAP, seen.size))
        skill = 1.0 - error[pick].mean(axis=1) / reference[pick].mean(axis=1)
        row["skill_interval_95"] = [float(limit) for limit in np.quantile(skill, (0.025, 0.975))]
        row["coverage_50"] = _covered(seen, low50, high50)
    if lower is not None:
        row["coverage_90"] = _covered(seen, lower, upper)
        row["median_width_90_mm"] = float(np.median(upper - lower))
    if horizon == "next":
        grows = seen >= threshold
        score = chance if name == SHIPPED else median / threshold
        row["progression_prevalence"] = float(grows.mean())
        row["progression_auc"] = auc(grows, score)[0]
        if name == SHIPPED:
            row["progression_brier"] = brier(grows, chance)[0]
    return row


def _covered(seen: Floats, lower: Floats, upper: Floats) -> float:
    return float(np.mean((seen >= lower - 1e-9) & (seen <= upper + 1e-9)))


def _line(row: dict[str, Any]) -> str:
    covered = f"  90 % interval covers {100 * row['coverage_90']:.1f} %" if "coverage_90" in row else ""
    return (
        f"K={row['scans']} {row['horizon']:6s} n={row['n']:3d} {row['method']:28s} MAE {row['mae_mm']:6.3f} mm"
        f"  skill {100 * row['skill']:+5.1f} %{covered}"
    )


def _document(series: Sequence[Series], model: Model, digest: str, validation: dict[str, Any]) -> dict[str, Any]:
    mixture = model.mixture
    return {
        "model": "lesion_size_forecast",
        "version": VERSION,
        "evidence": "calibrated",
        "data": {
            "citation": "Ghaffari Laleh N et al. Classical mathematical models for prediction of response to "
            "chemotherapy and immunotherapy. PLoS Comput Biol 2022;18:e1009822, supplementary data S6, "
            "studies 1, 2, 3 and 5",
            "doi": "10.1371/journal.pcbi.1009822",
            "license": "CC BY 4.0",
            "sha256": digest,
            "patients": len(series),
            "scans": int(sum(one.day.size for one in series)),
            "longest_follow_up_days": float(max(one.day[-1] for one in series)),
            "largest_mm": float(max(one.size_mm.max() for one in series)),
        },
        "parameters": {
            "box_cox_exponent": model.exponent,
            "process": asdict(model.process),
            "mixture": {
                "repeat": dict(zip(REPEAT_TERMS, mixture.repeat.tolist(), strict=True)),
                "vanish": dict(zip(VANISH_TERMS, mixture.vanish.tolist(), strict=True)),
                "scale": dict(zip(SCALE_TERMS, mixture.scale.tolist(), strict=True)),
                "log_freedom": mixture.log_freedom,
            },
        },
        "validation": validation,
    }


if __name__ == "__main__":
    sys.exit(main())
