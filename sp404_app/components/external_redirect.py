"""Going to a page that is not one of ours: the payment service's."""

import reflex as rx


class Leave(rx.Component):
    """Opens an address as soon as it is not empty."""

    library = rx.asset("leave.jsx", shared=True).importable_path
    tag = "Leave"

    to: rx.Var[str]


leave = Leave.create
