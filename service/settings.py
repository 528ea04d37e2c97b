"""Configuration: environment variables with the prefix ABSCOPE_, secrets also as files."""

import os
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from service.errors import AbscopeError
from service.loopback import is_loopback

_MISSPELLED = 0.85
"""Likeness of two names from which on one is taken for a slip of the other."""
_SECRETS = ("database_url", "key_pepper", "signing_key")


class UnsafeConfiguration(AbscopeError):
    """The settings would expose the service; the message says what to set instead."""


class Settings(BaseSettings):
    """Every setting of the service.

    A secret ``ABSCOPE_X`` may be given as a file by ``ABSCOPE_X_FILE``.
    """

    model_config = SettingsConfigDict(env_prefix="ABSCOPE_", extra="ignore", frozen=True)

    host: str = "127.0.0.1"
    port: int = Field(8000, ge=0, le=65535)
    data_dir: Path = Path("data")
    database_url: SecretStr | None = None
    auth: Literal["none", "keys", "oidc"] = "none"
    key_pepper: SecretStr | None = None
    signing_key: SecretStr | None = None
    oidc_issuer: str | None = None
    oidc_audience: str | None = None
    oidc_jwks_url: str | None = None
    oidc_tenant_claim: str = "tenant"
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    compute_threads: int = Field(2, ge=1, le=64)
    compute_queue: int = Field(64, ge=1, le=10000)
    writer_queue: int = Field(4096, ge=1, le=100000)
    writer_batch: int = Field(512, ge=1, le=4096)
    max_body_bytes: int = Field(8_388_608, ge=1024)
    max_upload_bytes: int = Field(536_870_912, ge=1024)
    max_batch_bytes: int = Field(67_108_864, ge=1024)
    max_connections: int = Field(1000, ge=1, le=1000000)
    drain_seconds: float = Field(20.0, ge=0, le=600)
    drain_notice_seconds: float = Field(0.0, ge=0, le=600)
    warm_up: bool = Field(True, description="Compute every example once after the start.")
    store_runs: bool = Field(True, description="Off only to measure what storing costs; answers are then not durable.")

    @model_validator(mode="before")
    @classmethod
    def _secret_files(cls, values: dict[str, object]) -> dict[str, object]:
        for name in _SECRETS:
            path = os.environ.get(f"ABSCOPE_{name.upper()}_FILE")
            if path and values.get(name) is None:
                values[name] = Path(path).read_text(encoding="utf-8").strip()
        return values

    @model_validator(mode="after")
    def _oidc_is_complete(self) -> Self:
        if self.auth == "oidc" and not (self.oidc_issuer and self.oidc_audience and self.oidc_jwks_url):
            raise ValueError(
                "ABSCOPE_AUTH=oidc needs ABSCOPE_OIDC_ISSUER, ABSCOPE_OIDC_AUDIENCE and ABSCOPE_OIDC_JWKS_URL"
            )
        if self.oidc_jwks_url and not self.oidc_jwks_url.startswith(("https://", "http://")):
            raise ValueError("ABSCOPE_OIDC_JWKS_URL must begin with https:// or http://")
        return self

    @property
    def address(self) -> str:
        """Host and port as a URL has them."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @cached_property
    def database(self) -> str:
        """The SQLAlchemy URL in use; the embedded SQLite file without a setting."""
        if self.database_url is not None:
            return self.database_url.get_secret_value()
        return f"sqlite:///{self.data_dir.resolve() / 'abscope.db'}"

    def require_known_variables(self) -> None:
        """Refuse a misspelled setting, which would silently leave the default.

        Other ABSCOPE_ variables are left alone: orchestrators set such ones for a service of that name.

        Raises
        ------
        UnsafeConfiguration
            The environment has a variable that is nearly a setting.
        """
        names = [*type(self).model_fields, *(f"{name}_file" for name in _SECRETS)]
        known = {f"ABSCOPE_{name.upper()}" for name in names}
        for name in sorted(os.environ):
            if name.upper().startswith("ABSCOPE_") and name.upper() not in known:
                likely = get_close_matches(name.upper(), known, 1, cutoff=_MISSPELLED)
                if likely:
                    raise UnsafeConfiguration(f"{name}: no such setting; did you mean {likely[0]}?")

    def require_safe_listener(self) -> None:
        """Refuse to listen beyond loopback without authentication.

        Raises
        ------
        UnsafeConfiguration
            ``auth`` is ``none`` and ``host`` is not a loopback address.
        """
        if self.auth == "none" and not is_loopback(self.host):
            raise UnsafeConfiguration(
                f"without authentication the service listens on loopback only, not on {self.host}: "
                "set ABSCOPE_AUTH=keys (then create a key with 'abscope keys create') or ABSCOPE_AUTH=oidc, "
                "or set ABSCOPE_HOST=127.0.0.1"
            )
