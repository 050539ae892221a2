"""`deploy/nginx/crate404-edge.conf` before `crate404.conf`: what a CDN keeps, and what never."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import psycopg
import pytest

from sp404_app.supervisor import postgresql
from sp404_app.supervisor.home import Home
from tests.certificates import make_certificate
from tests.ops.conftest import PASSWORD, signed_in
from tests.ops.nginx import (
    CERTIFICATES,
    delivered,
    proxy_conf,
    running_nginx,
    trusting,
)
from tests.ops.test_proxies import ASSET, PUBLIC_FILES
from tests.product import Product, free_port
from tests.sounds import wav
from tests.supervisor.conftest import discard, fresh

CLIENT_ADDRESS = "127.0.0.9"
PERSONAL = ("/api/me", "/api/samples", "/api/billing/subscription")
NEVER_KEPT = (
    "/",
    "/login",
    "/api/health/live",
    "/api/docs",
    "/favicon.ico",
    "/metrics",
    "/offline",
    "/s/nothing",
    "/service-worker.js",
    "/status",
)

pytestmark = pytest.mark.timeout(600)


@dataclass(frozen=True, slots=True)
class Edge:
    """A product behind two nginx servers."""

    product: Product
    url: str
    certificate: Path

    def client(self, address: str = "") -> httpx.Client:
        """Return a client without cookies, which connects from an address of this machine."""
        trust = trusting(self.certificate)
        transport = httpx.HTTPTransport(verify=trust, local_address=address or None)
        return httpx.Client(base_url=self.url, transport=transport, timeout=60)


@pytest.fixture(scope="module")
def edge(pages: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Edge]:
    certificate = make_certificate(tmp_path_factory.mktemp("certificate"))
    folder = tmp_path_factory.mktemp("edge")
    https, origin = free_port(), free_port()
    url = f"https://localhost:{https}"
    product = fresh(pages, SP404_PUBLIC_URL=url, SP404_TRUSTED_PROXIES="127.0.0.1")
    product.start()
    servers = {
        "server 127.0.0.1:3000 ": f"server 127.0.0.1:{product.port} ",
        "# set_real_ip_from 192.0.2.0/24;": "set_real_ip_from 127.0.0.1;",
        "# real_ip_header ": "real_ip_header ",
    }
    before = delivered(
        "crate404-edge.conf",
        {
            "/var/cache/nginx/crate404": str(folder / "cache"),
            "server origin.sounds.example:443;": f"server 127.0.0.1:{origin};",
            "listen 443 ssl;": f"listen 127.0.0.1:{https} ssl;",
            "    listen [::]:443 ssl;\n": "",
            "server_name sounds.example;": "server_name localhost;",
            "proxy_ssl_name sounds.example;": "proxy_ssl_name localhost;",
            "/etc/ssl/certs/ca-certificates.crt": str(certificate / "fullchain.pem"),
            CERTIFICATES: str(certificate),
        },
    )
    files = (proxy_conf(servers, certificate, origin), before)
    with running_nginx(folder, certificate, url, *files):
        yield Edge(product, url, certificate)
    discard(product)


def test_assets_and_public_files_come_from_the_cache(edge: Edge) -> None:
    with edge.client() as client:
        assets = ASSET.findall(client.get("/").text)
        assert assets
        for path in (assets[0], *PUBLIC_FILES):
            first, second = client.get(path), client.get(path)
            assert first.status_code == 200, path
            assert second.headers["x-cache"] == "HIT", path
            assert second.content == first.content


def test_answers_for_another_host_are_kept_apart(edge: Edge) -> None:
    with edge.client() as client:
        path = ASSET.findall(client.get("/").text)[0]
        client.get(path)
        assert client.get(path).headers["x-cache"] == "HIT"
        other = client.get(path, headers={"Host": "other.example"})
        assert other.headers.get("x-cache") != "HIT"


def test_pages_and_the_service_worker_come_from_the_origin(edge: Edge) -> None:
    with edge.client() as client:
        for path in NEVER_KEPT:
            client.get(path)
            assert client.get(path).headers.get("x-cache", "MISS") != "HIT", path


def test_nobody_sees_the_account_of_another(edge: Edge) -> None:
    trust = trusting(edge.certificate)
    with (
        signed_in(edge.product, edge.url, trust) as one,
        signed_in(edge.product, edge.url, trust) as other,
        edge.client() as nobody,
    ):
        for path in PERSONAL:
            answers = [client.get(path) for client in (one, other, one)]
            assert [answer.status_code for answer in answers] == [200] * 3, path
            assert not any("x-cache" in answer.headers for answer in answers)
            assert nobody.get(path).status_code == 401
        assert one.get("/api/me").json()["email"] != other.get("/api/me").json()["email"]


def test_a_revoked_link_stops_at_once(edge: Edge) -> None:
    with (
        signed_in(edge.product, edge.url, trusting(edge.certificate)) as client,
        edge.client() as visitor,
    ):
        file = {"file": ("kick.wav", wav(110.0, seconds=0.5))}
        sample = client.post("/api/samples", files=file).json()["samples"][0]["id"]
        link = client.post("/api/shares", json={"sample_id": sample}).json()
        for _ in range(2):
            assert visitor.get(link["url"]).status_code == 200
        assert client.delete(f"/api/shares/{link['id']}").status_code in {200, 204}
        assert visitor.get(link["url"]).status_code in {404, 410}


def test_the_address_of_the_client_passes_both_proxies(edge: Edge) -> None:
    with (
        signed_in(edge.product, edge.url, trusting(edge.certificate)) as client,
        edge.client(CLIENT_ADDRESS) as elsewhere,
    ):
        form = {"email": client.get("/api/me").json()["email"], "password": PASSWORD}
        spoofed = {"X-Forwarded-For": "192.0.2.99"}
        signed = elsewhere.post("/api/auth/login", json=form, headers=spoofed)
        assert signed.status_code == 200
    with psycopg.connect(postgresql.postgres_url(Home(edge.product.home))) as connection:
        rows = connection.execute("select distinct ip from sign_ins").fetchall()
    assert (CLIENT_ADDRESS,) in rows
    assert ("192.0.2.99",) not in rows
