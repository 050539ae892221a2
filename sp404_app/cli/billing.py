"""What an operator does about money at the keyboard: `python -m sp404_app billing …`."""

from collections.abc import Callable

from sp404_app.db import transaction
from sp404_app.jobs import billing
from sp404_app.models.columns import now
from sp404_app.services.billing import catalog, webhooks

Said = tuple[list[str], int]


def run(command: str, argument: str = "") -> Said:
    """Do one command; return what to print, and the exit code.

    Raises:
        AppError: If Stripe refuses or does not answer, or there is no such event.
    """
    return COMMANDS[command](argument)


def _set_up(_: str) -> Said:
    with transaction() as session:
        return catalog.set_up(session), 0


def _reconcile(_: str) -> Said:
    checked, healed, problems = billing.reconcile(now().date().isoformat())
    lines = [f"{checked} compared, {len(healed)} healed, {len(problems)} need a look"]
    lines += [f"healed   {line}" for line in healed]
    lines += [f"look at  {line}" for line in problems]
    return lines, 1 if problems else 0


def _dead(_: str) -> Said:
    with transaction() as session:
        found = webhooks.dead(session)
    lines = [f"{e.id}  {e.type}  {e.received_at:%Y-%m-%d %H:%M}  {e.error}" for e in found]
    return lines or ["No event was given up."], 1 if found else 0


def _replay(event_id: str) -> Said:
    with transaction() as session:
        if event_id:
            webhooks.replay(session, event_id)
            return [f"{event_id} is worked on again"], 0
        return [f"{webhooks.replay_dead(session)} events are worked on again"], 0


COMMANDS: dict[str, Callable[[str], Said]] = {
    "set_up": _set_up,
    "reconcile": _reconcile,
    "dead": _dead,
    "replay": _replay,
}
