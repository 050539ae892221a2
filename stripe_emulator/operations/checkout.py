"""Checkout Sessions (docs.stripe.com/api/checkout/sessions)."""

import stripe.params.checkout as p

from stripe_emulator import limits
from stripe_emulator.due_dates import DAY
from stripe_emulator.engine import checkout, subscriptions
from stripe_emulator.errors import invalid
from stripe_emulator.objects import Object
from stripe_emulator.operation import PAGING, Call, Operation, matching, only, page
from stripe_emulator.shapes import checkout as shapes
from stripe_emulator.transaction import Ledger

SESSIONS = "/v1/checkout/sessions"
COPIED = (
    "allow_promotion_codes billing_address_collection cancel_url client_reference_id"
    " customer_email locale payment_method_collection success_url submit_type"
)
DATA = "billing_mode description metadata trial_end trial_period_days trial_settings"
SHORTEST, LONGEST = 30 * 60, DAY
SHORTEST_TRIAL = 2 * DAY


def create(ledger: Ledger, call: Call) -> Object:
    """Open a session; everything a person can pay for is checked here."""
    params = call.params
    check(params)
    owner = params.get("customer")
    if owner:
        ledger.get("customer", owner, "customer")
    made = shapes.session(int(ledger.clock()), params["mode"])
    made |= {name: params[name] for name in COPIED.split() if name in params}
    made |= {"customer": owner, "metadata": params.get("metadata") or {}}
    made["expires_at"] = expiry(made, params)
    if params["mode"] == "subscription":
        offer(ledger, made, params)
    elif currency := params.get("currency"):
        made["currency"] = currency
    made["url"] = f"{ledger.base_url}/pay/{made['id']}"
    return ledger.save(made)


def check(params: Object) -> None:
    """Refuse what Checkout does not do, here or anywhere."""
    if params.get("mode") not in ("subscription", "setup"):
        text = "This emulator of Stripe implements the modes subscription and setup."
        raise invalid(text, "mode", "emulator_not_implemented")
    if params.get("ui_mode", "hosted_page") != "hosted_page":
        text = "This emulator of Stripe implements the hosted page only."
        raise invalid(text, "ui_mode", "emulator_not_implemented")
    if not params.get("success_url"):
        raise invalid("Missing required param: success_url.", "success_url", "parameter_missing")
    if params.get("customer") and params.get("customer_email"):
        text = "You may only specify one of these parameters: customer, customer_email."
        raise invalid(text, "customer_email")
    for name in ("success_url", "cancel_url"):
        if not params.get(name, "http://").startswith(("http://", "https://")):
            raise invalid("Not a valid URL", name, "url_invalid")


def expiry(session: Object, params: Object) -> int:
    """Return when the session expires: in 30 minutes to 24 hours."""
    wanted = params.get("expires_at", session["expires_at"])
    if not SHORTEST <= wanted - session["created"] + 60 <= LONGEST + 60:
        text = "The `expires_at` timestamp must be 30 minutes to 24 hours in the future."
        raise invalid(text, "expires_at")
    return wanted


def offer(ledger: Ledger, session: Object, params: Object) -> None:
    """Keep what is sold, with what it costs today."""
    wanted = dict(params.get("subscription_data") or {})
    only(wanted, DATA, "subscription_data")
    trial = check_trial(ledger, session, wanted)
    if not params.get("line_items"):
        raise invalid("Missing required param: line_items.", "line_items", "parameter_missing")
    lines, prices = [], []
    for index, line in enumerate(params["line_items"]):
        param = f"line_items[{index}]"
        only(line, "price quantity", param)
        price = subscriptions.recurring(ledger, line.get("price", ""), f"{param}[price]")
        prices.append(price)
        quantity = line.get("quantity")
        if not quantity or quantity < 1:
            raise invalid(f"Missing required param: {param}[quantity].", f"{param}[quantity]")
        product = ledger.get("product", price["product"])
        lines.append(shapes.line_item(price, product["name"], quantity, trial))
    limits.mixable(prices, "line_items")
    total = sum(line["amount_total"] for line in lines)
    session |= {
        "amount_subtotal": total,
        "amount_total": total,
        "currency": lines[0]["currency"],
        "_line_items": lines,
        "_subscription": wanted,
    }


def check_trial(ledger: Ledger, session: Object, wanted: Object) -> bool:
    """Whether a trial is offered; one of less than two days is refused."""
    end, days = wanted.get("trial_end"), wanted.get("trial_period_days")
    if end is not None and days is not None:
        text = "You may only specify one of these parameters: trial_end, trial_period_days."
        raise invalid(text, "subscription_data[trial_end]")
    if days is not None and days < 1:
        raise invalid(
            "The minimum number of trial period days is 1.",
            "subscription_data[trial_period_days]",
        )
    if end is not None and end < ledger.now(session["customer"]) + SHORTEST_TRIAL:
        text = "The `trial_end` date has to be at least 2 days in the future."
        raise invalid(text, "subscription_data[trial_end]")
    if end is not None:
        limits.trial_end(ledger.now(session["customer"]), end, "subscription_data[trial_end]")
    return bool(end or days)


def expire(ledger: Ledger, call: Call) -> Object:
    """Close a session."""
    session = ledger.get("checkout.session", call.id, "session")
    if session["status"] != "open":
        text = 'Only Checkout Sessions with a status in ["open"] can be expired.'
        raise invalid(f"{text} This Checkout Session has a status of {session['status']}.")
    return checkout.expire(ledger, session)


def find(ledger: Ledger, call: Call) -> Object:
    """List sessions."""
    found = matching(ledger.find("checkout.session"), call, "customer", "status", "subscription")
    return page(found, call, SESSIONS)


def find_lines(ledger: Ledger, call: Call) -> Object:
    """List what a session sells."""
    session = ledger.get("checkout.session", call.id, "session")
    return page(session.get("_line_items", []), call, f"{SESSIONS}/{call.id}/line_items")


OPERATIONS = (
    Operation(
        "POST",
        SESSIONS,
        p.SessionCreateParams,
        create,
        f"{COPIED} currency customer expires_at line_items metadata mode subscription_data ui_mode",
    ),
    Operation(
        "GET",
        f"{SESSIONS}/{{id}}",
        p.SessionRetrieveParams,
        lambda ledger, call: ledger.get("checkout.session", call.id, "session"),
    ),
    Operation("POST", f"{SESSIONS}/{{id}}/expire", p.SessionExpireParams, expire),
    Operation(
        "GET",
        SESSIONS,
        p.SessionListParams,
        find,
        f"{PAGING} created customer status subscription",
    ),
    Operation(
        "GET", f"{SESSIONS}/{{id}}/line_items", p.SessionLineItemListParams, find_lines, PAGING
    ),
)
