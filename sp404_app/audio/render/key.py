"""The name of a render in the cache: equal for edits with equal results."""

import hashlib
import json
from importlib.metadata import version
from typing import Any, Final

from sp404_app.audio.render import length, levels
from sp404_app.audio.render.edit import Edit, Normalise
from sp404_app.audio.render.time_stretch import MODULE_SHA256

CODE_VERSION: Final = 1  # increase it when a change of this package changes any bytes
PACKAGES: Final = ("numpy", "soxr")  # their arithmetic is in the result
RENDER_VERSION: Final = " ".join(
    [
        f"code-{CODE_VERSION}",
        f"stretch-{MODULE_SHA256[:12]}",
        *(f"{name}-{version(name)}" for name in PACKAGES),
    ]
)
DIGITS: Final = 12  # significant ones of a number; a ratio of tempos may be rounded differently


def render_key(digest: str, edit: Edit, *, rate: int, loop: bool) -> str:
    """Return the SHA-256, in hex, that names the render of the audio with this content hash.

    `rate` is the device's, in Hz. The key also depends on the versions of what renders.
    """
    content = {
        "version": RENDER_VERSION,
        "digest": digest,
        "rate": rate,
        "loop": loop,
        "edit": describe_effect(edit),
    }
    packed = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(packed.encode()).hexdigest()


def describe_effect(edit: Edit) -> dict[str, Any]:
    """Return what an edit does, equal for edits with equal results."""
    return {
        "channels": edit.channels,
        "trim": edit.trim,
        "silence": edit.trim_silence,
        "reverse": edit.reverse,
        "stretch": round_number(length.stretch_ratio(edit)),
        "pitch": round_number(edit.pitch),
        "trick": round_number(edit.resample_trick or 0.0),
        "normalise": describe_level(edit.normalise),
        "gain": round_number(edit.gain_db),
        "fades": [round_number(edit.fade_in), round_number(edit.fade_out)],
    }


def describe_level(wanted: Normalise | None) -> list[str] | None:
    """Return the level to reach; a peak above the ceiling is the ceiling."""
    if wanted is None:
        return None
    ceiling = levels.CEILING_DBFS if wanted.to == "peak" else wanted.value
    return [wanted.to, round_number(min(wanted.value, ceiling))]


def round_number(value: float) -> str:
    """Return a number with `DIGITS` significant digits."""
    return f"{value:.{DIGITS}g}"
