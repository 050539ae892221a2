"""Drive every control of a page once, and note whatever goes wrong meanwhile."""

import re
import time
from collections import Counter
from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import Error, FilePayload, Locator, Page

from tests.e2e.scripts import BUSY, CONTROLS, LOOK, QUIET, SENT_BY_ENTER, UNFILLED
from tests.e2e.witness import Witness

MOST = 250  # controls of one page
WAYS = 4  # to a control that are tried again
SETTLE_SECONDS = 6.0
QUIET_MS = 80
REST_MS = 400  # after which nothing more is expected to appear
UNREACHED = "could not be driven"
WRONG = "Something went wrong on our side."
# Driven after everything else: they lead away, close, or end something.
LEAVING = ("sign out", "delete my account", "delete for good", "delete", "sign out the others")
CLOSING = ("close", "done", "cancel", "not now", "×", "keep", "keep my account", "no, keep it")
TYPED = ("text", "search", "email", "password", "number", "tel", "url", "textarea")

Value = str | Callable[[Page], str]


@dataclass(frozen=True, slots=True)
class Control:
    """Something on a page that can be acted on."""

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
        """Say how late it is driven."""
        if self.text in LEAVING:
            return 9
        if self.href:
            return 8
        if self.text in CLOSING or self.tag == "div":
            return 7
        if self.type == "submit":
            return 6
        return {"input": 1, "textarea": 1, "select": 2}.get(self.tag, 3)


@dataclass
class Driver:
    """One page under test."""

    page: Page
    events: set[str]  # names of the handlers that were called, on all pages
    files: dict[str, Callable[[], FilePayload | Path]] = field(default_factory=dict)
    values: dict[str, Value] = field(default_factory=dict)
    before_keys: dict[str, tuple[str, ...]] = field(default_factory=dict)
    allowed: tuple[str, ...] = ()  # parts of messages that are right to come
    faults: list[str] = field(default_factory=list)
    driven: dict[str, str] = field(default_factory=dict)  # control: what it was reached through
    seen: dict[str, list[str]] = field(default_factory=dict)  # the ways to all that was visible
    effects: dict[str, Callable[[Page], None]] = field(default_factory=dict)  # what has to be seen
    only: str = ""  # a pattern of names: the others are driven in another state
    passing: AbstractSet[str] = frozenset()  # what is there for a moment only
    at: str = "opening"
    _tries: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        """Listen."""
        self.witness = Witness(self.page, self.fault, self.events)

    def fault(self, text: str) -> None:
        """Note that something went wrong at the control of this moment."""
        if not any(part in text for part in self.allowed):
            self.faults.append(f"{self.at}: {text}")

    def settle(self) -> None:
        """Wait until what was asked is answered and the page is quiet."""
        until = time.monotonic() + SETTLE_SECONDS
        self.page.wait_for_timeout(15)
        while not self.witness.answered and time.monotonic() < until:
            self.page.wait_for_timeout(15)
        while time.monotonic() < until:
            try:
                self.page.evaluate(QUIET, QUIET_MS)
                if not self.page.evaluate(BUSY):
                    break
            except Error:  # it was on its way to another page
                self.page.wait_for_timeout(50)
        if WRONG in self._text():
            self.fault(WRONG)

    def _text(self) -> str:
        try:
            return self.page.inner_text("body")
        except Error:
            return ""

    def act(self, name: str, action: Callable[[], Any]) -> None:
        """Do one thing; that nothing comes of it is a fault."""
        self.at = name
        signs, before = self.witness.signs, self.page.evaluate(LOOK)
        try:
            action()
        except Error as error:
            self.fault(f"{UNREACHED}: {error.message.splitlines()[0]}")
            return
        self.settle()
        if name in self.effects:
            self._expect(self.effects[name])
        elif self.witness.signs == signs and self._look() == before:
            self.fault("nothing happened")

    def _expect(self, effect: Callable[[Page], None]) -> None:
        try:
            effect(self.page)
        except AssertionError as error:
            self.fault(str(error).splitlines()[0])

    def controls(self) -> list[Control]:
        """Return what can be driven now, the most harmless first."""
        found = [Control(**each) for each in self.page.evaluate(CONTROLS)]
        wanted = [each for each in found if re.search(self.only, each.name)]
        return sorted(wanted, key=lambda each: each.rank)

    def drive_all(self, reopen: Callable[[], None], keys: Sequence[str] = ()) -> None:
        """Drive each control, those that appear on the way too, and then the keys."""
        self._reopen = reopen
        reopen()
        self._drive_new("")
        for key in keys:
            reopen()
            before = self._path()
            self._key(key)
            if self._path() == before:
                self._drive_new(f"key {key}")
        while left := [each for each in self.seen if each not in {*self.driven, *self.passing}]:
            self._drive_again(left[0])

    def _drive_new(self, through: str) -> None:
        """Drive what was not driven yet, until nothing new appears, even after a new start."""
        rested = reopened = False
        while len(self.driven) < MOST:
            here = self.controls()
            for each in here:
                ways = self.seen.setdefault(each.name, [])
                ways += [through] if through not in ways else []
            new = next((each for each in here if each.name not in self.driven), None)
            if new:
                rested, through = False, self._drive_one(new, through)
            elif not rested:
                self.page.wait_for_timeout(REST_MS)
                rested = True
            elif self._go_back(here):
                rested = False
            elif not reopened:
                self._reopen()
                rested, reopened, through = False, True, ""
            else:
                return
        self.fault(f"more than {MOST} controls")

    def _drive_one(self, control: Control, through: str) -> str:
        """Drive a control and return through what the next ones are reached."""
        self.at = control.name
        self._tries[control.name] += 1
        if self._tries[control.name] > WAYS:
            self.driven[control.name] = through
            self.fault("comes and goes, and could not be driven")
            return through
        if not self._place(control).count():
            return through  # it went away on its own; if it comes back, it is driven then
        self.driven[control.name] = through
        before = self._path()
        if not self._drive_patiently(control):
            del self.driven[control.name]
            return ""
        if self._path() == before:
            return control.name
        self._reopen()
        return ""

    def _drive_patiently(self, control: Control) -> bool:
        """Drive a control, a second time if something moved in the way; say whether it is there."""
        faults = len(self.faults)
        self.drive(control)
        if not any(UNREACHED in fault for fault in self.faults[faults:]):
            return True
        del self.faults[faults:]
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
        """Go back to a control that was seen and went away before its turn."""
        for opener in self.seen[name][:WAYS]:
            self._reopen()
            for step in (*self.seen.get(opener, [""])[:1], opener, name):
                self._step(step)
            if name in self.driven:
                self._drive_new(name)
                return
        self.at, self.driven[name] = name, ""
        self.fault("was seen, and could not be reached again")

    def _step(self, name: str) -> None:
        if name.startswith("key "):
            self._key(name.removeprefix("key "))
            return
        here = next((each for each in self.controls() if each.name == name), None)
        if here is not None:
            self.driven.setdefault(name, "again")
            self.drive(here)

    def drive(self, control: Control) -> None:
        """Do with a control what it is for."""
        place = self._place(control)
        if control.tag in ("plot", "canvas"):
            place.scroll_into_view_if_needed(timeout=3000)
            place.hover(timeout=3000)
            self.act(f"{control.name} wheel", lambda: self.page.mouse.wheel(0, -200))
        if control.tag == "select":
            self.act(control.name, lambda: place.select_option(index=1, timeout=3000))
        elif control.type == "file":
            self.act(
                control.name,
                lambda: place.set_input_files(
                    self._file("folder" if control.folder else control.field)
                ),
            )
        elif control.type in TYPED and control.tag in ("input", "textarea"):
            self.act(control.name, lambda: self._type(place, control))
        elif control.name.startswith("div.veil"):  # its middle is under the dialog
            self.act(control.name, lambda: place.click(timeout=3000, position={"x": 5, "y": 5}))
        else:
            if control.type == "submit":
                self._fill_form(place)
            self.act(control.name, lambda: place.click(timeout=3000))
        if control.double and place.count():
            self.act(f"{control.name} twice", lambda: place.dblclick(timeout=3000))

    def value(self, *names: str) -> str:
        """Return what to type into the field with one of these names."""
        found = next((self.values[each] for each in names if each in self.values), "drums")
        return found if isinstance(found, str) else found(self.page)

    def _file(self, name: str) -> Any:
        """Make what is chosen here: never twice the same, as that would be refused."""
        return self.files.get(name, self.files[""])()

    def _fill_form(self, button: Locator) -> None:
        for name, kind in button.evaluate(UNFILLED):
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
        again = self.page.locator(f'[name="{control.field}"]')  # the answer may bring a new field
        if again.count() == 1:
            again.focus(timeout=3000)
            again.blur(timeout=3000)

    def _key(self, key: str) -> None:
        for each in self.before_keys.get(key, self.before_keys.get("", ())):
            self.page.keyboard.press(each)
            self.settle()
        self.act(f"key {key}", lambda: self.page.keyboard.press(key))

    def _go_back(self, here: list[Control]) -> bool:
        """Close what is open over the page."""
        if not any(each.inDialog for each in here):
            return False
        closing = next((each for each in here if each.text in CLOSING), None)
        if closing is None:
            self.page.keyboard.press("Escape")
        else:
            self.page.locator(f'[data-drive="{closing.number}"]').click(timeout=3000)
        self.settle()
        return not any(each.inDialog for each in self.controls())

    def _look(self) -> object:
        try:
            return self.page.evaluate(LOOK)
        except Error:
            return None
