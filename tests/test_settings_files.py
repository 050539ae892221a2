"""Settings from files, as Docker and systemd pass secrets."""

from pathlib import Path

import pytest

from sp404_app.settings import settings


def test_a_file_named_after_a_setting_sets_it(
    environment: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "sp404_database_url").write_text("postgresql://from/file\n")
    (tmp_path / "sp404_redis_url").write_text("redis://from-file")
    (tmp_path / "sp404_stripe_webhook_secret").write_text("whsec_1,whsec_2\n")
    (tmp_path / "other").write_text("no setting")
    environment.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    environment.setenv("SP404_REDIS_URL", "redis://from-environment")
    environment.delenv("SP404_DATABASE_URL", raising=False)
    settings.cache_clear()
    assert settings().database_url == "postgresql://from/file"
    assert settings().redis_url == "redis://from-environment"
    assert settings().stripe_webhook_secret == ("whsec_1", "whsec_2")


def test_without_such_a_folder_settings_come_from_the_environment(
    environment: pytest.MonkeyPatch,
) -> None:
    environment.setenv("CREDENTIALS_DIRECTORY", "/nonexistent")
    settings.cache_clear()
    assert settings().mail_from
