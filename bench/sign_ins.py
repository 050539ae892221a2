"""Fifty simultaneous sign-ins, and their effect on the page of another user.

    .venv/bin/python bench/sign_ins.py [--people 50]

An open tab sends an event every 20 ms and waits for its response: first while the server is idle,
then while fifty users sign in at the same moment. The goal is that no event takes more than 50 ms
longer than the slowest one of the idle time.
"""

import argparse
import asyncio
import json
import os
import time

from http_client import HttpConnection, open_connection
from instance import PASSWORD, create_user, open_database, running_product
from services import percentile, use_services_of
from websocket import StateSocket

from sp404_app.services.auth import passwords, sessions
from sp404_app.services.infra.client_info import Client
from sp404_app.state.library.library import LibraryState
from tests.product import Product

EVENT_INTERVAL_S = 0.02  # seconds
REQUEST_HEAD = (
    b"POST /api/auth/login HTTP/1.1\r\nHost: localhost\r\n"
    b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n"
)
EVENT_STATE = LibraryState.get_full_name()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=50)
    options = parser.parse_args()
    with running_product({"SP404_SIGN_INS_PER_MINUTE": "100000"}) as instance:
        os.environ["PORT"] = str(instance.port)
        use_services_of(str(instance.home))
        names = [f"bench-{number}@example.org" for number in range(options.people + 1)]
        with open_database(instance) as session:
            hashed = passwords.hash_password_blocking(PASSWORD)
            users = [create_user(session, name, hashed) for name in names]
            cookie = sessions.start_browser_session(
                session, users[0].id, Client("127.0.0.1", "bench")
            )
        asyncio.run(_measure(instance, names[1:], cookie))


async def _measure(instance: Product, names: list[str], cookie: str) -> None:
    connections = [await open_connection(instance.port) for _ in names]
    async with StateSocket.opened(instance.port, f"{sessions.cookie_name()}={cookie}") as socket:
        await _time_events(socket, asyncio.create_task(asyncio.sleep(1)))  # warm up
        quiet = await _time_events(socket, asyncio.create_task(asyncio.sleep(5)))
        began = time.perf_counter()
        storm = asyncio.create_task(_sign_in_all(connections, names))
        stormy = await _time_events(socket, storm)
        seconds = time.perf_counter() - began
    for name, times in (("quiet", quiet), (f"{len(names)} sign-ins", stormy)):
        p50, p95, most = percentile(times, 0.5), percentile(times, 0.95), 1000 * max(times)
        found = f"p50 {p50:.1f} ms   p95 {p95:.1f} ms   max {most:.1f} ms"
        print(f"{name:12} {len(times):4} events   {found}")
    more = 1000 * (max(stormy) - max(quiet))
    print(
        f"signed in within {seconds:.1f} s; "
        f"the slowest event took {more:+.1f} ms longer, the limit is 50 ms"
    )


async def _time_events(socket: StateSocket, meanwhile: "asyncio.Task[object]") -> list[float]:
    """Send events until a task is done; return their times in seconds."""
    times = []
    while not meanwhile.done():
        began = time.perf_counter()
        await socket.event(f"{EVENT_STATE}.toggle_filters", "filters_open_rx_state_")
        times.append(time.perf_counter() - began)
        await asyncio.sleep(EVENT_INTERVAL_S)
    await meanwhile
    return times


async def _sign_in_all(connections: list[HttpConnection], names: list[str]) -> None:
    """Sign in all users at once."""
    forms = [json.dumps({"email": name, "password": PASSWORD}).encode() for name in names]
    statuses = await asyncio.gather(
        *(
            connection.send_request(REQUEST_HEAD % len(form) + form)
            for connection, form in zip(connections, forms, strict=True)
        )
    )
    assert set(statuses) == {200}, statuses


if __name__ == "__main__":
    main()
