"""Countries and tax ids that Stripe knows (docs.stripe.com/billing/customer/tax-ids)."""

import functools
import re
import typing
from typing import Any

from stripe.params import CustomerTaxIdCreateParams
from stripe.params.checkout import SessionCreateParamsShippingAddressCollection

from stripe_emulator.errors import invalid_request
from stripe_emulator.parameters import literal_values, parameter_types, union_members

ANY_FORMAT = r"[A-Z0-9][A-Z0-9 ./-]{2,29}"
# Formats of the types that the portal's customers use most; all others match ANY_FORMAT.
FORMATS = {
    "au_abn": r"\d{11}",
    "br_cnpj": r"\d{2}\.?\d{3}\.?\d{3}/?\d{4}-?\d{2}",
    "br_cpf": r"\d{3}\.?\d{3}\.?\d{3}-?\d{2}",
    "ca_bn": r"\d{9}",
    "ca_gst_hst": r"\d{9}RT\d{4}",
    "ch_uid": r"CHE-?\d{3}\.?\d{3}\.?\d{3}",
    "ch_vat": r"CHE-?\d{3}\.?\d{3}\.?\d{3} ?(MWST|TVA|IVA)",
    "de_stn": r"\d{10,11}",
    "es_cif": r"[A-Z]\d{7}[A-Z0-9]",
    "gb_vat": r"(GB|XI)(\d{9}|\d{12}|GD\d{3}|HA\d{3})",
    "in_gst": r"\d{2}[A-Z]{5}\d{4}[A-Z][A-Z0-9]Z[A-Z0-9]",
    "jp_cn": r"\d{13}",
    "jp_trn": r"T\d{13}",
    "kr_brn": r"\d{3}-?\d{2}-?\d{5}",
    "mx_rfc": r"[A-Z&Ñ]{3,4}\d{6}[A-Z0-9]{3}",
    "no_vat": r"\d{9}MVA",
    "nz_gst": r"\d{8,9}",
    "sg_gst": r"M\d{8}[A-Z]",
    "us_ein": r"\d{2}-?\d{7}",
    "za_vat": r"\d{10}",
}
# What follows the country in a VAT id of the European Union (the VIES service's list of formats).
EU_VAT_FORMATS = {
    "AT": r"U\d{8}",
    "BE": r"[01]\d{9}",
    "BG": r"\d{9,10}",
    "CY": r"\d{8}[A-Z]",
    "CZ": r"\d{8,10}",
    "DE": r"\d{9}",
    "DK": r"\d{8}",
    "EE": r"\d{9}",
    "EL": r"\d{9}",
    "ES": r"[A-Z0-9]\d{7}[A-Z0-9]",
    "FI": r"\d{8}",
    "FR": r"[A-HJ-NP-Z0-9]{2}\d{9}",
    "HR": r"\d{11}",
    "HU": r"\d{8}",
    "IE": r"(\d[A-Z0-9+*]\d{5}[A-Z]|\d{7}[A-Z]{1,2})",
    "IT": r"\d{11}",
    "LT": r"(\d{9}|\d{12})",
    "LU": r"\d{8}",
    "LV": r"\d{11}",
    "MT": r"\d{8}",
    "NL": r"\d{9}B\d{2}",
    "PL": r"\d{10}",
    "PT": r"\d{9}",
    "RO": r"\d{2,10}",
    "SE": r"\d{12}",
    "SI": r"\d{8}",
    "SK": r"\d{10}",
    "XI": r"(\d{9}|\d{12}|GD\d{3}|HA\d{3})",
}
# Stripe asks these registers whether an id exists; it answers later.
VERIFIED_TYPES = ("au_abn", "eu_vat", "gb_vat")


@functools.cache
def known_types() -> tuple[str, ...]:
    """Return the types of tax ids of the API version."""
    return literals_of(parameter_types(CustomerTaxIdCreateParams)["type"])


@functools.cache
def known_countries() -> frozenset[str]:
    """Return the two-letter codes of the countries of the API version."""
    hint = parameter_types(SessionCreateParamsShippingAddressCollection)["allowed_countries"]
    return frozenset(literals_of(typing.get_args(hint)[0])) - {"ZZ"}


def literals_of(hint: Any) -> tuple[str, ...]:
    """Return the words of a type."""
    return tuple(word for option in union_members(hint) for word in literal_values(option))


def check_country(country: str, param: str = "address[country]") -> None:
    """Check the country of an address.

    Raises:
        ApiError: Stripe does not know the country.
    """
    if country not in known_countries():
        raise invalid_request(
            f"Country '{country}' is unknown. Try using a 2-character alphanumeric country code"
            " instead, such as 'US', 'EG', or 'GB'.",
            param,
        )


def check_tax_id(kind: str, value: str) -> tuple[str, str]:
    """Return a tax id as it is kept, and its country.

    Raises:
        ApiError: 400 `tax_id_invalid` if the type is unknown or the value has another format.
    """
    written = re.sub(r"\s+", " ", value).strip().upper()
    if kind not in known_types():
        raise invalid_request(f"Invalid type: {kind}", "type")
    if kind == "eu_vat":
        written = re.sub(r"[ .-]", "", written)
        known = EU_VAT_FORMATS.get(written[:2])
        fits = bool(known and re.fullmatch(known, written[2:], re.ASCII))
    else:
        fits = bool(re.fullmatch(FORMATS.get(kind, ANY_FORMAT), written, re.ASCII))
    if not fits:
        raise invalid_request(f"Invalid value for {kind}.", "value", "tax_id_invalid")
    country = written[:2] if kind == "eu_vat" else kind[:2].upper()
    return written, {"EL": "GR", "XI": "GB", "IC": "ES"}.get(country, country)
