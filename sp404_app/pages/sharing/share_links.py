"""A list of public links: copy, change, counts by day, revoke."""

import reflex as rx

from sp404_app.components.menus import modal
from sp404_app.components.server_link import server_link
from sp404_app.pages.copy_text import copy_text_button
from sp404_app.state.sharing.share import ShareState
from sp404_app.state.sharing.share_rows import DOWNLOADS, PROJECT_DOWNLOADS, DayRow, ShareRow


def share_list(*, names: bool) -> rx.Component:
    """The links; with `names` each says what it shares."""
    return rx.el.ul(
        rx.foreach(ShareState.rows, lambda row: share_item(row, names=names)),
        class_name="share-links",
        data_testid="share-links",
    )


def share_item(row: ShareRow, *, names: bool) -> rx.Component:
    """One link with its buttons."""
    return rx.el.li(
        rx.cond(
            names,
            rx.el.div(
                rx.el.a(row.name, href=row.href, class_name="link touch-target"),
                rx.el.span(row.kind_name, class_name="label"),
                class_name="share-link-title",
            ),
        ),
        rx.cond(row.status != "", rx.el.p(row.status, class_name="field-error")),
        rx.el.div(
            rx.el.input(
                value=row.url,
                read_only=True,
                class_name="input mono",
                aria_label="Link",
                data_testid="share-url",
            ),
            copy_text_button("Copy link", row.url, "Link copied.", "copy-link"),
            class_name="share-link-address",
        ),
        rx.el.p(row.facts, " · ", row.counts, class_name="muted small-text"),
        rx.el.div(options(row), actions(row), class_name="share-link-foot"),
        rx.cond(ShareState.days_of == row.id, day_table()),
        key=row.id,
        class_name="share-link",
        data_testid="share-link",
    )


def options(row: ShareRow) -> rx.Component:
    """What visitors may download, and whether search engines find the page."""
    return rx.el.div(
        rx.el.select(
            download_options(row.kind),
            value=row.allow_download,
            on_change=lambda value: ShareState.set_download(row.id, value),
            class_name="input",
            aria_label="Visitors may",
            data_testid="share-download",
        ),
        rx.el.label(
            rx.el.input(
                type="checkbox",
                checked=row.allow_indexing,
                on_change=ShareState.toggle_indexing(row.id),
                data_testid="share-indexing",
            ),
            " Search engines",
            class_name="check",
            title="Let search engines find the page",
        ),
        class_name="row",
    )


def download_options(kind: rx.Var[str] | str) -> rx.Component:
    """The options of the download."""
    return rx.fragment(
        *(
            rx.el.option(
                rx.cond(kind == "project", PROJECT_DOWNLOADS[download], words), value=download.value
            )
            for download, words in DOWNLOADS.items()
        )
    )


def actions(row: ShareRow) -> rx.Component:
    """Open, embed code, counts by day, revoke."""
    return rx.el.div(
        server_link(
            "Open",
            href=row.url,
            target="_blank",
            rel="noopener",
            class_name="button small ghost",
            data_testid="open-link",
        ),
        copy_text_button("Embed code", row.embed_code, "Embed code copied.", "copy-embed"),
        rx.el.button(
            "By day",
            type="button",
            class_name="button small ghost",
            aria_expanded=ShareState.days_of == row.id,
            on_click=ShareState.show_days(row.id),
            data_testid="share-days",
        ),
        rx.el.button(
            "Revoke",
            type="button",
            class_name="button small danger",
            on_click=ShareState.ask_revoke(row.id),
            data_testid="ask-revoke",
        ),
        class_name="share-link-actions",
    )


def day_table() -> rx.Component:
    """Plays and downloads by day."""
    return rx.cond(
        ShareState.days,
        rx.el.table(
            rx.el.thead(
                rx.el.tr(rx.el.th("Day (UTC)"), rx.el.th("Plays"), rx.el.th("Downloads")),
            ),
            rx.el.tbody(rx.foreach(ShareState.days, day_line)),
            class_name="share-days mono",
            data_testid="day-table",
        ),
        rx.el.p(
            "Nobody has played or downloaded this yet.",
            class_name="muted small-text",
            data_testid="day-table",
        ),
    )


def day_line(day: DayRow) -> rx.Component:
    """One day."""
    return rx.el.tr(rx.el.td(day.day), rx.el.td(day.plays), rx.el.td(day.downloads))


def revoke_dialog() -> rx.Component:
    """The question before a link is revoked."""
    return rx.cond(
        ShareState.revoking_id != "",
        modal(
            rx.el.h2("Revoke this link?"),
            rx.el.p("It stops working at once, for everyone. This can’t be undone."),
            rx.el.div(
                rx.el.button(
                    "Cancel",
                    type="button",
                    class_name="button ghost",
                    on_click=ShareState.keep,
                    data_testid="keep-link",
                ),
                rx.el.button(
                    "Revoke link",
                    type="button",
                    class_name="button danger",
                    on_click=ShareState.revoke,
                    data_testid="revoke-link",
                ),
                class_name="dialog-foot",
            ),
            label="Revoke this link",
            test_id="revoke-dialog",
            on_close=ShareState.keep,
        ),
    )
