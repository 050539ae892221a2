"""The pages are built again only if their sources have changed."""

from pathlib import Path

import pytest

from sp404_app.settings import Settings
from sp404_app.supervisor import bundle, environment, frontend
from sp404_app.supervisor.errors import Failure
from sp404_app.supervisor.home import Home
from tests.supervisor.test_bundle import write_pages


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in (
        "sp404_app/pages/a.py",
        "sp404_app/supervisor/b.py",
        "assets/c.css",
        "reflex.lock/package-lock.json",
        "rxconfig.py",
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    monkeypatch.setattr(frontend, "ROOT", tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    "name",
    ["sp404_app/pages/a.py", "assets/c.css", "rxconfig.py", "reflex.lock/package-lock.json"],
)
def test_a_changed_source_needs_a_build(checkout: Path, name: str) -> None:
    before = frontend.source_fingerprint(Settings())
    (checkout / name).write_text("other")
    assert frontend.source_fingerprint(Settings()) != before


def test_a_changed_file_without_pages_needs_no_build(checkout: Path) -> None:
    before = frontend.source_fingerprint(Settings())
    (checkout / "sp404_app/supervisor/b.py").write_text("other")
    assert frontend.source_fingerprint(Settings()) == before


@pytest.mark.parametrize("name", ["SP404_ENV", "SP404_PUBLIC_URL", "PORT", "REFLEX_API_URL"])
def test_a_build_knows_nothing_of_the_settings_of_its_host(tmp_path: Path, name: str) -> None:
    home = Home(tmp_path)
    home.prepare()
    build = frontend.build_process(home, {name: "mine", "PATH": "/bin"}, "new")
    assert "mine" not in build.environment.values()
    assert build.environment["PATH"] == "/bin"


def test_a_failed_build_gives_one_message_and_leaves_the_former_pages(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.prepare()
    write_pages(bundle.folder_for(home, "old"), "old")
    assert frontend.has_pages(Settings(), home, "old")
    build = frontend.build_process(home, {}, "new")
    build.command = ["false"]
    build.start()
    with pytest.raises(Failure, match="The build of the pages ended with 1"):
        frontend.finish_build(home, build, "new")
    assert not frontend.has_pages(Settings(), home, "new")
    assert bundle.fingerprint_of(home.bundle) == "old"


def test_children_without_a_home_folder_get_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def variables() -> dict[str, str]:
        return environment.for_children(Settings.model_validate({}), Home(tmp_path))

    monkeypatch.setenv("HOME", str(tmp_path))
    assert variables()["HOME"] == str(tmp_path)
    monkeypatch.setenv("HOME", "/nonexistent")
    assert variables()["HOME"] == str(tmp_path / "cache")
    monkeypatch.delenv("HOME")
    assert variables()["HOME"] == str(tmp_path / "cache")


def test_npm_keeps_its_cache_in_our_home(tmp_path: Path) -> None:
    variables = environment.for_children(Settings.model_validate({}), Home(tmp_path))
    assert variables["npm_config_cache"] == str(tmp_path / "cache" / "npm")


def origins(**fields: object) -> list[str]:
    return environment.origins(Settings.model_validate(fields))


def test_only_the_own_origin_may_open_the_websocket() -> None:
    assert origins(PORT=4000) == ["http://localhost:4000", "http://127.0.0.1:4000"]
    assert origins(env="production", public_url="https://sounds.example/") == [
        "https://sounds.example"
    ]


def test_two_homes_share_nothing(tmp_path: Path) -> None:
    one, two = (
        environment.for_children(
            Settings.model_validate({"home": tmp_path / name, "PORT": port}), Home(tmp_path / name)
        )
        for name, port in (("one", 4001), ("two", 4002))
    )
    apart = (
        "SP404_DATABASE_URL",
        "SP404_REDIS_URL",
        "REFLEX_WEB_WORKDIR",
        "REFLEX_REDIS_URL",
        "PORT",
    )
    assert all(one[name] != two[name] for name in apart)
