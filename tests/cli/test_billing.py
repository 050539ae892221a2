"""Billing commands: failed Stripe events are listed and replayed; errors are one sentence."""

from pathlib import Path

import pytest

from sp404_app.cli import main
from sp404_app.db import transaction
from sp404_app.models import StripeEvent
from sp404_app.models.columns import now
from sp404_app.services.billing import webhooks
from sp404_app.services.infra import queue
from sp404_app.settings import Settings, settings
from tests.accounts import without_database

pytestmark = pytest.mark.usefixtures("services")
Output = pytest.CaptureFixture[str]


def add_dead_event(name: str, error: str = "KeyError") -> None:
    with transaction() as session:
        session.add(
            StripeEvent(
                id=name,
                realm="test",
                type="invoice.paid",
                created=now(),
                attempts=webhooks.MAX_ATTEMPTS,
                error=error,
            )
        )


def dead_events() -> list[str]:
    with transaction() as session:
        return [event.id for event in webhooks.list_dead_events(session)]


def test_without_dead_events_the_command_succeeds(capsys: Output) -> None:
    assert main.main(["billing", "dead"]) == 0
    assert capsys.readouterr().out == "No dead events.\n"


def test_dead_events_are_listed_with_their_error_and_fail_the_command(capsys: Output) -> None:
    add_dead_event("evt_1")
    add_dead_event("evt_2", "Stripe does not answer")
    assert main.main(["billing", "dead"]) == 1
    newest, oldest = capsys.readouterr().out.splitlines()
    assert newest.startswith("evt_2  invoice.paid  ")
    assert newest.endswith("  Stripe does not answer")
    assert oldest.startswith("evt_1  invoice.paid  ")


def test_one_event_is_replayed_and_the_others_stay_dead(capsys: Output) -> None:
    add_dead_event("evt_1")
    add_dead_event("evt_2")
    assert main.main(["billing", "replay", "evt_1"]) == 0
    assert "evt_1" in capsys.readouterr().out
    assert dead_events() == ["evt_2"]
    (job,) = queue.rq_queue(queue.HIGH).jobs
    assert job.func_name == "sp404_app.jobs.billing.handle_due_events"


def test_without_an_id_all_dead_events_are_replayed(capsys: Output) -> None:
    add_dead_event("evt_1")
    add_dead_event("evt_2")
    assert main.main(["billing", "replay"]) == 0
    assert capsys.readouterr().out == "2 events will be handled again\n"
    assert dead_events() == []


def test_an_unknown_event_gives_one_message(capsys: Output) -> None:
    add_dead_event("evt_1")
    assert main.main(["billing", "replay", "evt_2"]) == 1
    assert capsys.readouterr().err == "There is no such event.\n"
    assert dead_events() == ["evt_1"]


def test_without_billing_there_is_nothing_to_manage(
    environment: pytest.MonkeyPatch, capsys: Output
) -> None:
    environment.setenv("SP404_BILLING", "off")
    settings.cache_clear()
    assert main.main(["billing", "setup"]) == 1
    assert capsys.readouterr().err.startswith("SP404_BILLING is off: ")


@pytest.mark.parametrize("command", ["dead", "replay"])
def test_a_database_that_does_not_answer_gives_one_message(
    services: Settings, capsys: Output, command: str
) -> None:
    with without_database():
        assert main.main(["billing", command]) == 1
    assert capsys.readouterr().err == "The database does not answer: start the library first.\n"


def test_without_stripe_keys_the_comparison_gives_one_message(
    services: Settings, environment: pytest.MonkeyPatch, tmp_path: Path, capsys: Output
) -> None:
    environment.setenv("SP404_SECRETS_DIR", str(tmp_path))  # other tests leave keys in theirs
    settings.cache_clear()
    assert main.main(["billing", "reconcile"]) == 1
    assert capsys.readouterr().err == "Payments are starting up. Please try again.\n"
