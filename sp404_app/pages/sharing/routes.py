"""URL of the list of public links."""

from sp404_app.pages.page import Page
from sp404_app.pages.sharing.share_list import shares
from sp404_app.state.layout import LayoutState
from sp404_app.state.sharing.share import ShareState

SHARING_PAGES = (
    Page(
        route="/shares",
        component=shares,
        title="Shared links",
        on_load=[LayoutState.load, ShareState.load],
    ),
)
