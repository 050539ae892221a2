"""URLs of the project list and the pad page."""

from sp404_app.pages.page import Page
from sp404_app.pages.projects.pads import pads
from sp404_app.pages.projects.project_list import project_list
from sp404_app.state.cards.doctor import DoctorState
from sp404_app.state.cards.export_project import ExportState
from sp404_app.state.layout import LayoutState
from sp404_app.state.library.library import LibraryState
from sp404_app.state.projects.new_project import NewProjectState
from sp404_app.state.projects.pads import PadsState
from sp404_app.state.projects.project_list import ProjectListState
from sp404_app.state.sharing.share import ShareState

PROJECT_PAGES = (
    Page(
        route="/projects",
        component=project_list,
        title="Projects",
        on_load=[
            NewProjectState.close,
            ExportState.close,
            ShareState.close_dialog,
            LayoutState.load,
            ProjectListState.load,
        ],
    ),
    Page(
        route="/projects/[project_id]",
        component=pads,
        title="Pads",
        on_load=[
            ExportState.close,
            DoctorState.close,
            ShareState.close_dialog,
            LayoutState.load,
            PadsState.load,
            LibraryState.load,
        ],
    ),
)
