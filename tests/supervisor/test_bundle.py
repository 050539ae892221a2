"""Bundles of built pages: copied, chosen, and refused if they do not fit the sources."""

from pathlib import Path

import pytest

from sp404_app.settings import Settings
from sp404_app.supervisor import bundle, frontend
from sp404_app.supervisor.build import INSTALLED, LOCK_FILE, clean_build_folder
from sp404_app.supervisor.errors import Failure
from sp404_app.supervisor.home import Home


def write_pages(folder: Path, fingerprint: str, page: str = "page") -> Path:
    """Write a bundle with one page, and with files of the build that do not belong into it."""
    for name in ("backend", "build/client/assets", "node_modules"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    (folder / "build" / "client" / "index.html").write_text(page)
    (folder / bundle.STAMP).write_text(fingerprint)
    return folder


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path / "home")
    home.prepare()
    return home


def page_of(folder: Path) -> str:
    return (folder / "build" / "client" / "index.html").read_text()


def test_a_bundle_holds_the_pages_and_nothing_else_of_the_build(home: Home) -> None:
    write_pages(home.web, "", "new")
    folder = home.bundles / "one"
    bundle.write_bundle(home.web, folder, "sources")
    assert page_of(folder) == "new"
    assert bundle.fingerprint_of(folder) == "sources"
    assert {path.name for path in folder.iterdir()} == {"backend", "build"}
    assert [path.name for path in home.bundles.iterdir()] == ["one"]


def test_bundles_are_removed_only_when_none_can_be_served(home: Home) -> None:
    """A web server may still serve the first one when two others were built since."""
    for name in ("a", "b", "c"):
        write_pages(bundle.folder_for(home, name), name)
        bundle.select_bundle(home, name)
        assert bundle.fingerprint_of(home.bundle) == name
    assert {path.name for path in home.bundles.iterdir()} == {"a", "b", "c"}
    bundle.remove_unused_bundles(home)
    assert {path.name for path in home.bundles.iterdir()} == {"c"}


def test_a_copy_replaces_a_former_bundle_but_no_other_folder(home: Home, tmp_path: Path) -> None:
    target = tmp_path / "out" / "bundle"
    for fingerprint in ("one", "two"):
        source = write_pages(bundle.folder_for(home, fingerprint), fingerprint, fingerprint)
        bundle.copy_bundle(source, target)
        assert page_of(target) == fingerprint
    other = tmp_path / "documents"
    other.mkdir()
    (other / "letter").write_text("mine")
    with pytest.raises(Failure, match="is not empty and holds no bundle"):
        bundle.copy_bundle(target, other)
    assert (other / "letter").read_text() == "mine"


def test_a_prebuilt_bundle_of_other_sources_stops_the_start(home: Home, tmp_path: Path) -> None:
    folder = tmp_path / "shipped"
    settings = Settings(bundle_dir=folder)
    with pytest.raises(Failure, match="holds no built pages"):
        frontend.has_pages(settings, home, "mine")
    write_pages(folder, "other")
    with pytest.raises(Failure, match="was built from other sources"):
        frontend.has_pages(settings, home, "mine")
    write_pages(folder, "mine")
    assert frontend.has_pages(settings, home, "mine")
    assert not home.bundle.exists()


def test_a_build_starts_without_files_of_the_former_one(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "reflex.lock").mkdir()
    for folder in (home.web, tmp_path / "reflex.lock"):
        (folder / LOCK_FILE).write_text("one")
    (home.web / INSTALLED).write_text("")
    (home.web / "public").mkdir()
    (home.web / "public" / "gone.css").write_text("")
    (home.web / "node_modules").mkdir()
    clean_build_folder(home.web)
    assert {path.name for path in home.web.iterdir()} == {LOCK_FILE, INSTALLED, "node_modules"}
    (tmp_path / "reflex.lock" / LOCK_FILE).write_text("two")
    clean_build_folder(home.web)
    assert {path.name for path in home.web.iterdir()} == {LOCK_FILE, "node_modules"}
