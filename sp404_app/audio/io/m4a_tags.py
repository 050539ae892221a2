"""Write tempo and key into the item list of an M4A file; its media data is copied.

The tempo is `tmpo`, which holds whole numbers only, so a fraction is also written as the free-form
item `BPM`. The key is the free-form item `initialkey`. If `moov` is in front of the media data, the
chunk offsets in it grow by as much as it does.

Sources: ISO/IEC 14496-12 (`stco`, `co64`); Apple, "QuickTime File Format", metadata; FFmpeg,
`libavformat/mov.c` (free-form items).
"""

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO, Final

from sp404_app.audio.io.parts import FileSlice
from sp404_app.audio.io.sound_tags import CannotHoldTags, SoundTags

MAX_MOOV_BYTES: Final = 1 << 26
MAX_ATOMS: Final = 4096
TRACK_PATH: Final = frozenset({b"moov", b"trak", b"mdia", b"minf", b"stbl"})
OFFSETS: Final = {b"stco": ">I", b"co64": ">Q"}
FREE_FORM: Final = b"----"
MEAN: Final = b"com.apple.iTunes"
UTF_8, INTEGER = 1, 21  # types of `data`
HANDLER: Final = bytes(8) + b"mdirappl" + bytes(9)


@dataclass(frozen=True, slots=True)
class Atom:
    """An atom in memory: its name and content."""

    name: bytes
    content: bytes

    def pack(self) -> bytes:
        """Return the atom with its header."""
        return struct.pack(">I4s", len(self.content) + 8, self.name) + self.content


def tag_m4a(file: BinaryIO, end: int, tags: SoundTags) -> list[bytes | FileSlice]:
    """Return the parts of the file with tags, in their order.

    Raises:
        CannotHoldTags: If the file is damaged or fragmented.
    """
    outer = list(_read_outer(file, end))
    found = [place for place in outer if place[0] == b"moov"]
    if len(found) != 1 or any(name in (b"moof", b"sidx") for name, _, _ in outer):
        raise CannotHoldTags("The file is fragmented or damaged.")
    _, start, stop = found[0]
    if stop - start > MAX_MOOV_BYTES:
        raise CannotHoldTags("The metadata of the file is too large.")
    file.seek(start + 8)
    old = file.read(stop - start - 8)
    moov = Atom(b"moov", _write_items(old, tags)).pack()
    growth = len(moov) - (stop - start)

    def move(offset: int) -> int:
        return offset + growth if offset >= stop else offset

    moved = Atom(b"moov", _move_offsets(moov[8:], move)).pack()
    return [FileSlice(file, 0, start), moved, FileSlice(file, stop, end)]


def _read_outer(file: BinaryIO, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Yield name, start and end of each outer atom."""
    at = 0
    for _ in range(MAX_ATOMS):
        if at == end:
            return
        file.seek(at)
        head = file.read(16)
        size = int.from_bytes(head[:4], "big")
        if size == 1:
            size = int.from_bytes(head[8:16], "big")
        size = size or end - at
        if size < 8 or at + size > end or (head[4:8] == b"moov" and head[:4] == b"\0\0\0\1"):
            raise CannotHoldTags("An atom of the file is damaged.")
        yield head[4:8], at, at + size
        at += size
    raise CannotHoldTags("The file has too many atoms.")


def _parse(content: bytes) -> list[Atom]:
    """Return the atoms inside another one."""
    atoms, at = [], 0
    while at < len(content):
        size = int.from_bytes(content[at : at + 4], "big")
        if size < 8 or at + size > len(content):
            if not any(content[at:]) and len(content) - at <= 4:
                break  # the terminator of `udta`
            raise CannotHoldTags("An atom of the file is damaged.")
        atoms.append(Atom(content[at + 4 : at + 8], content[at + 8 : at + size]))
        at += size
    return atoms


def _pack(atoms: list[Atom]) -> bytes:
    return b"".join(atom.pack() for atom in atoms)


def _replace(atoms: list[Atom], name: bytes, change: Callable[[bytes], bytes]) -> list[Atom]:
    """Change the content of the first atom of this name; add one if there is none."""
    places = [number for number, atom in enumerate(atoms) if atom.name == name]
    at = places[0] if places else len(atoms)
    old = atoms[at].content if places else b""
    return [*atoms[:at], Atom(name, change(old)), *atoms[at + 1 :]]


def _write_items(moov: bytes, tags: SoundTags) -> bytes:
    def items(old: bytes) -> bytes:
        kept = [item for item in _parse(old) if not _is_replaced(item, tags)]
        return _pack([*kept, *_new_items(tags)])

    def meta(old: bytes) -> bytes:
        atoms = _parse(old[4:]) if old else [Atom(b"hdlr", HANDLER)]
        return (old[:4] or bytes(4)) + _pack(_replace(atoms, b"ilst", items))

    def udta(old: bytes) -> bytes:
        return _pack(_replace(_parse(old), b"meta", meta))

    return _pack(_replace(_parse(moov), b"udta", udta))


def _is_replaced(item: Atom, tags: SoundTags) -> bool:
    if item.name == b"tmpo":
        return tags.bpm is not None
    if item.name != FREE_FORM:
        return False
    name = next((part.content[4:] for part in _parse(item.content) if part.name == b"name"), b"")
    return tags.replaces(name.decode("ascii", "replace"))


def _new_items(tags: SoundTags) -> Iterator[Atom]:
    if tags.bpm:
        yield Atom(b"tmpo", _data(INTEGER, struct.pack(">h", round(tags.bpm))))
        if tags.bpm != round(tags.bpm):
            yield _free_form(b"BPM", tags.bpm_text)
    if tags.key:
        yield _free_form(b"initialkey", tags.key_text)


def _data(kind: int, value: bytes) -> bytes:
    return Atom(b"data", struct.pack(">II", kind, 0) + value).pack()


def _free_form(name: bytes, text: str) -> Atom:
    named = [Atom(b"mean", bytes(4) + MEAN), Atom(b"name", bytes(4) + name)]
    return Atom(FREE_FORM, _pack(named) + _data(UTF_8, text.encode()))


def _move_offsets(content: bytes, move: Callable[[int], int]) -> bytes:
    """Return the atoms of a track, or of what holds tracks, with moved chunk offsets."""
    moved = []
    for atom in _parse(content):
        if atom.name in TRACK_PATH:
            moved.append(Atom(atom.name, _move_offsets(atom.content, move)))
        elif atom.name in OFFSETS:
            moved.append(Atom(atom.name, _move_table(atom.content, OFFSETS[atom.name], move)))
        else:
            moved.append(atom)
    return _pack(moved)


def _move_table(table: bytes, form: str, move: Callable[[int], int]) -> bytes:
    """Return a table of offsets after 8 bytes of version, flags and count."""
    width = struct.calcsize(form)
    count = int.from_bytes(table[4:8], "big")
    if len(table) != 8 + count * width:
        raise CannotHoldTags("A table of chunk offsets is damaged.")
    try:
        entries = [struct.pack(form, move(each)) for (each,) in struct.iter_unpack(form, table[8:])]
    except struct.error as error:
        raise CannotHoldTags("The file would be too large for its chunk offsets.") from error
    return table[:8] + b"".join(entries)
