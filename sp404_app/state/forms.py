"""Forms: read the fields that a page sent, and assign error messages to them."""

from collections.abc import Mapping

from sp404_app.errors import AppError, ValidationFailed

FORM = "form"  # key of the message for the whole form


def form_text(form: object, name: str) -> str:
    """Return a field exactly as typed: passwords may contain anything.

    Raises:
        ValidationFailed: If the field is missing or not text.
    """
    value = form.get(name) if isinstance(form, Mapping) else None
    if not isinstance(value, str):
        raise ValidationFailed("This form is incomplete. Reload the page and try again.")
    return value


def field_errors(error: AppError, *fields: str) -> dict[str, str]:
    """Return the error message of each named field; if there is none, one for the whole form."""
    messages = {
        name: str(error.details[name][0])
        for name in fields
        if isinstance(error.details.get(name), list) and error.details[name]
    }
    return messages or {FORM: str(error)}
