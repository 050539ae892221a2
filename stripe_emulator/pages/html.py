"""Page layout and HTML components of the hosted pages."""

from dataclasses import dataclass
from html import escape
from string import Template

from stripe_emulator.objects import Object
from stripe_emulator.periods import format_day

STYLE = """
:root{color-scheme:dark}*{box-sizing:border-box}
body{margin:0;background:#0d0f12;color:#e8eaed;font:16px/1.5 system-ui,sans-serif}
.ribbon{background:#ffb000;color:#1a1200;text-align:center;font-weight:700;padding:6px 12px}
main{max-width:30rem;margin:0 auto;padding:24px 16px 64px}main.wide{max-width:44rem}
h1{font-size:1.35rem;margin:.5rem 0}h2{font-size:1.05rem;margin:2rem 0 .5rem}
h3{font-size:1rem;margin:2rem 0 .5rem}
.amount{font-size:2rem;font-weight:700;margin:0}.quiet{color:#a5adba}
label{display:block;margin:14px 0 4px;font-size:.92rem}
input,select{width:100%;min-height:44px;padding:9px 12px;border:1px solid #4a5260;
border-radius:8px;background:#171a1f;color:inherit;font:inherit}
.pair{display:grid;grid-template-columns:1fr 1fr;gap:12px}
button,.button{display:inline-block;min-height:44px;padding:10px 18px;border:0;border-radius:8px;
background:#ff7a1a;color:#190b00;font:inherit;font-weight:700;cursor:pointer;text-decoration:none}
button.full{width:100%;margin-top:20px}button.plain,.button.plain{background:#2a2f38;color:#e8eaed}
a{color:#ffa45c}:focus-visible{outline:3px solid #6db3ff;outline-offset:2px}
.error{border:1px solid #ff6b6b;background:#2b1416;border-radius:8px;padding:10px 14px}
.note{border:1px solid #3f8f5f;background:#10231a;border-radius:8px;padding:10px 14px}
.scroll{overflow-x:auto}table{border-collapse:collapse;width:100%}
td,th{padding:8px 6px;border-bottom:1px solid #2a2f38;text-align:left}
td.number,th.number{text-align:right;white-space:nowrap}
section{border:1px solid #2a2f38;border-radius:12px;padding:4px 16px 16px;margin:16px 0}
form.row{display:inline-block;margin:6px 8px 0 0}
"""
DOCUMENT = Template("""<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex"><title>$title</title><style>$style</style></head>
<body><div class="ribbon" role="note" data-testid="test-mode-ribbon">TEST MODE – this is a Stripe
emulator; no real card is charged</div><main class="$kind">$body</main></body></html>
""")


@dataclass(frozen=True, slots=True)
class Page:
    """An HTML page."""

    title: str
    body: str
    status: int = 200
    wide: bool = False

    def render(self) -> str:
        """Return the HTML document."""
        kind = "wide" if self.wide else "narrow"
        return DOCUMENT.substitute(title=escape(self.title), style=STYLE, body=self.body, kind=kind)


@dataclass(frozen=True, slots=True)
class Redirect:
    """A redirect to another URL."""

    url: str


@dataclass(frozen=True, slots=True)
class File:
    """A file to download."""

    name: str
    content: bytes


# docs.stripe.com/currencies
ZERO_DECIMAL_CURRENCIES = "bif clp djf gnf jpy kmf krw mga pyg rwf ugx vnd vuv xaf xof xpf".split()  # noqa: SIM905
THREE_DECIMAL_CURRENCIES = "bhd jod kwd omr tnd".split()  # noqa: SIM905


def format_money(cents: int, currency: str) -> str:
    """Format an amount given in the currency's smallest unit."""
    digits = (
        0
        if currency in ZERO_DECIMAL_CURRENCIES
        else 3
        if currency in THREE_DECIMAL_CURRENCIES
        else 2
    )
    sign, whole = "-" if cents < 0 else "", f"{abs(cents) / 10**digits:,.{digits}f}"
    return f"{sign}${whole}" if currency == "usd" else f"{sign}{whole} {escape(currency.upper())}"


def format_date(moment: int | None) -> str:
    """Format the date of a Unix time."""
    return format_day(moment) if moment is not None else "–"


def input_field(name: str, label: str, testid: str, **attributes: str) -> str:
    """Return an input with its label."""
    extra = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(value)}"'
        for key, value in attributes.items()
    )
    return (
        f'<label for="{name}">{escape(label)}</label>'
        f'<input id="{name}" name="{name}" data-testid="{testid}"{extra}>'
    )


def card_fields(prefix: str, *, required: bool) -> str:
    """Return the inputs for a card."""
    must = {"required": "required"} if required else {}
    number = input_field(
        "number",
        "Card number",
        f"{prefix}-card-number",
        inputmode="numeric",
        autocomplete="cc-number",
        placeholder="4242 4242 4242 4242",
        **must,
    )
    expiry = input_field(
        "expiry",
        "Expires (MM / YY)",
        f"{prefix}-card-expiry",
        autocomplete="cc-exp",
        placeholder="12 / 34",
        **must,
    )
    cvc = input_field(
        "cvc",
        "Security code",
        f"{prefix}-card-cvc",
        inputmode="numeric",
        autocomplete="cc-csc",
        placeholder="123",
        **must,
    )
    return f'{number}<div class="pair"><div>{expiry}</div><div>{cvc}</div></div>'


def error_message(message: str | None, prefix: str) -> str:
    """Return an error message with `role="alert"`, or an empty string."""
    if not message:
        return ""
    text = escape(message)
    return f'<p class="error" role="alert" data-testid="{prefix}-error">{text}</p>'


def submit_button(text: str, testid: str, kind: str = "full") -> str:
    """Return the submit button of a form."""
    return f'<button class="{kind}" type="submit" data-testid="{testid}">{escape(text)}</button>'


def action_button(action: str, text: str, testid: str, value: str) -> str:
    """Return a form that consists of one button."""
    return (
        '<form class="row" method="post">'
        f'<input type="hidden" name="action" value="{action}">'
        f'<input type="hidden" name="value" value="{escape(value)}">'
        f"{submit_button(text, testid, 'plain')}</form>"
    )


def back_link(url: str | None, testid: str, text: str = "Back") -> str:
    """Return a link back to the product, or an empty string."""
    if not url:
        return ""
    return f'<p><a href="{escape(url)}" data-testid="{testid}">← {escape(text)}</a></p>'


def card_label(method: Object | None) -> str:
    """Return a card as text, such as `Visa •••• 4242`."""
    if method is None:
        return "No card"
    card = method["card"]
    return f"{card['brand'].title()} •••• {card['last4']}"


def not_available(message: str) -> Page:
    """Return a 404 page with a message."""
    body = f'<h1>Not available</h1><p data-testid="gone">{escape(message)}</p>'
    return Page("Not available", body, 404)
