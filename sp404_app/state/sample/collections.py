"""The manual collections that the sample of this page is in."""

import uuid
from dataclasses import dataclass

import reflex as rx
from sqlmodel import Session

from sp404_app.db import in_transaction
from sp404_app.services.collections import collection_samples, collections
from sp404_app.state.base import SessionState
from sp404_app.state.sample import route


@dataclass(frozen=True, slots=True)
class CollectionOfSample:
    """A collection with its name and colour."""

    id: str
    name: str
    colour: str


class SampleCollectionsState(SessionState):
    """The manual collections in use that the sample of this page is in."""

    collections: rx.Field[list[CollectionOfSample]] = rx.field(default_factory=list)

    @rx.event
    async def show(self) -> None:
        """Load the collections."""
        user_id = await self._user_id()
        self.collections = await in_transaction(_collections_of, user_id, route.sample_id(self))


def _collections_of(
    session: Session, user_id: uuid.UUID, sample_id: uuid.UUID
) -> list[CollectionOfSample]:
    members = collection_samples.count_memberships(session, user_id, [sample_id])
    if not members:
        return []
    return [
        CollectionOfSample(str(each.id), each.name, each.colour)
        for each in collections.list_collections(session, user_id, count_smart=False)
        if each.id in members
    ]
