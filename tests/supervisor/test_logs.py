"""No log of any process contains a value that a client sent, through any interface."""

import email
import email.policy
import inspect
import json
import os
import re
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import stripe
from simple_websocket import Client as Socket
from simple_websocket import ConnectionClosed

from tests.product import ROOT, Product
from tests.security import machine
from tests.security.routes import Operation, operations
from tests.sounds import tone, wav, write

pytestmark = pytest.mark.timeout(600)

CANARY = "canary7f3a9"
EMAIL = f"{CANARY}@example.org"
PASSWORD = f"{CANARY} tape delay and dust"
UNLIMITED = {
    "SP404_SIGN_INS_PER_MINUTE": "100000",
    "SP404_REQUESTS_PER_MINUTE": "100000",
    "SP404_TRUSTED_PROXIES": "127.0.0.1,::1",
}
PLANTED = {
    "User-Agent": CANARY,
    "Referer": f"http://localhost/{CANARY}?token={CANARY}",
    "X-Forwarded-For": CANARY,
    "X-Request-ID": f"{CANARY}!",  # a valid one of a trusted proxy is kept
    "Accept-Language": CANARY,
    f"X-{CANARY}": CANARY,
}
COOKIES = f"{CANARY}={CANARY}; sp404_session_3000={CANARY}"
ENDING = (
    "/api/me",
    "/api/auth/logout",
    "/api/auth/logout-all",
)  # they end the account or the session


@pytest.fixture
def product(new_product: Callable[..., Product]) -> Product:
    return new_product(**UNLIMITED).start()


@pytest.fixture
def browser(product: Product) -> Iterator[httpx.Client]:
    """A signed-in user whose name, address and password are canaries."""
    with httpx.Client(base_url=product.base_url, headers=PLANTED, timeout=60) as client:
        form = {"email": EMAIL, "password": PASSWORD, "first_name": CANARY, "last_name": CANARY}
        assert client.post("/api/auth/register", json=form).status_code == 201
        body = {"token": mailed(product.home / "outbox")}
        assert client.post("/api/auth/verify-email", json=body).status_code == 200
        answer = client.post("/auth/session", data=form)
        assert answer.next_request is not None
        assert answer.next_request.url.path == "/library"
        yield client


def mailed(outbox: Path) -> str:
    """Return the token of the newest email."""
    until = time.monotonic() + 30
    while not (paths := sorted(outbox.glob("*.eml"))):
        assert time.monotonic() < until, "no mail"
        time.sleep(0.1)
    letter = email.message_from_bytes(paths[-1].read_bytes(), policy=email.policy.default)
    body = letter.get_body(("plain",))
    found = re.search(r"token=([\w-]+)", body.get_content() if body else "")
    assert found
    return found[1]


def written(product: Product) -> dict[str, str]:
    """Return all output of the processes, by file."""
    paths = sorted((product.home / "logs").iterdir())
    return {path.name: path.read_text(errors="replace") for path in paths} | {"out": product.said}


def ask_everything(browser: httpx.Client) -> None:
    """Send canaries to every API operation, in every kind of body, with and without a session."""
    everything = sorted(operations(), key=lambda one: one.path in ENDING)
    with httpx.Client(base_url=browser.base_url, headers=PLANTED, timeout=60) as anybody:
        anybody.headers.update({"Cookie": COOKIES, "Authorization": f"Bearer {CANARY}"})
        for operation in everything:
            for client in (anybody, browser):
                ask(client, operation)


def ask(client: httpx.Client, operation: Operation) -> None:
    description = operation.description
    query = {part["name"]: CANARY for part in description.get("parameters", [])}
    with_text = re.sub(r"\{\w+\}", CANARY, operation.path)
    with_id = re.sub(r"\{\w+\}", str(uuid.uuid4()), operation.path)
    schema = operation._body() or {}
    fields = dict.fromkeys(schema.get("properties", {}), CANARY)
    for path in {with_text, with_id}:
        url = f"{path}?{CANARY}={CANARY}"
        send = client.request
        if (operation.method, path) == ("DELETE", "/api/me") or "events" in path:
            continue
        assert send(operation.method, url, params=query, json=fields | {CANARY: 1}).status_code
        assert send(operation.method, url, content=f'{{"{CANARY}"').status_code
        assert send(operation.method, url, files={"file": (f"{CANARY}.wav", b"RIFF")}).status_code


def send_forms(browser: httpx.Client) -> None:
    """Send canaries to page forms and unknown paths."""
    form = {"email": EMAIL, "password": f"wrong {CANARY}", "next": CANARY, "code": CANARY}
    with httpx.Client(base_url=browser.base_url, headers=PLANTED, timeout=60) as anybody:
        for path in ("/auth/session", "/auth/session/code", "/auth/session/end", f"/{CANARY}"):
            anybody.post(path, data=form)
            anybody.post(path, content=CANARY)
        for path in (
            f"/{CANARY}/{CANARY}",
            f"/reset-password?token={CANARY}",
            f"/samples/{CANARY}",
        ):
            anybody.get(path)
            anybody.request(CANARY.upper(), path)
        anybody.get("/_stripe/v1/customers/" + CANARY, headers={"Authorization": CANARY})
        anybody.post("/_stripe/v1/customers", data={CANARY: CANARY})
    browser.post("/auth/avatar", files={"picture": (CANARY, CANARY.encode())})


def send_webhooks(product: Product, browser: httpx.Client) -> None:
    """Send a webhook with a wrong signature, and a signed one with an invalid body."""
    secret = json.loads((product.home / "secrets" / "stripe.json").read_text())["webhook_secret"]
    for kind in ("customer.subscription.updated", "invoice.paid", CANARY):
        found = {"id": CANARY, "object": CANARY, "customer": CANARY, "status": CANARY}
        body = json.dumps(
            {"id": f"evt_{CANARY[6:]}{kind[:5]}", "object": "event", "type": kind, "created": 1}
            | {"data": {"object": found}, "api_version": CANARY, "livemode": False}
        )
        now = int(time.time())
        signature = stripe.WebhookSignature._compute_signature(f"{now}.{body}", secret)
        for header in (f"t={now},v1={signature}", f"t={now},v1={CANARY}", CANARY):
            browser.post("/api/webhooks/stripe", content=body, headers={"Stripe-Signature": header})


def send_events(product: Product, browser: httpx.Client) -> None:
    """Send canaries to every handler, to an unknown handler, and in malformed messages."""
    cookies = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
    headers = PLANTED | {"Cookie": f"{cookies}; {COOKIES}", "Origin": product.base_url}
    event = "42/_event," + json.dumps(
        ["event", {"name": f"state.{CANARY}", "payload": {"x": CANARY}} | router()]
    )
    rubbish = [
        event,
        '42/_event,["event","' + CANARY + '"]',
        '42/_event,["event",["' + CANARY + '"]]',
        '42/_event,["event",{"name":["' + CANARY + '"],"' + CANARY + '":1}]',
        '42/_event,["client_error",{"error_type":"x","message":"' + CANARY + '"}]',
        '42/_event,["client_error",{"error_type":"dispatch_missing","substate":"' + CANARY + '"}]',
        f'42/_event,["{CANARY}","{CANARY}"]',
        f"42/{CANARY},[]",
        f"9{CANARY}",
    ]
    rubbish += [
        "42/_event," + json.dumps(["event", {"name": name, "payload": payload} | router()])
        for name, found in machine.handlers().items()
        for payload in payloads(list(inspect.signature(found.handler.fn).parameters)[1:])
    ]
    address = product.base_url.replace("http", "ws") + "/_event/?EIO=4&transport=websocket"
    joins = ["40/_event,", '40/_event,{"state_schema":"' + CANARY + '","event":"' + CANARY + '"}']
    for join in joins:
        socket = opened(address + f"&token={CANARY}", headers, join)
        for message in rubbish:
            socket = told(
                socket, message, lambda: opened(f"{address}&token={CANARY}", headers, joins[0])
            )
        time.sleep(2)
        socket.close()
    opened(address, headers, f"40/_event,{CANARY}").close()


def payloads(names: list[str]) -> list[dict[str, Any]]:
    """Return arguments of a wrong type, or with a wrong name."""
    return [dict.fromkeys(names, CANARY), {key: [{CANARY: CANARY}] for key in names}, {CANARY: 1}]


def router() -> dict[str, Any]:
    address = {"pathname": f"/{CANARY}", "asPath": f"/library?token={CANARY}"}
    return {"router_data": address | {"query": {CANARY: CANARY}}}


def opened(address: str, headers: dict[str, str], join: str) -> Socket:
    socket = Socket(address, headers=headers)
    socket.receive(10)
    socket.send(join)
    return socket


def told(socket: Socket, message: str, again: Callable[[], Socket]) -> Socket:
    """Send a message; open a new connection if it was closed."""
    try:
        socket.send(message)
    except ConnectionClosed:
        socket = again()
        socket.send(message)
    return socket


def send_sounds(browser: httpx.Client, folder: Path) -> None:
    """Upload audio and invalid files with canaries in names and tags, and wait for the workers."""
    good = write(folder / "good.wav", tone(220.0)).read_bytes()
    info = b"INFOINAM" + len(CANARY).to_bytes(4, "little") + CANARY.encode() + b"\0"
    chunk = b"LIST" + len(info).to_bytes(4, "little") + info
    files = {
        f"{CANARY}.wav": good + chunk,
        f"{CANARY}.mp3": b"ID3\4\0\0\0\0\0\x20" + CANARY.encode() * 40,
        f"{CANARY}.ogg": b"OggS\0\2" + CANARY.encode() * 40,
        f"{CANARY}.flac": b"fLaC\0\0\0\x22" + CANARY.encode() * 40,
        f"{CANARY}.aif": wav(330.0)[:200] + CANARY.encode() * 40,
    }
    for name, content in files.items():
        for path in ("/api/samples", "/api/samples/similar"):
            browser.post(path, files={"file": (name, content)}, data={"tags": CANARY})
    until = time.monotonic() + 120
    while any(one["status"] in ("queued", "analysing", "pending") for one in listed(browser)):
        assert time.monotonic() < until, listed(browser)
        time.sleep(0.5)


def listed(browser: httpx.Client) -> list[dict[str, Any]]:
    return browser.get("/api/samples").json()["samples"]


def command(product: Product, folder: Path) -> None:
    """Pass canaries to commands."""
    environment = {name: value for name, value in os.environ.items() if "SP404" not in name}
    environment |= {"SP404_HOME": str(product.home), "PORT": str(product.port)}
    (folder / CANARY).mkdir()
    (folder / CANARY / f"{CANARY}.wav").write_bytes(CANARY.encode())
    for words in (
        ["user", "verify", CANARY],
        ["user", "audit", EMAIL],
        ["keys", "retire", CANARY],
        ["billing", "replay", CANARY],
        ["import", str(folder / CANARY), "--user", EMAIL],
        ["user", "sign-out", EMAIL],
    ):
        done = subprocess.run(
            [sys.executable, "-m", "sp404_app", *words],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        for line in done.stderr.splitlines():
            assert not (line.startswith("{") and CANARY in line), line
        assert "Traceback" not in done.stderr


def test_no_log_contains_a_value_that_a_client_sent(
    product: Product, browser: httpx.Client, tmp_path: Path
) -> None:
    send_forms(browser)
    send_sounds(browser, tmp_path)
    send_webhooks(product, browser)
    send_events(product, browser)
    ask_everything(browser)
    command(product, tmp_path)
    browser.request("DELETE", "/api/me")
    time.sleep(5)  # one round of housekeeping, and until running jobs have ended
    product.stop()
    found = [
        f"{name}: {line[:1000]}"
        for name, text in written(product).items()
        for line in text.splitlines()
        if CANARY.lower() in line.lower()
    ]
    assert not found, "\n".join(found[:20])
    web = written(product)["web.log"]
    assert web.count('"event": "request"') > 200
    assert "Error processing event queue entry" in web  # Reflex's message, without the event
    assert "worker" in written(product)["worker-1.log"]
