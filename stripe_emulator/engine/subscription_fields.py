"""Simple fields of a subscription: which ones a request may set, and their values."""

from stripe_emulator.due_dates import ENDED_STATUSES, current_period_end
from stripe_emulator.engine import cancellation, payments
from stripe_emulator.errors import invalid_request
from stripe_emulator.objects import Object, empty_to_none
from stripe_emulator.transaction import Transaction

SUPPORTED_FIELDS = (
    "automatic_tax collection_method default_payment_method description metadata"
    " payment_settings trial_settings"
)
# docs.stripe.com/billing/subscriptions/pending-updates-reference
PENDING_UPDATE_PARAMS = (
    "expand payment_behavior proration_behavior proration_date billing_cycle_anchor items"
    " trial_end trial_from_plan off_session"
)
SCHEDULE_MANAGED_PARAMS = (
    "items",
    "cancel_at",
    "cancel_at_period_end",
    "billing_cycle_anchor",
    "trial_end",
)


def check_update_allowed(subscription: Object, params: Object) -> None:
    """Refuse changes that the subscription's state does not allow."""
    if subscription["status"] in ENDED_STATUSES:
        allowed = {"metadata", "cancellation_details", "expand"}
        if set(params) - allowed:
            text = "A canceled subscription can only update its cancellation_details and metadata."
            raise invalid_request(text)
    if subscription["schedule"] and any(name in params for name in SCHEDULE_MANAGED_PARAMS):
        raise invalid_request(
            f"The subscription is managed by the subscription schedule `{subscription['schedule']}`"
            ", and updating it directly is not allowed. Please update the schedule instead."
        )
    if params.get("payment_behavior") == "pending_if_incomplete":
        for name in params:
            if name not in PENDING_UPDATE_PARAMS.split():
                text = f"`{name}` cannot be passed with payment_behavior=pending_if_incomplete."
                raise invalid_request(text, name)


def read_fields(
    tx: Transaction, customer: str, params: Object, kept: Object | None = None
) -> Object:
    """Return the simple fields that the request sets."""
    given: Object = {}
    kept = kept or {"metadata": {}}
    if "metadata" in params:
        fresh = empty_to_none(params["metadata"])
        both = kept["metadata"] | fresh if fresh else {}
        given["metadata"] = {key: item for key, item in both.items() if item != ""}
    if "description" in params:
        given["description"] = empty_to_none(params["description"])
    if "default_payment_method" in params:
        name = empty_to_none(params["default_payment_method"])
        if name:
            name = payments.payment_method_of_customer(
                tx, name, customer, "default_payment_method"
            )["id"]
        given["default_payment_method"] = name
    if settings := params.get("trial_settings"):
        end = {"billing_cycle_anchor": None} | settings["end_behavior"]
        given["trial_settings"] = {"end_behavior": end}
    reject_unsupported_values(params)
    return given


def reject_unsupported_values(params: Object) -> None:
    """Refuse automatic tax and invoices sent by e-mail, which are not implemented."""
    if (params.get("automatic_tax") or {}).get("enabled"):
        raise invalid_request("This Stripe emulator does not compute taxes.", "automatic_tax")
    if params.get("collection_method", "charge_automatically") != "charge_automatically":
        text = "This Stripe emulator supports charge_automatically only."
        raise invalid_request(text, "collection_method")


def set_end(tx: Transaction, subscription: Object, params: Object) -> None:
    """Set or clear the time at which the subscription ends."""
    if details := params.get("cancellation_details"):
        cancellation.record_cancellation_details(subscription, None, details)
    end = current_period_end(subscription)
    if "cancel_at_period_end" in params:
        at_end = params["cancel_at_period_end"]
        both = tx.settings()["api_cancel_sets_cancel_at"]
        moment = end if at_end and both else None
        cancellation.set_cancel_at(tx, subscription, moment, at_end=at_end)
    elif "cancel_at" in params:
        wanted = empty_to_none(params["cancel_at"])
        moment = end if isinstance(wanted, str) else wanted
        if moment is not None and moment <= tx.now(subscription["customer"]):
            raise invalid_request("The `cancel_at` timestamp must be in the future.", "cancel_at")
        cancellation.set_cancel_at(tx, subscription, moment, at_end=False)
