"""Dose-volume metrics by their customary names: ``D95%``, ``D0.03cc``, ``V20Gy``, ``mean``."""

import re
from dataclasses import dataclass
from typing import Literal

from simulation.radiation.dvh import Dvh

Kind = Literal["mean", "max", "min", "dose_at_share", "dose_at_volume", "volume_at_dose"]
PATTERN = r"^(mean|max|min|D(100|\d{1,2}(\.\d{1,3})?)%|D\d{1,5}(\.\d{1,3})?cc|V\d{1,3}(\.\d{1,3})?Gy(_cc)?)$"
_NUMBER = re.compile(r"\d+(?:\.\d+)?")


class NotReadable(Exception):
    """The distribution cannot give this metric; the message says why."""


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric; ``at`` is a share, a volume in cm3 or a dose in Gy."""

    name: str
    kind: Kind
    at: float
    unit: Literal["Gy", "%", "cm3"]

    def read(self, dvh: Dvh) -> float:
        """Read the metric off a distribution.

        Parameters
        ----------
        dvh : Dvh
            Dose in whatever sense the metric is wanted in.

        Returns
        -------
        float
            In ``unit``.

        Raises
        ------
        NotReadable
            When an absolute volume is needed and unknown, or larger than the structure.
        """
        if self.kind == "mean":
            return dvh.mean_gy
        if self.kind == "max":
            return dvh.maximum_gy
        if self.kind == "min":
            return dvh.minimum_gy
        if self.kind == "dose_at_share":
            return dvh.dose_at_share(self.at)
        if self.kind == "volume_at_dose" and self.unit == "%":
            return 100.0 * dvh.share_at_dose(self.at)
        if dvh.volume_cm3 is None:
            raise NotReadable("the volume of the structure is not known")
        if self.kind == "volume_at_dose":
            return dvh.volume_cm3 * dvh.share_at_dose(self.at)
        if self.at > dvh.volume_cm3:
            raise NotReadable("the structure is smaller than this volume")
        return dvh.dose_at_volume_cm3(self.at)


def metric(name: str) -> Metric:
    """Understand the name of a metric.

    Parameters
    ----------
    name : str
        ``mean``, ``max``, ``min``, ``D<percent>%``, ``D<volume>cc``, ``V<dose>Gy`` (percent of the volume)
        or ``V<dose>Gy_cc``.

    Returns
    -------
    Metric
        Ready to be read off a distribution.
    """
    if not re.fullmatch(PATTERN, name):
        raise ValueError("not the name of a metric")
    if name == "mean":
        return Metric(name, "mean", 0.0, "Gy")
    if name == "max":
        return Metric(name, "max", 0.0, "Gy")
    if name == "min":
        return Metric(name, "min", 0.0, "Gy")
    found = _NUMBER.search(name)
    assert found is not None
    number = float(found.group())
    if name.startswith("V"):
        return Metric(name, "volume_at_dose", number, "cm3" if name.endswith("_cc") else "%")
    if name.endswith("cc"):
        return Metric(name, "dose_at_volume", number, "Gy")
    return Metric(name, "dose_at_share", number / 100.0, "Gy")
