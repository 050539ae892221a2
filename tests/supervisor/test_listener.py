"""The listening socket of the web server."""

import socket

import pytest

from sp404_app.supervisor import listener
from tests.product import free_port


def test_a_new_socket_refuses_connections_until_a_server_can_answer() -> None:
    port = free_port()
    with listener.open_listener("127.0.0.1", port) as opened:
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port))
        listener.listen(opened)
        listener.listen(opened)  # one that the supervisor or systemd passed listens already
        socket.create_connection(("127.0.0.1", port)).close()


@pytest.mark.parametrize("passed", [False, True], ids=["own", "passed"])
def test_accepted_connections_send_each_write_at_once(
    passed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = free_port()
    if passed:
        bound = listener.bind("127.0.0.1", port)
        monkeypatch.setenv(listener.LISTEN_FD, str(bound.detach()))
    with listener.open_listener("127.0.0.1", port) as opened:
        listener.listen(opened)
        with (
            socket.create_connection(("127.0.0.1", port)),
            opened.accept()[0] as accepted,
        ):
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
