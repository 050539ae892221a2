"""A library to fill, as for the services."""

from tests.services.conftest import keep

__all__ = ["keep"]
