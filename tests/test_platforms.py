"""The files for Kubernetes, Fly.io and Railway agree with the code, the image and each other."""

import re
from typing import Any

import kubernetes_validate
import pytest
import yaml
from fastapi.testclient import TestClient

from sp404_app.api import database_metrics
from sp404_app.cli.main import _parser
from sp404_app.services.auth import signing_keys
from sp404_app.services.infra import queue
from sp404_app.settings import Settings
from tests.monitoring import METRIC, unknown_parts
from tests.platforms import (
    DEPLOY,
    KUBERNETES,
    Object,
    commands,
    container,
    fly,
    named,
    objects,
    of_kind,
    pods,
    probe_paths,
    railway,
    variables,
)
from tests.product import ROOT

SETTINGS = {f"SP404_{name.upper()}" for name in Settings.model_fields} | {"PORT"}
VERSION = "1.31"
CUSTOM = {"ScaledObject", "PodMonitor"}  # have no schema there
DOCKERFILE = (DEPLOY / "Dockerfile").read_text()
PORT = int(re.findall(r"PORT=(\d+)", DOCKERFILE)[0])
UID = int(re.findall(r"--uid (\d+)", DOCKERFILE)[0])
HOME = re.findall(r"SP404_HOME=(/\S+)", DOCKERFILE)[-1]
SECRET_SETTINGS = {
    "SP404_DATABASE_URL", "SP404_DATABASE_POOL_URL", "SP404_REDIS_URL", "SP404_SMTP_URL",
    "SP404_METRICS_TOKEN", "SP404_SENTRY_DSN", "SP404_STRIPE_SECRET_KEY",
    "SP404_STRIPE_WEBHOOK_SECRET",
}  # fmt: skip
WORKLOADS = {
    "crate404-migrate": ["migrate"],
    "crate404-web": ["web"],
    "crate404-worker": ["worker"],
    "crate404-pictures": ["worker", "--pictures"],
    "crate404-scheduler": ["scheduler"],
}
DRAIN_S = Settings.model_fields["drain_seconds"].default + 5  # and the notice, in production


@pytest.mark.parametrize(
    "found", [each for each in objects() if each["kind"] not in CUSTOM],
    ids=lambda each: f"{each['kind']}-{each['metadata']['name']}",
)  # fmt: skip
def test_an_object_has_the_schema_of_kubernetes(found: Object) -> None:
    kubernetes_validate.validate(found, VERSION, strict=True)


def test_all_manifests_are_named_and_no_object_twice() -> None:
    kustomization = yaml.safe_load((KUBERNETES / "kustomization.yaml").read_text())
    files = {path.name for path in KUBERNETES.glob("*.yaml")} - {"kustomization.yaml"}
    assert set(kustomization["resources"]) == files
    names = [(each["kind"], each["metadata"]["name"]) for each in objects()]
    assert len(names) == len(set(names))
    (image,) = kustomization["images"]
    assert {container(pod)["image"] for _, pod in pods()} == {image["name"]}


def test_every_command_is_one_of_the_program() -> None:
    found = commands()
    for arguments in found.values():
        _parser().parse_args(arguments)
    assert {name: found[name] for name, _ in pods()} == WORKLOADS
    served = {tuple(found[f"fly.{name}"]) for name in ("web", "worker", "pictures", "scheduler")}
    assert served == {tuple(each) for each in WORKLOADS.values()} - {("migrate",)}
    assert found["fly.release"] == ["migrate"]
    assert found["railway"] == ["serve"]


def test_every_variable_is_a_setting_with_a_valid_value(
    environment: pytest.MonkeyPatch,
) -> None:
    found = variables()
    assert set(found) <= SETTINGS
    for name, value in found.items():
        environment.setenv(name, value)
    assert Settings().secrets_dir  # pyright: ignore[reportCallIssue] - from the environment


def test_no_file_contains_a_secret() -> None:
    assert not SECRET_SETTINGS & set(variables())
    assert of_kind("Secret") == []
    for path in (*KUBERNETES.iterdir(), DEPLOY / "fly.toml", DEPLOY / "railway.json"):
        text = path.read_text()
        assert not re.search(r"(sk|rk)_(live|test)_\w{8}|whsec_\w{8}|PRIVATE KEY|://\w+:\w", text)


def test_secrets_that_the_readme_creates_are_settings_and_mounted() -> None:
    readme = (KUBERNETES / "README.md").read_text()
    files = set(re.findall(r"--from-file=(sp404_\w+)", readme))
    assert {name.upper() for name in files} <= SECRET_SETTINGS
    created = set(re.findall(r"create secret generic (\S+)", readme))
    assert created == {"crate404", "crate404-keys", "crate404-s3"}
    for name, pod in pods():
        secrets = {
            each["secret"]["secretName"] for each in pod["spec"]["volumes"] if "secret" in each
        }
        secrets |= {e["secretRef"]["name"] for e in container(pod)["envFrom"] if "secretRef" in e}
        assert secrets <= created, name
        maps = {e["configMapRef"]["name"] for e in container(pod)["envFrom"] if "configMapRef" in e}
        assert maps == {"crate404"}


def test_keys_are_where_the_settings_say() -> None:
    keys = fly()["env"]["SP404_SECRETS_DIR"]
    assert named("ConfigMap", "crate404")["data"]["SP404_SECRETS_DIR"] == keys
    for name, pod in pods():
        mounts = {each["name"]: each["mountPath"] for each in container(pod)["volumeMounts"]}
        assert mounts["settings"] == "/run/secrets", name
        assert mounts["keys"] == keys, name
        assert mounts["home"] == HOME, name
        assert set(mounts) == {each["name"] for each in pod["spec"]["volumes"]}, name
    paths = [each["guest_path"].rpartition("/") for each in fly()["files"]]
    assert {folder for folder, _, _ in paths} == {keys}
    pepper, key = sorted((name for _, _, name in paths), reverse=True)
    assert pepper == "pepper"
    assert signing_keys.KID_PATTERN.fullmatch(key.removesuffix(".pem"))
    assert railway()["deploy"]["requiredMountPath"] == HOME


def test_every_probe_asks_for_a_route_that_exists(api: TestClient) -> None:
    found = probe_paths()
    assert "/api/health/ready" in found
    for path in found:
        assert api.get(path).status_code == 200, path


def test_ports_agree_with_the_image() -> None:
    web = container(named("Deployment", "crate404-web")["spec"]["template"])
    assert [each["containerPort"] for each in web["ports"]] == [PORT]
    assert fly()["http_service"]["internal_port"] == PORT
    for name in ("worker", "pictures", "scheduler"):
        pod = named("Deployment", f"crate404-{name}")["spec"]["template"]
        env = {each["name"]: each["value"] for each in container(pod)["env"]}
        ports = {each["name"]: each["containerPort"] for each in container(pod)["ports"]}
        assert ports == {"metrics": int(env["SP404_METRICS_PORT"])}
    (service,) = of_kind("Service")
    (backend,) = of_kind("Ingress")[0]["spec"]["rules"][0]["http"]["paths"]
    assert backend["backend"]["service"] == {
        "name": service["metadata"]["name"], "port": {"name": service["spec"]["ports"][0]["name"]},
    }  # fmt: skip
    assert service["spec"]["ports"][0]["targetPort"] == web["ports"][0]["name"]


@pytest.mark.parametrize(("name", "pod"), list(pods()), ids=lambda each: str(each)[:20])
def test_a_pod_runs_as_the_user_of_the_image_with_no_rights(name: str, pod: Object) -> None:
    user = pod["spec"]["securityContext"]
    assert (user["runAsUser"], user["runAsGroup"], user["fsGroup"]) == (UID, UID, UID)
    assert user["runAsNonRoot"]
    assert user["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container(pod)["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert pod["spec"]["automountServiceAccountToken"] is False
    assert "memory" in container(pod)["resources"]["limits"]


def test_selectors_find_the_pods_that_they_are_for() -> None:
    labels = {name: pod["metadata"]["labels"] for name, pod in pods()}
    for each in of_kind("Deployment"):
        assert each["spec"]["selector"]["matchLabels"] == labels[each["metadata"]["name"]]
    for each in (*of_kind("PodDisruptionBudget"), *of_kind("Service")):
        selector = each["spec"]["selector"]
        assert selector.get("matchLabels", selector) == labels[each["metadata"]["name"]]
    chosen: list[str] = []
    for each in of_kind("NetworkPolicy"):
        selector = each["spec"]["podSelector"]
        chosen += [selector.get("matchLabels", {}).get("app.kubernetes.io/component", "")]
        for expression in selector.get("matchExpressions", []):
            chosen += expression["values"]
    components = {each["app.kubernetes.io/component"] for each in labels.values()}
    assert set(filter(None, chosen)) == components - {"migrate"}


def test_a_stop_lasts_as_long_as_the_drain() -> None:
    for name, pod in pods():
        seconds = pod["spec"].get("terminationGracePeriodSeconds", 30)
        if name == "crate404-web":
            assert seconds > DRAIN_S
        if name in {"crate404-worker", "crate404-pictures"}:
            assert seconds > queue.JOB_TIMEOUT_S
    assert int(fly()["kill_timeout"].removesuffix("s")) > queue.JOB_TIMEOUT_S
    assert railway()["deploy"]["drainingSeconds"] > DRAIN_S
    web = named("Deployment", "crate404-web")["spec"]["template"]
    readiness = container(web)["readinessProbe"]
    assert readiness["periodSeconds"] * readiness["failureThreshold"] <= 5  # s of the notice


def test_bodies_and_websockets_pass_the_ingress() -> None:
    (ingress,) = of_kind("Ingress")
    annotations: dict[str, Any] = ingress["metadata"]["annotations"]
    body_mb = int(annotations["nginx.org/client-max-body-size"].removesuffix("m"))
    assert body_mb > Settings.model_fields["max_upload_mb"].default
    assert annotations["nginx.org/websocket-services"] == "crate404-web"
    nginx = (DEPLOY / "nginx" / "crate404.conf").read_text()
    for name in ("read_timeout", "send_timeout", "connect_timeout"):
        assert f"proxy_{name} {annotations['nginx.org/proxy-' + name.replace('_', '-')]};" in nginx


def test_workers_scale_by_a_metric_that_the_product_has(api: TestClient) -> None:
    scaled = named("ScaledObject", "crate404-worker")["spec"]
    assert named("Deployment", scaled["scaleTargetRef"]["name"])
    assert "replicas" not in named("Deployment", "crate404-worker")["spec"]
    (trigger,) = scaled["triggers"]
    assert trigger["type"] == "prometheus"
    query = trigger["metadata"]["query"]
    families = [family for each in database_metrics.COLLECTORS for family in each.collect()]
    known = {each.name: {name for s in each.samples for name in s.labels} for each in families}
    assert METRIC.findall(query)
    assert unknown_parts(query, known) == []
    assert queue.PICTURES in query
    assert float(trigger["metadata"]["threshold"]) > 0


def test_prometheus_finds_all_pods_with_metrics_and_names_them_as_the_rules() -> None:
    ports: dict[str, str] = {}
    jobs: set[str] = set()
    for each in of_kind("PodMonitor"):
        selector = each["spec"]["selector"]
        chosen = list(selector.get("matchLabels", {}).values())
        for expression in selector.get("matchExpressions", []):
            chosen += expression["values"]
        (endpoint,) = each["spec"]["podMetricsEndpoints"]
        assert endpoint["authorization"]["credentials"] == {
            "name": "crate404", "key": "sp404_metrics_token",
        }  # fmt: skip
        ports |= dict.fromkeys(chosen, endpoint["port"])
        jobs.add(endpoint["relabelings"][0]["replacement"])
    for name, pod in pods():
        component = pod["metadata"]["labels"]["app.kubernetes.io/component"]
        if component != "migrate":
            named_ports = [each["name"] for each in container(pod)["ports"]]
            assert named_ports == [ports.pop(component)], name
    assert not ports
    config = yaml.safe_load((DEPLOY / "prometheus" / "prometheus.yml").read_text())
    assert jobs == {each["job_name"] for each in config["scrape_configs"]}


def test_the_platforms_build_our_image() -> None:
    assert (DEPLOY / fly()["build"]["dockerfile"]).is_file()
    assert (ROOT / railway()["build"]["dockerfilePath"]).is_file()
    assert fly()["build"]["args"]["SP404_BILLING"] == fly()["env"]["SP404_BILLING"]
    grouped = {name for each in fly()["vm"] for name in each["processes"]}
    assert grouped == set(fly()["processes"])
    assert set(fly()["http_service"]["processes"]) == {"web"}
