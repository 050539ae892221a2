"""Changes of pads are shown before the server has answered, and taken back if it refuses them."""

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.late_answers import LateAnswers, create_chosen_pad
from tests.e2e.pad_page import PadPage, PadUser
from tests.e2e.waiting import until


@pytest.fixture
def kit(late: LateAnswers, pad_user: PadUser, page: Page) -> PadPage:
    """The pad page with sounds on A1 and A2, and A1 chosen; `late` can hold back its answers."""
    return create_chosen_pad(pad_user, page)


def names(kit: PadPage) -> dict[str, str]:
    """Return the names of the pads as the server has them."""
    return {f"{pad['bank']}{pad['pad']}": pad["name"] for pad in kit.api()["pads"]}


def test_clear_undo_and_redo_are_shown_before_their_answers(
    kit: PadPage, late: LateAnswers
) -> None:
    late.hold()
    kit.face("A1").focus()
    kit.page.keyboard.press("Delete")
    kit.expect_names(A1="", A2="Paper Snare")
    kit.page.keyboard.press("Control+z")
    kit.expect_names(A1="Velvet Kick")
    kit.page.keyboard.press("Delete")
    kit.expect_names(A1="")
    until(lambda: names(kit) == {"A2": "Paper Snare"})
    late.release()
    expect(kit.page.get_by_test_id("inspector")).to_contain_text("Pad A1 is empty")
    kit.expect_names(A1="", A2="Paper Snare")

    revision = kit.api()["revision"]
    late.hold()
    kit.page.keyboard.press("Control+z")
    kit.expect_names(A1="Velvet Kick")
    kit.page.keyboard.press("Control+Shift+z")
    kit.expect_names(A1="")
    late.release()
    until(lambda: kit.api()["revision"] == revision + 2)
    until(lambda: "Clear A1" in kit.undo_label())
    kit.expect_names(A1="", A2="Paper Snare")
    assert names(kit) == {"A2": "Paper Snare"}


def test_a_move_and_a_copy_are_shown_before_their_answers(kit: PadPage, late: LateAnswers) -> None:
    late.hold()
    kit.face("A1").focus()
    kit.page.keyboard.press("Control+x")
    kit.face("A2").focus()
    kit.page.keyboard.press("Control+v")
    kit.expect_names(A1="Paper Snare", A2="Velvet Kick")
    kit.page.keyboard.press("Control+c")
    kit.face("A3").focus()
    kit.page.keyboard.press("Control+v")
    kit.expect_names(A1="Paper Snare", A2="Velvet Kick", A3="Velvet Kick")
    late.release()
    until(lambda: "Copy A2 to A3" in kit.undo_label())
    kit.expect_names(A1="Paper Snare", A2="Velvet Kick", A3="Velvet Kick")
    kit.expect_ready("A1", "A2", "A3")
    assert names(kit) == {"A1": "Paper Snare", "A2": "Velvet Kick", "A3": "Velvet Kick"}


def test_a_sound_that_is_dropped_is_shown_before_its_answer(
    kit: PadPage, late: LateAnswers
) -> None:
    late.hold()
    kit.drag(kit.row("Studio Clap"), kit.face("A4"))
    kit.expect_names(A4="Studio Clap")
    late.release()
    kit.expect_ready("A4")
    assert names(kit)["A4"] == "Studio Clap"


def test_a_refused_change_is_taken_back_and_the_reason_is_shown(
    kit: PadPage, late: LateAnswers, pad_user: PadUser
) -> None:
    late.hold()
    gone = kit.page.request.delete(
        f"/api/projects/{kit.project}", headers={"Origin": pad_user.origin, "If-Match": "*"}
    )
    assert gone.ok
    kit.face("A1").focus()
    kit.page.keyboard.press("Delete")
    kit.expect_names(A1="")
    kit.page.wait_for_timeout(500)
    late.release()
    expect(kit.page.get_by_text("This project is in the trash. Restore it")).to_be_visible()
    kit.expect_names(A1="Velvet Kick", A2="Paper Snare")


def test_a_change_in_another_tab_is_shown_beside_one_that_is_not_answered(
    kit: PadPage, late: LateAnswers
) -> None:
    late.hold()
    kit.face("A1").focus()
    kit.page.keyboard.press("Delete")
    kit.expect_names(A1="")
    until(lambda: "A1" not in names(kit))
    kit.change("A2", name="Crack")
    late.release()
    kit.expect_names(A1="", A2="Crack")


def test_the_navigation_fits_the_narrowest_phones(pad_user: PadUser, page: Page) -> None:
    pad_user.sign_in(page.context)
    page.set_viewport_size({"width": 360, "height": 740})
    page.goto("/projects")
    navigation = page.get_by_role("navigation", name="Main")
    expect(navigation).to_be_visible()
    assert navigation.evaluate("nav => nav.scrollWidth <= nav.clientWidth")


def test_the_pads_are_the_panel_of_the_bank_that_is_shown(kit: PadPage) -> None:
    panel = kit.page.get_by_role("tabpanel", name="Bank A, 2 pads")
    expect(panel.get_by_role("grid", name="Pads of bank A")).to_be_visible()
    tab = kit.page.get_by_role("tab", name="Bank B")
    expect(tab).to_have_attribute("aria-controls", panel.get_attribute("id") or "")
    tab.click()
    expect(kit.page.get_by_role("tabpanel", name="Bank B, 0 pads")).to_be_attached()
