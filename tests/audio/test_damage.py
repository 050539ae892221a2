"""Damaged files are decoded or rejected with a message, by every decoder."""

import os
from pathlib import Path

import numpy as np
import pytest
import soundfile
from av.error import FFmpegError, InvalidDataError

from sp404_app.audio.features.file_tags import read_file_tags
from sp404_app.audio.io import content_hash, decode, ffmpeg, sndfile
from sp404_app.errors import BadAudio
from tests.audio import files
from tests.audio.conftest import encode_m4a, sine

RATE = 8000
TONE = sine(440, 0.6, rate=RATE)
STEREO = np.stack([TONE, TONE], axis=1)
TIMES = int(os.environ.get("SP404_FUZZ_ROUNDS", "20"))  # `make fuzz` sets more
CONTAINERS = ("WAV", "WAVEX", "RF64", "W64", "AIFF", "CAF", "AU", "FLAC", "OGG", "MP3")
KINDS = [
    (container, subtype)
    for container in CONTAINERS
    for subtype in soundfile.available_subtypes(container)
    if soundfile.check_format(container, subtype)
]


def writable(container: str, subtype: str) -> bytes | None:
    try:
        return files.packed(TONE, RATE, format=container, subtype=subtype)
    except soundfile.LibsndfileError:
        return None  # not available for one channel or this rate


def read_all(path: Path) -> float:
    """Read a file with every reader; return its duration in seconds."""
    read_file_tags(path)
    head, content = content_hash.hash_file(path)
    assert head.format
    decode.decode_segment(path, 0.1, 0.2)
    return content.frames / head.sample_rate


def read_or_reject(path: Path) -> tuple[float, str]:
    """Return the duration of a file, or why it is rejected."""
    try:
        return read_all(path), ""
    except BadAudio as message:
        return 0, str(message)


@pytest.mark.parametrize(("container", "subtype"), KINDS)
def test_every_codec_is_decoded_or_rejected_with_a_message(
    tmp_path: Path, container: str, subtype: str
) -> None:
    content = writable(container, subtype)
    if content is None:
        pytest.skip("libsndfile does not write it")
    path = tmp_path / "x"
    path.write_bytes(content)
    seconds, message = read_or_reject(path)
    assert seconds == pytest.approx(0.6, abs=0.2) or "damaged" in message


def damaged(content: bytes, rng: np.random.Generator) -> bytes:
    """Truncate a file, or change some of its bytes, mostly in its header."""
    if rng.random() < 0.25:
        return content[: rng.integers(1, len(content))]
    bytes_ = bytearray(content)
    reach = min(len(bytes_), 200 if rng.random() < 0.7 else len(bytes_))
    for at in rng.integers(0, reach, rng.integers(1, 12)):
        bytes_[at] = rng.choice([0, 1, 127, 128, 255, int(rng.integers(256))])
    return bytes(bytes_)


@pytest.mark.parametrize(("container", "subtype"), KINDS)
def test_damaged_files_are_decoded_or_rejected_with_a_message(
    tmp_path: Path, container: str, subtype: str
) -> None:
    content = writable(container, subtype)
    if content is None:
        pytest.skip("libsndfile does not write it")
    check_damaged_versions(tmp_path / "x", content, seed=KINDS.index((container, subtype)))


@pytest.mark.parametrize(
    ("codec", "container"),
    [("aac", "ipod"), ("alac", "ipod"), ("aac", "adts"), ("libopus", "webm")],
)
def test_damaged_files_for_ffmpeg_are_decoded_or_rejected_with_a_message(
    tmp_path: Path, codec: str, container: str
) -> None:
    rate = 48_000
    stereo = np.stack([sine(440, 0.5, rate=rate)] * 2, axis=1)
    content = encode_m4a(tmp_path / "a", stereo, codec, container, rate).read_bytes()
    check_damaged_versions(tmp_path / "x", content, seed=99)


def check_damaged_versions(path: Path, content: bytes, seed: int, times: int = TIMES) -> None:
    """Read damaged versions of a file; only audio and `BadAudio` pass the test."""
    rng = np.random.default_rng(seed)
    for _ in range(times):
        path.write_bytes(damaged(content, rng))
        _, message = read_or_reject(path)
        assert message in ("", message.rstrip(".") + ".")


ERRORS = [
    soundfile.LibsndfileError(40),
    soundfile.SoundFileError("x"),
    FFmpegError(1, "x"),
    InvalidDataError(1, "x"),
    RuntimeError(),
    ValueError(),
    TypeError(),
    ZeroDivisionError(),
    MemoryError(),
    KeyError(),
    OSError(22, "x"),
]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("container", ["WAV", "FLAC"])
def test_decoder_exceptions_while_reading_become_bad_audio(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, container: str, error: Exception
) -> None:
    def raises(*_: object, **__: object) -> None:
        raise error

    path = tmp_path / "x"
    path.write_bytes(files.packed(TONE, RATE, format=container))
    monkeypatch.setattr(sndfile, "read_block", raises)
    monkeypatch.setattr(sndfile, "sndfile_segment", raises)
    monkeypatch.setattr(ffmpeg, "scale_frame", raises)
    monkeypatch.setattr(ffmpeg, "slice_by_time", raises)
    with pytest.raises(BadAudio, match="This file is damaged"):
        content_hash.hash_file(path)
    with pytest.raises(BadAudio, match="This file is damaged"):
        decode.decode_segment(path, 0.1, 0.2)


@pytest.mark.parametrize("error", [soundfile.LibsndfileError(1), TypeError(), OSError(22, "x")])
def test_decoder_exceptions_on_opening_fall_back_to_ffmpeg(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def raises(*_: object, **__: object) -> None:
        raise error

    path = tmp_path / "x"
    path.write_bytes(files.packed(TONE, RATE, format="WAV", subtype="PCM_16"))
    monkeypatch.setattr(soundfile, "SoundFile", raises)
    assert read_all(path) == pytest.approx(0.6)
