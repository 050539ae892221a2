"""Actions on samples of the list: rate, mark, tag, rename, analyse, delete, restore, and undo."""

import uuid
from collections.abc import AsyncIterator
from typing import Any, Final

import reflex as rx
from reflex.event import EventSpec, EventType

from sp404_app.db import in_transaction
from sp404_app.services.bulk.batches import BATCH_SOUNDS
from sp404_app.services.library import bulk_actions, samples
from sp404_app.services.library.bulk_actions import Action
from sp404_app.services.library.samples import Change
from sp404_app.services.sample import pad_usage
from sp404_app.state import validation
from sp404_app.state.library import bulk_messages
from sp404_app.state.library.library_base import LibraryBase
from sp404_app.state.library.long_actions import long_actions
from sp404_app.state.library.selected_tags import SelectedTag, selected_tags
from sp404_app.state.toast import ToastState

TOGGLE: Final = "favourite"
MARKS: Final = {TOGGLE: None, "mark": True, "unmark": False}  # what they make of favourites
UNDO_DELETION, UNDO_RESTORATION, UNDO_FAVOURITE = "deletion", "restoration", "favourite"
BULK_ACTIONS = set(Action) - {Action.DELETE_FOR_GOOD}  # `PermanentDeletionState` asks first


class LibraryActions(LibraryBase, mixin=True):
    """Handlers of the keys, buttons and dialogs that change samples."""

    renaming: str = ""
    selection_tags: list[SelectedTag] = []
    tags_open: bool = False
    _tag_targets: list[str] = []
    _deleted: list[str] = []
    _restored: list[str] = []
    _starred: tuple[list[str], bool] = ([], True)  # whose favourite mark was changed, and to what

    @rx.event
    async def act(self, action: str, sample_id: str = "") -> AsyncIterator[EventType[()] | None]:
        """Apply the action of a key or button to the selection, or else to the given sample."""
        user_id = await self._user_id()
        yield await self._run_action(
            user_id, validation.validate_text(action, 20), self._target_ids(sample_id)
        )

    @rx.event
    async def act_on(self, action: str, sample_id: str) -> AsyncIterator[EventType[()] | None]:
        """Apply the action of a button in a row to that sample only."""
        user_id = await self._user_id()
        yield await self._run_action(
            user_id, validation.validate_text(action, 20), [validation.validate_id(sample_id)]
        )

    @rx.event
    async def undo(self) -> None:
        """Restore the samples that were deleted last."""
        user_id = await self._user_id()
        ids = [validation.validate_id(i) for i in self._deleted]
        self._deleted = []
        await in_transaction(samples.restore_samples, user_id, ids)
        await self._refresh_sidebar(user_id)
        await self._show(user_id, self.window.start)

    @rx.event
    async def undo_restoration(self) -> EventSpec | None:
        """Move the samples that were restored last to the trash again."""
        user_id = await self._user_id()
        ids = [validation.validate_id(i) for i in self._restored]
        self._restored = []
        notice = await self._move_to_trash(user_id, ids) if ids else None
        await self._show(user_id, self.window.start)
        return notice

    @rx.event
    async def undo_favourite(self) -> None:
        """Give the samples whose favourite mark was changed last the mark that they had."""
        user_id = await self._user_id()
        ids, favourite = self._starred
        self._starred = [], favourite
        parsed = [validation.validate_id(i) for i in ids]
        await in_transaction(bulk_actions.set_favourite, user_id, parsed, favourite=not favourite)
        await self._show(user_id, self.window.start)

    @rx.event
    async def rename(self, form: dict[str, Any]) -> None:
        """Rename the sample of the form; without a name it keeps its own."""
        user_id, fields = await self._user_id(), validation.validate_form(form)
        sample_id = validation.validate_id(fields.get("sample_id"))
        name = validation.validate_text(fields.get("name", ""))
        self.renaming = ""
        if name.strip():
            await in_transaction(samples.change_sample, user_id, sample_id, Change(name=name))
        await self._show(user_id, self.window.start)

    @rx.event
    async def stop_renaming(self) -> None:
        """Cancel renaming."""
        await self._user_id()
        self.renaming = ""

    @rx.event
    async def add_tags(self, form: dict[str, Any]) -> EventSpec | None:
        """Add the tags that were typed, separated by commas, to the selected samples."""
        names = validation.validate_text(validation.validate_form(form).get("tags", "")).split(",")
        return await self._change_tags(Action.TAG, [name for name in names if name.strip()])

    @rx.event
    async def drop_tag(self, name: str) -> None:
        """Remove a tag from the selected samples."""
        await self._change_tags(Action.UNTAG, [validation.validate_text(name, 60)])

    @rx.event
    async def close_dialogs(self) -> None:
        """Close the open dialog."""
        await self._user_id()
        self.tags_open = False

    async def _change_tags(self, action: Action, names: list[str]) -> EventSpec | None:
        """Change the tags; return a notice if some sounds would have too many."""
        user_id = await self._user_id()
        ids = [validation.validate_id(i) for i in self._tag_targets]
        if not names or not ids:
            return None
        done = await in_transaction(bulk_actions.run_bulk_action, user_id, action, ids, None, names)
        await self._list_tags(user_id, ids)
        await self._show(user_id, self.window.start)
        await self._refresh_sidebar(user_id)
        refused = bulk_messages.tag_limit_message(done.values())
        return ToastState.show(refused, "bad") if refused else None  # type: ignore[return-value]

    async def _run_action(
        self, user_id: uuid.UUID, action: str, ids: list[uuid.UUID]
    ) -> EventSpec | None:
        notice = None
        if action == "close":
            self.tags_open = False
        elif action == "rename" and ids:
            self.renaming = str(ids[0])
        elif action == "tag" and ids:
            await self._open_tag_dialog(user_id, ids)
        elif action.startswith("rate-") and ids:
            await in_transaction(
                bulk_actions.rate_samples,
                user_id,
                ids,
                int(validation.parse_number(action[5:]) or 0),
            )
        elif action in MARKS and ids:
            notice = await self._mark(user_id, action, ids)
        elif action in BULK_ACTIONS and ids:
            notice = await self._run_bulk(user_id, Action(action), ids)
        await self._show(user_id, self.window.start)
        return notice

    async def _mark(
        self, user_id: uuid.UUID, action: str, ids: list[uuid.UUID]
    ) -> EventSpec | None:
        """Change the favourite mark; return a notice unless the star of a row tells it."""
        favourite = MARKS[action]
        if favourite is None:
            changed, favourite = await in_transaction(bulk_actions.toggle_favourite, user_id, ids)
        else:
            changed = await in_transaction(
                bulk_actions.set_favourite, user_id, ids, favourite=favourite
            )
        if not changed or (action == TOGGLE and len(ids) == 1):
            return None
        self._starred = [str(each) for each in changed], favourite
        message = bulk_messages.favourite_message(len(changed), favourite=favourite)
        return ToastState.show(message, "ok", UNDO_FAVOURITE)  # type: ignore[return-value]

    async def _run_bulk(
        self, user_id: uuid.UUID, action: Action, ids: list[uuid.UUID]
    ) -> EventSpec | None:
        if action in long_actions and len(ids) > BATCH_SOUNDS:
            return long_actions[action]
        if action is Action.DELETE:
            return await self._move_to_trash(user_id, ids)
        done = await in_transaction(bulk_actions.run_bulk_action, user_id, action, ids, None)
        changed = [str(sample_id) for sample_id, result in done.items() if result == "ok"]
        self._clear_selection()
        await self._refresh_sidebar(user_id)
        if action is Action.ANALYSE:
            return ToastState.show(*bulk_messages.analysis_message(done.values()))  # type: ignore[return-value]
        if action is Action.RESTORE:
            self._restored = changed
            message = f"{bulk_messages.format_sounds(len(changed))} restored."
            return ToastState.show(message, "ok", UNDO_RESTORATION if changed else "")  # type: ignore[return-value]
        return None

    async def _move_to_trash(self, user_id: uuid.UUID, ids: list[uuid.UUID]) -> EventSpec | None:
        result, uses = await in_transaction(pad_usage.trash_samples, user_id, ids)
        self._clear_selection()
        await self._refresh_sidebar(user_id)
        if not result.moved:
            return None
        self._deleted = [str(each) for each in result.moved]
        what = bulk_messages.format_sounds(len(result.moved))
        message = bulk_messages.trashed_message(what, result, uses)
        return ToastState.show(message, "ok", UNDO_DELETION)  # type: ignore[return-value]

    async def _open_tag_dialog(self, user_id: uuid.UUID, ids: list[uuid.UUID]) -> None:
        self._tag_targets = [str(i) for i in ids]
        await self._list_tags(user_id, ids)
        self.tags_open = True

    async def _list_tags(self, user_id: uuid.UUID, ids: list[uuid.UUID]) -> None:
        found = await in_transaction(samples.tags_of_samples, user_id, ids)
        self.selection_tags = selected_tags(found, len(ids[: samples.MAX_TAGGED_SAMPLES]))
