"""Which files of a folder or an archive are looked at."""

from sp404_app.audio.features.file_extensions import split_extension


def named_as_sound(name: str) -> bool:
    """Whether a file's name ends as sounds do."""
    return bool(split_extension(name)[1])


def hidden(name: str) -> bool:
    """Whether a file or folder is one that people do not see: "._Kick.wav", "__MACOSX"."""
    return name.startswith(".") or name == "__MACOSX"
