"""Upload of a DICOM-RT export; identifiers are dropped before anything is stored."""

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.responses import Response

from api import problems
from api.context import allowed, runtime_of
from api.routes.compute import PARAMETERS, created, origin, run_model
from schemas.dicom import DicomOptions
from schemas.run import Run
from service import dicom, runs
from service.access import Caller
from service.errors import Conflict, IdempotencyMismatch, InvalidInput, Overloaded
from service.parsing import MalformedJson, parse

router = APIRouter(tags=["Compute"])
MAX_FILES = 64
MAX_OPTIONS_BYTES = 262_144

_BODY: Any = {
    "required": True,
    "content": {
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "required": ["files"],
                "properties": {
                    "files": {
                        "type": "array",
                        "minItems": 1,
                        "maxItems": MAX_FILES,
                        "description": "One RTSTRUCT, one or several RTDOSE, RTPLAN if there is one; in any order.",
                        "items": {"type": "string", "format": "binary"},
                    },
                    "options": {
                        "$ref": "#/components/schemas/DicomOptions",
                        "description": "What to read and what to evaluate; left out: everything, standard metrics.",
                    },
                },
            },
            "encoding": {"options": {"contentType": "application/json"}},
        }
    },
}


@router.post(
    "/doses/dicom",
    operation_id="create_dicom",
    summary=dicom.KIND.summary,
    description=dicom.KIND.description,
    status_code=201,
    response_model=run_model(dicom.KIND),
    responses={
        **problems.documented(
            MalformedJson, problems.MalformedMultipart, IdempotencyMismatch, Conflict, Overloaded,
            problems.BodyTooLarge, problems.UnsupportedMediaType,
        ),
        202: {"description": "Stored; the computation waits for its turn.", "model": Run},
    },
    openapi_extra={"parameters": PARAMETERS, "requestBody": _BODY},
)  # fmt: skip
async def create_dicom(request: Request, caller: Annotated[Caller, Depends(allowed("runs:write"))]) -> Response:
    """Reduce the files to histograms, then compute and store the run from these alone."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "multipart/form-data":
        raise problems.UnsupportedMediaType("send multipart/form-data with the parts files and options")
    try:
        async with request.form(max_files=MAX_FILES, max_fields=4, max_part_size=MAX_OPTIONS_BYTES) as form:
            options = parse(DicomOptions, await _options(form))
            files = [part.file for part in form.getlist("files") if isinstance(part, UploadFile)]
            if not files:
                raise InvalidInput("/files", "upload the files of the export as parts named files")
            runtime = runtime_of(request)
            histograms = await asyncio.get_running_loop().run_in_executor(runtime.pool, dicom.ingest, files, options)
    except HTTPException as error:
        raise problems.MalformedMultipart(f"send at most {MAX_FILES} files in well-formed multipart parts") from error
    return created(await runs.create(runtime, origin(request, caller), dicom.KIND, histograms))


async def _options(form: FormData) -> bytes:
    part = form.get("options", "{}")
    return await part.read(MAX_OPTIONS_BYTES + 1) if isinstance(part, UploadFile) else part.encode()
