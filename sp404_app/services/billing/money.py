"""Amounts as people read them. Nothing is ever added up here: every amount is Stripe's."""

import re
from dataclasses import dataclass
from typing import Final

SYMBOLS: Final = {"usd": "$", "eur": "€", "gbp": "£", "jpy": "¥", "cad": "CA$", "aud": "A$"}
WHOLE: Final = frozenset(
    "bif clp djf gnf jpy kmf krw mga pyg rwf ugx vnd vuv xaf xof xpf".split()  # noqa: SIM905
)
SPACE: Final = "\u00a0"  # that no line breaks at


@dataclass(frozen=True, slots=True)
class Custom:
    """How a language writes numbers, and on which side of them a currency stands."""

    thousands: str = ","
    point: str = "."
    after: bool = False
    apart: bool = False


ENGLISH: Final = Custom()
_DOTS = Custom(".", ",", after=True, apart=True)
_SPACES = Custom(SPACE, ",", after=True, apart=True)
# As the Unicode Common Locale Data Repository has it for each language's largest country.
CUSTOMS: Final = {
    **dict.fromkeys("da de es hr it ro sl".split(), _DOTS),  # noqa: SIM905
    **dict.fromkeys("bg cs fi fr hu nb no pl ru sk sv uk".split(), _SPACES),  # noqa: SIM905
    **dict.fromkeys(("id", "nl", "pt"), Custom(".", ",", apart=True)),
    "de-ch": Custom("’", ".", apart=True),
    "pt-pt": _SPACES,
    "tr": Custom(".", ","),
}


def language(header: str) -> str:
    """Return what a browser's Accept-Language asks for first: "de-DE,de;q=0.9" is "de-de"."""
    found = re.match(r"[a-z]{2,3}(-[a-z]{2}\b)?", header.strip().lower())
    return found[0] if found else "en"


def written(amount: int, currency: str, tongue: str = "en") -> str:
    """Write an amount of the smallest unit: 2900 usd is "$29.00", 500 jpy is "¥500".

    `tongue` is a language as `language` returns it: "de" makes "29,00 $" of the first. One that
    we do not know is treated as English.
    """
    custom = CUSTOMS.get(tongue) or CUSTOMS.get(tongue.partition("-")[0], ENGLISH)
    sign, units = ("−" if amount < 0 else ""), abs(amount)
    whole, rest = (units, "") if currency in WHOLE else (units // 100, f"{units % 100:02d}")
    number = f"{whole:,}".replace(",", custom.thousands) + (custom.point + rest if rest else "")
    symbol = SYMBOLS.get(currency, currency.upper())
    gap = SPACE if custom.apart or currency not in SYMBOLS else ""
    parts = (number, gap, symbol) if custom.after else (symbol, gap, number)
    return sign + "".join(parts)


def short(amount: int, currency: str, tongue: str = "en") -> str:
    """Write an amount without its cents, if it has none: 2900 usd is "$29"."""
    text = written(amount, currency, tongue)
    return text if currency in WHOLE or amount % 100 else re.sub(r"[.,]00(?!\d)", "", text)
