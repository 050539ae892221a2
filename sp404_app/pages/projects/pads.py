"""The pad page, /projects/[id]: bar, sounds, pads and the chosen pad."""

from typing import Any

import reflex as rx

from sp404_app.components.address import is_open
from sp404_app.components.brand import style_sheet
from sp404_app.components.cards import card_keys
from sp404_app.components.pads import pad_grid, pad_screen, pad_transport
from sp404_app.components.page_address import page_title
from sp404_app.components.patterns import pattern_panel
from sp404_app.devices.pad_settings import DEFAULTS
from sp404_app.pages.cards.doctor_dialog import doctor_dialog
from sp404_app.pages.cards.export_dialog import export_dialog
from sp404_app.pages.layout import layout
from sp404_app.pages.projects.bank_menu import bank_menu
from sp404_app.pages.projects.controls import confirmed, saving_field
from sp404_app.pages.projects.drawer import drawer
from sp404_app.pages.projects.help import help_dialog
from sp404_app.pages.projects.inspector import inspector
from sp404_app.pages.projects.project_menu import project_menu
from sp404_app.pages.sharing.share_dialog import share_dialog
from sp404_app.state.cards.doctor import DoctorState
from sp404_app.state.cards.export_project import ExportState
from sp404_app.state.projects.pad_view import BankTab
from sp404_app.state.projects.pads import PadsState

HEAD = PadsState.head


def pads() -> rx.Component:
    """The page, in one of its phases: loading, loaded or missing."""
    return layout(
        style_sheet("/pads.css"),
        style_sheet("/patterns.css"),
        rx.cond(
            (PadsState.phase == "here") & is_open(HEAD.id),
            workspace(),
            rx.cond(PadsState.phase == "missing", missing(), loading()),
        ),
        current="/projects",
    )


def workspace() -> rx.Component:
    """The page of a project that was found."""
    return rx.el.div(
        page_title(name=HEAD.name),
        rx.el.h1(HEAD.name, class_name="visually-hidden"),
        bar(),
        rx.cond(HEAD.is_trashed, trashed_note()),
        rx.el.div(
            drawer(),
            rx.el.section(
                pad_screen(sheet=PadsState.sheet, head=HEAD, draft=PadsState.name_draft),
                bank_tabs(),
                bank_panel(),
                rx.el.div(
                    pad_transport(mapping=PadsState.midi_notes, on_mapping=PadsState.save_midi),
                    bank_menu(),
                    class_name="pad-foot",
                ),
                class_name="machine",
                aria_label="Pads",
                custom_attrs={"data-device": HEAD.device},
            ),
            inspector(),
            class_name="pad-columns",
            custom_attrs={"data-panel": PadsState.panel},
        ),
        rx.cond(
            PadsState.is_patterns_open,
            pattern_panel(
                project=HEAD.id,
                revision=HEAD.revision,
                banks=PadsState.banks,
                on_close=PadsState.close_patterns,
            ),
        ),
        panel_buttons(),
        help_dialog(),
        export_dialog(),
        doctor_dialog(),
        share_dialog(),
        class_name="pad-page",
        data_testid="pad-page",
    )


def bank_panel() -> rx.Component:
    """The pads of the visible bank, which its tab controls."""
    return rx.el.div(
        pad_grid(
            head=HEAD,
            bank=PadsState.bank,
            colour=PadsState.colour,
            cells=PadsState.cells,
            chosen=PadsState.sheet.key,
            confirmed=PadsState.confirmed_edit,
            defaults=DEFAULTS,
            on_choose=PadsState.choose_pad,
            on_move=lambda source, target, how, number: confirmed(
                PadsState.move_pad(source, target, how), number
            ),
            on_put=lambda key, sample, number: confirmed(PadsState.put_sample(key, sample), number),
            on_clear=lambda key, number: confirmed(PadsState.clear_pad(key), number),
            on_step=lambda way, number: confirmed(PadsState.act(way, ""), number),
            on_bank=PadsState.open_bank,
            on_act=PadsState.act,
        ),
        id="bank-panel",
        role="tabpanel",
        aria_labelledby=f"bank-tab-{PadsState.bank}",
        class_name="bank-panel",
    )


def bar() -> rx.Component:
    """Project name, device, tempo, memory, undo and redo."""
    return rx.el.header(
        rx.el.a(
            rx.icon("chevron-left"),
            href="/projects",
            class_name="icon-button",
            aria_label="All projects",
            title="All projects",
        ),
        saving_field(
            value=HEAD.name,
            label="Project name",
            class_name="project-name touch-target",
            test_id="project-name",
            on_commit=PadsState.rename_project,
        ),
        rx.el.span(HEAD.title, class_name="device-badge"),
        rx.el.span(class_name="grow"),
        rx.el.label(
            saving_field(
                value=HEAD.tempo,
                label="Tempo in BPM",
                class_name="input mono tempo-field",
                input_mode="decimal",
                max_length=7,
                test_id="project-tempo",
                on_commit=PadsState.set_tempo,
            ),
            rx.el.span("BPM", class_name="label"),
            class_name="tempo",
        ),
        rx.el.span(
            rx.el.span(
                rx.el.span(HEAD.size, class_name="mono"),
                rx.el.span(f" of {HEAD.capacity} · {HEAD.filled}/{HEAD.total} pads"),
            ),
            rx.el.span(rx.el.span(style={"width": f"{HEAD.share}%"}), class_name="bar"),
            class_name="memory",
            title="Memory that these pads take on the device",
            data_testid="memory",
        ),
        step_button("undo-2", "Undo", HEAD.undo, PadsState.undo),
        step_button("redo-2", "Redo", HEAD.redo, PadsState.redo),
        project_menu(),
        card_buttons(),
        class_name="pad-bar",
    )


def step_button(icon: str, text: str, label: rx.Var[str] | str, handler: Any) -> rx.Component:
    """Button for undo or redo; its title names the step."""
    return rx.el.button(
        rx.icon(icon),
        type="button",
        class_name="icon-button",
        disabled=label == "",
        aria_label=rx.cond(label != "", f"{text}: {label}", text),
        title=rx.cond(label != "", f"{text}: {label}", f"Nothing to {text.lower()}"),
        on_click=handler,
        data_testid=text.lower(),
    )


def card_buttons() -> rx.Component:
    """Buttons that open the check and the export, and their keys."""
    return rx.fragment(
        card_keys(
            on_export=ExportState.open_dialog(HEAD.id),
            on_check=DoctorState.open_dialog(HEAD.id),
        ),
        rx.el.button(
            rx.icon("stethoscope"),
            type="button",
            class_name="icon-button",
            aria_label="Check",
            title="Check (Shift K)",
            on_click=DoctorState.open_dialog(HEAD.id),
            data_testid="open-check",
        ),
        rx.el.button(
            "Export",
            type="button",
            class_name="button small primary",
            title="Export (Shift E)",
            on_click=ExportState.open_dialog(HEAD.id),
            data_testid="open-export",
        ),
    )


def bank_tabs() -> rx.Component:
    """The ten bank buttons; each shows how full the bank is."""

    def tab(bank: BankTab) -> rx.Component:
        return rx.el.button(
            rx.el.span(bank.letter, class_name="tab-letter"),
            rx.el.span(rx.el.i(style={"height": f"{bank.fill}%"}), class_name="tab-fill"),
            type="button",
            role="tab",
            # No f-string: Reflex would bake a hash into the page that differs between builds.
            id="bank-tab-" + bank.letter,
            class_name=rx.cond(
                PadsState.bank == bank.letter, "bank-tab dense on", "bank-tab dense"
            ),
            aria_selected=PadsState.bank == bank.letter,
            aria_controls="bank-panel",
            tab_index=rx.cond(PadsState.bank == bank.letter, 0, -1),
            aria_label=f"Bank {bank.letter}, {bank.filled} pads",
            title=f"Bank {bank.letter}: {bank.filled} pads",
            style={"--bank": bank.colour},
            custom_attrs={"data-bank-tab": bank.letter},
            on_click=PadsState.open_bank(bank.letter),
            data_testid=f"bank-{bank.letter}",
        )

    return rx.el.div(
        rx.foreach(PadsState.banks, tab),
        role="tablist",
        aria_label="Banks",
        class_name="bank-tabs",
    )


def panel_buttons() -> rx.Component:
    """On a phone: buttons that open the sounds and the chosen pad as sheets."""

    def button(text: str | rx.Var[str], name: str) -> rx.Component:
        is_open = PadsState.panel == name
        return rx.el.button(
            text,
            type="button",
            class_name=rx.cond(is_open, "button primary", "button"),
            aria_expanded=is_open,
            on_click=PadsState.open_panel(rx.cond(is_open, "", name)),
            data_testid=f"open-{name}",
        )

    return rx.el.div(
        button("Sounds", "sounds"),
        button(rx.cond(PadsState.sheet.key != "", f"Pad {PadsState.sheet.key}", "Pad"), "pad"),
        class_name="panel-buttons",
    )


def trashed_note() -> rx.Component:
    """The notice of a project in the trash."""
    return rx.el.div(
        rx.el.span("This project is in the trash.", class_name="grow"),
        rx.el.button(
            "Restore",
            type="button",
            class_name="button small primary",
            on_click=PadsState.restore,
            data_testid="restore-project",
        ),
        class_name="notice row",
        role="status",
    )


def missing() -> rx.Component:
    """The page of an unknown id. It is the same for another user's project."""
    return rx.el.div(
        rx.el.h1("Project not found"),
        rx.el.p("It may have been deleted, or the link is wrong.", class_name="muted"),
        rx.el.a("Go to projects", href="/projects", class_name="button primary"),
        class_name="pads-missing",
        data_testid="missing",
    )


def loading() -> rx.Component:
    """The skeleton shown while the project loads."""
    return rx.el.div(
        rx.el.div(
            *(rx.el.div(class_name="pad phantom-pad") for _ in range(16)),
            class_name="pads pads-mk2",
        ),
        rx.el.span("Loading …", class_name="visually-hidden", role="status"),
        class_name="pad-page pads-loading",
    )
