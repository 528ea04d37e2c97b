"""The few numbers that an RTPLAN file contributes: fractions, prescription, radiation, beams."""

from dataclasses import dataclass
from typing import Final

from service.dicom_files import DicomFile, hostile
from service.dicom_tokens import number, text, token

MAX_FRACTIONS: Final = 200
MODALITIES: Final = {"PHOTON": "photon", "ELECTRON": "electron", "PROTON": "proton", "ION": "carbon"}


@dataclass(frozen=True, slots=True)
class PlanFacts:
    """One plan; ``identity`` is a token that dose files refer to."""

    pointer: str
    identity: str | None
    fraction_count: int | None
    fraction_groups: int
    prescription_gy: float | None
    modality: str | None
    beams: frozenset[int]


def read_plan(file: DicomFile) -> PlanFacts:
    """Read one RTPLAN file.

    Parameters
    ----------
    file : DicomFile

    Returns
    -------
    PlanFacts
        The number of fractions is None when the plan has several fraction groups or names none.
    """
    with hostile(file.pointer):
        data = file.dataset
        groups = list(data.get("FractionGroupSequence") or ())
        counts = [int(group.get("NumberOfFractionsPlanned") or 0) for group in groups]
        doses = [number(item, "TargetPrescriptionDose") for item in data.get("DoseReferenceSequence") or ()]
        treated = [
            beam
            for beam in data.get("BeamSequence") or ()
            if text(beam, "TreatmentDeliveryType") in (None, "TREATMENT", "CONTINUATION")
        ]
        kinds = {MODALITIES.get(text(beam, "RadiationType") or "") for beam in treated}
        beams = frozenset(int(beam.BeamNumber) for beam in treated)
        identity = token(data, "SOPInstanceUID")
    prescribed = [dose for dose in doses if dose is not None and 0 < dose <= MAX_FRACTIONS]
    return PlanFacts(
        pointer=file.pointer,
        identity=identity,
        fraction_count=counts[0] if len(counts) == 1 and 1 <= counts[0] <= MAX_FRACTIONS else None,
        fraction_groups=len(groups),
        prescription_gy=max(prescribed) if prescribed else None,
        modality=kinds.pop() if len(kinds) == 1 else None,
        beams=beams,
    )
