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
from simulation.outcome.incidence import censoring_weights, cumulative_incidence, variance_between_groups
from simulation.tumor.judging import Followed, Following, judge
from simulation.tumor.lymphocyte_spread import spread_of_patients
from simulation.tumor.scenario import Scenario, Trajectories

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

SHOWN_COURSES = 20
SENSITIVITY_PATIENTS = 4096
POSTERIOR_SET = "posterior_set"
"""Name of the parameter column that tells which posterior draw a virtual patient belongs to."""
_CAPPED = (
    f"Diameters above {limit.LARGEST_DIAMETER_MM:g} mm are shown as {limit.LARGEST_DIAMETER_MM:g} mm: "
    "this model has no limit of growth."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PatientOutcomes:
    """One row per virtual patient, in their order; comparable across plans for one seed.

    Times are days; ``*_event`` tells whether the time is an event or the end of observation.
    Responses are those seen on scans before death and before the end of observation.
    ``response_day`` and ``abscopal_day`` are infinite without a response; ``abscopal_day`` is None without a possible
    target outside the fields or without radiotherapy. ``lymphocyte_nadir`` is relative to the start, with the spread
    between patients.
    """

    best_response: NDArray[np.int8]
    response_day: Floats
    abscopal_day: Floats | None
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

    @property
    def abscopal_response(self) -> Flags | None:
        """Whether the lesions outside the fields respond."""
        return None if self.abscopal_day is None else np.isfinite(self.abscopal_day)

    @property
    def progression_weight(self) -> Floats:
        """Weight of each progression; the mean is one minus the Kaplan-Meier estimate at the horizon."""
        return censoring_weights(self.pfs_days, self.pfs_event)

    def progression_free_days(self, horizon_days: float) -> Floats:
        """Return values whose mean is the area under the progression-free curve up to the horizon."""
        return horizon_days - self.progression_weight * (horizon_days - self.pfs_days)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cohort:
    """The virtual patients of one model under one plan.

    ``targets`` are the lesions that are a target in some virtual patient. Sizes that are shown end at
    ``LARGEST_DIAMETER_MM`` a lesion.
    """

    model_id: str
    targets: Flags
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
    seed: int = 0,
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
        Lesions that may be targets; RECIST 1.1 sums the largest of them, and the others are non-target disease.
    irradiated : ndarray of bool, shape (n_lesions,), optional
        Lesions that do not count for the abscopal response; those of the scenario's fields, when left out.
        Plans that are compared need the same lesions here.
    seed : int
        Of the spread of lymphocyte counts between patients: the same patients under every plan.

    Returns
    -------
    Cohort
    """
    outside = ~(scenario.irradiated if irradiated is None else irradiated)
    apart = outside if not outside.all() and (outside & targets).any() else None
    folding = _Folding(scenario, scan_days, targets, apart, seed)
    for part in parts:
        folding.add(part)
    return folding.result()


class _Folding:
    """The sums of the chunks seen so far."""

    def __init__(self, scenario: Scenario, scan_days: Floats, allowed: Flags, outside: Flags | None, seed: int) -> None:
        self._scenario = scenario
        self._scan_days = scan_days
        self._everywhere = Following(scenario, allowed)
        self._outside = None if outside is None else Following(scenario, allowed, outside)
        self._seed = seed
        self._seen = 0
        self._targets = np.zeros_like(allowed)
        self._capped = False
        times = scenario.output_days.size
        self._lesions = LogHistogram(len(scenario.lesion_ids), times, 0.05, limit.LARGEST_DIAMETER_MM)
        self._sum = LogHistogram(1, times, 0.05, limit.TARGET_COUNT * limit.LARGEST_DIAMETER_MM)
        self._others: dict[str, LogHistogram] = {}
        self._outcomes: list[PatientOutcomes] = []
        self._courses: list[Floats] = []
        self._parameters: list[Floats] = []
        self._last: Trajectories | None = None

    def add(self, part: Trajectories) -> None:
        followed = self._everywhere.of(part)
        self._targets |= followed.target.any(axis=0)
        shown = part.diameter_mm
        if shown.max() > limit.LARGEST_DIAMETER_MM:
            self._capped = True
            shown = np.minimum(shown, limit.LARGEST_DIAMETER_MM)
        total = np.einsum("nl,nlt->nt", followed.target.astype(np.float64), shown)
        self._lesions.add(shown)
        self._sum.add(total[:, None, :])
        lymphocytes, nadir = spread_of_patients(part.lymphocyte_relative, self._scenario, self._seed, self._seen)
        series = {"lymphocytes": lymphocytes, "car": part.car_relative, **part.drug_mg_per_l}
        for name, values in series.items():
            if not np.isnan(values[0, 0]):
                if name not in self._others:
                    self._others[name] = LogHistogram(1, values.shape[1], 1e-4, 1e4)
                self._others[name].add(values[:, None, :])
        if self._seen < SHOWN_COURSES:
            self._courses.append(total[: SHOWN_COURSES - self._seen].copy())
        if sum(map(len, self._parameters)) < SENSITIVITY_PATIENTS:
            self._parameters.append(part.parameters)
        self._outcomes.append(self._judge(part, followed, nadir))
        self._seen += total.shape[0]
        self._last = part

    def result(self) -> Cohort:
        part = self._last
        if part is None:
            raise ValueError("there must be at least one chunk")
        outcomes = _joined(self._outcomes)
        bands = {name: histogram.band()[0] for name, histogram in self._others.items()}
        return Cohort(
            model_id=part.model_id,
            targets=self._targets,
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
            notes=(*part.notes, _CAPPED) if self._capped else part.notes,
        )

    def _judge(self, part: Trajectories, followed: Followed, lymphocyte_nadir: Floats) -> PatientOutcomes:
        last_day = np.minimum(part.death_day, part.dropout_day)
        response = judge(part, self._scenario, followed, scan_days=self._scan_days, last_day=last_day)
        abscopal_day: Floats | None = None
        if self._outside is not None:
            outside = self._outside.of(part)
            far = judge(part, self._scenario, outside, scan_days=self._scan_days, last_day=last_day)
            abscopal_day = np.nan_to_num(far.response_day, nan=np.inf)
        event = np.where(response.progressed, response.pfs_day, np.inf)
        event = np.minimum(event, part.death_day)
        observed = np.minimum(self._scenario.horizon_days, part.dropout_day)
        knows_death = bool(np.isfinite(part.death_day).any())
        os_observed = np.full(event.size, self._scenario.horizon_days if knows_death else np.nan)
        n = event.size
        column = part.parameter_names.index(POSTERIOR_SET) if POSTERIOR_SET in part.parameter_names else None
        return PatientOutcomes(
            best_response=response.best_response,
            response_day=np.nan_to_num(response.response_day, nan=np.inf),
            abscopal_day=abscopal_day,
            pfs_days=np.minimum(event, observed),
            pfs_event=event <= observed,
            os_days=np.minimum(part.death_day, os_observed) if knows_death else os_observed,
            os_event=part.death_day <= self._scenario.horizon_days,
            best_change=response.best_change,
            lymphocyte_nadir=lymphocyte_nadir,
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
        **{name: None if name == "abscopal_day" and parts[0].abscopal_day is None else join(name) for name in names}  # type: ignore[arg-type]
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
    found = cumulative_incidence(np.where(flags, 0.0, np.inf), flags, posterior_set, [0.0], level=level)
    lower, upper = float(found.lower[0]), float(found.upper[0])
    return float(found.probability[0]), Interval(level=level, lower=lower, upper=upper)


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
    between = variance_between_groups(change, posterior_set)
    variance = float(change.var(ddof=1)) / change.size + between
    half = float(stats.norm.ppf(0.5 + level / 2)) * float(np.sqrt(variance))
    return Interval(level=level, lower=mean - half, upper=mean + half)
