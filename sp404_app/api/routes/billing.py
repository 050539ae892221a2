"""Billing routes and the Stripe webhook. Bodies name only a plan, never a price or customer."""

import datetime as dt
import uuid
from typing import Annotated, Literal

from fastapi import APIRouter, Request, Response, status
from pydantic import BaseModel, Field
from sqlmodel import Session

from sp404_app.api.deps import CurrentUser, Database
from sp404_app.db import in_transaction, transaction
from sp404_app.errors import ValidationFailed
from sp404_app.services.billing import (
    checkout,
    invoices,
    proration_preview,
    schemas,
    subscriptions,
    webhooks,
)
from sp404_app.services.billing.proration_preview import ChangeKind
from sp404_app.services.billing.schemas import InvoiceView, PlanView, SubscriptionView
from sp404_app.services.plans import PLANS, Interval, Tier

router = APIRouter(tags=["billing"])

PlanName = Annotated[str, Field(max_length=40)]


class Plans(BaseModel):
    """All plans."""

    plans: list[PlanView]
    next_cursor: None = None
    total: int


class Purchase(BaseModel):
    """The plan to buy, how often to pay, and whether to start with the free trial."""

    plan: PlanName
    interval: Interval = Interval.MONTH
    trial: bool = False


class CheckoutStarted(BaseModel):
    """The URL of the Checkout Session."""

    checkout_url: str


class Change(BaseModel):
    """The plan to change to, and the `proration_date` of the preview (Unix seconds).

    Without `interval`, the subscription is paid as often as before.
    """

    plan: PlanName
    interval: Interval | None = None
    proration_date: Annotated[int, Field(ge=0, le=2**40)] | None = None


class PreviewLine(BaseModel):
    """One line of the previewed invoice; the amount in the smallest currency unit."""

    description: str
    amount: int


class PreviewView(BaseModel):
    """Effect and cost of a plan change; amounts in the smallest currency unit."""

    plan: str
    interval: Interval
    kind: ChangeKind
    due_today: int
    next_amount: int
    next_at: dt.datetime | None
    currency: str
    lines: list[PreviewLine]
    proration_date: int | None
    trial_days: int
    warning: str


class PortalOpened(BaseModel):
    """The URL of the customer portal session."""

    portal_url: str


class Invoices(BaseModel):
    """The caller's invoices, newest first."""

    invoices: list[InvoiceView]
    next_cursor: None = None
    total: int


class Received(BaseModel):
    """A webhook event was accepted; `new` is false for a duplicate or an ignored event."""

    received: Literal[True] = True
    new: bool


@router.get("/billing/plans")
def get_plans(session: Database, interval: Interval = Interval.MONTH) -> Plans:
    """List the plans with their monthly or yearly price. No authentication required."""
    found = [schemas.plan_view(session, plan, interval) for plan in PLANS.values()]
    return Plans(plans=found, total=len(found))


@router.post("/billing/subscribe")
def subscribe(session: Database, user_id: CurrentUser, wanted: Purchase) -> CheckoutStarted:
    """Start a purchase. A repeated request returns the same URL while the session is open."""
    tier = checkout.parse_paid_tier(wanted.plan)
    url = checkout.start_checkout(
        session, user_id, tier, trial=wanted.trial, interval=wanted.interval
    )
    return CheckoutStarted(checkout_url=url)


@router.get("/billing/subscription")
def get_subscription(session: Database, user_id: CurrentUser) -> SubscriptionView:
    """Return the caller's plan and subscription status.

    `/api/events` sends its changes as `subscription`.
    """
    return schemas.subscription_view(session, user_id)


@router.post("/billing/subscription/preview")
def preview(session: Database, user_id: CurrentUser, wanted: Change) -> PreviewView:
    """Preview a plan change: what it does, and what it costs today and in the next period."""
    tier = _parse_tier(wanted.plan)
    found = proration_preview.preview_change(session, user_id, tier, wanted.interval)
    return PreviewView(
        plan=found.tier,
        interval=found.interval,
        kind=found.kind,
        due_today=found.due_today,
        next_amount=found.next_amount,
        next_at=found.next_at,
        currency=found.currency,
        lines=[
            PreviewLine(description=line.description, amount=line.amount) for line in found.lines
        ],
        proration_date=found.proration_date,
        trial_days=found.trial_days,
        warning=proration_preview.excess_warning(found),
    )


@router.put("/billing/subscription")
def change(user_id: CurrentUser, wanted: Change) -> SubscriptionView:
    """Change the plan: upgrades apply now, downgrades and cancellations at period end.

    From monthly to yearly is an upgrade, from yearly to monthly a downgrade.
    """
    tier = _parse_tier(wanted.plan)
    # Committed before `ensure_paid` raises, because Stripe's state has changed either way.
    with transaction() as session:
        changed = subscriptions.change_plan(
            session, user_id, tier, wanted.proration_date, wanted.interval
        )
    changed.ensure_paid()
    with transaction() as session:
        return schemas.subscription_view(session, user_id)


@router.delete("/billing/subscription")
def cancel(session: Database, user_id: CurrentUser) -> SubscriptionView:
    """Cancel at period end. Nothing more is charged. Deleting the account ends it at once."""
    subscriptions.cancel_subscription(session, user_id)
    return schemas.subscription_view(session, user_id)


@router.post("/billing/subscription/resume")
def resume(session: Database, user_id: CurrentUser) -> SubscriptionView:
    """Undo a scheduled cancellation or downgrade."""
    subscriptions.resume_subscription(session, user_id)
    return schemas.subscription_view(session, user_id)


@router.post("/billing/portal")
def portal(session: Database, user_id: CurrentUser) -> PortalOpened:
    """Create a Stripe customer portal session for cards and invoices."""
    return PortalOpened(portal_url=subscriptions.open_portal(session, user_id))


@router.get("/billing/invoices")
def list_invoices(session: Database, user_id: CurrentUser) -> Invoices:
    """List the caller's invoices."""
    found = [schemas.invoice_view(row) for row in invoices.list_invoices(session, user_id)]
    return Invoices(invoices=found, total=len(found))


@router.get("/billing/invoices/{invoice_id}", response_class=Response)
def get_invoice(session: Database, user_id: CurrentUser, invoice_id: uuid.UUID) -> Response:
    """Return one of the caller's invoices as a PDF."""
    name, body = invoices.fetch_invoice_pdf(session, user_id, invoice_id)
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(body, media_type="application/pdf", headers=headers)


@router.post("/webhooks/stripe", status_code=status.HTTP_200_OK, tags=["webhooks"])
async def webhook(request: Request) -> Received:
    """Verify and store a Stripe event; a job handles it later."""
    body = await request.body()
    header = request.headers.get("stripe-signature", "")
    return Received(new=await in_transaction(_receive, body, header))


def _receive(session: Session, body: bytes, header: str) -> bool:
    return webhooks.receive_event(session, body, header)


def _parse_tier(name: str) -> Tier:
    if name not in set(PLANS):
        raise ValidationFailed(
            "There is no such plan.", {"plan": ["Choose free, pro or enterprise."]}
        )
    return Tier(name)
