"""Operate every control of every page once; no control may cause an error or do nothing.

Controls are discovered on the page, so new ones are covered automatically. That none is missed is
checked against the built pages: every event handler in them must have been called.
"""

import re
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import pytest
from playwright.sync_api import Browser, FilePayload, Page, Playwright, expect
from pyotp.totp import TOTP

from sp404_app.pages.library.dialogs import KEYBOARD
from sp404_app.sp404_app import PAGES
from sp404_app.supervisor.environment import link_node
from sp404_app.supervisor.home import Home
from tests.e2e import seed_data
from tests.e2e.barriers import find_barriers
from tests.e2e.control_driver import ControlDriver, Value
from tests.e2e.people import PASSWORD
from tests.e2e.seed_data import SeededAccounts
from tests.e2e.touch_targets import find_small_targets
from tests.product import Product
from tests.services.account.test_avatars import picture
from tests.sounds import wav

PITCHES = count(300, 3)
HERE = Path(__file__).parent


def totp_code(page: Page) -> str:
    """Return the current TOTP code for the secret on the page."""
    secret = page.locator("#totp-secret")
    return TOTP(secret.inner_text().replace(" ", "")).now() if secret.count() else "123456"


FIELD_VALUES: dict[str, Value] = {
    "bpm": "93",
    "bpm_min": "1",
    "bpm_max": "999",
    "code": totp_code,
    "current_password": PASSWORD,
    "delay_seconds": "0",
    "drop": "0",
    "duplicate": "0",
    "duration_max": "900",
    "duration_min": "0",
    "email": "somebody@example.org",
    "pad-bpm": "93",
    "project-tempo": "93",
    "first_name": "Ada",
    "last_name": "Lovelace",
    "name": "Renamed",
    "number": "1",
    "password": PASSWORD,
    "proof": PASSWORD,
    "q": "softer",
    "search": "softer",
    "share_password": PASSWORD,
    "template": "{n:03} {name}",
    "tempo": "93",
}
# Shortcuts of the library as listed in its help, and the keys to press.
LIBRARY_KEYS = {
    "↑ ↓": ("ArrowDown", "ArrowUp", "PageDown", "Home", "End"),
    "Space": (" ",),
    "← →": ("ArrowRight", "ArrowLeft"),
    "/": ("/",),
    "F": ("f",),
    "T": ("t",),
    "C": ("c",),
    "P": ("p",),
    "0 – 5": ("3", "0"),
    "F2": ("F2", "Tab"),
    "Enter": ("Enter",),
    "Del": ("Delete",),
    "Shift ↑ ↓": ("Shift+ArrowDown",),
    "Ctrl A": ("Control+a",),
    "Esc": ("Escape",),
    "?": ("?",),
    "Ctrl K": ("Control+k",),
}
SAMPLE_KEYS = (" ", "ArrowRight", "ArrowLeft", "Home", "+", "-", "Escape", "m", "f", "3", "t")
BEFORE_KEYS = {
    "ArrowLeft": ("ArrowRight",),
    "Home": ("ArrowRight",),
    "-": ("+",),
    "Escape": ("+",),
}
# Keys of the pad page with an effect that lasts; tests/e2e/test_pads.py presses the others.
PAD_KEYS_PRESSED = ("1", "/", "?", "Delete", "Control+z", "PageDown", "p", "t")
KNOBS = (
    *("level", "pan", "pitch", "fine", "speed", "attack", "hold", "release"),
    *("edit-pitch", "edit-stretch", "edit-gain_db", "edit-fade_in", "edit-fade_out"),
    *("edit-resample_trick", "chop-sensitivity"),
)
OTHER_PADS = (
    r"pad-row > button:pad-menu-([AC-J]|B([3-9]|1\d))"  # their menus are as those of B1 and B2
)
# Dialogs of cards, which test_cards.py drives: what they do depends on a card.
CARD_CONTROLS = r"button:open-(export|check)|(read|first)-(card|zip)|menu-export"
# Of the dialog that edits a collection, which the scenario of their list drives, and what opens it.
FORM_CONTROLS = r"rule|group|swatch|collection-note|(save|close)-collection|save-search"
# Of the page of a collection; the others are those of the library.
COLLECTION_CONTROLS = (
    r"play-all|collection-(name|pads|download|playlist|share)|:note|sort-(menu|by|position)|edit-collection"
    r"|delete-collection|menu-(up|down|start|remove)|bulk-remove|row-menu|a /library"
)
# Of a link that was made from a menu; the scenario of the links drives them.
LINK_CONTROLS = "share-link >|keep-link"
# Dialogs of bulk edits, which test_bulk.py drives: they change the names that others look for.
BULK_CONTROLS = r"button:(bulk-edit|edit-results|open-bulk-edits)$"
# Of a list that is sorted by likeness, and what leads to it.
LIKENESS_CONTROLS = r"weights?-|likeness-chip|menu-like"
# The panel of the player is the same on every page; the scenario of the library operates it.
PREVIEW_PANEL = r":match-(bpm|key|on|own|project|switch|close)$"
# Of the two-factor section once it is begun, which needs a fresh proof: of the scenario "account".
TWO_FACTOR_CONTROLS = r"input:code|(confirm|cancel|turn-off)-2fa|put-away|renew-codes"
TOKEN = "?token=" + "x" * 43
# Visible only briefly, during an upload.
TRANSIENT_CONTROLS = frozenset(
    {
        "button:cancel-uploads",
        "input Folder names become tags",
        "input:root-tag",  # clicked in test_uploads.py
        "upload > button.icon-button",
        "sample-row > button:row-cancel",
        "button:close-notice",  # clicked in test_trash.py
        "button:cancel-question",  # clicked in test_account_security.py
        "a:notice-open",  # clicked in test_projects.py
        "button:confirm-deletion",  # clicked in test_projects.py
        "button:match-close",  # clicked in test_preview_match.py
        "button:cancel-download",  # clicked in test_downloads.py
        "button:download-in-background",  # clicked in test_downloads.py
        "button.button Show all sounds",  # clicked in test_duplicates.py
        "button:offer",  # clicked in test_words_of_sound.py
        "button:filters-veil",  # tapped in test_phone.py, beside the sheet that covers its middle
        # Of the empty library, which has its own scenario.
        "input:choose-first",
        "input:choose-first-folder",
        "button.button Choose sounds",
        "button.button Choose a folder",
    }
)


def url(part: str) -> Callable[[Page], None]:
    """Expect a part of the URL."""
    return lambda page: expect(page).to_have_url(re.compile(re.escape(part)))


def seen(selector: str, text: str = "") -> Callable[[Page], None]:
    """Expect a visible element with a text."""
    return lambda page: expect(page.locator(selector, has_text=text).first).to_be_visible()


# Expected effects of the most important controls; of all others, any effect suffices.
EXPECTED_EFFECTS: dict[str, Callable[[Page], None]] = {
    "sample-row > input:rename": seen("[data-testid=name]", "Renamed"),
    "input:search": url("q=softer"),
    "select:key": url("key="),
    "select:kind": url("kind="),
    "select:rating_min": url("rating_min="),
    "button:columns": seen("[data-testid=columns-menu]"),
    "sample-row > button:menu-like": url("like="),
    "input:weight-timbre": url("weights=50%2C"),
    "button:room-loops": url("kind=loop"),
    "button:room-trash": url("view=trash"),
    "button:sort-name": url("sort=name"),
    "button:bulk-tag": seen("[data-testid=tag-input]"),
    "button:bulk-delete": seen("[data-testid=notice]", "moved to the trash"),
    "button:bulk-restore": seen("[data-testid=notice]", "restored"),
    "button:bulk-pads": seen("[data-testid=put-on-pads-dialog]"),
    "button:bulk-download": seen("[data-testid=download-dialog]"),
    "button:bulk-project": seen("[data-testid=new-project-dialog]"),
    "button:bulk-delete_for_good": seen("[data-testid=deletion]"),
    "button:create-project": url("/projects/"),
    "button:share": seen("[data-testid=share-dialog]"),
    "button:create-link": seen("[data-testid=share-link]"),
    "button:ask-revoke": seen("[data-testid=revoke-dialog]"),
    "button:revoke-link": seen("[data-testid=notice]", "Link revoked"),
    "button:share-days": seen("[data-testid=day-table]"),
    "button:take-down": seen("[data-testid=report-said]", "taken down"),
    "button:dismiss-report": seen("[data-testid=report-said]", "dismissed"),
    "project-choice-item > button:choose-project": seen("[data-testid=notice]", "on pad"),
    "project > button:menu-convert": seen("[data-testid=report]"),
    "project > button:menu-delete": seen("[data-testid=notice]", "moved to the trash"),
    "project > button:menu-duplicate": seen("[data-testid=notice]", "copy"),
    "project > input:rename": seen("[data-testid=name]", "Renamed"),
    "button:view-trash": url("view=trash"),
    "button:bulk-collect": seen("[data-testid=add-to-collection]"),
    "button:like-these": seen("[data-testid=collection-form]"),
    "picker-choice > li:picker-choice": seen("[data-testid=notice]", "sound"),  # added, or in it
    "picker-new > li:picker-new": seen("[data-testid=notice]", "created"),
    "collection > button:menu-delete": seen("[data-testid=notice]", "moved to the trash"),
    "collection > button:menu-duplicate": seen("[data-testid=notice]", "copy"),
    "collection > button:menu-edit": seen("[data-testid=collection-form]"),
    "collection > input:choose-collection": seen("[data-testid=merge-bar]"),
    "button:new-smart-collection": seen("[data-testid=rule-editor]"),
    "button:collection-pads": seen("[data-testid=put-on-pads-dialog]"),
    "button:collection-download": seen("[data-testid=download-dialog]"),
    "input:collection-name": seen("h1", "Renamed"),
    "sample-row > button:menu-remove": seen("[data-testid=notice]", "Removed 1 sound"),
    "button:sort-by-name": seen("[data-testid=notice]", "Sorted by name."),
    "button:delete-collection": url("/collections"),
    "button:import-csv": seen("[data-testid=csv-dialog]"),
    "button:find-by-sound": seen("[data-testid=finder]"),
    "input:sample-name": seen("h1", "Renamed"),
    "button:throw-away": seen("[data-testid=notice]", "moved to the trash"),
    "input:theme-light": seen("[data-theme=light]"),
    "button:save-names": seen("[data-testid=names-said]", "Saved."),
    "button:make-token": seen("[data-testid=new-token]"),
    "button:choose-free": seen("[data-testid=question]"),
    "button:choose-pro": seen("[data-testid=question]"),
    "button:choose-enterprise": seen("[data-testid=question]"),
    "button:cancel": seen("[data-testid=cancel-question]"),
}


def focused(test_id: str) -> Callable[[Page], None]:
    """Expect a control with the focus."""
    return lambda page: expect(page.get_by_test_id(test_id)).to_be_focused()


# A double click resets a knob; one at its default stays.
PAD_EFFECTS = {
    f"span:{test_id} twice": focused(test_id)
    for test_id in (name if "-" in name else f"knob-{name}" for name in KNOBS)
}
# Event handlers whose state takes long to create. Value: the test that calls them, and the call.
HANDLERS_DRIVEN_ELSEWHERE = {
    "account_state.set_theme": ("test_theme.py", 'choose(page, "light")'),
    "layout_state.show_theme": ("test_theme.py", 'expect_theme(page, "light")'),
    "sample_state.load": ("test_theme.py", 'page.goto(f"/samples/{sample_id}")'),
    "usage_state.load": ("test_theme.py", 'page.goto("/usage")'),
    "library_state.prepare_return": ("test_browser_history.py", "demo.go_back()"),
    "library_state.close_filters": ("test_phone.py", "done.dblclick()"),
    "library_state.toggle_tag": ("test_browser_history.py", 're.compile("^drums")).click()'),
    "library_state.remove_chips": ("test_words_of_sound.py", "chips.click()"),
    "library_state.select_samples": ("test_map.py", "page.mouse.up()"),
    "billing_state.keep": ("test_billing.py", 'get_by_test_id("keep").click()'),
    "billing_state.to_payment": ("test_billing.py", 'get_by_test_id("pay").click()'),
    "download_state.set_template": ("test_downloads.py", 'template.fill("{tempo}")'),
    "download_state.toggle_folders": (
        "test_downloads.py",
        'get_by_test_id("download-folders").click()',
    ),
    "download_state.choose_format": (
        "test_downloads.py",
        'get_by_test_id("format-sx").check(force=True)',
    ),
    "download_state.toggle_tags": ("test_data.py", 'get_by_test_id("download-tags").click()'),
    "download_state.cancel": (
        "test_downloads.py",
        'get_by_test_id("cancel-download").click()',
    ),
    "pads_state.retry_render": ("test_pad_shaping.py", 'name="Try again").click()'),
    "project_list_state.delete_for_good": (
        "test_projects.py",
        'get_by_test_id("confirm-deletion").click()',
    ),
    "project_list_state.stop_renaming": (
        "test_projects.py",
        'choose(page, "Day set", "rename")',
    ),
    "permanent_deletion_state.ask_about": (
        "test_trash.py",
        'get_by_test_id("menu-delete-for-good").click()',
    ),
    "permanent_deletion_state.ask_about_trash": (
        "test_trash.py",
        'get_by_test_id("empty-trash").click()',
    ),
    "permanent_deletion_state.confirm": (
        "test_projects.py",
        'get_by_test_id("confirm-deletion").click()',
    ),
    "bulk_edit_state.open_for_selection": ("test_bulk.py", 'get_by_test_id("bulk-edit").click()'),
    "bulk_edit_state.open_for_results": ("test_bulk.py", 'get_by_test_id("edit-results").click()'),
    "bulk_edit_state.choose_tab": ("test_bulk.py", 'get_by_test_id("bulk-tab-rename").click()'),
    "bulk_edit_state.set_value": ("test_bulk.py", 'get_by_test_id("bulk-bpm").fill("5")'),
    "bulk_edit_state.toggle_tag": ("test_bulk.py", "tags.nth(0).click()"),
    "bulk_edit_state.toggle_suggestion": (
        "test_bulk.py",
        'get_by_test_id("bulk-accept").click()',
    ),
    "bulk_edit_state.apply": ("test_bulk.py", 'get_by_test_id("bulk-apply")'),
    "bulk_edit_state.close": ("test_bulk.py", 'get_by_role("button", name="Cancel").click()'),
    "bulk_progress_state.open_list": (
        "test_bulk.py",
        'get_by_test_id("open-bulk-edits").click()',
    ),
    "bulk_progress_state.close_list": (
        "test_bulk.py",
        'get_by_test_id("close-bulk-edits").click()',
    ),
    "bulk_progress_state.undo": ("test_bulk.py", 'get_by_test_id("bulk-undo").click()'),
    "bulk_progress_state.cancel": ("test_bulk.py", 'get_by_test_id("bulk-cancel").click()'),
    "pads_state.set_positions": ("test_pad_shaping.py", 'get_by_test_id("handle-start")'),
    "pads_state.save_midi": ("test_pad_playing.py", 'get_by_test_id("menu-learn").click()'),
    "export_state.open_dialog": ("test_cards.py", 'get_by_test_id("open-export").click()'),
    "export_state.close": ("test_cards.py", 'get_by_test_id("close-export").click()'),
    "export_state.choose_device": ("test_cards.py", 'get_by_test_id("export-mk2").click()'),
    "export_state.choose_place": (
        "test_cards.py",
        'get_by_test_id("export-place").select_option("export")',
    ),
    "export_state.choose_slot": (
        "test_cards.py",
        'get_by_test_id("export-slot").select_option("3")',
    ),
    "export_state.start": ("test_cards.py", 'get_by_test_id("start-export").click()'),
    "export_state.cancel": ("test_cards.py", 'get_by_test_id("cancel-export").click()'),
    "export_state.go_back": ("test_cards.py", 'get_by_test_id("export-again").click()'),
    "export_state.show_pad": ("test_cards.py", 'get_by_test_id("check-pad").first.click()'),
    "doctor_state.open_dialog": ("test_cards.py", 'get_by_test_id("open-check").click()'),
    "doctor_state.close": ("test_cards.py", 'get_by_test_id("close-check").click()'),
    "doctor_state.fix": ("test_cards.py", 'get_by_test_id("fix").first.click()'),
    "doctor_state.undo_fix": ("test_cards.py", 'get_by_test_id("undo-fix").click()'),
    "doctor_state.show_pad": ("test_cards.py", 'get_by_test_id("problem-pad").first.click()'),
    "add_to_collection_state.drop": ("test_collections.py", 'row(page, "Hat"), rail.first'),
    "collection_state.place": ("test_collections.py", 'row(page, "Snare"), row(page, "Hat")'),
    "collection_form_state.open_search": (
        "test_collections.py",
        'get_by_test_id("save-search").click()',
    ),
    "collection_list_state.ask_to_merge": (
        "test_collections.py",
        'get_by_test_id("merge").click()',
    ),
    "collection_list_state.merge": (
        "test_collections.py",
        'get_by_test_id("confirm-merge").click()',
    ),
    "collection_list_state.delete_for_good": (
        "test_collections.py",
        'get_by_test_id("confirm-deletion").click()',
    ),
    "pads_state.move_pad": ("test_pads.py", 'get_by_test_id("menu-paste").click()'),
    "pads_state.put_sample": ("test_pads.py", "kit.drag(kit.row(name), kit.face(key))"),
}


@dataclass(slots=True)
class PageScenario:
    """A page in a certain state, opened by a certain user."""

    address: str
    ready: str  # selector of an element that is visible once the page has loaded
    user: str = ""
    keys: tuple[str, ...] = ()
    before_keys: dict[str, tuple[str, ...]] = field(default_factory=dict)
    sql: str = ""  # restores the state before each visit
    on_another_device: bool = False  # the user has a second session
    width: int = 1440
    only: str = ""  # pattern of control names; the others belong to other scenarios
    type_as: str = ""  # the user whose email is typed
    fills_pads: bool = False  # before each visit
    effects: dict[str, Callable[[Page], None]] | None = None  # instead of EXPECTED_EFFECTS
    allowed: tuple[str, ...] = ()  # parts of error messages


@dataclass(slots=True)
class RunRecord:
    """The scenarios that were completed, and the event handlers that they called."""

    completed: set[str] = field(default_factory=set)
    events: set[str] = field(default_factory=set)  # names of the event handlers called


@pytest.fixture(scope="module")
def run() -> RunRecord:
    return RunRecord()


@pytest.fixture(scope="module")
def accounts(
    browser: Browser, base_url: str, product: Product, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[SeededAccounts]:
    with browser.new_context(base_url=base_url) as context:
        context.set_default_timeout(15_000)
        yield seed_data.seed(product, context.new_page(), tmp_path_factory.mktemp("sounds"))


HTML_PAGES = {"/status"}  # served by the API, because it has to work without Reflex
SCENARIOS = {
    "status": PageScenario("/status", "[data-testid=part]"),
    "start": PageScenario("/", "h1"),
    "sign-up": PageScenario("/signup", "[data-testid=submit]"),
    "sign-in": PageScenario("/login", "[data-testid=demo]"),
    "unconfirmed": PageScenario(
        "/login",
        "[data-testid=demo]",
        type_as="waiting",
        effects={"button:submit": seen("[data-testid=resend]")},
    ),
    "second step": PageScenario(
        "/login?step=code", "[data-testid=submit-code]", only=r"code|^a /login"
    ),
    "forgotten": PageScenario("/forgot-password", "[data-testid=submit]"),
    "new password": PageScenario(f"/reset-password{TOKEN}", "[data-testid=submit]"),
    "confirm address": PageScenario(f"/verify-email{TOKEN}", "[data-testid=go-on]"),
    "new address": PageScenario(f"/change-email{TOKEN}", "[data-testid=confirm]"),
    "old address": PageScenario(f"/revert-email{TOKEN}", "[data-testid=confirm]"),
    "sample": PageScenario(
        "/samples/{sample}",
        ".wave-plot .nsewdrag",
        "owner",
        SAMPLE_KEYS,
        BEFORE_KEYS,
        sql=seed_data.RESTORE_ALL_SQL,
        only=f"^(?!.*({LINK_CONTROLS}))",
    ),
    "sample in the trash": PageScenario(
        "/samples/{sample}",
        "[data-testid=restore]",
        "owner",
        sql=seed_data.TRASH_ALL_SQL,
        only="restore",
    ),
    "library": PageScenario(
        "/library?sort=-duration",  # a short sound may start and end before the driver looks
        "[data-testid=sample-row]",
        "owner",
        tuple(key for keys in LIBRARY_KEYS.values() for key in keys),
        # From the longest sound, because the list remembers the row of the key before. In the first
        # row, ArrowUp and Home would only play the same sound again.
        before_keys={
            "": ("Home",),
            "ArrowLeft": ("Home", "ArrowRight", "ArrowRight"),  # a busy machine plays slowly
            "ArrowUp": ("Home", "ArrowDown"),
            "Home": ("Home", "ArrowDown"),
            "Tab": ("Home", "F2"),
        },
        sql=seed_data.RESTORE_ALL_SQL,
        only=f"^(?!.*({FORM_CONTROLS}|{BULK_CONTROLS}|{LINK_CONTROLS}|{LIKENESS_CONTROLS}))",
    ),
    "library sorted by likeness": PageScenario(
        "/library?like={sample}",
        "[data-testid=weight-timbre]",
        "owner",
        sql=seed_data.RESTORE_ALL_SQL,
        only=f"{LIKENESS_CONTROLS}|row-menu",
    ),
    "map": PageScenario(
        "/map",
        "[data-testid=map-class]",
        "owner",
        sql=seed_data.RESTORE_ALL_SQL,
        only=r"map-(?!canvas)|view-",
    ),
    "library on a phone": PageScenario(
        "/library",
        "[data-testid=sample-row]",
        "owner",
        sql=seed_data.RESTORE_ALL_SQL,
        width=390,
        only=r"^(button.button Add|button.room)",
    ),
    "filters on a phone": PageScenario(
        "/library",
        "[data-testid=sample-row]",
        "owner",
        sql=seed_data.RESTORE_ALL_SQL,
        width=390,
        only=r"^(select|input:(bpm|duration)|button:filters(?!-veil))",
    ),
    "empty library": PageScenario(
        "/library",
        "[data-testid=empty-library]",
        "changer",
        sql=seed_data.EMPTY_LIBRARY_SQL,
        only=r"choose-first|Choose (sounds|a folder)|close-uploads",
    ),
    "trash": PageScenario(
        "/library?view=trash",
        "[data-testid=sample-row]",
        "owner",
        sql=seed_data.TRASH_SOME_SQL,
        only=r"restore|delet|Cancel|sample-row > input",
    ),
    "collections": PageScenario(
        "/collections",
        "[data-testid=collection]",
        "owner",
        sql=seed_data.RESTORE_COLLECTIONS_SQL,
        only=f"^(?!.*({LINK_CONTROLS}))",
    ),
    "collections in the trash": PageScenario(
        "/collections?view=trash",
        "[data-testid=restore]",
        "owner",
        sql=seed_data.TRASH_COLLECTIONS_SQL,
        only=r"collection >|Cancel",
    ),
    "no collections": PageScenario(
        "/collections",
        "[data-testid=no-collections]",
        "changer",
        only=r"first-(smart-)?collection",
    ),
    "collection": PageScenario(
        "/collections/{collection}",
        "[data-testid=sample-row]",
        "owner",
        ("Alt+ArrowDown", "Delete"),
        before_keys={"": ("Home",)},
        sql=seed_data.RESTORE_ALL_SQL + "; " + seed_data.RESTORE_COLLECTIONS_SQL,
        only=COLLECTION_CONTROLS,
    ),
    "collection in the trash": PageScenario(
        "/collections/{collection}",
        "[data-testid=restore-collection]",
        "owner",
        sql=seed_data.TRASH_COLLECTIONS_SQL,
        only="restore-collection",
    ),
    # Bank B, because the first choice of "Copy to" and "Swap with" is bank A.
    "pads": PageScenario(
        "/projects/{project}?pad=B1",
        "[data-testid=pad-B1].lit",
        "owner",
        PAD_KEYS_PRESSED,
        sql=seed_data.PADS_SQL,
        only=f"^(?!{OTHER_PADS}|button.button Cancel$|.*({CARD_CONTROLS}|{LINK_CONTROLS}))",
        fills_pads=True,
        effects=PAD_EFFECTS,
        # The audio of pads that were copied and cleared at once.
        allowed=("/pads/A/", "status of 404"),
    ),
    "pads on a phone": PageScenario(
        "/projects/{project}?pad=B1",
        "[data-testid=pad-B1].lit",
        "owner",
        sql=seed_data.PADS_SQL,
        width=390,
        only=r"open-(sounds|pad)",
        fills_pads=True,
    ),
    "pads in the trash": PageScenario(
        "/projects/{project}",
        "[data-testid=restore-project]",
        "owner",
        sql=seed_data.TRASH_PROJECTS_SQL,
        only="restore-project",
    ),
    "projects": PageScenario(
        "/projects",
        "[data-testid=project]",
        "owner",
        sql=seed_data.RESTORE_PROJECTS_SQL,
        only=f"^(?!.*({CARD_CONTROLS}|{LINK_CONTROLS}))",
    ),
    "projects in the trash": PageScenario(
        "/projects?view=trash",
        "[data-testid=restore]",
        "owner",
        sql=seed_data.TRASH_PROJECTS_SQL,
        only=r"project >|confirm-deletion|Cancel",
    ),
    "no projects": PageScenario(
        "/projects", "[data-testid=no-projects]", "changer", only="first-project"
    ),
    "billing": PageScenario("/billing", "[data-testid=plan-name]", "owner"),
    # Confirming may have made Enterprise the plan, which then has no button.
    "plans": PageScenario("/plans", "[data-testid=plan-enterprise]", "owner"),
    "usage": PageScenario("/usage", "[data-testid=analyses-used]", "owner"),
    "shared links": PageScenario(
        "/shares", "[data-testid=share-link]", "owner", sql=seed_data.RESTORE_LINKS_SQL
    ),
    "account": PageScenario("/account", "[data-testid=device]", "changer", on_another_device=True),
    "account after a while": PageScenario(
        "/account",
        "[data-testid=device]",
        "doubter",
        sql=seed_data.EXPIRE_REAUTHENTICATION_SQL,
        on_another_device=True,
        only=f"^(?!.*({TWO_FACTOR_CONTROLS}))",
    ),
    "operator": PageScenario(
        "/operator",
        "[data-testid=compare]",
        "operator",
        sql=f"{seed_data.FAILED_EVENTS_SQL}; {seed_data.OPEN_REPORTS_SQL}",
    ),
    "outbox": PageScenario("/dev/outbox", "[data-testid=mail]"),
    "emulator": PageScenario("/dev/stripe", "[data-testid=send-again]"),
}


def open_page(
    page: Page, scenario: PageScenario, accounts: SeededAccounts, product: Product
) -> None:
    """Restore the state of a scenario and open its page."""
    accounts.sign_in(page, scenario.user)
    if scenario.sql:
        seed_data.run_sql(product, scenario.sql)
    if scenario.fills_pads:
        accounts.fill_pads(page)
    page.goto(
        scenario.address.format(
            sample=accounts.sample,
            project=accounts.project,
            collection=accounts.collection,
        )
    )
    page.locator(scenario.ready).first.wait_for()


# Before the next test, whose controls change a lot.
@pytest.mark.parametrize("name", SCENARIOS)
def test_a_page_has_no_barriers_and_targets_for_fingers(
    name: str, page: Page, accounts: SeededAccounts, product: Product
) -> None:
    page.set_viewport_size({"width": SCENARIOS[name].width, "height": 900})
    open_page(page, SCENARIOS[name], accounts, product)
    found = find_barriers(page)
    assert not found, "\n".join(found)
    page.set_viewport_size({"width": 390, "height": 844})
    small = find_small_targets(page)
    assert not small, "\n".join(small)


@pytest.mark.parametrize("name", SCENARIOS)
def test_every_control_has_an_effect_and_causes_no_error(
    name: str,
    page: Page,
    accounts: SeededAccounts,
    run: RunRecord,
    product: Product,
    playwright: Playwright,
    tmp_path: Path,
) -> None:
    scenario = SCENARIOS[name]
    driver = ControlDriver(page, run.events, files(tmp_path / "Kit"))
    driver.values = FIELD_VALUES | (
        {"email": accounts.known[scenario.type_as].email} if scenario.type_as else {}
    )
    # If reauthentication is required, controls only open its dialog.
    reauthenticates = scenario.sql == seed_data.EXPIRE_REAUTHENTICATION_SQL
    usual = {} if reauthenticates else EXPECTED_EFFECTS
    driver.expected_effects = usual if scenario.effects is None else scenario.effects
    driver.allowed = scenario.allowed
    driver.before_keys, driver.transient = scenario.before_keys, TRANSIENT_CONTROLS
    driver.only = scenario.only
    if name != "library":
        driver.left_out = PREVIEW_PANEL

    def reopen() -> None:
        if scenario.on_another_device:
            accounts.sign_in_on_another_device(playwright, scenario.user)
        if not scenario.user:
            page.context.clear_cookies()
        open_page(page, scenario, accounts, product)
        driver.settle()

    page.set_viewport_size({"width": scenario.width, "height": 900})
    driver.drive_all(reopen, scenario.keys)
    run.completed.add(name)
    assert driver.driven
    assert driver.errors == []


def files(folder: Path) -> dict[str, Callable[[], FilePayload | Path]]:
    """Return functions that create the file for each file input, with a new sound each time."""

    def sound() -> FilePayload:
        # Long enough that it still plays when the next key stops it, also on a busy machine.
        data = wav(next(PITCHES), seconds=5.0)
        return FilePayload(name="Drop.wav", mimeType="audio/wav", buffer=data)

    def whole_folder() -> Path:
        folder.mkdir(exist_ok=True)
        (folder / "Rim.wav").write_bytes(wav(next(PITCHES)))
        return folder

    def portrait() -> FilePayload:
        return FilePayload(name="me.png", mimeType="image/png", buffer=picture())

    def values() -> FilePayload:
        content = b"name,rating\nNobody,3\n"
        return FilePayload(name="values.csv", mimeType="text/csv", buffer=content)

    return {"": sound, "folder": whole_folder, "picture": portrait, "csv-file": values}


def test_every_page_and_every_shortcut_has_a_scenario() -> None:
    paths = {scenario.address.partition("?")[0] for scenario in SCENARIOS.values()}
    ids = {f"{{{name}}}": f"[{name}_id]" for name in ("sample", "project", "collection")}
    opened = {re.sub(r"{\w+}", lambda found: ids[found[0]], path) for path in paths}
    assert {page.route for page in PAGES} | HTML_PAGES == opened
    assert {keys for keys, _ in KEYBOARD} == set(LIBRARY_KEYS)


def test_every_event_handler_in_the_pages_was_called(product: Product, run: RunRecord) -> None:
    if run.completed != set(SCENARIOS):
        pytest.skip("requires that all scenarios of this module have run")
    named = set()
    for folder in ("app", "app_components"):
        for path in (product.home / "web" / folder).rglob("*.jsx"):
            named |= set(re.findall(r'ReflexEvent\("([^"]+)"', path.read_text()))
    ours = {name for name in named if not name.startswith("_")}  # "_download" is Reflex's
    missing = {name.rpartition("____")[2] for name in ours - run.events}
    for handler in missing & set(HANDLERS_DRIVEN_ELSEWHERE):
        file, line = HANDLERS_DRIVEN_ELSEWHERE[handler]
        assert line in (HERE / file).read_text()
    assert missing - set(HANDLERS_DRIVEN_ELSEWHERE) == set()


def test_the_built_pages_have_no_undefined_names(product: Product) -> None:
    """A handler built inside a loop may refer to the loop variable outside of it."""
    home = Home(product.home)
    link_node(home)
    command = [home.node / "node", HERE / "undefined_names.mjs", home.web.resolve()]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == ""
    assert int(done.stderr.split()[0]) > 30
