"""Job that queues a user's samples that wait for quota. Idempotent."""

import uuid

from sp404_app.db import transaction
from sp404_app.services.processing import quota_backlog


def queue_waiting(user_id: str) -> None:
    """Queue as many waiting samples as the user's plan allows now."""
    with transaction() as session:
        quota_backlog.enqueue_waiting_samples_of(session, uuid.UUID(user_id))
