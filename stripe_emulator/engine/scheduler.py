"""Time passes: what is due happens, one thing after the other."""

import json

from stripe_emulator.due_dates import ORDER
from stripe_emulator.engine import checkout as sessions
from stripe_emulator.engine import invoice_collection, invoices, renewal, schedules
from stripe_emulator.objects import Object
from stripe_emulator.transaction import Ledger

RANK = " ".join(f"when '{kind}' then {rank}" for rank, kind in enumerate(ORDER))
NEXT = f"""
select item.body, item.due from objects item
left join objects owner on owner.id = item.customer and owner.kind = 'customer'
where item.due is not null and item.due <= ? and owner.clock is ?
and (? is null or item.customer = ?)
order by item.due, case item.kind {RANK} end, item.seq limit 1
"""  # noqa: S608 - made of constants
MOST_STEPS = 20_000
FOREVER = 1 << 40


def upcoming(ledger: Ledger, clock: str | None, until: int, customer: str | None = None) -> int:
    """Return when the next thing is due on a clock, or `FOREVER`."""
    row = ledger.connection.execute(NEXT, (until, clock, customer, customer)).fetchone()
    return row["due"] if row else FOREVER


def run(ledger: Ledger, clock: str | None, until: int) -> int:
    """Let everything happen that is due on a clock; None is the real one. Return how much."""
    for count in range(MOST_STEPS):
        row = ledger.connection.execute(NEXT, (until, clock, None, None)).fetchone()
        if row is None:
            return count
        with ledger.at(row["due"]):
            step(ledger, json.loads(row["body"]), row["due"])
    raise RuntimeError("Time does not pass: the same things stay due.")


def step(ledger: Ledger, item: Object, now: int) -> None:
    """Do what is due to one object."""
    kind = item["object"]
    if kind == "subscription":
        renewal.step(ledger, item, now)
    elif kind == "subscription_schedule":
        schedules.step(ledger, item, now)
    elif kind == "checkout.session":
        sessions.expire(ledger, item)
    else:
        collect(ledger, item)


def collect(ledger: Ledger, invoice: Object) -> None:
    """Finalize and charge a draft, or try an open invoice again."""
    if invoice["status"] == "draft":
        invoices.finalize(ledger, invoice)
    if invoice["amount_due"] == 0:
        invoice_collection.settle(ledger, invoice)
    else:
        invoice_collection.attempt(ledger, invoice, automatic=True)
