"""Runs event handlers as the server does, with events as a browser sends them."""

import asyncio
import json
import re
import sys
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any
from weakref import WeakKeyDictionary

import pytest
from reflex.state import StateUpdate
from reflex_base.event import Event
from reflex_base.event.processor import BaseStateEventProcessor
from reflex_base.registry import RegisteredEventHandler, RegistrationContext

from sp404_app import sp404_app
from sp404_app.errors import AppError
from sp404_app.services.auth import sessions
from sp404_app.services.infra import events
from tests.accounts import run_after

FRAMEWORK = "reflex___"
HYDRATE = "reflex___state____state.hydrate"
PATIENCE = 60.0  # seconds until a handler that never ends is an error
PAUSES = 3  # a handler that polls is cancelled at its fourth pause
PASSING = tuple(
    map(
        re.compile,
        (
            r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b",
            r"\b[0-9a-f]{12}@example\.org",
            r"\d{10}\.\d+",
            r"\d\d:\d\d(:\d\d(\.\d+)?)?",
        ),
    )
)


@dataclass(slots=True)
class Outcome:
    """The result of an event: refusals, errors, and everything sent to the browser."""

    errors: list[Exception] = field(default_factory=list)
    sent: list[str] = field(default_factory=list)

    @property
    def refusals(self) -> list[str]:
        return [error.code for error in self.errors if isinstance(error, AppError)]

    @property
    def mistakes(self) -> list[Exception]:
        return [error for error in self.errors if not isinstance(error, AppError)]

    def normal(self) -> tuple[list[str], list[str], list[str]]:
        """Return the outcome with ids, emails and times replaced, so that two can be compared."""
        shown = list(self.sent)
        for pattern in PASSING:
            shown = [pattern.sub("…", text) for text in shown]
        return self.refusals, [repr(error) for error in self.mistakes], shown


class Machine:
    """Reflex's event processor with an in-memory state manager."""

    def __init__(self, processor: BaseStateEventProcessor) -> None:
        self.processor = processor
        self.outcome = Outcome()

    async def send(
        self, name: str, payload: dict[str, Any], *, cookie: str = "", address: str = "/"
    ) -> Outcome:
        """Send one event from a new tab, and wait for all handlers that it starts."""
        return await self._send(name, payload, cookie, address, clicks=1)

    async def send_twice(self, name: str, payload: dict[str, Any], *, cookie: str = "") -> Outcome:
        """Send one event twice from one tab, without waiting for the first answer."""
        return await self._send(name, payload, cookie, "/", clicks=2)

    async def send_during(
        self,
        name: str,
        payload: dict[str, Any],
        module: ModuleType,
        function: Callable[..., Awaitable[Any]],
        second: str,
    ) -> Outcome:
        """Send an event, and a second one from the same tab after the first called `function`."""
        token = uuid.uuid4().hex

        async def send_second() -> None:
            event = Event(second, self._router(token, "", "/"), {})
            await (await self.processor.enqueue(token, event)).wait_all()

        with run_after(module, function, send_second):
            return await self._send(name, payload, "", "/", clicks=1, token=token)

    async def _send(
        self,
        name: str,
        payload: dict[str, Any],
        cookie: str,
        address: str,
        *,
        clicks: int,
        token: str = "",
    ) -> Outcome:
        token = token or uuid.uuid4().hex
        router = self._router(token, cookie, address)
        await self._done(token, Event(HYDRATE, dict(router), {}))
        self.outcome = outcome = Outcome()
        await asyncio.gather(
            *(self._done(token, Event(name, dict(router), payload)) for _ in range(clicks))
        )
        outcome.sent = [text.replace(token, "<tab>") for text in outcome.sent]
        return outcome

    def _router(self, token: str, cookie: str, address: str) -> dict[str, Any]:
        header = f"{sessions.cookie_name()}={cookie}" if cookie else ""
        return {
            "token": token,
            "sid": token,
            "headers": {"cookie": header, "user-agent": "Firefox/1", "origin": "http://here"},
            "ip": "127.0.0.1",
            "asPath": address,
            "pathname": address.partition("?")[0],
            "query": {},
        }

    async def _done(self, token: str, event: Event) -> None:
        tracked = await self.processor.enqueue(token, event)
        with suppress(Exception):  # `fail` records it
            async with asyncio.timeout(PATIENCE):
                await tracked.wait_all()
        if not tracked.done() or any(not child.done() for child in tracked.children):
            tracked.cancel()
            self.fail(TimeoutError(f"{event.name} did not end within {PATIENCE:g} s"))
        while self.processor._tasks:
            for task in list(self.processor._tasks.values()):
                if tracked.cancelled():
                    task.cancel()
            await asyncio.sleep(0.001)

    def fail(self, error: Exception) -> None:
        self.outcome.errors.append(error)

    async def emit_update(self, update: StateUpdate, token: str) -> None:
        """Record an update instead of sending it to the browser; called by Reflex."""
        assert token
        if update.delta:
            self.outcome.sent.append(json.dumps(update.delta, default=repr, sort_keys=True))
        for event in update.events or []:
            self.outcome.sent.append(json.dumps([event.name, event.payload], default=repr))


@asynccontextmanager
async def machine() -> AsyncIterator[Machine]:
    """Run a machine in which every handler ends after the same updates on any machine.

    There are no change events, and a handler of a state does not pause: polls end by count, since
    a limit in seconds would cut a countdown at another update each time.
    """

    async def once(*_: object, **__: object) -> AsyncIterator[list[events.Event]]:
        yield []

    pauses: WeakKeyDictionary[asyncio.Task[Any], int] = WeakKeyDictionary()
    sleep = asyncio.sleep

    def pause(seconds: float, result: object = None) -> Awaitable[object]:
        task = asyncio.current_task()
        if task is None or not caller_module().startswith("sp404_app.state."):
            return sleep(seconds, result)
        pauses[task] = pauses.get(task, 0) + 1
        if pauses[task] > PAUSES:
            raise asyncio.CancelledError
        return sleep(0, result)

    processor = BaseStateEventProcessor(middleware=sp404_app.app)
    found = Machine(processor)
    processor.backend_exception_handler = found.fail  # type: ignore[assignment]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(events, "listen", once)
        patch.setattr(asyncio, "sleep", pause)
        async with processor.configure(event_namespace=found):
            yield found


def caller_module() -> str:
    """Return the name of the module that called the caller of this function."""
    return str(sys._getframe(2).f_globals["__name__"])


def handlers() -> dict[str, RegisteredEventHandler]:
    """Return all event handlers by name."""
    return dict(RegistrationContext.get().event_handlers)


def ours() -> dict[str, RegisteredEventHandler]:
    """Return the handlers of the product's states, by "State.handler"."""
    return {
        f"{found.states[0].__name__}.{name.rpartition('.')[2]}": found
        for name, found in handlers().items()
        if found.states[0].__module__.startswith("sp404_app.")
    }
