"""Human growth-inhibition models for a patient's plan: all lesions follow the sum of diameters."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from simulation.engine.streams import CHUNK, stream
from simulation.tumor import tgi
from simulation.tumor.scenario import Scenario, Trajectories, diameter_mm
from simulation.tumor.survival_link import death_after_start, death_day
from simulation.tumor.tables import values
from simulation.tumor.virtual_patients import PD1_AGENTS

Array = NDArray[np.float64]
Curve = Callable[[Array], Array]
"""Time since the first dose (d), shape (n_times,), to relative size, shape (n, n_times)."""
Drawn = tuple[Array, Curve, Array]
"""Parameters of each patient, the first of which is the growth rate; the curve; its time to growth (weeks)."""

DAYS_PER_WEEK = 7.0


def prepare_chatterjee(scenario: Scenario, seed: int) -> Callable[[int, int], Trajectories]:
    """Return the function that runs one chunk of the KEYNOTE-001 model."""
    p = values("tgi", "chatterjee")
    known = scenario.covariates
    factor = p["kd_tps_unknown"]
    if known.pd_l1_tps_percent is not None:
        factor = 1.0
        if known.pd_l1_tps_percent >= 50:
            factor = p["kd_tps_50"]
        elif known.pd_l1_tps_percent < 1:
            factor = p["kd_tps_below_1"]
    shift = {True: p["logit_f_egfr_mutant"], False: 0.0, None: p["logit_f_egfr_unknown"]}[known.egfr_mutant]
    covariance = np.array(
        [
            [p["var_kg"], p["cov_kd_kg"], p["cov_f_kg"]],
            [p["cov_kd_kg"], p["var_kd"], p["cov_f_kd"]],
            [p["cov_f_kg"], p["cov_f_kd"], p["var_f"]],
        ]
    )
    root = np.linalg.cholesky(covariance)

    def draw(normal: Array) -> Drawn:
        eta = root @ normal[:3]
        growth = p["kg"] * np.exp(eta[0])
        shrinkage = p["kd"] * factor * np.exp(eta[1])
        fraction = 1.0 / (1.0 + np.exp(-(np.log(p["f"] / (1 - p["f"])) + shift + eta[2])))

        def curve(time: Array) -> Array:
            return tgi.chatterjee(time, growth[:, None], shrinkage[:, None], fraction[:, None], p["delay"])

        lowest = tgi.chatterjee_time_to_growth(growth, shrinkage, fraction, p["delay"])
        return np.stack([growth, shrinkage, fraction], axis=1), curve, lowest / DAYS_PER_WEEK

    return _prepare("chatterjee-2016", scenario, seed, ("kg", "kd", "f"), draw)


def prepare_claret(scenario: Scenario, seed: int) -> Callable[[int, int], Trajectories]:
    """Return the function that runs one chunk of Claret's form."""
    p = values("tgi", "claret")

    def draw(normal: Array) -> Drawn:
        growth = p["growth"] * np.exp(p["sd_growth"] * normal[0])
        shrinkage = p["shrinkage"] * np.exp(p["sd_shrinkage"] * normal[1])

        def curve(time: Array) -> Array:
            return tgi.claret(time, growth[:, None], shrinkage[:, None], p["resistance"])

        lowest = tgi.claret_time_to_growth(growth, shrinkage, p["resistance"])
        return np.stack([growth, shrinkage], axis=1), curve, lowest / DAYS_PER_WEEK

    return _prepare("claret-2009", scenario, seed, ("growth", "shrinkage"), draw)


def prepare_stein(scenario: Scenario, seed: int) -> Callable[[int, int], Trajectories]:
    """Return the function that runs one chunk of Stein's growth and decay with the OAK estimates."""
    p = values("tgi", "claret")

    def draw(normal: Array) -> Drawn:
        growth = p["growth"] * np.exp(p["sd_growth"] * normal[0])
        decay = p["shrinkage"] * np.exp(p["sd_shrinkage"] * normal[1])

        def curve(time: Array) -> Array:
            return tgi.growth_decay(time, growth[:, None], decay[:, None])

        return np.stack([growth, decay], axis=1), curve, tgi.time_to_growth(growth, decay) / DAYS_PER_WEEK

    return _prepare("stein-growth-decay", scenario, seed, ("growth", "decay"), draw)


def prepare_struemper(scenario: Scenario, seed: int) -> Callable[[int, int], Trajectories]:
    """Return the function that runs one chunk of the joint model of size and survival."""
    agent = "dostarlimab" if "dostarlimab" in scenario.drugs.agents else "pembrolizumab"
    rates = values("tgi", f"struemper_{agent}")
    p = values("tgi", "struemper_covariates")
    known = scenario.covariates
    root = np.linalg.cholesky(
        np.array([[p["var_growth"], p["cov_growth_shrinkage"]], [p["cov_growth_shrinkage"], p["var_shrinkage"]]])
    )

    def draw(normal: Array) -> Drawn:
        eta = root @ normal[:2]
        growth = rates["growth_per_week"] * np.exp(eta[0])
        if known.ldh_u_per_l is not None:
            growth = growth * (known.ldh_u_per_l / p["ldh_reference_u_per_l"]) ** p["ldh_exponent_on_growth"]
        decay = rates["shrinkage_per_week"] * np.exp(eta[1])
        if known.pd_l1_tps_percent is not None:
            decay = decay * np.exp(p["pd_l1_on_shrinkage"] * known.pd_l1_tps_percent)

        def curve(time: Array) -> Array:
            return tgi.growth_decay(time / DAYS_PER_WEEK, growth[:, None], decay[:, None])

        return np.stack([growth, decay], axis=1), curve, tgi.time_to_growth(growth, decay)

    return _prepare("struemper-2025", scenario, seed, ("growth_per_week", "decay_per_week"), draw)


def _prepare(
    model_id: str, scenario: Scenario, seed: int, names: tuple[str, ...], draw: Callable[[Array], Drawn]
) -> Callable[[int, int], Trajectories]:
    doses = [dose for dose in scenario.drugs.events if dose.agent in PD1_AGENTS]
    ignored = _ignored(scenario)
    notes = [
        "Follows the target lesions only: response and progression-free time are overstated, because new lesions and "
        "non-target progression are missing."
    ]
    first_day = doses[0].time_days if doses else None
    if first_day is None:
        notes.append("Without PD-(L)1 blockade the model has no treated curve: sizes grow at the drawn rate.")
    start_mm = diameter_mm(scenario.volume_cm3)
    per_day = 1.0 if model_id != "struemper-2025" else 1.0 / DAYS_PER_WEEK

    def run(chunk: int, size: int) -> Trajectories:
        normal = stream(seed, chunk, 0).standard_normal((4, CHUNK))
        parameters, curve, time_to_growth = draw(normal)
        growth = parameters[:, 0] * per_day

        def size_over_time(days: Array) -> Array:
            if first_day is None:
                return np.asarray(np.exp(growth[:, None] * days))
            before = np.exp(growth[:, None] * np.minimum(days, first_day))
            return np.asarray(before * curve(np.maximum(days - first_day, 0.0)))

        relative = size_over_time(scenario.output_days)[:size]
        known = scenario.covariates
        untreated, treated = (
            death_day(
                growth * DAYS_PER_WEEK, weeks, np.full(growth.shape, start_mm.sum()), normal[3],
                albumin_g_per_l=known.albumin_g_per_l,
                neutrophil_lymphocyte_ratio=known.neutrophil_lymphocyte_ratio,
            )
            for weeks in (np.zeros_like(growth), time_to_growth)
        )  # fmt: skip
        death = death_after_start(untreated, treated, first_day)
        never = np.full(size, np.inf)
        return Trajectories(
            model_id=model_id,
            lesion_ids=scenario.lesion_ids,
            time_days=scenario.output_days,
            diameter_mm=relative[:, None, :] * start_mm[None, :, None],
            viable_cm3=np.full((size, start_mm.size, scenario.output_days.size), np.nan),
            lymphocyte_relative=np.full(relative.shape, np.nan),
            drug_mg_per_l={},
            car_relative=np.full(relative.shape, np.nan),
            new_lesion_day=never,
            dropout_day=never,
            death_day=death[:size],
            parameters=parameters[:size],
            parameter_names=names,
            ignored=ignored,
            notes=tuple(notes),
        )

    return run


def _ignored(scenario: Scenario) -> tuple[str, ...]:
    ignored = ["differences between lesions: all follow the sum of diameters", "doses and dose intervals of drugs"]
    others = [agent for agent in scenario.drugs.agents if agent not in PD1_AGENTS]
    parts = (
        (scenario.fractions.day.size, "radiotherapy"),
        (len(others), ", ".join(others)),
        (len(scenario.cells), "cell therapy"),
        (len(scenario.vaccine_days), "vaccine"),
        (scenario.covariates.prior_immunotherapy == "refractory", "refractoriness to earlier immunotherapy"),
    )
    return tuple(ignored + [name for count, name in parts if count])
