"""Which files of a folder or an archive are looked at."""

from pathlib import PurePosixPath
from typing import Final

# Other files that do not turn out to be sounds are left alone without a word each.
ENDINGS: Final = frozenset(
    {".wav", ".wave", ".bwf", ".rf64", ".w64", ".aif", ".aiff", ".aifc", ".flac", ".ogg", ".oga"}
    | {".opus", ".mp3", ".mp2", ".m4a", ".mp4", ".aac", ".caf", ".au", ".snd", ".wma", ".webm"}
)


def named_as_sound(name: str) -> bool:
    """Whether a file's name ends as sounds do."""
    return PurePosixPath(name).suffix.lower() in ENDINGS


def hidden(name: str) -> bool:
    """Whether a file or folder is one that people do not see: "._Kick.wav", "__MACOSX"."""
    return name.startswith(".") or name == "__MACOSX"
