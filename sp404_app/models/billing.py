"""What we keep of Stripe: a mirror that is fetched anew, never a source of truth."""

# SQLModel types __tablename__ as a function:
# pyright: reportAssignmentType=false

import datetime as dt
import uuid
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from sp404_app.models.columns import Created, Id, Moment, Owner

# What Stripe may still charge for. One person has one of these.
BILLABLE = ("trialing", "active", "past_due", "unpaid", "paused", "incomplete")
ONE_BILLABLE = text(
    "not is_secondary and status in "
    "('trialing', 'active', 'past_due', 'unpaid', 'paused', 'incomplete')"
)


class StripeObject(SQLModel, table=True):
    """A product, price or setting we made at Stripe, by the name the code knows it by."""

    __tablename__ = "stripe_objects"

    realm: str = Field(primary_key=True)
    name: str = Field(primary_key=True)
    stripe_id: str
    amount: int | None = None
    currency: str = ""
    created_at: dt.datetime = Created()


class StripeEvent(SQLModel, table=True):
    """An event that was delivered, once; it says that something changed, never what."""

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
    """Who a person is at Stripe. Its row is the lock around everything about their money."""

    __tablename__ = "billing_customers"
    __table_args__ = (
        UniqueConstraint("user_id", "realm"),
        UniqueConstraint("stripe_id", "realm"),
    )

    id: uuid.UUID = Id()
    user_id: uuid.UUID = Owner()
    realm: str
    stripe_id: str | None = None
    # What Stripe was told last; whoever's account differs is told again.
    told_email: str | None = None
    told_name: str | None = None
    epoch: int = 0  # how often they had to be made anew, for idempotency keys
    round: int = 0  # how many writes were finished, for idempotency keys
    checkout_id: str = ""
    clock_ahead: int = Field(default=0, sa_type=BigInteger)  # seconds; test clocks only
    payment_method: str = ""
    synced_at: dt.datetime | None = Moment()
    created_at: dt.datetime = Created()


class Subscription(SQLModel, table=True):
    """A subscription as Stripe last showed it."""

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
    tier: str  # the plan in force; the item's may wait for its payment
    price_id: str
    amount: int
    currency: str
    period_start: dt.datetime = Moment(nullable=False)
    period_end: dt.datetime = Moment(nullable=False)
    trial_end: dt.datetime | None = Moment()
    cancel_at: dt.datetime | None = Moment()
    canceled_at: dt.datetime | None = Moment()
    ended_at: dt.datetime | None = Moment()
    schedule_id: str = ""
    pending_tier: str = ""  # a downgrade that comes at the period's end
    pending_at: dt.datetime | None = Moment()
    unpaid_change: bool = False  # an upgrade that waits for its payment
    # The unpaid upgrade whose payment takes the cancellation back.
    stay_invoice: str = Field(default="", sa_column_kwargs={"server_default": ""})
    attempts: int = 0  # of the invoice that is open
    next_attempt_at: dt.datetime | None = Moment()
    grace_since: dt.datetime | None = Moment()
    is_secondary: bool = Field(default=False, sa_column_kwargs={"server_default": "false"})
    raw: dict[str, Any] = Field(default_factory=dict, sa_type=JSONB)
    synced_at: dt.datetime = Created()
    created_at: dt.datetime = Created()


class Invoice(SQLModel, table=True):
    """An invoice as Stripe last showed it; its PDF stays there."""

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
    """That somebody, an address or a card had a trial; outlives the account and names nobody."""

    __tablename__ = "trial_claims"

    key: str = Field(primary_key=True)  # a digest
    realm: str = Field(primary_key=True)
    subscription_id: str = ""
    created_at: dt.datetime = Created()


class MailLog(SQLModel, table=True):
    """That a mail about money was sent: its key is why, so it is sent once."""

    __tablename__ = "mail_log"

    dedupe_key: str = Field(primary_key=True)
    user_id: uuid.UUID | None = None
    created_at: dt.datetime = Created()


class ReconcileReport(SQLModel, table=True):
    """What one night's comparison with Stripe found."""

    __tablename__ = "reconcile_reports"

    day: dt.date = Field(primary_key=True)
    checked: int = 0
    healed: list[Any] = Field(default_factory=list, sa_type=JSONB)
    problems: list[Any] = Field(default_factory=list, sa_type=JSONB)
    started_at: dt.datetime = Created()
    finished_at: dt.datetime | None = Moment()


class UsageEvent(SQLModel, table=True):
    """One thing that counted against a quota, or was given back; written once, never changed."""

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
