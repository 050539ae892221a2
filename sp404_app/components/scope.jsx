// Stands around a Plotly picture over time: the wheel zooms it, a click seeks, the playhead runs
// over it, and finer data is asked for when the view has moved.

import { useEffect, useRef, useState } from "react";
import * as engine from "../player/engine.js"; // player.py puts it there
import * as viewpoint from "./viewpoint.js";

const CLICK_PIXELS = 4;
const AXIS = "xaxis.range";

// The plot arrives later than this frame, and again whenever React mounts a new one.
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

// Ranges that we set ourselves, of each plot, until Plotly reports them: by then the view may
// have moved on, and must not be taken back.
const ours = new WeakMap();

function oursOf(plot) {
  if (!ours.has(plot)) ours.set(plot, new Set());
  return ours.get(plot);
}

// What a person does is kept by Plotly through redraws; what a program does is not, unless it
// says that it acts for one.
async function turn(plot) {
  const { default: plotly } = await import("plotly.js-cartesian-dist-min");
  const axis = axisOf(plot);
  const { start, end } = viewpoint.getView();
  if (!axis || (Math.abs(axis.range[0] - start) < 1e-7 && Math.abs(axis.range[1] - end) < 1e-7)) return;
  oursOf(plot).add(`${start} ${end}`);
  plot._fullLayout._guiEditing = true;
  plotly.relayout(plot, { [`${AXIS}[0]`]: start, [`${AXIS}[1]`]: end });
  plot._fullLayout._guiEditing = false;
}

// The picture follows the view at once; the server is asked for a finer one a moment later.
function useView(plot, delay, patient, onView) {
  useEffect(() => {
    if (!plot) return undefined;
    let frame;
    let timer;
    let asked = -Infinity;
    const ask = () => {
      timer = null;
      asked = performance.now();
      const { start, end } = viewpoint.getView();
      if (viewpoint.isWhole()) onView(0, 0);
      else onView(start, end);
    };
    const follow = () => {
      cancelAnimationFrame(frame);
      frame = requestAnimationFrame(() => turn(plot));
      if (patient) clearTimeout(timer);
      else if (timer) return; // one is on its way
      timer = setTimeout(ask, patient ? delay : Math.max(0, asked + delay - performance.now()));
    };
    const onRelayout = (change) => {
      if (oursOf(plot).delete(`${change[`${AXIS}[0]`]} ${change[`${AXIS}[1]`]}`)) return;
      if (change["xaxis.autorange"]) viewpoint.lookAtAll();
      else if (`${AXIS}[0]` in change) viewpoint.look(change[`${AXIS}[0]`], change[`${AXIS}[1]`]);
      else if (AXIS in change) viewpoint.look(...change[AXIS]);
    };
    // Redrawn between two pictures of the server, Plotly may forget where one was.
    const onRedraw = () => turn(plot);
    plot.on("plotly_relayout", onRelayout);
    plot.on("plotly_react", onRedraw);
    const quit = viewpoint.subscribe(follow);
    onRedraw();
    return () => {
      quit();
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
      if (!head.current) return; // the page is being left
      const state = engine.getSnapshot();
      const mine = state.track && state.track.id === track.id;
      const axis = axisOf(plot);
      const at = mine && axis ? axis.d2p(engine.position()) : -1;
      const visible = at >= 0 && axis && at <= axis._length;
      head.current.style.visibility = visible ? "visible" : "hidden";
      if (visible) head.current.style.transform = `translateX(${axis._offset + at}px)`;
      played.current.style.width = `${axis && mine ? Math.max(0, Math.min(at, axis._length)) : 0}px`;
      cancelAnimationFrame(frame);
      if (mine && state.playing) frame = requestAnimationFrame(place);
    };
    place();
    const quits = [engine.subscribe(place), viewpoint.subscribe(() => setTimeout(place, 20))];
    plot.on("plotly_afterplot", place);
    return () => {
      cancelAnimationFrame(frame);
      quits.forEach((quit) => quit());
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
      if (!sideways && event.deltaY > 0 && viewpoint.isWhole()) return; // let the page scroll
      event.preventDefault();
      if (sideways) viewpoint.move((event.deltaX || event.deltaY) / 800);
      else viewpoint.zoom(Math.exp(event.deltaY / 350), secondsAt(plot, event.clientX));
    };
    const onDown = (event) => {
      pressed = event.button === 0 && event.target.closest(".nsewdrag") ? event : null;
    };
    const onUp = (event) => {
      const still = pressed && Math.hypot(event.clientX - pressed.clientX, event.clientY - pressed.clientY) < CLICK_PIXELS;
      pressed = null;
      if (!still || !track.playable) return;
      const at = secondsAt(plot, event.clientX);
      const state = engine.getSnapshot();
      if (state.track && state.track.id === track.id) engine.seek(at);
      else engine.play(track, at);
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

export function Scope({ track, delay = 60, patient = false, label, onView, children }) {
  const frame = useRef(null);
  const head = useRef(null);
  const played = useRef(null);
  useEffect(() => viewpoint.open(track.id, track.seconds), [track.id, track.seconds]);
  const plot = usePlot(frame);
  useView(plot, delay, patient, onView);
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
