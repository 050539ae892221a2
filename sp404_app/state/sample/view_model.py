"""View model of the sample page: formatted values, sources and confidences."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sp404_app.audio.features.musical_keys import KEYS, camelot
from sp404_app.devices import card_rules
from sp404_app.models import Kind, Sample, SampleStatus, Source
from sp404_app.services.library.preview_gain import preview_gain
from sp404_app.services.sample.details import SAME_TEMPO_BPM, SampleDetails, folder_tempo_of
from sp404_app.services.sample.folder_tempo import weigh_candidates
from sp404_app.state.rows import format_tempo
from sp404_app.state.sample.measurements import Fact, cautions_of, facts_of

SOURCES = {
    Source.ANALYSIS: "from the analysis",
    Source.FILE: "from the file",
    Source.NAME: "from the name",
    Source.FOLDER: "from the folder",
    Source.LENGTH: "from the exact length",
    Source.USER: "set by you",
}
MAX_CANDIDATES = 5
MIN_PROBABILITY = 0.005  # less likely candidates are not offered
SURENESS = (
    (0.9, "Very sure"),
    (0.7, "Fairly sure"),
    (0.5, "Probably"),
    (0.3, "Uncertain"),
    (0.0, "Very uncertain"),
)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A candidate of the analysis, offered as a button."""

    value: str
    label: str
    detail: str
    current: bool


@dataclass(frozen=True, slots=True)
class AnalysedValue:
    """A tempo, key or kind: its current value, source and confidence."""

    value: str = ""
    source: str = ""
    mine: bool = False
    sure: str = ""
    share: int = 0
    why_none: str = ""
    written: str = ""  # stated in the file, and contradicted by the analysis
    others: str = ""  # what the other sounds of the folder say
    several: bool = False
    choices: list[Candidate] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class SampleSheet:
    """Everything the page shows of one sample."""

    id: str = ""
    name: str = ""
    status: str = ""
    error: str = ""
    trashed: bool = False
    drawable: bool = False
    favourite: bool = False
    rating: int = 0
    note: str = ""
    tags: list[str] = field(default_factory=list)
    kind: str = ""
    seconds: float = 0.0
    gain: float = 0.0
    short_key: str = ""
    camelot: str = ""
    tuning: str = ""
    tempo: AnalysedValue = field(default_factory=AnalysedValue)
    key: AnalysedValue = field(default_factory=AnalysedValue)
    kinds: AnalysedValue = field(default_factory=AnalysedValue)
    facts: list[Fact] = field(default_factory=list)
    cautions: list[str] = field(default_factory=list)
    refusal: str = ""  # why the device refuses the original, though not a conversion of it


def sheet_of(details: SampleDetails) -> SampleSheet:
    """Build the view model of a sample and its newest analysis."""
    sample, analysis = details.sample, details.analysis
    return SampleSheet(
        id=str(sample.id),
        name=sample.name,
        status=sample.status,
        error=sample.error[:300],
        trashed=sample.deleted_at is not None,
        drawable=bool(sample.thumbnail),
        favourite=sample.favourite,
        rating=sample.rating,
        note=sample.note,
        tags=list(sample.tags),
        kind=sample.kind or "",
        seconds=round(sample.duration or 0.0, 4),
        gain=preview_gain(sample.loudness_lufs, sample.peak_dbfs),
        short_key=(sample.key or "").replace(" major", "").replace(" minor", "m"),
        camelot=camelot(sample.key) if sample.key else "",
        tuning=describe_tuning(
            analysis.content.get("tuning_cents") if analysis and sample.key else None
        ),
        tempo=_tempo(details),
        key=_key(details),
        kinds=_kind(details),
        facts=facts_of(sample, analysis),
        cautions=cautions_of(analysis.content if analysis else {}),
        refusal=_why_refused(sample),
    )


def _why_refused(sample: Sample) -> str:
    """Return why the device refuses the original; "" if it does not, or if it is too long."""
    if card_rules.is_too_long(sample.duration):
        return ""
    return card_rules.explain_refusal(sample.format, sample.filename)


def describe_confidence(confidence: float | None) -> str:
    """Put a probability into words: "Very sure", …, "Very uncertain"."""
    return next(words for minimum, words in SURENESS if (confidence or 0.0) >= minimum)


def likely_candidates(candidates: Sequence[tuple[Any, float]]) -> list[tuple[Any, float]]:
    """Return the candidates that are likely enough to be offered."""
    return [each for each in candidates if each[1] >= MIN_PROBABILITY][:MAX_CANDIDATES]


def describe_tuning(cents: object) -> str:
    """Describe the deviation from A = 440 Hz; empty within 5 cents, which is inaudible."""
    if not isinstance(cents, int | float) or abs(cents) < 5:
        return ""
    return f"Tuned {abs(cents):.0f} cents {'sharp' if cents > 0 else 'flat'} of A = 440 Hz"


def _tempo(details: SampleDetails) -> AnalysedValue:
    sample, analysis = details.sample, details.analysis
    candidates = analysis.bpm_candidates if analysis else []
    listed = likely_candidates(weigh_candidates(candidates, folder_tempo_of(analysis)))
    return replace(
        _sourced(sample.bpm_source, sample.bpm_confidence, bool(sample.bpm)),
        value=format_tempo(sample.bpm),
        why_none=_why_no_tempo(sample),
        written=_written_tempo(details),
        others=_others_of_folder(details),
        # Without a tempo, a single candidate is a choice, too.
        several=len(listed) > (1 if sample.bpm else 0),
        choices=[
            Candidate(
                value=str(bpm),
                label=format_tempo(bpm),
                detail=_percent(chance),
                current=bool(sample.bpm) and abs(bpm - (sample.bpm or 0)) < SAME_TEMPO_BPM,
            )
            for bpm, chance in listed
        ],
    )


def _key(details: SampleDetails) -> AnalysedValue:
    sample, analysis = details.sample, details.analysis
    listed = likely_candidates(analysis.key_candidates if analysis else [])
    return replace(
        _sourced(sample.key_source, sample.key_confidence, bool(sample.key)),
        value=sample.key or "",
        why_none=_why_no_key(sample),
        written=_written_key(details),
        several=len(listed) > 1,
        choices=[
            Candidate(name, f"{name} {camelot(name)}", _percent(chance), name == sample.key)
            for name, chance in listed
        ],
    )


def _kind(details: SampleDetails) -> AnalysedValue:
    sample, analysis = details.sample, details.analysis
    confidence = analysis.kind_confidence if analysis else None
    return replace(
        _sourced(sample.kind_source, confidence, bool(sample.kind)), value=sample.kind or ""
    )


def _sourced(source: str, confidence: float | None, known: bool) -> AnalysedValue:
    mine = source == Source.USER
    measured = known and source == Source.ANALYSIS
    return AnalysedValue(
        source=SOURCES[Source(source)] if known or mine else "",
        mine=mine,
        sure=describe_confidence(confidence) if measured else "",
        share=round(100 * (confidence or 0.0)) if measured else 0,
    )


def _written_tempo(details: SampleDetails) -> str:
    """Return the tempo stated in the file if the analysis contradicts it and no user set one."""
    content = details.analysis.content if details.analysis else {}
    if details.sample.bpm_source == Source.USER or not content.get("bpm_conflict"):
        return ""
    return format_tempo(content.get("stated_bpm"))


def _others_of_folder(details: SampleDetails) -> str:
    """Return the sentence on the other loops of the folder if the tempo depends on them."""
    sample, evidence = details.sample, folder_tempo_of(details.analysis)
    if evidence is None or not sample.bpm or sample.bpm_source != Source.ANALYSIS:
        return ""
    count = evidence.sounds
    who = (
        "Another loop of this folder is"
        if count == 1
        else f"{count} other loops of this folder are"
    )
    return f"{who} {'at' if evidence.same else 'around'} {round(evidence.around)} BPM."


def _written_key(details: SampleDetails) -> str:
    """Return the key stated in the file if the analysis contradicts it and no user set one."""
    content = details.analysis.content if details.analysis else {}
    if details.sample.key_source == Source.USER or not content.get("key_conflict"):
        return ""
    stated = content.get("stated_key")
    return stated if stated in KEYS else ""


def _why_no_tempo(sample: Sample) -> str:
    if sample.bpm or sample.status != SampleStatus.READY:
        return ""
    if sample.bpm_source == Source.USER:
        return "You marked it as having no tempo."
    if sample.kind == Kind.ONE_SHOT:
        return "One-shots have no tempo. If this one does, tap or type it."
    return "No steady beat found. If you know the tempo, tap or type it."


def _why_no_key(sample: Sample) -> str:
    if sample.key or sample.status != SampleStatus.READY:
        return ""
    if sample.key_source == Source.USER:
        return "You marked it as having no key."
    return "No clear pitch, as with most drums and noises. Choose a key if you hear one."


def _percent(chance: float) -> str:
    return f"{round(100 * chance)} %"
