"""Sounds of the library that came from a card, found again by the hash of their file."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import ARRAY, String, any_, literal
from sqlmodel import Session, col, select

from sp404_app.devices.device_pad import offset_of_frame
from sp404_app.models import PadSource, Sample
from sp404_app.services.cards.device_audio import MAX_TAIL_BYTES


@dataclass(frozen=True, slots=True)
class KnownSound:
    """A sample of the library that a file became: its hash, and that file's header and tail."""

    sample_id: uuid.UUID
    digest: str
    channels: int
    frames: int
    rate: int
    header: bytes
    tail: bytes | None

    def may_lack_bytes(self, size: int) -> bool:
        """Return whether a file of this size has bytes after its last frame that are not kept."""
        behind = size - offset_of_frame(self.frames, self.channels)
        return self.tail is None and 0 < behind <= MAX_TAIL_BYTES


def find_known_sounds(
    session: Session, user_id: uuid.UUID, hashes: Iterable[str]
) -> dict[str, KnownSound]:
    """Return the user's samples outside the trash that files with these SHA-256 became."""
    wanted = sorted({each for each in hashes if each})
    query = (
        select(PadSource, Sample)
        .join(Sample, col(Sample.id) == col(PadSource.sample_id))
        .where(
            PadSource.user_id == user_id,
            col(PadSource.audio_sha256) == any_(literal(wanted, ARRAY(String))),
            Sample.user_id == user_id,
            col(Sample.deleted_at).is_(None),
            col(Sample.duration).is_not(None),
            col(Sample.sample_rate) > 0,
        )
        .order_by(col(PadSource.created_at))
    )
    return {
        source.audio_sha256: KnownSound(
            sample.id,
            sample.digest,
            sample.channels or 2,
            round((sample.duration or 0) * (sample.sample_rate or 0)),
            sample.sample_rate or 0,
            source.audio_header,
            source.audio_tail,
        )
        for source, sample in session.exec(query)
    }
