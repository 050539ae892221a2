"""What Stripe refuses of any request: numbers and texts out of bounds, prices that do not mix."""

import re
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

from babel.numbers import list_currencies

from stripe_emulator.errors import Problem, invalid
from stripe_emulator.objects import Object
from stripe_emulator.parameters import path

LARGEST_AMOUNT = 99_999_999
LARGEST_QUANTITY = 999_999
LONGEST_TRIAL, DAY = 730, 86_400  # days, and the seconds of one
LONGEST_CYCLE = {"day": 1095, "week": 156, "month": 36, "year": 3}
MOST_ITEMS = 20
MOST_KEYS, LONGEST_KEY, LONGEST_VALUE = 50, 40, 500
EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")


def check(params: Any, prefix: str = "") -> None:
    """Refuse values that no operation takes, wherever they are."""
    if isinstance(params, list):
        for index, item in enumerate(params):
            check(item, path(prefix, str(index)))
        return
    if not isinstance(params, dict):
        return
    for name, value in params.items():
        param = path(prefix, name)
        if name == "metadata":
            _metadata(value, param)
            continue
        if name in CHECKS and value not in ("", None):
            CHECKS[name](value, param)
        check(value, param)
    _cycle(params, prefix)


def mixable(prices: Sequence[Object], param: str) -> None:
    """Refuse prices that one subscription cannot have together."""
    if len(prices) > MOST_ITEMS:
        raise invalid(f"You may only specify up to {MOST_ITEMS} items.", param)
    ids = [price["id"] for price in prices]
    if len(set(ids)) < len(ids):
        text = "Cannot add multiple subscription items with the same plan"
        raise invalid(f"{text}: {ids[0]}", param)
    cycles = {(p["recurring"]["interval"], p["recurring"]["interval_count"]) for p in prices}
    if len(cycles) > 1 or len({price["currency"] for price in prices}) > 1:
        raise invalid("All prices on a subscription must have the same interval and currency.")


def trial_end(moment: int, end: int, param: str = "trial_end") -> None:
    """Refuse an end of a trial that is past, or more than two years ahead."""
    if end <= moment:
        raise invalid("`trial_end` must be in the future.", param)
    if end > moment + LONGEST_TRIAL * DAY:
        text = "Invalid trial_end: the trial can be at most two years long."
        raise invalid(text, param)


def _cycle(params: Object, prefix: str) -> None:
    interval, count = params.get("interval"), params.get("interval_count")
    if interval in LONGEST_CYCLE and isinstance(count, int) and count > LONGEST_CYCLE[interval]:
        text = f"Invalid interval_count: the longest is {LONGEST_CYCLE[interval]} {interval}s."
        raise invalid(text, path(prefix, "interval_count"))


def _between(least: int, most: int, text: str) -> Callable[[Any, str], None]:
    def checked(value: Any, param: str) -> None:
        if isinstance(value, int) and not least <= value <= most:
            raise _integer(f"{text}: {value}", param)

    return checked


def _integer(text: str, param: str) -> Problem:
    return invalid(text, param, "parameter_invalid_integer")


def _email(value: Any, param: str) -> None:
    if isinstance(value, str) and (len(value) > 512 or not EMAIL.fullmatch(value)):
        raise invalid(f"Invalid email address: {value}", param, "email_invalid")


def _currency(value: Any, param: str) -> None:
    if isinstance(value, str) and value.upper() not in _currencies():
        raise invalid(f"Invalid currency: {value}", param)


@cache
def _currencies() -> frozenset[str]:
    return frozenset(list_currencies())


def _metadata(value: Any, param: str) -> None:
    if not isinstance(value, dict):
        return
    if len(value) > MOST_KEYS:
        raise invalid(f"Metadata can have up to {MOST_KEYS} keys.", param)
    for key, text in value.items():
        if len(key) > LONGEST_KEY:
            raise invalid(f"Metadata keys must be {LONGEST_KEY} characters or less.", param)
        if isinstance(text, str) and len(text) > LONGEST_VALUE:
            raise invalid(f"Metadata values can have up to {LONGEST_VALUE} characters.", param)


CHECKS: dict[str, Callable[[Any, str], None]] = {
    "currency": _currency,
    "email": _email,
    "customer_email": _email,
    "interval_count": _between(1, 1095, "Invalid interval_count"),
    "quantity": _between(0, LARGEST_QUANTITY, "Invalid non-negative integer"),
    "trial_period_days": _between(0, LONGEST_TRIAL, "Invalid trial_period_days"),
    "unit_amount": _between(0, LARGEST_AMOUNT, "Invalid non-negative integer"),
}
