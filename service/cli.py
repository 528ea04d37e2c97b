"""The ``abscope`` command: the service's work from a shell.

Tables on a terminal, JSON when piped or with ``--json``; 0 for success, 1 for a refusal or a
failed check, 2 for wrong usage. The commands that need the models import them themselves: their code
takes seconds to load.
"""

import asyncio
import os
import sys
from pathlib import Path
from typing import Annotated, Any, NoReturn

import orjson
import typer
from pydantic import ValidationError
from rich.console import Console
from rich.table import Table
from sqlalchemy.exc import SQLAlchemyError

from db.errors import StoreError
from service import serving, upkeep
from service.access import LOCAL, SCOPES, is_name
from service.errors import AbscopeError
from service.runtime import computing
from service.settings import Settings

app = typer.Typer(
    no_args_is_help=True, pretty_exceptions_enable=False, help="Abscope: combined radiotherapy and immunotherapy."
)
keys = typer.Typer(no_args_is_help=True, help="Create, list and revoke API keys.")
audit = typer.Typer(no_args_is_help=True, help="Export and verify the audit log.")
app.add_typer(keys, name="keys")
app.add_typer(audit, name="audit")

_out = Console()
_err = Console(stderr=True)
AsJson = Annotated[bool, typer.Option("--json", help="JSON also on a terminal.")]
VerifierKeys = Annotated[
    list[str] | None,
    typer.Option(
        "--verifier-key", help="Public key that signed the log; may be repeated. Without it this installation's own."
    ),
]


def _name(value: str | None) -> str | None:
    if value is not None and not is_name(value):
        raise typer.BadParameter("use 1 to 128 printable characters, without a blank at either end")
    return value


Tenant = Annotated[str, typer.Option(callback=_name, help="Tenant that this belongs to.")]
AnyTenant = Annotated[str | None, typer.Option(callback=_name, help="Only of this tenant.")]
InputFile = Annotated[Path, typer.Argument(help="JSON file; - reads standard input.", allow_dash=True)]


@app.command()
def serve() -> None:
    """Migrate the database and serve HTTP; configured by ABSCOPE_* variables."""
    from service import local

    settings = _settings()
    settings.require_safe_listener()
    upkeep.reach_database(settings)
    _err.print(local.greeting(settings), highlight=False, markup=False, soft_wrap=True)
    serving.serve(settings)
    if computing():
        # the interpreter would join a thread that may never end
        sys.stderr.flush()
        os._exit(0)


@app.command()
def migrate() -> None:
    """Bring the database to this release's schema; a newer one that suits this release stays."""
    upkeep.migrate_database(_settings())
    _err.print("the schema of the database suits this release")


@app.command()
def models(
    model_id: Annotated[str | None, typer.Argument(help="Show one card.")] = None, as_json: AsJson = False
) -> None:
    """List the models, or show one model card."""
    from service import local

    cards = local.cards(model_id)
    _show(cards, as_json, ("id", "version", "kind", "title"))


@app.command()
def predict(file: InputFile, tenant: Tenant = LOCAL.tenant, as_json: AsJson = False) -> None:
    """Compute and store a prediction run from a JSON request."""
    _run("predictions", file, tenant, as_json)


@app.command()
def fractionate(file: InputFile, tenant: Tenant = LOCAL.tenant, as_json: AsJson = False) -> None:
    """Compute and store a fractionation run from a JSON request."""
    _run("fractionation", file, tenant, as_json)


@app.command()
def compute(
    kind: Annotated[str, typer.Argument(help="Kind of run.")],
    file: InputFile,
    tenant: Tenant = LOCAL.tenant,
    as_json: AsJson = False,
) -> None:
    """Compute and store a run of any kind from a JSON request."""
    _run(kind, file, tenant, as_json)


@app.command()
def runs(
    run_id: Annotated[str | None, typer.Argument(help="Show one run.")] = None,
    kind: Annotated[str | None, typer.Option(help="Only this kind.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=200)] = 20,
    tenant: Tenant = LOCAL.tenant,
    as_json: AsJson = False,
) -> None:
    """List the stored runs, or show one."""
    from service import local

    found = asyncio.run(local.stored_runs(_settings(), tenant, run_id, kind, limit))
    _show(found, as_json, ("id", "kind", "status", "created_at", "patient_reference"))


@keys.command("create")
def create_key(
    scope: Annotated[list[str], typer.Option(help=f"One of {', '.join(SCOPES)}; may be repeated.")],
    tenant: Tenant = LOCAL.tenant,
    label: Annotated[str | None, typer.Option(callback=_name, help="What the key is for.")] = None,
    as_json: AsJson = False,
) -> None:
    """Create an API key; it is shown once and never again."""
    unknown = sorted(set(scope) - set(SCOPES))
    if unknown:
        _fail(f"unknown scope {', '.join(unknown)}; choose from {', '.join(SCOPES)}", 2)
    _show(asyncio.run(upkeep.create_key(_settings(), tenant, sorted(set(scope)), label or "")), as_json, ("id", "key"))


@keys.command("list")
def list_keys(tenant: AnyTenant = None, as_json: AsJson = False) -> None:
    """List the API keys, without their secrets."""
    _show(
        upkeep.list_keys(_settings(), tenant), as_json, ("id", "tenant", "scopes", "label", "created_at", "revoked_at")
    )


@keys.command("revoke")
def revoke_key(key_id: str, tenant: AnyTenant = None) -> None:
    """End an API key; it is refused within seconds."""
    asyncio.run(upkeep.revoke_key(_settings(), key_id, tenant))
    _err.print(f"key {key_id} is revoked")


@audit.command("export")
def export_audit(file: Annotated[Path, typer.Argument(help="Where to write the JSON lines.")]) -> None:
    """Write the whole log, with its signed checkpoint, to a file."""
    size = upkeep.export_audit(_settings(), file)
    _err.print(f"{size} leaves exported to {file}")


@audit.command("verify")
def verify_audit(
    file: Annotated[Path | None, typer.Argument(help="An exported log; without it, the database.")] = None,
    verifier_key: VerifierKeys = None,
    checkpoint: Annotated[
        list[Path] | None,
        typer.Option(help="A checkpoint that was kept elsewhere; the log must contain it. May be repeated."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Check every leaf, root, signature and stored run; exit 1 when anything was changed."""
    report = upkeep.verify_audit(_settings(), file, verifier_key or (), checkpoint or ())
    _show(report, as_json, ("valid", "size", "runs", "problems"))
    if not report["valid"]:
        raise typer.Exit(1)


@audit.command("rekey")
def rekey() -> None:
    """Go on with a log whose signing key is lost, by the key that is here; the log records it."""
    verifier_key = upkeep.rekey(_settings())
    _err.print(f"from now on {verifier_key} signs", highlight=False, markup=False, soft_wrap=True)


@app.command()
def backup(file: Annotated[Path, typer.Argument(help="Where to write the backup.")]) -> None:
    """Back up the database while it serves."""
    digest = upkeep.back_up(_settings(), file)
    _err.print(f"backed up to {file}, SHA-256 {digest}", soft_wrap=True)


@app.command()
def restore(
    file: Annotated[Path, typer.Argument(help="A backup.", exists=True)], verifier_key: VerifierKeys = None
) -> None:
    """Restore a backup into an empty database and verify its audit log."""
    upkeep.restore(_settings(), file, verifier_key or ())
    _err.print("restored; the audit log verifies")


@app.command()
def doctor(as_json: AsJson = False) -> None:
    """Check configuration, database, keys and models."""
    from service.doctor import diagnose

    report = diagnose(_settings())
    _show(report, as_json, ("check", "ok", "detail"))
    if not all(row["ok"] for row in report):
        raise typer.Exit(1)


def _run(kind: str, file: Path, tenant: str, as_json: bool) -> None:
    from service import local

    raw = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
    body = orjson.loads(asyncio.run(local.compute_and_store(_settings(), kind, raw, tenant)))
    _show(body, as_json, ("id", "kind", "status", "result"))


def _show(data: Any, as_json: bool, columns: tuple[str, ...]) -> None:
    if as_json or not _out.is_terminal:
        sys.stdout.write(orjson.dumps(data, option=orjson.OPT_INDENT_2).decode() + "\n")
        return
    if isinstance(data, dict):
        _out.print_json(orjson.dumps(data).decode())
        return
    table = Table()
    for column in columns:
        # an id that is cut cannot be used; all else may take several lines
        table.add_column(column, no_wrap=column == "id", overflow="fold")
    for row in data:
        table.add_row(*(_cell(row.get(column)) for column in columns))
    _out.print(table)


def _cell(value: Any) -> str:
    return "" if value is None else value if isinstance(value, str) else orjson.dumps(value).decode()


def _settings() -> Settings:
    settings = Settings()
    settings.require_known_variables()
    return settings


def _fail(message: str, code: int) -> NoReturn:
    _err.print(message, style="red", highlight=False, markup=False, soft_wrap=True)
    raise SystemExit(code)


def main() -> None:
    """Run the command; expected errors become one sentence and an exit code.

    What it writes, from the database to backups, only its own user can read.
    """
    os.umask(0o077)
    try:
        app()
    except upkeep.WrongUsage as error:
        _fail(error.detail, 2)
    except AbscopeError as error:
        members = [f"  {item['pointer']}: {item['message']}" for item in getattr(error, "errors", [])]
        _fail("\n".join([error.detail, *members]), 1)
    except (StoreError, SQLAlchemyError) as error:
        _fail(f"the database cannot be used ({type(error).__name__}); 'abscope doctor' says what is missing", 1)
    except ValidationError as error:
        _fail("\n".join(f"{'.'.join(map(str, e['loc'])) or 'settings'}: {e['msg']}" for e in error.errors()), 2)
    except OSError as error:
        parts = (error.strerror or str(error) or type(error).__name__, error.filename)
        _fail(": ".join(str(part) for part in parts if part is not None), 1)
