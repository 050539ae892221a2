"""HTML elements as strings that are escaped already.

Every child and attribute is escaped unless it is `Html`, which only this module makes from text
that it wrote itself. So a name can never become markup.
"""

import json
from html import escape
from typing import Any, Final

VOID: Final = frozenset({"br", "hr", "img", "input", "link", "meta"})


class Html(str):
    """Text that is HTML already."""

    __slots__ = ()


Child = Html | str | int | float | None


def element(tag: str, /, *children: Child, **attributes: Any) -> Html:
    """Return an element. `class_` and `for_` lose their "_", other "_" become "-".

    An attribute of None or False is left out, one of True has no value.
    """
    start = f"<{tag}{''.join(_attribute(each, it) for each, it in attributes.items())}>"
    if tag in VOID:
        return Html(start)
    return Html(f"{start}{join(*children)}</{tag}>")


def join(*children: Child) -> Html:
    """Return children one after the other; text is escaped, None is left out."""
    return Html("".join(_text(child) for child in children))


def data_script(identifier: str, value: object) -> Html:
    """Return a script element with JSON, which a browser does not run.

    "<" is written as an escape, so that no value can end the element.
    """
    text = json.dumps(value, ensure_ascii=True, allow_nan=False).replace("<", "\\u003c")
    return Html(f'<script type="application/json" id="{escape(identifier)}">{text}</script>')


def style(text: str) -> Html:
    """Return a style element with rules of ours."""
    return Html(f"<style>{text.replace('</', '')}</style>")


def inline_script(text: str) -> Html:
    """Return a script of ours, which the page's policy must allow by its hash."""
    return Html(f"<script>{text}</script>")


def _text(child: Child) -> str:
    if child is None:
        return ""
    return child if isinstance(child, Html) else escape(str(child))


def _attribute(name: str, value: object) -> str:
    if value is None or value is False:
        return ""
    shown = name.removesuffix("_").replace("_", "-")
    return f" {shown}" if value is True else f' {shown}="{escape(str(value))}"'
