"""The project list, and the ways from the library and the sample page onto pads."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e import people
from tests.e2e.conftest import Outbox
from tests.e2e.page_monitor import PageMonitor
from tests.e2e.test_library import ANALYSIS_TIMEOUT_MS
from tests.sounds import tone, write

PROJECT_URL = re.compile(r"/projects/[0-9a-f-]{36}$")


@pytest.fixture
def errors(page: Page, outbox: Outbox) -> Iterator[list[str]]:
    """A new user is signed in; any error on the page fails the test."""
    found: list[str] = []
    PageMonitor(page, found.append)
    people.sign_in(page, people.sign_up(page, outbox))
    yield found
    assert found == []


def upload(page: Page, folder: Path, *names: str) -> None:
    files = [write(folder / f"{n}.wav", tone(300 + 40 * i)) for i, n in enumerate(names)]
    page.get_by_test_id("choose-files").set_input_files(files)
    expect(page.get_by_test_id("name")).to_have_count(len(names))
    expect(page.locator(".pulse")).to_have_count(0, timeout=ANALYSIS_TIMEOUT_MS)


def create(page: Page, name: str, device: str = "mk2", **fields: object) -> str:
    """Create a project by the API; return its id."""
    origin = "/".join(page.url.split("/")[:3])
    body = {"name": name, "device": device, **fields}
    answer = page.request.post("/api/projects", data=body, headers={"Origin": origin})
    assert answer.status == 201, answer.text()
    return str(answer.json()["project"]["id"])


def cards(page: Page) -> Locator:
    return page.get_by_test_id("project")


def choose(page: Page, project: str, action: str) -> None:
    """Choose an action of the menu of a project."""
    cards(page).filter(has_text=project).first.get_by_test_id("project-menu").click()
    page.get_by_test_id(f"menu-{action}").click()


def test_a_project_is_made_renamed_duplicated_and_converted(page: Page, errors: list[str]) -> None:
    page.get_by_role("link", name="Projects").click()
    page.get_by_test_id("view-trash").click()
    expect(page).to_have_url(re.compile("view=trash"))
    expect(page.get_by_test_id("empty-trash")).to_be_visible()
    page.get_by_test_id("view-in-use").click()
    expect(page.get_by_test_id("no-projects")).to_contain_text("No projects yet")
    page.get_by_test_id("first-project").click()
    expect(page.get_by_test_id("new-project-dialog")).to_be_visible()
    page.reload()
    page.get_by_test_id("first-project").wait_for()
    expect(page.get_by_test_id("new-project-dialog")).to_have_count(0)
    page.get_by_test_id("first-project").click()
    page.get_by_test_id("new-project-dialog").get_by_label("Name").fill("Night set")
    page.get_by_label("Tempo in BPM").fill("9")
    page.get_by_test_id("create-project").click()
    expect(page.get_by_test_id("tempo-said")).to_contain_text("from 40 to 200")
    page.get_by_label("Tempo in BPM").fill("92,5")
    page.get_by_test_id("create-project").click()
    expect(page).to_have_url(PROJECT_URL)
    page.goto("/projects")
    expect(cards(page)).to_contain_text(["0 of 160 pads92.5 BPM"])

    choose(page, "Night set", "rename")
    page.get_by_test_id("rename").fill("Day set")
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("name")).to_have_text(["Day set"])
    choose(page, "Day set", "rename")
    page.get_by_test_id("rename").fill("Something else")
    page.get_by_role("heading", name="Projects").click()
    expect(page.get_by_test_id("name")).to_have_text(["Day set"])

    choose(page, "Day set", "duplicate")
    expect(page.get_by_test_id("name")).to_have_text(["Day set copy", "Day set"])
    choose(page, "Day set copy", "convert")
    expect(page.get_by_test_id("report")).to_contain_text("Everything fits.")
    page.keyboard.press("Escape")
    expect(page.get_by_test_id("report")).to_have_count(0)
    expect(cards(page).first).to_contain_text("0 of 120 pads")


def test_the_report_of_a_conversion_groups_what_does_not_fit(
    page: Page, errors: list[str], tmp_path: Path
) -> None:
    upload(page, tmp_path, "Kick")
    sample = page.get_by_test_id("sample-row").first.get_attribute("data-id")
    create(page, "Night set", sample_ids=[sample] * 18)
    page.goto("/projects")
    choose(page, "Night set", "convert")
    group = page.get_by_test_id("report-group")
    expect(group).to_contain_text("Left out, because the SP-404SX/A has 12 pads in a bank")
    expect(group).to_contain_text("A13, A14, A15, A16")
    page.get_by_test_id("open-converted").click()
    expect(page).to_have_url(PROJECT_URL)


def test_a_deleted_project_comes_back_by_undo_and_from_the_trash(
    page: Page, errors: list[str]
) -> None:
    create(page, "Night set")
    page.goto("/projects")
    choose(page, "Night set", "delete")
    expect(page.get_by_test_id("no-projects")).to_be_visible()
    page.get_by_test_id("undo").click()
    expect(page.get_by_test_id("name")).to_have_text(["Night set"])
    expect(page.get_by_test_id("notice")).to_have_count(0)

    choose(page, "Night set", "delete")
    page.get_by_test_id("view-trash").click()
    expect(page).to_have_url(re.compile("view=trash"))
    page.reload()
    expect(cards(page)).to_contain_text(["Permanently deleted in 30 days"])
    page.get_by_test_id("restore").click()
    expect(page.get_by_test_id("empty-trash")).to_be_visible()
    page.get_by_test_id("view-in-use").click()
    choose(page, "Night set", "delete")
    page.get_by_test_id("view-trash").click()
    page.get_by_test_id("delete-for-good").click()
    page.get_by_role("button", name="Cancel").click()
    page.get_by_test_id("delete-for-good").click()
    page.get_by_test_id("confirm-deletion").click()
    expect(page.get_by_test_id("notice")).to_contain_text("“Night set” permanently deleted.")
    expect(page.get_by_test_id("empty-trash")).to_be_visible()
    expect(page.locator("main")).to_be_focused()  # the button that opened the dialog is gone


def test_the_list_is_used_by_keyboard(page: Page, errors: list[str]) -> None:
    for name in ("C", "B", "A"):
        create(page, name)
    page.goto("/projects")
    names = page.get_by_test_id("name")
    expect(names).to_have_text(["A", "B", "C"])
    names.first.focus()
    page.keyboard.press("ArrowRight")
    expect(names.nth(1)).to_be_focused()
    page.keyboard.press("End")
    expect(names.nth(2)).to_be_focused()
    page.keyboard.press("F2")
    expect(page.get_by_test_id("rename")).to_be_focused()
    page.keyboard.press("Tab")
    expect(names).to_have_count(3)
    names.nth(1).focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("menuitem", name="Rename")).to_be_focused()
    page.keyboard.press("ArrowUp")
    expect(page.get_by_role("menuitem", name="Delete")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("menu")).to_have_count(0)
    names.first.focus()
    page.keyboard.press("Delete")
    expect(names).to_have_text(["B", "C"])
    expect(names.first).to_be_focused()
    page.keyboard.press("Enter")
    expect(page).to_have_url(PROJECT_URL)


def test_two_tabs_show_the_same_projects(page: Page, errors: list[str]) -> None:
    create(page, "Night set")
    page.goto("/projects")
    expect(page.get_by_test_id("name")).to_have_text(["Night set"])
    other = page.context.new_page()
    other.goto("/projects")
    choose(other, "Night set", "rename")
    other.get_by_test_id("rename").fill("Day set")
    other.keyboard.press("Enter")
    expect(page.get_by_test_id("name")).to_have_text(["Day set"])
    create(other, "From the API")
    for each in (page, other):
        expect(each.get_by_test_id("name")).to_have_text(["From the API", "Day set"])
    choose(page, "Day set", "delete")
    expect(other.get_by_test_id("name")).to_have_text(["From the API"])
    expect(other.get_by_test_id("view-trash")).to_have_text("Trash 1")


def test_a_selection_becomes_a_project_and_the_sample_page_shows_its_pads(
    page: Page, errors: list[str], tmp_path: Path
) -> None:
    upload(page, tmp_path, "Clap", "Kick", "Snare")
    page.get_by_test_id("sort-name").click()
    page.get_by_test_id("table").focus()
    page.keyboard.press("Control+a")
    page.get_by_test_id("bulk-more").click()
    page.get_by_test_id("bulk-project").click()
    expect(page.get_by_test_id("new-project-sounds")).to_have_text(
        "3 sounds, on the pads from A1 on."
    )
    page.get_by_test_id("new-project-dialog").get_by_label("Name").fill("Night set")
    page.get_by_test_id("create-project").click()
    expect(page).to_have_url(PROJECT_URL)
    project = page.request.get(f"/api/projects/{page.url.rpartition('/')[2]}").json()
    assert [pad["name"] for pad in project["pads"]] == ["Clap", "Kick", "Snare"]

    page.goto("/library")
    page.get_by_role("link", name="Open Kick").click()
    link = page.get_by_test_id("pad-link")
    expect(link).to_have_text(["A2Night set"])
    page.get_by_test_id("put-on-pad").click()
    page.get_by_test_id("choose-project").click()
    expect(page.get_by_test_id("notice")).to_contain_text("“Kick” put on pad A4 of “Night set”.")
    expect(link).to_have_text(["A2Night set", "A4Night set"])
    page.get_by_test_id("undo").click()
    expect(link).to_have_text(["A2Night set"])
    page.get_by_test_id("throw-away").click()
    notice = page.get_by_test_id("notice")
    expect(notice).to_contain_text(
        "It stays on pad A2 of Night set until it’s permanently deleted."
    )
    page.get_by_test_id("room-trash").click()
    expect(page.get_by_test_id("name")).to_have_text(["Kick"])
    page.get_by_test_id("table").focus()
    page.keyboard.press("Control+a")
    page.get_by_test_id("bulk-delete_for_good").click()
    question = page.get_by_test_id("deletion-question")
    expect(question).to_contain_text("It is on pad A2 of Night set. This pad will have no sound.")
    page.get_by_test_id("confirm-deletion").click()
    expect(page.get_by_test_id("name")).to_have_count(0)
    expect(notice).to_contain_text("1 sound permanently deleted.")


def test_sounds_go_on_pads_from_the_menu_of_a_row_by_key_and_from_a_tag(
    page: Page, errors: list[str], tmp_path: Path
) -> None:
    upload(page, tmp_path, "Clap", "Kick")
    create(page, "Night set")
    kick = page.get_by_test_id("sample-row").filter(has_text="Kick")
    kick.get_by_test_id("name").click(button="right")
    page.get_by_test_id("menu-pads").click()
    page.get_by_test_id("choose-project").click()
    notice = page.get_by_test_id("notice")
    expect(notice).to_contain_text("“Kick” put on pad A1 of “Night set”.")
    page.get_by_test_id("sample-row").filter(has_text="Clap").get_by_test_id("name").click()
    page.keyboard.press("p")
    expect(page.get_by_test_id("put-what")).to_have_text("“Clap” on the next free pads.")
    page.keyboard.press("Escape")
    expect(page.get_by_test_id("put-on-pads-dialog")).to_have_count(0)
    page.keyboard.press("p")
    page.get_by_test_id("choose-project").click()
    expect(notice).to_contain_text("“Clap” put on pad A2 of “Night set”.")

    page.get_by_test_id("search").fill("kick")
    expect(page.get_by_test_id("total")).to_have_text("1")
    page.get_by_test_id("project-from-results").click()
    expect(page.get_by_test_id("new-project-dialog").get_by_label("Name")).to_have_value("kick")
    page.get_by_test_id("create-project").click()
    expect(page).to_have_url(PROJECT_URL)


def test_what_does_not_fit_is_said_on_the_page_of_the_project(
    page: Page, errors: list[str], tmp_path: Path
) -> None:
    upload(page, tmp_path, "Kick")
    sample = page.get_by_test_id("sample-row").first.get_attribute("data-id")
    project = create(page, "Full", "sx", sample_ids=[sample] * 119)
    page.reload()
    page.get_by_test_id("row-menu").click()
    page.get_by_test_id("menu-pads").click()
    expect(page.get_by_test_id("choose-project")).to_contain_text("1 free pad")
    page.get_by_test_id("choose-project").click()
    page.get_by_test_id("notice-open").click()
    expect(page).to_have_url(re.compile(project))
    page.goto("/library")
    page.get_by_test_id("row-menu").click()
    page.get_by_test_id("menu-pads").click()
    expect(page.get_by_test_id("choose-project")).to_be_disabled()
