"""Start nginx with the files of `deploy/nginx`, over https."""

import os
import shutil
import signal
import ssl
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.ops.conftest import eventually
from tests.product import ROOT, free_port

NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
SIZE_LIMIT = "client_max_body_size 520m"
CERTIFICATES = "/etc/letsencrypt/live/sounds.example"


def delivered(name: str, changes: Mapping[str, str]) -> str:
    """Return a file of `deploy/nginx` with other ports, names and folders."""
    text = (ROOT / "deploy" / "nginx" / name).read_text()
    for old, new in changes.items():
        assert old in text, f"{old!r} is no longer in {name}"
        text = text.replace(old, new)
    return text


def proxy_conf(servers: Mapping[str, str], certificate: Path, https: int) -> str:
    """Return crate404.conf for an address of this machine; `servers` replaces its upstream."""
    return delivered(
        "crate404.conf",
        {
            **servers,
            "listen 80;": f"listen 127.0.0.1:{free_port()};",
            "    listen [::]:80;\n": "",
            "listen 443 ssl;": f"listen 127.0.0.1:{https} ssl;",
            "    listen [::]:443 ssl;\n": "",
            "server_name sounds.example;": "server_name localhost;",
            CERTIFICATES: str(certificate),
            "/var/log/nginx/crate404.log": str(certificate / "access.log"),
            SIZE_LIMIT: "client_max_body_size 5m",
        },
    )


def trusting(certificate: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=certificate / "fullchain.pem")


def is_up(url: str, certificate: Path) -> bool:
    try:
        return httpx.get(f"{url}/ping", verify=trusting(certificate)).status_code == 200
    except httpx.HTTPError:
        return False


@contextmanager
def running_nginx(folder: Path, certificate: Path, url: str, *files: str) -> Iterator[None]:
    """Run nginx with the texts of files in its `http` block, until `url` answers."""
    if not NGINX:
        pytest.skip("nginx is not installed: apt-get install nginx-light")
    temporary = "".join(
        f"{name}_temp_path {folder}/{name};\n"
        for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    # The user it would choose as root may not enter the folders of tests.
    user = "" if os.geteuid() else "user root;\n"
    (folder / "nginx.conf").write_text(
        f"{user}daemon off;\npid {folder}/pid;\nerror_log {folder}/error.log;\nevents {{}}\n"
        f"http {{\naccess_log off;\n{temporary}{''.join(files)}\n}}\n"
    )
    started = subprocess.Popen([NGINX, "-p", str(folder), "-c", str(folder / "nginx.conf")])
    try:
        eventually(lambda: is_up(url, certificate))
        yield
    finally:
        started.send_signal(signal.SIGTERM)
        started.wait(30)
