"""A server for tests of the service worker: it answers as the product does, or not at all."""

import http.server
import json
import threading
from dataclasses import dataclass, field
from pathlib import Path

import sp404_app

SCRIPT = Path(sp404_app.__file__).parent / "components" / "service_worker.js"
SHELL = ["/offline", "/offline.js"]
# Waits of the worker, and how long they take here.
SHORTER = {
    "DOCUMENT_TIMEOUT_MS = 5000;": "DOCUMENT_TIMEOUT_MS = 300;",
    "KEEP_AFTER_MS = 500;": "KEEP_AFTER_MS = 5;",
}
Answer = tuple[int, bytes, dict[str, str]]


@dataclass
class Site:
    """What the server answers; `account` is who is signed in."""

    account: str = "ada"
    names: list[str] = field(default_factory=lambda: ["Kick"])
    build: str = "one"
    sound: bytes = bytes(range(100))
    is_down: bool = False
    gate: threading.Event = field(default_factory=threading.Event)  # held requests wait for it
    held: str = ""  # path that waits
    requests: list[str] = field(default_factory=list)

    def script(self) -> bytes:
        """Return the worker as the product serves it, with shorter waits."""
        source = SCRIPT.read_text()
        for wait, shorter in SHORTER.items():
            assert wait in source
            source = source.replace(wait, shorter)
        constants = f"const BUILD = {json.dumps(self.build)};\nconst SHELL = {json.dumps(SHELL)};\n"
        return (constants + source).encode()

    def answer(self, path: str) -> Answer:
        """Return the answer to a GET request."""
        if path == "/service-worker.js":
            return 200, self.script(), {"Content-Type": "text/javascript"}
        if path.startswith("/api/") and not self.account:
            return 401, b"{}", {"Content-Type": "application/json"}
        if path == "/api/samples/names":
            rows = [{"id": name, "name": name, "bpm": 90, "key": "Am"} for name in self.names]
            body = json.dumps({"account": self.account, "samples": rows}).encode()
            return 200, body, {"Content-Type": "application/json"}
        if path.endswith("/audio?format=play"):
            return 200, self.sound, {"Content-Type": "audio/wav"}
        return 200, f"<title>{path}</title>".encode(), {"Content-Type": "text/html"}


class WorkerServer(http.server.ThreadingHTTPServer):
    """Serves a `Site`."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.site = Site()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class Handler(http.server.BaseHTTPRequestHandler):
    server: WorkerServer

    def log_message(self, *_: object) -> None:
        """Log nothing."""

    def do_GET(self) -> None:
        site = self.server.site
        site.requests.append(self.path)
        if site.is_down:
            self.connection.close()
            return
        answer = site.answer(self.path)  # before it waits: as a slow network does
        if self.path == site.held:
            site.gate.wait(10)
        self.reply(*answer)

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.server.site.requests.append(f"POST {self.path}")
        self.reply(303, b"", {"Location": "/login"})

    def reply(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in ({"Content-Length": str(len(body))} | headers).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)
