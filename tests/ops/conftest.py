"""Products that tests of operation start, stop and kill."""

import email
import email.policy
import io
import re
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread

import httpx

from tests.product import Product
from tests.sounds import wav
from tests.supervisor.conftest import new_product, pages, product

__all__ = ["new_product", "pages", "product"]

PASSWORD = "tape delay and dust"


def eventually(claim: Callable[[], object], seconds: float = 60.0) -> None:
    """Wait until a claim is true; `seconds` is only the time after which a test fails."""
    until = time.monotonic() + seconds
    while not claim():
        assert time.monotonic() < until, "it did not come true in time"
        time.sleep(0.05)


@contextmanager
def signed_in(
    product: Product, base_url: str = "", verify: ssl.SSLContext | bool = True
) -> Iterator[httpx.Client]:
    """Register and confirm an account, and sign in, as a browser does."""
    address = f"{time.monotonic_ns()}@example.org"
    url = base_url or product.base_url
    with httpx.Client(base_url=url, timeout=60, verify=verify) as client:
        form = {"email": address, "password": PASSWORD, "first_name": "A", "last_name": "B"}
        assert client.post("/api/auth/register", json=form).status_code == 201
        token = mailed_token(product, address)
        assert client.post("/api/auth/verify-email", json={"token": token}).status_code == 200
        assert client.post("/auth/session", data=form).status_code == 303
        yield client


def mailed_token(product: Product, address: str) -> str:
    outbox = product.home / "outbox"
    found: list[str] = []

    def has_arrived() -> bool:
        for path in outbox.glob("*.eml"):
            mail = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
            body = mail.get_body(("plain",))
            if address in str(mail["To"]) and body:
                found.extend(re.findall(r"token=([\w-]+)", body.get_content()))
        return bool(found)

    eventually(has_arrived)
    return found[0]


class SlowFile(io.BytesIO):
    """A file whose reader waits at its middle until `go_on` is set."""

    def __init__(self, content: bytes) -> None:
        super().__init__(content)
        self.size = len(content)
        self.reached, self.go_on = Event(), Event()

    def read(self, size: int | None = -1, /) -> bytes:
        """Return at most a quarter of the file, so that the middle is a place to wait at."""
        if self.tell() >= self.size // 2:
            self.reached.set()
            self.go_on.wait(120)
        wanted = self.size // 4 if size is None or size < 0 else min(size, self.size // 4)
        return super().read(wanted)


class Upload:
    """An upload in another thread that is in progress until `finish` is called."""

    def __init__(self, client: httpx.Client) -> None:
        self.file = SlowFile(wav(220.0, seconds=20.0))
        self.answer: httpx.Response | Exception | None = None
        self._thread = Thread(target=self._send, args=[client], daemon=True)
        self._thread.start()
        assert self.file.reached.wait(60)

    def _send(self, client: httpx.Client) -> None:
        try:
            self.answer = client.post("/api/samples", files={"file": ("slow.wav", self.file)})
        except httpx.HTTPError as error:
            self.answer = error

    def finish(self) -> httpx.Response | Exception | None:
        """Send the rest and return the answer."""
        self.file.go_on.set()
        self._thread.join(60)
        return self.answer
