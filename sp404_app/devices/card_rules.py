"""Which sound files the SP-404MKII refuses to import from its card, as far as it is known.

| rule | known from |
|---|---|
| WAV, AIFF and MP3 only | Roland's manual |
| at most 16 minutes | Roland's manual |
| no 32-bit float | reports of several owners: "Unsupported File" |
| names in ASCII | reports of owners: other characters are shown as "_" and do not load |

Nothing is said about 24 bits, 32-bit integers, compressed WAV files and unusual sample rates:
reports contradict each other or do not exist.
"""

from sp404_app.devices.capabilities import MK2

IMPORTED_CONTAINERS = ("WAV", "AIFF", "MP3")
REFUSED_ENCODING = "32-bit float"


def explain_refusal(audio_format: str, filename: str) -> str:
    """Return why the MKII refuses a file that a conversion makes acceptable; "" if it does not.

    `audio_format` is the name of a format such as "WAV 24-bit" or "FLAC"; "" if it is unknown.
    """
    container, _, encoding = audio_format.partition(" ")
    if container and container not in IMPORTED_CONTAINERS:
        return f"{audio_format}: the {MK2.title} imports WAV, AIFF and MP3 only."
    if encoding == REFUSED_ENCODING:
        return f"{encoding}: the {MK2.title} shows “Unsupported File”."
    if not filename.isascii():
        return f"The file name has characters that the {MK2.title} can’t load."
    return ""


def is_too_long(seconds: float | None) -> bool:
    """Return whether a sound is longer than the MKII takes; no conversion changes that."""
    return seconds is not None and round(seconds * MK2.rate) > MK2.max_frames
