"""Time of a bulk rename as a person gets it: from the request until its job is done.

A running product with its workers renames the sounds of a library by a template. The baseline is
one plain SQL update of the same columns of the same rows, so that the ratio does not depend on the
machine. Then the edit is undone, and its time printed, too.
"""

import argparse
import os
import time

import httpx
from instance import (
    PASSWORD,
    create_user,
    fill_library,
    open_database,
    running_product,
    vacuum_database,
)
from sqlalchemy import text

from tests.product import Product

LIBRARY_SIZE = 10_000
ROUNDS = 3
POLL_S = 0.02
PLAIN_UPDATE = """
update samples set name = name || ' !', sort_key = sort_key || ' !',
  search_text = search_text || ' plain', updated_at = now()
"""


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--size", type=int, default=LIBRARY_SIZE, help="samples in the library")
    size = options.parse_args().size
    with running_product({"SP404_REQUESTS_PER_MINUTE": "100000"}) as instance:
        with open_database(instance) as session:
            fill_library(session, create_user(session), size)
        vacuum_database(instance)
        print(f"{size:,} samples, load {os.getloadavg()[0]:.1f}", flush=True)
        with httpx.Client(base_url=instance.base_url, timeout=60) as client:
            credentials = {"email": "bench@example.org", "password": PASSWORD}
            token = client.post("/api/auth/login", json=credentials).json()["token"]
            client.headers["Authorization"] = f"Bearer {token}"
            for number in range(ROUNDS):
                plain = time_plain_update(instance)
                vacuum_database(instance)
                body = {"action": "rename", "filter": {}, "template": f"{{n:05}} {{name}} {number}"}
                renamed, job = time_job(client, "/api/samples/bulk", body)
                assert job["result"]["changed"] == size, job
                edit = job["result"]["bulk_edit_id"]
                vacuum_database(instance)
                undone, job = time_job(client, f"/api/bulk-edits/{edit}/undo", {})
                assert job["result"]["restored"] == size, job
                vacuum_database(instance)
                print(
                    f"rename {renamed:5.2f} s, undo {undone:5.2f} s, plain update {plain:5.2f} s, "
                    f"ratio {renamed / plain:.1f}",
                    flush=True,
                )


def time_plain_update(instance: Product) -> float:
    """Return the seconds of one SQL update of all samples."""
    with open_database(instance) as session:
        began = time.perf_counter()
        session.connection().execute(text(PLAIN_UPDATE))
        session.commit()
        return time.perf_counter() - began


def time_job(client: httpx.Client, path: str, body: dict[str, object]) -> tuple[float, dict]:
    """Request a job; return the seconds until it is done, and its row."""
    began = time.perf_counter()
    answer = client.post(path, json=body)
    answer.raise_for_status()
    job = answer.json()["job"]
    while job["status"] in {"queued", "running"}:
        time.sleep(POLL_S)
        job = client.get(f"/api/jobs/{job['id']}").json()
    return time.perf_counter() - began, job


if __name__ == "__main__":
    main()
