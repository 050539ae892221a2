"""What was measured on a sound and where it came from, in words and units."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sp404_app.models import Analysis, Kind, Sample
from sp404_app.state.formatting import channels, hertz, level, moment, percent, rate, size
from sp404_app.state.rows import length

NOTABLE_OFFSET = 0.01  # of full scale
HEARD = 0.005  # seconds: less silence is no delay


@dataclass(frozen=True, slots=True)
class Fact:
    """One measured or given property; `hint` explains it."""

    name: str
    value: str
    hint: str = ""


def facts_of(sample: Sample, heard: Analysis | None = None) -> list[Fact]:
    """List what was measured, and where the sound came from."""
    loudness, peak = sample.loudness_lufs, sample.peak_dbfs
    content = heard.content if heard else {}
    listed = (
        *heard_facts(content),
        *(shape_facts(content) if sample.kind == Kind.ONE_SHOT else ()),
        Fact("Length", length(sample.duration), _exactly(sample.duration)),
        Fact("Loudness", level(loudness, "LUFS"), "How loud it feels over its whole length"),
        Fact("Peak", level(peak, "dBFS"), "Its highest sample; 0 dBFS is full scale"),
        Fact(
            "True peak",
            level(content.get("true_peak_dbtp"), "dBTP"),
            "As high as a converter plays it, between the samples; above 0 it may distort",
        ),
        Fact("Silence", _silence(content), "How long it is below −80 dBFS"),
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
        Fact("Brightness", hertz(content.get("brightness")), "The centre of its spectrum"),
        Fact("Noisiness", percent(content.get("noisiness")), "0 % a pure tone, 100 % white noise"),
    ]


def shape_facts(content: Mapping[str, Any]) -> list[Fact]:
    """List how a single sound comes and goes; a loop does so many times."""
    return [
        Fact("Attack", moment(content.get("attack")), "From a tenth of its first peak to nine"),
        Fact("Decay", moment(content.get("decay")), "From its peak until it stays 20 dB below"),
    ]


def cautions_of(content: Mapping[str, Any]) -> list[str]:
    """Say what may go wrong with a sound on a pad, a sentence each."""
    offset = abs(content.get("dc_offset") or 0.0)
    said = (
        (content.get("truncated"), "The file ends before its header says."),
        (content.get("clipped"), "It is clipped: stretches of it stand at full scale."),
        (content.get("seam_click"), "Its end does not meet its start: it clicks as it repeats."),
        (
            offset >= NOTABLE_OFFSET,
            f"Its wave lies {100 * offset:.1f} % off the middle: where it is cut, it may click.",
        ),
        (
            content.get("dual_mono"),
            "Both channels are the same: in mono it would sound alike and take half the room.",
        ),
    )
    return [sentence for holds, sentence in said if holds]


def _silence(content: Mapping[str, Any]) -> str:
    parts = ((content.get("silence_head"), "before"), (content.get("silence_tail"), "after"))
    return ", ".join(f"{moment(time)} {where}" for time, where in parts if (time or 0) >= HEARD)


def _exactly(seconds: float | None) -> str:
    return f"{seconds:.4f} s" if seconds else ""
