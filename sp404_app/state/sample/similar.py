"""The samples most similar to the sample of this page."""

from dataclasses import dataclass

import reflex as rx

from sp404_app.audio.similarity.embedding import Aspect
from sp404_app.db import in_transaction
from sp404_app.errors import ValidationFailed
from sp404_app.services.library.likeness_order import only_aspect
from sp404_app.services.sample import similarity
from sp404_app.services.sample.similarity import SimilarSample
from sp404_app.state import validation
from sp404_app.state.base import SessionState
from sp404_app.state.library.search_params import EMPTY_QUERY, library_url, sorted_by_likeness
from sp404_app.state.rows import Row, row_of
from sp404_app.state.sample import route

MAX_RESULTS = 8


@dataclass(frozen=True, slots=True)
class SimilarRow:
    """A sample and its similarity in percent."""

    row: Row
    alike: str


class SimilarState(SessionState):
    """The nearest samples in the user's library."""

    rows: rx.Field[list[SimilarRow]] = rx.field(default_factory=list)
    aspect: str = Aspect.OVERALL
    library_url: str = ""  # of the library, sorted by likeness to this sample in this aspect
    looked: bool = False

    @rx.event
    async def show(self) -> None:
        """Load the nearest samples."""
        user_id, sample_id, aspect = (
            await self._user_id(),
            route.sample_id(self),
            Aspect(self.aspect),
        )
        found = await in_transaction(
            similarity.find_similar, user_id, sample_id, MAX_RESULTS, aspect
        )
        weights = () if aspect is Aspect.OVERALL else only_aspect(aspect)
        self.library_url = library_url(sorted_by_likeness(EMPTY_QUERY, sample_id, weights))
        self.rows = [_alike_row(alike) for alike in found]
        self.looked = True

    @rx.event
    async def compare_by(self, aspect: str) -> None:
        """Compare by one aspect, or by everything."""
        if validation.validate_text(aspect, 20) not in set(Aspect):
            raise ValidationFailed("Unknown comparison.")
        self.aspect = aspect
        await self.show()


def _alike_row(alike: SimilarSample) -> SimilarRow:
    return SimilarRow(row_of(alike.sample), similarity_percent(alike.distance))


def similarity_percent(distance: float) -> str:
    """Format a distance as a similarity: 0 is "100 %"."""
    return f"{min(100, max(0, round(100 * (1 - distance))))} %"
