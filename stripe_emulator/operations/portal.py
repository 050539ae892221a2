"""Portal configurations and sessions (docs.stripe.com/api/customer_portal)."""

import stripe.params.billing_portal as p

from stripe_emulator.errors import invalid_request
from stripe_emulator.objects import Object, empty_to_none, random_token
from stripe_emulator.operation import PAGING, Call, Operation, filter_by_params, paginate
from stripe_emulator.operations.customers import merge_metadata
from stripe_emulator.shapes import portal as shapes
from stripe_emulator.transaction import Transaction, snapshot

CONFIGURATIONS = "/v1/billing_portal/configurations"
FIELDS = "business_profile default_return_url features metadata name"


def set_configuration_fields(configuration: Object, params: Object) -> None:
    """Set the fields that the request contains, feature by feature."""
    for name in ("default_return_url", "name", "active"):
        if name in params:
            configuration[name] = empty_to_none(params[name])
    configuration["business_profile"] |= params.get("business_profile") or {}
    if "metadata" in params:
        configuration["metadata"] = merge_metadata(configuration["metadata"], params["metadata"])
    for name, given in (params.get("features") or {}).items():
        merge_nested(configuration["features"][name], given)
    update = configuration["features"]["customer_update"]
    if update["enabled"] and not update["allowed_updates"]:
        param = "features[customer_update][allowed_updates]"
        raise invalid_request(f"Missing required param: {param}.", param, "parameter_missing")
    for product in configuration["features"]["subscription_update"]["products"] or []:
        product.setdefault("adjustable_quantity", {"enabled": False, "maximum": None, "minimum": 1})


def merge_nested(kept: Object, given: Object) -> None:
    """Merge nested values into a configuration."""
    for name, item in given.items():
        if isinstance(item, dict) and isinstance(kept.get(name), dict):
            merge_nested(kept[name], item)
        else:
            kept[name] = empty_to_none(item) if not isinstance(kept.get(name), list) else item or []


def create_configuration(tx: Transaction, call: Call) -> Object:
    """Create a configuration; the first one is the default."""
    made = shapes.new_portal_configuration(tx.now(None))
    set_configuration_fields(made, call.params)
    made["is_default"] = not tx.find_all("billing_portal.configuration")
    tx.save(made)
    tx.emit("billing_portal.configuration.created", made)
    return made


def update_configuration(tx: Transaction, call: Call) -> Object:
    """Update a configuration."""
    configuration = tx.get("billing_portal.configuration", call.id)
    before = snapshot(configuration)
    set_configuration_fields(configuration, call.params)
    if configuration != before:
        configuration["updated"] = tx.now(None)
    tx.save_changes("billing_portal.configuration.updated", configuration, before)
    return configuration


def list_configurations(tx: Transaction, call: Call) -> Object:
    """List configurations."""
    found = tx.find_all("billing_portal.configuration")
    return paginate(filter_by_params(found, call, "active", "is_default"), call, CONFIGURATIONS)


def create_portal_session(tx: Transaction, call: Call) -> Object:
    """Create a portal session for a customer."""
    customer_id = tx.get("customer", call.params.get("customer", ""), "customer")["id"]
    found = tx.find_all("billing_portal.configuration")
    wanted = call.params.get("configuration")
    default = next((one["id"] for one in found if one["is_default"]), None)
    if not wanted and default is None:
        raise invalid_request(
            "No configuration provided and your test mode default configuration has not been"
            " created. Provide a configuration or create your default."
        )
    configuration = tx.get("billing_portal.configuration", wanted or str(default), "configuration")
    made = shapes.new_portal_session(int(tx.real_time()), customer_id, configuration["id"])
    back = call.params.get("return_url", configuration["default_return_url"])
    made |= {"return_url": back, "locale": call.params.get("locale"), "_token": random_token(40)}
    made["url"] = f"{tx.base_url}/portal/{made['id']}_{made['_token']}"
    tx.save(made)
    tx.emit("billing_portal.session.created", made)
    return made


OPERATIONS = (
    Operation("POST", CONFIGURATIONS, p.ConfigurationCreateParams, create_configuration, FIELDS),
    Operation(
        "GET",
        CONFIGURATIONS,
        p.ConfigurationListParams,
        list_configurations,
        f"{PAGING} active is_default",
    ),
    Operation(
        "GET",
        f"{CONFIGURATIONS}/{{id}}",
        p.ConfigurationRetrieveParams,
        lambda tx, call: tx.get("billing_portal.configuration", call.id),
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
        create_portal_session,
        "configuration customer locale return_url",
    ),
)
