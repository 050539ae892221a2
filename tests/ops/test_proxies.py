"""nginx with `deploy/nginx/crate404.conf`, over https: an upload, an event stream, a websocket."""

import datetime as dt
import re
import shutil
import signal
import ssl
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from simple_websocket import Client as Socket

from tests.ops.conftest import eventually, signed_in
from tests.product import ROOT, Product, free_port
from tests.sounds import wav

NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
CADDY = shutil.which("caddy")
ASSET = re.compile(r"/assets/[^\"'\s]+\.js")
PUBLIC_FILES = (
    "/api/auth/public-key",
    "/.well-known/jwks.json",
    "/sitemap.xml",
    "/api/docs/swagger-ui.css",
)
SIZE_LIMIT = "client_max_body_size 520m"

pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `fullchain.pem` and `privkey.pem` for localhost."""
    folder = tmp_path_factory.mktemp("certificate")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = dt.datetime.now(dt.UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    (folder / "fullchain.pem").write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    (folder / "privkey.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return folder


@pytest.fixture
def proxied(
    new_product: Callable[..., Product], certificate: Path, tmp_path: Path
) -> Iterator[tuple[Product, str]]:
    """A product behind nginx, and the address of nginx."""
    if not NGINX:
        pytest.skip("nginx is not installed: apt-get install nginx-light")
    https, http = free_port(), free_port()
    url = f"https://localhost:{https}"
    product = new_product(
        SP404_PUBLIC_URL=url, SP404_TRUSTED_PROXIES="127.0.0.1", SP404_MAX_UPLOAD_MB="4"
    )
    product.start()
    started = subprocess.Popen(
        [NGINX, "-p", str(tmp_path), "-c", nginx_conf(tmp_path, product, certificate, https, http)]
    )
    try:
        eventually(lambda: is_up(url, certificate))
        yield product, url
    finally:
        started.send_signal(signal.SIGTERM)
        started.wait(30)


def nginx_conf(folder: Path, product: Product, certificate: Path, https: int, http: int) -> str:
    """Write the delivered file with other ports and names, inside a whole configuration."""
    delivered = (ROOT / "deploy" / "nginx" / "crate404.conf").read_text()
    for old, new in {
        "server 127.0.0.1:3000;": f"server 127.0.0.1:{product.port};",
        "listen 80;": f"listen 127.0.0.1:{http};",
        "    listen [::]:80;\n": "",
        "listen 443 ssl;": f"listen 127.0.0.1:{https} ssl;",
        "    listen [::]:443 ssl;\n": "",
        "server_name sounds.example;": "server_name localhost;",
        "/etc/letsencrypt/live/sounds.example": str(certificate),
        SIZE_LIMIT: "client_max_body_size 5m",
    }.items():
        assert old in delivered, f"{old!r} is no longer in crate404.conf"
        delivered = delivered.replace(old, new)
    (folder / "crate404.conf").write_text(delivered)
    temporary = "".join(
        f"{name}_temp_path {folder}/{name};\n"
        for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (folder / "nginx.conf").write_text(
        f"daemon off;\npid {folder}/pid;\nerror_log {folder}/error.log;\nevents {{}}\n"
        f"http {{\naccess_log off;\n{temporary}include {folder}/crate404.conf;\n}}\n"
    )
    return str(folder / "nginx.conf")


def is_up(url: str, certificate: Path) -> bool:
    try:
        return httpx.get(f"{url}/ping", verify=trusting(certificate)).status_code == 200
    except httpx.HTTPError:
        return False


def trusting(certificate: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=certificate / "fullchain.pem")


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


def test_the_caddyfile_is_valid() -> None:
    if not CADDY:
        pytest.skip("Caddy is not installed")
    path = ROOT / "deploy" / "caddy" / "Caddyfile"
    command = [CADDY, "validate", "--adapter", "caddyfile", "--config", str(path)]
    assert subprocess.run(command, check=False).returncode == 0
