"""Files that break a rule of their format but that players open are accepted."""

import struct
from pathlib import Path

import numpy as np
import pytest

from sp404_app.audio.features.file_tags import read_file_tags
from sp404_app.audio.io import decode, source
from sp404_app.errors import BadAudio
from tests.audio import files
from tests.audio.conftest import RATE, encode_m4a, sine

TONE = sine(440, 1.0)
ODD = b"INFOINAM\x07\0\0\0Kick 1!"


def decoded(path: Path) -> np.ndarray:
    return np.concatenate(list(decode.decode_blocks(path)))[:, 0]


def assert_decodes_exactly(path: Path, content: bytes, order: str = "<") -> None:
    path.write_bytes(content)
    wanted = np.frombuffer(files.pcm(TONE, order), f"{order}i2") / 32768
    assert np.array_equal(decoded(path), wanted.astype(np.float32))
    part, _ = decode.decode_segment(path, 0.5, 0.75)
    assert np.array_equal(part[:, 0], wanted.astype(np.float32)[RATE // 2 : RATE * 3 // 4])


def test_an_odd_chunk_without_its_pad_byte_is_accepted(tmp_path: Path) -> None:
    data = files.chunk(b"data", files.pcm(TONE))
    for pad in (True, False):
        odd = files.chunk(b"LIST", ODD, pad=pad)
        assert_decodes_exactly(tmp_path / "a.wav", files.riff(odd, files.fmt(), data))
        assert_decodes_exactly(tmp_path / "b.wav", files.riff(files.fmt(), odd, data))
        assert_decodes_exactly(tmp_path / "c.wav", files.riff(files.fmt(), data, odd))
        assert_decodes_exactly(
            tmp_path / "d.wav", files.riff(odd, files.fmt(), odd, data, form=b"BW64")
        )
        name = files.chunk(b"NAME", b"Kick 1!", ">", pad=pad)
        for parts in ((name, files.comm(RATE)), (files.comm(RATE), name)):
            assert_decodes_exactly(tmp_path / "e.aif", files.aiff(*parts, files.ssnd(TONE)), ">")


def test_unknown_odd_chunks_without_pad_bytes_are_accepted(tmp_path: Path) -> None:
    odd = [files.chunk(b"XMPd", bytes(size), pad=False) for size in (3, 5)]
    data = files.chunk(b"data", files.pcm(TONE))
    assert_decodes_exactly(tmp_path / "a.wav", files.riff(*odd, files.fmt(), odd[0], data))


@pytest.mark.parametrize("size", [0, 0xFFFFFFFF])
def test_an_interrupted_recording_is_decoded_to_its_end(tmp_path: Path, size: int) -> None:
    data = b"data" + struct.pack("<I", size) + files.pcm(TONE)
    for outer in (0, 0xFFFFFFFF, len(data)):
        assert_decodes_exactly(tmp_path / "a.wav", files.riff(files.fmt(), data, size=outer))
        body = (files.comm(0), files.ssnd(TONE, size))
        assert_decodes_exactly(tmp_path / "b.aif", files.aiff(*body, size=outer), ">")
    odd = files.riff(files.fmt(), data + b"\1", size=0)  # half a frame at the end
    assert_decodes_exactly(tmp_path / "c.wav", odd)


@pytest.mark.parametrize("size", [0, 0xFFFFFFFF, 2**64 - 1])
def test_unfinished_au_caf_and_rf64_files_are_decoded_to_their_end(
    tmp_path: Path, size: int
) -> None:
    au = b".snd" + struct.pack(">IIIII", 24, size & 0xFFFFFFFF, 3, RATE, 1) + files.pcm(TONE, ">")
    assert_decodes_exactly(tmp_path / "a.au", au, ">")
    lpcm = struct.pack(">d4s5I", float(RATE), b"lpcm", 0, 2, 1, 1, 16)
    desc = b"caff" + struct.pack(">HH4sq", 1, 0, b"desc", 32) + lpcm
    sound = b"data" + struct.pack(">QI", size if size > 2**32 else 2**64 - 1, 0)
    assert_decodes_exactly(tmp_path / "a.caf", desc + sound + files.pcm(TONE, ">"), ">")
    ds64 = files.chunk(b"ds64", struct.pack("<QQQI", size, size, 0, 0))
    data = b"data\xff\xff\xff\xff" + files.pcm(TONE)
    for form in (b"RF64", b"BW64"):
        assert_decodes_exactly(tmp_path / "a.rf64", files.riff(ds64, files.fmt(), data, form=form))


def test_an_empty_data_chunk_before_another_chunk_is_rejected(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(files.riff(files.fmt(), files.chunk(b"data", b""), files.chunk(b"LIST", ODD)))
    with pytest.raises(BadAudio, match="no sound"):
        decode.probe_header(path)


def test_bw64_is_decoded_as_wav(tmp_path: Path) -> None:
    sound = files.pcm(TONE)
    ds64 = files.chunk(b"ds64", struct.pack("<QQQI", 0, len(sound), RATE, 0))
    chna = files.chunk(b"chna", bytes(44))
    data = b"data\xff\xff\xff\xff" + sound
    assert_decodes_exactly(
        tmp_path / "a.wav", files.riff(ds64, files.fmt(), chna, data, form=b"BW64")
    )
    assert_decodes_exactly(
        tmp_path / "b.wav", files.riff(ds64, files.fmt(), data + chna, form=b"BW64")
    )
    plain = files.chunk(b"data", sound)
    assert_decodes_exactly(tmp_path / "c.wav", files.riff(files.fmt(), plain, form=b"BW64"))
    assert decode.probe_header(tmp_path / "c.wav").format == "WAV 16-bit"


FRONT = {
    "zeros": bytes(5000),
    "ape": files.ape(),
    "id3": files.id3(files.id3_frame(b"TIT2", b"\0x")),
    "big id3": files.id3(files.picture(200_000)),
    "two id3": 2 * files.id3(files.picture(20)),
    "zeros and id3": bytes(3) + files.id3(files.picture(20)) + bytes(100),
    "ape and id3": files.ape(b"items") + files.id3(files.picture(20)),
}


@pytest.mark.parametrize("front", FRONT.values(), ids=FRONT.keys())
def test_leading_tags_and_zeros_are_skipped(tmp_path: Path, front: bytes) -> None:
    stereo = np.stack([TONE, TONE], axis=1)
    adts = encode_m4a(tmp_path / "a.aac", stereo, "aac", "adts").read_bytes()
    contents = {
        "MP3": files.mp3(TONE),
        "AAC": adts,
        "FLAC": files.packed(TONE, format="FLAC"),
        "OGG Vorbis": files.packed(TONE, format="OGG", subtype="VORBIS"),
        "WAV 16-bit": files.packed(TONE, format="WAV", subtype="PCM_16"),
        "AIFF 16-bit": files.packed(TONE, format="AIFF", subtype="PCM_16"),
    }
    for shown, content in contents.items():
        path = tmp_path / "x"
        path.write_bytes(content)
        bare = decoded(path)
        path.write_bytes(front + content)
        assert decode.probe_header(path).format == shown
        assert np.array_equal(decoded(path), bare)


@pytest.mark.parametrize("junk", [b"x", b"HTTP/1.1 200 OK\r\n\r\n", b"\xff\xfb\x90\xff\xfe" * 400])
def test_leading_junk_before_mp3_frames_is_skipped(tmp_path: Path, junk: bytes) -> None:
    path = tmp_path / "a.mp3"
    path.write_bytes(junk + files.mp3(TONE))
    assert decode.probe_header(path).format == "MP3"
    assert len(decoded(path)) == pytest.approx(RATE, abs=3000)


def test_random_bytes_are_not_detected_as_mp3(tmp_path: Path) -> None:
    for seed in range(20):
        path = tmp_path / "a"
        path.write_bytes(np.random.default_rng(seed).bytes(200_000))
        with source.open_source(path) as found:
            assert found.demuxer is None


def test_headerless_samples_are_not_detected_as_mp3(tmp_path: Path) -> None:
    path = tmp_path / "a.raw"
    swell = 0.5 + 0.5 * np.sin(np.arange(2 * RATE) * 4 * np.pi / RATE)
    for hertz in range(110, 440, 15):
        samples = sine(hertz, 2.0, 0.1) * swell * 2**23
        path.write_bytes(samples.astype("<i4").tobytes())
        with pytest.raises(BadAudio, match="not a sound file"):
            decode.probe_header(path)


@pytest.mark.parametrize(
    ("container", "subtype"), [("AU", "G721_32"), ("AU", "PCM_24"), ("W64", "MS_ADPCM")]
)
def test_mpeg_frames_are_not_searched_for_in_au_and_w64(
    tmp_path: Path, container: str, subtype: str
) -> None:
    path = tmp_path / "a"
    for hertz in (110, 207, 333, 440):
        path.write_bytes(files.packed(sine(hertz, 1.0), format=container, subtype=subtype))
        assert decode.probe_header(path).format.startswith(container)


@pytest.mark.parametrize("layer", ["mp1", "mp2"])
def test_a_file_of_one_mpeg_frame_is_detected(tmp_path: Path, layer: str) -> None:
    path = tmp_path / "a.mp3"
    head = {"mp2": b"\xff\xfd\x84\x04", "mp1": b"\xff\xff\x84\x04"}[layer]
    size = source.mpeg.parse_frame_header(head + bytes(4))
    assert size
    path.write_bytes(head + bytes(size.size - 4))
    with source.open_source(path) as found:
        assert found.demuxer == "mp3"


@pytest.mark.parametrize(
    ("content", "named"),
    [
        (b"RIFF\x40\0\0\0sfbkLIST" + bytes(60), "SoundFont"),
        (b"RIFF\x40\0\0\0DLS LIST" + bytes(60), "DLS instrument"),
        (b"FORM\0\0\0\x408SVXVHDR" + bytes(60), "Amiga sound"),
        (b"FORM\0\0\0\x4016SVVHDR" + bytes(60), "Amiga sound"),
        (b"PK\3\4" + bytes(60), "ZIP archive"),
        (b"Rar!\x1a\7\0" + bytes(60), "RAR archive"),
        (b"7z\xbc\xaf\x27\x1c" + bytes(60), "7-Zip archive"),
        (b"MThd\0\0\0\6" + bytes(60), "MIDI"),
        (b"\xff\xd8\xff\xe0" + bytes(60), "JPEG"),
        (b"%PDF-1.7\n" + bytes(60), "PDF"),
        (b"12345678sfbk" + bytes(60), "not a sound file"),
    ],
)
def test_other_file_types_are_named_in_the_message(
    tmp_path: Path, content: bytes, named: str
) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(content)
    with pytest.raises(BadAudio, match=named):
        decode.probe_header(path)
    assert read_file_tags(path).bpm is None
