"""Monitor a page: console errors, failed requests, events and other activity."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from playwright.sync_api import ConsoleMessage, Page, Request, Response, WebSocket

EVENT_NAME = re.compile(r'"name":"(reflex___state[^"]+)"')


@dataclass  # no slots: Playwright sets attributes on objects with bound listeners
class PageMonitor:
    """Listens to one page; reports errors and counts requests, downloads and events as activity."""

    page: Page
    report_error: Callable[[str], None]
    events: set[str] = field(default_factory=set)  # names of the event handlers called
    activity: int = 0
    _sent_events: int = 0
    _received_updates: int = 0

    def __post_init__(self) -> None:
        """Register the listeners."""
        page = self.page
        page.on("console", self._on_console)
        page.on("pageerror", lambda error: self.report_error(f"page error: {error}"))
        page.on("requestfailed", self._on_request_failed)
        page.on("request", lambda _: self._note_activity())
        page.on("response", self._on_response)
        page.on("websocket", self._on_websocket)
        page.on("download", lambda _: self._note_activity())
        page.on("popup", self._on_popup)
        page.on("dialog", lambda dialog: dialog.accept())

    @property
    def all_answered(self) -> bool:
        """Whether every event has received a first response."""
        return self._received_updates >= self._sent_events

    def _note_activity(self) -> None:
        self.activity += 1

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.report_error(f"console: {message.text}")

    def _on_request_failed(self, request: Request) -> None:
        if request.failure != "net::ERR_ABORTED":  # the browser aborts requests on navigation
            self.report_error(f"{request.failure} {request.url}")

    def _on_popup(self, popup: Page) -> None:
        self._note_activity()
        popup.close()

    def _on_response(self, response: Response) -> None:
        if response.status >= 400:
            self.report_error(f"{response.status} {response.request.method} {response.url}")

    def _on_websocket(self, socket: WebSocket) -> None:
        self._sent_events = self._received_updates = 0
        socket.on("framesent", lambda frame: self._on_sent(str(frame)))
        socket.on("framereceived", lambda frame: self._on_received(str(frame)))

    def _on_sent(self, frame: str) -> None:
        names = EVENT_NAME.findall(frame)
        self.events.update(names)
        if names:
            self.activity += 1
            self._sent_events = self._received_updates + 1

    def _on_received(self, frame: str) -> None:
        if '"delta"' in frame or '"final"' in frame:
            self._received_updates += 1
