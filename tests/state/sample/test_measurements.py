"""Measurements of the analysis, formatted for the page."""

import uuid

import pytest

from sp404_app.models import Analysis, Sample
from sp404_app.state.formatting import format_frequency, format_level, format_short_time
from sp404_app.state.sample.measurements import analysis_facts, cautions_of, facts_of


def test_the_class_and_the_root_note_are_shown() -> None:
    content = {"sound_class": "bass", "class_confidence": 0.834, "root_name": "G1"}
    shown = {fact.name: fact.value for fact in analysis_facts(content) if fact.value}
    assert shown == {"Class": "bass, 83 % sure", "Root note": "G1"}


def test_unknown_results_are_empty() -> None:
    assert {fact.value for fact in analysis_facts({"root_name": None})} == {""}


def test_measurements_have_units() -> None:
    content = {
        "brightness": 2441.0, "noisiness": 0.1234, "attack": 0.0042, "decay": 1.234,
        "true_peak_dbtp": 0.31, "silence_head": 0.2, "silence_tail": 0.45,
    }  # fmt: skip
    sample = Sample(
        user_id=uuid.uuid4(), name="a", filename="a.wav", storage_key="a", size=1, digest="a",
        format="WAV", peak_dbfs=-0.1, kind="one_shot",
    )  # fmt: skip
    heard = Analysis(user_id=sample.user_id, sample_id=sample.id, content=content)
    told = {fact.name: fact.value for fact in facts_of(sample, heard)}
    assert told.items() >= {
        ("Brightness", "2.4 kHz"), ("Noisiness", "12 %"), ("Attack", "4 ms"), ("Decay", "1.23 s"),
        ("Peak", "−0.1 dBFS"), ("True peak", "0.3 dBTP"),
        ("Silence", "200 ms before, 450 ms after"),
    }  # fmt: skip
    sample.kind = "loop"
    assert not {"Attack", "Decay"} & {fact.name for fact in facts_of(sample, heard)}


def test_full_scale_has_no_sign() -> None:
    assert (format_level(-0.0003, "dBFS"), format_level(-0.06, "dBFS")) == ("0.0 dBFS", "−0.1 dBFS")


def test_silence_has_no_brightness_and_very_short_silence_is_not_shown() -> None:
    assert (format_frequency(0.0), format_frequency(None), format_frequency(880.4)) == (
        "",
        "",
        "880 Hz",
    )
    assert (format_short_time(None), format_short_time(0.0), format_short_time(0.002)) == (
        "",
        "under 2 ms",
        "2 ms",
    )
    sample = Sample(
        user_id=uuid.uuid4(), name="a", filename="a", storage_key="a", size=1, digest="a", format=""
    )
    content = {"silence_head": 0.0002, "silence_tail": 0.0}
    heard = Analysis(user_id=sample.user_id, sample_id=sample.id, content=content)
    assert "Silence" not in {fact.name for fact in facts_of(sample, heard)}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({"clipped": True}, "clipped"),
        ({"dc_offset": 0.0201}, "a DC offset of 2.0 %"),
        ({"dual_mono": True}, "Both channels are identical"),
        ({"seam_click": True}, "clicks at the loop point"),
        ({"truncated": True}, "shorter than its header says"),
    ],
)
def test_every_possible_problem_has_a_caution(content: dict[str, object], words: str) -> None:
    (said,) = cautions_of(content)
    assert words in said


def test_good_and_unmeasured_samples_have_no_cautions() -> None:
    well = {"clipped": False, "dc_offset": 0.001, "dual_mono": False, "seam_click": False}
    assert cautions_of(well) == cautions_of({}) == []
