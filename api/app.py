"""The application: routers, middleware, problem handlers."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from api import problems
from api.middleware import BodyLimit, RequestContext
from api.routes import audit, batch, compute, dicom, models, operations, outcomes, regimens, runs
from schemas.problem import Problem
from service import telemetry
from service.access import SCOPES
from service.jobs import run_jobs
from service.runs import SOFTWARE_VERSION
from service.runtime import Runtime, open_runtime
from service.settings import Settings
from service.warming import settle_memory, warm_up

_DESCRIPTION = """Combined radiotherapy and immunotherapy: what dose everything receives, how the patient and every
lesion may respond, what harm to expect, and how other schedules compare. Every answer is a stored run with its
sources, intervals and limits, reproducible bit for bit and provable later.

Research use; not a medical device."""

_TAGS = [
    {"name": "Compute", "description": "Every POST computes a run, stores it and answers it."},
    {"name": "Runs", "description": "The stored runs."},
    {"name": "Models", "description": "What every model is for, its sources and its limits."},
    {"name": "Outcomes", "description": "What happened to the patients, and how well the models did here."},
    {"name": "Audit", "description": "The append-only log, its signed root and its proofs."},
    {"name": "Operations", "description": "Probes, metrics and documentation."},
]


def create_app(settings: Settings | None = None) -> FastAPI:
    """Return the ASGI application; its resources open with its lifespan."""
    chosen = settings or Settings()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[dict[str, Runtime]]:
        try:
            async with open_runtime(chosen) as runtime, run_jobs(runtime):
                app.state.runtime = runtime
                settle_memory()
                if chosen.warm_up:
                    runtime.background(warm_up)
                yield {"runtime": runtime}
        except Exception as error:
            telemetry.log_failure(None, error)
            raise

    telemetry.configure_logging(chosen.log_level)
    app = FastAPI(
        title="Abscope",
        version=SOFTWARE_VERSION,
        description=_DESCRIPTION,
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
        openapi_tags=_TAGS,
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
        redirect_slashes=False,
        telemetry={"tracing": False, "metrics": False, "logs": False},  # its spans would carry messages and queries
    )
    compute.declare(app.router)
    for module in (dicom, batch, runs, outcomes, models, regimens, audit):
        app.include_router(module.router, prefix="/v1")
    app.include_router(operations.router)
    operations.mount_assets(app)
    problems.install(app)
    app.add_middleware(
        BodyLimit,
        default=chosen.max_body_bytes,
        by_path={"/v1/doses/dicom": chosen.max_upload_bytes, "/v1/predictions:batch": chosen.max_batch_bytes},
    )
    app.add_middleware(RequestContext)
    app.openapi = lambda: _openapi(app)  # type: ignore[method-assign]
    return app


def _openapi(app: FastAPI) -> dict[str, Any]:
    if app.openapi_schema is None:
        document = get_openapi(
            title=app.title,
            version=app.version,
            description=app.description,
            routes=app.routes,
            tags=_TAGS,
            license_info=app.license_info,
            servers=[{"url": "/"}],
        )
        components = document.setdefault("components", {})
        schema = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
        components.setdefault("schemas", {}).update(schema.pop("$defs", {}))
        components["schemas"]["Problem"] = schema
        components["securitySchemes"] = {
            "apiKey": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
            "bearer": {
                "type": "http",
                "scheme": "bearer",
                "description": "An API key or a JWT. Scopes: " + "; ".join(f"{k}: {v}" for k, v in SCOPES.items()),
            },
        }
        for path, operations_ in document["paths"].items():
            if path.startswith("/v1/"):
                for operation in operations_.values():
                    operation["security"] = [{"apiKey": []}, {"bearer": []}, {}]
        app.openapi_schema = document
    return app.openapi_schema
