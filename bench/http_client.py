"""A minimal HTTP client for many connections in one process."""

import asyncio
import re
import time

CONTENT_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)


class HttpConnection(asyncio.Protocol):
    """One keep-alive connection with one request at a time."""

    def __init__(self) -> None:
        self._received = bytearray()
        self._response: asyncio.Future[int] | None = None
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Store the transport."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Collect a response; when it is complete, return its status."""
        self._received += data
        head = self._received.find(b"\r\n\r\n")
        if head < 0:
            return
        length = CONTENT_LENGTH.search(self._received, 0, head)
        if length is None or len(self._received) < head + 4 + int(length[1]):
            return
        status = int(self._received[9:12])
        self._received.clear()
        if self._response is not None and not self._response.done():
            self._response.set_result(status)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's name
        """Report an unanswered request as status 0."""
        if self._response is not None and not self._response.done():
            self._response.set_result(0)

    async def send_request(self, request: bytes) -> int:
        """Send a request and return the status of its response; 0 if there is none."""
        self._response = asyncio.get_running_loop().create_future()
        assert self._transport is not None
        self._transport.write(request)
        return await self._response


async def open_connection(port: int, source: str = "127.0.0.1") -> HttpConnection:
    """Connect from an address of this machine."""
    _, connection = await asyncio.get_running_loop().create_connection(
        HttpConnection, "127.0.0.1", port, local_addr=(source, 0)
    )
    return connection


def build_request(path: str, token: str) -> bytes:
    """Return the bytes of a request."""
    return (
        f"GET {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\r\n"
    ).encode()


async def closed_loop(port: int, requests: list[bytes], connections: int, seconds: float) -> float:
    """Send requests as fast as responses come, on several connections; return responses per second.

    Raises:
        RuntimeError: If a response is not a 200.
    """
    count, until = 0, time.perf_counter() + seconds

    async def send_in_turn(number: int) -> None:
        nonlocal count
        connection, turn = await open_connection(port), number
        while time.perf_counter() < until:
            status = await connection.send_request(requests[turn % len(requests)])
            if status != 200:
                raise RuntimeError(f"answered {status}")
            count, turn = count + 1, turn + connections

    await asyncio.gather(*(send_in_turn(number) for number in range(connections)))
    return count / seconds


async def send_each_once(port: int, requests: list[bytes], connections: int) -> None:
    """Send each request once.

    Raises:
        RuntimeError: If a response is not a 200.
    """

    async def send_in_turn(number: int) -> None:
        connection = await open_connection(port)
        for each in requests[number::connections]:
            status = await connection.send_request(each)
            if status != 200:
                raise RuntimeError(f"answered {status}")

    await asyncio.gather(*(send_in_turn(number) for number in range(connections)))


async def paced_requests(
    port: int, requests: list[bytes], seconds: int
) -> tuple[list[float], dict[int, int]]:
    """Send each request once a second; return the times and the count of each status.

    Times are measured from when the request was due, so that queueing behind a slow response is
    included (no coordinated omission).
    """
    times: list[float] = []
    statuses: dict[int, int] = {}
    connections = [await open_connection(port) for _ in requests]
    began = time.perf_counter() + 1

    async def client(number: int) -> None:
        for second in range(seconds):
            due = began + number / len(requests) + second
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            status = await connections[number].send_request(requests[number])
            times.append(time.perf_counter() - due)
            statuses[status] = statuses.get(status, 0) + 1

    await asyncio.gather(*(client(number) for number in range(len(requests))))
    return times, statuses
