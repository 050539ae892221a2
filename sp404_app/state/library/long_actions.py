"""Actions that a job runs if they take more than one batch."""

from typing import Any

# The event that runs an action on the selection as a job; `state.bulk` adds them.
long_actions: dict[str, Any] = {}
