"""The `keep` fixture of the services' tests."""

from tests.services.conftest import keep

__all__ = ["keep"]
