// The bar at the foot of every page: what plays, where, and how.

import { useEffect, useState, useSyncExternalStore } from "react";
import * as engine from "./engine.js";
import { ZoomWave } from "./wave.jsx";

const clock = (seconds) => {
  const whole = Math.max(0, seconds || 0);
  return `${Math.floor(whole / 60)}:${(whole % 60).toFixed(1).padStart(4, "0")}`;
};

function Clock({ playing, duration }) {
  const [now, setNow] = useState(0);
  useEffect(() => {
    const read = () => setNow(engine.position());
    read();
    const quit = engine.subscribe(read);
    const timer = playing ? setInterval(read, 100) : null;
    return () => {
      quit();
      clearInterval(timer);
    };
  }, [playing]);
  return (
    <span className="player-clock mono">
      {clock(now)} <span className="muted">/ {clock(duration)}</span>
    </span>
  );
}

const ICONS = {
  play: "M7 4.5v15l12-7.5z",
  pause: "M7 4.5h3.5v15H7zM13.5 4.5H17v15h-3.5z",
  loop: "M17 2l4 4-4 4M3 11V9a3 3 0 0 1 3-3h15M7 22l-4-4 4-4M21 13v2a3 3 0 0 1-3 3H3",
  level: "M4 20V10M10 20V4M16 20v-8M22 20V8",
  auto: "M5 4l8 8-8 8M13 4l8 8-8 8",
};

function Toggle({ icon, on, label, onClick }) {
  return (
    <button type="button" className={`icon-button ${on ? "on" : ""}`} aria-pressed={on} aria-label={label} title={label} onClick={onClick}>
      <svg viewBox="0 0 24 24" className="line-icon" aria-hidden="true">
        <path d={ICONS[icon]} />
      </svg>
    </button>
  );
}

export function PlayerBar({ autoplay = true, levelled = true }) {
  const state = useSyncExternalStore(engine.subscribe, engine.getSnapshot, engine.getSnapshot);
  useEffect(() => engine.choose({ autoplay, levelled }), [autoplay, levelled]);
  const { track, playing } = state;
  return (
    <section className={`player ${track ? "" : "player-empty"}`} aria-label="Player" data-testid="player" data-playing={playing} data-track={track ? track.id : ""}>
      <button type="button" className="play-button" disabled={!track} aria-label={playing ? "Stop" : "Play"} data-testid="player-toggle" onClick={engine.toggle}>
        <svg viewBox="0 0 24 24" aria-hidden="true">
          <path d={playing ? ICONS.pause : ICONS.play} fill="currentColor" />
        </svg>
      </button>
      <div className="player-title">
        {track ? (
          <>
            <a href={`/samples/${track.id}`} className="player-name">
              {track.name}
            </a>
            <span className="player-facts mono">{[track.bpm && `${track.bpm} BPM`, track.key].filter(Boolean).join(" · ")}</span>
          </>
        ) : (
          <span className="muted">Press ↓ or click a sound to hear it</span>
        )}
      </div>
      <ZoomWave track={track} playing={playing && !state.loading} />
      <Clock playing={playing} duration={track ? track.seconds : 0} />
      <div className="player-toggles">
        <Toggle icon="loop" on={state.loop} label="Repeat loops" onClick={() => engine.choose({ loop: !state.loop })} />
        <Toggle icon="auto" on={state.autoplay} label="Play as you move through the list" onClick={() => engine.choose({ autoplay: !state.autoplay })} />
        <Toggle icon="level" on={state.levelled} label="Even out loudness in previews" onClick={() => engine.choose({ levelled: !state.levelled })} />
      </div>
      <span className="player-error" role="status">
        {state.error}
      </span>
    </section>
  );
}

export function PlayThis({ track }) {
  const state = useSyncExternalStore(engine.subscribe, engine.getSnapshot, engine.getSnapshot);
  const mine = state.playing && state.track && state.track.id === track.id;
  return (
    <button type="button" className={`icon-button ${mine ? "on" : ""}`} aria-label={`${mine ? "Stop" : "Play"} ${track.name}`} onClick={() => (mine ? engine.pause() : engine.play(track))}>
      <svg viewBox="0 0 24 24" aria-hidden="true">
        <path d={mine ? ICONS.pause : ICONS.play} fill="currentColor" />
      </svg>
    </button>
  );
}
