"""The portal's form for name and address, and the list of tax ids."""

from html import escape

from stripe_emulator import tax_ids
from stripe_emulator.engine.portal import PortalVisit
from stripe_emulator.objects import Object
from stripe_emulator.pages import html
from stripe_emulator.transaction import Transaction

# Listed first, because most customers have one of them.
COMMON_TYPES = ("eu_vat", "gb_vat", "ch_vat", "no_vat", "us_ein", "ca_gst_hst", "au_abn", "jp_trn")
ADDRESS_LABELS = {
    "line1": ("Address", "address-line1"),
    "line2": ("Address, second line", "address-line2"),
    "postal_code": ("Postal code", "postal-code"),
    "city": ("City", "address-level2"),
    "state": ("State or region", "address-level1"),
}


def render_billing_information(tx: Transaction, visit: PortalVisit, form: dict[str, str]) -> str:
    """Render what the configuration lets the customer change; `form` is a refused one."""
    allowed = visit.allowed_updates()
    drawn = ""
    if {"name", "address"} & set(allowed):
        drawn += render_details_form(visit.customer, allowed, form)
    if "tax_id" in allowed:
        drawn += render_tax_ids(tx.find_all("tax_id", customer=visit.customer["id"])[::-1], form)
    return f"<section><h2>Billing information</h2>{drawn}</section>" if drawn else ""


def render_details_form(customer: Object, allowed: list[str], form: dict[str, str]) -> str:
    """Render the form for name and address."""
    fields = '<input type="hidden" name="action" value="details">'
    refused = form if form.get("action") == "details" else {}
    if "name" in allowed:
        name = refused.get("name", customer["name"] or "")
        fields += html.input_field(
            "name", "Name or company", "portal-name", value=name, autocomplete="organization"
        )
    if "address" in allowed:
        known = refused or customer["address"] or {}
        for key, (label, autocomplete) in ADDRESS_LABELS.items():
            fields += html.input_field(
                key, label, f"portal-{key}", value=known.get(key) or "", autocomplete=autocomplete
            )
        countries = {code: code for code in sorted(tax_ids.known_countries())}
        chosen = known.get("country") or ""
        fields += select_field("country", "Country", "portal-country", countries, chosen)
    return f'<form method="post">{fields}{html.submit_button("Save", "portal-details-save")}</form>'


def render_tax_ids(known: list[Object], form: dict[str, str]) -> str:
    """Render the tax ids, each with a button to remove it, and the form to add one."""
    drawn = "<h3>Tax IDs</h3>"
    for one in known:
        drawn += (
            f'<p data-testid="portal-tax-id">{escape(type_label(one["type"]))} '
            f"<strong>{escape(one['value'])}</strong></p>"
            + html.action_button("remove-tax-id", "Remove", "portal-tax-id-remove", one["id"])
        )
    refused = form if form.get("action") == "add-tax-id" else {}
    others = (kind for kind in sorted(tax_ids.known_types()) if kind not in COMMON_TYPES)
    types = {kind: type_label(kind) for kind in (*COMMON_TYPES, *others)}
    fields = '<input type="hidden" name="action" value="add-tax-id">'
    fields += select_field(
        "type", "Type", "portal-tax-id-type", types, refused.get("type", COMMON_TYPES[0])
    )
    fields += html.input_field(
        "value",
        "Tax ID",
        "portal-tax-id-value",
        value=refused.get("value", ""),
        required="required",
    )
    button = html.submit_button("Add tax ID", "portal-tax-id-add")
    return f'{drawn}<form method="post">{fields}{button}</form>'


def type_label(kind: str) -> str:
    """Return a type of tax id as text, such as `EU VAT`."""
    return kind.replace("_", " ").upper()


def select_field(name: str, label: str, testid: str, options: dict[str, str], chosen: str) -> str:
    """Return a select with its label; nothing is chosen if `chosen` is no option."""
    empty = "" if chosen in options else '<option value="" selected></option>'
    drawn = "".join(
        f'<option value="{escape(value)}"{" selected" if value == chosen else ""}>'
        f"{escape(text)}</option>"
        for value, text in options.items()
    )
    return (
        f'<label for="{name}">{escape(label)}</label>'
        f'<select id="{name}" name="{name}" data-testid="{testid}">{empty}{drawn}</select>'
    )


def bill_to_lines(invoice: Object) -> list[str]:
    """Return name, email, address and tax ids as an invoice shows them, one line each."""
    address = invoice["customer_address"] or {}
    place = " ".join(filter(None, (address.get(key) for key in ("postal_code", "city", "state"))))
    lines = [
        invoice["customer_name"],
        invoice["customer_email"],
        address.get("line1"),
        address.get("line2"),
        place,
        address.get("country"),
        *(f"{type_label(one['type'])} {one['value']}" for one in invoice["customer_tax_ids"] or []),
    ]
    return [line for line in lines if line]
