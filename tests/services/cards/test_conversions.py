"""Downloads in other formats: the right bytes, made once, for their owner, kept for two days."""

import datetime as dt
import io
import struct
import uuid
import zipfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from sqlmodel import col, select, update

from sp404_app.audio.render.edit import NO_EDIT
from sp404_app.audio.render.render import render
from sp404_app.db import transaction
from sp404_app.devices.capabilities import MK2, SX
from sp404_app.errors import Conflict, NotFound, TooLarge, ValidationFailed
from sp404_app.jobs import runner
from sp404_app.models import JobKind, JobStatus, ProcessingJob, Sample, User
from sp404_app.models.columns import now
from sp404_app.services.account import deletion
from sp404_app.services.cards import conversion_cleanup, conversions, convert_file
from sp404_app.services.cards.conversions import StoredFile
from sp404_app.services.cards.download_formats import DownloadFormat, pad_render_key
from sp404_app.services.cards.name_template import parse_template
from sp404_app.services.infra import conversion_files, render_files, storage
from sp404_app.services.library import samples
from tests.services.conftest import keep
from tests.sounds import Keep, tone, write

__all__ = ["keep"]
pytestmark = pytest.mark.usefixtures("services")

FORMATS = tuple(DownloadFormat)
Add = Callable[..., uuid.UUID]


@pytest.fixture
def add(user: User, tmp_path: Path) -> Add:
    """Return a function that adds a measured sample to the user's library."""
    folder = tmp_path / "files"
    folder.mkdir()

    def add_one(
        signal: Any = None, name: str = "Kick.wav", rate: int = 44_100, **options: str
    ) -> uuid.UUID:
        count = len(list(folder.iterdir()))
        given = tone(200 + count, 0.5, rate) if signal is None else signal
        path = write(folder / f"{count}{Path(name).suffix}", given, rate, **options)
        with transaction() as session:
            incoming = samples.inspect_file(path, name)
            sample_id = samples.add_sample(session, user.id, incoming)
            sample = session.get_one(Sample, sample_id)
            sample.duration, sample.sample_rate = len(given) / rate, rate
            sample.channels = np.ndim(given)
            session.exec(
                update(ProcessingJob)
                .where(col(ProcessingJob.kind) == JobKind.ANALYSE)
                .values(status=JobStatus.CANCELLED)
            )
        return sample_id

    return add_one


def content(file: StoredFile) -> bytes:
    return storage.read_bytes(file.key)


def convert(user: User, sample_id: uuid.UUID, wanted: DownloadFormat) -> StoredFile:
    with transaction() as session:
        found = conversions.find_or_convert(session, user.id, sample_id, wanted)
    assert isinstance(found, StoredFile)
    return found


def request(
    user: User,
    ids: Sequence[uuid.UUID],
    wanted: DownloadFormat = DownloadFormat.MK2,
    template: str = "{name}",
    **options: bool,
) -> ProcessingJob:
    with transaction() as session:
        return conversions.request_archive(
            session, user.id, wanted, parse_template(template), ids, **options
        )


def reread(job: ProcessingJob) -> ProcessingJob:
    with transaction() as session:
        return session.get_one(ProcessingJob, job.id)


def make(user: User, ids: Sequence[uuid.UUID], *given: Any, **options: bool) -> ProcessingJob:
    job = request(user, ids, *given, **options)
    runner.run(str(job.id))
    return reread(job)


def unzip(user: User, job: ProcessingJob) -> dict[str, bytes]:
    with transaction() as session:
        file = conversions.find_archive(session, user.id, job.id)
    with zipfile.ZipFile(io.BytesIO(content(file))) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def files(user: User) -> list[str]:
    return [stored.key for stored in storage.list_folder(f"conversions/{user.id.hex}")]


def direct_render(sample_id: uuid.UUID, rate: int, seed: str, target: Path) -> bytes:
    with transaction() as session:
        key = session.get_one(Sample, sample_id).storage_key
    with storage.local_copy(key) as source:
        made = render(
            source, NO_EDIT, rate=rate, loop=False, seed=bytes.fromhex(seed), target=target
        )
    assert made.size_bytes
    return target.read_bytes()


def test_for_the_mk2_a_file_has_the_bytes_of_a_pad_without_an_edit(
    user: User, add: Add, tmp_path: Path
) -> None:
    sample_id = add(subtype="PCM_24")
    made = content(convert(user, sample_id, DownloadFormat.MK2))
    with transaction() as session:
        seed = pad_render_key(session.get_one(Sample, sample_id).digest, MK2)
    assert made == direct_render(sample_id, 48_000, seed, tmp_path / "pad.wav")
    frames = 24_000
    fmt = struct.pack("<IHHIIHH", 16, 1, 1, 48_000, 96_000, 2, 16)
    head = b"RIFF" + struct.pack("<I", 36 + 2 * frames) + b"WAVEfmt " + fmt
    assert made[:44] == head + b"data" + struct.pack("<I", 2 * frames)


def test_for_the_sx_a_file_has_the_header_of_rolands_converter(
    user: User, add: Add, tmp_path: Path
) -> None:
    stereo = np.random.default_rng(1).uniform(-0.5, 0.5, (22_050, 2))
    sample_id = add(stereo, subtype="PCM_16")
    file = convert(user, sample_id, DownloadFormat.SX)
    made = content(file)
    with transaction() as session:
        seed = pad_render_key(session.get_one(Sample, sample_id).digest, SX)
    pcm = direct_render(sample_id, 44_100, seed, tmp_path / "pad.wav")[44:]
    fmt = struct.pack("<IHHIIHHH", 18, 1, 2, 44_100, 176_400, 4, 16, 0)
    head = b"RIFF" + struct.pack("<I", 504 + len(pcm)) + b"WAVEfmt " + fmt
    head += b"RLND" + struct.pack("<I", 458) + b"roifspsx" + struct.pack("<II", 4, 0) + bytes(442)
    head += b"data" + struct.pack("<I", len(pcm))
    assert len(head) == 512
    assert made == head + pcm
    assert file.filename == "Kick.WAV"
    with storage.local_copy(file.key) as path:
        heard, rate = soundfile.read(path)
    assert (rate, heard.shape) == (44_100, (22_050, 2))
    meant = soundfile.read(io.BytesIO(direct_render(sample_id, 44_100, seed, tmp_path / "x.wav")))
    assert np.array_equal(heard, meant[0])


@pytest.mark.parametrize(
    ("wanted", "form", "subtype"),
    [(DownloadFormat.WAV, "WAV", "PCM_24"), (DownloadFormat.FLAC, "FLAC", "PCM_24")],
)
def test_wav_and_flac_keep_rate_depth_and_samples(
    user: User, add: Add, wanted: DownloadFormat, form: str, subtype: str
) -> None:
    sample_id = add(name="Große Trommel.aif", rate=96_000, format="AIFF", subtype="PCM_24")
    file = convert(user, sample_id, wanted)
    assert file.filename == f"Große Trommel.{form.lower()}"
    with storage.local_copy(file.key) as path:
        info = soundfile.info(path)
        heard, _ = soundfile.read(path)
    assert (info.format, info.subtype, info.samplerate) == (form, subtype, 96_000)
    assert np.abs(heard - tone(200, 0.5, 96_000)).max() < 2**-22


@pytest.mark.parametrize(
    ("wanted", "frames"), [(DownloadFormat.MK2, 1_000), (DownloadFormat.SX, 4_411)]
)
def test_a_sound_below_the_minimum_of_the_device_is_padded_with_silence(
    user: User, add: Add, wanted: DownloadFormat, frames: int
) -> None:
    click = add(np.full(400, 0.5), rate=48_000, subtype="PCM_16")
    with storage.local_copy(convert(user, click, wanted).key) as path:
        heard, _ = soundfile.read(path)
    assert len(heard) == frames
    assert not heard[500:].any()
    assert heard[:300].all()


def test_a_stored_render_of_a_pad_is_taken(
    user: User, add: Add, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sample_id = add()
    with transaction() as session:
        key = pad_render_key(session.get_one(Sample, sample_id).digest, MK2)
    direct_render(sample_id, 48_000, key, tmp_path / "pad.wav")
    storage.save(tmp_path / "pad.wav", render_files.render_file_key(user.id, key))
    monkeypatch.setattr(convert_file, "render", None)
    made = content(convert(user, sample_id, DownloadFormat.MK2))
    assert made == (tmp_path / "pad.wav").read_bytes()


def test_a_converted_sound_is_kept_and_not_made_again(
    user: User, add: Add, monkeypatch: pytest.MonkeyPatch
) -> None:
    sample_id = add()
    first = convert(user, sample_id, DownloadFormat.FLAC)
    monkeypatch.setattr(conversions, "convert_sample", None)
    assert convert(user, sample_id, DownloadFormat.FLAC) == first


def test_a_long_sound_is_converted_by_one_job(user: User, add: Add) -> None:
    sample_id = add(tone(220, 21.0, 8_000), rate=8_000)

    def ask(_: int) -> StoredFile | ProcessingJob:
        with transaction() as session:
            return conversions.find_or_convert(session, user.id, sample_id, DownloadFormat.MK2)

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(ask, range(4)))
    (job_id,) = {job.id for job in found if isinstance(job, ProcessingJob)}
    runner.run(str(job_id))
    file = ask(0)
    assert isinstance(file, StoredFile)
    job = reread(next(job for job in found if isinstance(job, ProcessingJob)))
    assert (job.status, job.progress) == (JobStatus.DONE, 1.0)
    assert job.result
    assert job.result["url"] == f"/api/samples/{sample_id}/download?as=mk2"
    assert job.result["bytes"] == len(content(file)) == 44 + 2 * 21 * 48_000


@pytest.mark.parametrize(
    ("wanted", "seconds", "message"),
    [
        (DownloadFormat.MK2, 16 * 60 + 1, "longer than 16 minutes"),
        (DownloadFormat.SX, 180 * 60 + 1, "longer than 180 minutes"),
    ],
)
def test_a_sound_that_is_too_long_for_the_device_is_refused(
    user: User, add: Add, wanted: DownloadFormat, seconds: float, message: str
) -> None:
    sample_id = add()
    with transaction() as session:
        session.get_one(Sample, sample_id).duration = seconds
    with pytest.raises(ValidationFailed, match=message):
        convert(user, sample_id, wanted)


def test_a_length_that_was_not_known_is_checked_after_the_conversion(
    user: User, add: Add, monkeypatch: pytest.MonkeyPatch
) -> None:
    sample_id = add()
    with transaction() as session:
        session.get_one(Sample, sample_id).duration = None
        found = conversions.find_or_convert(session, user.id, sample_id, DownloadFormat.MK2)
    assert isinstance(found, ProcessingJob)
    details = convert_file.FORMATS[DownloadFormat.MK2]
    short = replace(details, device=replace(MK2, max_frames=23_000))
    monkeypatch.setitem(convert_file.FORMATS, DownloadFormat.MK2, short)
    runner.run(str(found.id))
    job = reread(found)
    assert (job.status, files(user)) == (JobStatus.FAILED, [])
    assert "longer than" in job.error


def test_another_users_sample_is_not_found(
    user: User, add: Add, person: Callable[..., User]
) -> None:
    sample_id, other = add(), person()
    for ids in ([sample_id], [uuid.uuid4()]):
        with pytest.raises(NotFound, match="There is no such sample"):
            request(other, ids)
        with pytest.raises(NotFound, match="There is no such sample"):
            convert(other, ids[0], DownloadFormat.WAV)
    job = make(user, [sample_id])
    for job_id in (job.id, uuid.uuid4()):
        with transaction() as session, pytest.raises(NotFound):
            conversions.find_archive(session, other.id, job_id)


def test_an_archive_has_every_sound_under_its_name(user: User, add: Add) -> None:
    ids = [add(name="Kick.wav"), add(name="kick.wav"), add(name="Snare.wav")]
    with transaction() as session:
        session.get_one(Sample, ids[2]).bpm = 92.0
    job = make(user, ids, DownloadFormat.SX, "{n:03} {name} {bpm}")
    assert (job.status, job.progress, job.error) == (JobStatus.DONE, 1.0, "")
    found = unzip(user, job)
    assert list(found) == ["001 Kick.WAV", "002 kick.WAV", "003 Snare 92.WAV"]
    for sample_id, made in zip(ids, found.values(), strict=True):
        assert made == content(convert(user, sample_id, DownloadFormat.SX))
    assert job.result
    assert job.result["url"] == f"/api/conversions/{job.id}"
    assert job.result["skipped"] == 0
    assert files(user) != []
    assert not any(key.endswith(".json") for key in files(user))


def test_the_same_request_gives_the_same_bytes_and_is_answered_by_the_same_job(
    user: User, add: Add
) -> None:
    ids = [add(), add(), add()]
    first = make(user, ids, DownloadFormat.FLAC)
    assert request(user, ids, DownloadFormat.FLAC).id == first.id
    with transaction() as session:
        key = conversions.find_archive(session, user.id, first.id).key
    before = storage.read_bytes(key)
    storage.delete_object(key)
    second = make(user, ids, DownloadFormat.FLAC)
    assert second.id != first.id
    with transaction() as session:
        again = conversions.find_archive(session, user.id, second.id)
    assert content(again) == before
    entries = zipfile.ZipFile(io.BytesIO(before)).infolist()
    assert {entry.date_time for entry in entries} == {(1980, 1, 1, 0, 0, 0)}
    assert {entry.compress_type for entry in entries} == {zipfile.ZIP_STORED}
    assert [entry.filename for entry in entries] == sorted(entry.filename for entry in entries)


def test_an_equal_request_that_is_queued_is_not_queued_again(user: User, add: Add) -> None:
    ids = [add(), add()]
    with ThreadPoolExecutor(4) as pool:
        found = {job.id for job in pool.map(lambda _: request(user, ids), range(4))}
    assert len(found) == 1
    assert request(user, ids, template="{n}").id not in found


def test_folders_of_the_library_are_kept_on_request(user: User, add: Add) -> None:
    ids = [add(), add()]
    with transaction() as session:
        session.get_one(Sample, ids[0]).folder = "Drums/Dusty"
    job = make(user, ids, DownloadFormat.WAV, folders=True)
    assert set(unzip(user, job)) == {"Drums/Dusty/Kick.wav", "Kick.wav"}


def test_sounds_that_cannot_be_converted_are_left_out_and_named(user: User, add: Add) -> None:
    ids = [add(name=f"{name}.wav") for name in ("Good", "Lost", "Long", "Bad", "Deleted")]
    job = request(user, ids)
    with transaction() as session:
        rows = [session.get_one(Sample, sample_id) for sample_id in ids]
        rows[2].duration = 3_000.0
        lost, bad = rows[1].storage_key, rows[3].storage_key
        samples.delete_samples(session, user.id, ids[4:])
    with transaction() as session:
        samples.delete_for_good(session, user.id, ids[4:])
    storage.delete_object(lost)
    storage.save_bytes(b"no sound", bad)
    runner.run(str(job.id))
    done = reread(job)
    assert (done.status, list(unzip(user, done))) == (JobStatus.DONE, ["Good.wav"])
    assert done.result
    assert done.result["skipped"] == 4
    reasons = {one["name"]: one["reason"] for one in done.result["skipped_files"]}
    assert reasons == {
        "Lost": "The file of this sound is missing.",
        "Long": "This sound is longer than 16 minutes, which is the most that the SP-404MKII "
        "takes.",
        "Bad": "This is not a sound file we can read.",
        "Deleted.wav": "It was permanently deleted.",
    }


@pytest.mark.parametrize(
    ("count", "message"),
    [
        (1, "The file of this sound is missing."),
        (2, "None of these sounds could be converted. “Kick”: The file of this sound is missing."),
    ],
)
def test_a_job_that_can_convert_nothing_fails_with_the_reason(
    user: User, add: Add, count: int, message: str
) -> None:
    ids = [add() for _ in range(count)]
    with transaction() as session:
        keys = [session.get_one(Sample, sample_id).storage_key for sample_id in ids]
    for key in keys:
        storage.delete_object(key)
    job = make(user, ids)
    assert (job.status, job.error) == (JobStatus.FAILED, message)
    with transaction() as session, pytest.raises(NotFound, match="no longer available"):
        conversions.find_archive(session, user.id, job.id)


def test_a_request_without_sounds_is_refused(user: User) -> None:
    with pytest.raises(ValidationFailed, match="no sounds"):
        request(user, [])


def test_a_request_beyond_the_limit_is_refused_with_both_sizes(
    user: User, add: Add, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = [add(), add()]
    monkeypatch.setattr(conversions, "MAX_ARCHIVE_BYTES", 96_000)
    with pytest.raises(TooLarge, match=r"would be 95 kB\. Choose sounds of at most 94 kB"):
        request(user, ids)
    request(user, ids[:1])


def test_a_user_has_at_most_four_unfinished_downloads(user: User, add: Add) -> None:
    ids = [add() for _ in range(5)]
    for number in range(4):
        request(user, ids[number : number + 1])
    with pytest.raises(Conflict, match="being prepared"):
        request(user, ids[4:])
    assert request(user, ids[:1])


def age(user: User, hours: float) -> dt.datetime:
    """Make all jobs this old; return the time at which all files are."""
    with transaction() as session:
        at = now() - dt.timedelta(hours=hours)
        session.exec(update(ProcessingJob).values(finished_at=at))
    return now() + dt.timedelta(hours=hours)


def test_files_are_deleted_after_two_days_and_their_jobs_say_so(user: User, add: Add) -> None:
    ids = [add(), add()]
    job = make(user, ids)
    convert(user, ids[0], DownloadFormat.WAV)
    with transaction() as session:
        assert conversion_cleanup.clean_up_conversions(session, now()) == 0
    assert len(files(user)) == 2
    at = age(user, 49)
    with transaction() as session, pytest.raises(NotFound, match="no longer available"):
        conversions.find_archive(session, user.id, job.id)
    with transaction() as session:
        assert conversion_cleanup.clean_up_conversions(session, at) == 2
    assert (files(user), reread(job).result) == ([], None)


def test_an_archive_that_is_no_longer_offered_is_made_again(user: User, add: Add) -> None:
    ids = [add()]
    old = make(user, ids)
    age(user, 49)
    assert request(user, ids).id != old.id


def test_the_oldest_files_beyond_the_bounds_are_deleted(
    user: User, add: Add, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = make(user, [add()])
    new = make(user, [add()])
    with transaction() as session:
        size = storage.object_size(conversion_files.archive_key(user.id, old.id))
    for name, share in (("MAX_USER_BYTES", 1.5), ("MAX_TOTAL_BYTES", 10)):
        monkeypatch.setattr(conversion_cleanup, name, int(size * share))
    with transaction() as session:
        assert conversion_cleanup.clean_up_conversions(session, now()) == 1
    assert files(user) == [conversion_files.archive_key(user.id, new.id)]
    monkeypatch.setattr(conversion_cleanup, "MAX_TOTAL_BYTES", 10)
    with transaction() as session:
        assert conversion_cleanup.clean_up_conversions(session, now()) == 1
    assert files(user) == []


def test_an_account_takes_its_converted_files_with_it(
    user: User, add: Add, person: Callable[..., User]
) -> None:
    make(user, [add()])
    other = person()
    storage.save_bytes(b"x", conversion_files.archive_key(other.id, uuid.uuid4()))
    with transaction() as session:
        deletion.erase_account(session, user.id)
    assert (files(user), len(files(other))) == ([], 1)
    conversion_files.delete_every_converted_file()
    assert files(other) == []


def test_a_job_whose_list_is_gone_fails(user: User, add: Add) -> None:
    job = request(user, [add()])
    storage.delete_object(conversion_files.plan_key(user.id, job.id))
    runner.run(str(job.id))
    assert reread(job).status == JobStatus.FAILED


def test_a_job_of_another_kind_is_no_archive(user: User, keep: Keep) -> None:
    sample_id = keep()
    with transaction() as session:
        query = select(ProcessingJob.id).where(ProcessingJob.sample_id == sample_id)
        job_id = session.exec(query).one()
        with pytest.raises(NotFound):
            conversions.find_archive(session, user.id, job_id)
