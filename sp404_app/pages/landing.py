"""/: what it is, in five seconds."""

import reflex as rx

from sp404_app.components.brand import Typeface, brand
from sp404_app.services.plans import PLANS, Plan
from sp404_app.state.formatting import size

STEPS = (
    (
        "Drop",
        "Whole folders at once: WAV, AIFF, FLAC, MP3, Ogg, M4A. What you have already is "
        "recognised, broken files are named, and your originals are never touched.",
    ),
    (
        "See",
        "Waveform, tempo and key within a second, from an ear that knows what a loop is. "
        "Every value shows how sure it is, and yours always wins.",
    ),
    (
        "Find",
        "Type half a word, set a tempo range, ask for keys that go together. Arrow keys play "
        "as you move, evened out in loudness. Ten thousand sounds scroll like ten.",
    ),
)

TEXTS = ("Terms", "Privacy", "Contact")


def index() -> rx.Component:
    """The front door."""
    return rx.el.div(
        Typeface.create(),
        rx.el.header(
            brand(),
            rx.el.span(class_name="grow"),
            rx.el.a("Sign in", href="/login", class_name="button ghost"),
            rx.el.a("Start free", href="/signup", class_name="button primary"),
            class_name="front-bar",
        ),
        rx.el.main(hero(), steps(), plans(), id="content"),
        rx.el.footer(
            rx.el.span("Not affiliated with Roland. SP-404 is a trademark of its owner."),
            rx.el.a("API", href="/api/docs", class_name="link"),
            *(rx.el.a(name, href=f"/{name.lower()}", class_name="link") for name in TEXTS),
            class_name="front-foot",
        ),
        class_name="front",
    )


def hero() -> rx.Component:
    """One sentence, one button, the real thing in a picture."""
    return rx.el.section(
        rx.el.div(
            rx.el.p("For SP-404 MKII, SX and A", class_name="label"),
            rx.el.h1("Know every sound you own."),
            rx.el.p(
                "Drop the folder with the bad names. Get a library that knows tempo and key, "
                "answers while you type, and plays under your arrow keys.",
                class_name="lead",
            ),
            rx.el.div(
                rx.el.a("Start free", href="/signup", class_name="button primary large"),
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
    """What one does here."""
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
    """The three plans."""
    return rx.el.section(
        rx.el.h2("Plans"),
        rx.el.p(
            "Begin free, try Pro for 14 days, change or cancel at any time. "
            "Hearing, downloading and deleting your sounds stay open on every plan.",
            class_name="muted",
        ),
        rx.el.div(*(card(plan) for plan in PLANS.values()), class_name="plans"),
        class_name="front-plans",
    )


def card(plan: Plan) -> rx.Component:
    """One plan."""
    storage = size(plan.storage_bytes) if plan.storage_bytes else "Unlimited"
    analyses = f"{plan.analyses_per_month:,}" if plan.analyses_per_month else "Unlimited"
    return rx.el.article(
        rx.el.h3(plan.name),
        rx.el.p(
            rx.el.span(f"${plan.price_cents // 100}", class_name="price mono"),
            rx.el.span(" a month", class_name="muted"),
        ),
        rx.el.ul(
            rx.el.li(rx.el.span(storage, class_name="mono"), " storage"),
            rx.el.li(rx.el.span(analyses, class_name="mono"), " analyses a month"),
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
