"""What a notice says after an action on many samples."""

from collections.abc import Iterable

from sp404_app.services.library.trash import Thrown, Trash
from sp404_app.state.formatting import size

REFUSED = {
    "analysis_quota_exceeded": "This month’s analyses are used up.",
    "subscription_restricted": "A payment is missing. Pay it on the billing page.",
}


def sounds(count: int) -> str:
    """Write how many sounds: "1 sound", "1,200 sounds"."""
    return "1 sound" if count == 1 else f"{count:,} sounds"


def thrown_away(what: str, thrown: Thrown) -> str:
    """Say what was moved to the trash, and what left it for good."""
    said = f"{what} moved to the trash."
    if not thrown.purged:
        return said
    oldest = "The oldest sound" if thrown.purged == 1 else f"The {thrown.purged:,} oldest sounds"
    verb = "was" if thrown.purged == 1 else "were"
    return f"{said} {oldest} in it {verb} deleted for good, because the trash was full."


def trash_note(trash: Trash) -> str:
    """Say how long the trash keeps what is in it, and how much it holds."""
    days = "Deleted sounds stay here for 30 days."
    if trash.limit is None:
        return days
    used, limit = size(trash.used), size(trash.limit)
    if trash.used > trash.limit:
        return (
            f"{days} The trash has {used} and your plan keeps {limit}: the next time you delete "
            "something, the oldest sounds here are deleted for good."
        )
    return (
        f"{days} The trash has {used} of {limit}. When it is full and you delete more, the oldest "
        "sounds here are deleted for good."
    )


def analysed(results: Iterable[str]) -> tuple[str, str]:
    """Say how many analyses began and why the others did not; return the sentence and its tone."""
    found = list(results)
    refused = [code for code in found if code in REFUSED]
    begun = found.count("ok")
    said = f"{sounds(begun)} queued for analysis." if begun or not refused else ""
    if not refused:
        return said, "ok"
    why = REFUSED[refused[0]]
    left = f"{sounds(len(refused))} not analysed: {why[0].lower()}{why[1:]}"
    return (f"{said} {left}" if said else why), "bad"
