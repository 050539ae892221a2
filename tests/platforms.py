"""What the files of Kubernetes, Fly.io and Railway say: objects, commands, variables, probes."""

import json
import tomllib
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import yaml

from tests.product import ROOT

DEPLOY = ROOT / "deploy"
KUBERNETES = DEPLOY / "kubernetes"
Object = dict[str, Any]


@lru_cache
def objects() -> list[Object]:
    """Return the objects of Kubernetes, with the namespace's kustomization left out."""
    resources = yaml.safe_load((KUBERNETES / "kustomization.yaml").read_text())["resources"]
    return [
        found for name in resources for found in yaml.safe_load_all((KUBERNETES / name).read_text())
    ]


def of_kind(kind: str) -> list[Object]:
    return [each for each in objects() if each["kind"] == kind]


def named(kind: str, name: str) -> Object:
    (found,) = [each for each in of_kind(kind) if each["metadata"]["name"] == name]
    return found


def pods() -> Iterator[tuple[str, Object]]:
    """Yield the name of each workload with the template of its pods."""
    for each in objects():
        if each["kind"] in {"Deployment", "Job"}:
            yield each["metadata"]["name"], each["spec"]["template"]


def container(pod: Object) -> Object:
    (only,) = pod["spec"]["containers"]
    return only  # type: ignore[no-any-return]


def fly() -> Object:
    return tomllib.loads((DEPLOY / "fly.toml").read_text())


def railway() -> Object:
    found: Object = json.loads((DEPLOY / "railway.json").read_text())
    return found


def commands() -> dict[str, list[str]]:
    """Return the arguments of `python -m sp404_app` by the place that names them."""
    found = {name: list(container(pod)["args"]) for name, pod in pods()}
    config = fly()
    found |= {f"fly.{name}": line.split() for name, line in config["processes"].items()}
    found["fly.release"] = config["deploy"]["release_command"].split()
    program, *rest = railway()["deploy"]["startCommand"].split()
    assert [program, *rest[:2]] == ["python", "-m", "sp404_app"]
    found["railway"] = rest[2:]
    return found


def variables() -> dict[str, str]:
    """Return the settings that the files give, except those by reference."""
    found: dict[str, str] = dict(named("ConfigMap", "crate404")["data"])
    for _, pod in pods():
        found |= {each["name"]: each["value"] for each in container(pod).get("env", [])}
    config = fly()
    return found | config["env"] | config["build"]["args"]


def probe_paths() -> set[str]:
    """Return the paths that platforms ask for."""
    probes = ("startupProbe", "readinessProbe", "livenessProbe")
    found = {
        container(pod)[name]["httpGet"]["path"]
        for _, pod in pods()
        for name in probes
        if name in container(pod)
    }
    found |= {each["path"] for each in fly()["http_service"]["checks"]}
    return found | {railway()["deploy"]["healthcheckPath"]}
