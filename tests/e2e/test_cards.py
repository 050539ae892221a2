"""Exports, writing to a card, reading a card, and the check of a project, in a browser."""

import hashlib
import io
import re
import zipfile
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Page, Route, expect

from tests.e2e.card_page import EXPORT_TIMEOUT_MS, Card, drop, make_export
from tests.e2e.pad_page import PadPage, PadUser
from tests.services.cards.cards import mk2_project

SOUNDS = ("Velvet Kick", "Paper Snare", "Tight Hat")
READ_TIMEOUT_MS = 90_000


@pytest.fixture
def card(page: Page) -> Card:
    return Card(page)


@pytest.fixture
def pads(card: Card, pad_user: PadUser, page: Page, pad_errors: list[str]) -> PadPage:
    """The pad page of a new project with three sounds; any error of the page fails the test."""
    kit = PadPage.create(pad_user, page, SOUNDS)
    kit.expect_ready("A1", "A2", "A3")
    return kit


def download(page: Page) -> bytes:
    """Download the archive of the open export dialog."""
    with page.expect_download() as started:
        page.get_by_test_id("download-export").click()
    return Path(started.value.path()).read_bytes()


def shut(page: Page) -> None:
    page.get_by_test_id("close-export").click()
    expect(page.get_by_test_id("export-dialog")).to_have_count(0)


def test_the_check_before_an_export_leads_to_the_pads(pads: PadPage) -> None:
    page = pads.page
    page.keyboard.press("Shift+E")
    expect(page.get_by_test_id("export-pads")).to_have_text("3 pads")
    page.get_by_test_id("check-changes").click()
    page.get_by_test_id("check-pad").first.click()
    expect(page.get_by_test_id("export-dialog")).to_have_count(0)
    expect(pads.pad("A1")).to_have_class(re.compile("chosen"))


def test_a_project_of_the_list_is_exported(pads: PadPage) -> None:
    page = pads.page
    page.goto("/projects")
    page.get_by_test_id("project-menu").first.click()
    page.get_by_test_id("menu-export").click()
    expect(page.get_by_test_id("export-pads")).to_have_text("3 pads")
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_test_id("export-dialog")).to_have_count(0)


def test_an_export_can_be_cancelled_and_something_else_be_chosen(pads: PadPage) -> None:
    page = pads.page
    page.get_by_test_id("open-export").click()
    page.get_by_test_id("export-mk2").click()
    page.get_by_test_id("export-place").select_option("export")
    page.get_by_test_id("export-slot").select_option("3")
    expect(page.get_by_test_id("export-check")).to_be_visible()
    page.get_by_test_id("start-export").click()
    cancel, done = page.get_by_test_id("cancel-export"), page.get_by_test_id("download-export")
    expect(cancel.or_(done).first).to_be_visible()
    if cancel.is_visible():
        page.get_by_test_id("cancel-export").click()
        expect(page.get_by_test_id("start-export").or_(done)).to_be_visible()
    if page.get_by_test_id("start-export").is_visible():
        page.get_by_test_id("start-export").click()
    expect(done).to_be_visible(timeout=EXPORT_TIMEOUT_MS)
    names = zipfile.ZipFile(io.BytesIO(download(page))).namelist()
    assert "EXPORT/PROJECT/PROJECT_03/PADCONF.BIN" in names
    page.get_by_test_id("export-again").click()
    expect(page.get_by_test_id("start-export")).to_be_enabled()


def test_all_three_downloads_hold_the_pads_and_the_mk2_one_comes_back(pads: PadPage) -> None:
    page = pads.page
    archives = {}
    for kind in ("import", "sx", "mk2"):
        manifest = make_export(page, kind)
        said = page.get_by_test_id("export-sha256").inner_text()
        data = download(page)
        assert hashlib.sha256(data).hexdigest() == said
        archives[kind] = zipfile.ZipFile(io.BytesIO(data))
        found = {name: archives[kind].read(name) for name in archives[kind].namelist()}
        assert {name: hashlib.sha256(each).hexdigest() for name, each in found.items()} == manifest
        shut(page)
    pack = archives["import"].namelist()
    assert len(pack) == 3
    assert all(name.startswith("IMPORT/Night shift/A/") for name in pack)
    assert "ROLAND/SP-404SX/SMPL/A0000001.WAV" in archives["sx"].namelist()
    for number, name in enumerate(sorted(pack), 1):
        wanted = pads.render(f"A{number}")
        smp = archives["mk2"].read(f"IMPORT/PROJECT_01/SMPL/BANK1-{number:02}.SMP")
        for data, kind, start in ((archives["import"].read(name), "<i2", 44), (smp, ">i2", 512)):
            pcm = np.frombuffer(data[start:], kind)
            assert np.array_equal(
                np.repeat(pcm, 2) if pcm.size == len(wanted) else pcm, wanted.reshape(-1)
            )
    config = archives["mk2"].read("IMPORT/PROJECT_01/PADCONF.BIN")
    assert read_again(page, archives["mk2"]) == config


def read_again(page: Page, archive: zipfile.ZipFile) -> bytes:
    """Read an archive into a new project, export it again; return its PADCONF.BIN."""
    assert archive.fp
    archive.fp.seek(0)
    page.goto("/projects")
    page.get_by_test_id("read-zip-file").set_input_files(
        {"name": "Night.zip", "mimeType": "application/zip", "buffer": archive.fp.read()}
    )
    expect(page.get_by_test_id("card-read")).to_be_visible(timeout=READ_TIMEOUT_MS)
    page.get_by_test_id("open-read-project").click()
    expect(page.get_by_test_id("pad-page")).to_be_visible()
    make_export(page, "mk2")
    again = zipfile.ZipFile(io.BytesIO(download(page)))
    return again.read("IMPORT/PROJECT_01/PADCONF.BIN")


def test_an_export_is_written_to_a_card_and_verified(pads: PadPage, card: Card) -> None:
    page = pads.page
    card.put("IMPORT/mine.wav", b"mine")
    before = card.files()
    manifest = make_export(page, "import")
    page.get_by_test_id("choose-card").click()
    expect(page.get_by_test_id("changes-add")).to_contain_text("3")
    page.get_by_test_id("write-card").click()
    expect(page.get_by_test_id("card-correct")).to_be_visible(timeout=EXPORT_TIMEOUT_MS)
    expect(page.locator(".card-name")).not_to_contain_text("Empty")
    assert card.files() == {**manifest, **before}
    card.take_out()
    expect(page.get_by_test_id("card-out")).to_be_visible()
    card.put_in()
    expect(page.get_by_test_id("card-verified")).to_be_visible()


def test_a_foreign_file_needs_a_choice_and_is_backed_up(pads: PadPage, card: Card) -> None:
    page = pads.page
    manifest = make_export(page, "import")
    first, second, _ = sorted(manifest)
    card.put(first, b"not ours")
    card.put(second, b"not ours either")
    page.get_by_test_id("choose-card").click()
    expect(page.get_by_test_id("write-card")).to_be_disabled()
    page.get_by_test_id("keep-all").click()
    expect(page.get_by_test_id("write-card")).to_be_enabled()
    page.get_by_test_id("replace-all").click()
    page.get_by_test_id("conflict-keep").last.click()
    card.cancel_backup(True)
    page.get_by_test_id("back-up-card").click()
    expect(page.get_by_test_id("card-notice")).to_contain_text("nothing was written")
    expect(page.get_by_test_id("write-card")).to_have_count(0)
    card.cancel_backup(False)
    page.get_by_test_id("back-up-card").click()
    expect(page.get_by_test_id("backup")).to_contain_text("read back and compared")
    backup = zipfile.ZipFile(io.BytesIO(card.backup()))
    assert backup.testzip() is None
    assert {name: backup.read(name) for name in backup.namelist()} == {first: b"not ours"}
    page.get_by_test_id("write-card").click()
    expect(page.get_by_test_id("card-correct")).to_contain_text("1 file of the card kept")
    kept = hashlib.sha256(b"not ours either").hexdigest()
    assert card.files() == {**manifest, second: kept}
    page.get_by_test_id("verify-card").click()
    expect(page.get_by_test_id("not-out")).to_be_visible()
    expect(page.get_by_test_id("card-verified")).to_have_count(0)


def test_a_card_that_is_pulled_is_named_and_goes_on(pads: PadPage, card: Card) -> None:
    page = pads.page
    manifest = make_export(page, "mk2")
    card.fail_at(2, "NotFoundError", is_out=True)
    page.get_by_test_id("choose-card").click()
    page.get_by_test_id("write-card").click()
    expect(page.get_by_test_id("card-pulled")).to_contain_text("1 of")
    card.put_in()
    page.get_by_test_id("go-on").click()
    expect(page.get_by_test_id("card-correct")).to_be_visible(timeout=EXPORT_TIMEOUT_MS)
    assert card.files() == manifest


def test_a_write_goes_on_after_a_crash(pads: PadPage, card: Card) -> None:
    page = pads.page
    manifest = make_export(page, "import")
    page.get_by_test_id("choose-card").click()
    card.fail_at(3, "QuotaExceededError")
    page.get_by_test_id("write-card").click()
    expect(page.get_by_test_id("card-failed")).to_contain_text("The card is full.")
    last = max(manifest)
    card.put(last, b"")  # what a crash leaves behind
    card.put(f"{last}.crswap", b"half")
    pads.open()
    page.get_by_test_id("open-export").click()
    expect(page.get_by_test_id("resumable")).to_contain_text("2 of 3 files")
    page.get_by_test_id("resume-card").click()
    expect(page.get_by_test_id("card-correct")).to_be_visible(timeout=EXPORT_TIMEOUT_MS)
    assert card.files() == manifest


def write_card(page: Page, kind: str) -> dict[str, str]:
    """Export the project of the open pad page and write it to the card."""
    manifest = make_export(page, kind)
    page.get_by_test_id("choose-card").click()
    page.get_by_test_id("write-card").click()
    expect(page.get_by_test_id("card-correct")).to_be_visible(timeout=EXPORT_TIMEOUT_MS)
    return manifest


def test_another_project_is_replaced_or_kept_as_a_whole(pads: PadPage, card: Card) -> None:
    page = pads.page
    manifest = make_export(page, "mk2")
    config, sound = "IMPORT/PROJECT_01/PADCONF.BIN", "IMPORT/PROJECT_01/SMPL/BANK1-01.SMP"
    card.put(config, b"settings of somebody else")
    card.put(sound, b"sound of somebody else")
    before = card.files()
    page.get_by_test_id("choose-card").click()
    expect(page.get_by_test_id("changes-conflict")).to_contain_text("Project on the card")
    expect(page.get_by_test_id("conflict-keep")).to_have_count(1)
    page.get_by_test_id("conflict-keep").click()
    expect(page.get_by_test_id("project-kept")).to_be_visible()
    expect(page.get_by_test_id("write-card")).to_be_disabled()
    page.get_by_test_id("conflict-replace").click()
    page.get_by_test_id("back-up-card").click()
    expect(page.get_by_test_id("backup")).to_be_visible()
    assert card.files() == before
    backup = zipfile.ZipFile(io.BytesIO(card.backup()))
    assert sorted(backup.namelist()) == [config, sound]
    page.get_by_test_id("write-card").click()
    expect(page.get_by_test_id("card-correct")).to_be_visible(timeout=EXPORT_TIMEOUT_MS)
    assert card.files() == manifest


def test_a_changed_project_replaces_only_what_changed(pads: PadPage, card: Card) -> None:
    page = pads.page
    before = write_card(page, "mk2")
    shut(page)
    pads.change("A1", name="Deep kick")
    manifest = make_export(page, "mk2")
    config = "IMPORT/PROJECT_01/PADCONF.BIN"
    assert {path for path in before if before[path] != manifest.get(path)} == {config}
    page.get_by_test_id("choose-card").click()
    expect(page.get_by_test_id("changes-replace")).to_contain_text("PADCONF.BIN")
    expect(page.get_by_test_id("changes-conflict")).to_have_count(0)
    page.get_by_test_id("back-up-card").click()
    expect(page.get_by_test_id("backup")).to_be_visible()
    old = zipfile.ZipFile(io.BytesIO(card.backup())).read(config)
    assert hashlib.sha256(old).hexdigest() == before[config]
    page.get_by_test_id("write-card").click()
    expect(page.get_by_test_id("card-correct")).to_be_visible(timeout=EXPORT_TIMEOUT_MS)
    assert card.files() == manifest


def test_refused_access_is_asked_for_again(pads: PadPage, card: Card) -> None:
    page = pads.page
    manifest = write_card(page, "import")
    pads.open()
    card.set_permission("denied")
    page.get_by_test_id("open-export").click()
    expect(page.get_by_test_id("resumable")).to_contain_text("not checked")
    page.get_by_test_id("resume-card").click()
    expect(page.get_by_test_id("card-refused")).to_contain_text("may not use this card")
    card.set_permission("granted")
    page.get_by_test_id("allow-card").click()
    expect(page.get_by_test_id("not-out")).to_be_visible()
    card.take_out()
    expect(page.get_by_test_id("card-out")).to_be_visible()
    card.put_in()
    expect(page.get_by_test_id("card-verified")).to_contain_text(f"{len(manifest)} files")


def test_a_write_protected_card_and_a_changed_file_are_named(pads: PadPage, card: Card) -> None:
    page = pads.page
    manifest = make_export(page, "import")
    first = min(manifest)
    card.fail_at(1, "NoModificationAllowedError")
    page.get_by_test_id("choose-card").click()
    page.get_by_test_id("write-card").click()
    expect(page.get_by_test_id("card-failed")).to_contain_text("write-protected")
    assert card.files() == {}
    card.put_in()
    page.get_by_test_id("other-card").click()
    expect(page.get_by_test_id("changes-add")).to_contain_text("3")
    card.put(first, b"recorded meanwhile")
    before = card.files()
    page.get_by_test_id("write-card").click()
    expect(page.get_by_test_id("card-failed")).to_contain_text("changed on the card since it was")
    assert card.files() == before
    page.get_by_test_id("go-on").click()
    expect(page.get_by_test_id("changes-conflict")).to_be_visible()


def test_a_folder_that_is_no_card_says_why(pads: PadPage, card: Card) -> None:
    page = pads.page
    card.put("Holidays/beach.jpg", b"sand")
    make_export(page, "import")
    page.get_by_test_id("choose-card").click()
    expect(page.get_by_test_id("wrong-card")).to_contain_text("“Holidays”")
    page.get_by_test_id("use-anyway").click()
    expect(page.get_by_test_id("changes-add")).to_be_visible()
    page.get_by_test_id("other-card").click()
    expect(page.get_by_test_id("wrong-card")).to_be_visible()


def test_a_card_is_read_into_projects(pads: PadPage, card: Card) -> None:
    page = pads.page
    write_card(page, "mk2")
    page.goto("/projects")
    page.get_by_test_id("read-card").click()
    expect(page.get_by_test_id("card-project")).to_be_checked()
    page.get_by_test_id("card-project").uncheck()
    expect(page.get_by_test_id("take-card")).to_be_disabled()
    page.get_by_test_id("card-project").check()
    page.get_by_test_id("take-card").click()
    expect(page.get_by_test_id("card-read")).to_contain_text("1 project", timeout=READ_TIMEOUT_MS)
    page.get_by_test_id("open-read-project").click()
    expect(pads.name("A1")).to_have_text("Velvet Kick")


def test_a_folder_without_a_project_is_named(pads: PadPage, card: Card, page: Page) -> None:
    card.put("Kick.wav", b"RIFF")
    page.goto("/projects")
    page.get_by_test_id("read-card").click()
    expect(page.get_by_test_id("no-card")).to_be_visible()
    page.get_by_test_id("close-reader").click()
    expect(page.get_by_test_id("card-reader")).to_have_count(0)


def test_a_dropped_project_is_offered_on_every_page(pads: PadPage, tmp_path: Path) -> None:
    page = pads.page
    make_export(page, "mk2")
    archive = tmp_path / "Night.zip"
    archive.write_bytes(download(page))
    zipfile.ZipFile(archive).extractall(tmp_path / "card")
    page.goto("/library")
    expect(page.get_by_test_id("sample-row").first).to_be_visible()
    drop(page, tmp_path / "card" / "IMPORT")
    expect(page.get_by_test_id("card-project")).to_be_checked()
    expect(page.get_by_test_id("add-as-sounds")).to_be_visible()
    page.get_by_test_id("hide-reader").click()
    expect(page.get_by_test_id("card-reader")).to_have_count(0)
    drop(page, archive)
    page.get_by_test_id("take-zip").click()
    expect(page.get_by_test_id("card-read")).to_contain_text("1 project", timeout=READ_TIMEOUT_MS)
    page.get_by_test_id("close-reader").click()
    expect(page.get_by_test_id("card-reader")).to_have_count(0)


def folder_of_project(page: Page, folder: Path) -> Path:
    """Export the project of the pad page for the MKII; return its IMPORT folder, unpacked."""
    make_export(page, "mk2")
    zipfile.ZipFile(io.BytesIO(download(page))).extractall(folder)
    return folder / "IMPORT"


def test_a_dropped_project_can_be_added_as_sounds_only(pads: PadPage, tmp_path: Path) -> None:
    page = pads.page
    for path, data in mk2_project("BKUP/01", seed=7).items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(data)
    projects = page.request.get("/api/projects").json()
    page.goto("/library")
    expect(page.get_by_test_id("sample-row").first).to_be_visible()
    drop(page, tmp_path / "BKUP")
    page.get_by_test_id("add-as-sounds").click()
    expect(page.get_by_test_id("card-reader")).to_have_count(0)
    uploads = page.get_by_test_id("uploads")
    for name in ("BANK1-01.SMP", "BANK1-02.SMP", "BANK2-02.SMP"):
        expect(uploads.locator("[data-state=done]", has_text=name)).to_have_count(1)
    for name in ("PADCONF.BIN", "PTN00001.BIN", "PATTERNCHAIN_00.CHN", "startup_1.bmp"):
        expect(uploads.locator("[data-state=refused]", has_text=name)).to_have_count(1)
    assert page.request.get("/api/projects").json() == projects


def test_without_the_picker_a_folder_is_chosen_as_files(pads: PadPage, tmp_path: Path) -> None:
    page = pads.page
    folder = folder_of_project(page, tmp_path)
    page.add_init_script("delete window.showDirectoryPicker")
    page.goto("/projects")
    with page.expect_file_chooser() as chooser:
        page.get_by_test_id("read-card").click()
    chooser.value.set_files(folder)
    expect(page.get_by_test_id("card-project")).to_be_checked()
    page.get_by_test_id("take-card").click()
    expect(page.get_by_test_id("card-read")).to_contain_text("1 project", timeout=READ_TIMEOUT_MS)


def test_a_card_is_read_while_other_pages_are_opened(pads: PadPage, card: Card) -> None:
    page = pads.page
    write_card(page, "mk2")
    held: list[Route] = []
    page.goto("/projects")

    def hold(route: Route) -> None:
        held.append(route)

    page.route("**/api/imports/*/finish", hold)
    page.get_by_test_id("read-card").click()
    with page.expect_request("**/api/imports/*/finish"):
        page.get_by_test_id("take-card").click()
    expect(page.get_by_test_id("card-progress")).to_be_visible()
    page.get_by_test_id("hide-reader").click()
    expect(page.get_by_test_id("card-reader")).to_have_count(0)
    page.get_by_role("link", name="Library", exact=True).click()
    expect(page.get_by_test_id("sample-row").first).to_be_visible()
    page.get_by_test_id("show-reader").click()
    expect(page.get_by_test_id("card-progress")).to_be_visible()
    page.get_by_test_id("hide-reader").click()
    held[0].continue_()
    expect(page.get_by_test_id("card-read")).to_contain_text("1 project", timeout=READ_TIMEOUT_MS)
    page.get_by_test_id("open-read-project").click()
    expect(pads.name("A1")).to_have_text("Velvet Kick")


def test_all_problems_of_a_kind_are_mended_by_one_click(pads: PadPage) -> None:
    page = pads.page
    pads.change("A1", name="Grosse caisse feutrée ♥")
    pads.change("A2", name="Caisse claire très forte ♥")
    page.get_by_test_id("open-check").click()
    expect(page.get_by_test_id("check-summary")).to_have_text("2 problems")
    page.get_by_test_id("fix-all").click()
    expect(page.get_by_test_id("check-summary")).to_have_text("Everything is fine.")
    page.get_by_test_id("undo-fix").click()
    expect(page.get_by_test_id("check-summary")).to_have_text("2 problems")


def test_a_check_mends_by_a_click_and_can_be_undone(pads: PadPage) -> None:
    page = pads.page
    pads.change("A2", name="Caisse claire très forte ♥")
    page.get_by_test_id("open-check").click()
    expect(page.get_by_test_id("check-summary")).to_have_text("1 problem")
    page.get_by_test_id("fix").first.click()
    expect(page.get_by_test_id("check-summary")).to_have_text("Everything is fine.")
    page.get_by_test_id("undo-fix").click()
    expect(page.get_by_test_id("check-summary")).to_have_text("1 problem")
    page.get_by_test_id("problem-pad").first.click()
    expect(pads.pad("A2")).to_have_class(re.compile("chosen"))
    page.keyboard.press("Shift+K")
    expect(page.get_by_test_id("check-dialog")).to_be_visible()
    page.get_by_test_id("close-check").click()
    expect(page.get_by_test_id("check-dialog")).to_have_count(0)


def test_a_browser_without_access_to_cards_is_told(
    pad_user: PadUser, page: Page, pad_errors: list[str]
) -> None:
    page.add_init_script("delete window.showDirectoryPicker")
    PadPage.create(pad_user, page, SOUNDS[:1])
    make_export(page, "import")
    expect(page.get_by_test_id("no-card-access")).to_be_visible()
