"""`check [ITEM …]`: say what is missing before an installation goes live."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path

from sp404_app.cli.checks.database_items import DATABASE_ITEMS
from sp404_app.cli.checks.email_items import EMAIL_ITEMS
from sp404_app.cli.checks.item import Item, Result, Scope, Status, run_items
from sp404_app.cli.checks.redis_items import REDIS_ITEMS
from sp404_app.cli.checks.settings_items import SETTINGS_ITEMS
from sp404_app.cli.checks.storage_items import STORAGE_ITEMS
from sp404_app.cli.checks.stripe_items import STRIPE_ITEMS
from sp404_app.settings import Settings
from sp404_app.supervisor.errors import Failure

# In the order of docs/GO-LIVE.md.
ITEMS: tuple[Item, ...] = (
    *SETTINGS_ITEMS,
    *DATABASE_ITEMS,
    *REDIS_ITEMS,
    *STORAGE_ITEMS,
    *EMAIL_ITEMS,
    *STRIPE_ITEMS,
)


def check(
    settings: Settings, names: Sequence[str] = (), backups: Path | None = None, *, as_json: bool
) -> int:
    """Run the named items, or all; print one line each; return 1 if something is missing.

    Raises:
        Failure: If there is no such item.
    """
    known = {item.name for item in ITEMS}
    if unknown := [name for name in names if name not in known]:
        raise Failure(f"There is no item {unknown[0]!r}: choose from {', '.join(sorted(known))}.")
    wanted = [item for item in ITEMS if not names or item.name in names]
    results = run_items(wanted, Scope(settings, backups))
    sys.stdout.write(f"{as_json_text(results) if as_json else as_lines(results)}\n")
    return 0 if is_ready(results) else 1


def is_ready(results: Sequence[Result]) -> bool:
    """Return whether nothing is missing; warnings do not count."""
    return all(result.status is not Status.MISSING for result in results)


def as_lines(results: Sequence[Result]) -> str:
    """Return one line for each result: status, name, what to do."""
    width = max(len(result.name) for result in results)
    return "\n".join(
        f"{result.status:<8} {result.name:<{width}}  {result.message}" for result in results
    )


def as_json_text(results: Sequence[Result]) -> str:
    """Return the results as one JSON object: `ready`, and `items` in order."""
    items = [
        {"name": result.name, "status": result.status, "message": result.message}
        for result in results
    ]
    return json.dumps({"ready": is_ready(results), "items": items}, indent=1)
