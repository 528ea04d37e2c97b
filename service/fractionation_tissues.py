"""Turns the tissues of a fractionation request into tissues of the numerics, with their sources."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from schemas import fractionation as wire
from service.errors import InvalidInput
from simulation.model import Interval, Reference
from simulation.radiation.repair import RepairComponent
from simulation.radiation.repopulation import Repopulation, rate_from_doubling_gy_per_day
from simulation.radiation.tissue import PRESETS, Preset, Tissue


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedTissue:
    """A tissue with the words and sources that the answer shows."""

    tissue: Tissue
    label: str
    parameters: tuple[wire.ParameterRead, ...]


def first_is_day_one(request: wire.FractionationRequest) -> bool:
    """Say whether overall time counts the day of the first fraction as day 1."""
    return request.time_convention == "first_fraction_is_day_1"


def tissues_of(request: wire.FractionationRequest) -> list[NamedTissue]:
    """Resolve presets and values of the caller's own, in the order of the request."""
    return [_resolve(request, index, asked) for index, asked in enumerate(request.tissues)]


def _resolve(request: wire.FractionationRequest, index: int, asked: wire.TissueRequest) -> NamedTissue:
    pointer = f"/tissues/{index}"
    preset = None
    if asked.preset is not None:
        preset = PRESETS.get(asked.preset)
        if preset is None:
            raise InvalidInput(f"{pointer}/preset", f"no such preset; known are {', '.join(sorted(PRESETS))}")
    role = asked.role or (preset.tissue.role if preset is not None else None)
    assert role is not None
    tissue = preset.tissue if preset is not None else Tissue(id=asked.id, role=role, alpha_beta_gy=(0.0,))
    tissue = replace(tissue, id=asked.id, role=role, relative_dose=asked.relative_dose)
    tissue = _with_alpha_beta(request, pointer, asked, tissue)
    if asked.alpha_per_gy is not None:
        tissue = replace(tissue, alpha_per_gy=asked.alpha_per_gy)
    if asked.repair is not None:
        tissue = replace(
            tissue,
            repair=tuple(
                RepairComponent(half_time_hours=part.half_time_hours, weight=part.weight) for part in asked.repair
            ),
        )
    if asked.transition_dose_gy is not None:
        tissue = replace(tissue, transition_dose_gy=asked.transition_dose_gy)
    tissue = _with_repopulation(request, pointer, asked, tissue)
    label = preset.label if preset is not None else asked.id
    return NamedTissue(tissue=tissue, label=label, parameters=tuple(_parameters(asked, tissue, preset)))


def _with_alpha_beta(
    request: wire.FractionationRequest, pointer: str, asked: wire.TissueRequest, tissue: Tissue
) -> Tissue:
    if asked.alpha_beta_by_phase_gy is not None:
        if len(asked.alpha_beta_by_phase_gy) != len(request.phases):
            raise InvalidInput(f"{pointer}/alpha_beta_by_phase_gy", "give one ratio for each phase")
        tissue = replace(tissue, alpha_beta_gy=tuple(asked.alpha_beta_by_phase_gy), alpha_beta_interval=None)
    elif asked.alpha_beta_gy is not None:
        tissue = replace(tissue, alpha_beta_gy=(asked.alpha_beta_gy,), alpha_beta_interval=None)
    given = asked.alpha_beta_interval_gy
    if given is not None:
        if len(tissue.alpha_beta_gy) > 1 or not given.lower <= tissue.alpha_beta_gy[0] <= given.upper:
            raise InvalidInput(
                f"{pointer}/alpha_beta_interval_gy", "the interval must contain the one alpha_beta_gy of the tissue"
            )
        tissue = replace(tissue, alpha_beta_interval=Interval(level=given.level, lower=given.lower, upper=given.upper))
    return tissue


def _with_repopulation(
    request: wire.FractionationRequest, pointer: str, asked: wire.TissueRequest, tissue: Tissue
) -> Tissue:
    given = asked.repopulation
    if given is None:
        preset = tissue.repopulation
        if tissue.role == "late":
            return replace(tissue, repopulation=None)
        if preset is not None and request.time_convention == "first_fraction_is_day_0":
            return replace(tissue, repopulation=replace(preset, kick_off_day=preset.kick_off_day - 1.0))
        return tissue
    if tissue.role == "late":
        raise InvalidInput(f"{pointer}/repopulation", "late-reacting tissue does not repopulate within a course")
    rate = given.rate_gy_per_day
    if rate is None:
        assert given.doubling_time_days is not None
        if tissue.alpha_per_gy is None:
            raise InvalidInput(f"{pointer}/alpha_per_gy", "a doubling time needs alpha to become a daily dose")
        rate = rate_from_doubling_gy_per_day(tissue.alpha_per_gy, given.doubling_time_days)
    return replace(tissue, repopulation=Repopulation(kick_off_day=given.kick_off_day, rate_gy_per_day=rate))


def _parameters(asked: wire.TissueRequest, tissue: Tissue, preset: Preset | None) -> Sequence[wire.ParameterRead]:
    references = preset.references if preset is not None else {}
    own_ratio = asked.alpha_beta_gy is not None or asked.alpha_beta_by_phase_gy is not None
    own_growth = asked.repopulation is not None

    def read(name: str, value: float, unit: str, quantity: str, given: bool) -> wire.ParameterRead:
        reference: Reference | None = None if given else references.get(quantity)
        if reference is None:
            return wire.ParameterRead(
                name=name,
                value=value,
                unit=unit,
                source="given in the request",
                doi=None,
                evidence="given",
                verified=False,
            )
        return wire.ParameterRead(
            name=name,
            value=value,
            unit=unit,
            source=reference.citation,
            doi=reference.doi,
            evidence=reference.evidence,
            verified=reference.verified,
        )

    found = [read("alpha_beta", ratio, "Gy", "alpha_beta", own_ratio) for ratio in tissue.alpha_beta_gy]
    if tissue.alpha_per_gy is not None:
        found.append(read("alpha", tissue.alpha_per_gy, "1/Gy", "alpha", asked.alpha_per_gy is not None))
    found += [
        read("repair_half_time", part.half_time_hours, "h", "repair", asked.repair is not None)
        for part in tissue.repair
    ]
    if tissue.repopulation is not None:
        found.append(read("kick_off", tissue.repopulation.kick_off_day, "d", "repopulation", own_growth))
        found.append(read("repopulation_rate", tissue.repopulation.rate_gy_per_day, "Gy/d", "repopulation", own_growth))
    return found
