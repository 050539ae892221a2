"""Rate limits count a mailbox across all spellings of its email, on every way to guess or mail."""

from collections.abc import Iterator
from contextlib import ExitStack
from itertools import cycle

import pytest
from fastapi.testclient import TestClient

from sp404_app.api.app import api as app
from sp404_app.services.auth import passwords
from sp404_app.services.infra import email_addresses
from sp404_app.settings import Settings
from sp404_app.state.account.personal_data import OwnDataState
from sp404_app.state.auth.email_links import ForgotPasswordState
from sp404_app.state.auth.login import LoginState
from sp404_app.state.auth.signup import SignupState
from tests.accounts import PASSWORD, bearer, cookie, mails, sign_up_user
from tests.tabs import in_tab

VICTIM = "victim@example.com"
# The same mailbox: other case, full-width and styled letters, other dots, outer spaces.
SPELLINGS = (
    VICTIM,
    "VICTIM@Example.COM",
    "victim@ｅxample.com",
    "victim@example。com",
    "victim@ｅｘａｍｐｌｅ．com",
    "  victim@example.com\t",
    "victim@EXAMPLE｡com",
    "victim@ℯxample.com",
)
HOSTS = [f"203.0.113.{number}" for number in range(1, 7)]


@pytest.fixture
def hosts(services: Settings) -> Iterator[list[TestClient]]:
    """Clients on six hosts."""
    with ExitStack() as stack:
        yield [
            stack.enter_context(TestClient(app, services.origin, client=(host, 50_000)))
            for host in HOSTS
        ]


def test_every_spelling_is_the_same_mailbox() -> None:
    assert {email_addresses.canonical_address(each) for each in SPELLINGS} == {VICTIM}


@pytest.mark.parametrize("path", ["/api/auth/login", "/auth/session"])
def test_guesses_at_one_account_are_limited_across_spellings(
    hosts: list[TestClient], path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    sign_up_user(VICTIM)
    monkeypatch.setattr(passwords, passwords.verify_password_blocking.__name__, lambda *_: False)
    spelling = cycle(SPELLINGS)

    def refused(client: TestClient) -> bool:
        form = {"email": next(spelling), "password": "a wrong guess"}
        body = {"json": form} if path.startswith("/api") else {"data": form}
        answer = client.post(path, follow_redirects=False, **body)  # type: ignore[arg-type]
        return answer.status_code == 429 or "rate_limited" in answer.headers.get("location", "")

    assert [refused(hosts[0]) for _ in range(7)] == [False] * 5 + [True] * 2
    assert [refused(client) for client in hosts[1:5] for _ in range(5)] == [False] * 20
    assert refused(hosts[5])


def test_the_right_password_clears_the_failures_of_every_spelling(hosts: list[TestClient]) -> None:
    sign_up_user(VICTIM)
    for _ in range(2):
        for spelling in SPELLINGS[1:5]:
            form = {"email": spelling, "password": "a wrong guess"}
            assert hosts[0].post("/api/auth/login", json=form).status_code == 401
        form = {"email": SPELLINGS[5], "password": PASSWORD}
        assert hosts[1].post("/api/auth/login", json=form).status_code == 200
        hosts.append(hosts.pop(0))
        hosts.append(hosts.pop(0))


@pytest.mark.parametrize(
    ("path", "most"), [("register", 3), ("forgot-password", 5), ("resend-verification", 1)]
)
@pytest.mark.parametrize("known", [True, False])
def test_mails_to_one_mailbox_are_limited_across_spellings(
    hosts: list[TestClient], path: str, most: int, known: bool
) -> None:
    if known:
        sign_up_user(VICTIM, verified=path == "forgot-password")
    form = {"password": PASSWORD} if path == "register" else {}
    statuses = [
        hosts[number % len(hosts)]
        .post(f"/api/auth/{path}", json={"email": spelling, **form})
        .status_code
        for number, spelling in enumerate(SPELLINGS)
    ]
    assert [status < 300 for status in statuses] == [True] * most + [False] * (8 - most)
    assert set(statuses[most:]) == {429}
    assert len(mails(VICTIM)) <= most


def test_email_changes_to_one_mailbox_are_limited_across_spellings(hosts: list[TestClient]) -> None:
    statuses = []
    for number, spelling in enumerate(SPELLINGS):
        headers = bearer(sign_up_user().id)
        put = hosts[number % len(hosts)].put
        statuses.append(put("/api/me/email", json={"email": spelling}, headers=headers).status_code)
    assert statuses == [202] * 5 + [429] * 3


async def test_page_forms_are_limited_across_spellings(services: Settings) -> None:
    sign_up_user(VICTIM, verified=False)
    said: list[str] = []
    for number, spelling in enumerate(SPELLINGS):
        signup = in_tab(SignupState(), "", ip=HOSTS[number % 6])  # type: ignore[call-arg]
        signup.sent_to = spelling
        async for _ in SignupState.resend.fn(signup):  # type: ignore[attr-defined]
            pass
        said.append(signup.resent)
        login = in_tab(LoginState(), "", ip=HOSTS[number % 6])  # type: ignore[call-arg]
        login._email = spelling
        await LoginState.resend.fn(login)  # type: ignore[attr-defined]
        said.append(login.resent)
    assert sum("Too many attempts" not in words for words in said) == 1
    sent = len(mails(VICTIM))
    for number, spelling in enumerate(SPELLINGS):
        forgot = in_tab(ForgotPasswordState(), "", ip=HOSTS[number % 6])  # type: ignore[call-arg]
        async for _ in ForgotPasswordState.submit.fn(forgot, {"email": spelling}):  # type: ignore[attr-defined]
            pass
        assert ("Too many attempts" in forgot.problem) == (number >= 5)
    assert len(mails(VICTIM)) - sent == 5


async def test_the_account_page_is_limited_across_spellings(services: Settings) -> None:
    problems = []
    for number, spelling in enumerate(SPELLINGS):
        page = in_tab(OwnDataState(), cookie(sign_up_user().id), ip=HOSTS[number % 6])  # type: ignore[call-arg]
        await OwnDataState.change_email.fn(page, {"email": spelling})  # type: ignore[attr-defined]
        problems.append(page.email_problem)
    assert [bool(problem) for problem in problems] == [False] * 5 + [True] * 3
