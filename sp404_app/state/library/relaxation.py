"""Nothing was found: what each search would find that has one limit less."""

import uuid
from dataclasses import dataclass
from typing import Final

import reflex as rx
from sqlmodel import Session

from sp404_app.db import in_transaction
from sp404_app.errors import NotFound
from sp404_app.services.library import heard_words, search
from sp404_app.services.library.search import SampleQuery
from sp404_app.state.base import SessionState
from sp404_app.state.library.filter_chips import HEARD, Chip, chips_of, without_chip
from sp404_app.state.library.library import LibraryState

MAX_OFFERS: Final = 5
MAX_LIMITS: Final = 8  # a long text has many words, and each costs a count


@dataclass(frozen=True, slots=True)
class Offer:
    """A limit to drop, as `LibraryState.remove_chip` takes it, and how many sounds that finds."""

    group: str
    value: str
    text: str
    sounds: int


class RelaxationState(SessionState):
    """The offers below "No matching sounds"."""

    offers: rx.Field[list[Offer]] = rx.field(default_factory=list)

    @rx.event(background=True, supersedes=True)
    async def look(self) -> None:
        """Count what is found without each limit of the search that this tab shows."""
        user_id = await self._user_id()
        async with self:
            self.offers = []
            query = (await self.get_state(LibraryState)).query
        found = await in_transaction(find_offers, user_id, query)
        async with self:
            if query == (await self.get_state(LibraryState)).query:
                self.offers = found


def find_offers(session: Session, user_id: uuid.UUID, query: SampleQuery) -> list[Offer]:
    """Return the limits without which a search finds sounds; none if it has one limit only."""
    limits = limits_of(query)
    others = int(heard_words.has_quoted(query.q))
    if len(limits) + others < 2 or len(limits) > MAX_LIMITS:
        return []
    found = []
    for chip in limits:
        try:
            matching = search.matching_samples(
                session, user_id, without_chip(query, chip.group, chip.value)
            )
        except NotFound:
            return []  # the collection was deleted; its page says so
        if sounds := search.count_samples(session, matching):
            text = chip.value if chip.group == HEARD else chip.text
            found.append(Offer(chip.group, chip.value, text, sounds))
    return found[:MAX_OFFERS]


def limits_of(query: SampleQuery) -> list[Chip]:
    """Return what limits a search: its chips, and each word that is no measured one."""
    chips = chips_of(query)
    words = [Chip(HEARD, word, word) for word in heard_words.plain_words(query.q)]
    return [*words, *chips]
