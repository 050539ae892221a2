"""Double clicks: handlers of one tab run one after the other, so the second click acts as well.

A handler that sends a mail or makes something asks here first. Only the same act with the same
arguments counts, and only after it succeeded: an error can be corrected and sent again at once.
"""

import hashlib
import time

WITHIN_S = 3.0

Acts = dict[str, float]


def is_repeated(acts: Acts, *act: object) -> bool:
    """Return whether the same act succeeded a moment ago."""
    return time.time() - acts.get(_key(act), 0.0) < WITHIN_S


def remember(*act: object) -> Acts:
    """Return the acts to keep in the tab's state: the newest only, and nothing that was typed."""
    return {_key(act): time.time()}


def _key(act: tuple[object, ...]) -> str:
    return hashlib.sha256(repr(act).encode("utf-8", "backslashreplace")).hexdigest()
