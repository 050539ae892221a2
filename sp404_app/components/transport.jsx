// Transport of the sample page: play, seek, zoom, metronome, tap tempo, and their keyboard shortcuts.

import { useEffect, useRef, useState, useSyncExternalStore } from "react";
import * as player from "../player/audio_player.js"; // the asset folder of player.py
import * as metronome from "./metronome.js";
import * as visibleRange from "./visible_range.js";

const ICONS = { play: "M7 4.5v15l12-7.5z", stop: "M7 4.5h3.5v15H7zM13.5 4.5H17v15h-3.5z" };
// Fields, menus and panels have keys of their own.
const OWN_KEYS = "input:not([type=checkbox]), textarea, select, [contenteditable], [role=menu], [role=dialog]";
const isTyping = (target) => target.closest(OWN_KEYS);
const closestButton = (target) => target.closest("a, button, summary");

function useLoadTrack(track) {
  useEffect(() => {
    const { playing, track: current } = player.getSnapshot();
    if (current && current.id === track.id) player.configure({ track });
    else if (!playing && track.playable) {
      player.configure({ track });
      player.seek(0);
    }
  }, [track.id, track.name, track.seconds, track.gain, track.loops, track.playable, track.bpm, track.key]);
}

function togglePlayback(track) {
  const { track: current } = player.getSnapshot();
  if (current && current.id === track.id) player.toggle();
  else if (track.playable) player.play(track);
}

function useKeys(track, onAct) {
  const clicked = useRef(null);
  useEffect(() => {
    const step = () => Math.max(0.02, (visibleRange.getRange().end - visibleRange.getRange().start) / 20);
    const keys = {
      " ": () => togglePlayback(track),
      ArrowLeft: () => player.seek(player.position() - step()),
      ArrowRight: () => player.seek(player.position() + step()),
      Home: () => player.seek(0),
      "+": () => visibleRange.zoom(0.5, player.position()),
      "=": () => visibleRange.zoom(0.5, player.position()),
      "-": () => visibleRange.zoom(2, player.position()),
      Escape: visibleRange.showAll,
      m: () => metronome.setEnabled(!metronome.isEnabled()),
      f: () => onAct("favourite"),
    };
    const onKey = (event) => {
      if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
      const focused = closestButton(event.target);
      if (document.querySelector("dialog[open]") || (event.key === " " && focused && focused !== clicked.current)) return;
      const action = keys[event.key.length === 1 ? event.key.toLowerCase() : event.key];
      if (action) {
        event.preventDefault();
        action();
      } else if (/^[0-5]$/.test(event.key)) onAct(`rate-${event.key}`);
    };
    // Space presses a button that was focused by keyboard. After a mouse click on a button, Space
    // starts and stops playback.
    const onPress = (event) => {
      clicked.current = closestButton(event.target);
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
      if (!shown.current) return; // unmounted
      const { track: current, playing } = player.getSnapshot();
      const isLoaded = current && current.id === track.id;
      shown.current.textContent = (isLoaded ? player.position() : 0).toFixed(3);
      cancelAnimationFrame(frame);
      if (isLoaded && playing) frame = requestAnimationFrame(write);
    };
    write();
    const unsubscribe = player.subscribe(write);
    return () => {
      cancelAnimationFrame(frame);
      unsubscribe();
    };
  }, [track.id]);
  return (
    <span className="readout mono" aria-hidden="true">
      <b ref={shown}>0.000</b> / {track.seconds.toFixed(3)} s
    </span>
  );
}

export function Transport({ track, pulse, onAct, children }) {
  const state = useSyncExternalStore(player.subscribe, player.getSnapshot, player.getSnapshot);
  const clicking = useSyncExternalStore(metronome.subscribe, metronome.isEnabled, () => false);
  const view = useSyncExternalStore(visibleRange.subscribe, visibleRange.getRange, visibleRange.getRange);
  useLoadTrack(track);
  useKeys(track, onAct);
  useEffect(() => metronome.setBeats({ ...pulse, id: track.id }), [track.id, pulse.first, pulse.period, pulse.downbeat]);
  useEffect(() => () => metronome.setEnabled(false), []);
  const playing = state.playing && state.track && state.track.id === track.id;
  const zoomed = view.id === track.id && view.end - view.start < view.duration - 1e-6;
  const width = view.end - view.start;
  return (
    <div className="transport">
      <button type="button" className="play-button" disabled={!track.playable} aria-label={playing ? "Stop" : "Play"} title="Space" data-testid="play-here" data-playing={Boolean(playing)} onClick={() => togglePlayback(track)}>
        <svg viewBox="0 0 24 24" aria-hidden="true">
          <path d={playing ? ICONS.stop : ICONS.play} fill="currentColor" />
        </svg>
      </button>
      <Readout track={track} />
      <span className="transport-layers" role="group" aria-label="Overlays and metronome">
        {children}
        {pulse.period > 0 && (
          <button type="button" className={`chip ${clicking ? "on" : ""}`} aria-pressed={clicking} title="Click on every beat (M)" data-testid="metronome" onClick={() => metronome.setEnabled(!clicking)}>
            Metronome
          </button>
        )}
      </span>
      <span className="transport-zoom" role="group" aria-label="Zoom">
        <span className="zoom-width mono muted" data-testid="zoom-width" data-start={view.start} data-end={view.end}>
          {zoomed ? (width < 1 ? `${(width * 1000).toFixed(width < 0.1 ? 1 : 0)} ms` : `${width.toFixed(2)} s`) : "all"}
        </span>
        <button type="button" className="icon-button" aria-label="Zoom in" title="Zoom in (+)" data-testid="zoom-in" onClick={() => visibleRange.zoom(0.5)}>
          +
        </button>
        <button type="button" className="icon-button" aria-label="Zoom out" title="Zoom out (−)" disabled={!zoomed} onClick={() => visibleRange.zoom(2)}>
          −
        </button>
        <button type="button" className="button small" disabled={!zoomed} title="Show all (Esc or double-click)" data-testid="zoom-all" onClick={visibleRange.showAll}>
          Show all
        </button>
      </span>
    </div>
  );
}

const MIN_TAPS = 4;
const MAX_TAP_GAP_MS = 2500; // after a longer pause the taps are counted from the start

// Least-squares slope of the tap times: less sensitive to one late tap than the mean gap.
function tempoFromTaps(taps) {
  const count = taps.length;
  const middle = (count - 1) / 2;
  const mean = taps.reduce((sum, at) => sum + at, 0) / count;
  const over = taps.reduce((sum, at, i) => sum + (i - middle) * (at - mean), 0);
  const under = taps.reduce((sum, _, i) => sum + (i - middle) ** 2, 0);
  return 60000 / (over / under);
}

export function TapTempo({ onTempo }) {
  const [taps, setTaps] = useState([]);
  const tap = (at) => setTaps((known) => (known.length && at - known[known.length - 1] > MAX_TAP_GAP_MS ? [at] : [...known.slice(-31), at]));
  useEffect(() => {
    const onKey = (event) => {
      if (event.key.toLowerCase() !== "t" || event.repeat || event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
      event.preventDefault();
      tap(event.timeStamp);
    };
    document.addEventListener("keydown", onKey);
    return () => document.removeEventListener("keydown", onKey);
  }, []);
  const found = taps.length >= MIN_TAPS ? Math.round(tempoFromTaps(taps) * 10) / 10 : 0;
  return (
    <div className="tap">
      <button type="button" className="button tap-pad" data-testid="tap" title="Click here or press T on each beat" onPointerDown={(event) => event.button === 0 && tap(event.timeStamp)} onKeyDown={(event) => event.key === "Enter" && !event.repeat && tap(event.timeStamp)}>
        Tap <kbd>T</kbd>
      </button>
      <span className="tap-count" role="status">
        {found ? (
          <span className="mono" data-testid="tapped">
            {found.toFixed(1)} BPM
          </span>
        ) : taps.length ? (
          `${MIN_TAPS - taps.length} more`
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
          Use
        </button>
      )}
    </div>
  );
}
