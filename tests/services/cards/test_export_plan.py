"""The plan of an export, of contents that are in no database."""

import uuid
from dataclasses import replace

import pytest

from sp404_app.devices.capabilities import SX
from sp404_app.models import PadSource
from sp404_app.services.cards.export_plan import PlannedPad, plan_export
from tests.services.cards import cards
from tests.services.cards.contents import Library


def plan_recorded(frames: int, header: bytes, rate: int = 44_100) -> PlannedPad:
    """Plan a pad that the SX recorded: an AIFF file with this header."""
    library = Library(SX)
    pad = library.pad(
        seconds=frames / rate,
        rate=rate,
        format="WAV 16-bit",
        source_id=uuid.uuid4(),
        container="aiff",
    )
    source = PadSource(
        id=pad.source_id,  # type: ignore[arg-type]
        user_id=uuid.uuid4(),
        device="sx",
        record=b"",
        audio_header=header,
        sample_id=pad.sample_id,
    )
    content = library.content("sx", A1=pad)
    (planned,) = plan_export(replace(content, sources={source.id: source})).pads
    return planned


@pytest.mark.parametrize("frames", [5_000, 4_000])  # also below 100 ms
def test_a_recorded_aiff_file_is_given_back_as_one(frames: int) -> None:
    planned = plan_recorded(frames, cards.sx_aiff(bytes(4 * frames), 0)[:512])
    assert (planned.format, planned.path[-4:]) == ("sx_aiff", ".AIF")


@pytest.mark.parametrize(
    ("frames", "declared", "rate", "extra"),
    [
        (5_000, 5_001, 44_100, 0),  # another sound
        (5_000, 5_000, 48_000, 0),
        (5_000, 5_000, 44_100, 2),  # bytes after the last frame, which nobody kept
    ],
)
def test_an_aiff_file_whose_audio_changes_becomes_a_wav_file(
    frames: int, declared: int, rate: int, extra: int
) -> None:
    header = bytearray(cards.sx_aiff(bytes(4 * declared), 0)[:512])
    header[503] += extra
    planned = plan_recorded(frames, bytes(header), rate)
    assert (planned.format, planned.path[-4:]) == ("sx_wav", ".WAV")
    assert planned.settings["container"] == "wav"


def test_a_header_that_is_no_aiff_makes_a_wav_file() -> None:
    assert plan_recorded(5_000, b"FORM").format == "sx_wav"
