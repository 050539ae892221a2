"""How a web process starts and ends: it reports that it is ready, and drains before it stops.

The main process of the web server forks the processes that serve. It shares one byte of memory
with them, the phase, and holds the writing end of a pipe. To drain, it sets the phase and closes
the pipe: end-of-file wakes all of them at once, without signals and without polling.

End-of-file without a new phase means that the main process was killed. Nobody would stop the
processes that serve, so they stop themselves, after the requests in progress.
"""

import asyncio
import mmap
import os
import signal
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager, suppress
from enum import IntEnum
from typing import Final, TypeVar

T = TypeVar("T")

READY_FD: Final = "SP404_READY_FD"  # the supervisor reads one byte for each process that serves


class Phase(IntEnum):
    """What the processes that serve are told."""

    SERVING = 0
    HANDING_OVER = 1  # another web server accepts connections on the same socket
    STOPPING = 2  # no new requests should be sent here


class _Channel:
    """The shared byte and the pipe."""

    def __init__(self) -> None:
        self.phase = mmap.mmap(-1, 1)
        self.read_fd, self.write_fd = os.pipe()

    def close_write_end(self) -> None:
        """Close this process's copy of the writing end."""
        if self.write_fd >= 0:
            os.close(self.write_fd)
            self.write_fd = -1


_channel: _Channel | None = None
_draining: asyncio.Event | None = None


def open_channel() -> None:
    """Create the channel; call it in the main process, before it forks."""
    global _channel  # noqa: PLW0603 - one channel in each web server
    _channel = channel = _Channel()
    # A copy in a forked process would keep the pipe open after the main process closed it.
    os.register_at_fork(after_in_child=channel.close_write_end)


def announce(phase: Phase) -> None:
    """Tell all processes that serve to drain, for the given reason."""
    if _channel:
        _channel.phase[0] = phase
        _channel.close_write_end()


def current_phase() -> Phase:
    """Return the phase; without a channel, as in `reflex run`, a process only serves."""
    return Phase(_channel.phase[0]) if _channel else Phase.SERVING


@asynccontextmanager
async def follow_phase() -> AsyncIterator[None]:
    """Wait for the end of the pipe while this process serves."""
    global _draining  # noqa: PLW0603 - one event in each process that serves
    _draining = asyncio.Event()
    if _channel is None:
        yield
        return
    loop, fd = asyncio.get_running_loop(), _channel.read_fd
    loop.add_reader(fd, _end_of_pipe, loop, fd, _draining)
    yield
    loop.remove_reader(fd)


def _end_of_pipe(loop: asyncio.AbstractEventLoop, fd: int, draining: asyncio.Event) -> None:
    loop.remove_reader(fd)
    draining.set()
    if current_phase() is Phase.SERVING:
        os.kill(os.getpid(), signal.SIGTERM)


@asynccontextmanager
async def report_ready() -> AsyncIterator[None]:
    """Report to the supervisor that this process has started; register it after all other tasks."""
    if fd := os.environ.get(READY_FD):
        with suppress(OSError):  # it no longer reads: a restarted process reports again
            os.write(int(fd), b".")
    yield


async def until_drain(items: AsyncGenerator[T, None]) -> AsyncIterator[T]:
    """Yield items until they end or this process drains: an endless stream would delay its stop."""
    ended = asyncio.ensure_future((_draining or asyncio.Event()).wait())
    following: asyncio.Future[T] | None = None
    try:
        while True:
            following = asyncio.ensure_future(anext(items))
            await asyncio.wait({following, ended}, return_when=asyncio.FIRST_COMPLETED)
            if not following.done():
                following.cancel()
                with suppress(asyncio.CancelledError, StopAsyncIteration):
                    await following
                return
            try:
                item = following.result()
            except StopAsyncIteration:
                return
            yield item
    finally:
        ended.cancel()
        if following and not following.done():
            following.cancel()  # whoever listens has gone; it closes the generator in its own task
        else:
            await items.aclose()
