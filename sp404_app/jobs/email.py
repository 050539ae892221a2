"""Send e-mails from their rows: by a worker, or by the web process if all workers are busy."""

import datetime as dt
import time
import uuid

import structlog
from rq.timeouts import JobTimeoutException

from sp404_app.db import transaction
from sp404_app.models.columns import now
from sp404_app.services.infra import smtp, unsent_emails
from sp404_app.services.infra.email import deliver_email
from sp404_app.telemetry import metrics

OVERDUE_AFTER = dt.timedelta(seconds=5)
OVERDUE_BATCH_S = 10.0

log = structlog.get_logger()


def send_email(email_id: str) -> None:
    """Make one attempt to send an e-mail, unless it was sent, is being sent, or is not due yet."""
    with transaction() as session:
        claimed = unsent_emails.claim_email(session, uuid.UUID(email_id))
    if claimed is None:  # sent, claimed by another worker, or its retry is not due
        return
    try:
        failure = deliver_email(claimed)
    except JobTimeoutException:
        failure = smtp.NO_ANSWER
    with transaction() as session:
        if failure is None:
            unsent_emails.delete_sent(session, claimed.id)
            metrics.MAILS.labels("sent").inc()
            log.info("mail sent", subject=claimed.subject)
        elif unsent_emails.record_failure(session, claimed, failure):
            metrics.MAILS.labels("given_up").inc()
            log.error("mail given up", subject=claimed.subject, reason=failure.reason)
        else:
            metrics.MAILS.labels("retried").inc()
            log.warning("mail not sent", subject=claimed.subject, reason=failure.reason)


def send_overdue_emails() -> None:
    """Send what no worker has taken for five seconds, for at most about ten seconds.

    All workers may be starting, or busy with long exports; a sign-up must not wait for them.
    """
    until = time.monotonic() + OVERDUE_BATCH_S
    while time.monotonic() < until:
        with transaction() as session:
            email_id = unsent_emails.next_due(session, now() - OVERDUE_AFTER)
        if email_id is None:
            return
        send_email(str(email_id))
