"""A project in the database, and a function that adds samples."""

import pytest

from sp404_app.db import transaction
from sp404_app.devices.capabilities import MK2
from sp404_app.models import User
from sp404_app.services.projects import projects
from sp404_app.services.projects.history import Target
from tests.services.conftest import keep

__all__ = ["keep"]


@pytest.fixture
def project(user: User) -> Target:
    """An empty MKII project, to be changed whatever its revision."""
    with transaction() as session:
        made = projects.create_project(session, user.id, "Night set", MK2)
        return Target(user.id, made.project.id)
