"""Hold back what the server sends to a page."""

import re

from playwright.sync_api import Page, WebSocketRoute, expect

from tests.e2e.pad_page import PadPage, PadUser


class LateAnswers:
    """Holds back what the server sends to a page; what the page sends passes."""

    def __init__(self, page: Page) -> None:
        self.page, self.is_holding = page, False
        self.held: list[tuple[WebSocketRoute, str | bytes]] = []
        page.route_web_socket(re.compile("/_event"), self._connect)

    def _connect(self, socket: WebSocketRoute) -> None:
        server = socket.connect_to_server()
        server.on_message(lambda message: self._receive(socket, message))

    def _receive(self, socket: WebSocketRoute, message: str | bytes) -> None:
        if self.is_holding:
            self.held.append((socket, message))
        else:
            socket.send(message)

    def hold(self) -> None:
        self.is_holding = True

    def wait(self) -> int:
        """Wait until an answer is held back; return how many messages are."""
        while not self.held:
            self.page.wait_for_timeout(20)
        return len(self.held)

    def deliver(self, count: int) -> None:
        """Deliver the first messages that are held back, and go on to hold the others."""
        for _ in range(count):
            socket, message = self.held.pop(0)
            socket.send(message)

    def release(self) -> None:
        """Deliver what is held back and what follows."""
        self.is_holding = False
        self.deliver(len(self.held))


def create_chosen_pad(user: PadUser, page: Page) -> PadPage:
    """Open the pad page with sounds on A1 and A2; A1 is chosen and silent."""
    kit = PadPage.create(user, page, ("Velvet Kick", "Paper Snare"))
    kit.expect_ready("A1", "A2")
    kit.choose("A1")
    kit.stop()
    expect(page.get_by_test_id("pad-name")).to_have_value("Velvet Kick")
    return kit
