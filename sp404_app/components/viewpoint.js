// Which stretch of a sound is in view. All pictures of a page share it, whoever moves it.

const NARROWEST = 0.001; // seconds
const NEAR = 1e-6;
const listeners = new Set();
let view = { id: "", duration: 0, start: 0, end: 0 };

export const getView = () => view;
export const subscribe = (listener) => {
  listeners.add(listener);
  return () => listeners.delete(listener);
};

function put(next) {
  view = next;
  listeners.forEach((listener) => listener());
}

export function open(id, duration) {
  if (view.id !== id || Math.abs(view.duration - duration) > NEAR) put({ id, duration, start: 0, end: duration });
}

export const isWhole = () => view.end - view.start >= view.duration - NEAR;

export function look(start, end) {
  const length = Math.min(view.duration, Math.max(NARROWEST, end - start));
  const from = Math.max(0, Math.min(start, view.duration - length));
  const moved = Math.abs(from - view.start) > NEAR || Math.abs(from + length - view.end) > NEAR;
  if (moved) put({ ...view, start: from, end: from + length });
}

export const lookAtAll = () => look(0, view.duration);

export function zoom(factor, around) {
  const centre = around === undefined ? (view.start + view.end) / 2 : around;
  look(centre - (centre - view.start) * factor, centre + (view.end - centre) * factor);
}

export function move(share) {
  const by = share * (view.end - view.start);
  look(view.start + by, view.end + by);
}
