"""The legal pages."""

from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from sp404_app.api.routes.legal_pages import render_legal_page
from sp404_app.settings import settings

ADDRESSES = ("/terms", "/privacy", "/contact")


@pytest.mark.parametrize("address", ADDRESSES)
def test_the_pages_exist_and_link_to_each_other(api: TestClient, address: str) -> None:
    answer = api.get(address)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert "<h1>" in answer.text
    assert all(f'href="{other}"' in answer.text for other in ADDRESSES)
    assert answer.text.count("<script") == 1  # the theme's, in the head
    assert "<script" not in answer.text.partition("<body>")[2]


def test_an_operators_own_texts_replace_the_defaults(
    api: TestClient, environment: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "contact.md").write_text("# Ada's Beats Ltd\n\n12 Tape Street")
    environment.setenv("SP404_PAGES_DIR", str(tmp_path))
    settings.cache_clear()
    assert "12 Tape Street" in api.get("/contact").text
    assert "<h1>Terms</h1>" in api.get("/terms").text


def test_html_and_script_links_in_a_text_are_escaped() -> None:
    page = render_legal_page(
        "terms", "<script>x()</script> [a](javascript:x) <img src=x onerror=y> **bold**"
    )
    assert "<script" not in page.partition("<body>")[2]
    assert "<img" not in page
    assert 'href="javascript' not in page
    assert "<strong>bold</strong>" in page
