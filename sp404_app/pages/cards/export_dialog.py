"""The export dialog: what for, what changes, and then the archive or the card."""

from typing import Any

import reflex as rx

from sp404_app.components.brand import style_sheet
from sp404_app.components.cards import card_write_panel
from sp404_app.components.menus import modal
from sp404_app.components.server_link import server_link
from sp404_app.pages.cards.card_drawing import card_drawing
from sp404_app.state.cards.export_project import ExportState
from sp404_app.state.cards.export_view import CheckGroup, PadLink

CHECK, RESULT = ExportState.check, ExportState.result
KINDS = (
    (
        "import",
        "Import pack",
        "Safest",
        "WAV files in a folder for each bank. On the SP-404MKII you put them on pads by hand.",
    ),
    (
        "sx",
        "SP-404SX/A card",
        "",
        "Sounds on their pads with level, gate, loop and reverse. The MKII reads it, too.",
    ),
    (
        "mk2",
        "MKII project",
        "Beta",
        "Sounds on their pads with all settings. No owner has confirmed it on a device yet: "
        "back up your device first.",
    ),
)
# How many of the steps a card has behind it that this page wrote.
STEPS_OF_ZIP = {"import": 1, "sx": 2, "mk2": 1}
STEPS = {
    "import": (
        "Unpack the ZIP onto the card, so that its IMPORT folder is at the top.",
        "Put the card into the SP-404MKII and start its import of samples.",
        "Open the folder of a bank; its sounds are in the order of your pads.",
    ),
    "sx": (
        "Back up what is on the card, then format it on the SP-404.",
        "Unpack the ZIP onto the card, so that its ROLAND folder is at the top.",
        "Put the card into the SP-404SX or A; the sounds are on their pads.",
    ),
    "mk2": (
        "Back up your device, then unpack the ZIP onto the card.",
        "Put the card into the SP-404MKII and start its import of projects.",
        "Choose the folder of the project, and the project of the device that it goes into.",
    ),
}


def export_dialog() -> rx.Component:
    """The dialog."""
    return rx.cond(
        ExportState.is_open,
        modal(
            style_sheet("/cards.css"),
            rx.el.div(
                rx.el.header(
                    rx.el.h2("Export"),
                    rx.el.span(ExportState.name, class_name="muted grow export-name"),
                    close_button(),
                    class_name="row",
                ),
                rx.match(
                    ExportState.phase,
                    ("making", making()),
                    ("done", done()),
                    choosing(),
                ),
                class_name="export-dialog",
                custom_attrs={"data-phase": rx.cond(ExportState.phase == "making", "busy", "")},
            ),
            label="Export",
            test_id="export-dialog",
            on_close=ExportState.close,
        ),
    )


def close_button() -> rx.Component:
    """The button that closes the dialog."""
    return rx.el.button(
        "×",
        type="button",
        class_name="icon-button",
        aria_label="Close",
        on_click=ExportState.close,
        data_testid="close-export",
    )


def choosing() -> rx.Component:
    """The choices and the check."""
    return rx.fragment(
        rx.el.fieldset(
            rx.el.legend("What for", class_name="visually-hidden"),
            *(kind_choice(*kind) for kind in KINDS),
            class_name="plain-fieldset export-kinds",
        ),
        rx.cond(ExportState.device == "mk2", place_choice()),
        rx.cond(ExportState.is_checked, check_view(), rx.el.p("Checking …", class_name="muted")),
        rx.cond(
            ExportState.problem != "",
            rx.el.p(ExportState.problem, class_name="notice error", data_testid="export-problem"),
        ),
        rx.el.div(
            rx.el.button(
                "Cancel",
                type="button",
                class_name="button ghost",
                on_click=ExportState.close,
            ),
            rx.el.button(
                "Export",
                type="button",
                class_name="button primary",
                disabled=CHECK.is_empty,
                on_click=ExportState.start,
                data_testid="start-export",
            ),
            class_name="dialog-foot",
        ),
    )


def kind_choice(kind: str, title: str, badge: str, text: str) -> rx.Component:
    """One of the three exports."""
    return rx.el.label(
        rx.el.input(
            type="radio",
            name="export-kind",
            value=kind,
            default_checked=ExportState.device == kind,
            on_change=ExportState.choose_device(kind),
            data_testid=f"export-{kind}",
        ),
        rx.el.span(
            rx.el.strong(title, *([rx.el.em(badge)] if badge else [])),
            rx.el.small(text),
        ),
        class_name="export-kind",
    )


def place_choice() -> rx.Component:
    """The folder on the card and the number of a MKII project."""
    return rx.el.div(
        rx.el.label(
            rx.el.span("Folder on the card"),
            rx.el.select(
                rx.el.option("IMPORT", value="import"),
                rx.el.option("EXPORT / PROJECT", value="export"),
                value=ExportState.place,
                class_name="input",
                on_change=ExportState.choose_place,
                data_testid="export-place",
            ),
            class_name="option",
        ),
        rx.el.label(
            rx.el.span("Project number"),
            rx.el.select(
                *(rx.el.option(f"{number:02}", value=f"{number}") for number in range(1, 17)),
                value=ExportState.slot,
                class_name="input",
                on_change=ExportState.choose_slot,
                data_testid="export-slot",
            ),
            class_name="option",
        ),
        class_name="export-place",
    )


def check_view() -> rx.Component:
    """What the export holds and changes: counts first, details below."""
    return rx.el.div(
        rx.el.p(
            figure(CHECK.pads, "export-pads"),
            figure(CHECK.size, "export-size"),
            figure(CHECK.duration, "export-length"),
            class_name="export-figures",
        ),
        rx.foreach(CHECK.problems, lambda text: rx.el.p(text, class_name="notice error")),
        check_section(CHECK.refused_title, CHECK.refused, "refused", is_open=True),
        check_section(CHECK.warnings_title, CHECK.warnings, "warnings", is_open=False),
        check_section(CHECK.changes_title, CHECK.changes, "changes", is_open=False),
        class_name="export-check",
        data_testid="export-check",
    )


def figure(value: Any, test_id: str) -> rx.Component:
    """A figure of the export."""
    return rx.el.span(value, class_name="mono", data_testid=test_id)


def check_section(title: Any, groups: Any, kind: str, *, is_open: bool) -> rx.Component:
    """What is said of pads, grouped by sentence; absent if nothing is."""

    def group(found: CheckGroup) -> rx.Component:
        return rx.el.li(
            rx.el.span(found.text),
            rx.el.span(rx.foreach(found.pads, pad_link), class_name="check-pads"),
            class_name="check-group",
        )

    return rx.cond(
        title != "",
        rx.el.details(
            rx.el.summary(title, data_testid=f"check-{kind}"),
            rx.el.ul(rx.foreach(groups, group)),
            class_name=f"check-section {kind}",
            open=is_open,
        ),
    )


def pad_link(pad: PadLink) -> rx.Component:
    """A pad; a click shows it."""
    return rx.el.button(
        pad.key,
        type="button",
        class_name="chip mono",
        title=pad.name,
        on_click=ExportState.show_pad(pad.key),
        data_testid="check-pad",
    )


def making() -> rx.Component:
    """The progress."""
    return rx.el.div(
        rx.el.span(
            rx.el.strong("Exporting …", role="status"),
            rx.el.span(f"{ExportState.percent} %", class_name="mono muted"),
            class_name="row export-percent",
        ),
        rx.el.span(
            rx.el.span(style={"width": f"{ExportState.percent}%"}),
            class_name="bar",
            role="progressbar",
            aria_label="Export",
            aria_valuenow=ExportState.percent,
        ),
        rx.el.div(
            rx.el.button(
                "Cancel",
                type="button",
                class_name="button ghost",
                on_click=ExportState.cancel,
                data_testid="cancel-export",
            ),
            class_name="dialog-foot",
        ),
        class_name="stack export-making",
        data_testid="making",
    )


def done() -> rx.Component:
    """The archive, where it goes, and the card."""
    return rx.fragment(
        rx.el.div(
            rx.el.div(
                rx.el.p(
                    figure(RESULT.files, "result-files"),
                    figure(RESULT.size, "result-size"),
                    class_name="export-figures",
                ),
                rx.el.p("Read again and compared with your pads.", class_name="small muted"),
                rx.el.div(
                    server_link(
                        "Download ZIP",
                        href=f"/api/exports/{RESULT.id}",
                        class_name="button primary",
                        download=True,
                        data_testid="download-export",
                    ),
                    server_link(
                        "Pad sheet",
                        href=f"/api/projects/{ExportState.project_id}/sheet?format=pdf",
                        class_name="button",
                        target="_blank",
                        data_testid="export-sheet",
                    ),
                    class_name="row",
                ),
                rx.el.p(
                    rx.el.span("SHA-256", class_name="label"),
                    rx.el.code(RESULT.sha256, data_testid="export-sha256"),
                    class_name="export-sum",
                ),
                class_name="stack",
            ),
            rx.match(
                ExportState.device,
                ("sx", card_drawing("sx")),
                (
                    "mk2",
                    rx.cond(
                        ExportState.place == "export", card_drawing("export"), card_drawing("mk2")
                    ),
                ),
                card_drawing("import"),
            ),
            class_name="export-done",
        ),
        rx.match(
            ExportState.device,
            ("sx", steps("sx")),
            ("mk2", steps("mk2")),
            steps("import"),
        ),
        card_write_panel(
            project_id=ExportState.project_id,
            export_id=RESULT.id,
            device=ExportState.device,
            place=ExportState.place,
            slot=ExportState.slot,
        ),
        rx.el.div(
            rx.el.button(
                "Export something else",
                type="button",
                class_name="button ghost small",
                on_click=ExportState.go_back,
                data_testid="export-again",
            ),
            class_name="export-back",
        ),
    )


def steps(kind: str) -> rx.Component:
    """What to do with the ZIP, in three sentences; a written card needs the last ones only."""
    items = (
        rx.el.li(text, class_name="step-of-zip" if step < STEPS_OF_ZIP[kind] else "")
        for step, text in enumerate(STEPS[kind])
    )
    return rx.el.ol(*items, class_name="export-steps", data_testid="export-steps")
