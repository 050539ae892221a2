"""Ids of the elements of a page."""

from collections import Counter
from collections.abc import Iterator

import pytest
import reflex as rx

from sp404_app.pages.page import Page
from sp404_app.pages.routes import all_pages


def list_ids(component: rx.Component) -> Iterator[str]:
    """Yield the ids of a component and of all that it contains, shown or not."""
    found = getattr(component, "id", None)
    if found is not None:
        yield str(found)
    for child in component.children:
        if isinstance(child, rx.Component):
            yield from list_ids(child)


@pytest.mark.parametrize("page", all_pages(), ids=lambda page: page.route)
def test_no_two_elements_of_a_page_have_the_same_id(page: Page) -> None:
    # Reflex reads a form by the ids of its fields, of which the page's last one wins.
    counts = Counter(list_ids(page.component()))
    assert [name for name, count in counts.items() if count > 1] == []
