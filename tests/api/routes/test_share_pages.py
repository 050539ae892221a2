"""The public page of a link: what visitors see, hear, download, save and report."""

import datetime as dt
import io
import re
import uuid
import zipfile
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from typing import Any

import pytest
from fastapi.testclient import TestClient
from PIL import Image
from sqlmodel import col, delete, select, update

from sp404_app import db
from sp404_app.api.app import api as app
from sp404_app.api.app import wrap_in_middleware
from sp404_app.audio.features.survey import survey_file
from sp404_app.devices.capabilities import MK2
from sp404_app.jobs import runner
from sp404_app.models import (
    ProcessingJob,
    Project,
    ProjectPad,
    Sample,
    Share,
    ShareDownload,
    ShareReport,
    User,
    Waveform,
)
from sp404_app.models.columns import now
from sp404_app.services.auth import sessions
from sp404_app.services.collections import collection_samples, collections
from sp404_app.services.infra import pictures, share_rate_limits, storage
from sp404_app.services.library import samples
from sp404_app.services.projects import projects
from sp404_app.services.sharing import (
    failed_files,
    share_counts,
    share_saving,
    shared_content,
    shares,
)
from sp404_app.services.sharing.shares import ShareOptions, ShareTarget
from sp404_app.settings import Settings
from tests.accounts import bearer, cookie, sign_up_user
from tests.sounds import Keep

PASSWORD = "sixteen pads and dust"
GONE = "This link doesn&#x27;t work any more."
# HTML, a formula, an override of the direction of text, and the end of a script element.
HOSTILE = '=cmd|"/c calc"!A1 \u202egnp.</title></script><script>alert(1)</script>\u2066<img src=x>'


@pytest.fixture
def visitor(services: Settings) -> Iterator[TestClient]:
    """A browser without an account, behind all middlewares."""
    wrapped = wrap_in_middleware(app)
    with TestClient(wrapped, base_url=services.origin) as client:
        client.headers["origin"] = services.origin
        yield client


@pytest.fixture
def owner(person: Callable[..., User]) -> User:
    return person("secret-owner@example.org", first_name="Ada", last_name="Beats")


@pytest.fixture
def sample_id(owner: User, keep: Keep) -> uuid.UUID:
    """A sound of the owner, with its waveform."""
    return survey(keep("Dusty kick.wav", owner=owner.id))


def survey(sample_id: uuid.UUID) -> uuid.UUID:
    with db.transaction() as session:
        sample = session.get_one(Sample, sample_id)
        with storage.local_copy(sample.storage_key) as path:
            found = survey_file(path)
        sample.thumbnail, sample.bpm = found.peaks.thumbnail(), 92.5
        session.add(sample)
        session.add(
            Waveform(sample_id=sample.id, user_id=sample.user_id, peaks=found.peaks.to_bytes())
        )
    return sample_id


def share(owner: User, kind: str, target: uuid.UUID, **options: Any) -> str:
    """Share something; return the path of the link."""
    with db.transaction() as session:
        made = shares.create_share(
            session, owner.id, ShareTarget(kind, target), ShareOptions(**options)
        )
    return made.url.removeprefix("http://localhost:3000")


def share_id_of(owner: User) -> uuid.UUID:
    with db.transaction() as session:
        return session.exec(select(Share.id).where(Share.user_id == owner.id)).one()


def change(owner: User, **values: object) -> None:
    with db.transaction() as session:
        session.exec(update(Share).where(col(Share.user_id) == owner.id).values(**values))


def make_project(owner: User, sample_ids: list[uuid.UUID]) -> uuid.UUID:
    with db.transaction() as session:
        return projects.create_project(session, owner.id, "Night kit", MK2, sample_ids).project.id


class Tags(HTMLParser):
    """The elements of a page with their attributes."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def meta(self) -> dict[str, str | None]:
        return {
            str(each.get("property") or each.get("name")): each.get("content")
            for tag, each in self.found
            if tag == "meta"
        }


def test_a_page_shows_the_sound_and_nothing_else_of_the_account(
    visitor: TestClient, owner: User, sample_id: uuid.UUID
) -> None:
    answer = visitor.get(share(owner, "sample", sample_id))
    assert answer.status_code == 200
    assert "Dusty kick" in answer.text
    assert "Ada Beats" in answer.text
    assert "92.5 BPM" in answer.text
    with db.transaction() as session:
        row = session.get_one(Sample, sample_id)
    for secret in (owner.email, str(owner.id), str(sample_id), row.storage_key, row.digest):
        assert secret not in answer.text
        assert secret not in str(answer.headers)


def test_an_owner_without_a_name_is_not_called_by_the_email(
    visitor: TestClient, person: Callable[..., User], keep: Keep
) -> None:
    nameless = person("nameless@example.org")
    path = share(nameless, "sample", keep(owner=nameless.id))
    answer = visitor.get(path)
    assert "by <bdi>a Crate 404 user</bdi>" in answer.text
    assert "nameless" not in answer.text


def test_a_page_has_open_graph_tags_with_full_addresses(
    visitor: TestClient, owner: User, sample_id: uuid.UUID, services: Settings
) -> None:
    path = share(owner, "sample", sample_id)
    meta = Tags(visitor.get(path).text).meta()
    assert meta["og:title"] == "Dusty kick"
    assert meta["og:url"] == f"{services.origin}{path}"
    assert str(meta["og:image"]).startswith(f"{services.origin}{path}/picture.png?v=")
    assert meta["og:audio"] == f"{services.origin}{path}/audio/1"
    assert meta["twitter:card"] == "summary_large_image"
    assert visitor.get(str(meta["og:image"])).status_code == 200


def test_pictures_of_what_a_link_showed_before_are_not_kept(
    visitor: TestClient, owner: User, sample_id: uuid.UUID
) -> None:
    path = share(owner, "sample", sample_id)
    for number in range(4):
        with db.transaction() as session:
            session.exec(update(Sample).values(name=f"Kick {number}"))
        assert visitor.get(f"{path}/picture.png").status_code == 200
    beginning = pictures.picture_key(owner.id, share_id_of(owner), "")
    stored = [each.key for each in storage.list_folder(beginning.rpartition("/")[0])]
    assert len([key for key in stored if key.startswith(beginning)]) <= 2


def test_a_page_and_its_audio_answer_head_as_they_answer_get(
    visitor: TestClient, owner: User, sample_id: uuid.UUID
) -> None:
    path = share(owner, "sample", sample_id, allow_download=ShareDownload.ORIGINAL)
    for part in ("", "/embed", "/oembed", "/picture.png", "/audio/1", "/download/1", "/report"):
        full, head = visitor.get(path + part), visitor.head(path + part)
        assert head.status_code == full.status_code == 200
        assert head.content == b""
        assert head.headers["content-type"] == full.headers["content-type"]


def test_search_engines_may_read_a_page_only_if_its_owner_wants(
    visitor: TestClient, owner: User, sample_id: uuid.UUID
) -> None:
    path = share(owner, "sample", sample_id)
    hidden = visitor.get(path)
    assert hidden.headers["x-robots-tag"] == "noindex, nofollow"
    assert Tags(hidden.text).meta()["robots"] == "noindex, nofollow"
    change(owner, allow_indexing=True, updated_at=now())
    shown = visitor.get(path)
    assert "x-robots-tag" not in shown.headers
    assert "robots" not in Tags(shown.text).meta()


def test_only_the_embedded_page_may_be_framed(
    visitor: TestClient, owner: User, sample_id: uuid.UUID
) -> None:
    path = share(owner, "sample", sample_id)
    framed = visitor.get(f"{path}/embed")
    assert framed.headers["content-security-policy"].endswith("frame-ancestors *")
    assert "x-frame-options" not in framed.headers
    for other in (path, f"{path}/report", "/terms", "/s/unknown"):
        answer = visitor.get(other)
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
        assert answer.headers["x-frame-options"] == "DENY"


def test_hostile_names_stay_text_in_html_open_graph_and_script_data(
    visitor: TestClient, person: Callable[..., User], keep: Keep
) -> None:
    owner = person(first_name="<b>Ada</b>", last_name='" onload="x\u202e')
    sample_id = keep(owner=owner.id)
    with db.transaction() as session:
        session.exec(update(Sample).values(name=HOSTILE[:200]))
    path = share(owner, "sample", sample_id)
    for address in (path, f"{path}/embed"):
        answer = visitor.get(address)
        tags = Tags(answer.text)
        scripts = [attributes for tag, attributes in tags.found if tag == "script"]
        assert [each.get("type") for each in scripts] == [None, "module", "application/json"]
        assert not [tag for tag, _ in tags.found if tag in ("img", "b")]
        assert not [each for _, each in tags.found if "onload" in each]
        for mark in "\u202e\u2066":
            assert mark not in answer.text
    title = Tags(visitor.get(path).text).meta()["og:title"]
    assert str(title).startswith('=cmd|"/c calc"!A1 gnp.</title></script><script>')


def test_the_scripts_of_a_page_are_served_as_modules(
    visitor: TestClient, owner: User, sample_id: uuid.UUID
) -> None:
    page = visitor.get(share(owner, "sample", sample_id))
    source = re.search(r'src="(/s/scripts/[^"]+/)share_page.js"', page.text)
    assert source
    folder = source[1]
    todo, seen = ["share_page.js", "share_pads.js", "share_sounds.js"], set()
    while todo:
        name = todo.pop()
        seen.add(name)
        answer = visitor.get(folder + name)
        assert answer.status_code == 200, name
        assert answer.headers["content-type"].startswith("text/javascript")
        imported = re.findall(r'(?:from|import\()\s*"\./([^"]+)"', answer.text)
        todo += [each for each in imported if each not in seen]
    processor = visitor.get(f"{folder}pad_processor.js?worker&url").text
    assert processor == f'export default "{folder}pad_processor.js";\n'
    assert visitor.get("/s/scripts/0/share_page.js").status_code == 404
    assert visitor.get(f"{folder}../frame.py").status_code == 404


def test_audio_is_a_preview_in_ranges_and_not_the_original(
    visitor: TestClient, owner: User, sample_id: uuid.UUID
) -> None:
    path = share(owner, "sample", sample_id)
    whole = visitor.get(f"{path}/audio/1")
    assert (whole.status_code, whole.headers["content-type"]) == (200, "audio/ogg")
    assert whole.content.startswith(b"OggS")
    part = visitor.get(f"{path}/audio/1", headers={"Range": "bytes=0-3"})
    assert (part.status_code, part.content) == (206, b"OggS")
    assert "no-cache" in whole.headers["cache-control"]
    etag = {"If-None-Match": whole.headers["etag"]}
    assert visitor.get(f"{path}/audio/1", headers=etag).status_code == 304
    assert visitor.get(f"{path}/audio/2").status_code == 404
    assert visitor.get(f"{path}/audio/1?v=anotherversion").status_code == 404


@pytest.mark.parametrize("end", ["revoked_at", "taken_down_at", "expires_at", "trash", "unknown"])
def test_a_link_that_has_ended_is_answered_like_one_that_never_existed(
    visitor: TestClient, owner: User, sample_id: uuid.UUID, end: str
) -> None:
    path = share(owner, "sample", sample_id, allow_download="original")
    etag = visitor.get(f"{path}/audio/1").headers["etag"]
    assert visitor.get(path).status_code == 200  # and its content is cached now
    if end == "trash":
        with db.transaction() as session:
            samples.delete_samples(session, owner.id, [sample_id])
    elif end == "unknown":
        path = "/s/" + "x" * 32
    else:
        change(owner, **{end: now() - dt.timedelta(seconds=1)})
    pages = [visitor.get(f"{path}{part}") for part in ("", "/embed", "/download/1", "/report")]
    assert {answer.status_code for answer in pages} == {404}
    assert all(GONE in answer.text for answer in pages)
    unknown = visitor.get("/s/" + "y" * 32)
    assert pages[0].text == unknown.text
    for part in ("/audio/1", "/picture.png"):
        assert visitor.get(path + part, headers={"If-None-Match": etag}).status_code == 404
    assert visitor.post(f"{path}/plays").status_code == 404
    assert visitor.post(f"{path}/save/1").status_code == 404


def test_a_project_is_played_pad_by_pad(
    visitor: TestClient, owner: User, sample_id: uuid.UUID, keep: Keep
) -> None:
    trashed = keep("Thrown away.wav", owner=owner.id)
    path = share(owner, "project", make_project(owner, [sample_id, trashed]))
    with db.transaction() as session:
        samples.delete_samples(session, owner.id, [trashed])
    answer = visitor.get(path)
    assert "Night kit" in answer.text
    assert 'data-pad="A1"' in answer.text
    assert 'data-pad="A2"' not in answer.text
    assert "Thrown away" not in answer.text
    assert str(sample_id) not in answer.text
    audio = visitor.get(f"{path}/pads/A/1/audio")
    assert (audio.status_code, audio.content) == (202, b"")  # a worker renders it
    with db.transaction() as session:
        renders = session.exec(select(ProcessingJob.id).where(ProcessingJob.kind == "render"))
        job_ids = [str(job_id) for job_id in renders]
    for job_id in job_ids:
        runner.run(job_id)
    assert visitor.get(f"{path}/pads/A/1/audio").content.startswith(b"RIFF")
    for pad in ("A/2", "A/3", "B/1", "AB/1", "Z/1", "A/0", "A/99"):
        assert visitor.get(f"{path}/pads/{pad}/audio").status_code == 404
    assert visitor.get(f"{path}/audio/1").status_code == 404


def make_collection(owner: User, sample_ids: list[uuid.UUID], **fields: Any) -> uuid.UUID:
    with db.transaction() as session:
        return collections.create_collection(
            session, owner.id, name="Dust", note="Take these.", sample_ids=sample_ids, **fields
        ).id


def test_a_collection_is_listed_in_its_order_without_what_is_in_the_trash(
    visitor: TestClient, owner: User, keep: Keep
) -> None:
    ids = [keep(f"Sound {number}.wav", owner=owner.id) for number in range(3)]
    path = share(owner, "collection", make_collection(owner, ids[::-1]))
    with db.transaction() as session:
        samples.delete_samples(session, owner.id, [ids[1]])
    page = visitor.get(path).text
    assert "Take these." in page
    names = re.findall(r"<bdi>(Sound \d)</bdi>", page)
    assert names == ["Sound 2", "Sound 0"]
    assert [visitor.get(f"{path}/audio/{number}").status_code for number in (1, 2, 3)] == [
        200,
        200,
        404,
    ]


def test_a_page_says_how_many_sounds_it_leaves_out(
    visitor: TestClient, owner: User, keep: Keep, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = [keep(f"Sound {number}.wav", owner=owner.id) for number in range(4)]
    path = share(owner, "collection", make_collection(owner, ids))
    monkeypatch.setattr(shared_content, "MAX_SOUNDS", 2)
    assert "The first 2 of 4 sounds" in visitor.get(path).text


def test_another_site_counts_no_play(
    visitor: TestClient, owner: User, sample_id: uuid.UUID
) -> None:
    path = share(owner, "sample", sample_id)
    elsewhere = {"Origin": "https://elsewhere.example"}
    assert visitor.post(f"{path}/plays", headers=elsewhere).status_code == 403
    assert visitor.post(f"{path}/plays").status_code == 204


@pytest.mark.parametrize(
    ("part", "downloads"),
    [("bytes=0-0", 0), ("bytes=1-", 0), ("bytes=0-", 1), ("bytes=0-99", 1), ("bytes=-9999999", 1)],
)
def test_a_download_is_counted_by_its_beginning(
    visitor: TestClient, owner: User, sample_id: uuid.UUID, part: str, downloads: int
) -> None:
    path = share(owner, "sample", sample_id, allow_download="original")
    answer = visitor.get(f"{path}/download/1", headers={"Range": part})
    assert answer.status_code in (200, 206)
    with db.transaction() as session:
        share_counts.write_counts(session)
    with db.transaction() as session:
        (found,) = shares.list_shares(session, owner.id)
    assert found.downloads == downloads


@pytest.mark.parametrize("pad", [0, 17, 2**31, 10**12])
def test_a_pad_that_no_bank_has_is_not_found(
    visitor: TestClient, owner: User, sample_id: uuid.UUID, pad: int
) -> None:
    path = share(owner, "project", make_project(owner, [sample_id]))
    assert visitor.get(f"{path}/pads/A/{pad}/audio").status_code in (404, 422)


def test_a_sound_that_was_taken_down_is_on_no_other_link(
    visitor: TestClient, owner: User, keep: Keep
) -> None:
    ids = [keep(f"Sound {number}.wav", owner=owner.id) for number in range(2)]
    share(owner, "sample", ids[0])
    change(owner, taken_down_at=now())
    options = {"allow_download": "original"}
    collection = share(owner, "collection", make_collection(owner, ids), **options)
    project = share(owner, "project", make_project(owner, ids), allow_download="sp404")
    for path in (collection, project):
        page = visitor.get(path).text
        assert ("Sound 0" in page, "Sound 1" in page) == (False, True)
    for part in ("/audio/1", "/download/1"):
        assert visitor.get(collection + part).status_code == 404
    assert visitor.get(f"{collection}/audio/2").status_code == 200
    assert visitor.get(f"{project}/pads/A/1/audio").status_code == 404
    assert visitor.get(f"{project}/pads/A/2/audio").status_code == 202
    assert visitor.get(f"{project}/download").status_code == 403


def test_a_reordered_collection_gives_no_visitor_another_sound(
    visitor: TestClient, owner: User, keep: Keep
) -> None:
    ids = [keep(f"Sound {number}.wav", owner=owner.id) for number in range(2)]
    collection_id = make_collection(owner, ids)
    path = share(owner, "collection", collection_id, allow_download="original")
    page = visitor.get(path).text
    version = re.findall(rf"{path}/audio/1[?]v=([0-9a-f]+)", page)[0]
    parts = f"{path}/audio/1?v={version}", f"{path}/download/1?v={version}"
    before = [visitor.get(part).content for part in parts]
    with db.transaction() as session:
        collection_samples.move_samples(session, owner.id, collection_id, [ids[1]], ids[0])
    assert [visitor.get(part).content for part in parts] == before
    with db.transaction() as session:
        collection_samples.remove_samples(session, owner.id, collection_id, [ids[0]])
    assert [visitor.get(part).status_code for part in parts] == [404, 404]


def test_a_sound_of_a_smart_collection_is_shared_while_it_matches(
    visitor: TestClient, owner: User, keep: Keep
) -> None:
    ids = [keep(f"Sound {number}.wav", owner=owner.id) for number in range(2)]
    rules = {"match": "all", "terms": [{"field": "rating", "op": "at_least", "value": 3}]}
    with db.transaction() as session:
        made = collections.create_collection(session, owner.id, name="Best", rules=rules).id
        session.get_one(Sample, ids[1]).rating = 4
        found = [session.get_one(Sample, each) for each in ids]
        versions = list(map(shared_content.version_of, found))
    path = share(owner, "collection", made)
    assert visitor.get(f"{path}/audio/1?v={versions[0]}").status_code == 404
    assert visitor.get(f"{path}/audio/1?v={versions[1]}").status_code == 200
    with db.transaction() as session:
        session.get_one(Sample, ids[1]).rating = 0
    assert visitor.get(f"{path}/audio/1?v={versions[1]}").status_code == 404


@pytest.mark.parametrize("version", ["%", "_" * 16, "0" * 15, "0" * 17, "A" * 16, "g" * 16, "\x00"])
def test_an_invalid_version_finds_no_sound(
    visitor: TestClient, owner: User, keep: Keep, version: str
) -> None:
    path = share(owner, "sample", keep("Sound.wav", owner=owner.id))
    assert visitor.get(f"{path}/audio/1", params={"v": version}).status_code == 404


def test_all_sounds_of_a_collection_are_saved_except_those_that_are_there(
    visitor: TestClient, owner: User, keep: Keep
) -> None:
    ids = [keep(f"Sound {number}.wav", owner=owner.id) for number in range(3)]
    path = share(owner, "collection", make_collection(owner, ids), allow_download="original")
    guest = sign_up_user()
    signed_in(visitor, guest.id)
    visitor.post(f"{path}/save/2")
    answer = visitor.post(f"{path}/save")
    assert "2 sounds saved to your library; 1 sound already in your library." in answer.text
    with db.transaction() as session:
        assert len(session.exec(select(Sample).where(Sample.user_id == guest.id)).all()) == 3


def pads_of(user_id: uuid.UUID) -> list[tuple[str, int, int, str, dict[str, Any]]]:
    """Return the pads of all projects of a user, with the digests of their sounds."""
    with db.transaction() as session:
        rows = session.exec(
            select(ProjectPad, Sample.digest)
            .join(Sample, col(Sample.id) == col(ProjectPad.sample_id))
            .where(ProjectPad.user_id == user_id, Sample.user_id == user_id)
            .order_by(col(ProjectPad.bank), col(ProjectPad.pad))
        )
        return [(row.name, row.bank, row.pad, digest, row.settings) for row, digest in rows]


def test_a_project_is_saved_with_its_sounds(visitor: TestClient, owner: User, keep: Keep) -> None:
    ids = [keep(f"Sound {number}.wav", owner=owner.id) for number in range(3)]
    project_id = make_project(owner, [*ids, ids[0]])
    with db.transaction() as session:
        session.exec(
            update(ProjectPad)
            .where(col(ProjectPad.pad) == 2)
            .values(settings={"volume": 90, "pan": -20})
        )
    path = share(owner, "project", project_id, allow_download="original")
    guest = sign_up_user()
    signed_in(visitor, guest.id)
    assert "Save to my projects" in visitor.get(path).text
    answer = visitor.post(f"{path}/save")
    assert "Saved to your projects; 3 sounds saved to your library." in answer.text
    assert pads_of(guest.id) == pads_of(owner.id)
    assert len(pads_of(guest.id)) == 4
    with db.transaction() as session:
        saved = session.exec(select(Project).where(Project.user_id == guest.id)).one()
    assert saved.name == "Night kit"
    assert f"/projects/{saved.id}" in answer.text
    again = visitor.post(f"{path}/save")
    assert "Saved to your projects; 3 sounds already in your library." in again.text
    for number in ("1", "4", "0", "99"):
        assert visitor.post(f"{path}/save/{number}").status_code == 404
    with db.transaction() as session:  # the second save was a double click
        assert len(session.exec(select(Project).where(Project.user_id == guest.id)).all()) == 1
    assert visitor.get(f"{path}/download/1").status_code == 404  # originals only by saving


def test_a_project_that_changes_while_it_is_saved_loses_no_sound(
    visitor: TestClient, owner: User, keep: Keep, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = [keep(f"Sound {number}.wav", owner=owner.id) for number in range(3)]
    path = share(owner, "project", make_project(owner, ids), allow_download="original")
    guest, save, saved = sign_up_user(), share_saving.save_sound, []

    def save_and_clear_first_pad(*arguments: Any) -> uuid.UUID:
        saved.append(save(*arguments))
        other = uuid.uuid4().hex * 2  # as a later version of the program gives it
        with db.transaction() as session:
            session.exec(update(Sample).where(col(Sample.id) == saved[-1]).values(digest=other))
            session.exec(delete(ProjectPad).where(col(ProjectPad.sample_id) == ids[0]))
        return saved[-1]

    monkeypatch.setattr(share_saving, "save_sound", save_and_clear_first_pad)
    signed_in(visitor, guest.id)
    assert "3 sounds saved" in visitor.post(f"{path}/save").text
    assert [(name, pad) for name, _, pad, _, _ in pads_of(guest.id)] == [
        ("Sound 1", 2),
        ("Sound 2", 3),
    ]


def test_a_full_account_saves_a_project_whose_sounds_it_has(
    visitor: TestClient, owner: User, sample_id: uuid.UUID
) -> None:
    path = share(owner, "project", make_project(owner, [sample_id]), allow_download="original")
    guest = sign_up_user()
    signed_in(visitor, guest.id)
    visitor.post(f"{path}/save")
    with db.transaction() as session:
        session.exec(update(Sample).where(col(Sample.user_id) == guest.id).values(size=101 << 20))
        session.exec(delete(Project).where(col(Project.user_id) == guest.id))
    assert "Saved to your projects" in visitor.post(f"{path}/save").text


def test_a_project_is_not_saved_when_there_is_no_room_for_its_sounds(
    visitor: TestClient, owner: User, keep: Keep
) -> None:
    ids = [keep(f"Sound {number}.wav", owner=owner.id) for number in range(2)]
    path = share(owner, "project", make_project(owner, ids), allow_download="original")
    guest = sign_up_user()
    signed_in(visitor, guest.id)
    with db.transaction() as session:
        session.exec(update(Sample).where(col(Sample.id) == ids[1]).values(size=101 << 20))
    assert "Your storage is full." in visitor.post(f"{path}/save").text
    with db.transaction() as session:
        assert session.exec(select(Project).where(Project.user_id == guest.id)).first() is None


def test_a_project_is_not_saved_beyond_the_limit_of_projects(
    visitor: TestClient, owner: User, sample_id: uuid.UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = share(owner, "project", make_project(owner, [sample_id]), allow_download="original")
    signed_in(visitor, sign_up_user().id)
    monkeypatch.setattr(projects, "MAX_PROJECTS", 0)
    assert "too many projects" in visitor.post(f"{path}/save").text


def test_a_collection_is_downloaded_in_one_archive(
    visitor: TestClient, owner: User, keep: Keep
) -> None:
    ids = [keep(f"Sound {number}.wav", owner=owner.id) for number in range(3)]
    path = share(owner, "collection", make_collection(owner, ids), allow_download="sp404")
    with db.transaction() as session:
        samples.delete_samples(session, owner.id, ids[:1])
    assert "Download all for SP-404MKII" in visitor.get(path).text
    assert visitor.get(f"{path}/download?as=wav").status_code == 403
    assert visitor.get(f"{path}/download").status_code == 403
    assert visitor.get(f"{path}/download?as=mk2").status_code == 202
    (job_id,) = download_jobs()
    end_jobs("failed", now())
    assert visitor.get(f"{path}/download?as=mk2").status_code == 409
    end_jobs("failed", now() - failed_files.PAUSE)
    assert visitor.get(f"{path}/download?as=mk2").status_code == 202
    (_, job_id) = sorted(download_jobs())
    runner.run(str(job_id))
    archive = visitor.get(f"{path}/download?as=mk2")
    assert (archive.status_code, archive.headers["content-type"]) == (200, "application/zip")
    names = zipfile.ZipFile(io.BytesIO(archive.content)).namelist()
    assert {"Sound 1.wav", "Sound 2.wav"} <= {name.rpartition("/")[2] for name in names}
    assert "Sound 0.wav" not in "".join(names)
    change(owner, allow_download="original", updated_at=now())
    assert visitor.get(f"{path}/download?as=mk2").status_code == 403
    assert visitor.get(f"{path}/download?as=wav").status_code == 202


def test_downloads_are_refused_unless_the_owner_allows_them(
    visitor: TestClient, owner: User, sample_id: uuid.UUID
) -> None:
    path = share(owner, "sample", sample_id)
    for part in ("", "?as=mk2", "?as=sx"):
        assert visitor.get(f"{path}/download/1{part}").status_code == 403
    assert 'data-testid="download"' not in visitor.get(path).text
    change(owner, allow_download="sp404", updated_at=now())
    assert visitor.get(f"{path}/download/1").status_code == 403
    assert visitor.get(f"{path}/download/1?as=flac").status_code == 403
    assert visitor.get(f"{path}/download/1?as=mk2").content.startswith(b"RIFF")
    change(owner, allow_download="original", updated_at=now())
    original = visitor.get(f"{path}/download/1")
    assert original.status_code == 200
    assert "Dusty%20kick.wav" in original.headers["content-disposition"]
    assert visitor.get(f"{path}/download/1?as=mk2").status_code == 403
    assert visitor.get(f"{path}/download").status_code == 403


def test_a_project_is_downloaded_when_its_export_is_made(
    visitor: TestClient, owner: User, sample_id: uuid.UUID
) -> None:
    path = share(owner, "project", make_project(owner, [sample_id]), allow_download="sp404")
    answer = visitor.get(f"{path}/download")
    assert answer.status_code == 202
    assert "Preparing the download" in answer.text
    assert 'http-equiv="refresh"' in answer.text
    with db.transaction() as session:
        is_export = ProcessingJob.kind == "export"
        job_id = session.exec(select(ProcessingJob.id).where(is_export)).one()
    runner.run(str(job_id))
    archive = visitor.get(f"{path}/download")
    assert (archive.status_code, archive.headers["content-type"]) == (200, "application/zip")
    assert zipfile.is_zipfile(io.BytesIO(archive.content))
    part = visitor.get(f"{path}/download", headers={"Range": "bytes=0-1"})
    assert (part.status_code, part.content) == (206, b"PK")


def download_jobs() -> list[uuid.UUID]:
    with db.transaction() as session:
        waiting = select(ProcessingJob.id).where(col(ProcessingJob.kind).in_(["export", "convert"]))
        return list(session.exec(waiting))


def end_jobs(status: str, at: dt.datetime) -> None:
    with db.transaction() as session:
        session.exec(update(ProcessingJob).values(status=status, finished_at=at))


@pytest.mark.parametrize("status", ["failed", "cancelled"])
@pytest.mark.parametrize("kind", ["project", "sample"])
def test_a_download_that_cannot_be_prepared_is_not_started_by_each_visitor(
    visitor: TestClient, owner: User, sample_id: uuid.UUID, kind: str, status: str
) -> None:
    target = make_project(owner, [sample_id]) if kind == "project" else sample_id
    part = "/download" if kind == "project" else "/download/1?as=mk2"
    path = share(owner, kind, target, allow_download="sp404") + part
    with db.transaction() as session:  # so long that a job converts it
        session.exec(update(Sample).values(duration=25.0))
    assert visitor.get(path).status_code == 202
    end_jobs(status, now())
    answers = [visitor.get(path) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [409] * 3
    assert "could not be prepared" in answers[0].text
    assert "refresh" not in answers[0].text
    assert len(download_jobs()) == 1
    end_jobs(status, now() - failed_files.PAUSE)
    assert visitor.get(path).status_code == 202


def test_a_password_protects_page_audio_and_picture(
    visitor: TestClient, owner: User, sample_id: uuid.UUID, services: Settings
) -> None:
    path = share(owner, "sample", sample_id, allow_download="original")
    picture = visitor.get(f"{path}/picture.png").content
    client = TestClient(app, base_url=services.origin, headers=bearer(owner.id))
    client.patch(f"/api/shares/{share_id_of(owner)}", json={"password": PASSWORD})
    for part in ("", "/embed", "/download/1", "/oembed"):
        asked = visitor.get(path + part)
        assert asked.status_code == 401
        assert "Dusty" not in asked.text
        assert "Ada" not in asked.text
    assert visitor.get(f"{path}/audio/1").status_code == 401
    assert visitor.get(f"{path}/picture.png").content != picture
    wrong = visitor.post(f"{path}/password", data={"password": "wrong"})
    assert (wrong.status_code, "Wrong password." in wrong.text) == (422, True)
    right = visitor.post(f"{path}/password", data={"password": PASSWORD}, follow_redirects=False)
    assert (right.status_code, right.headers["location"]) == (303, path)
    assert "HttpOnly" in right.headers["set-cookie"]
    assert f"Path={path}" in right.headers["set-cookie"]
    assert "Dusty kick" in visitor.get(path).text
    assert visitor.get(f"{path}/audio/1").status_code == 200
    client.patch(f"/api/shares/{share_id_of(owner)}", json={"password": PASSWORD + " 2"})
    assert visitor.get(path).status_code == 401


@pytest.mark.parametrize("ticket", ["", "x", ".", "9999999999.", "1.abc", "9" * 40 + ".x", "²."])
def test_a_forged_ticket_opens_nothing(
    visitor: TestClient, owner: User, sample_id: uuid.UUID, ticket: str
) -> None:
    path = share(owner, "sample", sample_id, password_hash="$2b$12$x")
    header = f"sp404_share_{share_id_of(owner).hex}={ticket}".encode()
    assert visitor.get(path, headers={"Cookie": header}).status_code == 401


def test_passwords_are_tried_a_few_times_only(
    visitor: TestClient, owner: User, sample_id: uuid.UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(share_rate_limits, "PASSWORDS_PER_HOST", 2)
    path = share(owner, "sample", sample_id, password_hash="$2b$12$x")
    answers = [visitor.post(f"{path}/password", data={"password": "no"}) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [422, 422, 429, 429]
    assert int(answers[3].headers["retry-after"]) > 0


def test_many_hosts_together_are_limited_too(
    visitor: TestClient, owner: User, sample_id: uuid.UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(share_rate_limits, "PASSWORDS_OF_ALL_HOSTS", 2)
    path = share(owner, "sample", sample_id, password_hash="$2b$12$x")
    statuses = []
    for host in range(4):
        browser = TestClient(
            app, base_url="http://localhost:3000", client=(f"198.51.100.{host}", 1)
        )
        answer = browser.post(f"{path}/password", data={"password": "no"})
        statuses.append(answer.status_code)
    assert statuses == [422, 422, 429, 429]


def test_a_host_that_guesses_tokens_is_refused_even_if_one_is_right(
    visitor: TestClient, owner: User, sample_id: uuid.UUID
) -> None:
    path = share(owner, "sample", sample_id)
    statuses = [visitor.get(f"/s/{number:032}").status_code for number in range(40)]
    assert statuses[:30] == [404] * 30
    assert set(statuses[31:]) == {429}
    assert visitor.get(path).status_code == 429
    elsewhere = TestClient(app, base_url="http://localhost:3000", client=("198.51.100.7", 1))
    assert elsewhere.get(path).status_code == 200


def test_visitors_of_a_revoked_link_are_not_taken_for_guessers(
    visitor: TestClient, owner: User, sample_id: uuid.UUID
) -> None:
    path = share(owner, "sample", sample_id)
    change(owner, revoked_at=now())
    assert {visitor.get(path).status_code for _ in range(40)} == {404}


def test_the_picture_is_as_open_graph_recommends_and_drawn_once(
    visitor: TestClient, owner: User, sample_id: uuid.UUID, keep: Keep
) -> None:
    paths = [
        share(owner, "sample", sample_id),
        share(owner, "project", make_project(owner, [sample_id])),
    ]
    for path in paths:
        first = visitor.get(f"{path}/picture.png")
        assert Image.open(io.BytesIO(first.content)).size == (1200, 630)
        assert visitor.get(f"{path}/picture.png").content == first.content
    drawn = [each.key for each in storage.list_folder(f"pictures/{owner.id.hex}")]
    assert len(drawn) == 2
    with db.transaction() as session:
        shares.revoke_share(session, owner.id, shares.list_shares(session, owner.id)[0].id)
    assert len(storage.list_folder(f"pictures/{owner.id.hex}")) == 1


def signed_in(visitor: TestClient, user_id: uuid.UUID) -> None:
    visitor.cookies.set(sessions.cookie_name(), cookie(user_id))


def test_a_visitor_with_an_account_saves_a_sound(
    visitor: TestClient, owner: User, sample_id: uuid.UUID
) -> None:
    path = share(owner, "sample", sample_id, allow_download="original")
    guest = sign_up_user()
    signed_in(visitor, guest.id)
    answer = visitor.post(f"{path}/save/1", follow_redirects=False)
    assert answer.status_code == 303
    page = visitor.get(answer.headers["location"])
    assert "1 sound saved to your library." in page.text
    with db.transaction() as session:
        saved = session.exec(select(Sample).where(Sample.user_id == guest.id)).one()
        source = session.get_one(Sample, sample_id)
        assert saved.shared_by == "Ada Beats"
        assert (saved.name, saved.digest, saved.size) == (source.name, source.digest, source.size)
        assert saved.storage_key != source.storage_key
        assert storage.read_bytes(saved.storage_key) == storage.read_bytes(source.storage_key)
    assert f"/samples/{saved.id}" in page.text
    again = visitor.post(f"{path}/save/1")
    assert "1 sound already in your library." in again.text


def test_saving_asks_for_room(visitor: TestClient, owner: User, sample_id: uuid.UUID) -> None:
    path = share(owner, "sample", sample_id, allow_download="original")
    guest = sign_up_user()
    signed_in(visitor, guest.id)
    with db.transaction() as session:
        session.exec(update(Sample).where(col(Sample.id) == sample_id).values(size=101 << 20))
    assert "Your storage is full." in visitor.post(f"{path}/save/1").text
    with db.transaction() as session:
        assert session.exec(select(Sample).where(Sample.user_id == guest.id)).first() is None


@pytest.mark.parametrize("ends", [True, False])
def test_saving_many_sounds_stops_when_the_owner_revokes_or_restricts_the_link(
    visitor: TestClient,
    owner: User,
    keep: Keep,
    monkeypatch: pytest.MonkeyPatch,
    ends: bool,
) -> None:
    ids = [keep(f"Sound {number}.wav", owner=owner.id) for number in range(3)]
    path = share(owner, "collection", make_collection(owner, ids), allow_download="original")
    guest, save, saved = sign_up_user(), share_saving.save_sound, []

    def save_and_change(*arguments: Any) -> uuid.UUID:
        saved.append(save(*arguments))
        change(owner, **({"revoked_at": now()} if ends else {"allow_download": "none"}))
        return saved[-1]

    monkeypatch.setattr(share_saving, "save_sound", save_and_change)
    signed_in(visitor, guest.id)
    visitor.post(f"{path}/save")
    with db.transaction() as session:
        mine = session.exec(select(Sample.id).where(Sample.user_id == guest.id)).all()
    assert (len(mine), len(saved)) == (1, 1)


def test_a_visitor_without_an_account_signs_in_first(
    visitor: TestClient, owner: User, sample_id: uuid.UUID
) -> None:
    path = share(owner, "sample", sample_id, allow_download="original")
    answer = visitor.post(f"{path}/save/1", follow_redirects=False)
    assert answer.headers["location"] == "/login?next=" + path.replace("/", "%2F")


def test_other_sites_cannot_make_a_browser_save(
    visitor: TestClient, owner: User, sample_id: uuid.UUID
) -> None:
    path = share(owner, "sample", sample_id, allow_download="original")
    signed_in(visitor, sign_up_user().id)
    evil = {"origin": "https://evil.example"}
    assert visitor.post(f"{path}/save/1", headers=evil).status_code == 403


@pytest.mark.parametrize("allowed", ["none", "sp404"])
def test_saving_needs_a_link_that_offers_the_original(
    visitor: TestClient, owner: User, sample_id: uuid.UUID, allowed: str
) -> None:
    path = share(owner, "sample", sample_id, allow_download=allowed)
    guest = sign_up_user()
    signed_in(visitor, guest.id)
    assert 'data-testid="save"' not in visitor.get(path).text
    answer = visitor.post(f"{path}/save/1")
    assert "doesn&#x27;t allow saving" in answer.text
    with db.transaction() as session:
        assert session.exec(select(Sample).where(Sample.user_id == guest.id)).first() is None


def test_a_report_reaches_the_operator_without_the_visitor(
    visitor: TestClient, owner: User, sample_id: uuid.UUID
) -> None:
    path = share(owner, "sample", sample_id)
    assert "Send report" in visitor.get(f"{path}/report").text
    wrong = visitor.post(f"{path}/report", data={"reason": "<script>", "note": "x"})
    assert (wrong.status_code, "Choose a reason." in wrong.text) == (422, True)
    data = {"reason": "copyright", "note": "My\u202e loop.\n<b>Really</b>"}
    assert "Thank you" in visitor.post(f"{path}/report", data=data).text
    with db.transaction() as session:
        report = session.exec(select(ShareReport)).one()
    assert (report.reason, report.note) == ("copyright", "My loop. <b>Really</b>")
    statuses = [
        visitor.post(f"{path}/report", data=data).status_code
        for _ in range(share_rate_limits.REPORTS_PER_HOST)
    ]
    assert statuses[-1] == 429


def test_oembed_describes_the_frame(visitor: TestClient, owner: User, sample_id: uuid.UUID) -> None:
    path = share(owner, "sample", sample_id)
    found = visitor.get(f"{path}/oembed").json()
    assert (found["type"], found["title"], found["author_name"]) == (
        "rich",
        "Dusty kick",
        "Ada Beats",
    )
    frame = Tags(found["html"]).found[0]
    assert frame[1]["src"] == f"http://localhost:3000{path}/embed"


def test_forged_results_of_saving_show_no_text_of_the_address(
    visitor: TestClient, owner: User, sample_id: uuid.UUID
) -> None:
    path = share(owner, "sample", sample_id)
    query = "?saved=1&sample=javascript:alert(1)&problem=<script>&duplicates=-3"
    answer = visitor.get(path + query)
    assert "javascript:" not in answer.text
    assert answer.text.count("<script>") == 1  # of the theme
    assert visitor.get(f"{path}?saved=99999999999").status_code == 200
