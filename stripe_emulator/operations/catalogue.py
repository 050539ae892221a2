"""Products and prices (docs.stripe.com/api/products, …/prices)."""

from typing import Any

import stripe.params as p

from stripe_emulator.errors import ApiError, invalid_request
from stripe_emulator.objects import Object, empty_to_none
from stripe_emulator.operation import PAGING, Call, Operation, filter_by_params, paginate
from stripe_emulator.operations.customers import merge_metadata
from stripe_emulator.shapes import catalogue as shapes
from stripe_emulator.transaction import Transaction, snapshot

PRODUCT_FIELDS = "active description images marketing_features metadata name url unit_label"
PRICE_FIELDS = "active lookup_key metadata nickname tax_behavior transfer_lookup_key"


def set_fields(item: Object, params: Object, names: str) -> None:
    """Set the fields named in `names` that the request contains."""
    for name in names.split():
        if name == "metadata" and name in params:
            item[name] = merge_metadata(item[name], params[name])
        elif name in params:
            item[name] = empty_to_none(params[name])


def create_product(tx: Transaction, call: Call) -> Object:
    """Create a product; the request may choose its id."""
    wanted = call.params.get("id")
    if wanted and tx.get_or_none(wanted):
        text = f"Product already exists: {wanted}."
        raise ApiError(400, text, code="resource_already_exists", param="id")
    made = shapes.new_product(tx.now(None), wanted, call.params["name"])
    set_fields(made, call.params, PRODUCT_FIELDS)
    tx.save(made)
    tx.emit("product.created", made)
    return made


def update_product(tx: Transaction, call: Call) -> Object:
    """Update a product."""
    product = tx.get("product", call.id)
    before = snapshot(product)
    set_fields(product, call.params, f"{PRODUCT_FIELDS} default_price")
    if product != before:
        product["updated"] = tx.now(None)
    tx.save_changes("product.updated", product, before)
    return product


def list_products(tx: Transaction, call: Call) -> Object:
    """List products."""
    found = filter_by_params(tx.find_all("product"), call, "active")
    ids = call.params.get("ids")
    return paginate([one for one in found if not ids or one["id"] in ids], call, "/v1/products")


def create_price(tx: Transaction, call: Call) -> Object:
    """Create a price of a product."""
    params = call.params
    if "product" not in params:
        text = "You must specify either `product` or `product_data` when creating a price."
        raise invalid_request(text, "product", "parameter_missing")
    if "unit_amount" not in params:
        text = "You must specify `unit_amount` for a price."
        raise invalid_request(text, "unit_amount", "parameter_missing")
    if params["unit_amount"] < 0:
        raise invalid_request(
            "Invalid non-negative integer", "unit_amount", "parameter_invalid_integer"
        )
    product = tx.get("product", params["product"], "product")
    currency = params["currency"].lower()
    made = shapes.new_price(
        tx.now(None), product["id"], currency, params["unit_amount"], params.get("recurring")
    )
    claim_lookup_key(tx, made["id"], params)
    set_fields(made, params, "active lookup_key metadata nickname tax_behavior")
    tx.save(made)
    tx.emit("price.created", made)
    return made


def claim_lookup_key(tx: Transaction, identifier: str, params: Object) -> None:
    """Refuse a lookup key that another price has; with `transfer_lookup_key`, take it over."""
    key = params.get("lookup_key")
    for price in tx.find_all("price") if key else []:
        if price["lookup_key"] != key or price["id"] == identifier:
            continue
        if not params.get("transfer_lookup_key"):
            text = f"A price (`{price['id']}`) already uses that lookup key."
            raise invalid_request(text, "lookup_key", "resource_already_exists")
        before = snapshot(price)
        price["lookup_key"] = None
        tx.save_changes("price.updated", price, before)


def update_price(tx: Transaction, call: Call) -> Object:
    """Update a price."""
    price = tx.get("price", call.id)
    before = snapshot(price)
    claim_lookup_key(tx, price["id"], call.params)
    set_fields(price, call.params, "active lookup_key metadata nickname tax_behavior")
    tx.save_changes("price.updated", price, before)
    return price


def list_prices(tx: Transaction, call: Call) -> Object:
    """List prices."""
    found = filter_by_params(tx.find_all("price"), call, "active", "currency", "product", "type")
    keys: Any = call.params.get("lookup_keys")
    cycle: Object = call.params.get("recurring", {})
    kept = [
        one
        for one in found
        if (not keys or one["lookup_key"] in keys)
        and all((one["recurring"] or {}).get(name) == want for name, want in cycle.items())
    ]
    return paginate(kept, call, "/v1/prices")


OPERATIONS = (
    Operation(
        "POST", "/v1/products", p.ProductCreateParams, create_product, f"id {PRODUCT_FIELDS}"
    ),
    Operation(
        "GET",
        "/v1/products",
        p.ProductListParams,
        list_products,
        f"{PAGING} active created ids",
    ),
    Operation(
        "GET",
        "/v1/products/{id}",
        p.ProductRetrieveParams,
        lambda tx, call: tx.get("product", call.id),
    ),
    Operation(
        "POST",
        "/v1/products/{id}",
        p.ProductUpdateParams,
        update_product,
        f"{PRODUCT_FIELDS} default_price",
    ),
    Operation(
        "POST",
        "/v1/prices",
        p.PriceCreateParams,
        create_price,
        f"{PRICE_FIELDS} currency product recurring unit_amount",
    ),
    Operation(
        "GET",
        "/v1/prices",
        p.PriceListParams,
        list_prices,
        f"{PAGING} active created currency lookup_keys product recurring type",
    ),
    Operation(
        "GET",
        "/v1/prices/{id}",
        p.PriceRetrieveParams,
        lambda tx, call: tx.get("price", call.id),
    ),
    Operation("POST", "/v1/prices/{id}", p.PriceUpdateParams, update_price, PRICE_FIELDS),
)
