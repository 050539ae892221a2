"""Routes about money. Who pays what for whom is never read from a body: only which plan."""

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
from sp404_app.services.billing.proration_preview import Kind
from sp404_app.services.billing.schemas import InvoiceView, PlanView, SubscriptionView
from sp404_app.services.plans import PLANS, Tier

router = APIRouter(tags=["billing"])

PlanName = Annotated[str, Field(max_length=40)]


class Plans(BaseModel):
    """Everything we sell."""

    plans: list[PlanView]
    next_cursor: None = None
    total: int


class Purchase(BaseModel):
    """Which plan to buy, and whether to begin with the free trial."""

    plan: PlanName
    trial: bool = False


class CheckoutStarted(BaseModel):
    """Where to pay."""

    checkout_url: str


class Change(BaseModel):
    """Which plan to change to; `proration_date` is the one of the preview."""

    plan: PlanName
    proration_date: Annotated[int, Field(ge=0, le=2**40)] | None = None


class PreviewLine(BaseModel):
    """One line of the invoice that would be made."""

    description: str
    amount: int


class PreviewView(BaseModel):
    """What a change would do and cost, in cents."""

    plan: str
    kind: Kind
    due_today: int
    next_amount: int
    next_at: dt.datetime | None
    currency: str
    lines: list[PreviewLine]
    proration_date: int | None
    trial_days: int
    warning: str


class PortalOpened(BaseModel):
    """Where to change the card."""

    portal_url: str


class Invoices(BaseModel):
    """The caller's invoices, the newest first."""

    invoices: list[InvoiceView]
    next_cursor: None = None
    total: int


class Received(BaseModel):
    """An event arrived; `new` says whether for the first time."""

    received: Literal[True] = True
    new: bool


@router.get("/billing/plans")
def get_plans(session: Database) -> Plans:
    """List the plans; no sign-in needed."""
    found = [schemas.plan_view(session, plan) for plan in PLANS.values()]
    return Plans(plans=found, total=len(found))


@router.post("/billing/subscribe")
def subscribe(session: Database, user_id: CurrentUser, wanted: Purchase) -> CheckoutStarted:
    """Begin a purchase; asked twice, the answer is the same address."""
    tier = checkout.paid_tier(wanted.plan)
    return CheckoutStarted(checkout_url=checkout.start(session, user_id, tier, trial=wanted.trial))


@router.get("/billing/subscription")
def get_subscription(session: Database, user_id: CurrentUser) -> SubscriptionView:
    """Show the caller's plan and how it stands."""
    return schemas.subscription_view(session, user_id)


@router.post("/billing/subscription/preview")
def preview(session: Database, user_id: CurrentUser, wanted: Change) -> PreviewView:
    """Say what a change would do and cost, today and next month."""
    found = proration_preview.preview_change(session, user_id, _tier(wanted.plan))
    return PreviewView(
        plan=found.tier,
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
        warning=proration_preview.warning(found),
    )


@router.put("/billing/subscription")
def change(user_id: CurrentUser, wanted: Change) -> SubscriptionView:
    """Change the plan: to a larger one now, to a smaller one when the period ends."""
    tier = _tier(wanted.plan)
    with transaction() as session:  # what happened at Stripe is kept, paid or not
        changed = subscriptions.change(session, user_id, tier, wanted.proration_date)
    changed.ensure_paid()
    with transaction() as session:
        return schemas.subscription_view(session, user_id)


@router.delete("/billing/subscription")
def cancel(session: Database, user_id: CurrentUser) -> SubscriptionView:
    """Cancel: everything stays until the period ends, and nothing more is charged."""
    subscriptions.cancel(session, user_id)
    return schemas.subscription_view(session, user_id)


@router.post("/billing/subscription/resume")
def resume(session: Database, user_id: CurrentUser) -> SubscriptionView:
    """Take back a cancellation or a downgrade that has not come yet."""
    subscriptions.resume(session, user_id)
    return schemas.subscription_view(session, user_id)


@router.post("/billing/portal")
def portal(session: Database, user_id: CurrentUser) -> PortalOpened:
    """Open the payment service's own page for cards and invoices."""
    return PortalOpened(portal_url=subscriptions.portal(session, user_id))


@router.get("/billing/invoices")
def list_invoices(session: Database, user_id: CurrentUser) -> Invoices:
    """List the caller's invoices."""
    found = [schemas.invoice_view(row) for row in invoices.listed(session, user_id)]
    return Invoices(invoices=found, total=len(found))


@router.get("/billing/invoices/{invoice_id}", response_class=Response)
def get_invoice(session: Database, user_id: CurrentUser, invoice_id: uuid.UUID) -> Response:
    """Send one of the caller's invoices as a PDF."""
    name, body = invoices.pdf(session, user_id, invoice_id)
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(body, media_type="application/pdf", headers=headers)


@router.post("/webhooks/stripe", status_code=status.HTTP_200_OK, tags=["webhooks"])
async def webhook(request: Request) -> Received:
    """Take an event of Stripe's: proved by its signature over the bytes, kept once, done later."""
    body = await request.body()
    header = request.headers.get("stripe-signature", "")
    return Received(new=await in_transaction(_receive, body, header))


def _receive(session: Session, body: bytes, header: str) -> bool:
    return webhooks.receive(session, body, header)


def _tier(name: str) -> Tier:
    if name not in set(PLANS):
        raise ValidationFailed(
            "There is no such plan.", {"plan": ["Choose free, pro or enterprise."]}
        )
    return Tier(name)
