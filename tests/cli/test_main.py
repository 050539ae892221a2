"""Commands print one message and return an exit code."""

import socket
from pathlib import Path

import psycopg
import pytest

from sp404_app.cli import main
from sp404_app.settings import Settings
from sp404_app.supervisor import listener, migrations, production_checks
from sp404_app.supervisor.environment import ROOT
from sp404_app.supervisor.errors import Failure
from sp404_app.supervisor.preflight import ensure_keys

SAFE = {
    "env": "production",
    "database_url": "postgresql://db/sp404",
    "redis_url": "redis://cache",
    "smtp_url": "smtp://mail",
    "public_url": "https://sounds.example",
    "stripe_secret_key": "rk_live_1",
    "stripe_webhook_secret": "whsec_1",
}


@pytest.mark.parametrize("missing", [name for name in SAFE if name != "env"])
def test_production_rejects_development_defaults(missing: str) -> None:
    settings = Settings.model_validate({**SAFE, missing: ""})
    with pytest.raises(Failure, match=f"SP404_{missing.upper()}") as failure:
        production_checks.ensure_production_settings(settings)
    assert "\n" not in str(failure.value)


def test_production_starts_with_everything_set(environment: pytest.MonkeyPatch) -> None:
    production_checks.ensure_production_settings(Settings.model_validate(SAFE))
    production_checks.ensure_production_settings(Settings())  # type: ignore[call-arg]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "many"),
        ("SP404_WORKERS", "-1"),
        ("SP404_ENV", "staging"),
        ("SP404_TRUSTED_PROXIES", "10.0.0.0/8, proxy.example"),
        ("SP404_TRUSTED_PROXIES", "10.0.0.1/8"),
    ],
)
def test_an_invalid_setting_gives_one_message(
    environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str, value: str
) -> None:
    environment.setenv(name, value)
    assert main.main(["serve"]) == 1
    output = capsys.readouterr().err
    assert output.startswith(name)
    assert output.count("\n") == 1


def test_every_setting_is_documented() -> None:
    explained = (ROOT / ".env.example").read_text()
    names = [f"SP404_{name.upper()}" for name in Settings.model_fields if name != "port"]
    assert [name for name in (*names, "PORT") if f"#{name}=" not in explained] == []


def test_migrate_needs_a_database(
    environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main.main(["migrate"]) == 1
    assert "SP404_DATABASE_URL" in capsys.readouterr().err


def test_migrate_can_run_again(services: Settings) -> None:
    assert main.main(["migrate"]) == 0


def test_a_missing_database_gives_one_message(tmp_path: Path) -> None:
    with pytest.raises(Failure, match="cannot be used"):
        migrations.run_migrations(f"postgresql://postgres@/none?host={tmp_path}")


def test_a_database_of_a_newer_version_gives_one_message(services: Settings) -> None:
    with psycopg.connect(services.database_url) as connection:
        row = connection.execute("select version_num from alembic_version").fetchone()
        assert row
        connection.execute("update alembic_version set version_num = 'future'")
    try:
        with pytest.raises(Failure, match="update the program"):
            migrations.run_migrations(services.database_url)
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
