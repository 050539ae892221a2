// Which rows of a long list are asked for, and when.
//
// One request is on its way at a time; what has been scrolled to meanwhile is asked for when the
// answer is there. While the list moves, rows are asked for ahead of it: those that will be on
// screen when the answer arrives, judged by the speed of the list and the time of the last answers.

import { useCallback, useEffect, useLayoutEffect, useRef } from "react";

const PATIENCE = 2000; // milliseconds after which an answer is taken for lost
const STILL = 120; // milliseconds without a movement after which the list stands
const FIRST_GUESS = 80; // milliseconds an answer takes, until one was measured

const now = () => performance.now();
const mix = (known, fresh, share) => known + share * (fresh - known);

// Returns the first row to ask for, or -1 if the rows that are there will do.
export function wanted({ first, visible, ahead, start, count, size, total }) {
  const top = Math.max(0, Math.min(first, first + 2 * ahead));
  const end = Math.min(total, Math.max(first, first + 2 * ahead) + visible);
  if (top >= start && end <= start + count) return -1;
  const spare = Math.max(0, size - visible - Math.abs(ahead)) / 2;
  const from = first + ahead + Math.min(0, ahead) - spare;
  return Math.max(0, Math.min(Math.round(from), total - size));
}

export function useWindowing({ scroller, total, start, count, size, rowHeight, epoch, answered, onWindow }) {
  const flight = useRef({ ticket: 0, sent: 0, took: FIRST_GUESS, asked: -1 });
  const motion = useRef({ at: 0, top: 0, speed: 0 });
  const shown = useRef({});
  shown.current = { total, start, count, epoch, answered };

  const ask = useCallback(() => {
    const box = scroller.current;
    const { total, start, count, epoch, answered } = shown.current;
    const going = flight.current;
    const underWay = going.ticket && going.ticket !== answered && now() - going.sent < PATIENCE;
    if (!box || underWay) return;
    const moving = now() - motion.current.at < STILL ? motion.current.speed : 0;
    const visible = Math.ceil(box.clientHeight / rowHeight) + 1;
    const first = Math.floor(box.scrollTop / rowHeight);
    const from = wanted({ first, visible, ahead: moving * going.took, start, count, size, total });
    if (from < 0 || (from === going.asked && from === start)) return;
    // Any number will do that was not given before, on this page or before it was left.
    flight.current = { ...going, ticket: 1 + Math.floor(9e8 * Math.random()), sent: now(), asked: from };
    onWindow(from, flight.current.ticket, epoch);
  }, [rowHeight, size, onWindow]);

  const onScroll = useCallback(() => {
    const { at, top, speed } = motion.current;
    const box = scroller.current;
    const passed = now() - at;
    const fresh = (box.scrollTop - top) / rowHeight / Math.max(8, passed);
    motion.current = { at: now(), top: box.scrollTop, speed: passed > STILL ? 0 : mix(speed, fresh, 0.4) };
    ask();
  }, [ask, rowHeight]);

  useEffect(() => {
    const going = flight.current;
    if (going.ticket && going.ticket === answered) {
      going.took = mix(going.took, Math.min(1000, now() - going.sent), 0.5);
      going.ticket = 0;
    }
    ask();
    const again = setTimeout(ask, PATIENCE); // if the answer was lost
    return () => clearTimeout(again);
  }, [answered, start, count, total, ask]);

  useLayoutEffect(() => {
    if (scroller.current) scroller.current.scrollTop = 0;
    motion.current.speed = 0;
    flight.current.asked = -1;
  }, [epoch]);

  return onScroll;
}
