"""Settings whose defaults are right on one's own machine only, and Stripe's opinion of the key."""

import pytest

from sp404_app.services.billing import key_check, stripe_client
from sp404_app.services.billing.key_check import KeyAnswer
from sp404_app.settings import Settings
from sp404_app.supervisor import production_checks
from sp404_app.supervisor.errors import Failure
from tests.cli.test_main import SAFE
from tests.product import free_port
from tests.shop import Shop

COMPLETE = SAFE | {
    "storage_url": "s3://bucket/sounds",
    "secrets_dir": "/var/lib/sp404/secrets",
    "pages_dir": "/etc",
    "operators": "ada@sounds.example",
    "metrics_token": "a long random token",
}


def problems(**changes: object) -> list[str]:
    return list(production_checks.find_missing(Settings.model_validate({**SAFE, **changes})))


def advice(**changes: object) -> list[str]:
    return list(production_checks.find_advised(Settings.model_validate({**COMPLETE, **changes})))


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("mail_from", "Crate 404 <noreply@localhost>"),
        ("mail_from", "noreply@mail.localdomain"),
        ("public_url", "http://sounds.example"),
        ("trusted_proxies", "0.0.0.0/0"),
        ("trusted_proxies", "10.0.0.1, ::/0"),
        ("stripe_secret_key", "sk_test_emulator_1"),
        ("stripe_secret_key", "pk_live_1"),
        ("stripe_secret_key", "rk_live_"),
        ("stripe_webhook_secret", "we_1"),
    ],
)
def test_production_refuses_a_value_that_cannot_work(setting: str, value: str) -> None:
    (sentence,) = problems(**{setting: value})
    assert sentence.startswith(f"SP404_{setting.upper()} ")
    assert "stripe" not in setting or value not in sentence


def test_without_billing_no_key_of_stripe_is_needed() -> None:
    assert problems(billing="off", stripe_secret_key="", stripe_webhook_secret="") == []


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("public_url", "https://localhost:8443"),
        ("public_url", "https://127.0.0.1"),
        ("storage_url", ""),
        ("secrets_dir", None),
        ("pages_dir", None),
        ("operators", ""),
        ("metrics_token", ""),
        ("stripe_secret_key", "sk_test_1"),
    ],
)
def test_production_warns_about_a_default_of_ones_own_machine(
    setting: str, value: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    (sentence,) = advice(**{setting: value})
    assert sentence.startswith(f"SP404_{setting.upper()} ")
    changed = Settings.model_validate({**COMPLETE, setting: value})
    production_checks.ensure_production_settings(changed)
    assert capsys.readouterr().err == f"{sentence}\n"


def test_a_server_that_listens_on_loopback_needs_a_proxy_there() -> None:
    assert advice() == []
    (sentence,) = advice(trusted_proxies="10.0.0.1")
    assert sentence.startswith("SP404_HOST ")
    assert advice(trusted_proxies="10.0.0.1", host="0.0.0.0") == []  # noqa: S104


def test_a_live_key_in_development_is_a_warning(capsys: pytest.CaptureFixture[str]) -> None:
    live = Settings.model_validate({"stripe_secret_key": "sk_live_1"})
    production_checks.ensure_production_settings(live)
    said = capsys.readouterr().err
    assert "live key" in said
    assert "sk_live_1" not in said


@pytest.mark.parametrize("key", ["sk_live_1", "sk_test_1", "rk_live_51abcdef"])
def test_a_key_of_the_right_form_that_stripe_refuses_stops_the_start(
    shop: Shop, environment: pytest.MonkeyPatch, key: str
) -> None:
    environment.setattr(stripe_client, "API_BASE", shop.base)
    with pytest.raises(Failure, match="Stripe refuses SP404_STRIPE_SECRET_KEY") as failure:
        production_checks.ensure_stripe_accepts_key(
            Settings.model_validate({"stripe_secret_key": key})
        )
    assert key not in str(failure.value)


def test_a_key_that_stripe_accepts_passes(
    shop: Shop, environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    environment.setattr(stripe_client, "API_BASE", shop.base)
    key = shop.emulator.keys.api_key
    production_checks.ensure_stripe_accepts_key(Settings.model_validate({"stripe_secret_key": key}))
    assert capsys.readouterr().err == ""


def test_an_outage_of_stripe_does_not_stop_the_start(
    environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    environment.setattr(stripe_client, "API_BASE", f"http://127.0.0.1:{free_port()}")
    production_checks.ensure_stripe_accepts_key(
        Settings.model_validate({"stripe_secret_key": "sk_live_1"})
    )
    assert capsys.readouterr().err == f"{key_check.SENTENCES[KeyAnswer.UNKNOWN]}\n"


def test_no_key_and_no_billing_ask_nobody(environment: pytest.MonkeyPatch) -> None:
    environment.setattr(key_check, "ask_stripe", lambda _: pytest.fail("asked"))
    for changes in ({}, {"billing": "off", "stripe_secret_key": "sk_live_1"}):
        production_checks.ensure_stripe_accepts_key(Settings.model_validate(changes))
