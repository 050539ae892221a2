"""Ranges and combinations that Stripe refuses in any request.

Covers amounts, quantities, text lengths, currencies, metadata, trial ends and prices that cannot
share a subscription.
"""

import re
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

from babel.numbers import list_currencies

from stripe_emulator.errors import ApiError, invalid_request
from stripe_emulator.objects import Object
from stripe_emulator.parameters import param_path
from stripe_emulator.periods import DAY_S

MAX_AMOUNT_CENTS = 99_999_999
MAX_QUANTITY = 999_999
MAX_TRIAL_DAYS = 730
MAX_INTERVAL_COUNT = {"day": 1095, "week": 156, "month": 36, "year": 3}  # three years each
MAX_SUBSCRIPTION_ITEMS = 20
MAX_METADATA_KEYS, MAX_METADATA_KEY_CHARS, MAX_METADATA_VALUE_CHARS = 50, 40, 500
EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")


def check_limits(params: Any, prefix: str = "") -> None:
    """Refuse out-of-range values in a request, at any depth."""
    if isinstance(params, list):
        for index, item in enumerate(params):
            check_limits(item, param_path(prefix, str(index)))
        return
    if not isinstance(params, dict):
        return
    for name, value in params.items():
        param = param_path(prefix, name)
        if name == "metadata":
            _check_metadata(value, param)
            continue
        if name in PARAMETER_CHECKS and value not in ("", None):
            PARAMETER_CHECKS[name](value, param)
        check_limits(value, param)
    _check_interval_count(params, prefix)


def check_prices_compatible(prices: Sequence[Object], param: str) -> None:
    """Refuse prices that cannot be on the same subscription."""
    if len(prices) > MAX_SUBSCRIPTION_ITEMS:
        raise invalid_request(f"You may only specify up to {MAX_SUBSCRIPTION_ITEMS} items.", param)
    ids = [price["id"] for price in prices]
    if len(set(ids)) < len(ids):
        text = "Cannot add multiple subscription items with the same plan"
        raise invalid_request(f"{text}: {ids[0]}", param)
    cycles = {(p["recurring"]["interval"], p["recurring"]["interval_count"]) for p in prices}
    if len(cycles) > 1 or len({price["currency"] for price in prices}) > 1:
        raise invalid_request(
            "All prices on a subscription must have the same interval and currency."
        )


def check_trial_end(moment: int, end: int, param: str = "trial_end") -> None:
    """Refuse a trial end that is in the past or more than two years ahead."""
    if end <= moment:
        raise invalid_request("`trial_end` must be in the future.", param)
    if end > moment + MAX_TRIAL_DAYS * DAY_S:
        text = "Invalid trial_end: the trial can be at most two years long."
        raise invalid_request(text, param)


def _check_interval_count(params: Object, prefix: str) -> None:
    interval, count = params.get("interval"), params.get("interval_count")
    if (
        interval in MAX_INTERVAL_COUNT
        and isinstance(count, int)
        and count > MAX_INTERVAL_COUNT[interval]
    ):
        text = f"Invalid interval_count: the longest is {MAX_INTERVAL_COUNT[interval]} {interval}s."
        raise invalid_request(text, param_path(prefix, "interval_count"))


def _integer_range_check(least: int, most: int, text: str) -> Callable[[Any, str], None]:
    def checked(value: Any, param: str) -> None:
        if isinstance(value, int) and not least <= value <= most:
            raise _invalid_integer(f"{text}: {value}", param)

    return checked


def _invalid_integer(text: str, param: str) -> ApiError:
    return invalid_request(text, param, "parameter_invalid_integer")


def _check_email(value: Any, param: str) -> None:
    if isinstance(value, str) and (len(value) > 512 or not EMAIL.fullmatch(value)):
        raise invalid_request(f"Invalid email address: {value}", param, "email_invalid")


def _check_currency(value: Any, param: str) -> None:
    if isinstance(value, str) and value.upper() not in _known_currencies():
        raise invalid_request(f"Invalid currency: {value}", param)


@cache
def _known_currencies() -> frozenset[str]:
    return frozenset(list_currencies())


def _check_metadata(value: Any, param: str) -> None:
    if not isinstance(value, dict):
        return
    if len(value) > MAX_METADATA_KEYS:
        raise invalid_request(f"Metadata can have up to {MAX_METADATA_KEYS} keys.", param)
    for key, text in value.items():
        if len(key) > MAX_METADATA_KEY_CHARS:
            raise invalid_request(
                f"Metadata keys must be {MAX_METADATA_KEY_CHARS} characters or less.", param
            )
        if isinstance(text, str) and len(text) > MAX_METADATA_VALUE_CHARS:
            raise invalid_request(
                f"Metadata values can have up to {MAX_METADATA_VALUE_CHARS} characters.", param
            )


PARAMETER_CHECKS: dict[str, Callable[[Any, str], None]] = {
    "currency": _check_currency,
    "email": _check_email,
    "customer_email": _check_email,
    "interval_count": _integer_range_check(1, 1095, "Invalid interval_count"),
    "quantity": _integer_range_check(0, MAX_QUANTITY, "Invalid non-negative integer"),
    "trial_period_days": _integer_range_check(0, MAX_TRIAL_DAYS, "Invalid trial_period_days"),
    "unit_amount": _integer_range_check(0, MAX_AMOUNT_CENTS, "Invalid non-negative integer"),
}
