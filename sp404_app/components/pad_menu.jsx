// The menu of a pad, for everything that is also done by dragging or by keys.

import { useEffect, useLayoutEffect, useRef, useState } from "react";

const FILLED = [
  ["play", "Play"],
  ["rename", "Rename"],
  ["fit", "Find sounds that fit"],
  ["copy", "Copy", "Ctrl C"],
  ["cut", "Cut", "Ctrl X"],
  ["paste", "Paste here", "Ctrl V"],
  ["learn", "Learn MIDI note"],
  ["open", "Open sound"],
  ["clear", "Clear pad", "Del"],
];
const EMPTY = [
  ["fit", "Find sounds that fit"],
  ["search", "Search the library", "/"],
  ["paste", "Paste here", "Ctrl V"],
  ["learn", "Learn MIDI note"],
];

export function PadMenu({ x, y, cell, canPaste, onRun, onClose }) {
  const list = useRef(null);
  const [place, setPlace] = useState({ left: x, top: y });
  const items = cell?.name ? FILLED : EMPTY;

  useLayoutEffect(() => {
    const box = list.current.getBoundingClientRect();
    setPlace({ left: Math.max(8, Math.min(x, window.innerWidth - box.width - 8)), top: Math.max(8, Math.min(y, window.innerHeight - box.height - 8)) });
    list.current.querySelector("button:not(:disabled)")?.focus();
  }, [x, y]);

  useEffect(() => {
    const onDown = (event) => list.current?.contains(event.target) || onClose();
    window.addEventListener("pointerdown", onDown, true);
    return () => window.removeEventListener("pointerdown", onDown, true);
  }, [onClose]);

  const onKey = (event) => {
    event.stopPropagation();
    const buttons = [...list.current.querySelectorAll("button:not(:disabled)")];
    const at = buttons.indexOf(document.activeElement);
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) {
      event.preventDefault();
      buttons[(at + step + buttons.length) % buttons.length].focus();
    } else if (event.key === "Escape" || event.key === "Tab") {
      event.preventDefault();
      onClose();
      document.querySelector(`[data-pad="${cell.key}"] .pad-face`)?.focus();
    }
  };

  return (
    <div ref={list} className="pad-menu" role="menu" aria-label={`Pad ${cell?.key}`} style={place} onKeyDown={onKey} data-testid="pad-menu">
      {items.map(([action, text, shortcut]) => (
        <button key={action} type="button" role="menuitem" disabled={action === "paste" && !canPaste} onClick={() => onRun(action, cell.key)} data-testid={`menu-${action}`}>
          <span>{text}</span>
          {shortcut && <kbd>{shortcut}</kbd>}
        </button>
      ))}
    </div>
  );
}
