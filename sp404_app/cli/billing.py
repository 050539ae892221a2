"""Billing commands for operators: `python -m sp404_app billing …`."""

from collections.abc import Callable

from sp404_app.db import transaction
from sp404_app.jobs import billing
from sp404_app.models.columns import now
from sp404_app.services.billing import catalog, webhooks

CommandResult = tuple[list[str], int]


def run(command: str, argument: str = "") -> CommandResult:
    """Run a command; return the lines to print and the exit code.

    Raises:
        AppError: If Stripe refuses or does not answer, or there is no such event.
    """
    return COMMANDS[command](argument)


def _set_up(_: str) -> CommandResult:
    with transaction() as session:
        return catalog.set_up_catalog(session), 0


def _reconcile(_: str) -> CommandResult:
    checked, fixed, problems = billing.reconcile(now().date().isoformat())
    lines = [f"{checked} checked, {len(fixed)} fixed, {len(problems)} need attention"]
    lines += [f"fixed    {line}" for line in fixed]
    lines += [f"problem  {line}" for line in problems]
    return lines, 1 if problems else 0


def _list_dead_events(_: str) -> CommandResult:
    with transaction() as session:
        found = webhooks.list_dead_events(session)
    lines = [f"{e.id}  {e.type}  {e.received_at:%Y-%m-%d %H:%M}  {e.error}" for e in found]
    return lines or ["No dead events."], 1 if found else 0


def _replay(event_id: str) -> CommandResult:
    with transaction() as session:
        if event_id:
            webhooks.replay_event(session, event_id)
            return [f"{event_id} will be handled again"], 0
        return [f"{webhooks.replay_dead_events(session)} events will be handled again"], 0


COMMANDS: dict[str, Callable[[str], CommandResult]] = {
    "set_up": _set_up,
    "reconcile": _reconcile,
    "dead": _list_dead_events,
    "replay": _replay,
}
