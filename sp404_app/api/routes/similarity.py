"""Routes of similar samples and of duplicates."""

import uuid
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel

from sp404_app.api.deps import CurrentUser, Database
from sp404_app.audio.similarity.embedding import Aspect
from sp404_app.services.library.schemas import SampleView, sample_view
from sp404_app.services.sample import duplicates, similarity
from sp404_app.services.sample.similarity import SimilarSample

router = APIRouter(prefix="/samples", tags=["samples"])


class AlikeView(BaseModel):
    """A sample and its distance: 0 for the same sound, 1 for unrelated ones."""

    sample: SampleView
    distance: float


class AlikeList(BaseModel):
    """The most similar samples, nearest first."""

    samples: list[AlikeView]


class CopyList(BaseModel):
    """The duplicates of a sample."""

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
    """List the most similar samples, by everything or by one aspect."""
    found = similarity.find_similar(session, user_id, sample_id, limit, aspect)
    return AlikeList(samples=[similar_sample_view(alike) for alike in found])


@router.get("/{sample_id}/copies")
def list_copies(
    session: Database, user_id: CurrentUser, sample_id: uuid.UUID, limit: Limit = 50
) -> CopyList:
    """List the other samples of the same recording, oldest first.

    They may differ in sample rate, gain, format, bit depth or surrounding silence.
    """
    found = duplicates.list_duplicates(session, user_id, sample_id, limit)
    return CopyList(samples=[sample_view(sample) for sample in found])


def similar_sample_view(alike: SimilarSample) -> AlikeView:
    """Return the JSON view of a similar sample."""
    return AlikeView(sample=sample_view(alike.sample), distance=alike.distance)
