"""Probes, metrics, self-hosted documentation and the pages about problems."""

from html import escape
from pathlib import Path
from typing import Any

import fastapi_offline
from fastapi import APIRouter, FastAPI, Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.staticfiles import StaticFiles

from api import problems
from api.context import runtime_of
from service import telemetry
from service.errors import NotFound

router = APIRouter(tags=["Operations"])
_PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_METRICS = "text/plain; version=0.0.4; charset=utf-8"
_DOCS = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>Abscope API</title>
<link rel="stylesheet" href="/assets/swagger/swagger-ui.css">
<link rel="icon" href="data:,">
</head>
<body>
<div id="swagger-ui"></div>
<script src="/assets/swagger/swagger-ui-bundle.js"></script>
<script src="/assets/own/docs.js"></script>
</body>
</html>
"""


@router.get("/livez", operation_id="livez", summary="The process answers", responses=problems.FAILURE)
async def livez() -> dict[str, str]:
    """Touches nothing but the event loop."""
    return {"status": "alive"}


@router.get(
    "/readyz",
    operation_id="readyz",
    summary="The service can take traffic",
    responses={503: {"description": "Not ready; the body says what is missing."}, **problems.FAILURE},
)
async def readyz(request: Request) -> Response:
    """Database reachable and migrated, writer queue below its limit, not draining."""
    checks = await runtime_of(request).ready()
    ready = all(checks.values())
    body: dict[str, Any] = {"status": "ready" if ready else "not ready", "checks": checks}
    return JSONResponse(body, status_code=200 if ready else 503)


@router.get(
    "/metrics",
    operation_id="metrics",
    summary="Prometheus metrics",
    response_class=Response,
    responses={
        200: {
            "description": "The Prometheus text format.",
            "content": {_METRICS.partition(";")[0]: {"schema": {"type": "string"}}},
        },
        **problems.FAILURE,
    },
)
async def metrics(request: Request) -> Response:
    """Latency by route, writer batches and queue, runs by kind; no patient data."""
    runtime_of(request).measure()
    return Response(telemetry.exposition(), media_type=_METRICS)


@router.get("/docs", include_in_schema=False)
async def docs() -> Response:
    """Interactive documentation; every byte comes from this process."""
    return HTMLResponse(_DOCS, headers={"content-security-policy": _PAGE_POLICY})


@router.get("/problems/{slug}", include_in_schema=False)
async def problem_page(slug: str) -> Response:
    """Explain a kind of problem and what to do about it."""
    if slug not in problems.PAGES:
        raise NotFound("no problem has this name")
    kind = problems.PAGES[slug]
    page = (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(kind.title)}</title></head>'
        f"<body><h1>{escape(kind.title)}</h1><p>Status {kind.status}. {escape(kind.advice)}</p></body></html>\n"
    )
    return HTMLResponse(page, headers={"content-security-policy": _PAGE_POLICY})


def mount_assets(app: FastAPI) -> None:
    """Serve the documentation's scripts and styles from installed files."""
    swagger = Path(fastapi_offline.__file__).parent / "static"
    app.mount("/assets/swagger", StaticFiles(directory=swagger))
    app.mount("/assets/own", StaticFiles(directory=Path(__file__).parent.parent / "assets"))
