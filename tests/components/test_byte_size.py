"""Sizes read the same whether the server or the browser writes them."""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, sync_playwright

from sp404_app import components
from sp404_app.services.infra.byte_size import GB, KB, format_size
from sp404_app.settings import MB
from tests.browsers import launch_chromium

SOURCE = Path(components.__file__).parent / "byte_size.js"


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    with sync_playwright() as playwright:
        browser = launch_chromium(playwright)
        yield browser.new_page()
        browser.close()


def test_server_and_browser_write_the_same_sizes(page: Page) -> None:
    edges = [0, 1, KB, MB // 10, MB, GB, 5 * GB, 100 * MB, GB - MB // 20, GB - MB // 21, 12345678]
    counts = [near for edge in edges for near in (max(0, edge - 1), edge, edge + 1)]
    draw = random.Random(404)  # noqa: S311 - test data
    counts += [int(2 ** draw.uniform(0, 42)) for _ in range(3000)]
    script = SOURCE.read_text().replace("export function", "function")
    written = page.evaluate(f"counts => {{ {script}\nreturn counts.map(formatSize); }}", counts)
    differ = [
        (count, told, format_size(count))
        for count, told in zip(counts, written, strict=True)
        if told != format_size(count)
    ]
    assert differ == []
