"""What can go wrong for a reason the caller can understand. HTTP status codes live in api/problems.py."""


class AbscopeError(Exception):
    """Base of every expected error; ``detail`` is one sentence without submitted values."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class InvalidInput(AbscopeError):
    """The input fits the schema but not the computation.

    Parameters
    ----------
    pointer : str
        JSON pointer of the wrong member, ``/plan/radiotherapy/0/fractions``.
    message : str
        What is wrong and how to mend it, without the submitted value.
    """

    def __init__(self, pointer: str, message: str) -> None:
        super().__init__(message)
        self.errors = [{"pointer": pointer, "message": message}]


class NotFound(AbscopeError):
    """Nothing with this id is visible to the caller."""


class Conflict(AbscopeError):
    """The request collides with one that is still in flight."""


class FinalState(AbscopeError):
    """What is stored is final and does not allow the request; waiting does not help."""


class IdempotencyMismatch(AbscopeError):
    """The idempotency key was used with another request."""


class Unauthorized(AbscopeError):
    """No valid credentials."""


class Forbidden(AbscopeError):
    """The credentials do not carry the needed scope."""


class ForeignRequest(AbscopeError):
    """A service for this computer alone was asked by another name, or by a page of another origin."""


class Overloaded(AbscopeError):
    """The service cannot take more work now; try again later."""


class KeySetUnavailable(AbscopeError):
    """The keys of the token issuer cannot be reached."""


class StoreUnavailable(AbscopeError):
    """The database cannot be reached; repeating with the idempotency key tells whether the run was stored."""
