import os
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from sp404_app.services.auth import signing_keys
from sp404_app.services.auth.signing_keys import UnusableKeys
from sp404_app.settings import settings

pytestmark = pytest.mark.usefixtures("environment")


def pem(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def inconsistent_key() -> rsa.RSAPrivateKey:
    """Create an RSA key whose numbers do not belong together."""
    one = rsa.generate_private_key(65537, 2048).private_numbers()
    wrong = rsa.RSAPrivateNumbers(
        one.p, one.q, one.d + 2, one.dmp1, one.dmq1, one.iqmp, one.public_numbers
    )
    return wrong.private_key(unsafe_skip_rsa_key_validation=True)


def write_key_file(name: str, content: bytes) -> Path:
    settings().secrets.mkdir(parents=True, exist_ok=True)
    path = settings().secrets / name
    path.write_bytes(content)
    return path


def test_the_first_key_is_created_once_and_readable_by_the_owner_only() -> None:
    kid = signing_keys.ensure_signing_key(2048)
    assert signing_keys.ensure_signing_key(2048) == kid
    path = settings().secrets / f"{kid}.pem"
    assert path.stat().st_mode & 0o777 == 0o600
    assert [found.name for found in settings().secrets.iterdir()] == [path.name]


def test_processes_that_start_at_once_make_one_key() -> None:
    """Each has a key ring of its own, so each runs in a process of its own."""
    folder = settings().secrets
    code = (
        "from sp404_app.services.auth import signing_keys\n"
        "print(signing_keys.ensure_signing_key(2048))"
    )
    environment = os.environ | {"SP404_SECRETS_DIR": str(folder)}
    running = [
        subprocess.Popen([sys.executable, "-c", code], env=environment, stdout=subprocess.PIPE)
        for _ in range(3)
    ]
    kids = {process.communicate(timeout=120)[0].decode().strip() for process in running}
    assert [process.returncode for process in running] == [0, 0, 0]
    assert kids == {path.stem for path in folder.glob("*.pem")}
    assert len(kids) == 1


def test_rotation_signs_with_the_new_key_and_keeps_the_old_one() -> None:
    old = signing_keys.ensure_signing_key(2048)
    new = signing_keys.rotate_signing_key(2048)
    assert signing_keys.current_signing_key()[0] == max(old, new)
    assert set(signing_keys.list_public_keys()) == {old, new}


def test_a_retired_key_is_no_longer_found(monkeypatch: pytest.MonkeyPatch) -> None:
    write_key_file("20200101000000-aaaaaaaa.pem", pem(rsa.generate_private_key(65537, 2048)))
    kid = signing_keys.ensure_signing_key(2048)
    assert kid == "20200101000000-aaaaaaaa"
    newer = signing_keys.rotate_signing_key(2048)
    signing_keys.retire_signing_key(kid)
    assert signing_keys.find_public_key(kid) is None
    with pytest.raises(UnusableKeys, match="signs now"):
        signing_keys.retire_signing_key(newer)
    with pytest.raises(UnusableKeys, match="no key"):
        signing_keys.retire_signing_key("../../etc/passwd")


def test_a_key_created_by_another_process_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    signing_keys.ensure_signing_key(2048)
    write_key_file("20990101000000-bbbbbbbb.pem", pem(rsa.generate_private_key(65537, 2048)))
    assert "20990101000000-bbbbbbbb" not in signing_keys.list_public_keys()
    monkeypatch.setattr(signing_keys, "REREAD_AFTER_S", 0.0)
    assert "20990101000000-bbbbbbbb" in signing_keys.list_public_keys()


def test_an_unknown_kid_makes_the_key_ring_read_the_folder_early(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    signing_keys.ensure_signing_key(2048)
    write_key_file("20990101000000-dddddddd.pem", pem(rsa.generate_private_key(65537, 2048)))
    monkeypatch.setattr(signing_keys, "REREAD_AFTER_S", 3600.0)
    monkeypatch.setattr(signing_keys, "REREAD_FOR_UNKNOWN_S", 3600.0)
    assert (
        signing_keys.find_public_key("20990101000000-dddddddd") is None
    )  # many unknown ids cause no reads of the disk
    monkeypatch.setattr(signing_keys, "REREAD_FOR_UNKNOWN_S", 0.0)
    assert signing_keys.find_public_key("20990101000000-dddddddd") is not None


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (pem(rsa.generate_private_key(65537, 1024)), "1024 bits"),  # noqa: S505 - weak on purpose
        (pem(ec.generate_private_key(ec.SECP256R1())), "not an RSA key"),
        (b"hello", "not a private key"),
        (pem(inconsistent_key()), "not a private key"),
    ],
    ids=["weak", "elliptic", "rubbish", "torn"],
)
def test_weak_and_broken_keys_fail_the_startup_check(content: bytes, word: str) -> None:
    write_key_file("20990101000000-cccccccc.pem", content)
    with pytest.raises(UnusableKeys, match=word):
        signing_keys.ensure_signing_key()


def test_weak_keys_are_not_created() -> None:
    with pytest.raises(UnusableKeys, match="at least 2048"):
        signing_keys.rotate_signing_key(1024)


def test_signing_without_a_key_fails() -> None:
    with pytest.raises(UnusableKeys, match="no signing key"):
        signing_keys.current_signing_key()


@pytest.mark.parametrize("kid", ["../pepper", "", "pepper", None, 7, ["x"], "x" * 9999])
def test_a_kid_is_never_used_as_a_path(kid: object) -> None:
    signing_keys.ensure_signing_key(2048)
    write_key_file("pepper", b"0" * 32)
    assert signing_keys.find_public_key(kid) is None


def test_other_files_in_the_folder_are_ignored() -> None:
    write_key_file("stripe.json", b"{}")
    write_key_file("notes.pem", b"not a key")
    signing_keys.ensure_signing_key(2048)


def test_an_incomplete_key_file_does_not_stop_verification() -> None:
    kid = signing_keys.ensure_signing_key(2048)
    write_key_file(
        "20990101000000-eeeeeeee.pem", (settings().secrets / f"{kid}.pem").read_bytes()[:400]
    )
    signing_keys._key_ring.keys(signing_keys.REREAD_NOW)
    assert signing_keys.current_signing_key()[0] == kid
    assert list(signing_keys.list_public_keys()) == [kid]
