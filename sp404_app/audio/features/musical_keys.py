"""Key names, Camelot codes and harmonically compatible keys."""

from typing import Final

PITCHES: Final = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
KEYS: Final = tuple(f"{pitch} {mode}" for mode in ("major", "minor") for pitch in PITCHES)


def camelot(key: str) -> str:
    """Return the Camelot code of a key, such as "11A" for "F# minor".

    Raises:
        ValueError: If it is not one of `KEYS`.
    """
    if key not in KEYS:
        raise ValueError(f"{key!r} is not the name of a key.")
    index = KEYS.index(key)
    # One step on the wheel is a fifth; A minor and its relative C major are both at 8.
    pitch, letter = (index - 12 + 3, "A") if index >= 12 else (index, "B")
    return f"{(7 * pitch + 7) % 12 + 1}{letter}"


CODES: Final = {camelot(key): key for key in KEYS}


def compatible_keys(key: str) -> list[str]:
    """Return the keys that mix well: the same, the relative, a fifth up and a fifth down.

    Raises:
        ValueError: If it is not one of `KEYS`.
    """
    code = camelot(key)
    number, letter = int(code[:-1]), code[-1]
    other = "B" if letter == "A" else "A"
    up, down = number % 12 + 1, (number - 2) % 12 + 1
    return [
        CODES[f"{step}"] for step in (code, f"{number}{other}", f"{up}{letter}", f"{down}{letter}")
    ]
