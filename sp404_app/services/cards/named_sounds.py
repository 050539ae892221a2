"""The samples of a download: loaded in order, named, and how large they become."""

import uuid
from collections.abc import Sequence
from typing import Final

from sqlalchemy.orm import load_only
from sqlmodel import Session, col, select

from sp404_app.errors import NotFound
from sp404_app.models import Sample
from sp404_app.services.cards.converted_names import NamedSound
from sp404_app.services.cards.download_formats import FORMATS, DownloadFormat
from sp404_app.services.library.samples import has_id_in

# A row of the library has texts that no name needs.
COLUMNS: Final = (
    Sample.id, Sample.user_id, Sample.name, Sample.filename, Sample.folder, Sample.storage_key,
    Sample.size, Sample.digest, Sample.format, Sample.sample_rate, Sample.channels,
    Sample.duration, Sample.sound_class, Sample.bpm, Sample.key,
    Sample.kind, Sample.root_note,
)  # fmt: skip
HEADER_BYTES: Final = 512  # more than any format needs for one file, also in an archive
DEFAULT_RATE_HZ: Final = 48_000


def load_samples(session: Session, user_id: uuid.UUID, ids: Sequence[uuid.UUID]) -> list[Sample]:
    """Return a user's samples in the order of their ids, each once, without rarely used columns.

    Raises:
        NotFound: If one does not exist or belongs to another user.
    """
    mine = select(Sample).where(col(Sample.user_id) == user_id, has_id_in(ids))
    found = {each.id: each for each in session.exec(mine.options(load_only(*COLUMNS)))}  # type: ignore[arg-type]
    wanted = list(dict.fromkeys(ids))
    if len(found) < len(wanted):
        raise NotFound("There is no such sample.")
    return [found[sample_id] for sample_id in wanted]


def named_sound(sample: Sample) -> NamedSound:
    """Return what the name of a sample's file is made of."""
    return NamedSound(sample.name, sample.folder, sample.bpm, sample.key, sample.sound_class)


def estimate_bytes(sample: Sample, wanted: DownloadFormat) -> int:
    """Return the size of a converted sample in bytes, at most; a FLAC is usually smaller.

    A sample that was not measured yet counts as empty.
    """
    device = FORMATS[wanted].device
    channels = sample.channels or 2
    if device:
        frame_bytes, rate = 2 * min(2, channels), device.rate
    else:
        rate = sample.sample_rate or DEFAULT_RATE_HZ
        frame_bytes = channels * _sample_bytes(sample.format)
    return HEADER_BYTES + round((sample.duration or 0.0) * rate) * frame_bytes


def _sample_bytes(audio_format: str) -> int:
    widths = {"24-bit": 3, "32-bit": 4, "64-bit": 4, "FLAC": 3, "ALAC": 3}
    return next((bytes_ for name, bytes_ in widths.items() if name in audio_format), 2)
