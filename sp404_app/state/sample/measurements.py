"""Measurements and file properties of a sample, formatted with units."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sp404_app.models import Analysis, Kind, Sample
from sp404_app.state.formatting import (
    format_channels,
    format_frequency,
    format_level,
    format_percent,
    format_sample_rate,
    format_short_time,
    format_size,
)
from sp404_app.state.rows import format_duration

MIN_DC_OFFSET = 0.01  # of full scale; less is not worth a warning
MIN_SILENCE_S = 0.005  # shorter silence is not shown


@dataclass(frozen=True, slots=True)
class Fact:
    """A property with its formatted value; `hint` explains it in a tooltip."""

    name: str
    value: str
    hint: str = ""


def facts_of(sample: Sample, analysis: Analysis | None = None) -> list[Fact]:
    """List the measurements and file properties that are known."""
    loudness, peak = sample.loudness_lufs, sample.peak_dbfs
    content = analysis.content if analysis else {}
    listed = (
        *analysis_facts(content),
        *(envelope_facts(content) if sample.kind == Kind.ONE_SHOT else ()),
        Fact("Length", format_duration(sample.duration), _exactly(sample.duration)),
        Fact(
            "Loudness", format_level(loudness, "LUFS"), "Perceived loudness over its whole length"
        ),
        Fact("Peak", format_level(peak, "dBFS"), "Highest sample value; 0 dBFS is full scale"),
        Fact(
            "True peak",
            format_level(content.get("true_peak_dbtp"), "dBTP"),
            "Peak between the samples, as a converter plays it; above 0 dBTP it may distort",
        ),
        Fact("Silence", _silence(content), "Time below −80 dBFS"),
        Fact("Format", sample.format),
        Fact("Sample rate", format_sample_rate(sample.sample_rate)),
        Fact("Channels", format_channels(sample.channels)),
        Fact("Size", format_size(sample.size)),
        Fact("From", sample.shared_by, "The person whose link it was saved from"),
        Fact("Added", f"{sample.created_at:%-d %B %Y}"),
        Fact("Folder", sample.folder),
        Fact("File", sample.filename),
    )
    return [fact for fact in listed if fact.value]


def analysis_facts(content: Mapping[str, Any]) -> list[Fact]:
    """List the results of the analysis besides tempo, key and kind."""
    named, root = content.get("sound_class") or "", content.get("root_name") or ""
    sure = round(100 * (content.get("class_confidence") or 0.0))
    return [
        Fact(
            "Class",
            f"{named}, {sure} % sure" if named else "",
            "The type of sound it resembles most",
        ),
        Fact("Root note", root, "The note it plays at its original pitch; C4 is middle C"),
        Fact(
            "Brightness", format_frequency(content.get("brightness")), "The centre of its spectrum"
        ),
        Fact(
            "Noisiness",
            format_percent(content.get("noisiness")),
            "0 % is a pure tone, 100 % is white noise",
        ),
    ]


def envelope_facts(content: Mapping[str, Any]) -> list[Fact]:
    """List attack and decay, which are meaningful for one-shots only."""
    return [
        Fact(
            "Attack",
            format_short_time(content.get("attack")),
            "Time from 10 % to 90 % of its first peak",
        ),
        Fact(
            "Decay",
            format_short_time(content.get("decay")),
            "Time from its peak until it stays 20 dB lower",
        ),
    ]


def cautions_of(content: Mapping[str, Any]) -> list[str]:
    """List possible problems when the sample is played from a pad, one sentence each."""
    offset = abs(content.get("dc_offset") or 0.0)
    cautions = (
        (content.get("truncated"), "The file is cut off: it’s shorter than its header says."),
        (content.get("clipped"), "It’s clipped: parts of it are cut off at full scale."),
        (
            content.get("seam_click"),
            "It clicks at the loop point: the end doesn’t match the start.",
        ),
        (
            offset >= MIN_DC_OFFSET,
            f"It has a DC offset of {100 * offset:.1f} %, so it may click where it’s cut.",
        ),
        (
            content.get("dual_mono"),
            "Both channels are identical. In mono it would sound the same at half the size.",
        ),
    )
    return [sentence for is_present, sentence in cautions if is_present]


def _silence(content: Mapping[str, Any]) -> str:
    parts = ((content.get("silence_head"), "before"), (content.get("silence_tail"), "after"))
    return ", ".join(
        f"{format_short_time(time)} {where}"
        for time, where in parts
        if (time or 0) >= MIN_SILENCE_S
    )


def _exactly(seconds: float | None) -> str:
    return f"{seconds:.4f} s" if seconds else ""
