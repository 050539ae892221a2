"""The collection id in the URL of this tab."""

import uuid
from pathlib import PurePosixPath

import reflex as rx

from sp404_app.state import validation


def collection_id(state: rx.State) -> uuid.UUID:
    """Return the id in `/collections/<id>`.

    Raises:
        NotFound: If the URL holds none.
    """
    return validation.validate_id(PurePosixPath(state.router.url.path or "/").name)
