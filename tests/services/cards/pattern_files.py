"""Pattern files as the devices write them, and a function that puts them into a project.

The bytes are built by the tables of the formats, not by the product's code.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from sp404_app.db import transaction
from sp404_app.models import ProjectFile

BANKS = "ABCDEFGHIJ"
END = bytes.fromhex("00 8C 00 00 00 00 00 00")
MK2_QUARTER, SX_QUARTER = 480, 96


@dataclass(frozen=True, slots=True)
class Hit:
    """A note on a pad such as "A1"."""

    tick: int
    pad: str
    velocity: int = 127
    length: int = 240
    semitones: int = 0


def mk2_pattern(hits: Sequence[Hit], bars: int = 1, beats: int = 4) -> bytes:
    """Return a PTN file of an SP-404MKII; `hits` are in the order of their ticks."""
    signature = {4: 0, 3: 1}[beats]
    closing = bytes([bars, 0, 0, 0, signature, 0x80, bars, 1])
    return _records(hits, bars * beats * MK2_QUARTER, 16) + END + closing


def sx_pattern(hits: Sequence[Hit], bars: int = 1) -> bytes:
    """Return a PTN file of an SP-404SX."""
    return _records(hits, bars * 4 * SX_QUARTER, 12) + END + bytes([0, bars, 0, 0, 0, 0, 0, 0])


def _records(hits: Sequence[Hit], length: int, per_bank: int) -> bytes:
    found, now = b"", 0
    following = [*(hit.tick for hit in hits[1:]), length]
    found += _rest((hits[0].tick if hits else length) - now)
    for hit, then in zip(hits, following if hits else [], strict=True):
        bank = BANKS.index(hit.pad[0])
        first = min(255, then - hit.tick)
        place = 0x2F + bank % 5 * per_bank + int(hit.pad[1:]) - 1
        pitch = 0x8D + hit.semitones if per_bank == 16 else 0
        order = "little" if per_bank == 16 else "big"
        record = [first, place, bank // 5, pitch, hit.velocity, 64]
        found += bytes(record) + hit.length.to_bytes(2, order) + _rest(then - hit.tick - first)
    return found


def _rest(ticks: int) -> bytes:
    full, left = divmod(ticks, 255)
    rests = [255] * full + ([left] if left else [])
    return b"".join(bytes([each, 0x80, 0, 0, 0, 0, 0, 0]) for each in rests)


def put_files(user_id: uuid.UUID, project_id: uuid.UUID, **files: bytes) -> None:
    """Store patterns by number: `put_files(…, p13=…)` is PTN00013.BIN."""
    with transaction() as session:
        for name, data in files.items():
            path = f"PTN/PTN{int(name[1:]):05}.BIN"
            session.add(ProjectFile(project_id=project_id, path=path, user_id=user_id, data=data))
