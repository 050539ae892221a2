"""Process due objects in chronological order."""

import json

from stripe_emulator.due_dates import PROCESSING_ORDER
from stripe_emulator.engine import checkout, invoice_collection, invoices, renewal, schedules
from stripe_emulator.objects import Object
from stripe_emulator.transaction import Transaction

RANK_CASES = " ".join(f"when '{kind}' then {rank}" for rank, kind in enumerate(PROCESSING_ORDER))
NEXT_DUE_QUERY = f"""
select item.body, item.due from objects item
left join objects holder on holder.id = item.customer and holder.kind = 'customer'
where item.due is not null and item.due <= ? and holder.clock is ?
and (? is null or item.customer = ?)
order by item.due, case item.kind {RANK_CASES} end, item.seq limit 1
"""  # noqa: S608 - made of constants
MAX_STEPS = 20_000
NEVER = 1 << 40


def next_due_time(
    tx: Transaction, clock: str | None, until: int, customer: str | None = None
) -> int:
    """Return when an object is next due on a test clock, or `NEVER`.

    `clock` None is real time. `customer` restricts the search to one customer.
    """
    row = tx.connection.execute(NEXT_DUE_QUERY, (until, clock, customer, customer)).fetchone()
    return row["due"] if row else NEVER


def run_due(tx: Transaction, clock: str | None, until: int) -> int:
    """Process everything due until a time, on a test clock or in real time (None).

    Returns:
        The number of steps.

    Raises:
        RuntimeError: after `MAX_STEPS`, which means that an object stays due.
    """
    for count in range(MAX_STEPS):
        row = tx.connection.execute(NEXT_DUE_QUERY, (until, clock, None, None)).fetchone()
        if row is None:
            return count
        with tx.at_time(row["due"]):
            process_due_object(tx, json.loads(row["body"]), row["due"])
    raise RuntimeError("The same objects stay due after they were processed.")


def process_due_object(tx: Transaction, item: Object, now: int) -> None:
    """Process one due object."""
    kind = item["object"]
    if kind == "subscription":
        renewal.process_due_subscription(tx, item, now)
    elif kind == "subscription_schedule":
        schedules.process_due_schedule(tx, item, now)
    elif kind == "checkout.session":
        checkout.expire_session(tx, item)
    else:
        process_due_invoice(tx, item)


def process_due_invoice(tx: Transaction, invoice: Object) -> None:
    """Finalize a draft, and attempt or retry the payment."""
    if invoice["status"] == "draft":
        invoices.finalize_draft(tx, invoice)
    if invoice["amount_due"] == 0:
        invoice_collection.mark_invoice_paid(tx, invoice)
    else:
        invoice_collection.attempt_payment(tx, invoice, automatic=True)
