"""Open an external URL, such as Stripe Checkout, in the current tab."""

import reflex as rx


class ExternalRedirect(rx.Component):
    """Navigates to `to` as soon as it is not empty."""

    library = rx.asset("external_redirect.jsx", shared=True).importable_path
    tag = "ExternalRedirect"

    to: rx.Var[str]


external_redirect = ExternalRedirect.create
