"""Events and webhook endpoints (docs.stripe.com/api/events, …/webhook_endpoints)."""

import fnmatch

import stripe.params as p

from stripe_emulator.errors import invalid_request
from stripe_emulator.objects import Object, empty_to_none, new_id
from stripe_emulator.operation import PAGING, Call, Operation, filter_by_params, paginate
from stripe_emulator.operations.customers import merge_metadata
from stripe_emulator.shapes import webhook as shapes
from stripe_emulator.transaction import Transaction

PATH = "/v1/webhook_endpoints"


def list_events(tx: Transaction, call: Call) -> Object:
    """List events; `type` may end in `*`."""
    wanted = call.params.get("types") or [call.params.get("type", "*")]
    kept = [
        event
        for event in filter_by_params(tx.find_all("event"), call)
        if any(fnmatch.fnmatchcase(event["type"], one) for one in wanted)
    ]
    return paginate(kept, call, "/v1/events")


def create_webhook_endpoint(tx: Transaction, call: Call) -> Object:
    """Create a webhook endpoint; only this response contains its secret."""
    url = call.params["url"]
    if not url.startswith(("http://", "https://")):
        raise invalid_request(
            "Invalid URL: An explicit scheme (such as https) must be provided.", "url"
        )
    secret = tx.webhook_secret_for(url) or new_id("whsec", 32)
    made = shapes.new_webhook_endpoint(tx.now(None), url, call.params["enabled_events"], secret)
    made["description"] = empty_to_none(call.params.get("description"))
    made["metadata"] = merge_metadata({}, call.params.get("metadata"))
    tx.save(made)
    return made | {"secret": secret}


def update_webhook_endpoint(tx: Transaction, call: Call) -> Object:
    """Update a webhook endpoint."""
    endpoint = tx.get("webhook_endpoint", call.id)
    for name in ("url", "enabled_events"):
        endpoint[name] = call.params.get(name, endpoint[name])
    if "disabled" in call.params:
        endpoint["status"] = "disabled" if call.params["disabled"] else "enabled"
    if "description" in call.params:
        endpoint["description"] = empty_to_none(call.params["description"])
    if "metadata" in call.params:
        endpoint["metadata"] = merge_metadata(endpoint["metadata"], call.params["metadata"])
    return tx.save(endpoint)


def delete_webhook_endpoint(tx: Transaction, call: Call) -> Object:
    """Delete a webhook endpoint."""
    endpoint = tx.get("webhook_endpoint", call.id)
    tx.save(endpoint | {"deleted": True, "status": "disabled"})
    return {"id": call.id, "object": "webhook_endpoint", "deleted": True}


OPERATIONS = (
    Operation("GET", "/v1/events", p.EventListParams, list_events, f"{PAGING} created type types"),
    Operation(
        "GET",
        "/v1/events/{id}",
        p.EventRetrieveParams,
        lambda tx, call: tx.get("event", call.id),
    ),
    Operation(
        "POST",
        PATH,
        p.WebhookEndpointCreateParams,
        create_webhook_endpoint,
        "api_version description enabled_events metadata url",
    ),
    Operation(
        "GET",
        PATH,
        p.WebhookEndpointListParams,
        lambda tx, call: paginate(tx.find_all("webhook_endpoint"), call, PATH),
        PAGING,
    ),
    Operation(
        "GET",
        f"{PATH}/{{id}}",
        p.WebhookEndpointRetrieveParams,
        lambda tx, call: tx.get("webhook_endpoint", call.id),
    ),
    Operation(
        "POST",
        f"{PATH}/{{id}}",
        p.WebhookEndpointUpdateParams,
        update_webhook_endpoint,
        "description disabled enabled_events metadata url",
    ),
    Operation("DELETE", f"{PATH}/{{id}}", p.WebhookEndpointDeleteParams, delete_webhook_endpoint),
)
