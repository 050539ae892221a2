"""Sounds written again as WAV and FLAC: same samples, same rate, same bytes every time."""

import struct
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import soundfile

from sp404_app.audio.render import wav_writer
from sp404_app.audio.render.encode import encode_flac, encode_wav, kept_depth
from sp404_app.audio.render.wav_writer import Depth, WavWriter
from sp404_app.errors import ValidationFailed
from tests.sounds import good_files, tone, write

SEED = b"seed"


def ignore(_share: float) -> None:
    """Take a progress report."""


def noise(frames: int = 5_000, channels: int = 2) -> npt.NDArray[np.float64]:
    return np.random.default_rng(3).uniform(-0.9, 0.9, (frames, channels))


@pytest.mark.parametrize(
    ("ending", "options", "subtype"),
    [
        ("wav", {"subtype": "PCM_U8"}, "PCM_16"),
        ("wav", {"subtype": "PCM_16"}, "PCM_16"),
        ("wav", {"subtype": "ULAW"}, "PCM_16"),
        ("wav", {"subtype": "PCM_24"}, "PCM_24"),
        ("aiff", {"subtype": "PCM_24"}, "PCM_24"),
        ("flac", {"subtype": "PCM_16"}, "PCM_16"),
        ("flac", {"subtype": "PCM_24"}, "PCM_24"),
        ("wav", {"subtype": "FLOAT"}, "FLOAT"),
    ],
)
def test_a_wav_has_the_samples_rate_and_depth_of_the_sound(
    tmp_path: Path, ending: str, options: dict[str, str], subtype: str
) -> None:
    source = write(tmp_path / f"source.{ending}", noise(), 37_800, **options)
    encode_wav(source, tmp_path / "out.wav", SEED, ignore)
    info = soundfile.info(tmp_path / "out.wav")
    assert (info.format, info.subtype, info.samplerate) == ("WAV", subtype, 37_800)
    made, _ = soundfile.read(tmp_path / "out.wav", dtype="float64")
    meant, _ = soundfile.read(source, dtype="float64")
    assert np.array_equal(made, meant)


@pytest.mark.parametrize(
    ("options", "subtype", "error"),
    [
        ({"subtype": "PCM_16"}, "PCM_16", 0),
        ({"subtype": "PCM_24"}, "PCM_24", 0),
        ({"subtype": "FLOAT"}, "PCM_24", 2**-24),
    ],
)
def test_a_flac_has_the_samples_of_the_sound_in_at_most_24_bits(
    tmp_path: Path, options: dict[str, str], subtype: str, error: float
) -> None:
    source = write(tmp_path / "source.wav", noise(), 44_100, **options)
    encode_flac(source, tmp_path / "out.flac", SEED, ignore)
    info = soundfile.info(tmp_path / "out.flac")
    assert (info.format, info.subtype, info.samplerate) == ("FLAC", subtype, 44_100)
    made, _ = soundfile.read(tmp_path / "out.flac", dtype="float64")
    meant, _ = soundfile.read(source, dtype="float64")
    assert np.abs(made - meant).max() <= error
    assert {path.name for path in tmp_path.iterdir()} == {"source.wav", "out.flac"}


def test_peaks_above_full_scale_are_held_where_the_format_is_whole_numbers(tmp_path: Path) -> None:
    source = write(tmp_path / "loud.wav", np.array([2.0, -2.0, 0.5]), 8_000, subtype="FLOAT")
    encode_flac(source, tmp_path / "out.flac", SEED, ignore)
    encode_wav(source, tmp_path / "out.wav", SEED, ignore)
    whole, _ = soundfile.read(tmp_path / "out.flac", dtype="int32")
    assert list(np.asarray(whole, np.int32) >> 8) == [2**23 - 1, -(2**23), 2**22]
    assert list(soundfile.read(tmp_path / "out.wav")[0]) == [2.0, -2.0, 0.5]


def test_a_lossy_sound_becomes_16_bits_with_dither_from_the_seed(tmp_path: Path) -> None:
    quiet = np.full(20_000, 0.3 / 32_768)
    source = write(tmp_path / "quiet.ogg", quiet + 0.2 * tone(440, 20_000 / 22_050))
    made = {}
    for seed in (b"a", b"a again", b"b"):
        encode_wav(source, tmp_path / "out.wav", seed[:1], ignore)
        made[seed] = (tmp_path / "out.wav").read_bytes()
    assert made[b"a"] == made[b"a again"] != made[b"b"]
    assert soundfile.info(tmp_path / "out.wav").subtype == "PCM_16"
    heard, _ = soundfile.read(tmp_path / "out.wav")
    meant, _ = soundfile.read(source)
    assert abs(np.mean(heard - meant)) < 0.1 / 32_768
    assert np.abs(heard - meant).max() <= 1.6 / 32_768


@pytest.mark.parametrize("encode", [encode_wav, encode_flac])
def test_every_kind_of_sound_is_written_the_same_twice(tmp_path: Path, encode: Any) -> None:
    for kind, path in good_files(tmp_path).items():
        if encode is encode_flac and kind == "infinite":
            continue
        contents = []
        for name in ("first", "second"):
            encode(path, tmp_path / f"{name}.out", SEED, ignore)
            contents.append((tmp_path / f"{name}.out").read_bytes())
        assert contents[0] == contents[1], kind
        made, rate = soundfile.read(tmp_path / "first.out", dtype="float32")
        assert len(made), kind
        assert rate == soundfile.info(tmp_path / "first.out").samplerate


def test_the_header_of_24_bits_says_format_1_and_an_odd_length_is_padded(tmp_path: Path) -> None:
    with WavWriter(tmp_path / "out.wav", 1, 44_100, Depth.INT24) as writer:
        writer.feed(np.array([[0.5]], np.float32))
    fmt = struct.pack("<IHHIIHH", 16, 1, 1, 44_100, 132_300, 3, 24)
    expected = b"RIFF" + struct.pack("<I", 40) + b"WAVEfmt " + fmt
    expected += b"data" + struct.pack("<I", 3) + bytes([0, 0, 0x40]) + b"\0"
    assert (tmp_path / "out.wav").read_bytes() == expected


def test_the_header_of_floats_counts_the_frames(tmp_path: Path) -> None:
    with WavWriter(tmp_path / "out.wav", 2, 48_000, Depth.FLOAT32) as writer:
        writer.feed(np.array([[1.5, -0.25]], np.float32))
    fmt = struct.pack("<IHHIIHHH", 18, 3, 2, 48_000, 384_000, 8, 32, 0)
    expected = b"RIFF" + struct.pack("<I", 58) + b"WAVEfmt " + fmt
    expected += b"fact" + struct.pack("<II", 4, 1) + b"data" + struct.pack("<I", 8)
    assert (tmp_path / "out.wav").read_bytes() == expected + struct.pack("<ff", 1.5, -0.25)


def test_the_header_of_16_bits_has_44_bytes(tmp_path: Path) -> None:
    with WavWriter(tmp_path / "out.wav", 1, 8_000, Depth.INT16) as writer:
        writer.feed(np.array([[-1.0], [1.0]], np.float32))
    fmt = struct.pack("<IHHIIHH", 16, 1, 1, 8_000, 16_000, 2, 16)
    expected = b"RIFF" + struct.pack("<I", 40) + b"WAVEfmt " + fmt
    expected += b"data" + struct.pack("<I", 4) + struct.pack("<hh", -32_768, 32_767)
    assert (tmp_path / "out.wav").read_bytes() == expected


@pytest.mark.parametrize("encode", [encode_wav, encode_flac])
def test_a_sound_that_does_not_fit_into_a_wav_is_refused(
    tmp_path: Path, encode: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wav_writer, "MAX_FILE_BYTES", 2_000)
    source = write(tmp_path / "long.wav", tone(), subtype="PCM_16")
    with pytest.raises(ValidationFailed, match="4 GB"):
        encode(source, tmp_path / "out", SEED, ignore)


def test_more_than_eight_channels_are_refused_for_flac_only(tmp_path: Path) -> None:
    source = write(tmp_path / "wide.wav", noise(channels=9), subtype="PCM_24")
    with pytest.raises(ValidationFailed, match="Choose WAV"):
        encode_flac(source, tmp_path / "out.flac", SEED, ignore)
    encode_wav(source, tmp_path / "out.wav", SEED, ignore)
    assert soundfile.info(tmp_path / "out.wav").channels == 9


def test_progress_rises_to_one_and_can_stop_the_work(tmp_path: Path) -> None:
    source = write(tmp_path / "long.wav", noise(400_000), subtype="PCM_24")
    shares: list[float] = []
    encode_flac(source, tmp_path / "out.flac", SEED, shares.append)
    assert shares == sorted(shares)
    assert shares[-1] == 1.0

    def stop(_share: float) -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        encode_wav(source, tmp_path / "out.wav", SEED, stop)


def test_the_depth_of_a_flac_is_that_of_its_samples(tmp_path: Path) -> None:
    whole = write(tmp_path / "16.flac", tone(), subtype="PCM_16")
    fine = write(tmp_path / "24.flac", tone(), subtype="PCM_24")
    lossy = write(tmp_path / "lossy.ogg", tone())
    assert [kept_depth(path) for path in (whole, fine, lossy)] == [16, 24, None]
