"""What a browser may call. Reflex makes an event of every public method, and adds `setvar`."""

from reflex_base.registry import RegistrationContext

UNUSED = ".setvar"


def narrow() -> None:
    """Take `setvar` off every state: we write our setters ourselves, and they check."""
    handlers = RegistrationContext.get().event_handlers
    for name in [name for name in handlers if name.endswith(UNUSED)]:
        del handlers[name]
