"""What an operation of the API is: where it answers, what it takes, what it does."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from stripe_emulator.errors import invalid
from stripe_emulator.objects import Object, listing
from stripe_emulator.transaction import Ledger

PAGING = "limit starting_after ending_before"


@dataclass(frozen=True, slots=True)
class Call:
    """One request: identifiers from its address, and its parameters."""

    ids: tuple[str, ...]
    params: dict[str, Any]

    @property
    def id(self) -> str:
        """The identifier in the address."""
        return self.ids[0]


@dataclass(frozen=True, slots=True)
class Operation:
    """An address with its method; `supports` names the parameters that do something here."""

    method: str
    path: str
    params: type
    run: Callable[[Ledger, Call], Object]
    supports: str = ""
    pattern: re.Pattern[str] = field(init=False)

    def __post_init__(self) -> None:
        expression = re.sub(r"\{[a-z]+\}", r"([^/]+)", self.path)
        object.__setattr__(self, "pattern", re.compile(expression))

    def check(self, params: dict[str, Any]) -> None:
        """Refuse what Stripe knows and this emulator does not, instead of ignoring it."""
        only(params, f"expand {self.supports}")


def only(params: dict[str, Any], names: str, prefix: str = "") -> None:
    """Refuse a parameter of Stripe's that does nothing here."""
    for name in params:
        if name not in names.split():
            param = f"{prefix}[{name}]" if prefix else name
            text = f"This emulator of Stripe does not implement the parameter {param}."
            raise invalid(text, param, "emulator_not_implemented")


def page(found: list[Object], call: Call, url: str) -> Object:
    """Return one page of what was found, newest first (docs.stripe.com/api/pagination)."""
    limit = call.params.get("limit", 10)
    if not 1 <= limit <= 100:
        raise invalid("Invalid limit: must be between 1 and 100.", "limit")
    after, before = call.params.get("starting_after"), call.params.get("ending_before")
    if after and before:
        raise invalid("You cannot use both starting_after and ending_before.", "starting_after")
    ids = [item["id"] for item in found]
    if before:
        end = place(ids, before, "ending_before")
        start = max(0, end - limit)
        return listing(found[start:end], url, has_more=start > 0)
    start = place(ids, after, "starting_after") + 1 if after else 0
    return listing(found[start : start + limit], url, has_more=start + limit < len(found))


def place(ids: list[str], cursor: str, param: str) -> int:
    """Return where a cursor is."""
    if cursor not in ids:
        raise invalid(f"No such object: '{cursor}'", param, "resource_missing")
    return ids.index(cursor)


def within(moment: int, bounds: Any) -> bool:
    """Whether a moment is exactly, or within, what a list asks for."""
    if not isinstance(bounds, dict):
        return moment == bounds
    tests = {
        "gt": lambda bound: moment > bound,
        "gte": lambda bound: moment >= bound,
        "lt": lambda bound: moment < bound,
        "lte": lambda bound: moment <= bound,
    }
    return all(tests[name](bound) for name, bound in bounds.items())


def matching(found: list[Object], call: Call, *names: str) -> list[Object]:
    """Keep the objects whose fields are as the parameters of those names say."""
    for name in names:
        if name in call.params:
            wanted = call.params[name]
            found = [item for item in found if item.get(name) == wanted]
    if "created" in call.params:
        found = [item for item in found if within(item["created"], call.params["created"])]
    return found
