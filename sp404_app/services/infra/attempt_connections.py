"""Connections to Redis that show which attempts at jobs are worked at.

The process of a job holds one connection that is named after its attempt. When the process ends,
however it ends, the kernel closes the connection: Redis knows within milliseconds, where a missing
heartbeat would be noticed only after a while, or by mistake if the machine is slow.
"""

import uuid
from contextlib import suppress
from typing import cast

from redis import Redis
from redis.exceptions import RedisError

from sp404_app.services.infra.events import connection
from sp404_app.services.infra.queue import rq_job_id
from sp404_app.settings import settings

ATTEMPT_PREFIX = "sp404-attempt-"
TIMEOUT_S = 2.0


class AttemptConnection:
    """A connection to Redis that exists while a process works at one attempt of a job."""

    def __init__(self, job_id: uuid.UUID, attempts: int) -> None:
        name = f"{ATTEMPT_PREFIX}{rq_job_id(job_id, attempts)}"
        self._client = Redis.from_url(
            settings().redis_url,
            client_name=name,
            socket_timeout=TIMEOUT_S,
            socket_connect_timeout=TIMEOUT_S,
        )
        self.keep()

    def keep(self) -> None:
        """Open the connection again if Redis was restarted; without Redis do nothing."""
        with suppress(RedisError):
            self._client.ping()

    def end(self) -> None:
        """Close the connection."""
        self._client.close()


def running_attempts() -> frozenset[str] | None:
    """Return the RQ ids of the attempts whose process is connected to Redis; None if unknown."""
    try:
        clients = cast("list[dict[str, str]]", connection().client_list())
    except RedisError:  # not available, or the command is not allowed
        return None
    names = [client["name"] for client in clients]
    return frozenset(
        name.removeprefix(ATTEMPT_PREFIX) for name in names if name.startswith(ATTEMPT_PREFIX)
    )
