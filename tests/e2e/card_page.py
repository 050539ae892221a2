"""Cards in the browser: a folder of the private file system stands for the card."""

from pathlib import Path
from typing import Any

from playwright.sync_api import Page, expect

EXPORT_TIMEOUT_MS = 60_000
CARD_SCRIPT = Path(__file__).with_name("fake_card.js")


class Card:
    """The card of a page; install it before the page is opened."""

    def __init__(self, page: Page) -> None:
        self.page = page
        page.add_init_script(path=CARD_SCRIPT)

    def files(self) -> dict[str, str]:
        """Return the SHA-256 of all files by path."""
        return self.page.evaluate("cards.files()")

    def put(self, path: str, data: bytes) -> None:
        self.page.evaluate("([path, bytes]) => cards.put(path, bytes)", [path, list(data)])

    def fail_at(self, count: int, name: str, *, is_out: bool = False) -> None:
        """Let the n-th piece that is written fail; `is_out`: as if the card was taken out."""
        self.page.evaluate(
            "([count, name, isOut]) => cards.failAt(count, name, isOut)", [count, name, is_out]
        )

    def backup(self) -> bytes:
        """Return the last backup that was saved into a file."""
        return bytes(self.page.evaluate("cards.backup()"))

    def cancel_backup(self, is_cancelled: bool) -> None:
        """Let the person close the picker of the backup without a choice."""
        self.page.evaluate("is => { cards.cancelsPicker = is; }", is_cancelled)

    def set_permission(self, state: str) -> None:
        """Let the browser ask for access, and answer "granted" or "denied"."""
        self.page.evaluate("state => cards.permission(state)", state)

    def take_out(self) -> None:
        self.page.evaluate("cards.takeOut()")

    def put_in(self) -> None:
        self.page.evaluate("cards.putIn()")


def make_export(page: Page, kind: str) -> dict[str, Any]:
    """Export the project of the open pad page; return the manifest's hashes by path."""
    page.get_by_test_id("open-export").click()
    again, choice = page.get_by_test_id("export-again"), page.get_by_test_id(f"export-{kind}")
    expect(again.or_(choice)).to_be_visible()
    if again.is_visible():  # the export of the last time
        again.click()
    choice.click()
    expect(page.get_by_test_id("export-check")).to_be_visible()
    expect(page.get_by_test_id("start-export")).to_be_enabled()
    page.get_by_test_id("start-export").click()
    download = page.get_by_test_id("download-export")
    expect(download).to_be_visible(timeout=EXPORT_TIMEOUT_MS)
    # The button that was pressed is gone, and the focus is still in the dialog.
    assert page.evaluate("() => document.activeElement.closest('dialog') !== null")
    answer = page.request.get(f"{download.get_attribute('href')}/manifest")
    assert answer.ok, answer.text()
    return {each["path"]: each["sha256"] for each in answer.json()["files"]}


def drop(page: Page, path: Path) -> None:
    """Drop a file or folder of the computer in the middle of the page."""
    session = page.context.new_cdp_session(page)
    data = {"items": [], "files": [str(path)], "dragOperationsMask": 1}
    for kind in ("dragEnter", "dragOver", "drop"):
        session.send("Input.dispatchDragEvent", {"type": kind, "x": 700, "y": 450, "data": data})
    session.detach()
