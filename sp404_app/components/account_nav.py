"""The navigation of the account page, and the sender of a picture."""

import reflex as rx


class SectionNav(rx.Component):
    """Links to the sections of a page; the one that is read is marked.

    `sections` are pairs of the id of an element and its label, in the order of the page.
    """

    library = rx.asset("account_nav.jsx", shared=True).importable_path
    tag = "SectionNav"

    sections: rx.Var[list[tuple[str, str]]]


class PictureDrop(rx.Component):
    """Submits the form of the file input with the id `field` once it has a picture."""

    library = rx.asset("account_nav.jsx", shared=True).importable_path
    tag = "PictureDrop"

    field: rx.Var[str]


section_nav = SectionNav.create
picture_drop = PictureDrop.create
