"""Assets of former bundles are kept for a day, and no longer."""

import os
import time
from pathlib import Path

import pytest

from sp404_app.services.infra import former_assets
from sp404_app.settings import settings

HOUR_S = 3600.0


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SP404_HOME", str(tmp_path / "home"))
    settings.cache_clear()
    return tmp_path / "home"


def assets_of_build(folder: Path, *names: str) -> Path:
    folder.mkdir(exist_ok=True)
    for name in names:
        (folder / name).write_text(name)
    return folder


def kept() -> set[str]:
    return {path.name for path in former_assets.folder().iterdir()}


def let_pass(hours: float) -> None:
    """Make all files of the store older, as if time had passed."""
    then = time.time() - hours * HOUR_S
    for path in former_assets.folder().iterdir():
        os.utime(path, (then, then))


def test_assets_of_the_former_bundle_stay_for_a_day_after_the_upgrade(tmp_path: Path) -> None:
    former_assets.keep_assets(assets_of_build(tmp_path / "one", "a-1.js", "same.js"))
    let_pass(hours=30 * 24)  # the server ran for a month
    former_assets.keep_assets(assets_of_build(tmp_path / "two", "a-2.js", "same.js"))
    assert kept() == {"a-1.js", "a-2.js", "same.js"}
    assert (former_assets.folder() / "a-1.js").read_text() == "a-1.js"
    let_pass(hours=23)
    former_assets.remove_expired()
    assert kept() == {"a-1.js", "a-2.js", "same.js"}
    let_pass(hours=25)
    former_assets.remove_expired()
    assert kept() == {"a-2.js", "same.js"}


def test_a_restart_does_not_prolong_the_day(tmp_path: Path) -> None:
    former_assets.keep_assets(assets_of_build(tmp_path / "one", "a-1.js"))
    new = assets_of_build(tmp_path / "two", "a-2.js")
    former_assets.keep_assets(new)
    let_pass(hours=25)
    former_assets.keep_assets(new)
    assert kept() == {"a-2.js"}


def test_nothing_is_removed_where_nothing_was_kept() -> None:
    former_assets.remove_expired()
    assert not former_assets.folder().exists()
