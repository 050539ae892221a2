"""Open an external URL, such as Stripe Checkout, in the current tab."""

import reflex as rx


class ExternalRedirect(rx.Component):
    """Navigates to `to` as soon as it is not empty."""

    library = rx.asset("leave.jsx", shared=True).importable_path
    tag = "Leave"

    to: rx.Var[str]


external_redirect = ExternalRedirect.create
