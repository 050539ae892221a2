"""The emulator as one ASGI app, to be mounted at `/_stripe` in development only."""

import ipaddress
import os
import re
import time
from collections.abc import Callable
from pathlib import Path

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request as HttpRequest
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from stripe_emulator import controls, secret_keys
from stripe_emulator.api import Answer, Api, Request
from stripe_emulator.engine import scheduler
from stripe_emulator.errors import Problem
from stripe_emulator.pages import routes
from stripe_emulator.store import Store
from stripe_emulator.transaction import Ledger, Setup
from stripe_emulator.webhooks import Background, Sender

MOST_BYTES = 1 << 20
# A proxy on this machine makes everybody's requests come from a loopback address.
FORWARDING = re.compile(rb"via|.*forwarded.*|.*(client|real|remote|connecting)-?_?ip.*")


class Emulator:
    """The ASGI app, with what its owner may ask of it."""

    def __init__(self, store: Store, setup: Setup, keys: secret_keys.SecretKeys) -> None:
        self.store = store
        self.setup = setup
        self.keys = keys
        self.api = Api(store, setup, keys.api_key)
        self.sender = Sender(store, setup)
        self._background: Background | None = None
        self._pid = 0
        self._app: ASGIApp = Starlette(
            routes=[
                Route("/dev/{name}", self.control, methods=["GET", "POST"]),
                Route("/v1/{path:path}", self.call, methods=["GET", "POST", "DELETE"]),
                *routes.routes(store, setup, self.wake),
            ]
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer this machine only."""
        if scope["type"] == "http" and not is_local(scope):
            await Response("Only for this machine.", 403)(scope, receive, send)
            return
        await self._app(scope, receive, send)

    async def call(self, request: HttpRequest) -> Response:
        """Answer a request to the API."""
        body = await limited(request)
        if body is None:
            return JSONResponse({"error": {"message": "Request too large."}}, 413)
        arrived = Request(
            request.method,
            f"/v1/{request.path_params['path']}",
            request.url.query,
            body,
            request.headers,
        )
        made = await run_in_threadpool(self.api.answer, arrived)
        self.wake()
        return JSONResponse(made.body, made.status, made.headers)

    async def control(self, request: HttpRequest) -> Response:
        """Answer the development page."""
        body = await limited(request)
        given = dict(request.query_params)
        made = await run_in_threadpool(self.steer, request, body or b"", given)
        self.wake()
        return JSONResponse(made.body, made.status)

    def steer(self, request: HttpRequest, body: bytes, given: dict[str, str]) -> Answer:
        """Run a control in one transaction."""
        try:
            self.api.authenticate(request.headers.get("authorization", ""))
            control = controls.find(request.method, request.path_params["name"])
            read = controls.read(body) if request.method == "POST" else given
            with self.store.writing() as connection:
                ledger = Ledger(connection, self.setup)
                return Answer(200, {"data": controls.answer(ledger, control, read)})
        except Problem as problem:
            return Answer(problem.status, problem.body())

    def tick(self) -> int:
        """Let everything happen that is due for customers in real time; return how much."""
        now = int(self.setup.clock())
        with self.store.reading() as connection:
            if scheduler.upcoming(Ledger(connection, self.setup), None, now) == scheduler.FOREVER:
                return 0
        with self.store.writing() as connection:
            return scheduler.run(Ledger(connection, self.setup), None, now)

    def deliver_pending(self, *, ignore_delays: bool = False) -> int:
        """Send the webhooks that are due; return how many were tried."""
        return self.sender.deliver_pending(ignore_delays=ignore_delays)

    def start(self) -> None:
        """Let time pass and webhooks go out by themselves, in a thread of this process."""
        if self._background is None or self._pid != os.getpid():
            self._pid = os.getpid()
            self._background = Background(lambda: (self.tick(), self.deliver_pending()))
            self._background.start()

    def stop(self) -> None:
        """End the thread."""
        if self._background and self._pid == os.getpid():
            self._background.stop()
        self._background = None

    def wake(self) -> None:
        """Tell the thread that something happened."""
        if self._background:
            self._background.news.set()


async def limited(request: HttpRequest) -> bytes | None:
    """Read a body, unless it is far larger than any request to Stripe."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MOST_BYTES:
            return None
    return body


def is_local(scope: Scope) -> bool:
    """Whether a request comes from this machine, without a proxy on it in between."""
    client = scope.get("client")
    forwarded = any(FORWARDING.fullmatch(name) for name, _ in scope["headers"])
    return bool(client) and not forwarded and is_loopback(client[0])


def is_loopback(address: str) -> bool:
    """Whether an address is this machine's own."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    mapped = getattr(found, "ipv4_mapped", None)
    return (mapped or found).is_loopback


def create(
    database: Path,
    secrets_file: Path,
    base_url: str,
    webhook_url: str | None = None,
    *,
    production: bool = False,
    clock: Callable[[], float] = time.time,
) -> Emulator:
    """Make the emulator; it exists in development only, and nothing overrides that.

    Args:
        database: its SQLite file, made if missing.
        secrets_file: JSON with `api_key` and `webhook_secret`, made if missing.
        base_url: where it is mounted, such as `http://localhost:3000/_stripe`.
        webhook_url: the product's own address for webhooks, which gets every event.
        production: whether this is a production process.
        clock: tells the real time.

    Raises:
        RuntimeError: in production.
    """
    if production:
        raise RuntimeError("The Stripe emulator does not exist in production.")
    keys = secret_keys.load(secrets_file)
    setup = Setup(base_url.rstrip("/"), webhook_url, keys.webhook_secret, clock)
    return Emulator(Store(database), setup, keys)
