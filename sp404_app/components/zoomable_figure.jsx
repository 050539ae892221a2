// Wraps a Plotly figure over time: the wheel zooms, a click seeks, a playhead moves over it, and
// finer data is requested when the visible range has changed.

import { useEffect, useRef, useState } from "react";
import * as player from "../player/audio_player.js"; // the asset folder of player.py
import * as visibleRange from "./visible_range.js";

const MAX_CLICK_TRAVEL_PX = 4;
const X_RANGE = "xaxis.range";

// Plotly loads after this component mounts, and React may mount a new plot later.
function usePlot(frame) {
  const [plot, setPlot] = useState(null);
  useEffect(() => {
    let waiting;
    const find = () => {
      clearTimeout(waiting);
      const found = frame.current.querySelector(".js-plotly-plot");
      if (found && !(found._fullLayout && found._fullLayout.xaxis && found.on)) waiting = setTimeout(find, 30);
      else setPlot(found);
    };
    const observer = new MutationObserver(find);
    observer.observe(frame.current, { childList: true, subtree: true });
    find();
    return () => {
      observer.disconnect();
      clearTimeout(waiting);
    };
  }, []);
  return plot;
}

const axisOf = (plot) => plot && plot._fullLayout && plot._fullLayout.xaxis;

function secondsAt(plot, clientX) {
  const axis = axisOf(plot);
  const left = plot.getBoundingClientRect().left + axis._offset;
  return axis.p2d(Math.max(0, Math.min(clientX - left, axis._length)));
}

// Ranges that this module has set and Plotly has not reported back yet, per plot. By then the
// visible range may have changed, so these reports must be ignored.
const programmaticRanges = new WeakMap();

function programmaticRangesOf(plot) {
  if (!programmaticRanges.has(plot)) programmaticRanges.set(plot, new Set());
  return programmaticRanges.get(plot);
}

// Plotly keeps a range through redraws only if the user has set it; _guiEditing marks ours as such.
async function applyRange(plot) {
  const { default: plotly } = await import("plotly.js-cartesian-dist-min");
  const axis = axisOf(plot);
  const { start, end } = visibleRange.getRange();
  if (!axis || (Math.abs(axis.range[0] - start) < 1e-7 && Math.abs(axis.range[1] - end) < 1e-7)) return;
  programmaticRangesOf(plot).add(`${start} ${end}`);
  plot._fullLayout._guiEditing = true;
  plotly.relayout(plot, { [`${X_RANGE}[0]`]: start, [`${X_RANGE}[1]`]: end });
  plot._fullLayout._guiEditing = false;
}

// Applies the visible range to the figure at once, and requests finer data after `delay` ms.
function useRangeSync(plot, delay, patient, onView) {
  useEffect(() => {
    if (!plot) return undefined;
    let frame;
    let timer;
    let requestedAt = -Infinity;
    const request = () => {
      timer = null;
      requestedAt = performance.now();
      const { start, end } = visibleRange.getRange();
      if (visibleRange.isWhole()) onView(0, 0);
      else onView(start, end);
    };
    const follow = () => {
      cancelAnimationFrame(frame);
      frame = requestAnimationFrame(() => applyRange(plot));
      if (patient) clearTimeout(timer);
      else if (timer) return; // already scheduled
      timer = setTimeout(request, patient ? delay : Math.max(0, requestedAt + delay - performance.now()));
    };
    const onRelayout = (change) => {
      if (programmaticRangesOf(plot).delete(`${change[`${X_RANGE}[0]`]} ${change[`${X_RANGE}[1]`]}`)) return;
      if (change["xaxis.autorange"]) visibleRange.showAll();
      else if (`${X_RANGE}[0]` in change) visibleRange.show(change[`${X_RANGE}[0]`], change[`${X_RANGE}[1]`]);
      else if (X_RANGE in change) visibleRange.show(...change[X_RANGE]);
    };
    // Plotly may lose the range when new data from the server is drawn.
    const onRedraw = () => applyRange(plot);
    plot.on("plotly_relayout", onRelayout);
    plot.on("plotly_react", onRedraw);
    const unsubscribe = visibleRange.subscribe(follow);
    onRedraw();
    return () => {
      unsubscribe();
      clearTimeout(timer);
      cancelAnimationFrame(frame);
      if (!plot.removeListener) return;
      plot.removeListener("plotly_relayout", onRelayout);
      plot.removeListener("plotly_react", onRedraw);
    };
  }, [plot, delay, patient]);
}

function usePlayhead(plot, head, played, track) {
  useEffect(() => {
    if (!plot) return undefined;
    let frame;
    const place = () => {
      if (!head.current) return; // unmounted
      const state = player.getSnapshot();
      const isLoaded = state.track && state.track.id === track.id;
      const axis = axisOf(plot);
      const at = isLoaded && axis ? axis.d2p(player.position()) : -1;
      const visible = at >= 0 && axis && at <= axis._length;
      head.current.style.visibility = visible ? "visible" : "hidden";
      if (visible) head.current.style.transform = `translateX(${axis._offset + at}px)`;
      played.current.style.width = `${axis && isLoaded ? Math.max(0, Math.min(at, axis._length)) : 0}px`;
      cancelAnimationFrame(frame);
      if (isLoaded && state.playing) frame = requestAnimationFrame(place);
    };
    place();
    const unsubscribes = [player.subscribe(place), visibleRange.subscribe(() => setTimeout(place, 20))];
    plot.on("plotly_afterplot", place);
    return () => {
      cancelAnimationFrame(frame);
      unsubscribes.forEach((unsubscribe) => unsubscribe());
      if (plot.removeListener) plot.removeListener("plotly_afterplot", place);
    };
  }, [plot, track.id]);
}

function useGestures(plot, frame, track) {
  useEffect(() => {
    if (!plot) return undefined;
    let pressed = null;
    const onWheel = (event) => {
      const sideways = event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY);
      if (!sideways && event.deltaY > 0 && visibleRange.isWhole()) return; // let the page scroll
      event.preventDefault();
      if (sideways) visibleRange.pan((event.deltaX || event.deltaY) / 800);
      else visibleRange.zoom(Math.exp(event.deltaY / 350), secondsAt(plot, event.clientX));
    };
    const onDown = (event) => {
      pressed = event.button === 0 && event.target.closest(".nsewdrag") ? event : null;
    };
    const onUp = (event) => {
      const isClick = pressed && Math.hypot(event.clientX - pressed.clientX, event.clientY - pressed.clientY) < MAX_CLICK_TRAVEL_PX;
      pressed = null;
      if (!isClick || !track.playable) return;
      const at = secondsAt(plot, event.clientX);
      const state = player.getSnapshot();
      if (state.track && state.track.id === track.id) player.seek(at);
      else player.play(track, at);
    };
    const box = frame.current;
    box.addEventListener("wheel", onWheel, { passive: false });
    box.addEventListener("pointerdown", onDown, true);
    window.addEventListener("pointerup", onUp, true);
    return () => {
      box.removeEventListener("wheel", onWheel);
      box.removeEventListener("pointerdown", onDown, true);
      window.removeEventListener("pointerup", onUp, true);
    };
  }, [plot, track.id, track.playable]);
}

export function ZoomableFigure({ track, delay = 60, patient = false, label, onView, children }) {
  const frame = useRef(null);
  const head = useRef(null);
  const played = useRef(null);
  useEffect(() => visibleRange.reset(track.id, track.seconds), [track.id, track.seconds]);
  const plot = usePlot(frame);
  useRangeSync(plot, delay, patient, onView);
  usePlayhead(plot, head, played, track);
  useGestures(plot, frame, track);
  return (
    <div ref={frame} className="scope" role="img" aria-label={label}>
      {children}
      <i ref={played} className="scope-played" aria-hidden="true" />
      <i ref={head} className="scope-head" aria-hidden="true" />
    </div>
  );
}
