"""Forms: reading what was sent, and saying beside each field what was wrong with it."""

from collections.abc import Mapping

from sp404_app.errors import AppError, ValidationFailed

FORM = "form"


def raw(form: object, name: str) -> str:
    """Return a field exactly as it was typed; a password may hold anything.

    Raises:
        ValidationFailed: If there is no such text.
    """
    value = form.get(name) if isinstance(form, Mapping) else None
    if not isinstance(value, str):
        raise ValidationFailed("This form is not complete. Please load the page again.")
    return value


def problems(error: AppError, *fields: str) -> dict[str, str]:
    """Return one message for each of these fields that a service refused; else one for the form."""
    found = {
        name: str(error.details[name][0])
        for name in fields
        if isinstance(error.details.get(name), list) and error.details[name]
    }
    return found or {FORM: str(error)}
