"""Amounts as people read them. Nothing is ever added up here: every amount is Stripe's."""

import re
from decimal import Decimal
from functools import lru_cache
from typing import Final

from babel import Locale, UnknownLocaleError
from babel.numbers import format_currency, get_currency_precision

# Stripe counts these in whole units, whatever else is written of them (docs.stripe.com/currencies).
WHOLE: Final = frozenset(
    "bif clp djf gnf jpy kmf krw mga pyg rwf ugx vnd vuv xaf xof xpf".split()  # noqa: SIM905
)
# … and these in thousandths.
THOUSANDTHS: Final = frozenset("bhd jod kwd omr tnd".split())  # noqa: SIM905


def language(header: str) -> str:
    """Return what a browser's Accept-Language asks for first: "de-DE,de;q=0.9" is "de-de"."""
    found = re.match(r"[a-z]{2,3}(-[a-z]{2}\b)?", header.strip().lower())
    return found[0] if found else "en"


def written(amount: int, currency: str, tongue: str = "en") -> str:
    """Write an amount of the smallest unit: 2900 usd is "$29.00", 500 jpy is "¥500".

    `tongue` is a language as `language` returns it: "de" makes "29,00 $" of the first, as the
    Unicode Common Locale Data Repository has it. One that is not known there is English.
    """
    value, locale = Decimal(amount) / _units(currency), _locale(tongue)
    # The repository rounds currencies whose small coins are out of use; Stripe charges the cents.
    rounds = value != round(value, get_currency_precision(currency.upper()))
    text = format_currency(value, currency.upper(), locale=locale, currency_digits=not rounds)
    return text.replace("-", "−")


def short(amount: int, currency: str, tongue: str = "en") -> str:
    """Write an amount without its cents, if it has none: 2900 usd is "$29"."""
    text = written(amount, currency, tongue)
    decimals = {100: 2, 1000: 3}.get(_units(currency), 0)
    if not decimals or amount % _units(currency):
        return text
    return re.sub(rf"[.,]0{{{decimals}}}(?!.*\d)", "", text)


def _units(currency: str) -> int:
    """Return how many of Stripe's units make one of a currency."""
    return 1 if currency in WHOLE else 1000 if currency in THOUSANDTHS else 100


@lru_cache(maxsize=200)
def _locale(tongue: str) -> Locale:
    for name in (tongue, tongue.partition("-")[0]):
        try:
            return Locale.parse(name, sep="-")
        except (UnknownLocaleError, ValueError):
            continue  # a country or a language that nobody wrote down
    return Locale("en")
