"""Settings from environment variables (`SP404_…`), read once."""

import os
from collections.abc import Callable
from enum import StrEnum
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, AliasChoices, Field, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict, SettingsError

from sp404_app import setting_formats

MB = 1 << 20
DOCKER_SECRETS = "/run/secrets"
Network = IPv4Network | IPv6Network
# Variables that limit the threads of numerical libraries; set to 1 in each worker.
SINGLE_THREADED = (
    "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS",
)  # fmt: skip


def _or_empty(check: Callable[[str], str]) -> AfterValidator:
    """Return a validator that accepts the empty default as well."""
    return AfterValidator(lambda value: check(value) if value else value)


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

    # An empty variable is one that is not set: `SP404_HOME=` must not mean the current folder.
    model_config = SettingsConfigDict(
        env_prefix="SP404_", env_ignore_empty=True, frozen=True, extra="ignore"
    )

    env: Environment = Environment.DEVELOPMENT
    home: Path = Path("~/.local/share/sp404")
    host: Annotated[str, AfterValidator(setting_formats.listening_address)] = "127.0.0.1"
    port: int = Field(3000, ge=1, le=65535, validation_alias=AliasChoices("PORT", "SP404_PORT"))
    public_url: Annotated[str, _or_empty(setting_formats.public_address)] = ""
    database_url: Annotated[str, _or_empty(setting_formats.database_address)] = ""
    database_pool_url: Annotated[str, _or_empty(setting_formats.database_address)] = ""
    redis_url: Annotated[str, _or_empty(setting_formats.redis_address)] = ""
    storage_url: Annotated[str, _or_empty(setting_formats.storage_address)] = ""
    smtp_url: Annotated[str, _or_empty(setting_formats.mail_address)] = ""
    mail_from: Annotated[str, _or_empty(setting_formats.sender)] = "Crate 404 <noreply@localhost>"
    accept_newer_database: bool = False
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
    billing: bool = True
    plan: Literal["free", "pro", "enterprise"] = "enterprise"  # of everybody, without billing
    stripe_secret_key: str = ""
    stripe_webhook_secret: Annotated[tuple[str, ...], NoDecode] = ()
    stripe_price_pro: str = ""
    stripe_price_pro_year: str = ""
    stripe_price_enterprise: str = ""
    stripe_price_enterprise_year: str = ""
    metrics_token: Annotated[tuple[str, ...], NoDecode] = ()
    metrics_port: int = Field(0, ge=0, le=65535)
    sentry_dsn: Annotated[str, _or_empty(setting_formats.sentry_address)] = ""
    sentry_environment: str = ""
    operators: Annotated[tuple[str, ...], NoDecode] = ()
    pages_dir: Path | None = None
    bundle_dir: Path | None = None
    log_level: Annotated[str, AfterValidator(setting_formats.log_level)] = "INFO"
    log_format: LogFormat | None = None

    @field_validator("home", "secrets_dir", "pages_dir", "bundle_dir")
    @classmethod
    def _expand_path(cls, path: Path | None) -> Path | None:
        try:
            return path.expanduser().absolute() if path else None
        except RuntimeError as error:
            raise ValueError("it names the home of a user that does not exist") from error

    @field_validator("pages_dir")
    @classmethod
    def _require_folder(cls, path: Path | None) -> Path | None:
        if path and not path.is_dir():
            raise ValueError("it must be a folder that exists")
        return path

    @field_validator("database_pool_url")
    @classmethod
    def _require_direct_address(cls, url: str, info: ValidationInfo) -> str:
        # Without the second condition, an invalid direct address would be reported twice.
        if url and "database_url" in info.data and not info.data["database_url"]:
            raise ValueError("it needs SP404_DATABASE_URL, the direct address, beside it")
        return url

    @field_validator("stripe_webhook_secret", "metrics_token", mode="before")
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
        """Return whether the Stripe emulator is used; never in production or without billing."""
        return self.billing and not self.in_production and not self.stripe_secret_key

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
    return Settings(_secrets_dir=_secret_files())  # pyright: ignore[reportCallIssue] - fields come from the environment


def _secret_files() -> Path | None:
    """Return the folder with files named after settings: of systemd credentials, or of Docker.

    Raises:
        SettingsError: If it cannot be read, or has a folder in the place of a file.
    """
    folder = secret_files_folder()
    try:
        if not folder.is_dir():
            return None
        for path in folder.iterdir():
            if path.name.lower().startswith("sp404_") and path.is_dir():
                raise SettingsError(f"{path} is a folder: a secret is a file")
    except OSError as error:
        raise SettingsError(f"{folder} cannot be read: {error.strerror}") from error
    return folder


def secret_files_folder() -> Path:
    """Return where files named after settings may be."""
    return Path(os.environ.get("CREDENTIALS_DIRECTORY", DOCKER_SECRETS))
