"""The audit log read leaf by leaf: the tree that its records make, and what they say of runs."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import Connection, select

from db.digests import RUN_CREATED, RUN_FINAL_EVENTS, hex_sha256, run_digest
from db.merkle import Frontier, Node, leaf_hash
from db.storage import readable
from db.tables import AnyRow, audit_checkpoints, audit_entries, runs

PAGE: Final = 1000
MOST_PROBLEMS: Final = 200

CheckSignature = Callable[[int, bytes, bytes], bool]
"""Whether a signature over a size and a root is genuine."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A size of the log and the root that it then had."""

    size: int
    root: bytes


@dataclass(frozen=True, slots=True)
class Verification:
    """What a walk found; ``problems`` name rows by their ids and never quote their content."""

    size: int
    root: bytes
    runs: int
    problems: tuple[str, ...]

    @property
    def ok(self) -> bool:
        """Whether nothing was found."""
        return not self.problems


@dataclass(slots=True)
class LogWalk:
    """The part of a verification that needs only the log itself, fed leaf by leaf.

    ``run_sha256`` of a ``run.created`` leaf is the digest of the run's row as it is now.
    """

    check_signature: CheckSignature
    trusted: Sequence[Checkpoint] = ()
    frontier: Frontier = field(default_factory=Frontier)
    problems: list[str] = field(default_factory=list)
    runs: int = 0
    completed: list[Node] = field(default_factory=list)
    _unsettled: dict[str, str] = field(default_factory=dict)
    _trusted_roots: dict[int, set[bytes]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for checkpoint in self.trusted:
            if checkpoint.size > 0:
                self._trusted_roots.setdefault(checkpoint.size, set()).add(checkpoint.root)

    def report(self, problem: str) -> None:
        """Note a problem; beyond the limit only the first ones are kept."""
        if len(self.problems) < MOST_PROBLEMS:
            self.problems.append(problem)

    def leaf(self, index: int, record: bytes, run_sha256: str | None) -> dict[str, Any]:
        """Append a leaf and judge what it says about its run; return the record."""
        if index != self.frontier.size:
            self.report(f"leaf {self.frontier.size} is missing: leaf {index} stands in its place")
        self.completed += self.frontier.extend([leaf_hash(record)])
        for root in self._trusted_roots.pop(self.frontier.size, ()):
            if root != self.frontier.root():
                self.report(f"the log of size {self.frontier.size} is not the one of a trusted checkpoint")
        try:
            content: dict[str, Any] = json.loads(record)
            event, subject = content["event"], content["subject"]
        except (ValueError, KeyError, TypeError, RecursionError):
            event = subject = None
        if not isinstance(event, str) or not isinstance(subject, str):
            self.report(f"leaf {index} is not a record")
            return {}
        said = content.get("row_sha256")
        if event == RUN_CREATED:
            self.runs += 1
            if run_sha256 is None:
                self.report(f"run {subject} of leaf {index} is missing")
            elif run_sha256 != said:
                self._unsettled[subject] = run_sha256
        elif event in RUN_FINAL_EVENTS and self._unsettled.pop(subject, None) != said:
            self.report(f"run {subject} differs from leaf {index}, which ended it")
        return content

    def checkpoint(self, size: int, root: bytes, signature: bytes) -> None:
        """Judge a checkpoint of the present size."""
        if root != self.frontier.root():
            self.report(f"the checkpoint of size {size} has another root than the log")
        if not self.check_signature(size, root, signature):
            self.report(f"the signature of the checkpoint of size {size} is not genuine")

    def finish(self, last_checkpoint: int) -> Verification:
        """Judge what only the end can tell."""
        size = self.frontier.size
        if last_checkpoint != size:
            self.report(f"the log has {size} leaves, its last checkpoint is of {last_checkpoint}")
        if self._trusted_roots:
            self.report(f"the log has {size} leaves, a trusted checkpoint is of {max(self._trusted_roots)}")
        for run_id in self._unsettled:
            self.report(f"run {run_id} differs from its leaf")
        return Verification(size, self.frontier.root(), self.runs, tuple(self.problems))


def stored_run_digest(run: AnyRow) -> str:
    """Digest of a run's row from the stored bytes, whatever its digest columns say."""
    result = None if run.result is None else hex_sha256(bytes(run.result))
    return run_digest(run._asdict(), input_sha256=hex_sha256(bytes(run.input)), result_sha256=result)


Step = tuple[AnyRow, AnyRow | None, AnyRow | None]


def log_pages(connection: Connection) -> Iterator[Sequence[Step]]:
    """Every leaf in order with the run it created and the checkpoint signed after it."""
    entry_query = select(*readable(connection, audit_entries.c)).order_by(audit_entries.c.leaf_index).limit(PAGE)
    entries: Sequence[AnyRow] = connection.execute(entry_query).all()
    while entries:
        first, last = entries[0].leaf_index, entries[-1].leaf_index
        made = select(*readable(connection, runs.c)).where(runs.c.leaf_index.between(first, last))
        after = audit_checkpoints.c.size.between(first + 1, last + 1)
        signed = select(*readable(connection, audit_checkpoints.c)).where(after)
        run_at: dict[int, AnyRow] = {run.leaf_index: run for run in connection.execute(made)}
        signed_at: dict[int, AnyRow] = {checkpoint.size: checkpoint for checkpoint in connection.execute(signed)}
        yield [(entry, run_at.get(entry.leaf_index), signed_at.get(entry.leaf_index + 1)) for entry in entries]
        entries = connection.execute(entry_query.where(audit_entries.c.leaf_index > last)).all()
