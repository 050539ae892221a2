// The controls of one sound's page, and its keys: play, seek, zoom, tap and click.

import { useEffect, useRef, useState, useSyncExternalStore } from "react";
import * as engine from "../player/engine.js"; // player.py puts it there
import * as metronome from "./metronome.js";
import * as viewpoint from "./viewpoint.js";

const ICONS = { play: "M7 4.5v15l12-7.5z", stop: "M7 4.5h3.5v15H7zM13.5 4.5H17v15h-3.5z" };
const typing = (target) => target.closest("input:not([type=checkbox]), textarea, select, [contenteditable]");
const button = (target) => target.closest("a, button, summary");

function useTrack(track) {
  useEffect(() => {
    const { playing, track: current } = engine.getSnapshot();
    if (current && current.id === track.id) engine.choose({ track });
    else if (!playing && track.playable) {
      engine.choose({ track });
      engine.seek(0);
    }
  }, [track.id, track.name, track.seconds, track.gain, track.loops, track.playable, track.bpm, track.key]);
}

function playPause(track) {
  const { track: current } = engine.getSnapshot();
  if (current && current.id === track.id) engine.toggle();
  else if (track.playable) engine.play(track);
}

function useKeys(track, onAct) {
  const clicked = useRef(null);
  useEffect(() => {
    const step = () => Math.max(0.02, (viewpoint.getView().end - viewpoint.getView().start) / 20);
    const keys = {
      " ": () => playPause(track),
      ArrowLeft: () => engine.seek(engine.position() - step()),
      ArrowRight: () => engine.seek(engine.position() + step()),
      Home: () => engine.seek(0),
      "+": () => viewpoint.zoom(0.5, engine.position()),
      "=": () => viewpoint.zoom(0.5, engine.position()),
      "-": () => viewpoint.zoom(2, engine.position()),
      Escape: viewpoint.lookAtAll,
      m: () => metronome.turn(!metronome.isOn()),
      f: () => onAct("favourite"),
    };
    const onKey = (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
      const reached = button(event.target);
      if (document.querySelector("dialog[open]") || (event.key === " " && reached && reached !== clicked.current)) return;
      const act = keys[event.key.length === 1 ? event.key.toLowerCase() : event.key];
      if (act) {
        event.preventDefault();
        act();
      } else if (/^[0-5]$/.test(event.key)) onAct(`rate-${event.key}`);
    };
    // A button reached by keyboard keeps its space bar; one that was clicked gives it to the player.
    const onPress = (event) => {
      clicked.current = button(event.target);
    };
    const onFocus = (event) => {
      if (event.target !== clicked.current) clicked.current = null;
    };
    document.addEventListener("pointerdown", onPress, true);
    document.addEventListener("focusin", onFocus);
    document.addEventListener("keydown", onKey);
    return () => {
      document.removeEventListener("pointerdown", onPress, true);
      document.removeEventListener("focusin", onFocus);
      document.removeEventListener("keydown", onKey);
    };
  }, [track.id, track.playable, track.seconds, onAct]);
}

function Readout({ track }) {
  const shown = useRef(null);
  useEffect(() => {
    let frame;
    const write = () => {
      if (!shown.current) return; // the page is being left
      const { track: current, playing } = engine.getSnapshot();
      const mine = current && current.id === track.id;
      shown.current.textContent = (mine ? engine.position() : 0).toFixed(3);
      cancelAnimationFrame(frame);
      if (mine && playing) frame = requestAnimationFrame(write);
    };
    write();
    const quit = engine.subscribe(write);
    return () => {
      cancelAnimationFrame(frame);
      quit();
    };
  }, [track.id]);
  return (
    <span className="readout mono" aria-hidden="true">
      <b ref={shown}>0.000</b> / {track.seconds.toFixed(3)} s
    </span>
  );
}

export function Transport({ track, pulse, onAct, children }) {
  const state = useSyncExternalStore(engine.subscribe, engine.getSnapshot, engine.getSnapshot);
  const clicking = useSyncExternalStore(metronome.subscribe, metronome.isOn, () => false);
  const view = useSyncExternalStore(viewpoint.subscribe, viewpoint.getView, viewpoint.getView);
  useTrack(track);
  useKeys(track, onAct);
  useEffect(() => metronome.follow({ ...pulse, id: track.id }), [track.id, pulse.first, pulse.period, pulse.downbeat]);
  useEffect(() => () => metronome.turn(false), []);
  const playing = state.playing && state.track && state.track.id === track.id;
  const zoomed = view.id === track.id && view.end - view.start < view.duration - 1e-6;
  const width = view.end - view.start;
  return (
    <div className="transport">
      <button type="button" className="play-button" disabled={!track.playable} aria-label={playing ? "Stop" : "Play"} title="Space" data-testid="play-here" data-playing={Boolean(playing)} onClick={() => playPause(track)}>
        <svg viewBox="0 0 24 24" aria-hidden="true">
          <path d={playing ? ICONS.stop : ICONS.play} fill="currentColor" />
        </svg>
      </button>
      <Readout track={track} />
      <span className="transport-layers" role="group" aria-label="Shown and heard over the sound">
        {children}
        {pulse.period > 0 && (
          <button type="button" className={`chip ${clicking ? "on" : ""}`} aria-pressed={clicking} title="A click on every beat while it plays (M)" data-testid="metronome" onClick={() => metronome.turn(!clicking)}>
            Metronome
          </button>
        )}
      </span>
      <span className="transport-zoom" role="group" aria-label="Zoom">
        <span className="zoom-width mono muted" data-testid="zoom-width" data-start={view.start} data-end={view.end}>
          {zoomed ? (width < 1 ? `${(width * 1000).toFixed(width < 0.1 ? 1 : 0)} ms` : `${width.toFixed(2)} s`) : "all"}
        </span>
        <button type="button" className="icon-button" aria-label="Zoom in" title="Zoom in (+)" data-testid="zoom-in" onClick={() => viewpoint.zoom(0.5)}>
          +
        </button>
        <button type="button" className="icon-button" aria-label="Zoom out" title="Zoom out (−)" disabled={!zoomed} onClick={() => viewpoint.zoom(2)}>
          −
        </button>
        <button type="button" className="button small" disabled={!zoomed} title="Show all of it (Esc, or double-click)" data-testid="zoom-all" onClick={viewpoint.lookAtAll}>
          Show all
        </button>
      </span>
    </div>
  );
}

const LEAST_TAPS = 4;
const PAUSE = 2500; // milliseconds without a tap after which a new count begins

// The slope of a line through the taps: one late tap moves it less than an average of gaps.
function tempoOf(taps) {
  const count = taps.length;
  const middle = (count - 1) / 2;
  const mean = taps.reduce((sum, at) => sum + at, 0) / count;
  const over = taps.reduce((sum, at, i) => sum + (i - middle) * (at - mean), 0);
  const under = taps.reduce((sum, _, i) => sum + (i - middle) ** 2, 0);
  return 60000 / (over / under);
}

export function Tap({ onTempo }) {
  const [taps, setTaps] = useState([]);
  const tap = (at) => setTaps((known) => (known.length && at - known[known.length - 1] > PAUSE ? [at] : [...known.slice(-31), at]));
  useEffect(() => {
    const onKey = (event) => {
      if (event.key.toLowerCase() !== "t" || event.repeat || event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
      event.preventDefault();
      tap(event.timeStamp);
    };
    document.addEventListener("keydown", onKey);
    return () => document.removeEventListener("keydown", onKey);
  }, []);
  const found = taps.length >= LEAST_TAPS ? Math.round(tempoOf(taps) * 10) / 10 : 0;
  return (
    <div className="tap">
      <button type="button" className="button tap-pad" data-testid="tap" title="Tap along: click here, or press T" onPointerDown={(event) => event.button === 0 && tap(event.timeStamp)} onKeyDown={(event) => event.key === "Enter" && !event.repeat && tap(event.timeStamp)}>
        Tap <kbd>T</kbd>
      </button>
      <span className="tap-count" role="status">
        {found ? (
          <span className="mono" data-testid="tapped">
            {found.toFixed(1)} BPM
          </span>
        ) : taps.length ? (
          `${LEAST_TAPS - taps.length} more`
        ) : (
          ""
        )}
      </span>
      {found > 0 && (
        <button
          type="button"
          className="button small primary"
          data-testid="use-tapped"
          onClick={() => {
            onTempo(String(found));
            setTaps([]);
          }}
        >
          Use it
        </button>
      )}
    </div>
  );
}
