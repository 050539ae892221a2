"""The tags of selected sounds, and how many of the sounds have each."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SelectedTag:
    """A tag; `share` is as in "1 of 2", or empty if all sounds have it."""

    name: str
    share: str


def selected_tags(counted: Sequence[tuple[str, int]], sounds: int) -> list[SelectedTag]:
    """Return tags with their shares of a number of sounds."""
    return [SelectedTag(tag, f"{n} of {sounds}" if n < sounds else "") for tag, n in counted]
