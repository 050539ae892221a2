"""Writing to a card in a browser; the card is a folder of the private file system."""

import threading
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, sync_playwright

from tests.browsers import launch_chromium
from tests.components.card_page import CardPage, CardServer

PACK = {
    "IMPORT/Night shift/A/01 Kick.wav": "kick",
    "IMPORT/Night shift/A/02 Snare.wav": "snare",
    "IMPORT/Night shift/B/01 Hat.wav": "hat",
}
PROJECT = {
    "IMPORT/PROJECT_01/PADCONF.BIN": "configuration",
    "IMPORT/PROJECT_01/SMPL/BANK1-01.SMP": "kick",
    "IMPORT/PROJECT_01/SMPL/BANK1-02.SMP": "snare",
}
KICK = "IMPORT/Night shift/A/01 Kick.wav"
SNARE = "IMPORT/Night shift/A/02 Snare.wav"


@pytest.fixture(scope="module")
def card_browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = launch_chromium(playwright)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def card_server() -> Iterator[CardServer]:
    with CardServer() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def context(card_browser: Browser) -> Iterator[BrowserContext]:
    context = card_browser.new_context()
    yield context
    context.close()


@pytest.fixture
def card(context: BrowserContext, card_server: CardServer) -> Iterator[CardPage]:
    page = context.new_page()
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    card = CardPage(page, card_server.url)
    card.put("IMPORT/mine.txt", "not yours")
    card.wants(PACK)
    yield card
    assert problems == []


def test_an_export_is_written_and_read_back(card: CardPage) -> None:
    card.choose()
    assert card.state["counts"] == {"add": 3, "replace": 0, "delete": 0, "conflict": 0}
    assert card.files() == {"IMPORT/mine.txt": "not yours"}  # shown, not written yet
    card.write()
    assert card.state["phase"] == "correct"
    assert card.files() == {**PACK, "IMPORT/mine.txt": "not yours"}
    assert [each["path"] for each in card.run("return fake.recorded")] == sorted(PACK)


def test_the_configuration_is_written_last(card: CardPage) -> None:
    card.wants(PROJECT)
    card.run("card.target.device = 'mk2'")
    card.choose()
    card.write()
    assert card.run("return fake.fetched")[-1] == "IMPORT/PROJECT_01/PADCONF.BIN"


def test_a_foreign_file_in_the_way_needs_a_choice_and_a_backup(card: CardPage) -> None:
    card.put(KICK, "somebody else's kick")
    card.choose()
    assert card.changes()[KICK] == "conflict"
    card.write()
    assert card.state["phase"] == "compared"
    card.run("writer.setAllChoices('replace')")
    assert card.state["toBackUp"] == 1
    card.write()
    assert card.files()[KICK] == "somebody else's kick"
    card.run("await writer.backUp()")
    assert card.run("return fake.backups") == [[KICK, "somebody else's kick"]]
    card.write()
    assert card.state["phase"] == "correct"
    assert card.files()[KICK] == "kick"


def test_a_file_that_is_kept_stays_and_is_not_recorded(card: CardPage) -> None:
    card.put(KICK, "somebody else's kick")
    card.choose()
    card.run("writer.setChoice(a, 'keep')", KICK)
    card.write()
    assert (card.state["phase"], card.state["kept"]) == ("correct", 1)
    assert card.files()[KICK] == "somebody else's kick"
    assert KICK not in [each["path"] for each in card.run("return fake.recorded")]


def test_files_of_the_last_time_are_replaced_and_deleted_after_a_backup(card: CardPage) -> None:
    gone = "IMPORT/Night shift/C/01 Gone.wav"
    for path in (KICK, gone):
        card.put(path, "old")
    card.wants(PACK, {KICK: "old", gone: "old"})
    card.choose()
    assert card.changes() == {KICK: "replace", gone: "delete", SNARE: "add", list(PACK)[2]: "add"}
    card.write()
    assert card.files()[KICK] == "old"
    card.run("await writer.backUp()")
    card.write()
    assert card.files() == {**PACK, "IMPORT/mine.txt": "not yours"}


@pytest.mark.parametrize("path", [KICK, SNARE, "IMPORT/Night shift/C/01 Gone.wav"])
def test_a_file_that_changed_after_it_was_shown_is_neither_replaced_nor_deleted(
    card: CardPage, path: str
) -> None:
    gone = "IMPORT/Night shift/C/01 Gone.wav"
    for old in (KICK, gone):
        card.put(old, "old")
    card.wants(PACK, {KICK: "old", gone: "old"})
    card.choose()
    card.run("await writer.backUp()")
    card.put(path, "new")  # the sampler wrote it while the comparison was shown
    card.write()
    assert card.state["phase"] == "failed"
    assert "changed on the card since it was read" in card.state["message"]
    assert card.files()[path] == "new"
    card.run("await writer.goOn()")
    assert card.files()[path] == "new"


def test_a_write_that_fails_names_the_file_and_leaves_the_old_one_whole(card: CardPage) -> None:
    card.put(SNARE, "old")
    card.wants(PACK, {SNARE: "old"})
    card.choose()
    card.run("await writer.backUp(); card.failAt(2, 'QuotaExceededError')")
    card.write()
    assert card.state["phase"] == "failed"
    assert card.state["message"] == "02 Snare.wav: The card is full."
    assert card.files() == {KICK: "kick", SNARE: "old", "IMPORT/mine.txt": "not yours"}


def test_a_new_file_that_failed_does_not_stay_behind_empty(card: CardPage) -> None:
    card.choose()
    card.run("card.failAt(1, 'NotReadableError')")
    card.write()
    assert card.files() == {"IMPORT/mine.txt": "not yours"}


def test_a_card_that_is_pulled_is_named_and_the_write_goes_on(card: CardPage) -> None:
    card.choose()
    card.run("card.failAt(2, 'NotFoundError', true)")
    card.write()
    assert card.wait_for("pulled")["message"] == "1 of 3 files were written."
    card.run("card.stopFailing(); card.putIn()")
    card.wait_for("returned")
    card.run("await writer.goOn()")
    assert card.state["phase"] == "correct"
    assert card.files() == {**PACK, "IMPORT/mine.txt": "not yours"}


def test_going_on_writes_nothing_before_a_write_was_begun(card: CardPage) -> None:
    card.choose()
    card.run("writer.cancel(); await writer.goOn()")
    assert card.state["phase"] == "compared"
    assert card.files() == {"IMPORT/mine.txt": "not yours"}


def test_a_write_goes_on_after_a_crash(card: CardPage) -> None:
    card.choose()
    card.run("fake.onFetch = (path) => path.includes('Hat') && new Promise(() => {})")
    card.page.evaluate("() => void writer.write()")
    card.page.wait_for_function("writer.getSnapshot().progress?.files === 2")
    card.open()
    card.put("IMPORT/Night shift/B/01 Hat.wav", "")
    card.put("IMPORT/Night shift/B/01 Hat.wav.crswap", "ha")
    card.put("IMPORT/Night shift/B/other.wav.crswap", "of another program")
    card.wants(PACK)
    assert card.state["resumable"] == {"name": "card", "phase": "writing", "done": 2, "total": 3}
    card.run("await writer.resume()")
    assert card.state["phase"] == "correct"
    assert card.run("return fake.fetched") == ["IMPORT/Night shift/B/01 Hat.wav"]
    other = {"IMPORT/Night shift/B/other.wav.crswap": "of another program"}
    assert card.files() == {**PACK, **other, "IMPORT/mine.txt": "not yours"}


def test_what_is_read_back_differently_is_not_correct(card: CardPage) -> None:
    card.choose()
    card.run("fake.sent = { [a]: 'broken' }", KICK)
    card.write()
    assert card.state["phase"] == "failed"
    assert "The card may be damaged" in card.state["message"]
    assert card.run("return fake.recorded") is None


def test_verified_is_said_only_after_the_card_was_out_and_in(card: CardPage) -> None:
    card.choose()
    card.write()
    assert card.state["phase"] == "correct"
    card.run("card.takeOut()")
    card.wait_for("out")
    card.run("card.putIn()")
    assert card.wait_for("verified")["written"] == 3
    card.open()
    assert card.state["resumable"] is None


def test_a_file_that_differs_after_reinserting_is_named(card: CardPage) -> None:
    card.choose()
    card.write()
    card.put(SNARE, "snarl")
    card.run("await writer.verify()")
    assert card.state["phase"] == "different"
    assert card.state["different"] == [SNARE]


def test_an_unverified_card_is_offered_on_the_next_visit(card: CardPage) -> None:
    card.choose()
    card.write()
    card.open()
    assert card.state["resumable"]["phase"] == "correct"
    card.run("await writer.resume()")
    assert card.state["phase"] == "verified"


def test_an_unchanged_card_is_correct_without_a_write(card: CardPage) -> None:
    for path, text in PACK.items():
        card.put(path, text)
    card.choose()
    assert card.state["phase"] == "correct"
    assert card.run("return fake.fetched") == []


def test_folders_in_another_case_are_used(card: CardPage) -> None:
    card.put("import/night SHIFT/a/01 KICK.WAV", "kick")
    card.run(
        "const root = await (await navigator.storage.getDirectory()).getDirectoryHandle('card')"
        "; await root.removeEntry('IMPORT', { recursive: true })"
    )
    card.choose()
    assert sorted(card.changes()) == [SNARE, list(PACK)[2]]
    card.write()
    assert sorted(card.files()) == [
        "import/night SHIFT/B/01 Hat.wav",
        "import/night SHIFT/a/01 KICK.WAV",
        "import/night SHIFT/a/02 Snare.wav",
    ]


def test_a_folder_that_is_no_card_is_refused_with_the_reason(card: CardPage) -> None:
    card.run(
        "const root = await (await navigator.storage.getDirectory()).getDirectoryHandle('card')"
        "; await root.removeEntry('IMPORT', { recursive: true })"
    )
    card.put("Holidays/beach.jpg", "sand")
    card.choose()
    assert card.state["phase"] == "wrong"
    note = "It has no IMPORT, EXPORT or BKUP folder, but “Holidays”."
    assert card.state["card"]["note"] == note


@pytest.mark.parametrize(
    ("names", "kind"),
    [
        (["IMPORT", "BKUP"], "mk2"),
        (["ROLAND", "FCTRY", ".DS_Store"], "sx"),
        ([".Spotlight-V100", "System Volume Information"], "empty"),
        (["DCIM"], "other"),
    ],
)
def test_a_card_is_recognised(card: CardPage, names: list[str], kind: str) -> None:
    said = card.run(
        "return card.layout.describeCard({handleName: 'CARD', names: a, target: b, device: 'mk2'})",
        names,
        "EXPORT/PROJECT/PROJECT_01",
    )
    assert said["kind"] == kind


def test_a_folder_inside_of_the_card_can_be_chosen(card: CardPage) -> None:
    said = card.run(
        "return card.layout.describeCard({handleName: 'import', names: [], target: a, device: ''})",
        "IMPORT/PROJECT_01",
    )
    assert (said["kind"], said["base"]) == ("folder", "IMPORT")


@pytest.mark.parametrize(
    ("names", "base"),
    [([], ""), (["FCTRY"], ""), (["ROLAND"], ""), (["SMPL", "PTN"], "ROLAND/SP-404SX")],
)
def test_a_card_called_as_its_folder_is_not_taken_for_the_folder(
    card: CardPage, names: list[str], base: str
) -> None:
    said = card.run(
        "return card.layout.describeCard("
        "{handleName: 'SP-404SX', names: a, target: b, device: 'sx'})",
        names,
        "ROLAND/SP-404SX",
    )
    assert said["base"] == base


@pytest.mark.parametrize(
    ("milliseconds", "year"),
    [(0, 1980), (312_768_000_000, 1980), (1_700_000_000_000, 2023), (4_325_961_600_000, 1980)],
)
def test_a_backup_takes_files_of_every_time(card: CardPage, milliseconds: int, year: int) -> None:
    assert card.run("return card.folder.archiveTime(a).getFullYear()", milliseconds) == year


@pytest.mark.parametrize(
    "path",
    ["a/../b", "/a", "a//b", "a/b.", "a/con", "a/LPT1.wav", "a/b?", "a/._b", "a/.DS_Store", "a\\b",
     "a/b.crswap", "a/ ", "a/\x01", f"a/{'x' * 256}"],
)  # fmt: skip
def test_a_path_that_a_card_cannot_hold_is_refused(card: CardPage, path: str) -> None:
    assert card.run("return card.names.findPathProblem([a])", path)


def test_two_paths_that_differ_only_by_case_are_refused(card: CardPage) -> None:
    assert "are one file" in card.run("return card.names.findPathProblem(['A/b', 'a/B'])")
    assert card.run("return card.names.findPathProblem(a)", list(PACK)) == ""
