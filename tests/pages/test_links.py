"""Links of the pages: to pages of the application, or to what the server answers itself."""

import re
from collections.abc import Iterator

import pytest
import reflex as rx
from reflex_base.vars.base import LiteralVar, Var
from reflex_components_core.react_router.dom import ReactRouterLink

from sp404_app.pages.page import Page
from sp404_app.pages.routes import all_pages

# The start of an expression like `("/api/exports/"+id)`.
STARTS_WITH_SERVER_PATH = re.compile(r'^["`(]*/(api|auth|s|media)/')


def list_links(component: rx.Component) -> Iterator[ReactRouterLink]:
    """Yield the links in a component, shown or not."""
    if isinstance(component, ReactRouterLink):
        yield component
    for child in component.children:
        if isinstance(child, rx.Component):
            yield from list_links(child)


def page_at(route: str) -> Page:
    return next(page for page in all_pages() if page.route == route)


def is_page(path: str) -> bool:
    """Return whether the router has a page for a path."""
    patterns = (re.sub(r"\[[a-z_]+\]", "[^/]+", page.route) for page in all_pages())
    return any(re.fullmatch(pattern, re.split("[?#]", path)[0]) for pattern in patterns)


def is_left_to_server(target: Var) -> bool:
    if isinstance(target, LiteralVar):
        path = str(target._var_value)
        return path.startswith("/") and not is_page(path)
    return STARTS_WITH_SERVER_PATH.match(str(target)) is not None


@pytest.mark.parametrize("page", all_pages(), ids=lambda page: page.route)
def test_a_link_to_no_page_is_followed_by_the_browser(page: Page) -> None:
    wrong = [
        str(link.to)
        for link in list_links(page.component())
        if is_left_to_server(link.to) and link.reload_document is None
    ]
    assert wrong == []


def test_links_of_all_kinds_are_seen() -> None:
    landing = [str(link.to) for link in list_links(page_at("/").component())]
    assert {'"/login"', '"/terms"', '"/api/docs"'} <= set(landing)
    collection = list_links(page_at("/collections/[collection_id]").component())
    assert [link for link in collection if is_left_to_server(link.to)]
