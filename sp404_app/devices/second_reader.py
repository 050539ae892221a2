"""Read an exported archive again, and compare it with what was wanted.

This is the check of the modules that write: it shares no code and no constants with them, so a
mistake in one of them cannot hide in the other. It imports no other module of this package, and an
import contract keeps it so. All offsets are counted from the start of each file.
"""

import hashlib
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

BLOCK_BYTES = 1 << 20
EXPECTED_TIME = (1980, 1, 1, 0, 0, 0)


class ArchiveMismatch(Exception):
    """The archive is not what was wanted; the text says where."""


@dataclass(frozen=True, slots=True)
class WantedPad:
    """A pad that the archive must hold, and the audio that belongs to it.

    `settings` are those that the device stores, by the names of the API; of an import pack, none.
    `wav_sha256` is the hash of a WAV file with a header of 44 bytes and the pad's audio.
    `is_as_read`: the file is that which was on a card, perhaps with bytes after its last frame, and
    the settings may count these, or have stale channels. `file_sha256` is its hash, "" if unknown.
    """

    path: str
    bank: int
    pad: int
    rate: int
    frames: int
    channels: int
    wav_sha256: str
    name: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)
    chops: tuple[int, ...] = ()
    is_as_read: bool = False
    file_sha256: str = ""


@dataclass(frozen=True, slots=True)
class WantedArchive:
    """Everything that an archive must hold, and nothing else.

    `device` is "mk2", "sx" or "import". `config` is the path of PADCONF.BIN or PAD_INFO.BIN, ""
    in an import pack; `project` has name, tempo, tempo_source and banks (MKII only). `kept` are
    pads, as (bank, pad), that may stay described although they have no audio. `copies` are other
    files, with their SHA-256.
    """

    device: str
    pads: tuple[WantedPad, ...]
    config: str = ""
    project: Mapping[str, Any] = field(default_factory=dict)
    kept: frozenset[tuple[int, int]] = frozenset()
    copies: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ReadFile:
    """A file of the archive, and where its content begins in it."""

    path: str
    bytes: int
    sha256: str
    offset: int


@dataclass(frozen=True, slots=True)
class Audio:
    """What the header of an audio file says, and the hash of its audio as a plain WAV file."""

    rate: int
    channels: int
    frames: int
    index: int | None
    wav_sha256: str


@dataclass(frozen=True, slots=True)
class Content:
    """A file as it was read: its audio, or its bytes if it is a small file of settings."""

    file: ReadFile
    audio: Audio | None
    data: bytes


def compare_archive(
    archive: Path,
    wanted: WantedArchive,
    pool: Executor | None = None,
    report: Callable[[float], None] | None = None,
) -> list[ReadFile]:
    """Read all of an archive and compare it; return its files, with their hashes.

    `pool` reads several files at once. `report` is called with 0..1 after each file.

    Raises:
        ArchiveMismatch: At the first difference.
    """
    places = list_files(archive)
    pads = {pad.path: pad for pad in wanted.pads}
    _compare_paths(set(places), {*pads, *wanted.copies, *filter(None, [wanted.config])})

    def read(path: str) -> Content:
        pad = pads.get(path)
        content = read_file(archive, path, places[path], pad)
        if pad and content.audio:
            _compare_audio(pad, content, wanted.device)
        return content

    files: list[ReadFile] = []
    for content in pool.map(read, places) if pool else map(read, places):
        expected = wanted.copies.get(content.file.path, content.file.sha256)
        _expect(content.file.path, "SHA-256", content.file.sha256, expected)
        if content.file.path == wanted.config:
            _compare_config(content.data, wanted)
        files.append(content.file)
        if report:
            report(len(files) / len(places))
    return files


def list_files(archive: Path) -> dict[str, zipfile.ZipInfo]:
    """Return the files of an archive in its order; all must be stored, plain, and of 1980.

    Raises:
        ArchiveMismatch: If the archive is damaged or its files are not in order.
    """
    try:
        with zipfile.ZipFile(archive) as opened:
            infos = opened.infolist()
    except (zipfile.BadZipFile, OSError, ValueError) as error:
        raise ArchiveMismatch(f"the archive cannot be opened: {error}") from error
    names = [info.filename for info in infos]
    if names != sorted(set(names)):
        raise ArchiveMismatch("the names in the archive are repeated or not sorted")
    for info in infos:
        _expect(info.filename, "compression", info.compress_type, zipfile.ZIP_STORED)
        _expect(info.filename, "time", info.date_time, EXPECTED_TIME)
        _expect(info.filename, "flags", info.flag_bits, 0)
        _expect(info.filename, "size", info.compress_size, info.file_size)
    return {info.filename: info for info in infos}


def read_file(
    archive: Path, path: str, info: zipfile.ZipInfo, pad: WantedPad | None = None
) -> Content:
    """Read one file of an archive where the directory says that it is; that of `pad` is audio.

    Raises:
        ArchiveMismatch: If it is not there, or differs from its checksum.
    """
    sha, crc = hashlib.sha256(), 0
    with archive.open("rb") as file:
        offset = _content_offset(file, path, info.header_offset)
        file.seek(offset)
        head = file.read(min(512, info.file_size))
        audio = AudioHasher(path, head, info.file_size, has_tail=pad.is_as_read) if pad else None
        kept = [head]
        sha.update(head)
        crc = zlib.crc32(head)
        for block in _blocks(file, info.file_size - len(head)):
            sha.update(block)
            crc = zlib.crc32(block, crc)
            if audio:
                audio.feed(block)
            elif info.file_size < BLOCK_BYTES:
                kept.append(block)
    _expect(path, "CRC", crc, info.CRC)
    found = ReadFile(path, info.file_size, sha.hexdigest(), offset)
    return Content(found, audio.done() if audio else None, b"" if audio else b"".join(kept))


def _content_offset(file: BinaryIO, path: str, header_offset: int) -> int:
    file.seek(header_offset)
    header = file.read(30)
    if header[:4] != b"PK\x03\x04":
        raise ArchiveMismatch(f"{path}: there is no local header")
    name_bytes, extra_bytes = struct.unpack_from("<HH", header, 26)
    _expect(path, "name", file.read(name_bytes), path.encode())
    return header_offset + 30 + name_bytes + extra_bytes


def _blocks(file: BinaryIO, size: int) -> Iterator[bytes]:
    while size > 0:
        block = file.read(min(BLOCK_BYTES, size))
        if not block:
            raise ArchiveMismatch("the archive is cut off")
        size -= len(block)
        yield block


class AudioHasher:
    """Hashes the audio of a WAV, SMP or AIFF file as if it were a plain WAV file.

    With `has_tail`, bytes after the last frame are left out.
    """

    def __init__(self, path: str, head: bytes, file_size: int, *, has_tail: bool = False) -> None:
        layout = parse_audio_header(path, head)
        self.rate, self.channels, begin, size, self.is_big_endian, self.index = layout
        if has_tail:
            size -= size % (2 * self.channels)
            _expect(path, "length", begin + size <= file_size, True)
        else:
            _expect(path, "length", begin + size, file_size)
        _expect(path, "whole frames", size % (2 * self.channels), 0)
        self.frames = size // (2 * self.channels)
        self.left = size
        self.sha = hashlib.sha256(self._plain_header(size))
        self.feed(head[begin:])

    def _plain_header(self, size: int) -> bytes:
        width = 2 * self.channels
        return b"".join(
            (
                b"RIFF",
                (36 + size).to_bytes(4, "little"),
                b"WAVEfmt \x10\0\0\0\1\0",
                self.channels.to_bytes(2, "little"),
                self.rate.to_bytes(4, "little"),
                (self.rate * width).to_bytes(4, "little"),
                width.to_bytes(2, "little"),
                b"\x10\0data",
                size.to_bytes(4, "little"),
            )
        )

    def feed(self, block: bytes) -> None:
        """Hash the next bytes of the file, which begin with whole 16-bit samples."""
        block = block[: self.left]
        self.left -= len(block)
        if self.is_big_endian:
            block = np.frombuffer(block, ">i2").astype("<i2").tobytes()
        self.sha.update(block)

    def done(self) -> Audio:
        """Return what was read."""
        return Audio(self.rate, self.channels, self.frames, self.index, self.sha.hexdigest())


def parse_audio_header(path: str, head: bytes) -> tuple[int, int, int, int, bool, int | None]:
    """Return rate, channels, where the audio begins, its bytes, whether big-endian, and the index.

    Raises:
        ArchiveMismatch: If it is none of the three formats, exactly as the devices take them.
    """
    if head[:4] == b"RFWV" and len(head) == 512:
        size, rate, channels, bits = struct.unpack_from(">IIII", head, 4)
        _expect(path, "bits", bits, 16)
        checked = hashlib.md5(head[4:20], usedforsecurity=False).digest()
        _expect(path, "MD5 of its header", head[32:48], checked)
        return rate, channels, 512, size + 8 - 512, True, None
    if head[:4] == b"FORM" and head[8:16] == b"AIFFCOMM" and head[496:500] == b"SSND":
        channels, frames, bits = struct.unpack_from(">HIH", head, 20)
        _expect(path, "bits", bits, 16)
        _expect(path, "rate", head[28:38].hex(), "400eac44000000000000")
        (size,) = struct.unpack_from(">I", head, 500)
        pcm_bytes = 2 * channels * frames
        _expect(path, "frames", pcm_bytes <= size - 8, True)
        return 44_100, channels, 512, pcm_bytes, True, struct.unpack_from(">I", head, 62)[0]
    if head[:4] != b"RIFF" or head[8:16] != b"WAVEfmt ":
        raise ArchiveMismatch(f"{path}: this is no audio file of a device")
    _, tag, channels, rate, _, _, bits = struct.unpack_from("<IHHIIHH", head, 16)
    _expect(path, "PCM", (tag, bits), (1, 16))
    if head[36:40] == b"data":
        return rate, channels, 44, struct.unpack_from("<I", head, 40)[0], False, None
    if head[504:508] != b"data":
        raise ArchiveMismatch(f"{path}: its audio begins neither at 44 nor at 512")
    index = struct.unpack_from("<I", head, 58)[0] if head[46:54] == b"roifspsx" else None
    return rate, channels, 512, struct.unpack_from("<I", head, 508)[0], False, index


def _compare_paths(found: set[str], wanted: set[str]) -> None:
    for path in sorted(found ^ wanted):
        raise ArchiveMismatch(f"{path} is {'not wanted' if path in found else 'missing'}")


def _compare_audio(pad: WantedPad, content: Content, device: str) -> None:
    audio = content.audio
    assert audio
    for name in ("rate", "channels", "frames", "wav_sha256"):
        _expect(pad.path, name, getattr(audio, name), getattr(pad, name))
    if pad.file_sha256:
        _expect(pad.path, "SHA-256", content.file.sha256, pad.file_sha256)
    if device == "sx" and audio.index is not None:
        _expect(pad.path, "index", audio.index, 12 * pad.bank + pad.pad - 1)


def _compare_config(data: bytes, wanted: WantedArchive) -> None:
    """Compare every pad of PADCONF.BIN or PAD_INFO.BIN, also the empty ones."""
    is_mk2 = wanted.device == "mk2"
    if len(data) < (52_000 if is_mk2 else 3_840):
        raise ArchiveMismatch(f"{wanted.config} is cut off")
    if is_mk2:
        _expect(wanted.config, "version", (data[:4], data[8:9]), (b"RFPD", b"\x03"))
        _compare_project(data, wanted.project)
    pads = {(pad.bank, pad.pad): pad for pad in wanted.pads}
    for index in range(160 if is_mk2 else 120):
        bank, number = divmod(index, 16 if is_mk2 else 12)
        at = (bank, number + 1)
        size = read_size(data, index, is_mk2=is_mk2)
        pad = pads.get(at)
        where = f"pad {'ABCDEFGHIJ'[bank]}{number + 1}"
        if pad is None:
            if size and at not in wanted.kept:
                raise ArchiveMismatch(f"{where} is described, but has no audio")
            continue
        _compare_size(where, pad, size)
        if not is_mk2 and not pad.is_as_read:
            stored = 1 if data[32 * index + 22] == 1 else 2
            _expect(where, "channels", stored, pad.channels)
        read = read_mk2_pad if is_mk2 else read_sx_pad
        _compare_settings(where, pad, read(data, index, pad.channels, pad.frames))


def _compare_size(where: str, pad: WantedPad, size: int) -> None:
    """Compare the size that the settings tell; of a file as it was read, the number of frames."""
    width = 2 * pad.channels
    if pad.is_as_read:
        _expect(where, "frames", (size - 512) // width, pad.frames)
    else:
        _expect(where, "size", size, 512 + width * pad.frames)


def read_size(data: bytes, index: int, *, is_mk2: bool) -> int:
    """Return the bytes of a pad's file that the settings tell; 0 if the pad is empty."""
    if is_mk2:
        return int.from_bytes(data[160 + 172 * index :][:4], "big")
    end = int.from_bytes(data[32 * index + 4 :][:4], "big")
    return end if end > 512 else 0


def _compare_settings(where: str, pad: WantedPad, found: dict[str, Any]) -> None:
    if "name" in found:
        _expect(where, "name", found["name"], pad.name)
        _expect(where, "chops", found["chops"] - {0}, set(pad.chops) - {0})
    for name, value in pad.settings.items():
        if name not in found or (value is None and name != "end"):
            continue  # the device has a value of its own for what is not known
        if isinstance(value, float) and isinstance(found[name], int | float):
            if abs(found[name] - value) > found.get("tempo_step", 0.0051):
                _expect(where, name, found[name], value)
        else:
            _expect(where, name, found[name], value)


def _compare_project(data: bytes, project: Mapping[str, Any]) -> None:
    tempo, *_ = words = struct.unpack_from(">28I", data, 16)
    found: dict[str, Any] = {
        "name": _text(data[128:160]),
        "tempo": _within(tempo & 0xFFFF, 4000, 20_000) / 100,
        "tempo_source": "project" if tempo >> 16 & 1 else "bank",
    }
    for name, value in found.items():
        _expect("the project", name, value, project[name])
    for bank, wanted in enumerate(project["banks"]):
        word = words[12 + bank]
        quiet = words[23 + bank // 2] >> (16 * (bank % 2)) & 0xFFFF
        stored = {
            "tempo": _within(word >> 1 & 0xFFFF, 4000, 20_000) / 100,
            "protect": bool(word & 1),
            "volume": 127 - min(127, quiet),
        }
        for name, value in stored.items():
            _expect(f"bank {'ABCDEFGHIJ'[bank]}", name, value, wanted[name])


def read_mk2_pad(data: bytes, index: int, channels: int, frames: int) -> dict[str, Any]:
    """Return what PADCONF.BIN says of a pad with audio; values out of range as the nearest."""
    words = struct.unpack_from(">43I", data, 160 + 172 * index)
    signed = struct.unpack_from(">43i", data, 160 + 172 * index)
    slots = struct.unpack_from(">16i", data, 31_520 + 128 * index)
    name_at = 27_680 + 24 * index
    flags = words[10]
    is_one_shot = bool(flags & 32)
    found: dict[str, Any] = {
        "name": _text(data[name_at : name_at + 23]),
        "chops": {slot for slot in slots if 0 <= slot < frames},
        "level": min(127, words[3]),
        "gate": words[4] != 0 and not is_one_shot,
        "loop": words[5] != 0 and not is_one_shot,
        "mute_group": min(10, words[7]),
        "bpm_sync": words[8] != 0,
        "bpm": _within(words[9], 4000, 20_000) / 100,
        "fixed_velocity": bool(flags & 1),
        "vari": ("off", "backing", "ensemble", "off")[flags >> 1 & 3],
        "chromatic": ("mono", "legato", "poly", "mono")[flags >> 3 & 3],
        "one_shot": is_one_shot,
        "pitch": _within(signed[13], -12, 12),
        "fine": _within(signed[14], -100, 100),
        "play_mode": _named(words[15], "forward reverse ping_pong reverse_ping_pong", "forward"),
        "speed": _within(words[16], 5000, 15_000) / 100,
        "vinyl": words[17] != 0,
        "pan": _within(words[18], 13, 115) - 64,
        "pad_link": min(10, words[19]),
        "bus": _named(words[20], "dry 1 2", "1"),
        "roll": min(10, words[21]),
        "attack": min(127, words[22]),
        "hold": _within(words[23], 1, 100),
        "release": min(127, words[24]),
    }
    positions = (words[1], words[2], words[11])
    return found | _read_positions(positions, channels, frames, shortest=1000)


def read_sx_pad(data: bytes, index: int, channels: int, frames: int) -> dict[str, Any]:
    """Return what PAD_INFO.BIN says of a pad with audio; values out of range as the nearest."""
    record = data[32 * index : 32 * index + 32]
    _, _, start, end, *flags, tempo, user_tempo = struct.unpack(">IIII8BII", record)
    level, lofi, loop, gate, is_reverse, is_wave, _, mode = flags
    found: dict[str, Any] = {
        "level": min(127, level),
        "lofi": lofi != 0,
        "loop": loop != 0,
        "gate": gate != 0,
        "play_mode": "reverse" if is_reverse == 1 else "forward",
        "container": "aiff" if is_wave == 0 else "wav",
        "tempo_mode": _named(mode, "off pattern user", "off"),
        "tempo_step": 0.051,
    }
    if tempo:
        found["bpm"] = _within(tempo, 400, 2000) / 10
        found["user_bpm"] = _within(user_tempo, 400, 2000) / 10
    positions = _read_positions((start, end, start), channels, frames, shortest=1)
    return found | {name: positions[name] for name in ("start", "end")}


def _read_positions(
    offsets: tuple[int, int, int], channels: int, frames: int, shortest: int
) -> dict[str, int | None]:
    """Return start, end (None: that of the audio) and loop point, inside the audio."""
    start, end, top = (min(frames, max(0, at - 512) // (2 * channels)) for at in offsets)
    region = min(shortest, frames)
    start = min(start, frames - region)
    end = max(end, start + region)
    top = _within(top, start, end)
    return {"start": start, "end": None if end >= frames else end, "loop_top": top}


def _text(raw: bytes) -> str:
    """Return the printable characters before the first NUL."""
    before = raw.partition(b"\0")[0]
    return bytes(byte for byte in before if 32 <= byte <= 126).decode("ascii").rstrip(" ")


def _named(number: int, names: str, otherwise: str) -> str:
    listed = names.split()
    return listed[number] if number < len(listed) else otherwise


def _within(number: int, low: int, high: int) -> int:
    return max(low, min(high, number))


def _expect(where: str, what: str, found: object, wanted: object) -> None:
    if found != wanted:
        raise ArchiveMismatch(f"{where}: {what} is {found!r}, not {wanted!r}")
