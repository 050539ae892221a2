"""The billing admin is only for operators who recently confirmed their password."""

from typing import Any

import pytest
from sqlmodel import select, update

from sp404_app.db import transaction
from sp404_app.errors import AppError, NotFound, ReauthenticationRequired
from sp404_app.models import AuditEntry, SignIn, StripeEvent, User
from sp404_app.models.columns import now
from sp404_app.services.auth import access_tokens, reauthentication
from sp404_app.services.auth.sessions import SignedIn
from sp404_app.services.billing import admin, reconcile, webhooks
from sp404_app.services.infra import queue
from sp404_app.settings import settings
from tests.accounts import CLIENT, SignedUpUser, sign_in_api_client, sign_up_user

pytestmark = pytest.mark.usefixtures("services")
ACTIONS: dict[str, Any] = {
    "look": admin.load_billing_admin,
    "replay": lambda session, who: admin.replay_event(session, who, "evt_1", CLIENT),
    "replay_dead": lambda session, who: admin.replay_dead_events(session, who, CLIENT),
    "compare": lambda session, who: admin.request_reconcile(session, who, CLIENT),
}


def set_operators(environment: pytest.MonkeyPatch, *addresses: str) -> None:
    environment.setenv("SP404_OPERATORS", ", ".join(addresses))
    settings.cache_clear()


def sign_in(person: SignedUpUser, *, fresh: bool = True) -> SignedIn:
    who = access_tokens.verify_access_token(sign_in_api_client(person.id).token)
    with transaction() as session:
        session.exec(update(SignIn).values(confirmed_at=None))
        if fresh:
            reauthentication.mark_reauthenticated(session, who)
    return who


def add_dead_event(name: str = "evt_1") -> None:
    with transaction() as session:
        session.add(
            StripeEvent(
                id=name,
                realm="emulator",
                type="invoice.paid",
                customer_id="cus_1",
                created=now(),
                attempts=webhooks.MAX_ATTEMPTS,
                error="KeyError",
            )
        )


@pytest.fixture
def operator(environment: pytest.MonkeyPatch) -> SignedIn:
    person = sign_up_user("Boss@Example.org")
    set_operators(environment, "other@example.org", "boss@example.ORG")
    return sign_in(person)


@pytest.mark.parametrize("action", ACTIONS)
def test_users_who_are_not_operators_get_not_found(
    action: str, environment: pytest.MonkeyPatch
) -> None:
    add_dead_event()
    ada, unverified = sign_up_user(), sign_up_user(verified=False)
    demo = sign_up_user()
    with transaction() as session:
        session.get_one(User, demo.id).is_demo = True
    for people in ((), (unverified.email, demo.email), (f"x{ada.email}", ada.email[1:])):
        set_operators(environment, *people)
        for one in (ada, unverified, demo):
            who = sign_in(one)
            with transaction() as session, pytest.raises(NotFound, match="Page not found"):
                ACTIONS[action](session, who)
    with transaction() as session:
        assert len(webhooks.list_dead_events(session)) == 1
        assert session.exec(select(AuditEntry)).all() == []


@pytest.mark.parametrize("action", ACTIONS)
def test_an_operator_must_have_confirmed_the_password_in_this_session(
    action: str, environment: pytest.MonkeyPatch
) -> None:
    add_dead_event()
    boss = sign_up_user()
    set_operators(environment, boss.email)
    stale = sign_in(boss, fresh=False)
    with transaction() as session, pytest.raises(ReauthenticationRequired):
        ACTIONS[action](session, stale)
    fresh = sign_in(boss)
    # Another session of the operator is confirmed, this one is not.
    with transaction() as session, pytest.raises(ReauthenticationRequired):
        ACTIONS[action](session, stale)
    with transaction() as session:
        ACTIONS[action](session, fresh)


def test_the_data_has_dead_events_and_the_newest_reconcile_report(operator: SignedIn) -> None:
    with transaction() as session:
        assert admin.load_billing_admin(session, operator) == admin.BillingAdminData((), None)
    add_dead_event()
    with transaction() as session:
        reconcile.save_report(session, now().date(), 2, ["a healed"], ["b odd"])
    with transaction() as session:
        data = admin.load_billing_admin(session, operator)
    assert [(one.id, one.error) for one in data.dead_letters] == [("evt_1", "KeyError")]
    assert data.last_reconcile
    assert (
        data.last_reconcile.checked,
        data.last_reconcile.fixed,
        data.last_reconcile.problems,
    ) == (
        2,
        ("a healed",),
        ("b odd",),
    )


def test_a_long_report_is_truncated_and_counted_in_full(operator: SignedIn) -> None:
    with transaction() as session:
        many = [f"odd {number}" for number in range(admin.MAX_REPORT_LINES + 30)]
        reconcile.save_report(session, now().date(), len(many), many, many)
    with transaction() as session:
        report = admin.load_billing_admin(session, operator).last_reconcile
    assert report
    assert len(report.fixed) == len(report.problems) == admin.MAX_REPORT_LINES
    assert report.fixed_total == report.problems_total == len(many)


def test_a_replay_enqueues_one_job_and_writes_the_audit_log(operator: SignedIn) -> None:
    for name in ("evt_1", "evt_2", "evt_3"):
        add_dead_event(name)
    with transaction() as session:
        admin.replay_event(session, operator, "evt_2", CLIENT)
    with transaction() as session:
        assert len(webhooks.list_dead_events(session)) == 2
        assert admin.replay_dead_events(session, operator, CLIENT) == 2
    with transaction() as session, pytest.raises(AppError, match="no such event"):
        admin.replay_event(session, operator, "evt_none", CLIENT)
    with transaction() as session:
        admin.request_reconcile(session, operator, CLIENT)
        assert webhooks.list_dead_events(session) == []
        assert {webhooks.claim_event(session) for _ in range(4)} == {
            "evt_1",
            "evt_2",
            "evt_3",
            None,
        }
    (called,) = queue.rq_queue(queue.HIGH).jobs  # one job for all events
    assert called.func_name == "sp404_app.jobs.billing.handle_due_events"
    (compared,) = queue.rq_queue(queue.LOW).jobs
    assert compared.func_name == "sp404_app.jobs.billing.reconcile"
    with transaction() as session:
        lines = session.exec(select(AuditEntry).where(AuditEntry.user_id == operator.user_id)).all()
    assert sorted(line.action for line in lines) == [
        "comparison_asked",
        "event_replayed",
        "event_replayed",
    ]
