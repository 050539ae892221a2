"""The landing page: what the product is, how it works, and the plans."""

from typing import Literal

import reflex as rx

from sp404_app.components.brand import brand, style_sheet
from sp404_app.components.front_pads import front_pads
from sp404_app.components.server_link import server_link
from sp404_app.components.theme import theme_choice
from sp404_app.services.plans import PLANS, RECOMMENDED, Plan
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
        "Type part of a name or how it sounds, set a tempo range, filter by compatible keys. "
        "Arrow keys play sounds as you move, at even loudness.",
    ),
    (
        "Put it on pads",
        "Banks of pads as on your SP-404, played with keys, mouse or MIDI. Trim, chop, stretch to "
        "the project’s tempo, set loops, levels and mute groups.",
    ),
    (
        "Take it to the device",
        "Write the project onto an SD card in your model’s own format, or read a card back. "
        "Every file on it is read before it is replaced.",
    ),
    (
        "Share it",
        "Send a link to a sound, a collection or a kit that others can play. "
        "Nothing is public until you share it.",
    ),
)
LIBRARY_ALT = "The library: a list of sounds with waveforms, tags, tempo, key and class"
PADS_ALT = "A project: sixteen pads with waveforms, and the settings of the one that plays"

TEXTS = ("Terms", "Privacy", "Contact")


def index() -> rx.Component:
    """Render the landing page."""
    return rx.el.div(
        style_sheet("/front.css"),
        rx.el.header(
            brand(),
            rx.el.span(class_name="grow"),
            rx.el.a("Sign in", href="/login", class_name="button ghost"),
            rx.el.a(sign_up_text(), href="/signup", class_name="button primary"),
            class_name="front-bar",
        ),
        rx.el.main(
            hero(),
            steps(),
            library_picture(),
            *([plans()] if settings().billing else []),
            id="content",
        ),
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
    """Render the headline, the sign-up button, pads to play and a picture of a project."""
    return rx.el.section(
        rx.el.div(
            rx.el.p("For SP-404 MKII, SX and A", class_name="label"),
            rx.el.h1("Know every sound you own."),
            rx.el.p(
                "Drop your sample folders. Every sound gets its tempo and key. Find what fits, "
                "put it on pads and take it to your SP-404 on an SD card.",
                class_name="lead",
            ),
            rx.el.div(
                rx.el.a(sign_up_text(), href="/signup", class_name="button primary large"),
                rx.el.a("Sign in", href="/login", class_name="button large"),
                class_name="row",
            ),
            class_name="hero-text",
        ),
        play(),
        product_picture("pads", PADS_ALT),
        class_name="hero",
    )


def play() -> rx.Component:
    """Render pads that a visitor plays."""
    return rx.el.div(
        rx.el.p(
            "Try it: press the pads",
            rx.el.span(
                ", or the keys ", rx.el.kbd("1"), " to ", rx.el.kbd("8"), class_name="front-keys"
            ),
            ". The first two are loops.",
            class_name="muted",
        ),
        front_pads(),
        class_name="front-play",
    )


def product_picture(
    name: str, alt: str, loading: Literal["eager", "lazy"] = "eager"
) -> rx.Component:
    """A picture of a page, with one of its own for phones; `assets` holds both.

    Reflex makes styles of `width` and `height`. As attributes, they keep the place free.
    """
    return rx.el.figure(
        rx.el.picture(
            rx.el.source(
                media="(max-width: 700px)",
                src_set=f"/{name}-phone.webp",
                custom_attrs={"width": "780", "height": "1688"},
            ),
            rx.el.img(
                src=f"/{name}.webp",
                alt=alt,
                loading=loading,
                custom_attrs={"width": "1440", "height": "900"},
            ),
        ),
        class_name="hero-picture",
    )


def library_picture() -> rx.Component:
    """Render the picture of the library, which is loaded once it is nearly in view."""
    return rx.el.section(
        product_picture("library", LIBRARY_ALT, "lazy"),
        class_name="front-picture",
        aria_label="The library",
    )


def steps() -> rx.Component:
    """Render what the product does, step by step."""
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
    is_recommended = plan.tier == RECOMMENDED
    return rx.el.article(
        rx.el.h3(
            plan.name,
            *([rx.el.span("Recommended", class_name="badge")] if is_recommended else []),
        ),
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
            class_name="button primary" if is_recommended else "button",
        ),
        class_name="card plan plan-recommended" if is_recommended else "card plan",
    )
