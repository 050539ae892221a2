// A button that opens a menu. Its children are buttons with the role "menuitem".

import { useEffect, useRef, useState } from "react";

const GAP = 4; // px between button and menu
const MOVES = { ArrowDown: 1, ArrowUp: -1 };

// Places the menu below the button, or above it if there is no room below.
function place(menu, button) {
  const at = button.getBoundingClientRect();
  const { offsetWidth: width, offsetHeight: height } = menu;
  const isBelow = at.bottom + GAP + height <= window.innerHeight;
  menu.style.top = `${Math.max(GAP, isBelow ? at.bottom + GAP : at.top - GAP - height)}px`;
  menu.style.left = `${Math.max(GAP, Math.min(at.right - width, window.innerWidth - width - GAP))}px`;
}

export function MenuButton({ label, text, testId, children }) {
  const [isOpen, setOpen] = useState(false);
  const button = useRef(null);
  const menu = useRef(null);
  const items = () => [...menu.current.querySelectorAll("[role=menuitem]:not(:disabled)")];

  useEffect(() => {
    if (!isOpen) return undefined;
    const box = menu.current;
    const onPointerDown = (event) => box.contains(event.target) || button.current.contains(event.target) || setOpen(false);
    document.addEventListener("pointerdown", onPointerDown);
    const follow = () => place(box, button.current);
    window.addEventListener("resize", follow);
    document.addEventListener("scroll", follow, true);
    box.showPopover();
    follow();
    items()[0]?.focus({ preventScroll: true });
    return () => {
      document.removeEventListener("pointerdown", onPointerDown);
      window.removeEventListener("resize", follow);
      document.removeEventListener("scroll", follow, true);
    };
  }, [isOpen]);

  const close = () => {
    setOpen(false);
    button.current.focus({ preventScroll: true });
  };

  const onKeyDown = (event) => {
    event.stopPropagation(); // the page has shortcuts, too
    const all = items();
    const here = all.indexOf(document.activeElement);
    const targets = { Home: 0, End: all.length - 1 };
    if (event.key in MOVES) targets[event.key] = (here + MOVES[event.key] + all.length) % all.length;
    if (event.key === "Escape" || event.key === "Tab") close();
    else if (event.key in targets) all[targets[event.key]].focus();
    else return;
    event.preventDefault();
  };

  return (
    <span className="menu">
      <button ref={button} type="button" className={text ? "button small" : "icon-button"} aria-haspopup="menu" aria-expanded={isOpen} aria-label={label} title={label} onClick={() => setOpen(!isOpen)} data-testid={testId}>
        {text}
        <svg viewBox="0 0 16 16" width={text ? 12 : undefined} height={text ? 12 : undefined} aria-hidden="true">
          {text && <path fill="none" stroke="currentColor" strokeWidth="2" d="M3 6l5 5 5-5" />}
          {!text && <path fill="currentColor" d="M3 6.5a1.5 1.5 0 1 0 0 3 1.5 1.5 0 0 0 0-3zm5 0a1.5 1.5 0 1 0 0 3 1.5 1.5 0 0 0 0-3zm5 0a1.5 1.5 0 1 0 0 3 1.5 1.5 0 0 0 0-3z" />}
        </svg>
      </button>
      {isOpen && (
        <div ref={menu} popover="manual" role="menu" aria-label={label} className="menu-list" onKeyDown={onKeyDown} onClick={close}>
          {children}
        </div>
      )}
    </span>
  );
}

// Opens the menu of the row or card that was right-clicked. Use as `onContextMenu`.
export function openMenu(event) {
  const opener = event.currentTarget.querySelector("[aria-haspopup=menu]");
  if (!opener || event.target.closest("a, input, textarea")) return;
  event.preventDefault();
  opener.click();
}
