"""People, sounds and states for tests that go through every page."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
from playwright.sync_api import FilePayload, Page, Playwright, expect
from sqlmodel import Session, create_engine, text

from sp404_app.audio.synth.demo_sounds import demo_sounds
from sp404_app.models import Sample
from sp404_app.models.columns import uuid7
from sp404_app.supervisor import postgresql
from sp404_app.supervisor.home import Home
from tests.e2e import people
from tests.e2e.conftest import OPERATOR
from tests.e2e.people import Visitor
from tests.e2e.test_billing import subscribe
from tests.product import Product

SOUNDS = 4
A_DAY = 86_400_000 << 80  # in the part of a UUIDv7 that is the time
FURTHER = 120  # rows, so that the list scrolls
SOFTER = "Softer"  # a copy of the first
ANALYSED = 90_000  # ms; the machine may be busy with other tests

RESTORED = "update samples set deleted_at = null"
ALL_GONE = "update samples set deleted_at = now()"
THROWN_AWAY = (
    "update samples set deleted_at = now()"
    " where id in (select id from samples where storage_key like 'more/%' limit 3)"
)
NOTHING_YET = (
    "update samples set deleted_at = now()"
    " where user_id in (select id from users where email like 'changer%')"
)
UNPROVED = "update sign_ins set confirmed_at = null"
GIVEN_UP = """
    insert into stripe_events
      (id, realm, type, customer_id, created, received_at, due_at, attempts, error)
    select 'evt_given_up_' || n, realm, type, customer_id, created, now(), now(), 99, 'no answer'
    from (select * from stripe_events where id not like 'evt_given_up%' limit 1) one,
      generate_series(1, 3) n
    on conflict (id) do update set handled_at = null, attempts = 99
"""


@contextmanager
def database(product: Product) -> Iterator[Session]:
    """Open one transaction in the product's database."""
    engine = create_engine(postgresql.url(Home(product.home)).replace("://", "+psycopg://", 1))
    with Session(engine) as session, session.begin():
        yield session
    engine.dispose()


def run_sql(product: Product, statement: str) -> None:
    """Change the product's database behind its back."""
    with database(product) as session:
        session.connection().execute(text(statement))


def add_rows(product: Product, sample_id: str, count: int = FURTHER) -> None:
    """Add rows like one that is there, but older and without a sound, so that the list scrolls."""
    with database(product) as session:
        model = session.get_one(Sample, uuid.UUID(sample_id))
        values = model.model_dump(exclude={"search", "duplicate_group_id"})
        for number in range(count):
            own = {
                "id": uuid.UUID(int=uuid7().int - A_DAY),
                "name": f"More {number}",
                "digest": f"{number:064x}",
                "search_text": f"more {number}",
            }
            own["thumbnail"] = ""
            own["storage_key"] = f"more/{own['id']}"
            session.add(Sample.model_validate(values | own))


@dataclass(slots=True)
class Cast:
    """Who is in these pages, and how they come in."""

    known: dict[str, Visitor]
    sample: str
    origin: str

    def enter(self, page: Page, who: str) -> None:
        """Sign a browser in, unless it is."""
        if who and page.request.get("/api/me").status != 200:
            page.request.post(
                "/auth/session", form=self._form(who), headers={"Origin": self.origin}
            )

    def enter_elsewhere(self, playwright: Playwright, who: str) -> None:
        """Sign in at another device."""
        device = playwright.request.new_context(base_url=self.origin)
        device.post("/auth/session", form=self._form(who), headers={"Origin": self.origin})
        device.dispose()

    def _form(self, who: str) -> dict[str, str | float | bool]:
        return {"email": self.known[who].email, "password": self.known[who].password}


def set_up(product: Product, page: Page, folder: Path) -> Cast:
    """Make an owner who pays and has sounds, a person who changes things, and an operator."""
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
    sample = _fill(page, folder, product.base_url)
    add_rows(product, sample)
    return Cast(known, sample, product.base_url)


def _fill(page: Page, folder: Path, origin: str) -> str:
    """Upload loops, and a softer copy of the first; return the id of that one."""
    made = list(demo_sounds())[:SOUNDS]
    signals = {sound.name: sound.signal for sound in made} | {SOFTER: made[0].signal * 0.5}
    for name, signal in signals.items():
        path = folder / f"{name}.wav"
        soundfile.write(path, np.asarray(signal), made[0].sample_rate)
        file = FilePayload(name=path.name, mimeType="audio/wav", buffer=path.read_bytes())
        body = {"file": file, "folder": "Dusty Crate"}
        answer = page.request.post("/api/samples", multipart=body, headers={"Origin": origin})
        assert answer.status == 201, answer.text()
    expect(page.get_by_test_id("name")).to_have_count(len(signals))
    expect(page.locator(".pulse")).to_have_count(0, timeout=ANALYSED)
    found = page.request.get("/api/samples?q=softer").json()["samples"]
    return str(found[0]["id"])
