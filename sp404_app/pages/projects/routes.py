"""URL of the pad page."""

from sp404_app.pages.page import Page
from sp404_app.pages.projects.pads import pads
from sp404_app.state.layout import LayoutState
from sp404_app.state.library.library import LibraryState
from sp404_app.state.projects.pads import PadsState

PROJECT_PAGES = (
    Page(
        route="/projects/[project_id]",
        component=pads,
        title="Pads",
        on_load=[LayoutState.load, PadsState.load, LibraryState.load],
    ),
)
