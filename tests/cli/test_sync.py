"""`sync` uploads what is new in a real folder to the real API, whatever happens meanwhile."""

import errno
import io
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import select

from sp404_app.api.app import api
from sp404_app.cli import main, sync_run
from sp404_app.cli.sync_state import FileVersion, SyncState, state_path
from sp404_app.cli.sync_upload import NoConnection, Uploader, normalise_url
from sp404_app.db import transaction
from sp404_app.models import Sample, User
from sp404_app.services import plans
from sp404_app.services.auth.personal_access_tokens import create_personal_token
from sp404_app.settings import Settings
from sp404_app.supervisor.errors import Failure
from tests.accounts import CLIENT, sign_up_user
from tests.product import ROOT
from tests.sounds import wav
from tests.stripe_emulator.stripe_server import Served

Answer = tuple[int, dict[str, str], dict[str, Any]]


@dataclass
class Server:
    """The API on a real port; answers in `instead` are given before it is asked again."""

    url: str
    requests: int = 0
    instead: list[Answer] = field(default_factory=list)
    before_answer: Callable[[], None] = lambda: None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.requests += 1
        self.before_answer()
        if not self.instead:
            await api(scope, receive, send)
            return
        status, headers, body = self.instead.pop(0)
        packed = [(name.encode(), value.encode()) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": status, "headers": packed})
        await send({"type": "http.response.body", "body": json.dumps(body).encode()})


@pytest.fixture
def server(services: Settings, served: Served) -> Iterator[Server]:
    served.target = server = Server(f"http://127.0.0.1:{served.port}")
    yield server
    served.target = None


@pytest.fixture
def owner(services: Settings) -> User:
    with transaction() as session:
        return session.get_one(User, sign_up_user().id)


@pytest.fixture
def token(owner: User, tmp_path: Path) -> Path:
    path = tmp_path / "token"
    path.touch(mode=0o600)
    path.write_text(make_token(owner, "samples:write") + "\n")
    return path


def make_token(owner: User, ability: str) -> str:
    with transaction() as session:
        return create_personal_token(session, owner.id, "sync", [ability], None, CLIENT).token


@pytest.fixture
def folder(tmp_path: Path, environment: pytest.MonkeyPatch) -> Path:
    environment.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    environment.setattr(sync_run, "SCAN_INTERVAL_S", 0.02)
    environment.setattr(sync_run, "FIRST_RETRY_S", 0.001)
    path = tmp_path / "Sounds"
    (path / "Drums").mkdir(parents=True)
    (path / "Drums" / "Kick.wav").write_bytes(wav(200))
    return path


@pytest.fixture
def sync(server: Server, token: Path, folder: Path) -> Callable[..., int]:
    def run(*options: str) -> int:
        arguments = ["sync", str(folder), "--url", server.url, "--token-file", str(token)]
        return main.main([*arguments, "--once", *options])

    return run


def library() -> dict[str, str]:
    """Return folder by file name of all samples."""
    with transaction() as session:
        return {row.filename: row.folder for row in session.exec(select(Sample))}


def test_new_files_are_uploaded_once_with_their_folders(
    sync: Callable[..., int], server: Server, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "Snäre.wav").write_bytes(wav(300))
    assert sync() == 0
    assert library() == {"Kick.wav": "Drums", "Snäre.wav": ""}
    assert sorted(capsys.readouterr().out.splitlines()) == [
        "added Drums/Kick.wav",
        "added Snäre.wav",
    ]
    asked = server.requests
    (folder / "Hat.wav").write_bytes(wav(400))
    assert sync() == 0
    assert (len(library()), server.requests) == (3, asked + 1)


def test_other_files_are_not_uploaded(
    sync: Callable[..., int], folder: Path, tmp_path: Path
) -> None:
    secret = tmp_path / "secret.wav"
    secret.write_bytes(wav(500))
    (folder / "link.wav").symlink_to(secret)
    (folder / "Linked").symlink_to(tmp_path)
    for name in (".hidden.wav", "._Kick.wav", "~Kick.wav", "Kick.wav.part", "notes.txt"):
        (folder / name).write_bytes(wav(600))
    (folder / ".git").mkdir()
    (folder / ".git" / "a.wav").write_bytes(wav(700))
    (folder / "empty.wav").touch()
    os.mkfifo(folder / "pipe.wav")
    assert sync() == 0
    assert list(library()) == ["Kick.wav"]


def test_a_moved_file_and_a_duplicate_are_not_added_again(
    sync: Callable[..., int], server: Server, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert sync() == 0
    asked = server.requests
    (folder / "Drums" / "Kick.wav").rename(folder / "Moved.wav")
    assert sync("--verbose") == 0
    assert server.requests == asked
    state_path(server.url, folder).unlink()
    assert sync("--verbose") == 0
    assert server.requests == asked + 1
    assert len(library()) == 1
    assert capsys.readouterr().out.count("already there Moved.wav") == 2


def test_a_rejected_file_is_not_sent_again_until_it_changes(
    sync: Callable[..., int], server: Server, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = folder / "noise.wav"
    path.write_bytes(b"not a sound")
    assert sync() == 0
    assert "rejected noise.wav: This is not a sound file we can read." in capsys.readouterr().out
    asked = server.requests
    assert sync() == 0
    assert server.requests == asked
    path.write_bytes(wav(800))
    assert sync() == 0
    assert "noise.wav" in library()


def test_a_rate_limit_and_a_lost_connection_only_delay(
    sync: Callable[..., int], server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    server.instead = [
        (429, {"Retry-After": "1"}, {"code": "rate_limited", "error": "Too many requests."}),
        (503, {}, {}),
        (502, {}, {"samples": "<html>"}),
        (200, {"Content-Encoding": "gzip"}, {"samples": "not packed"}),
    ]
    assert sync() == 0
    assert list(library()) == ["Kick.wav"]
    lines = capsys.readouterr().out.splitlines()
    assert lines == [
        f"{server.url} does not answer. Trying again.",
        "Uploads go on.",
        "added Drums/Kick.wav",
    ]


def test_once_ends_if_nobody_answers(
    sync: Callable[..., int], server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    server.instead = [(503, {}, {})] * 20
    assert sync() == 1
    assert capsys.readouterr().out.count("\n") == 1
    server.instead = []
    assert sync() == 0


def test_a_server_may_be_away_for_days(folder: Path, environment: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise NoConnection

    environment.setattr(sync_run, "FIRST_RETRY_S", 2.0)
    environment.setattr(sync_run.FolderSync, "upload_file", refuse)
    with (
        closing(Uploader("http://localhost", "token")) as uploader,
        SyncState(state_path("http://localhost", folder)) as state,
    ):
        run = sync_run.FolderSync(folder, state, uploader)
        files = [(Path("Kick.wav"), FileVersion(1, 1))]
        pauses = [run.upload_files(files) for _ in range(3000)]
    assert pauses[-1] == sync_run.MAX_RETRY_S


@pytest.mark.parametrize("status", [400, 404, 409, 500])
def test_a_file_that_the_server_fails_to_take_does_not_stop_the_others(
    sync: Callable[..., int],
    server: Server,
    folder: Path,
    environment: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    status: int,
) -> None:
    (folder / "Mine.wav").write_bytes(wav(300))
    server.instead = [(status, {}, {})] * 3
    assert sync() == 1
    assert list(library()) == ["Kick.wav"]
    lines = capsys.readouterr().out.splitlines()
    assert lines[1] == f"not uploaded Mine.wav: the server answers with status {status}"
    environment.setattr(sync_run, "SKIPPED_PAUSE_S", 0.0)
    assert sync() == 0
    assert len(library()) == 2


@pytest.mark.parametrize("method", ["readinto", "read"])
def test_a_file_that_fails_while_it_is_read_is_named_and_tried_later(
    sync: Callable[..., int],
    folder: Path,
    environment: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    method: str,
) -> None:
    def fail(*_: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    def open_damaged(path: Path, version: FileVersion) -> Any:
        is_damaged = path.name == "Kick.wav" and len(tried) < 2
        tried.extend([path.name] * is_damaged)
        return damaged(path) if is_damaged else real(path, version)

    # `readinto` computes the hash, `read` sends the file.
    damaged, real, tried = type("Damaged", (io.FileIO,), {method: fail}), sync_run.open_version, []
    (folder / "Mine.wav").write_bytes(wav(300))
    environment.setattr(sync_run, "open_version", open_damaged)
    assert sync() == 1
    assert "unreadable Drums/Kick.wav: Input/output error" in capsys.readouterr().out
    assert (list(library()), len(tried)) == (["Mine.wav"], 1)
    environment.setattr(sync_run, "SKIPPED_PAUSE_S", 0.0)
    assert sync() == 0
    assert capsys.readouterr().out.count("unreadable Drums/Kick.wav") == 1
    assert len(library()) == 2


def test_a_used_up_quota_is_one_sentence_and_later_uploads_go_on(
    sync: Callable[..., int],
    folder: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (folder / "Snare.wav").write_bytes(wav(300))
    small = plans.Plan(plans.Tier.FREE, "Free", 0, 10, 9, 0, 100)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(plans.PLANS, plans.Tier.FREE, small)
        assert sync() == 1
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("Nothing more can be added now: ")
    assert sync() == 0
    assert len(library()) == 2


def test_a_file_that_grows_is_uploaded_when_it_is_complete(
    sync: Callable[..., int], folder: Path, environment: pytest.MonkeyPatch
) -> None:
    content, path = wav(900, 1.0), folder / "Take.wav"
    real = sync_run.scan_folder
    sizes = iter([100, 5000, 20_000])

    def scan(root: Path) -> Any:
        path.write_bytes(content[: next(sizes, len(content))])
        os.utime(path, ns=(0, 0))  # as a copy that keeps the time of the original
        return real(root)

    environment.setattr(sync_run, "scan_folder", scan)
    assert sync() == 0
    with transaction() as session:
        (found,) = session.exec(select(Sample).where(Sample.filename == "Take.wav"))
        assert found.size == len(content)


def test_a_file_that_changes_while_it_is_sent_is_sent_again(
    sync: Callable[..., int], server: Server, folder: Path
) -> None:
    path = folder / "Drums" / "Kick.wav"

    def grow() -> None:
        server.before_answer = lambda: None
        path.write_bytes(wav(1000))

    server.before_answer = grow
    assert sync() == 0
    with transaction() as session:
        assert len({row.digest for row in session.exec(select(Sample))}) == 2


@pytest.mark.parametrize("ability", ["samples:read", ""])
def test_a_token_that_is_refused_ends_the_run_and_is_never_printed(
    sync: Callable[..., int],
    owner: User,
    token: Path,
    ability: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    secret = make_token(owner, ability) if ability else "sp404_" + "x" * 43
    token.write_text(secret)
    assert sync() == 2
    said = capsys.readouterr()
    assert said.err.count("\n") == 1
    assert secret not in said.err + said.out


def test_an_unreadable_file_is_named_and_the_others_are_uploaded(
    sync: Callable[..., int],
    folder: Path,
    environment: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (folder / "Mine.wav").write_bytes(wav(300))
    real = sync_run.open_version

    def refuse(path: Path, version: Any) -> Any:
        if path.name == "Kick.wav":
            raise PermissionError(13, "Permission denied")
        return real(path, version)

    environment.setattr(sync_run, "open_version", refuse)
    assert sync() == 1
    assert "unreadable Drums/Kick.wav: Permission denied" in capsys.readouterr().out
    assert list(library()) == ["Mine.wav"]


def test_a_name_cannot_control_the_terminal(
    sync: Callable[..., int], folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "\x1b[2Jadded\nall \u202evaw.wav").write_bytes(wav(300))
    (folder / os.fsdecode(b"b\xff.wav")).write_bytes(wav(310))
    assert sync() == 0
    out = capsys.readouterr().out
    assert out.count("\n") == 3
    assert not {"\x1b", "\u202e"} & set(out)
    assert len(library()) == 3


def test_two_runs_of_one_folder_do_not_compete(
    sync: Callable[..., int], server: Server, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with SyncState(state_path(server.url, folder)):
        assert sync() == 1
    assert capsys.readouterr().err == "Another sync of this folder is running.\n"


def test_a_damaged_state_file_is_one_sentence(
    sync: Callable[..., int], server: Server, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = state_path(server.url, folder)
    path.parent.mkdir(parents=True)
    path.write_bytes(b"no database" * 1000)
    assert sync() == 1
    assert "is damaged. Delete it to start anew." in capsys.readouterr().err


@pytest.mark.parametrize(
    ("url", "fault"),
    [
        ("http://sounds.example", "Use https"),
        ("http://10.0.0.1:3000", "Use https"),
        ("ftp://localhost", "not the address"),
        ("https://", "not the address"),
        ("http://[::1", "not the address"),
        ("https://a:port", "not the address"),
    ],
)
def test_an_unusable_address_is_refused(url: str, fault: str) -> None:
    with pytest.raises(Failure, match=fault):
        normalise_url(url)


def test_an_address_may_be_short() -> None:
    assert normalise_url("sounds.example/library") == "https://sounds.example"
    assert normalise_url("http://[::1]:3000/") == "http://[::1]:3000"


def test_a_token_file_that_others_can_read_is_refused(
    sync: Callable[..., int], token: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    token.chmod(0o644)
    assert sync() == 1
    assert "Others can read the token file" in capsys.readouterr().err


def test_a_token_and_a_folder_are_needed(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main(["sync", str(folder)]) == 1
    assert "SP404_TOKEN" in capsys.readouterr().err
    assert main.main(["sync", str(folder / "none")]) == 1
    assert "is not a folder" in capsys.readouterr().err


def wait_for(path: Path, line: str) -> None:
    until = time.monotonic() + 60
    while line not in path.read_text():
        assert time.monotonic() < until, path.read_text()
        time.sleep(0.05)


def test_a_watcher_uploads_what_appears_and_ends_at_sigterm(
    server: Server, token: Path, folder: Path, tmp_path: Path
) -> None:
    said = tmp_path / "said"
    command = [sys.executable, "-m", "sp404_app", "sync", str(folder), "--url", server.url]
    environment = os.environ | {"SP404_TOKEN": token.read_text()}
    with (
        said.open("wb") as output,
        subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=output, stderr=output
        ) as process,
    ):
        try:
            wait_for(said, "added Drums/Kick.wav")
            (folder / "Late.wav").write_bytes(wav(300))
            wait_for(said, "added Late.wav")
        finally:
            process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
    assert said.read_text().splitlines()[-1] == "Stopped."
    with sqlite3.connect(state_path(server.url, folder)) as rows:
        assert rows.execute("select count(*) from files where sample_id <> ''").fetchone() == (2,)
