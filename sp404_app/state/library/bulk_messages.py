"""Texts of the notices after bulk actions, and of the line above the trash."""

from collections.abc import Iterable

from sp404_app.services.library.trash import TrashResult, TrashUsage
from sp404_app.state import formatting

QUOTA_REFUSALS = {
    "analysis_quota_exceeded": "Monthly limit reached.",
    "subscription_restricted": "Payment overdue. Pay on the billing page.",
}


def format_sounds(count: int) -> str:
    """Format a number of sounds: "1 sound", "1,200 sounds"."""
    return "1 sound" if count == 1 else f"{count:,} sounds"


def trashed_message(what: str, result: TrashResult) -> str:
    """Return the notice after a deletion: what moved to the trash, and what was purged from it."""
    moved = f"{what} moved to the trash."
    if not result.purged:
        return moved
    oldest = (
        "oldest sound in it was" if result.purged == 1 else f"{result.purged:,} oldest sounds were"
    )
    return f"{moved} It was full, so the {oldest} permanently deleted."


def trash_usage_message(trash: TrashUsage) -> str:
    """Return how long the trash keeps sounds, how full it is, and what happens when it is full."""
    days = "Deleted sounds stay here for 30 days."
    if trash.limit is None:
        return days
    fill = f"{formatting.format_size(trash.used)} of {formatting.format_size(trash.limit)} used."
    when = "The next time you delete something" if trash.used > trash.limit else "When it’s full"
    return f"{days} {fill} {when}, the oldest sounds here are permanently deleted."


def analysis_message(results: Iterable[str]) -> tuple[str, str]:
    """Return the notice and its tone: how many analyses were queued, and why others were not."""
    codes = list(results)
    refused = [code for code in codes if code in QUOTA_REFUSALS]
    queued = codes.count("ok")
    message = f"{format_sounds(queued)} queued for analysis." if queued or not refused else ""
    if not refused:
        return (message, "ok") if queued or not codes else ("These sounds were deleted.", "bad")
    reason = QUOTA_REFUSALS[refused[0]]
    rest = f"{format_sounds(len(refused))} not analysed: {reason[0].lower()}{reason[1:]}"
    return (f"{message} {rest}" if message else reason), "bad"
