"""URL of the sample page."""

from sp404_app.pages.page import Page
from sp404_app.pages.sample.sample import sample
from sp404_app.pages.sample_dialogs import CLOSE_SAMPLE_DIALOGS
from sp404_app.state.layout import LayoutState
from sp404_app.state.sample.sample import SampleState

SAMPLE_PAGES = (
    Page(
        route="/samples/[sample_id]",
        component=sample,
        title="Sample",
        on_load=[*CLOSE_SAMPLE_DIALOGS, LayoutState.load, SampleState.load],
    ),
)
