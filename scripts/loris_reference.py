"""Reproduces the reference means and the recalibration that the LORIS predictors ship.

The workbook is not part of this repository: take ``02.Input/AllData.xlsx`` of
github.com/rootchang/LORIS (commit eb87300) and run

    python scripts/loris_reference.py AllData.xlsx

Only the sheet ``Chowell_train`` is parsed; the other cohorts are kept for evaluation.
"""

import re
import sys
import zipfile
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from simulation.predictors.loris_pan_cancer import FIT, RECALIBRATION_INTERCEPT, RECALIBRATION_SLOPE

SHEET = "Chowell_train"
_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"


def read_sheet(workbook: Path, sheet: str) -> list[dict[str, str]]:
    """Rows of one sheet, by column title; no other sheet is read."""
    with zipfile.ZipFile(workbook) as archive:
        relations = ElementTree.fromstring(archive.read("xl/_rels/workbook.xml.rels"))  # noqa: S314
        target = {relation.get("Id"): relation.get("Target") for relation in relations}
        book = ElementTree.fromstring(archive.read("xl/workbook.xml"))  # noqa: S314
        names = {entry.get("name"): target[entry.get(_RELATION)] for entry in book.iter(f"{_MAIN}sheet")}
        strings = [
            "".join(text.text or "" for text in item.iter(f"{_MAIN}t"))
            for item in ElementTree.fromstring(archive.read("xl/sharedStrings.xml"))  # noqa: S314
        ]
        root = ElementTree.fromstring(archive.read(f"xl/{names[sheet]}"))  # noqa: S314
    table = []
    for row in root.iter(f"{_MAIN}row"):
        cells = {}
        for cell in row:
            value = cell.find(f"{_MAIN}v")
            if value is not None and value.text is not None:
                column = re.sub(r"\d", "", cell.get("r", ""))
                cells[column] = strings[int(value.text)] if cell.get("t") == "s" else value.text
        table.append(cells)
    titles = table[0]
    return [{titles[column]: value for column, value in row.items() if column in titles} for row in table[1:]]


def fit_logistic(x: NDArray[np.float64], y: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Maximum-likelihood coefficients and their covariance (Newton's method)."""
    design = np.column_stack([np.ones_like(x), x])
    beta = np.zeros(2)
    for _ in range(50):
        p = 1 / (1 + np.exp(-design @ beta))
        information: NDArray[np.float64] = design.T @ (design * (p * (1 - p))[:, None])
        beta = beta + np.linalg.solve(information, design.T @ (y - p))
    return beta, np.asarray(np.linalg.inv(information), dtype=np.float64)


def main() -> None:
    """Print every number that the predictor files quote from this cohort."""
    rows = read_sheet(Path(sys.argv[1]), SHEET)

    def column(name: str, cap: float = np.inf, *, of: list[dict[str, str]] = rows) -> NDArray[np.float64]:
        return np.asarray(np.minimum([float(row[name]) for row in of], cap), dtype=np.float64)

    cancer_types = [row["CancerType"].lower().replace(" & ", "_and_") for row in rows]
    cancer = np.array([FIT.cancer_terms[name] for name in cancer_types])
    features = {
        "tmb": column("TMB", 50),
        "prior_systemic_therapy": column("Systemic_therapy_history"),
        "albumin": column("Albumin"),
        "nlr": column("NLR", 25),
        "age": column("Age", 85),
    }
    logit = FIT.intercept + sum(FIT.coefficients[name] * values for name, values in features.items()) + cancer
    beta, covariance = fit_logistic(logit, column("Response"))
    print(f"{SHEET}: n {len(rows)}, responders {column('Response').sum():.0f}")
    print("means", {name: round(float(values.mean()), 6) for name, values in features.items()})
    print("cancer types", dict(sorted(Counter(cancer_types).items())))
    print("mean cancer term", round(float(cancer.mean()), 6))
    print("recalibration", beta.tolist(), "covariance", covariance.tolist())
    predicted = 1 / (1 + np.exp(-(RECALIBRATION_INTERCEPT + RECALIBRATION_SLOPE * logit)))
    response = column("Response")
    for decile in np.array_split(np.argsort(logit, kind="stable"), 10):
        print("calibration", len(decile), int(response[decile].sum()), round(float(predicted[decile].mean()), 4))
    lung = [row for row in rows if row["CancerType"] == "NSCLC" and row.get("PDL1_TPS(%)")]
    print(f"NSCLC with PD-L1: n {len(lung)}, responders {column('Response', of=lung).sum():.0f}")
    caps = {"TMB": 50, "Systemic_therapy_history": 1, "Albumin": np.inf, "NLR": 25, "Age": 85, "PDL1_TPS(%)": 100}
    for name, cap in caps.items():
        raw = column(name, of=lung)
        print(name, "mean", round(float(np.minimum(raw, cap).mean()), 6), "range", raw.min(), raw.max())


if __name__ == "__main__":
    main()
