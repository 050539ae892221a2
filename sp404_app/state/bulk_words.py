"""What a notice says after an action on many samples."""

from collections.abc import Iterable

REFUSED = {
    "analysis_quota_exceeded": "This month’s analyses are used up.",
    "subscription_restricted": "A payment is missing. Pay it on the billing page.",
}


def sounds(count: int) -> str:
    """Write how many sounds: "1 sound", "1,200 sounds"."""
    return "1 sound" if count == 1 else f"{count:,} sounds"


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
