"""The description of a page, from which the composition root adds it to the application."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import reflex as rx


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A page: its URL pattern, component, title, and the handlers that run when it opens."""

    route: str
    component: Callable[[], rx.Component]
    title: str
    on_load: Sequence[Any] = ()
