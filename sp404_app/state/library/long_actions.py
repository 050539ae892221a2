"""Actions on so many samples that a job runs them."""

from typing import Any, Final

MAX_AT_ONCE: Final = 1000  # samples that an action changes while the person waits

# The event that runs an action on the selection as a job; `state.bulk` adds them.
long_actions: dict[str, Any] = {}
