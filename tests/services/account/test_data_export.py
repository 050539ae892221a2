"""Data export and account deletion."""

import io
import json
import uuid
import zipfile
from pathlib import Path

import pytest
from sqlmodel import SQLModel, select

from sp404_app.db import transaction
from sp404_app.devices.capabilities import MK2
from sp404_app.errors import NotFound, Unavailable
from sp404_app.jobs import runner
from sp404_app.models import AuditEntry, JobStatus, ProcessingJob, Sample, User
from sp404_app.models.columns import now
from sp404_app.services.account import avatars, data_export, deletion
from sp404_app.services.auth import personal_access_tokens, two_factor
from sp404_app.services.billing import subscriptions
from sp404_app.services.collections import collections
from sp404_app.services.infra import audit_log, storage
from sp404_app.services.library import samples
from sp404_app.services.processing import jobs
from sp404_app.services.projects import pads, projects
from sp404_app.services.projects.history import Target
from sp404_app.services.projects.kit import PadPosition
from sp404_app.services.projects.pads import PadChange
from sp404_app.settings import Settings, settings
from tests.accounts import CLIENT, SignedUpUser, mails, sign_in_api_client, sign_up_user
from tests.services.account.test_avatars import picture
from tests.sounds import Keep, keep

pytestmark = pytest.mark.usefixtures("services")


def request_export(person: SignedUpUser) -> ProcessingJob:
    with transaction() as session:
        return data_export.request_export(session, person.id, CLIENT)


def job(job_id: uuid.UUID) -> ProcessingJob:
    with transaction() as session:
        return session.get_one(ProcessingJob, job_id)


def export_of(person: SignedUpUser) -> zipfile.ZipFile:
    made = request_export(person)
    runner.run(str(made.id))
    with transaction() as session:
        key = data_export.find_export_key(session, person.id, made.id)
    content = b"".join(storage.stream_object(key, 0, storage.object_size(key)))
    return zipfile.ZipFile(io.BytesIO(content))


@pytest.mark.parametrize(("billing", "told"), [("on", True), ("off", False)])
def test_the_readme_tells_of_payments_only_with_billing(
    environment: pytest.MonkeyPatch, billing: str, told: bool
) -> None:
    environment.setenv("SP404_BILLING", billing)
    settings.cache_clear()
    readme = export_of(sign_up_user()).read("README.txt").decode()
    assert "your data as JSON files" in readme
    assert ("payments" in readme) is told


def add_personal_data(person: SignedUpUser, folder: Path) -> uuid.UUID:
    """Give a user two samples, an avatar, two-factor authentication, a token and a session."""
    keep(person.id, folder, "Kick.wav", 100)
    thrown = keep(person.id, folder, "../Kick.wav", 200)
    with transaction() as session:
        samples.delete_samples(session, person.id, [thrown])
        avatars.save_avatar(session, person.id, avatars.make_avatar(io.BytesIO(picture())))
        two_factor.begin_totp_setup(session, person.id)
        personal_access_tokens.create_personal_token(
            session, person.id, "x", ["samples:read"], None, CLIENT
        )
    sign_in_api_client(person.id)
    return thrown


def test_an_export_holds_every_file_and_every_table(tmp_path: Path) -> None:
    ada = sign_up_user("ada@example.org")
    add_personal_data(ada, tmp_path)
    zipped = export_of(ada)
    names = set(zipped.namelist())
    assert zipped.testzip() is None
    assert {"sounds/Kick.wav", "trash/Kick.wav", "picture.webp", "README.txt"} <= {
        name.replace(".._", "") for name in names
    }
    assert zipped.read("sounds/Kick.wav").startswith(b"RIFF")
    for table in SQLModel.metadata.tables.values():
        assert (f"data/{table.name}.json" in names) == (
            "user_id" in table.c or table.name == "users"
        )
    (user,) = json.loads(zipped.read("data/users.json"))
    assert user["email"] == "ada@example.org"
    samples_data = json.loads(zipped.read("data/samples.json"))
    assert len(samples_data) == 2
    assert "copy_group" in samples_data[0]
    assert {"search_text", "duplicate_group_id"}.isdisjoint(samples_data[0])


def test_an_export_holds_projects_with_their_pads(tmp_path: Path) -> None:
    ada = sign_up_user()
    sample_id = keep(ada.id, tmp_path, "Kick.wav", 100)
    with transaction() as session:
        made = projects.create_project(session, ada.id, "Night set", MK2, [sample_id]).project
        change = PadChange(settings={"level": 50}, edit={"reverse": True})
        pads.set_pad(session, Target(ada.id, made.id), PadPosition(0, 1), change)
    zipped = export_of(ada)
    (project,) = json.loads(zipped.read("data/projects.json"))
    (pad,) = json.loads(zipped.read("data/project_pads.json"))
    assert (project["id"], project["name"]) == (str(made.id), "Night set")
    assert (pad["project_id"], pad["sample_id"]) == (str(made.id), str(sample_id))
    assert (pad["settings"]["level"], pad["edit"]) == (50, {"reverse": True})


def test_an_export_holds_collections_with_their_samples(tmp_path: Path) -> None:
    ada = sign_up_user()
    sample_id = keep(ada.id, tmp_path, "Kick.wav", 100)
    rules = {"match": "all", "terms": [{"field": "favourite", "op": "is", "value": True}]}
    with transaction() as session:
        made = collections.create_collection(session, ada.id, name="Set", sample_ids=[sample_id])
        collections.create_collection(session, ada.id, name="Best", rules=rules)
    zipped = export_of(ada)
    manual, smart = json.loads(zipped.read("data/collections.json"))
    (row,) = json.loads(zipped.read("data/collection_samples.json"))
    assert (manual["id"], manual["name"], manual["rules"]) == (str(made.id), "Set", None)
    assert (smart["name"], smart["rules"]) == ("Best", rules)
    assert (row["collection_id"], row["sample_id"]) == (str(made.id), str(sample_id))


def test_an_export_holds_no_secrets_and_no_data_of_others(tmp_path: Path) -> None:
    ada, bob = sign_up_user(), sign_up_user("bob@example.org")
    add_personal_data(ada, tmp_path)
    add_personal_data(bob, tmp_path)
    zipped = export_of(ada)
    text = "".join(zipped.read(name).decode() for name in zipped.namelist() if "data/" in name)
    for word in ("$2b$", "password_hash", "storage_key", "sealed", '"hash"', "bob@example.org"):
        assert word not in text, word
    assert str(bob.id) not in text


def test_paths_in_the_zip_are_safe_and_unique(tmp_path: Path) -> None:
    ada = sign_up_user()
    for hertz, name in enumerate(("a.wav", "A.wav", "..", "c:\\x.wav", "con\0.wav"), 100):
        sample_id = keep(ada.id, tmp_path, "a.wav", float(hertz * 3))
        with transaction() as session:
            row = session.get_one(Sample, sample_id)
            row.filename, row.folder = name.replace("\0", "\x01"), "../../etc"
    with transaction() as session:
        names = [file.name for file in data_export.list_original_files(session, ada.id)]
    assert len({name.casefold() for name in names}) == 5
    assert all(name.startswith("sounds/etc/") for name in names)
    assert not any(name.split("/")[-1].partition(".")[0].lower() == "con" for name in names)
    assert not any(".." in name.split("/") or "\\" in name or "\x01" in name for name in names)


def test_a_double_click_requests_one_export() -> None:
    ada = sign_up_user()
    assert request_export(ada).id == request_export(ada).id


def test_an_export_belongs_to_its_owner_and_expires_after_a_week() -> None:
    ada, bob = sign_up_user(), sign_up_user()
    export_of(ada)
    with transaction() as session:
        made = data_export.latest_export(session, ada.id)
        assert made is not None
        with pytest.raises(NotFound):
            data_export.find_export_key(session, bob.id, made.id)
        assert data_export.purge_old_exports(session, now()) == 0
    key = data_export.export_key(made.id)
    with transaction() as session:
        assert data_export.purge_old_exports(session, now() + data_export.EXPORT_LIFETIME) == 1
    with transaction() as session:
        assert data_export.purge_old_exports(session, now() + data_export.EXPORT_LIFETIME) == 0
        with pytest.raises(NotFound):
            data_export.find_export_key(session, ada.id, made.id)
    with pytest.raises(NotFound):
        storage.object_size(key)


def test_a_missing_file_does_not_stop_an_export(tmp_path: Path) -> None:
    ada = sign_up_user()
    sample_id = keep(ada.id, tmp_path)
    with transaction() as session:
        storage.delete_object(session.get_one(Sample, sample_id).storage_key)
    assert "data/samples.json" in export_of(ada).namelist()
    with transaction() as session:
        made = data_export.latest_export(session, ada.id)
    assert made is not None
    assert (made.result or {})["missing"] == ["sounds/Kick.wav"]


def test_a_cancelled_export_leaves_no_file() -> None:
    ada = sign_up_user()
    made = request_export(ada)
    with transaction() as session:
        jobs.claim_job(session, made.id)
    running = job(made.id)
    with transaction() as session:
        jobs.cancel_job(session, ada.id, made.id)
    runner.JOB_FUNCTIONS[data_export.JobKind.ACCOUNT_EXPORT](running)
    assert job(made.id).status == JobStatus.CANCELLED
    with pytest.raises(NotFound):
        storage.object_size(data_export.export_key(made.id))


async def test_a_deleted_account_leaves_no_row_and_no_file(
    tmp_path: Path, services: Settings
) -> None:
    ada, bob = sign_up_user(), sign_up_user()
    add_personal_data(ada, tmp_path)
    keep(bob.id, tmp_path)
    export_of(ada)
    with transaction() as session:
        audit_log.record_audit_event(session, ada.id, "signed_in", CLIENT, kind="browser")
    await deletion.delete_account(ada.id)
    with transaction() as session:
        for table in SQLModel.metadata.sorted_tables:
            if "user_id" in table.c and table.name != "audit_log":
                rows = session.connection().execute(table.select()).mappings().all()
                assert str(ada.id) not in {str(row["user_id"]) for row in rows}, table.name
        log = session.exec(select(AuditEntry).where(AuditEntry.user_id == ada.id)).all()
        assert session.get(User, ada.id) is None
        assert session.get(User, bob.id) is not None
    assert {entry.ip for entry in log} == {""}
    assert log[-1].action == "account_deleted"
    files = [path for path in (services.home / "sounds").rglob("*") if path.is_file()]
    assert len(files) == 1  # the file of the other user, Bob
    assert mails(ada.email)[-1]["Subject"] == "Your account is deleted"


async def test_nothing_is_deleted_if_the_subscription_cannot_be_ended(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ada = sign_up_user()

    def away(*_: object) -> None:
        raise Unavailable("Stripe does not answer.")

    monkeypatch.setattr(subscriptions, "end_all_billing", away)
    with pytest.raises(Unavailable):
        await deletion.delete_account(ada.id)
    with transaction() as session:
        assert session.get(User, ada.id) is not None


async def test_a_worker_stops_if_its_account_is_deleted(keep: Keep) -> None:
    ada = sign_up_user()
    sample_id = keep(owner=ada.id)
    with transaction() as session:
        open_job = session.exec(
            select(ProcessingJob).where(ProcessingJob.sample_id == sample_id)
        ).one()
        claimed = jobs.claim_job(session, open_job.id)
    assert claimed is not None
    await deletion.delete_account(ada.id)
    runner.JOB_FUNCTIONS[data_export.JobKind.ANALYSE](claimed)
    await deletion.delete_account(ada.id)  # idempotent
