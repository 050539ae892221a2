"""ASGI application of the emulator, mounted at `/_stripe` in development only."""

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
from stripe_emulator.api import Api, ApiRequest, ApiResponse
from stripe_emulator.engine import scheduler
from stripe_emulator.errors import ApiError
from stripe_emulator.pages import routes
from stripe_emulator.store import Store
from stripe_emulator.transaction import EmulatorConfig, Transaction
from stripe_emulator.webhooks import BackgroundThread, WebhookSender

MAX_BODY_BYTES = 1 << 20
# Behind a local reverse proxy every request comes from a loopback address, so requests that carry
# one of these headers count as remote.
FORWARDING_HEADER = re.compile(rb"via|.*forwarded.*|.*(client|real|remote|connecting)-?_?ip.*")


class Emulator:
    """ASGI app that serves the API, the hosted pages and the development controls."""

    def __init__(self, store: Store, config: EmulatorConfig, keys: secret_keys.SecretKeys) -> None:
        self.store = store
        self.config = config
        self.keys = keys
        self.api = Api(store, config, keys.api_key)
        self.sender = WebhookSender(store, config)
        self._background: BackgroundThread | None = None
        self._pid = 0
        self._app: ASGIApp = Starlette(
            routes=[
                Route("/dev/{name}", self.handle_control, methods=["GET", "POST"]),
                Route(
                    "/v1/{path:path}", self.handle_api_request, methods=["GET", "POST", "DELETE"]
                ),
                *routes.page_routes(store, config, self.wake),
            ]
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve requests from this machine; answer 403 to all others."""
        if scope["type"] == "http" and not is_local(scope):
            await Response("Available on this machine only.", 403)(scope, receive, send)
            return
        await self._app(scope, receive, send)

    async def handle_api_request(self, request: HttpRequest) -> Response:
        """Handle a request to `/v1/…`."""
        body = await read_limited_body(request)
        if body is None:
            return JSONResponse({"error": {"message": "Request too large."}}, 413)
        arrived = ApiRequest(
            request.method,
            f"/v1/{request.path_params['path']}",
            request.url.query,
            body,
            request.headers,
        )
        made = await run_in_threadpool(self.api.handle, arrived)
        self.wake()
        return JSONResponse(made.body, made.status, made.headers)

    async def handle_control(self, request: HttpRequest) -> Response:
        """Handle a request to `/dev/…`."""
        body = await read_limited_body(request)
        given = dict(request.query_params)
        made = await run_in_threadpool(self.run_control, request, body or b"", given)
        self.wake()
        return JSONResponse(made.body, made.status)

    def run_control(self, request: HttpRequest, body: bytes, given: dict[str, str]) -> ApiResponse:
        """Authenticate the request and run its control in one transaction."""
        try:
            self.api.authenticate(request.headers.get("authorization", ""))
            control = controls.find_control(request.method, request.path_params["name"])
            read = controls.parse_json_object(body) if request.method == "POST" else given
            with self.store.writing() as connection:
                tx = Transaction(connection, self.config)
                return ApiResponse(200, {"data": controls.run_control(tx, control, read)})
        except ApiError as error:
            return ApiResponse(error.status, error.body())

    def run_due(self) -> int:
        """Process everything due for customers without a test clock; return the number of steps."""
        now = int(self.config.clock())
        with self.store.reading() as connection:
            if (
                scheduler.next_due_time(Transaction(connection, self.config), None, now)
                == scheduler.NEVER
            ):
                return 0
        with self.store.writing() as connection:
            return scheduler.run_due(Transaction(connection, self.config), None, now)

    def deliver_pending(self, *, ignore_delays: bool = False) -> int:
        """Send the webhook deliveries that are due; return the number of attempts."""
        return self.sender.deliver_pending(ignore_delays=ignore_delays)

    def start(self) -> None:
        """Start the background thread that processes due objects and sends webhooks.

        After a fork the child process starts a thread of its own.
        """
        if self._background is None or self._pid != os.getpid():
            self._pid = os.getpid()
            self._background = BackgroundThread(lambda: (self.run_due(), self.deliver_pending()))
            self._background.start()

    def stop(self) -> None:
        """Stop the background thread."""
        if self._background and self._pid == os.getpid():
            self._background.stop()
        self._background = None

    def wake(self) -> None:
        """Wake the background thread before its next interval."""
        if self._background:
            self._background.wake_event.set()


async def read_limited_body(request: HttpRequest) -> bytes | None:
    """Return the request body, or None if it exceeds `MAX_BODY_BYTES`."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            return None
    return body


def is_local(scope: Scope) -> bool:
    """Return whether a request comes from this machine and not through a proxy."""
    client = scope.get("client")
    forwarded = any(FORWARDING_HEADER.fullmatch(name) for name, _ in scope["headers"])
    return bool(client) and not forwarded and is_loopback(client[0])


def is_loopback(address: str) -> bool:
    """Return whether an IP address is a loopback address; IPv4-mapped IPv6 counts."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    mapped = getattr(found, "ipv4_mapped", None)
    return (mapped or found).is_loopback


def create_emulator(
    database: Path,
    secrets_file: Path,
    base_url: str,
    webhook_url: str | None = None,
    *,
    production: bool = False,
    clock: Callable[[], float] = time.time,
) -> Emulator:
    """Create the emulator.

    Args:
        database: SQLite file, created if missing.
        secrets_file: JSON file with `api_key` and `webhook_secret`, created if missing.
        base_url: URL at which the emulator is mounted, such as `http://localhost:3000/_stripe`.
        webhook_url: the product's webhook URL; it receives every event.
        production: whether this is a production process.
        clock: returns the current Unix time in seconds.

    Raises:
        RuntimeError: in production.
    """
    if production:
        raise RuntimeError("The Stripe emulator cannot run in production.")
    keys = secret_keys.load_secret_keys(secrets_file)
    config = EmulatorConfig(base_url.rstrip("/"), webhook_url, keys.webhook_secret, clock)
    return Emulator(Store(database), config, keys)
