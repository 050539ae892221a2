"""nginx and Caddy with the delivered files: uploads, event streams, websockets, restarts."""

import re
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from simple_websocket import Client as Socket

from tests.certificates import make_certificate
from tests.ops.conftest import eventually, signed_in
from tests.ops.image_deployment import caddy_before
from tests.ops.nginx import proxy_conf, running_nginx, trusting
from tests.product import ROOT, Product, free_port
from tests.sounds import wav

CADDY = shutil.which("caddy")
ASSET = re.compile(r"/assets/[^\"'\s]+\.js")
PUBLIC_FILES = (
    "/api/auth/public-key",
    "/.well-known/jwks.json",
    "/sitemap.xml",
    "/api/docs/swagger-ui.css",
)

pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_certificate(tmp_path_factory.mktemp("certificate"))


@pytest.fixture
def proxied(
    new_product: Callable[..., Product], certificate: Path, tmp_path: Path
) -> Iterator[tuple[Product, str]]:
    """A product behind nginx, and the address of nginx."""
    https = free_port()
    url = f"https://localhost:{https}"
    product = new_product(
        SP404_PUBLIC_URL=url, SP404_TRUSTED_PROXIES="127.0.0.1", SP404_MAX_UPLOAD_MB="4"
    )
    product.start()
    servers = {"server 127.0.0.1:3000 ": f"server 127.0.0.1:{product.port} "}
    conf = proxy_conf(servers, certificate, https)
    with running_nginx(tmp_path, certificate, url, conf):
        yield product, url


def test_upload_events_and_websocket_pass_nginx(
    proxied: tuple[Product, str], certificate: Path
) -> None:
    product, url = proxied
    with signed_in(product, url, trusting(certificate)) as client:
        with client.stream("GET", "/api/events") as stream:
            lines = stream.iter_lines()
            assert next(lines) == ": here"  # passed on before the stream ends
            file = {"file": ("kick.wav", wav(110.0, seconds=2.0))}
            assert client.post("/api/samples", files=file).status_code == 201
            assert next(line for line in lines if line.startswith("event:"))
        large = {"file": ("large.wav", bytes(6 << 20))}
        assert client.post("/api/samples", files=large).status_code == 413
        cookies = "; ".join(f"{name}={value}" for name, value in client.cookies.items())
        address = f"{url.replace('https', 'wss')}/_event/?EIO=4&transport=websocket"
        headers = {"Cookie": cookies, "Origin": url}
        socket = Socket(address, headers=headers, ssl_context=trusting(certificate))
        assert str(socket.receive(30)).startswith("0{")  # the handshake of Engine.IO
        socket.send("40/_event,")
        assert str(socket.receive(30)).startswith("40/_event")
        socket.close()


def test_requests_survive_a_replacement_behind_nginx(
    proxied: tuple[Product, str], certificate: Path
) -> None:
    product, url = proxied
    with httpx.Client(base_url=url, verify=trusting(certificate), timeout=60) as client:
        product.running.send_signal(signal.SIGUSR1)
        while "taken over" not in product.said:
            assert client.get("/api/health/live").status_code == 200
        for _ in range(200):
            assert client.get("/api/health/live").status_code == 200


def test_the_client_cannot_choose_its_address_or_request_id(
    proxied: tuple[Product, str], certificate: Path
) -> None:
    product, url = proxied
    sent = {"X-Forwarded-For": "192.0.2.99", "X-Request-ID": "chosen-by-client"}
    answer = httpx.get(f"{url}/api/health/live", headers=sent, verify=trusting(certificate))
    assert answer.headers["x-request-id"] != sent["X-Request-ID"]
    log = product.home / "logs" / "web.log"
    eventually(lambda: answer.headers["x-request-id"] in log.read_text())
    assert sent["X-Forwarded-For"] not in log.read_text()


def test_the_headers_behind_nginx_agree_with_the_table_of_what_a_cdn_may_cache(
    proxied: tuple[Product, str], certificate: Path
) -> None:
    _, url = proxied
    with httpx.Client(base_url=url, verify=trusting(certificate), timeout=60) as client:

        def caching(path: str) -> str:
            return client.get(path).headers.get("cache-control", "")

        assets = ASSET.findall(client.get("/").text)
        assert assets
        assert caching(assets[0]) == "public, max-age=31536000, immutable"
        for path in PUBLIC_FILES:
            assert caching(path).startswith("public, max-age="), path
        for path in ("/", "/favicon.ico", "/library.webp", "/service-worker.js", "/offline"):
            assert caching(path) == "no-cache", path
        for path in ("/api/samples", "/api/health/live", "/api/docs", "/s/nothing", "/metrics"):
            assert caching(path).removeprefix("private, ") in {"no-store", "no-cache"}, path


def test_uploads_that_are_refused_do_not_take_the_site_from_others(
    new_product: Callable[..., Product], certificate: Path, tmp_path: Path
) -> None:
    https = free_port()
    url = f"https://localhost:{https}"
    product = new_product(SP404_PUBLIC_URL=url, SP404_TRUSTED_PROXIES="127.0.0.1")
    product.start()
    # Two servers: with one, nginx ignores failures.
    one = f"    server 127.0.0.1:{product.port} fail_timeout=60s;\n"
    delivered = "    server 127.0.0.1:3000 max_fails=5 fail_timeout=2s;\n"
    conf = proxy_conf({delivered: 2 * one}, certificate, https)
    refused = [
        ("/api/samples", {"Authorization": "Bearer wrong"}, 401),
        ("/api/auth/login", {}, 413),
    ]
    with (
        running_nginx(tmp_path, certificate, url, conf),
        httpx.Client(base_url=url, verify=trusting(certificate), timeout=60) as other,
    ):
        for path, headers, status in 4 * refused:
            file = {"file": ("large.wav", bytes(3 << 20))}
            # nginx closes the connection of a client that has not sent all.
            with httpx.Client(base_url=url, verify=trusting(certificate), timeout=60) as client:
                assert client.post(path, headers=headers, files=file).status_code == status
            assert other.get("/api/health/live").status_code == 200


def test_nginx_says_that_it_restarts_while_no_web_server_answers(
    proxied: tuple[Product, str], certificate: Path
) -> None:
    product, url = proxied
    product.stop()
    with httpx.Client(base_url=url, verify=trusting(certificate), timeout=60) as client:
        page, answer = client.get("/library"), client.post("/api/samples", files={"file": b"x"})
    assert (page.status_code, answer.status_code) == (503, 503)
    assert page.headers["retry-after"] == answer.headers["retry-after"] == "5"
    assert (answer.json()["status"], answer.json()["code"]) == (503, "unavailable")
    assert "restarting" in page.text


def test_caddy_says_that_it_restarts_while_no_web_server_answers(tmp_path: Path) -> None:
    if not CADDY:
        pytest.skip("Caddy is not installed")
    with (
        caddy_before([free_port()], tmp_path) as port,
        httpx.Client(base_url=f"http://localhost:{port}", timeout=60) as client,
    ):
        page, answer = client.get("/library"), client.post("/api/samples", files={"file": b"x"})
    assert (page.status_code, answer.status_code) == (503, 503)
    assert page.headers["retry-after"] == answer.headers["retry-after"] == "5"
    assert page.headers["content-type"] == "text/html"
    assert (answer.json()["status"], answer.json()["code"]) == (503, "unavailable")
    assert "restarting" in page.text


def test_the_caddyfile_is_valid() -> None:
    if not CADDY:
        pytest.skip("Caddy is not installed")
    path = ROOT / "deploy" / "caddy" / "Caddyfile"
    command = [CADDY, "validate", "--adapter", "caddyfile", "--config", str(path)]
    assert subprocess.run(command, check=False).returncode == 0
