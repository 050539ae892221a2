"""URLs of the project list and the pad page."""

from sp404_app.pages.page import Page
from sp404_app.pages.projects.project_list import project_list
from sp404_app.state.layout import LayoutState
from sp404_app.state.projects.project_list import ProjectListState

PROJECT_PAGES = (
    Page(
        route="/projects",
        component=project_list,
        title="Projects",
        on_load=[LayoutState.load, ProjectListState.load],
    ),
)
