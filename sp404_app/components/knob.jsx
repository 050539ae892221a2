// A rotary knob: drag up and down, scroll, arrow keys, double-click for the default. `onChange` is called
// once at the end of a gesture, so that a gesture is one step of undo.

import { useEffect, useRef } from "react";
import { useLocalEdit } from "./local_edit.js";

const SWEEP_DEGREES = 270;
const DRAG_RANGE_PX = 160; // from the lowest to the highest value
const WHEEL_PAUSE_MS = 350;
const KEY_PAUSE_MS = 500;

const round = (value, step) => Number((Math.round(value / step) * step).toFixed(6));

export function Knob({ label, value, scope = "", confirmed = 0, low, high, step = 1, standard = 0, unit = "", centred = false, disabled = false, testId = "", onChange }) {
  const face = useRef(null);
  const { edit, shown } = useLocalEdit({ scope, saved: value ?? standard, confirmed, send: onChange });
  const preview = (next) => edit.preview(Math.max(low, Math.min(high, round(next, step))));

  const press = (event) => {
    if (disabled || event.button > 0) return;
    event.preventDefault();
    face.current.focus();
    const from = event.clientY;
    const first = edit.read();
    const move = (each) => preview(first + ((from - each.clientY) / DRAG_RANGE_PX) * (high - low) * (each.shiftKey ? 0.1 : 1));
    const up = () => {
      window.removeEventListener("pointermove", move);
      window.removeEventListener("pointerup", up);
      window.removeEventListener("pointercancel", up);
      edit.commit();
    };
    window.addEventListener("pointermove", move);
    window.addEventListener("pointerup", up);
    window.addEventListener("pointercancel", up);
  };

  const onKey = (event) => {
    const big = Math.max(step, round((high - low) / 10, step));
    const moves = { ArrowUp: step, ArrowRight: step, ArrowDown: -step, ArrowLeft: -step, PageUp: big, PageDown: -big };
    let next = null;
    if (event.key in moves) next = edit.read() + moves[event.key];
    else if (event.key === "Home") next = low;
    else if (event.key === "End") next = high;
    else if (event.key === "Delete" || event.key === "Backspace") next = standard;
    if (next === null || disabled) return;
    event.preventDefault();
    event.stopPropagation();
    preview(next);
    edit.commitAfter(KEY_PAUSE_MS);
  };

  useEffect(() => {
    const onWheel = (event) => {
      if (disabled || document.activeElement !== face.current) return; // otherwise the page scrolls
      event.preventDefault();
      preview(edit.read() + (event.deltaY < 0 ? step : -step));
      edit.commitAfter(WHEEL_PAUSE_MS);
    };
    const target = face.current;
    target.addEventListener("wheel", onWheel, { passive: false });
    return () => target.removeEventListener("wheel", onWheel);
  });

  const share = (shown - low) / (high - low);
  const angle = -SWEEP_DEGREES / 2 + share * SWEEP_DEGREES;
  const arc = (from, to) => {
    const point = (degrees) => {
      const radians = ((degrees - 90) * Math.PI) / 180;
      return `${20 + 16 * Math.cos(radians)} ${20 + 16 * Math.sin(radians)}`;
    };
    return `M${point(from)}A16 16 0 ${Math.abs(to - from) > 180 ? 1 : 0} ${to > from ? 1 : 0} ${point(to)}`;
  };
  const origin = centred ? 0 : -SWEEP_DEGREES / 2;
  return (
    <div className={`knob ${disabled ? "disabled" : ""}`}>
      <span className="knob-label">{label}</span>
      <span
        ref={face}
        className="knob-face"
        role="slider"
        tabIndex={disabled ? -1 : 0}
        aria-label={label}
        aria-valuemin={low}
        aria-valuemax={high}
        aria-valuenow={shown}
        aria-valuetext={`${shown}${unit}`}
        aria-disabled={disabled}
        title="Drag up or down. Double-click to reset."
        onPointerDown={press}
        onKeyDown={onKey}
        onBlur={edit.flush}
        onDoubleClick={() => {
          if (disabled) return;
          preview(standard);
          edit.commit();
        }}
        data-testid={testId}
      >
        <svg viewBox="0 0 40 40" aria-hidden="true">
          <path className="knob-track" d={arc(-SWEEP_DEGREES / 2, SWEEP_DEGREES / 2)} />
          {Math.abs(angle - origin) > 0.5 && <path className="knob-arc" d={angle > origin ? arc(origin, angle) : arc(angle, origin)} />}
          <circle className="knob-cap" cx="20" cy="20" r="11" />
          <line className="knob-mark" x1="20" y1="11" x2="20" y2="16" transform={`rotate(${angle} 20 20)`} />
        </svg>
      </span>
      <span className="knob-value mono">
        {shown}
        {unit}
      </span>
    </div>
  );
}
