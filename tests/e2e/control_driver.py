"""Operate every control of a page once and record errors."""

import re
import time
from collections import Counter
from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import Error, FilePayload, Locator, Page

from tests.e2e.page_monitor import PageMonitor
from tests.e2e.page_scripts import (
    IS_BUSY,
    LIST_CONTROLS,
    PAGE_HASH,
    SENT_BY_ENTER,
    UNFILLED_FIELDS,
    WAIT_UNTIL_QUIET,
)

MAX_CONTROLS = 250  # per page
MAX_ATTEMPTS = 4  # per control
SETTLE_TIMEOUT_S = 6.0
DRAWING_TIMEOUT_S = 60.0
QUIET_MS = 80
REST_MS = 400  # after which no new control is expected to appear
NOT_OPERABLE = "could not be operated"
SERVER_ERROR_TEXT = "Something went wrong on our side."
# Operated last: they leave the page, close a dialog or delete something.
LEAVING_LABELS = (
    "sign out",
    "delete my account",
    "delete account",
    "delete permanently",
    "delete",
    "sign out other devices",
)
CLOSING_LABELS = (
    "close",
    "done",
    "cancel",
    "go back",
    "×",
    "keep plan",
    "keep my account",
    "keep account",
)
TEXT_INPUT_TYPES = ("text", "search", "email", "password", "number", "tel", "url", "textarea")

Value = str | Callable[[Page], str]


@dataclass(frozen=True, slots=True)
class Control:
    """A control on a page."""

    number: int
    name: str
    tag: str
    type: str
    field: str
    href: str
    text: str
    folder: bool
    double: bool
    inDialog: bool  # noqa: N815 - as the browser writes it

    @property
    def rank(self) -> int:
        """Return the order in which it is operated; the most disruptive come last."""
        if self.text in LEAVING_LABELS:
            return 9
        if self.href:
            return 8
        if self.text in CLOSING_LABELS or self.tag == "div":
            return 7
        if self.type == "submit":
            return 6
        return {"input": 1, "textarea": 1, "select": 2}.get(self.tag, 3)


@dataclass
class ControlDriver:
    """Operates the controls of one page."""

    page: Page
    events: set[str]  # names of the event handlers called, on all pages
    files: dict[str, Callable[[], FilePayload | Path]] = field(default_factory=dict)
    values: dict[str, Value] = field(default_factory=dict)
    before_keys: dict[str, tuple[str, ...]] = field(default_factory=dict)
    allowed: tuple[str, ...] = ()  # parts of expected error messages
    errors: list[str] = field(default_factory=list)
    driven: dict[str, str] = field(default_factory=dict)  # control: the one that revealed it
    seen: dict[str, list[str]] = field(default_factory=dict)  # control: all that revealed it
    expected_effects: dict[str, Callable[[Page], None]] = field(default_factory=dict)
    only: str = ""  # pattern of control names; the others belong to other scenarios
    left_out: str = r"$^"  # pattern of control names that another scenario operates
    transient: AbstractSet[str] = frozenset()  # controls that are visible only briefly
    at: str = "opening"
    home: str = ""  # the path of the scenario's page
    _tries: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        """Start monitoring the page."""
        self.monitor = PageMonitor(self.page, self.report_error, self.events)

    def report_error(self, text: str) -> None:
        """Record an error at the current control."""
        if not any(part in text for part in self.allowed):
            self.errors.append(f"{self.at}: {text}")

    def settle(self) -> None:
        """Wait until all events are answered and the page has stopped changing."""
        until = time.monotonic() + SETTLE_TIMEOUT_S
        self.page.wait_for_timeout(15)
        while not self.monitor.all_answered and time.monotonic() < until:
            self.page.wait_for_timeout(15)
        if self._wait_for_picture():
            until = time.monotonic() + SETTLE_TIMEOUT_S
        while time.monotonic() < until:
            try:
                self.page.evaluate(WAIT_UNTIL_QUIET, QUIET_MS)
                if not self.page.evaluate(IS_BUSY):
                    break
            except Error:  # the page is navigating
                self.page.wait_for_timeout(50)
        if SERVER_ERROR_TEXT in self._text():
            self.report_error(SERVER_ERROR_TEXT)

    def _wait_for_picture(self) -> bool:
        """Wait until a spectrogram is drawn; return whether one was being drawn.

        The first one waits until librosa is compiled.
        """
        until, waited = time.monotonic() + DRAWING_TIMEOUT_S, False
        while time.monotonic() < until and self._is_drawing():
            waited = True
            self.page.wait_for_timeout(100)
        return waited

    def _is_drawing(self) -> bool:
        try:
            return self.page.locator("[data-testid=picture] [role=status]").count() > 0
        except Error:  # the page is navigating
            return False

    def _text(self) -> str:
        try:
            return self.page.inner_text("body")
        except Error:
            return ""

    def act(self, name: str, action: Callable[[], Any]) -> None:
        """Perform an action; no visible effect counts as an error."""
        self.at = name
        activity, before = self.monitor.activity, self.page.evaluate(PAGE_HASH)
        try:
            action()
        except Error as error:
            self.report_error(f"{NOT_OPERABLE}: {error.message.splitlines()[0]}")
            return
        self.settle()
        if name in self.expected_effects:
            self._expect(self.expected_effects[name])
        elif self.monitor.activity == activity and self._look() == before:
            self.report_error("nothing happened")

    def _expect(self, effect: Callable[[Page], None]) -> None:
        try:
            effect(self.page)
        except AssertionError as error:
            self.report_error(str(error).splitlines()[0])

    def controls(self) -> list[Control]:
        """Return the controls that can be operated now, the least disruptive first."""
        found = [Control(**each) for each in self.page.evaluate(LIST_CONTROLS)]
        chosen = [each for each in found if re.search(self.only, each.name)]
        wanted = [each for each in chosen if not re.search(self.left_out, each.name)]
        return sorted(wanted, key=lambda each: each.rank)

    def drive_all(self, reopen: Callable[[], None], keys: Sequence[str] = ()) -> None:
        """Operate every control, including those that appear on the way, and then the keys."""
        self._reopen = reopen
        reopen()
        self.home = self._path()
        self._drive_new("")
        for key in keys:
            reopen()
            before = self._path()
            self._key(key)
            if self._path() == before:
                self._drive_new(f"key {key}")
        while left := [each for each in self.seen if each not in {*self.driven, *self.transient}]:
            self._drive_again(left[0])

    def _drive_new(self, through: str) -> None:
        """Operate controls until no new one appears, even after reopening the page."""
        waited = reopened = False
        while len(self.driven) < MAX_CONTROLS:
            if self._path() != self.home:  # a link whose page came late
                self._reopen()
                through = ""
            here = self._controls_at_home()
            for each in here:
                ways = self.seen.setdefault(each.name, [])
                ways += [through] if through not in ways else []
            new = next((each for each in here if each.name not in self.driven), None)
            if new:
                waited, through = False, self._drive_one(new, through)
            elif not waited:
                self.page.wait_for_timeout(REST_MS)
                waited = True
            elif self._close_dialog(here):
                waited = False
            elif not reopened:
                self._reopen()
                waited, reopened, through = False, True, ""
            else:
                return
        self.report_error(f"more than {MAX_CONTROLS} controls")

    def _controls_at_home(self) -> list[Control]:
        """Return the controls; none if another page came just now, because they may be its own."""
        found = self.controls()
        return found if self._path() == self.home else []

    def _drive_one(self, control: Control, through: str) -> str:
        """Operate a control; return the name of the control after which the next ones appear."""
        self.at = control.name
        self._tries[control.name] += 1
        if self._tries[control.name] > MAX_ATTEMPTS:
            self.driven[control.name] = through
            self.report_error("appears and disappears, and could not be operated")
            return through
        if not self._place(control).count():
            return through  # it disappeared; it is operated if it appears again
        self.driven[control.name] = through
        before = self._path()
        if not self._drive_with_retry(control):
            del self.driven[control.name]
            return ""
        if self._path() == before:
            return control.name
        self._reopen()
        return ""

    def _drive_with_retry(self, control: Control) -> bool:
        """Operate a control, once more if it moved; return whether it exists."""
        errors = len(self.errors)
        self.drive(control)
        if not any(NOT_OPERABLE in error for error in self.errors[errors:]):
            return True
        del self.errors[errors:]
        self._reopen()
        again = next((each for each in self.controls() if each.name == control.name), None)
        if again is not None:
            self.drive(again)
        return again is not None

    def _path(self) -> str:
        return self.page.url.partition("?")[0]

    def _place(self, control: Control) -> Locator:
        return self.page.locator(f'[data-drive="{control.number}"]')

    def _drive_again(self, name: str) -> None:
        """Reach and operate a control that was seen but disappeared before its turn."""
        for opener in self.seen[name][:MAX_ATTEMPTS]:
            for first in self._ways_to(opener)[:MAX_ATTEMPTS]:
                self._reopen()
                for step in (first, opener, name):
                    self._step(step)
                if name in self.driven:
                    self._drive_new(name)
                    return
        self.at, self.driven[name] = name, ""
        self.report_error("was visible once and could not be reached again")

    def _ways_to(self, opener: str) -> list[str]:
        """Return after what an opener was seen; keys work on a page that was just opened."""
        first, *others = self.seen.get(opener, [""])
        return [first, *sorted(others, key=lambda way: not way.startswith("key "))]

    def _step(self, name: str) -> None:
        if name.startswith("key "):
            self._key(name.removeprefix("key "))
            return
        here = next((each for each in self.controls() if each.name == name), None)
        if here is not None:
            self.driven.setdefault(name, "again")
            self.drive(here)

    def _select(self, control: Control, place: Locator) -> None:
        if place.is_enabled():  # a filter whose values no sound has is not
            self.act(control.name, lambda: place.select_option(index=1, timeout=3000))

    def drive(self, control: Control) -> None:
        """Operate a control according to its type."""
        place = self._place(control)
        if control.tag in ("plot", "canvas"):
            place.scroll_into_view_if_needed(timeout=3000)
            place.hover(timeout=3000)
            self.act(f"{control.name} wheel", lambda: self.page.mouse.wheel(0, -200))
        if control.tag == "select":
            self._select(control, place)
        elif control.type == "file":
            self.act(
                control.name,
                lambda: place.set_input_files(
                    self._file("folder" if control.folder else control.field)
                ),
            )
        elif control.type in TEXT_INPUT_TYPES and control.tag in ("input", "textarea"):
            self.act(control.name, lambda: self._type(place, control))
        elif control.name.startswith("div.veil"):  # the dialog covers its centre
            self.act(control.name, lambda: place.click(timeout=3000, position={"x": 5, "y": 5}))
        else:
            if control.type == "submit":
                self._fill_form(place)
            self.act(control.name, lambda: place.click(timeout=3000))
        if control.double and place.count():
            self.act(f"{control.name} twice", lambda: place.dblclick(timeout=3000))

    def value(self, *names: str) -> str:
        """Return the text to type into the field with one of these names."""
        found = next((self.values[each] for each in names if each in self.values), "drums")
        return found if isinstance(found, str) else found(self.page)

    def _file(self, name: str) -> Any:
        """Create the file to choose; always a new one, because duplicates are refused."""
        return self.files.get(name, self.files[""])()

    def _fill_form(self, button: Locator) -> None:
        for name, kind in button.evaluate(UNFILLED_FIELDS):
            place = self.page.locator(f'[id="{name}"]')
            if kind == "file":
                place.set_input_files(self._file(name))
            elif kind == "checkbox":
                place.check(timeout=3000)
            else:
                place.fill(self.value(name), timeout=3000)

    def _type(self, place: Locator, control: Control) -> None:
        names = (control.field, control.name.rpartition(":")[2], control.type)
        place.fill(self.value(*names), timeout=3000)
        if not place.evaluate(SENT_BY_ENTER):
            place.blur()
            return
        place.press("Enter")
        self.settle()
        again = self.page.locator(f'[name="{control.field}"]')  # the response may replace the field
        if again.count() == 1:
            again.focus(timeout=3000)
            again.blur(timeout=3000)

    def _key(self, key: str) -> None:
        for each in self.before_keys.get(key, self.before_keys.get("", ())):
            self.page.keyboard.press(each)
            self.settle()
        self.act(f"key {key}", lambda: self.page.keyboard.press(key))

    def _close_dialog(self, here: list[Control]) -> bool:
        """Close the open dialog; return whether there was one and it is closed."""
        if not any(each.inDialog for each in here):
            return False
        closing = next((each for each in here if each.text in CLOSING_LABELS), None)
        if closing is None:
            self.page.keyboard.press("Escape")
        else:
            self.page.locator(f'[data-drive="{closing.number}"]').click(timeout=3000)
        self.settle()
        return not any(each.inDialog for each in self.controls())

    def _look(self) -> object:
        try:
            return self.page.evaluate(PAGE_HASH)
        except Error:
            return None
