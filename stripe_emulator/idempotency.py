"""Idempotent requests (docs.stripe.com/api/idempotent_requests)."""

import hashlib
import json
from typing import Any

from stripe_emulator.due_dates import DAY
from stripe_emulator.errors import Problem, invalid
from stripe_emulator.objects import Object
from stripe_emulator.transaction import Ledger

LONGEST_KEY = 255


def fingerprint(method: str, path: str, params: dict[str, Any]) -> str:
    """Return what two requests with the same key must share."""
    text = json.dumps([method, path, params], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def recall(ledger: Ledger, key: str, mark: str) -> tuple[int, Object, str] | None:
    """Return status, body and request id of the first answer; refuse another request."""
    if len(key) > LONGEST_KEY:
        raise invalid("Idempotency keys may be at most 255 characters.")
    now = ledger.clock()
    ledger.connection.execute("delete from answers where created < ?", (now - DAY,))
    query = "select * from answers where key = ?"
    row = ledger.connection.execute(query, (key,)).fetchone()
    if row is None:
        return None
    if row["fingerprint"] != mark:
        raise Problem(
            400,
            "Keys for idempotent requests can only be used with the same parameters they were"
            f" first used with. Try using a key other than '{key}' if you meant to execute a"
            " different request.",
            kind="idempotency_error",
        )
    return row["status"], json.loads(row["body"]), row["request"]


def remember(ledger: Ledger, key: str, mark: str, status: int, body: Object) -> None:
    """Keep an answer for a day."""
    ledger.connection.execute(
        "insert into answers values (?, ?, ?, ?, ?, ?)",
        (key, mark, status, json.dumps(body), ledger.request["id"], ledger.clock()),
    )
