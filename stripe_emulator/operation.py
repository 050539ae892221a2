"""API operations: route, parameter types, supported parameters; pagination and filters of lists."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from stripe_emulator.errors import invalid_request
from stripe_emulator.objects import Object, list_object
from stripe_emulator.transaction import Transaction

PAGING = "limit starting_after ending_before"


@dataclass(frozen=True, slots=True)
class Call:
    """One request: ids from the path, and the parsed parameters."""

    ids: tuple[str, ...]
    params: dict[str, Any]

    @property
    def id(self) -> str:
        """The first id in the path."""
        return self.ids[0]


@dataclass(frozen=True, slots=True)
class Operation:
    """One method and path of the API; `supports` lists the parameters that are implemented."""

    method: str
    path: str
    params: type
    run: Callable[[Transaction, Call], Object]
    supports: str = ""
    pattern: re.Pattern[str] = field(init=False)

    def __post_init__(self) -> None:
        expression = re.sub(r"\{[a-z]+\}", r"([^/]+)", self.path)
        object.__setattr__(self, "pattern", re.compile(expression))

    def check(self, params: dict[str, Any]) -> None:
        """Refuse parameters that Stripe knows but the emulator does not implement."""
        reject_unsupported(params, f"expand {self.supports}")


def reject_unsupported(params: dict[str, Any], names: str, prefix: str = "") -> None:
    """Refuse every parameter that is not in `names`, a space-separated list."""
    for name in params:
        if name not in names.split():
            param = f"{prefix}[{name}]" if prefix else name
            text = f"This Stripe emulator does not implement the parameter {param}."
            raise invalid_request(text, param, "emulator_not_implemented")


def paginate(found: list[Object], call: Call, url: str) -> Object:
    """Return one page of the objects, newest first (docs.stripe.com/api/pagination)."""
    limit = call.params.get("limit", 10)
    if not 1 <= limit <= 100:
        raise invalid_request("Invalid limit: must be between 1 and 100.", "limit")
    after, before = call.params.get("starting_after"), call.params.get("ending_before")
    if after and before:
        raise invalid_request(
            "You cannot use both starting_after and ending_before.", "starting_after"
        )
    ids = [item["id"] for item in found]
    if before:
        end = cursor_index(ids, before, "ending_before")
        start = max(0, end - limit)
        return list_object(found[start:end], url, has_more=start > 0)
    start = cursor_index(ids, after, "starting_after") + 1 if after else 0
    return list_object(found[start : start + limit], url, has_more=start + limit < len(found))


def cursor_index(ids: list[str], cursor: str, param: str) -> int:
    """Return the index of a pagination cursor."""
    if cursor not in ids:
        raise invalid_request(f"No such object: '{cursor}'", param, "resource_missing")
    return ids.index(cursor)


def matches_range(moment: int, bounds: Any) -> bool:
    """Return whether a time equals `bounds`, or satisfies its `gt`, `gte`, `lt` and `lte`."""
    if not isinstance(bounds, dict):
        return moment == bounds
    tests = {
        "gt": lambda bound: moment > bound,
        "gte": lambda bound: moment >= bound,
        "lt": lambda bound: moment < bound,
        "lte": lambda bound: moment <= bound,
    }
    return all(tests[name](bound) for name, bound in bounds.items())


def filter_by_params(found: list[Object], call: Call, *names: str) -> list[Object]:
    """Return the objects whose fields equal the request's parameters of the same names.

    `created` is always applied, also as a range.
    """
    for name in names:
        if name in call.params:
            wanted = call.params[name]
            found = [item for item in found if item.get(name) == wanted]
    if "created" in call.params:
        found = [item for item in found if matches_range(item["created"], call.params["created"])]
    return found
