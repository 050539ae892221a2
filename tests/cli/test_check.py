"""`check`: every item passes and fails with the real services, and none can hang the command."""

import datetime as dt
import json
import os
import re
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
import redis
from obstore.exceptions import GenericError

from sp404_app.cli import backup_manifest, main, store_causes
from sp404_app.cli.check import ITEMS
from sp404_app.cli.checks import database_items, storage_items
from sp404_app.cli.checks.item import Item, Scope, Status, ok, run_items
from sp404_app.db import transaction
from sp404_app.services.billing import catalog, stripe_client
from sp404_app.services.infra import backup_log
from sp404_app.settings import Settings, settings
from sp404_app.supervisor.environment import ROOT
from tests.product import free_port
from tests.s3_server import KEY_ID, run_s3_server
from tests.shop import Shop
from tests.smtp_server import SmtpServer, smtp_server

__all__ = ["smtp_server"]

PASSWORD = "a-password-of-a-test"
Check = Callable[..., tuple[Status, str]]


@pytest.fixture
def changeable(environment: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """Undo what a test sets before `services` cleans up in the database."""
    with pytest.MonkeyPatch.context() as changes:
        yield changes
    settings.cache_clear()


@pytest.fixture
def check(changeable: pytest.MonkeyPatch) -> Check:
    """Return a function that runs one item with some settings."""

    def run(name: str, backups: Path | None = None, **changes: str) -> tuple[Status, str]:
        for setting, value in changes.items():
            changeable.setenv(f"SP404_{setting.upper()}", value)
        settings.cache_clear()
        item = next(item for item in ITEMS if item.name == name)
        (result,) = run_items([item], Scope(settings(), backups), limit_s=30)
        assert PASSWORD not in result.message
        return result.status, result.message

    return run


def dead_address() -> str:
    return f"127.0.0.1:{free_port()}"


@pytest.mark.parametrize(
    ("item", "setting", "good", "bad"),
    [
        ("environment", "env", "production", "development"),
        ("public-url", "public_url", "https://sounds.example", "http://sounds.example"),
        ("trusted-proxies", "trusted_proxies", "10.0.0.0/8", ""),
        ("metrics-token", "metrics_token", "0123456789abcdef", "changeme"),
        ("stripe-webhook", "stripe_webhook_secret", "whsec_1", ""),
    ],
)
def test_a_setting_that_production_needs(
    check: Check, item: str, setting: str, good: str, bad: str
) -> None:
    assert check(item, **{setting: good})[0] is Status.OK
    status, message = check(item, **{setting: bad})
    assert status is Status.MISSING
    assert message.startswith(f"SP404_{setting.upper()} ")


@pytest.mark.parametrize(
    ("item", "setting", "good"),
    [
        ("listen-address", "trusted_proxies", "127.0.0.1"),
        ("legal-pages", "pages_dir", "/etc"),
        ("operators", "operators", "ada@sounds.example"),
        ("metrics-token", "metrics_token", "0123456789abcdef"),
    ],
)
def test_a_setting_that_production_should_have(
    check: Check, item: str, setting: str, good: str
) -> None:
    assert check(item)[0] is Status.WARNING
    assert check(item, **{setting: good})[0] is Status.OK


@pytest.mark.parametrize(
    "item", ["database", "database-extension", "database-rights", "migrations", "clock"]
)
def test_the_database_passes_and_one_that_does_not_answer_fails(
    services: Settings, check: Check, item: str
) -> None:
    assert check(item)[0] is Status.OK
    for url in (f"postgresql://ada:{PASSWORD}@{dead_address()}/x", ""):
        assert check(item, database_url=url)[0] is Status.MISSING


def test_the_database_of_the_tests_is_not_durable(services: Settings, check: Check) -> None:
    status, message = check("database-durability")
    assert (status, "fsync" in message) == (Status.MISSING, True)


@pytest.mark.parametrize(
    ("settings", "status"),
    [
        (("on", "on", "on"), Status.OK),
        (("on", "on", "remote_write"), Status.OK),
        (("on", "on", "off"), Status.WARNING),
        (("on", "off", "on"), Status.MISSING),
        (("off", "on", "on"), Status.MISSING),
    ],
)
def test_what_a_crash_may_destroy(settings: tuple[str, str, str], status: Status) -> None:
    assert database_items.durability_finding(*settings).status is status


@contextmanager
def another_database(services: Settings, *statements: str) -> Iterator[str]:
    """Create an empty database; yield its URL for a role of its own without special rights."""
    owner, name = "plain_owner", "check_rights"
    with psycopg.connect(services.database_url, autocommit=True) as connection:
        connection.execute(f"drop database if exists {name}")
        connection.execute(f"drop role if exists {owner}")
        connection.execute(f"create role {owner} login password '{PASSWORD}'")
        connection.execute(f"create database {name}")
        parts = connection.info.get_parameters()
        login = f"postgresql://{owner}:{PASSWORD}@/{name}?host={parts['host']}"
        admin = psycopg.conninfo.make_conninfo(services.database_url, dbname=name)
        try:
            with psycopg.connect(admin, autocommit=True) as inside:
                for statement in statements:
                    inside.execute(statement)
            yield login
        finally:
            connection.execute(f"drop database {name} with (force)")
            connection.execute(f"drop role {owner}")


def test_an_empty_database_of_a_plain_role(services: Settings, check: Check) -> None:
    with another_database(services) as url:
        assert check("database", database_url=url)[0] is Status.OK
        status, message = check("database-extension", database_url=url)
        assert (status, "create extension vector" in message) == (Status.MISSING, True)
        status, message = check("database-rights", database_url=url)
        assert (status, "plain_owner may not create" in message) == (Status.MISSING, True)
        status, message = check("migrations", database_url=url)
        assert (status, "empty" in message) == (Status.MISSING, True)


def test_tables_of_another_role(services: Settings, check: Check) -> None:
    grant = "grant create on schema public to plain_owner"
    with another_database(services, "create extension vector", grant) as url:
        assert check("database-extension", database_url=url)[0] is Status.OK
        assert check("database-rights", database_url=url)[0] is Status.OK
    with another_database(services, grant, "create table one (id int)") as url:
        status, message = check("database-rights", database_url=url)
        assert (status, "1 tables do not belong" in message) == (Status.MISSING, True)


@pytest.mark.parametrize(
    ("revision", "words"), [("419aad8952da", "Migrations are missing"), ("ffff", "newer version")]
)
def test_a_database_of_another_version(
    services: Settings, check: Check, revision: str, words: str
) -> None:
    table = "create table alembic_version as select %s::text as version_num"
    grants = "grant select on alembic_version to plain_owner"
    with another_database(services, table.replace("%s", f"'{revision}'"), grants) as url:
        status, message = check("migrations", database_url=url)
        assert (status, words in message) == (Status.MISSING, True)
        rolled_back = check("migrations", database_url=url, accept_newer_database=True)[0]
        assert rolled_back is (Status.WARNING if revision == "ffff" else Status.MISSING)


@pytest.mark.parametrize(
    ("skew_s", "status"), [(0, Status.OK), (20, Status.WARNING), (-3600, Status.MISSING)]
)
def test_a_clock_that_is_wrong(
    services: Settings,
    check: Check,
    environment: pytest.MonkeyPatch,
    skew_s: float,
    status: Status,
) -> None:
    real = database_items.time.time
    environment.setattr(database_items.time, "time", lambda: real() + skew_s)
    assert check("clock")[0] is status


@pytest.mark.parametrize("item", ["redis", "redis-persistence", "redis-eviction"])
def test_a_redis_that_does_not_answer_or_is_no_redis(
    services: Settings, check: Check, item: str
) -> None:
    assert check(item)[0] is not Status.MISSING
    for url in (f"redis://:{PASSWORD}@{dead_address()}", ""):
        assert check(item, redis_url=url)[0] is Status.MISSING


@pytest.mark.parametrize(
    ("item", "setting", "value", "status"),
    [
        ("redis-persistence", "appendonly", "yes", Status.OK),
        ("redis-persistence", "appendonly", "no", Status.WARNING),
        ("redis-eviction", "maxmemory-policy", "noeviction", Status.OK),
        ("redis-eviction", "maxmemory-policy", "volatile-lru", Status.WARNING),
        ("redis-eviction", "maxmemory-policy", "allkeys-lru", Status.MISSING),
    ],
)
def test_how_redis_is_configured(
    services: Settings, check: Check, item: str, setting: str, value: str, status: Status
) -> None:
    with redis.Redis.from_url(services.redis_url) as client:
        before: Any = client.config_get(setting)
        client.config_set(setting, value)
        try:
            assert check(item)[0] is status
        finally:
            client.config_set(setting, before[setting])


def test_a_folder_for_sounds(services: Settings, check: Check, tmp_path: Path) -> None:
    sounds = tmp_path / "sounds"
    assert check("storage")[0] is Status.WARNING  # in SP404_HOME
    assert check("storage", storage_url=sounds.as_uri())[0] is Status.OK
    assert [path for path in sounds.rglob("*") if path.is_file()] == []
    blocked = tmp_path / "file"
    blocked.write_text("")
    assert check("storage", storage_url=(blocked / "x").as_uri())[0] is Status.MISSING


def test_a_bucket_for_sounds(
    services: Settings, check: Check, environment: pytest.MonkeyPatch
) -> None:
    with run_s3_server() as server:
        for name, value in {
            "AWS_ENDPOINT_URL": server.url,
            "AWS_ALLOW_HTTP": "true",
            "AWS_ACCESS_KEY_ID": KEY_ID,
            "AWS_SECRET_ACCESS_KEY": PASSWORD,
            "AWS_REGION": "eu-central-1",
        }.items():
            environment.setenv(name, value)
        assert check("storage", storage_url="s3://sounds/a") == (
            Status.OK,
            "An object was written, read and deleted.",
        )
        assert server.objects == {}
        status, message = check("storage", storage_url="s3://none/b")
        assert (status, "does not exist" in message) == (Status.MISSING, True)
        server.damages = True
        status, message = check("storage", storage_url="s3://sounds/c")
        assert (status, "other bytes" in message) == (Status.MISSING, True)
        environment.setenv("AWS_ACCESS_KEY_ID", PASSWORD)
        status, message = check("storage", storage_url="s3://sounds/d")
        assert (status, "refuses the credentials" in message) == (Status.MISSING, True)


@pytest.mark.parametrize(
    ("endpoint", "cause"),
    [
        ("http://127.0.0.1:1", "set AWS_ALLOW_HTTP=true"),
        ("https://127.0.0.1:1", "its host refuses connections"),
        ("https://none.invalid", "the name of its host is unknown"),
    ],
)
def test_the_cause_why_a_bucket_cannot_be_used(
    services: Settings,
    check: Check,
    environment: pytest.MonkeyPatch,
    endpoint: str,
    cause: str,
) -> None:
    environment.setenv("AWS_ENDPOINT_URL", endpoint)
    environment.setenv("AWS_ACCESS_KEY_ID", KEY_ID)
    environment.setenv("AWS_SECRET_ACCESS_KEY", PASSWORD)
    status, message = check("storage", storage_url=f"s3://sounds/{cause.encode().hex()}")
    assert (status, cause in message) == (Status.MISSING, True), message
    assert "127.0.0.1" not in message


def test_missing_credentials_and_errors_of_a_bucket() -> None:
    refused = GenericError("PUT http://169.254.169.254/latest/api/token")
    assert "AWS_ACCESS_KEY_ID" in store_causes.cause_of(refused)
    busy = GenericError("PUT http://a/b - status code: 503 Service Unavailable")
    assert store_causes.cause_of(busy) == "it answered with status 503"


def test_the_mail_server_and_the_sender(smtp_server: SmtpServer, check: Check) -> None:
    assert check("email-server")[0] is Status.OK
    assert check("email-sender")[0] is Status.MISSING  # noreply@localhost
    assert check("email-sender", mail_from="Crate <mail@sounds.example>")[0] is Status.OK
    assert smtp_server.messages == []
    smtp_server.later_replies = 1
    status, message = check("email-sender")
    assert (status, "(451)" in message) == (Status.MISSING, True)


@pytest.mark.parametrize("item", ["email-server", "email-sender"])
def test_a_mail_server_that_does_not_answer(check: Check, item: str) -> None:
    sender = "mail@sounds.example"
    for url in (f"smtp://ada:{PASSWORD}@{dead_address()}", ""):
        assert check(item, smtp_url=url, mail_from=sender)[0] is Status.MISSING


def test_secrets_are_private_and_real(services: Settings, check: Check, tmp_path: Path) -> None:
    folder = tmp_path / "secrets"
    own = {"secrets_dir": str(folder)}
    assert "start the library once" in check("secrets", **own)[1]
    folder.mkdir(mode=0o700)
    key = folder / "20270101.pem"
    key.write_text("key")
    key.chmod(0o600)
    assert "no pepper" in check("secrets", **own)[1]
    pepper = folder / "pepper"
    pepper.write_bytes(bytes(32))
    pepper.chmod(0o600)
    assert "no random secret" in check("secrets", **own)[1]
    pepper.write_bytes(os.urandom(32))
    assert check("secrets", **own)[0] is Status.OK
    pepper.chmod(0o640)
    assert f"chmod go= {pepper}" in check("secrets", **own)[1]
    pepper.chmod(0o600)
    if os.geteuid() == 0:  # only root can give it to another user, as platforms mount secrets
        os.chown(pepper, 12345, 12345)
        pepper.chmod(0o440)
        assert check("secrets", **own)[0] is Status.OK
        pepper.chmod(0o444)
        assert "can be read by others" in check("secrets", **own)[1]
        pepper.chmod(0o440)
    key.unlink()
    assert "no signing key" in check("secrets", **own)[1]


@pytest.mark.parametrize(
    ("free_mb", "status"), [(9_000, Status.OK), (900, Status.WARNING), (90, Status.MISSING)]
)
def test_the_free_space(
    check: Check, environment: pytest.MonkeyPatch, free_mb: int, status: Status
) -> None:
    real = storage_items.shutil.disk_usage(ROOT)
    smaller = real._replace(free=free_mb << 20)
    environment.setattr(storage_items.shutil, "disk_usage", lambda _: smaller)
    found, message = check("disk", home="/tmp/there/is/none")  # noqa: S108 - not created
    assert (found, f"{free_mb:,} MB" in message) == (status, True)


def test_the_age_of_the_newest_backup(check: Check, tmp_path: Path) -> None:
    assert check("backup")[0] is Status.WARNING
    assert check("backup", tmp_path)[0] is Status.MISSING
    for hours, status in ((72, Status.MISSING), (5, Status.OK)):
        made = dt.datetime.now(dt.UTC) - dt.timedelta(hours=hours)
        folder = tmp_path / f"{hours}"
        folder.mkdir()
        manifest = backup_manifest.BackupManifest(1, "1", made.isoformat(), ())
        backup_manifest.write_manifest(folder, manifest)
        found, message = check("backup", tmp_path)
        assert (found, f"{hours} hours" in message) == (status, True)
    (tmp_path / "damaged").mkdir()
    (tmp_path / "damaged" / "manifest.json").write_text("{")
    assert check("backup", tmp_path)[0] is Status.OK


def test_the_last_rehearsal_of_a_restore(services: Settings, check: Check) -> None:
    assert check("rehearsal")[0] is Status.WARNING
    with psycopg.connect(services.database_url, autocommit=True) as connection:
        for age, succeeded, status, words in (
            (1, True, Status.OK, "1 days ago"),
            (1, False, Status.MISSING, "it failed"),
            (9, True, Status.WARNING, "9 days ago"),
        ):
            connection.execute("alter table audit_log disable trigger user")
            connection.execute("delete from audit_log")
            backup_log.record_rehearsal(services.database_url, "", succeeded=succeeded)
            connection.execute("update audit_log set at = at - make_interval(days => %s)", [age])
            connection.execute("alter table audit_log enable trigger user")
            found, message = check("rehearsal")
            assert (found, words in message) == (status, True), message


def test_the_key_of_stripe(shop: Shop, check: Check, environment: pytest.MonkeyPatch) -> None:
    assert check("stripe-key")[0] is Status.MISSING
    environment.setattr(stripe_client, "API_BASE", shop.base)
    status, message = check("stripe-key", stripe_secret_key=f"sk_live_{'1' * 24}")
    assert (status, "refuses" in message) == (Status.MISSING, True)
    environment.setattr("sp404_app.supervisor.production_checks.EMULATOR_KEY_PREFIX", "none")
    status, message = check("stripe-key", stripe_secret_key=shop.emulator.keys.api_key)
    assert (status, "test mode" in message) == (Status.WARNING, True)
    environment.setattr(stripe_client, "API_BASE", f"http://{dead_address()}")
    assert check("stripe-key", stripe_secret_key="sk_live_1")[0] is Status.WARNING


def test_the_prices_at_stripe(shop: Shop, check: Check) -> None:
    assert check("stripe-prices")[0] is Status.MISSING
    with transaction() as session:
        catalog.set_up_catalog(session)
    assert check("stripe-prices")[0] is Status.OK


@pytest.mark.parametrize("item", ["stripe-key", "stripe-webhook", "stripe-prices"])
def test_without_billing_stripe_is_not_checked(check: Check, item: str) -> None:
    assert check(item, billing="off")[0] is Status.OK


def test_an_item_that_hangs_or_breaks_stops_nothing(services: Settings) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:  # accepts, and never answers

        def hang(_: Scope) -> Any:
            socket.create_connection(silent.getsockname()).recv(1)

        def break_down(_: Scope) -> Any:
            raise RuntimeError(PASSWORD)

        items = [Item("hangs", hang), Item("breaks", break_down), Item("fine", lambda _: ok("."))]
        hung, broken, fine = run_items(items, Scope(services), limit_s=0.5)
    assert (hung.status, hung.message) == (Status.MISSING, "No answer within 0.5 seconds.")
    assert (broken.status, "RuntimeError" in broken.message) == (Status.MISSING, True)
    assert PASSWORD not in broken.message
    assert fine.status is Status.OK


def test_the_command_names_each_item_in_one_line(
    services: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main.main(["check"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[1] for line in lines] == [item.name for item in ITEMS]
    assert {line.split()[0] for line in lines} <= {"ok", "warning", "missing"}


def test_the_command_ends_with_0_if_nothing_is_missing(
    services: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main.main(["check", "database", "redis-persistence"]) == 0
    output = capsys.readouterr().out
    assert re.findall(r"^\w+ +(\S+)", output, re.MULTILINE) == ["database", "redis-persistence"]


def test_the_command_prints_json_for_machines(
    services: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main.main(["check", "--json", "environment", "disk"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert found["ready"] is False
    assert [item["name"] for item in found["items"]] == ["environment", "disk"]
    assert set(found["items"][0]) == {"name", "status", "message"}


def test_an_unknown_item_is_one_sentence(
    environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main.main(["check", "none"]) == 1
    assert capsys.readouterr().err.startswith("There is no item 'none': choose from backup, ")


def test_the_checklist_names_every_item_in_the_same_order() -> None:
    listed = re.findall(r"app check ([a-z][a-z-]+)", (ROOT / "docs" / "GO-LIVE.md").read_text())
    assert listed == [item.name for item in ITEMS]


def test_no_secret_is_printed(
    services: Settings, changeable: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    address = dead_address()
    for name, value in {
        "SP404_DATABASE_URL": f"postgresql://ada:{PASSWORD}@{address}/x",
        "SP404_REDIS_URL": f"redis://:{PASSWORD}@{address}",
        "SP404_SMTP_URL": f"smtp://ada:{PASSWORD}@{address}",
        "SP404_STRIPE_SECRET_KEY": f"pk_live_{PASSWORD}",
        "SP404_STRIPE_WEBHOOK_SECRET": PASSWORD,
        "SP404_METRICS_TOKEN": PASSWORD[:9],
    }.items():
        changeable.setenv(name, value)
    settings.cache_clear()
    assert urlsplit(settings().database_url).password == PASSWORD
    assert main.main(["check"]) == 1
    shown = capsys.readouterr()
    assert PASSWORD[:9] not in shown.out + shown.err
