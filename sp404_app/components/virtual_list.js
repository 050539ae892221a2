// Windowing of a long list: which rows are requested, and when.
//
// One request is in flight at a time; the next one is sent after its response. During scrolling, the
// request is for the rows that will be visible when the response arrives, estimated from the scroll
// speed and the latency of recent responses.

import { useCallback, useEffect, useLayoutEffect, useRef } from "react";

const RESPONSE_TIMEOUT_MS = 2000; // then the request counts as lost and is repeated
const IDLE_MS = 120; // without scrolling, after which the speed counts as 0
const INITIAL_LATENCY_MS = 80; // until the first measurement

const now = () => performance.now();
const interpolate = (known, fresh, weight) => known + weight * (fresh - known);

// Returns the first row of the window to request, or -1 if the present rows suffice.
export function firstRowToRequest({ first, visible, ahead, start, count, size, total }) {
  const top = Math.max(0, Math.min(first, first + 2 * ahead));
  const end = Math.min(total, Math.max(first, first + 2 * ahead) + visible);
  if (top >= start && end <= start + count) return -1;
  const margin = Math.max(0, size - visible - Math.abs(ahead)) / 2;
  const from = first + ahead + Math.min(0, ahead) - margin;
  return Math.max(0, Math.min(Math.round(from), total - size));
}

export function useVirtualWindow({ scroller, total, start, count, size, rowHeight, epoch, answered, onWindow, topOfEpoch }) {
  const pending = useRef({ requestId: 0, sentAt: 0, latency: INITIAL_LATENCY_MS, requestedRow: -1 });
  const motion = useRef({ at: 0, top: 0, speed: 0 });
  const shown = useRef({});
  shown.current = { total, start, count, epoch, answered };

  const requestRows = useCallback(() => {
    const box = scroller.current;
    const { total, start, count, epoch, answered } = shown.current;
    const sentRequest = pending.current;
    const isPending = sentRequest.requestId && sentRequest.requestId !== answered && now() - sentRequest.sentAt < RESPONSE_TIMEOUT_MS;
    if (!box || isPending) return;
    const moving = now() - motion.current.at < IDLE_MS ? motion.current.speed : 0;
    const visible = Math.ceil(box.clientHeight / rowHeight) + 1;
    const first = Math.floor(box.scrollTop / rowHeight);
    const from = firstRowToRequest({ first, visible, ahead: moving * sentRequest.latency, start, count, size, total });
    if (from < 0 || (from === sentRequest.requestedRow && from === start)) return;
    // Random, so that a response to a request from before a page reload does not match.
    pending.current = { ...sentRequest, requestId: 1 + Math.floor(9e8 * Math.random()), sentAt: now(), requestedRow: from };
    onWindow(from, pending.current.requestId, epoch);
  }, [rowHeight, size, onWindow]);

  const onScroll = useCallback(() => {
    const { at, top, speed } = motion.current;
    const box = scroller.current;
    const elapsed = now() - at;
    const fresh = (box.scrollTop - top) / rowHeight / Math.max(8, elapsed);
    motion.current = { at: now(), top: box.scrollTop, speed: elapsed > IDLE_MS ? 0 : interpolate(speed, fresh, 0.4) };
    requestRows();
  }, [requestRows, rowHeight]);

  useEffect(() => {
    const sentRequest = pending.current;
    if (sentRequest.requestId && sentRequest.requestId === answered) {
      sentRequest.latency = interpolate(sentRequest.latency, Math.min(1000, now() - sentRequest.sentAt), 0.5);
      sentRequest.requestId = 0;
    }
    requestRows();
    const retry = setTimeout(requestRows, RESPONSE_TIMEOUT_MS);
    return () => clearTimeout(retry);
  }, [answered, start, count, total, requestRows]);

  useLayoutEffect(() => {
    if (scroller.current) scroller.current.scrollTop = topOfEpoch();
    motion.current.speed = 0;
    pending.current.requestedRow = -1;
  }, [epoch]);

  return onScroll;
}
