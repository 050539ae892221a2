"""Public links as their owner sees them: create, list, change, revoke."""

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

from sqlalchemy import ARRAY, Uuid, any_, func, literal
from sqlmodel import Session, col, delete, select

from sp404_app.db import after_commit
from sp404_app.errors import Conflict, Forbidden, NotFound, ValidationFailed
from sp404_app.models import Collection, Project, Sample, Share, ShareDay, ShareDownload
from sp404_app.models.columns import now, uuid7
from sp404_app.services.auth.account_lock import lock_account
from sp404_app.services.infra import pictures
from sp404_app.services.sharing import share_tokens, shared_content
from sp404_app.settings import settings

MAX_SHARES: Final = 500  # of one user, not revoked
REVOKED_KEPT_FOR: Final = dt.timedelta(days=30)
LATEST_EXPIRY: Final = dt.timedelta(days=3650)
DAYS_SHOWN: Final = 30
EMBED_WIDTH: Final = 560  # pixels
EMBED_HEIGHTS: Final = {"sample": 220, "collection": 420, "project": 720}
NO_SHARE = "There is no such link."
TAKEN_DOWN = "A link to this was taken down. It can't be shared again. Contact the operator."

TARGETS: Final[Mapping[str, type[Sample | Collection | Project]]] = {
    "sample": Sample,
    "collection": Collection,
    "project": Project,
}


@dataclass(frozen=True, slots=True)
class ShareTarget:
    """What a link shares: "sample", "collection" or "project", and its id."""

    kind: str
    id: uuid.UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class ShareOptions:
    """How something is shared. `password_hash` is empty for a link without a password."""

    expires_at: dt.datetime | None = None
    password_hash: str = ""
    allow_download: ShareDownload = ShareDownload.NONE
    allow_indexing: bool = False


@dataclass(frozen=True, slots=True)
class DayCount:
    """Plays and downloads of one day, in UTC."""

    day: dt.date
    plays: int
    downloads: int


@dataclass(frozen=True, slots=True)
class ShareView:
    """A link of its owner. `status` is "active", "expired" or "taken_down"."""

    id: uuid.UUID
    url: str
    embed_url: str
    embed_code: str
    kind: str
    name: str
    sample_id: uuid.UUID | None
    collection_id: uuid.UUID | None
    project_id: uuid.UUID | None
    status: str
    is_trashed: bool
    expires_at: dt.datetime | None
    has_password: bool
    allow_download: str
    allow_indexing: bool
    plays: int
    downloads: int
    created_at: dt.datetime
    updated_at: dt.datetime
    days: list[DayCount] = field(default_factory=list)


def create_share(
    session: Session, user_id: uuid.UUID, target: ShareTarget, options: ShareOptions
) -> ShareView:
    """Create a link; its token is random, so two links to one target have nothing in common.

    Raises:
        NotFound: If the target does not exist, is in the trash, or belongs to another user.
        Conflict: If the user has `MAX_SHARES` links.
        Forbidden: If an operator took down a link to this target, or to all sounds in it.
        ValidationFailed: If an option is invalid; details name the field.
    """
    _check_options(options)
    lock_account(session, user_id)  # two requests at once cannot exceed the limit
    target_name(session, user_id, target)  # raises
    _ensure_room(session, user_id)
    _ensure_not_taken_down(session, user_id, target)
    token, share_id = share_tokens.new_token(), uuid7()
    share = Share(
        id=share_id,
        user_id=user_id,
        token_hash=share_tokens.hash_token(token),
        token_encrypted=share_tokens.encrypt_token(token, share_id),
        **{f"{target.kind}_id": target.id},
        **_columns(options),
    )
    session.add(share)
    session.flush()
    return _views(session, user_id, [share])[0]


def list_shares(
    session: Session, user_id: uuid.UUID, target: ShareTarget | None = None
) -> list[ShareView]:
    """Return the user's links that are not revoked, newest first; of one target, or all."""
    query = _not_revoked(user_id)
    if target:
        query = query.where(_target_column(target.kind) == target.id)
    found = session.exec(query.order_by(col(Share.id).desc())).all()
    return _views(session, user_id, found)


def get_share(session: Session, user_id: uuid.UUID, share_id: uuid.UUID) -> ShareView:
    """Return a link with its counts of the last `DAYS_SHOWN` days.

    Raises:
        NotFound: If it does not exist, was revoked, or belongs to another user.
    """
    view = _views(session, user_id, [_find(session, user_id, share_id)])[0]
    days = session.exec(
        select(ShareDay)
        .where(ShareDay.share_id == share_id, ShareDay.user_id == user_id)
        .order_by(col(ShareDay.day).desc())
        .limit(DAYS_SHOWN)
    )
    view.days.extend(DayCount(day.day, day.plays, day.downloads) for day in days)
    return view


def change_share(
    session: Session, user_id: uuid.UUID, share_id: uuid.UUID, changes: Mapping[str, Any]
) -> ShareView:
    """Change the fields of `ShareOptions` that are named; the link's address stays.

    Raises:
        NotFound: If it does not exist, was revoked, or belongs to another user.
        ValidationFailed: If an option is invalid; details name the field.
    """
    share = _find(session, user_id, share_id, lock=True)
    present = {name: getattr(share, name) for name in ShareOptions.__dataclass_fields__}
    options = ShareOptions(**(present | dict(changes)))
    is_old_expiry = options.expires_at == share.expires_at
    _check_options(options, checks_expiry=not is_old_expiry)
    share.sqlmodel_update(_columns(options) | {"updated_at": now()})
    session.add(share)
    session.flush()
    return _views(session, user_id, [share])[0]


def revoke_share(session: Session, user_id: uuid.UUID, share_id: uuid.UUID) -> None:
    """Revoke a link at once. It cannot be restored: a new link has a new address.

    Raises:
        NotFound: If it does not exist, was revoked already, or belongs to another user.
    """
    share = _find(session, user_id, share_id, lock=True)
    share.revoked_at = now()
    session.add(share)
    session.flush()
    after_commit(session, partial(pictures.delete_pictures, user_id, [share.id]))


def purge_revoked_shares(session: Session, at: dt.datetime) -> int:
    """Delete links that were revoked over 30 days ago, except those that were taken down."""
    is_old = col(Share.revoked_at) < at - REVOKED_KEPT_FOR
    return session.exec(delete(Share).where(is_old, col(Share.taken_down_at).is_(None))).rowcount


def target_name(session: Session, user_id: uuid.UUID, target: ShareTarget) -> str:
    """Return the name of what may be shared.

    Raises:
        NotFound: If it does not exist, is in the trash, or belongs to another user.
    """
    table = TARGETS[target.kind]
    live = select(table.name).where(
        table.id == target.id, table.user_id == user_id, col(table.deleted_at).is_(None)
    )
    name = session.exec(live).first()
    if name is None:
        raise NotFound(f"There is no such {target.kind}.")
    return name


def kind_of(share: Share) -> str:
    """Return what a link shares: "sample", "collection" or "project"."""
    return next(kind for kind in TARGETS if getattr(share, f"{kind}_id"))


def embed_code(address: str, kind: str) -> str:
    """Return the HTML that shows a link on another site; an address has nothing to escape."""
    return (
        f'<iframe src="{address}" width="{EMBED_WIDTH}" height="{EMBED_HEIGHTS[kind]}" '
        'allow="autoplay" title="Crate 404" style="border:0;max-width:100%"></iframe>'
    )


def share_url(share: Share) -> str:
    """Return the address of a link."""
    return f"{settings().origin}/s/{share_tokens.decrypt_token(share)}"


def find_target(
    session: Session, user_id: uuid.UUID, named: Mapping[str, uuid.UUID | None]
) -> ShareTarget:
    """Return the one target that is named; `named` are ids by kind.

    Raises:
        NotFound: If one of them does not exist, is in the trash, or belongs to another user.
        ValidationFailed: If none or several are named.
    """
    found = [ShareTarget(kind, target) for kind, target in named.items() if target]
    for target in found:
        target_name(session, user_id, target)  # raises
    if len(found) != 1:
        message = "Name one of sample_id, collection_id and project_id."
        raise ValidationFailed(message, {"sample_id": [message]})
    return found[0]


def _check_options(options: ShareOptions, *, checks_expiry: bool = True) -> None:
    expires = options.expires_at
    if expires is None or not checks_expiry:
        return
    if expires.tzinfo is None:
        _refuse_expiry("Name the time zone, as in 2030-01-31T12:00:00Z.")
    if not now() < expires < now() + LATEST_EXPIRY:
        _refuse_expiry("Choose a time in the future, within ten years.")


def _refuse_expiry(message: str) -> None:
    raise ValidationFailed(message, {"expires_at": [message]})


def _columns(options: ShareOptions) -> dict[str, Any]:
    return {name: getattr(options, name) for name in ShareOptions.__dataclass_fields__}


def _ensure_room(session: Session, user_id: uuid.UUID) -> None:
    count = select(func.count()).select_from(_not_revoked(user_id).subquery())
    if session.exec(count).one() >= MAX_SHARES:
        raise Conflict(f"You can have up to {MAX_SHARES} links. Revoke one first.")


def _ensure_not_taken_down(session: Session, user_id: uuid.UUID, target: ShareTarget) -> None:
    taken = select(Share.id).where(
        Share.user_id == user_id,
        _target_column(target.kind) == target.id,
        col(Share.taken_down_at).is_not(None),
    )
    if session.exec(taken).first() or _contains_what_was_taken_down(session, user_id, target):
        raise Forbidden(TAKEN_DOWN)


def _contains_what_was_taken_down(
    session: Session, user_id: uuid.UUID, target: ShareTarget
) -> bool:
    """Return whether a collection or project has all sounds of one that was taken down.

    A duplicate has, and so has one that was made anew.
    """
    if target.kind == "sample":
        return False
    others = select(Share).where(
        Share.user_id == user_id,
        col(Share.taken_down_at).is_not(None),
        col(Share.sample_id).is_(None),
    )
    taken = [found for share in session.exec(others) if (found := _sounds(session, share))]
    if not taken:
        return False
    wanted: dict[str, Any] = {f"{target.kind}_id": target.id}
    found = _sounds(session, Share(user_id=user_id, **wanted))
    return any(each <= found for each in taken)


def _sounds(session: Session, share: Share) -> set[uuid.UUID]:
    if share.project_id:
        return set(shared_content.pad_sample_ids(session, share))
    return set(shared_content.sound_ids(session, share))


def _target_column(kind: str) -> Any:
    return getattr(Share, f"{kind}_id")


def _not_revoked(user_id: uuid.UUID) -> Any:
    return select(Share).where(Share.user_id == user_id, col(Share.revoked_at).is_(None))


def _find(
    session: Session, user_id: uuid.UUID, share_id: uuid.UUID, *, lock: bool = False
) -> Share:
    query = _not_revoked(user_id).where(Share.id == share_id)
    share = session.exec(query.with_for_update() if lock else query).first()
    if share is None:
        raise NotFound(NO_SHARE)
    return share


def _views(session: Session, user_id: uuid.UUID, found: Sequence[Share]) -> list[ShareView]:
    targets = _load_targets(session, user_id, found)
    counts = _load_totals(session, user_id, found)
    return [
        _view(share, targets[_target_id(share)], counts.get(share.id, (0, 0))) for share in found
    ]


def _load_targets(
    session: Session, user_id: uuid.UUID, found: Sequence[Share]
) -> dict[uuid.UUID, tuple[str, bool]]:
    """Return name and whether it is in the trash, by the id of the target."""
    known: dict[uuid.UUID, tuple[str, bool]] = {}
    for kind, table in TARGETS.items():
        ids = [_target_id(share) for share in found if kind_of(share) == kind]
        if not ids:
            continue
        rows = session.exec(
            select(table.id, table.name, table.deleted_at).where(
                table.user_id == user_id, col(table.id) == any_(literal(ids, ARRAY(Uuid)))
            )
        )
        known |= {id_: (name, deleted_at is not None) for id_, name, deleted_at in rows}
    return known


def _load_totals(
    session: Session, user_id: uuid.UUID, found: Sequence[Share]
) -> dict[uuid.UUID, tuple[int, int]]:
    ids = literal([share.id for share in found], ARRAY(Uuid))
    sums = (func.sum(ShareDay.plays), func.sum(ShareDay.downloads))
    mine = (col(ShareDay.user_id) == user_id) & (col(ShareDay.share_id) == any_(ids))
    rows = session.exec(
        select(ShareDay.share_id, *sums).where(mine).group_by(col(ShareDay.share_id))
    )
    return {share_id: (int(plays), int(downloads)) for share_id, plays, downloads in rows}


def _target_id(share: Share) -> uuid.UUID:
    found = share.sample_id or share.collection_id or share.project_id
    assert found is not None  # a constraint of the table
    return found


def _view(share: Share, target: tuple[str, bool], counts: tuple[int, int]) -> ShareView:
    url, (name, is_trashed) = share_url(share), target
    return ShareView(
        id=share.id,
        url=url,
        embed_url=f"{url}/embed",
        embed_code=embed_code(f"{url}/embed", kind_of(share)),
        kind=kind_of(share),
        name=name,
        sample_id=share.sample_id,
        collection_id=share.collection_id,
        project_id=share.project_id,
        status=_status(share),
        is_trashed=is_trashed,
        expires_at=share.expires_at,
        has_password=bool(share.password_hash),
        allow_download=share.allow_download,
        allow_indexing=share.allow_indexing,
        plays=counts[0],
        downloads=counts[1],
        created_at=share.created_at,
        updated_at=share.updated_at,
    )


def _status(share: Share) -> str:
    if share.taken_down_at:
        return "taken_down"
    return "expired" if share.expires_at and share.expires_at <= now() else "active"
