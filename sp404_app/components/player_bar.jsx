// The player bar at the bottom of every page, and the play button of a single sound.

import { useEffect, useRef, useState, useSyncExternalStore } from "react";
import { Link } from "react-router"; // a plain link would load the page anew and stop the sound
import * as player from "./audio_player.js";
import { useKeyboardHelp } from "./keyboard_help.jsx";
import { MatchButton, matchText } from "./preview_match_panel.jsx";
import { ZoomableWaveform } from "./waveforms.jsx";

const formatTime = (seconds) => {
  const whole = Math.max(0, seconds || 0);
  return `${Math.floor(whole / 60)}:${(whole % 60).toFixed(1).padStart(4, "0")}`;
};

function PlaybackTime({ playing, duration }) {
  const [now, setNow] = useState(0);
  useEffect(() => {
    const read = () => setNow(player.position());
    read();
    const unsubscribe = player.subscribe(read);
    const timer = playing ? setInterval(read, 100) : null;
    return () => {
      unsubscribe();
      clearInterval(timer);
    };
  }, [playing]);
  return (
    <span className="player-clock mono">
      {formatTime(now)} <span className="muted">/ {formatTime(duration)}</span>
    </span>
  );
}

const ICONS = {
  play: "M7 4.5v15l12-7.5z",
  pause: "M7 4.5h3.5v15H7zM13.5 4.5H17v15h-3.5z",
  loop: "M17 2l4 4-4 4M3 11V9a3 3 0 0 1 3-3h15M7 22l-4-4 4-4M21 13v2a3 3 0 0 1-3 3H3",
  level: "M4 20V10M10 20V4M16 20v-8M22 20V8",
  auto: "M5 4l8 8-8 8M13 4l8 8-8 8",
  sound: "M4 9.5v5h3.5L12 19V5L7.5 9.5zM15.5 9a4 4 0 0 1 0 6M18 6.5a8 8 0 0 1 0 11",
  more: "M4 7h9M18 7h2M13 5v4h5V5zM4 17h2M11 17h9M6 15v4h5v-4z",
  muted: "M4 9.5v5h3.5L12 19V5L7.5 9.5zM16 9.5l5 5M21 9.5l-5 5",
};

function OptionToggle({ icon, on, label, onClick }) {
  return (
    <button type="button" className={`icon-button ${on ? "on" : ""}`} aria-pressed={on} aria-label={label} title={label} onClick={onClick}>
      <svg viewBox="0 0 24 24" className="line-icon" aria-hidden="true">
        <path d={ICONS[icon]} />
      </svg>
      <span className="option-name" aria-hidden="true">{label}</span>
    </button>
  );
}

// What changes how sounds are played. On a phone, which has no room for it, it is a panel behind a
// button.
function PlayerOptions({ children }) {
  const [isOpen, setOpen] = useState(false);
  const frame = useRef(null);
  const button = useRef(null);
  useEffect(() => {
    if (!isOpen) return undefined;
    const onPointerDown = (event) => frame.current.contains(event.target) || setOpen(false);
    document.addEventListener("pointerdown", onPointerDown);
    return () => document.removeEventListener("pointerdown", onPointerDown);
  }, [isOpen]);
  const onKeyDown = (event) => {
    if (!isOpen || event.key !== "Escape") return;
    event.stopPropagation(); // the page has shortcuts, too
    setOpen(false);
    button.current.focus();
  };
  const label = "Player options";
  return (
    <div ref={frame} className="player-options" onKeyDown={onKeyDown}>
      <button ref={button} type="button" className="icon-button player-more" aria-expanded={isOpen} aria-controls="player-options" aria-label={label} title={label} data-testid="player-more" onClick={() => setOpen(!isOpen)}>
        <svg viewBox="0 0 24 24" className="line-icon" aria-hidden="true">
          <path d={ICONS.more} />
        </svg>
      </button>
      <div id="player-options" className={`player-panel ${isOpen ? "open" : ""}`} data-testid="player-options">
        {children}
      </div>
    </div>
  );
}

function Volume({ volume, muted }) {
  useEffect(player.loadVolume, []);
  const percent = muted ? 0 : Math.round(volume * 100);
  return (
    <div className="player-volume" role="group" aria-label="Volume of previews">
      <OptionToggle icon={percent ? "sound" : "muted"} on={muted} label="Mute" onClick={() => player.setVolume({ muted: !muted })} />
      <input type="range" min="0" max="100" value={percent} aria-label="Volume" title={`Volume ${percent} %`} data-testid="player-volume" onChange={(event) => player.setVolume({ volume: event.target.value / 100, muted: false })} />
    </div>
  );
}

export function PlayerBar({ autoplay = true, levelled = true, notice = 0, toTrash = false, helpKeys = [] }) {
  const state = useSyncExternalStore(player.subscribe, player.getSnapshot, player.getSnapshot);
  useEffect(() => player.configure({ autoplay, levelled }), [autoplay, levelled]);
  useEffect(() => void (notice && player.pauseDeleted(toTrash)), [notice, toTrash]);
  const [help, showHelp] = useKeyboardHelp(helpKeys);
  const { track, playing } = state;
  return (
    <section className={`player ${track ? "" : "player-empty"}`} aria-label="Player" data-testid="player" data-playing={playing} data-track={track ? track.id : ""}>
      <button type="button" className="play-button" disabled={!track} aria-label={playing ? "Stop" : "Play"} data-testid="player-toggle" onClick={player.toggle}>
        <svg viewBox="0 0 24 24" aria-hidden="true">
          <path d={playing ? ICONS.pause : ICONS.play} fill="currentColor" />
        </svg>
      </button>
      <div className="player-title">
        {track ? (
          <>
            <Link to={`/samples/${track.id}`} className="player-name">
              {track.name}
            </Link>
            <span className="player-facts mono">{matchText(track, state.match)}</span>
          </>
        ) : (
          <span className="muted">Click a sound or press ↓ to play it</span>
        )}
      </div>
      <ZoomableWaveform track={track} playing={playing && !state.loading} region={state.region} />
      <PlaybackTime playing={playing} duration={track ? track.seconds : 0} />
      <MatchButton track={track} match={state.match} />
      <PlayerOptions>
        <div className="player-toggles">
          <OptionToggle icon="loop" on={state.loop} label="Repeat loops" onClick={() => player.configure({ loop: !state.loop })} />
          <OptionToggle icon="auto" on={state.autoplay} label="Play sounds as you move through the list" onClick={() => player.configure({ autoplay: !state.autoplay })} />
          <OptionToggle icon="level" on={state.levelled} label="Even out preview loudness" onClick={() => player.configure({ levelled: !state.levelled })} />
        </div>
        <Volume volume={state.volume} muted={state.muted} />
        {helpKeys.length ? (
          <button type="button" className="icon-button player-help" aria-label="Keyboard help" title="Keyboard help (?)" onClick={showHelp} data-testid="player-help">
            <span aria-hidden="true">?</span>
            <span className="option-name" aria-hidden="true">Keyboard help</span>
          </button>
        ) : null}
      </PlayerOptions>
      {help}
      <span className="player-error" role="status">
        {state.error}
      </span>
    </section>
  );
}

export function PlayButton({ track }) {
  const state = useSyncExternalStore(player.subscribe, player.getSnapshot, player.getSnapshot);
  const isPlaying = state.playing && state.track && state.track.id === track.id;
  return (
    <button type="button" className={`icon-button ${isPlaying ? "on" : ""}`} aria-label={`${isPlaying ? "Stop" : "Play"} ${track.name}`} onClick={() => (isPlaying ? player.pause() : player.play(track))}>
      <svg viewBox="0 0 24 24" aria-hidden="true">
        <path d={isPlaying ? ICONS.pause : ICONS.play} fill="currentColor" />
      </svg>
    </button>
  );
}
