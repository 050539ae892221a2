"""The emulator's own key and webhook secret, made at first use."""

import json
import os
import secrets
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class SecretKeys:
    """What a request has to show, and what signs webhooks."""

    api_key: str
    webhook_secret: str


def load(path: Path) -> SecretKeys:
    """Read the file, or make it, once even if several processes start together."""
    if not path.exists():
        make(path)
    kept = json.loads(path.read_text(encoding="utf-8"))
    return SecretKeys(api_key=kept["api_key"], webhook_secret=kept["webhook_secret"])


def make(path: Path) -> None:
    """Write fresh keys that only the owner may read, unless somebody was faster."""
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
