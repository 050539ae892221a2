"""State of the project list: cards, trash, rename, duplicate, convert."""

import uuid
from collections.abc import AsyncIterator
from typing import Any

import reflex as rx
from reflex.event import EventSpec, EventType
from sqlmodel import Session

from sp404_app.db import in_transaction
from sp404_app.devices.capabilities import Device
from sp404_app.errors import NotFound, ValidationFailed
from sp404_app.models.columns import now
from sp404_app.services.infra import events
from sp404_app.services.infra.events import Topic
from sp404_app.services.projects import history, projects, trash
from sp404_app.state import double_click, validation
from sp404_app.state.base import SessionState
from sp404_app.state.page_watching import begin_again_after_outages
from sp404_app.state.projects.project_cards import (
    ConversionReport,
    ProjectCard,
    card_of,
    other_device,
    report_of,
)
from sp404_app.state.toast import ToastState, undo_handlers

REFRESH_S = 60.0  # so that "5 min ago" stays true
UNDO_PROJECT_DELETION = "project deletion"


class ProjectListState(SessionState):
    """State of one tab's list of projects."""

    loaded: bool = False
    trash: bool = False
    address: str = ""  # of a view that was chosen; empty if the URL was there first
    cards: rx.Field[list[ProjectCard]] = rx.field(default_factory=list)
    trash_count: int = 0
    renaming: str = ""
    deleting_id: str = ""  # the project that the dialog asks to delete permanently
    deleting_name: str = ""
    report: rx.Field[ConversionReport] = rx.field(default_factory=ConversionReport)
    _deleted: str = ""
    _acts: double_click.RecentActions = {}

    @rx.event
    async def load(self) -> EventType[()]:
        """Load the projects, or the trash if the URL says so, and follow their changes."""
        user_id = await self._user_id()
        self.trash = self.router.url.query_parameters.get("view") == "trash"
        self.address = ""
        self._close_dialogs()
        await self._show(user_id)
        self.loaded = True
        return ProjectListState.watch

    @rx.event(background=True)
    @begin_again_after_outages
    async def watch(self) -> None:
        """Refresh the list at every change of a project, until the tab leaves the page."""
        user_id = await self._user_id()
        async for burst in events.listen(user_id, patience=REFRESH_S):
            if burst and all(item.topic is not Topic.PROJECT for item in burst):
                continue
            async with self:
                in_trash = self.trash
            cards, count = await in_transaction(_load_cards, user_id, in_trash)
            async with self:
                if self.trash == in_trash and (self.cards, self.trash_count) != (cards, count):
                    self.cards, self.trash_count = cards, count

    @rx.event
    async def show_trash(self, is_shown: bool) -> None:
        """Show the trash, or the projects in use."""
        user_id = await self._user_id()
        self.trash, self.renaming = is_shown is True, ""
        self.address = "/projects?view=trash" if self.trash else "/projects"
        await self._show(user_id)

    @rx.event
    async def act(self, action: str, project_id: str) -> AsyncIterator[EventType[()] | None]:
        """Run the action of a key or a menu on one project."""
        user_id, name = await self._user_id(), validation.validate_text(action, 20)
        chosen = validation.validate_id(project_id)
        actions = {
            "rename": self._start_renaming,
            "duplicate": self._duplicate,
            "convert": self._convert,
            "delete": self._move_to_trash,
            "restore": self._restore,
            "ask": self._ask_to_delete,
        }
        if name not in actions:
            raise ValidationFailed("Unknown action.")
        yield await actions[name](user_id, chosen)
        await self._show(user_id)

    @rx.event
    async def rename(self, form: dict[str, Any]) -> None:
        """Rename the project of the form."""
        user_id, fields = await self._user_id(), validation.validate_form(form)
        project_id = validation.validate_id(fields.get("project_id"))
        name = validation.validate_text(fields.get("name", ""), 200)
        self.renaming = ""
        target = history.Target(user_id, project_id)
        await in_transaction(projects.change_details, target, {"name": name})
        await self._show(user_id)

    @rx.event
    async def stop_renaming(self) -> None:
        """Cancel renaming."""
        await self._user_id()
        self.renaming = ""

    @rx.event
    async def undo_deletion(self) -> None:
        """Restore the project that was deleted last."""
        user_id, deleted = await self._user_id(), self._deleted
        self._deleted = ""
        if deleted:
            await in_transaction(projects.restore_project, user_id, validation.validate_id(deleted))
        await self._show(user_id)

    @rx.event
    async def delete_for_good(self) -> AsyncIterator[EventType[()] | None]:
        """Permanently delete the project that the dialog asks about."""
        user_id, deleting, name = await self._user_id(), self.deleting_id, self.deleting_name
        self._close_dialogs()
        if deleting:
            chosen = validation.validate_id(deleting)
            await in_transaction(trash.delete_for_good, user_id, chosen)
            await self._show(user_id)
            yield ToastState.show(f"“{name[:60]}” permanently deleted.")  # type: ignore[misc]

    @rx.event
    async def close_dialogs(self) -> None:
        """Close the open dialog."""
        await self._user_id()
        self._close_dialogs()

    async def _start_renaming(self, user_id: uuid.UUID, project_id: uuid.UUID) -> None:
        await in_transaction(history.get_project, user_id, project_id)
        self.renaming = str(project_id)

    async def _duplicate(self, user_id: uuid.UUID, project_id: uuid.UUID) -> EventSpec | None:
        if double_click.is_repeated(self._acts, "duplicate", project_id):
            return None
        copy, _ = await in_transaction(projects.duplicate_project, user_id, project_id)
        self._acts = double_click.remember_action("duplicate", project_id)
        return ToastState.show(f"“{copy.name[:60]}” created.", "ok", "", f"/projects/{copy.id}")  # type: ignore[return-value]

    async def _convert(self, user_id: uuid.UUID, project_id: uuid.UUID) -> None:
        if double_click.is_repeated(self._acts, "convert", project_id):
            return
        self.report = await in_transaction(_convert_project, user_id, project_id)
        self._acts = double_click.remember_action("convert", project_id)

    async def _move_to_trash(self, user_id: uuid.UUID, project_id: uuid.UUID) -> EventSpec | None:
        project = await in_transaction(history.get_project, user_id, project_id)
        if not await in_transaction(trash.move_to_trash, user_id, project_id):
            return None
        self._deleted = str(project_id)
        message = f"“{project.name[:60]}” moved to the trash."
        return ToastState.show(message, "ok", UNDO_PROJECT_DELETION)  # type: ignore[return-value]

    async def _restore(self, user_id: uuid.UUID, project_id: uuid.UUID) -> EventSpec | None:
        project = await in_transaction(projects.restore_project, user_id, project_id)
        return ToastState.show(  # type: ignore[return-value]
            f"“{project.name[:60]}” restored.", "ok", "", f"/projects/{project.id}"
        )

    async def _ask_to_delete(self, user_id: uuid.UUID, project_id: uuid.UUID) -> None:
        project = await in_transaction(history.get_project, user_id, project_id)
        if project.deleted_at is None:
            raise NotFound("This project isn’t in the trash.")
        self.deleting_id, self.deleting_name = str(project_id), project.name

    async def _show(self, user_id: uuid.UUID) -> None:
        self.cards, self.trash_count = await in_transaction(_load_cards, user_id, self.trash)

    def _close_dialogs(self) -> None:
        self.deleting_id = self.deleting_name = self.renaming = ""
        self.report = ConversionReport()


def _load_cards(
    session: Session, user_id: uuid.UUID, in_trash: bool
) -> tuple[list[ProjectCard], int]:
    """Return the cards of the projects in use or in the trash, and the number in the trash."""
    at = now()
    found = projects.list_projects(session, user_id, trash=in_trash)
    count = len(found) if in_trash else trash.count_trash(session, user_id)
    return [card_of(summary, at) for summary in found], count


def _convert_project(
    session: Session, user_id: uuid.UUID, project_id: uuid.UUID
) -> ConversionReport:
    project = history.get_project(session, user_id, project_id)
    device: Device = other_device(projects.device_of(project))
    copy, differences = projects.duplicate_project(session, user_id, project_id, device)
    return report_of(copy, differences)


undo_handlers[UNDO_PROJECT_DELETION] = ProjectListState.undo_deletion
