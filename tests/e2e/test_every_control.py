"""Each control of each page is driven once; any error of the browser or the server is a failure.

The controls are found in the page, so a new one is driven without a line here. That none is missed
is read from the built pages: each event handler that they name has to be called.
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
from tests.e2e import stage
from tests.e2e.driving import Driver, Value
from tests.e2e.people import PASSWORD
from tests.e2e.stage import Cast
from tests.product import Product
from tests.services.account.test_avatars import picture
from tests.sounds import wav

PITCHES = count(300, 3)
HERE = Path(__file__).parent


def code(page: Page) -> str:
    """Return the code of the second factor that the page offers."""
    secret = page.locator("#totp-secret")
    return TOTP(secret.inner_text().replace(" ", "")).now() if secret.count() else "123456"


VALUES: dict[str, Value] = {
    "bpm": "93",
    "bpm_min": "1",
    "bpm_max": "999",
    "code": code,
    "current_password": PASSWORD,
    "delay_seconds": "0",
    "drop": "0",
    "duplicate": "0",
    "duration_max": "900",
    "duration_min": "0",
    "email": "somebody@example.org",
    "first_name": "Ada",
    "last_name": "Lovelace",
    "name": "Renamed",
    "number": "1",
    "password": PASSWORD,
    "proof": PASSWORD,
    "q": "softer",
    "search": "softer",
}
# Keys of the list, as the help names them, and how they are pressed.
LIBRARY_KEYS = {
    "↑ ↓": ("ArrowDown", "ArrowUp", "PageDown", "Home", "End"),
    "Space": (" ",),
    "← →": ("ArrowRight", "ArrowLeft"),
    "/": ("/",),
    "F": ("f",),
    "T": ("t",),
    "0 – 5": ("3", "0"),
    "F2": ("F2", "Tab"),
    "Enter": ("Enter",),
    "Del": ("Delete",),
    "Shift ↑ ↓": ("Shift+ArrowDown",),
    "Ctrl A": ("Control+a",),
    "Esc": ("Escape",),
    "?": ("?",),
}
SAMPLE_KEYS = (" ", "ArrowRight", "ArrowLeft", "Home", "+", "-", "Escape", "m", "f", "3", "t")
BEFORE_KEYS = {
    "ArrowLeft": ("ArrowRight",),
    "Home": ("ArrowRight",),
    "-": ("+",),
    "Escape": ("+",),
}
TOKEN = "?token=" + "x" * 43
# Seen for a moment only, while a file is on its way.
PASSING = frozenset(
    {
        "button:cancel-uploads",
        "input Folder names become tags",
        "upload > button.icon-button",
        "sample-row > button:row-cancel",
        # Parts of the empty library, which has a scene of its own.
        "input:choose-first",
        "input:choose-first-folder",
        "button.button Choose sounds",
        "button.button Choose a folder",
    }
)


def url(part: str) -> Callable[[Page], None]:
    """Expect a part of the address."""
    return lambda page: expect(page).to_have_url(re.compile(re.escape(part)))


def seen(selector: str, text: str = "") -> Callable[[Page], None]:
    """Expect an element with a text."""
    return lambda page: expect(page.locator(selector, has_text=text).first).to_be_visible()


# What has to come of the controls that matter most; of all others, something.
EFFECTS: dict[str, Callable[[Page], None]] = {
    "sample-row > input:rename": seen("[data-testid=name]", "Renamed"),
    "input:search": url("q=softer"),
    "select:key": url("key="),
    "button:room-loops": url("kind=loop"),
    "button:room-trash": url("view=trash"),
    "button:sort-name": url("sort=name"),
    "button:bulk-tag": seen("[data-testid=tag-input]"),
    "button:bulk-delete": seen("[data-testid=notice]", "moved to the trash"),
    "button:bulk-restore": seen("[data-testid=notice]", "restored"),
    "button:find-by-sound": seen("[data-testid=finder]"),
    "input:sample-name": seen("h1", "Renamed"),
    "button:throw-away": seen("[data-testid=notice]", "moved to the trash"),
    "input:theme-light": seen("[data-theme=light]"),
    "button:save-names": seen("[data-testid=names-said]", "Saved."),
    "button:make-token": seen("[data-testid=new-token]"),
    "button:choose-enterprise": seen("[data-testid=question]"),
    "button:cancel": seen("[data-testid=cancel-question]"),
}
# Handlers that need a state which takes time to bring about: the test that drives them, and how.
ELSEWHERE = {
    "billing_state.keep": ("test_billing.py", 'get_by_test_id("keep").click()'),
    "billing_state.to_payment": ("test_billing.py", 'get_by_test_id("pay").click()'),
}


@dataclass(slots=True)
class Scene:
    """A page in a state, and who is there."""

    address: str
    ready: str  # what can be seen when the page has read its state
    who: str = ""
    keys: tuple[str, ...] = ()
    before_keys: dict[str, tuple[str, ...]] = field(default_factory=dict)
    sql: str = ""  # brings the scene back before each visit
    elsewhere: bool = False  # whoever it is, is signed in at another device too
    width: int = 1440
    only: str = ""  # a pattern of names of controls: the others are driven in another scene
    type_as: str = ""  # whose address is typed


@dataclass(slots=True)
class Run:
    """What all scenes together did."""

    played: set[str] = field(default_factory=set)  # the scenes that came to their end
    events: set[str] = field(default_factory=set)  # the handlers that were called


@pytest.fixture(scope="module")
def run() -> Run:
    return Run()


@pytest.fixture(scope="module")
def cast(
    browser: Browser, base_url: str, product: Product, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Cast]:
    with browser.new_context(base_url=base_url) as context:
        context.set_default_timeout(15_000)
        yield stage.set_up(product, context.new_page(), tmp_path_factory.mktemp("sounds"))


SCENES = {
    "start": Scene("/", "h1"),
    "sign-up": Scene("/signup", "[data-testid=submit]"),
    "sign-in": Scene("/login", "[data-testid=demo]"),
    "unconfirmed": Scene("/login", "[data-testid=demo]", type_as="waiting"),
    "second step": Scene("/login?step=code", "[data-testid=submit-code]", only=r"code|^a /login"),
    "forgotten": Scene("/forgot-password", "[data-testid=submit]"),
    "new password": Scene(f"/reset-password{TOKEN}", "[data-testid=submit]"),
    "confirm address": Scene(f"/verify-email{TOKEN}", "[data-testid=confirm]"),
    "new address": Scene(f"/change-email{TOKEN}", "[data-testid=confirm]"),
    "old address": Scene(f"/revert-email{TOKEN}", "[data-testid=confirm]"),
    "sample": Scene(
        "/samples/{sample}",
        ".wave-plot .nsewdrag",
        "owner",
        SAMPLE_KEYS,
        BEFORE_KEYS,
        sql=stage.RESTORED,
    ),
    "sample in the trash": Scene(
        "/samples/{sample}", "[data-testid=restore]", "owner", sql=stage.ALL_GONE, only="restore"
    ),
    "library": Scene(
        "/library",
        "[data-testid=sample-row]",
        "owner",
        tuple(key for keys in LIBRARY_KEYS.values() for key in keys),
        before_keys={"": ("ArrowDown",), "Tab": ("ArrowDown", "F2")},
        sql=stage.RESTORED,
    ),
    "library on a phone": Scene(
        "/library",
        "[data-testid=sample-row]",
        "owner",
        sql=stage.RESTORED,
        width=390,
        only=r"^(select|input:(bpm|duration)|button.button (Filters|Add)|button.room)",
    ),
    "empty library": Scene(
        "/library",
        "[data-testid=empty-library]",
        "changer",
        sql=stage.NOTHING_YET,
        only=r"choose-first|Choose (sounds|a folder)|close-uploads",
    ),
    "trash": Scene(
        "/library?view=trash", "[data-testid=sample-row]", "owner", sql=stage.THROWN_AWAY
    ),
    "billing": Scene("/billing", "[data-testid=plan-name]", "owner"),
    "plans": Scene("/plans", "[data-testid=choose-enterprise]", "owner"),
    "usage": Scene("/usage", "[data-testid=analyses-used]", "owner"),
    "account": Scene("/account", "[data-testid=device]", "changer", elsewhere=True),
    "account after a while": Scene(
        "/account", "[data-testid=device]", "doubter", sql=stage.UNPROVED
    ),
    "operator": Scene("/operator", "[data-testid=compare]", "operator", sql=stage.GIVEN_UP),
    "outbox": Scene("/dev/outbox", "[data-testid=mail]"),
    "emulator": Scene("/dev/stripe", "[data-testid=send-again]"),
}


@pytest.mark.parametrize("name", SCENES)
def test_every_control_does_something_and_nothing_fails(
    name: str,
    page: Page,
    cast: Cast,
    run: Run,
    product: Product,
    playwright: Playwright,
    tmp_path: Path,
) -> None:
    scene = SCENES[name]
    driver = Driver(page, run.events, files(tmp_path / "Kit"))
    driver.values = VALUES | ({"email": cast.known[scene.type_as].email} if scene.type_as else {})
    # Where a password is asked for first, nothing else comes of a control.
    driver.effects = {} if scene.sql == stage.UNPROVED else EFFECTS
    driver.before_keys, driver.passing = scene.before_keys, PASSING
    driver.only = scene.only

    def reopen() -> None:
        if scene.elsewhere:
            cast.enter_elsewhere(playwright, scene.who)
        if not scene.who:
            page.context.clear_cookies()
        cast.enter(page, scene.who)
        if scene.sql:
            stage.run_sql(product, scene.sql)
        page.goto(scene.address.format(sample=cast.sample))
        page.locator(scene.ready).first.wait_for()
        driver.settle()

    page.set_viewport_size({"width": scene.width, "height": 900})
    driver.drive_all(reopen, scene.keys)
    run.played.add(name)
    assert driver.driven
    assert driver.faults == []


def files(folder: Path) -> dict[str, Callable[[], FilePayload | Path]]:
    """Return what is chosen for the fields of files: another sound each time."""

    def sound() -> FilePayload:
        return FilePayload(name="Drop.wav", mimeType="audio/wav", buffer=wav(next(PITCHES)))

    def whole_folder() -> Path:
        folder.mkdir(exist_ok=True)
        (folder / "Rim.wav").write_bytes(wav(next(PITCHES)))
        return folder

    def portrait() -> FilePayload:
        return FilePayload(name="me.png", mimeType="image/png", buffer=picture())

    return {"": sound, "folder": whole_folder, "picture": portrait}


def test_every_page_and_every_key_is_driven() -> None:
    paths = {scene.address.partition("?")[0] for scene in SCENES.values()}
    opened = {path.replace("{sample}", "[sample_id]") for path in paths}
    assert {page.route for page in PAGES} == opened
    assert {keys for keys, _ in KEYBOARD} == set(LIBRARY_KEYS)


def test_every_handler_that_a_page_names_was_called(product: Product, run: Run) -> None:
    if run.played != set(SCENES):
        pytest.skip("needs all scenes of this module to have run")
    named = set()
    for folder in ("app", "app_components"):
        for path in (product.home / "web" / folder).rglob("*.jsx"):
            named |= set(re.findall(r'ReflexEvent\("([^"]+)"', path.read_text()))
    missing = {name.rpartition("____")[2] for name in named - run.events}
    for handler in missing & set(ELSEWHERE):
        file, line = ELSEWHERE[handler]
        assert line in (HERE / file).read_text()
    assert missing - set(ELSEWHERE) == set()


def test_every_name_in_the_built_pages_is_defined(product: Product) -> None:
    """A handler that is built inside of a loop may name the loop's variable outside of it."""
    home = Home(product.home)
    link_node(home)
    command = [home.node / "node", HERE / "unresolved.mjs", home.web.resolve()]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == ""
    assert int(done.stderr.split()[0]) > 30
