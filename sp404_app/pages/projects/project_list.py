"""/projects: the list of projects, and their trash."""

import reflex as rx

from sp404_app.components.brand import style_sheet
from sp404_app.components.cards import read_card_button, read_zip_button
from sp404_app.components.menus import menu_button, menu_item, menu_line, modal
from sp404_app.components.page_address import trash_address
from sp404_app.components.projects import bank_picture, project_grid, project_item
from sp404_app.pages.cards.export_dialog import export_dialog
from sp404_app.pages.layout import layout
from sp404_app.pages.projects.dialogs import new_project_dialog
from sp404_app.pages.sharing.share_dialog import share_dialog
from sp404_app.state.cards.export_project import ExportState
from sp404_app.state.projects.new_project import NewProjectState
from sp404_app.state.projects.project_cards import ProjectCard, ReportGroup, ReportLine
from sp404_app.state.projects.project_list import ProjectListState
from sp404_app.state.sharing.share import ShareState

REPORT = ProjectListState.report


def project_list() -> rx.Component:
    """The project list."""
    return layout(
        style_sheet("/projects.css"),
        style_sheet("/cards.css"),
        rx.el.div(
            header(),
            rx.cond(
                ProjectListState.loaded,
                rx.fragment(
                    trash_address(ProjectListState.address),
                    rx.cond(ProjectListState.cards.length() > 0, cards(), empty_state()),
                ),
                loading(),
            ),
            class_name="page projects",
        ),
        new_project_dialog(),
        export_dialog(),
        share_dialog(),
        rx.cond(REPORT.project_id != "", report_dialog()),
        rx.cond(ProjectListState.deleting_id != "", deletion_dialog()),
        current="/projects",
    )


def header() -> rx.Component:
    """The title, the switch to the trash, and the button for a new project."""
    return rx.el.header(
        rx.el.h1("Projects"),
        rx.el.div(
            view_button("In use", "in-use", trash=False),
            view_button(
                rx.fragment("Trash ", rx.el.span(ProjectListState.trash_count, class_name="mono")),
                "trash",
                trash=True,
            ),
            role="group",
            aria_label="Show",
            class_name="project-views",
        ),
        rx.el.div(
            read_zip_button("Read a ZIP…", class_name="button"),
            read_card_button("Read a card…"),
            class_name="projects-read",
        ),
        rx.el.button(
            rx.icon("plus"),
            "New project",
            type="button",
            class_name="button primary",
            on_click=NewProjectState.open_dialog,
            id="new-project",
            data_testid="new-project",
        ),
        class_name="projects-head",
    )


def view_button(text: str | rx.Component, test_id: str, *, trash: bool) -> rx.Component:
    """Button that shows the projects in use or the trash."""
    is_open = ProjectListState.trash if trash else ~ProjectListState.trash
    return rx.el.button(
        text,
        type="button",
        class_name=rx.cond(is_open, "chip on", "chip"),
        aria_pressed=is_open,
        on_click=ProjectListState.show_trash(trash),
        data_testid=f"view-{test_id}",
    )


def cards() -> rx.Component:
    """The cards of all projects."""
    return project_grid(
        rx.foreach(ProjectListState.cards, card),
        in_trash=ProjectListState.trash,
        on_act=ProjectListState.act,
    )


def card(project: ProjectCard) -> rx.Component:
    """The picture, name and facts of a project, and its menu."""
    picture = bank_picture(banks=project.banks, pads_per_bank=project.pads_per_bank)
    return project_item(
        rx.cond(
            ProjectListState.trash,
            rx.el.div(picture, class_name="project-picture"),
            rx.el.a(
                picture,
                href=f"/projects/{project.id}",
                class_name="project-picture",
                aria_hidden="true",
                tab_index=-1,
                data_testid="project-picture",
            ),
        ),
        rx.el.div(
            name(project),
            rx.el.p(project.device, class_name="project-device label"),
            class_name="project-title",
        ),
        rx.cond(ProjectListState.trash, rx.fragment(), menu(project)),
        rx.el.p(
            rx.el.span(project.filled, class_name="mono", data_testid="filled"),
            rx.el.span(project.tempo, class_name="mono"),
            rx.el.span(project.changed, class_name="project-age"),
            class_name="project-facts",
        ),
        rx.cond(ProjectListState.trash, trash_actions(project)),
        project_id=project.id,
        key=project.id,
    )


def name(project: ProjectCard) -> rx.Component:
    """The name, as a link or in a field to rename the project."""
    return rx.cond(
        ProjectListState.renaming == project.id,
        rx.el.form(
            rx.el.input(
                name="name",
                default_value=project.name,
                class_name="input rename",
                auto_focus=True,
                aria_label="New name",
                on_blur=ProjectListState.stop_renaming,
                max_length=200,
                auto_complete="off",
                data_testid="rename",
            ),
            # Reflex defines submit handlers outside the loop, where `project` is unknown.
            rx.el.input(type="hidden", name="project_id", value=project.id),
            on_submit=ProjectListState.rename,
        ),
        rx.cond(
            ProjectListState.trash,
            rx.el.h2(project.name, title=project.name, data_testid="name"),
            rx.el.h2(
                rx.el.a(
                    project.name,
                    href=f"/projects/{project.id}",
                    title=project.name,
                    custom_attrs={"data-card-focus": ""},
                    data_testid="name",
                )
            ),
        ),
    )


def menu(project: ProjectCard) -> rx.Component:
    """The menu of a project."""

    def item(text: str | rx.Var[str], action: str, *, deletes: bool = False) -> rx.Component:
        act = ProjectListState.act(action, project.id)
        return menu_item(text, f"menu-{action}", deletes=deletes, on_click=act)

    return menu_button(
        item("Rename", "rename"),
        item("Duplicate", "duplicate"),
        item(f"Convert to {project.other_device}", "convert"),
        menu_line(),
        menu_item("Export…", "menu-export", on_click=ExportState.open_dialog(project.id)),
        menu_item("Share…", "menu-share", on_click=ShareState.open_for_project(project.id)),
        menu_line(),
        item("Delete", "delete", deletes=True),
        label=f"Actions of {project.name}",
        test_id="project-menu",
    )


def trash_actions(project: ProjectCard) -> rx.Component:
    """Buttons that restore a project or delete it permanently."""
    return rx.el.div(
        rx.el.button(
            "Restore",
            type="button",
            class_name="button small",
            on_click=ProjectListState.act("restore", project.id),
            custom_attrs={"data-card-focus": ""},
            aria_label=f"Restore {project.name}",
            data_testid="restore",
        ),
        rx.el.button(
            "Delete permanently",
            type="button",
            class_name="button small danger",
            on_click=ProjectListState.act("ask", project.id),
            aria_label=f"Delete {project.name} permanently",
            data_testid="delete-for-good",
        ),
        class_name="row",
    )


def empty_state() -> rx.Component:
    """What to do when there is no project, or nothing in the trash."""
    return rx.cond(
        ProjectListState.trash,
        rx.el.div(
            rx.el.h2("The trash is empty"),
            rx.el.p("Deleted projects stay here for 30 days. Until then, you can restore them."),
            class_name="projects-empty",
            data_testid="empty-trash",
        ),
        rx.el.div(
            rx.el.div(*(rx.el.i() for _ in range(16)), class_name="empty-pads", aria_hidden="true"),
            rx.el.h2("No projects yet"),
            rx.el.p(
                "A project holds the pads of one SP-404: ten banks of 16 pads on the MKII, or of "
                "12 pads on the SX and A. Start with an empty one, select sounds in the library "
                "and choose New project, or read a card or backup of your device."
            ),
            rx.el.div(
                rx.el.button(
                    "New project",
                    type="button",
                    class_name="button primary",
                    on_click=NewProjectState.open_dialog,
                    data_testid="first-project",
                ),
                read_card_button("Read a card…", test_id="first-card"),
                rx.el.a("Go to library", href="/library", class_name="button"),
                class_name="row",
            ),
            class_name="projects-empty",
            data_testid="no-projects",
        ),
    )


def loading() -> rx.Component:
    """The skeleton shown while the projects load."""
    return rx.el.div(
        *(rx.el.div(class_name="project-card project-loading") for _ in range(3)),
        rx.el.span("Loading …", class_name="visually-hidden", role="status"),
        class_name="project-grid",
        aria_busy="true",
    )


def report_dialog() -> rx.Component:
    """The dialog that lists what the other device cannot hold."""
    return modal(
        rx.el.h2("Project converted"),
        rx.el.p(
            rx.cond(
                REPORT.groups.length() > 0,
                f"“{REPORT.name}” was created. The original was not changed.",
                f"“{REPORT.name}” was created. Everything fits.",
            )
        ),
        rx.el.div(rx.foreach(REPORT.groups, report_group), class_name="report"),
        rx.el.div(
            rx.el.button(
                "Close",
                type="button",
                class_name="button ghost",
                on_click=ProjectListState.close_dialogs,
            ),
            rx.el.a(
                "Open project",
                href=f"/projects/{REPORT.project_id}",
                class_name="button primary",
                data_testid="open-converted",
            ),
            class_name="dialog-foot",
        ),
        label="Project converted",
        test_id="report",
        on_close=ProjectListState.close_dialogs,
    )


def report_group(group: ReportGroup) -> rx.Component:
    """Differences of one kind."""
    return rx.el.section(
        rx.el.h3(group.title),
        rx.el.ul(rx.foreach(group.lines, report_line)),
        data_testid="report-group",
    )


def report_line(line: ReportLine) -> rx.Component:
    """Pads with the same difference."""
    return rx.el.li(
        rx.el.span(line.pads, class_name="mono"),
        rx.cond(line.what != "", rx.el.span(line.what, class_name="muted")),
    )


def deletion_dialog() -> rx.Component:
    """The dialog that asks before a project is permanently deleted."""
    return modal(
        rx.el.h2("Delete project permanently?"),
        rx.el.p(
            f"“{ProjectListState.deleting_name}” and its pads are deleted. Your sounds stay in the "
            "library. This can’t be undone."
        ),
        rx.el.div(
            rx.el.button(
                "Cancel",
                type="button",
                class_name="button ghost",
                on_click=ProjectListState.close_dialogs,
            ),
            rx.el.button(
                "Delete permanently",
                type="button",
                class_name="button danger",
                on_click=ProjectListState.delete_for_good,
                data_testid="confirm-deletion",
            ),
            class_name="dialog-foot",
        ),
        label="Delete project permanently",
        test_id="deletion",
        on_close=ProjectListState.close_dialogs,
    )
