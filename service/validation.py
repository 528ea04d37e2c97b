"""What every answer says about models that nobody validated on patients."""

from collections.abc import Iterable

from schemas.run import ModelRef, RunWarning
from simulation.registry import CARDS


def not_validated(models: Iterable[ModelRef]) -> tuple[RunWarning, ...]:
    """Return one warning that counts the models not validated on patients, or none."""
    named = [model.id for model in models if not CARDS[model.id].validated_on_patients]
    if not named:
        return ()
    shown = ", ".join(named[:3]) + (f" and {len(named) - 3} more" if len(named) > 3 else "")
    return (
        RunWarning(
            code="not-validated-on-patients",
            message=f"not validated on individual patients, see the cards: {shown}",
            pointer=None,
        ),
    )
