"""What goes wrong in a page, and what it sends, while somebody uses it."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from playwright.sync_api import ConsoleMessage, Page, Request, Response, WebSocket

EVENT = re.compile(r'"name":"(reflex___state[^"]+)"')


@dataclass  # Playwright adds attributes for bound listeners, so there are no slots
class Witness:
    """Listens to one page: errors are faults; requests, downloads and events are signs of life."""

    page: Page
    fault: Callable[[str], None]
    events: set[str] = field(default_factory=set)  # names of the handlers that were called
    signs: int = 0
    _asked: int = 0
    _answered: int = 0

    def __post_init__(self) -> None:
        """Listen."""
        page = self.page
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.fault(f"page error: {error}"))
        page.on("requestfailed", self._failed)
        page.on("request", lambda _: self._sign())
        page.on("response", self._response)
        page.on("websocket", self._websocket)
        page.on("download", lambda _: self._sign())
        page.on("popup", self._popup)
        page.on("dialog", lambda dialog: dialog.accept())

    @property
    def answered(self) -> bool:
        """Whether all that was asked had a first answer."""
        return self._answered >= self._asked

    def _sign(self) -> None:
        self.signs += 1

    def _console(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.fault(f"console: {message.text}")

    def _failed(self, request: Request) -> None:
        if request.failure != "net::ERR_ABORTED":  # the browser's own, on the way to another page
            self.fault(f"{request.failure} {request.url}")

    def _popup(self, popup: Page) -> None:
        self._sign()
        popup.close()

    def _response(self, response: Response) -> None:
        if response.status >= 400:
            self.fault(f"{response.status} {response.request.method} {response.url}")

    def _websocket(self, socket: WebSocket) -> None:
        self._asked = self._answered = 0
        socket.on("framesent", lambda frame: self._sent(str(frame)))
        socket.on("framereceived", lambda frame: self._received(str(frame)))

    def _sent(self, frame: str) -> None:
        names = EVENT.findall(frame)
        self.events.update(names)
        if names:
            self.signs += 1
            self._asked = self._answered + 1

    def _received(self, frame: str) -> None:
        if '"delta"' in frame or '"final"' in frame:
            self._answered += 1
