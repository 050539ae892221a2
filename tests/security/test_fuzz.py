"""Event handlers refuse hostile arguments with a message and never raise an unexpected error.

Bounded here; `make fuzz` sends many more, with a new seed each time.
"""

import inspect
import os
import random
import string
import time
from pathlib import Path
from typing import Any

import pytest
from reflex_base.registry import RegisteredEventHandler

from sp404_app.settings import Settings
from tests.accounts import cookie
from tests.security import world
from tests.security.events import FORM, addresses, arguments
from tests.security.machine import machine, ours

ROUNDS = int(os.environ.get("SP404_FUZZ_ROUNDS", "4"))
SEED = int(os.environ.get("SP404_FUZZ_SEED", "404" if ROUNDS < 10 else str(time.time_ns())))
HOSTILE: list[Any] = [
    *(None, True, False, 0, -1, 1, 2**31, 2**63, 10**400, -(10**400), 0.1, -0.0),
    *(float("inf"), float("-inf"), float("nan"), 1e308),
    *("", " ", "\0", "a\0b", "\ud800", "🥁" * 300, "x" * 70_000, "../../etc/passwd", "%s%n{0}"),
    *("'; drop table users; --", "<script>alert(1)</script>", "1e999", "-1", "NaN", "١٢٣", "0x10"),
    *("delete", "delete_for_good", "rate-9", "rate-", "rate-nan", "favourite", "tag", "all"),
    *([], [[]], [None], {}, {"a": {"b": [1]}}, {"\0": "\0"}, ["x"] * 1000),
]
STATES = sorted({name.partition(".")[0] for name in ours()})

pytestmark = pytest.mark.timeout(180 + ROUNDS * 60)


def hostile(dice: random.Random, ids: list[str]) -> Any:
    """Return a value that a handler does not expect."""
    kind = dice.random()
    if kind < 0.15:
        return dice.choice(ids)
    if kind < 0.3:
        return "".join(dice.choices(string.printable + "é漢\u202e", k=dice.randint(0, 60)))
    if kind < 0.45:
        return {name: dice.choice(HOSTILE) for name in dice.sample(list(FORM), 3)}
    return dice.choice(HOSTILE)


def attack(
    dice: random.Random, found: RegisteredEventHandler, ids: dict[str, str]
) -> dict[str, Any]:
    """Make arguments, some of them valid and some hostile."""
    good = arguments(found, ids)
    parameters = list(inspect.signature(found.handler.fn).parameters.values())[1:]
    return {
        each.name: good[each.name]
        if dice.random() < 0.25
        else (
            good["form"] | hostile_form(dice)
            if each.name == "form" and dice.random() < 0.5
            else hostile(dice, list(ids.values()))
        )
        for each in parameters
        if each.default is inspect.Parameter.empty or dice.random() < 0.8
    }


def hostile_form(dice: random.Random) -> dict[str, Any]:
    return {name: dice.choice(HOSTILE) for name in FORM if dice.random() < 0.4}


@pytest.mark.parametrize("state", STATES)
async def test_no_handler_raises_an_unexpected_error(
    state: str, services: Settings, tmp_path: Path
) -> None:
    dice = random.Random(f"{SEED}{state}")  # noqa: S311 - not for secrets
    broken: list[str] = []
    who = world.person(tmp_path)
    async with machine() as run:
        for name, found in ours().items():
            if not name.startswith(f"{state}."):
                continue
            if state == "OwnDataState":
                who = world.person(tmp_path)  # an earlier handler may have deleted the account
            mine = cookie(who.who.id)
            event = f"{found.states[0].get_full_name()}.{name.partition('.')[2]}"
            for _ in range(ROUNDS if inspect.signature(found.handler.fn).parameters else 1):
                payload = attack(dice, found, who.ids)
                address = dice.choice(
                    [*addresses(who.ids), "/samples/x", "/samples/\0", "//", "/?q=%00"]
                )
                outcome = await run.send(event, payload, cookie=mine, address=address)
                broken += [
                    ascii(f"{name}{str(payload)[:300]} at {address}: {error!r}")[:700]
                    for error in outcome.mistakes
                ]
    assert not broken, f"seed {SEED}:\n" + "\n".join(broken)
