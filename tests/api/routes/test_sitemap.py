"""The sitemap."""

import re

import pytest
from fastapi.testclient import TestClient

from sp404_app.api.app import api
from sp404_app.pages.routes import all_pages
from sp404_app.settings import Settings, settings


def test_the_sitemap_lists_public_pages_under_the_public_address(
    services: Settings, environment: pytest.MonkeyPatch
) -> None:
    environment.setenv("SP404_PUBLIC_URL", "https://sounds.example/")
    settings.cache_clear()
    client = TestClient(api)
    answer = client.get("/sitemap.xml")
    assert answer.headers["content-type"] == "application/xml"
    addresses = re.findall("<loc>([^<]*)</loc>", answer.text)
    assert "https://sounds.example/" in addresses
    assert "https://sounds.example/library" not in addresses
    pages = {page.route for page in all_pages()}
    for address in addresses:
        path = address.removeprefix("https://sounds.example")
        assert path in pages or client.get(path).status_code == 200
