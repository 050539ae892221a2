"""The playlist of a collection (M3U in UTF-8), with the names that its archive gives the files.

`#EXTINF` states length and title (RFC 8216 §4.3.2.1; its lengths are whole seconds in the players
that take M3U for music, with -1 for an unknown one).
"""

import json
import uuid
from collections.abc import Collection as AnyCollection
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlmodel import Session

from sp404_app.models import Sample
from sp404_app.services.cards.converted_names import name_files
from sp404_app.services.cards.download_formats import DownloadFormat
from sp404_app.services.cards.name_template import Template
from sp404_app.services.cards.named_sounds import load_samples, named_sound
from sp404_app.services.collections import collection_samples, collections
from sp404_app.services.infra.text import one_line
from sp404_app.services.infra.zip_names import with_extension

EXTENSION: Final = ".m3u8"


@dataclass(frozen=True, slots=True)
class PlaylistEntry:
    """A file: its relative path, its title, and its length in seconds if it is known."""

    path: str
    title: str
    seconds: float | None


@dataclass(frozen=True, slots=True)
class Playlist:
    """The files of a collection, in its order."""

    title: str
    entries: tuple[PlaylistEntry, ...]

    @property
    def filename(self) -> str:
        """Return a file name that every system accepts."""
        return with_extension(self.title, EXTENSION)

    def write_text(self, paths: AnyCollection[str] | None = None) -> str:
        """Return the playlist, only with the files in `paths` if they are given."""
        lines = ["#EXTM3U", f"#PLAYLIST:{one_line(self.title)}"]
        for entry in self.entries:
            if paths is None or entry.path in paths:
                lines += [f"#EXTINF:{_whole_seconds(entry)},{one_line(entry.title)}"]
                # A line that begins with "#" would be a comment.
                lines += [f"./{entry.path}" if entry.path.startswith("#") else entry.path]
        return "\n".join(lines) + "\n"

    def to_json(self) -> bytes:
        """Return the playlist as it is stored for a worker."""
        entries = [[entry.path, entry.title, entry.seconds] for entry in self.entries]
        return json.dumps([self.title, entries]).encode()


def parse_playlist(stored: bytes) -> Playlist:
    """Return a playlist that `Playlist.to_json` has written."""
    title, entries = json.loads(stored)
    return Playlist(title, tuple(PlaylistEntry(*entry) for entry in entries))


def make_playlist(title: str, files: Sequence[tuple[str, Sample]]) -> Playlist:
    """Return the playlist of files, in their order."""
    entries = (PlaylistEntry(path, each.name, each.duration) for path, each in files)
    return Playlist(title, tuple(entries))


def collection_playlist(
    session: Session,
    user_id: uuid.UUID,
    collection_id: uuid.UUID,
    wanted: DownloadFormat,
    template: Template,
    *,
    folders: bool = False,
) -> Playlist:
    """Return the playlist that an archive of the collection with these names contains.

    Raises:
        NotFound: If the collection does not exist or belongs to another user.
    """
    title = collections.get_collection(session, user_id, collection_id).name
    ids = collection_samples.list_sample_ids(session, user_id, collection_id)
    found = load_samples(session, user_id, ids)
    paths = name_files(map(named_sound, found), template, wanted, folders=folders)
    return make_playlist(title, list(zip(paths, found, strict=True)))


def _whole_seconds(entry: PlaylistEntry) -> int:
    return -1 if entry.seconds is None else max(1, round(entry.seconds))
