"""JSON log lines with an allowlist of fields, and the Prometheus metrics."""

import logging
import sys
import traceback
from functools import cache
from typing import Any, Final

import orjson
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from db.clock import utc_now

REGISTRY: Final = CollectorRegistry(auto_describe=True)
_LATENCY: Final = Histogram(
    "abscope_request_seconds",
    "Latency of requests.",
    ("method", "route", "status"),
    registry=REGISTRY,
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0),
)
_RUNS: Final = Counter("abscope_runs", "Runs by kind and status.", ("kind", "status"), registry=REGISTRY)
DENIALS: Final = Counter(
    "abscope_denials", "Requests denied, by known and unknown callers.", ("caller",), registry=REGISTRY
)
WRITER_QUEUE: Final = Gauge("abscope_writer_queue", "Writes waiting for their transaction.", registry=REGISTRY)
WRITER_BATCHES: Final = Gauge("abscope_writer_batches", "Transactions of the writer so far.", registry=REGISTRY)
WRITER_ROWS: Final = Gauge("abscope_writer_rows", "Writes committed so far.", registry=REGISTRY)
WRITER_LAST_BATCH: Final = Gauge("abscope_writer_last_batch_size", "Writes in the last transaction.", registry=REGISTRY)

_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_LOGGER: Final = logging.getLogger("abscope")
_SERVER_LOGGER: Final = logging.getLogger("uvicorn")
_FIELDS: Final = frozenset(
    {
        "event", "request_id", "method", "route", "status", "milliseconds", "kind", "count", "seconds", "error",
        "where", "message",
    }
)  # fmt: skip


class _JsonLines(logging.Formatter):
    """One JSON object a line; a field that is not on the allowlist does not get out."""

    def format(self, record: logging.LogRecord) -> str:
        fields = record.fields if hasattr(record, "fields") else _of_server(record)
        line = {"time": utc_now(), "level": record.levelname, **{k: fields[k] for k in fields if k in _FIELDS}}
        return orjson.dumps(line).decode()


def _of_server(record: logging.LogRecord) -> dict[str, Any]:
    """Return the fields of a line of the HTTP server: its sentence without arguments, and where an error arose."""
    fields: dict[str, Any] = {"event": "server", "message": str(record.msg).strip().partition("\n")[0]}
    error = record.exc_info[1] if record.exc_info else None
    return fields if error is None else {**fields, **_cause(error)}


def _is_no_traceback(record: logging.LogRecord) -> bool:
    """Return False for the text that a failed start hands to the server; the failure has its own line."""
    return not str(record.msg).startswith("Traceback")


def _cause(error: BaseException) -> dict[str, Any]:
    """Return type and place of an error, never its message, which may carry patient data."""
    frames = traceback.extract_tb(error.__traceback__)[-6:]
    where = [f"{frame.filename.rsplit('/', 1)[-1]}:{frame.lineno}:{frame.name}" for frame in frames]
    return {"error": type(error).__name__, "where": where}


def configure_logging(level: str) -> None:
    """Write JSON lines to standard error at the given level; those of the HTTP server at its own."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_JsonLines())
    handler.addFilter(_is_no_traceback)
    for logger in (_LOGGER, _SERVER_LOGGER):
        logger.handlers[:] = [handler]
        logger.propagate = False
    _LOGGER.setLevel(level)


def log(level: int, **fields: object) -> None:
    """Log an event by its allowed fields."""
    if _LOGGER.isEnabledFor(level):
        _LOGGER.log(level, "", extra={"fields": fields})


def log_failure(request_id: str | None, error: BaseException) -> None:
    """Log an unexpected error by its type and place."""
    log(logging.ERROR, event="failure", request_id=request_id, **_cause(error))


def observe_request(method: str, route: str, status: int, seconds: float, request_id: str) -> None:
    """Count and log one request."""
    _latency(method if method in _METHODS else "other", route, status).observe(seconds)
    log(
        logging.INFO,
        event="request",
        request_id=request_id,
        method=method,
        route=route,
        status=status,
        milliseconds=round(seconds * 1000, 3),
    )


@cache
def _latency(method: str, route: str, status: int) -> Histogram:
    return _LATENCY.labels(method, route, str(status))


@cache
def runs_of(kind: str, status: str) -> Counter:
    """Return the counter of the runs of one kind and status."""
    return _RUNS.labels(kind, status)


def exposition() -> bytes:
    """Return the metrics in the Prometheus text format."""
    return generate_latest(REGISTRY)
