// The visible time range of the sample page, shared by all its figures.

const MIN_LENGTH_S = 0.001;
const TOLERANCE_S = 1e-6;
const listeners = new Set();
let range = { id: "", duration: 0, start: 0, end: 0 };

export const getRange = () => range;
export const subscribe = (listener) => {
  listeners.add(listener);
  return () => listeners.delete(listener);
};

function setRange(next) {
  range = next;
  listeners.forEach((listener) => listener());
}

export function reset(id, duration) {
  if (range.id !== id || Math.abs(range.duration - duration) > TOLERANCE_S) setRange({ id, duration, start: 0, end: duration });
}

export const isWhole = () => range.end - range.start >= range.duration - TOLERANCE_S;

export function show(start, end) {
  const length = Math.min(range.duration, Math.max(MIN_LENGTH_S, end - start));
  const from = Math.max(0, Math.min(start, range.duration - length));
  const moved = Math.abs(from - range.start) > TOLERANCE_S || Math.abs(from + length - range.end) > TOLERANCE_S;
  if (moved) setRange({ ...range, start: from, end: from + length });
}

export const showAll = () => show(0, range.duration);

export function zoom(factor, around) {
  const centre = around === undefined ? (range.start + range.end) / 2 : around;
  show(centre - (centre - range.start) * factor, centre + (range.end - centre) * factor);
}

export function pan(fraction) {
  const delta = fraction * (range.end - range.start);
  show(range.start + delta, range.end + delta);
}
