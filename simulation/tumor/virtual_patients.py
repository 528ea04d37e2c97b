"""Draws the virtual patients of the multi-lesion model, conditioned on what is known of the real one."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulation.engine.streams import CHUNK, stream
from simulation.immunotherapy.antibodies import DEFAULTS
from simulation.tumor.multi_lesion_kernel import CHI, MAX_LESIONS, PARAMETERS, PATIENT_ROWS
from simulation.tumor.scenario import Covariates, Scenario
from simulation.tumor.tables import document, table, values

Array = NDArray[np.float64]

PATIENT, PD1, CTLA4 = range(3)
PD1_AGENTS = ("pembrolizumab", "nivolumab", "cemiplimab", "dostarlimab", "atezolizumab", "durvalumab", "avelumab")
CTLA4_AGENTS = ("ipilimumab", "tremelimumab")
_NORMALS = 4 + 2 * MAX_LESIONS
_UNIFORMS = 6
LARGEST_RESISTANT_FRACTION = 0.1


@dataclass(frozen=True, slots=True)
class Posterior:
    """Parameter sets that the calibration accepted, equally weighted; shape (n_sets,) each."""

    sets: Mapping[str, Array]

    @property
    def size(self) -> int:
        """Number of parameter sets."""
        return int(next(iter(self.sets.values())).size)

    @classmethod
    def shipped(cls) -> "Posterior":
        """Return the calibrated sample."""
        loaded = document("multi_lesion_posterior")
        columns = np.array(loaded["sets"], dtype=np.float64).T
        return cls(dict(zip(loaded["parameters"], columns, strict=True)))


@dataclass(frozen=True, slots=True, kw_only=True)
class VirtualPatients:
    """One chunk of virtual patients; arrays end in the axis of patients.

    ``parameters`` has the rows of the kernel with ``kappa`` still open: it follows from ``phi`` once the immune
    state has settled.
    """

    parameters: Array
    volume_cm3: Array
    resistant_fraction: Array
    phi: Array
    hazard_constant: Array
    hazard_growth: Array
    new_lesion_threshold: Array
    dropout_day: Array
    survival_normal: Array
    posterior_set: NDArray[np.int64]


def draw(
    scenario: Scenario, posterior: Posterior, seed: int, chunk: int, *, pd1: str | None, ctla4: str | None
) -> VirtualPatients:
    """Return one chunk of virtual patients.

    Every patient takes one parameter set of the posterior and its own random effects. Draws belong to
    (seed, patient, lesion) and not to the plan: two plans with the same seed meet the same patients.

    Parameters
    ----------
    scenario : Scenario
    posterior : Posterior
    seed, chunk : int
    pd1, ctla4 : str or None
        Agents whose kinetics to draw.

    Returns
    -------
    VirtualPatients
    """
    generator = stream(seed, chunk, PATIENT)
    normal = generator.standard_normal((_NORMALS, CHUNK))
    uniform = generator.random((_UNIFORMS, CHUNK))
    number = (uniform[0] * posterior.size).astype(np.int64)
    chosen = {name: column[number] for name, column in posterior.sets.items()}
    fixed = values("multi_lesion", "parameters")
    spread = values("multi_lesion", "population")
    known = scenario.covariates
    melanoma = "melanoma_" if known.cancer_type == "melanoma" else ""

    tps = uniform[1] ** 2 if known.pd_l1_tps_percent is None else np.full(CHUNK, known.pd_l1_tps_percent / 100.0)
    own: dict[str, Array] = {
        name: chosen[name] if name in chosen else np.full(CHUNK, fixed[name]) for name in PARAMETERS if name in fixed
    }
    own["r"] = chosen[f"{melanoma}r"] * np.exp(chosen["r_sd_log"] * normal[0])
    own["L0"] = np.clip(spread["pd_l1_scale"] * tps, 0.02, 0.9)
    resistant = np.minimum(
        chosen["resistant_fraction"] * np.exp(spread["resistant_sd_log"] * normal[3]), LARGEST_RESISTANT_FRACTION
    )
    own["mu"] = resistant / spread["resistant_days"]
    own["kappa"] = np.zeros(CHUNK)
    own["car_rise"] = np.full(CHUNK, np.log(fixed["car_fold"]) / fixed["car_tmax"])
    own["car_peak"] = fixed["car_peak"] * np.exp(np.sqrt(spread["car_peak_variance"]) * normal[1])
    for axis, agent in (("pd1", pd1), ("ctla4", ctla4)):
        rows = _disposition(agent, known, seed, chunk, PD1 if axis == "pd1" else CTLA4)
        own |= {f"{axis}_{name}": row for name, row in rows.items()}

    parameters = np.empty((len(PATIENT_ROWS), CHUNK))
    for i, name in enumerate(PARAMETERS):
        parameters[i] = own[name]
    lesions = len(scenario.lesion_ids)
    trafficking = table("multi_lesion")["organ_trafficking"]
    mean = np.ones(MAX_LESIONS)
    mean[:lesions] = [trafficking.get(organ, trafficking["other"]) for organ in scenario.organs]
    parameters[CHI:] = mean[:, None] * np.exp(spread["chi_sd_log"] * normal[4 : 4 + MAX_LESIONS])
    volume = scenario.volume_cm3[:, None] * np.exp(
        scenario.volume_spread_log * normal[4 + MAX_LESIONS : 4 + MAX_LESIONS + lesions]
    )
    return VirtualPatients(
        parameters=parameters,
        volume_cm3=volume,
        resistant_fraction=resistant,
        phi=_cancelled_growth(known, chosen, tps, uniform[2], uniform[3], melanoma),
        hazard_constant=chosen["h0"],
        hazard_growth=chosen["h1"],
        new_lesion_threshold=-np.log1p(-uniform[4]),
        dropout_day=-np.log1p(-uniform[5]) / spread["dropout_hazard"],
        survival_normal=normal[2],
        posterior_set=number,
    )


def _cancelled_growth(
    known: Covariates, chosen: Mapping[str, Array], tps: Array, quantile: Array, mixture: Array, melanoma: str
) -> Array:
    """Fraction of growth that immunity cancels before treatment: Beta(1, b), or 0 in refractory disease."""
    log_b = np.log(chosen[f"{melanoma}phi_b"])
    if not melanoma:
        log_b = log_b - chosen["phi_tps"] * (tps - values("multi_lesion", "population")["tps_center"])
        if known.prior_systemic_therapy is not False:
            log_b = log_b + chosen["phi_line"]
    phi = 1.0 - (1.0 - quantile) ** np.exp(-log_b)
    refractory = mixture < chosen[f"{melanoma}refractory"]
    if known.prior_immunotherapy == "refractory":
        refractory = np.ones_like(refractory)
    elif known.prior_immunotherapy == "responded":
        refractory = np.zeros_like(refractory)
    return np.where(refractory, 0.0, phi)


def _disposition(agent: str | None, known: Covariates, seed: int, chunk: int, purpose: int) -> dict[str, Array]:
    """Two-exponential kinetics of a unit dose: coefficients (1/L) and rates (1/d).

    Clearance is held at the mean of its first and its late value where it drifts.
    """
    if agent is None:
        return {name: np.zeros(CHUNK) for name in ("a", "b", "alpha", "beta")}
    model = DEFAULTS[agent]
    given = {
        "weight_kg": known.weight_kg,
        "albumin_g_per_l": known.albumin_g_per_l,
        "egfr_ml_per_min": known.egfr_ml_per_min,
        "ldh_u_per_l": known.ldh_u_per_l,
        "female": None if known.sex is None else float(known.sex == "female"),
        "male": None if known.sex is None else float(known.sex == "male"),
        "nsclc": None if known.cancer_type is None else float(known.cancer_type == "nsclc"),
        "ecog_1_or_more": None if known.ecog is None else float(known.ecog >= 1),
    }
    person = model.individual(
        {name: value for name, value in given.items() if value is not None and name in model.covariates},
        model.draw(stream(seed, chunk, purpose), CHUNK),
    )
    clearance = 0.5 * (person.cl_l_per_day + person.at_late_clearance().cl_l_per_day)
    k10, k12, k21 = clearance / person.vc_l, person.q_l_per_day / person.vc_l, person.q_l_per_day / person.vp_l
    total = k10 + k12 + k21
    fast = 0.5 * (total + np.sqrt(total * total - 4.0 * k10 * k21))
    slow = k10 * k21 / fast
    return {
        "a": (fast - k21) / (person.vc_l * (fast - slow)),
        "b": (k21 - slow) / (person.vc_l * (fast - slow)),
        "alpha": fast,
        "beta": slow,
    }
