"""Writing to a card in a browser; the card is a folder of the private file system."""

import hashlib
import threading
import zipfile
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
MINE = {"IMPORT/mine.txt": "not yours"}
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
    assert card.run("return card.backups()") == [[KICK, "somebody else's kick"]]
    card.write()
    assert card.state["phase"] == "correct"
    assert card.files()[KICK] == "kick"


def test_another_project_is_replaced_or_kept_as_a_whole(card: CardPage) -> None:
    card.wants(PROJECT)
    card.run("card.target.device = 'mk2'")
    foreign = dict.fromkeys(list(PROJECT)[:2], "somebody else's")
    for path, text in foreign.items():
        card.put(path, text)
    before = card.files()
    card.choose()
    config, kick, _ = PROJECT
    card.run("writer.setChoice(a, 'keep')", config)
    assert card.state["choices"] == {config: "keep", kick: "keep"}
    card.write()
    assert card.files() == before  # nothing is added to another project
    card.run("writer.setChoice(a, 'replace')", kick)
    assert card.state["choices"] == {config: "replace", kick: "replace"}
    card.run("await writer.backUp()")
    card.write()
    assert card.state["phase"] == "correct"
    assert card.files() == {**before, **PROJECT}


def test_a_sound_is_kept_beside_settings_of_the_same_project(card: CardPage) -> None:
    config, kick, _ = PROJECT
    card.wants(PROJECT, {config: "older"})
    card.run("card.target.device = 'mk2'")
    card.put(config, "older")
    card.put(kick, "recorded on the device")
    card.choose()
    card.run("writer.setChoice(a, 'keep'); await writer.backUp()", kick)
    card.write()
    assert card.files()[kick] == "recorded on the device"
    assert card.files()[config] == "configuration"


@pytest.fixture
def conflict(card: CardPage) -> CardPage:
    card.put(KICK, "somebody else's kick")
    card.choose()
    card.run("writer.setAllChoices('replace')")
    return card


def expect_nothing_saved(card: CardPage, notice: str) -> None:
    assert card.state["phase"] == "compared"
    assert notice in card.state["notice"]
    assert (card.state["toBackUp"], card.state["backup"]) == (1, [])
    card.write()
    assert card.files()[KICK] == "somebody else's kick"


def test_a_backup_without_a_place_stops_the_write(conflict: CardPage) -> None:
    conflict.run("fake.pickPlace = () => { throw new DOMException('', 'AbortError'); }")
    conflict.run("await writer.backUp()")
    expect_nothing_saved(conflict, "No place was chosen")


def test_a_backup_that_does_not_fit_stops_the_write(conflict: CardPage) -> None:
    conflict.run("card.failAt(1, 'QuotaExceededError'); await writer.backUp(); card.stopFailing()")
    expect_nothing_saved(conflict, "does not fit")
    assert conflict.run("return fake.place.getFile().then(() => '', (error) => error.name)")


def test_a_backup_on_the_card_is_refused(conflict: CardPage) -> None:
    conflict.run(
        "const root = await (await navigator.storage.getDirectory()).getDirectoryHandle('card');"
        "fake.pickPlace = () => root.getFileHandle('backup.zip', { create: true });"
        "await writer.backUp()"
    )
    expect_nothing_saved(conflict, "This place is on the card")
    assert "backup.zip" not in conflict.files()


def test_a_backup_that_reads_back_differently_stops_the_write(conflict: CardPage) -> None:
    conflict.run("card.corruptNextWrite('somebody', 'SOMEBODY'); await writer.backUp()")
    expect_nothing_saved(conflict, "differs from what was read on the card")


def test_a_backup_without_its_end_stops_the_write(conflict: CardPage) -> None:
    conflict.run("card.dropWritesAfter(2); await writer.backUp(); card.stopFailing()")
    expect_nothing_saved(conflict, "could not be read back")


def test_a_card_that_is_pulled_during_the_backup_is_named(conflict: CardPage) -> None:
    conflict.run("card.failAt(1, 'NotFoundError', true); await writer.backUp()")
    conflict.wait_for("pulled")
    conflict.run("card.stopFailing(); card.putIn()")
    conflict.wait_for("returned")
    conflict.run("await writer.goOn()")
    assert (conflict.state["phase"], conflict.state["toBackUp"]) == ("compared", 1)


def test_a_cancelled_backup_writes_nothing(conflict: CardPage) -> None:
    conflict.run("fake.onHash = () => writer.cancel(); await writer.backUp()")
    assert conflict.state["phase"] == "cancelled"
    conflict.run("fake.onHash = null; await writer.goOn()")
    assert (conflict.state["phase"], conflict.state["toBackUp"]) == ("compared", 1)


def test_a_backup_larger_than_one_archive_is_saved_in_several(card: CardPage) -> None:
    files = [{"bytes": size} for size in (5, 4, 2, 9, 30)]
    sizes = []
    while files:
        group = card.run("return card.firstGroup(a, 10)", files)
        sizes.append([each["bytes"] for each in group])
        files = files[len(group) :]
    assert sizes == [[5, 4], [2], [9], [30]]


def test_without_a_picker_the_backup_is_a_download(conflict: CardPage) -> None:
    conflict.run("delete window.showSaveFilePicker")
    with conflict.page.expect_download() as saved:
        conflict.run("await writer.backUp()")
    archive = zipfile.ZipFile(saved.value.path())
    assert {name: archive.read(name) for name in archive.namelist()} == {
        KICK: b"somebody else's kick"
    }
    assert [each["isProven"] for each in conflict.state["backup"]] == [False]


@pytest.mark.parametrize("size", [0, 3, 4 * 2**20, 9 * 2**20 + 5])
def test_a_file_is_hashed_by_slices(card: CardPage, size: int) -> None:
    found = card.run("return card.hashFile(new File([new Uint8Array(a).fill(7)], 'x'))", size)
    assert found == hashlib.sha256(bytes([7]) * size).hexdigest()


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


@pytest.mark.parametrize("changed", range(2))
def test_nothing_is_written_beside_a_file_that_changed_after_it_was_read(
    card: CardPage, changed: int
) -> None:
    path = list(PROJECT)[changed]
    card.wants(PROJECT)
    card.run("card.target.device = 'mk2'")
    for present in list(PROJECT)[:2]:
        card.put(present, PROJECT[present])
    card.choose()
    text = PROJECT[path].upper()
    card.put(path, text)  # the sampler wrote it while the comparison was shown
    if changed == 0:  # a sampler without a clock
        card.run("Object.defineProperty(File.prototype, 'lastModified', { get: () => 1 });")
    card.write()
    assert card.state["phase"] == "failed"
    assert "changed on the card since it was read" in card.state["message"]
    assert path.rpartition("/")[2] in card.state["message"]
    assert card.files() == {**dict(list(PROJECT.items())[:2]), path: text, **MINE}
    assert card.run("return fake.recorded") is None


def test_a_file_that_was_only_touched_is_read_again_and_stays(card: CardPage) -> None:
    card.put(KICK, PACK[KICK])
    card.choose()
    card.put(KICK, PACK[KICK])
    card.write()
    assert card.state["phase"] == "correct"


def test_reading_what_stays_before_a_write_can_be_cancelled(card: CardPage) -> None:
    for path in (KICK, SNARE):
        card.put(path, PACK[path])
    card.choose()
    for path in (KICK, SNARE):
        card.put(path, PACK[path])  # touched, so that each is read again
    card.run("fake.hashed = []; fake.onHash = () => writer.cancel()")
    card.write()
    assert card.state["phase"] == "cancelled"
    assert card.run("return fake.hashed") == ["01 Kick.wav"]
    assert card.files() == {**MINE, **{path: PACK[path] for path in (KICK, SNARE)}}


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


def test_reading_again_does_not_verify_a_card_that_was_not_out(card: CardPage) -> None:
    card.choose()
    card.write()
    card.run("await writer.verify()")
    assert (card.state["phase"], card.state["isReadAgain"]) == ("correct", True)


def test_an_unverified_card_is_offered_on_the_next_visit(card: CardPage) -> None:
    card.choose()
    card.write()
    card.open()
    assert card.state["resumable"]["phase"] == "correct"
    card.run("await writer.resume()")
    assert card.state["phase"] == "correct"  # nobody saw it out
    card.run("card.takeOut()")
    card.wait_for("out")
    card.run("card.putIn()")
    card.wait_for("verified")


def test_a_card_that_was_out_at_the_last_visit_is_verified_on_the_next(card: CardPage) -> None:
    card.choose()
    card.write()
    card.run("card.takeOut()")
    card.wait_for("out")
    card.open()
    card.run("await writer.resume()")
    assert card.state["phase"] == "verified"


def test_a_card_that_is_out_at_the_next_visit_is_waited_for(card: CardPage) -> None:
    card.choose()
    card.write()
    card.open()
    card.run("card.takeOut(); void writer.resume()")
    card.wait_for("out")
    card.run("card.putIn()")
    card.wait_for("verified")


def test_a_card_that_is_pulled_while_it_is_read_again_is_out(card: CardPage) -> None:
    card.choose()
    card.write()
    card.run("fake.onHash = () => { card.takeOut(); throw new DOMException('', 'NotFoundError'); }")
    card.run("void writer.verify()")
    card.wait_for("out")
    card.run("fake.onHash = null; card.putIn()")
    card.wait_for("verified")


def test_refused_access_is_said_and_asked_for_again(card: CardPage) -> None:
    card.choose()
    card.write()
    card.open()
    card.run("card.answer('denied'); await writer.resume()")
    assert card.state["phase"] == "refused"
    card.run("await writer.allow()")
    assert card.state["phase"] == "refused"
    card.run("card.answer('granted'); await writer.allow()")
    assert card.state["phase"] == "correct"


def test_refused_access_to_an_interrupted_write_is_no_card_that_is_out(card: CardPage) -> None:
    card.choose()
    card.run("card.failAt(2, 'QuotaExceededError')")
    card.write()
    card.open()
    card.run("card.answer('denied'); await writer.resume()")
    assert card.state["phase"] == "refused"
    card.run("card.answer('granted'); await writer.allow()")
    assert card.state["phase"] == "correct"


def test_access_that_was_withdrawn_during_a_write_is_asked_for_again(card: CardPage) -> None:
    card.choose()
    card.run("card.failAt(2, 'NotAllowedError')")
    card.write()
    assert card.state["phase"] == "failed"
    card.run("card.stopFailing(); card.answer('denied'); await writer.goOn()")
    assert card.state["phase"] == "refused"
    card.run("card.answer('granted'); await writer.allow()")
    assert card.state["phase"] == "correct"
    assert card.files() == {**PACK, "IMPORT/mine.txt": "not yours"}


def test_only_one_tab_writes_at_a_time(card: CardPage, context: BrowserContext) -> None:
    card.choose()
    card.run("fake.onFetch = () => new Promise((resolve) => { window.release = resolve; })")
    card.page.evaluate("() => void writer.write()")
    card.page.wait_for_function("Boolean(window.release)")
    page = context.new_page()
    other = CardPage(page, card.url)
    other.wants(PACK)
    other.choose()
    other.write()
    assert other.state["phase"] == "compared"
    assert "Another write to a card" in other.state["notice"]
    card.run("fake.onFetch = () => {}; release()")
    card.wait_for("correct")
    other.write()  # what it compared with has changed
    assert other.state["phase"] == "failed"
    other.run("await writer.goOn()")
    assert other.state["phase"] == "correct"


def test_a_folder_in_the_place_of_a_file_is_named_and_left(card: CardPage) -> None:
    card.put(f"{KICK}/mine.txt", "in a folder")
    card.choose()
    card.write()
    assert (
        card.state["message"] == "01 Kick.wav: “01 Kick.wav” on the card is a folder, not a file."
    )
    assert card.files()[f"{KICK}/mine.txt"] == "in a folder"


@pytest.mark.parametrize(
    ("error", "said"),
    [
        ("NoModificationAllowedError", "write-protected"),
        ("InvalidModificationError", "write-protected"),
        ("QuotaExceededError", "The card is full."),
        ("NotAllowedError", "may not write to this card"),
    ],
)
def test_a_card_that_refuses_a_write_says_why(card: CardPage, error: str, said: str) -> None:
    card.choose()
    card.run("card.failAt(1, a)", error)
    card.write()
    assert said in card.state["message"]
    assert card.files() == {"IMPORT/mine.txt": "not yours"}


@pytest.mark.parametrize("name", ["Android", "Lost.dir"])
def test_a_project_with_the_name_of_a_folder_of_phones_is_written(
    card: CardPage, name: str
) -> None:
    pack = {f"IMPORT/{name}/A/01 Kick.wav": "kick"}
    card.wants(pack)
    card.choose()
    card.write()
    assert card.state["phase"] == "correct"
    assert card.files() == {**pack, "IMPORT/mine.txt": "not yours"}
    card.choose()
    assert card.state["phase"] == "correct"


def test_files_that_the_export_does_not_name_are_not_read(card: CardPage) -> None:
    card.put("IMPORT/Night shift/D/01 Other.wav", "not named")
    card.put(KICK, "old")
    card.put(SNARE, "a foreign one of another size")
    card.wants(PACK, {KICK: "old"})
    card.choose()
    assert card.run("return fake.hashed") == ["01 Kick.wav"]
    assert card.changes()[SNARE] == "conflict"
    card.run("writer.setChoice(a, 'replace'); await writer.backUp()", SNARE)
    assert sorted(card.run("return card.backups()")) == [
        [KICK, "old"],
        [SNARE, "a foreign one of another size"],
    ]
    card.write()
    assert card.state["phase"] == "correct"


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
