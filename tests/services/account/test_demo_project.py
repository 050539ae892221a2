"""The demo account and its finished project."""

from collections.abc import Iterator

import pytest
from sqlmodel import Session, col, select, update

from sp404_app.audio.features.musical_keys import compatible_keys
from sp404_app.audio.synth.demo_sounds import DemoSound, demo_sounds
from sp404_app.db import transaction
from sp404_app.jobs import runner
from sp404_app.models import JobStatus, ProcessingJob, Project, ProjectPad, Sample, User
from sp404_app.services.account import demo_account, demo_collections, demo_project
from sp404_app.services.account.demo_project import BANKS, TEMPO_BPM
from sp404_app.services.billing import quotas, usage
from sp404_app.services.collections import collection_samples, collections
from sp404_app.services.plans import Tier
from sp404_app.services.projects import history, projects
from sp404_app.services.projects.pad_sounds import transposed_key
from sp404_app.settings import Settings


@pytest.fixture(scope="module")
def sounds() -> dict[str, DemoSound]:
    return {sound.name: sound for sound in demo_sounds()}


@pytest.fixture
def demo(
    services: Settings, sounds: dict[str, DemoSound], monkeypatch: pytest.MonkeyPatch
) -> Iterator[User]:
    """The demo account. Its sounds are rendered once for all tests."""
    monkeypatch.setattr(demo_account, "demo_sounds", sounds.values)
    demo_account.ensure_demo_account()
    with transaction() as session:
        yield session.exec(select(User)).one()


def pads_of(session: Session) -> list[ProjectPad]:
    return list(session.exec(select(ProjectPad)))


def test_every_pad_has_its_sample_and_a_length(session: Session, demo: User) -> None:
    project = session.exec(select(Project)).one()
    assert (project.name, project.device, project.tempo) == ("First kit", "mk2", TEMPO_BPM)
    assert (project.is_demo, project.user_id) == (True, demo.id)
    found = {(pad.bank, pad.pad): pad.name for pad in pads_of(session)}
    wanted = {(bank, n): pad.name for bank, each in enumerate(BANKS) for n, pad in each.items()}
    assert found == wanted
    assert all(pad.frames and pad.sample_id for pad in pads_of(session))
    assert history.next_labels(session, project) == ("", "")


def test_the_demo_account_has_collections_of_its_sounds(session: Session, demo: User) -> None:
    found = {row.name: row for row in collections.list_collections(session, demo.id)}
    assert list(found) == ["Slow beat in E minor", *reversed(demo_collections.SMART)]
    assert found["Slow beat in E minor"].count == len(demo_collections.BEAT)
    assert all(row.colour for row in found.values())
    beat = found["Slow beat in E minor"]
    listed = collection_samples.list_sample_ids(session, demo.id, beat.id)
    assert [session.get_one(Sample, one).name for one in listed] == list(demo_collections.BEAT)


def test_the_sounds_of_the_demo_account_count_in_its_usage(session: Session, demo: User) -> None:
    stored = sum(session.exec(select(Sample.size).where(Sample.user_id == demo.id)))
    used = quotas.get_quota_usage(session, demo.id)
    assert stored
    assert (used.tier, used.storage_used) == (Tier.PRO, stored)
    (today,) = usage.daily_usage(session, demo.id, 1)
    assert (today.stored_bytes, today.added) == (stored, len(list(session.exec(select(Sample.id)))))
    assert usage.largest_samples(session, demo.id)


def test_analyses_of_the_demo_account_are_counted(session: Session, demo: User) -> None:
    sample_id = session.exec(select(Sample.id).where(Sample.user_id == demo.id)).first()
    job = session.exec(select(ProcessingJob).where(ProcessingJob.sample_id == sample_id)).one()
    runner.run(str(job.id))  # small samples that wait behind it are analysed as well
    session.expire_all()
    done = select(ProcessingJob).where(ProcessingJob.status == JobStatus.DONE)
    analysed = len(session.exec(done).all())
    assert analysed
    assert quotas.get_quota_usage(session, demo.id).analyses_used == analysed


def test_loops_play_as_loops_in_the_tempo_of_the_project(
    session: Session, demo: User, sounds: dict[str, DemoSound]
) -> None:
    for pad in pads_of(session):
        sound = sounds[pad.name]
        assert pad.settings["loop"] == (sound.kind == "loop")
        assert pad.settings["gate"] is False
        if sound.kind == "loop":
            assert sound.bpm
            beats = round(len(sound.signal) / sound.sample_rate * sound.bpm / 60)
            assert pad.frames == pytest.approx(beats * 60 / TEMPO_BPM * 48_000, rel=1e-4)
            assert pad.settings["bpm"] == TEMPO_BPM


def test_pads_that_a_render_could_raise_above_full_scale_are_normalised(
    session: Session, demo: User
) -> None:
    loops = [pad for pad in pads_of(session) if pad.bank == 1]
    crash = [pad for pad in pads_of(session) if pad.name == "Crash"]
    assert all((pad.edit or {})["normalise"]["value"] <= -1 for pad in [*loops, *crash])


def test_tonal_loops_are_in_compatible_keys(sounds: dict[str, DemoSound]) -> None:
    for bank in BANKS:
        for pad in bank.values():
            key = transposed_key(sounds[pad.name].key, pad.semitones)
            if pad.bpm and key:
                assert key in compatible_keys("E minor"), pad.name


def test_the_hats_choke_each_other(session: Session, demo: User) -> None:
    groups = {pad.name: pad.settings["mute_group"] for pad in pads_of(session) if pad.bank == 0}
    assert groups["Tight Hat"] == groups["Open Hat"] > 0
    assert groups["Velvet Kick"] == 0


def test_an_account_without_the_project_gets_it_once(session: Session, demo: User) -> None:
    project = session.exec(select(Project)).one()
    session.delete(project)
    session.commit()
    for _ in range(2):
        demo_account.ensure_demo_account()
    session.expire_all()
    assert len(session.exec(select(Project)).all()) == 1


def test_a_project_in_the_trash_is_not_created_again(session: Session, demo: User) -> None:
    project = session.exec(select(Project)).one()
    projects.delete_project(session, demo.id, project.id)
    session.commit()
    demo_account.ensure_demo_account()
    assert len(session.exec(select(Project)).all()) == 1


def test_sounds_that_the_user_deleted_leave_their_pads_empty(session: Session, demo: User) -> None:
    session.delete(session.exec(select(Project)).one())
    session.delete(session.exec(select(Sample).where(Sample.name == "Velvet Kick")).one())
    session.exec(update(Sample).where(col(Sample.name) == "Crash").values(name="Renamed"))
    session.commit()
    demo_account.ensure_demo_account()
    found = {pad.pad: pad.name for pad in pads_of(session) if pad.bank == 0}
    assert 13 not in found
    assert found[11] == "Renamed"


def test_without_demo_sounds_there_is_no_project(session: Session, user: User) -> None:
    assert demo_project.ensure_demo_project(session, user.id) is None
    assert session.exec(select(Project)).all() == []
