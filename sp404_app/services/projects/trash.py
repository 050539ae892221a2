"""The trash of projects, for pages that tell a deletion from a permanent one."""

import uuid

from sqlmodel import Session, col, func, select

from sp404_app.errors import Conflict
from sp404_app.models import Project
from sp404_app.services.projects import history, projects


def count_trash(session: Session, user_id: uuid.UUID) -> int:
    """Return how many projects are in a user's trash."""
    trashed = select(func.count()).where(
        Project.user_id == user_id, col(Project.deleted_at).is_not(None)
    )
    return session.exec(trashed).one()


def move_to_trash(session: Session, user_id: uuid.UUID, project_id: uuid.UUID) -> bool:
    """Move a project to the trash; return False if it is there already.

    Raises:
        NotFound: If it does not exist or belongs to another user.
    """
    project = history.get_project(session, user_id, project_id, lock=True)
    if project.deleted_at is not None:
        return False
    projects.delete_project(session, user_id, project_id)
    return True


def delete_for_good(session: Session, user_id: uuid.UUID, project_id: uuid.UUID) -> None:
    """Permanently delete a project that is in the trash.

    Raises:
        NotFound: If it does not exist or belongs to another user.
        Conflict: If it is not in the trash.
    """
    project = history.get_project(session, user_id, project_id, lock=True)
    if project.deleted_at is None:
        raise Conflict("This project isn’t in the trash.")
    projects.delete_project(session, user_id, project_id)
