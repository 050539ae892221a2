"""Downloads with the tempo, key and root note of a sample written into the file's own tags.

Files for a device get none: they have the bytes of a pad. A tagged file is kept as conversions are.
"""

import hashlib
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sp404_app.audio.features.musical_keys import PITCHES
from sp404_app.audio.io.sound_tags import MIDDLE_C, CannotHoldTags, SoundTags
from sp404_app.audio.io.tag_writer import write_tags
from sp404_app.errors import NotFound
from sp404_app.models import Kind, Sample
from sp404_app.services.cards.conversions import StoredFile
from sp404_app.services.cards.download_formats import FORMATS, DownloadFormat
from sp404_app.services.infra import conversion_files, storage

TAG_VERSION: Final = 1  # increase it when a change of `audio.io.tag_writer` changes any bytes
MAX_TAGGED_BYTES: Final = 1 << 29
NO_VALUES: Final = "This sound has no tempo, key or root note, so its file is unchanged."
FOR_DEVICE: Final = "Files for the SP-404 hold no tags."
TOO_LARGE: Final = "This file is too large to write tags into, so it is unchanged."
CANNOT: Final = "Tags can't be written into this file, so it is unchanged."


@dataclass(frozen=True, slots=True)
class TaggedFile:
    """A file to download; `note` says why it has no new tags, and is empty if it has."""

    file: StoredFile
    note: str = ""


def sample_tags(sample: Sample) -> SoundTags:
    """Return what is written into the file of a sample.

    The root note of a loop is the tonic of its key, in the octave of middle C, as ACID expects it.
    """
    root = sample.root_note
    is_loop = None if sample.kind is None else sample.kind == Kind.LOOP
    if root is None and is_loop and sample.key:
        root = MIDDLE_C + PITCHES.index(sample.key.partition(" ")[0])
    return SoundTags(sample.bpm, sample.key, root, is_loop, sample.duration or 0.0)


def find_or_write_tags(
    sample: Sample, file: StoredFile, wanted: DownloadFormat | None
) -> TaggedFile:
    """Return the stored file of a sample with its values in the tags, or unchanged with a note.

    Raises:
        NotFound: If the file is missing.
    """
    tags = sample_tags(sample)
    if note := _refuse(tags, file, wanted):
        return TaggedFile(file, note)
    described = f"{TAG_VERSION} {file.key} {tags}"
    name = hashlib.sha256(described.encode()).hexdigest()
    extension = Path(file.filename).suffix
    safe_extension = extension if extension[1:].isalnum() and extension.isascii() else ""
    key = conversion_files.converted_file_key(sample.user_id, name, safe_extension)
    tagged = StoredFile(key, file.filename, file.media_type, name)
    if _exists(key):
        return TaggedFile(tagged)
    try:
        with storage.local_copy(file.key) as path, tempfile.TemporaryDirectory() as folder:
            target = Path(folder) / "tagged"
            write_tags(path, target, tags)
            storage.save(target, key)
    except CannotHoldTags:
        return TaggedFile(file, CANNOT)
    return TaggedFile(tagged)


def write_sample_tags(sample: Sample, wanted: DownloadFormat, path: Path) -> None:
    """Write the values of a sample into its converted file, if it can hold them."""
    tags = sample_tags(sample)
    if tags.is_empty or FORMATS[wanted].device:
        return
    target = path.with_suffix(".tagged")
    try:
        write_tags(path, target, tags)
    except CannotHoldTags:
        return
    target.replace(path)


def _refuse(tags: SoundTags, file: StoredFile, wanted: DownloadFormat | None) -> str:
    """Return why a file gets no tags; "" if it may."""
    if wanted and FORMATS[wanted].device:
        return FOR_DEVICE
    if tags.is_empty:
        return NO_VALUES
    return TOO_LARGE if storage.object_size(file.key) > MAX_TAGGED_BYTES else ""


def _exists(key: str) -> bool:
    try:
        storage.object_size(key)
    except NotFound:
        return False
    return True
