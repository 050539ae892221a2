"""A card that is taken in and exported unchanged gives back the same bytes."""

import hashlib
import uuid
from collections.abc import Callable, Mapping
from dataclasses import replace
from struct import pack, unpack_from

import pytest
from sqlmodel import select

from sp404_app.db import transaction
from sp404_app.devices.capabilities import DeviceKind
from sp404_app.jobs import runner
from sp404_app.models import JobKind, JobStatus, PadSource, ProcessingJob, User
from sp404_app.services.cards import import_plan, imports, preflight, project_reading
from sp404_app.services.cards.export_content import parse_target
from sp404_app.services.cards.imports import ListedFile
from sp404_app.services.cards.project_reading import RawRecord
from sp404_app.services.projects import history, pads
from sp404_app.services.projects.history import Target
from sp404_app.services.projects.kit import PadPosition
from sp404_app.services.projects.pads import PadChange
from tests.devices.real_files import needs_real_files, real_file, real_padconfs
from tests.services.cards import cards
from tests.services.cards.exported import contents_of, export

pytestmark = pytest.mark.usefixtures("services")

EXPORT_FOLDER = "EXPORT/PROJECT/PROJECT_01"
TakeIn = Callable[[uuid.UUID, Mapping[str, bytes]], dict[str, object]]


def project_of(user: User, result: Mapping[str, object]) -> Target:
    (project_id,) = result["project_ids"]  # type: ignore[misc]
    return Target(user.id, uuid.UUID(project_id))


def analyse_all() -> None:
    with transaction() as session:
        waiting = select(ProcessingJob.id).where(
            ProcessingJob.kind == JobKind.ANALYSE, ProcessingJob.status == JobStatus.QUEUED
        )
        ids = session.exec(waiting).all()
    for each in ids:
        runner.run(str(each))


@pytest.mark.parametrize("take_in", [cards.take_in, cards.take_in_zip])
def test_a_mk2_project_comes_back_byte_for_byte(user: User, take_in: TakeIn) -> None:
    card = cards.mk2_project(EXPORT_FOLDER)
    result = take_in(user.id, card)
    assert (result["missing"], result["problems"]) == ([], [])
    assert (result["samples"], result["duplicates"]) == (3, 0)
    target = project_of(user, result)
    analyse_all()
    assert contents_of(target, export(target, "mk2", "export", 1)) == card


@pytest.mark.parametrize("take_in", [cards.take_in, cards.take_in_zip])
def test_an_sx_card_comes_back_byte_for_byte_without_the_devices_state(
    user: User, take_in: TakeIn
) -> None:
    card = cards.sx_card()
    result = take_in(user.id, card)
    target = project_of(user, result)
    state = "ROLAND/SP-404SX/SMPL/STPINFO.BIN"
    expected = {path: data for path, data in card.items() if path != state}
    assert contents_of(target, export(target, "sx")) == expected


MK2_PADS = {0: "SMPL/BANK1-01.SMP", 1: "SMPL/BANK1-02.SMP"}


def mk2_card(pads: Mapping[int, tuple[bytes, int, int]], name: bytes = b"ODD") -> dict[str, bytes]:
    """A project in no folder: of each pad its file, its channels, and bytes to add to its size."""
    records = {
        index: (cards.record(len(file) + more, {2: len(file), 1: 512 + 4 * channels}), b"Odd", ())
        for index, (file, channels, more) in pads.items()
    }
    files = {MK2_PADS[index]: file for index, (file, _, _) in pads.items()}
    return {"PADCONF.BIN": cards.padconf(records, name), **files}


def smp_with_tail(inside: int, behind: bytes) -> bytes:
    """A stereo SMP file whose header counts `inside` bytes after the last frame."""
    words = pack(">4I", 4 * 6_000 + inside + 504, 48_000, 2, 16)
    digest = hashlib.md5(words, usedforsecurity=False).digest()
    head = b"RFWV" + words + bytes(12) + digest + bytes(464)
    return head + cards.swapped(cards.pcm(7, 6_000)) + b"\x77" * inside + behind


ODD_MK2: dict[str, dict[str, bytes]] = {
    "a size between two frames": mk2_card({0: (cards.smp(cards.pcm(1, 6_000)), 2, 2)}),
    "a size between two mono frames": mk2_card({0: (cards.smp(cards.pcm(1, 6_000, 1), 1), 1, 1)}),
    "a file that ends inside a frame": mk2_card({0: (smp_with_tail(3, b""), 2, 0)}),
    "bytes behind the audio": mk2_card({0: (smp_with_tail(0, b"left over"), 2, -9)}),
    "sounds below the minimum": mk2_card(
        {0: (cards.smp(cards.pcm(1, 500)), 2, 0), 1: (cards.smp(cards.pcm(2, 999, 1), 1), 1, 0)}
    ),
    "one frame": mk2_card({0: (cards.smp(cards.pcm(1, 1)), 2, 0)}),
    "no name": mk2_card({0: (cards.smp(cards.pcm(1, 6_000)), 2, 0)}, name=b""),
    "a name of bytes that cannot be shown": mk2_card(
        {0: (cards.smp(cards.pcm(1, 6_000)), 2, 0)}, name=b" \xff\x01  "
    ),
}


@pytest.mark.parametrize("take_in", [cards.take_in, cards.take_in_zip])
@pytest.mark.parametrize("kind", ODD_MK2)
def test_an_odd_mk2_project_comes_back_byte_for_byte(
    user: User, kind: str, take_in: TakeIn
) -> None:
    card = ODD_MK2[kind]
    result = take_in(user.id, card)
    assert (result["missing"], result["problems"]) == ([], [])
    target = project_of(user, result)
    analyse_all()
    expected = {f"{EXPORT_FOLDER}/{path}": data for path, data in card.items()}
    assert contents_of(target, export(target, "mk2", "export", 1)) == expected


@pytest.mark.parametrize("kind", ["bytes behind the audio", "a size between two frames"])
def test_a_known_sound_travels_again_only_if_bytes_behind_it_are_not_known(
    user: User, kind: str
) -> None:
    card = ODD_MK2[kind]
    cards.take_in(user.id, card)
    with transaction() as session:
        for source in session.exec(select(PadSource)):
            source.audio_tail = None  # as in rows that are older than this column
            session.add(source)
    import_id = cards.send(user.id, {"PADCONF.BIN": card["PADCONF.BIN"]})
    with transaction() as session:
        files = [
            ListedFile(path, len(data), hashlib.sha256(data).hexdigest())
            for path, data in card.items()
        ]
        imports.add_listing(session, user.id, import_id, files)
        asked = import_plan.plan_import(session, user.id, import_id, files).send
    assert asked == [MK2_PADS[0]] * (kind == "bytes behind the audio")
    cards.send(user.id, {path: card[path] for path in asked}, import_id)
    result = cards.finish(user.id, import_id).result
    assert result
    assert result["samples"] == 0
    target = project_of(user, result)
    expected = {f"{EXPORT_FOLDER}/{path}": data for path, data in card.items()}
    assert contents_of(target, export(target, "mk2", "export", 1)) == expected


def sx_odd_card(
    name: str, file: bytes, *, size: int | None = None, flags: str, start: int = 512
) -> dict[str, bytes]:
    """An SX card with one pad, A1."""
    end = len(file) if size is None else size
    record = cards.sx_record(end, start=start, flags=bytes.fromhex(flags))
    info = record + cards.EMPTY_SX_RECORD * 119
    folder = "ROLAND/SP-404SX/SMPL"
    return {f"{folder}/PAD_INFO.BIN": info, f"{folder}/{name}": file}


def sx_wave_with_tail(inside: bytes, behind: bytes) -> bytes:
    """A WAV file whose data end inside a frame, with a chunk behind them."""
    file = bytearray(cards.sx_wave(cards.pcm(9, 5_000) + inside, 0) + behind)
    file[4:8] = pack("<I", len(file) - 8)
    return bytes(file)


MONO, STEREO, AIFF = "7F00000100010100", "7F00000100010200", "7F00000100000200"
LONG_MONO, SHORT = cards.pcm(3, 5_000, 1), cards.pcm(4, 900)
CHUNK = b"LIST" + pack("<I", 4) + b"INFO"
ODD_SX: dict[str, dict[str, bytes]] = {
    "stale stereo on a mono file": sx_odd_card(
        "A0000001.WAV", cards.sx_wave(LONG_MONO, 0, 1), flags=STEREO, start=512 + 2 * 3_001
    ),
    "stale mono on a stereo file": sx_odd_card(
        "A0000001.WAV", cards.sx_wave(cards.pcm(5, 5_000), 0), flags=MONO, start=512 + 4 * 3_001
    ),
    "a size between two frames": sx_odd_card(
        "A0000001.WAV",
        cards.sx_wave(cards.pcm(5, 5_000), 0),
        size=512 + 4 * 5_000 + 3,
        flags=STEREO,
    ),
    "a file that ends inside a frame": sx_odd_card(
        "A0000001.WAV", sx_wave_with_tail(b"\1\2", b""), flags=STEREO
    ),
    "a chunk behind the audio": sx_odd_card(
        "A0000001.WAV", sx_wave_with_tail(b"", CHUNK), size=512 + 4 * 5_000, flags=STEREO
    ),
    "a sound below 100 ms": sx_odd_card("A0000001.WAV", cards.sx_wave(SHORT, 0), flags=STEREO),
    "a recorded sound below 100 ms": sx_odd_card(
        "A0000001.AIF", cards.sx_aiff(SHORT, 0), flags=AIFF
    ),
    "bytes behind a recorded sound": sx_odd_card(
        "A0000001.AIF", cards.sx_aiff(cards.pcm(6, 5_000), 0) + b"\0\0", flags=AIFF
    ),
}


@pytest.mark.parametrize("take_in", [cards.take_in, cards.take_in_zip])
@pytest.mark.parametrize("kind", ODD_SX)
def test_an_odd_sx_card_comes_back_byte_for_byte(user: User, kind: str, take_in: TakeIn) -> None:
    card = ODD_SX[kind]
    result = take_in(user.id, card)
    assert (result["missing"], result["problems"]) == ([], [])
    target = project_of(user, result)
    assert contents_of(target, export(target, "sx")) == card


def test_positions_of_a_mono_file_are_read_as_mono_whatever_its_record_says(user: User) -> None:
    result = cards.take_in(user.id, ODD_SX["stale stereo on a mono file"])
    with transaction() as session:
        pad = history.load_pads(session, project_of(user, result).project_id)[PadPosition(0, 1)]
    assert (pad.frames, pad.settings["start"], pad.settings["end"]) == (5_000, 3_001, None)


def test_a_short_sound_is_padded_once_its_pad_has_an_edit(user: User) -> None:
    card = ODD_MK2["sounds below the minimum"]
    target = project_of(user, cards.take_in(user.id, card))
    with transaction() as session:
        pads.set_pad(session, target, PadPosition(0, 1), PadChange(edit={"gain_db": -6}))
        checks = preflight.get_preflight(
            session, user.id, target.project_id, parse_target("mk2", "export", 1)
        ).pads
    assert [any("Padded" in what for what in each.changes) for each in checks] == [True, False]
    assert [each.frames for each in checks] == [1_000, 999]
    found = contents_of(target, export(target, "mk2", "export", 1))
    assert len(found[f"{EXPORT_FOLDER}/SMPL/BANK1-01.SMP"]) == 512 + 4 * 1_000
    assert found[f"{EXPORT_FOLDER}/SMPL/BANK1-02.SMP"] == card["SMPL/BANK1-02.SMP"]
    sizes = unpack_from(">I", found[f"{EXPORT_FOLDER}/PADCONF.BIN"], 0xA0)
    assert sizes == (512 + 4 * 1_000,)


def test_a_short_sound_is_padded_for_another_device_and_as_import_pack(user: User) -> None:
    target = project_of(user, cards.take_in(user.id, ODD_MK2["one frame"]))
    for device, header, frames in (("sx", 512, 4_411), ("import", 44, 1_000)):
        found = contents_of(target, export(target, device))
        (sound,) = [data for path, data in found.items() if path.endswith((".WAV", ".wav"))]
        assert len(sound) == header + 4 * frames


def test_a_moved_sx_pad_changes_the_index_in_its_file_only(user: User) -> None:
    card = ODD_SX["a sound below 100 ms"]
    target = project_of(user, cards.take_in(user.id, card))
    with transaction() as session:
        pads.move(session, target, PadPosition(0, 1), PadPosition(1, 2), "swap")
    found = contents_of(target, export(target, "sx"))
    before = card["ROLAND/SP-404SX/SMPL/A0000001.WAV"]
    after = found["ROLAND/SP-404SX/SMPL/B0000002.WAV"]
    assert [at for at, byte in enumerate(after) if byte != before[at]] == [58]
    assert len(after) == len(before)


def test_a_changed_pad_changes_its_own_bytes_only(user: User) -> None:
    card = cards.mk2_project(EXPORT_FOLDER)
    target = project_of(user, cards.take_in(user.id, card))
    with transaction() as session:
        pads.set_pad(session, target, PadPosition(0, 1), PadChange(settings={"level": 99}))
    found = contents_of(target, export(target, "mk2", "export", 1))
    config = f"{EXPORT_FOLDER}/PADCONF.BIN"
    differing = [at for at in range(52_000) if found[config][at] != card[config][at]]
    assert differing == [0xA0 + 0x0C + 3]
    assert {path for path in card if found[path] != card[path]} == {config}


@needs_real_files
@pytest.mark.parametrize("path", real_padconfs() or ["absent"])
def test_a_real_padconf_comes_back(user: User, path: str) -> None:
    config = real_file(path)
    card = {f"{EXPORT_FOLDER}/PADCONF.BIN": config, **sounds_for(config)}
    result = cards.take_in(user.id, card)
    target = project_of(user, result)
    assert result["missing"] == []
    assert contents_of(target, export(target, "mk2", "export", 1)) == card


def sounds_for(config: bytes) -> dict[str, bytes]:
    """Return short sounds of the sizes in a PADCONF's records."""
    found = {}
    for index in range(160):
        size = int.from_bytes(config[0xA0 + index * 172 :][:4], "big")
        if size:
            bank, pad = divmod(index, 16)
            samples = cards.pcm(index, (size - 512) // 4)
            found[f"{EXPORT_FOLDER}/SMPL/BANK{bank + 1}-{pad + 1:02}.SMP"] = cards.smp(samples)
    return found


@needs_real_files
@pytest.mark.parametrize("path", [*real_padconfs(), "sx/PAD_INFO.BIN"])
def test_the_stored_pads_of_a_real_project_give_its_records_back(user: User, path: str) -> None:
    folder = "ROLAND/SP-404SX/SMPL/PAD_INFO.BIN" if "sx" in path else "IMPORT/P/PADCONF.BIN"
    result = cards.take_in(user.id, {folder: real_file(path)})
    assert result["samples"] == 0
    with transaction() as session:
        project = history.get_project(session, user.id, project_of(user, result).project_id)
        rows = history.load_pads(session, project.id)
        sources: dict[uuid.UUID | None, PadSource] = {
            row.id: row for row in session.exec(select(PadSource))
        }
    assert len(rows) == len(result["missing"]) > 0
    for row in rows.values():
        source = sources[row.source_id]
        device = DeviceKind(source.device)
        raw = RawRecord(source.record, source.name, source.chops)
        read = project_reading.read_record(device, raw)
        name = row.name if device is DeviceKind.MK2 else ""
        stored = replace(read, name=name, settings=row.settings, chops=tuple(row.chops))
        assert project_reading.write_record(device, stored, raw) == raw
        assert stored.settings == read.settings
