"""The landing page: what the product is, how it works, and the plans."""

import reflex as rx

from sp404_app.components.brand import Typeface, brand
from sp404_app.components.server_link import server_link
from sp404_app.components.theme import theme_choice
from sp404_app.services.plans import PLANS, Plan
from sp404_app.settings import settings
from sp404_app.state.formatting import format_size

STEPS = (
    (
        "Drop",
        "Add whole folders: WAV, AIFF, FLAC, MP3, Ogg, M4A. Duplicates are skipped, broken files "
        "are listed, and your originals are never changed.",
    ),
    (
        "See",
        "Waveform, tempo and key within a second, and loops told apart from one-shots. "
        "Every value shows its confidence, and your corrections always win.",
    ),
    (
        "Find",
        "Type part of a name, set a tempo range, filter by compatible keys. Arrow keys play "
        "sounds as you move, at even loudness. Ten thousand sounds scroll like ten.",
    ),
)

TEXTS = ("Terms", "Privacy", "Contact")


def index() -> rx.Component:
    """Render the landing page."""
    return rx.el.div(
        Typeface.create(),
        rx.el.header(
            brand(),
            rx.el.span(class_name="grow"),
            rx.el.a("Sign in", href="/login", class_name="button ghost"),
            rx.el.a(sign_up_text(), href="/signup", class_name="button primary"),
            class_name="front-bar",
        ),
        rx.el.main(hero(), steps(), *([plans()] if settings().billing else []), id="content"),
        rx.el.footer(
            rx.el.span("Not affiliated with Roland. SP-404 is a trademark of its owner."),
            server_link("API", href="/api/docs", class_name="link"),
            *(server_link(name, href=f"/{name.lower()}", class_name="link") for name in TEXTS),
            theme_choice(),
            class_name="front-foot",
        ),
        class_name="front",
    )


def sign_up_text() -> str:
    """Return the words on the buttons that lead to the sign-up."""
    return "Start free" if settings().billing else "Create account"


def hero() -> rx.Component:
    """Render the headline, the sign-up button and a picture of the library."""
    return rx.el.section(
        rx.el.div(
            rx.el.p("For SP-404 MKII, SX and A", class_name="label"),
            rx.el.h1("Know every sound you own."),
            rx.el.p(
                "Drop your sample folders. Get a library that knows tempo and key, searches as "
                "you type, and plays with the arrow keys.",
                class_name="lead",
            ),
            rx.el.div(
                rx.el.a(sign_up_text(), href="/signup", class_name="button primary large"),
                rx.el.a("Sign in", href="/login", class_name="button large"),
                class_name="row",
            ),
            class_name="hero-text",
        ),
        rx.el.figure(
            rx.el.picture(
                rx.el.source(media="(max-width: 700px)", src_set="/library-phone.webp"),
                rx.el.img(
                    src="/library.webp",
                    alt="The library: a list of sounds with waveforms, tempo, key and tags",
                    width="1440",
                    height="900",
                ),
            ),
            class_name="hero-picture",
        ),
        class_name="hero",
    )


def steps() -> rx.Component:
    """Render the three steps: drop, see, find."""
    return rx.el.section(
        *(
            rx.el.article(
                rx.el.span(class_name=f"step-pad step-{number}", aria_hidden="true"),
                rx.el.h2(title),
                rx.el.p(text, class_name="muted"),
            )
            for number, (title, text) in enumerate(STEPS, 1)
        ),
        class_name="steps",
        aria_label="How it works",
    )


def plans() -> rx.Component:
    """Render the three plans."""
    return rx.el.section(
        rx.el.h2("Plans"),
        rx.el.p(
            "Start free, try Pro for 14 days, change or cancel anytime. "
            "You can always play, download and delete your sounds.",
            class_name="muted",
        ),
        rx.el.div(*(card(plan) for plan in PLANS.values()), class_name="plans"),
        class_name="front-plans",
    )


def yearly_text(plan: Plan) -> str:
    """Return the yearly price as text: "or $290 per year, two months free"."""
    if not plan.price_cents:
        return "no card needed"
    months = 12 - plan.yearly_price_cents // plan.price_cents
    free = {1: ", one month free", 2: ", two months free"}.get(months, "")
    return f"or ${plan.yearly_price_cents // 100} per year{free}"


def card(plan: Plan) -> rx.Component:
    """Render one plan."""
    storage = format_size(plan.storage_bytes) if plan.storage_bytes else "Unlimited"
    analyses = f"{plan.analyses_per_month:,}" if plan.analyses_per_month else "Unlimited"
    return rx.el.article(
        rx.el.h3(plan.name),
        rx.el.p(
            rx.el.span(f"${plan.price_cents // 100}", class_name="price mono"),
            rx.el.span(" per month", class_name="muted"),
            rx.el.span(yearly_text(plan), class_name="muted plan-year"),
        ),
        rx.el.ul(
            rx.el.li(rx.el.span(storage, class_name="mono"), " storage"),
            rx.el.li(rx.el.span(analyses, class_name="mono"), " analyses per month"),
            rx.el.li("Waveform and loudness for every sound"),
        ),
        rx.el.a(
            f"Try {plan.name} for {plan.trial_days} days"
            if plan.trial_days
            else f"Choose {plan.name}"
            if plan.price_cents
            else "Start free",
            href="/plans" if plan.price_cents else "/signup",
            class_name="button",
        ),
        class_name="card plan",
    )
