"""Renders: exact samples, order of work, levels, errors."""

import hashlib
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from sp404_app.audio.io import decode
from sp404_app.audio.render import clip, frame_store, resample
from sp404_app.audio.render.edit import InvalidEdit, parse_edit
from sp404_app.audio.render.length import rendered_frames
from sp404_app.errors import BadAudio
from tests.audio import files
from tests.audio.conftest import encode_m4a, growth
from tests.audio.render.conftest import Json, Renders, Result, sixteen_bit, tone

CEILING = 10 ** (-0.1 / 20)


def pcm_of(result: Result) -> npt.NDArray[np.int16]:
    """Return the samples of a render as integers, shape (frames, channels)."""
    return np.frombuffer(result.content[44:], "<i2").reshape(-1, result.rendered.channels)


@pytest.mark.parametrize("channels", [1, 2])
def test_16_bit_audio_at_the_devices_rate_passes_bit_for_bit(
    renders: Renders, channels: int
) -> None:
    signal = sixteen_bit(channels=channels)
    assert np.array_equal(pcm_of(renders.signal(signal)), signal)


@pytest.mark.parametrize(
    ("edit", "expected"),
    [
        ({"trim": [100, 5_000]}, lambda x: x[100:5_000]),
        ({"reverse": True}, lambda x: x[::-1]),
        ({"channels": "left"}, lambda x: x[:, :1]),
        ({"channels": "right"}, lambda x: x[:, 1:]),
        ({"trim": [7, 9_001], "reverse": True, "channels": "left"}, lambda x: x[7:9_001, :1][::-1]),
    ],
)
@pytest.mark.parametrize("loop", [False, True])
def test_edits_that_keep_samples_keep_every_bit(
    renders: Renders, edit: Json, expected: Any, loop: bool
) -> None:
    signal = sixteen_bit()
    assert np.array_equal(pcm_of(renders.signal(signal, edit, loop=loop)), expected(signal))


def test_the_file_is_a_plain_header_and_its_samples(renders: Renders) -> None:
    result = renders.signal(sixteen_bit(2_000))
    head = struct.unpack("<4sI4s4sIHHIIHH4sI", result.content[:44])
    assert head == (
        b"RIFF", 36 + 8_000, b"WAVE", b"fmt ", 16, 1, 2, 48_000, 192_000, 4, 16, b"data", 8_000,
    )  # fmt: skip
    assert result.rendered.size_bytes == len(result.content) == 8_044
    assert result.rendered.sha256 == hashlib.sha256(result.content).hexdigest()


def test_peaks_of_an_exact_render_are_not_held(renders: Renders) -> None:
    result = renders.signal(np.full((2_000, 1), 32_767, np.int16))
    assert pcm_of(result).max() == 32_767
    assert result.rendered.frames_held == 0
    assert result.rendered.peak_dbfs == pytest.approx(0, abs=0.001)


def test_silence_stays_silence_after_a_gain(renders: Renders) -> None:
    signal = np.concatenate([np.zeros((5_000, 2)), sixteen_bit(5_000) / 65_536])
    result = renders.signal(signal, {"gain_db": -7})
    assert not pcm_of(result)[:5_000].any()
    assert pcm_of(result)[5_000:].any()


def test_silence_can_be_normalised(renders: Renders) -> None:
    for wanted in ({"to": "peak", "value": -1}, {"to": "lufs", "value": -14}):
        result = renders.signal(np.zeros((9_000, 2)), {"normalise": wanted, "trim_silence": -60})
        assert not pcm_of(result).any()
        assert result.rendered.frames == 9_000
        assert result.rendered.peak_dbfs is None


def test_a_24_bit_sound_is_dithered_to_a_step_around_its_value(renders: Renders) -> None:
    signal = tone(440)
    samples = renders.signal(signal, subtype="PCM_24").samples[:, 0]
    error = (samples - signal) * 32_768
    assert 1.4 < np.abs(error).max() <= 1.51
    assert error.std() == pytest.approx(np.sqrt(1 / 12 + 1 / 6), rel=0.03)


def test_dither_leaves_no_harmonics(renders: Renders) -> None:
    quiet = tone(1_000, seconds=4, level=0.5 / 32_768)
    samples = renders.signal(quiet, subtype="FLOAT").samples[:, 0]
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    noise = np.median(spectrum)
    bins = np.array([3_000, 5_000, 7_000]) * 4
    assert spectrum[4_000] > 20 * noise
    assert all(spectrum[at - 2 : at + 3].max() < 6 * noise for at in bins)


def test_equal_channels_stay_equal(renders: Renders) -> None:
    both = np.repeat(tone(300)[:, None], 2, axis=1)
    for edit in ({"stretch": 1.3}, {"gain_db": -2}, {"pitch": 2, "fade_out": 0.3}):
        samples = renders.signal(both, edit, source_rate=44_100).samples
        assert samples.shape[1] == 2
        assert np.array_equal(samples[:, 0], samples[:, 1])


def test_more_than_two_channels_become_two(renders: Renders) -> None:
    four = np.stack([tone(300, level=0.2), tone(500, level=0.1)] * 2, axis=1)
    samples = renders.signal(four).samples
    assert np.abs(samples - four[:, :2]).max() < 2 / 32_768


def test_mono_is_the_mean_of_the_channels(renders: Renders) -> None:
    signal = sixteen_bit() // 2
    samples = renders.signal(signal, {"channels": "mono"}).samples[:, 0]
    assert np.abs(samples * 32_768 - signal.mean(axis=1)).max() <= 1.5


def test_silence_is_trimmed_at_both_ends_only(renders: Renders) -> None:
    loud = np.full(3_000, 0.5)
    quiet = np.full(2_000, 10 ** (-61 / 20))
    signal = np.concatenate([quiet, loud, quiet, loud, quiet])
    samples = renders.signal(signal, {"trim_silence": -60}).samples
    assert len(samples) == 8_000
    assert samples[0, 0] == samples[-1, 0] == 0.5


def test_silence_is_trimmed_after_the_trim(renders: Renders) -> None:
    signal = np.concatenate([np.full(2_000, 0.5), np.zeros(2_000), np.full(4_000, 0.5)])
    samples = renders.signal(signal, {"trim": [2_500, 7_000], "trim_silence": -60}).samples
    assert len(samples) == 3_000


def test_fades_are_linear_in_seconds_of_the_result(renders: Renders) -> None:
    samples = renders.signal(
        np.full(48_000, 0.5),
        {"stretch": 0.5, "resample_trick": -12, "fade_in": 0.25, "fade_out": 0.5},
    ).samples[:, 0]
    flat = renders.signal(np.full(48_000, 0.5), {"stretch": 0.5, "resample_trick": -12}).samples[
        :, 0
    ]
    expected = np.minimum(
        np.minimum(np.arange(48_000) / 12_000, np.arange(48_000)[::-1] / 24_000), 1
    )
    assert np.abs(samples - flat * expected).max() < 3 / 32_768
    assert samples[0] == samples[-1] == 0


def test_a_fade_comes_after_reverse_and_before_normalise(renders: Renders) -> None:
    ramp = np.linspace(0.01, 0.5, 48_000)
    edit = {"reverse": True, "fade_in": 1, "normalise": {"to": "peak", "value": -6}}
    samples = renders.signal(ramp, edit, subtype="FLOAT").samples[:, 0]
    shape = ramp[::-1] * np.arange(48_000) / 48_000
    assert np.abs(samples - shape * 10 ** (-6 / 20) / shape.max()).max() < 3 / 32_768


@pytest.mark.parametrize("edit", [{"stretch": 1.3}, {"pitch": -5}, {}, {"resample_trick": 4}])
def test_a_normalised_peak_is_that_of_the_result(renders: Renders, edit: Json) -> None:
    signal = np.sign(tone(90)) * 0.9
    edit = {**edit, "normalise": {"to": "peak", "value": -3}}
    result = renders.signal(signal, edit, source_rate=44_100)
    assert result.rendered.peak_dbfs == pytest.approx(-3, abs=0.001)
    assert np.abs(result.samples).max() == pytest.approx(10 ** (-3 / 20), abs=2 / 32_768)
    assert result.rendered.frames_held == 0


def test_a_peak_of_0_dbfs_is_normalised_to_the_ceiling(renders: Renders) -> None:
    result = renders.signal(tone(440), {"normalise": {"to": "peak", "value": 0}})
    assert result.rendered.peak_dbfs == pytest.approx(-0.1, abs=0.001)
    assert result.rendered.frames_held == 0


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("edit", [{}, {"stretch": 1.2}, {"fade_out": 1.5}, {"gain_db": 0}])
def test_a_normalised_loudness_is_that_of_the_result(
    renders: Renders, channels: int, edit: Json
) -> None:
    pyloudnorm = pytest.importorskip("pyloudnorm")
    rng = np.random.default_rng(3)
    signal = rng.normal(0, 0.05, (4 * 44_100, 1)) * np.linspace(0.3, 1, 4 * 44_100)[:, None]
    signal = np.repeat(signal, channels, axis=1)
    edit = {**edit, "normalise": {"to": "lufs", "value": -20}}
    samples = renders.signal(signal, edit, source_rate=44_100, subtype="PCM_24").samples
    assert pyloudnorm.Meter(48_000).integrated_loudness(samples) == pytest.approx(-20, abs=0.1)


def test_a_gain_comes_after_normalise(renders: Renders) -> None:
    edit = {"normalise": {"to": "peak", "value": -12}, "gain_db": 6}
    assert renders.signal(tone(440), edit).rendered.peak_dbfs == pytest.approx(-6, abs=0.001)


def test_peaks_above_the_ceiling_are_held_and_counted(renders: Renders) -> None:
    signal = tone(440, level=0.9)
    result = renders.signal(signal, {"gain_db": 6})
    loud = np.abs(np.rint(signal * 32_768) / 32_768 * 10 ** (6 / 20))
    assert result.rendered.frames_held == np.count_nonzero(loud > CEILING)
    assert np.abs(pcm_of(result)).max() == int(CEILING * 32_768)
    assert result.rendered.peak_dbfs == pytest.approx(20 * np.log10(loud.max()), abs=0.01)


def test_a_short_sound_is_padded_with_silence(renders: Renders) -> None:
    signal = sixteen_bit(300)
    result = renders.signal(signal)
    assert result.rendered.frames == 1_000
    assert np.array_equal(pcm_of(result)[:300], signal)
    assert not pcm_of(result)[300:].any()
    assert renders.signal(signal, rate=44_100, source_rate=44_100).rendered.frames == 4_411


@pytest.mark.parametrize("rate", [44_100, 48_000])
@pytest.mark.parametrize("source_rate", [8_000, 22_050, 44_100, 48_000, 96_000])
@pytest.mark.parametrize(
    "edit", [{}, {"stretch": 0.7}, {"pitch": 5.3}, {"resample_trick": -3}, {"trim": [11, 7_654]}]
)
@pytest.mark.parametrize("loop", [False, True])
def test_the_length_is_the_announced_one(
    renders: Renders, rate: int, source_rate: int, edit: Json, loop: bool
) -> None:
    signal = tone(300, level=0.2)[:9_999]
    result = renders.signal(signal, edit, rate, source_rate, loop=loop)
    expected = rendered_frames(parse_edit(edit), 9_999, source_rate, rate)
    assert result.rendered.frames == len(result.samples) == expected


@pytest.mark.parametrize("frames", [1, 2, 3, 63, 1_000])
@pytest.mark.parametrize("loop", [False, True])
@pytest.mark.parametrize(
    "edit", [{}, {"stretch": 4}, {"stretch": 0.25}, {"pitch": 24}, {"pitch": -24}]
)
def test_the_shortest_sounds_are_rendered(
    renders: Renders, frames: int, loop: bool, edit: Json
) -> None:
    edit = {**edit, "fade_in": 1, "fade_out": 1, "normalise": {"to": "lufs", "value": -20}}
    signal = sixteen_bit(frames) / 65_536
    assert renders.signal(signal, edit, source_rate=44_100, loop=loop).rendered.frames >= 1_000


@pytest.mark.parametrize("source_rate", [8, 1_000, 384_000])
@pytest.mark.parametrize("edit", [{}, {"pitch": 1}])
@pytest.mark.parametrize("loop", [False, True])
def test_sounds_with_any_accepted_rate_are_rendered(
    renders: Renders, source_rate: int, edit: Json, loop: bool
) -> None:
    result = renders.signal(sixteen_bit(20), edit, source_rate=source_rate, loop=loop)
    assert result.rendered.frames == max(1_000, round(20 * 48_000 / source_rate))


@pytest.mark.parametrize(
    "edit",
    [
        {"gain_db": -3},
        {"stretch": 1.1, "normalise": {"to": "lufs", "value": -16}},
        {"pitch": -2, "reverse": True, "fade_out": 0.2},
    ],
)
@pytest.mark.parametrize("loop", [False, True])
def test_bytes_depend_neither_on_decoded_blocks_nor_on_memory(
    renders: Renders, monkeypatch: pytest.MonkeyPatch, edit: Json, loop: bool
) -> None:
    source = renders.write(sixteen_bit(90_000) / 40_000, 44_100, "PCM_24")
    expected = renders.file(source, edit, loop=loop).content
    blocks = decode.sndfile.sndfile_blocks

    def small_blocks(sound: Any) -> Iterator[Any]:
        for block in blocks(sound):
            yield from (block[at : at + 777] for at in range(0, len(block), 777))

    monkeypatch.setattr(decode.sndfile, "sndfile_blocks", small_blocks)
    monkeypatch.setattr(frame_store, "MEMORY_BYTES", 100_000)
    assert renders.file(source, edit, loop=loop).content == expected


@pytest.mark.parametrize("loop", [False, True])
def test_bytes_do_not_depend_on_the_blocks_of_the_resampler(
    renders: Renders, monkeypatch: pytest.MonkeyPatch, loop: bool
) -> None:
    source = renders.write(sixteen_bit(90_000) / 40_000, 44_100)
    edit = {"fade_in": 1, "fade_out": 1}
    expected = renders.file(source, edit, loop=loop).content
    monkeypatch.setattr(resample, "BLOCK_FRAMES", 5_003)
    assert renders.file(source, edit, loop=loop).content == expected


@pytest.mark.parametrize("frames", [100, 5_000])
def test_a_store_is_read_up_to_its_end(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, frames: int
) -> None:
    monkeypatch.setattr(frame_store, "MEMORY_BYTES", 8_000)
    signal = sixteen_bit(frames).astype(np.float32)
    with frame_store.FrameStore(2, tmp_path) as store:
        for at in range(0, frames, 70):
            store.append(signal[at : at + 70])
        store.replace_tail(-signal[-30:])
        assert np.array_equal(store.read(0, frames - 30), signal[:-30])
        assert np.array_equal(store.read(frames - 30, 99), -signal[-30:])
        assert store.read(frames, 10).shape == (0, 2)
    assert not list(tmp_path.iterdir())


def test_only_the_seed_changes_the_dither(renders: Renders) -> None:
    source = renders.write(tone(440), subtype="PCM_24")
    first, again = (renders.file(source).content for _ in range(2))
    other = renders.file(source, seed=b"another").content
    assert first == again
    assert other != first


def test_other_formats_are_rendered_as_they_decode(renders: Renders) -> None:
    signal = np.repeat(tone(440)[:, None], 2, axis=1).astype(np.float32)
    lossless = encode_m4a(renders.folder / "a.m4a", signal, "alac", rate=48_000)
    assert np.array_equal(pcm_of(renders.file(lossless)), (signal * 32_767).astype(np.int16))
    lossy = renders.folder / "a.mp3"
    lossy.write_bytes(files.mp3(signal, rate=48_000))
    decoded = np.concatenate(list(decode.decode_blocks(lossy)))
    result = renders.file(lossy)
    assert np.abs(result.samples - decoded).max() < 2 / 32_768


def test_a_truncated_file_renders_what_can_be_decoded(renders: Renders) -> None:
    source = renders.write(sixteen_bit(48_000))
    source.write_bytes(source.read_bytes()[: 44 + 4 * 10_000])
    assert renders.file(source).rendered.frames == 10_000


@pytest.mark.parametrize("content", [b"", b"not audio" * 99, b"RIFF\xff\xff\xff\xffWAVEfmt "])
def test_what_is_no_audio_is_the_decoders_error(renders: Renders, content: bytes) -> None:
    source = renders.folder / "source.wav"
    source.write_bytes(content)
    with pytest.raises(BadAudio):
        renders.file(source)
    assert not (renders.folder / "render.wav").exists()


def test_a_file_with_infinite_values_is_rendered(renders: Renders) -> None:
    signal = tone(440)
    signal[1_000:1_010], signal[2_000], signal[3_000] = np.nan, np.inf, 1e30
    result = renders.signal(signal, {"normalise": {"to": "peak", "value": -1}}, subtype="FLOAT")
    assert np.isfinite(result.samples).all()
    assert result.rendered.peak_dbfs == pytest.approx(-1, abs=0.001)


def test_a_trim_behind_the_end_names_the_trim(renders: Renders) -> None:
    with pytest.raises(InvalidEdit) as caught:
        renders.signal(sixteen_bit(2_000), {"trim": [2_000, 3_000]})
    assert caught.value.field == "trim"


def test_a_trim_over_the_end_is_clamped(renders: Renders) -> None:
    signal = sixteen_bit(3_000)
    assert np.array_equal(pcm_of(renders.signal(signal, {"trim": [1_000, 9_000]})), signal[1_000:])


def test_a_trim_stops_the_decoder(renders: Renders, monkeypatch: pytest.MonkeyPatch) -> None:
    source = renders.write(sixteen_bit(3 * 65_536))
    blocks = decode.sndfile.sndfile_blocks

    def broken_later(sound: Any) -> Iterator[Any]:
        yield next(blocks(sound))
        raise AssertionError

    monkeypatch.setattr(decode.sndfile, "sndfile_blocks", broken_later)
    assert renders.file(source, {"trim": [0, 60_000]}).rendered.frames == 60_000


@pytest.mark.parametrize("edit", [{}, {"stretch": 2}, {"resample_trick": -12}])
def test_a_sound_that_becomes_too_long_is_refused(
    renders: Renders, monkeypatch: pytest.MonkeyPatch, edit: Json
) -> None:
    monkeypatch.setattr(clip, "MAX_RENDER_S", 1)
    with pytest.raises(InvalidEdit, match="too long"):
        renders.signal(tone(440, seconds=1.5), edit)
    assert not list(renders.folder.glob("render*"))


def test_progress_rises_to_1_and_can_stop_a_render(renders: Renders) -> None:
    seen: list[float] = []
    edit = {"stretch": 1.5, "normalise": {"to": "peak", "value": -1}}
    renders.signal(tone(440, seconds=3), edit, progress=seen.append)
    assert seen == sorted(seen)
    assert seen[-1] == pytest.approx(1)

    def stop(share: float) -> None:
        if share > 0.4:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        renders.signal(tone(440, seconds=3), edit, progress=stop)
    assert not (renders.folder / "render.wav").exists()


WORK = """
import numpy as np, soundfile
from pathlib import Path
from sp404_app.audio.render.edit import parse_edit
from sp404_app.audio.render.render import render
folder = Path(sys.argv[1])
def go(name, edit):
    render(folder / name, parse_edit(edit), rate=48_000, loop=True, seed=b"", target=folder / "o")
EDIT = {"reverse": True, "normalise": {"to": "lufs", "value": -14}, "fade_out": 2, "stretch": 0.8}
go("short.wav", EDIT)
"""


def test_a_long_sound_needs_little_memory(renders: Renders) -> None:
    for name, seconds in (("short", 1), ("long", 180)):
        renders.write(sixteen_bit(44_100 * seconds), 44_100).rename(renders.folder / f"{name}.wav")
    assert growth(WORK, 'go("long.wav", EDIT)', renders.folder) < 40 << 20
