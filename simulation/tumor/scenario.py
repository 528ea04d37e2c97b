"""What every tumor model is asked and what it answers: one patient, one plan, many virtual patients."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from simulation.immunotherapy.plan import DrugPlan

Array = NDArray[np.float64]


def diameter_mm(volume_cm3: Array) -> Array:
    """Return the diameter of spheres of these volumes."""
    return np.asarray(10.0 * np.cbrt(6.0 * volume_cm3 / np.pi))


def volume_cm3(diameter_mm: Array) -> Array:
    """Return the volume of spheres of these diameters."""
    return np.asarray(np.pi / 6.0 * (np.asarray(diameter_mm) / 10.0) ** 3)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fractions:
    """Radiotherapy, one row per fraction in order of time.

    Attributes
    ----------
    day : ndarray, shape (n_fractions,)
    dose_gy : ndarray, shape (n_fractions, n_lesions)
        Physical dose of each fraction to each lesion.
    field_exposure : ndarray, shape (n_fractions,)
        Exposure of blood and lymphoid tissue relative to a conventional thoracic field.
    node_dose_gy : ndarray, shape (n_fractions,)
        Dose to the lymph nodes that drain the lesions.
    """

    day: Array
    dose_gy: Array
    field_exposure: Array
    node_dose_gy: Array

    def __post_init__(self) -> None:
        n = self.day.size
        if self.dose_gy.shape[0] != n or self.field_exposure.shape != (n,) or self.node_dose_gy.shape != (n,):
            raise ValueError("day, dose_gy, field_exposure and node_dose_gy must have one row per fraction")
        if np.any(np.diff(self.day) < 0):
            raise ValueError("fractions must be in order of time")
        if np.any(self.dose_gy < 0) or np.any(self.field_exposure < 0) or np.any(self.node_dose_gy < 0):
            raise ValueError("doses and exposures must be >= 0")

    @classmethod
    def none(cls, lesions: int) -> "Fractions":
        """Return no radiotherapy."""
        empty = np.zeros(0)
        return cls(day=empty, dose_gy=np.zeros((0, lesions)), field_exposure=empty, node_dose_gy=empty)


@dataclass(frozen=True, slots=True)
class CellDose:
    """One infusion of a cell product."""

    day: float
    product: str
    cells: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Covariates:
    """What is known of the patient and conditions the virtual patients; None is unknown."""

    cancer_type: str | None = None
    pd_l1_tps_percent: float | None = None
    prior_immunotherapy: str | None = None
    prior_systemic_therapy: bool | None = None
    egfr_mutant: bool | None = None
    sex: str | None = None
    weight_kg: float | None = None
    ecog: int | None = None
    albumin_g_per_l: float | None = None
    egfr_ml_per_min: float | None = None
    ldh_u_per_l: float | None = None
    neutrophil_lymphocyte_ratio: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LymphocyteCourse:
    """Lymphocyte count that the organ doses of the plan lead to, for equally likely sensitivities.

    Attributes
    ----------
    relative : ndarray, shape (n_sensitivities, n_times)
        Count over its value at the start, on the output days.
    nadir : ndarray, shape (n_sensitivities,)
        Lowest value up to the horizon, just after a fraction included.
    """

    relative: Array
    nadir: Array


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One patient and one plan; day 0 is the start of treatment.

    Attributes
    ----------
    lesion_ids, organs : tuple of str
        One per lesion.
    volume_cm3 : ndarray, shape (n_lesions,)
        Measured volumes on day 0; they are taken as given.
    fractions : Fractions
    drugs : DrugPlan
    cells : tuple of CellDose
    vaccine_days : tuple of float
    horizon_days : float
    output_days : ndarray, shape (n_times,)
        Increasing, from 0 to the horizon. Sizes at the time of an event are those before it.
    covariates : Covariates
    volume_spread_log : float
        Standard deviation of log volume between virtual patients; 0 for a measured patient.
    lymphocytes : LymphocyteCourse, optional
        From organ doses; without it the count follows the exposure of the fields.
    modalities : tuple of str
        Kind of radiation of each fraction; empty for photons.
    chemotherapy : tuple of str
        How chemotherapy is given, in words; no model has an effect of it.
    vaccine_products : tuple of str
    """

    lesion_ids: tuple[str, ...]
    organs: tuple[str, ...]
    volume_cm3: Array
    fractions: Fractions
    drugs: DrugPlan = field(default_factory=DrugPlan)
    cells: tuple[CellDose, ...] = ()
    vaccine_days: tuple[float, ...] = ()
    horizon_days: float
    output_days: Array
    covariates: Covariates = field(default_factory=Covariates)
    volume_spread_log: float = 0.0
    lymphocytes: LymphocyteCourse | None = None
    modalities: tuple[str, ...] = ()
    chemotherapy: tuple[str, ...] = ()
    vaccine_products: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        n = len(self.lesion_ids)
        if n < 1 or len(set(self.lesion_ids)) != n:
            raise ValueError("there must be at least one lesion, and lesion ids must be unique")
        if len(self.organs) != n or self.volume_cm3.shape != (n,) or self.fractions.dose_gy.shape[1] != n:
            raise ValueError("organs, volumes and doses must have one entry per lesion")
        if not (np.all(np.isfinite(self.volume_cm3)) and np.all(self.volume_cm3 > 0)):
            raise ValueError("lesion volumes must be finite and > 0")
        if self.modalities and len(self.modalities) != self.fractions.day.size:
            raise ValueError("modalities must have one entry per fraction")
        days = self.output_days
        if days.size < 1 or np.any(np.diff(days) <= 0) or days[0] < 0 or days[-1] > self.horizon_days:
            raise ValueError("output days must increase and lie between day 0 and the horizon")

    @property
    def irradiated(self) -> NDArray[np.bool_]:
        """Whether each lesion receives any dose, shape (n_lesions,)."""
        return np.asarray(self.fractions.dose_gy.sum(axis=0) > 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trajectories:
    """What happens to n virtual patients.

    Attributes
    ----------
    time_days : ndarray, shape (n_times,)
    diameter_mm : ndarray, shape (n, n_lesions, n_times)
        Longest diameter on imaging: viable and dying tumor.
    viable_cm3 : ndarray, shape (n, n_lesions, n_times)
        Viable volume; NaN where the model does not tell it from the imaged one.
    lymphocyte_relative : ndarray, shape (n, n_times)
        Lymphocyte count over its value at the start; NaN where the model has none.
    drug_mg_per_l : mapping of str to ndarray, shape (n, n_times)
        Concentration by target (``pd1``, ``ctla4``); empty where the model has none.
    car_relative : ndarray, shape (n, n_times)
        CAR-T cells over the typical peak; NaN where the model has none.
    new_lesion_day, dropout_day, death_day : ndarray, shape (n,)
        Infinite where it does not happen or the model has no such event.
    parameters : ndarray, shape (n, n_parameters)
    parameter_names : tuple of str
    ignored : tuple of str
        Parts of the scenario that this model cannot represent.
    notes : tuple of str
        What a reader must know with the numbers.
    """

    model_id: str
    lesion_ids: tuple[str, ...]
    time_days: Array
    diameter_mm: Array
    viable_cm3: Array
    lymphocyte_relative: Array
    drug_mg_per_l: Mapping[str, Array]
    car_relative: Array
    new_lesion_day: Array
    dropout_day: Array
    death_day: Array
    parameters: Array
    parameter_names: tuple[str, ...]
    ignored: tuple[str, ...]
    notes: tuple[str, ...]


def concatenate(parts: list[Trajectories]) -> Trajectories:
    """Join the virtual patients of several trajectories of one model and scenario, in order."""
    first = parts[0]

    def joined(name: str) -> Array:
        return np.concatenate([getattr(part, name) for part in parts])

    return Trajectories(
        model_id=first.model_id,
        lesion_ids=first.lesion_ids,
        time_days=first.time_days,
        diameter_mm=joined("diameter_mm"),
        viable_cm3=joined("viable_cm3"),
        lymphocyte_relative=joined("lymphocyte_relative"),
        drug_mg_per_l={
            name: np.concatenate([part.drug_mg_per_l[name] for part in parts]) for name in first.drug_mg_per_l
        },
        car_relative=joined("car_relative"),
        new_lesion_day=joined("new_lesion_day"),
        dropout_day=joined("dropout_day"),
        death_day=joined("death_day"),
        parameters=joined("parameters"),
        parameter_names=first.parameter_names,
        ignored=first.ignored,
        notes=first.notes,
    )
