"""State of the dialog and the list of public links, and hostile arguments."""

import uuid
from collections.abc import Callable
from typing import Any

import pytest
import reflex as rx

from sp404_app.db import transaction
from sp404_app.errors import AppError, NotFound, Unauthenticated
from sp404_app.models import User
from sp404_app.services.library import samples
from sp404_app.services.sharing import shares
from sp404_app.services.sharing.shares import ShareOptions, ShareTarget, ShareView
from sp404_app.state.sharing.share import ShareState
from tests.accounts import cookie
from tests.ids import UNKNOWN_ID
from tests.services.conftest import keep
from tests.sounds import Keep
from tests.tabs import in_tab

__all__ = ["keep"]
pytestmark = pytest.mark.usefixtures("services")
FORM = {"expires": "7", "share_password": "", "download": "original", "indexing": "on"}


def opened(owner_cookie: str) -> ShareState:
    root = rx.State(_reflex_internal_init=True)  # type: ignore[call-arg]
    state = root.get_substate(ShareState.get_full_name().split("."))
    return in_tab(state, owner_cookie)  # type: ignore[return-value, arg-type]


@pytest.fixture
def tab(user: User) -> ShareState:
    return opened(cookie(user.id))


@pytest.fixture
def sample_id(keep: Keep) -> str:
    return str(keep("Dusty kick.wav"))


async def run(handler: Any) -> list[Any]:
    """Run an event handler to its end; return the events that it yields."""
    if hasattr(handler, "__aiter__"):
        return [event async for event in handler]
    return [await handler]


def links(user: User) -> list[ShareView]:
    with transaction() as session:
        return shares.list_shares(session, user.id)


def share(user_id: uuid.UUID, sample_id: str) -> str:
    with transaction() as session:
        target = ShareTarget("sample", uuid.UUID(sample_id))
        return str(shares.create_share(session, user_id, target, ShareOptions()).id)


async def test_the_dialog_creates_a_link_as_its_form_says(
    tab: ShareState, user: User, sample_id: str
) -> None:
    await tab.open_for_sample(sample_id)
    assert (tab.is_open, tab.name, tab.rows) == (True, "Dusty kick", [])
    await run(tab.create(FORM | {"share_password": "sixteen pads and dust"}))
    (link,) = links(user)
    assert (link.allow_download, link.allow_indexing, link.has_password) == ("original", True, True)
    assert link.expires_at is not None
    assert (link.expires_at - link.created_at).days in (6, 7)
    (row,) = tab.rows
    assert row.url == link.url
    assert "Password" in row.facts
    assert "Expires" in row.facts
    assert row.embed_code.startswith(f'<iframe src="{link.url}/embed"')


@pytest.mark.parametrize(
    "form",
    [
        None,
        {},
        [],
        FORM | {"share_password": "short"},
        FORM | {"download": "all"},
        FORM | {"download": {}},
        FORM | {"expires": 7},
    ],
)
async def test_a_wrong_form_creates_nothing_and_says_why(
    tab: ShareState, user: User, sample_id: str, form: Any
) -> None:
    await tab.open_for_sample(sample_id)
    await run(tab.create(form))
    assert tab.problem
    assert not tab.busy
    assert links(user) == []


async def test_without_a_target_the_form_creates_nothing(tab: ShareState, user: User) -> None:
    await run(tab.create(FORM))
    assert links(user) == []


async def test_the_dialog_lists_the_links_of_its_target_and_the_page_lists_all(
    tab: ShareState, user: User, sample_id: str, keep: Keep
) -> None:
    first, second = share(user.id, sample_id), share(user.id, str(keep("Other.wav")))
    await tab.open_for_sample(sample_id)
    assert [row.id for row in tab.rows] == [first]
    await tab.load()
    assert [row.id for row in tab.rows] == [second, first]
    assert not tab.is_open


async def test_a_link_is_changed_from_its_row(tab: ShareState, user: User, sample_id: str) -> None:
    link = share(user.id, sample_id)
    await tab.load()
    await run(tab.set_download(link, "sp404"))
    await run(tab.toggle_indexing(link))
    (found,) = links(user)
    assert (found.allow_download, found.allow_indexing) == ("sp404", True)
    await run(tab.toggle_indexing(link))
    assert not links(user)[0].allow_indexing


async def test_a_link_is_revoked_after_a_question(
    tab: ShareState, user: User, sample_id: str
) -> None:
    link = share(user.id, sample_id)
    await tab.load()
    await run(tab.ask_revoke(link))
    assert len(links(user)) == 1
    await tab.keep()
    await run(tab.revoke())
    assert len(links(user)) == 1
    await run(tab.ask_revoke(link))
    await run(tab.revoke())
    assert (links(user), tab.rows, tab.revoking_id) == ([], [], "")


async def test_days_are_shown_and_hidden(tab: ShareState, user: User, sample_id: str) -> None:
    link = share(user.id, sample_id)
    await run(tab.show_days(link))
    assert tab.days_of == link
    await run(tab.show_days(link))
    assert tab.days_of == ""


async def test_a_link_to_the_trash_says_that_it_does_not_work(
    tab: ShareState, user: User, sample_id: str
) -> None:
    share(user.id, sample_id)
    with transaction() as session:
        samples.delete_samples(session, user.id, [uuid.UUID(sample_id)])
    await tab.load()
    assert tab.rows[0].status == "Doesn’t work while this is in the trash"
    with pytest.raises(NotFound):
        await tab.open_for_sample(sample_id)


@pytest.mark.parametrize("wrong", [UNKNOWN_ID, "", None, 7, {"a": 1}, "x" * 10_000])
@pytest.mark.parametrize(
    "act",
    [
        lambda tab, value: tab.open_for_sample(value),
        lambda tab, value: tab.open_for_collection(value),
        lambda tab, value: tab.open_for_project(value),
        lambda tab, value: tab.ask_revoke(value),
        lambda tab, value: tab.show_days(value),
        lambda tab, value: tab.set_download(value, "none"),
        lambda tab, value: tab.toggle_indexing(value),
    ],
)
async def test_a_wrong_id_is_a_clear_error(tab: ShareState, act: Any, wrong: Any) -> None:
    with pytest.raises(AppError):
        await run(act(tab, wrong))


async def test_another_users_link_is_unknown(
    tab: ShareState, person: Callable[..., User], keep: Keep
) -> None:
    other = person()
    link = share(other.id, str(keep(owner=other.id)))
    for act in (tab.ask_revoke, tab.show_days, tab.toggle_indexing):
        with pytest.raises(NotFound):
            await run(act(link))  # type: ignore[operator]
    tab.revoking_id = link
    with pytest.raises(NotFound):
        await run(tab.revoke())
    assert len(links(other)) == 1


async def test_without_a_session_nothing_is_shown(sample_id: str) -> None:
    tab = opened("nobody")
    for act in (tab.load(), tab.open_for_sample(sample_id), tab.keep(), tab.close_dialog()):
        with pytest.raises(Unauthenticated):
            await run(act)  # type: ignore[misc]


async def test_a_double_click_creates_one_link_and_another_form_a_second(
    tab: ShareState, user: User, sample_id: str
) -> None:
    await tab.open_for_sample(sample_id)
    for _ in range(2):
        await run(tab.create(dict(FORM)))
    assert len(links(user)) == 1
    await run(tab.create(FORM | {"expires": "30"}))
    assert len(links(user)) == 2
