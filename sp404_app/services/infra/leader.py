"""Elect one process among several: the one that holds a lease in Redis."""

import os
import socket
import uuid
from typing import Final

import structlog
from redis.exceptions import LockError, RedisError

from sp404_app.services.infra.events import connection

LEASE_S: Final = 8.0  # after the leader was killed, another one leads within this and `RENEW_S`
RENEW_S: Final = 2.0

log = structlog.get_logger()


class Lease:
    """One process's claim to lead; it must be renewed every `RENEW_S` seconds."""

    def __init__(self, name: str) -> None:
        # In containers, the process id alone is often 1.
        self.holder = f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"
        # Renewed in any thread of the pool of asyncio.
        self._lock = connection().lock(name, timeout=LEASE_S, thread_local=False)
        self._leads = False
        self._is_warned = False  # of an outage that lasts

    def take_or_renew(self) -> bool:
        """Return whether this process leads now.

        While Redis is not available, a leader goes on, and no process becomes one.
        """
        try:
            self._leads = self._renew() or self._lock.acquire(blocking=False, token=self.holder)
        except RedisError as error:
            if not self._is_warned:
                log.warning("redis unavailable", error=type(error).__name__)
            self._is_warned = True
            return self._leads
        self._is_warned = False
        return self._leads

    def release(self) -> None:
        """Let another process lead at once; without Redis the lease ends by itself."""
        try:
            if self._leads:
                self._lock.release()
        except RedisError:
            pass
        self._leads = False

    def _renew(self) -> bool:
        if not self._leads:
            return False
        try:
            return bool(self._lock.reacquire())
        except LockError:  # it has ended: this process was stopped for too long
            return False
