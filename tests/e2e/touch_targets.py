"""Which controls of a page are smaller than a finger needs (WCAG 2.5.5), or than their text."""

from typing import Final

from playwright.sync_api import Page

MIN_SIZE_PX: Final = 44
SETTLING_TRIES: Final = 15
# `dense`: the menu of a pad lies upon a face that is hit while one plays, and ten banks stand side
# by side as on the device. The link to the content appears for keyboards only.
EXCEPTIONS: Final = ".dense, .skip"
FIND_SMALL: Final = """({least, exceptions}) => {
  const controls = 'button, a[href], input:not([type=hidden]), select, textarea, summary'
    + ', [role=button], [role=tab], [role=menuitem], [role=switch], [role=option]';
  const isInText = element =>
    element.matches('a, .link') && getComputedStyle(element).display === 'inline';
  const found = new Set();
  for (const element of document.querySelectorAll(controls)) {
    if (!element.checkVisibility({opacityProperty: true, visibilityProperty: true})) continue;
    if (element.matches(exceptions) || isInText(element)) continue;
    const target = element.matches('input') && element.closest('label') || element;
    const {width, height} = target.getBoundingClientRect();
    if (width <= 1 || height <= 1) continue;  // visible to screen readers only
    const isCut = element.matches('button, a, summary')
      && element.scrollWidth > element.clientWidth + 1
      && getComputedStyle(element).textOverflow !== 'ellipsis';
    if (width > least - 0.5 && height > least - 0.5 && !isCut) continue;
    const name = element.dataset.testid || element.ariaLabel || element.textContent;
    found.add(`${element.localName}.${element.className} ${name.slice(0, 40)}: `
      + `${Math.round(width)} x ${Math.round(height)}`);
  }
  return [...found];
}"""


def find_small_targets(page: Page) -> list[str]:
    """Return the visible controls that are less than 44 px wide or high, or cut their text.

    Links in texts may be smaller, and any control for a moment, while a dialog opens or the page
    follows a new width.
    """
    found: list[str] = []
    for _ in range(SETTLING_TRIES):
        found = page.evaluate(FIND_SMALL, {"least": MIN_SIZE_PX, "exceptions": EXCEPTIONS})
        if not found:
            break
        page.wait_for_timeout(200)
    return found
