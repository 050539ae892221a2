"""Back, Forward and reload: what was chosen is a step of the browser's history."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.e2e import people
from tests.e2e.people import Visitor

DEMO_USER = Visitor("demo@example.com", "sixteen pads")


@pytest.fixture
def demo(page: Page) -> Page:
    people.sign_in(page, DEMO_USER)
    expect(page.get_by_test_id("name").first).to_be_visible()
    return page


def choose(page: Page, room: str, address: str) -> None:
    page.get_by_test_id(f"room-{room}").click()
    expect(page).to_have_url(re.compile(f"{re.escape(address)}$"))


def expect_room(page: Page, room: str, address: str) -> None:
    expect(page).to_have_url(re.compile(f"{re.escape(address)}$"))
    expect(page.get_by_test_id(f"room-{room}")).to_have_attribute("aria-pressed", "true")


def test_back_and_forward_step_through_rooms_filters_and_orders(demo: Page) -> None:
    everything = demo.get_by_test_id("total").inner_text()
    choose(demo, "loops", "/library?kind=loop")
    loops = demo.get_by_test_id("total")
    expect(loops).not_to_have_text(everything)
    count = loops.inner_text()
    choose(demo, "one_shots", "/library?kind=one_shot")
    demo.get_by_role("button", name="Length", exact=True).click()
    expect(demo).to_have_url(re.compile(r"kind=one_shot&sort=duration$"))
    demo.go_back()
    expect_room(demo, "one_shots", "/library?kind=one_shot")
    demo.go_back()
    expect_room(demo, "loops", "/library?kind=loop")
    expect(loops).to_have_text(count)
    demo.reload()
    expect_room(demo, "loops", "/library?kind=loop")
    demo.go_back()
    expect_room(demo, "all", "/library")
    expect(loops).to_have_text(everything)
    demo.go_forward()
    expect_room(demo, "loops", "/library?kind=loop")
    expect(loops).to_have_text(count)
    choose(demo, "favourites", "/library?favourite=1")
    demo.go_back()
    expect_room(demo, "loops", "/library?kind=loop")
    demo.locator(".rail").get_by_role("button", name=re.compile("^drums")).click()
    expect(demo).to_have_url(re.compile(r"kind=loop&tags=drums$"))
    demo.go_back()
    expect_room(demo, "loops", "/library?kind=loop")


def test_typing_replaces_the_address_and_back_empties_the_field(demo: Page) -> None:
    choose(demo, "one_shots", "/library?kind=one_shot")
    steps = demo.evaluate("history.length")
    demo.get_by_test_id("search").press_sequentially("kick", delay=60)
    expect(demo).to_have_url(re.compile("q=kick"))
    assert demo.evaluate("history.length") == steps
    choose(demo, "loops", "/library?kind=loop")
    expect(demo.get_by_test_id("search")).to_have_value("")
    demo.go_back()
    expect(demo).to_have_url(re.compile("q=kick&kind=one_shot$"))
    expect(demo.get_by_test_id("search")).to_have_value("kick")
    demo.go_back()
    expect_room(demo, "all", "/library")
    expect(demo.get_by_test_id("search")).to_have_value("")


def test_each_step_keeps_its_place(demo: Page) -> None:
    demo.set_viewport_size({"width": 1440, "height": 500})
    table = demo.get_by_test_id("table")
    table.focus()
    for _ in range(9):
        demo.keyboard.press("ArrowDown")
    name = demo.locator(".at-cursor [data-testid=name]").inner_text()
    top = table.evaluate("e => e.scrollTop")
    assert top > 0
    choose(demo, "one_shots", "/library?kind=one_shot")
    assert table.evaluate("e => e.scrollTop") == 0
    demo.go_back()
    expect_room(demo, "all", "/library")
    expect(demo.locator(".at-cursor [data-testid=name]")).to_have_text(name)
    assert table.evaluate("e => e.scrollTop") == top


def test_filters_on_the_map_are_steps_and_outlast_a_reload(demo: Page) -> None:
    demo.goto("/map")
    expect(demo.get_by_test_id("map-canvas")).to_be_visible()
    choose(demo, "loops", "/map?kind=loop")
    choose(demo, "one_shots", "/map?kind=one_shot")
    demo.reload()
    expect_room(demo, "one_shots", "/map?kind=one_shot")
    demo.go_back()
    expect_room(demo, "loops", "/map?kind=loop")
    demo.go_back()
    expect_room(demo, "all", "/map")


@pytest.mark.parametrize("name", ["projects", "collections"])
def test_the_trash_is_a_step(demo: Page, name: str) -> None:
    demo.goto(f"/{name}")
    in_use, trash = demo.get_by_test_id("view-in-use"), demo.get_by_test_id("view-trash")
    expect(demo.locator("[data-loaded=true]")).to_be_attached()  # what loads shows what is in use
    trash.click()
    expect(demo).to_have_url(re.compile(rf"/{name}\?view=trash$"))
    demo.go_back()
    expect(in_use).to_have_attribute("aria-pressed", "true")
    expect(demo).to_have_url(re.compile(f"/{name}$"))
    demo.go_forward()
    expect(trash).to_have_attribute("aria-pressed", "true")
    demo.get_by_role("navigation").first.get_by_role("link", name="Library").click()
    expect(demo.get_by_test_id("name").first).to_be_visible()
    demo.get_by_role("navigation").first.get_by_role("link", name=name.title()).click()
    expect(in_use).to_have_attribute("aria-pressed", "true")
    expect(demo).to_have_url(re.compile(f"/{name}$"))
