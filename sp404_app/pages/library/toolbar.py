"""Toolbar of the library: search field, query by sound, upload buttons and filters."""

from collections.abc import Sequence

import reflex as rx

from sp404_app.audio.features.musical_keys import KEYS
from sp404_app.audio.features.sound_class import SoundClass
from sp404_app.components.player import choose_files
from sp404_app.pages.library.library_menu import library_menu
from sp404_app.pages.library.sidebar import reanalysis_progress
from sp404_app.state.bulk.bulk_edit import BulkEditState
from sp404_app.state.cards.download import DownloadState
from sp404_app.state.library.library import LibraryState
from sp404_app.state.projects.new_project import NewProjectState
from sp404_app.state.sample.query_by_sound import QueryBySoundState

# Texts and values of select fields.
KEY_OPTIONS = [(key, key) for key in KEYS]
CLASS_OPTIONS = [("any", ""), *((each.value, each.value) for each in SoundClass)]
STATUS_OPTIONS = [
    ("any", ""),
    ("ready", "ready"),
    ("analysing", "analysing"),
    ("queued", "queued"),
    ("failed", "failed"),
    ("monthly limit reached", "waiting_for_quota"),
]


def toolbar() -> rx.Component:
    """Search field, query by sound, and upload buttons."""
    return rx.el.div(
        search_field(),
        rx.el.button(
            rx.icon("audio-lines"),
            rx.el.span("Find by sound", class_name="wide-only"),
            type="button",
            class_name="button",
            aria_label="Find by sound",
            title="Find sounds similar to a recording or a file",
            on_click=QueryBySoundState.open_dialog,
            data_testid="find-by-sound",
        ),
        filters_button(),
        rx.el.span(view_switch(), class_name="wide-only"),
        rx.el.span(
            choose_files("Add folder", folder=True, class_name="button", test_id="choose-folder"),
            class_name="wide-only",
        ),
        choose_files(rx.el.span("Add", rx.el.span(" sounds", class_name="wide-only"))),
        library_menu(),
        class_name="tools",
    )


def view_switch(*, is_map: bool = False) -> rx.Component:
    """Links to the same search as a list and on the map."""
    views = (("List", LibraryState.list_url, not is_map), ("Map", LibraryState.map_url, is_map))
    return rx.el.nav(
        *(
            rx.el.a(
                text,
                href=url,
                aria_current="page" if is_here else None,
                data_testid=f"view-{text.lower()}",
            )
            for text, url, is_here in views
        ),
        class_name="view-switch",
        aria_label="View",
    )


def filters_button() -> rx.Component:
    """Button that shows the filters on a narrow screen."""
    return rx.el.button(
        rx.icon("sliders-horizontal"),
        type="button",
        class_name="button filters-button",
        aria_label="Filters",
        aria_expanded=LibraryState.filters_open,
        title="Filters",
        on_click=LibraryState.toggle_filters,
    )


def search_field() -> rx.Component:
    """The search field."""
    return rx.el.div(
        rx.icon("search"),
        rx.el.input(
            id="q",
            type="search",
            placeholder="Search names, tags, sound   –  try  warm bass  or  loop around 90",
            class_name="input",
            aria_label="Search",
            autocomplete="off",
            spell_check=False,
            on_change=lambda value: LibraryState.set_filter("q", value),
            data_testid="search",
        ),
        rx.el.kbd("/"),
        class_name="search",
    )


def filters() -> rx.Component:
    """Filters by tempo, key, class, length, status and copies, and the number of results."""
    query = LibraryState.query
    return rx.el.div(
        range_filter("Tempo", "bpm_min", "bpm_max"),
        select_filter("Key", "key", query.key, [("any", ""), *KEY_OPTIONS]),
        select_filter(
            "Compatible with",
            "compatible_key",
            query.compatible_key,
            [("any key", ""), *KEY_OPTIONS],
        ),
        select_filter("Class", "sound_class", query.sound_class, CLASS_OPTIONS),
        range_filter("Length", "duration_min", "duration_max", "s"),
        select_filter("Status", "status", query.status, STATUS_OPTIONS),
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
        rx.cond(
            LibraryState.filtered & ~query.trash & (LibraryState.window.total != 0),
            rx.fragment(
                rx.el.button(
                    "New project",
                    type="button",
                    class_name="chip",
                    title="Put these sounds on the pads of a new project",
                    on_click=NewProjectState.open_for_results,
                    data_testid="project-from-results",
                ),
                rx.el.button(
                    "Download as…",
                    type="button",
                    class_name="chip",
                    title="Download all these sounds in another format",
                    on_click=DownloadState.open_for_results,
                    data_testid="download-results",
                ),
                rx.el.button(
                    "Edit…",
                    type="button",
                    class_name="chip",
                    title="Edit all these sounds",
                    on_click=BulkEditState.open_for_results,
                    data_testid="edit-results",
                ),
            ),
        ),
        rx.el.span(reanalysis_progress(), class_name="narrow-only"),
        result_count(),
        class_name=rx.cond(LibraryState.filters_open, "filters open", "filters"),
    )


def active_chips() -> rx.Component:
    """What limits the list, each limit with a button that removes it; empty without any."""
    return rx.el.div(
        rx.foreach(
            LibraryState.chips,
            lambda chip: rx.el.button(
                chip.text,
                rx.el.span(" ×", aria_hidden="true"),
                type="button",
                class_name="chip on",
                title=rx.cond(chip.title != "", chip.title, "Remove"),
                aria_label=f"Remove {chip.text}",
                on_click=LibraryState.remove_chip(chip.group, chip.value),
                data_testid="chip",
            ),
        ),
        class_name="active-chips",
        role="group",
        aria_label="Active filters",
    )


def range_filter(label: str, lower: str, upper: str, *unit: str) -> rx.Component:
    """Filter with a lower and an upper bound."""
    return rx.el.span(
        label, number(lower, "from"), "–", number(upper, "to"), *unit, class_name="filter"
    )


def select_filter(
    label: str, field: str, value: rx.Var[str], options: Sequence[tuple[str, str]]
) -> rx.Component:
    """Filter with a choice of values."""
    return rx.el.span(label, choice(field, value, options), class_name="filter")


def result_count() -> rx.Component:
    """The number of results, and the corrected search text if the spelling was corrected."""
    return rx.el.span(
        rx.cond(
            LibraryState.window.corrected != "",
            f"Showing results for “{LibraryState.window.corrected}” · ",
            "",
        ),
        rx.el.span(LibraryState.window.total.to_string(), class_name="mono", data_testid="total"),
        rx.cond(LibraryState.window.total == 1, " sound", " sounds"),
        class_name="count",
        role="status",
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


def choice(field: str, value: rx.Var[str], options: Sequence[tuple[str, str]]) -> rx.Component:
    """Select field of a filter."""
    return rx.el.select(
        *(rx.el.option(text, value=each) for text, each in options),
        class_name="input",
        value=value,
        aria_label=field.replace("_", " "),
        on_change=lambda chosen: LibraryState.set_filter(field, chosen),
        data_testid=field,
    )
