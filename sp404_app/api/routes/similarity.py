"""Routes about what sounds alike, and what is the same."""

import uuid
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel

from sp404_app.api.deps import CurrentUser, Database
from sp404_app.audio.similarity.embedding import Aspect
from sp404_app.services.library.schemas import SampleView, sample_view
from sp404_app.services.sample import duplicates, similarity
from sp404_app.services.sample.similarity import Alike

router = APIRouter(prefix="/samples", tags=["samples"])


class AlikeView(BaseModel):
    """A sample and how unlike it is: 0 the same, 1 unrelated."""

    sample: SampleView
    distance: float


class AlikeList(BaseModel):
    """The nearest sounds, the most alike first."""

    samples: list[AlikeView]


class CopyList(BaseModel):
    """The copies of a sound."""

    samples: list[SampleView]


Limit = Annotated[int, Query(ge=1, le=100)]


@router.get("/{sample_id}/similar")
def similar(
    session: Database,
    user_id: CurrentUser,
    sample_id: uuid.UUID,
    limit: Limit = 12,
    aspect: Aspect = Aspect.OVERALL,
) -> AlikeList:
    """List what sounds like this sample, by everything or by one aspect."""
    found = similarity.similar(session, user_id, sample_id, limit, aspect)
    return AlikeList(samples=[alike_view(alike) for alike in found])


@router.get("/{sample_id}/copies")
def list_copies(
    session: Database, user_id: CurrentUser, sample_id: uuid.UUID, limit: Limit = 50
) -> CopyList:
    """List the other sounds of the library that are of the same recording, the oldest first.

    At another sample rate, gain, format or bit depth, or with silence around it.
    """
    found = duplicates.list_duplicates(session, user_id, sample_id, limit)
    return CopyList(samples=[sample_view(sample) for sample in found])


def alike_view(alike: Alike) -> AlikeView:
    """Show a sample and how unlike it is."""
    return AlikeView(sample=sample_view(alike.sample), distance=alike.distance)
