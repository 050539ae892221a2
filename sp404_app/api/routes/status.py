"""GET /status: what works and what does not, for users, as a page that needs no scripts.

It is no page of Reflex: those need a websocket and Redis, and this one has to work without.
"""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

from fastapi import APIRouter, Depends
from fastapi.responses import HTMLResponse

from sp404_app.api.health_checks import HealthReport, health_report, limit_health_requests
from sp404_app.api.share_page import frame
from sp404_app.api.share_page.frame import Head
from sp404_app.api.share_page.markup import Html, element

DELAYED_AFTER_S = 600

router = APIRouter(include_in_schema=False)


class State(StrEnum):
    """How a part of the service works; the value is shown."""

    OK = "Operational"
    DELAYED = "Delayed"
    DOWN = "Not available"


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the service as users know it."""

    name: str
    text: str
    state: State


@router.get("/status", dependencies=[Depends(limit_health_requests)])
async def status(report: Annotated[HealthReport, Depends(health_report)]) -> HTMLResponse:
    """Return the page; 200 also while something fails, because the page itself works."""
    found = list(parts(report))
    checked = dt.datetime.fromisoformat(report.at).astimezone(dt.UTC)
    return frame.page_response(
        Head(
            title="Status",
            description="What works at Crate 404 now.",
            address=frame.absolute("/status"),
            is_indexed=True,
            sheets=("/status.css",),
        ),
        element(
            "header",
            element("p", "Status", class_="label"),
            element("h1", headline(found), data_testid="headline"),
            class_="share-head",
        ),
        element("ul", *map(_row, found), class_="status-parts"),
        element(
            "p",
            "Checked at ",
            element("time", f"{checked:%H:%M:%S} UTC", datetime=report.at, class_="mono"),
            f" on {checked.day} {checked:%B %Y}. ",
            element("a", "Check again", href="/status", class_="link"),
            class_="muted status-note",
        ),
    )


def parts(report: HealthReport) -> Iterator[Part]:
    """Yield the parts of the service, as they are now."""
    is_late = (report.oldest_job_s or 0) > DELAYED_AFTER_S
    jobs = State.DELAYED if is_late else State.OK
    if not (report.workers and report.database and report.redis):
        jobs = State.DOWN
    yield Part("Website", "Public pages, links and the API", State.OK)
    yield Part("Accounts and library", "Sign-in, search, projects, pads", _state(report.database))
    yield Part("Sounds", "Uploads, playing, downloads", _state(report.storage))
    yield Part("Live updates", "Pages that change while they are open", _state(report.redis))
    yield Part("Analyses and exports", "Jobs in the background", jobs)


def headline(found: list[Part]) -> str:
    """Return the state of the service in one sentence."""
    failing = [part for part in found if part.state is State.DOWN]
    if failing:
        return f"{failing[0].name}: not available" if len(failing) == 1 else "Partly not available"
    if any(part.state is State.DELAYED for part in found):
        return "Jobs are delayed"
    return "Everything works"


def _state(ok: object) -> State:
    return State.OK if ok else State.DOWN


def _row(part: Part) -> Html:
    return element(
        "li",
        element("span", class_="status-light", aria_hidden="true"),
        element(
            "div",
            element("h2", part.name),
            element("p", part.text, class_="muted"),
            class_="grow",
        ),
        element("strong", part.state.value, class_="status-state"),
        class_=f"status-part {part.state.name.lower()}",
        data_testid="part",
    )
