"""Fields of a subscription that a request sets, and when it may not."""

from stripe_emulator.engine import cancellation, payments, subscription_updates
from stripe_emulator.errors import invalid
from stripe_emulator.objects import Object, unset
from stripe_emulator.transaction import Ledger

NAMES = (
    "automatic_tax collection_method default_payment_method description metadata"
    " payment_settings trial_settings"
)
# docs.stripe.com/billing/subscriptions/pending-updates-reference
PENDING = (
    "expand payment_behavior proration_behavior proration_date billing_cycle_anchor items"
    " trial_end trial_from_plan off_session"
)
BY_SCHEDULE = ("items", "cancel_at", "cancel_at_period_end", "billing_cycle_anchor", "trial_end")


def check(subscription: Object, params: Object) -> None:
    """Refuse changes that the state of the subscription does not allow."""
    if subscription["status"] in ("canceled", "incomplete_expired"):
        allowed = {"metadata", "cancellation_details", "expand"}
        if set(params) - allowed:
            text = "A canceled subscription can only update its cancellation_details and metadata."
            raise invalid(text)
    if subscription["schedule"] and any(name in params for name in BY_SCHEDULE):
        raise invalid(
            f"The subscription is managed by the subscription schedule `{subscription['schedule']}`"
            ", and updating it directly is not allowed. Please update the schedule instead."
        )
    if params.get("payment_behavior") == "pending_if_incomplete":
        for name in params:
            if name not in PENDING.split():
                text = f"`{name}` cannot be passed with payment_behavior=pending_if_incomplete."
                raise invalid(text, name)


def read(ledger: Ledger, customer: str, params: Object, kept: Object | None = None) -> Object:
    """Return the simple fields that the request sets."""
    given: Object = {}
    kept = kept or {"metadata": {}}
    if "metadata" in params:
        fresh = unset(params["metadata"])
        both = kept["metadata"] | fresh if fresh else {}
        given["metadata"] = {key: item for key, item in both.items() if item != ""}
    if "description" in params:
        given["description"] = unset(params["description"])
    if "default_payment_method" in params:
        name = unset(params["default_payment_method"])
        if name:
            name = payments.belongs(ledger, name, customer, "default_payment_method")["id"]
        given["default_payment_method"] = name
    if settings := params.get("trial_settings"):
        end = {"billing_cycle_anchor": None} | settings["end_behavior"]
        given["trial_settings"] = {"end_behavior": end}
    refuse_others(params)
    return given


def refuse_others(params: Object) -> None:
    """Refuse taxes and invoices by mail, which are not implemented."""
    if (params.get("automatic_tax") or {}).get("enabled"):
        raise invalid("This emulator of Stripe computes no taxes.", "automatic_tax")
    if params.get("collection_method", "charge_automatically") != "charge_automatically":
        text = "This emulator of Stripe only charges automatically."
        raise invalid(text, "collection_method")


def plan_end(ledger: Ledger, subscription: Object, params: Object) -> None:
    """Set or clear when the subscription ends."""
    if details := params.get("cancellation_details"):
        cancellation.note(subscription, None, details)
    end = subscription_updates.period_end(subscription)
    if "cancel_at_period_end" in params:
        at_end = params["cancel_at_period_end"]
        both = ledger.settings()["api_cancel_sets_cancel_at"]
        moment = end if at_end and both else None
        cancellation.plan(ledger, subscription, moment, at_end=at_end)
    elif "cancel_at" in params:
        wanted = unset(params["cancel_at"])
        moment = end if isinstance(wanted, str) else wanted
        if moment is not None and moment <= ledger.now(subscription["customer"]):
            raise invalid("The `cancel_at` timestamp must be in the future.", "cancel_at")
        cancellation.plan(ledger, subscription, moment, at_end=False)
