"""Sample page, /samples/[id]."""

import reflex as rx

from sp404_app.components.address import is_open
from sp404_app.components.brand import style_sheet
from sp404_app.devices.capabilities import MK2
from sp404_app.pages.layout import layout
from sp404_app.pages.sample.analysis_cards import key_card, kind_card, tempo_card
from sp404_app.pages.sample.collections import collections_section
from sp404_app.pages.sample.duplicates import duplicates_section
from sp404_app.pages.sample.header import head
from sp404_app.pages.sample.pads import pads_section
from sp404_app.pages.sample.similar import similar_section
from sp404_app.pages.sample.waveform import pictures, sound
from sp404_app.pages.sample_dialogs import sample_dialogs
from sp404_app.state.cards.download import DownloadState
from sp404_app.state.sample.measurements import Fact
from sp404_app.state.sample.sample import SampleState

SHEET = SampleState.sheet
KEYBOARD = (
    ("Space", "Play or stop"),
    ("← →", "Seek"),
    ("+ −", "Zoom"),
    ("Esc", "Show all"),
    ("T", "Tap the tempo"),
    ("M", "Metronome"),
    ("F", "Favourite"),
    ("0 – 5", "Rate"),
    ("?", "Show shortcuts"),
    ("Ctrl K", "Find a sound, a page or an action"),
)


def sample() -> rx.Component:
    """The page, in one of its phases: loading, loaded or missing."""
    return layout(
        style_sheet("/sample.css"),
        style_sheet("/alike.css"),
        style_sheet("/projects.css"),
        style_sheet("/collections.css"),
        rx.cond(
            (SampleState.phase == "here") & is_open(SHEET.id),
            here(),
            rx.cond(SampleState.phase == "missing", missing(), loading()),
        ),
        sample_dialogs(),
        help_keys=KEYBOARD,
        on_theme=[SampleState.load],
    )


def here() -> rx.Component:
    """The page of a sample that was found."""
    return rx.el.div(
        head(),
        banner(),
        refusal(),
        rx.el.section(sound(), pictures(), class_name="sample-stage", aria_label="Sound"),
        rx.el.div(tempo_card(), key_card(), kind_card(), class_name="sample-answers"),
        pads_section(),
        collections_section(),
        duplicates_section(),
        similar_section(),
        rx.el.div(note(), facts(), class_name="sample-about"),
        # The player, with its "?", is hidden until a sound plays.
        rx.el.p(
            *(rx.el.span(rx.el.kbd(key), " ", what) for key, what in KEYBOARD),
            class_name="sample-keys",
            aria_label="Keys",
        ),
        class_name="sample-page",
        data_testid="sample-page",
    )


def banner() -> rx.Component:
    """The status of a sample that is trashed or not ready, with a button for the next step."""
    return rx.el.div(
        rx.cond(
            SHEET.trashed,
            told(
                "This sound is in the trash. It’s permanently deleted after 30 days, or earlier if "
                "the trash is full.",
                rx.el.button(
                    "Restore",
                    type="button",
                    class_name="button small primary",
                    on_click=SampleState.restore,
                    data_testid="restore",
                ),
            ),
            rx.match(
                SHEET.status,
                ("ready", rx.fragment()),
                ("queued", told("Waiting to be analysed.", pulse=True)),
                ("analysing", told("Analysing …", pulse=True)),
                (
                    "waiting_for_quota",
                    told(
                        "Monthly limit reached, so this sound wasn’t analysed. You can still play, "
                        "tag and edit it.",
                        again("Try again"),
                    ),
                ),
                told(SHEET.error, again("Try again"), kind="error"),
            ),
        ),
        role="status",
        class_name="sample-banner",
        data_testid="status",
        custom_attrs={"data-status": SHEET.status},
    )


def refusal() -> rx.Component:
    """Why the device refuses the original, with a button for a file that it takes."""
    return rx.cond(
        SHEET.refusal != "",
        rx.el.div(
            told(
                SHEET.refusal,
                rx.el.button(
                    f"Download for {MK2.title}",
                    type="button",
                    class_name="button small",
                    on_click=DownloadState.download_sample(SHEET.id, MK2.kind.value),
                    data_testid="download-accepted",
                ),
            ),
            class_name="sample-banner",
            data_testid="refusal",
        ),
    )


def told(
    text: str | rx.Var[str], *act: rx.Component, kind: str = "", pulse: bool = False
) -> rx.Component:
    """A banner with one sentence and an optional button."""
    return rx.el.div(
        *([rx.el.span(class_name="pulse")] if pulse else []),
        rx.el.span(text, class_name="grow"),
        *act,
        class_name=f"notice row {kind}",
    )


def again(text: str) -> rx.Component:
    """A button that requests the analysis."""
    return rx.el.button(
        text, type="button", class_name="button small", on_click=SampleState.analyse
    )


def note() -> rx.Component:
    """The note, saved when the field loses focus."""
    return rx.el.section(
        rx.el.label(
            rx.el.span("Note", class_name="card-title"),
            rx.el.textarea(
                key=SHEET.id,
                default_value=SHEET.note,
                class_name="input",
                placeholder="Where it’s from, what it goes with …",
                on_blur=SampleState.save_note,
                rows="5",
                max_length=4000,
                data_testid="note",
            ),
            class_name="field",
        ),
        rx.el.p(
            rx.cond(
                SampleState.note_error != "",
                SampleState.note_error,
                rx.cond(SampleState.note_saved, "Saved.", "Saved automatically."),
            ),
            class_name=rx.cond(SampleState.note_error != "", "field-error", "field-hint"),
            role="status",
            data_testid="note-state",
        ),
        class_name="card sample-card",
    )


def facts() -> rx.Component:
    """The list of measurements and file properties, and of possible problems."""

    def row(fact: Fact) -> rx.Component:
        return rx.el.div(
            rx.el.dt(fact.name),
            rx.el.dd(fact.value, class_name="mono", title=fact.hint),
            class_name="fact",
        )

    return rx.el.section(
        rx.el.h2("About this file", class_name="card-title"),
        rx.el.dl(rx.foreach(SHEET.facts, row), class_name="facts", data_testid="facts"),
        rx.el.ul(
            rx.foreach(SHEET.cautions, rx.el.li),
            class_name="cautions",
            aria_label="Possible issues",
            data_testid="cautions",
        ),
        class_name="card sample-card",
    )


def missing() -> rx.Component:
    """The page of an unknown id. It is the same for a deleted sample and another user's."""
    return rx.el.div(
        rx.el.h1("Sound not found"),
        rx.el.p(
            "It may have been deleted, or the link is wrong.",
            class_name="muted",
        ),
        rx.el.a("Go to library", href="/library", class_name="button primary"),
        class_name="sample-missing",
        data_testid="missing",
    )


def loading() -> rx.Component:
    """The skeleton shown while the sample loads."""
    return rx.el.div(
        rx.el.div(class_name="phantom phantom-title"),
        rx.el.div(class_name="phantom phantom-wave"),
        rx.el.div(
            *(rx.el.div(class_name="phantom phantom-card") for _ in range(3)),
            class_name="sample-answers",
        ),
        rx.el.span("Loading …", class_name="visually-hidden", role="status"),
        class_name="sample-page",
    )
