"""The dialog that creates or edits a collection, with a live count of its rules."""

import json
import uuid
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

import reflex as rx
from reflex.event import EventSpec, EventType
from sqlmodel import Session

from sp404_app.db import in_transaction
from sp404_app.errors import AppError, NotFound, ValidationFailed
from sp404_app.services.collections import collections
from sp404_app.services.library import collection_rules, samples, tags
from sp404_app.services.library.collection_filter import load_scope, referenced_ids
from sp404_app.services.library.collection_rules import parse_rules
from sp404_app.services.library.search_rules import LIKE_DISTANCE, rules_of_search
from sp404_app.state import double_click, forms, validation
from sp404_app.state.base import SessionState
from sp404_app.state.collections.add_to_collection import take_samples
from sp404_app.state.collections.collection_cards import CollectionChoice, choice_of
from sp404_app.state.library.bulk_messages import format_sounds
from sp404_app.state.library.filter_chips import HEARD, chips_of
from sp404_app.state.library.library import LibraryState
from sp404_app.state.library.search_params import with_spelling

FIELDS = ("name", "note", "colour")
MAX_RULES_LENGTH = 60_000  # characters of JSON
MAX_SUGGESTED_TAGS = 200
MAX_NAME = 200  # characters
Stream = AsyncIterator[EventType[()] | EventSpec | None]


class CollectionFormState(SessionState):
    """The collection that is edited, or a new one; `stamp` is new for each opened dialog."""

    is_open: bool = False
    is_smart: bool = False
    of_search: bool = False
    editing_id: str = ""
    stamp: rx.Field[int] = rx.field(0)
    name: str = ""
    note: str = ""
    colour: str = ""
    rules: rx.Field[dict[str, Any]] = rx.field(default_factory=dict)
    tags: list[str] = []
    choices: rx.Field[list[CollectionChoice]] = rx.field(default_factory=list)
    matches: str = ""
    rule_problem: str = ""
    answered: int = 0  # the number of the last rules that were counted
    problems: dict[str, str] = {}
    _acts: double_click.RecentActions = {}

    @rx.event
    async def open_new(self, is_smart: bool) -> None:
        """Ask for a new collection."""
        user_id = await self._user_id()
        await self._open(user_id, is_smart is True, {})

    @rx.event
    async def open_edit(self, collection_id: str) -> None:
        """Edit a collection."""
        user_id, chosen = await self._user_id(), validation.validate_id(collection_id)
        found = await in_transaction(collections.get_collection, user_id, chosen)
        await self._open(user_id, found.rules is not None, found.rules or {})
        self.editing_id, self.name = str(found.id), found.name
        self.note, self.colour = found.note, found.colour

    @rx.event
    async def open_like_these(self) -> None:
        """Ask for a smart collection like the samples of the dialog that adds to a collection."""
        user_id = await self._user_id()
        chosen = await take_samples(self)
        if chosen:
            await self._open_like(user_id, chosen)

    @rx.event
    async def open_search(self) -> None:
        """Ask for a smart collection of what the library's search finds, now and later."""
        user_id, library = await self._user_id(), await self.get_state(LibraryState)
        query = with_spelling(library.query, library.window.corrected)
        within = None
        if query.collection is not None:
            within = (await in_transaction(load_scope, user_id, query.collection)).rules
        rules = collection_rules.rules_to_json(rules_of_search(query, within))
        await self._open(user_id, is_smart=True, rules=rules)
        self.of_search = True
        anchor = f"Like {library.window.anchor}" if query.like else ""
        words = [anchor, query.q, *(chip.text for chip in chips_of(query) if chip.group != HEARD)]
        self.name = " · ".join(filter(None, words))[:MAX_NAME]

    @rx.event
    async def count(self, rules: str, number: int) -> None:
        """Count the sounds that rules match; `number` is returned as `answered`."""
        user_id = await self._user_id()
        try:
            parsed = _parse_json(rules)
            found = await in_transaction(collections.count_matching, user_id, parsed)
            self.matches, self.rule_problem = f"{format_sounds(found)} match.", ""
            if found == 1:
                self.matches = "1 sound matches."
        except AppError as error:
            self.matches, self.rule_problem = "", str(error)
        self.answered = validation.validate_integer(number)

    @rx.event
    async def save(self, form: dict[str, Any]) -> Stream:
        """Save the collection; a new one is opened."""
        user_id = await self._user_id()
        if not self.is_open or double_click.is_repeated(self._acts, self.editing_id, form):
            return
        try:
            values = _parse_form(form, self.is_smart)
            made = await in_transaction(_save, user_id, self.editing_id, values)
        except AppError as error:
            self.problems = forms.field_errors(error, *FIELDS)
            return
        self._acts = double_click.remember_action(self.editing_id, form)
        is_new, self.is_open = not self.editing_id, False
        if is_new:
            yield rx.redirect(f"/collections/{made}")

    @rx.event
    async def close(self) -> None:
        """Close the dialog."""
        await self._user_id()
        self.is_open = False

    async def _open_like(self, user_id: uuid.UUID, ids: Sequence[uuid.UUID]) -> None:
        chosen = ids[: collection_rules.MAX_LIKE_SAMPLES]
        name = await in_transaction(_name_of, user_id, chosen)
        like = {"sample_ids": [str(each) for each in chosen], "max_distance": LIKE_DISTANCE}
        term = {"field": "like", "op": "near", "value": like}
        await self._open(user_id, is_smart=True, rules={"match": "all", "terms": [term]})
        self.name = f"Like {name}"[:MAX_NAME]

    async def _open(self, user_id: uuid.UUID, is_smart: bool, rules: dict[str, Any]) -> None:
        self.is_smart, self.rules, self.editing_id, self.of_search = is_smart, rules, "", False
        self.name = self.note = self.colour = self.matches = self.rule_problem = ""
        self.problems, self.answered, self.tags, self.choices = {}, 0, [], []
        if is_smart:
            self.tags, self.choices = await in_transaction(_load_suggestions, user_id, rules)
        self.stamp += 1
        self.is_open = True


def _parse_json(rules: object) -> dict[str, Any]:
    """Return rules that the editor sent, not validated further.

    Raises:
        ValidationFailed: If they are no JSON object, or too long.
    """
    if not isinstance(rules, str) or len(rules) > MAX_RULES_LENGTH:
        raise ValidationFailed("These rules are too long.")
    try:
        parsed = json.loads(rules)
    except (ValueError, RecursionError) as error:
        raise ValidationFailed("Fill in every rule.") from error
    if not isinstance(parsed, dict):
        raise ValidationFailed("Fill in every rule.")
    return parsed


def _parse_form(form: object, is_smart: bool) -> dict[str, Any]:
    """Return the fields of a collection; `rules` only for a smart one."""
    fields: Mapping[str, Any] = validation.validate_form(form)
    values: dict[str, Any] = {
        "name": validation.validate_text(forms.form_text(form, "name"), 200),
        "note": validation.validate_text(fields.get("note", ""), 4000),
        "colour": validation.validate_text(fields.get("colour") or "", 7),
    }
    if not values["name"].strip():
        message = "Enter a name."
        raise ValidationFailed(message, {"name": [message]})
    return values | ({"rules": _parse_json(fields.get("rules"))} if is_smart else {})


def _save(
    session: Session, user_id: uuid.UUID, editing_id: str, values: dict[str, Any]
) -> uuid.UUID:
    """Create or change a collection; return its id."""
    if not editing_id:
        return collections.create_collection(session, user_id, **values).id
    chosen = validation.validate_id(editing_id)
    return collections.update_collection(session, user_id, chosen, **values).id


def _name_of(session: Session, user_id: uuid.UUID, ids: Sequence[uuid.UUID]) -> str:
    """Return the name of the first sample, and how many others there are.

    Raises:
        NotFound: If the first sample does not exist or belongs to another user.
    """
    name = samples.get_sample(session, user_id, ids[0]).name[:80]
    return name if len(ids) == 1 else f"{name} and {len(ids) - 1} more"


def _load_suggestions(
    session: Session, user_id: uuid.UUID, rules: Mapping[str, Any]
) -> tuple[list[str], list[CollectionChoice]]:
    """Return the tags and the manual collections that rules can name, or do name."""
    names = [each.name for each in tags.count_tags(session, user_id)[:MAX_SUGGESTED_TAGS]]
    found = collections.list_collections(session, user_id, count_smart=False)
    choices = [choice_of(each) for each in found if not each.is_smart]
    _, named = referenced_ids(parse_rules(rules)) if rules else (set(), set())
    lost = sorted(named - {each.id for each in found})
    return names, choices + [_lost_choice(session, user_id, each) for each in lost]


def _lost_choice(
    session: Session, user_id: uuid.UUID, collection_id: uuid.UUID
) -> CollectionChoice:
    """Return the choice of a collection that rules name and that is no longer in use."""
    try:
        name = f"{collections.get_collection(session, user_id, collection_id).name} (in the trash)"
    except NotFound:
        name = "A deleted collection"
    return CollectionChoice(str(collection_id), name, "", 0)
