"""The server process: uvicorn with this service's limits, and an end that load balancers can follow."""

import asyncio
import contextlib
import socket
import sys

import uvicorn
from uvicorn.config import STARTUP_FAILURE

from service.settings import Settings

_TICK_SECONDS = 0.1


class _Server(uvicorn.Server):
    """Says that it stops before it does."""

    def __init__(self, config: uvicorn.Config, notice_seconds: float) -> None:
        super().__init__(config)
        self._notice_seconds = notice_seconds

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Let readiness fail for the time of notice, then refuse connections and end the requests in hand."""
        self.lifespan.state["runtime"].draining = True
        end = asyncio.get_running_loop().time() + self._notice_seconds
        while asyncio.get_running_loop().time() < end and not self.force_exit:
            await asyncio.sleep(_TICK_SECONDS)
        await super().shutdown(sockets)


def serve(settings: Settings) -> None:
    """Serve HTTP until a signal; end the process with status 3 where the start fails."""
    config = uvicorn.Config(
        "api.app:create_app",
        factory=True,
        http="api.connections:BoundedProtocol",
        ws="none",
        host=settings.host,
        port=settings.port,
        log_config=None,
        log_level="warning",
        access_log=False,
        server_header=False,
        limit_concurrency=settings.max_connections,
        timeout_graceful_shutdown=int(settings.drain_seconds),
    )
    config.load_app()
    server = _Server(config, settings.drain_notice_seconds)
    with contextlib.suppress(KeyboardInterrupt):
        server.run()
    if not server.started:
        sys.exit(STARTUP_FAILURE)
