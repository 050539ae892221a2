"""Sample page, /samples/[id]: the header with name, rating, tags and actions."""

import reflex as rx

from sp404_app.components.list_link import list_link
from sp404_app.components.page_address import page_title
from sp404_app.pages.cards.download import download_menu
from sp404_app.state.collections.add_to_collection import AddToCollectionState
from sp404_app.state.projects.put_on_pads import PutOnPadsState
from sp404_app.state.sample.sample import SampleState
from sp404_app.state.sharing.share import ShareState

SHEET = SampleState.sheet


def head() -> rx.Component:
    """The header."""
    return rx.el.header(
        list_link(class_name="sample-back touch-target"),
        rx.el.div(
            name(),
            rx.el.div(favourite(), rating(), class_name="sample-marks"),
            class_name="sample-title",
        ),
        rx.el.div(tags(), actions(), class_name="sample-under"),
        class_name="sample-head",
    )


def name() -> rx.Component:
    """The name, in an input that renames the sample."""
    return rx.el.div(
        page_title(name=SHEET.name),
        rx.el.h1(SHEET.name, class_name="visually-hidden"),
        rx.el.form(
            rx.el.input(
                name="name",
                id="sample-name",
                key=SHEET.name,
                default_value=SHEET.name,
                class_name="sample-name touch-target",
                aria_label="Name",
                title="Click to rename",
                max_length=200,
                auto_complete="off",
                spell_check=False,
                aria_invalid=SampleState.name_error != "",
                on_blur=SampleState.rename,
                data_testid="sample-name",
            ),
            on_submit=SampleState.submit_name,
        ),
        wrong(SampleState.name_error),
        class_name="grow",
    )


def favourite() -> rx.Component:
    """The favourite button."""
    return rx.el.button(
        rx.icon("star"),
        type="button",
        class_name=rx.cond(SHEET.favourite, "star on", "star"),
        aria_pressed=SHEET.favourite,
        aria_label="Favourite",
        title="Favourite (F)",
        on_click=SampleState.act("favourite"),
        data_testid="favourite",
    )


def rating() -> rx.Component:
    """Buttons for 1 to 5; clicking the current rating clears it."""
    return rx.el.div(
        rx.el.span("Rating", class_name="label", aria_hidden="true"),
        *(
            rx.el.button(
                type="button",
                class_name=rx.cond(SHEET.rating >= stars, "pip on", "pip"),
                aria_label=f"Rate {stars} of 5",
                aria_pressed=SHEET.rating == stars,
                title=f"Rate {stars} of 5 ({stars})",
                on_click=SampleState.rate(stars),
                data_testid=f"rate-{stars}",
            )
            for stars in range(1, 6)
        ),
        class_name="rating",
        role="group",
        aria_label="Rating",
    )


def tags() -> rx.Component:
    """The tags, and the input that adds more."""
    return rx.el.form(
        rx.foreach(
            SHEET.tags,
            lambda tag: rx.el.button(
                tag,
                rx.el.span("×", aria_hidden="true"),
                type="button",
                class_name="chip",
                aria_label=f"Remove tag {tag}",
                on_click=SampleState.drop_tag(tag),
                data_testid="tag",
            ),
        ),
        rx.el.input(
            name="tags",
            class_name="tag-field touch-target",
            placeholder="+ Add tag",
            aria_label="Add tags, separated by commas",
            auto_complete="off",
            data_testid="add-tag",
        ),
        class_name="sample-tags",
        on_submit=SampleState.add_tags,
        reset_on_submit=True,
    )


def actions() -> rx.Component:
    """Buttons for download, pads, analysis and trash."""
    return rx.el.div(
        download_menu(SHEET.id),
        rx.cond(
            SHEET.trashed,
            rx.fragment(),
            rx.fragment(
                rx.el.button(
                    rx.icon("folder-plus", size=15),
                    "Add to collection…",
                    type="button",
                    class_name="button small",
                    on_click=AddToCollectionState.open_for_sample(SHEET.id),
                    data_testid="add-to-collection-button",
                ),
                rx.el.button(
                    rx.icon("grid-3x3", size=15),
                    "Put on pad…",
                    type="button",
                    class_name="button small",
                    on_click=PutOnPadsState.open_for_sample(SHEET.id),
                    data_testid="put-on-pad",
                ),
                rx.el.button(
                    rx.icon("share-2", size=15),
                    "Share…",
                    type="button",
                    class_name="button small",
                    on_click=ShareState.open_for_sample(SHEET.id),
                    data_testid="share",
                ),
                rx.el.button(
                    rx.icon("refresh-cw", size=15),
                    "Analyse again",
                    type="button",
                    class_name="button small",
                    disabled=(SHEET.status == "queued") | (SHEET.status == "analysing"),
                    on_click=SampleState.analyse,
                    data_testid="analyse",
                ),
                rx.el.button(
                    rx.icon("trash-2", size=15),
                    "Delete",
                    type="button",
                    class_name="button small",
                    title="Move to the trash",
                    on_click=SampleState.throw_away,
                    data_testid="throw-away",
                ),
            ),
        ),
        class_name="sample-actions",
    )


def wrong(message: str) -> rx.Component:
    """An error message of a field."""
    return rx.el.p(message, class_name="field-error", role="alert")
