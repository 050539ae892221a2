"""What the page shows of a change of pads before the server has answered."""

from typing import Any

import pytest
from playwright.sync_api import Page

Cell = dict[str, Any]

RUN = """
async ({ name, given }) => (await import("/pad_changes.js"))[name](...given)
"""
# Observes what the page sees of the history, and returns what the last steps do, as names by key.
OBSERVE = """
async ({ seen, asked }) => {
  const { StepRecord } = await import("/pad_changes.js");
  const record = new StepRecord();
  seen.forEach((each) => record.observe(each));
  const names = (pads) => {
    return pads && Object.fromEntries(Object.values(pads).map(({ key, name }) => [key, name]));
  };
  return asked.map(([way, position, bank]) => names(record.padsAfter(way, position, bank)));
}
"""


def cell(key: str, name: str = "", revision: int = 0, **fields: Any) -> Cell:
    return {"key": key, "number": int(key[1:]), "name": name, "revision": revision, **fields}


def predict(page: Page, name: str, *given: Any) -> dict[str, Cell]:
    return page.evaluate(RUN, {"name": name, "given": list(given)})


def names(pads: dict[str, Cell]) -> dict[str, str]:
    return {key: pad["name"] for key, pad in pads.items()}


CELLS = [
    cell("A1", "Kick", 3, sample_id="k", settings={"loop": True}),
    cell("A2", "Hat", 4),
    cell("A3"),
]


@pytest.mark.parametrize(
    ("name", "given", "expected"),
    [
        ("clearedPads", ["A1"], {"A1": ""}),
        ("clearedPads", ["A3"], {}),
        ("movedPads", ["A1", "A2", "swap"], {"A1": "Hat", "A2": "Kick"}),
        ("movedPads", ["A1", "A3", "swap"], {"A1": "", "A3": "Kick"}),
        ("movedPads", ["A1", "A2", "copy"], {"A2": "Kick"}),
        ("movedPads", ["A3", "A1", "swap"], {}),
        ("movedPads", ["A1", "A1", "swap"], {}),
        ("movedPads", ["A1", "B1", "swap"], {}),
        ("filledPads", ["A3", {"id": "s", "name": "Snare"}], {"A3": "Snare"}),
        ("filledPads", ["A1", {"id": "k", "name": "Kick"}], {}),
    ],
)
def test_a_change_shows_the_pads_as_the_server_will_have_them(
    pad_page: Page, name: str, given: list[Any], expected: dict[str, str]
) -> None:
    assert names(predict(pad_page, name, CELLS, *given)) == expected


def test_a_pad_that_gets_another_sound_keeps_its_settings(pad_page: Page) -> None:
    pads = predict(pad_page, "filledPads", CELLS, "A1", {"id": "s", "name": "Snare"})
    assert (pads["A1"]["settings"], pads["A1"]["sample_id"]) == ({"loop": True}, "s")


def seen(position: int, revision: int, *cells: Cell, redo: str = "", project: str = "p") -> Cell:
    found = {"project": project, "position": position, "revision": revision, "redo": redo}
    return {**found, "bank": "A", "cells": list(cells)}


def after(page: Page, history: list[Cell], *asked: tuple[str, int, str]) -> list[Any]:
    return page.evaluate(OBSERVE, {"seen": history, "asked": [list(each) for each in asked]})


def test_undo_and_redo_of_a_step_that_was_seen_are_known(pad_page: Page) -> None:
    full, empty = cell("A1", "Kick", 1), cell("A1")
    again = cell("A1", "Kick", 3)
    cleared = [seen(0, 1, full), seen(1, 2, empty)]
    assert after(pad_page, cleared, ("undo", 1, "A"), ("redo", 1, "A")) == [{"A1": "Kick"}, None]
    undone = [*cleared, seen(0, 3, again, redo="Clear A1")]
    assert after(pad_page, undone, ("redo", 0, "A"), ("undo", 0, "A")) == [{"A1": ""}, None]


def test_a_step_of_another_bank_or_before_the_page_was_opened_is_not_known(pad_page: Page) -> None:
    history = [seen(4, 9, cell("A1", "Kick", 1)), seen(5, 10, cell("A1"))]
    assert after(pad_page, history, ("undo", 4, "A"), ("undo", 5, "B")) == [None, None]


def test_the_steps_of_another_project_are_not_known(pad_page: Page) -> None:
    first, last = cell("A1", "Kick", 1), cell("A1", "Snare", 2)
    history = [seen(0, 1, first), seen(1, 2, cell("A1")), seen(2, 3, last, project="q")]
    assert after(pad_page, history, ("undo", 2, "A"), ("undo", 1, "A")) == [None, None]


def test_what_cannot_be_redone_any_more_is_forgotten(pad_page: Page) -> None:
    history = [
        seen(0, 1, cell("A1", "Kick", 1)),
        seen(1, 2, cell("A1", "Hat", 2)),
        seen(2, 3, cell("A1")),
        seen(1, 4, cell("A1", "Hat", 4), redo="Clear A1"),
        seen(0, 5, cell("A1", "Kick", 5), redo="Rename A1"),
        seen(1, 6, cell("A1", "Snare", 6)),
    ]
    assert after(pad_page, history, ("redo", 1, "A"), ("undo", 1, "A")) == [None, {"A1": "Kick"}]


def test_steps_that_were_not_seen_one_by_one_are_not_guessed(pad_page: Page) -> None:
    first, last = cell("A1", "Kick", 1), cell("A1", "Snare", 4)
    skipped = [seen(0, 1, first), seen(1, 2, cell("A1")), seen(3, 4, last)]
    assert after(pad_page, skipped, ("undo", 3, "A"), ("undo", 1, "A")) == [None, None]
    replaced = [seen(0, 1, first), seen(1, 2, cell("A1")), seen(1, 4, last)]
    assert after(pad_page, replaced, ("undo", 1, "A")) == [None]
    redone_twice = [seen(1, 1, first), seen(2, 4, last)]  # undone, then two other steps
    assert after(pad_page, redone_twice, ("undo", 2, "A")) == [None]
    taken_back = [seen(2, 1, first), seen(1, 4, last)]  # undone twice, then another step
    assert after(pad_page, taken_back, ("redo", 1, "A")) == [None]
