"""What stands beside the list: tags, how full the plan is, and what is being renewed."""

import uuid
from dataclasses import dataclass, field

from sqlmodel import Session

from sp404_app.services.billing import quotas
from sp404_app.services.library import tags, trash
from sp404_app.services.library.tags import TagCount
from sp404_app.services.processing import reanalysis
from sp404_app.state.formatting import size
from sp404_app.state.library import bulk_messages

MOST_TAGS = 60


@dataclass(frozen=True, slots=True)
class Facts:
    """Texts and shares (0 to 100) for the rail; `renewing` is empty when all is up to date."""

    tags: list[TagCount] = field(default_factory=list)
    stored: str = ""
    stored_share: float = 0.0
    trash: str = ""
    renewing: str = ""
    renewed_share: float = 0.0


def facts_of(session: Session, user_id: uuid.UUID) -> Facts:
    """Read what the rail shows of a person's library."""
    used, renewed = quotas.usage(session, user_id), reanalysis.progress(session, user_id)
    stored, limit = size(used.storage_used), used.storage_limit
    behind = renewed.heard < renewed.total
    return Facts(
        tags=tags.counts(session, user_id)[:MOST_TAGS],
        stored=stored if limit is None else f"{stored} of {size(limit)}",
        stored_share=round(100 * used.storage_used / limit, 1) if limit else 0.0,
        trash=bulk_messages.trash_note(trash.of(session, user_id)),
        renewing=f"Listening again: {renewed.heard:,} of {renewed.total:,}" if behind else "",
        renewed_share=round(100 * renewed.heard / max(1, renewed.total), 1),
    )
