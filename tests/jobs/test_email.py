"""The job that sends emails: encrypted rows, retries, lost jobs, two workers at once."""

import datetime as dt
import json
import threading
import time
import uuid
from collections.abc import Iterator

import pytest
from redis.exceptions import ConnectionError as RedisConnectionError
from rq import SimpleWorker
from sqlmodel import col, select, update

from sp404_app.db import transaction
from sp404_app.errors import ValidationFailed
from sp404_app.jobs import scheduler
from sp404_app.jobs.email import send_email, send_overdue_emails
from sp404_app.models import UnsentMail
from sp404_app.models.columns import now
from sp404_app.services.infra import (
    email,
    email_templates,
    encryption,
    events,
    queue,
    smtp,
    unsent_emails,
)
from sp404_app.services.infra.smtp import DeliveryFailure
from sp404_app.settings import settings
from tests.accounts import deliver_mails, mails, text_of
from tests.jobs.test_worker import Start, start_worker
from tests.smtp_server import SmtpServer, smtp_server

__all__ = ["smtp_server", "start_worker"]
pytestmark = pytest.mark.usefixtures("services")

TOKEN = "reset-token-3f9a"


def write_email(recipient: str = "ada@example.org") -> uuid.UUID:
    """Commit an email with a token; return its id."""
    with transaction() as session:
        email.send_email_to_address(session, recipient, email_templates.reset_password(TOKEN))
    return rows()[-1].id


def rows() -> list[UnsentMail]:
    with transaction() as session:
        return list(session.exec(select(UnsentMail).order_by(col(UnsentMail.id))))


def run_queued_jobs() -> None:
    """Run everything in the email queue through RQ, in this process."""
    served = queue.rq_queue(queue.HIGH)
    SimpleWorker([served], connection=served.connection).work(burst=True, logging_level="ERROR")


def requeue() -> int:
    with transaction() as session:
        return unsent_emails.requeue_due(session, now())


def let_pass(delta: dt.timedelta) -> None:
    """Move the times of all rows into the past, as if `delta` had passed."""
    earlier = {
        "due_at": UnsentMail.due_at - delta,  # type: ignore[operator]
        "created_at": UnsentMail.created_at - delta,
    }
    with transaction() as session:
        session.exec(update(UnsentMail).values(**earlier))


def test_a_queued_job_sends_the_email_and_deletes_its_row() -> None:
    write_email()
    run_queued_jobs()
    (message,) = mails("ada@example.org")
    assert TOKEN in text_of(message)
    assert rows() == []


def test_a_worker_process_sends_an_email(start_worker: Start) -> None:
    write_email()
    start_worker()
    until = time.monotonic() + 90
    while rows():
        assert time.monotonic() < until
        time.sleep(0.1)
    assert len(list(settings().outbox.glob("*.eml"))) == 1


def test_the_job_waits_in_the_queue_that_is_served_first() -> None:
    email_id = write_email()
    assert queue.QUEUES[0] == queue.HIGH
    assert queue.rq_queue(queue.HIGH).get_job_ids() == [queue.rq_job_id(email_id, 0)]


def test_a_rolled_back_transaction_writes_no_row_and_queues_no_job() -> None:
    def roll_back() -> None:
        with transaction() as session:
            email.send_email_to_address(
                session, "ada@example.org", email_templates.reset_password("t")
            )
            raise ValidationFailed("No.")

    with pytest.raises(ValidationFailed):
        roll_back()
    assert (rows(), queue.queued_ids()) == ([], frozenset())


def test_neither_redis_nor_the_stored_body_contains_the_token_or_the_address() -> None:
    email_id = write_email()
    stored = rows()[0].encrypted_body
    assert stored
    for clear in (TOKEN, "reset-password", "ada@example.org"):
        assert clear.encode() not in stored
    redis = events.connection()
    job = redis.hgetall(f"rq:job:{queue.rq_job_id(email_id, 0)}")
    content = b"".join(job.values())  # type: ignore[union-attr]
    assert str(email_id).encode() in job[b"description"]  # type: ignore[index]
    for clear in (TOKEN, "ada@example.org", "Reset your password"):
        assert clear.encode() not in content


def test_a_body_can_only_be_decrypted_for_its_own_row() -> None:
    write_email("ada@example.org")
    write_email("bob@example.org")
    ada, bob = rows()
    with transaction() as session:
        session.exec(
            update(UnsentMail)
            .where(col(UnsentMail.id) == bob.id)
            .values(encrypted_body=ada.encrypted_body)
        )
    deliver_mails()
    assert [message["To"] for message in mails()] == ["ada@example.org"]
    (row,) = rows()
    assert (row.recipient, row.reason) == ("bob@example.org", email.UNREADABLE.reason)


def test_a_restart_between_commit_and_send_loses_no_email() -> None:
    """Only the row exists: the process ended before it queued the job."""
    write_email()
    events.connection().flushdb()
    assert requeue() == 1
    run_queued_jobs()
    assert len(mails()) == 1


def test_a_waiting_job_is_not_queued_twice() -> None:
    write_email()
    assert requeue() == 0
    events.connection().flushdb()
    assert (requeue(), requeue()) == (1, 0)


def test_redis_down_at_commit_fails_no_request_and_loses_no_email(
    environment: pytest.MonkeyPatch,
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise RedisConnectionError

    with environment.context() as patch:
        patch.setattr(queue, "enqueue_email", refuse)
        write_email()
    assert queue.queued_ids() == frozenset()
    assert requeue() == 1
    run_queued_jobs()
    assert len(mails()) == 1


def test_a_worker_that_dies_while_sending_loses_no_email() -> None:
    email_id = write_email()
    with transaction() as session:
        assert unsent_emails.claim_email(session, email_id)
    assert requeue() == 0
    let_pass(unsent_emails.LEASE)
    assert requeue() == 1
    run_queued_jobs()
    assert len(mails()) == 1


def test_an_email_is_sent_once_the_mail_server_is_back(
    smtp_server: SmtpServer, environment: pytest.MonkeyPatch
) -> None:
    port = smtp_server.port
    smtp_server.shutdown()
    smtp_server.server_close()
    write_email()
    deliver_mails()
    (row,) = rows()
    assert (row.reason, row.attempts) == (smtp.NO_ANSWER.reason, 1)
    with SmtpServer(port) as back:
        back.start()
        events.connection().flushdb()  # deletes the pause after the failed connection
        let_pass(dt.timedelta(seconds=unsent_emails.RETRY_PAUSES_S[0]))
        assert requeue() == 1
        run_queued_jobs()
        back.shutdown()
    assert (len(back.messages), rows()) == (1, [])


def test_a_temporary_refusal_is_retried(smtp_server: SmtpServer) -> None:
    smtp_server.later_replies = 1
    write_email()
    deliver_mails()
    assert smtp_server.messages == []
    assert rows()[0].reason == "The mail server refused the mail (451)."
    let_pass(dt.timedelta(seconds=unsent_emails.RETRY_PAUSES_S[0]))
    deliver_mails()
    assert (len(smtp_server.messages), rows()) == (1, [])


def test_the_message_id_is_the_same_in_every_attempt() -> None:
    email_id = write_email()
    with transaction() as session:
        assert unsent_emails.claim_email(session, email_id)
    let_pass(unsent_emails.LEASE)
    deliver_mails()
    assert mails()[0]["Message-ID"] == f"<{email_id}@localhost>"


def test_an_email_is_retried_with_growing_pauses_for_a_day(
    environment: pytest.MonkeyPatch,
) -> None:
    environment.setattr(
        "sp404_app.jobs.email.deliver_email", lambda _: DeliveryFailure("No answer.")
    )
    email_id = write_email()
    pauses = []
    while (row := rows()[0]).due_at:
        let_pass(row.due_at - now())
        send_email(str(email_id))
        if due_at := rows()[0].due_at:
            pauses.append(round((due_at - now()).total_seconds()))
    assert pauses[:7] == list(unsent_emails.RETRY_PAUSES_S)
    assert pauses == sorted(pauses)
    assert dt.timedelta(hours=23) < dt.timedelta(seconds=sum(pauses)) <= unsent_emails.RETRY_FOR
    (row,) = rows()
    assert (row.encrypted_body, row.reason) == (None, "No answer.")
    assert row.failed_at is not None


def test_an_email_of_a_restored_backup_is_not_sent() -> None:
    write_email()
    let_pass(unsent_emails.RETRY_FOR + dt.timedelta(hours=1))
    deliver_mails()
    assert mails() == []
    assert rows()[0].reason == email.TOO_OLD.reason


def test_two_workers_at_once_send_an_email_once(smtp_server: SmtpServer) -> None:
    email_id = write_email()
    receiving, go_on = threading.Event(), threading.Event()

    def hold() -> None:
        receiving.set()
        go_on.wait(10)

    smtp_server.while_receiving = hold
    first = threading.Thread(target=send_email, args=[str(email_id)])
    first.start()
    assert receiving.wait(10)
    send_email(str(email_id))  # returns immediately, because the first one is sending
    go_on.set()
    first.join()
    assert (len(smtp_server.messages), rows()) == (1, [])


def test_workers_that_claim_at_the_same_moment_get_one_claim() -> None:
    email_id = write_email()
    with transaction() as first:
        assert unsent_emails.claim_email(first, email_id)
        with transaction() as second:
            assert unsent_emails.claim_email(second, email_id) is None


def test_an_attempt_whose_lease_expired_does_not_overwrite_the_next_one() -> None:
    email_id = write_email()
    with transaction() as session:
        slow = unsent_emails.claim_email(session, email_id)
    assert slow
    let_pass(unsent_emails.LEASE)
    with transaction() as session:
        assert unsent_emails.claim_email(session, email_id)
        unsent_emails.record_failure(session, slow, email.UNREADABLE)
    (row,) = rows()
    assert (row.attempts, row.reason, row.failed_at) == (2, "", None)


@pytest.fixture
def silent_smtp_server(environment: pytest.MonkeyPatch) -> Iterator[SmtpServer]:
    """Accept connections and never answer."""
    server = SmtpServer()
    environment.setenv("SP404_SMTP_URL", f"smtp://127.0.0.1:{server.port}")
    environment.setattr(smtp, "CONNECT_TIMEOUT_S", 0.3)
    settings.cache_clear()
    yield server
    server.server_close()


def test_a_hanging_mail_server_takes_little_time_of_the_workers(
    silent_smtp_server: SmtpServer,
) -> None:
    for _ in range(10):
        write_email()
    started = time.monotonic()
    deliver_mails()
    assert time.monotonic() - started < 2
    assert {(row.attempts, row.reason) for row in rows()} == {(1, smtp.NO_ANSWER.reason)}


def test_without_redis_an_email_is_sent_all_the_same(
    smtp_server: SmtpServer, environment: pytest.MonkeyPatch
) -> None:
    write_email()

    def no_connection() -> None:
        raise RedisConnectionError

    environment.setattr(smtp, "connection", no_connection)
    deliver_mails()
    assert len(smtp_server.messages) == 1


def test_the_web_process_sends_what_no_worker_has_taken() -> None:
    write_email()
    send_overdue_emails()
    assert len(rows()) == 1  # a worker has five seconds to take it
    let_pass(dt.timedelta(seconds=6))
    send_overdue_emails()
    assert rows() == []
    assert len(mails()) == 1


async def test_housekeeping_queues_the_job_of_an_email_again() -> None:
    write_email()
    events.connection().flushdb()
    async with scheduler.housekeeping():
        until = time.monotonic() + 30
        while not queue.queued_ids():
            assert time.monotonic() < until
            await scheduler.asyncio.sleep(0.05)
    run_queued_jobs()
    assert len(mails()) == 1


def test_a_stored_body_of_the_same_format_can_be_read_after_an_upgrade() -> None:
    """Rows are older than the code that reads them, so the format must stay the same."""
    email_id = uuid.uuid4()
    stored = encryption.encrypt(
        json.dumps({"text": "Hello", "html": "<p>Hello"}).encode(), b"email\0" + email_id.bytes
    )
    with transaction() as session:
        session.add(
            UnsentMail(
                id=email_id,
                recipient="ada@example.org",
                subject="Hello",
                encrypted_body=stored,
                due_at=now(),
            )
        )
    deliver_mails()
    assert text_of(mails()[0]) == "Hello\n"
