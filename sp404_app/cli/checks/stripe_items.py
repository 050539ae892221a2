"""Items about Stripe; without billing there is nothing to check."""

from collections.abc import Callable

from sqlalchemy.exc import SQLAlchemyError

from sp404_app.cli.checks.item import Finding, Item, Scope, missing, ok, warning
from sp404_app.db import transaction
from sp404_app.services.billing import catalog, key_check
from sp404_app.services.billing.key_check import KeyAnswer
from sp404_app.supervisor import production_checks


def _with_billing(check: Callable[[Scope], Finding]) -> Callable[[Scope], Finding]:
    def run(scope: Scope) -> Finding:
        if not scope.settings.billing:
            return ok("SP404_BILLING is off, so Stripe is not used.")
        return check(scope)

    return run


def _key(scope: Scope) -> Finding:
    if found := next(production_checks.find_missing(scope.settings, "SP404_STRIPE_SECRET_KEY"), ""):
        return missing(found)
    answer = key_check.ask_stripe(scope.settings.stripe_secret_key)
    if answer in (KeyAnswer.REFUSED, KeyAnswer.NOT_ALLOWED):
        return missing(key_check.SENTENCES[answer])
    if found := next(production_checks.find_advised(scope.settings, "SP404_STRIPE_SECRET_KEY"), ""):
        return warning(found)
    if answer is KeyAnswer.UNKNOWN:
        return warning(key_check.SENTENCES[answer])
    return ok(key_check.SENTENCES[answer])


def _webhook(scope: Scope) -> Finding:
    name = "SP404_STRIPE_WEBHOOK_SECRET"
    found = next(production_checks.find_missing(scope.settings, name), "")
    return missing(found) if found else ok(f"{name} is a signing secret.")


def _prices(_: Scope) -> Finding:
    try:
        with transaction() as session:
            if catalog.is_catalog_set_up(session):
                return ok("Every paid plan has a price at Stripe.")
    except SQLAlchemyError:
        return missing("The prices cannot be read: see the items database and migrations.")
    return missing("There are no prices at Stripe: run `python -m sp404_app billing setup`.")


STRIPE_ITEMS = (
    Item("stripe-key", _with_billing(_key)),
    Item("stripe-webhook", _with_billing(_webhook)),
    Item("stripe-prices", _with_billing(_prices)),
)
