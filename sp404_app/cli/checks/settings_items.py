"""Items that read settings only."""

import re
from collections.abc import Callable

from sp404_app.cli.checks.item import Finding, Item, Scope, missing, ok, warning
from sp404_app.supervisor import production_checks

MIN_TOKEN_LENGTH = 16
PLACEHOLDER = re.compile(r"change.?me|secret|token|password|test|example|this", re.IGNORECASE)


def _environment(scope: Scope) -> Finding:
    if scope.settings.in_production:
        return ok("SP404_ENV is production.")
    return missing("SP404_ENV is development: set it to production.")


def _setting(name: str, fine: str) -> Callable[[Scope], Finding]:
    """Return a check of one setting by the rules of `production_checks`."""

    def check(scope: Scope) -> Finding:
        if found := next(production_checks.find_missing(scope.settings, name), ""):
            return missing(found)
        if found := next(production_checks.find_advised(scope.settings, name), ""):
            return warning(found)
        return ok(fine)

    return check


def _metrics_token(scope: Scope) -> Finding:
    tokens = scope.settings.metrics_token
    if any(len(token) < MIN_TOKEN_LENGTH or PLACEHOLDER.fullmatch(token) for token in tokens):
        return missing(
            f"SP404_METRICS_TOKEN is too easy to guess: use at least {MIN_TOKEN_LENGTH} random "
            "characters."
        )
    return _setting("SP404_METRICS_TOKEN", "SP404_METRICS_TOKEN is set.")(scope)


SETTINGS_ITEMS = (
    Item("environment", _environment),
    Item("public-url", _setting("SP404_PUBLIC_URL", "SP404_PUBLIC_URL is an https address.")),
    Item("listen-address", _setting("SP404_HOST", "SP404_HOST can be reached by the proxy.")),
    Item(
        "trusted-proxies",
        _setting("SP404_TRUSTED_PROXIES", "SP404_TRUSTED_PROXIES lists the proxies."),
    ),
    Item("legal-pages", _setting("SP404_PAGES_DIR", "SP404_PAGES_DIR has your own texts.")),
    Item("operators", _setting("SP404_OPERATORS", "SP404_OPERATORS names who sees /operator.")),
    Item("metrics-token", _metrics_token),
)
