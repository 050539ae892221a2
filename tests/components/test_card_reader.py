"""Reading a card in a browser, with a server that the tests define."""

import hashlib
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.browsers import launch_chromium
from tests.components.card_page import CardServer

BACKUP = {
    "BKUP/01/PADCONF.BIN": "settings",
    "BKUP/01/SMPL/BANK1-01.SMP": "kick",
    "BKUP/01/SMPL/BANK1-02.SMP": "snare",
    "BKUP/02/padconf.bin": "settings",
    "BKUP/02/SMPL/BANK1-01.SMP": "hat",
    "BKUP/.DS_Store": "litter",
    "BKUP/holiday.jpg": "sand",
}
SETTINGS = ["BKUP/01/PADCONF.BIN", "BKUP/02/padconf.bin"]
SOUNDS = ["BKUP/01/SMPL/BANK1-01.SMP", "BKUP/01/SMPL/BANK1-02.SMP", "BKUP/02/SMPL/BANK1-01.SMP"]
STATE = "reader.getSnapshot()"


@pytest.fixture(scope="module")
def reader_browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = launch_chromium(playwright)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def server() -> Iterator[CardServer]:
    with CardServer("card_reader_harness.js") as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def page(reader_browser: Browser, server: CardServer) -> Iterator[Page]:
    with reader_browser.new_context() as context:
        page = context.new_page()
        problems: list[str] = []
        page.on("pageerror", lambda error: problems.append(str(error)))
        load(page, server)
        yield page
        assert problems == []


def load(page: Page, server: CardServer) -> None:
    page.goto(server.url)
    page.wait_for_function("window.isReady")


def open_tree(page: Page, files: dict[str, str] | None = None) -> dict[str, Any]:
    page.evaluate("files => openTree(files)", files or BACKUP)
    return page.evaluate(STATE)


def sent(page: Page) -> list[str]:
    return page.evaluate("fake.sent")


def test_only_settings_travel_before_the_person_chooses(page: Page) -> None:
    state = open_tree(page)
    assert state["phase"] == "found"
    assert [each["folder"] for each in state["plan"]["projects"]] == ["BKUP/01", "BKUP/02"]
    assert sorted(sent(page)) == SETTINGS


def test_only_what_the_projects_use_travels(page: Page) -> None:
    open_tree(page)
    page.evaluate("reader.take()")
    assert sorted(sent(page)) == sorted(SETTINGS + SOUNDS)
    state = page.evaluate(STATE)
    assert (state["phase"], state["result"]["samples"]) == ("done", 2)


def test_sounds_that_the_server_knows_do_not_travel(page: Page) -> None:
    open_tree(page)
    page.evaluate("known => { fake.known = known; }", SOUNDS[:2])
    page.evaluate("reader.take()")
    assert SOUNDS[0] not in sent(page)
    assert SOUNDS[2] in sent(page)


def test_sounds_that_no_pad_uses_are_listed_and_not_sent(page: Page) -> None:
    page.evaluate("unused => { fake.unused = unused; }", SOUNDS[1:])
    open_tree(page, {**BACKUP, "BKUP/01/SMPL/Snare.wav": "mine"})
    page.evaluate("reader.setChosen('BKUP/02', false)")
    page.evaluate("reader.take()")
    assert sorted(sent(page)) == sorted([*SETTINGS, SOUNDS[0]])
    unread = page.evaluate("fake.listed.filter(each => !each.sha256)")
    assert unread == [{"path": SOUNDS[1], "bytes": 5, "sha256": ""}]


def test_a_known_sound_of_an_earlier_visit_stays_listed(page: Page, server: CardServer) -> None:
    open_tree(page)
    kick = {"path": SOUNDS[0], "bytes": 4, "sha256": hashlib.sha256(b"kick").hexdigest()}
    page.evaluate("kick => fake.imports['import 1'].set(kick.path, kick)", kick)
    page.evaluate("keepServer()")
    load(page, server)
    page.evaluate("known => { fake.known = known; }", SOUNDS[:1])
    open_tree(page)
    page.evaluate("reader.take()")
    assert SOUNDS[0] not in [each["path"] for each in page.evaluate("fake.listed")]
    assert sorted(sent(page)) == SOUNDS[1:]


def test_only_chosen_projects_are_read(page: Page) -> None:
    open_tree(page)
    page.evaluate("reader.setChosen('BKUP/02', false)")
    page.evaluate("reader.take()")
    assert SOUNDS[2] not in sent(page)
    assert page.evaluate("fake.finished") == {"folders": ["BKUP/01"]}


def test_a_full_storage_is_said_in_numbers_before_a_sound_is_sent(page: Page) -> None:
    page.evaluate("fake.free = 3")
    state = open_tree(page)
    assert (state["plan"]["room"]["ok"], state["plan"]["room"]["message"]) == (False, "12 of 3")
    page.evaluate("reader.take()")
    assert page.evaluate(STATE)["phase"] == "found"
    assert sorted(sent(page)) == SETTINGS


def test_after_a_reload_the_same_folder_goes_on(page: Page, server: CardServer) -> None:
    open_tree(page)
    page.evaluate(
        "() => { fake.onPut = path => path.endsWith('02.SMP') && new Promise(() => {}); }"
    )
    page.evaluate("() => void reader.take()")
    page.wait_for_function("fake.sent.length === 4")
    page.evaluate("keepServer()")
    load(page, server)
    open_tree(page)
    assert sent(page) == []
    page.evaluate("reader.take()")
    assert sent(page) == [SOUNDS[1]]
    assert page.evaluate(STATE)["phase"] == "done"


def test_after_a_failed_job_only_what_the_server_lacks_is_sent(page: Page) -> None:
    open_tree(page)
    page.evaluate("() => { fake.job = { status: 'failed', error: 'No room.' }; }")
    page.evaluate("reader.take()")
    state = page.evaluate(STATE)
    assert (state["phase"], state["message"], state["canGoOn"]) == ("failed", "No room.", True)
    page.evaluate("() => { fake.sent = []; fake.job = null; reader.hide(); }")
    open_tree(page, {**BACKUP, SOUNDS[0]: "KICK"})
    page.evaluate("reader.take()")
    assert sent(page) == [SOUNDS[0]]
    assert page.evaluate(STATE)["phase"] == "done"


def test_a_folder_that_is_being_read_is_not_sent_again(page: Page) -> None:
    open_tree(page)
    page.evaluate("() => { fake.running = true; fake.sent = []; reader.reset(); }")
    assert open_tree(page)["phase"] == "done"
    assert sent(page) == []


def test_after_a_folder_was_read_it_is_read_anew(page: Page) -> None:
    open_tree(page)
    page.evaluate("reader.take()")
    page.evaluate("() => { fake.sent = []; reader.hide(); }")
    open_tree(page)
    assert sorted(sent(page)) == SETTINGS


def test_a_folder_of_a_phone_is_not_listed_but_a_project_with_its_name_is(page: Page) -> None:
    open_tree(page, {"CARD/Android/data.bin": "phone", "CARD/BKUP/Android/PADCONF.BIN": "settings"})
    assert page.evaluate("fake.names") == ["CARD/BKUP/Android/PADCONF.BIN"]
    page.evaluate("() => { fake.names = []; reader.reset(); }")
    open_tree(page, {"BKUP/Android/PADCONF.BIN": "settings"})
    assert page.evaluate("fake.names") == ["BKUP/Android/PADCONF.BIN"]


def test_what_changed_since_the_interruption_is_sent_again(page: Page, server: CardServer) -> None:
    open_tree(page)  # the settings are sent, and the dialog is closed
    page.evaluate("keepServer()")
    load(page, server)
    open_tree(page, {**BACKUP, SETTINGS[0]: "SETTINGS"})  # of the same size, as always
    assert sent(page) == [SETTINGS[0]]


def test_another_folder_does_not_go_on(page: Page, server: CardServer) -> None:
    open_tree(page)
    page.evaluate("keepServer()")
    load(page, server)
    open_tree(page, {**BACKUP, "BKUP/03/PADCONF.BIN": "new"})
    assert len(sent(page)) == 3


def test_a_lost_connection_is_tried_again(page: Page) -> None:
    open_tree(page)
    page.evaluate(
        """() => { let left = 2; fake.onPut = () => {
        if ((left -= 1) < 0) return;
        throw Object.assign(new Error("lost"), { name: "ApiError", status: 0, waitMs: 0 }); }; }"""
    )
    page.evaluate("reader.take()")
    assert sorted(sent(page)) == sorted(SETTINGS + SOUNDS)


def test_a_file_that_cannot_be_read_does_not_stop_the_others(page: Page) -> None:
    page.evaluate("broken => { card.broken = broken; }", SOUNDS[:1])
    page.evaluate("files => openCard(files)", BACKUP)
    page.evaluate("reader.take()")
    assert sorted(sent(page)) == sorted(SETTINGS + SOUNDS[1:])
    assert page.evaluate(STATE)["phase"] == "done"


def test_a_card_that_is_pulled_while_it_is_read_is_named(page: Page) -> None:
    page.evaluate("files => openCard(files)", BACKUP)
    page.evaluate(
        """() => { card.isIn = false;
        reader.hashFile = () => Promise.reject(new DOMException('gone', 'NotReadableError'));
        return reader.take(); }"""
    )
    state = page.evaluate(STATE)
    assert (state["phase"], state["canGoOn"]) == ("pulled", True)
    assert page.evaluate("fake.finished") is None


def test_a_card_that_is_pulled_while_a_file_is_sent_is_no_lost_connection(page: Page) -> None:
    page.evaluate("files => openCard(files)", BACKUP)
    page.evaluate(
        """() => { fake.onPut = () => { card.isIn = false;
        File.prototype.slice = () => ({ arrayBuffer: () => Promise.reject(
            new DOMException('gone', 'NotFoundError')) });
        throw Object.assign(new Error('lost'), { name: 'ApiError', status: 0, waitMs: 0 }); };
        return reader.take(); }"""
    )
    assert page.evaluate(STATE)["phase"] == "pulled"
    assert len(sent(page)) == len(SETTINGS)


def test_a_refusal_ends_the_reading_with_its_reason(page: Page) -> None:
    page.evaluate(
        "() => { fake.onPut = () => { throw Object.assign(new Error('Too many files.'), "
        "{ name: 'ApiError', status: 413 }); }; }"
    )
    state = open_tree(page)
    said = state["message"].lower()
    assert (state["phase"], said) == ("failed", "padconf.bin: too many files.")


def test_a_failed_job_says_why(page: Page) -> None:
    open_tree(page)
    page.evaluate("() => { fake.job = { status: 'failed', error: 'It is damaged.' }; }")
    page.evaluate("reader.take()")
    state = page.evaluate(STATE)
    assert (state["phase"], state["message"]) == ("failed", "It is damaged.")


def test_a_cancelled_reading_sends_nothing_more(page: Page) -> None:
    open_tree(page)
    page.evaluate(
        "() => { fake.onPut = () => new Promise(resolve => { window.release = resolve; }); }"
    )
    page.evaluate("() => void reader.take()")
    page.wait_for_function("Boolean(window.release)")
    page.evaluate("reader.cancel()")
    page.evaluate("release()")
    page.wait_for_timeout(50)
    assert page.evaluate(STATE)["phase"] == "cancelled"
    assert page.evaluate("fake.finished") is None


def test_litter_of_operating_systems_is_not_listed(page: Page) -> None:
    open_tree(page)
    assert "BKUP/.DS_Store" not in page.evaluate("fake.names")


@pytest.mark.parametrize(
    ("text", "is_card"), [("…PADCONF.BIN…", True), ("x/Pad_Info.bin", True), ("Kick.wav", False)]
)
def test_a_zip_of_a_card_is_recognised_by_its_names(page: Page, text: str, is_card: bool) -> None:
    found = page.evaluate("text => trees.zipHasConfig(new File([text], 'a.zip'))", text)
    assert found is is_card


def test_a_dropped_zip_asks_what_it_is(page: Page) -> None:
    page.evaluate("reader.offerZip(new File(['x'], 'a.zip'), () => { window.added = true; })")
    assert page.evaluate(STATE)["phase"] == "offered"
    page.evaluate("reader.addAsSounds()")
    assert page.evaluate("window.added")
    page.evaluate("reader.openZip(new File(['x'], 'a.zip'))")
    assert page.evaluate("fake.zips") == ["a.zip"]
    assert page.evaluate(STATE)["phase"] == "done"
