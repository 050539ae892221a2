"""The dialog that creates and edits collections, with the live count of its rules."""

import json
import uuid
from contextlib import suppress
from typing import Any

import pytest

from sp404_app.db import transaction
from sp404_app.errors import AppError, NotFound, Unauthenticated, ValidationFailed
from sp404_app.models import User
from sp404_app.services.collections import collections
from sp404_app.services.library import collection_rules
from sp404_app.state.collections.add_to_collection import AddToCollectionState
from sp404_app.state.collections.collection_form import CollectionFormState
from sp404_app.state.collections.rule_fields import RULE_FIELDS
from sp404_app.state.library.library import LibraryState
from tests.services.conftest import keep
from tests.sounds import Keep
from tests.state.collections.conftest import Open, run, said

__all__ = ["keep"]
pytestmark = pytest.mark.usefixtures("services")
KICKS = {"match": "all", "terms": [{"field": "q", "op": "matches", "value": "kick"}]}


def test_the_editor_offers_every_field_and_operator_of_the_rules() -> None:
    offered = {each["field"]: {op["op"] for op in each["ops"]} for each in RULE_FIELDS}
    assert offered == {field: set(ops) for field, ops in collection_rules.OPERATORS.items()}


async def test_rules_are_counted_and_saved(tab: Open, keep: Keep, user: User) -> None:
    keep("Kick.wav")
    keep("Snare.wav")
    dialog = tab(CollectionFormState)
    await run(dialog.open_new(True))
    await run(dialog.count(json.dumps(KICKS), 7))
    assert (dialog.matches, dialog.rule_problem, dialog.answered) == ("1 sound matches.", "", 7)
    form = {"name": "Kicks", "colour": "#ff6b3d", "note": "", "rules": json.dumps(KICKS)}
    events = await run(dialog.save(form))
    with transaction() as session:
        (found,) = collections.list_collections(session, user.id)
    assert (found.name, found.is_smart, found.count) == ("Kicks", True, 1)
    assert f"/collections/{found.id}" in said(events)


async def test_a_collection_is_edited(tab: Open, user: User) -> None:
    with transaction() as session:
        made = collections.create_collection(session, user.id, name="Drums", note="Dusty")
    dialog = tab(CollectionFormState)
    await run(dialog.open_edit(str(made.id)))
    assert (dialog.name, dialog.note, dialog.is_smart) == ("Drums", "Dusty", False)
    await run(dialog.save({"name": "Kicks", "colour": "#ff6b3d", "note": ""}))
    with transaction() as session:
        found = collections.get_collection(session, user.id, made.id)
    assert (found.name, found.note, found.colour) == ("Kicks", "", "#ff6b3d")


async def test_a_smart_collection_is_made_of_sounds_like_some(
    tab: Open, keep: Keep, user: User
) -> None:
    kick = keep("Kick.wav")
    picker = tab(AddToCollectionState)
    await run(picker.open_for_sample(str(kick)))
    dialog = tab(CollectionFormState, root=picker._get_root_state())
    await run(dialog.open_like_these())
    assert (dialog.is_open, dialog.is_smart, dialog.name) == (True, True, "Like Kick")
    assert not picker.is_open
    assert dialog.rules["terms"][0]["value"]["sample_ids"] == [str(kick)]


async def test_a_smart_collection_is_made_of_a_search(tab: Open, keep: Keep, user: User) -> None:
    keep("Kick 1.wav")
    library = tab(LibraryState)
    await run(library.load())
    await run(library.set_filter("q", "kcik"))
    await run(library.set_filter("bpm_max", "100"))
    await run(library.set_filter("bpm_max", ""))
    await run(library.toggle_tag("dusty"))
    await run(library.toggle_tag("dusty"))
    await run(library.set_filter("rating_min", "0"))
    dialog = tab(CollectionFormState, root=library._get_root_state())
    await run(dialog.open_search())
    assert (dialog.is_open, dialog.is_smart, dialog.name) == (True, True, library.window.corrected)
    assert dialog.rules == {"match": "all", "terms": [KICKS["terms"][0]]}

    await run(library.set_filter("kind", "loop"))
    await run(dialog.open_search())
    assert dialog.name == "kick · Loops"
    await run(library.open_view("all"))
    with pytest.raises(ValidationFailed):
        await run(dialog.open_search())


async def test_a_search_within_a_smart_collection_is_kept_with_its_rules(
    tab: Open, user: User
) -> None:
    with transaction() as session:
        outer = collections.create_collection(session, user.id, name="Kicks", rules=KICKS)
    library = tab(LibraryState, url=f"/collections/{outer.id}")
    await run(library.load())
    await run(library.set_filter("bpm_min", "0"))
    dialog = tab(CollectionFormState, root=library._get_root_state())
    await run(dialog.open_search())
    slowest = {"field": "bpm", "op": "at_least", "value": 0.0}
    assert dialog.rules == {"match": "all", "terms": [*KICKS["terms"], slowest]}
    form = {"name": "Slow", "colour": "", "note": "", "rules": json.dumps(dialog.rules)}
    await run(dialog.save(form))
    assert not dialog.is_open


@pytest.mark.parametrize("name", ["", "   "])
async def test_a_collection_needs_a_name(tab: Open, user: User, name: str) -> None:
    dialog = tab(CollectionFormState)
    await run(dialog.open_new(False))
    await run(dialog.save({"name": name, "note": "", "colour": ""}))
    assert (dialog.is_open, dialog.problems["name"]) == (True, "Enter a name.")


async def test_a_double_click_creates_one_collection(tab: Open, user: User) -> None:
    dialog = tab(CollectionFormState)
    form = {"name": "Drums", "note": "", "colour": ""}
    for _ in range(2):
        await run(dialog.open_new(False))
        await run(dialog.save(form))
    with transaction() as session:
        assert len(collections.list_collections(session, user.id)) == 1


@pytest.mark.parametrize(
    "rules",
    [
        "", "[]", "{", "[" * 20_000, "{}", "x" * 70_000, None, 3,
        json.dumps(KICKS | {"terms": [{"field": "q", "op": "near", "value": 1}]}),
        json.dumps({"match": "all", "terms": KICKS["terms"] * 51}),
    ],
)  # fmt: skip
async def test_invalid_rules_are_a_message(tab: Open, user: User, rules: Any) -> None:
    dialog = tab(CollectionFormState)
    await run(dialog.open_new(True))
    await run(dialog.count(rules, 1))
    assert dialog.rule_problem
    await run(dialog.save({"name": "Kicks", "note": "", "colour": "", "rules": rules}))
    assert dialog.problems
    with transaction() as session:
        assert collections.list_collections(session, user.id) == []


async def test_rules_with_sounds_of_others_are_refused(
    tab: Open, keep: Keep, user: User, person: Any
) -> None:
    foreign = str(keep(owner=person().id))
    like = {"sample_ids": [foreign], "max_distance": 0.2}
    rules = {"match": "all", "terms": [{"field": "like", "op": "near", "value": like}]}
    dialog = tab(CollectionFormState)
    await run(dialog.open_new(True))
    await run(dialog.count(json.dumps(rules), 1))
    assert dialog.rule_problem == "There is no such sample."


async def test_collections_of_others_are_not_edited(tab: Open, person: Any, user: User) -> None:
    with transaction() as session:
        theirs = collections.create_collection(session, person().id, name="Theirs")
    dialog = tab(CollectionFormState)
    with pytest.raises(NotFound):
        await run(dialog.open_edit(str(theirs.id)))
    dialog.is_open, dialog.editing_id = True, str(theirs.id)
    await run(dialog.save({"name": "Mine", "note": "", "colour": ""}))
    assert dialog.problems["form"]
    with transaction() as session:
        assert collections.get_collection(session, theirs.user_id, theirs.id).name == "Theirs"


async def test_handlers_survive_any_argument_and_need_a_user(tab: Open, user: User) -> None:
    dialog = tab(CollectionFormState)
    hostile: list[Any] = [None, 3, "x", [], {}, "\x00", float("nan"), str(uuid.uuid4())]
    for bad in hostile:
        for handler in (dialog.open_new, dialog.open_edit, dialog.save):
            with suppress(AppError):
                await run(handler(bad))
        with suppress(AppError):
            await run(dialog.count(bad, bad))
    stranger = tab(CollectionFormState, "x")
    for handler in (stranger.open_like_these, stranger.open_search, stranger.close):
        with pytest.raises(Unauthenticated):
            await run(handler())
