"""Bulk edits in the library: the dialog, its previews, progress, undo, and recent edits."""

import os
import re
import uuid
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, Locator, Page, expect
from sqlmodel import insert, select

from sp404_app.models import ProcessingJob, Sample, User
from sp404_app.models.columns import uuid7
from sp404_app.services.infra.text import sort_key
from sp404_app.services.library.samples import build_search_text
from tests.e2e import people
from tests.e2e.conftest import Outbox
from tests.e2e.page_monitor import PageMonitor
from tests.e2e.people import Visitor
from tests.product import Product, product_database
from tests.sounds import write

PICTURES = os.environ.get("BULK_PICTURES", "")  # a folder for screenshots
NAMES = (
    "KSHMR_Kick_04_(128)_Cm-FINAL2",
    "Dusty_Break_90bpm",
    "Velvet Kick 01",
    "Velvet Kick 02",
    "Paper Snare",
)


@pytest.fixture(scope="module")
def visitor(product: Product, browser: Browser, base_url: str) -> Visitor:
    """A user whose library has five sounds and three thousand others."""
    with browser.new_context(base_url=base_url) as context:
        context.set_default_timeout(15_000)
        return people.sign_up(context.new_page(), Outbox(product.home / "outbox"))


@pytest.fixture
def library(page: Page, visitor: Visitor, product: Product) -> Iterator[Page]:
    """The library of the visitor, with the same sounds at the start of each test."""
    errors: list[str] = []
    PageMonitor(page, errors.append)
    seed_sounds(product, visitor.email)
    people.sign_in(page, visitor)
    yield page
    assert errors == []


def seed_sounds(product: Product, email: str, others: int = 3000) -> None:
    with product_database(product) as session:
        user_id = session.exec(select(User.id).where(User.email == email)).one()
        # Workers lock jobs before samples.
        for table in (ProcessingJob.__table__, Sample.__table__):  # type: ignore[attr-defined]
            session.connection().execute(table.delete().where(table.c.user_id == user_id))
        rows = [
            sound(
                user_id,
                name,
                bpm=128.0 if "128" in name else 90.0 + n,
                tags=["dusty", "tape"] if n % 2 else ["dusty"],
            )
            for n, name in enumerate(NAMES)
        ]
        rows += [sound(user_id, f"Other {n}") for n in range(others)]
        session.connection().execute(insert(Sample), rows)


def sound(user_id: uuid.UUID, name: str, **values: object) -> dict[str, object]:
    tags = values.get("tags", [])
    return {
        "id": uuid7(),
        "user_id": user_id,
        "name": name,
        "filename": f"{name}.wav",
        "storage_key": uuid.uuid4().hex,
        "size": 100,
        "digest": uuid.uuid4().hex * 2,
        "format": "WAV 16-bit",
        "status": "ready",
        "search_text": build_search_text(name, tags, "", "", None),  # type: ignore[arg-type]
        "sort_key": sort_key(name),
        "bpm": None,
        "tags": [],
    } | values


def search(page: Page, text: str, count: int) -> None:
    page.get_by_test_id("search").fill(text)
    expect(page.get_by_test_id("total")).to_have_text(str(count))


def edit_selection(page: Page, text: str, count: int) -> Locator:
    """Select what a search finds, and open the dialog."""
    search(page, text, count)
    page.get_by_test_id("table").focus()
    page.keyboard.press("Control+a")
    page.get_by_test_id("bulk-edit").click()
    dialog = page.locator("dialog[data-testid=bulk-edit]")
    expect(dialog.get_by_test_id("bulk-what")).to_have_text(f"{count} sounds")
    return dialog


def select_all(page: Page) -> None:
    page.get_by_test_id("table").focus()
    page.keyboard.press("Control+a")
    expect(page.get_by_test_id("bulk")).to_be_visible()


def apply(page: Page, count: str) -> None:
    button = page.get_by_test_id("bulk-apply")
    expect(button).to_have_text(f"Apply to {count}")
    expect(button).to_be_enabled()
    button.click()


def notice(page: Page) -> Locator:
    return page.get_by_test_id("notice")


def names(page: Page) -> Locator:
    return page.get_by_test_id("name")


def take_picture(page: Page, name: str) -> None:
    """Take pictures in both widths and themes, if a folder for them is given."""
    if not PICTURES:
        return
    folder = Path(PICTURES)
    for width in (1440, 390):
        page.set_viewport_size({"width": width, "height": 900})
        for theme in ("dark", "light"):
            page.evaluate("t => document.querySelector('.frame').dataset.theme = t", theme)
            page.wait_for_timeout(200)
            page.screenshot(path=folder / f"{name}-{width}-{theme}.png")
    page.evaluate("document.querySelector('.frame').dataset.theme = 'dark'")
    page.set_viewport_size({"width": 1440, "height": 900})


def test_sounds_are_renamed_by_a_template_with_a_preview_and_undone(library: Page) -> None:
    search(library, "kick", 3)
    library.get_by_test_id("sort-name").click()
    dialog = edit_selection(library, "velvet", 2)
    dialog.get_by_test_id("bulk-tab-rename").click()
    dialog.get_by_test_id("bulk-template").fill("{nmae}")
    expect(dialog.get_by_test_id("bulk-problem")).to_contain_text("{nmae} is not a field")
    expect(dialog.get_by_test_id("bulk-apply")).to_be_disabled()
    dialog.get_by_test_id("bulk-template").fill("{n:03} {name} {bpm}")
    expect(dialog.get_by_test_id("bulk-names")).to_contain_text("→ 001 Velvet Kick 01 92")
    expect(dialog.get_by_test_id("bulk-summary")).to_have_text("2 names change.")
    take_picture(library, "rename")
    apply(library, "2 sounds")
    expect(notice(library)).to_contain_text("2 sounds changed.")
    expect(names(library)).to_have_text(["001 Velvet Kick 01 92", "002 Velvet Kick 02 93"])
    library.get_by_test_id("undo").click()
    expect(notice(library)).to_contain_text("2 sounds restored to what they were.")
    expect(names(library)).to_have_text(["Velvet Kick 01", "Velvet Kick 02"])


def test_mixed_values_are_shown_and_only_what_was_touched_is_changed(library: Page) -> None:
    dialog = edit_selection(library, "velvet", 2)
    expect(dialog.get_by_test_id("bulk-bpm")).to_have_attribute("placeholder", "Mixed")
    expect(dialog.locator("#bulk-key option").first).to_have_text("No key")
    expect(dialog.get_by_test_id("bulk-apply")).to_be_disabled()
    tags = dialog.get_by_test_id("bulk-common-tag")
    expect(tags).to_have_text(["dusty", "tape"])
    expect(tags.nth(1)).to_have_class(re.compile("some"))
    take_picture(library, "values")
    tags.nth(0).click()
    expect(tags.nth(0)).to_have_class(re.compile("removed"))
    tags.nth(1).click()
    expect(tags.nth(1)).to_have_class(re.compile("added"))
    dialog.get_by_test_id("bulk-bpm-double").click()
    expect(dialog.get_by_test_id("bulk-bpm-double")).to_have_attribute("aria-pressed", "true")
    dialog.get_by_test_id("bulk-bpm-half").click()
    dialog.get_by_test_id("bulk-bpm").fill("5")
    expect(dialog.get_by_test_id("bulk-problem")).to_contain_text("Enter a tempo from 20 to 999")
    dialog.get_by_test_id("bulk-bpm").fill("")
    dialog.get_by_test_id("bulk-bpm-double").click()
    dialog.get_by_test_id("bulk-key").select_option("F# minor")
    kind = dialog.get_by_test_id("bulk-kind")
    present = kind.locator("option").first.inner_text()
    assert kind.locator("option").all_inner_texts().count(present) == 1
    kind.select_option("loop")
    dialog.get_by_test_id("bulk-rating").select_option("4")
    dialog.get_by_test_id("bulk-sound_class").select_option("kick")
    dialog.get_by_test_id("bulk-favourite").select_option("on")
    dialog.get_by_test_id("bulk-note").fill("from the tape")
    dialog.get_by_test_id("bulk-add_tags").fill("new one, vinyl")
    take_picture(library, "values-touched")
    apply(library, "2 sounds")
    expect(notice(library)).to_contain_text("2 sounds changed.")
    expect(library.get_by_test_id("bpm")).to_have_text(["186", "184"])
    expect(library.locator(".row-tags").first).to_have_text("new onetapevinyl")
    again = edit_selection(library, "velvet", 2)
    expect(again.locator("#bulk-key option").first).to_have_text("F# minor")
    again.get_by_role("button", name="Cancel").click()
    expect(again).to_have_count(0)


def test_entered_values_stay_visible_over_the_tabs_and_notes_are_removed_by_a_choice(
    library: Page,
) -> None:
    dialog = edit_selection(library, "velvet", 2)
    dialog.get_by_test_id("bulk-key").select_option("D# major")
    dialog.get_by_test_id("bulk-note").fill("precious")
    dialog.get_by_test_id("bulk-add_tags").fill("shared")
    dialog.get_by_test_id("bulk-tab-normalise").click()
    dialog.get_by_test_id("bulk-to").select_option("lufs")
    dialog.get_by_test_id("bulk-tab-values").click()
    expect(dialog.get_by_test_id("bulk-key")).to_have_value("D# major")
    expect(dialog.get_by_test_id("bulk-note")).to_have_value("precious")
    expect(dialog.get_by_test_id("bulk-add_tags")).to_have_value("shared")
    dialog.get_by_test_id("bulk-tab-normalise").click()
    expect(dialog.get_by_test_id("bulk-to")).to_have_value("lufs")
    dialog.get_by_test_id("bulk-tab-values").click()
    apply(library, "2 sounds")
    expect(notice(library)).to_contain_text("2 sounds changed.")
    dialog = edit_selection(library, "velvet", 2)
    note = dialog.get_by_test_id("bulk-note")
    expect(note).to_have_attribute("placeholder", "precious")
    note.press_sequentially("x")
    note.press("Backspace")
    expect(dialog.get_by_test_id("bulk-apply")).to_be_disabled()
    note.fill("x")
    dialog.get_by_test_id("bulk-clear_note").click()
    expect(note).to_have_value("")
    expect(note).to_have_attribute("placeholder", "All notes will be removed")
    take_picture(library, "notes")
    apply(library, "2 sounds")
    expect(dialog).to_have_count(0)
    expect(library.get_by_test_id("bulk-progress")).to_have_count(0)
    dialog = edit_selection(library, "velvet", 2)
    expect(dialog.get_by_test_id("bulk-note")).to_have_attribute("placeholder", "No note")
    dialog.get_by_role("button", name="Cancel").click()


def test_text_and_patterns_are_replaced_in_names(library: Page) -> None:
    dialog = edit_selection(library, "velvet", 2)
    dialog.get_by_test_id("bulk-tab-replace").click()
    expect(dialog.get_by_test_id("bulk-apply")).to_be_disabled()
    dialog.get_by_test_id("bulk-find").fill(r"(\w+) Kick (\d+)")
    expect(dialog.get_by_test_id("bulk-summary")).to_have_text("No name changes.")
    for option in ("bulk-is_regex", "bulk-match_case"):
        dialog.get_by_test_id(option).click()  # the server checks it
        expect(dialog.get_by_test_id(option)).to_be_checked()
    dialog.get_by_test_id("bulk-replacement").fill(r"\2 \3")
    expect(dialog.get_by_test_id("bulk-problem")).to_have_text("The pattern has no group “3”.")
    dialog.get_by_test_id("bulk-replacement").fill(r"\2 \1")
    expect(dialog.get_by_test_id("bulk-names")).to_contain_text("→ 01 Velvet")
    take_picture(library, "replace")
    apply(library, "2 sounds")
    expect(names(library)).to_have_text(["02 Velvet", "01 Velvet"])


def test_suggestions_are_applied_only_where_they_are_ticked(library: Page) -> None:
    dialog = edit_selection(library, "-other", 5)
    dialog.get_by_test_id("bulk-tab-clean").click()
    accept = dialog.get_by_test_id("bulk-accept")
    expect(accept).to_have_count(2)
    expect(dialog.get_by_test_id("bulk-names")).to_contain_text("→ KSHMR Kick 04")
    dusty = dialog.locator("li", has_text="Dusty_Break")
    dusty.get_by_test_id("bulk-accept").click()
    expect(dusty.get_by_test_id("bulk-accept")).not_to_be_checked()
    take_picture(library, "clean")
    apply(library, "1 sound")
    expect(notice(library)).to_contain_text("1 sound changed.")
    search(library, "kshmr", 1)
    expect(names(library)).to_have_text([re.compile("^KSHMR Kick 04$")])
    search(library, "dusty break", 1)
    expect(names(library)).to_have_text(["Dusty_Break_90bpm"])


def test_a_whole_search_is_changed_with_progress_and_undone_from_the_list(library: Page) -> None:
    search(library, "other", 3000)
    library.get_by_test_id("edit-results").click()
    dialog = library.locator("dialog[data-testid=bulk-edit]")
    dialog.get_by_test_id("bulk-tab-rename").click()
    dialog.get_by_test_id("bulk-template").fill("Changed {n:04}")
    expect(dialog.get_by_test_id("bulk-summary")).to_contain_text(
        "Of the first 2,000: 2,000 names change"
    )
    apply(library, "3,000 sounds")
    expect(library.get_by_test_id("bulk-progress")).to_be_visible()
    take_picture(library, "progress")
    expect(notice(library)).to_contain_text("3,000 sounds changed.")
    expect(library.get_by_test_id("bulk-progress")).to_have_count(0)
    library.get_by_test_id("library-menu").click()
    library.get_by_test_id("open-bulk-edits").click()
    edits = library.get_by_test_id("bulk-edits").locator("li")
    expect(edits.first).to_contain_text("3,000 of 3,000 sounds changed")
    take_picture(library, "recent")
    edits.first.get_by_test_id("bulk-undo").click()
    expect(notice(library)).to_contain_text("3,000 sounds restored")
    search(library, "other", 3000)
    library.get_by_test_id("library-menu").click()
    library.get_by_test_id("open-bulk-edits").click()
    expect(edits.first).to_contain_text("undone")
    library.get_by_test_id("close-bulk-edits").click()
    expect(edits).to_have_count(0)


def test_an_edit_is_cancelled_and_what_it_did_is_undone(library: Page) -> None:
    search(library, "other", 3000)
    library.get_by_test_id("edit-results").click()
    dialog = library.locator("dialog[data-testid=bulk-edit]")
    dialog.get_by_test_id("bulk-rating").select_option("5")
    apply(library, "3,000 sounds")
    library.get_by_test_id("bulk-cancel").click()
    expect(notice(library)).to_contain_text(re.compile(r"Cancelled\.|3,000 sounds changed\."))


def test_a_whole_search_is_added_to_a_collection_with_progress_and_undone(library: Page) -> None:
    search(library, "other", 3000)
    library.get_by_test_id("table").focus()
    library.keyboard.press("Control+a")
    library.keyboard.press("c")
    library.get_by_test_id("picker-text").fill("Everything else")
    library.get_by_test_id("picker-new").click()
    expect(library.get_by_test_id("bulk-progress")).to_contain_text("Adding to “Everything else”")
    expect(notice(library)).to_contain_text("Added 3,000 sounds to “Everything else”.")
    library.get_by_test_id("undo").click()
    expect(notice(library)).to_contain_text("3,000 sounds removed from “Everything else” again.")


def test_a_whole_search_is_deleted_restored_and_both_are_undone(library: Page) -> None:
    total, said = library.get_by_test_id("total"), notice(library)
    search(library, "other", 3000)
    select_all(library)
    library.get_by_test_id("bulk-delete").click()
    expect(library.get_by_test_id("bulk-progress")).to_contain_text("Moving to the trash")
    expect(said).to_contain_text("3,000 sounds moved to the trash.")
    expect(total).to_have_text("0")
    library.get_by_test_id("undo").click()
    expect(said).to_contain_text("3,000 sounds restored to what they were.")
    expect(total).to_have_text("3000")
    select_all(library)
    library.get_by_test_id("bulk-delete").click()
    expect(said).to_contain_text("3,000 sounds moved to the trash.")
    library.get_by_test_id("room-trash").click()
    search(library, "other", 3000)
    select_all(library)
    take_picture(library, "trash")
    library.get_by_test_id("bulk-restore").click()
    expect(said).to_contain_text("3,000 sounds restored.")
    expect(total).to_have_text("0")
    library.get_by_test_id("undo").click()
    expect(said).to_contain_text("3,000 sounds moved to the trash again.")
    expect(total).to_have_text("3000")
    select_all(library)
    library.get_by_test_id("bulk-restore").click()
    expect(total).to_have_text("0")
    library.get_by_test_id("room-all").click()
    search(library, "other", 3000)


def test_favourites_of_a_selection_are_undone_exactly(library: Page) -> None:
    search(library, "velvet", 2)
    library.get_by_test_id("star").first.click()
    stars = library.locator("[data-testid=star][aria-pressed=true]")
    expect(stars).to_have_count(1)
    expect(library.locator(".toast")).to_have_count(0)
    select_all(library)
    library.get_by_test_id("bulk-favourite").dblclick()
    expect(notice(library)).to_contain_text("1 sound added to your favourites.")
    expect(stars).to_have_count(2)
    library.get_by_test_id("undo").click()
    expect(stars).to_have_count(1)
    expect(library.get_by_test_id("star").first).to_have_attribute("aria-pressed", "true")
    select_all(library)
    library.get_by_test_id("bulk-favourite").click()
    expect(stars).to_have_count(2)
    expect(library.get_by_test_id("bulk-favourite")).to_have_text("Unfavourite")
    library.get_by_test_id("bulk-favourite").click()
    expect(notice(library)).to_contain_text("2 sounds removed from your favourites.")
    expect(stars).to_have_count(0)


def test_the_restoration_of_a_few_sounds_is_undone(library: Page) -> None:
    search(library, "velvet", 2)
    select_all(library)
    library.get_by_test_id("bulk-delete").click()
    expect(notice(library)).to_contain_text("2 sounds moved to the trash")
    library.get_by_test_id("room-trash").click()
    expect(names(library)).to_have_count(2)
    expect(library.get_by_test_id("days-left")).to_have_text(["30 days", "30 days"])
    usual = library.viewport_size
    library.set_viewport_size({"width": 800, "height": 700})
    expect(library.get_by_test_id("days-left").first).to_be_visible()
    assert usual
    library.set_viewport_size(usual)
    select_all(library)
    library.get_by_test_id("bulk-restore").click()
    expect(notice(library)).to_contain_text("2 sounds restored.")
    expect(names(library)).to_have_count(0)
    library.get_by_test_id("undo").click()
    expect(names(library)).to_have_count(2)


def test_sounds_are_normalised_into_new_ones(library: Page, tmp_path: Path) -> None:
    noise = np.random.default_rng(5).uniform(-0.1, 0.1, 20_000).astype(np.float32)
    library.get_by_test_id("choose-files").set_input_files(write(tmp_path / "Quiet.wav", noise))
    search(library, "quiet", 1)
    expect(library.locator(".pulse")).to_have_count(0, timeout=90_000)
    library.get_by_test_id("edit-results").click()
    dialog = library.locator("dialog[data-testid=bulk-edit]")
    dialog.get_by_test_id("bulk-tab-normalise").click()
    dialog.get_by_test_id("bulk-to").select_option("lufs")
    expect(dialog.get_by_test_id("bulk-level")).to_have_value("-14")
    dialog.get_by_test_id("bulk-level").fill("9")
    expect(dialog.get_by_test_id("bulk-problem")).to_contain_text("from -60 to -5 LUFS")
    dialog.get_by_test_id("bulk-to").select_option("peak")
    take_picture(library, "normalise")
    apply(library, "1 sound")
    expect(notice(library)).to_contain_text("1 sound changed.", timeout=60_000)
    expect(names(library)).to_have_text(["Quiet normalised", "Quiet"])
