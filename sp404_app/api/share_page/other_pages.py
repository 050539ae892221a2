"""The pages around a link: not found, password, report, download in preparation, notices."""

from typing import Final

from fastapi.responses import HTMLResponse

from sp404_app.api.share_page import frame
from sp404_app.api.share_page.frame import Head
from sp404_app.api.share_page.markup import Html, element
from sp404_app.errors import AppError
from sp404_app.services.auth import passwords
from sp404_app.services.sharing.share_reports import MAX_NOTE, REASONS
from sp404_app.services.sharing.share_visits import GONE

REFRESH_S: Final = 3
TITLES: Final = {404: "Link not found", 429: "Too many requests"}


def gone_page(*, is_embedded: bool = False) -> HTMLResponse:
    """Return the one answer for links that never existed and for links that have ended."""
    body = _message(GONE, "Ask the person who sent it for a new one.")
    head = Head(title=TITLES[404])
    return frame.page_response(head, body, status=404, is_embedded=is_embedded)


def error_page(error: AppError, *, is_embedded: bool = False) -> HTMLResponse:
    """Return the page of an error."""
    if error.status == 404:
        return gone_page(is_embedded=is_embedded)
    title = TITLES.get(error.status, "This didn't work")
    body = _message(title, str(error))
    answer = frame.page_response(
        Head(title=title), body, status=error.status, is_embedded=is_embedded
    )
    if "retry_after" in error.details:
        answer.headers["Retry-After"] = str(error.details["retry_after"])
    return answer


def password_page(path: str, problem: str = "", status: int = 401) -> HTMLResponse:
    """Return the form that asks for the password of a link."""
    form = element(
        "form",
        element("label", "Password", for_="password", class_="field-label"),
        element(
            "input",
            type="password",
            id="password",
            name="password",
            class_="input",
            required=True,
            autofocus=True,
            maxlength=passwords.MAX_LENGTH,
            autocomplete="off",
            aria_describedby="problem" if problem else None,
        ),
        _problem(problem),
        element("button", "Open", type="submit", class_="button primary"),
        action=f"{path}/password",
        method="post",
        class_="stack",
    )
    body = element(
        "section",
        element("h1", "This link has a password"),
        element("p", "The person who shared it can tell you the password.", class_="muted"),
        form,
        class_="card stack share-card",
    )
    return frame.page_response(protected_head(path), body, status=status)


def embedded_password_page(path: str) -> HTMLResponse:
    """Return what a frame shows of a link with a password: browsers keep cookies from frames."""
    body = element(
        "section",
        element("p", "This link has a password."),
        element(
            "a",
            "Open on Crate 404",
            href=path,
            target="_blank",
            rel="noopener",
            class_="button",
        ),
        class_="card stack share-card",
    )
    return frame.page_response(Head(title="Protected link"), body, status=401, is_embedded=True)


def protected_head(path: str) -> Head:
    """Return a head that tells nothing of what is shared."""
    address = frame.absolute(path)
    properties = (
        ("og:site_name", frame.APP_NAME),
        ("og:title", "Protected link"),
        ("og:url", address),
        ("og:image", f"{address}/picture.png"),
    )
    return Head(title="Protected link", address=address, properties=properties)


def report_page(path: str, problem: str = "", status: int = 200) -> HTMLResponse:
    """Return the form to report a link."""
    options = [element("option", text, value=reason) for reason, text in REASONS.items()]
    form = element(
        "form",
        element(
            "div",
            element("label", "Reason", for_="reason", class_="field-label"),
            element("select", *options, id="reason", name="reason", class_="input"),
            class_="field",
        ),
        element(
            "div",
            element("label", "What should we know?", for_="note", class_="field-label"),
            element("textarea", id="note", name="note", class_="input", rows=4, maxlength=MAX_NOTE),
            class_="field",
        ),
        _problem(problem),
        element(
            "div",
            element("button", "Send report", type="submit", class_="button primary"),
            element("a", "Cancel", href=path, class_="button ghost"),
            class_="row",
        ),
        action=f"{path}/report",
        method="post",
        class_="stack",
    )
    body = element(
        "section",
        element("h1", "Report this link"),
        element(
            "p",
            "The operator of this site reads the report. Neither your name nor your address is "
            "kept with it.",
            class_="muted",
        ),
        form,
        class_="card stack share-card",
    )
    return frame.page_response(Head(title="Report a link"), body, status=status)


def reported_page(path: str) -> HTMLResponse:
    """Return the thanks for a report."""
    body = _message("Thank you", "The operator will look at this link.", path, "Back to the link")
    return frame.page_response(Head(title="Report sent"), body)


def preparing_page(path: str) -> HTMLResponse:
    """Return the page that asks again until a file is made; then the download starts."""
    body = _message(
        "Preparing the download",
        "The download starts by itself in a few seconds. Then you can go back to the link.",
        path,
        "Back to the link",
    )
    head = Head(title="Preparing the download", refresh_s=REFRESH_S)
    return frame.page_response(head, body, status=202)


def notice(text: str, *, is_error: bool = False, href: str = "", words: str = "") -> Html:
    """Return a message above the content of a link's page."""
    return element(
        "p",
        text,
        " " if href else None,
        element("a", words, href=href, class_="link") if href else None,
        class_=f"notice {'error' if is_error else 'ok'}",
        role="alert" if is_error else "status",
        data_testid="share-notice",
    )


def _problem(text: str) -> Html | None:
    if not text:
        return None
    return element("p", text, id="problem", class_="field-error", role="alert")


def _message(title: str, text: str, href: str = "/", words: str = "What is Crate 404?") -> Html:
    return element(
        "section",
        element("h1", title),
        element("p", text, class_="muted"),
        element("p", element("a", words, href=href, class_="link")),
        class_="card stack share-card",
    )
