"""Checks before the start: signing keys."""

from pathlib import Path

from sp404_app.services.auth import signing_keys
from sp404_app.supervisor.errors import Failure, explain_os_errors


def ensure_keys(folder: Path) -> None:
    """Create the secrets folder and the first signing key, and restore their private modes.

    Raises:
        Failure: If they cannot be written, or a key cannot be used.
    """
    with explain_os_errors(folder):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        folder.chmod(0o700)
        for path in folder.iterdir():
            if path.is_file():  # not the folder of an interrupted restore
                path.chmod(0o600)
        try:
            signing_keys.ensure_signing_key()
        except signing_keys.UnusableKeys as error:
            raise Failure(f"The keys in {folder} cannot be used: {error}") from error
