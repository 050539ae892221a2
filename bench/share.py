"""The public page of a link: its first paint, and what a visitor notices of guessed tokens.

It is loaded by a real browser with an empty cache, in turns with the landing page. Then a host
guesses 1,000 tokens a second, while a visitor at another address requests the page.
"""

import asyncio
import secrets
import tempfile
import time
from collections import Counter
from http import HTTPStatus
from pathlib import Path
from urllib.parse import urlsplit

from first_paint import first_paints_ms
from http_client import build_request, open_connection
from instance import create_user, open_database, running_product
from playwright.sync_api import sync_playwright
from services import percentile
from sqlmodel import Session

from sp404_app.audio.features.survey import survey_file
from sp404_app.devices.capabilities import MK2
from sp404_app.models import Waveform
from sp404_app.services.library import samples
from sp404_app.services.projects import projects
from sp404_app.services.sharing import shares
from sp404_app.services.sharing.shares import ShareOptions, ShareTarget
from tests.browsers import launch_chromium
from tests.sounds import tone, write

GUESSES_PER_S, GUESSING_S, CONNECTIONS = 1_000, 8, 40
VISITOR = "127.0.0.2"  # the guesses come from 127.0.0.1


def main() -> None:
    """Measure and print."""
    with running_product() as instance:
        with open_database(instance) as session:
            links = create_links(session)
        measure_first_paint(instance.base_url, {"landing page": "/"} | links)
        port = urlsplit(instance.base_url).port or 80
        asyncio.run(measure_guesses(port, links["shared sound"]))


def measure_first_paint(base_url: str, paths: dict[str, str]) -> None:
    """Load each page in turns; print the medians and their ratio to the first page's."""
    with sync_playwright() as playwright:
        browser = launch_chromium(playwright)
        urls = {name: base_url + path for name, path in paths.items()}
        medians = first_paints_ms(browser, urls)
        browser.close()
    base = next(iter(medians.values()))
    for name, median in medians.items():
        print(f"{name:16} first paint {median:6.0f} ms   {median / base:.2f} x")


async def measure_guesses(port: int, path: str) -> None:
    """Print what a visitor notices of another host's guesses."""
    alone = await visit_pages(port, path, GUESSING_S)
    statuses, seconds, beside = await guess(port, path)
    print(f"{statuses.total() / seconds:.0f} guesses a second: {dict(statuses)}")
    for name, times in (("without guesses", alone), ("with guesses", beside)):
        print(
            f"visitor {name:16} median {percentile(times, 0.5):5.1f} ms"
            f"   p95 {percentile(times, 0.95):5.1f} ms   {len(times)} pages"
        )


async def guess(port: int, path: str) -> tuple[Counter[int], float, list[float]]:
    """Guess tokens; return the statuses, the seconds, and those of each page of the visitor."""
    statuses: Counter[int] = Counter()
    began = time.perf_counter()

    async def guess_often(number: int) -> None:
        connection = await open_connection(port)
        for turn in range(GUESSES_PER_S * GUESSING_S // CONNECTIONS):
            due = began + (turn * CONNECTIONS + number) / GUESSES_PER_S
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            wrong = f"/s/{secrets.token_urlsafe(24)}"
            statuses[await connection.send_request(build_request(wrong, ""))] += 1

    visits = asyncio.create_task(visit_pages(port, path, GUESSING_S))
    await asyncio.gather(*map(guess_often, range(CONNECTIONS)))
    return statuses, time.perf_counter() - began, await visits


async def visit_pages(port: int, path: str, seconds: float) -> list[float]:
    """Request a page ten times a second; return the seconds until each answer."""
    connection = await open_connection(port, VISITOR)
    times = []
    end = time.perf_counter() + seconds
    while (began := time.perf_counter()) < end:
        status = await connection.send_request(build_request(path, ""))
        if status != HTTPStatus.OK:
            raise RuntimeError(f"the visitor got {status}")
        times.append(time.perf_counter() - began)
        await asyncio.sleep(0.1)
    return times


def create_links(session: Session) -> dict[str, str]:
    """Share a sound and a project with 16 pads; return their paths."""
    user = create_user(session)
    with tempfile.TemporaryDirectory() as folder:
        path = write(Path(folder) / "Dusty loop.wav", tone(220.0, 4.0))
        sample_id = samples.add_sample(session, user.id, samples.inspect_file(path, path.name))
        survey = survey_file(path)
    sample = samples.get_sample(session, user.id, sample_id)
    sample.thumbnail = survey.peaks.thumbnail()
    session.add(sample)
    peaks = survey.peaks.to_bytes()
    session.add(Waveform(sample_id=sample_id, user_id=user.id, peaks=peaks))
    project = projects.create_project(session, user.id, "Kit", MK2, [sample_id] * 16).project
    targets = {
        "shared sound": ShareTarget("sample", sample_id),
        "shared pads": ShareTarget("project", project.id),
    }
    links = {
        name: shares.create_share(session, user.id, target, ShareOptions()).url
        for name, target in targets.items()
    }
    return {name: url[url.index("/s/") :] for name, url in links.items()}


if __name__ == "__main__":
    main()
