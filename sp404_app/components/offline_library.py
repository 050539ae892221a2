"""What pages do for the service worker: see `service_worker.js`."""

import reflex as rx

from sp404_app.components import player

# Its upload queue is imported by the script of this module.
__all__ = ["offline_library", "player", "signed_out_check"]


class OfflineLibrary(rx.Component):
    """Keeps the library's names for offline use; a line offers recordings shared from the phone."""

    library = rx.asset("offline_library.jsx", shared=True).importable_path
    tag = "OfflineLibrary"


class SignedOutCheck(rx.Component):
    """Erases what the browser keeps of an account whose session has ended; shows nothing."""

    library = OfflineLibrary.library
    tag = "SignedOutCheck"


offline_library = OfflineLibrary.create
signed_out_check = SignedOutCheck.create
