"""Start what deploy/compose.yaml names, in its order, from an unpacked image and without Docker."""

import re
import shutil
import socket
import subprocess
import tempfile
import uuid
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import yaml

from sp404_app.supervisor import redis_server
from tests.ops.conftest import PASSWORD, eventually
from tests.ops.image_builder import Image, unpack
from tests.ops.image_containers import Container, Containers
from tests.postgres_servers import running_postgres
from tests.product import ROOT, free_port
from tests.smtp_server import SmtpServer

SITE = "sounds.example"
SOCKETS = "/run/postgresql"
LOOPBACK = "127.0.0.1"


@dataclass(slots=True)
class Deployment:
    """Two web servers and two workers on one database, after a migration.

    Unlike in compose, they share the network of the machine, so each web server has its own port,
    and PostgreSQL is reached by its socket.
    """

    containers: Containers
    mails: list[str]
    webs: dict[str, int] = field(default_factory=dict)  # name and port

    def client(self, port: int) -> httpx.Client:
        headers = {"Host": SITE}
        return httpx.Client(base_url=f"http://{LOOPBACK}:{port}", headers=headers, timeout=60)

    @contextmanager
    def signed_in(self, port: int) -> Iterator[httpx.Client]:
        """Register an account, confirm its address as an operator does, and get a token."""
        address = f"{uuid.uuid4().hex}@example.org"
        form = {"email": address, "password": PASSWORD, "first_name": "A", "last_name": "B"}
        with self.client(port) as client:
            answer = client.post("/api/auth/register", json=form)
            assert answer.status_code == 201, answer.text
            entry = self.containers.image.config["Entrypoint"]
            done = self.containers.run(*entry, "user", "verify", address)
            assert done.returncode == 0, done.stderr
            token = client.post("/api/auth/login", json=form).json()["token"]
            client.headers["Authorization"] = f"Bearer {token}"
            yield client


def read_compose() -> dict[str, Any]:
    """Return the compose file as an installation without payments fills it."""
    text = (ROOT / "deploy" / "compose.yaml").read_text()
    chosen = {"SITE_ADDRESS": SITE, "MAIL_FROM": f"noreply@{SITE}", "SP404_BILLING": "off"}
    filled = re.sub(r"\$\{(\w+)[^}]*\}", lambda found: chosen[found[1]], text)
    loaded: dict[str, Any] = yaml.safe_load(filled)
    return loaded


@contextmanager
def deployed(image: Image) -> Iterator[Deployment]:
    """Start the stores, then the services of the compose file until they are ready."""
    compose = read_compose()
    with ExitStack() as stack:
        folder = Path(tempfile.mkdtemp(prefix="sp404c-"))
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        mails = stack.enter_context(SmtpServer())
        mails.start()
        stack.callback(mails.shutdown)
        server = stack.enter_context(running_postgres(18))
        server.socket.chmod(0o755)
        database = urlsplit(server.create_database()).path
        library, secrets = folder / "library", folder / "secrets"
        library.mkdir(0o700)
        secrets.mkdir()
        values = {
            "sp404_database_url": f"postgresql://app@{database}?host={SOCKETS}",
            "sp404_smtp_url": f"smtp://{LOOPBACK}:{mails.port}",
            "sp404_metrics_token": uuid.uuid4().hex,
        }
        for secret in compose["services"]["web"]["secrets"]:
            (secrets / secret).write_text(values.get(secret, ""))
        settings: dict[str, str] = compose["services"]["web"]["environment"]
        containers = Containers(
            image,
            folder / "log",
            {"/var/lib/crate404": library, "/run/secrets": secrets, SOCKETS: server.socket},
            settings
            | {
                "SP404_REDIS_URL": start_redis(stack, compose, folder),
                "SP404_TRUSTED_PROXIES": LOOPBACK,
            },
        )
        shutil.chown(library, *containers.user)
        started = Deployment(containers, mails.messages)
        start(started, compose, stack)
        yield started


def start_redis(stack: ExitStack, compose: dict[str, Any], folder: Path) -> str:
    """Start Redis with the options of the compose file; return its URL."""
    port = str(free_port())
    options = [*compose["services"]["redis"]["command"][1:], "--port", port, "--bind", LOOPBACK]
    server = subprocess.Popen(
        [redis_server.program(), *options, "--dir", folder], stdout=subprocess.DEVNULL
    )
    stack.callback(server.wait, 30)
    stack.callback(server.terminate)
    return f"redis://{LOOPBACK}:{port}/0"


def start(deployment: Deployment, compose: dict[str, Any], stack: ExitStack) -> None:
    """Migrate, then start as many web servers and workers as the compose file says."""
    services = compose["services"]
    migrated = {"condition": "service_completed_successfully"}
    with deployment.containers.started("migrate", *services["migrate"]["command"]) as migrate:
        assert migrate.wait() == 0, migrate.said()
    running: list[Container] = []
    for service in ("web", "worker"):
        assert services[service]["depends_on"]["migrate"] == migrated
        for number in range(services[service]["deploy"]["replicas"]):
            name, port = f"{service}-{number}", free_port()
            command = services[service]["command"]
            settings = {"PORT": str(port), "SP404_METRICS_PORT": str(free_port())}
            if service == "web":
                deployment.webs[name] = port
                settings.pop("SP404_METRICS_PORT")
            running.append(
                stack.enter_context(deployment.containers.started(name, *command, **settings))
            )
    for port in deployment.webs.values():
        eventually(lambda port=port: is_ready(port, running), 300)


def listens(port: int) -> bool:
    try:
        socket.create_connection((LOOPBACK, port), 5).close()
    except OSError:
        return False
    return True


def is_ready(port: int, running: list[Container]) -> bool:
    for each in running:
        assert each.outside.poll() is None, each.said()
    try:
        return httpx.get(f"http://{LOOPBACK}:{port}/api/health/ready").status_code == 200
    except httpx.HTTPError:
        return False


@contextmanager
def caddy_before(ports: Iterable[int], folder: Path) -> Iterator[int]:
    """Run Caddy with the delivered file, but without https and DNS; yield its port once it listens.

    Raises:
        LookupError: If there is no Caddy.
    """
    program = shutil.which("caddy")
    if not program and unpack(folder, "caddy"):
        program = str(folder / "usr" / "bin" / "caddy")
    if not program:
        raise LookupError("Caddy is not installed: apt-get install caddy")
    delivered = (ROOT / "deploy" / "compose.Caddyfile").read_text()
    dynamic = re.compile(r"dynamic a web 3000 \{.*?\}", re.DOTALL)
    assert dynamic.search(delivered)
    addresses = " ".join(f"{LOOPBACK}:{port}" for port in ports)
    config, port = folder / "Caddyfile", free_port()
    config.write_text("{\n\tadmin off\n}\n" + dynamic.sub(f"to {addresses}", delivered))
    homes = {"HOME": str(folder), "XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder)}
    with (folder / "caddy.log").open("wb") as log:
        server = subprocess.Popen(
            [program, "run", "--adapter", "caddyfile", "--config", config],
            env={**homes, "SITE_ADDRESS": f":{port}"},  # every host name
            stdout=log,
            stderr=log,
        )
    try:
        eventually(lambda: listens(port))
        yield port
    finally:
        server.terminate()
        server.wait(60)
