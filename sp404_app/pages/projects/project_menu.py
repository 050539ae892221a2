"""The menu of the pad page: the pad sheet, sharing, and the patterns of the project."""

import reflex as rx

from sp404_app.components.menus import menu_button, menu_item
from sp404_app.components.server_link import server_link
from sp404_app.state.projects.pads import PadsState
from sp404_app.state.sharing.share import ShareState

HEAD = PadsState.head


def project_menu() -> rx.Component:
    """The menu; patterns are in it if the project has some."""
    sheet = f"/api/projects/{HEAD.id}/sheet"
    picture = f"{sheet}?format=png&bank={PadsState.bank}"
    return menu_button(
        download_item("Pad sheet (PDF)", sheet, "sheet-pdf"),
        download_item(f"Pad sheet of bank {PadsState.bank} (PNG)", picture, "sheet-png"),
        menu_item("Share…", "menu-share", on_click=ShareState.open_for_project(HEAD.id)),
        rx.cond(
            HEAD.patterns > 0,
            menu_item(
                f"Patterns ({HEAD.patterns})",
                "open-patterns",
                on_click=PadsState.act("patterns", ""),
            ),
        ),
        label="Pad sheet, sharing and patterns",
        test_id="pads-menu",
    )


def download_item(text: str | rx.Var[str], address: str, test_id: str) -> rx.Component:
    """An item of a menu that saves a file."""
    return server_link(
        text,
        href=address,
        download=True,
        role="menuitem",
        class_name="menu-item",
        data_testid=test_id,
    )
