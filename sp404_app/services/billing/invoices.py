"""A person's own invoices: the list from our mirror, the PDF from Stripe at the click."""

import uuid
from collections.abc import Iterator
from urllib.parse import urlsplit

import httpx
from sqlmodel import Session, col, select

from sp404_app.errors import NotFound, Unavailable
from sp404_app.models import Invoice
from sp404_app.services.billing import stripe_client
from sp404_app.services.billing.stripe_client import in_time, stripe_errors, to_plain_dict
from sp404_app.settings import settings

SHOWN = ("paid", "open", "void", "uncollectible")
LARGEST = 10 * 1024 * 1024


def listed(session: Session, user_id: uuid.UUID, limit: int = 100) -> list[Invoice]:
    """Return a person's invoices, the newest first."""
    mine = select(Invoice).where(
        Invoice.user_id == user_id,
        Invoice.realm == stripe_client.stripe_mode(),
        col(Invoice.status).in_(SHOWN),
    )
    newest = mine.order_by(col(Invoice.created).desc(), col(Invoice.id).desc()).limit(limit)
    return list(session.exec(newest.execution_options(populate_existing=True)))


def owned(session: Session, user_id: uuid.UUID, invoice_id: uuid.UUID) -> Invoice:
    """Return one of a person's invoices.

    Raises:
        NotFound: If it does not exist or belongs to somebody else.
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


@in_time
def pay_url(session: Session, user_id: uuid.UUID) -> str:
    """Return where a person pays what is open, or ""; asked for anew, because the links expire.

    Raises:
        AppError: If Stripe does not answer.
    """
    due = next((row for row in listed(session, user_id) if row.status == "open"), None)
    if due is None:
        return ""
    with stripe_errors():
        return stripe_client.client().v1.invoices.retrieve(due.stripe_id).hosted_invoice_url or ""


@in_time
def pdf(session: Session, user_id: uuid.UUID, invoice_id: uuid.UUID) -> tuple[str, bytes]:
    """Return the name and the bytes of an invoice's PDF; its address is never shown to anybody.

    Raises:
        NotFound: If it is not theirs or has none.
        Unavailable: If Stripe does not answer.
    """
    row = owned(session, user_id, invoice_id)
    with stripe_errors():
        found = to_plain_dict(stripe_client.client().v1.invoices.retrieve(row.stripe_id))
    url = found.get("invoice_pdf")
    if not url:
        raise NotFound("This invoice has no PDF.")
    return f"{row.number or row.stripe_id}.pdf", b"".join(_fetched(url))


def _fetched(url: str) -> Iterator[bytes]:
    size = 0
    try:
        with httpx.stream(
            "GET",
            _reached(url),
            timeout=max(0.01, stripe_client.time_left()),
            follow_redirects=True,
        ) as answer:
            answer.raise_for_status()
            for part in answer.iter_bytes():
                size += len(part)
                if size > LARGEST:
                    raise Unavailable("The invoice cannot be fetched now. Please try again soon.")
                yield part
    except httpx.HTTPError as error:
        raise Unavailable("The invoice cannot be fetched now. Please try again soon.") from error


def _reached(url: str) -> str:
    """Return an address we reach ourselves: the emulator writes the one that browsers see."""
    if not settings().stripe_emulated:
        return url
    path = urlsplit(url)
    query = f"?{path.query}" if path.query else ""
    return f"{stripe_client.emulator_url().removesuffix('/_stripe')}{path.path}{query}"
