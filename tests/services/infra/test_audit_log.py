"""The audit log is append-only, also for statements in the database."""

import psycopg
import pytest
from psycopg.errors import InsufficientPrivilege
from sqlmodel import select

from sp404_app.db import transaction
from sp404_app.models import AuditEntry
from sp404_app.services.account import deletion
from sp404_app.services.infra import audit_log
from sp404_app.settings import settings
from tests.accounts import CLIENT, SignedUpUser, sign_up_user

pytestmark = pytest.mark.usefixtures("services")

CHANGES = (
    "delete from audit_log",
    "truncate audit_log",
    "update audit_log set action = 'nothing happened'",
    "update audit_log set at = now()",
    "update audit_log set user_id = null",
    "update audit_log set ip = '192.0.2.1'",
    'update audit_log set details = \'{"kind": "none"}\'',
)
BLUR = "update audit_log set ip = '', details = '{}'"


@pytest.fixture
def ada() -> SignedUpUser:
    ada = sign_up_user()
    with transaction() as session:
        audit_log.record_audit_event(session, ada.id, "signed_in", CLIENT, kind="browser")
    return ada


def entries() -> list[AuditEntry]:
    with transaction() as session:
        return list(session.exec(select(AuditEntry).order_by(AuditEntry.id)))  # type: ignore[arg-type]


def run(*statements: str) -> None:
    with psycopg.connect(settings().database_url) as connection:
        for statement in statements:
            connection.execute(statement.encode())


def refused(statement: str) -> None:
    before = entries()
    with pytest.raises(InsufficientPrivilege, match="append-only"):
        run(statement)
    assert entries() == before
    assert before


@pytest.mark.parametrize("statement", CHANGES)
def test_audit_rows_can_be_neither_updated_nor_deleted(ada: SignedUpUser, statement: str) -> None:
    refused(statement)


def test_the_ip_of_an_existing_user_cannot_be_removed(ada: SignedUpUser) -> None:
    refused(BLUR)


async def test_deleting_a_user_removes_only_ip_and_details(ada: SignedUpUser) -> None:
    await deletion.delete_account(ada.id)
    assert [(one.action, one.ip, one.details) for one in entries()] == [
        ("signed_in", "", {}),
        ("account_deleted", "", {}),
    ]
    run(BLUR)
    for statement in CHANGES:
        refused(statement)
    refused(f"{BLUR}, action = 'nothing happened'")


@pytest.mark.parametrize("statement", CHANGES[:2])
def test_an_operator_prunes_the_log_with_a_setting_for_one_transaction(
    ada: SignedUpUser, statement: str
) -> None:
    run("set local sp404.forget_audit = 'on'", statement)
    assert entries() == []
    with transaction() as session:
        audit_log.record_audit_event(session, ada.id, "signed_in", CLIENT)
    refused(statement)


@pytest.mark.parametrize("statement", CHANGES[2:])
def test_the_prune_setting_does_not_allow_updates(ada: SignedUpUser, statement: str) -> None:
    with pytest.raises(InsufficientPrivilege, match="append-only"):
        run("set local sp404.forget_audit = 'on'", statement)
