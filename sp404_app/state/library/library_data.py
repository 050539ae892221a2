"""The library's menu: export of values, and the dialog that imports them."""

from urllib.parse import urlencode

import reflex as rx
from reflex.event import EventSpec

from sp404_app.services.library.library_export import ExportFormat
from sp404_app.services.library.likeness_order import format_weights
from sp404_app.services.library.search import SampleQuery
from sp404_app.state import validation
from sp404_app.state.base import SessionState
from sp404_app.state.library.library import LibraryState


class LibraryDataState(SessionState):
    """Whether the dialog that imports a CSV file is open."""

    import_open: bool = False

    @rx.event
    async def load(self) -> None:
        """Close the dialog of the former page."""
        await self._user_id()
        self.import_open = False

    @rx.event
    async def open_import(self) -> None:
        """Ask for a CSV file."""
        await self._user_id()
        self.import_open = True

    @rx.event
    async def close_import(self) -> None:
        """Close the dialog."""
        await self._user_id()
        self.import_open = False

    @rx.event
    async def export_values(self, file_format: str) -> EventSpec:
        """Download the values of what the library's search finds, in a format."""
        await self._user_id()
        wanted = validation.validate_text(file_format, 10)
        chosen = ExportFormat.JSON if wanted == ExportFormat.JSON else ExportFormat.CSV
        library = await self.get_state(LibraryState)
        return rx.download(export_url(library.query, chosen), "")


def export_url(query: SampleQuery, wanted: ExportFormat) -> str:
    """Return the address of the export of a search."""
    values = {name: getattr(query, name) for name in SampleQuery.__dataclass_fields__}
    values["tag"] = values.pop("tags")
    values["weights"] = format_weights(query.weights)
    given = {
        name: str(value).lower() if isinstance(value, bool) else value
        for name, value in values.items()
        if value not in ("", None, ()) and value is not False
    }
    return f"/api/samples/export?{urlencode(given | {'format': wanted.value}, doseq=True)}"
