"""One process at a time holds the lease."""

from collections.abc import Iterator

import pytest

from sp404_app.services.infra import leader
from sp404_app.services.infra.events import connection
from sp404_app.services.infra.leader import Lease
from sp404_app.settings import Settings

NAME = "sp404:test-lease"


@pytest.fixture(autouse=True)
def no_lease(services: Settings) -> Iterator[None]:
    connection().delete(NAME)
    yield
    connection().delete(NAME)


def test_only_one_of_two_leads_and_it_goes_on_to_lead() -> None:
    first, second = Lease(NAME), Lease(NAME)
    assert first.take_or_renew()
    assert not second.take_or_renew()
    assert first.take_or_renew()


def test_a_released_lease_is_free_at_once() -> None:
    first, second = Lease(NAME), Lease(NAME)
    assert first.take_or_renew()
    first.release()
    assert second.take_or_renew()
    assert not first.take_or_renew()


def test_a_lease_that_was_not_renewed_is_lost() -> None:
    first, second = Lease(NAME), Lease(NAME)
    assert first.take_or_renew()
    connection().delete(NAME)  # as when its time is over
    assert second.take_or_renew()
    assert not first.take_or_renew()
    first.release()
    assert second.take_or_renew()


def test_a_lease_ends_by_itself_within_fifteen_seconds() -> None:
    assert Lease(NAME).take_or_renew()
    left = connection().pttl(NAME) / 1000
    assert 0 < left + leader.RENEW_S < 15
