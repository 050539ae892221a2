"""Sorting the library's list by likeness to one sample, and the weights of the comparison."""

import reflex as rx

from sp404_app.db import in_transaction
from sp404_app.errors import ValidationFailed
from sp404_app.services.library import likeness_order
from sp404_app.services.library.likeness_order import DEFAULT_WEIGHTS, MAX_WEIGHT
from sp404_app.state import validation
from sp404_app.state.library.library import LibraryState
from sp404_app.state.library.search_params import empty_query, sorted_by_likeness, with_sort


class LikenessState(LibraryState):
    """The weights of the list that `LibraryState` shows, in percent."""

    confirmed_edit: int = 0  # the number of the last change of the weights that was handled

    @rx.var
    def weights(self) -> list[int]:
        """Return the weights of timbre, envelope, pitch and rhythm."""
        return list(self.query.weights or DEFAULT_WEIGHTS)

    @rx.var
    def anchor_id(self) -> str:
        """Return the sample that the others are compared with, empty in other orders."""
        return str(self.query.like or "")

    @rx.event
    async def compare_with(self, sample_id: str) -> None:
        """Sort what the search finds by likeness to a sample, from its start."""
        user_id, chosen = await self._user_id(), validation.validate_id(sample_id)
        await in_transaction(likeness_order.get_anchor, user_id, chosen)
        self.query = sorted_by_likeness(self.query, chosen, self.query.weights)
        self._spoken = None  # this order was chosen
        await self._show_from_start(user_id)

    @rx.event
    async def weigh(self, weights: list[int]) -> None:
        """Sort by other weights."""
        user_id = await self._user_id()
        if not isinstance(weights, list) or self.query.like is None:
            raise ValidationFailed("Choose a sound to compare with first.")
        chosen = tuple(
            validation.validate_integer(each, 0, MAX_WEIGHT)
            for each in weights[: len(DEFAULT_WEIGHTS) + 1]  # one more is refused
        )
        if not any(chosen):
            raise ValidationFailed("Leave at least one weight above 0 %.")
        usual = () if chosen == DEFAULT_WEIGHTS else chosen
        self.query = sorted_by_likeness(self.query, self.query.like, usual)
        await self._show_from_start(user_id, is_step=False)

    @rx.event
    async def confirm_edit(self, number: int) -> None:
        """Confirm that the change of the weights with this number was handled."""
        await self._user_id()
        self.confirmed_edit = validation.validate_integer(number, 0, 2**53)

    @rx.event
    async def stop_comparing(self) -> None:
        """Show the list in its usual order."""
        user_id = await self._user_id()
        self.query = with_sort(self.query, empty_query(self.query.collection).sort)
        await self._show_from_start(user_id)
