"""Builders of invoices, invoice lines and invoice items."""

from stripe_emulator.objects import Object, list_object, new_id, nulls


def new_invoice_line(
    amount: int, currency: str, description: str, period: tuple[int, int]
) -> Object:
    """Return an invoice line without a parent."""
    return {
        "id": new_id("il"),
        "object": "line_item",
        "amount": amount,
        "currency": currency,
        "description": description,
        "discount_amounts": [],
        "discountable": True,
        "discounts": [],
        "invoice": None,
        "livemode": False,
        "metadata": {},
        "parent": None,
        "period": {"start": period[0], "end": period[1]},
        "pretax_credit_amounts": [],
        "pricing": None,
        "quantity": 1,
        "quantity_decimal": "1",
        "subscription": None,
        "subtotal": amount,
        "taxes": [],
    }


def subscription_item_line(
    item: Object, amount: int, description: str, period: tuple[int, int]
) -> Object:
    """Return an invoice line for a subscription item."""
    price, quantity = item["price"], item["quantity"]
    made = new_invoice_line(amount, price["currency"], description, period)
    return made | {
        "parent": {
            "invoice_item_details": None,
            "subscription_item_details": {
                "invoice_item": None,
                "proration": False,
                "proration_details": {"credited_items": None},
                "subscription": item["subscription"],
                "subscription_item": item["id"],
            },
            "type": "subscription_item_details",
        },
        "pricing": {
            "price_details": {"price": price["id"], "product": price["product"]},
            "type": "price_details",
            "unit_amount_decimal": price["unit_amount_decimal"],
        },
        "quantity": quantity,
        "quantity_decimal": str(quantity),
        "subscription": item["subscription"],
    }


def new_invoice_item(moment: int, customer: Object, line: Object) -> Object:
    """Return the pending invoice item for a proration line."""
    details = line["parent"]["subscription_item_details"]
    return {
        "id": new_id("ii"),
        "object": "invoiceitem",
        "amount": line["amount"],
        "currency": line["currency"],
        "customer": customer["id"],
        "customer_account": None,
        "date": moment,
        "description": line["description"],
        "discountable": False,
        "discounts": [],
        "frozen_fields": [],
        "invoice": None,
        "invoicing_rules": [],
        "livemode": False,
        "metadata": {},
        "net_amount": line["amount"],
        "parent": {
            "subscription_details": {
                "subscription": details["subscription"],
                "subscription_item": details["subscription_item"],
            },
            "type": "subscription_details",
        },
        "period": line["period"],
        "pricing": line["pricing"],
        "proration": True,
        "proration_details": {"credited_items": None, "discount_amounts": []},
        "quantity": line["quantity"],
        "quantity_decimal": line["quantity_decimal"],
        "tax_rates": [],
        "test_clock": customer["test_clock"],
        "_line": line,
    }


def new_invoice(moment: int, customer: Object, currency: str, reason: str) -> Object:
    """Return a draft invoice without lines."""
    identifier = new_id("in")
    return {
        "id": identifier,
        "object": "invoice",
        "account_country": "US",
        "account_name": "Test mode",
        "attempt_count": 0,
        "attempted": False,
        "auto_advance": True,
        "automatic_tax": {
            "disabled_reason": None,
            "enabled": False,
            **nulls("liability provider status"),
        },
        "billing_reason": reason,
        "collection_method": "charge_automatically",
        "created": moment,
        "currency": currency,
        "customer": customer["id"],
        "customer_address": customer["address"],
        "customer_email": customer["email"],
        "customer_name": customer["name"],
        "customer_phone": customer["phone"],
        "customer_shipping": customer["shipping"],
        "customer_tax_exempt": customer["tax_exempt"],
        "customer_tax_ids": [],
        "default_tax_rates": [],
        "discounts": [],
        "issuer": {"type": "self"},
        "lines": list_object([], f"/v1/invoices/{identifier}/lines"),
        "livemode": False,
        "metadata": {},
        "payment_settings": {
            "default_mandate": None,
            "payment_method_options": None,
            "payment_method_types": None,
        },
        "period_end": moment,
        "period_start": moment,
        "status": "draft",
        "status_transitions": nulls("finalized_at marked_uncollectible_at paid_at voided_at"),
        "test_clock": customer["test_clock"],
        "total_discount_amounts": [],
        "total_pretax_credit_amounts": [],
        "total_taxes": [],
        **dict.fromkeys(AMOUNT_FIELDS, 0),
        **nulls("account_tax_ids application automatically_finalizes_at custom_fields"),
        **nulls("customer_account default_payment_method default_source description due_date"),
        **nulls("effective_at ending_balance footer from_invoice hosted_invoice_url invoice_pdf"),
        **nulls("last_finalization_error latest_revision next_payment_attempt number"),
        **nulls("on_behalf_of parent receipt_number rendering shipping_cost shipping_details"),
        **nulls("statement_descriptor webhooks_delivered_at"),
    }


AMOUNT_FIELDS = (
    "amount_due",
    "amount_overpaid",
    "amount_paid",
    "amount_remaining",
    "amount_shipping",
    "post_payment_credit_notes_amount",
    "pre_payment_credit_notes_amount",
    "starting_balance",
    "subtotal",
    "subtotal_excluding_tax",
    "total",
    "total_excluding_tax",
)
