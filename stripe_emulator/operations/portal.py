"""The customer portal (docs.stripe.com/api/customer_portal)."""

import stripe.params.billing_portal as p

from stripe_emulator.errors import invalid
from stripe_emulator.objects import Object, token, unset
from stripe_emulator.operation import PAGING, Call, Operation, matching, page
from stripe_emulator.operations.customers import merged
from stripe_emulator.shapes import portal as shapes
from stripe_emulator.transaction import Ledger, snapshot

CONFIGURATIONS = "/v1/billing_portal/configurations"
FIELDS = "business_profile default_return_url features metadata name"


def change(configuration: Object, params: Object) -> None:
    """Set what the request gives, feature by feature."""
    for name in ("default_return_url", "name", "active"):
        if name in params:
            configuration[name] = unset(params[name])
    configuration["business_profile"] |= params.get("business_profile") or {}
    if "metadata" in params:
        configuration["metadata"] = merged(configuration["metadata"], params["metadata"])
    for name, given in (params.get("features") or {}).items():
        deepen(configuration["features"][name], given)
    for product in configuration["features"]["subscription_update"]["products"] or []:
        product.setdefault("adjustable_quantity", {"enabled": False, "maximum": None, "minimum": 1})


def deepen(kept: Object, given: Object) -> None:
    """Set nested values."""
    for name, item in given.items():
        if isinstance(item, dict) and isinstance(kept.get(name), dict):
            deepen(kept[name], item)
        else:
            kept[name] = unset(item) if not isinstance(kept.get(name), list) else item or []


def create_configuration(ledger: Ledger, call: Call) -> Object:
    """Keep a configuration; the first one is the default."""
    made = shapes.configuration(ledger.now(None))
    change(made, call.params)
    made["is_default"] = not ledger.find("billing_portal.configuration")
    ledger.save(made)
    ledger.emit("billing_portal.configuration.created", made)
    return made


def update_configuration(ledger: Ledger, call: Call) -> Object:
    """Change a configuration."""
    configuration = ledger.get("billing_portal.configuration", call.id)
    before = snapshot(configuration)
    change(configuration, call.params)
    if configuration != before:
        configuration["updated"] = ledger.now(None)
    ledger.keep("billing_portal.configuration.updated", configuration, before)
    return configuration


def find_configurations(ledger: Ledger, call: Call) -> Object:
    """List configurations."""
    found = ledger.find("billing_portal.configuration")
    return page(matching(found, call, "active", "is_default"), call, CONFIGURATIONS)


def create_session(ledger: Ledger, call: Call) -> Object:
    """Let a customer in."""
    owner = ledger.get("customer", call.params.get("customer", ""), "customer")["id"]
    found = ledger.find("billing_portal.configuration")
    wanted = call.params.get("configuration")
    default = next((one["id"] for one in found if one["is_default"]), None)
    if not wanted and default is None:
        raise invalid(
            "No configuration provided and your test mode default configuration has not been"
            " created. Provide a configuration or create your default."
        )
    configuration = ledger.get(
        "billing_portal.configuration", wanted or str(default), "configuration"
    )
    made = shapes.session(int(ledger.clock()), owner, configuration["id"])
    back = call.params.get("return_url", configuration["default_return_url"])
    made |= {"return_url": back, "locale": call.params.get("locale"), "_token": token(40)}
    made["url"] = f"{ledger.base_url}/portal/{made['id']}_{made['_token']}"
    ledger.save(made)
    ledger.emit("billing_portal.session.created", made)
    return made


OPERATIONS = (
    Operation("POST", CONFIGURATIONS, p.ConfigurationCreateParams, create_configuration, FIELDS),
    Operation(
        "GET",
        CONFIGURATIONS,
        p.ConfigurationListParams,
        find_configurations,
        f"{PAGING} active is_default",
    ),
    Operation(
        "GET",
        f"{CONFIGURATIONS}/{{id}}",
        p.ConfigurationRetrieveParams,
        lambda ledger, call: ledger.get("billing_portal.configuration", call.id),
    ),
    Operation(
        "POST",
        f"{CONFIGURATIONS}/{{id}}",
        p.ConfigurationUpdateParams,
        update_configuration,
        f"{FIELDS} active",
    ),
    Operation(
        "POST",
        "/v1/billing_portal/sessions",
        p.SessionCreateParams,
        create_session,
        "configuration customer locale return_url",
    ),
)
