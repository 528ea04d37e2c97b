"""Every kind of run that this service computes."""

from typing import Final

from service import (
    blood,
    cells,
    comparisons,
    dicom,
    drugs,
    dvh,
    forecasts,
    fractionation,
    predictions,
    responses,
    simulations,
    vaccines,
)
from service.kinds import Kind

_ALL: Final = (
    predictions.KIND,
    fractionation.KIND,
    dvh.KIND,
    dicom.KIND,
    blood.KIND,
    drugs.KIND,
    cells.KIND,
    vaccines.KIND,
    simulations.KIND,
    comparisons.KIND,
    responses.KIND,
    forecasts.KIND,
)

KINDS: Final[dict[str, Kind]] = {kind.name: kind for kind in _ALL}
