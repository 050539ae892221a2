"""Decoding of every supported format by content, and messages for unsupported files."""

from pathlib import Path

import av
import numpy as np
import pytest
import soundfile

from sp404_app.audio.io import content_hash, decode, ffmpeg, header, sndfile, source
from sp404_app.audio.io.header import Header
from sp404_app.errors import BadAudio
from tests.audio.conftest import RATE, Write, encode_m4a, sine


def decoded(path: Path) -> np.ndarray:
    return np.concatenate(list(decode.decode_blocks(path)))


def digest_of(path: Path) -> str:
    return content_hash.hash_file(path)[1].digest


@pytest.mark.parametrize(
    ("name", "options", "shown"),
    [
        ("a.wav", {"subtype": "PCM_U8"}, "WAV 8-bit"),
        ("a.wav", {"subtype": "PCM_16"}, "WAV 16-bit"),
        ("a.wav", {"subtype": "PCM_24"}, "WAV 24-bit"),
        ("a.wav", {"subtype": "PCM_32"}, "WAV 32-bit"),
        ("a.wav", {"subtype": "FLOAT"}, "WAV 32-bit float"),
        ("a.wav", {"subtype": "DOUBLE"}, "WAV 64-bit float"),
        ("a.wav", {"subtype": "ULAW"}, "WAV u-law"),
        ("a.wav", {"subtype": "IMA_ADPCM"}, "WAV IMA ADPCM"),
        ("a.wav", {"format": "WAVEX", "subtype": "PCM_24"}, "WAV 24-bit"),
        ("a.rf64", {"format": "RF64", "subtype": "PCM_16"}, "WAV 16-bit"),
        ("a.aiff", {"subtype": "PCM_16"}, "AIFF 16-bit"),
        ("a.flac", {}, "FLAC"),
        ("a.ogg", {}, "OGG Vorbis"),
        ("a.mp3", {}, "MP3"),
        ("a.caf", {"subtype": "PCM_24"}, "CAF 24-bit"),
    ],
)
def test_every_format_is_identified_and_decoded(
    write: Write, name: str, options: dict[str, str], shown: str
) -> None:
    path = write(name, sine(440, 1.0), **options)
    found = decode.probe_header(path)
    assert found.format == shown
    assert (found.sample_rate, found.channels) == (RATE, 1)
    assert found.duration == pytest.approx(1.0, abs=0.06)
    loudest = np.abs(decoded(path)).max()
    assert loudest == pytest.approx(0.5, abs=0.06)


def test_opus_is_identified(write: Write) -> None:
    path = write("a.opus", sine(440, 1.0, rate=48_000), 48_000, format="OGG", subtype="OPUS")
    assert decode.probe_header(path).format == "Opus"


@pytest.mark.parametrize(
    ("codec", "container", "shown"),
    [("aac", "ipod", "M4A"), ("alac", "ipod", "ALAC"), ("aac", "adts", "AAC")],
)
def test_formats_that_libsndfile_rejects_are_decoded_by_ffmpeg(
    tmp_path: Path, codec: str, container: str, shown: str
) -> None:
    stereo = np.stack([sine(440, 2.0), sine(660, 2.0)], axis=1)
    path = encode_m4a(tmp_path / "x.m4a", stereo, codec, container)
    found = decode.probe_header(path)
    assert (found.format, found.channels, found.sample_rate) == (shown, 2, RATE)
    assert found.duration == pytest.approx(2.0, abs=0.1)  # ADTS has no length: estimated
    sound = decoded(path)
    assert len(sound) == pytest.approx(2 * RATE, abs=3000)
    middle = sound[RATE // 2 : RATE * 3 // 2]  # lossy codecs ring at the ends
    assert np.sqrt(np.mean(middle**2)) == pytest.approx(0.5 / 2**0.5, abs=0.02)


def test_the_file_name_does_not_affect_decoding(write: Write, tmp_path: Path) -> None:
    path = write("song.wav", sine(440, 0.5))
    for name in ("song.raw", "song.mp3", "song", "ü\n<b>.flac", "a" * 250):
        other = tmp_path / name
        other.write_bytes(path.read_bytes())
        assert decode.probe_header(other).format == "WAV 16-bit"


def test_decoded_blocks_concatenate_to_the_exact_samples(write: Write) -> None:
    noise = np.random.default_rng(1).integers(-32768, 32767, (300_000, 2), np.int16)
    path = write("a.wav", noise)
    blocks = list(decode.decode_blocks(path))
    assert len(blocks) > 1
    assert all(block.dtype == np.float32 for block in blocks)
    assert np.array_equal(np.concatenate(blocks), noise.astype(np.float32) / 32768)


def test_the_content_hash_is_equal_in_every_lossless_format(write: Write) -> None:
    noise = np.random.default_rng(1).integers(-32768, 32767, (60_000, 2), np.int16)
    digests = {digest_of(write(f"a.{ext}", noise)) for ext in ("wav", "flac", "aiff")}
    assert len(digests) == 1
    assert digest_of(write("b.wav", noise[:-1])) not in digests
    assert digest_of(write("c.wav", noise, 48_000)) not in digests
    assert digest_of(write("d.wav", noise.reshape(-1))) not in digests


def test_nan_and_infinity_become_0_and_huge_values_are_clipped(write: Write) -> None:
    signal = np.array([0.5, np.nan, np.inf, -np.inf, 1e30, -1e30, 1.5], np.float32)
    sound = decoded(write("a.wav", signal, subtype="FLOAT"))[:, 0]
    assert sound.tolist() == [0.5, 0.0, 0.0, 0.0, decode.HEADROOM, -decode.HEADROOM, 1.5]


@pytest.mark.parametrize(
    ("bytes_", "sentence"),
    [
        (b"", "This file is empty."),
        (bytes(3000), "only zero bytes"),
        (b"hello world\n" * 400, "not a sound file"),
        (np.random.default_rng(0).bytes(40_000), "not a sound file"),
        (b"#EXTM3U\n#EXTINF:10,\nfile:///etc/hostname\n", "not a sound file"),
        (b"RIFF\x24\0\0\0WAVEfmt \x10\0\0\0garbage", "WAV file is damaged"),
        (b"RIFF\x24\0\0\0WAVEfmt \x10\0\0\0\1\0\0\0" + bytes(12), "no channels"),
        (b"fLaC\0\0\0\x22", "FLAC file is damaged"),
        (b"\0\0\0\x20ftypM4A " + bytes(100), "M4A file is damaged"),
        (b"ID3\x03\0\0\0\0\0\0", "MP3 file is damaged"),
    ],
)
def test_unreadable_files_are_rejected_with_a_reason(
    tmp_path: Path, bytes_: bytes, sentence: str
) -> None:
    path = tmp_path / "x.wav"
    path.write_bytes(bytes_)
    with pytest.raises(BadAudio, match=sentence):
        decode.probe_header(path)


def test_a_file_without_channels_is_rejected(write: Write) -> None:
    path = write("a.wav", sine(440, 0.1))
    bad = bytearray(path.read_bytes())
    bad[22:24] = b"\0\0"
    path.write_bytes(bytes(bad))
    with pytest.raises(BadAudio, match="no channels"):
        decode.probe_header(path)


def test_an_empty_sound_file_is_rejected(write: Write) -> None:
    path = write("a.wav", np.zeros(0))
    with pytest.raises(BadAudio, match="contains no sound"):
        decode.probe_header(path)


def test_the_message_states_the_number_of_channels(write: Write) -> None:
    path = write("a.wav", np.zeros((10, 24)))
    with pytest.raises(BadAudio, match=r"24 channels\. The limit is 16"):
        decode.probe_header(path)
    assert decode.probe_header(write("b.wav", np.zeros((10, 16)))).channels == 16


@pytest.mark.parametrize(
    ("numbers", "sentence"),
    [
        ((1.0, 1, 0, 1), "sample rate is 0 Hz"),
        ((1.0, 1, 500_000, 1), "sample rate is 500,000 Hz"),
        ((5 * 3600 + 60, 10, RATE, 1), "is 5 h 1 min long"),
        ((100.0, 10**10, RATE, 2), "too long once decoded"),
        ((1.0, 1, RATE, 0), "no channels"),
    ],
)
def test_header_values_out_of_range_are_named(
    numbers: tuple[float, int, int, int], sentence: str
) -> None:
    with pytest.raises(BadAudio, match=sentence):
        header.check_limits(Header(*numbers, "WAV 16-bit"))


def test_decoding_stops_at_the_sample_limit(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write("a.wav", np.zeros(300_000))
    monkeypatch.setattr(decode, "MAX_SAMPLES", 200_000)
    with pytest.raises(BadAudio, match="too long once decoded"):
        list(decode.decode_blocks(path))


@pytest.mark.parametrize("name", ["a.wav", "a.flac", "a.mp3", "a.aiff", "a.ogg"])
def test_a_truncated_file_is_decoded_up_to_its_end(write: Write, name: str) -> None:
    noise = np.random.default_rng(2).standard_normal(5 * RATE) * 0.1
    path = write(name, noise)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert 1.5 * RATE < len(decoded(path)) < 3 * RATE


def test_a_truncated_m4a_is_rejected_and_a_truncated_adts_decoded(tmp_path: Path) -> None:
    stereo = np.stack([sine(440, 3.0)] * 2, axis=1)
    path = encode_m4a(tmp_path / "x.m4a", stereo)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(BadAudio, match="damaged"):
        decode.probe_header(path)
    stream = encode_m4a(tmp_path / "x.aac", stereo, "aac", "adts")
    stream.write_bytes(stream.read_bytes()[: stream.stat().st_size // 2])
    assert RATE < len(decoded(stream)) < 2 * RATE


def test_damage_before_any_audio_is_rejected(write: Write) -> None:
    path = write("a.flac", np.random.default_rng(3).standard_normal(RATE) * 0.1)
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(BadAudio, match="damaged"):
        list(decode.decode_blocks(path))


def test_a_video_without_audio_is_rejected(tmp_path: Path) -> None:
    path = tmp_path / "x.mp4"
    with av.open(str(path), "w", format="mp4") as file:
        stream = file.add_stream("mpeg4", rate=10)
        stream.width = stream.height = 32
        black = av.VideoFrame.from_ndarray(np.zeros((32, 32, 3), np.uint8), format="rgb24")
        file.mux(stream.encode(black))
        file.mux(stream.encode(None))
    with pytest.raises(BadAudio, match="codec we can't read"):
        decode.probe_header(path)
    path.write_bytes(b"\x1aE\xdf\xa3" + bytes(200))
    with pytest.raises(BadAudio):
        decode.probe_header(path)


def test_a_stream_without_a_duration_has_that_of_its_container(
    tmp_path: Path,
) -> None:
    stereo = np.stack([sine(440, 2.0, rate=48_000)] * 2, axis=1)
    path = encode_m4a(tmp_path / "x.webm", stereo, "libopus", "webm", 48_000)
    found = decode.probe_header(path)
    assert (found.format, found.channels, found.sample_rate) == ("Opus", 2, 48_000)
    assert found.duration == pytest.approx(2.0, abs=0.03)
    assert len(decoded(path)) == pytest.approx(2 * 48_000, abs=1000)


def test_an_unknown_codec_is_rejected(tmp_path: Path) -> None:
    mono = sine(440, 1.0, rate=48_000)[:, None]
    path = encode_m4a(tmp_path / "x.webm", mono, "libopus", "webm", 48_000)
    path.write_bytes(path.read_bytes().replace(b"A_OPUS", b"A_WHAT"))
    with pytest.raises(BadAudio, match="uses a codec we can't read"):
        decode.probe_header(path)


@pytest.mark.parametrize("channels", [1, 2, 3, 6, 9, 16])
@pytest.mark.parametrize("container", ["WAV", "WAVEX", "AIFF", "CAF"])
def test_ffmpeg_decodes_any_number_of_channels_exactly(
    write: Write, container: str, channels: int
) -> None:
    noise = np.random.default_rng(1).uniform(-0.5, 0.5, (3000, channels)).astype(np.float32)
    path = write("a", noise, format=container, subtype="FLOAT")
    with source.open_source(path) as file:
        assert np.array_equal(np.concatenate(list(ffmpeg.ffmpeg_blocks(file))), noise)


def test_concatenated_streams_keep_the_channels_of_the_first(tmp_path: Path) -> None:
    one, two = sine(440, 1.0)[:, None], np.stack([sine(440, 1.0)] * 2, axis=1)
    parts = [encode_m4a(tmp_path / f"{n}.aac", y, "aac", "adts") for n, y in enumerate((one, two))]
    path = tmp_path / "both.aac"
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    sound = decoded(path)
    assert sound.shape[1] == 1
    assert len(sound) == pytest.approx(2 * RATE, abs=6000)


def test_a_container_with_random_media_data_is_rejected(tmp_path: Path) -> None:
    path = encode_m4a(tmp_path / "x.m4a", np.stack([sine(440, 2.0)] * 2, axis=1))
    head, _, rest = path.read_bytes().partition(b"mdat")
    size = rest.index(b"moov") - 4
    path.write_bytes(head + b"mdat" + np.random.default_rng(1).bytes(size) + rest[size:])
    with pytest.raises(BadAudio, match="No sound could be decoded"):
        decoded(path)


def test_a_segment_after_damage_is_rejected(write: Write) -> None:
    path = write("a.flac", np.random.default_rng(1).normal(0, 0.1, 5 * RATE))
    whole = path.read_bytes()
    half = len(whole) // 2
    path.write_bytes(whole[:half] + np.random.default_rng(1).bytes(len(whole) - half))
    assert len(decode.decode_segment(path, 1.0, 2.0)[0]) == RATE
    with pytest.raises(BadAudio, match="This part of it can't be read"):
        decode.decode_segment(path, 3.0, 4.0)


@pytest.mark.parametrize("kind", ["wav", "mp3", "m4a"])
def test_a_segment_has_the_requested_position_and_length(
    write: Write, tmp_path: Path, kind: str
) -> None:
    signal = sine(440, 4.0) * np.repeat([0.1, 0.4, 0.7, 1.0], RATE).astype(np.float32)
    stereo = np.stack([signal, signal], axis=1)
    path = encode_m4a(tmp_path / "a.m4a", stereo) if kind == "m4a" else write(f"a.{kind}", stereo)
    frames, rate = decode.decode_segment(path, 2.2, 2.7)
    assert rate == RATE
    assert frames.shape == (round(0.5 * RATE), 2)
    assert np.abs(frames).max() == pytest.approx(0.35, abs=0.04)
    assert len(decode.decode_segment(path, 3.9, 60.0)[0]) == pytest.approx(0.1 * RATE, abs=4000)
    assert len(decode.decode_segment(path, -5, 0.1)[0]) == pytest.approx(0.1 * RATE, abs=2)


def test_a_segment_beyond_the_end_is_empty(write: Write) -> None:
    frames, _ = decode.decode_segment(write("a.wav", np.zeros((100, 2))), 5, 6)
    assert frames.shape == (0, 2)


@pytest.mark.parametrize(
    ("rate", "channels", "wanted", "wanted_channels"),
    [(44_100, 1, 44_100, 1), (96_000, 2, 48_000, 2), (22_050, 6, 22_050, 2), (1000, 1, 8000, 1)],
)
def test_a_preview_is_vorbis_with_the_same_level_and_duration(
    write: Write, tmp_path: Path, rate: int, channels: int, wanted: int, wanted_channels: int
) -> None:
    signal = np.stack([sine(200, 3.0, rate=rate)] * channels, axis=1)
    target = tmp_path / "preview.ogg"
    decode.encode_preview(write("a.wav", signal, rate), target)
    info = soundfile.info(target)
    assert (info.format, info.subtype) == ("OGG", "VORBIS")
    assert (info.samplerate, info.channels) == (wanted, wanted_channels)
    assert info.duration == pytest.approx(3.0, abs=0.01)
    heard, _ = soundfile.read(target)
    assert np.sqrt(np.mean(heard**2)) == pytest.approx(0.5 / 2**0.5, abs=0.02)


def test_formats_are_playable_in_browsers_or_not() -> None:
    def playable(name: str, rate: int = RATE, channels: int = 2) -> bool:
        return decode.playable_in_browsers(Header(1.0, rate, rate, channels, name))

    assert all(map(playable, ("MP3", "M4A", "FLAC", "WAV 16-bit", "WAV 24-bit")))
    assert not any(map(playable, ("AIFF 16-bit", "ALAC", "WAV IMA ADPCM", "WAV 64-bit float")))
    assert not playable("WAV 16-bit", rate=384_000)
    assert not playable("WAV 16-bit", channels=6)


def test_block_size_is_bounded_for_any_number_of_channels() -> None:
    for channels in (1, 2, 16):
        frames = sndfile.block_frames(channels)
        assert frames % 256 == 0
        assert frames * channels <= sndfile.BLOCK_SAMPLES
