"""Checkout Sessions (docs.stripe.com/api/checkout/sessions)."""

import stripe.params.checkout as p

from stripe_emulator import limits
from stripe_emulator.engine import checkout, subscriptions
from stripe_emulator.errors import invalid_request
from stripe_emulator.objects import Object
from stripe_emulator.operation import (
    PAGING,
    Call,
    Operation,
    filter_by_params,
    paginate,
    reject_unsupported,
)
from stripe_emulator.periods import DAY_S
from stripe_emulator.shapes import checkout as shapes
from stripe_emulator.transaction import Transaction

SESSIONS = "/v1/checkout/sessions"
COPIED_PARAMS = (
    "allow_promotion_codes billing_address_collection cancel_url client_reference_id"
    " customer_email locale payment_method_collection success_url submit_type"
)
SUBSCRIPTION_DATA_PARAMS = (
    "billing_mode description metadata trial_end trial_period_days trial_settings"
)
MIN_EXPIRY_S, MAX_EXPIRY_S = 30 * 60, DAY_S
MIN_TRIAL_S = 2 * DAY_S


def create_checkout_session(tx: Transaction, call: Call) -> Object:
    """Create a session."""
    params = call.params
    check_session_params(params)
    customer_id = params.get("customer")
    if customer_id:
        tx.get("customer", customer_id, "customer")
    made = shapes.new_checkout_session(int(tx.real_time()), params["mode"])
    made |= {name: params[name] for name in COPIED_PARAMS.split() if name in params}
    made |= {"customer": customer_id, "metadata": params.get("metadata") or {}}
    made["expires_at"] = session_expiry(made, params)
    if params["mode"] == "subscription":
        set_line_items(tx, made, params)
    elif currency := params.get("currency"):
        made["currency"] = currency
    made["url"] = f"{tx.base_url}/pay/{made['id']}"
    return tx.save(made)


def check_session_params(params: Object) -> None:
    """Refuse parameters that are invalid or not implemented."""
    if params.get("mode") not in ("subscription", "setup"):
        text = "This Stripe emulator implements the modes subscription and setup."
        raise invalid_request(text, "mode", "emulator_not_implemented")
    if params.get("ui_mode", "hosted_page") != "hosted_page":
        text = "This Stripe emulator implements the hosted page only."
        raise invalid_request(text, "ui_mode", "emulator_not_implemented")
    if not params.get("success_url"):
        raise invalid_request(
            "Missing required param: success_url.", "success_url", "parameter_missing"
        )
    if params.get("customer") and params.get("customer_email"):
        text = "You may only specify one of these parameters: customer, customer_email."
        raise invalid_request(text, "customer_email")
    for name in ("success_url", "cancel_url"):
        if not params.get(name, "http://").startswith(("http://", "https://")):
            raise invalid_request("Not a valid URL", name, "url_invalid")


def session_expiry(session: Object, params: Object) -> int:
    """Return when the session expires: 30 minutes to 24 hours after its creation."""
    wanted = params.get("expires_at", session["expires_at"])
    if not MIN_EXPIRY_S <= wanted - session["created"] + 60 <= MAX_EXPIRY_S + 60:
        text = "The `expires_at` timestamp must be 30 minutes to 24 hours in the future."
        raise invalid_request(text, "expires_at")
    return wanted


def set_line_items(tx: Transaction, session: Object, params: Object) -> None:
    """Set the line items, the amounts due today and the subscription parameters."""
    wanted = dict(params.get("subscription_data") or {})
    reject_unsupported(wanted, SUBSCRIPTION_DATA_PARAMS, "subscription_data")
    trial = check_trial(tx, session, wanted)
    if not params.get("line_items"):
        raise invalid_request(
            "Missing required param: line_items.", "line_items", "parameter_missing"
        )
    lines, prices = [], []
    for index, line in enumerate(params["line_items"]):
        param = f"line_items[{index}]"
        reject_unsupported(line, "price quantity", param)
        price = subscriptions.active_recurring_price(tx, line.get("price", ""), f"{param}[price]")
        prices.append(price)
        quantity = line.get("quantity")
        if not quantity or quantity < 1:
            raise invalid_request(
                f"Missing required param: {param}[quantity].", f"{param}[quantity]"
            )
        product = tx.get("product", price["product"])
        lines.append(shapes.session_line_item(price, product["name"], quantity, trial))
    limits.check_prices_compatible(prices, "line_items")
    total = sum(line["amount_total"] for line in lines)
    session |= {
        "amount_subtotal": total,
        "amount_total": total,
        "currency": lines[0]["currency"],
        "_line_items": lines,
        "_subscription": wanted,
    }


def check_trial(tx: Transaction, session: Object, wanted: Object) -> bool:
    """Return whether the session has a trial; refuse one that is too short or too long."""
    end, days = wanted.get("trial_end"), wanted.get("trial_period_days")
    if end is not None and days is not None:
        text = "You may only specify one of these parameters: trial_end, trial_period_days."
        raise invalid_request(text, "subscription_data[trial_end]")
    if days is not None and days < 1:
        raise invalid_request(
            "The minimum number of trial period days is 1.",
            "subscription_data[trial_period_days]",
        )
    if end is not None and end < tx.now(session["customer"]) + MIN_TRIAL_S:
        text = "The `trial_end` date has to be at least 2 days in the future."
        raise invalid_request(text, "subscription_data[trial_end]")
    if end is not None:
        limits.check_trial_end(tx.now(session["customer"]), end, "subscription_data[trial_end]")
    return bool(end or days)


def expire_checkout_session(tx: Transaction, call: Call) -> Object:
    """Expire an open session."""
    session = tx.get("checkout.session", call.id, "session")
    if session["status"] != "open":
        text = 'Only Checkout Sessions with a status in ["open"] can be expired.'
        raise invalid_request(f"{text} This Checkout Session has a status of {session['status']}.")
    return checkout.expire_session(tx, session)


def list_checkout_sessions(tx: Transaction, call: Call) -> Object:
    """List sessions."""
    found = filter_by_params(
        tx.find_all("checkout.session"), call, "customer", "status", "subscription"
    )
    return paginate(found, call, SESSIONS)


def list_session_line_items(tx: Transaction, call: Call) -> Object:
    """List the line items of a session."""
    session = tx.get("checkout.session", call.id, "session")
    return paginate(session.get("_line_items", []), call, f"{SESSIONS}/{call.id}/line_items")


OPERATIONS = (
    Operation(
        "POST",
        SESSIONS,
        p.SessionCreateParams,
        create_checkout_session,
        f"{COPIED_PARAMS} currency customer expires_at line_items metadata mode"
        " subscription_data ui_mode",
    ),
    Operation(
        "GET",
        f"{SESSIONS}/{{id}}",
        p.SessionRetrieveParams,
        lambda tx, call: tx.get("checkout.session", call.id, "session"),
    ),
    Operation("POST", f"{SESSIONS}/{{id}}/expire", p.SessionExpireParams, expire_checkout_session),
    Operation(
        "GET",
        SESSIONS,
        p.SessionListParams,
        list_checkout_sessions,
        f"{PAGING} created customer status subscription",
    ),
    Operation(
        "GET",
        f"{SESSIONS}/{{id}}/line_items",
        p.SessionLineItemListParams,
        list_session_line_items,
        PAGING,
    ),
)
