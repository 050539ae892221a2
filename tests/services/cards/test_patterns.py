"""Patterns of projects in the database."""

import io
from collections.abc import Callable

import mido
import pytest

from sp404_app.db import transaction
from sp404_app.devices.capabilities import MK2, SX, Device
from sp404_app.errors import NotFound, ValidationFailed
from sp404_app.models import ProjectFile, ProjectSource, User
from sp404_app.services.cards import patterns
from sp404_app.services.cards.patterns import PatternDetails, PatternNote, PatternPad, PatternView
from sp404_app.services.projects import pads, projects
from sp404_app.services.projects.history import Target
from sp404_app.services.projects.kit import PadPosition
from tests.services.cards.pattern_files import Hit, mk2_pattern, put_files, sx_pattern
from tests.services.conftest import keep
from tests.sounds import Keep

__all__ = ["keep"]

BEAT = mk2_pattern([Hit(0, "A1"), Hit(480, "B2", 90, 1000, -3), Hit(960, "A1", 64)], bars=2)


def make(user: User, device: Device = MK2, name: str = "Set") -> Target:
    with transaction() as session:
        made = projects.create_project(session, user.id, name, device, tempo=96.5).project
    return Target(user.id, made.id)


def listed(target: Target) -> list[PatternView]:
    with transaction() as session:
        return patterns.list_patterns(session, target.user_id, target.project_id)


def read(target: Target, number: int) -> PatternDetails:
    with transaction() as session:
        return patterns.get_pattern(session, target.user_id, target.project_id, number)


def count(target: Target) -> int:
    with transaction() as session:
        return patterns.count_patterns(session, target.project_id)


def store(target: Target, **files: bytes) -> None:
    put_files(target.user_id, target.project_id, **files)


def test_patterns_are_listed_by_number_with_the_pads_they_play(user: User, keep: Keep) -> None:
    target = make(user)
    with transaction() as session:
        change = pads.PadChange(sample_id=keep("Kick.wav"))
        pads.set_pad(session, target, PadPosition(0, 1), change)
    store(target, p18=BEAT, p1=mk2_pattern([], bars=4, beats=3))
    empty, beat = listed(target)
    assert count(target) == 2
    assert (empty.number, empty.name, empty.bars, empty.beats_per_bar) == (1, "A1", 4, 3)
    assert (empty.note_count, empty.pads, empty.problem) == (0, [], "")
    assert (beat.number, beat.name, beat.bank, beat.pad) == (18, "B2", "B", 2)
    assert (beat.bars, beat.beats_per_bar, beat.ppq, beat.length) == (2, 4, 480, 3840)
    assert (beat.note_count, beat.tempo) == (3, 96.5)
    assert beat.pads == [PatternPad("A", 1, "Kick", True), PatternPad("B", 2, "", False)]


def test_a_pattern_has_its_notes(user: User) -> None:
    target = make(user)
    store(target, p18=BEAT)
    assert read(target, 18).notes == [
        PatternNote(0, "A", 1, 127, 240, 0),
        PatternNote(480, "B", 2, 90, 1000, -3),
        PatternNote(960, "A", 1, 64, 240, 0),
    ]


def test_a_pattern_of_an_sx_has_twelve_pads_a_bank(user: User) -> None:
    target = make(user, SX)
    store(target, p14=sx_pattern([Hit(0, "F12", 100, 300)]))
    found = read(target, 14)
    assert (found.name, found.ppq, found.length) == ("B2", 96, 384)
    assert found.notes == [PatternNote(0, "F", 12, 100, 300, 0)]


def test_the_device_that_wrote_a_pattern_counts(user: User) -> None:
    target = make(user, MK2)
    with transaction() as session:
        ids = {"project_id": target.project_id, "user_id": user.id}
        session.add(ProjectSource(**ids, device="sx", config=b""))
    store(target, p14=sx_pattern([Hit(0, "A1")]))
    assert (read(target, 14).name, read(target, 14).ppq) == ("B2", 96)


def test_a_pattern_plays_at_the_tempo_of_its_bank_if_the_project_says_so(user: User) -> None:
    target = make(user)
    store(target, p18=BEAT)
    with transaction() as session:
        banks = [{"bank": "B", "tempo": 141.0}]
        projects.change_details(session, target, {"banks": banks})
    assert read(target, 18).tempo == 96.5
    with transaction() as session:
        projects.change_details(session, target, {"tempo_source": "bank"})
    assert read(target, 18).tempo == 141.0


def test_a_broken_pattern_is_listed_with_the_reason(user: User) -> None:
    target = make(user)
    store(target, p1=b"RIFF", p2=BEAT[:-8], p3=BEAT)
    broken, cut, good = listed(target)
    assert broken.problem == "This is not a pattern of a SP-404, or it is cut off."
    assert cut.problem == "This pattern is cut off after its notes."
    assert good.problem == ""
    assert read(target, 1).notes == []
    with transaction() as session, pytest.raises(ValidationFailed, match="cut off"):
        patterns.export_midi(session, user.id, target.project_id, 1)


def test_large_patterns_are_not_read(user: User) -> None:
    target = make(user)
    rest = bytes.fromhex("FF 80 00 00 00 00 00 00")
    store(target, p1=rest * (patterns.MAX_BYTES // 8) + BEAT, p9=BEAT)
    assert [each.problem for each in listed(target)] == [patterns.TOO_LARGE, ""]
    whole = rest * (patterns.MAX_BYTES // 8 - 3) + BEAT[-16:]
    store(target, **{f"p{n}": whole for n in range(10, 18)})
    assert {each.problem for each in listed(target)[-2:]} == {patterns.NOT_READ}
    assert read(target, 17).problem == ""


def test_other_files_of_a_project_are_no_patterns(user: User) -> None:
    target = make(user)
    with transaction() as session:
        for path in ("PTN/PATTERNCHAIN_01.CHN", "PICTURE/startup_1.bmp", "PTN/PTN00161.BIN"):
            ids = {"project_id": target.project_id, "user_id": user.id}
            session.add(ProjectFile(**ids, path=path, data=BEAT))
    assert listed(target) == []
    for number in (-1, 0, 1, 161):
        with pytest.raises(NotFound):
            read(target, number)


def test_paths_are_found_in_any_case(user: User) -> None:
    target = make(user)
    with transaction() as session:
        ids = {"project_id": target.project_id, "user_id": user.id}
        session.add(ProjectFile(**ids, path="ptn/Ptn00002.bin", data=BEAT))
    assert [each.number for each in listed(target)] == [2]
    assert read(target, 2).note_count == 3


def test_midi_has_a_track_for_each_bank_at_the_tempo_of_the_pattern(user: User) -> None:
    target = make(user, name="Nacht ☾")
    store(target, p18=BEAT)
    with transaction() as session:
        midi = patterns.export_midi(session, user.id, target.project_id, 18)
    assert midi.name == "Nacht ☾ pattern B2.mid"
    file = mido.MidiFile(file=io.BytesIO(midi.data))
    assert (file.type, file.ticks_per_beat, len(file.tracks)) == (1, 480, 3)
    assert [track.name for track in file.tracks] == ["Nacht ? B2", "Bank A", "Bank B"]
    tempos = [message.tempo for message in file.tracks[0] if message.type == "set_tempo"]
    assert tempos == [round(60e6 / 96.5)]
    starts = [message for message in file.tracks[1] if message.type == "note_on"]
    assert [message.velocity for message in starts] == [127, 64]


def test_another_users_patterns_are_unknown(user: User, person: Callable[..., User]) -> None:
    target = make(user)
    store(target, p1=BEAT)
    foreign = Target(person().id, target.project_id)
    with pytest.raises(NotFound):
        listed(foreign)
    with pytest.raises(NotFound):
        read(foreign, 1)
