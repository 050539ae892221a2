"""A user's invoices: the list from our tables, the PDF and payment link from Stripe."""

import uuid
from collections.abc import Iterator
from urllib.parse import urlsplit

import httpx
from sqlmodel import Session, col, select

from sp404_app.errors import NotFound, Unavailable
from sp404_app.models import Invoice
from sp404_app.services.billing import stripe_client
from sp404_app.services.billing.stripe_client import (
    stripe_errors,
    to_plain_dict,
    within_time_budget,
)
from sp404_app.settings import settings

LISTED_STATUSES = ("paid", "open", "void", "uncollectible")
MAX_PDF_BYTES = 10 * 1024 * 1024
PDF_UNAVAILABLE = "The invoice can't be downloaded right now. Please try again in a few minutes."


def list_invoices(session: Session, user_id: uuid.UUID, limit: int = 100) -> list[Invoice]:
    """Return the user's invoices, newest first."""
    query = select(Invoice).where(
        Invoice.user_id == user_id,
        Invoice.realm == stripe_client.stripe_mode(),
        col(Invoice.status).in_(LISTED_STATUSES),
    )
    newest = query.order_by(col(Invoice.created).desc(), col(Invoice.id).desc()).limit(limit)
    return list(session.exec(newest.execution_options(populate_existing=True)))


def find_invoice(session: Session, user_id: uuid.UUID, invoice_id: uuid.UUID) -> Invoice:
    """Return one of the user's invoices.

    Raises:
        NotFound: If it does not exist or belongs to another user.
    """
    found = session.exec(
        select(Invoice).where(
            Invoice.id == invoice_id,
            Invoice.user_id == user_id,
            Invoice.realm == stripe_client.stripe_mode(),
        )
    ).first()
    if found is None:
        raise NotFound("There is no such invoice.")
    return found


@within_time_budget
def open_invoice_url(session: Session, user_id: uuid.UUID) -> str:
    """Return the payment page of the user's newest open invoice, or "".

    The URL is fetched from Stripe each time, because hosted invoice URLs expire.

    Raises:
        AppError: If Stripe does not answer.
    """
    unpaid = next((row for row in list_invoices(session, user_id) if row.status == "open"), None)
    if unpaid is None:
        return ""
    with stripe_errors():
        invoice = stripe_client.client().v1.invoices.retrieve(unpaid.stripe_id)
    return invoice.hosted_invoice_url or ""


@within_time_budget
def fetch_invoice_pdf(
    session: Session, user_id: uuid.UUID, invoice_id: uuid.UUID
) -> tuple[str, bytes]:
    """Return the file name and bytes of an invoice PDF. Stripe's URL never reaches the client.

    Raises:
        NotFound: If the invoice is not the user's or has no PDF.
        Unavailable: If Stripe does not answer.
    """
    row = find_invoice(session, user_id, invoice_id)
    with stripe_errors():
        found = to_plain_dict(stripe_client.client().v1.invoices.retrieve(row.stripe_id))
    url = found.get("invoice_pdf")
    if not url:
        raise NotFound("This invoice doesn't have a PDF.")
    return f"{row.number or row.stripe_id}.pdf", b"".join(_stream_pdf(url))


def _stream_pdf(url: str) -> Iterator[bytes]:
    size = 0
    try:
        with httpx.stream(
            "GET",
            _reachable_url(url),
            timeout=max(0.01, stripe_client.time_left()),
            follow_redirects=True,
        ) as answer:
            answer.raise_for_status()
            for chunk in answer.iter_bytes():
                size += len(chunk)
                if size > MAX_PDF_BYTES:
                    raise Unavailable(PDF_UNAVAILABLE)
                yield chunk
    except httpx.HTTPError as error:
        raise Unavailable(PDF_UNAVAILABLE) from error


def _reachable_url(url: str) -> str:
    """Return a URL this process can reach: the emulator's URLs carry the browser's origin."""
    if not settings().stripe_emulated:
        return url
    path = urlsplit(url)
    query = f"?{path.query}" if path.query else ""
    return f"{stripe_client.emulator_url().removesuffix('/_stripe')}{path.path}{query}"
