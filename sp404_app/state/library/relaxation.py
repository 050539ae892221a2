"""Nothing was found: what each search would find that has fewer limits."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Final

import reflex as rx
from sqlmodel import Session

from sp404_app.db import in_transaction
from sp404_app.errors import NotFound
from sp404_app.services.library import heard_words, search
from sp404_app.services.library.search import SampleQuery
from sp404_app.state.base import SessionState
from sp404_app.state.library.filter_chips import (
    HEARD,
    MAX_REMOVED,
    Chip,
    chips_of,
    without_chips,
)
from sp404_app.state.library.library import LibraryState

MAX_OFFERS: Final = 5
# A long text has many words, and each costs a count.
MAX_LIMITS: Final = MAX_REMOVED
MAX_LIMITS_IN_PAIRS: Final = 5  # ten pairs, which are counted if no single limit is to blame


@dataclass(frozen=True, slots=True)
class Offer:
    """Limits to drop, as `LibraryState.remove_chips` takes them, and how many sounds that finds.

    With `q`, another text to search for, of which `texts` is the name.
    """

    chips: list[list[str]]
    texts: list[str]
    sounds: int
    q: str = ""


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
    """Return limits without which a search finds sounds: single ones, else pairs, else more.

    Tempos near the one that is searched come first. What is left has a limit: "Show all sounds"
    offers the rest.
    """
    limits = limits_of(query)
    others = int(heard_words.has_quoted(query.q))
    near = _offer_near(session, user_id, query)
    found: list[Offer] = []
    for size, most in ((1, MAX_LIMITS), (2, MAX_LIMITS_IN_PAIRS)):
        if found or not size < len(limits) + others or len(limits) > most:
            break
        for chips in combinations(limits, size):
            try:
                offer = _offer_without(session, user_id, query, chips)
            except NotFound:
                return []  # the collection was deleted; its page says so
            if offer.sounds:
                found.append(offer)
    if not found and len(limits) <= MAX_LIMITS:
        found = _offer_most(session, user_id, query, limits)
    return [*near, *found][:MAX_OFFERS]


def _offer_near(session: Session, user_id: uuid.UUID, query: SampleQuery) -> list[Offer]:
    """Return an offer of "around 88" in place of "88 bpm", if that finds sounds."""
    tempo = heard_words.parse_tempo(query.q)
    if tempo is None or not tempo.is_exact:
        return []
    before, _, after = query.q.rpartition(tempo.text)
    q = f"{before}around {tempo.number}{after}"
    try:
        matching = search.matching_samples(session, user_id, replace(query, q=q))
    except NotFound:
        return []  # the collection was deleted; its page says so
    sounds = search.count_samples(session, matching)
    return [Offer([], [f"{tempo.number} BPM"], sounds, q)] if sounds else []


def _offer_most(
    session: Session, user_id: uuid.UUID, query: SampleQuery, limits: Sequence[Chip]
) -> list[Offer]:
    """Return an offer that keeps each limit, in order, that finds sounds with those before it."""
    kept: list[Chip] = []
    best = None
    for limit in limits:
        dropped = [chip for chip in limits if chip not in (*kept, limit)]
        offer = _offer_without(session, user_id, query, dropped)
        if offer.sounds:
            kept.append(limit)
            best = offer
    return [best] if best and best.chips else []


def _offer_without(
    session: Session, user_id: uuid.UUID, query: SampleQuery, chips: Sequence[Chip]
) -> Offer:
    """Count what is found without the limits of chips."""
    rest = without_chips(query, [(chip.group, chip.value) for chip in chips])
    return Offer(
        chips=[[chip.group, chip.value] for chip in chips],
        texts=[chip.value if chip.group == HEARD else chip.text for chip in chips],
        sounds=search.count_samples(session, search.matching_samples(session, user_id, rest)),
    )


def limits_of(query: SampleQuery) -> list[Chip]:
    """Return what limits a search: its chips, and each word that is no measured one."""
    chips = chips_of(query)
    words = [Chip(HEARD, word, word) for word in heard_words.plain_words(query.q)]
    return [*words, *chips]
