"""A public link as pages show it."""

import datetime as dt
from dataclasses import dataclass

from sp404_app.models import ShareDownload
from sp404_app.models.columns import now
from sp404_app.services.sharing.shares import DayCount, ShareView

STATUSES = {"expired": "Expired", "taken_down": "Taken down by the operator"}
DOWNLOADS = {
    ShareDownload.NONE: "Listen only",
    ShareDownload.ORIGINAL: "Download and save the original",
    ShareDownload.SP404: "Download for the SP-404",
}
PROJECT_DOWNLOADS = {
    ShareDownload.NONE: "Play only",
    ShareDownload.ORIGINAL: "Save it with its sounds, and download",
    ShareDownload.SP404: "Download for the SP-404",
}
KIND_NAMES = {"sample": "Sound", "collection": "Collection", "project": "Project"}
PATHS = {"sample": "/samples", "collection": "/collections", "project": "/projects"}


@dataclass(frozen=True, slots=True)
class ShareRow:
    """A link. `status` is empty while it works; `facts` are its other properties in one line."""

    id: str
    url: str
    embed_code: str
    kind: str
    kind_name: str
    name: str
    href: str
    status: str
    facts: str
    counts: str
    allow_download: str
    allow_indexing: bool


@dataclass(frozen=True, slots=True)
class DayRow:
    """Plays and downloads of one day."""

    day: str
    plays: int
    downloads: int


def share_row(share: ShareView) -> ShareRow:
    """Return the row of a link."""
    target = share.sample_id or share.collection_id or share.project_id
    return ShareRow(
        id=str(share.id),
        url=share.url,
        embed_code=share.embed_code,
        kind=share.kind,
        kind_name=KIND_NAMES[share.kind],
        name=share.name[:80],
        href=f"{PATHS[share.kind]}/{target}",
        status=_status(share),
        facts=_facts(share),
        counts=f"{_count(share.plays, 'play')} · {_count(share.downloads, 'download')}",
        allow_download=share.allow_download,
        allow_indexing=share.allow_indexing,
    )


def day_row(count: DayCount) -> DayRow:
    """Return the row of a day."""
    return DayRow(f"{count.day:%-d %b %Y}", count.plays, count.downloads)


def _status(share: ShareView) -> str:
    trashed = "Doesn’t work while this is in the trash" if share.is_trashed else ""
    return STATUSES.get(share.status, trashed)


def _facts(share: ShareView) -> str:
    parts = (
        f"Created {share.created_at:%-d %b %Y}",
        _expiry(share.expires_at),
        "Password" if share.has_password else "",
    )
    return " · ".join(part for part in parts if part)


def _expiry(at: dt.datetime | None) -> str:
    if at is None:
        return ""
    word = "Expired" if at <= now() else "Expires"
    return f"{word} {at:%-d %b %Y, %H:%M} UTC"


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"
