"""The length is counted while decoding, for headers that are wrong or missing."""

import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from sp404_app.audio.features.survey import survey_file
from sp404_app.audio.io import content_hash, decode
from tests.audio import files
from tests.audio.conftest import RATE, Write, sine

Keep = Callable[[str, bytes], Path]


@pytest.fixture
def keep(tmp_path: Path) -> Keep:
    def keeper(name: str, content: bytes) -> Path:
        path = tmp_path / name
        path.write_bytes(content)
        return path

    return keeper


def noise(seconds: float, rate: int = RATE, seed: int = 1) -> np.ndarray:
    frames = round(seconds * rate)
    return np.random.default_rng(seed).normal(0, 0.1, frames).astype(np.float32)


def seconds_of(path: Path) -> float:
    """Return the duration, after checking that all readers of the file agree on it."""
    head, content = content_hash.hash_file(path)
    found = survey_file(path)
    assert (
        found.frames == content.frames == head.frames == sum(map(len, decode.decode_blocks(path)))
    )
    assert found.digest == content.digest
    whole = np.concatenate(list(decode.decode_blocks(path)))
    for start in (0.0, 0.3, head.duration / 2, head.duration - 0.3):
        part, rate = decode.decode_segment(path, start, start + 0.25)
        first = round(start * rate)
        assert np.allclose(part, whole[first : first + len(part)], atol=1e-3)
        assert len(part) >= 0.24 * rate
    assert head.duration == pytest.approx(content.frames / head.sample_rate)
    return head.duration


def test_a_variable_bit_rate_mp3_without_xing_header_has_its_true_length(keep: Keep) -> None:
    signal = np.concatenate([np.zeros(20 * RATE, np.float32), noise(5)])
    whole = files.mp3(signal, bitrate_mode="VARIABLE", compression_level=0.1)
    assert seconds_of(keep("a.mp3", files.without_xing(whole))) == pytest.approx(25, abs=0.1)


@pytest.mark.parametrize("frames", [0, 10, 100_000])
def test_a_wrong_xing_frame_count_is_ignored(keep: Keep, frames: int) -> None:
    path = keep("a.mp3", files.xing_of(files.mp3(noise(4)), frames))
    assert seconds_of(path) == pytest.approx(4, abs=0.1)


@pytest.mark.parametrize("between", [b"", files.id3(files.picture(300)), bytes(50), b"junk " * 99])
def test_concatenated_mp3_files_are_decoded_to_the_end(keep: Keep, between: bytes) -> None:
    path = keep("a.mp3", files.mp3(noise(3)) + between + files.mp3(noise(2, seed=2)))
    assert seconds_of(path) == pytest.approx(5, abs=0.15)


@pytest.mark.parametrize(
    ("rate", "options"),
    [
        (RATE, {"format": "OGG", "subtype": "VORBIS"}),
        (48_000, {"format": "OGG", "subtype": "OPUS"}),
    ],
)
def test_a_chained_ogg_is_decoded_to_the_end(
    keep: Keep, rate: int, options: dict[str, str]
) -> None:
    first, second = (
        files.packed(sine(hertz, 3.0, rate=rate), rate, **options) for hertz in (440, 880)
    )
    alone, both = keep("a.ogg", first), keep("b.ogg", first + second)
    assert seconds_of(alone) == pytest.approx(3, abs=0.03)
    assert seconds_of(both) == pytest.approx(6, abs=0.06)
    assert digest_of(alone) != digest_of(both)
    frames, found = decode.decode_segment(both, 4.0, 5.0)
    assert found == rate
    spectrum = np.abs(np.fft.rfft(frames[:, 0]))
    assert np.argmax(spectrum) * rate / len(frames) == pytest.approx(880, abs=2)


def digest_of(path: Path) -> str:
    return content_hash.hash_file(path)[1].digest


def crc(page: bytes) -> int:
    """Return the checksum of an Ogg page whose checksum field is zero."""
    found = 0
    for byte in page:
        found ^= byte << 24
        for _ in range(8):
            found = found << 1 ^ (0x04C11DB7 if found & 0x80000000 else 0)
        found &= 0xFFFFFFFF
    return found


def last_page_says(ogg_bytes: bytes, frames: int) -> bytes:
    """Set the frame count in the last page of an Ogg file."""
    at = ogg_bytes.rindex(b"OggS")
    page = ogg_bytes[at : at + 6] + struct.pack("<q", frames) + ogg_bytes[at + 14 :]
    page = page[:22] + bytes(4) + page[26:]
    return ogg_bytes[:at] + page[:22] + struct.pack("<I", crc(page)) + page[26:]


@pytest.mark.parametrize("promised", [1000, 10**9])
def test_a_wrong_count_in_the_last_ogg_page_is_ignored(keep: Keep, promised: int) -> None:
    whole = files.packed(noise(3), RATE, format="OGG", subtype="VORBIS")
    assert last_page_says(whole, 3 * RATE) == whole
    path = keep("a.ogg", last_page_says(whole, promised))
    assert seconds_of(path) == pytest.approx(3, abs=0.06)


def test_a_second_link_is_converted_to_the_format_of_the_first(keep: Keep) -> None:
    first = files.packed(sine(440, 2.0), RATE, format="OGG", subtype="VORBIS")
    stereo = np.stack([sine(880, 3.0, rate=22_050)] * 2, axis=1)
    second = files.packed(stereo, 22_050, format="OGG", subtype="VORBIS")
    path = keep("a.ogg", first + second)
    assert seconds_of(path) == pytest.approx(5, abs=0.1)
    assert decode.probe_header(path).channels == 1


@pytest.mark.parametrize("promised", [0, 1, RATE, 3 * RATE - 1, 10**9, 2**36 - 1])
@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24"])
def test_a_wrong_total_in_a_flac_header_is_ignored(keep: Keep, promised: int, subtype: str) -> None:
    whole = files.packed(noise(3), format="FLAC", subtype=subtype)
    right = keep("a.flac", whole)
    path = keep("b.flac", files.flac_of(whole, promised))
    assert seconds_of(path) == 3
    assert digest_of(path) == digest_of(right)
    assert len(decode.decode_segment(path, 2.5, 9.0)[0]) == RATE / 2


@pytest.mark.parametrize(
    ("subtype", "rate"),
    [
        ("MS_ADPCM", RATE),
        ("IMA_ADPCM", RATE),
        ("GSM610", 8000),
        ("NMS_ADPCM_16", 8000),
        ("NMS_ADPCM_24", 8000),
        ("NMS_ADPCM_32", 8000),
    ],
)
def test_the_padding_of_the_last_block_is_dropped(write: Write, subtype: str, rate: int) -> None:
    frames = 3 * rate + 17
    path = write("a.wav", noise(4, rate)[:frames], rate, subtype=subtype)
    whole = path.read_bytes()
    at = whole.index(b"fact") + 8
    path.write_bytes(whole[:at] + struct.pack("<I", frames) + whole[at + 4 :])
    assert survey_file(path).frames == frames
    assert len(decode.decode_segment(path, 1.0, 2.0)[0]) == rate
    found, _ = decode.decode_segment(path, 1.0, 1.5)
    whole = np.concatenate(list(decode.decode_blocks(path)))
    assert np.array_equal(found, whole[rate : rate + rate // 2])


@pytest.mark.parametrize("counted", [0, 5, RATE, 10**9])
def test_a_fact_chunk_that_drops_more_than_padding_is_ignored(
    write: Write,
    keep: Keep,
    counted: int,
) -> None:
    whole = write("a.wav", noise(3), subtype="MS_ADPCM").read_bytes()
    at = whole.index(b"fact") + 8
    path = keep("b.wav", whole[:at] + struct.pack("<I", counted) + whole[at + 4 :])
    assert seconds_of(path) == pytest.approx(3, abs=0.06)


def test_a_long_estimated_duration_is_not_rejected(keep: Keep) -> None:
    """The bit rate of the first frames gives an estimate of five hours for a few seconds."""
    quiet = files.mp3(
        np.zeros(RATE * 2, np.float32), bitrate_mode="VARIABLE", compression_level=0.9
    )
    loud = files.mp3(noise(3), bitrate_mode="CONSTANT", compression_level=0.0)
    path = keep("a.mp3", files.without_xing(quiet) + loud)
    assert seconds_of(path) == pytest.approx(5, abs=0.2)


def test_a_flac_that_is_too_long_is_rejected_while_decoding(
    keep: Keep,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(decode, "MAX_SECONDS", 2)
    with pytest.raises(decode.BadAudio, match="The limit is 4 hours"):
        content_hash.hash_file(
            keep("a.flac", files.flac_of(files.packed(noise(3), format="FLAC"), RATE))
        )
