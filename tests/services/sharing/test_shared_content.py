"""What the page of a link shows of a large collection."""

import uuid

from sqlmodel import Session

from sp404_app.models import Sample, Share, User
from sp404_app.services.collections import collections
from sp404_app.services.library import samples
from sp404_app.services.sharing import shared_content, shares
from sp404_app.services.sharing.shared_content import MAX_SOUNDS
from sp404_app.services.sharing.shares import ShareOptions, ShareTarget


def add_sample(session: Session, user: User, name: str) -> uuid.UUID:
    sample = Sample(
        user_id=user.id, name=name, filename=name, storage_key=uuid.uuid4().hex, size=1000,
        digest=uuid.uuid4().hex, format="WAV 16-bit",
    )  # fmt: skip
    samples.update_search_fields(sample)
    session.add(sample)
    session.flush()
    return sample.id


def test_a_link_says_how_many_sounds_it_does_not_show(session: Session, user: User) -> None:
    ids = [add_sample(session, user, f"Sound {number}") for number in range(MAX_SOUNDS + 5)]
    made = collections.create_collection(session, user.id, name="Big", sample_ids=ids)
    link = shares.create_share(session, user.id, ShareTarget("collection", made.id), ShareOptions())
    content = shared_content.load_content(session, session.get_one(Share, link.id))
    assert (len(content.sounds), content.total) == (MAX_SOUNDS, MAX_SOUNDS + 5)
