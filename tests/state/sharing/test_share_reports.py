"""The operator's list of reported links: for operators with a recent password only."""

import uuid
from collections.abc import Callable
from typing import Any

import pytest
import reflex as rx
from sqlmodel import Session, col, select, update

from sp404_app.db import transaction
from sp404_app.devices.capabilities import MK2
from sp404_app.errors import Forbidden, NotFound
from sp404_app.models import AuditEntry, Share, ShareReport, SignIn, User
from sp404_app.models.columns import now
from sp404_app.services.auth import authentication, reauthentication
from sp404_app.services.collections import collections
from sp404_app.services.projects import projects
from sp404_app.services.sharing import share_reports, shares
from sp404_app.services.sharing.shares import ShareOptions, ShareTarget
from sp404_app.settings import settings
from sp404_app.state.auth.reauthentication import ConfirmState
from sp404_app.state.sharing.share_reports import ShareReportsState
from tests.accounts import SignedUpUser, cookie, sign_up_user
from tests.services.conftest import keep
from tests.sounds import Keep
from tests.tabs import in_tab

__all__ = ["keep"]
pytestmark = pytest.mark.usefixtures("services")


@pytest.fixture
def question(monkeypatch: pytest.MonkeyPatch) -> ConfirmState:
    asked = ConfirmState()

    async def get_state(*_: object) -> ConfirmState:
        return asked

    monkeypatch.setattr(rx.State, "get_state", get_state)
    return asked


@pytest.fixture
def operator(environment: pytest.MonkeyPatch) -> SignedUpUser:
    who = sign_up_user("operator@example.org")
    environment.setenv("SP404_OPERATORS", who.email)
    settings.cache_clear()
    return who


@pytest.fixture
def owner(person: Callable[..., User]) -> User:
    return person()


@pytest.fixture
def sample_id(owner: User, keep: Keep) -> uuid.UUID:
    return keep(owner=owner.id)


def report(owner: User, sample_id: uuid.UUID, notes: tuple[str, ...] = ("My loop",)) -> uuid.UUID:
    """Share a sound and report the link; return the link's id."""
    with transaction() as session:
        made = shares.create_share(
            session, owner.id, ShareTarget("sample", sample_id), ShareOptions()
        )
        for note in notes:
            share_reports.add_report(session, session.get_one(Share, made.id), "copyright", note)
    return made.id


async def confirmed(who: SignedUpUser) -> ShareReportsState:
    """A tab whose session confirmed the password recently."""
    value = cookie(who.id)
    session = await authentication.authenticate_cookie(value)
    with transaction() as database:
        reauthentication.mark_reauthenticated(database, session)
    return in_tab(ShareReportsState(), value)


async def test_a_take_down_ends_the_link_and_closes_all_its_reports(
    operator: SignedUpUser, owner: User, sample_id: uuid.UUID
) -> None:
    share_id = report(owner, sample_id, ("One", "Two"))
    tab = await confirmed(operator)
    await tab.load()
    assert [row.note for row in tab.rows] == ["One", "Two"]
    assert tab.rows[0].reason == "It infringes copyright"
    await tab.take_down(tab.rows[1].id)
    assert (tab.rows, tab.message) == ([], "Link taken down.")
    with transaction() as session:
        assert session.get_one(Share, share_id).taken_down_at is not None
        assert shares.list_shares(session, owner.id)[0].status == "taken_down"
        logged = {entry.action for entry in session.exec(select(AuditEntry))}
    assert {"share_taken_down", "share_taken_down_by_operator"} <= logged


async def test_a_take_down_ends_all_links_of_the_owner_to_the_same_sound(
    operator: SignedUpUser, owner: User, sample_id: uuid.UUID, keep: Keep
) -> None:
    ids = [report(owner, sample_id), report(owner, sample_id)]
    elsewhere = report(owner, keep("Another.wav", owner=owner.id), ())
    tab = await confirmed(operator)
    await tab.load()
    await tab.take_down(tab.rows[0].id)
    assert tab.rows == []
    with transaction() as session:
        down = select(Share.id).where(col(Share.taken_down_at).is_not(None))
        assert set(session.exec(down)) == set(ids)
        assert shares.get_share(session, owner.id, elsewhere).status == "active"


async def test_what_was_taken_down_cannot_be_shared_again_even_after_revoking(
    operator: SignedUpUser, owner: User, sample_id: uuid.UUID
) -> None:
    share_id = report(owner, sample_id)
    tab = await confirmed(operator)
    await tab.load()
    await tab.take_down(tab.rows[0].id)
    with transaction() as session:
        shares.revoke_share(session, owner.id, share_id)
        assert shares.purge_revoked_shares(session, now().replace(year=now().year + 1)) == 0
    target = ShareTarget("sample", sample_id)
    with transaction() as session, pytest.raises(Forbidden):
        shares.create_share(session, owner.id, target, ShareOptions())


async def test_a_dismissed_report_leaves_link_and_other_reports(
    operator: SignedUpUser, owner: User, sample_id: uuid.UUID
) -> None:
    share_id = report(owner, sample_id, ("One", "Two"))
    tab = await confirmed(operator)
    await tab.load()
    await tab.dismiss(tab.rows[0].id)
    assert [row.note for row in tab.rows] == ["Two"]
    with transaction() as session:
        assert session.get_one(Share, share_id).taken_down_at is None
    with transaction() as session:
        closed = session.exec(select(ShareReport.id).where(ShareReport.note == "One")).one()
    with pytest.raises(NotFound):
        await tab.dismiss(str(closed))


@pytest.mark.parametrize("kind", ["collection", "project"])
def test_a_copy_of_what_was_taken_down_is_not_shared(
    session: Session, user: User, keep: Keep, kind: str
) -> None:
    ids = [keep(f"Sound {number}.wav") for number in range(3)]

    def make(kind: str, ids: list[uuid.UUID]) -> uuid.UUID:
        if kind == "project":
            return projects.create_project(session, user.id, "Kit", MK2, ids).project.id
        return collections.create_collection(session, user.id, name="Mix", sample_ids=ids).id

    first, copy, part = make(kind, ids[:2]), make(kind, ids), make(kind, ids[1:])
    link = shares.create_share(session, user.id, ShareTarget(kind, first), ShareOptions())
    session.get_one(Share, link.id).taken_down_at = now()
    session.flush()
    shares.create_share(session, user.id, ShareTarget(kind, part), ShareOptions())
    for other in ("collection", "project"):
        target = copy if other == kind else make(other, ids)
        with pytest.raises(Forbidden, match="taken down"):
            shares.create_share(session, user.id, ShareTarget(other, target), ShareOptions())


@pytest.mark.parametrize("act", ["take_down", "dismiss"])
async def test_other_users_can_neither_see_nor_close_reports(
    operator: SignedUpUser, owner: User, sample_id: uuid.UUID, act: str
) -> None:
    report(owner, sample_id)
    with transaction() as session:
        report_id = session.exec(select(ShareReport.id)).one()
    tab = await confirmed(sign_up_user())
    await tab.load()
    assert tab.rows == []
    handler: Any = getattr(tab, act)
    with pytest.raises(NotFound):
        await handler(str(report_id))


async def test_an_operator_confirms_the_password_first(
    operator: SignedUpUser, owner: User, sample_id: uuid.UUID, question: ConfirmState
) -> None:
    report(owner, sample_id)
    tab = in_tab(ShareReportsState(), cookie(operator.id))
    with transaction() as session:
        session.exec(update(SignIn).values(confirmed_at=None))
    await tab.load()
    assert (tab.rows, question.asking) == ([], True)


@pytest.mark.parametrize("wrong", ["", None, 7, {}, "x" * 1000])
async def test_a_wrong_report_is_a_clear_error(operator: SignedUpUser, wrong: Any) -> None:
    tab = await confirmed(operator)
    with pytest.raises(NotFound):
        await tab.take_down(wrong)
