"""Commands print one message and return an exit code."""

import os
import shutil
import socket
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from sp404_app.cli import main
from sp404_app.settings import Settings, settings
from sp404_app.supervisor import listener, migrations, production_checks, service_checks
from sp404_app.supervisor.environment import ROOT
from sp404_app.supervisor.errors import ConfigurationError, Failure
from sp404_app.supervisor.preflight import ensure_keys, ensure_reachable
from tests.product import free_port

SAFE = {
    "env": "production",
    "database_url": "postgresql://db/sp404",
    "redis_url": "redis://cache",
    "smtp_url": "smtp://mail",
    "public_url": "https://sounds.example",
    "stripe_secret_key": "rk_live_1",
    "stripe_webhook_secret": "whsec_1",
    "mail_from": "Crate 404 <mail@sounds.example>",
    "trusted_proxies": "127.0.0.1",
}


@pytest.mark.parametrize("missing", [name for name in SAFE if name != "env"])
def test_production_rejects_development_defaults(missing: str) -> None:
    settings = Settings.model_validate({**SAFE, missing: ""})
    with pytest.raises(Failure, match=f"SP404_{missing.upper()}") as failure:
        production_checks.ensure_production_settings(settings)
    assert "\n" not in str(failure.value)


def test_a_folder_of_secrets_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    for folder, problem in ((file, "be read"), (file / "secrets", "be made")):
        with pytest.raises(ConfigurationError, match=f"{folder}, cannot {problem}: .* {file},"):
            ensure_reachable(folder)
    ensure_reachable(tmp_path / "new" / "secrets")
    ensure_keys(tmp_path / "new" / "secrets")
    ensure_reachable(tmp_path / "new" / "secrets")


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda path: path.write_bytes(b"\xff\xfe"), "it has no text in UTF-8"),
        (lambda path: path.mkdir(), "is a folder: a secret is a file"),
    ],
    ids=["bytes", "folder"],
)
def test_a_secret_that_is_no_text_is_named(
    environment: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    make: Callable[[Path], object],
    reason: str,
) -> None:
    make(tmp_path / "sp404_smtp_url")
    environment.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    settings.cache_clear()
    assert main.main(["check"]) == 2
    output = capsys.readouterr().err
    assert str(tmp_path / "sp404_smtp_url") in output
    assert reason in output
    assert output.count("\n") == 1


def test_a_secret_that_may_not_be_read_is_named(
    environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with tempfile.TemporaryDirectory() as folder, as_nobody(Path(folder)):
        file = Path(folder) / "sp404_smtp_url"
        file.touch(mode=0)
        environment.setenv("CREDENTIALS_DIRECTORY", folder)
        settings.cache_clear()
        assert main.main(["check"]) == 2
    problem = f"SP404_SMTP_URL cannot be read from {file}: Permission denied.\n"
    assert capsys.readouterr().err == problem


@contextmanager
def as_nobody(folder: Path) -> Iterator[None]:
    """Act as a user whom modes of files restrict, and who owns a folder."""
    if os.geteuid():
        yield
        return
    os.chown(folder, 65534, 65534)
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.mark.parametrize("command", ["worker", "scheduler"])
def test_a_folder_of_metrics_that_cannot_be_made_is_named(
    environment: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    command: str,
) -> None:
    (tmp_path / "file").touch()
    environment.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path / "file" / "metrics"))
    assert main.main([command]) == 1
    assert "PROMETHEUS_MULTIPROC_DIR=" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["worker", "scheduler"])
def test_a_process_alone_without_redis_ends_with_the_reason(
    environment: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    command: str,
) -> None:
    environment.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
    environment.setenv("SP404_DATABASE_URL", "postgresql://u:p@127.0.0.1:1/db")
    environment.setenv("SP404_REDIS_URL", "redis://127.0.0.1:1/0")
    settings.cache_clear()
    assert main.main([command]) == 2
    assert "SP404_REDIS_URL" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["user", "list"], ["backup", "{}/new"], ["keys", "list"]])
def test_a_home_without_a_library_is_named(
    environment: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    arguments: list[str],
) -> None:
    environment.setenv("SP404_HOME", str(tmp_path / "mistyped"))
    settings.cache_clear()
    assert main.main([each.format(tmp_path) for each in arguments]) == 1
    assert f"{tmp_path}/mistyped holds no library" in capsys.readouterr().err
    assert not (tmp_path / "mistyped" / "postgres").exists()


def test_production_starts_with_everything_set(environment: pytest.MonkeyPatch) -> None:
    production_checks.ensure_production_settings(Settings.model_validate(SAFE))
    production_checks.ensure_production_settings(Settings())  # type: ignore[call-arg]


def test_serve_names_every_setting_that_production_needs(
    environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    environment.setenv("SP404_ENV", "production")
    environment.setenv("SP404_BILLING", "off")
    environment.setenv("SP404_LOG_FORMAT", "text")
    assert main.main(["serve"]) == 1
    lines = capsys.readouterr().err.splitlines()
    needed = {f"SP404_{name.upper()}" for name in SAFE if name != "env" and "stripe" not in name}
    assert {line.split()[0] for line in lines} == needed


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "many"),
        ("SP404_PLAN", "gold"),
        ("SP404_BILLING", "maybe"),
        ("SP404_WORKERS", "-1"),
        ("SP404_ENV", "staging"),
        ("SP404_TRUSTED_PROXIES", "10.0.0.0/8, proxy.example"),
        ("SP404_TRUSTED_PROXIES", "10.0.0.1/8"),
        ("SP404_DATABASE_URL", "mysql://app:hunter2@db/sp404"),
        ("SP404_DATABASE_URL", "postgresql://app:hunter2@db"),
        ("SP404_DATABASE_URL", "postgresql://app:hun/hunter2@db/sp404"),
        ("SP404_DATABASE_URL", "postgresql://app:hun@hunter2@db/sp404"),
        ("SP404_DATABASE_URL", "postgresql://app:hunter2@[db/sp404"),
        ("SP404_DATABASE_POOL_URL", "postgresql://app:hunter2@db/sp404"),
        ("SP404_REDIS_URL", "gopher://:hunter2@cache"),
        ("SP404_REDIS_URL", "redis://:hunter2@cache/first"),
        ("SP404_REDIS_URL", "redis://:hunter2@cache:six/0"),
        ("SP404_STORAGE_URL", "gopher://hunter2"),
        ("SP404_STORAGE_URL", "s3://"),
        ("SP404_SMTP_URL", "mail.example:hunter2"),
        ("SP404_MAIL_FROM", "Crate 404"),
        ("SP404_PUBLIC_URL", "sounds.example"),
        ("SP404_PUBLIC_URL", "https://sounds.example/crate"),
        ("SP404_HOME", "~nobody-of-this-name/sounds"),
        ("SP404_HOST", "no host"),
        ("SP404_PAGES_DIR", "/nowhere/pages"),
        ("SP404_LOG_LEVEL", "loud"),
        ("SP404_SENTRY_DSN", "nonsense"),
        ("SP404_SENTRY_DSN", "https://sentry.example/1"),
        ("SP404_SENTRY_DSN", "https://hunter2@sentry.example/"),
        ("SP404_SENTRY_DSN", "https://hunter2@sentry.example/first"),
        ("SP404_DATABASE_URL", "postgresql://app:hunter2@127.0.0.1:1/sp404"),
        ("SP404_REDIS_URL", "redis://:hunter2@127.0.0.1:1/0"),
    ],
)
def test_an_invalid_setting_gives_one_message(
    environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str, value: str
) -> None:
    environment.setenv(name, value)
    environment.setenv("PORT" if name != "PORT" else "SP404_PORT", str(free_port()))
    assert main.main(["serve"]) == 2
    output = capsys.readouterr().err
    assert name in output
    assert output.count("\n") == 1
    assert "hunter2" not in output
    assert not list(Path(os.environ["SP404_HOME"]).glob("*"))  # nothing was built


@pytest.mark.parametrize(
    "command",
    [
        ["user", "list"],
        ["keys", "list"],
        ["backup", "copy"],
        ["restore", "copy"],
        ["migrate"],
        ["import", ".", "--user", "dj@example.org"],
    ],
)
def test_a_database_that_is_away_gives_one_message(
    environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], command: list[str]
) -> None:
    environment.setenv("SP404_DATABASE_URL", "postgresql://app:hunter2@127.0.0.1:1/sp404")
    assert main.main(command) == 2
    output = capsys.readouterr().err
    assert "SP404_DATABASE_URL" in output
    assert output.count("\n") == 1
    assert "hunter2" not in output


def test_a_worker_without_redis_gives_one_message(
    environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    environment.setenv("SP404_REDIS_URL", "redis://127.0.0.1:1/0")
    environment.setenv("SP404_DATABASE_URL", "postgresql://db/sp404")
    assert main.main(["worker"]) == 2
    assert "SP404_REDIS_URL" in capsys.readouterr().err


@pytest.mark.parametrize("host", ["10.255.255.1", "nowhere.invalid"])
def test_a_host_of_another_machine_gives_one_message(host: str) -> None:
    with pytest.raises(ConfigurationError, match="SP404_HOST"):
        listener.bind(host, free_port())


def test_a_redis_that_is_no_redis_gives_one_message() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        threading.Thread(target=lambda: other.accept()[0].sendall(b"220 mail\r\n")).start()
        with pytest.raises(ConfigurationError, match="as a Redis does"):
            service_checks.ensure_redis(f"redis://127.0.0.1:{other.getsockname()[1]}/0")


def test_a_wrong_password_of_redis_gives_one_message(services: Settings) -> None:
    url = f"unix://app:hunter2@{services.redis_url.removeprefix('unix://')}"
    with pytest.raises(ConfigurationError, match="password is wrong") as failure:
        service_checks.ensure_redis(url)
    assert "hunter2" not in str(failure.value)


def test_the_services_of_the_tests_can_be_used(services: Settings) -> None:
    service_checks.ensure_services(services)


def test_postgres_is_another_name_of_postgresql() -> None:
    settings = Settings.model_validate({"database_url": "postgres://app:p%40ss@db/sp404"})
    assert settings.database_url == "postgresql://app:p%40ss@db/sp404"


def test_an_empty_variable_is_one_that_is_not_set(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("SP404_SECRETS_DIR", "")
    environment.setenv("SP404_WORKERS", "")
    assert Settings().secrets == Settings().home / "secrets"  # type: ignore[call-arg]


def test_every_setting_is_documented() -> None:
    explained = (ROOT / ".env.example").read_text()
    names = [f"SP404_{name.upper()}" for name in Settings.model_fields if name != "port"]
    assert [name for name in (*names, "PORT") if f"#{name}=" not in explained] == []


def test_migrate_needs_a_database(
    environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main.main(["migrate"]) == 1
    assert "SP404_DATABASE_URL" in capsys.readouterr().err


def test_migrate_can_run_again_and_says_what_the_database_has(
    services: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main.main(["migrate"]) == 0
    assert migrations.newest_revision() in capsys.readouterr().out


def test_a_missing_database_gives_one_message(tmp_path: Path) -> None:
    with pytest.raises(Failure, match="cannot be used"):
        migrations.run_migrations(f"postgresql://postgres@/none?host={tmp_path}")


def test_a_database_of_a_newer_version_is_refused_unless_that_is_accepted(
    services: Settings, environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with psycopg.connect(services.database_url) as connection:
        row = connection.execute("select version_num from alembic_version").fetchone()
        assert row
        connection.execute("update alembic_version set version_num = 'future'")
    try:
        with pytest.raises(Failure, match="update the program"):
            migrations.run_migrations(services.database_url)
        assert main.main(["migrate"]) == 1
        environment.setenv("SP404_ACCEPT_NEWER_DATABASE", "1")  # back to the version before
        settings.cache_clear()
        assert main.main(["migrate"]) == 0
        assert "served as it is" in capsys.readouterr().err
    finally:
        with psycopg.connect(services.database_url) as connection:
            connection.execute("update alembic_version set version_num = %s", row)


def test_a_taken_port_gives_one_message() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(Failure, match=f"PORT={port + 1}"):
            listener.bind("127.0.0.1", port)
    listener.bind("127.0.0.1", port).close()


def test_modes_of_secret_files_are_restored(
    environment: pytest.MonkeyPatch, services: Settings
) -> None:
    folder = services.secrets
    folder.chmod(0o755)
    next(folder.glob("*.pem")).chmod(0o644)
    ensure_keys(folder)
    assert folder.stat().st_mode & 0o777 == 0o700
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in folder.glob("*.pem"))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files to another user")
def test_secrets_that_a_platform_mounts_stay_as_they_are(
    environment: pytest.MonkeyPatch, services: Settings, tmp_path: Path
) -> None:
    folder = tmp_path / "mounted"
    shutil.copytree(services.secrets, folder)
    (folder / "pepper").write_bytes(os.urandom(32))
    environment.setenv("SP404_SECRETS_DIR", str(folder))
    settings.cache_clear()
    paths = [*folder.iterdir(), folder]
    for path in paths:
        path.chmod(0o750 if path.is_dir() else 0o440)
        os.chown(path, 12345, 12345)
    ensure_keys(folder)
    assert {path.stat().st_mode & 0o777 for path in paths} == {0o750, 0o440}


def test_a_mounted_folder_without_pepper_gives_one_message(
    environment: pytest.MonkeyPatch, services: Settings, tmp_path: Path
) -> None:
    folder = tmp_path / "mounted"
    shutil.copytree(services.secrets, folder, ignore=shutil.ignore_patterns("pepper"))
    environment.setattr(os, "access", lambda *_: False)  # root may write everywhere
    with pytest.raises(Failure, match="no pepper"):
        ensure_keys(folder)


def test_a_broken_key_gives_one_message(environment: pytest.MonkeyPatch, tmp_path: Path) -> None:
    secrets = tmp_path / "secrets"
    secrets.mkdir()
    (secrets / "20200101000000-00000000.pem").write_text("nonsense")
    with pytest.raises(Failure, match="PEM"):
        ensure_keys(secrets)


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main.main(["--help"])
    output = capsys.readouterr().out
    assert all(name in output for name in ("serve", "worker", "backup", "restore", "analyse"))
