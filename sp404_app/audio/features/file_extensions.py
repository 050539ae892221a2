"""Split a file name from its audio extension."""

from typing import Final

# Audio file extensions. Text after any other dot is part of the name: "Loop 92.5 BPM".
EXTENSIONS: Final = frozenset(
    {
        "wav", "wave", "bwf", "w64", "rf64", "bw64", "aif", "aiff", "aifc", "afc", "caf", "au",
        "snd", "flac", "ogg", "oga", "opus", "mp1", "mp2", "mp3", "mpga", "m4a", "m4b", "m4p",
        "mp4", "mov", "3gp", "aac", "adts", "wma", "asf", "webm", "mka", "mkv", "weba", "alac",
        "ape", "wv", "ac3", "amr", "sf", "voc", "avr", "iff", "8svx", "svx", "sf2", "smp", "rx2",
        "rex", "raw", "pcm",
    }
)  # fmt: skip


def split_extension(name: str) -> tuple[str, str]:
    """Return the name without its audio extension, and the extension with its dot or ""."""
    stem, dot, ending = name.rpartition(".")
    if not stem.strip(" .") or ending.strip().lower() not in EXTENSIONS:
        return name, ""
    return stem, dot + ending
