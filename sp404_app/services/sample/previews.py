"""Ogg Vorbis previews, for samples in formats that browsers cannot play."""

import tempfile
from pathlib import Path

from sqlmodel import Session

from sp404_app.audio.io import decode
from sp404_app.models import Sample
from sp404_app.services.infra import object_deletions, storage


def store_preview(path: Path) -> str:
    """Encode a file as Ogg Vorbis, store it and return its storage key."""
    key = storage.new_key(".ogg")
    object_deletions.announce_object(key)
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "preview.ogg"
        decode.encode_preview(path, target)
        storage.save(target, key)
    return key


def ensure_preview(session: Session, sample: Sample) -> str:
    """Return the storage key of a sample's preview, encoding it on first use.

    While one request encodes it, others wait with a connection of the database each, so the caller
    bounds how many there are.

    Raises:
        BadAudio: If the file cannot be decoded.
        NotFound: If the file is missing.
    """
    if sample.preview_key:
        return sample.preview_key
    session.refresh(sample, with_for_update=True)  # two simultaneous requests encode it once
    if not sample.preview_key:
        with storage.local_copy(sample.storage_key) as path:
            sample.preview_key = store_preview(path)
        session.add(sample)
    return sample.preview_key
