"""Rows of the library table: the formatted values of its columns."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from sp404_app.audio.features.musical_keys import camelot
from sp404_app.models import Kind, Sample, SampleStatus, Source
from sp404_app.models.columns import now
from sp404_app.services.library.preview_gain import preview_gain
from sp404_app.services.library.samples import days_in_trash

WINDOW_ROWS = 40  # rows in the page and in state: one screen, and half a screen on either side
CONFIDENT_BPM = 0.6  # confidence (0 to 1) from which a tempo is shown as certain
MAX_NAME = 80  # characters of a name that are sent
MAX_TAGS = 6  # sent of one sample; the list shows those that fit


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the library table."""

    id: str
    name: str
    bpm: str
    sure: bool
    key: str
    camelot: str
    duration: str
    seconds: float
    kind: str
    sound_class: str
    tags: list[str]
    rest: int  # the number of tags that are not given
    favourite: bool
    status: str
    error: str
    wave: str
    gain: float
    joined: bool = False  # a duplicate of the row above


@dataclass(frozen=True, slots=True)
class Window:
    """The loaded rows, the index of the first one, and the number of rows in the whole list.

    `anchor` is the name of the sample that the others are compared with, if the list is sorted by
    likeness, and `is_compared` whether it was analysed. `days_left` says for how many days the
    trash keeps each row; elsewhere it is empty, as it would be sent with every row.
    """

    rows: list[Row]
    start: int = 0
    total: int = 0
    corrected: str = ""
    anchor: str = ""
    is_compared: bool = False
    days_left: list[int] = field(default_factory=list)


def row_of(sample: Sample) -> Row:
    """Return the row of a sample."""
    return Row(
        id=str(sample.id),
        name=sample.name[:MAX_NAME],
        bpm=format_tempo(sample.bpm),
        sure=sample.bpm_source == Source.USER or (sample.bpm_confidence or 0) >= CONFIDENT_BPM,
        key=(sample.key or "").replace(" major", "").replace(" minor", "m"),
        camelot=camelot(sample.key) if sample.key else "",
        duration=format_duration(sample.duration),
        seconds=round(sample.duration or 0, 3),
        kind={Kind.LOOP: "loop", Kind.ONE_SHOT: "one-shot"}.get(Kind(sample.kind), "")
        if sample.kind
        else "",
        sound_class=sample.sound_class or "",
        tags=[tag[:20] for tag in sample.tags[:MAX_TAGS]],
        rest=max(0, len(sample.tags) - MAX_TAGS),
        favourite=sample.favourite,
        status="" if sample.status == SampleStatus.READY else sample.status,
        error=sample.error[:120],
        wave=sample.thumbnail,
        gain=preview_gain(sample.loudness_lufs, sample.peak_dbfs),
    )


def rows_of(samples: Sequence[Sample]) -> list[Row]:
    """Return the rows of samples; duplicates are joined to the row above."""
    groups = [None, *(sample.duplicate_group_id for sample in samples)]
    return [
        replace(
            row_of(sample),
            joined=sample.duplicate_group_id is not None and sample.duplicate_group_id == above,
        )
        for sample, above in zip(samples, groups, strict=False)
    ]


def days_left_of(samples: Sequence[Sample]) -> list[int]:
    """Return for how many days the trash keeps samples; none if they are not there."""
    deleted = [sample.deleted_at for sample in samples if sample.deleted_at]
    return [days_in_trash(each, now()) for each in deleted]


def format_tempo(bpm: float | None) -> str:
    """Write a tempo: "92", "92.5", or nothing if it is unknown."""
    return f"{bpm:.2f}".rstrip("0").rstrip(".") if bpm else ""


def format_duration(seconds: float | None) -> str:
    """Write a duration: "0.35 s", "12.4 s", "3:05"."""
    if seconds is None:
        return ""
    if seconds < 10:
        return f"{seconds:.2f} s"
    return f"{seconds:.1f} s" if seconds < 60 else f"{int(seconds // 60)}:{int(seconds % 60):02}"
