"""URL of the sample page."""

from sp404_app.pages.page import Page
from sp404_app.pages.sample.sample import sample
from sp404_app.state.cards.download import DownloadState
from sp404_app.state.collections.add_to_collection import AddToCollectionState
from sp404_app.state.collections.collection_form import CollectionFormState
from sp404_app.state.layout import LayoutState
from sp404_app.state.sample.sample import SampleState
from sp404_app.state.sharing.share import ShareState

SAMPLE_PAGES = (
    Page(
        route="/samples/[sample_id]",
        component=sample,
        title="Sample",
        on_load=[
            LayoutState.load,
            ShareState.close_dialog,
            AddToCollectionState.close,
            CollectionFormState.close,
            SampleState.load,
            DownloadState.load,
        ],
    ),
)
