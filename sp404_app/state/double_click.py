"""Double clicks: Reflex runs the handlers of a tab in sequence, so a second click would act again.

A handler that sends an email or creates something calls `is_repeated` first. Only an action that
succeeded with the same arguments counts as repeated: after an error, users can retry at once.
"""

import hashlib
import time

WITHIN_S = 3.0

RecentActions = dict[str, float]  # hash of an action: Unix time of its success


def is_repeated(recent: RecentActions, *action: object) -> bool:
    """Return whether the same action succeeded in the last `WITHIN_S` seconds."""
    return time.time() - recent.get(_hash_action(action), 0.0) < WITHIN_S


def remember_action(*action: object) -> RecentActions:
    """Return the hash and the time of a successful action, for the tab's state."""
    return {_hash_action(action): time.time()}


def _hash_action(action: tuple[object, ...]) -> str:
    return hashlib.sha256(repr(action).encode("utf-8", "backslashreplace")).hexdigest()
