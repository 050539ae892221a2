"""Help with forms: errors disappear as they are mended, and a password can be shown."""

import reflex as rx


class FormHelp(rx.Component):
    """Hides an error once its field is changed, and moves the focus to the first new error.

    One for each page; it works for all forms of the page.
    """

    library = rx.asset("form_help.jsx", shared=True).importable_path
    tag = "FormHelp"


class ShowPassword(rx.Component):
    """A button that shows what is typed into the input with the id `field`, and hides it again."""

    library = rx.asset("form_help.jsx", shared=True).importable_path
    tag = "ShowPassword"

    field: rx.Var[str]
    label: rx.Var[str]


form_help = FormHelp.create
show_password = ShowPassword.create
