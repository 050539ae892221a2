"""What was measured on a sound and where it came from, in words and units."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sp404_app.models import Analysis, Sample
from sp404_app.settings import MB
from sp404_app.state.rows import length


@dataclass(frozen=True, slots=True)
class Fact:
    """One measured or given property; `hint` explains it."""

    name: str
    value: str
    hint: str = ""


def facts_of(sample: Sample, heard: Analysis | None = None) -> list[Fact]:
    """List what was measured, and where the sound came from."""
    loudness, peak = sample.loudness_lufs, sample.peak_dbfs
    listed = (
        *heard_facts(heard.content if heard else {}),
        Fact("Length", length(sample.duration), _exactly(sample.duration)),
        Fact("Loudness", level(loudness, "LUFS"), "How loud it feels over its whole length"),
        Fact("Peak", level(peak, "dBFS"), "Its highest sample; 0 dBFS is full scale"),
        Fact("Format", sample.format),
        Fact("Sample rate", rate(sample.sample_rate)),
        Fact("Channels", channels(sample.channels)),
        Fact("Size", size(sample.size)),
        Fact("Added", f"{sample.created_at:%-d %B %Y}"),
        Fact("Folder", sample.folder),
        Fact("File", sample.filename),
    )
    return [fact for fact in listed if fact.value]


def heard_facts(content: Mapping[str, Any]) -> list[Fact]:
    """List what the engine heard besides tempo, key and kind."""
    named, root = content.get("sound_class") or "", content.get("root_name") or ""
    sure = round(100 * (content.get("class_confidence") or 0.0))
    return [
        Fact("Class", f"{named}, {sure} % sure" if named else "", "The sort of sound it resembles"),
        Fact("Root note", root, "The note it plays untransposed; C4 is middle C"),
    ]


def rate(hertz: int | None) -> str:
    """Write a sample rate in kHz, or nothing."""
    return f"{hertz / 1000:g} kHz" if hertz else ""


def channels(count: int | None) -> str:
    """Name a number of channels."""
    named = {None: "", 1: "Mono", 2: "Stereo"}
    return named.get(count, f"{count} channels")


def size(count: int) -> str:
    """Write a size in MB, or in kB below a tenth of one."""
    return f"{count / MB:.1f} MB" if count >= MB / 10 else f"{max(1, round(count / 1024))} kB"


def level(value: float | None, unit: str) -> str:
    """Write a level with its unit, or nothing."""
    return f"{value:.1f} {unit}".replace("-", "−") if value is not None else ""


def _exactly(seconds: float | None) -> str:
    return f"{seconds:.4f} s" if seconds else ""
