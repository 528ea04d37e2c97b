"""Every tumor model under one roof: the same scenario in, the same terms out.

A model that cannot represent a part of the plan lists it in ``Trajectories.ignored``; nothing is left out in silence.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from simulation.engine.chunks import in_order
from simulation.tumor import cart_tumor, friedrich_model, kosinsky_model, multi_lesion_model, tgi_models
from simulation.tumor.scenario import Scenario, Trajectories, concatenate

ChunkRun = Callable[[int, int], Trajectories]


@dataclass(frozen=True, slots=True)
class TumorModel:
    """A model of the registry: ``prepare(scenario, seed)`` returns the function that runs one chunk of patients.

    ``abscopal`` tells whether an irradiated lesion can act on another one; ``one_subject`` that all patients are one
    and the same, so that shares of them have no interval.
    """

    id: str
    prepare: Callable[[Scenario, int], ChunkRun]
    abscopal: bool = False
    one_subject: bool = False


MODELS: dict[str, TumorModel] = {
    model.id: model
    for model in (
        TumorModel("multi-lesion", multi_lesion_model.prepare, abscopal=True),
        TumorModel("friedrich-2022", friedrich_model.prepare, abscopal=True, one_subject=True),
        TumorModel("friedrich-2022-converged", friedrich_model.prepare_converged, abscopal=True, one_subject=True),
        TumorModel("kosinsky-2018", kosinsky_model.prepare),
        TumorModel("chatterjee-2016", tgi_models.prepare_chatterjee),
        TumorModel("claret-2009", tgi_models.prepare_claret),
        TumorModel("stein-growth-decay", tgi_models.prepare_stein),
        TumorModel("struemper-2025", tgi_models.prepare_struemper),
        TumorModel("mueller-schoell-2021", cart_tumor.prepare),
    )
}


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
    return in_order(MODELS[model_id].prepare(scenario, seed), patients, threads)


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
