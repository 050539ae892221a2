"""Keep what is slow to render between runs of the training and the bench."""

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any


def load_or_make(cache: Path | None, name: str, make: Callable[[], Any]) -> Any:
    """Return a cached result, or compute and cache it."""
    path = cache / f"{name}.pickle" if cache else None
    if path and path.exists():
        return pickle.loads(path.read_bytes())  # noqa: S301  our own cache
    made = make()
    if path:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(pickle.dumps(made))
    return made
