"""URLs of the list of collections and of one collection."""

from sp404_app.pages.collections.collection import collection
from sp404_app.pages.collections.collection_list import collection_list
from sp404_app.pages.page import Page
from sp404_app.pages.sample_dialogs import CLOSE_SAMPLE_DIALOGS
from sp404_app.state.bulk.bulk_edit import BulkEditState
from sp404_app.state.bulk.bulk_progress import BulkProgressState
from sp404_app.state.collections.collection import CollectionState
from sp404_app.state.collections.collection_form import CollectionFormState
from sp404_app.state.collections.collection_list import CollectionListState
from sp404_app.state.layout import LayoutState
from sp404_app.state.library.columns import ColumnsState
from sp404_app.state.sharing.share import ShareState

COLLECTION_PAGES = (
    Page(
        route="/collections",
        component=collection_list,
        title="Collections",
        on_load=[
            CollectionFormState.close,
            ShareState.close_dialog,
            LayoutState.load,
            CollectionListState.load,
        ],
    ),
    Page(
        route="/collections/[collection_id]",
        component=collection,
        title="Collection",
        on_load=[
            *CLOSE_SAMPLE_DIALOGS,
            BulkEditState.close,
            LayoutState.load,
            ColumnsState.load,
            CollectionState.load,
            BulkProgressState.load,
        ],
    ),
)
