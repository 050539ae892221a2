"""A minimal Socket.IO client for a tab's state: RFC 6455, Engine.IO and Socket.IO by hand."""

import asyncio
import base64
import json
import os
import secrets
import struct
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

ROUTER = {"pathname": "/library", "asPath": "/library", "query": {}}
TEXT, PING = 1, 9


class StateSocket:
    """One open connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    @classmethod
    @asynccontextmanager
    async def opened(cls, port: int, cookie: str) -> AsyncIterator["StateSocket"]:
        """Connect with a session cookie, until events are accepted."""
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        key = base64.b64encode(secrets.token_bytes(16)).decode()
        writer.write(
            f"GET /_event/?EIO=4&transport=websocket&token={uuid.uuid4()} HTTP/1.1\r\n"
            f"Host: localhost:{port}\r\nOrigin: http://localhost:{port}\r\nCookie: {cookie}\r\n"
            f"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
            f"Sec-WebSocket-Key: {key}\r\n\r\n".encode()
        )
        head = await reader.readuntil(b"\r\n\r\n")
        assert b" 101 " in head, head
        socket = cls(reader, writer)
        await socket.until("0")
        socket.send("40/_event,")
        await socket.until("40/_event")
        yield socket
        writer.close()

    def send(self, text: str) -> None:
        """Write one masked text frame."""
        body, mask = text.encode(), os.urandom(4)
        size = len(body)
        head = bytes((0x80 | TEXT, 0x80 | size)) if size < 126 else b""
        head = head or bytes((0x80 | TEXT, 0x80 | 126)) + struct.pack(">H", size)
        masked = bytes(byte ^ mask[place % 4] for place, byte in enumerate(body))
        self._writer.write(head + mask + masked)

    async def until(self, text_part: str) -> str:
        """Read until a message begins with or contains a text."""
        while True:
            text = await self._frame()
            if text == "2":  # Engine.IO ping
                self.send("3")
            elif text.startswith(text_part) or (len(text_part) > 2 and text_part in text):
                return text

    async def _frame(self) -> str:
        first, second = await self._reader.readexactly(2)
        size = second & 127
        if size > 125:
            length = await self._reader.readexactly(2 if size == 126 else 8)
            size = int.from_bytes(length, "big")
        body = await self._reader.readexactly(size)
        assert first & 15 in (TEXT, PING), f"the connection was closed: {body!r}"
        return body.decode() if first & 15 == TEXT else ""

    async def event(self, handler: str, expected: str) -> None:
        """Send an event, and wait until a response contains the expected text."""
        body = {"name": handler, "payload": {}, "router_data": ROUTER}
        self.send("42/_event," + json.dumps(["event", body]))
        await self.until(expected)
