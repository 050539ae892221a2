"""Patterns and pictures that came with projects: how many bytes of them a user may have."""

import uuid
from collections.abc import Iterable
from typing import Final

from sqlmodel import Session, col, func, select

from sp404_app.errors import Conflict
from sp404_app.models import ProjectFile
from sp404_app.services.infra.byte_size import MB, format_size

MAX_USER_BYTES: Final = 512 * MB  # of all projects, also of those in the trash


def ensure_room(session: Session, user_id: uuid.UUID, new: Iterable[bytes]) -> None:
    """Check that files of this content fit; lock with `quotas.lock_library` to keep that true.

    Raises:
        Conflict: If the user would have more than `MAX_USER_BYTES`.
    """
    needed = sum(map(len, new))
    if not needed:
        return
    total = select(func.coalesce(func.sum(func.octet_length(col(ProjectFile.data))), 0))
    used = int(session.exec(total.where(ProjectFile.user_id == user_id)).one())
    if used + needed > MAX_USER_BYTES:
        raise Conflict(
            f"The patterns and pictures of your projects use {format_size(used)} of "
            f"{format_size(MAX_USER_BYTES)}, and this card has {format_size(needed)} more. "
            "Permanently delete projects that you no longer need."
        )
