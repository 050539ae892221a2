"""Restart a child that has ended, after a pause that grows while it keeps ending quickly."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from sp404_app.supervisor.errors import Failure
from sp404_app.supervisor.process import Child

HEALTHY_AFTER_S: Final = 60.0  # an end after this time starts the count anew
FIRST_PAUSE_S: Final = 1.0  # before the second restart; the first is at once
MAX_PAUSE_S: Final = 30.0
MAX_QUICK_ENDS: Final = 6  # about half a minute of attempts


@dataclass(slots=True)
class Restarter:
    """Watches one child; `prepare` runs before each restart."""

    child: Child
    prepare: Callable[[], object] = lambda: None
    essential: bool = True  # the supervisor gives up if it keeps ending
    quick_ends: int = field(default=0, init=False)
    due_at: float | None = field(default=None, init=False)
    planned: bool = field(default=False, init=False)

    def restart_if_ended(self) -> str:
        """Restart the child when it is due; return a message when its end is noticed, or "".

        Raises:
            Failure: If it ended quickly too often.
        """
        if self.child.exit_code is None:
            return ""
        message = ""
        now = time.monotonic()
        if self.due_at is None:
            message = self._notice_end(now)
        if self.due_at is not None and now >= self.due_at:
            self.due_at = None
            self.prepare()
            self.child.start()
        return message

    def restart_when_idle(self) -> None:
        """Ask the child to end when it has finished its work, and start it again."""
        # RQ takes a second signal as the order to stop its job.
        if self.child.exit_code is None and not self.planned:
            self.planned = True
            self.child.send_stop_signal()

    def _notice_end(self, now: float) -> str:
        if self.planned:
            self.planned, self.due_at = False, now
            return ""
        lived = now - self.child.started_at
        self.quick_ends = self.quick_ends + 1 if lived < HEALTHY_AFTER_S else 1
        message = self.child.exit_message()
        if self.essential and self.quick_ends > MAX_QUICK_ENDS:
            raise Failure(
                f"{message} It ended {self.quick_ends} times, each time after a short run."
            )
        self.due_at = now + pause_s(self.quick_ends)
        return f"{message} It is restarted{_when(pause_s(self.quick_ends))}."


def pause_s(quick_ends: int) -> float:
    """Return the pause before a restart: 0, 1, 2, 4, 8, 16, 30, 30 … seconds."""
    if quick_ends <= 1:
        return 0.0
    # The exponent is limited: a picture worker may be restarted forever.
    return min(FIRST_PAUSE_S * 2 ** min(quick_ends - 2, 10), MAX_PAUSE_S)


def _when(seconds: float) -> str:
    return f" in {seconds:.0f} s" if seconds else ""
