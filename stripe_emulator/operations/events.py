"""Events and webhook endpoints (docs.stripe.com/api/events, …/webhook_endpoints)."""

import fnmatch

import stripe.params as p

from stripe_emulator.errors import invalid
from stripe_emulator.objects import Object, new_id, unset
from stripe_emulator.operation import PAGING, Call, Operation, matching, page
from stripe_emulator.operations.customers import merged
from stripe_emulator.shapes import webhook as shapes
from stripe_emulator.transaction import Ledger

PATH = "/v1/webhook_endpoints"


def find_events(ledger: Ledger, call: Call) -> Object:
    """List events; `type` may end in `*`."""
    wanted = call.params.get("types") or [call.params.get("type", "*")]
    kept = [
        event
        for event in matching(ledger.find("event"), call)
        if any(fnmatch.fnmatchcase(event["type"], one) for one in wanted)
    ]
    return page(kept, call, "/v1/events")


def create(ledger: Ledger, call: Call) -> Object:
    """Register an endpoint; the answer alone shows its secret."""
    url = call.params["url"]
    if not url.startswith(("http://", "https://")):
        raise invalid("Invalid URL: An explicit scheme (such as https) must be provided.", "url")
    secret = ledger.secret_for(url) or new_id("whsec", 32)
    made = shapes.endpoint(ledger.now(None), url, call.params["enabled_events"], secret)
    made["description"] = unset(call.params.get("description"))
    made["metadata"] = merged({}, call.params.get("metadata"))
    ledger.save(made)
    return made | {"secret": secret}


def update(ledger: Ledger, call: Call) -> Object:
    """Change an endpoint."""
    endpoint = ledger.get("webhook_endpoint", call.id)
    for name in ("url", "enabled_events"):
        endpoint[name] = call.params.get(name, endpoint[name])
    if "disabled" in call.params:
        endpoint["status"] = "disabled" if call.params["disabled"] else "enabled"
    if "description" in call.params:
        endpoint["description"] = unset(call.params["description"])
    if "metadata" in call.params:
        endpoint["metadata"] = merged(endpoint["metadata"], call.params["metadata"])
    return ledger.save(endpoint)


def delete(ledger: Ledger, call: Call) -> Object:
    """Remove an endpoint."""
    endpoint = ledger.get("webhook_endpoint", call.id)
    ledger.save(endpoint | {"deleted": True, "status": "disabled"})
    return {"id": call.id, "object": "webhook_endpoint", "deleted": True}


OPERATIONS = (
    Operation("GET", "/v1/events", p.EventListParams, find_events, f"{PAGING} created type types"),
    Operation(
        "GET",
        "/v1/events/{id}",
        p.EventRetrieveParams,
        lambda ledger, call: ledger.get("event", call.id),
    ),
    Operation(
        "POST",
        PATH,
        p.WebhookEndpointCreateParams,
        create,
        "api_version description enabled_events metadata url",
    ),
    Operation(
        "GET",
        PATH,
        p.WebhookEndpointListParams,
        lambda ledger, call: page(ledger.find("webhook_endpoint"), call, PATH),
        PAGING,
    ),
    Operation(
        "GET",
        f"{PATH}/{{id}}",
        p.WebhookEndpointRetrieveParams,
        lambda ledger, call: ledger.get("webhook_endpoint", call.id),
    ),
    Operation(
        "POST",
        f"{PATH}/{{id}}",
        p.WebhookEndpointUpdateParams,
        update,
        "description disabled enabled_events metadata url",
    ),
    Operation("DELETE", f"{PATH}/{{id}}", p.WebhookEndpointDeleteParams, delete),
)
