"""Cards as devices write them, as `{path: bytes}`, and imports of them."""

import hashlib
import io
import random
import uuid
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from struct import pack, pack_into
from tempfile import NamedTemporaryFile
from typing import Any

from sp404_app.db import transaction
from sp404_app.jobs import runner
from sp404_app.models import JobStatus, ProcessingJob
from sp404_app.services.cards import imports, zip_import
from sp404_app.services.cards.imports import ListedFile

MK2_FRAMES, SX_FRAMES = 6_000, 5_000
EMPTY_SX_RECORD = bytes.fromhex("00000200" * 4 + "7F000001" + "00010200" + "000004B0" * 2)
# The 28 settings words of a project: project tempo 123.4, bank A 92.5 and protected, bank B 90.
SETTINGS = (12_340 | 1 << 16, 0, 0, 64, 64, 64, 0, *[32] * 5, 18_501, *[18_000] * 9, 0, *[0] * 5)
LOADED_WORDS = dict.fromkeys((4, 6, 17, 20), 1) | {3: 127, 9: 9000, 11: 512, 16: 10_000}
LOADED_WORDS |= {18: 64, 21: 2, 23: 100}
EMPTY_WORDS = LOADED_WORDS | {11: 0}


def pcm(seed: int, frames: int, channels: int = 2) -> bytes:
    """Noise as little-endian 16-bit samples."""
    return random.Random(seed).randbytes(2 * frames * channels)  # noqa: S311 - noise


def swapped(samples: bytes) -> bytes:
    """The samples in the other byte order."""
    both = bytearray(samples)
    both[0::2], both[1::2] = samples[1::2], samples[0::2]
    return bytes(both)


def smp(samples: bytes, channels: int = 2, filler: int = 0x5A) -> bytes:
    """An SMP file of these little-endian samples, with a filler that we would not write."""
    words = pack(">4I", len(samples) + 504, 48_000, channels, 16)
    digest = hashlib.md5(words, usedforsecurity=False).digest()
    return b"RFWV" + words + bytes(12) + digest + bytes([filler]) * 464 + swapped(samples)


def record(size: int, words: Mapping[int, int] | None = None) -> bytes:
    """The record of a MKII pad with a file of this size."""
    values = LOADED_WORDS | {0: size, 1: 512, 2: size} | dict(words or {})
    return pack(">43I", *(values.get(word, 0) for word in range(43)))


def padconf(
    pads: Mapping[int, tuple[bytes, bytes, Sequence[int]]], name: bytes = b"BEATS"
) -> bytes:
    """A PADCONF.BIN, version 3: record, raw name and chops of the used pads."""
    empty = (pack(">43I", *(EMPTY_WORDS.get(word, 0) for word in range(43))), b" " * 23 + b"\0", ())
    every = [pads.get(index, empty) for index in range(160)]
    head = b"RFPD" + pack(">I", 0xA0) + b"\3\0\0\0" + pack(">I", 0x7A80) + pack(">28I", *SETTINGS)
    chops = [pack(">16i16I", *each, *[-1] * (16 - len(each)), *[0] * 16) for _, _, each in every]
    return b"".join(
        [
            head,
            name.ljust(32, b" "),
            *(each[0] for each in every),
            *(each[1].ljust(24, b"\0") for each in every),
            *chops,
        ]
    )


def mk2_project(folder: str = "EXPORT/PROJECT/PROJECT_01", seed: int = 1) -> dict[str, bytes]:
    """A MKII project with edited pads, unknown words, odd names, patterns and pictures."""
    stereo, mono = pcm(seed, MK2_FRAMES), pcm(seed + 100, MK2_FRAMES, 1)
    size, mono_size = 512 + len(stereo), 512 + len(mono)
    changed = {1: 512 + 400, 2: size - 400, 3: 100, 5: 0x7FFFFFFF, 9: 12_050, 11: 512 + 800, 18: 20}
    unknown = {28: 77, 40: 5, 12: 3}
    pads = {
        0: (record(size, changed | unknown), b"Kick  drum", (0, 1000, 2500)),
        1: (record(mono_size, {15: 1, 11: mono_size}), b"Rev" + b"\0" + b"old name", ()),
        17: (record(size, {10: 32, 4: 0}), b"", ()),
    }
    files = {
        "PADCONF.BIN": padconf(pads),
        "SMPL/BANK1-01.SMP": smp(stereo),
        "SMPL/BANK1-02.SMP": smp(mono, 1, 0x11),
        "SMPL/BANK2-02.SMP": smp(pcm(seed + 200, MK2_FRAMES)),
        "PTN/PTN00001.BIN": bytes(range(64)),
        "PTN/PATTERNCHAIN_00.CHN": b"<ROLAND_SP404MKII_PATTERN_CHAIN/>",
        "PICTURE/startup_1.bmp": b"BM" + bytes(1084),
    }
    return {f"{folder}/{path}".lstrip("/"): data for path, data in files.items()}


def sx_wave(samples: bytes, index: int, channels: int = 2) -> bytes:
    """A WAV file as Roland's Wave Converter writes it."""
    per_frame = 2 * channels
    return b"".join(
        [
            b"RIFF" + pack("<I", len(samples) + 504) + b"WAVE",
            b"fmt " + pack("<I", 18),
            pack("<HHIIHHH", 1, channels, 44_100, 44_100 * per_frame, per_frame, 16, 0),
            b"RLND" + pack("<I", 458) + b"roifspsx" + pack("<II", 4, index) + bytes(442),
            b"data" + pack("<I", len(samples)),
            samples,
        ]
    )


def sx_aiff(samples: bytes, index: int, channels: int = 2) -> bytes:
    """An AIFF file as the device records it."""
    frames = len(samples) // (2 * channels)
    head = bytearray(512)
    head[0:12] = b"FORM" + pack(">I", len(samples) + 504) + b"AIFF"
    head[12:38] = b"COMM" + pack(">IHIH", 18, channels, frames, 16) + b"\x40\x0e\xac\x44" + bytes(6)
    head[38:58] = b"APPL" + pack(">I", 450) + b"RLND" + b"roifspsx"
    pack_into(">II", head, 58, 4, index)
    head[496:512] = b"SSND" + pack(">III", len(samples) + 8, 0, 0)
    return bytes(head) + swapped(samples)


def sx_record(size: int, *, start: int = 512, end: int | None = None, flags: bytes = b"") -> bytes:
    """The record of an SX pad."""
    offsets = pack(">4I", 512, size, start, size if end is None else end)
    return offsets + (flags or bytes.fromhex("7F00000100010200")) + pack(">II", 1437, 1437)


def sx_card(folder: str = "ROLAND/SP-404SX", seed: int = 50) -> dict[str, bytes]:
    """An SX card with an edited WAV pad, an AIFF pad, a deleted pad with stale flags, a pattern."""
    first, second = pcm(seed, SX_FRAMES), pcm(seed + 1, SX_FRAMES)
    size = 512 + len(first)
    records = [EMPTY_SX_RECORD] * 120
    records[0] = sx_record(
        size, start=512 + 400, end=size - 4, flags=bytes.fromhex("4001010001010202")
    )
    records[13] = sx_record(size, flags=bytes.fromhex("7F00000100000200"))
    records[5] = EMPTY_SX_RECORD[:16] + bytes.fromhex("1001010101010100") + EMPTY_SX_RECORD[24:]
    files = {
        "SMPL/PAD_INFO.BIN": b"".join(records),
        "SMPL/STPINFO.BIN": bytes(124),
        "SMPL/A0000001.WAV": sx_wave(first, 0),
        "SMPL/B0000002.AIF": sx_aiff(second, 13),
        "PTN/PTN00013.BIN": bytes(24),
    }
    return {f"{folder}/{path}".lstrip("/"): data for path, data in files.items()}


def zipped_card(files: Mapping[str, bytes]) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for path, data in files.items():
            archive.writestr(path, data)
    return target.getvalue()


def send(
    user_id: uuid.UUID, files: Mapping[str, bytes], import_id: uuid.UUID | None = None
) -> uuid.UUID:
    """Send files of a card; return the import's id."""
    if import_id is None:
        with transaction() as session:
            import_id = imports.create_import(session, user_id).id
    for path, data in files.items():
        with NamedTemporaryFile() as file, transaction() as session:
            file.write(data)
            file.flush()
            listed = ListedFile(path, len(data), hashlib.sha256(data).hexdigest())
            imports.store_file(session, user_id, import_id, listed, Path(file.name))
    return import_id


def finish(
    user_id: uuid.UUID, import_id: uuid.UUID, folders: Sequence[str] | None = None
) -> ProcessingJob:
    """Read an import with the job's own function; return the ended job."""
    with transaction() as session:
        job = imports.finish_import(session, user_id, import_id, folders)
    return run(job)


def run(job: ProcessingJob) -> ProcessingJob:
    runner.run(str(job.id))
    with transaction() as session:
        return session.get_one(ProcessingJob, job.id)


def take_in(user_id: uuid.UUID, files: Mapping[str, bytes]) -> dict[str, Any]:
    """Take in a card; return the job's result."""
    job = finish(user_id, send(user_id, files))
    assert job.status == JobStatus.DONE, job.error
    assert job.result
    return job.result


def take_in_zip(user_id: uuid.UUID, files: Mapping[str, bytes]) -> dict[str, Any]:
    """Take in a card as one ZIP archive; return the job's result."""
    with transaction() as session:
        packed = io.BytesIO(zipped_card(files))
        job = zip_import.import_archive(session, user_id, packed, "card.zip")
    ended = run(job)
    assert ended.status == JobStatus.DONE, ended.error
    assert ended.result
    return ended.result
