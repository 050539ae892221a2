// The menu of the columns: which are shown, and in which order.

import { useLayoutEffect, useRef } from "react";
import { useFittingColumns } from "./sample_columns.jsx";

const GAP_PX = 4;

export function ColumnsMenu({ columns, onShow, onMove, onReset }) {
  const fitting = useFittingColumns();
  const moved = useRef(null); // the button that moved a column last
  useLayoutEffect(() => {
    const { parentElement: line, disabled } = moved.current || {};
    if (line) (disabled ? line.querySelector("button:enabled") : moved.current).focus(); // it went with its line
    moved.current = null;
  }, [columns]);

  const onToggle = ({ newState, target }) => {
    if (newState !== "open") return;
    const at = target.previousSibling.getBoundingClientRect();
    target.style.top = `${at.bottom + GAP_PX}px`;
    target.style.left = `${at.right - target.offsetWidth}px`;
    target.querySelector("input").focus();
  };
  const arrow = ({ name, label }, by, word, sign, isAtEnd) => {
    const onClick = (event) => {
      moved.current = event.currentTarget;
      onMove(name, by);
    };
    return <button type="button" className="icon-button" aria-label={`Move ${label} ${word}`} title={`Move ${word}`} disabled={isAtEnd} onClick={onClick} data-testid={`column-${word}`}>{sign}</button>;
  };

  return (
    <span className="columns-menu">
      <button type="button" className="icon-button" popoverTarget="columns" aria-label="Columns" title="Columns" data-testid="columns">
        <svg viewBox="0 0 16 16" aria-hidden="true"><path fill="none" stroke="currentColor" strokeWidth="1.5" d="M2 3h12v10H2zM6 3v10M10 3v10" /></svg>
      </button>
      <div id="columns" popover="auto" role="dialog" aria-label="Columns" className="menu-list columns-list" onToggle={onToggle} onKeyDown={(event) => event.stopPropagation()} data-testid="columns-menu">
        <ul>
          {columns.map((column, at) => (
            <li key={column.name} data-testid="column">
              <label>
                <input type="checkbox" checked={column.shown} disabled={column.fixed} onChange={() => onShow(column.name, !column.shown)} data-testid="show-column" />
                {column.label}
              </label>
              {column.shown && !fitting.includes(column.name) && <span className="no-room" title="The list is too narrow for this column">no room</span>}
              {arrow(column, -1, "up", "↑", at === 0)}
              {arrow(column, 1, "down", "↓", at === columns.length - 1)}
            </li>
          ))}
        </ul>
        <button type="button" className="menu-item" onClick={onReset} data-testid="reset-columns">Reset</button>
      </div>
    </span>
  );
}
