"""One application with an embedded database for the tests of this folder."""

from collections.abc import Iterator

import pytest

from tests.support.app_client import AppClient, open_client


@pytest.fixture(scope="session")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AppClient]:
    with open_client(data_dir=tmp_path_factory.mktemp("app"), log_level="ERROR") as opened:
        yield opened
