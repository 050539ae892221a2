"""Settings from environment variables (`SP404_…`), read once."""

import os
from enum import StrEnum
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated

from pydantic import AliasChoices, Field, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

MB = 1 << 20
Network = IPv4Network | IPv6Network
# Variables that limit the threads of numerical libraries; set to 1 in each worker.
SINGLE_THREADED = (
    "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS",
)  # fmt: skip


class Environment(StrEnum):
    """Whether development defaults are allowed."""

    DEVELOPMENT = "development"
    PRODUCTION = "production"


class LogFormat(StrEnum):
    """How sentences for the operator are written; logs are always JSON."""

    TEXT = "text"
    JSON = "json"


class Settings(BaseSettings):
    """All settings; `.env.example` documents each of them."""

    model_config = SettingsConfigDict(env_prefix="SP404_", frozen=True, extra="ignore")

    env: Environment = Environment.DEVELOPMENT
    home: Path = Path("~/.local/share/sp404")
    host: str = "127.0.0.1"
    port: int = Field(3000, ge=1, le=65535, validation_alias=AliasChoices("PORT", "SP404_PORT"))
    public_url: str = ""
    database_url: str = ""
    redis_url: str = ""
    storage_url: str = ""
    smtp_url: str = ""
    mail_from: str = "SP-404 Library <noreply@localhost>"
    secrets_dir: Path | None = None
    max_upload_mb: int = Field(512, ge=1)
    render_cache_gb: int = Field(20, ge=1)
    export_cache_gb: int = Field(40, ge=1)
    workers: int = Field(default_factory=lambda: max(1, min(4, os.cpu_count() or 1)), ge=0)
    web_processes: int = Field(1, ge=1)
    drain_seconds: float = Field(30.0, ge=0)
    drain_notice_seconds: float | None = Field(None, ge=0)
    demo: bool = True
    trusted_proxies: Annotated[tuple[Network, ...], NoDecode] = ()
    requests_per_minute: int = Field(100, ge=1)
    media_requests_per_minute: int = Field(6000, ge=1)
    sign_ins_per_minute: int = Field(10, ge=1)
    stripe_secret_key: str = ""
    stripe_webhook_secret: Annotated[tuple[str, ...], NoDecode] = ()
    stripe_price_pro: str = ""
    stripe_price_enterprise: str = ""
    metrics_token: str = ""
    operators: Annotated[tuple[str, ...], NoDecode] = ()
    pages_dir: Path | None = None
    log_level: str = "INFO"
    log_format: LogFormat | None = None

    @field_validator("home", "secrets_dir", "pages_dir")
    @classmethod
    def _expand_path(cls, path: Path | None) -> Path | None:
        return path.expanduser().absolute() if path else None

    @field_validator("stripe_webhook_secret", mode="before")
    @classmethod
    def _split_list(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        return tuple(filter(None, (part.strip() for part in value.split(","))))

    @field_validator("trusted_proxies", mode="before")
    @classmethod
    def _parse_networks(cls, value: object) -> object:
        split = cls._split_list(value)
        # An invalid network stops the start: ignored, all clients behind that proxy would share
        # one rate limit.
        return tuple(map(_parse_network, split)) if isinstance(split, tuple) else split

    @field_validator("operators", mode="before")
    @classmethod
    def _parse_operators(cls, value: object) -> object:
        return cls._split_list(value.lower() if isinstance(value, str) else value)

    @property
    def in_production(self) -> bool:
        """Return whether this is a production installation."""
        return self.env is Environment.PRODUCTION

    @property
    def drain_notice_s(self) -> float:
        """Return how long a stop is announced by `/api/health/ready` before it begins."""
        if self.drain_notice_seconds is None:
            return 5.0 if self.in_production else 0.0
        return self.drain_notice_seconds

    @property
    def logs_are_collected(self) -> bool:
        """Return whether sentences for the operator are JSON, too; by default in production."""
        if self.log_format is None:
            return self.in_production
        return self.log_format is LogFormat.JSON

    @property
    def stripe_emulated(self) -> bool:
        """Return whether the Stripe emulator is used; never in production."""
        return not self.in_production and not self.stripe_secret_key

    @property
    def origin(self) -> str:
        """Return the public origin: scheme, host and port, without a slash."""
        return self.public_url.rstrip("/") or f"http://localhost:{self.port}"

    @property
    def secrets(self) -> Path:
        """Return the folder of secrets (mode 0700)."""
        return self.secrets_dir or self.home / "secrets"

    @property
    def outbox(self) -> Path:
        """Return the folder of the development outbox."""
        return self.home / "outbox"

    @property
    def max_upload_bytes(self) -> int:
        """Return the maximum size of an uploaded file."""
        return self.max_upload_mb * MB

    @property
    def render_cache_bytes(self) -> int:
        """Return how many bytes of rendered pads are kept for all users together."""
        return self.render_cache_gb * 1024 * MB

    @property
    def export_cache_bytes(self) -> int:
        """Return how many bytes of exported projects are kept for all users together."""
        return self.export_cache_gb * 1024 * MB

    @property
    def storage(self) -> str:
        """Return the URL of the object store; a folder in `home` by default."""
        return self.storage_url or (self.home / "sounds").as_uri()


def _parse_network(name: object) -> Network:
    try:
        return ip_network(str(name))
    except ValueError as error:
        raise ValueError(f"{error}; list addresses or networks, separated by commas") from error


@lru_cache
def settings() -> Settings:
    """Return the settings; cached, so tests that change them call `settings.cache_clear()`."""
    return Settings()  # pyright: ignore[reportCallIssue] - fields come from the environment
