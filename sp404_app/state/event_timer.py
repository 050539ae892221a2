"""Measure how long each event of a page takes, by the state that handles it.

Reflex 0.10 runs each event in a task of its own and calls no `postprocess`, so the end of the task
is the end of the event. Background events listen for minutes and are not measured.
"""

import asyncio
import time
from functools import lru_cache, partial
from typing import TYPE_CHECKING

import reflex as rx
from reflex.event import Event
from reflex.middleware.middleware import Middleware
from reflex.state import BaseState, StateUpdate

from sp404_app.telemetry import metrics

if TYPE_CHECKING:
    from reflex.app import App


class EventTimer(Middleware):
    """Observes the duration of events."""

    async def preprocess(self, app: "App", state: BaseState, event: Event) -> StateUpdate | None:  # noqa: ARG002 - Reflex's signature
        """Note the start; the end of this task notes the duration."""
        task = asyncio.current_task()
        if task and (label := state_label(event.name)):
            task.add_done_callback(partial(_observe, label, time.perf_counter()))
        return None


def _observe(label: str, started: float, _: object) -> None:
    metrics.EVENT_SECONDS.labels(label).observe(time.perf_counter() - started)


@lru_cache(maxsize=2000)
def state_label(event_name: str) -> str:
    """Return the name of the state class that handles an event; "" for background events."""
    path, _, handler = event_name.rpartition(".")
    try:
        found = rx.State.get_class_substate(tuple(path.split(".")))
        is_background = found.event_handlers[handler].is_background
    except (KeyError, ValueError):
        return ""
    return "" if is_background else found.__name__
