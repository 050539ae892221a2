"""First paint of the public page of a link, beside that of the landing page.

Both are loaded by a real browser with an empty cache, in turns.
"""

import statistics
import tempfile
from pathlib import Path

from instance import create_user, open_database, running_product
from playwright.sync_api import Browser, sync_playwright
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

ROUNDS = 15
FIRST_PAINT = "() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime"


def main() -> None:
    """Measure and print."""
    with sync_playwright() as playwright:
        browser = launch_chromium(playwright)
        with running_product() as instance:
            with open_database(instance) as session:
                links = create_links(session)
            paths = {"landing page": "/"} | links
            found: dict[str, list[float]] = {name: [] for name in paths}
            for _ in range(ROUNDS):
                for name, path in paths.items():
                    found[name].append(first_paint_ms(browser, instance.base_url + path))
        browser.close()
    base = statistics.median(found["landing page"])
    for name, times in found.items():
        median = statistics.median(times)
        print(f"{name:16} first paint {median:6.0f} ms   {median / base:.2f} x")


def create_links(session: Session) -> dict[str, str]:
    """Share a sound and a project with 16 pads; return their paths."""
    user = create_user(session)
    with tempfile.TemporaryDirectory() as folder:
        path = write(Path(folder) / "Dusty loop.wav", tone(220.0, 4.0))
        sample_id = samples.add_sample(
            session, user.id, samples.inspect_file(path, path.name), is_demo=True
        )
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


def first_paint_ms(browser: Browser, url: str) -> float:
    """Return the time of the first contentful paint in a new browser context."""
    context = browser.new_context()
    page = context.new_page()
    page.goto(url, wait_until="load")
    page.wait_for_function(FIRST_PAINT)
    found = float(page.evaluate(FIRST_PAINT))
    context.close()
    return found


if __name__ == "__main__":
    main()
