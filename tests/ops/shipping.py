"""Build pages as an operator does, and serve them over https."""

import asyncio
import contextlib
import hashlib
import os
import shutil
import ssl
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from sp404_app.supervisor.checkout import copy_checkout
from sp404_app.supervisor.home import Home
from tests.certificates import make_certificate
from tests.product import ROOT, UNSET_PREFIXES, Product, free_port

LEAN = {"SP404_WORKERS": "1", "SP404_DEMO": "false"}
# What the registries' clients need; all else of this machine is left out of a bare environment.
NETWORK = ("PROXY", "CERT", "SSL", "REGISTRY")


def own_environment() -> dict[str, str]:
    """Return the environment of this process without the product's settings."""
    return {n: v for n, v in os.environ.items() if not n.startswith(UNSET_PREFIXES)}


def bare_environment(**variables: str) -> dict[str, str]:
    """Return an environment without HOME, as a container with an unknown uid has it."""
    network = {n: v for n, v in os.environ.items() if any(part in n.upper() for part in NETWORK)}
    return {"PATH": os.defpath, **network, **variables}


def unknown_user() -> list[str]:
    """Return a prefix that runs a command as a uid without an account, if the kernel allows it."""
    command = ["unshare", "--user", "--map-user=12345", "--map-group=12345"]
    allowed = (
        shutil.which("unshare")
        and not subprocess.run([*command, "true"], capture_output=True, check=False).returncode
    )
    return command if allowed else []


def build(
    *arguments: object,
    environment: Mapping[str, str],
    checkout: Path = ROOT,
    prefix: list[str] | None = None,
) -> None:
    """Run `python -m sp404_app build`."""
    command = [*(prefix or []), sys.executable, "-m", "sp404_app", "build", *map(str, arguments)]
    done = subprocess.run(
        command, cwd=checkout, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def another_checkout(folder: Path, changes: Mapping[str, tuple[str, str]]) -> Path:
    """Copy the sources and replace texts in them."""
    home = Home(folder)
    home.prepare()
    checkout = copy_checkout(home)
    (checkout / ".web").unlink()
    for name, (former, new) in changes.items():
        path = checkout / name
        assert former in path.read_text()
        path.write_text(path.read_text().replace(former, new))
    return checkout


def digests(folder: Path) -> dict[str, str]:
    """Return the SHA-256 sum of each file by its path."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@contextmanager
def product_with(bundle: Path, **extra: str) -> Iterator[Product]:
    """Make a product that serves a prebuilt bundle, not yet started."""
    root = Path(tempfile.mkdtemp(prefix="sp404o-"))
    product = Product(root / "home", free_port(), LEAN | {"SP404_BUNDLE_DIR": str(bundle)} | extra)
    try:
        yield product
    finally:
        if product.process:
            product.stop()
        shutil.rmtree(root, ignore_errors=True)


@contextmanager
def https_in_front(port: int, https_port: int, folder: Path) -> Iterator[None]:
    """Terminate TLS on a port and pass the bytes on, as a proxy does."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made = make_certificate(folder)
    context.load_cert_chain(made / "fullchain.pem", made / "privkey.pem")
    loop = asyncio.new_event_loop()

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(1 << 16):
                writer.write(data)
                await writer.drain()
        writer.close()

    async def connect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.gather(pump(reader, inner_writer), pump(inner_reader, writer))

    # In a thread: Playwright has a loop in this one.
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    starting = asyncio.start_server(connect, "127.0.0.1", https_port, ssl=context)
    server = asyncio.run_coroutine_threadsafe(starting, loop).result(30)
    try:
        yield
    finally:
        loop.call_soon_threadsafe(server.close)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
