"""Tables that mirror Stripe's data; Stripe is the source of truth and is read again on events."""

# SQLModel types __tablename__ as a function:
# pyright: reportAssignmentType=false

import datetime as dt
import uuid
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from sp404_app.models.columns import Created, Id, Moment, Owner

# States in which Stripe may still charge. A user has at most one such subscription.
BILLABLE = ("trialing", "active", "past_due", "unpaid", "paused", "incomplete")
ONE_BILLABLE = text(
    "not is_secondary and status in "
    "('trialing', 'active', 'past_due', 'unpaid', 'paused', 'incomplete')"
)


class StripeObject(SQLModel, table=True):
    """A product, price or setting created in Stripe, by its name in the code."""

    __tablename__ = "stripe_objects"

    realm: str = Field(primary_key=True)
    name: str = Field(primary_key=True)
    stripe_id: str
    amount: int | None = None
    currency: str = ""
    created_at: dt.datetime = Created()


class StripeEvent(SQLModel, table=True):
    """A Stripe event, stored once; it only triggers a sync, and its content is not used."""

    __tablename__ = "stripe_events"
    __table_args__ = (
        Index("stripe_events_open", "due_at", postgresql_where=text("handled_at is null")),
        Index(
            "stripe_events_of_nobody",
            "customer_id",
            postgresql_where=text("error = 'nobody here' and customer_id <> ''"),
        ),
    )

    id: str = Field(primary_key=True, max_length=255)
    realm: str
    type: str = Field(max_length=255)
    customer_id: str = Field(default="", max_length=255)
    created: dt.datetime = Moment(nullable=False)
    received_at: dt.datetime = Created()
    due_at: dt.datetime = Created()
    handled_at: dt.datetime | None = Moment()
    attempts: int = 0
    error: str = ""


class BillingCustomer(SQLModel, table=True):
    """A user's Stripe customer. Its row is the lock for all billing of the user."""

    __tablename__ = "billing_customers"
    __table_args__ = (
        UniqueConstraint("user_id", "realm"),
        UniqueConstraint("stripe_id", "realm"),
    )

    id: uuid.UUID = Id()
    user_id: uuid.UUID = Owner()
    realm: str
    stripe_id: str | None = None
    # The contact data last sent to Stripe; it is sent again if the account's differs.
    told_email: str | None = None
    told_name: str | None = None
    epoch: int = 0  # how often the customer was recreated; part of idempotency keys
    round: int = 0  # how many writes were completed; part of idempotency keys
    checkout_id: str = ""
    clock_ahead: int = Field(default=0, sa_type=BigInteger)  # seconds; test clocks only
    payment_method: str = ""
    synced_at: dt.datetime | None = Moment()
    created_at: dt.datetime = Created()


class Subscription(SQLModel, table=True):
    """A subscription as last read from Stripe."""

    __tablename__ = "subscriptions"
    __table_args__ = (
        Index(
            "subscriptions_one_billable",
            "user_id",
            "realm",
            unique=True,
            postgresql_where=ONE_BILLABLE,
        ),
    )

    id: uuid.UUID = Id()
    user_id: uuid.UUID = Owner()
    realm: str
    stripe_id: str = Field(unique=True)
    item_id: str = ""
    status: str
    pause_reason: str = ""
    tier: str  # the active plan; the item's plan may wait for a payment
    price_id: str
    amount: int
    currency: str
    interval: str = Field(default="month", sa_column_kwargs={"server_default": "month"})
    period_start: dt.datetime = Moment(nullable=False)
    period_end: dt.datetime = Moment(nullable=False)
    trial_end: dt.datetime | None = Moment()
    cancel_at: dt.datetime | None = Moment()
    canceled_at: dt.datetime | None = Moment()
    ended_at: dt.datetime | None = Moment()
    schedule_id: str = ""
    pending_tier: str = ""  # a change scheduled for the end of the period
    pending_interval: str = Field(default="", sa_column_kwargs={"server_default": ""})
    pending_at: dt.datetime | None = Moment()
    unpaid_change: bool = False  # an upgrade that waits for its payment
    # The invoice of an unpaid upgrade; its payment also undoes a cancellation before or since.
    stay_invoice: str = Field(default="", sa_column_kwargs={"server_default": ""})
    attempts: int = 0  # payment attempts of the open invoice
    next_attempt_at: dt.datetime | None = Moment()
    grace_since: dt.datetime | None = Moment()
    is_secondary: bool = Field(default=False, sa_column_kwargs={"server_default": "false"})
    raw: dict[str, Any] = Field(default_factory=dict, sa_type=JSONB)
    synced_at: dt.datetime = Created()
    created_at: dt.datetime = Created()


class Invoice(SQLModel, table=True):
    """An invoice as last read from Stripe; its PDF stays at Stripe."""

    __tablename__ = "invoices"
    __table_args__ = (Index("invoices_by_user", "user_id", "created"),)

    id: uuid.UUID = Id()
    user_id: uuid.UUID = Owner()
    realm: str
    stripe_id: str = Field(unique=True)
    subscription_id: str = ""
    number: str = ""
    status: str
    reason: str = ""
    currency: str
    total: int = Field(sa_type=BigInteger)
    amount_due: int = Field(sa_type=BigInteger)
    amount_paid: int = Field(sa_type=BigInteger)
    refunded: int = Field(default=0, sa_type=BigInteger, sa_column_kwargs={"server_default": "0"})
    disputed: bool = Field(default=False, sa_column_kwargs={"server_default": "false"})
    attempts: int = 0
    next_attempt_at: dt.datetime | None = Moment()
    description: str = ""
    created: dt.datetime = Moment(nullable=False)
    paid_at: dt.datetime | None = Moment()


class TrialClaim(SQLModel, table=True):
    """A used trial of an account, mailbox or card, as a digest; it outlives the account."""

    __tablename__ = "trial_claims"

    key: str = Field(primary_key=True)  # a digest
    realm: str = Field(primary_key=True)
    subscription_id: str = ""
    created_at: dt.datetime = Created()


class MailLog(SQLModel, table=True):
    """A sent billing e-mail; its key is the reason, so that each is sent once."""

    __tablename__ = "mail_log"

    dedupe_key: str = Field(primary_key=True)
    user_id: uuid.UUID | None = None
    created_at: dt.datetime = Created()


class ReconcileReport(SQLModel, table=True):
    """The result of one nightly comparison with Stripe."""

    __tablename__ = "reconcile_reports"

    day: dt.date = Field(primary_key=True)
    checked: int = 0
    healed: list[Any] = Field(default_factory=list, sa_type=JSONB)
    problems: list[Any] = Field(default_factory=list, sa_type=JSONB)
    started_at: dt.datetime = Created()
    finished_at: dt.datetime | None = Moment()


class UsageEvent(SQLModel, table=True):
    """A change of quota usage (negative if given back); written once, never updated."""

    __tablename__ = "usage_events"
    __table_args__ = (
        Index("usage_events_by_user", "user_id", "at"),
        CheckConstraint("amount <> 0", "usage_events_amount"),
    )

    id: uuid.UUID = Id()
    user_id: uuid.UUID = Owner()
    kind: str
    amount: int
    period_start: dt.datetime = Moment(nullable=False)
    at: dt.datetime = Created()
