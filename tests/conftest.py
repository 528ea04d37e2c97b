"""Fixtures that every test may use."""

from tests.support.databases import database_url, engine, postgresql_server

__all__ = ["database_url", "engine", "postgresql_server"]
