"""Changes on the pad page while answers to earlier changes are still on their way."""

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.late_answers import LateAnswers, create_chosen_pad
from tests.e2e.pad_page import PadPage, PadUser
from tests.e2e.waiting import until


@pytest.fixture
def chosen(late: LateAnswers, pad_user: PadUser, page: Page) -> PadPage:
    """The pad page with A1 chosen and silent; `late` can hold back its answers."""
    return create_chosen_pad(pad_user, page)


def press(kit: PadPage, key: str, count: int) -> None:
    for _ in range(count):
        kit.page.keyboard.press(key)


def setting(kit: PadPage, name: str, key: str = "A1") -> object:
    return kit.stored(key)["settings"][name]


def test_presses_on_a_handle_are_not_lost_to_a_late_answer(
    chosen: PadPage, late: LateAnswers
) -> None:
    start = chosen.page.get_by_test_id("handle-start")
    start.focus()
    press(chosen, "PageUp", 1)
    until(lambda: setting(chosen, "start") != 0)
    step = setting(chosen, "start")
    assert isinstance(step, int)

    late.hold()
    press(chosen, "PageUp", 1)
    until(lambda: setting(chosen, "start") == 2 * step)
    answers = late.wait()
    press(chosen, "PageUp", 2)
    late.deliver(answers)
    chosen.page.wait_for_timeout(100)
    press(chosen, "PageUp", 2)
    expect(start).to_have_attribute("aria-valuenow", str(6 * step))
    until(lambda: setting(chosen, "start") == 6 * step)
    late.release()
    chosen.page.wait_for_timeout(200)
    expect(start).to_have_attribute("aria-valuenow", str(6 * step))


def test_presses_on_a_knob_are_not_lost_to_a_late_answer(
    chosen: PadPage, late: LateAnswers
) -> None:
    level = chosen.page.get_by_test_id("knob-level")
    level.focus()
    late.hold()
    press(chosen, "ArrowDown", 2)
    until(lambda: setting(chosen, "level") == 125)
    late.wait()
    press(chosen, "ArrowDown", 1)
    late.release()
    chosen.page.wait_for_timeout(100)
    press(chosen, "ArrowDown", 1)
    until(lambda: setting(chosen, "level") == 123)
    expect(level).to_have_attribute("aria-valuenow", "123")


def test_a_knob_that_is_set_back_before_the_answer_is_saved_so(
    chosen: PadPage, late: LateAnswers
) -> None:
    level = chosen.page.get_by_test_id("knob-level")
    level.focus()
    late.hold()
    press(chosen, "ArrowDown", 2)
    until(lambda: setting(chosen, "level") == 125)
    late.wait()
    press(chosen, "ArrowUp", 2)
    until(lambda: setting(chosen, "level") == 127)
    expect(level).to_have_attribute("aria-valuenow", "127")
    late.release()
    chosen.page.wait_for_timeout(200)
    expect(level).to_have_attribute("aria-valuenow", "127")


def test_a_name_that_is_changed_back_before_the_answer_is_saved_so(
    chosen: PadPage, late: LateAnswers
) -> None:
    field = chosen.page.get_by_test_id("pad-name")
    late.hold()
    field.fill("Thud")
    field.press("Enter")
    until(lambda: chosen.stored("A1")["name"] == "Thud")
    field.fill("Velvet Kick")
    field.press("Enter")
    until(lambda: chosen.stored("A1")["name"] == "Velvet Kick")
    late.release()
    chosen.page.wait_for_timeout(200)
    expect(field).to_have_value("Velvet Kick")


def test_a_change_that_is_not_answered_stays_with_its_pad(
    chosen: PadPage, late: LateAnswers
) -> None:
    page = chosen.page
    level = page.get_by_test_id("knob-level")
    level.focus()
    press(chosen, "ArrowDown", 3)
    late.hold()
    chosen.face("A2").click()  # the gesture ends here
    until(lambda: setting(chosen, "level") == 124)
    late.release()
    expect(page.get_by_test_id("pad-name")).to_have_value("Paper Snare")
    expect(level).to_have_attribute("aria-valuenow", "127")
    assert setting(chosen, "level", "A2") == 127


def test_undo_by_keys_undoes_the_gesture_that_has_just_ended(chosen: PadPage) -> None:
    level = chosen.page.get_by_test_id("knob-level")
    level.focus()
    press(chosen, "ArrowDown", 2)
    until(lambda: setting(chosen, "level") == 125)
    press(chosen, "ArrowDown", 2)
    press(chosen, "Control+z", 1)
    expect(level).to_have_attribute("aria-valuenow", "125")
    chosen.page.wait_for_timeout(700)
    assert setting(chosen, "level") == 125
    press(chosen, "Control+Shift+z", 1)
    until(lambda: setting(chosen, "level") == 123)


def test_a_refused_change_is_replaced_by_the_saved_value(chosen: PadPage) -> None:
    tempo = chosen.page.get_by_test_id("pad-bpm")
    saved = tempo.input_value()
    tempo.fill("fast")
    tempo.press("Enter")
    expect(tempo).to_have_value(saved, timeout=5_000)
