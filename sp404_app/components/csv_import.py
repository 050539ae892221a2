"""Import of a CSV file: chosen, previewed and applied in the browser, through the API."""

import reflex as rx
from reflex.event import no_args_event_spec


class CsvImport(rx.NoSSRComponent):
    """File chooser, preview and Apply button; `on_close` is called by Cancel and Close.

    Its script is loaded when it is shown.
    """

    library = rx.asset("csv_import.jsx", shared=True).importable_path
    tag = "CsvImport"

    on_close: rx.EventHandler[no_args_event_spec]


csv_import = CsvImport.create
