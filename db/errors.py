"""What the store may answer instead of a receipt. No message carries a stored or submitted value."""


class StoreError(Exception):
    """Base of every error of this package."""


class DatabaseUnavailable(StoreError):
    """The database cannot be reached or cannot write now.

    When the connection broke during COMMIT the write may be stored all the same; an
    idempotency key makes the repetition safe.
    """


class DatabaseFileMoved(DatabaseUnavailable):
    """The file of the embedded database was moved, removed or replaced since it was opened."""


class QueueFull(StoreError):
    """The writer has as many waiting writes as it may hold."""


class WriterStopped(StoreError):
    """The writer is draining or was never started."""


class IdempotencyMismatch(StoreError):
    """The idempotency key belongs to another request."""


class RowRejected(StoreError):
    """The database refused this write alone; ``reason`` is the kind of refusal."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"the database refused the row ({reason})")
        self.reason = reason


class UnknownRow(StoreError):
    """The run, key or outcome that the write refers to does not exist for this tenant."""


class OutcomeCorrected(StoreError):
    """The outcome that this one corrects has a correction already."""


class DeathRecorded(StoreError):
    """The run has a death already, which the outcome does not correct."""


class RunClosed(StoreError):
    """The run is no longer queued or running, or another worker holds its lease."""


class LogInconsistent(StoreError):
    """The stored log contradicts itself; nothing may be appended to it."""


class SchemaTooNew(StoreError):
    """A newer release made the schema, and this one cannot work with it."""


class BackupInvalid(StoreError):
    """The backup is damaged, made by a newer release, or does not verify; or the target is not empty."""
