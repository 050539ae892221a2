"""Remove the `setvar` handler that Reflex adds to every state.

A browser may call every public method of a state. Our setters validate; `setvar` would not.
"""

from reflex_base.registry import RegistrationContext

SETVAR_SUFFIX = ".setvar"


def remove_setvar_handlers() -> None:
    """Remove the `setvar` handlers of all states from Reflex's registry."""
    handlers = RegistrationContext.get().event_handlers
    for name in [name for name in handlers if name.endswith(SETVAR_SUFFIX)]:
        del handlers[name]
