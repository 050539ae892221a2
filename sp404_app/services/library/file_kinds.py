"""Which files of a folder, an archive or an upload are accepted as samples."""

from sp404_app.audio.features.file_extensions import split_extension
from sp404_app.errors import TooLarge
from sp404_app.services.infra.byte_size import format_size
from sp404_app.settings import settings


def has_audio_extension(name: str) -> bool:
    """Return whether a file name has an extension of an audio format."""
    return bool(split_extension(name)[1])


def is_hidden(name: str) -> bool:
    """Return whether a file or folder is hidden or macOS metadata: "._Kick.wav", "__MACOSX"."""
    return name.startswith(".") or name == "__MACOSX"


def upload_too_large() -> TooLarge:
    """Return the error for a file above the upload limit."""
    return TooLarge(f"This file is larger than {format_size(settings().max_upload_bytes)}.")
