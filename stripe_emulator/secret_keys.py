"""API key and webhook secret of the emulator, generated at first use."""

import json
import os
import secrets
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class SecretKeys:
    """The API key that requests carry, and the secret that signs webhooks."""

    api_key: str
    webhook_secret: str


def load_secret_keys(path: Path) -> SecretKeys:
    """Read the secrets file; create it first if it is missing."""
    if not path.exists():
        create_secret_keys(path)
    kept = json.loads(path.read_text(encoding="utf-8"))
    return SecretKeys(api_key=kept["api_key"], webhook_secret=kept["webhook_secret"])


def create_secret_keys(path: Path) -> None:
    """Write new keys to a file with mode 0600.

    If another process has created the file in the meantime, its keys are kept.
    """
    fresh = SecretKeys(
        api_key=f"sk_test_emulator_{secrets.token_hex(24)}",
        webhook_secret=f"whsec_{secrets.token_hex(24)}",
    )
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".stripe-")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(asdict(fresh), file)
        Path(name).chmod(0o600)
        os.link(name, path)
    except FileExistsError:
        pass
    finally:
        Path(name).unlink()
