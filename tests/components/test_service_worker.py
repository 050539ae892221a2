"""The service worker in a browser, with a server whose answers the tests define."""

import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.components.worker_server import WorkerServer

WAIT_S = 10.0
IDS = [f"{number:08d}-0000-7000-8000-000000000000" for number in range(10)]
TELL = """async (message) => {
  const { active } = await navigator.serviceWorker.ready;
  const { port1, port2 } = new MessageChannel();
  const done = new Promise((resolve) => { port1.onmessage = resolve; });
  active.postMessage(message, [port2]);
  await done;
}"""
KEPT = """async () => {
  const kept = {};
  for (const name of await caches.keys()) {
    const keys = await (await caches.open(name)).keys();
    kept[name] = keys.map(({ url }) => new URL(url).pathname);
  }
  return kept;
}"""
HEAR = """async ([id, range]) => {
  const headers = range ? { Range: range } : {};
  const answer = await fetch(`/api/samples/${id}/audio?format=play`, { headers });
  const bytes = [...new Uint8Array(await answer.arrayBuffer())];
  const part = answer.headers.get("Content-Range");
  return { status: answer.status, size: bytes.length, first: bytes[0], part };
}"""
# Files contain the word "take", or bytes in Base64.
SEND_FORM = """([path, files, encoded]) => {
  const bytes = encoded && Uint8Array.from(atob(encoded), (one) => one.charCodeAt(0));
  const form = document.createElement("form");
  Object.assign(form, { method: "post", action: path, enctype: "multipart/form-data" });
  form.acceptCharset = "utf-8";
  const input = document.createElement("input");
  Object.assign(input, { type: "file", name: "sounds", multiple: true });
  const [chosen, type] = [new DataTransfer(), { type: "audio/mp4" }];
  files.forEach((name) => chosen.items.add(new File([bytes || "take"], name, type)));
  input.files = chosen.files;
  form.append(input);
  document.body.append(form);
  form.submit();
}"""


@pytest.fixture
def server() -> Iterator[WorkerServer]:
    with WorkerServer() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.site.gate.set()
        server.shutdown()


@pytest.fixture
def page(pad_browser: Browser, server: WorkerServer) -> Iterator[Page]:
    """A page that the worker controls, before anything is kept."""
    with pad_browser.new_context(base_url=server.url) as context:
        page = context.new_page()
        page.goto("/library")
        page.evaluate("navigator.serviceWorker.register('/service-worker.js')")
        page.wait_for_function("navigator.serviceWorker.controller")
        yield page


def see_library(page: Page) -> None:
    page.evaluate(TELL, "library")


def kept(page: Page) -> dict[str, list[str]]:
    return page.evaluate(KEPT)


def hear(page: Page, number: int, byte_range: str = "") -> dict[str, Any]:
    return page.evaluate(HEAR, [IDS[number], byte_range])


def wait_kept(page: Page, condition: str) -> None:
    """Wait until a condition of `kept`, the names of the caches, and the account's sounds holds."""
    # To look into a cache creates it anew if it was deleted meanwhile, so look only if asked to.
    looks = "kept" in condition or "sounds" in condition
    script = f"""async () => {{
      const kept = {f"await ({KEPT})()" if looks else "{}"};
      const names = await caches.keys();
      const account = names.find((name) => name.startsWith("account-"));
      const sounds = (kept[account] || []).filter((path) => path.endsWith("/audio"));
      return {condition};
    }}"""
    until = time.monotonic() + WAIT_S
    while not page.evaluate(script):  # `wait_for_function` does not wait for a promise
        assert time.monotonic() < until, kept(page)
        page.wait_for_timeout(30)


def send_form(page: Page, path: str, *files: str) -> None:
    with page.expect_navigation():
        page.evaluate(SEND_FORM, [path, list(files)])


def test_nothing_is_kept_before_the_library_was_seen(page: Page) -> None:
    page.evaluate("fetch('/assets/a.js')")
    hear(page, 0)
    page.evaluate(TELL, "sign-in")
    page.wait_for_timeout(200)
    assert kept(page) == {}


def test_only_names_sounds_and_files_of_pages_are_kept(page: Page) -> None:
    see_library(page)
    page.evaluate("Promise.all(['/assets/a.js', '/api/samples', '/x.css'].map((it) => fetch(it)))")
    page.evaluate("fetch('/api/samples/' + '0'.repeat(36) + '/audio')")  # the original
    hear(page, 0)
    wait_kept(page, "sounds.length === 1 && kept['static-one'].length === 3")
    assert kept(page) == {
        "static-one": ["/offline", "/offline.js", "/assets/a.js"],
        "account-ada": ["/api/samples/names", f"/api/samples/{IDS[0]}/audio"],
    }


def test_what_is_kept_of_one_account_goes_when_another_is_seen(
    page: Page, server: WorkerServer
) -> None:
    see_library(page)
    hear(page, 0)
    wait_kept(page, "sounds.length === 1")
    server.site.account = "bob"
    see_library(page)
    assert kept(page)["account-bob"] == ["/api/samples/names"]
    assert "account-ada" not in kept(page)


@pytest.mark.parametrize("noticed_by", ["sign-in", "library", "sound"])
def test_everything_goes_when_a_session_has_ended(
    page: Page, server: WorkerServer, noticed_by: str
) -> None:
    see_library(page)
    server.site.account = ""
    if noticed_by == "sound":
        assert hear(page, 0)["status"] == 401
    else:
        page.evaluate(TELL, noticed_by)
    wait_kept(page, "names.length === 0")


@pytest.mark.parametrize("path", ["/auth/session/end", "/auth/account/end"])
def test_signing_out_erases_all_and_nothing_is_kept_after_it(page: Page, path: str) -> None:
    see_library(page)
    hear(page, 0)
    send_form(page, "/share-target", "take.m4a")
    wait_kept(page, "sounds.length === 1 && names.includes('shared')")
    send_form(page, path)
    assert page.url.endswith("/login")
    wait_kept(page, "names.length === 0")
    page.evaluate("fetch('/assets/a.js')")
    hear(page, 1)
    page.wait_for_timeout(200)
    assert kept(page) == {}


@pytest.mark.parametrize("path", ["/auth/session", "/auth/session/code", "/auth/session/confirmed"])
def test_signing_in_erases_what_is_kept_of_an_account(page: Page, path: str) -> None:
    see_library(page)
    send_form(page, path)
    wait_kept(page, "names.length === 1 && names[0] === 'static-one'")


@pytest.mark.parametrize("held", [f"/api/samples/{IDS[0]}/audio?format=play", "/api/samples/names"])
def test_an_answer_that_arrives_after_signing_out_is_not_kept(
    page: Page, server: WorkerServer, held: str
) -> None:
    see_library(page)
    server.site.held = held
    # Another tab of the same browser, which stays.
    other = page.context.new_page()
    other.goto("/library")
    started = len(server.site.requests)
    other.evaluate(f"void ({HEAR})(['{IDS[0]}', ''])")
    other.evaluate(f"void ({TELL})('library')")
    while held not in server.site.requests[started:]:
        page.wait_for_timeout(20)
    send_form(page, "/auth/session/end")
    wait_kept(page, "names.length === 0")
    server.site.held = ""
    server.site.gate.set()
    page.wait_for_timeout(300)
    assert kept(page) == {}


def test_a_kept_sound_is_heard_without_a_connection_whole_and_in_parts(
    page: Page, server: WorkerServer
) -> None:
    see_library(page)
    hear(page, 0)
    wait_kept(page, "sounds.length === 1")
    server.site.is_down = True
    whole = {"status": 200, "size": 100, "first": 0, "part": None}
    assert hear(page, 0) == whole
    for asked, size, first, part in (
        ("bytes=0-", 100, 0, "bytes 0-99/100"),
        ("bytes=10-19", 10, 10, "bytes 10-19/100"),
        ("bytes=90-500", 10, 90, "bytes 90-99/100"),
        ("bytes=-5", 5, 95, "bytes 95-99/100"),
    ):
        expected = {"status": 206, "size": size, "first": first, "part": part}
        assert hear(page, 0, asked) == expected, asked
    assert hear(page, 0, "bytes=100-")["status"] == 416
    failed = page.evaluate(f"({HEAR})(['{IDS[1]}', '']).catch((error) => error.name)")
    assert failed == "TypeError"  # as without a worker


def test_sounds_are_bounded_and_the_one_heard_longest_ago_goes(
    page: Page, server: WorkerServer
) -> None:
    see_library(page)
    server.site.sound = bytes(9_000_000)
    for number in (0, 1, 2, 0, 3):
        hear(page, number)
        last = f"sounds.at(-1) === '/api/samples/{IDS[number]}/audio'"
        wait_kept(page, last)
    wait_kept(page, "sounds.length === 3")
    assert kept(page)["account-ada"][1:] == [f"/api/samples/{IDS[n]}/audio" for n in (2, 0, 3)]
    server.site.sound = bytes(11_000_000)
    hear(page, 4)
    page.wait_for_timeout(300)
    assert len(kept(page)["account-ada"]) == 4  # too large to keep


def test_files_of_the_build_are_read_from_the_cache_and_bounded(
    page: Page, server: WorkerServer
) -> None:
    see_library(page)
    load_all = "Promise.all([...Array(310).keys()].map((n) => fetch(`/assets/${n}.js`)))"
    page.evaluate(load_all)
    wait_kept(page, "kept['static-one'].filter((it) => it.startsWith('/assets/')).length === 300")
    assert kept(page)["static-one"][:2] == ["/offline", "/offline.js"]
    newest = kept(page)["static-one"][-1]
    before = server.site.requests.count(newest)
    page.evaluate("(path) => fetch(path)", newest)
    assert server.site.requests.count(newest) == before


def test_the_files_of_a_former_build_go(page: Page, server: WorkerServer) -> None:
    see_library(page)
    page.evaluate("fetch('/assets/a.js')")
    wait_kept(page, "kept['static-one'].length === 3")
    server.site.build = "two"
    page.evaluate("navigator.serviceWorker.ready.then((it) => it.update())")
    wait_kept(page, "names.includes('static-two') && !names.includes('static-one')")
    assert kept(page)["static-two"] == ["/offline", "/offline.js"]
    assert kept(page)["account-ada"] == ["/api/samples/names"]


def test_without_a_connection_or_a_timely_answer_the_offline_page_opens(
    page: Page, server: WorkerServer
) -> None:
    see_library(page)
    page.goto("/projects")
    assert page.title() == "/projects"
    server.site.held = "/samples/1"
    page.goto("/samples/1")
    assert page.title() == "/offline"
    assert page.url.endswith("/samples/1")
    server.site.is_down = True
    page.goto("/library")
    assert page.title() == "/offline"


def test_shared_recordings_wait_for_the_library_and_are_not_sent(
    page: Page, server: WorkerServer
) -> None:
    send_form(page, "/share-target", "take “1”.m4a", "two.wav")
    assert page.url.endswith("/library")
    assert "POST /share-target" not in server.site.requests
    names = page.evaluate(
        """async () => {
          const cache = await caches.open("shared");
          const answers = await Promise.all((await cache.keys()).map((key) => cache.match(key)));
          const name = (it) => decodeURIComponent(it.headers.get("X-Name"));
          return Promise.all(answers.map(async (it) => [name(it), await it.text()]));
        }"""
    )
    assert names == [["take “1”.m4a", "take"], ["two.wav", "take"]]
    see_library(page)  # whoever signs in next gets what was shared before
    assert len(kept(page)["shared"]) == 2


def test_a_share_without_a_file_says_that_nothing_was_added(page: Page) -> None:
    send_form(page, "/share-target")
    assert page.url.endswith("/share-target")


def test_what_one_account_shared_is_not_offered_to_another(
    page: Page, server: WorkerServer
) -> None:
    see_library(page)
    send_form(page, "/share-target", "take.m4a")
    see_library(page)
    assert len(kept(page)["shared"]) == 1
    server.site.account = ""
    page.evaluate(TELL, "sign-in")
    assert list(kept(page)) == ["shared"]  # its owner may sign in again
    server.site.account = "bob"
    see_library(page)
    assert kept(page)["shared"] == []


def test_what_nobody_took_for_a_day_goes(page: Page) -> None:
    send_form(page, "/share-target", "take.m4a")
    page.evaluate(
        """async () => {
          const cache = await caches.open("shared");
          const [key] = await cache.keys();
          const { headers } = await cache.match(key);
          const old = new Headers(headers);
          old.set("X-Shared-At", Date.now() - 25 * 3600e3);
          await cache.put(key, new Response("take", { headers: old }));
        }"""
    )
    see_library(page)
    assert kept(page)["shared"] == []
