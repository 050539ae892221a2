"""Test harness: the emulator on a real HTTP server, an official client and a webhook receiver."""

import asyncio
import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import stripe
from starlette.applications import Starlette
from starlette.routing import Mount

from stripe_emulator import app

START = 1_775_000_000  # 2026-03-31 23:33:20 UTC
DAY = 86_400


class Receiver:
    """Webhook endpoint that records deliveries and answers with a configurable status."""

    def __init__(self) -> None:
        self.received: list[tuple[bytes, str]] = []
        self.status = 200
        self.redirect: str | None = None
        self.on_arrival: Callable[[], None] | None = None
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outer.received.append((body, self.headers["Stripe-Signature"]))
                self.send_response(outer.status)
                if outer.redirect:
                    self.send_header("Location", outer.redirect)
                self.end_headers()
                if outer.on_arrival:
                    outer.on_arrival()

            def log_message(self, *_: object) -> None:
                return

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}/webhooks"

    def events(self) -> list[dict[str, Any]]:
        return [json.loads(body) for body, _ in self.received]

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


class Served:
    """An ASGI app served on a port, in threads of this process."""

    def __init__(self) -> None:
        self.target: Callable[..., Any] | None = None
        self.client = "127.0.0.1"
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, daemon=True).start()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def answer(self) -> None:
                asyncio.run_coroutine_threadsafe(outer.bridge(self), outer._loop).result(60)

            do_GET = do_POST = do_DELETE = answer  # noqa: N815 - the library's names

            def log_message(self, *_: object) -> None:
                return

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def port(self) -> int:
        return self.server.server_port

    async def bridge(self, handler: BaseHTTPRequestHandler) -> None:
        """Pass one request to the app and send its response."""
        path, _, query = handler.path.partition("?")
        body = handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
        sent: list[Any] = []

        async def receive() -> Any:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Any) -> None:
            sent.append(message)

        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": handler.command,
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "root_path": "",
            "headers": [(k.lower().encode(), v.encode()) for k, v in handler.headers.items()],
            "client": (self.client, 1234),
            "server": ("127.0.0.1", self.port),
        }
        assert self.target
        await self.target(scope, receive, send)
        start, *rest = sent
        content = b"".join(part.get("body", b"") for part in rest)
        handler.send_response(start["status"])
        for name, value in start["headers"]:
            if name != b"content-length":
                handler.send_header(name.decode(), value.decode())
        handler.send_header("Content-Length", str(len(content)))
        handler.end_headers()
        handler.wfile.write(content)

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self._loop.call_soon_threadsafe(self._loop.stop)


@dataclass
class Harness:
    """An emulator with its client, a webhook receiver and a clock that only tests advance."""

    emulator: app.Emulator
    client: stripe.StripeClient
    receiver: Receiver
    base: str
    time: list[float]
    browser: httpx.Client = field(default_factory=lambda: httpx.Client(timeout=20))

    @property
    def v1(self) -> Any:
        return self.client.v1

    @property
    def key(self) -> str:
        return self.emulator.keys.api_key

    def now(self) -> int:
        return int(self.time[0])

    def pass_time(self, seconds: float) -> None:
        """Advance real time and process everything due."""
        self.time[0] += seconds
        self.emulator.run_due()

    def control(self, name: str, **given: Any) -> Any:
        """Call one of the development controls."""
        url, headers = f"{self.base}/dev/{name}", {"Authorization": f"Bearer {self.key}"}
        if given.pop("get", False):
            answer = self.browser.get(url, params=given, headers=headers)
        else:
            answer = self.browser.post(url, json=given, headers=headers)
        assert answer.status_code == 200, answer.text
        return answer.json()["data"]


def make_harness(folder: Path, served: Served, receiver: Receiver) -> Harness:
    """Create an empty emulator on the running server."""
    moment = [float(START)]
    base = f"http://127.0.0.1:{served.port}/_stripe"
    emulator = app.create_emulator(
        folder / "stripe.db",
        folder / "secrets" / "stripe.json",
        base,
        receiver.url,
        clock=lambda: moment[0],
    )
    receiver.received.clear()
    receiver.status, receiver.redirect = 200, None
    served.target = Starlette(routes=[Mount("/_stripe", emulator)])
    client = stripe.StripeClient(
        emulator.keys.api_key, base_addresses={"api": base}, max_network_retries=0
    )
    return Harness(emulator, client, receiver, base, moment)
