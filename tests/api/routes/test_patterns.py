"""/api/projects/{id}/patterns: patterns that came with a project."""

import io
import uuid

import mido
import pytest
from fastapi.testclient import TestClient

from sp404_app.models import User
from tests.services.cards.pattern_files import Hit, mk2_pattern, put_files


@pytest.fixture
def path(client: TestClient, user: User) -> str:
    """The path of the patterns of a project with a good and a broken one."""
    made = client.post("/api/projects", json={"name": "Set", "tempo": 120}).json()["project"]
    good = mk2_pattern([Hit(0, "A1"), Hit(960, "A2", 100, 480, 2)])
    put_files(user.id, uuid.UUID(made["id"]), p1=good, p2=b"nothing")
    return f"/api/projects/{made['id']}/patterns"


def test_the_list_has_every_pattern_also_broken_ones(client: TestClient, path: str) -> None:
    good, broken = client.get(path).json()["patterns"]
    assert good == {
        "number": 1, "bank": "A", "pad": 1, "name": "A1", "tempo": 120.0, "bars": 1,
        "beats_per_bar": 4, "ppq": 480, "length": 1920, "note_count": 2, "problem": "",
        "pads": [{"bank": "A", "pad": pad, "name": "", "has_sound": False} for pad in (1, 2)],
    }  # fmt: skip
    assert (broken["number"], broken["bars"], broken["pads"]) == (2, 0, [])
    assert broken["problem"]


def test_a_pattern_has_its_notes(client: TestClient, path: str) -> None:
    first, second = client.get(f"{path}/1").json()["notes"]
    assert (first["tick"], first["pad"], first["velocity"]) == (0, 1, 127)
    assert second == {
        "tick": 960, "bank": "A", "pad": 2, "velocity": 100, "length": 480, "semitones": 2,
    }  # fmt: skip


def test_a_pattern_is_downloaded_as_midi(client: TestClient, path: str) -> None:
    answer = client.get(f"{path}/1.mid")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "audio/midi")
    assert 'filename="Set pattern A1.mid"' in answer.headers["content-disposition"]
    file = mido.MidiFile(file=io.BytesIO(answer.content))
    assert (file.type, file.ticks_per_beat, file.length) == (1, 480, 2.0)


def test_a_broken_pattern_has_no_midi(client: TestClient, path: str) -> None:
    answer = client.get(f"{path}/2.mid")
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")


@pytest.mark.parametrize("number", ["3", "160", "3.mid"])
def test_unknown_numbers_are_404(client: TestClient, path: str, number: str) -> None:
    assert client.get(f"{path}/{number}").status_code == 404


@pytest.mark.parametrize("number", ["0", "161", "x", "-1.mid"])
def test_impossible_numbers_are_422(client: TestClient, path: str, number: str) -> None:
    assert client.get(f"{path}/{number}").status_code == 422


def test_another_users_patterns_are_unknown(
    client: TestClient, path: str, stranger: dict[str, str]
) -> None:
    for tail in ("", "/1", "/1.mid"):
        assert client.get(path + tail, headers=stranger).status_code == 404
