"""Filters of a list of samples, the chips of those that are active, and what is found."""

import reflex as rx
from reflex.event import EventType

from sp404_app.audio.features.musical_keys import KEYS
from sp404_app.audio.features.sound_class import SoundClass
from sp404_app.components.facets import facet_selects, facet_watch
from sp404_app.components.sheet_veil import sheet_veil
from sp404_app.pages.library.sidebar import reanalysis_progress
from sp404_app.state.bulk.bulk_edit import BulkEditState
from sp404_app.state.cards.download import DownloadState
from sp404_app.state.collections.collection_form import CollectionFormState
from sp404_app.state.library.facets import FacetState
from sp404_app.state.library.library import LibraryState
from sp404_app.state.library.search_params import LIKENESS_SORT, POSITION_SORT
from sp404_app.state.projects.new_project import NewProjectState

KEY_OPTIONS = [[key, key] for key in KEYS]
STATUS_OPTIONS = [
    ["ready", "ready"],
    ["analysing", "analysing"],
    ["queued", "queued"],
    ["failed", "failed"],
    ["monthly limit reached", "waiting_for_quota"],
]
ANY = ["any", ""]
# Label, field, and texts and values.
SELECTS = [
    ["Key", "key", [ANY, *KEY_OPTIONS]],
    ["Compatible with", "compatible_key", [ANY, *KEY_OPTIONS]],
    ["Kind", "kind", [ANY, ["loop", "loop"], ["one-shot", "one_shot"]]],
    ["Class", "sound_class", [ANY, *([each.value, each.value] for each in SoundClass)]],
    ["Rating", "rating_min", [ANY, *(["★" * stars, str(stars)] for stars in range(1, 6))]],
    ["Status", "status", [ANY, *STATUS_OPTIONS]],
]

ORDERS = [
    ["newest", "-created"],
    ["oldest", "created"],
    ["name", "name"],
    ["slowest", "bpm"],
    ["fastest", "-bpm"],
    ["key", "key"],
    ["shortest", "duration"],
    ["longest", "-duration"],
]
KNOWN_ORDERS = [LIKENESS_SORT, POSITION_SORT, *(value for _, value in ORDERS)]


def filters() -> rx.Component:
    """All filters with counts, what acts on the results, and their number."""
    query = LibraryState.query
    bar = rx.el.div(
        range_filter("Tempo", "bpm_min", "bpm_max"),
        range_filter("Length", "duration_min", "duration_max", "s"),
        facet_selects(
            filters=SELECTS,
            query=query,
            counts=FacetState.counts,
            on_choose=LibraryState.set_filter,
        ),
        order_select(),
        rx.el.span(duplicates_filter(), class_name="filter"),
        tag_filter(),
        facet_watch(
            is_open=LibraryState.filters_open,
            version=f"{LibraryState.epoch} {LibraryState.window.total} {LibraryState.changes}",
            on_count=FacetState.count,
        ),
        rx.cond(
            LibraryState.filtered,
            rx.el.button(
                "Clear",
                type="button",
                class_name="chip on",
                on_click=LibraryState.clear_filters,
                data_testid="clear-filters",
            ),
        ),
        rx.cond(
            (LibraryState.filtered | query.like.bool())
            & ~query.trash
            & (LibraryState.window.total != 0),
            result_button(
                "Save search…",
                "Keep this search as a smart collection, which is always current",
                CollectionFormState.open_search,
                "save-search",
            ),
        ),
        rx.cond(
            LibraryState.filtered & ~query.trash & (LibraryState.window.total != 0),
            rx.fragment(
                result_button(
                    "New project",
                    "Put these sounds on the pads of a new project",
                    NewProjectState.open_for_results,
                    "project-from-results",
                ),
                result_button(
                    "Download as…",
                    "Download all these sounds in another format",
                    DownloadState.open_for_results,
                    "download-results",
                ),
                result_button(
                    "Edit…",
                    "Edit all these sounds",
                    BulkEditState.open_for_results,
                    "edit-results",
                ),
            ),
        ),
        rx.el.span(reanalysis_progress(), class_name="narrow-only"),
        result_count(),
        rx.el.button(
            "Show ",
            rx.el.span(LibraryState.window.total, class_name="mono"),
            rx.cond(LibraryState.window.total == 1, " sound", " sounds"),
            type="button",
            class_name="button primary filters-done",
            on_click=LibraryState.close_filters,
            data_testid="filters-done",
        ),
        class_name=rx.cond(LibraryState.filters_open, "filters open", "filters"),
    )
    # On phones they lie over the list.
    veil = sheet_veil(
        class_name="filters-veil",
        on_close=LibraryState.close_filters,
        data_testid="filters-veil",
    )
    return rx.fragment(rx.cond(LibraryState.filters_open, veil), bar)


def order_select() -> rx.Component:
    """The order of the list, on phones: there is no room for the heads of columns."""
    query = LibraryState.query
    return rx.el.label(
        "Sort",
        rx.el.select(
            rx.cond(query.collection, rx.el.option("own order", value=POSITION_SORT)),
            rx.cond(query.like, rx.el.option("likeness", value=LIKENESS_SORT)),
            *(rx.el.option(text, value=value) for text, value in ORDERS),
            rx.cond(
                ~rx.Var.create(KNOWN_ORDERS).contains(query.sort),
                rx.el.option("other order", value=query.sort),
            ),
            value=query.sort,
            class_name="input",
            on_change=lambda value: LibraryState.set_filter("sort", value),
            data_testid="sort",
        ),
        class_name="filter phone-filter",
    )


def result_button(text: str, title: str, on_click: EventType[()], test_id: str) -> rx.Component:
    """Button that acts on all sounds that are found."""
    return rx.el.button(
        text,
        type="button",
        class_name="chip",
        title=title,
        on_click=on_click,
        data_testid=test_id,
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
                on_click=LibraryState.remove_chips([[chip.group, chip.value]]),
                data_testid="chip",
            ),
        ),
        class_name="active-chips",
        role="group",
        aria_label="Active filters",
    )


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
        class_name=rx.cond(LibraryState.loaded, "count known", "count"),
        role="status",
    )


def range_filter(label: str, lower: str, upper: str, *unit: str) -> rx.Component:
    """Filter with a lower and an upper bound."""
    return rx.el.span(
        label,
        number(lower, "from", label),
        "–",
        number(upper, "to", label),
        *unit,
        class_name="filter",
    )


def tag_filter() -> rx.Component:
    """The most frequent tags of what is shown, each with its number of sounds."""
    return rx.cond(
        FacetState.tags.length() > 0,
        rx.el.span(
            "Tags",
            rx.foreach(
                FacetState.tags,
                lambda tag: rx.el.button(
                    tag.name,
                    facet_count(tag.samples),
                    type="button",
                    class_name="chip",
                    on_click=LibraryState.toggle_tag(tag.name),
                    data_testid="facet-tag",
                ),
            ),
            class_name="filter filter-tags",
        ),
    )


def facet_count(number: rx.Var) -> rx.Component:
    """The number of sounds beside a value."""
    return rx.el.span(number, class_name="facet-count")


def duplicates_filter() -> rx.Component:
    """Button that shows only samples with duplicates: the same recording in another file."""
    is_active = LibraryState.query.has_copies
    return rx.el.button(
        "Has copies",
        facet_count(FacetState.counts["has_copies"]["1"]),
        type="button",
        class_name=rx.cond(is_active, "chip on", "chip"),
        aria_pressed=is_active,
        title="Show copies of the same recording at another rate, level or format",
        on_click=LibraryState.toggle_duplicates_filter,
        data_testid="has-copies",
    )


def number(field: str, hint: str, label: str) -> rx.Component:
    """Number field of a filter: its hint is "from" or "to"."""
    return rx.el.input(
        id=field,
        class_name="input mono",
        placeholder=hint,
        input_mode="decimal",
        aria_label=f"{label} {hint}",
        on_change=lambda value: LibraryState.set_filter(field, value),
        data_testid=field,
    )
