"""URL of the library page."""

from sp404_app.pages.library import library
from sp404_app.pages.page import Page
from sp404_app.state.bulk.bulk_progress import BulkProgressState
from sp404_app.state.cards.download import DownloadState
from sp404_app.state.collections.add_to_collection import AddToCollectionState
from sp404_app.state.collections.collection_form import CollectionFormState
from sp404_app.state.layout import LayoutState
from sp404_app.state.library.library import LibraryState
from sp404_app.state.library.library_data import LibraryDataState
from sp404_app.state.sample.query_by_sound import QueryBySoundState
from sp404_app.state.sharing.share import ShareState

LIBRARY_PAGES = (
    Page(
        route="/library",
        component=library,
        title="Library",
        on_load=[
            QueryBySoundState.close,
            AddToCollectionState.close,
            CollectionFormState.close,
            LayoutState.load,
            LibraryState.load,
            DownloadState.load,
            LibraryDataState.load,
            BulkProgressState.load,
            ShareState.close_dialog,
        ],
    ),
)
