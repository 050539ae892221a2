"""A page with only the card writer, and a server for its scripts."""

import http.server
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

import sp404_app
from tests.components.npm_modules import install_modules, resolve_imports

SCRIPTS = Path(sp404_app.__file__).parent / "components"
HERE = Path(__file__).parent
PAGE = "<!doctype html><link rel=icon href=data:,><script type=module src=/{}></script>"


class CardServer(http.server.ThreadingHTTPServer):
    """Serves the page and the scripts."""

    daemon_threads = True

    def __init__(self, harness: str = "card_harness.js") -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.page = PAGE.format(harness).encode()
        self.modules = install_modules()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/"


class _Handler(http.server.BaseHTTPRequestHandler):
    server: CardServer

    def log_message(self, *_: object) -> None:
        """Log nothing."""

    def do_GET(self) -> None:
        name = self.path.removeprefix("/")
        found = self._find(name) if name else None
        body = resolve_imports(found.read_bytes()) if found else self.server.page
        self.send_response(200)
        self.send_header("Content-Type", "text/javascript" if found else "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _find(self, name: str) -> Path | None:
        if name.startswith("modules/"):
            return self.server.modules / name.removeprefix("modules/")
        return next((each / name for each in (SCRIPTS, HERE) if (each / name).exists()), None)


class CardPage:
    """The writer of one page, and its card."""

    def __init__(self, page: Page, url: str) -> None:
        self.page, self.url = page, url
        self.open()

    def open(self) -> None:
        """Load the page, as after a crash: the card and the records stay."""
        self.page.goto(self.url)
        self.page.wait_for_function("window.isReady")

    def run(self, code: str, *arguments: Any) -> Any:
        """Run code with `card`, `fake`, `writer` and the arguments `a`, `b`."""
        function = (
            f"([a, b]) => (async ({{ fake }}, card, writer) => {{ {code} }})(card, card, writer)"
        )
        return self.page.evaluate(function, [*arguments, None, None][:2])

    def put(self, path: str, text: str) -> None:
        self.run("await card.put(a, b)", path, text)

    def wants(self, files: dict[str, str], base: dict[str, str] | None = None) -> None:
        """Set the files of the export, and those that were on the card when it was read last."""
        self.run("fake.wanted = a; fake.base = b", files, base or {})

    def files(self) -> dict[str, str]:
        return self.run("return card.files()")

    def choose(self) -> None:
        self.run("await writer.choose()")

    def write(self) -> None:
        self.run("await writer.write()")

    @property
    def state(self) -> dict[str, Any]:
        return self.run("return writer.getSnapshot()")

    def wait_for(self, phase: str) -> dict[str, Any]:
        self.page.wait_for_function(f"writer.getSnapshot().phase === '{phase}'")
        return self.state

    def changes(self) -> dict[str, str]:
        return {each["path"]: each["what"] for each in self.state["changes"]}
