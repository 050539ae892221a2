"""URLs of the library: its list and its map."""

from sp404_app.pages.library import library
from sp404_app.pages.library.map import library_map
from sp404_app.pages.page import Page
from sp404_app.pages.sample_dialogs import CLOSE_SAMPLE_DIALOGS
from sp404_app.state.bulk.bulk_edit import BulkEditState
from sp404_app.state.bulk.bulk_progress import BulkProgressState
from sp404_app.state.layout import LayoutState
from sp404_app.state.library.columns import ColumnsState
from sp404_app.state.library.library import LibraryState
from sp404_app.state.library.library_data import LibraryDataState
from sp404_app.state.sample.query_by_sound import QueryBySoundState

LIBRARY_PAGES = (
    Page(
        route="/library",
        component=library,
        title="Library",
        on_load=[
            *CLOSE_SAMPLE_DIALOGS,
            QueryBySoundState.close,
            BulkEditState.close,
            LayoutState.load,
            ColumnsState.load,
            LibraryState.load,
            LibraryDataState.load,
            BulkProgressState.load,
        ],
    ),
    Page(
        route="/map",
        component=library_map,
        title="Map",
        on_load=[
            *CLOSE_SAMPLE_DIALOGS,
            BulkEditState.close,
            LayoutState.load,
            LibraryState.load,
            BulkProgressState.load,
        ],
    ),
)
