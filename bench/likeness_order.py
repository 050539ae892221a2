"""Time to sort a library by likeness to one sample, as a ratio to the sort by name.

    .venv/bin/python bench/likeness_order.py [--size 10000]

Each order is measured in turn, in the same run: the first window of the list, all ids in their
order (which a list keeps while it scrolls), a later window from that order, and a page of the API
in the middle of the library. Only PostgreSQL is started.
"""

import argparse
import os
import time
import uuid
from collections.abc import Callable
from functools import partial
from typing import Any

from collection_counts import SIZE, library
from services import percentile
from sqlmodel import Session

from sp404_app.services.library import scrolling, search
from sp404_app.services.library.search import SampleQuery

ROUNDS, WINDOW_ROWS, PAGE_ROWS = 30, 40, 200
VERSION = b"bench"  # of the library, which does not change


def main() -> None:
    """Fill a library, measure and print."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--size", type=int, default=SIZE)
    size = options.parse_args().size
    with library(size) as (session, user_id, ids):
        like = partial(SampleQuery, sort="likeness", like=ids[size // 3])
        queries = {
            "name": SampleQuery(sort="name"),
            "likeness": like(),
            "likeness, weights": like(weights=(100, 50, 0, 100)),
            "name, a word": SampleQuery(sort="name", q="kick"),
            "likeness, a word": like(q="kick"),
        }
        tasks = {name: make_tasks(session, user_id, query) for name, query in queries.items()}
        times: dict[str, dict[str, list[float]]] = {
            name: {task: [] for task in made} for name, made in tasks.items()
        }
        for _ in range(ROUNDS):
            for name, made in tasks.items():
                for task, run in made.items():
                    times[name][task].append(measure(session, run))
        print(f"{size:,} samples, load {os.getloadavg()[0]:.1f}")
        for name, measured in times.items():
            for task, seconds in measured.items():
                plain = times["name, a word" if name.endswith("word") else "name"][task]
                show(f"{name}: {task}", seconds, plain)


def make_tasks(
    session: Session, user_id: uuid.UUID, query: SampleQuery
) -> dict[str, Callable[[], Any]]:
    """Return what is measured of one query, by name."""
    total = search.search_window(session, user_id, query, 0, 1).total
    cursor = search.search_page(session, user_id, query, "", PAGE_ROWS).next_cursor or ""
    for _ in range(total // PAGE_ROWS // 20):
        page = search.search_page(session, user_id, query, cursor, PAGE_ROWS)
        cursor = page.next_cursor or cursor
    return {
        "first window": lambda: search.search_window(session, user_id, query, 0, WINDOW_ROWS),
        "whole order": lambda: search.search_packed_ids(session, user_id, query),
        "scrolled window": lambda: scrolling.scroll_window(
            session, user_id, query, total // 2, WINDOW_ROWS, VERSION
        ),
        "page of the API": lambda: search.search_page(session, user_id, query, cursor, PAGE_ROWS),
    }


def measure(session: Session, run: Callable[[], Any]) -> float:
    """Return the seconds of one run, in a transaction of its own."""
    began = time.perf_counter()
    run()
    taken = time.perf_counter() - began
    session.rollback()
    session.expunge_all()
    return taken


def show(name: str, seconds: list[float], plain: list[float]) -> None:
    """Print median, p95 and the ratio of the medians to the sort by name."""
    ratio = percentile(seconds, 0.5) / percentile(plain, 0.5)
    p50, p95 = percentile(seconds, 0.5), percentile(seconds, 0.95)
    print(f"{name:40} p50 {p50:7.1f}   p95 {p95:7.1f} ms   x{ratio:.1f}", flush=True)


if __name__ == "__main__":
    main()
