"""Write tempo, key and root note into the tags of a sound file, without decoding its audio.

The file is copied with other tags; the original is never changed. Every byte of the audio is kept.
"""

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO, Final, cast

from sp404_app.audio.io import chunks, source
from sp404_app.audio.io.flac_tags import tag_flac
from sp404_app.audio.io.id3_writer import MAX_TAG_BYTES, tag_length, write_id3
from sp404_app.audio.io.m4a_tags import tag_m4a
from sp404_app.audio.io.ogg_tags import tag_ogg
from sp404_app.audio.io.parts import ConcatenatedFile, FileSlice
from sp404_app.audio.io.riff_tags import tag_chunks
from sp404_app.audio.io.sound_tags import CannotHoldTags, SoundTags

COPY_BYTES: Final = 1 << 20
ID3_HEADER_BYTES: Final = 10


def write_tags(path: Path, target: Path, tags: SoundTags) -> None:
    """Write a copy of a file with these tags to `target`.

    Raises:
        CannotHoldTags: If the format holds no tags, or the file is damaged or irregular. Then
            `target` does not exist.
    """
    try:
        with path.open("rb") as file:
            demuxer = _find_demuxer(path)
            _write_parts(_tagged_parts(file, demuxer, tags), target)
    except CannotHoldTags:
        target.unlink(missing_ok=True)
        raise


def _find_demuxer(path: Path) -> str:
    with source.open_source(path) as found:
        if found.chain:
            raise CannotHoldTags("The file is a chain of several streams.")
        return found.demuxer or ""


def _tagged_parts(file: BinaryIO, demuxer: str, tags: SoundTags) -> Sequence[bytes | FileSlice]:
    end = file.seek(0, 2)
    if layout := chunks.read_chunk_layout(file, 0, end):
        return tag_chunks(file, layout, end, tags)
    if not tags.bpm and not tags.key:
        raise CannotHoldTags("Text tags hold a tempo and a key, and this sound has neither.")
    if demuxer == "mp3":
        return _tag_mp3(file, end, tags)
    if demuxer == "flac":
        return tag_flac(file, end, tags)
    if demuxer == "ogg":
        return tag_ogg(file, end, tags)
    if demuxer == "mov":
        return tag_m4a(file, end, tags)
    raise CannotHoldTags("The format of the file holds no tags.")


def _tag_mp3(file: BinaryIO, end: int, tags: SoundTags) -> list[bytes | FileSlice]:
    """Return the file with a new ID3 tag in place of its first one."""
    file.seek(0)
    length = tag_length(file.read(ID3_HEADER_BYTES))
    if length > min(end, MAX_TAG_BYTES):
        raise CannotHoldTags("The ID3 tag is damaged.")
    file.seek(0)
    return [write_id3(file.read(length), tags), FileSlice(file, length, end)]


def _write_parts(parts: Sequence[bytes | FileSlice], target: Path) -> None:
    with target.open("wb") as file:
        shutil.copyfileobj(cast("BinaryIO", ConcatenatedFile(parts)), file, COPY_BYTES)
