"""Account and key commands of operators."""

import asyncio
import zipfile
from pathlib import Path

import pytest

from sp404_app.cli import main
from sp404_app.db import transaction
from sp404_app.errors import Unauthenticated
from sp404_app.models import Sample, User
from sp404_app.services.auth import login, sessions, signing_keys, two_factor
from sp404_app.services.infra import storage
from sp404_app.settings import Settings
from tests.accounts import CLIENT, sign_up_user
from tests.services.auth.test_two_factor import enable_two_factor


def run_command(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main.main(arguments) == 0
    return capsys.readouterr().out


@pytest.fixture(autouse=True)
def _here(services: Settings, environment: pytest.MonkeyPatch) -> None:
    environment.setattr("sp404_app.cli.users.point_at", lambda *_: None)


def test_users_are_listed_and_verified(capsys: pytest.CaptureFixture[str]) -> None:
    ada = sign_up_user("ada@example.org", verified=False)
    assert "not verified  ada@example.org" in run_command(capsys, "user", "list")
    run_command(capsys, "user", "verify", "Ada@example.org")
    assert "not verified" not in run_command(capsys, "user", "list")
    assert "verified_by_operator" in run_command(capsys, "user", "audit", str(ada.id))


def test_a_deleted_user_is_gone_and_the_audit_log_has_no_ip(
    capsys: pytest.CaptureFixture[str],
) -> None:
    ada = sign_up_user("ada@example.org")
    run_command(capsys, "user", "delete", "ada@example.org")
    with transaction() as session:
        assert session.get(User, ada.id) is None
    log = run_command(capsys, "user", "audit", str(ada.id))
    assert "account_deleted" in log
    assert CLIENT.ip not in log
    assert main.main(["user", "audit", "ada@example.org"]) == 1


def test_two_factor_off_lets_a_user_sign_in_with_the_password(
    capsys: pytest.CaptureFixture[str],
) -> None:
    ada = sign_up_user("ada@example.org")
    enable_two_factor(ada)
    run_command(capsys, "user", "two-factor-off", "ada@example.org")
    with transaction() as session:
        assert not two_factor.is_two_factor_on(session, ada.id)


def test_a_user_is_signed_out_on_all_devices(capsys: pytest.CaptureFixture[str]) -> None:
    ada, eve = sign_up_user("ada@example.org"), sign_up_user("eve@example.org")
    with transaction() as session:
        cookies = [
            sessions.start_browser_session(session, one.id, CLIENT) for one in (ada, ada, eve)
        ]
    assert "2 sign-ins" in run_command(capsys, "user", "sign-out", "ada@example.org")
    with transaction() as session:
        for cookie in cookies[:2]:
            with pytest.raises(Unauthenticated):
                sessions.find_browser_session(session, cookie)
        assert sessions.find_browser_session(session, cookies[2]).user_id == eve.id
    assert "signed_out_by_operator" in run_command(capsys, "user", "audit", "ada@example.org")


def test_all_data_of_an_account_is_exported_for_support(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    ada, eve = sign_up_user("ada@example.org"), sign_up_user("eve@example.org")
    storage.save_bytes(b"sound", "ab/kick.wav")
    with transaction() as session:
        for user, name in ((ada, "kick"), (eve, "secret")):
            session.add(
                Sample(user_id=user.id, name=name, filename=f"{name}.wav", digest=name, size=5,
                       storage_key=f"ab/{name}.wav", format="WAV")
            )  # fmt: skip
    path = tmp_path / "ada.zip"
    assert "sounds of ada@example.org. Delete" in run_command(
        capsys, "user", "export", "ada@example.org", str(path)
    )
    assert path.stat().st_mode & 0o077 == 0
    with zipfile.ZipFile(path) as found:
        assert found.read("sounds/kick.wav") == b"sound"
        assert b"secret" not in b"".join(map(found.read, found.namelist()))
    assert "exported_by_operator" in run_command(capsys, "user", "audit", "ada@example.org")
    assert "1 files are missing" in run_command(
        capsys, "user", "export", str(eve.id), str(tmp_path / "eve.zip")
    )
    for name, target in (
        ("ada@example.org", path),
        ("ada@example.org", tmp_path / "none" / "ada.zip"),
        ("nobody@example.org", tmp_path / "nobody.zip"),
    ):
        assert main.main(["user", "export", name, str(target)]) == 1
        assert capsys.readouterr().err.count("\n") == 1
    assert {each.name for each in tmp_path.glob("*.zip")} == {"ada.zip", "eve.zip"}


@pytest.mark.parametrize("command", ["verify", "delete", "audit", "two-factor-off", "sign-out"])
def test_an_unknown_user_gives_an_error(capsys: pytest.CaptureFixture[str], command: str) -> None:
    assert main.main(["user", command, "nobody@example.org"]) == 1
    assert "nobody@example.org" in capsys.readouterr().err


def test_keys_are_rotated_and_retired(
    capsys: pytest.CaptureFixture[str], environment: pytest.MonkeyPatch
) -> None:
    environment.setattr(signing_keys, "KEY_BITS", signing_keys.MIN_KEY_BITS)
    environment.setattr(
        signing_keys.rotate_signing_key, "__defaults__", (signing_keys.MIN_KEY_BITS,)
    )
    old = signing_keys.current_signing_key()[0]
    new = run_command(capsys, "keys", "rotate").split()[0]
    listed = run_command(capsys, "keys", "list").splitlines()
    assert f"{old}  verifies" in listed
    assert f"{new}  signs" in listed
    assert main.main(["keys", "retire", new]) == 1
    assert "signs now" in capsys.readouterr().err
    run_command(capsys, "keys", "retire", old)
    assert old not in run_command(capsys, "keys", "list")
    events = [line.split() for line in run_command(capsys, "keys", "audit").splitlines()]
    assert [(words[1], words[-1]) for words in events] == [
        ("key_retired", f"kid={old}"),
        ("key_rotated", f"kid={new}"),
    ]
    assert main.main(["keys", "retire", "../../etc/passwd"]) == 1


def test_keys_audit_shows_only_events_without_an_account(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run_command(capsys, "keys", "audit") == ""
    ada = sign_up_user("ada@example.org")
    for address in ("nobody@example.org", ada.email):
        with pytest.raises(Unauthenticated):
            asyncio.run(login.verify_credentials(address, "wrong password", CLIENT))
    (line,) = run_command(capsys, "keys", "audit").splitlines()
    assert line.split()[1:] == ["sign_in_failed", CLIENT.ip]
