// The menu of the columns: which are shown, and in which order.

import { useEffect, useLayoutEffect, useRef, useState } from "react";

const GAP_PX = 4;

export function ColumnsMenu({ columns, onShow, onMove, onReset }) {
  const [isOpen, setOpen] = useState(false);
  const button = useRef(null);
  const menu = useRef(null);
  const moved = useRef(""); // the column that was moved last, and where to

  useLayoutEffect(() => {
    if (!isOpen || !moved.current) return;
    const [name, word] = moved.current.split(" ");
    moved.current = "";
    const arrows = [...menu.current.querySelectorAll(`[data-column=${name}] button:enabled`)];
    (arrows.find((each) => each.dataset.testid.endsWith(word)) || arrows[0]).focus(); // it went with its line
  }, [columns]);

  useEffect(() => {
    if (!isOpen) return undefined;
    const onPointerDown = (event) => menu.current.contains(event.target) || button.current.contains(event.target) || setOpen(false);
    const close = () => setOpen(false);
    document.addEventListener("pointerdown", onPointerDown);
    window.addEventListener("resize", close);
    menu.current.showPopover();
    const at = button.current.getBoundingClientRect();
    menu.current.style.top = `${at.bottom + GAP_PX}px`;
    menu.current.style.left = `${Math.max(GAP_PX, at.right - menu.current.offsetWidth)}px`;
    menu.current.querySelector("input:not(:disabled)")?.focus();
    return () => {
      document.removeEventListener("pointerdown", onPointerDown);
      window.removeEventListener("resize", close);
    };
  }, [isOpen]);

  const onKeyDown = (event) => {
    event.stopPropagation(); // the page has shortcuts, too
    if (event.key !== "Escape") return;
    event.preventDefault();
    setOpen(false);
    button.current.focus();
  };
  const move = (name, by, word) => {
    moved.current = `${name} ${word}`;
    onMove(name, by);
  };
  const arrow = (column, by, word, sign, isAtEnd) => (
    <button type="button" className="icon-button" aria-label={`Move ${column.label} ${word}`} title={`Move ${word}`} disabled={isAtEnd} onClick={() => move(column.name, by, word)} data-testid={`column-${word}`}>
      {sign}
    </button>
  );

  return (
    <span className="columns-menu">
      <button ref={button} type="button" className="icon-button" aria-haspopup="dialog" aria-expanded={isOpen} aria-label="Columns" title="Columns" onClick={() => setOpen(!isOpen)} data-testid="columns">
        <svg viewBox="0 0 16 16" aria-hidden="true"><path fill="none" stroke="currentColor" strokeWidth="1.5" d="M2 3h12v10H2zM6 3v10M10 3v10" /></svg>
      </button>
      {isOpen && (
        <div ref={menu} popover="manual" role="dialog" aria-label="Columns" className="menu-list columns-list" onKeyDown={onKeyDown} data-testid="columns-menu">
          <ul>
            {columns.map((column, at) => (
              <li key={column.name} data-column={column.name} data-testid="column">
                <label>
                  <input type="checkbox" checked={column.shown} disabled={column.fixed} onChange={() => onShow(column.name, !column.shown)} data-testid="show-column" />
                  {column.label}
                </label>
                {arrow(column, -1, "up", "↑", at === 0)}
                {arrow(column, 1, "down", "↓", at === columns.length - 1)}
              </li>
            ))}
          </ul>
          <button type="button" className="menu-item" onClick={onReset} data-testid="reset-columns">Reset</button>
        </div>
      )}
    </span>
  );
}
