"""Dialogs that several pages use: create a project, and put samples on pads."""

import reflex as rx

from sp404_app.components import forms
from sp404_app.components.brand import style_sheet
from sp404_app.components.menus import modal
from sp404_app.devices.capabilities import DEVICES
from sp404_app.services.projects.project_details import TEMPO_RANGE_BPM
from sp404_app.state.projects.new_project import NewProjectState
from sp404_app.state.projects.project_cards import ProjectCard
from sp404_app.state.projects.put_on_pads import PutOnPadsState


def new_project_dialog() -> rx.Component:
    """The dialog that creates a project."""
    problems = NewProjectState.problems
    return rx.cond(
        NewProjectState.is_open,
        modal(
            style_sheet("/projects.css"),
            rx.el.form(
                rx.el.h2("New project"),
                rx.cond(
                    NewProjectState.sounds != "",
                    rx.el.p(
                        f"{NewProjectState.sounds}, on the pads from A1 on.",
                        class_name="muted",
                        data_testid="new-project-sounds",
                    ),
                ),
                forms.field(
                    "name",
                    "Name",
                    field_id="name-of-project",
                    problem=problems["name"],
                    default_value=NewProjectState.name,
                    placeholder="Untitled project",
                    max_length=200,
                ),
                device_field(),
                forms.field(
                    "tempo",
                    "Tempo in BPM",
                    hint=rx.cond(
                        NewProjectState.sounds != "",
                        "Leave empty for the tempo of the first loop.",
                        "Leave empty for 90 BPM.",
                    ),
                    problem=problems["tempo"],
                    input_mode="decimal",
                    placeholder=f"{TEMPO_RANGE_BPM[0]:g}–{TEMPO_RANGE_BPM[1]:g}",
                ),
                forms.notice(problems["form"], testid="new-project-problem"),
                rx.el.div(
                    rx.el.button(
                        "Cancel",
                        type="button",
                        class_name="button ghost",
                        on_click=NewProjectState.close,
                    ),
                    rx.el.button(
                        "Create project",
                        type="submit",
                        class_name="button primary",
                        data_testid="create-project",
                    ),
                    class_name="dialog-foot",
                ),
                on_submit=NewProjectState.create,
                class_name="stack",
            ),
            label="New project",
            test_id="new-project-dialog",
            on_close=NewProjectState.close,
        ),
    )


def device_field() -> rx.Component:
    """The choice of the device."""
    return rx.el.fieldset(
        rx.el.legend("Device", class_name="field-label"),
        rx.el.div(
            *(
                rx.el.label(
                    rx.el.input(
                        type="radio",
                        name="device",
                        value=kind.value,
                        default_checked=NewProjectState.device == kind.value,
                        data_testid=f"device-{kind.value}",
                    ),
                    rx.el.span(
                        rx.el.strong(device.title),
                        rx.el.small(f"10 banks of {device.pads_per_bank} pads"),
                    ),
                    class_name="device-choice",
                )
                for kind, device in DEVICES.items()
            ),
            class_name="device-choices",
        ),
        class_name="plain-fieldset",
    )


def put_on_pads_dialog() -> rx.Component:
    """The dialog that chooses the project whose free pads are filled."""
    return rx.cond(
        PutOnPadsState.is_open,
        modal(
            style_sheet("/projects.css"),
            rx.el.h2("Choose a project"),
            rx.el.p(
                f"{PutOnPadsState.sounds} on the next free pads.",
                class_name="muted",
                data_testid="put-what",
            ),
            rx.cond(
                PutOnPadsState.choices.length() > 0,
                rx.el.ul(
                    rx.foreach(PutOnPadsState.choices, project_choice), class_name="choices-list"
                ),
                rx.el.p("You have no projects yet."),
            ),
            rx.el.div(
                rx.el.button(
                    "Cancel",
                    type="button",
                    class_name="button ghost",
                    on_click=PutOnPadsState.close,
                ),
                rx.el.button(
                    "New project",
                    type="button",
                    class_name="button",
                    on_click=NewProjectState.open_for_pads,
                    data_testid="put-on-new-project",
                ),
                class_name="dialog-foot",
            ),
            label="Choose a project",
            test_id="put-on-pads-dialog",
            on_close=PutOnPadsState.close,
        ),
    )


def project_choice(project: ProjectCard) -> rx.Component:
    """A project to choose; disabled if it has no free pads."""
    return rx.el.li(
        rx.el.button(
            rx.el.strong(project.name),
            rx.el.span(project.device, class_name="muted"),
            rx.el.span(project.free, class_name="mono muted"),
            type="button",
            class_name="project-choice",
            disabled=project.is_full,
            on_click=PutOnPadsState.choose(project.id),
            data_testid="choose-project",
        ),
        class_name="project-choice-item",
        key=project.id,
    )
