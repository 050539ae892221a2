"""Amounts are formatted to the cent, in the language of the browser."""

import pytest

from sp404_app.services.billing import currency as money


@pytest.mark.parametrize(
    ("amount", "currency", "text"),
    [
        (2900, "usd", "$29.00"),
        (-1450, "usd", "−$14.50"),
        (5, "usd", "$0.05"),
        (0, "usd", "$0.00"),
        (123456789, "eur", "€1,234,567.89"),
        (500, "jpy", "¥500"),
        (100, "sek", "SEK1.00"),
        (29000, "kwd", "KWD29.000"),
        (-1250, "bhd", "−BHD1.250"),
        (1050, "rsd", "RSD10.50"),
        (-1099, "all", "−ALL10.99"),
        (1000, "rsd", "RSD10"),
        (500, "isk", "ISK5"),
    ],
)
def test_amounts_are_formatted_to_the_smallest_unit(amount: int, currency: str, text: str) -> None:
    assert money.format_amount(amount, currency) == text


@pytest.mark.parametrize(
    ("header", "text"),
    [
        ("", "$1,234.50"),
        ("en-GB,en;q=0.9", "US$1,234.50"),
        ("de-DE,de;q=0.9,en;q=0.8", "1.234,50\u00a0$"),
        ("de-CH", "$\u00a01’234.50"),
        ("fr", "1\u202f234,50\u00a0$US"),
        ("nl-NL", "US$\u00a01.234,50"),
        ("pt-BR,pt;q=0.9", "US$\u00a01.234,50"),
        ("pt-PT", "1\u00a0234,50\u00a0US$"),
        ("ja", "$1,234.50"),
        ("de-ZZ", "1.234,50\u00a0$"),
        ("<script>, x", "$1,234.50"),
        ("*", "$1,234.50"),
    ],
)
def test_amounts_follow_the_accept_language_header(header: str, text: str) -> None:
    assert money.format_amount(123450, "usd", money.parse_accept_language(header)) == text


@pytest.mark.parametrize(
    "language", ["en", "de", "de-ch", "fr", "hu", "id", "nb", "nl", "pt-pt", "tr"]
)
def test_every_language_keeps_all_digits_and_the_sign(language: str) -> None:
    text = money.format_amount(-123456789, "usd", language)
    assert "".join(filter(str.isdigit, text)) == "123456789"
    assert text.count("−") == 1


@pytest.mark.parametrize(
    ("amount", "currency", "language", "text"),
    [
        (2900, "usd", "en", "$29"),
        (2950, "usd", "en", "$29.50"),
        (0, "usd", "en", "$0"),
        (29000, "tnd", "en", "TND29"),
        (29010, "tnd", "en", "TND29.010"),
        (2000, "jod", "de", "2\u00a0JOD"),
        (100000, "jpy", "en", "¥100,000"),
        (1050, "lbp", "en", "LBP10.50"),
        (2900, "usd", "de", "29\u00a0$"),
        (100000, "usd", "en", "$1,000"),
        (500, "jpy", "en", "¥500"),
    ],
)
def test_short_amounts_drop_zero_decimals(
    amount: int, currency: str, language: str, text: str
) -> None:
    assert money.format_short_amount(amount, currency, language) == text
