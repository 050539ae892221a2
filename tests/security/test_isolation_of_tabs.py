"""Users cannot read or change data of others: every event handler of every page."""

import datetime as dt
import uuid
from pathlib import Path

import pytest
from sqlmodel import col, update

from sp404_app import db
from sp404_app.models import SignIn
from sp404_app.models.columns import now
from sp404_app.services.auth import sessions
from sp404_app.services.infra import rate_limits
from sp404_app.settings import Settings
from tests.accounts import SignedUpUser, cookie, sign_up_user
from tests.security import world
from tests.security.events import addresses, arguments, takes_ids
from tests.security.machine import Outcome, machine, ours
from tests.security.world import Person, dump, never, untouched

# States of pages without authentication. A new one must be added here deliberately.
PUBLIC = frozenset(
    {
        "DevOutboxState",  # both answer local requests only, in development
        "DevStripeState",
        "EmailLinkState",
        "ForgotPasswordState",
        "LoginState",
        "ToastState",
        "ResetPasswordState",
        "SignupState",
        "VerifyEmailState",
    }
)
# Handlers that take an id but do not look it up: the result is the same for every user.
ALIKE = frozenset({"LibraryState.open_sample"})
# Handlers that act on the project that their tab has loaded: tests/state/projects/test_pads.py.
OF_A_PROJECT = frozenset({"PadsState.put_next", "PadsState.put_sample"})
# Handlers that change only their own tab and read no data.
LOCAL = frozenset(
    {
        "BillingState.ask",
        "ConfirmState.cancel",
        "LeavingState.forget",
        "PlansState.close",
        "StrengthState.load",
        "StrengthState.estimate",
        "TokensState.hide_token",
        "TwoFactorState.hide_codes",
    }
)
RANDOM = frozenset({"TwoFactorState.begin"})  # every response holds a new secret

ALL = ours()
PRIVATE = [name for name in ALL if name.partition(".")[0] not in PUBLIC]


@pytest.fixture
def owner(services: Settings, tmp_path: Path) -> Person:
    return world.person(tmp_path)


def full_name(name: str) -> str:
    return f"{ALL[name].states[0].get_full_name()}.{name.partition('.')[2]}"


def stale(person: Person) -> list[str]:
    """Return invalid cookies: none, invented, expired and revoked."""
    found = ["", "invented"]
    for values in (
        {"expires_at": now()},
        {"revoked_at": now()},
        {"last_seen_at": now() - dt.timedelta(days=8)},
    ):
        value = cookie(person.who.id)
        mine = col(SignIn.cookie_hash) == sessions.hash_token(value)
        with db.transaction() as session:
            session.exec(update(SignIn).where(mine).values(**values))
        found.append(value)
    return found


@pytest.mark.parametrize("name", PRIVATE)
async def test_a_handler_treats_another_users_id_like_an_unknown_one(
    name: str, owner: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The same form is sent once for each page: its email address must not reach a rate limit.
    monkeypatch.setattr(rate_limits, "_mailbox", lambda _: uuid.uuid4().hex)
    handler, event, nobody_s = ALL[name], full_name(name), never()
    before = dump()
    async with machine() as run:

        async def asked(ids: dict[str, str], cookie: str, address: str) -> Outcome:
            return await run.send(event, arguments(handler, ids), cookie=cookie, address=address)

        def stranger() -> SignedUpUser:
            return sign_up_user(f"a{uuid.uuid4().hex[:11]}@example.org")  # one initial for all

        for theirs, unknown in zip(addresses(owner.ids), addresses(nobody_s), strict=True):
            seen, never_seen = [
                (await asked(ids, cookie(stranger().id), address)).normal()
                for ids, address in ((owner.ids, theirs), (nobody_s, unknown))
            ]
            assert seen == never_seen or name in RANDOM
            assert seen[1] == []
        assert untouched(before, dump())
        bad = stale(owner)
        before = dump()
        for value in bad:
            outcome = await asked(owner.ids, value, theirs)
            assert "not_signed_in" in outcome.refusals or name in LOCAL
            assert owner.who.email not in str(outcome.sent)
            assert outcome.mistakes == []
        assert dump() == before
        if takes_ids(handler) and name not in ALIKE | OF_A_PROJECT:
            # At one of the pages the owner is not refused; else a refusal would prove nothing.
            # The sample's page is first, because a handler may change the sample and then fail.
            for own_page in sorted(addresses(owner.ids), key=lambda url: "/samples/" not in url):
                mine = await asked(owner.ids, cookie(owner.who.id), own_page)
                if not mine.refusals:
                    break
            assert mine.refusals == []


@pytest.mark.parametrize("name", [name for name in ALL if name not in PRIVATE])
async def test_public_pages_reveal_no_private_data(name: str, owner: Person) -> None:
    before = dump()
    async with machine() as run:
        outcome = await run.send(full_name(name), arguments(ALL[name], owner.ids))
    assert untouched(before, dump())
    assert outcome.mistakes == []
    assert owner.who.email not in str(outcome.sent)


def test_every_handler_is_covered() -> None:
    assert {name.partition(".")[0] for name in ALL} >= PUBLIC
    assert len(ALL) > 60
