"""The HTTP/1.1 protocol with limits on what comes before a request reaches the application."""

import asyncio
from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from api import problems
from service.errors import Overloaded
from service.ids import new_id

HEAD_BYTES: Final = 65_536
HEAD_SECONDS: Final = 10.0


class BoundedProtocol(HttpToolsProtocol):
    """Refuses heads and trailers above HEAD_BYTES, heads slower than HEAD_SECONDS, and connections beyond the limit.

    The bytes since the parser's last progress are counted, so that also a member that never ends is seen.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        # the base class would refuse in plain text, and only once a head is complete
        self._most_connections, self.limit_concurrency = self.limit_concurrency, None
        self._pending_bytes = 0
        self._in_head = True
        self._deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take a connection, or refuse it while there are too many."""
        super().connection_made(transport)
        if self._most_connections is not None and len(self.connections) > self._most_connections:
            self._refuse(Overloaded("too many connections are open"))
            return
        self._deadline = self.loop.call_later(HEAD_SECONDS, transport.close)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection and its deadline."""
        self._forget_deadline()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse what came; refuse when nothing that ends has come for too many bytes."""
        self._pending_bytes += len(data)
        super().data_received(data)
        if self.transport.is_closing():
            return
        if self._pending_bytes > HEAD_BYTES:
            self._refuse(_too_large())
        elif self._in_head and self._deadline is None:
            self._deadline = self.loop.call_later(HEAD_SECONDS, self.transport.close)

    def on_message_begin(self) -> None:
        """Start a head."""
        self._in_head = True
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Start the request, unless its head came at once and is too large.

        Raises
        ------
        HeadersTooLarge
            To the parser, which ends.
        """
        if self._pending_bytes > HEAD_BYTES:
            size = len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)
            if size > HEAD_BYTES:
                raise _too_large()
        self._pending_bytes = 0
        self._in_head = False
        self._forget_deadline()
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Take a part of the body."""
        self._pending_bytes = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """End the request."""
        self._pending_bytes = 0
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        """Refuse what the parser could not read, or what a callback above refused."""
        oversized = self._pending_bytes > HEAD_BYTES
        self._refuse(_too_large() if oversized else problems.MalformedHttp("the bytes are not an HTTP/1.1 request"))

    def _refuse(self, error: Exception) -> None:
        answer = problems.render_for(new_id(), error)
        lines = [STATUS_LINE[answer.status_code], b"connection: close\r\n"]
        lines += [b"%s: %s\r\n" % pair for pair in answer.raw_headers]
        self.transport.write(b"".join((*lines, b"\r\n", bytes(answer.body))))
        self.transport.close()

    def _forget_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None


def _too_large() -> problems.HeadersTooLarge:
    return problems.HeadersTooLarge(f"the headers are larger than {HEAD_BYTES} bytes")
