"""JavaScript components for cards: writing an export to a card, and reading a card.

They run in the browser because only the browser reaches the card, and the work goes on while a
dialog is closed or another page is opened.
"""

import reflex as rx
from reflex.event import no_args_event_spec

from sp404_app.components.scripts import publish_scripts
from sp404_app.services.plans import plans_url

ZIP_WRITER = "fflate@0.8.3"
HASHER = "@noble/hashes@2.4.0"

_ASSET = publish_scripts(
    lambda name: rx.asset(name, shared=True),
    "byte_size.js",
    "card_api.js",
    "card_archive.js",
    "card_backup.js",
    "card_checker.js",
    "card_drop.js",
    "card_folder.js",
    "card_hash.js",
    "card_hasher.js",
    "card_keys.jsx",
    "card_layout.js",
    "card_lock.js",
    "card_names.js",
    "card_plan.js",
    "card_progress.jsx",
    "card_reader.js",
    "card_reader_panel.jsx",
    "card_reader_place.jsx",
    "card_records.js",
    "card_task.js",
    "card_tree.js",
    "card_write_panel.jsx",
    "card_writer.js",
)


class CardWritePanel(rx.Component):
    """Writes an export to a card, with everything that is said on the way."""

    library = _ASSET["card_write_panel.jsx"]
    tag = "CardWritePanel"
    lib_dependencies: list[str] = [ZIP_WRITER, HASHER]

    project_id: rx.Var[str]
    export_id: rx.Var[str]
    device: rx.Var[str]
    place: rx.Var[str]
    slot: rx.Var[str]


class CardKeys(rx.Component):
    """Keys that open the export and the check of a project."""

    library = _ASSET["card_keys.jsx"]
    tag = "CardKeys"

    on_export: rx.EventHandler[no_args_event_spec]
    on_check: rx.EventHandler[no_args_event_spec]


class CardReaderPanel(rx.Component):
    """The dialog that reads a card, and a line while it is closed; on every page."""

    library = _ASSET["card_reader_place.jsx"]
    tag = "CardReaderPanel"
    lib_dependencies: list[str] = [HASHER]

    plans_url: rx.Var[str]  # where more storage is offered; not set without billing


class ReadCardButton(rx.Component):
    """Button that asks for the folder of a card."""

    library = _ASSET["card_reader_panel.jsx"]
    tag = "ReadCardButton"
    lib_dependencies: list[str] = [HASHER]

    test_id: rx.Var[str]


class ReadZipButton(rx.Component):
    """Button that asks for a ZIP archive of a card."""

    library = _ASSET["card_reader_panel.jsx"]
    tag = "ReadZipButton"
    lib_dependencies: list[str] = [HASHER]

    test_id: rx.Var[str]


card_keys = CardKeys.create
read_card_button = ReadCardButton.create
read_zip_button = ReadZipButton.create
card_write_panel = CardWritePanel.create


def card_reader_panel() -> rx.Component:
    """Render the dialog that reads a card."""
    url = plans_url()
    return CardReaderPanel.create(plans_url=url) if url else CardReaderPanel.create()
