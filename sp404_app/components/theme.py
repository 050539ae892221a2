"""The theme: System, Dark or Light, remembered by the browser, also before signing in."""

from typing import Final

import reflex as rx
from reflex.event import passthrough_event_spec

# In the head of every page, so that the first paint has the right colours. Without a choice the
# theme is dark, or the one that `data-theme-choice` of the root element states.
# `data-theme-kept` says that this browser has a choice of its own.
THEME_SCRIPT: Final = """(() => {
  const root = document.documentElement.dataset;
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const apply = () => {
    let choice = root.themeChoice;
    try {
      choice = localStorage.getItem("sp404-theme") || choice;
      root.themeKept = localStorage.getItem("sp404-theme") || "";
    } catch {}
    choice = ["system", "light"].includes(choice) ? choice : "dark";
    root.themeChoice = choice;
    root.theme = choice === "system" ? (dark.matches ? "dark" : "light") : choice;
    dispatchEvent(new Event("themechange"));
  };
  apply();
  dark.addEventListener("change", apply);
  addEventListener("storage", apply);
})();"""


def theme_script() -> rx.Component:
    """Return the inline script that applies the theme before the first paint."""
    return rx.el.script(THEME_SCRIPT)


class ThemeChoice(rx.Component):
    """Radio buttons for the theme; `on_chosen` gets "system", "dark" or "light"."""

    library = rx.asset("theme.jsx", shared=True).importable_path
    tag = "ThemeChoice"

    on_chosen: rx.EventHandler[passthrough_event_spec(str)]


class ThemeReport(rx.Component):
    """Reports the theme that is shown ("dark" or "light") where it is not the `drawn` one.

    `preferred` is the choice of the account; "" until it is known.
    """

    library = rx.asset("theme.jsx", shared=True).importable_path
    tag = "ThemeReport"

    drawn: rx.Var[str]
    preferred: rx.Var[str]

    on_shown: rx.EventHandler[passthrough_event_spec(str)]


theme_choice = ThemeChoice.create
theme_report = ThemeReport.create
