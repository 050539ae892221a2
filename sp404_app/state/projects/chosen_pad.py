"""Changes of the chosen pad: its name, settings, positions, chops and edit."""

from typing import Any

import reflex as rx

from sp404_app.db import in_transaction
from sp404_app.errors import ValidationFailed
from sp404_app.services.projects import renders
from sp404_app.services.projects.device_names import device_name
from sp404_app.services.projects.pads import PadChange
from sp404_app.state import validation
from sp404_app.state.projects.pad_view import load_page
from sp404_app.state.projects.pads_base import PadsBase, Stream
from sp404_app.state.toast import ToastState

# Values of an edit that change nothing.
NEUTRAL_EDIT = {
    "pitch": 0,
    "stretch": 1,
    "gain_db": 0,
    "fade_in": 0,
    "fade_out": 0,
    "resample_trick": 0,
    "reverse": False,
    "channels": "keep",
}


class ChosenPad(PadsBase, mixin=True):
    """Handlers of the inspector. `key` is the pad that the control showed."""

    @rx.event
    async def confirm_edit(self, number: int) -> None:
        """Confirm that the change with this number was handled.

        A tab's events are handled in order, and a control sends this one after its change. Until
        it is confirmed, the control shows the user's value, not the one that was saved before.
        """
        await self._user_id()
        self.confirmed_edit = validation.validate_integer(number, 0, 2**53)

    @rx.event
    async def rename_pad(self, name: str, key: str = "") -> Stream:
        """Rename the chosen pad."""
        yield await self._change_chosen(PadChange(name=validation.validate_text(name)), key)

    @rx.event
    async def preview_name(self, name: str) -> None:
        """Show on the screen how the device will write a name that is being typed."""
        await self._user_id()
        name = validation.validate_text(name).strip()
        self.name_draft = device_name(name) if name else ""

    @rx.event
    async def set_setting(self, name: str, value: Any, key: str = "") -> Stream:
        """Change one setting of the chosen pad."""
        name = validation.validate_text(name, 40)
        yield await self._change_chosen(PadChange(settings={name: _plain_value(value)}), key)

    @rx.event
    async def set_number(self, name: str, value: str, key: str = "") -> Stream:
        """Change one integer setting of the chosen pad, chosen from a list."""
        name = validation.validate_text(name, 40)
        yield await self._change_chosen(PadChange(settings={name: _integer(value)}), key)

    @rx.event
    async def set_pad_tempo(self, value: str, key: str = "") -> Stream:
        """Set the tempo of the chosen pad; empty means none."""
        bpm = validation.parse_number(value)
        yield await self._change_chosen(PadChange(settings={"bpm": bpm}), key)

    @rx.event
    async def set_positions(self, start: int, end: int, loop_top: int, key: str = "") -> Stream:
        """Set start, end and loop point of the chosen pad, in frames."""
        values = {"start": start, "end": end, "loop_top": loop_top}
        parsed = {k: validation.validate_integer(v, 0, 2**31 - 1) for k, v in values.items()}
        yield await self._change_chosen(PadChange(settings=parsed), key)

    @rx.event
    async def set_edit(self, name: str, value: Any, key: str = "") -> Stream:
        """Change one instruction of the chosen pad's edit; None removes it."""
        yield await self._set_edit(validation.validate_text(name, 40), value, key)

    @rx.event
    async def set_normalise(self, choice: str) -> Stream:
        """Set the level to reach: "peak -1", "lufs -14", or nothing."""
        to, _, value = validation.validate_text(choice, 20).partition(" ")
        level = {"to": to, "value": validation.parse_number(value)} if to else None
        yield await self._set_edit("normalise", level)

    @rx.event
    async def set_trim_silence(self, choice: str) -> Stream:
        """Set the level in dBFS below which silence is trimmed, or nothing."""
        yield await self._set_edit("trim_silence", validation.parse_number(choice))

    @rx.event
    async def set_channels(self, choice: str) -> Stream:
        """Set the channels of the chosen pad's audio."""
        yield await self._set_edit("channels", validation.validate_text(choice, 10))

    @rx.event
    async def stretch_to_tempo(self) -> Stream:
        """Stretch the chosen pad from its tempo to the project's."""
        await self._user_id()
        bpm = self.sheet.settings.get("bpm")
        if self.edit.tempo_match:
            yield await self._set_edit("stretch_to_bpm", None)
            return
        if not bpm:
            yield ToastState.show("Set this pad’s tempo first.", "error")  # type: ignore[misc]
            return
        change = {"from": float(bpm), "to": float(self.head.tempo)}
        yield await self._set_edit("stretch_to_bpm", change)

    @rx.event
    async def reset_edit(self) -> Stream:
        """Remove all instructions of the chosen pad's edit."""
        yield await self._change_chosen(PadChange(edit={}))

    @rx.event
    async def set_chops(self, frames: list[int], key: str = "") -> Stream:
        """Set the chop markers of the chosen pad, in frames."""
        if not isinstance(frames, list):
            raise ValidationFailed("Send a list of frames.")
        yield await self._change_chosen(PadChange(chops=[_frame(each) for each in frames]), key)

    @rx.event
    async def retry_render(self) -> None:
        """Make the audio of the chosen pad again, after it failed."""
        user_id = await self._user_id()
        cell = next((each for each in self.cells if each.key == self.sheet.key), None)
        if cell and cell.error:
            await in_transaction(renders.retry_failed, user_id, cell.hash)
        await self._show(user_id)

    @rx.event
    async def toggle_snap(self) -> None:
        """Snap handles to zero crossings, or not."""
        await self._user_id()
        self.is_snapping = not self.is_snapping

    @rx.event
    async def toggle_chop_keys(self) -> None:
        """Let the keys of the pads play the chops of the chosen pad, or the pads."""
        await self._user_id()
        self.has_chop_keys = not self.has_chop_keys

    async def _set_edit(self, name: str, value: object, key: str = "") -> Any:
        """Change one instruction of the edit; a neutral value removes it."""
        edit = dict(await self._edit_of(key))
        edit.pop(name, None)
        if name == "stretch":
            edit.pop("stretch_to_bpm", None)
        elif name == "stretch_to_bpm":
            edit.pop("stretch", None)
        if value is not None and value != "" and value != NEUTRAL_EDIT.get(name):
            edit[name] = value
        return await self._change_chosen(PadChange(edit=edit), key)

    async def _edit_of(self, key: str) -> dict[str, Any]:
        """Return the edit of a pad, by default of the chosen one."""
        user_id = await self._user_id()
        if not key or key == self.sheet.key:
            return self._raw_edit
        at = self._position(key)
        page = await in_transaction(load_page, user_id, self._id(), at.bank, str(at))
        return page.raw_edit


def _plain_value(value: object) -> object:
    """Return a JSON number as int where it is whole, as browsers send 3.0 for 3."""
    if isinstance(value, float) and value == value and abs(value) < 1e12 and value == int(value):  # noqa: PLR0124
        return int(value)
    return value


def _frame(value: object) -> int:
    return validation.validate_integer(value, 0, 2**31 - 1)


def _integer(value: object) -> int:
    """Return the integer that a select field sent."""
    return validation.validate_integer(validation.parse_number(value) or 0, -1000, 1000)
