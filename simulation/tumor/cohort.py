"""What a tumor model's virtual patients add up to: bands over time, response, progression, survival."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from simulation.model import Interval
from simulation.outcome import summaries
from simulation.outcome import thresholds as limit
from simulation.outcome.bands import Band, LogHistogram
from simulation.tumor.scenario import Scenario, Trajectories

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

SHOWN_COURSES = 20
SENSITIVITY_PATIENTS = 4096
POSTERIOR_SET = "posterior_set"
"""Name of the parameter column that tells which posterior draw a virtual patient belongs to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PatientOutcomes:
    """One row per virtual patient, in their order; comparable across plans for one seed.

    Times are days; ``*_event`` tells whether the time is an event or the end of observation.
    ``abscopal_response`` is None without a lesion outside the fields or without radiotherapy.
    """

    best_response: NDArray[np.int8]
    abscopal_response: Flags | None
    pfs_days: Floats
    pfs_event: Flags
    os_days: Floats
    os_event: Flags
    best_change: Floats
    lymphocyte_nadir: Floats
    controlled: Flags
    posterior_set: NDArray[np.int64]

    @property
    def responded(self) -> Flags:
        """Best response is complete or partial."""
        return np.asarray(self.best_response <= summaries.PR)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cohort:
    """The virtual patients of one model under one plan."""

    model_id: str
    time_days: Floats
    lesion_diameter_mm: tuple[Band, ...]
    sum_of_diameters_mm: Band
    courses_mm: Floats
    lymphocyte_relative: Band | None
    drug_mg_per_l: Mapping[str, Band]
    car_relative: Band | None
    outcomes: PatientOutcomes
    survival_known: bool
    viable_known: bool
    sensitivity: tuple[tuple[str, float], ...]
    ignored: tuple[str, ...]
    notes: tuple[str, ...]


def summarize(
    parts: Iterable[Trajectories],
    scenario: Scenario,
    *,
    scan_days: Floats,
    targets: Flags,
    irradiated: Flags | None = None,
) -> Cohort:
    """Fold chunks of virtual patients into their summary; no chunk is kept.

    Parameters
    ----------
    parts : iterable of Trajectories
        Chunks in order, on ``scenario.output_days``.
    scenario : Scenario
    scan_days : ndarray, shape (n_scans,)
        Days of the scans; a subset of the output days that starts with day 0.
    targets : ndarray of bool, shape (n_lesions,)
        Lesions that RECIST measures.
    irradiated : ndarray of bool, shape (n_lesions,), optional
        Lesions that do not count for the abscopal response; those of the scenario's fields, when left out.
        Plans that are compared need the same lesions here.

    Returns
    -------
    Cohort
    """
    folding = _Folding(scenario, scan_days, targets, scenario.irradiated if irradiated is None else irradiated)
    for part in parts:
        folding.add(part)
    return folding.result()


class _Folding:
    """The sums of the chunks seen so far."""

    def __init__(self, scenario: Scenario, scan_days: Floats, targets: Flags, irradiated: Flags) -> None:
        self._scenario = scenario
        self._scans = np.searchsorted(scenario.output_days, scan_days)
        self._scan_days = scan_days
        self._targets = np.flatnonzero(targets)[: limit.TARGET_COUNT]
        self._outside = np.flatnonzero(~irradiated) if irradiated.any() else np.zeros(0, dtype=np.int64)
        times = scenario.output_days.size
        self._lesions = LogHistogram(len(scenario.lesion_ids), times, 0.05, 3000.0)
        self._sum = LogHistogram(1, times, 0.05, 10000.0)
        self._others: dict[str, LogHistogram] = {}
        self._outcomes: list[PatientOutcomes] = []
        self._courses: list[Floats] = []
        self._parameters: list[Floats] = []
        self._last: Trajectories | None = None

    def add(self, part: Trajectories) -> None:
        total = part.diameter_mm[:, self._targets].sum(axis=1)
        self._lesions.add(part.diameter_mm)
        self._sum.add(total[:, None, :])
        series = {"lymphocytes": part.lymphocyte_relative, "car": part.car_relative, **part.drug_mg_per_l}
        for name, values in series.items():
            if not np.isnan(values[0, 0]):
                if name not in self._others:
                    self._others[name] = LogHistogram(1, values.shape[1], 1e-4, 1e4)
                self._others[name].add(values[:, None, :])
        seen = sum(map(len, self._courses))
        if seen < SHOWN_COURSES:
            self._courses.append(total[: SHOWN_COURSES - seen].copy())
        if sum(map(len, self._parameters)) < SENSITIVITY_PATIENTS:
            self._parameters.append(part.parameters)
        self._outcomes.append(self._judge(part))
        self._last = part

    def result(self) -> Cohort:
        part = self._last
        if part is None:
            raise ValueError("there must be at least one chunk")
        outcomes = _joined(self._outcomes)
        bands = {name: histogram.band()[0] for name, histogram in self._others.items()}
        return Cohort(
            model_id=part.model_id,
            time_days=part.time_days,
            lesion_diameter_mm=self._lesions.band(),
            sum_of_diameters_mm=self._sum.band()[0],
            courses_mm=np.concatenate(self._courses),
            lymphocyte_relative=bands.get("lymphocytes"),
            drug_mg_per_l={name: bands[name] for name in part.drug_mg_per_l if name in bands},
            car_relative=bands.get("car"),
            outcomes=outcomes,
            survival_known=bool(np.isfinite(outcomes.os_days).all()),
            viable_known=not bool(np.isnan(part.viable_cm3[0, 0, 0])),
            sensitivity=_sensitivity(np.concatenate(self._parameters), part.parameter_names, outcomes.best_change),
            ignored=part.ignored,
            notes=part.notes,
        )

    def _judge(self, part: Trajectories) -> PatientOutcomes:
        sizes = part.diameter_mm[:, :, self._scans]
        sizes = np.where(sizes < limit.DETECTION_LIMIT_MM, 0.0, sizes)
        appeared = part.new_lesion_day[:, None] <= self._scan_days[None, :]
        response = summaries.cohort_response(sizes[:, self._targets], self._scan_days, new_lesion=appeared)
        outside: Flags | None = None
        if self._outside.size:
            far = summaries.cohort_response(sizes[:, self._outside], self._scan_days, new_lesion=appeared)
            outside = np.asarray(far.best_response <= summaries.PR)
        event = np.where(response.progressed, response.pfs_day, np.inf)
        event = np.minimum(event, part.death_day)
        observed = np.minimum(self._scenario.horizon_days, part.dropout_day)
        knows_death = bool(np.isfinite(part.death_day).any())
        os_observed = np.full(event.size, self._scenario.horizon_days if knows_death else np.nan)
        n = event.size
        column = part.parameter_names.index(POSTERIOR_SET) if POSTERIOR_SET in part.parameter_names else None
        return PatientOutcomes(
            best_response=response.best_response,
            abscopal_response=outside,
            pfs_days=np.minimum(event, observed),
            pfs_event=event <= observed,
            os_days=np.minimum(part.death_day, os_observed) if knows_death else os_observed,
            os_event=part.death_day <= self._scenario.horizon_days,
            best_change=response.best_change,
            lymphocyte_nadir=np.min(part.lymphocyte_relative, axis=1),
            controlled=part.viable_cm3[:, :, -1] <= 0.0,
            posterior_set=np.zeros(n, dtype=np.int64)
            if column is None
            else part.parameters[:, column].astype(np.int64),
        )


def _joined(parts: list[PatientOutcomes]) -> PatientOutcomes:
    def join(name: str) -> NDArray[np.generic]:
        return np.concatenate([getattr(part, name) for part in parts])

    names = PatientOutcomes.__dataclass_fields__
    return PatientOutcomes(
        **{
            name: None if name == "abscopal_response" and parts[0].abscopal_response is None else join(name)
            for name in names
        }  # type: ignore[arg-type]
    )


def _sensitivity(parameters: Floats, names: tuple[str, ...], change: Floats) -> tuple[tuple[str, float], ...]:
    """Spearman's rank correlation of every varying parameter with the best change, strongest first."""
    target = change[: parameters.shape[0]]
    known = ~np.isnan(target)
    if known.sum() < 10 or np.ptp(target[known]) == 0.0:
        return ()
    rows = parameters[known]
    varying = [i for i, name in enumerate(names) if name != POSTERIOR_SET and np.ptp(rows[:, i]) > 0.0]
    ranked = stats.rankdata(target[known])
    found = [(names[i], float(np.corrcoef(stats.rankdata(rows[:, i]), ranked)[0, 1])) for i in varying]
    return tuple(sorted(found, key=lambda item: (-abs(item[1]), item[0])))


def probability(flags: Flags, posterior_set: NDArray[np.int64], *, level: float = 0.9) -> tuple[float, Interval]:
    """Share of virtual patients with its interval over sampling and over the posterior of the parameters.

    The variance between posterior draws, freed of its sampling part, is added to the sampling variance; the
    interval is Wilson's for the number of patients that has the same total variance.

    Parameters
    ----------
    flags : ndarray of bool, shape (n,)
    posterior_set : ndarray of int, shape (n,)
        All equal where the model has no posterior.
    level : float

    Returns
    -------
    tuple of float and Interval
    """
    n = flags.size
    share = float(flags.mean())
    between = _between_variance(flags.astype(np.float64), posterior_set)
    sampling = share * (1.0 - share) / n
    effective = n if between <= 0.0 or sampling == 0.0 else max(2, round(n * sampling / (sampling + between)))
    interval = summaries.proportion_interval(round(share * effective), effective, level=level)
    return share, Interval(level=level, lower=min(interval.lower, share), upper=max(interval.upper, share))


def mean_difference(first: Floats, second: Floats, posterior_set: NDArray[np.int64], *, level: float = 0.9) -> Interval:
    """Return the interval of the mean of ``second - first`` over paired virtual patients and the posterior.

    Parameters
    ----------
    first, second : ndarray, shape (n,)
        The same virtual patients under two plans.
    posterior_set : ndarray of int, shape (n,)
    level : float
    """
    change = second - first
    mean = float(change.mean())
    variance = float(change.var(ddof=1)) / change.size + max(0.0, _between_variance(change, posterior_set))
    half = float(stats.norm.ppf(0.5 + level / 2)) * float(np.sqrt(variance))
    return Interval(level=level, lower=mean - half, upper=mean + half)


def _between_variance(values: Floats, group: NDArray[np.int64]) -> float:
    """Variance of the group means beyond what sampling within the groups explains (one-way random effects)."""
    labels, index = np.unique(group, return_inverse=True)
    if labels.size < 2 or labels.size == values.size:
        return 0.0
    counts = np.bincount(index).astype(np.float64)
    means = np.bincount(index, weights=values) / counts
    grand = float(values.mean())
    within = float(((values - means[index]) ** 2).sum()) / max(values.size - labels.size, 1)
    among = float((counts * (means - grand) ** 2).sum()) / (labels.size - 1)
    typical = (values.size - float((counts**2).sum()) / values.size) / (labels.size - 1)
    return max(0.0, (among - within) / typical)
