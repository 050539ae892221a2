"""View model of the library's sidebar: tags, collections, storage, trash and reanalysis."""

import uuid
from dataclasses import dataclass, field, replace

from sqlmodel import Session

from sp404_app.services.billing import quotas, trials
from sp404_app.services.billing.quotas import QuotaUsage
from sp404_app.services.collections import collections
from sp404_app.services.collections.collection_summaries import CollectionSummary
from sp404_app.services.library import tags, trash
from sp404_app.services.library.tags import TagCount
from sp404_app.services.plans import PLANS, Tier
from sp404_app.services.processing import quota_backlog, reanalysis
from sp404_app.state import formatting
from sp404_app.state.library import bulk_messages

MAX_SIDEBAR_TAGS = 60
MAX_OPEN_COLLECTIONS = 8  # listed without a click


@dataclass(frozen=True, slots=True)
class CollectionLink:
    """A collection in the sidebar; sounds can be dropped on a manual one.

    `SmartCountState` has the count of a smart one.
    """

    id: str
    name: str
    colour: str
    is_smart: bool
    count: int


@dataclass(frozen=True, slots=True)
class SidebarView:
    """Texts and shares (0 to 100); `reanalysis` is empty when all samples are up to date."""

    tags: list[TagCount] = field(default_factory=list)
    collections: list[CollectionLink] = field(default_factory=list)
    more_collections: list[CollectionLink] = field(default_factory=list)
    storage: str = ""
    storage_share: float = 0.0
    trash: str = ""
    has_trash: bool = False
    reanalysis: str = ""
    reanalysis_share: float = 0.0
    waiting: str = ""  # how many samples wait for the next month, or a larger plan
    offer: str = ""  # the text of the link to the plans beside it


def load_sidebar(session: Session, user_id: uuid.UUID) -> SidebarView:
    """Read the tags, collections, storage, trash and reanalysis progress of a user's library."""
    usage = quotas.get_quota_usage(session, user_id)
    progress = reanalysis.get_reanalysis_progress(session, user_id)
    used, limit = formatting.format_size(usage.storage_used), usage.storage_limit
    links = [
        _link_of(each) for each in collections.list_collections(session, user_id, count_smart=False)
    ]
    trashed, has_trash = (
        trash.get_trash_usage(session, user_id),
        trash.has_samples(session, user_id),
    )
    if has_trash and not trashed.used:  # sounds of the demo account do not fill the trash
        trashed = replace(trashed, limit=None)
    waiting = _waiting_message(session, user_id, usage)
    is_outdated = progress.current < progress.total
    return SidebarView(
        tags=tags.count_tags(session, user_id)[:MAX_SIDEBAR_TAGS],
        collections=links[:MAX_OPEN_COLLECTIONS],
        more_collections=links[MAX_OPEN_COLLECTIONS:],
        storage=used if limit is None else f"{used} of {formatting.format_size(limit)}",
        storage_share=round(100 * usage.storage_used / limit, 1) if limit else 0.0,
        trash=bulk_messages.trash_usage_message(trashed),
        has_trash=has_trash,
        reanalysis=f"Updating analysis: {progress.current:,} of {progress.total:,}"
        if is_outdated
        else "",
        reanalysis_share=round(100 * progress.current / max(1, progress.total), 1),
        waiting=waiting,
        offer=_offer(session, user_id, usage.tier) if waiting else "",
    )


def _waiting_message(session: Session, user_id: uuid.UUID, usage: QuotaUsage) -> str:
    if usage.analyses_limit is None or usage.analyses_used < usage.analyses_limit:
        return ""  # those that wait are queued within a minute
    count = quota_backlog.count_waiting_samples(session, user_id)
    return (
        f"{count:,} {'sound waits' if count == 1 else 'sounds wait'} for analysis" if count else ""
    )


def _offer(session: Session, user_id: uuid.UUID, tier: Tier) -> str:
    """Return the trial that the person can have, or "See plans"."""
    days = PLANS[Tier.PRO].trial_days
    has_trial = days and tier == Tier.FREE and trials.is_trial_eligible(session, user_id)
    return f"{days} days of Pro free" if has_trial else "See plans"


def _link_of(summary: CollectionSummary) -> CollectionLink:
    return CollectionLink(
        str(summary.id), summary.name, summary.colour, summary.is_smart, summary.count
    )
