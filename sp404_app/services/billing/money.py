"""Amounts as people read them. Nothing is ever added up here: every amount is Stripe's."""

from typing import Final

SYMBOLS: Final = {"usd": "$", "eur": "€", "gbp": "£", "jpy": "¥", "cad": "CA$", "aud": "A$"}
WHOLE: Final = frozenset(
    "bif clp djf gnf jpy kmf krw mga pyg rwf ugx vnd vuv xaf xof xpf".split()  # noqa: SIM905
)


def written(amount: int, currency: str) -> str:
    """Write an amount of the smallest unit: 2900 usd is "$29.00", 500 jpy is "¥500"."""
    symbol = SYMBOLS.get(currency, f"{currency.upper()} ")
    sign, units = ("−" if amount < 0 else ""), abs(amount)
    if currency in WHOLE:
        return f"{sign}{symbol}{units:,}"
    return f"{sign}{symbol}{units // 100:,}.{units % 100:02d}"
