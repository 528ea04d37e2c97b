"""Every tumor model under one roof: the same scenario in, the same terms out.

A model that cannot represent a part of the plan lists it in ``Trajectories.ignored``; nothing is left out in silence.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from simulation.engine.chunks import in_order
from simulation.tumor import cart_tumor, friedrich_model, kosinsky_model, multi_lesion_model, tgi_models
from simulation.tumor.parts import (
    BLOOD,
    PD1,
    PD1_ANTIBODY,
    PD1_SCHEDULE,
    PD1_START,
    RADIOTHERAPY,
    Part,
    differing,
    pd1_agents,
    unlike_photons,
)
from simulation.tumor.scenario import Scenario, Trajectories, concatenate

ChunkRun = Callable[[int, int], Trajectories]


@dataclass(frozen=True, slots=True)
class TumorModel:
    """A model of the registry: ``prepare(scenario, seed)`` returns the function that runs one chunk of patients.

    ``takes`` are the parts of a plan that it represents, ``assumed`` those of them whose effect has a size that no
    data support, ``antibodies`` those against PD-1 or PD-L1 whose own curve it has. ``abscopal`` tells whether an
    irradiated lesion can act on another one; ``one_subject`` that all patients are one and the same, so that shares of
    them have no interval; ``knows_egfr`` that an EGFR mutation changes the answer.
    """

    id: str
    prepare: Callable[[Scenario, int], ChunkRun]
    takes: frozenset[Part]
    assumed: frozenset[Part] = frozenset()
    antibodies: frozenset[str] = frozenset()
    abscopal: bool = False
    one_subject: bool = False
    knows_egfr: bool = False


_MOUSE = RADIOTHERAPY | PD1_SCHEDULE
_INFUSED: frozenset[Part] = frozenset({"cell infusion"})
_VACCINE: frozenset[Part] = frozenset({"vaccine"})
_CTLA4: frozenset[Part] = frozenset({"CTLA-4 antibody"})
_FURTHER: frozenset[Part] = frozenset({"further cell infusions"})
_OAK = frozenset({"atezolizumab"})

MODELS: dict[str, TumorModel] = {
    model.id: model
    for model in (
        TumorModel(
            "multi-lesion", multi_lesion_model.prepare, RADIOTHERAPY | {BLOOD} | PD1 | _CTLA4 | _INFUSED | _VACCINE,
            assumed=_INFUSED | _VACCINE, abscopal=True,
        ),
        TumorModel("friedrich-2022", friedrich_model.prepare, _MOUSE, abscopal=True, one_subject=True),
        TumorModel(
            "friedrich-2022-converged", friedrich_model.prepare_converged, _MOUSE, abscopal=True, one_subject=True
        ),
        TumorModel("kosinsky-2018", kosinsky_model.prepare, _MOUSE),
        TumorModel(
            "chatterjee-2016", tgi_models.prepare_chatterjee, PD1_START, antibodies=frozenset({"pembrolizumab"}),
            knows_egfr=True,
        ),
        TumorModel("claret-2009", tgi_models.prepare_claret, PD1_START, antibodies=_OAK),
        TumorModel("stein-growth-decay", tgi_models.prepare_stein, PD1_START, antibodies=_OAK),
        TumorModel(
            "struemper-2025", tgi_models.prepare_struemper, PD1_START,
            antibodies=frozenset({"pembrolizumab", "dostarlimab"}),
        ),
        TumorModel("mueller-schoell-2021", cart_tumor.prepare, _INFUSED | _FURTHER),
    )
}  # fmt: skip


def unrepresented(model_id: str, first: Scenario, second: Scenario) -> tuple[Part, ...]:
    """Return the parts in which two plans for one patient differ and that the model cannot represent."""
    model = MODELS[model_id]
    own = pd1_agents(first) | pd1_agents(second) <= model.antibodies
    return tuple(
        part for part in differing(first, second) if part not in model.takes and not (part == PD1_ANTIBODY and own)
    )


def assumed(model_id: str, first: Scenario, second: Scenario) -> tuple[Part, ...]:
    """Return the parts in which two plans for one patient differ and whose size of effect the model assumes."""
    return tuple(part for part in differing(first, second) if part in MODELS[model_id].assumed)


def left_out(model_id: str, scenario: Scenario) -> tuple[str, ...]:
    """Return what no model has, or this one has not, of a scenario; a model adds what is its own."""
    model = MODELS[model_id]
    found = [f"chemotherapy {how}" for how in scenario.chemotherapy]
    if model.takes >= RADIOTHERAPY:
        found += [f"kind of radiation: the doses of {kind} courses act as photons" for kind in unlike_photons(scenario)]
    others = pd1_agents(scenario) - model.antibodies
    if others and model.takes >= PD1_START and PD1_ANTIBODY not in model.takes:
        curve = f"the curve is that of {' or '.join(sorted(model.antibodies))}" if model.antibodies else "all act alike"
        found.append(f"{', '.join(sorted(others))} by itself: {curve}")
    if scenario.cells and model.takes >= _INFUSED:
        found.append("cell product: all act alike")
    if scenario.vaccine_products and model.takes >= _VACCINE:
        found.append("vaccine product: all act alike")
    if scenario.covariates.egfr_mutant and not model.knows_egfr:
        found.append("EGFR mutation")
    return tuple(found)


def simulate_chunks(
    model_id: str, scenario: Scenario, *, patients: int, seed: int, threads: int = 1
) -> Iterator[Trajectories]:
    """Yield the trajectories of one chunk of virtual patients after another, always in the same order.

    Fold over the chunks where a summary is wanted: memory then does not grow with the number of patients.

    Parameters
    ----------
    model_id : str
        A key of :data:`MODELS`.
    scenario : Scenario
    patients : int
        Virtual patients, at least 1. Patient i does not depend on how many are asked for.
    seed : int
        The same seed gives the same patients under every plan.
    threads : int
        Changes the speed and nothing else.

    Returns
    -------
    iterator of Trajectories

    Raises
    ------
    ValueError
        If the model is unknown or cannot take the scenario at all.
    """
    if model_id not in MODELS:
        raise ValueError(f"unknown model; known are {', '.join(MODELS)}")
    run, more = MODELS[model_id].prepare(scenario, seed), left_out(model_id, scenario)

    def complete(chunk: int, size: int) -> Trajectories:
        part = run(chunk, size)
        return replace(part, ignored=(*part.ignored, *more))

    return in_order(complete, patients, threads)


def simulate(model_id: str, scenario: Scenario, *, patients: int, seed: int, threads: int = 1) -> Trajectories:
    """Return the trajectories of all virtual patients.

    Parameters
    ----------
    model_id : str
    scenario : Scenario
    patients, seed, threads : int
        As in :func:`simulate_chunks`.

    Returns
    -------
    Trajectories
    """
    return concatenate(list(simulate_chunks(model_id, scenario, patients=patients, seed=seed, threads=threads)))
