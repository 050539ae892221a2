"""Storage for browsers that refuse it: there, Reflex's own scripts would stop every page."""

from typing import Final

import reflex as rx

# First in the head of every page. A browser that blocks the data of sites throws at the mere access
# to `localStorage`. Values then last until the page is left.
STORAGE_SCRIPT: Final = """(() => {
  for (const name of ["localStorage", "sessionStorage"]) {
    try {
      window[name].getItem("");
    } catch {
      const values = new Map();
      const value = {
        get length() { return values.size; },
        key: (index) => [...values.keys()][index] ?? null,
        getItem: (key) => values.get(String(key)) ?? null,
        setItem: (key, item) => void values.set(String(key), String(item)),
        removeItem: (key) => void values.delete(String(key)),
        clear: () => values.clear(),
      };
      Object.defineProperty(window, name, { value, configurable: true });
    }
  }
})();"""


def storage_guard() -> rx.Component:
    """Return the inline script that keeps pages working without the browser's storage."""
    return rx.el.script(STORAGE_SCRIPT)
