"""Checks before the start: the folder of secrets, its signing keys and its pepper."""

import os
from pathlib import Path

from sp404_app.services.auth import signing_keys
from sp404_app.services.infra import peppers
from sp404_app.supervisor.errors import ConfigurationError, Failure, explain_os_errors


def ensure_reachable(folder: Path) -> None:
    """Check that the folder of secrets can be read or made, before anything is built.

    Raises:
        ConfigurationError: If not.
    """
    nearest = next(path for path in (folder, *folder.parents) if os.path.lexists(path))
    wanted = os.R_OK if nearest == folder else os.W_OK
    if not os.access(nearest, wanted | os.X_OK):
        verb = "read" if nearest == folder else "made"
        raise ConfigurationError(
            f"The folder of secrets, {folder}, cannot be {verb}: change the owner or mode of "
            f"{nearest}, or choose another SP404_SECRETS_DIR."
        )


def ensure_keys(folder: Path) -> None:
    """Create the secrets folder, the first signing key and pepper; restore their private modes.

    A folder of another user, as platforms mount it, stays as it is: it must have keys and pepper.

    Raises:
        Failure: If they cannot be written, or a key cannot be used.
    """
    with explain_os_errors(folder):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        _make_private(folder, 0o700)
        for path in folder.iterdir():
            if path.is_file():  # not the folder of an interrupted restore
                _make_private(path, 0o600)
        if not (folder / "pepper").exists() and not os.access(folder, os.W_OK):
            raise Failure(f"{folder} has no pepper and cannot be written: mount one with the keys.")
        try:
            signing_keys.ensure_signing_key()
        except signing_keys.UnusableKeys as error:
            raise Failure(f"The keys in {folder} cannot be used: {error}") from error
        peppers.peppers()  # made now, so that backups and `check` find it


def _make_private(path: Path, mode: int) -> None:
    """Set a mode that excludes all others, if the path is ours."""
    if path.stat().st_uid == os.geteuid():
        path.chmod(mode)
