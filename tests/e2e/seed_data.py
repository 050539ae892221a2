"""Seed data for tests that open every page: users, sounds and database states."""

import uuid
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
from playwright.sync_api import FilePayload, Page, Playwright, expect
from sqlmodel import col, not_, select, text

from sp404_app.audio.synth.demo_sounds import demo_sounds
from sp404_app.models import Collection, CollectionSample, Project, ProjectFile, Sample
from sp404_app.models.columns import uuid7
from tests.e2e import people
from tests.e2e.conftest import OPERATOR
from tests.e2e.people import Visitor
from tests.e2e.test_billing import subscribe
from tests.product import Product, product_database
from tests.services.cards.pattern_files import Hit, mk2_pattern

SOUND_COUNT = 4
PROJECT_COUNT = 4
LINK_COUNT = 2
COLLECTION_COUNT = 12  # so that the library's sidebar hides some
UUID7_DAY = 86_400_000 << 80  # one day in the timestamp bits of a UUIDv7
EXTRA_ROWS = 120  # so that the list scrolls
QUIETER_COPY = "Softer"  # a duplicate of the first sound
ANALYSIS_TIMEOUT_MS = 90_000  # the machine may be busy with other tests

RESTORE_ALL_SQL = "update samples set deleted_at = null"
TRASH_ALL_SQL = "update samples set deleted_at = now()"
RESTORE_PROJECTS_SQL = "update projects set deleted_at = null"
RESTORE_COLLECTIONS_SQL = "update collections set deleted_at = null"
TRASH_COLLECTIONS_SQL = "update collections set deleted_at = now()"
# Without the samples that have no audio, which would be suggested.
PADS_SQL = (
    "update projects set deleted_at = null, tempo = 90,"
    " name = case when name like 'Night set %' then name else 'Day set' end;"
    " update samples set deleted_at = case when storage_key like 'more/%' then now() end"
)
TRASH_PROJECTS_SQL = "update projects set deleted_at = now()"
TRASH_SOME_SQL = (
    "update samples set deleted_at = now()"
    " where id in (select id from samples where storage_key like 'more/%' limit 3)"
)
EMPTY_LIBRARY_SQL = (
    "update samples set deleted_at = now()"
    " where user_id in (select id from users where email like 'changer%')"
)
RESTORE_LINKS_SQL = (
    "update samples set deleted_at = null;"
    " update shares set revoked_at = null, taken_down_at = null"
)
EXPIRE_REAUTHENTICATION_SQL = "update sign_ins set confirmed_at = null"
FAILED_EVENTS_SQL = """
    insert into stripe_events
      (id, realm, type, customer_id, created, received_at, due_at, attempts, error)
    select 'evt_given_up_' || n, realm, type, customer_id, created, now(), now(), 99, 'no answer'
    from (select * from stripe_events where id not like 'evt_given_up%' limit 1) one,
      generate_series(1, 3) n
    on conflict (id) do update set handled_at = null, attempts = 99
"""
OPEN_REPORTS_SQL = "update share_reports set closed_at = null, outcome = ''"


def run_sql(product: Product, statement: str) -> None:
    """Execute a statement in the product's database."""
    with product_database(product) as session:
        session.connection().execute(text(statement))


def add_rows(product: Product, sample_id: str, count: int = EXTRA_ROWS) -> None:
    """Add older copies of a sample without audio, so that the list scrolls."""
    with product_database(product) as session:
        model = session.get_one(Sample, uuid.UUID(sample_id))
        values = model.model_dump(exclude={"search", "duplicate_group_id"})
        for number in range(count):
            own = {
                "id": uuid.UUID(int=uuid7().int - UUID7_DAY),
                "name": f"More {number}",
                "digest": f"{number:064x}",
                "search_text": f"more {number}",
            }
            own["thumbnail"] = ""
            own["storage_key"] = f"more/{own['id']}"
            session.add(Sample.model_validate(values | own))


def add_patterns(product: Product, project: str, **files: bytes) -> None:
    """Store patterns by number: `p13` is the file PTN00013.BIN of a card."""
    with product_database(product) as session:
        owner = session.get_one(Project, uuid.UUID(project)).user_id
        for name, data in files.items():
            ids = {"project_id": uuid.UUID(project), "user_id": owner}
            path = f"PTN/PTN{int(name[1:]):05}.BIN"
            session.add(ProjectFile(**ids, path=path, data=data))


def add_collections(product: Product, sample_id: str, count: int = COLLECTION_COUNT) -> str:
    """Add collections of the uploaded sounds to the library of a sample; return the id of one."""
    with product_database(product) as session:
        owner = session.get_one(Sample, uuid.UUID(sample_id)).user_id
        own = select(Sample.id).where(
            Sample.user_id == owner, not_(col(Sample.storage_key).like("more/%"))
        )
        sounds = session.exec(own.order_by(col(Sample.id))).all()
        made = [Collection(user_id=owner, name=f"Crate {number}") for number in range(count)]
        session.add_all(made)
        session.flush()
        for collection in made:
            for place, sound in enumerate(sounds, start=1):
                ids = {"collection_id": collection.id, "sample_id": sound, "user_id": owner}
                session.add(CollectionSample(**ids, position=place << 20))
        return str(made[0].id)


@dataclass(slots=True)
class SeededAccounts:
    """The seeded users, and how to sign them in."""

    known: dict[str, Visitor]
    sample: str
    project: str
    collection: str
    origin: str

    def sign_in(self, page: Page, user: str) -> None:
        """Sign in the page's browser context unless it is signed in."""
        if user and page.request.get("/api/me").status != 200:
            page.request.post(
                "/auth/session", form=self._form(user), headers={"Origin": self.origin}
            )

    def sign_in_on_another_device(self, playwright: Playwright, user: str) -> None:
        """Start another session for the user."""
        device = playwright.request.new_context(base_url=self.origin)
        device.post("/auth/session", form=self._form(user), headers={"Origin": self.origin})
        device.dispose()

    def fill_pads(self, page: Page) -> None:
        """Put a looping sound with chops and an edit on the pads B1 and B2 of the project."""
        content = {
            "sample_id": self.sample,
            "settings": {"loop": True, "gate": False, "start": 20_000, "loop_top": 60_000},
            "chops": [40_000, 80_000],
            "edit": {"gain_db": -3},
        }
        for pad in (1, 2):
            answer = page.request.put(
                f"/api/projects/{self.project}/pads/B/{pad}",
                data=content,
                headers={"If-Match": "*", "Origin": self.origin},
            )
            assert answer.ok, answer.text()

    def _form(self, user: str) -> dict[str, str | float | bool]:
        return {"email": self.known[user].email, "password": self.known[user].password}


def seed(product: Product, page: Page, folder: Path) -> SeededAccounts:
    """Create a paying owner with sounds and projects, other users, and an operator."""
    names = ("owner", "changer", "doubter", "waiting")
    known = {name: Visitor(f"{name}-{uuid.uuid4().hex[:8]}@example.org") for name in names}
    known["operator"] = Visitor(OPERATOR)
    for name, visitor in known.items():
        form = {"email": visitor.email, "password": visitor.password, "first_name": name}
        page.request.post("/api/auth/register", data=form)
    confirmed = "update users set email_verified_at = now() where email not like 'waiting%'"
    run_sql(product, f"{confirmed} and email_verified_at is null")
    people.sign_in(page, known["owner"])
    subscribe(page, "buy-pro", "Pro")
    page.goto("/library")
    sample = _upload_sounds(page, folder, product.base_url)
    add_rows(product, sample)
    project = _create_projects(page, sample, product.base_url)
    add_patterns(product, project, p1=mk2_pattern([Hit(0, "B1"), Hit(960, "B2")]))
    _share(page, sample, product.base_url)
    collection = add_collections(product, sample)
    return SeededAccounts(known, sample, project, collection, product.base_url)


def _upload_sounds(page: Page, folder: Path, origin: str) -> str:
    """Upload loops and a quieter copy of the first; return the sample id of the copy."""
    made = list(demo_sounds())[:SOUND_COUNT]
    signals = {sound.name: sound.signal for sound in made} | {QUIETER_COPY: made[0].signal * 0.5}
    for name, signal in signals.items():
        path = folder / f"{name}.wav"
        soundfile.write(path, np.asarray(signal), made[0].sample_rate)
        file = FilePayload(name=path.name, mimeType="audio/wav", buffer=path.read_bytes())
        body = {"file": file, "folder": "Dusty Crate"}
        answer = page.request.post("/api/samples", multipart=body, headers={"Origin": origin})
        assert answer.status == 201, answer.text()
    expect(page.get_by_test_id("name")).to_have_count(len(signals))
    expect(page.locator(".pulse")).to_have_count(0, timeout=ANALYSIS_TIMEOUT_MS)
    found = page.request.get("/api/samples?q=softer").json()["samples"]
    return str(found[0]["id"])


def _share(page: Page, sample: str, origin: str) -> None:
    """Create links to a sample, one of which was reported twice."""
    for _ in range(LINK_COUNT):
        body = {"sample_id": sample}
        answer = page.request.post("/api/shares", data=body, headers={"Origin": origin})
        assert answer.status == 201, answer.text()
    url = str(answer.json()["url"])
    for _ in range(2):
        form = {"reason": "spam", "note": "Reported for the operator."}
        page.request.post(f"{url}/report", form=form, headers={"Origin": origin})


def _create_projects(page: Page, sample: str, origin: str) -> str:
    """Create projects with one sample each; return the id of another, which is empty."""
    for number in range(PROJECT_COUNT):
        _create_project(page, origin, name=f"Night set {number}", sample_ids=[sample])
    return _create_project(page, origin, name="Day set")


def _create_project(page: Page, origin: str, **details: object) -> str:
    answer = page.request.post("/api/projects", data=details, headers={"Origin": origin})
    assert answer.status == 201, answer.text()
    return str(answer.json()["project"]["id"])
