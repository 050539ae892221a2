"""POST /api/samples with ZIP archives: treated like folders, within limits."""

import pytest

from sp404_app.api.routes import uploads
from sp404_app.db import transaction
from sp404_app.models import User
from sp404_app.services.billing import quotas
from sp404_app.services.infra import storage
from sp404_app.services.library import archives
from tests.api.conftest import Send
from tests.services.zips import by_hand, zipped
from tests.sounds import wav


def test_a_zip_archive_is_treated_like_a_folder(send: Send) -> None:
    packed = zipped(
        ("Drums/kick.wav", wav(300)),
        ("Drums/._kick.wav", b"x"),
        ("Drums/broken.wav", b"x"),
        ("Drums/kick again.wav", wav(300)),
        ("read me.txt", b"x"),
        ("README", b"x"),
        ("snare.wav", wav(400)),
    )
    answer = send(("Dusty Kit.zip", packed), folder="Packs", folders_become_tags="true")
    body = answer.json()
    assert answer.status_code == 201
    assert {sample["name"]: sample["tags"] for sample in body["samples"]} == {
        "kick": ["Drums", "Dusty Kit", "Packs"],
        "snare": ["Dusty Kit", "Packs"],
    }
    assert {item["filename"]: item["code"] for item in body["rejected"]} == {
        "Dusty Kit.zip/Dusty Kit/Drums/broken.wav": "bad_audio",
        "Dusty Kit.zip/Dusty Kit/Drums/kick again.wav": "duplicate",
    }


@pytest.mark.parametrize(("folder", "tags"), [("", ["Drums", "Kit"]), ("Packs", ["Drums", "Kit"])])
def test_only_the_folder_around_an_archive_can_be_left_out_of_the_tags(
    send: Send, folder: str, tags: list[str]
) -> None:
    fields = {"folder": folder, "folders_become_tags": "true", "root_becomes_tag": "false"}
    answer = send(("Kit.zip", zipped(("Drums/kick.wav", wav(300)))), **fields)
    assert answer.json()["samples"][0]["tags"] == tags


def test_an_archive_is_recognised_by_content_not_by_name(send: Send) -> None:
    answer = send(("kit.wav", zipped(("a.wav", wav(300)))), ("b.wav", wav(400)))
    assert [sample["name"] for sample in answer.json()["samples"]] == ["a", "b"]


def test_an_unreadable_archive_does_not_affect_other_files(send: Send) -> None:
    answer = send(
        ("locked.zip", by_hand([b"a.wav"], wav(), flags=1)),
        ("broken.zip", b"PK\3\4" + bytes(99)),
        ("many.zip", by_hand([b"%d.wav" % n for n in range(2001)], b"x")),
        ("empty.zip", zipped()),
        ("good.wav", wav()),
    )
    assert answer.status_code == 201
    assert [item["filename"] for item in answer.json()["rejected"]] == [
        "locked.zip",
        "broken.zip",
        "many.zip",
        "empty.zip",
    ]


def test_an_archive_with_no_accepted_file_answers_422(send: Send) -> None:
    answer = send(("a.zip", zipped(("a.wav", b"x"), ("b.wav", b"y"))))
    assert answer.status_code == 422
    assert len(answer.json()["rejected"]) == 2


def test_the_rest_of_an_archive_is_not_unpacked_over_quota(
    send: Send, user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit = 2 * len(wav())
    room = quotas.ensure_storage
    asked: list[int] = []

    def ensure_room(session: object, user_id: object, size: int, _purpose: str = "ask") -> None:
        asked.append(size)
        with transaction() as inner:
            used = quotas.get_quota_usage(inner, user.id).storage_used
        if used + size > limit:
            room(session, user_id, 10**15)  # type: ignore[arg-type]

    monkeypatch.setattr(quotas, "ensure_storage", ensure_room)
    packed = zipped(*((f"{n}.wav", wav(300 + 10 * n)) for n in range(9)))
    body = send(("a.zip", packed)).json()
    assert len(body["samples"]) == 2
    assert [item["code"] for item in body["rejected"]] == ["storage_quota_exceeded"] * 7
    assert len(asked) == 5  # two checks per accepted file, one for the first rejected
    folder = storage._folder()
    assert folder
    assert len([path for path in folder.rglob("*") if path.is_file()]) == 2


def test_the_rest_of_an_archive_is_not_unpacked_after_a_disconnect(
    send: Send, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = iter([False, True])

    async def is_disconnected(_: object) -> bool:
        return next(gone)

    monkeypatch.setattr(uploads.Request, "is_disconnected", is_disconnected)
    packed = zipped(*((f"{n}.wav", wav(300 + 10 * n)) for n in range(9)))
    assert len(send(("a.zip", packed)).json()["samples"]) == 1


def test_an_archive_over_the_unpacked_limit_is_rejected(
    send: Send, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archives, "RATIO_ALLOWANCE_BYTES", 0)
    packed = zipped(("a.wav", bytes(10**7)))
    body = send(("a.zip", packed)).json()
    assert body["code"] == "too_large"
