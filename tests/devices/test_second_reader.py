"""The second reader: finds every difference, by bytes that are built here by hand."""

import ast
import hashlib
import struct
import sys
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sp404_app.devices import second_reader
from sp404_app.devices.second_reader import (
    ArchiveMismatch,
    WantedArchive,
    WantedPad,
    compare_archive,
)

FRAMES = 4_800
PCM = struct.pack(f"<{2 * FRAMES}h", *(7 * n % 3_001 - 1_500 for n in range(2 * FRAMES)))
PADCONF, SMP = "P/PADCONF.BIN", "P/SMPL/BANK1-01.SMP"
PAD_INFO, SX_WAV = "S/SMPL/PAD_INFO.BIN", "S/SMPL/A0000001.WAV"
MK2_SETTINGS: dict[str, Any] = {
    "level": 100,
    "gate": False,
    "loop": True,
    "mute_group": 3,
    "bpm_sync": True,
    "bpm": 92.5,
    "fixed_velocity": True,
    "vari": "ensemble",
    "chromatic": "poly",
    "one_shot": False,
    "pitch": -5,
    "fine": -40,
    "play_mode": "ping_pong",
    "speed": 74.91,
    "vinyl": False,
    "pan": -51,
    "pad_link": 10,
    "bus": "2",
    "roll": 7,
    "attack": 1,
    "hold": 50,
    "release": 127,
    "start": 100,
    "end": 4_000,
    "loop_top": 200,
}
BANKS = [{"tempo": 90.0 + n, "volume": 127 - n, "protect": n == 2} for n in range(10)]
PROJECT = {"name": "Kit", "tempo": 89.0, "tempo_source": "project", "banks": BANKS}


def plain_wav(rate: int, pcm: bytes = PCM) -> bytes:
    """Build a stereo WAV file as its description says."""
    layout = struct.pack("<IHHIIHH", 16, 1, 2, rate, 4 * rate, 4, 16)
    body = b"WAVEfmt " + layout + b"data" + struct.pack("<I", len(pcm)) + pcm
    return b"RIFF" + struct.pack("<I", len(body)) + body


def swapped(pcm: bytes) -> bytes:
    samples = struct.unpack(f"<{len(pcm) // 2}h", pcm)
    return struct.pack(f">{len(samples)}h", *samples)


def smp() -> bytes:
    words = struct.pack(">IIII", len(PCM) + 504, 48_000, 2, 16)
    head = b"RFWV" + words + bytes(12) + hashlib.md5(words).digest()  # noqa: S324
    return head.ljust(512, b"\xa5") + swapped(PCM)


def padconf() -> bytes:
    """Build a project with one pad, word by word from the table of the format."""
    words = [0] * 43
    words[0:4] = [512 + len(PCM), 512 + 400, 512 + 16_000, 100]
    words[4:13] = [0, 0x7FFFFFFF, 1, 3, 1, 9250, 1 | 4 | 16, 512 + 800, 0]
    words[13:20] = [2**32 - 5, 2**32 - 40, 2, 7491, 0, 13, 10]
    words[20:25] = [2, 7, 1, 50, 127]
    empty = struct.pack(">43I", *[0] * 3, 127, 1, *[0] * 38)
    volumes = [2 * n | (2 * n + 1) << 16 for n in range(5)]
    banks = [200 * (90 + n) + (n == 2) for n in range(10)]
    settings = struct.pack(">28I", 1 << 16 | 8900, *[0] * 11, *banks, 0, *volumes)
    header = b"RFPD" + bytes([0, 0, 0, 0xA0, 3, 0, 0, 0, 0, 0, 0x7A, 0x80])
    names = b"Kick".ljust(24, b"\0") + (b" " * 23 + b"\0") * 159
    slots = struct.pack(">16i", 0, 700, *[-1] * 14) + bytes(64)
    chops = slots + (struct.pack(">16i", *[-1] * 16) + bytes(64)) * 159
    records = struct.pack(">43I", *words) + empty * 159
    return header + settings + b"Kit".ljust(32, b"\0") + records + names + chops


def sx_wav(index: int = 0) -> bytes:
    layout = struct.pack("<IHHIIHHH", 18, 1, 2, 44_100, 176_400, 4, 16, 0)
    mark = b"RLND" + struct.pack("<I", 458) + b"roifspsx" + struct.pack("<II", 4, index)
    body = b"WAVEfmt " + layout + mark + bytes(442) + b"data" + struct.pack("<I", len(PCM)) + PCM
    return b"RIFF" + struct.pack("<I", len(body)) + body


def pad_info() -> bytes:
    end = 512 + len(PCM)
    record = struct.pack(">IIII", 512, end, 512 + 400, end)
    record += bytes([90, 1, 1, 0, 1, 1, 2, 2]) + struct.pack(">II", 1201, 1100)
    empty = struct.pack(">IIII", *[512] * 4) + bytes.fromhex("7F00000100010200000004B0000004B0")
    return record + empty * 119


SX_SETTINGS: dict[str, Any] = {
    "level": 90,
    "lofi": True,
    "loop": True,
    "gate": False,
    "play_mode": "reverse",
    "container": "wav",
    "tempo_mode": "user",
    "bpm": 120.1,
    "user_bpm": 110.0,
    "start": 100,
    "end": None,
}


def wanted_pad(path: str, rate: int, settings: dict[str, Any], **more: Any) -> WantedPad:
    digest = hashlib.sha256(plain_wav(rate)).hexdigest()
    return WantedPad(path, 0, 1, rate, FRAMES, 2, digest, settings=settings, **more)


MK2 = WantedArchive(
    "mk2",
    (wanted_pad(SMP, 48_000, MK2_SETTINGS, name="Kick", chops=(700,)),),
    PADCONF,
    PROJECT,
)
SX = WantedArchive("sx", (wanted_pad(SX_WAV, 44_100, SX_SETTINGS),), PAD_INFO)
PACK = WantedArchive("import", (wanted_pad("IMPORT/Kit/A/01 Kick.wav", 48_000, {}),))


def files_of(wanted: WantedArchive) -> dict[str, bytes]:
    if wanted.device == "mk2":
        return {PADCONF: padconf(), SMP: smp()}
    if wanted.device == "sx":
        return {SX_WAV: sx_wav(), PAD_INFO: pad_info()}
    return {wanted.pads[0].path: plain_wav(48_000)}


def archive(folder: Path, files: dict[str, bytes], **info: Any) -> Path:
    path = folder / "export.zip"
    with zipfile.ZipFile(path, "w") as out:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name, info.get("time", (1980, 1, 1, 0, 0, 0)))
            entry.compress_type = info.get("method", zipfile.ZIP_STORED)
            out.writestr(entry, content)
    return path


@pytest.mark.parametrize("wanted", [MK2, SX, PACK], ids=lambda each: each.device)
def test_what_was_wanted_is_found(tmp_path: Path, wanted: WantedArchive) -> None:
    files = files_of(wanted)
    path = archive(tmp_path, files)
    seen: list[float] = []
    found = compare_archive(path, wanted, report=seen.append)
    assert [file.path for file in found] == list(files)
    whole = path.read_bytes()
    for file in found:
        content = files[file.path]
        assert whole[file.offset : file.offset + file.bytes] == content
        assert file.sha256 == hashlib.sha256(content).hexdigest()
    assert seen[-1] == 1.0


@pytest.mark.parametrize("name", sorted(MK2_SETTINGS))
def test_every_setting_of_the_mk2_is_compared(tmp_path: Path, name: str) -> None:
    ensure_compared(tmp_path, MK2, name)


@pytest.mark.parametrize("name", sorted(SX_SETTINGS))
def test_every_setting_of_the_sx_is_compared(tmp_path: Path, name: str) -> None:
    ensure_compared(tmp_path, SX, name)


def other_value(value: object) -> object:
    """Return a value that the second reader must tell from this one."""
    match value:
        case bool():
            return not value
        case float():
            return value + 0.2
        case int():
            return value + 1
        case str():
            return "other"
        case _:
            return 1


def ensure_compared(folder: Path, wanted: WantedArchive, name: str) -> None:
    """Check that another wanted value of a setting is a mismatch."""
    (pad,) = wanted.pads
    changed = replace(pad, settings={**pad.settings, name: other_value(pad.settings[name])})
    with pytest.raises(ArchiveMismatch, match=name):
        compare_archive(archive(folder, files_of(wanted)), replace(wanted, pads=(changed,)))


@pytest.mark.parametrize(
    "change",
    [
        {"name": "Snare"},
        {"chops": (701,)},
        {"frames": FRAMES - 1},
        {"channels": 1},
        {"rate": 44_100},
        {"wav_sha256": "0" * 64},
        {"pad": 2},
        {"path": "P/SMPL/BANK1-02.SMP"},
    ],
    ids=lambda each: next(iter(each)),
)
def test_another_pad_is_a_mismatch(tmp_path: Path, change: dict[str, Any]) -> None:
    (pad,) = MK2.pads
    with pytest.raises(ArchiveMismatch):
        compare_archive(
            archive(tmp_path, files_of(MK2)), replace(MK2, pads=(replace(pad, **change),))
        )


@pytest.mark.parametrize("name", ["name", "tempo", "tempo_source", "banks"])
def test_the_settings_of_the_project_are_compared(tmp_path: Path, name: str) -> None:
    other = {
        "name": "Kit 2",
        "tempo": 90.0,
        "tempo_source": "bank",
        "banks": [*BANKS[1:], BANKS[0]],
    }
    wanted = replace(MK2, project=PROJECT | {name: other[name]})
    with pytest.raises(ArchiveMismatch):
        compare_archive(archive(tmp_path, files_of(MK2)), wanted)


@pytest.mark.parametrize("bank", range(10))
@pytest.mark.parametrize("field", ["tempo", "volume", "protect"])
def test_every_bank_is_compared(tmp_path: Path, bank: int, field: str) -> None:
    banks = [dict(each) for each in BANKS]
    banks[bank][field] = other_value(banks[bank][field])
    wanted = replace(MK2, project=PROJECT | {"banks": banks})
    with pytest.raises(ArchiveMismatch, match=field):
        compare_archive(archive(tmp_path, files_of(MK2)), wanted)


@pytest.mark.parametrize("wanted", [MK2, SX, PACK], ids=lambda each: each.device)
def test_a_changed_sample_of_audio_is_a_mismatch(tmp_path: Path, wanted: WantedArchive) -> None:
    files = files_of(wanted)
    (pad,) = wanted.pads
    content = bytearray(files[pad.path])
    content[-5] ^= 1
    with pytest.raises(ArchiveMismatch, match="wav_sha256"):
        compare_archive(archive(tmp_path, files | {pad.path: bytes(content)}), wanted)


def test_a_second_pad_without_audio_is_a_mismatch_unless_it_is_kept(tmp_path: Path) -> None:
    content = bytearray(padconf())
    content[160 + 172 : 160 + 176] = struct.pack(">I", 4512)
    path = archive(tmp_path, files_of(MK2) | {PADCONF: bytes(content)})
    with pytest.raises(ArchiveMismatch, match="pad A2 is described"):
        compare_archive(path, MK2)
    assert compare_archive(path, replace(MK2, kept=frozenset({(0, 2)})))


def test_the_index_in_a_file_of_the_sx_is_compared(tmp_path: Path) -> None:
    path = archive(tmp_path, files_of(SX) | {SX_WAV: sx_wav(1)})
    with pytest.raises(ArchiveMismatch, match="index"):
        compare_archive(path, SX)


def test_records_of_the_sx_with_wild_bytes_are_read_as_the_device_does(tmp_path: Path) -> None:
    files = files_of(SX)
    content = bytearray(files[PAD_INFO])
    content[22] = 0  # channels: anything but 1 is stereo
    content[32 + 4 : 32 + 8] = bytes((0, 0, 0, 44))  # an end before the audio is an empty pad
    assert compare_archive(archive(tmp_path, files | {PAD_INFO: bytes(content)}), SX)


def test_a_file_as_it_was_read_may_end_after_its_frames_and_have_stale_channels(
    tmp_path: Path,
) -> None:
    content = bytearray(pad_info())
    content[4:8] = struct.pack(">I", 512 + len(PCM) + 3)
    content[22] = 1
    longer = sx_wav() + b"tail"
    files = {SX_WAV: longer, PAD_INFO: bytes(content)}
    path = archive(tmp_path, files)
    digest = hashlib.sha256(longer).hexdigest()
    (pad,) = SX.pads
    as_read = replace(SX, pads=(replace(pad, is_as_read=True, file_sha256=digest),))
    assert compare_archive(path, as_read)
    with pytest.raises(ArchiveMismatch, match="length"):
        compare_archive(path, SX)
    other = replace(pad, is_as_read=True, file_sha256="0" * 64)
    with pytest.raises(ArchiveMismatch, match="SHA-256"):
        compare_archive(path, replace(SX, pads=(other,)))


@pytest.mark.parametrize(("at", "value", "what"), [(22, b"\1", "channels"), (7, b"\1", "size")])
def test_of_a_new_file_of_the_sx_channels_and_size_are_compared(
    tmp_path: Path, at: int, value: bytes, what: str
) -> None:
    content = bytearray(pad_info())
    content[at : at + 1] = value
    with pytest.raises(ArchiveMismatch, match=what):
        compare_archive(archive(tmp_path, files_of(SX) | {PAD_INFO: bytes(content)}), SX)


def test_an_aiff_file_of_the_sx_is_read(tmp_path: Path) -> None:
    name = "S/SMPL/A0000001.AIF"
    comm = struct.pack(">HIH", 2, FRAMES, 16) + bytes.fromhex("400eac44000000000000")
    head = b"FORM" + struct.pack(">I", 504 + len(PCM)) + b"AIFFCOMM" + struct.pack(">I", 18) + comm
    head += b"APPL" + struct.pack(">I", 450) + b"RLNDroifspsx" + struct.pack(">II", 4, 0)
    tail = b"SSND" + struct.pack(">III", len(PCM) + 8, 0, 0)
    content = head.ljust(496, b"\0") + tail + swapped(PCM)
    record = bytearray(pad_info())
    record[21] = 0
    settings = SX_SETTINGS | {"container": "aiff"}
    wanted = replace(SX, pads=(wanted_pad(name, 44_100, settings),))
    files = {name: content, PAD_INFO: bytes(record)}
    assert compare_archive(archive(tmp_path, files), wanted)


@pytest.mark.parametrize(
    ("place", "value"),
    [(0, b"XFWV"), (4, b"\0\0\0\1"), (8, b"\0\0\0\1"), (16, b"\0\0\0\x18"), (32, b"\0\0\0\0")],
)
def test_a_wrong_header_of_an_smp_file_is_a_mismatch(
    tmp_path: Path, place: int, value: bytes
) -> None:
    content = bytearray(smp())
    content[place : place + 4] = value
    with pytest.raises(ArchiveMismatch):
        compare_archive(archive(tmp_path, files_of(MK2) | {SMP: bytes(content)}), MK2)


def test_files_that_are_missing_unwanted_or_changed_are_a_mismatch(tmp_path: Path) -> None:
    files = files_of(PACK)
    with pytest.raises(ArchiveMismatch, match="is not wanted"):
        compare_archive(archive(tmp_path, {**files, "Z.txt": b"x"}), PACK)
    copies = replace(PACK, copies={"Z.txt": hashlib.sha256(b"y").hexdigest()})
    with pytest.raises(ArchiveMismatch, match="is missing"):
        compare_archive(archive(tmp_path, files), copies)
    with pytest.raises(ArchiveMismatch, match="SHA-256"):
        compare_archive(archive(tmp_path, {**files, "Z.txt": b"x"}), copies)


def test_other_times_order_or_compression_are_a_mismatch(tmp_path: Path) -> None:
    files = files_of(MK2)
    for options in ({"time": (1980, 1, 1, 0, 0, 2)}, {"method": zipfile.ZIP_DEFLATED}):
        with pytest.raises(ArchiveMismatch):
            compare_archive(archive(tmp_path, files, **options), MK2)
    with pytest.raises(ArchiveMismatch, match="not sorted"):
        compare_archive(archive(tmp_path, dict(reversed(files.items()))), MK2)


def test_a_damaged_archive_is_a_mismatch(tmp_path: Path) -> None:
    path = archive(tmp_path, files_of(PACK))
    whole = path.read_bytes()
    for damaged in (
        b"",
        whole[:-30],
        whole[:100],
        b"x" + whole[1:],
        whole.replace(b"IM", b"XX", 1),
    ):
        path.write_bytes(damaged)
        with pytest.raises(ArchiveMismatch):
            compare_archive(path, PACK)


def test_it_shares_no_code_with_the_writers() -> None:
    assert second_reader.__file__
    tree = ast.parse(Path(second_reader.__file__).read_text(encoding="utf-8"))
    roots = set[str]()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            roots |= {name.name.partition(".")[0] for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            roots.add((node.module or "").partition(".")[0])
    assert roots <= {*sys.stdlib_module_names, "numpy"}


def test_a_project_of_the_sx_without_a_tempo_is_read(tmp_path: Path) -> None:
    content = bytearray(pad_info())
    content[24:28] = bytes(4)
    (pad,) = SX.pads
    settings = SX_SETTINGS | {"bpm": None, "user_bpm": None}
    wanted = replace(SX, pads=(replace(pad, settings=settings),))
    assert compare_archive(archive(tmp_path, files_of(SX) | {PAD_INFO: bytes(content)}), wanted)


@pytest.mark.parametrize("wanted", [MK2, SX], ids=lambda each: each.device)
def test_settings_that_are_cut_off_are_a_mismatch(tmp_path: Path, wanted: WantedArchive) -> None:
    files = files_of(wanted)
    files[wanted.config] = files[wanted.config][:-3_000]
    with pytest.raises(ArchiveMismatch, match="cut off"):
        compare_archive(archive(tmp_path, files), wanted)


def test_audio_that_begins_at_no_known_place_is_a_mismatch(tmp_path: Path) -> None:
    content = bytearray(sx_wav())
    content[504:508] = b"LIST"
    with pytest.raises(ArchiveMismatch, match="neither at 44 nor at 512"):
        compare_archive(archive(tmp_path, files_of(SX) | {SX_WAV: bytes(content)}), SX)


def test_a_large_file_that_is_no_sound_is_hashed_in_blocks(tmp_path: Path) -> None:
    name, content = "IMPORT/Kit/photo.bmp", bytes(2 * second_reader.BLOCK_BYTES + 7)
    files = files_of(PACK) | {name: content}
    wanted = replace(PACK, copies={name: hashlib.sha256(content).hexdigest()})
    found = {file.path: file for file in compare_archive(archive(tmp_path, files), wanted)}
    assert found[name].sha256 == hashlib.sha256(content).hexdigest()


def test_an_archive_that_ends_within_a_file_is_a_mismatch(tmp_path: Path) -> None:
    path = archive(tmp_path, files_of(PACK))
    with path.open("rb") as file, pytest.raises(ArchiveMismatch, match="cut off"):
        list(second_reader._blocks(file, path.stat().st_size + 1))
