"""Uploads: a failing file does not block others, and every failure is reported."""

from pathlib import Path

import numpy as np
from playwright.sync_api import Locator, Page, Route, expect

from tests.e2e import people, seed_data
from tests.e2e.conftest import Outbox
from tests.product import Product
from tests.services.zips import zipped
from tests.sounds import tone, wav, write

RESIZE_SQL = "update samples set size ="
WIDTHS = (1440, 1024, 901, 900, 390)  # pixels
NOTICE_MS = 10_500  # a notice closes earlier
RETRIES_TIMEOUT_MS = 90_000  # five tries with their delays


def test_compressed_and_zipped_files_upload_while_others_fail(
    page: Page, outbox: Outbox, tmp_path: Path
) -> None:
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    telephone = [
        write(tmp_path / f"{subtype}.wav", tone(200 + 40 * n, 0.5, 8000), 8000, subtype=subtype)
        for n, subtype in enumerate(("GSM610", "NMS_ADPCM_16", "NMS_ADPCM_24", "NMS_ADPCM_32"))
    ]
    pack = tmp_path / "Dusty Kit.zip"
    pack.write_bytes(
        zipped(("kick.wav", wav(500)), ("snare.wav", wav(600)), ("broken.wav", b"x"), ("._a", b"x"))
    )
    (tmp_path / "poison.wav").write_bytes(wav(700))
    (tmp_path / "moved.wav").write_bytes(wav(800))
    last = write(tmp_path / "last.wav", np.asarray(tone(900)))

    def answer(route: Route) -> None:
        body = route.request.post_data_buffer or b""
        fails = b"poison.wav" in body or b"moved.wav" in body
        route.fulfill(status=500, json={}) if fails else route.continue_()

    people.sign_in(page, people.sign_up(page, outbox))
    page.route("**/api/samples", answer)
    names = ["poison.wav", "moved.wav", *(path.name for path in telephone), pack.name, last.name]
    page.get_by_test_id("choose-files").set_input_files([tmp_path / name for name in names])
    uploads = page.get_by_test_id("uploads")
    for name in names[2:]:
        expect(uploads.locator("[data-state=done]", has_text=name)).to_have_count(1)
    expect(uploads.locator("[data-state=refused]", has_text="broken.wav")).to_have_count(1)
    (tmp_path / "moved.wav").unlink()
    expect(uploads.locator("[data-state=failed]")).to_have_count(1, timeout=RETRIES_TIMEOUT_MS)
    expect(uploads.locator("[data-state=gone]")).to_contain_text("moved, changed or deleted")
    expect(uploads.get_by_role("status")).to_have_text(
        "7 sounds uploaded · 2 failed · 1 not added", timeout=RETRIES_TIMEOUT_MS
    )
    page.unroute("**/api/samples")
    page.get_by_test_id("retry-uploads").click()
    expect(uploads.locator("[data-state=done]", has_text="poison.wav")).to_have_count(1)
    expect(uploads.locator("[data-state=gone]")).to_have_count(1)
    expect(page.get_by_test_id("total")).to_have_text("8")
    assert not errors


def test_refusals_are_copied_and_what_may_pass_is_tried_again(
    page: Page, outbox: Outbox, product: Product, tmp_path: Path
) -> None:
    people.sign_in(page, people.sign_up(page, outbox))
    broken, fine = tmp_path / "broken.wav", tmp_path / "fine.wav"
    broken.write_bytes(b"RIFF")
    fine.write_bytes(wav(500))
    notes = tmp_path / "notes.txt"
    notes.write_text("no sound")
    pack = tmp_path / "pack.zip"
    pack.write_bytes(zipped(("a.wav", b"x"), ("b.wav", b"x")))
    page.get_by_test_id("choose-files").set_input_files([broken, fine, notes, pack])
    uploads = page.get_by_test_id("uploads")
    expect(uploads.get_by_role("status")).to_have_text("1 sound uploaded · 5 not added")
    page.evaluate("() => { navigator.clipboard.writeText = async (text) => { copied = text; }; }")
    page.get_by_test_id("copy-refusals").click()
    expect(page.get_by_test_id("copy-refusals")).to_have_text("Copied")
    lines = sorted(page.evaluate("window.copied").splitlines())
    assert [line.partition(": ")[0] for line in lines] == [
        "broken.wav",
        "notes.txt",
        "pack.zip/pack/a.wav",
        "pack.zip/pack/b.wav",
        "pack.zip",
    ]
    assert lines[1] == "notes.txt: Not an audio file."
    page.evaluate("() => { navigator.clipboard.writeText = () => Promise.reject(); }")
    page.evaluate("() => { document.execCommand = (name) => { window.asked = name; }; }")
    page.get_by_test_id("copy-refusals").click()  # as on a page without https
    page.wait_for_function("window.asked === 'copy'")
    expect(page.get_by_test_id("retry-uploads")).to_have_count(0)  # none can pass

    sample_id = page.request.get("/api/samples").json()["samples"][0]["id"]
    seed_data.run_sql(product, f"{RESIZE_SQL} {10**13} where id = '{sample_id}'")
    late = write(tmp_path / "late.wav", np.asarray(tone(900)))
    page.get_by_test_id("choose-files").set_input_files([late])
    expect(uploads.locator("[data-state=refused]", has_text="late.wav")).to_have_count(1)
    seed_data.run_sql(product, f"{RESIZE_SQL} 1000 where id = '{sample_id}'")
    sent: list[bytes] = []
    page.on("request", lambda request: sent.append(request.post_data_buffer or b""))
    page.get_by_test_id("retry-uploads").click()
    expect(uploads.locator("[data-state=done]", has_text="late.wav")).to_have_count(1)
    assert not any(name in body for body in sent for name in (b"notes.txt", b"broken", b"pack.zip"))


def test_a_notice_lies_beside_the_uploads_and_stays_under_the_pointer(
    page: Page, outbox: Outbox, tmp_path: Path
) -> None:
    page.clock.install()
    people.sign_in(page, people.sign_up(page, outbox))
    fine, broken = write(tmp_path / "fine.wav", np.asarray(tone(500))), tmp_path / "broken.wav"
    broken.write_bytes(b"RIFF")
    page.get_by_test_id("choose-files").set_input_files([fine, broken])
    uploads, notice = page.get_by_test_id("uploads"), page.get_by_test_id("notice")
    expect(uploads.get_by_role("status")).to_have_text("1 sound uploaded · 1 not added")
    page.get_by_test_id("name").click()
    page.get_by_test_id("table").focus()
    page.keyboard.press("Delete")
    notice.hover()
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 844})
        above, beside = notice.bounding_box(), uploads.bounding_box()
        assert above
        assert beside
        is_clear = above["x"] + above["width"] <= beside["x"]
        assert is_clear or above["y"] + above["height"] <= beside["y"], f"covered at {width} px"
        assert above["x"] >= 0
        notice.hover()
    page.clock.run_for(NOTICE_MS)
    expect(notice).to_be_visible()
    page.mouse.move(5, 5)
    page.clock.run_for(NOTICE_MS)
    expect(notice).to_be_hidden()


def test_the_added_folder_is_a_tag_only_if_the_person_wants(
    page: Page, outbox: Outbox, tmp_path: Path
) -> None:
    people.sign_in(page, people.sign_up(page, outbox))
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    def add(name: str, pitch: int, *, root: bool) -> None:
        """Add a folder, and set the choice while the upload is held back."""
        kit = tmp_path / name / "Dusty Kit"
        kit.mkdir(parents=True)
        (kit / f"{name} hit.wav").write_bytes(wav(pitch))
        page.route("**/api/samples", hold)
        page.get_by_test_id("choose-folder").set_input_files(tmp_path / name)
        page.get_by_test_id("root-tag").set_checked(root)
        held.pop().continue_()
        page.unroute("**/api/samples")

    def tags(name: str) -> Locator:
        return page.get_by_test_id("sample-row").filter(has_text=f"{name} hit").locator(".row-tags")

    add("First", 500, root=False)
    expect(page.get_by_test_id("name")).to_have_text(["First hit"])
    expect(tags("First")).to_contain_text("Dusty Kit")
    shown = page.get_by_test_id("upload").locator(".upload-name")
    expect(shown).to_have_text("Dusty Kit/First hit.wav")  # many packs have a "kick.wav" a folder
    expect(tags("First")).not_to_contain_text("First")
    page.get_by_test_id("root-tag").check()  # after the sound has arrived
    expect(tags("First")).to_contain_text("First")
    page.get_by_test_id("root-tag").uncheck()
    expect(tags("First")).not_to_contain_text("First")
    page.reload()
    add("Second", 600, root=True)  # while it is sent
    expect(tags("Second")).to_contain_text("Second")
    page.reload()
    add("Third", 700, root=True)  # it is remembered
    expect(tags("Third")).to_contain_text("Third")
    page.route("**/api/samples/bulk", lambda route: route.abort())
    page.get_by_test_id("root-tag").click()
    expect(page.get_by_test_id("uploads")).to_contain_text("could not be tagged")
    expect(page.get_by_test_id("root-tag")).to_be_checked()
    page.on("dialog", lambda dialog: dialog.accept())  # the browser asks before it leaves
    page.route("**/api/samples", lambda _: None)  # this request never ends
    page.get_by_test_id("choose-folder").set_input_files(tmp_path / "First")
    expect(page.locator("[data-state=sending]")).to_have_count(1)
    page.reload()
    expect(page.get_by_test_id("choose-again")).to_have_text("Choose “First” again")


def test_after_a_reload_only_the_rest_is_sent(page: Page, outbox: Outbox, tmp_path: Path) -> None:
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("dialog", lambda dialog: dialog.accept())  # the browser asks before it leaves
    people.sign_in(page, people.sign_up(page, outbox))
    folder = tmp_path / "Night kit"
    folder.mkdir()
    for n, name in enumerate(("arrived", "first", "second")):
        write(folder / f"{name}.wav", tone(300 + 50 * n))
    page.route("**/api/samples", lambda _: None)  # these requests never end
    page.get_by_test_id("choose-files").set_input_files(
        [folder / "first.wav", folder / "second.wav"]
    )
    expect(page.locator("[data-state=sending]")).to_have_count(2)
    page.reload()
    unfinished = page.get_by_test_id("unfinished")
    expect(unfinished).to_contain_text("2 files did not arrive")
    expect(unfinished.get_by_test_id("choose-again")).to_have_text("Choose the files again")
    page.unroute("**/api/samples")
    page.get_by_test_id("choose-unfinished").set_input_files([folder / "arrived.wav"])
    expect(unfinished.get_by_role("alert")).to_have_text(
        "None of the chosen files is one of these."
    )
    page.get_by_test_id("choose-unfinished").set_input_files(
        [folder / "arrived.wav", folder / "second.wav"]
    )
    expect(unfinished).to_contain_text("1 file did not arrive")  # beside the others
    expect(unfinished.get_by_role("alert")).to_have_count(0)
    expect(page.locator("[data-state=done]")).to_have_count(1)
    page.get_by_test_id("close-uploads").click()
    expect(unfinished).to_contain_text("1 file did not arrive")
    page.reload()
    expect(unfinished).to_contain_text("first.wav")
    page.get_by_test_id("forget-unfinished").click()
    expect(unfinished).to_have_count(0)
    page.reload()
    expect(page.get_by_test_id("total")).to_have_text("1")
    expect(unfinished).to_have_count(0)
    expect(page.get_by_test_id("name")).to_have_text("second")
    assert not errors


def test_unfinished_uploads_are_not_shown_to_the_next_person(
    page: Page, outbox: Outbox, tmp_path: Path
) -> None:
    page.on("dialog", lambda dialog: dialog.accept())
    people.sign_in(page, people.sign_up(page, outbox))
    page.route("**/api/samples", lambda _: None)
    file = write(tmp_path / "private.wav", tone(300))
    page.get_by_test_id("choose-files").set_input_files(file)
    expect(page.locator("[data-state=sending]")).to_have_count(1)
    page.reload()
    expect(page.get_by_test_id("unfinished")).to_be_visible()
    page.get_by_role("button", name="Sign out").click()
    people.sign_in(page, people.sign_up(page, outbox))
    expect(page.get_by_test_id("total")).to_have_text("0")
    expect(page.get_by_test_id("unfinished")).to_have_count(0)
