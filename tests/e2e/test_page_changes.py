"""Going from one sample, collection or project to another, before the server has answered."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e import people
from tests.e2e.conftest import Outbox
from tests.e2e.late_answers import LateAnswers
from tests.e2e.page_monitor import PageMonitor
from tests.e2e.test_projects import create, upload


@pytest.fixture
def errors(late: LateAnswers, page: Page, outbox: Outbox) -> Iterator[list[str]]:
    """A new user is signed in, and `late` can hold back answers; any error fails the test."""
    found: list[str] = []
    PageMonitor(page, found.append)
    people.sign_in(page, people.sign_up(page, outbox))
    yield found
    assert found == []


def go_to(page: Page, name: str) -> None:
    """Open a page by the links at the top."""
    page.get_by_role("navigation", name="Main").get_by_role("link", name=name).click()


def expect_own_page(late: LateAnswers, link: Locator, content: str, url: str) -> None:
    """Follow a link; expect nothing of the former page at the new URL, then the new page."""
    page = link.page
    link.wait_for()  # the list it is in must not be held back
    late.hold()
    link.click()
    expect(page).to_have_url(re.compile(url))
    late.wait()
    expect(page.get_by_test_id(content)).to_have_count(0)
    late.release()
    expect(page.get_by_test_id(content)).to_be_visible()


def test_a_sample_shows_nothing_of_the_one_before(
    late: LateAnswers, page: Page, errors: list[str], tmp_path: Path
) -> None:
    upload(page, tmp_path, "Clap", "Kick")
    page.get_by_role("link", name="Open Clap").click()
    expect(page.get_by_test_id("sample-name")).to_have_value("Clap")
    go_to(page, "Library")
    link = page.get_by_role("link", name="Open Kick")
    expect_own_page(late, link, "sample-page", "/samples/")
    expect(page.get_by_test_id("sample-name")).to_have_value("Kick")


def test_a_collection_shows_nothing_of_the_one_before(
    late: LateAnswers, page: Page, errors: list[str]
) -> None:
    origin = "/".join(page.url.split("/")[:3])
    for name in ("Drums", "Hands"):
        answer = page.request.post(
            "/api/collections", data={"name": name}, headers={"Origin": origin}
        )
        assert answer.status == 201, answer.text()
    go_to(page, "Collections")
    page.get_by_role("link", name="Drums").click()
    expect(page.get_by_test_id("collection-name")).to_have_value("Drums")
    go_to(page, "Collections")
    link = page.get_by_test_id("collection").get_by_role("link", name="Hands")
    expect_own_page(late, link, "collection-page", "/collections/")
    expect(page.get_by_test_id("collection-name")).to_have_value("Hands")


def test_a_project_shows_nothing_of_the_one_before(
    late: LateAnswers, page: Page, errors: list[str]
) -> None:
    create(page, "Night bus")
    create(page, "Day train")
    go_to(page, "Projects")
    page.get_by_test_id("project").get_by_role("link", name="Night bus").click()
    expect(page.get_by_test_id("pad-page")).to_be_visible()
    go_to(page, "Projects")
    link = page.get_by_test_id("project").get_by_role("link", name="Day train")
    expect_own_page(late, link, "pad-page", "/projects/")
