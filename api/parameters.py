"""Path parameters that several routes share."""

from typing import Annotated, Final

from fastapi import Path

RunId = Annotated[str, Path(pattern=r"^[0-9A-HJKMNP-TV-Z]{26}$", description="ULID of the run.")]
MODEL_ID: Final = r"^[a-z0-9][a-z0-9._-]{0,95}$"
ModelId = Annotated[str, Path(pattern=MODEL_ID, description="Id of the model, as GET /v1/models lists it.")]
