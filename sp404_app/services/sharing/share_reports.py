"""Reports of abuse: visitors write them, operators take the link down or dismiss them."""

import datetime as dt
import uuid
from dataclasses import dataclass
from functools import partial
from typing import Final

from sqlmodel import Session, col, delete, select, update

from sp404_app.db import after_commit
from sp404_app.errors import NotFound, ValidationFailed
from sp404_app.models import Share, ShareReport
from sp404_app.models.columns import now
from sp404_app.services.auth import admin_access
from sp404_app.services.auth.account_lock import lock_account
from sp404_app.services.auth.sessions import SignedIn
from sp404_app.services.infra import audit_log, pictures
from sp404_app.services.infra.client_info import Client
from sp404_app.services.infra.text import clean_text, one_line
from sp404_app.services.sharing import share_tokens, shares

REASONS: Final = {
    "copyright": "It infringes copyright",
    "personal": "It contains personal data",
    "illegal": "It is illegal or hateful",
    "spam": "It is spam or misleading",
    "other": "Something else",
}
MAX_NOTE: Final = 1000
MAX_LISTED: Final = 100
CLOSED_KEPT_FOR: Final = dt.timedelta(days=90)


@dataclass(frozen=True, slots=True)
class OpenReport:
    """A report that no operator has closed; `path` is the link's address on this site."""

    id: uuid.UUID
    created_at: dt.datetime
    reason: str
    note: str
    kind: str
    path: str
    is_live: bool


def add_report(session: Session, share: Share, reason: str, note: str) -> None:
    """Add a report of a link.

    Raises:
        ValidationFailed: If the reason is not one of `REASONS`.
    """
    if reason not in REASONS:
        message = "Choose a reason."
        raise ValidationFailed(message, {"reason": [message]})
    text = one_line(clean_text(note[:MAX_NOTE]))
    session.add(ShareReport(share_id=share.id, reason=reason, note=text))


def list_open_reports(session: Session, who: SignedIn) -> list[OpenReport]:
    """Return the oldest open reports.

    Raises:
        NotFound: If the user is no operator.
        ReauthenticationRequired: If the session has not re-authenticated recently.
    """
    admin_access.ensure_reauthenticated_operator(session, who)
    query = (
        select(ShareReport, Share)
        .join(Share, col(Share.id) == col(ShareReport.share_id))
        .where(col(ShareReport.closed_at).is_(None))
        .order_by(col(ShareReport.id))
        .limit(MAX_LISTED)
    )
    return [_open_report(report, share) for report, share in session.exec(query)]


def take_down(session: Session, who: SignedIn, report_id: uuid.UUID, client: Client) -> None:
    """Take down the link of a report at once, with all others to the same target.

    The reports of all these links are closed.

    Raises:
        NotFound: If the user is no operator, or there is no such open report.
        ReauthenticationRequired: If the session has not re-authenticated recently.
    """
    report = _find_open(session, who, report_id, locks_owner=True)
    share = session.get_one(Share, report.share_id)
    ids = _take_down_target(session, share)
    session.exec(
        update(ShareReport)
        .where(col(ShareReport.share_id).in_(ids), col(ShareReport.closed_at).is_(None))
        .values(closed_at=now(), outcome="taken_down")
    )
    after_commit(session, partial(pictures.delete_pictures, share.user_id, ids))
    _record(session, who, "share_taken_down", client, share)
    audit_log.record_audit_event(
        session,
        share.user_id,
        "share_taken_down_by_operator",
        Client("", ""),
        share_id=str(share.id),
    )


def dismiss(session: Session, who: SignedIn, report_id: uuid.UUID, client: Client) -> None:
    """Close one report; the link stays.

    Raises:
        NotFound: If the user is no operator, or there is no such open report.
        ReauthenticationRequired: If the session has not re-authenticated recently.
    """
    report = _find_open(session, who, report_id)
    report.closed_at, report.outcome = now(), "dismissed"
    session.add(report)
    share = session.get_one(Share, report.share_id)
    _record(session, who, "share_report_dismissed", client, share)


def purge_closed_reports(session: Session, at: dt.datetime) -> int:
    """Delete reports that were closed over 90 days ago; return how many."""
    old = col(ShareReport.closed_at) < at - CLOSED_KEPT_FOR
    return session.exec(delete(ShareReport).where(old)).rowcount


def _take_down_target(session: Session, share: Share) -> list[uuid.UUID]:
    """Take down a link and all others of its owner to the same target; return their ids."""
    target = f"{shares.kind_of(share)}_id"
    same = (Share.user_id == share.user_id, getattr(Share, target) == getattr(share, target))
    found = session.exec(select(Share).where(*same).order_by(col(Share.id)).with_for_update()).all()
    for each in found:
        each.taken_down_at = each.taken_down_at or now()
    session.add_all(found)
    session.flush()
    return [each.id for each in found]


def _find_open(
    session: Session, who: SignedIn, report_id: uuid.UUID, *, locks_owner: bool = False
) -> ShareReport:
    admin_access.ensure_reauthenticated_operator(session, who)
    if locks_owner:  # before the report: the deletion of an account locks in this order
        link = select(Share.user_id).join(ShareReport, col(ShareReport.share_id) == Share.id)
        owner_id = session.exec(link.where(ShareReport.id == report_id)).first()
        if owner_id:
            lock_account(session, owner_id)
    query = select(ShareReport).where(
        ShareReport.id == report_id, col(ShareReport.closed_at).is_(None)
    )
    report = session.exec(query.with_for_update()).first()
    if report is None:
        raise NotFound("There is no such open report.")
    return report


def _record(session: Session, who: SignedIn, action: str, client: Client, share: Share) -> None:
    audit_log.record_audit_event(session, who.user_id, action, client, share_id=str(share.id))


def _open_report(report: ShareReport, share: Share) -> OpenReport:
    is_over = share.revoked_at or share.taken_down_at
    return OpenReport(
        report.id,
        report.created_at,
        REASONS.get(report.reason, report.reason),
        report.note,
        shares.kind_of(share),
        f"/s/{share_tokens.decrypt_token(share)}",
        not is_over,
    )
