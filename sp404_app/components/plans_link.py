"""Link to the page of the plans, where there are plans."""

import reflex as rx

from sp404_app.services.plans import plans_url


def plans_link(text: str | rx.Var[str]) -> rx.Component:
    """Render the link; nothing without billing."""
    url = plans_url()
    return rx.el.a(text, href=url, class_name="link") if url else rx.fragment()
