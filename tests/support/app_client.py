"""The application in this process, with its lifespan, behind a blocking client."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx

from api.app import create_app
from service.settings import Settings


class AppClient:
    """Blocking calls into an application that runs in a thread of its own."""

    def __init__(self, settings: Settings) -> None:
        self.app = create_app(settings)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> "AppClient":
        self._thread.start()
        self._lifespan = self.app.router.lifespan_context(self.app)
        self._await(self._lifespan.__aenter__())
        transport = httpx.ASGITransport(app=self.app, raise_app_exceptions=False)
        self._client = httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1")
        return self

    def __exit__(self, *_: object) -> None:
        self._await(self._client.aclose())
        self._await(self._lifespan.__aexit__(None, None, None))
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    @property
    def runtime(self) -> Any:
        return self.app.state.runtime

    def request(self, method: str, url: str, **options: Any) -> httpx.Response:
        return self._await(self._client.request(method, url, **options))

    def get(self, url: str, **options: Any) -> httpx.Response:
        return self.request("GET", url, **options)

    def post(self, url: str, **options: Any) -> httpx.Response:
        return self.request("POST", url, **options)

    def gather(self, calls: list[tuple[str, str, dict[str, Any]]]) -> list[httpx.Response]:
        async def every() -> list[httpx.Response]:
            return await asyncio.gather(*(self._client.request(m, u, **o) for m, u, o in calls))

        return self._await(every())

    def _await(self, coroutine: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(timeout=120)


@contextmanager
def open_client(**settings: Any) -> Iterator[AppClient]:
    with AppClient(Settings(**{"warm_up": False, **settings})) as client:
        yield client
