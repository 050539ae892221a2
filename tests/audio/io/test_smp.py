"""Samples of a SP-404MKII decode to their PCM, and are known by their content."""

import contextlib
from pathlib import Path

import numpy as np
import pytest
import soundfile

from sp404_app.audio.io import content_hash, decode
from sp404_app.audio.io.header import playable_in_browsers
from sp404_app.audio.render.edit import NO_EDIT
from sp404_app.audio.render.render import render
from sp404_app.errors import BadAudio
from tests.services.cards.cards import pcm, smp, sx_aiff, sx_wave

FRAMES = 3_000


@pytest.mark.parametrize("channels", [1, 2])
def test_an_smp_file_has_the_samples_and_the_hash_of_its_wav(tmp_path: Path, channels: int) -> None:
    samples = pcm(4, FRAMES, channels)
    (tmp_path / "pad.dat").write_bytes(smp(samples, channels))
    wave = tmp_path / "pad.wav"
    soundfile.write(wave, np.frombuffer(samples, "<i2").reshape(-1, channels), 48_000)
    header, hashed = content_hash.hash_file(tmp_path / "pad.dat")
    assert (header.frames, header.channels, header.sample_rate) == (FRAMES, channels, 48_000)
    assert header.format == "SMP 16-bit"
    assert hashed == content_hash.hash_file(wave)[1]
    assert not playable_in_browsers(header)


def test_an_smp_file_has_segments_previews_and_renders(tmp_path: Path) -> None:
    samples = pcm(5, 48_000)
    path = tmp_path / "BANK1-01.SMP"
    path.write_bytes(smp(samples))
    expected = np.frombuffer(samples, "<i2").reshape(-1, 2)
    part, rate = decode.decode_segment(path, 0.5, 0.75)
    assert rate == 48_000
    assert np.array_equal(np.rint(part * 32_768), expected[24_000:36_000])
    decode.encode_preview(path, tmp_path / "preview.ogg")
    assert soundfile.info(tmp_path / "preview.ogg").frames > 40_000
    made = render(path, NO_EDIT, rate=48_000, loop=False, seed=b"x", target=tmp_path / "out.wav")
    assert made.frames == 48_000
    assert (tmp_path / "out.wav").read_bytes()[44:] == samples


@pytest.mark.parametrize("make", [sx_wave, sx_aiff])
def test_files_of_a_sp_404sx_decode_to_their_pcm(tmp_path: Path, make: object) -> None:
    samples = pcm(6, FRAMES)
    path = tmp_path / "A0000001.dat"
    path.write_bytes(make(samples, 0))  # type: ignore[operator]
    blocks = np.concatenate(list(decode.decode_blocks(path)))
    assert np.array_equal(np.rint(blocks * 32_768), np.frombuffer(samples, "<i2").reshape(-1, 2))


def test_a_file_that_is_cut_off_ends_at_its_last_whole_frame(tmp_path: Path) -> None:
    path = tmp_path / "cut.smp"
    path.write_bytes(smp(pcm(7, FRAMES))[:-1_001])
    assert content_hash.hash_file(path)[0].frames == FRAMES - 251


@pytest.mark.parametrize(
    ("at", "byte"), [(0x0F, 3), (0x0F, 0), (0x13, 24), (0x0A, 0xFF), (0x07, 0)]
)
def test_odd_headers_are_refused_or_read_without_an_error(
    tmp_path: Path, at: int, byte: int
) -> None:
    content = bytearray(smp(pcm(8, 100)))
    content[at] = byte
    path = tmp_path / "odd.smp"
    path.write_bytes(bytes(content))
    with contextlib.suppress(BadAudio):
        assert content_hash.hash_file(path)[0].frames <= 100


@pytest.mark.parametrize("size", [4, 511, 512])
def test_an_smp_file_without_samples_is_refused(tmp_path: Path, size: int) -> None:
    path = tmp_path / "empty.smp"
    path.write_bytes(smp(pcm(9, 100))[:size])
    with pytest.raises(BadAudio):
        content_hash.hash_file(path)
