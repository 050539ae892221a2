"""Products and prices (docs.stripe.com/api/products, …/prices)."""

from typing import Any

import stripe.params as p

from stripe_emulator.errors import Problem, invalid
from stripe_emulator.objects import Object, unset
from stripe_emulator.operation import PAGING, Call, Operation, matching, page
from stripe_emulator.operations.customers import merged
from stripe_emulator.shapes import catalogue as shapes
from stripe_emulator.transaction import Ledger, snapshot

FIELDS = "active description images marketing_features metadata name url unit_label"
PRICE_FIELDS = "active lookup_key metadata nickname tax_behavior transfer_lookup_key"


def set_fields(item: Object, params: Object, names: str) -> None:
    """Set the given fields."""
    for name in names.split():
        if name == "metadata" and name in params:
            item[name] = merged(item[name], params[name])
        elif name in params:
            item[name] = unset(params[name])


def create_product(ledger: Ledger, call: Call) -> Object:
    """Keep a new product, under the identifier that the request may choose."""
    wanted = call.params.get("id")
    if wanted and ledger.peek(wanted):
        text = f"Product already exists: {wanted}."
        raise Problem(400, text, code="resource_already_exists", param="id")
    made = shapes.product(ledger.now(None), wanted, call.params["name"])
    set_fields(made, call.params, FIELDS)
    ledger.save(made)
    ledger.emit("product.created", made)
    return made


def update_product(ledger: Ledger, call: Call) -> Object:
    """Change a product."""
    product = ledger.get("product", call.id)
    before = snapshot(product)
    set_fields(product, call.params, f"{FIELDS} default_price")
    if product != before:
        product["updated"] = ledger.now(None)
    ledger.keep("product.updated", product, before)
    return product


def find_products(ledger: Ledger, call: Call) -> Object:
    """List products."""
    found = matching(ledger.find("product"), call, "active")
    ids = call.params.get("ids")
    return page([one for one in found if not ids or one["id"] in ids], call, "/v1/products")


def create_price(ledger: Ledger, call: Call) -> Object:
    """Keep a new price of a product."""
    params = call.params
    if "product" not in params:
        text = "You must specify either `product` or `product_data` when creating a price."
        raise invalid(text, "product", "parameter_missing")
    if "unit_amount" not in params:
        text = "You must specify `unit_amount` for a price."
        raise invalid(text, "unit_amount", "parameter_missing")
    if params["unit_amount"] < 0:
        raise invalid("Invalid non-negative integer", "unit_amount", "parameter_invalid_integer")
    product = ledger.get("product", params["product"], "product")
    currency = params["currency"].lower()
    made = shapes.price(
        ledger.now(None), product["id"], currency, params["unit_amount"], params.get("recurring")
    )
    claim_lookup_key(ledger, made["id"], params)
    set_fields(made, params, "active lookup_key metadata nickname tax_behavior")
    ledger.save(made)
    ledger.emit("price.created", made)
    return made


def claim_lookup_key(ledger: Ledger, identifier: str, params: Object) -> None:
    """Refuse a lookup key that another price has, or take it away from there."""
    key = params.get("lookup_key")
    for price in ledger.find("price") if key else []:
        if price["lookup_key"] != key or price["id"] == identifier:
            continue
        if not params.get("transfer_lookup_key"):
            text = f"A price (`{price['id']}`) already uses that lookup key."
            raise invalid(text, "lookup_key", "resource_already_exists")
        before = snapshot(price)
        price["lookup_key"] = None
        ledger.keep("price.updated", price, before)


def update_price(ledger: Ledger, call: Call) -> Object:
    """Change what may be changed of a price."""
    price = ledger.get("price", call.id)
    before = snapshot(price)
    claim_lookup_key(ledger, price["id"], call.params)
    set_fields(price, call.params, "active lookup_key metadata nickname tax_behavior")
    ledger.keep("price.updated", price, before)
    return price


def find_prices(ledger: Ledger, call: Call) -> Object:
    """List prices."""
    found = matching(ledger.find("price"), call, "active", "currency", "product", "type")
    keys: Any = call.params.get("lookup_keys")
    cycle: Object = call.params.get("recurring", {})
    kept = [
        one
        for one in found
        if (not keys or one["lookup_key"] in keys)
        and all((one["recurring"] or {}).get(name) == want for name, want in cycle.items())
    ]
    return page(kept, call, "/v1/prices")


OPERATIONS = (
    Operation("POST", "/v1/products", p.ProductCreateParams, create_product, f"id {FIELDS}"),
    Operation(
        "GET",
        "/v1/products",
        p.ProductListParams,
        find_products,
        f"{PAGING} active created ids",
    ),
    Operation(
        "GET",
        "/v1/products/{id}",
        p.ProductRetrieveParams,
        lambda ledger, call: ledger.get("product", call.id),
    ),
    Operation(
        "POST",
        "/v1/products/{id}",
        p.ProductUpdateParams,
        update_product,
        f"{FIELDS} default_price",
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
        find_prices,
        f"{PAGING} active created currency lookup_keys product recurring type",
    ),
    Operation(
        "GET",
        "/v1/prices/{id}",
        p.PriceRetrieveParams,
        lambda ledger, call: ledger.get("price", call.id),
    ),
    Operation("POST", "/v1/prices/{id}", p.PriceUpdateParams, update_price, PRICE_FIELDS),
)
