"""Idempotency keys: replay the saved response to a repeated request.

docs.stripe.com/api/idempotent_requests
"""

import hashlib
import json
from typing import Any

from stripe_emulator.errors import ApiError, invalid_request
from stripe_emulator.objects import Object
from stripe_emulator.periods import DAY_S
from stripe_emulator.transaction import Transaction

MAX_KEY_CHARS = 255


def request_fingerprint(method: str, path: str, params: dict[str, Any]) -> str:
    """Return a SHA-256 hex digest of method, path and parameters.

    Two requests with the same idempotency key must have the same fingerprint.
    """
    text = json.dumps([method, path, params], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def find_saved_response(
    tx: Transaction, key: str, fingerprint: str
) -> tuple[int, Object, str] | None:
    """Return (status, body, request id) of the first response for the key, or None.

    Keys are kept for 24 hours.

    Raises:
        ApiError: 400 if the key is too long or was used with other parameters.
    """
    if len(key) > MAX_KEY_CHARS:
        raise invalid_request("Idempotency keys may be at most 255 characters.")
    now = tx.real_time()
    tx.connection.execute("delete from answers where created < ?", (now - DAY_S,))
    query = "select * from answers where key = ?"
    row = tx.connection.execute(query, (key,)).fetchone()
    if row is None:
        return None
    if row["fingerprint"] != fingerprint:
        raise ApiError(
            400,
            "Keys for idempotent requests can only be used with the same parameters they were"
            f" first used with. Try using a key other than '{key}' if you meant to execute a"
            " different request.",
            kind="idempotency_error",
        )
    return row["status"], json.loads(row["body"]), row["request"]


def save_response(tx: Transaction, key: str, fingerprint: str, status: int, body: Object) -> None:
    """Save the response to a request under its idempotency key."""
    tx.connection.execute(
        "insert into answers values (?, ?, ?, ?, ?, ?)",
        (key, fingerprint, status, json.dumps(body), tx.request["id"], tx.real_time()),
    )
