"""What pages do for the service worker: see `service_worker.js`."""

import reflex as rx

from sp404_app.components import player
from sp404_app.components.scripts import publish_scripts

# Its upload queue is imported by a script of this module.
__all__ = ["offline_library", "player", "signed_out_check"]

_ASSET = publish_scripts(
    lambda name: rx.asset(name, shared=True),
    "offline_library.jsx",
    "signed_out_check.jsx",
    "worker_messages.js",
)


class OfflineLibrary(rx.Component):
    """Keeps the library's names for offline use; a line offers recordings shared from the phone."""

    library = _ASSET["offline_library.jsx"]
    tag = "OfflineLibrary"


class SignedOutCheck(rx.Component):
    """Erases what the browser keeps of an account whose session has ended; shows nothing."""

    library = _ASSET["signed_out_check.jsx"]
    tag = "SignedOutCheck"


offline_library = OfflineLibrary.create
signed_out_check = SignedOutCheck.create
