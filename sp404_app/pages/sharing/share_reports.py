"""The section of the operator page about reported links."""

import reflex as rx

from sp404_app.components.server_link import server_link
from sp404_app.state.sharing.share_reports import ReportRow, ShareReportsState


def reported_links() -> rx.Component:
    """The open reports, oldest first."""
    return rx.el.section(
        rx.el.h2("Reported links"),
        rx.el.p(
            ShareReportsState.message,
            role="status",
            class_name=rx.cond(ShareReportsState.message != "", "notice", "visually-hidden"),
            data_testid="report-said",
        ),
        rx.cond(
            ShareReportsState.rows,
            rx.el.ul(rx.foreach(ShareReportsState.rows, report_line), class_name="invoices"),
            rx.el.p("None.", class_name="muted"),
        ),
        class_name="card stack",
        data_testid="share-reports",
    )


def report_line(row: ReportRow) -> rx.Component:
    """One report with its buttons."""
    return rx.el.li(
        rx.el.span(row.at, class_name="mono muted"),
        rx.el.span(
            server_link(
                f"{row.reason} ({row.kind})",
                href=row.path,
                target="_blank",
                rel="noopener",
                class_name="link",
                data_testid="reported-link",
            ),
            rx.cond(~row.is_live, rx.el.span(" The link has ended.", class_name="muted")),
        ),
        rx.el.span(row.note, class_name="muted report-note"),
        rx.el.span(
            rx.el.button(
                "Take down",
                type="button",
                class_name="button small danger",
                on_click=ShareReportsState.take_down(row.id),
                data_testid="take-down",
            ),
            rx.el.button(
                "Dismiss",
                type="button",
                class_name="button small",
                on_click=ShareReportsState.dismiss(row.id),
                data_testid="dismiss-report",
            ),
            class_name="row",
        ),
        key=row.id,
        class_name="dev-event",
        data_testid="share-report",
    )
