"""SIGTERM lets requests in progress end, within a limit, after `/api/health/ready` said so."""

import signal
from collections.abc import Callable

import httpx
import pytest

from tests.ops.conftest import Upload, eventually, signed_in
from tests.product import Product

pytestmark = pytest.mark.timeout(600)


def readiness(product: Product) -> int:
    return httpx.get(f"{product.base_url}/api/health/ready").status_code


def is_refused(product: Product) -> bool:
    try:
        httpx.get(f"{product.base_url}/ping")
    except httpx.ConnectError:
        return True
    return False


def test_an_upload_in_progress_ends_before_the_stop(
    new_product: Callable[..., Product],
) -> None:
    product = new_product(SP404_DRAIN_NOTICE_SECONDS="2").start()
    with signed_in(product) as client:
        upload = Upload(client)
        assert readiness(product) == 200
        product.running.send_signal(signal.SIGTERM)
        eventually(lambda: readiness(product) == 503)  # it still accepts connections
        eventually(lambda: is_refused(product))
        answer = upload.finish()
    assert isinstance(answer, httpx.Response), answer
    assert answer.status_code == 201
    assert product.running.wait(60) == 0


def test_an_upload_that_never_ends_does_not_delay_the_stop_for_ever(
    new_product: Callable[..., Product],
) -> None:
    product = new_product(SP404_DRAIN_SECONDS="1").start()
    with signed_in(product) as client:
        upload = Upload(client)
        assert product.stop(signal.SIGTERM) == 0
        assert isinstance(upload.finish(), httpx.HTTPError)


def test_a_second_signal_stops_at_once(new_product: Callable[..., Product]) -> None:
    product = new_product(SP404_DRAIN_SECONDS="600").start()
    with signed_in(product) as client:
        upload = Upload(client)
        product.running.send_signal(signal.SIGTERM)
        eventually(lambda: is_refused(product))
        product.running.send_signal(signal.SIGTERM)
        assert product.running.wait(60) == 0
        assert isinstance(upload.finish(), httpx.HTTPError)


def test_an_open_event_stream_does_not_delay_the_stop(
    new_product: Callable[..., Product],
) -> None:
    product = new_product(SP404_DRAIN_SECONDS="600").start()
    with signed_in(product) as client, client.stream("GET", "/api/events") as stream:
        lines = stream.iter_lines()
        assert next(lines) == ": here"
        assert product.stop(signal.SIGTERM) == 0
        assert list(lines) == [""]  # it ended as a complete response
