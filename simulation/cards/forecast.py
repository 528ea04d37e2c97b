"""Model card of the lesion-size forecast; its figures come from the stored cross-validation."""

from typing import Any

from simulation.forecast import FITTED, MODEL
from simulation.forecast_process import MONTH_DAYS
from simulation.model import Coefficient, Input, ModelCard, Performance, Reference

_DATA = FITTED["data"]
_SCRIPT = "scripts/fit_forecast.py"
_BY_PATIENT = "5-fold cross-validation by patient, training studies"
_BY_STUDY = "each training study left out in turn"
_SCALED = "transformed size, months of 30 d"
_UNITS = {"response_months": "30 d", "velocity_months": "30 d", "degrees_of_freedom": "1"}


def _coefficients() -> tuple[Coefficient, ...]:
    parameters = FITTED["parameters"]
    named = {f"process.{name}": value for name, value in parameters["process"].items()}
    for group in ("repeat", "vanish", "scale"):
        named |= {f"{group}.{name}": value for name, value in parameters["mixture"][group].items()}
    named["log_freedom"] = parameters["mixture"]["log_freedom"]
    return tuple(
        Coefficient(
            name=name,
            value=value,
            unit=_UNITS.get(name.rpartition(".")[2], _SCALED if name.startswith("process.") else "1"),
            evidence="calibrated",
            source=f"{_SCRIPT}, data SHA-256 {_DATA['sha256']}",
        )
        for name, value in named.items()
    )


def _performance() -> tuple[Performance, ...]:
    rows: list[Performance] = []
    for key, data in (("by_patient", _BY_PATIENT), ("by_study", _BY_STUDY)):
        for row in FITTED["validation"][key]:
            rows.extend(_of(row, data))
    return tuple(rows)


def _of(row: dict[str, Any], data: str) -> list[Performance]:
    where = f"{row['horizon']} scan after {row['scans']}"
    if row["study"] is not None:
        data = f"{data}, study {row['study']} only"

    def measured(metric: str, value: float, lower: float | None = None, upper: float | None = None) -> Performance:
        return Performance(
            metric=metric,
            value=value,
            lower=lower,
            upper=upper,
            level=None if lower is None else 0.95,
            n=row["n"],
            data=data,
            source=_SCRIPT,
            in_sample=False,
        )

    found = [measured(f"mean absolute error in mm, {where}, {row['method']}", row["mae_mm"])]
    if "skill_interval_95" in row:
        lower, upper = row["skill_interval_95"]
        found.append(measured(f"skill against the last value, {where}", row["skill"], lower, upper))
        found.append(measured(f"coverage of the 90 % interval, {where}", row["coverage_90"]))
        found.append(measured(f"coverage of the 50 % interval, {where}", row["coverage_50"]))
        if "progression_auc" in row:
            found.append(measured(f"AUC of target progression, {where}", row["progression_auc"]))
    return found


def _failures() -> tuple[str, ...]:
    """State every horizon, and every study, at which the last value was better."""
    worse = []
    for key, data in (("by_patient", _BY_PATIENT), ("by_study", _BY_STUDY)):
        for row in FITTED["validation"][key]:
            if "skill_interval_95" in row and row["skill"] < 0.0:
                part = "" if row["study"] is None else f", study {row['study']}"
                worse.append(
                    f"Worse than the last value carried forward by {-100 * row['skill']:.1f} % in mean absolute error: "
                    f"{row['horizon']} scan after {row['scans']} ({data}{part})."
                )
    return (
        *worse,
        *_ranking(),
        "Where it is better, it is so by little: the median stays close to the last value, and the interval of the "
        "skill includes zero at most horizons. Its use is the interval.",
        "A lesion that reverses (growth, then shrinkage) is forecast to keep its direction.",
        "Intervals after a single scan come from the population alone.",
        "Not checked on patients outside the four trials.",
    )


def _ranking() -> tuple[str, ...]:
    """State where the last value alone ranks progression better than the probability does."""
    rows = {
        (row["scans"], row["method"]): row
        for row in FITTED["validation"]["by_patient"]
        if row["study"] is None and row["horizon"] == "next"
    }
    shipped = [row for row in rows.values() if "coverage_50" in row]
    pairs = [(row, rows[row["scans"], "last value"]) for row in shipped]
    return tuple(
        f"The last value over the threshold ranks target progression at the next scan after {row['scans']} better "
        f"(AUC {last['progression_auc']:.3f}) than the probability does (AUC {row['progression_auc']:.3f})."
        for row, last in pairs
        if last["progression_auc"] > row["progression_auc"]
    )


CARDS: tuple[ModelCard, ...] = (
    ModelCard(
        id="lesion_size_forecast",
        version=FITTED["version"],
        title="Size of a lesion on the next scans",
        kind="forecast",
        outcome="longest diameter in mm on later days, probability of target progression",
        purpose="Research: what the next scan of a lesion may show, and how sure one can be. Not for decisions on "
        "single patients.",
        population=f"Single target lesions of {_DATA['patients']} patients ({_DATA['scans']} scans) in four trials of "
        "PD-L1 blockade in advanced cancer, some arms perhaps chemotherapy. Patients who died or progressed before "
        "their third scan are hardly in the data.",
        inputs=(
            Input(
                name="scans.lesions.longest_diameter_mm",
                unit="mm",
                low=0.0,
                high=1000.0,
                derivation_low=0.0,
                derivation_high=_DATA["largest_mm"],
            ),
            Input(name="scans.day", unit="d", low=-3650.0, high=3650.0),
            Input(
                name="forecast_days",
                unit="d",
                low=-3650.0,
                high=3650.0,
                derivation_high=_DATA["longest_follow_up_days"],
                why="Days after the last scan.",
            ),
        ),
        equations=(
            f"z = ln(diameter), diameters below 2 mm count 2 mm (Box-Cox exponent {MODEL.exponent:g})",
            "z(t) - z(0) = mean(t) + individual response + individual trend + random walk + velocity that forgets "
            f"+ measurement error; a Student-t process, time in months of {MONTH_DAYS:g} d",
            "mixture: last value again (multinomial logit), no longer measurable, or the process",
            "progression: P(diameter >= 1.2 nadir and >= nadir + 5 mm)",
        ),
        references=(
            Reference(citation=_DATA["citation"], doi=_DATA["doi"], evidence="calibrated"),
            Reference(
                citation="Shah A, Wilson AG, Ghahramani Z. Student-t processes as alternatives to Gaussian processes. "
                "AISTATS 2014; PMLR 33:877-885.",
                url="https://proceedings.mlr.press/v33/shah14.html",
            ),
        ),
        leaves_out=(
            "treatment, dose and radiotherapy",
            "every covariate of the patient",
            "new lesions and non-target disease",
            "dropout: patients who leave are not missing at random",
            "how the lesions of one patient move together",
        ),
        example={"scans.lesions.longest_diameter_mm": 34.0, "scans.day": 0.0, "forecast_days": 42.0},
        validated_on_patients=True,
        coefficients=_coefficients(),
        performance=_performance(),
        known_failures=_failures(),
        license_and_patents="Fitted to data under CC BY 4.0 (Ghaffari Laleh et al. 2022, supplementary data S6, "
        "reshaped to one row a scan, study 4 left out); the data are not part of this software.",
        history=(f"{FITTED['version']}: first fit",),
    ),
)
