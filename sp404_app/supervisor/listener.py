"""The listening socket of the web server, which outlives the processes that accept from it.

The supervisor opens it and passes it to each web server it starts. Connections wait in the queue
of the socket while one web server replaces another, so none is refused. `SO_REUSEPORT` would give
each server a queue of its own, and the kernel resets what waits there when its server ends.
"""

import errno
import os
import socket
from typing import Final

from sp404_app.supervisor.errors import ConfigurationError, Failure

LISTEN_FD: Final = "SP404_LISTEN_FD"
SYSTEMD_FIRST_FD: Final = 3  # sd_listen_fds(3)
BACKLOG: Final = 1024


def bind(host: str, port: int) -> socket.socket:
    """Reserve an address; connections are refused until `listen`.

    Raises:
        ConfigurationError: If the host is no address of this machine.
        Failure: If the port is taken or not allowed.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except PermissionError as error:
        listener.close()
        raise Failure(f"Port {port} is for root only: choose another, as in PORT=3000.") from error
    except OSError as error:
        listener.close()
        if isinstance(error, socket.gaierror) or error.errno == errno.EADDRNOTAVAIL:
            raise ConfigurationError(
                f"SP404_HOST is invalid: {host} is not an address of this machine."
            ) from error
        raise _taken(host, port, error) from error
    return listener


def listen(listener: socket.socket) -> None:
    """Let connections wait in the queue until a web server accepts them.

    Raises:
        Failure: If another program began to listen on this port since `bind`.
    """
    try:
        listener.listen(BACKLOG)
    except OSError as error:
        host, port = listener.getsockname()[:2]
        raise _taken(host, port, error) from error


def _taken(host: str, port: int, error: OSError) -> Failure:
    return Failure(
        f"Port {port} on {host} cannot be used ({error.strerror}): "
        f"stop the program that uses it, or choose another, as in PORT={port + 1}."
    )


def open_listener(host: str, port: int) -> socket.socket:
    """Return the socket that the supervisor or systemd passed to this process, or a new one.

    A new one refuses connections until `listen`, so that a proxy sends them to another server.

    Raises:
        Failure: If a new one cannot be opened.
    """
    if passed := os.environ.pop(LISTEN_FD, ""):
        listener = socket.socket(fileno=int(passed))
    elif os.environ.get("LISTEN_PID") == str(os.getpid()):
        listener = socket.socket(fileno=SYSTEMD_FIRST_FD)
    else:
        listener = bind(host, port)
    _send_at_once(listener)
    return listener


def _send_at_once(listener: socket.socket) -> None:
    """Switch off Nagle's algorithm (RFC 896) for the connections that will be accepted (tcp(7)).

    Granian writes the head and the body of a response separately. With the algorithm, the body
    waits until the browser has acknowledged the head, which it delays by 40 ms.
    """
    if listener.family in (socket.AF_INET, socket.AF_INET6):
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
