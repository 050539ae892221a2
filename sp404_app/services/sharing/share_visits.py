"""Find the link that a visitor opens. Every request of a visitor begins here."""

import uuid
from typing import Final

from sqlmodel import Session, col, func, select

from sp404_app.errors import AppError, NotFound, Unauthenticated
from sp404_app.models import Collection, Project, Sample, Share
from sp404_app.models.columns import now
from sp404_app.services.auth import passwords
from sp404_app.services.infra import share_rate_limits
from sp404_app.services.sharing import share_tokens

GONE: Final = "This link doesn't work any more."


class UnknownToken(NotFound):
    """The token never existed; `NotFound` alone means that its link has ended."""


class PasswordNeeded(Unauthenticated):
    """The link has a password, and the visitor has no valid ticket for it."""

    code = "share_password_required"


class WrongPassword(AppError):
    """The password is not that of the link."""

    status, code = 422, "invalid"


def find_share(session: Session, token: str, tickets: dict[str, str] | None = None) -> Share:
    """Return the link of a token.

    A link ends when it expires, is revoked or taken down, or its target is in the trash. `tickets`
    are the visitor's cookies by name; with None no password is asked.

    Raises:
        UnknownToken: If there is no such link.
        NotFound: If it has ended.
        PasswordNeeded: If it has a password, and no ticket is valid.
    """
    if not share_tokens.TOKEN.fullmatch(token):
        raise UnknownToken(GONE)
    share = _load(session, Share.token_hash == share_tokens.hash_token(token))
    if tickets is not None and share.password_hash:
        ticket = tickets.get(share_tokens.cookie_name(share.id), "")
        if not share_tokens.is_valid_ticket(share, ticket):
            raise PasswordNeeded("This link has a password.")
    return share


def find_working_share(session: Session, share_id: uuid.UUID) -> Share:
    """Return a link that was found before, as it is now.

    Raises:
        NotFound: If it has ended since.
    """
    return _load(session, Share.id == share_id)


async def check_password(share: Share, password: str, ip: str) -> str:
    """Return the ticket for a link if the password is right.

    Raises:
        RateLimited: If the host, or all hosts together, tried too many passwords.
        WrongPassword: If it is wrong.
    """
    await share_rate_limits.count_password(share.id, ip)
    if not await passwords.verify_password(password[: passwords.MAX_LENGTH], share.password_hash):
        raise WrongPassword("Wrong password.")
    return share_tokens.make_ticket(share)


def _load(session: Session, is_wanted: bool) -> Share:
    deleted_at = func.coalesce(Sample.deleted_at, Collection.deleted_at, Project.deleted_at)
    query = (
        select(Share, deleted_at)
        .join(Sample, col(Sample.id) == col(Share.sample_id), isouter=True)
        .join(Collection, col(Collection.id) == col(Share.collection_id), isouter=True)
        .join(Project, col(Project.id) == col(Share.project_id), isouter=True)
        .where(is_wanted)
    )
    found = session.exec(query).first()
    if found is None:
        raise UnknownToken(GONE)
    share, trashed_at = found
    is_over = share.expires_at is not None and share.expires_at <= now()
    if is_over or share.revoked_at or share.taken_down_at or trashed_at:
        raise NotFound(GONE)
    return share
