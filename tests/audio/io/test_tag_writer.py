"""Tags are written into a copy, and its audio stays bit for bit."""

import io
import struct
import tracemalloc
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile

from sp404_app.audio.features.analysis import analyse_file
from sp404_app.audio.features.file_tags import read_file_tags
from sp404_app.audio.io import chunks, content_hash, ogg
from sp404_app.audio.io.sound_tags import CannotHoldTags, SoundTags
from sp404_app.audio.io.tag_writer import write_tags
from sp404_app.audio.synth.drums import RATE, kick
from sp404_app.audio.synth.sequencer import Loop
from tests.audio import files
from tests.sounds import tone, write, write_m4a

BPM = 92.5
LOOP = SoundTags(bpm=BPM, key="F# minor", root_note=54, is_loop=True, seconds=0.5)
SOUND = tone(220, 0.5, 44_100)


def write_fast_m4a(path: Path) -> Path:
    """Write an M4A file whose metadata is in front of its audio."""
    plain = write_m4a(path.with_suffix(".plain.m4a"))
    options = {"movflags": "faststart"}
    with av.open(str(plain)) as old, av.open(str(path), "w", format="ipod", options=options) as new:
        stream = new.add_stream_from_template(old.streams.audio[0])
        for packet in old.demux(old.streams.audio[0]):
            if packet.dts is not None:
                packet.stream = stream
                new.mux(packet)
    assert path.read_bytes().index(b"moov") < path.read_bytes().index(b"mdat")
    return path


def write_mp3_with_id3(path: Path) -> Path:
    title = files.id3_frame(b"TIT2", b"\0Dusty") + files.id3_frame(b"TBPM", b"\0140")
    path.write_bytes(files.id3(title, files.picture(500)) + files.mp3(SOUND, rate=44_100))
    return path


def sound(**options: str) -> Callable[[Path], Path]:
    return lambda path: write(path, SOUND, 44_100, **options)


FORMATS: dict[str, Callable[[Path], Path]] = {
    "16.wav": sound(subtype="PCM_16"),
    "8.wav": sound(subtype="PCM_U8"),
    "24.wav": sound(subtype="PCM_24"),
    "float.wav": sound(subtype="FLOAT"),
    "adpcm.wav": sound(subtype="IMA_ADPCM"),
    "a.aiff": sound(subtype="PCM_24", format="AIFF"),
    "a.flac": sound(subtype="PCM_24", format="FLAC"),
    "a.mp3": sound(format="MP3"),
    "tagged.mp3": write_mp3_with_id3,
    "a.ogg": sound(format="OGG", subtype="VORBIS"),
    "a.opus": lambda path: write(
        path, tone(220, 0.5, 48_000), 48_000, format="OGG", subtype="OPUS"
    ),
    "a.m4a": write_m4a,
    "fast.m4a": write_fast_m4a,
}


def digest(path: Path) -> str:
    return content_hash.hash_file(path)[1].digest


@pytest.mark.parametrize("name", FORMATS)
def test_the_tags_are_read_again_and_the_audio_is_equal(tmp_path: Path, name: str) -> None:
    original, target = FORMATS[name](tmp_path / name), tmp_path / f"tagged-{name}"
    before = original.read_bytes()
    write_tags(original, target, LOOP)
    assert original.read_bytes() == before
    found = read_file_tags(target)
    assert (found.bpm, found.key) == (BPM, "F# minor")
    assert digest(target) == digest(original)
    twice = tmp_path / f"twice-{name}"
    write_tags(target, twice, LOOP)
    assert read_file_tags(twice) == found
    assert digest(twice) == digest(original)


@pytest.mark.parametrize("name", ["16.wav", "a.aiff", "a.flac", "a.mp3", "a.m4a", "a.ogg"])
def test_ffmpeg_reads_the_tags(tmp_path: Path, name: str) -> None:
    original, target = FORMATS[name](tmp_path / name), tmp_path / f"tagged-{name}"
    write_tags(original, target, LOOP)
    with av.open(str(target)) as file:
        tags = file.metadata | file.streams.audio[0].metadata
        assert file.streams.audio[0].codec_context is not None
    plain = {key.casefold(): text for key, text in tags.items()}
    tempi = {plain.get(name) for name in ("tbpm", "bpm", "tmpo")}
    assert "92.5" in tempi
    assert "F#m" in {plain.get(name) for name in ("tkey", "initialkey")}


def test_large_metadata_of_a_flac_is_copied_without_being_loaded(tmp_path: Path) -> None:
    content, size = files.packed(SOUND, format="FLAC"), (1 << 24) - 1
    padding = (b"\1" + size.to_bytes(3, "big") + bytes(size)) * 3
    original, target = tmp_path / "a.flac", tmp_path / "b.flac"
    original.write_bytes(content[:42] + padding + content[42:])
    tracemalloc.start()
    try:
        write_tags(original, target, LOOP)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < size
    assert target.stat().st_size > len(padding)
    assert digest(target) == digest(original)


def ogg_pages(content: bytes) -> list[bytes]:
    file = io.BytesIO(content)
    starts = [at for at, _ in ogg.iter_pages(file, 0, len(content))]
    return [content[at:end] for at, end in pairwise([*starts, len(content)])]


class LongTags(SoundTags):
    """Tags that need more pages than the header of a usual file has."""

    def texts(self) -> dict[str, str]:
        return {"COMMENT": "Dust " * 30_000}


def with_long_comments(path: Path, name: str) -> Path:
    """Write an Ogg file whose comments fill several pages."""
    target = path.with_suffix(".long")
    write_tags(FORMATS[name](path), target, LongTags(key="C major"))
    return target


@pytest.mark.parametrize("frames", [1, 60_000, 94_146, 200_000])
def test_the_audio_pages_of_an_ogg_stay(tmp_path: Path, frames: int) -> None:
    original, target = tmp_path / "a.ogg", tmp_path / "b.ogg"
    soundfile.write(original, np.sin(np.arange(frames) / 9), 44_100, format="OGG")
    write_tags(original, target, LOOP)
    before, after = ogg_pages(original.read_bytes()), ogg_pages(target.read_bytes())
    assert len(before) == len(after)
    assert before[2:] == after[2:]
    assert read_file_tags(target).bpm == BPM


@pytest.mark.parametrize("name", ["a.ogg", "a.opus"])
def test_comments_of_an_ogg_may_fill_pages(tmp_path: Path, name: str) -> None:
    long = with_long_comments(tmp_path / name, name)
    assert len(ogg_pages(long.read_bytes())) >= len(ogg_pages((tmp_path / name).read_bytes())) + 2
    target = tmp_path / "target"
    write_tags(long, target, LOOP)
    with av.open(str(target)) as file:
        tags = file.metadata | file.streams.audio[0].metadata
    plain = {name.casefold(): text for name, text in tags.items()}
    assert plain["comment"].count("Dust") == 30_000
    assert plain["initialkey"] == "F#m"
    assert digest(target) == digest(long) == digest(tmp_path / name)


def test_a_damaged_page_of_an_ogg_is_not_given_a_new_checksum(tmp_path: Path) -> None:
    original, target = tmp_path / "a.ogg", tmp_path / "b.ogg"
    content = bytearray(FORMATS["a.ogg"](original).read_bytes())
    content[-20] ^= 255
    original.write_bytes(content)
    write_tags(original, target, LOOP)  # the audio pages are copied as they are
    assert target.read_bytes().endswith(content[-1000:])
    with pytest.raises(CannotHoldTags, match="damaged"):
        write_tags(original, target, LongTags(key="C major"))


def test_other_tags_and_pictures_of_an_mp3_stay(tmp_path: Path) -> None:
    original, target = write_mp3_with_id3(tmp_path / "a.mp3"), tmp_path / "b.mp3"
    write_tags(original, target, LOOP)
    content = target.read_bytes()
    assert content.count(b"TBPM") == 1
    assert files.picture(500) in content
    assert b"TIT2" in content


@pytest.mark.parametrize(("beats", "bpm"), [(8, 124.0), (4, 97.37)])
def test_an_upload_takes_the_written_tempo_from_the_file(
    tmp_path: Path, beats: int, bpm: float
) -> None:
    loop = Loop(bpm, beats)
    loop.row("X---X---X---X---", [kick(np.random.default_rng(3))], 0.9, 0)
    original, target = tmp_path / "a.wav", tmp_path / "b.wav"
    soundfile.write(original, loop.frames.mean(axis=1), RATE, subtype="PCM_16")
    seconds = soundfile.info(original).duration
    write_tags(original, target, SoundTags(bpm=bpm, is_loop=True, seconds=seconds))
    found = analyse_file(target, "").analysis
    assert (found.bpm_source, found.bpm) == ("file", pytest.approx(bpm, abs=0.01))
    assert SoundTags(bpm=bpm, is_loop=True, seconds=seconds).beats == beats


def test_the_chunks_of_a_loop_have_tempo_beats_root_note_and_loop(tmp_path: Path) -> None:
    original, target = FORMATS["16.wav"](tmp_path / "a.wav"), tmp_path / "b.wav"
    write_tags(original, target, SoundTags(bpm=120, root_note=45, is_loop=True, seconds=0.5))
    content = target.read_bytes()
    acid = content[content.index(b"acid") + 8 :]
    assert struct.unpack_from("<IHHfIHHf", acid) == (6, 45, 0x8000, 0.0, 1, 4, 4, 120.0)
    smpl = content[content.index(b"smpl") + 8 :]
    assert struct.unpack_from("<9I", smpl) == (0, 0, 10**9 // 44_100, 45, 0, 0, 0, 1, 0)
    assert struct.unpack_from("<6I", smpl, 36) == (0, 0, 0, len(SOUND) - 1, 0, 0)
    assert read_file_tags(target).root == 45


def test_a_one_shot_is_marked_as_one(tmp_path: Path) -> None:
    original, target = FORMATS["16.wav"](tmp_path / "a.wav"), tmp_path / "b.wav"
    write_tags(original, target, SoundTags(root_note=45, is_loop=False, seconds=0.5))
    content = target.read_bytes()
    assert struct.unpack_from("<IH", content, content.index(b"acid") + 8) == (3, 45)
    assert (read_file_tags(target).bpm, read_file_tags(target).root) == (None, 45)


def test_every_other_chunk_survives(tmp_path: Path) -> None:
    old_smpl = struct.pack("<9I6I", 7, 8, 9, 60, 0, 0, 0, 1, 0, 5, 0, 10, 20, 0, 3)
    others = [
        files.chunk(b"bext", b"Take 1".ljust(602, b"\0")),
        files.fmt(),
        files.chunk(b"LIST", b"INFOINAM\x05\0\0\0Dust\0"),
        files.chunk(b"data", files.pcm(SOUND)),
        files.chunk(b"cue ", struct.pack("<I", 0)),
        files.chunk(b"odd!", b"abc"),
    ]
    original, target = tmp_path / "a.wav", tmp_path / "b.wav"
    original.write_bytes(files.riff(*others, files.chunk(b"smpl", old_smpl)) + b"TAG" + bytes(125))
    write_tags(original, target, LOOP)
    content = target.read_bytes()
    assert all(each in content for each in others)
    assert content.endswith(b"TAG" + bytes(125))
    smpl = content.index(b"smpl") + 8
    assert content[smpl : smpl + 60] == old_smpl[:12] + struct.pack("<I", 54) + old_smpl[16:]
    assert struct.unpack_from("<I", content, 4)[0] == len(content) - 8 - 128
    assert soundfile.info(target).frames == len(SOUND)


def irregular_files() -> dict[str, bytes]:
    data = files.chunk(b"data", files.pcm(SOUND))
    good = files.riff(files.fmt(), data)
    flac = files.packed(SOUND, format="FLAC")
    mp3 = files.mp3(SOUND, rate=44_100)
    ogg = files.packed(SOUND, 44_100, format="OGG")
    return {
        "truncated": good[:-100],
        "no pad byte": files.riff(files.fmt(), files.chunk(b"odd!", b"abc", pad=False), data),
        "RF64": b"RF64\xff\xff\xff\xff" + good[8:],
        "unfinished": files.riff(files.fmt(), b"data\xff\xff\xff\xff" + files.pcm(SOUND)),
        "no audio": files.riff(files.fmt()),
        "no format": files.riff(data),
        "two data chunks": files.riff(files.fmt(), data, data),
        "huge chunk": files.riff(files.fmt(), data, b"acid\xff\xff\xff\x7f1234"),
        "short id3 chunk": files.riff(files.fmt(), data, files.chunk(b"id3 ", b"ID")),
        "half an id3 header": files.riff(files.fmt(), data, files.chunk(b"id3 ", b"ID3\3\0")),
        "empty": b"",
        "text": b"not a sound",
        "short id3": b"ID3\3\0\0\x7f\x7f\x7f\x7f" + mp3,
        "old id3": files.id3(b"TT2\0\0\5\0Dust", version=2) + mp3,
        "broken frame": files.id3(files.id3_frame(b"TIT2", b"\0Dust")[:-3]) + mp3,
        "truncated flac": flac[:60],
        "broken comments": flac[:4] + b"\x84\0\0\4\xff\xff\xff\xff" + flac[42:],
        "two streams": ogg + ogg,
        "broken m4a": b"\0\0\0\x18ftypM4A \0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x10moov\0\0\0\x7ftrak",
        "au": files.packed(SOUND, format="AU"),
    }


@pytest.mark.parametrize("fault", irregular_files())
def test_an_irregular_file_gets_no_tags(tmp_path: Path, fault: str) -> None:
    original, target = tmp_path / "a", tmp_path / "b"
    content = irregular_files()[fault]
    original.write_bytes(content)
    with pytest.raises(CannotHoldTags):
        write_tags(original, target, LOOP)
    assert original.read_bytes() == content
    assert not target.exists()


@pytest.mark.parametrize("name", FORMATS)
def test_a_damaged_file_gets_tags_or_none_but_its_audio_never_changes(
    tmp_path: Path, name: str
) -> None:
    content = FORMATS[name](tmp_path / name).read_bytes()
    random = np.random.default_rng(7)
    original, target = tmp_path / "damaged", tmp_path / "target"
    for _ in range(40):
        damaged = bytearray(content[: random.integers(1, len(content) + 1)])
        head = min(len(damaged), 400)
        for at in random.integers(0, head, 3):
            damaged[at] = random.integers(256)
        original.write_bytes(damaged)
        try:
            write_tags(original, target, LOOP)
        except CannotHoldTags:
            continue
        assert chunk_audio(target) == chunk_audio(original)


def chunk_audio(path: Path) -> bytes:
    """Return the bytes of the audio chunk, or the last bytes of another format's file."""
    with path.open("rb") as file:
        layout = chunks.read_chunk_layout(file, 0, file.seek(0, 2))
        chunk = layout.find(b"data", b"SSND") if layout else None
        if chunk is None:
            return b""
        file.seek(chunk.start)
        return file.read(chunk.size)
