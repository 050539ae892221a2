"""Reading projects of a card from files on disk, without a database."""

import hashlib
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from struct import pack_into

import pytest

from sp404_app.errors import NotFound
from sp404_app.services.cards import card_reading
from sp404_app.services.cards.known_sounds import KnownSound
from tests.services.cards import cards


class LocalFiles:
    """Files of a card in a folder."""

    def __init__(self, folder: Path, files: Mapping[str, bytes]) -> None:
        self.folder, self.files = folder, files
        self.not_sent: set[str] = set()

    def sizes(self) -> dict[str, int]:
        return {path: len(data) for path, data in self.files.items()}

    def sha256(self, path: str) -> str:
        return hashlib.sha256(self.files[path]).hexdigest()

    @contextmanager
    def local(self, path: str) -> Iterator[Path]:
        if path in self.not_sent:
            raise NotFound("This file was not sent.")
        target = self.folder / "file"
        target.write_bytes(self.files[path])
        yield target


def test_the_patterns_of_a_project_and_of_a_card_are_bounded_in_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(card_reading, "MAX_PROJECT_COPIES_BYTES", 250)
    monkeypatch.setattr(card_reading, "MAX_CARD_COPIES_BYTES", 350)
    files: dict[str, bytes] = {}
    for name in ("One", "Two"):
        files[f"{name}/PADCONF.BIN"] = cards.padconf({})
        files |= {f"{name}/PTN/PTN{number:05}.BIN": bytes(100) for number in (1, 2, 3)}
    card = card_reading.read_projects(LocalFiles(tmp_path, files), None)
    assert [len(project.copies) for project in card.projects] == [2, 1]
    assert [(each.path, each.why) for each in card.problems] == [
        (path, card_reading.TOO_MANY_COPIES)
        for path in ("One/PTN/PTN00003.BIN", "Two/PTN/PTN00002.BIN", "Two/PTN/PTN00003.BIN")
    ]


def test_a_known_sound_keeps_its_own_rate(tmp_path: Path) -> None:
    card = cards.sx_card("")
    files = LocalFiles(tmp_path, card)
    path = "SMPL/A0000001.WAV"
    files.not_sent = {path}
    known = KnownSound(uuid.uuid4(), "digest", 2, 9_600, 48_000, b"", b"")
    read = card_reading.read_projects(files, None)
    card_reading.read_sounds(read, files, {files.sha256(path): known}, lambda _: None)
    assert (read.sounds[path].frames, read.sounds[path].rate) == (9_600, 48_000)
    assert read.sounds["SMPL/B0000002.AIF"].rate == 44_100


@pytest.mark.parametrize(("second", "tempo"), [(1437, 143.7), (860, 90.0)])
def test_a_project_of_the_sx_has_the_tempo_that_its_pads_share(
    tmp_path: Path, second: int, tempo: float
) -> None:
    card = cards.sx_card("")
    config = bytearray(card["SMPL/PAD_INFO.BIN"])
    pack_into(">I", config, 13 * 32 + 24, second)
    files = LocalFiles(tmp_path, card | {"SMPL/PAD_INFO.BIN": bytes(config)})
    (project,) = card_reading.read_projects(files, None).projects
    assert project.read.kit.tempo == tempo
    assert project.read.kit.banks[0]["tempo"] == tempo
