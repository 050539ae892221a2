"""How long a small file takes on a kept connection, beside a response of a few bytes.

    .venv/bin/python bench/kept_connection.py

Browsers and proxies keep their connections. A file's head and body are two writes of the server;
the status is one.
"""

import http.client
import statistics
import time
from typing import Final

from instance import running_product

from tests.product import Product

ROUNDS: Final = 100
PATHS: Final = {"status of the server": "/api/health/live", "page of 5 kB": "/library"}


def main() -> None:
    """Measure and print."""
    with running_product() as instance:
        times = {name: _median_ms(instance, path) for name, path in PATHS.items()}
    base = next(iter(times.values()))
    for name, median in times.items():
        print(f"{name:22} {median:6.1f} ms   {median / base:5.1f} x")


def _median_ms(instance: Product, path: str) -> float:
    connection = http.client.HTTPConnection("localhost", instance.port)
    found = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        connection.request("GET", path, headers={"Accept-Encoding": "br"})
        connection.getresponse().read()
        found.append((time.perf_counter() - began) * 1000)
    connection.close()
    return statistics.median(found)


if __name__ == "__main__":
    main()
