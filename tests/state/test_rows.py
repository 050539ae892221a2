"""Rows of the library table."""

import datetime as dt
import json
import uuid
from dataclasses import asdict

import pytest

from sp404_app.models import Sample
from sp404_app.models.columns import now
from sp404_app.services.library.preview_gain import preview_gain
from sp404_app.state import rows


def sample(**fields: object) -> Sample:
    known: dict[str, object] = {
        "user_id": uuid.uuid4(), "name": "Kick", "filename": "Kick.wav", "storage_key": "k",
        "size": 1, "digest": "d", "format": "WAV", "thumbnail": "A" * 48,
    }  # fmt: skip
    return Sample(**known | fields)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("bpm", "shown"), [(None, ""), (0, ""), (92.0, "92"), (92.5, "92.5"), (92.504, "92.5")]
)
def test_a_tempo_is_written_without_trailing_zeros(bpm: float | None, shown: str) -> None:
    assert rows.format_tempo(bpm) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(None, ""), (0, "0.00 s"), (0.354, "0.35 s"), (12.36, "12.4 s"), (185.9, "3:05")],
)
def test_a_duration_is_written_in_seconds_or_minutes(seconds: float | None, shown: str) -> None:
    assert rows.format_duration(seconds) == shown


@pytest.mark.parametrize(
    ("loudness", "peak", "gain"),
    [
        (None, None, 0.0),
        (-18.0, -6.0, 0.0),
        (-60.0, -40.0, 12.0),
        (-25.0, -1.0, 0.5),
        (0.0, 0.0, -12.0),
    ],
)
def test_the_preview_gain_reaches_the_target_loudness_and_never_clips(
    loudness: float | None, peak: float | None, gain: float
) -> None:
    assert preview_gain(loudness, peak) == gain


def test_a_row_has_no_private_fields_and_bounded_texts() -> None:
    long = sample(name="x" * 200, error="e" * 900, tags=["t" * 60] * 30, note="n" * 4000)
    shown = asdict(rows.row_of(long))
    assert not {"storage_key", "user_id", "digest", "note"} & shown.keys()
    assert len(json.dumps(shown)) < 800


def test_a_row_without_measurements_has_empty_texts() -> None:
    row = rows.row_of(sample())
    assert (row.bpm, row.key, row.duration, row.kind, row.camelot) == ("", "", "", "", "")
    assert row.status == "queued"
    assert rows.row_of(sample(status="ready", key="F# minor", kind="loop")).key == "F#m"


def test_a_window_of_rows_is_at_most_16_kb_of_json() -> None:
    full = sample(
        name="Dusty vinyl break number 90", tags=["dusty", "vinyl", "drums"], bpm=92.5,
        key="F# minor", kind="loop", duration=4.2, status="ready", loudness_lufs=-12.0,
    )  # fmt: skip
    shown = [asdict(row) for row in rows.rows_of([full] * rows.WINDOW_ROWS)]
    assert len(json.dumps(shown)) <= 16_384


def test_only_the_rows_of_the_trash_have_days_left() -> None:
    assert rows.days_left_of([sample(), sample()]) == []
    assert rows.days_left_of([sample(deleted_at=now() - dt.timedelta(days=29.5))]) == [1]


def test_a_row_has_the_first_tags_and_the_number_of_the_others() -> None:
    tags = [f"tag {number}" for number in range(9)]
    row = rows.row_of(sample(tags=tags, sound_class="kick", kind="one_shot"))
    assert (row.tags, row.rest) == (tags[:6], 3)
    assert (row.sound_class, row.kind) == ("kick", "one-shot")
    assert rows.row_of(sample(tags=tags[:2])).rest == 0
