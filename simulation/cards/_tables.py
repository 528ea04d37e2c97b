"""What several cards share: the rows of a parameter table as coefficients, and standing remarks."""

from collections.abc import Mapping
from typing import Any, Final

from simulation.model import Coefficient
from simulation.tumor.tables import table

FIRST_VERSION: Final = ("1.0.0: first version.",)
UNCHECKED: Final = "No calibration plot: no open patient-level data were at hand to check it on."
_PUBLISHED: Final[Mapping[str, str]] = {
    "friedrich": "default of the authors' public application, commit f970a93",
    "kosinsky": "doi:10.1186/s40425-018-0327-9, Table 1",
    "cart_tumor": "doi:10.3390/cancers13112782, Table 1",
}


def of_table(name: str, *sections: str, without: tuple[str, ...] = ()) -> tuple[Coefficient, ...]:
    """Return the rows of some sections of one parameter table, each with its unit, source and evidence label."""
    data = table(name)
    return tuple(
        Coefficient(
            name=row_name,
            value=row["value"],
            unit=row["unit"],
            evidence=row["evidence"],
            source=_source(name, row, data.get("sources", {})),
            verified=row["verified"],
        )
        for section in sections
        for row_name, row in data[section].items()
        if row_name not in without
    )


def _source(name: str, row: Mapping[str, Any], spelled_out: Mapping[str, str]) -> str:
    if "source" in row:
        return spelled_out.get(row["source"], row["source"])
    if row["evidence"] == "published":
        return _PUBLISHED[name]
    return "assumption" if row["evidence"] == "assumed" else str(row["meaning"])
