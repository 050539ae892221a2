"""The dialogs about sounds that the library, a collection and a sample share."""

import reflex as rx

from sp404_app.pages.cards.download import download_dialog
from sp404_app.pages.collections.dialogs import add_to_collection_dialog, collection_dialog
from sp404_app.pages.projects.dialogs import new_project_dialog, put_on_pads_dialog
from sp404_app.pages.sharing.share_dialog import share_dialog
from sp404_app.state.cards.download import DownloadState
from sp404_app.state.collections.add_to_collection import AddToCollectionState
from sp404_app.state.collections.collection_form import CollectionFormState
from sp404_app.state.library.library import LibraryState
from sp404_app.state.projects.new_project import NewProjectState
from sp404_app.state.projects.put_on_pads import PutOnPadsState
from sp404_app.state.sharing.share import ShareState

# First in `on_load`, so that they do not close what a visitor opens while the page loads:
# a tab keeps its state when it opens another page or loads this one again.
CLOSE_SAMPLE_DIALOGS = (
    LibraryState.close_dialogs,
    NewProjectState.close,
    PutOnPadsState.close,
    AddToCollectionState.close,
    CollectionFormState.close,
    ShareState.close_dialog,
    DownloadState.load,
)


def sample_dialogs() -> rx.Component:
    """Render the dialogs, each of which shows itself when its state is open."""
    return rx.fragment(
        new_project_dialog(),
        put_on_pads_dialog(),
        add_to_collection_dialog(),
        collection_dialog(),
        download_dialog(),
        share_dialog(),
    )
