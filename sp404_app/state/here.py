"""Which sound the address of this tab names."""

import uuid
from pathlib import PurePosixPath

import reflex as rx

from sp404_app.state import checked


def sample_id(state: rx.State) -> uuid.UUID:
    """Return the id in `/samples/<id>`.

    Raises:
        NotFound: If the address holds none.
    """
    return checked.identity(PurePosixPath(state.router.url.path or "/").name)
