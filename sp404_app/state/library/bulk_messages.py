"""Texts of the notices after bulk actions, and of the line above the trash."""

from collections.abc import Iterable, Sequence

from sp404_app.services.library import tags
from sp404_app.services.library.trash import TrashResult, TrashUsage
from sp404_app.services.sample import pad_usage
from sp404_app.services.sample.pad_usage import PadUse
from sp404_app.state import formatting

QUOTA_REFUSALS = {
    "analysis_quota_exceeded": "Monthly limit reached.",
    "subscription_restricted": "Payment overdue. Pay on the billing page.",
}


def format_sounds(count: int) -> str:
    """Format a number of sounds: "1 sound", "1,200 sounds"."""
    return "1 sound" if count == 1 else f"{count:,} sounds"


def addition_message(name: str, added: int, already: int) -> str:
    """Return the notice after sounds were added to a collection of this name."""
    where = f"“{name[:60]}”"
    if not added and not already:
        return f"Nothing was added to {where}."
    if not added:
        are = "This sound is" if already == 1 else "These sounds are"
        return f"{are} already in {where}."
    message = f"Added {format_sounds(added)} to {where}."
    if not already:
        return message
    return f"{message} {format_sounds(already)} {'was' if already == 1 else 'were'} already in it."


def favourite_message(count: int, *, favourite: bool) -> str:
    """Return the notice after sounds became favourites, or are none any longer."""
    way = "added to" if favourite else "removed from"
    return f"{format_sounds(count)} {way} your favourites."


def trashed_message(what: str, result: TrashResult, uses: Sequence[PadUse]) -> str:
    """Return the notice after a deletion: what moved to the trash, and what was purged from it.

    `uses` are the pads that the trashed samples are on.
    """
    moved = f"{what} moved to the trash."
    if uses:
        moved += f" {_stays_on_pads(uses, len(result.moved))}"
    if not result.purged:
        return moved
    oldest = (
        "oldest sound in it was" if result.purged == 1 else f"{result.purged:,} oldest sounds were"
    )
    return f"{moved} It was full, so the {oldest} permanently deleted."


def _stays_on_pads(uses: Sequence[PadUse], moved: int) -> str:
    where = pad_usage.describe_pads(uses)
    if moved == 1:
        return f"It stays on {where} until it’s permanently deleted."
    count = len({use.sample_id for use in uses})
    stays = "1 of them stays" if count == 1 else f"{count:,} of them stay"
    return f"{stays} on {where} until permanently deleted."


def deletion_question(count: int, uses: Sequence[PadUse]) -> str:
    """Return what the permanent deletion of samples means for the pads that they are on."""
    if not uses:
        return "This can’t be undone."
    used = len({use.sample_id for use in uses})
    subject = "It is" if count == 1 else f"{used:,} of them are"
    if used == 1 < count:
        subject = "1 of them is"
    pads = "This pad" if len(uses) == 1 else "These pads"
    where = pad_usage.describe_pads(uses)
    return f"{subject} on {where}. {pads} will have no sound. This can’t be undone."


def tag_limit_message(results: Iterable[str]) -> str:
    """Return the notice about sounds that cannot have more tags, empty without any."""
    refused = list(results).count("too_many_tags")
    if not refused:
        return ""
    subject = "This sound" if refused == 1 else f"{refused:,} of these sounds"
    return f"{subject} can’t have more tags: {tags.MAX_TAGS} is the most."


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
