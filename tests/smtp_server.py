"""An SMTP server for tests, which accepts, refuses or defers messages as configured."""

import socketserver
import threading
from collections.abc import Iterator

import pytest

from sp404_app.settings import settings


class SmtpSession(socketserver.StreamRequestHandler):
    """One connection, with the commands of RFC 5321 that smtplib uses."""

    server: "SmtpServer"

    def handle(self) -> None:
        self._reply("220 ready")
        while line := self.rfile.readline().decode().strip():
            command = line.upper().split(":")[0].split()[0]
            if command == "EHLO":
                self._reply("250-here\r\n250-AUTH PLAIN\r\n250 8BITMIME")
            elif command == "AUTH":
                self.server.logins.append(line)
                self._reply("235 ok")
            elif command == "DATA":
                self._reply("354 send")
                self._receive()
            elif command == "MAIL" and self.server.later_replies:
                self.server.later_replies -= 1
                self._reply("451 later")
            elif command == "RCPT":
                self.server.recipients.append(line.partition("<")[2].partition(">")[0])
                unknown = self.server.recipients[-1] == self.server.unknown_recipient
                self._reply("550 no such mailbox" if unknown else "250 ok")
            elif command == "QUIT":
                self._reply("221 bye")
                return
            else:
                self._reply("250 ok")

    def _reply(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())

    def _receive(self) -> None:
        lines = []
        while (line := self.rfile.readline()) != b".\r\n":
            lines.append(line)
        self.server.while_receiving()
        self.server.messages.append(b"".join(lines).decode())
        self._reply("250 accepted")


class SmtpServer(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), SmtpSession)
        self.messages: list[str] = []
        self.logins: list[str] = []
        self.recipients: list[str] = []
        self.later_replies = 0
        self.unknown_recipient = ""
        self.while_receiving = lambda: None

    @property
    def port(self) -> int:
        return self.server_address[1]

    def start(self) -> None:
        threading.Thread(target=self.serve_forever, args=[0.05], daemon=True).start()


@pytest.fixture
def smtp_server(environment: pytest.MonkeyPatch) -> Iterator[SmtpServer]:
    """Run a mail server that requires a password, and set `SP404_SMTP_URL` to it."""
    with SmtpServer() as server:
        server.start()
        url = f"smtp://ada%40x:pass%2Fword@127.0.0.1:{server.port}"
        environment.setenv("SP404_SMTP_URL", url)
        settings.cache_clear()
        yield server
        server.shutdown()
