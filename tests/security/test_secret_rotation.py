"""Each secret is rotated as docs/RUNBOOKS.md says: former ones work for a while, then no more."""

import datetime as dt
import json
import time
import uuid
from pathlib import Path

import psycopg
import pytest
import redis
import stripe
from cryptography.exceptions import InvalidTag
from fastapi.testclient import TestClient
from pyotp.totp import TOTP

from sp404_app.api.app import api, wrap_in_middleware
from sp404_app.cli import main
from sp404_app.db import transaction
from sp404_app.errors import TwoFactorRequired, Unauthenticated, WrongCredentials
from sp404_app.models import Share, UnsentMail, User
from sp404_app.models.columns import now
from sp404_app.services.auth import access_tokens, login, signing_keys, two_factor
from sp404_app.services.infra import encryption, peppers, unsent_emails
from sp404_app.services.infra.unsent_emails import EmailBody
from sp404_app.services.sharing import share_tokens
from sp404_app.settings import Settings, settings
from sp404_app.supervisor import database_checks, migrations
from tests.accounts import CLIENT, PASSWORD, SignedUpUser, sign_in_api_client, sign_up_user
from tests.postgres_servers import running_postgres

STEP = dt.timedelta(seconds=two_factor.STEP_S)

pytestmark = pytest.mark.usefixtures("services")


def command(*arguments: str) -> None:
    assert main.main(arguments) == 0


def password_hash(person: SignedUpUser) -> str:
    with transaction() as session:
        return session.get_one(User, person.id).password_hash


def test_a_token_is_valid_until_its_signing_key_is_retired(
    environment: pytest.MonkeyPatch,
) -> None:
    former = signing_keys.ensure_signing_key(2048)
    ada = sign_up_user()
    pair = sign_in_api_client(ada.id)
    time.sleep(1.1)  # keys are ordered by the second they were made in
    environment.setattr(signing_keys.rotate_signing_key, "__defaults__", (2048,))
    command("keys", "rotate")
    assert access_tokens.verify_access_token(pair.token).user_id == ada.id
    with transaction() as session:
        renewed = access_tokens.rotate_refresh_token(session, pair.refresh_token, CLIENT)
    assert renewed
    command("keys", "retire", former)
    with pytest.raises(Unauthenticated):
        access_tokens.verify_access_token(pair.token)
    assert access_tokens.verify_access_token(renewed.token).user_id == ada.id


async def test_passwords_work_with_a_former_pepper_and_are_renewed_at_sign_in() -> None:
    ada, bob = sign_up_user(), sign_up_user()
    before = password_hash(ada)
    command("keys", "rotate-pepper")
    with pytest.raises(WrongCredentials):
        await login.verify_credentials(ada.email, "another password", CLIENT)
    assert password_hash(ada) == before
    await login.verify_credentials(ada.email, PASSWORD, CLIENT)
    renewed = password_hash(ada)
    assert renewed != before
    await login.verify_credentials(ada.email, PASSWORD, CLIENT)
    assert password_hash(ada) == renewed
    command("keys", "retire-peppers")
    await login.verify_credentials(ada.email, PASSWORD, CLIENT)
    with pytest.raises(WrongCredentials):  # has to reset the password
        await login.verify_credentials(bob.email, PASSWORD, CLIENT)


async def test_two_factor_survives_a_rotation_and_its_unused_codes_end_with_the_pepper(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ada = sign_up_user()
    moment = now()
    monkeypatch.setattr(two_factor, "now", lambda: moment)
    with transaction() as session:
        setup = two_factor.begin_totp_setup(session, ada.id)
        totp = TOTP(setup.secret)
        code = totp.at(moment - STEP)
        recovery = two_factor.confirm_totp_setup(session, ada.id, code, CLIENT)

    async def enter(code: str) -> None:
        with pytest.raises(TwoFactorRequired) as asked:
            await login.verify_credentials(ada.email, PASSWORD, CLIENT)
        await login.verify_second_factor(asked.value.details["challenge"], code, CLIENT)

    command("keys", "rotate-pepper")
    await enter(totp.at(moment))
    await enter(recovery[0])
    command("keys", "retire-peppers")
    await enter(totp.at(moment + STEP))
    with pytest.raises(WrongCredentials):
        await enter(recovery[1])


def test_links_and_mails_are_readable_after_the_former_pepper_is_gone(
    capsys: pytest.CaptureFixture[str],
) -> None:
    share = Share(id=uuid.uuid4(), user_id=uuid.uuid4(), password_hash="$2b$12$x")
    share.token_encrypted = share_tokens.encrypt_token("a token", share.id)
    ticket = share_tokens.make_ticket(share)
    with transaction() as session:
        mail_id = unsent_emails.add_email(
            session, "ada@example.org", "Hello", EmailBody("plain", "<p>html</p>")
        )
        session.add(UnsentMail(recipient="b@example.org", subject="x", encrypted_body=b"0" * 40,
                               due_at=now()))  # fmt: skip
    command("keys", "rotate-pepper")
    assert share_tokens.decrypt_token(share) == "a token"
    assert share_tokens.is_valid_ticket(share, ticket)
    command("keys", "retire-peppers")
    assert "1 former peppers are retired; 1 values could not be decrypted" in (
        capsys.readouterr().out
    )
    with transaction() as session:
        body = session.get_one(UnsentMail, mail_id).encrypted_body
    assert body
    assert json.loads(encryption.decrypt(body, unsent_emails._context(mail_id)))["text"] == "plain"
    assert not share_tokens.is_valid_ticket(share, ticket)
    with pytest.raises(InvalidTag):  # it is in no row, so it was not encrypted again
        share_tokens.decrypt_token(share)


def test_a_running_process_notices_a_new_pepper_at_once() -> None:
    first = encryption.pepper()
    peppers.rotate_pepper()
    second = encryption.pepper()
    peppers.rotate_pepper()
    assert peppers.peppers() == (encryption.pepper(), second, first)
    peppers.retire_former_peppers()
    assert peppers.peppers() == (encryption.pepper(),)


def test_two_tokens_open_the_metrics_while_one_is_rotated(
    services: Settings, environment: pytest.MonkeyPatch
) -> None:
    def status(token: str) -> int:
        app = wrap_in_middleware(api)
        with TestClient(app, base_url=services.origin, client=("203.0.113.7", 1)) as client:
            headers = {"Authorization": f"Bearer {token}"}
            return client.get("/metrics", headers=headers).status_code

    def tokens(value: str) -> tuple[int, int]:
        environment.setenv("SP404_METRICS_TOKEN", value)
        settings.cache_clear()
        return status("the-former-token"), status("the-new-token")

    assert tokens("the-former-token") == (200, 404)
    assert tokens("the-new-token,the-former-token") == (200, 200)
    assert tokens("the-new-token") == (404, 200)


def test_two_secrets_of_stripe_are_accepted_while_one_is_rolled(
    services: Settings, environment: pytest.MonkeyPatch
) -> None:
    def status(secret: str) -> int:
        event = {
            "id": f"evt_{uuid.uuid4().hex}",
            "type": "invoice.paid",
            "created": int(time.time()),
            "livemode": True,
            "data": {"object": {"object": "invoice", "id": "in_1", "customer": "cus_unknown"}},
        }
        body = json.dumps(event)
        header = stripe.WebhookSignature.generate_signature_header(body, secret, int(time.time()))
        with TestClient(wrap_in_middleware(api), base_url=services.origin) as client:
            answer = client.post(
                "/api/webhooks/stripe", content=body, headers={"Stripe-Signature": header}
            )
        return answer.status_code

    def secrets(value: str) -> tuple[int, int]:
        environment.setenv("SP404_STRIPE_SECRET_KEY", f"sk_live_{'1' * 24}")
        environment.setenv("SP404_STRIPE_WEBHOOK_SECRET", value)
        settings.cache_clear()
        return status("whsec_former"), status("whsec_new")

    assert secrets("whsec_former") == (200, 400)
    assert secrets("whsec_new,whsec_former") == (200, 200)
    assert secrets("whsec_new") == (400, 200)


def with_login(url: str, role: str, password: str) -> str:
    return url.replace("//app@", f"//{role}:{password}@")


def test_the_database_is_used_by_two_logins_while_a_password_is_rotated() -> None:
    with running_postgres(18) as server:
        url = server.create_database()
        with psycopg.connect(server.url("postgres"), autocommit=True) as admin:
            admin.execute("alter role app password 'former'")
            # Passwords count from now on for all but the administrator.
            row = admin.execute("show hba_file").fetchone()
            assert row
            (Path(row[0])).write_text("local all postgres trust\nlocal all all scram-sha-256\n")
            admin.execute("select pg_reload_conf()")
            former = with_login(url, "app", "former")
            migrations.run_migrations(former)
            # As docs/RUNBOOKS.md says.
            admin.execute("create role app_2 login password 'new' in role app")
            admin.execute("alter role app_2 set role app")
        new = with_login(url, "app_2", "new")
        for each in (former, new):
            database_checks.ensure_database(each)
        with psycopg.connect(new, autocommit=True) as connection:
            connection.execute("create table made_by_the_new_login (id int)")
            found = connection.execute(
                "select distinct tableowner from pg_tables where schemaname = 'public'"
            ).fetchall()
        assert found == [("app",)]
        with psycopg.connect(former) as still_running:
            server.as_admin("postgres", "alter role app nologin")
            still_running.execute("select 1")
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(former)
        migrations.run_migrations(new)


def test_redis_accepts_two_passwords_while_one_is_rotated(services: Settings) -> None:
    def answers(password: str) -> bool:
        client = redis.Redis.from_url(services.redis_url, username=name, password=password)
        try:
            return bool(client.ping())
        except redis.AuthenticationError:
            return False
        finally:
            client.close()

    name = f"rotated{uuid.uuid4().hex[:8]}"
    with redis.Redis.from_url(services.redis_url) as admin:
        admin.execute_command("ACL", "SETUSER", name, "on", ">former", "~*", "&*", "+@all")
        assert (answers("former"), answers("new")) == (True, False)
        admin.execute_command("ACL", "SETUSER", name, ">new")
        assert (answers("former"), answers("new")) == (True, True)
        admin.execute_command("ACL", "SETUSER", name, "<former")
        assert (answers("former"), answers("new")) == (False, True)
        admin.execute_command("ACL", "DELUSER", name)
