"""Checks before the start: signing keys and a free port."""

import errno
import socket
from pathlib import Path

from sp404_app.services.auth import signing_keys
from sp404_app.supervisor.errors import ConfigurationError, Failure, explain_os_errors


def ensure_keys(folder: Path) -> None:
    """Create the secrets folder and the first signing key, and restore their private modes.

    Raises:
        Failure: If they cannot be written, or a key cannot be used.
    """
    with explain_os_errors(folder):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        folder.chmod(0o700)
        for path in folder.iterdir():
            path.chmod(0o600)
        try:
            signing_keys.ensure_signing_key()
        except signing_keys.UnusableKeys as error:
            raise Failure(f"The keys in {folder} cannot be used: {error}") from error


def ensure_port_free(host: str, port: int) -> None:
    """Check that no process listens on a port; the web server would share it without an error.

    Raises:
        ConfigurationError: If the host is no address of this machine.
        Failure: If the port is taken or not allowed.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except PermissionError as error:
            raise Failure(
                f"Port {port} is for root only: choose another, as in PORT=3000."
            ) from error
        except OSError as error:
            if isinstance(error, socket.gaierror) or error.errno == errno.EADDRNOTAVAIL:
                raise ConfigurationError(
                    f"SP404_HOST is invalid: {host} is not an address of this machine."
                ) from error
            raise Failure(
                f"Port {port} on {host} cannot be used ({error.strerror}): "
                f"stop the program that uses it, or choose another, as in PORT={port + 1}."
            ) from error
