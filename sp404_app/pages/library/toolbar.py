"""Toolbar of the library: search field, query by sound, upload buttons and filters."""

import reflex as rx

from sp404_app.audio.features.musical_keys import KEYS
from sp404_app.audio.features.sound_class import SoundClass
from sp404_app.components.player import choose_files
from sp404_app.pages.library.sidebar import reanalysis_progress
from sp404_app.state.library.library import LibraryState
from sp404_app.state.sample.query_by_sound import HearingState


def toolbar() -> rx.Component:
    """Search field, query by sound, and upload buttons."""
    return rx.el.div(
        rx.el.div(
            rx.icon("search"),
            rx.el.input(
                id="q",
                type="search",
                placeholder="Search names, tags, notes   –  try  dusty break  or  kick -808",
                class_name="input",
                aria_label="Search",
                autocomplete="off",
                spell_check=False,
                on_change=lambda value: LibraryState.set_filter("q", value),
                data_testid="search",
            ),
            rx.el.kbd("/"),
            class_name="search",
        ),
        rx.el.button(
            rx.icon("audio-lines"),
            rx.el.span("Find by sound", class_name="wide-only"),
            type="button",
            class_name="button",
            aria_label="Find by sound",
            title="Find sounds similar to a recording or a file",
            on_click=HearingState.open_dialog,
            data_testid="find-by-sound",
        ),
        rx.el.button(
            rx.icon("sliders-horizontal"),
            type="button",
            class_name="button filters-button",
            aria_label="Filters",
            aria_expanded=LibraryState.filters_open,
            title="Filters",
            on_click=LibraryState.toggle_filters,
        ),
        rx.el.span(
            choose_files("Add folder", folder=True, class_name="button", test_id="choose-folder"),
            class_name="wide-only",
        ),
        choose_files(rx.el.span("Add", rx.el.span(" sounds", class_name="wide-only"))),
        class_name="tools",
    )


def filters() -> rx.Component:
    """Filters by tempo, key, class, length, status and copies, and the number of results."""
    query = LibraryState.query
    return rx.el.div(
        rx.el.span(
            "Tempo", number("bpm_min", "from"), "–", number("bpm_max", "to"), class_name="filter"
        ),
        rx.el.span(
            "Key",
            choice("key", query.key, [("any", "")] + [(key, key) for key in KEYS]),
            class_name="filter",
        ),
        rx.el.span(
            "Compatible with",
            choice(
                "compatible_key",
                query.compatible_key,
                [("any key", "")] + [(key, key) for key in KEYS],
            ),
            class_name="filter",
        ),
        rx.el.span(
            "Class",
            choice(
                "sound_class",
                query.sound_class,
                [("any", "")] + [(each.value, each.value) for each in SoundClass],
            ),
            class_name="filter",
        ),
        rx.el.span(
            "Length",
            number("duration_min", "from"),
            "–",
            number("duration_max", "to"),
            "s",
            class_name="filter",
        ),
        rx.el.span(
            "Status",
            choice(
                "status",
                query.status,
                [
                    ("any", ""),
                    ("ready", "ready"),
                    ("analysing", "analysing"),
                    ("queued", "queued"),
                    ("failed", "failed"),
                    ("monthly limit reached", "waiting_for_quota"),
                ],
            ),
            class_name="filter",
        ),
        rx.el.span(duplicates_filter(), class_name="filter"),
        rx.cond(
            LibraryState.filtered,
            rx.el.button(
                "Clear",
                type="button",
                class_name="chip on",
                on_click=LibraryState.open_view(rx.cond(query.trash, "trash", "all")),
                data_testid="clear-filters",
            ),
        ),
        rx.el.span(reanalysis_progress(), class_name="narrow-only"),
        rx.el.span(
            rx.cond(
                LibraryState.window.corrected != "",
                f"Showing results for “{LibraryState.window.corrected}” · ",
                "",
            ),
            rx.el.span(
                LibraryState.window.total.to_string(), class_name="mono", data_testid="total"
            ),
            rx.cond(LibraryState.window.total == 1, " sound", " sounds"),
            class_name="count",
            role="status",
        ),
        class_name=rx.cond(LibraryState.filters_open, "filters open", "filters"),
    )


def duplicates_filter() -> rx.Component:
    """Button that shows only samples with duplicates: the same recording in another file."""
    is_active = LibraryState.query.has_copies
    return rx.el.button(
        "Has copies",
        type="button",
        class_name=rx.cond(is_active, "chip on", "chip"),
        aria_pressed=is_active,
        title="Show copies of the same recording at another rate, level or format",
        on_click=LibraryState.toggle_duplicates_filter,
        data_testid="has-copies",
    )


def number(field: str, hint: str) -> rx.Component:
    """Number field of a filter."""
    return rx.el.input(
        id=field,
        class_name="input mono",
        placeholder=hint,
        input_mode="decimal",
        aria_label=field.replace("_", " ").replace("min", "from").replace("max", "to"),
        on_change=lambda value: LibraryState.set_filter(field, value),
        data_testid=field,
    )


def choice(field: str, value: rx.Var[str], options: list[tuple[str, str]]) -> rx.Component:
    """Select field of a filter."""
    return rx.el.select(
        *(rx.el.option(text, value=each) for text, each in options),
        class_name="input",
        value=value,
        aria_label=field.replace("_", " "),
        on_change=lambda chosen: LibraryState.set_filter(field, chosen),
        data_testid=field,
    )
