"""Who works on an open run. A lease that is not renewed lets another worker take the run over.

Leases are scheduling, not record: they leave no trace in the audit log and end with the run.
Call these inside ``db.engine.writing``.
"""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, Connection, or_, select, update

from db.tables import OPEN_STATUSES, AnyRow, runs


def _free(now: str) -> ColumnElement[bool]:
    return or_(runs.c.lease_expires_at.is_(None), runs.c.lease_expires_at < now)


def waiting_runs(connection: Connection, now: str, limit: int = 100) -> Sequence[AnyRow]:
    """Open runs that nobody works on, oldest first: never taken, or their lease has expired."""
    query = select(runs).where(runs.c.status.in_(OPEN_STATUSES), _free(now))
    return connection.execute(query.order_by(runs.c.created_at, runs.c.id).limit(limit)).all()


def claim_run(connection: Connection, run_id: str, owner: str, now: str, expires_at: str) -> bool:
    """Take an open run that nobody works on; False when another worker was first."""
    claim = update(runs).where(runs.c.id == run_id, runs.c.status.in_(OPEN_STATUSES), _free(now))
    result = connection.execute(claim.values(status="running", lease_owner=owner, lease_expires_at=expires_at))
    return result.rowcount == 1


def renew_lease(connection: Connection, run_id: str, owner: str, expires_at: str) -> bool:
    """Keep a run; False when it has ended or another worker took it over, and the work must stop."""
    mine = update(runs).where(runs.c.id == run_id, runs.c.lease_owner == owner, runs.c.status == "running")
    return connection.execute(mine.values(lease_expires_at=expires_at)).rowcount == 1


def release_run(connection: Connection, run_id: str, owner: str) -> bool:
    """Give a run back unfinished, as a worker does when it shuts down."""
    mine = update(runs).where(runs.c.id == run_id, runs.c.lease_owner == owner, runs.c.status == "running")
    return connection.execute(mine.values(status="queued", lease_owner=None, lease_expires_at=None)).rowcount == 1
