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


def torn() -> rsa.RSAPrivateKey:
    """Make a key whose numbers do not belong together."""
    one = rsa.generate_private_key(65537, 2048).private_numbers()
    wrong = rsa.RSAPrivateNumbers(
        one.p, one.q, one.d + 2, one.dmp1, one.dmq1, one.iqmp, one.public_numbers
    )
    return wrong.private_key(unsafe_skip_rsa_key_validation=True)


def put(name: str, content: bytes) -> Path:
    settings().secrets.mkdir(parents=True, exist_ok=True)
    path = settings().secrets / name
    path.write_bytes(content)
    return path


def test_the_first_key_is_made_once_and_for_nobody_else() -> None:
    kid = signing_keys.ensure(2048)
    assert signing_keys.ensure(2048) == kid
    path = settings().secrets / f"{kid}.pem"
    assert path.stat().st_mode & 0o777 == 0o600
    assert [found.name for found in settings().secrets.iterdir()] == [path.name]


def test_rotation_signs_with_the_new_key_and_still_knows_the_old_one() -> None:
    old = signing_keys.ensure(2048)
    new = signing_keys.rotate(2048)
    assert signing_keys.signing()[0] == max(old, new)
    assert set(signing_keys.all_public()) == {old, new}


def test_a_retired_key_is_known_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    put("20200101000000-aaaaaaaa.pem", pem(rsa.generate_private_key(65537, 2048)))
    kid = signing_keys.ensure(2048)
    assert kid == "20200101000000-aaaaaaaa"
    newer = signing_keys.rotate(2048)
    signing_keys.retire_signing_key(kid)
    assert signing_keys.find_public_key(kid) is None
    with pytest.raises(UnusableKeys, match="signs now"):
        signing_keys.retire_signing_key(newer)
    with pytest.raises(UnusableKeys, match="no key"):
        signing_keys.retire_signing_key("../../etc/passwd")


def test_a_key_made_by_another_process_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    signing_keys.ensure(2048)
    put("20990101000000-bbbbbbbb.pem", pem(rsa.generate_private_key(65537, 2048)))
    assert "20990101000000-bbbbbbbb" not in signing_keys.all_public()
    monkeypatch.setattr(signing_keys, "REREAD_AFTER_S", 0.0)
    assert "20990101000000-bbbbbbbb" in signing_keys.all_public()


def test_what_another_process_signs_with_a_new_key_is_believed_before_the_next_reading(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    signing_keys.ensure(2048)
    put("20990101000000-dddddddd.pem", pem(rsa.generate_private_key(65537, 2048)))
    monkeypatch.setattr(signing_keys, "REREAD_AFTER_S", 3600.0)
    monkeypatch.setattr(signing_keys, "REREAD_FOR_UNKNOWN_S", 3600.0)
    assert (
        signing_keys.find_public_key("20990101000000-dddddddd") is None
    )  # a flood of names reads no disk
    monkeypatch.setattr(signing_keys, "REREAD_FOR_UNKNOWN_S", 0.0)
    assert signing_keys.find_public_key("20990101000000-dddddddd") is not None


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (pem(rsa.generate_private_key(65537, 1024)), "1024 bits"),  # noqa: S505 - weak on purpose
        (pem(ec.generate_private_key(ec.SECP256R1())), "not an RSA key"),
        (b"hello", "not a private key"),
        (pem(torn()), "not a private key"),
    ],
    ids=["weak", "elliptic", "rubbish", "torn"],
)
def test_weak_and_broken_keys_stop_the_start(content: bytes, word: str) -> None:
    put("20990101000000-cccccccc.pem", content)
    with pytest.raises(UnusableKeys, match=word):
        signing_keys.ensure()


def test_weak_keys_are_not_made() -> None:
    with pytest.raises(UnusableKeys, match="at least 2048"):
        signing_keys.rotate(1024)


def test_without_a_key_nothing_is_signed() -> None:
    with pytest.raises(UnusableKeys, match="no signing key"):
        signing_keys.signing()


@pytest.mark.parametrize("kid", ["../pepper", "", "pepper", None, 7, ["x"], "x" * 9999])
def test_a_kid_is_a_name_and_never_a_path(kid: object) -> None:
    signing_keys.ensure(2048)
    put("pepper", b"0" * 32)
    assert signing_keys.find_public_key(kid) is None


def test_other_files_in_the_folder_are_left_alone() -> None:
    put("stripe.json", b"{}")
    put("notes.pem", b"not a key")
    signing_keys.ensure(2048)


def test_a_key_that_is_half_there_closes_no_door_while_we_serve() -> None:
    kid = signing_keys.ensure(2048)
    put("20990101000000-eeeeeeee.pem", (settings().secrets / f"{kid}.pem").read_bytes()[:400])
    signing_keys._key_ring.keys(signing_keys.REREAD_NOW)
    assert signing_keys.signing()[0] == kid
    assert list(signing_keys.all_public()) == [kid]
