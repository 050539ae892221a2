"""How connections notice that the other host lost power or its network.

Such a host ends no connection. Without these options Linux looks after two hours, and then for
eleven minutes; meanwhile PostgreSQL keeps the session of a lost worker with its locks, and a
subscription to a lost Redis gets no message.
"""

import socket
from typing import Any, Final

IDLE_S: Final = 5  # without a packet, before the first probe
INTERVAL_S: Final = 2  # between probes
PROBES: Final = 3  # unanswered
UNACKNOWLEDGED_MS: Final = 10_000  # that sent data may stay unacknowledged
# A transaction of ours waits for no person and no other service. That of a process which hangs ends
# too, also where a pooler keeps the connection.
IDLE_IN_TRANSACTION_MS: Final = 300_000

# Of libpq; an address overrides them. Ignored for sockets of Unix.
POSTGRESQL_CLIENT: Final = {
    "keepalives_idle": IDLE_S,
    "keepalives_interval": INTERVAL_S,
    "keepalives_count": PROBES,
    "tcp_user_timeout": UNACKNOWLEDGED_MS,
}
# For the server's end of a session, in one statement. Each role may set them.
POSTGRESQL_SESSION_SQL: Final = f"""
    select set_config('tcp_keepalives_idle', '{IDLE_S}', false),
           set_config('tcp_keepalives_interval', '{INTERVAL_S}', false),
           set_config('tcp_keepalives_count', '{PROBES}', false),
           set_config('tcp_user_timeout', '{UNACKNOWLEDGED_MS}', false),
           set_config('idle_in_transaction_session_timeout', '{IDLE_IN_TRANSACTION_MS}', false)
""".encode()


def redis_options(url: str) -> dict[str, Any]:
    """Return the options of a client of Redis; its sockets of Unix have none."""
    if url.startswith("unix:"):
        return {}
    options = {"TCP_KEEPIDLE": IDLE_S, "TCP_KEEPINTVL": INTERVAL_S, "TCP_KEEPCNT": PROBES}
    known = {
        getattr(socket, name): value for name, value in options.items() if hasattr(socket, name)
    }
    return {"socket_keepalive": True, "socket_keepalive_options": known}
