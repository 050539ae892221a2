"""Format Stripe amounts for display. No arithmetic: every amount comes from Stripe."""

import re
from decimal import Decimal
from functools import lru_cache
from typing import Final

from babel import Locale, UnknownLocaleError
from babel.numbers import format_currency, get_currency_precision

# Stripe's zero-decimal currencies, which may differ from ISO 4217 (docs.stripe.com/currencies).
ZERO_DECIMAL_CURRENCIES: Final = frozenset(
    "bif clp djf gnf jpy kmf krw mga pyg rwf ugx vnd vuv xaf xof xpf".split()  # noqa: SIM905
)
# Stripe's three-decimal currencies.
THREE_DECIMAL_CURRENCIES: Final = frozenset("bhd jod kwd omr tnd".split())  # noqa: SIM905


def parse_accept_language(header: str) -> str:
    """Return the first language of an Accept-Language header: "de-DE,de;q=0.9" gives "de-de"."""
    match = re.match(r"[a-z]{2,3}(-[a-z]{2}\b)?", header.strip().lower())
    return match[0] if match else "en"


def format_amount(amount: int, currency: str, language: str = "en") -> str:
    """Format an amount in the smallest currency unit: 2900 usd is "$29.00", 500 jpy is "¥500".

    `language` is a lower-case tag such as "de" or "pt-br"; the format follows Unicode CLDR
    ("29,00 $" for "de"). An unknown language falls back to English.
    """
    value, locale = Decimal(amount) / _minor_units(currency), _locale(language)
    # CLDR rounds currencies whose small coins are out of use, but Stripe charges the cents.
    rounds = value != round(value, get_currency_precision(currency.upper()))
    text = format_currency(value, currency.upper(), locale=locale, currency_digits=not rounds)
    return text.replace("-", "−")


def format_short_amount(amount: int, currency: str, language: str = "en") -> str:
    """Format an amount, leaving out zero decimals: 2900 usd is "$29"."""
    text = format_amount(amount, currency, language)
    decimals = {100: 2, 1000: 3}.get(_minor_units(currency), 0)
    if not decimals or amount % _minor_units(currency):
        return text
    return re.sub(rf"[.,]0{{{decimals}}}(?!.*\d)", "", text)


def _minor_units(currency: str) -> int:
    """Return how many of Stripe's smallest units make one unit of the currency."""
    if currency in ZERO_DECIMAL_CURRENCIES:
        return 1
    return 1000 if currency in THREE_DECIMAL_CURRENCIES else 100


@lru_cache(maxsize=200)
def _locale(language: str) -> Locale:
    for name in (language, language.partition("-")[0]):
        try:
            return Locale.parse(name, sep="-")
        except (UnknownLocaleError, ValueError):
            continue  # not in CLDR
    return Locale("en")
