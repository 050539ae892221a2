"""The defaults of all states, which each new tab receives."""

from reflex.state import State
from reflex_base.utils.format import json_dumps

import sp404_app.sp404_app  # noqa: F401 - it imports all states

MAX_BYTES = 24_000


def test_a_new_tab_receives_little() -> None:
    values = State(_reflex_internal_init=True).dict(initial=True)
    sizes = {name: len(json_dumps(each)) for name, each in values.items()}
    assert sum(sizes.values()) < MAX_BYTES, max(sizes, key=sizes.__getitem__)
