// The button of the player bar that plays sounds in a chosen tempo and key, and its panel.

import { useEffect, useRef, useState } from "react";
import * as player from "./audio_player.js";
import { KEYS, MAX_BPM, MIN_BPM, matchOf, transposedKey } from "./preview_match.js";

const formatBpm = (bpm) => `${Math.round(bpm * 10) / 10}`;

// The tempo and key of a sound, and what they are changed to: "92 → 90 BPM · Am → Cm".
export function matchText(track, match) {
  const { speed, semitones } = matchOf(track, match);
  const bpm = Number(track.bpm);
  const changed = speed === 1 ? "" : ` → ${formatBpm(bpm * speed)}`;
  const moved = semitones ? ` → ${transposedKey(track.key, semitones)}` : "";
  return [track.bpm && `${track.bpm}${changed} BPM`, track.key && `${track.key}${moved}`].filter(Boolean).join(" · ");
}

// What the panel says about the sound in the player.
function explain(track, match) {
  if (!match.bpm && !match.key) return "Choose a tempo or a key, and every sound plays in it.";
  if (!match.on) return "Off: sounds play as they are.";
  if (!track) return "Sounds without a tempo or key play as they are.";
  const missing = [match.bpm && !track.bpm && "tempo", match.key && !track.key && "key"].filter(Boolean);
  if (missing.length) return `This sound has no ${missing.join(" and no ")}, so it keeps its own.`;
  const { speed, semitones } = matchOf(track, match);
  const octave = match.bpm ? Math.round(Math.log2((track.bpm * speed) / match.bpm)) : 0;
  if (octave) return `${matchText(track, match)}: ${octave < 0 ? "half" : "double"} of ${formatBpm(match.bpm)}, on the same beat.`;
  if (match.key && !semitones) return "This sound has the notes of that key already.";
  if (!semitones) return matchText(track, match);
  return `${matchText(track, match)}, ${Math.abs(semitones)} semitone${Math.abs(semitones) === 1 ? "" : "s"} ${semitones > 0 ? "up" : "down"}`;
}

// The tempos of the person’s projects, once the panel is open.
function useProjects(isOpen) {
  const [projects, setProjects] = useState([]);
  useEffect(() => {
    if (!isOpen) return undefined;
    const abort = new AbortController();
    fetch("/api/projects", { signal: abort.signal })
      .then((answer) => (answer.ok ? answer.json() : { projects: [] }))
      .then(({ projects: found }) => setProjects(found))
      .catch(() => setProjects([])); // the tempo can still be typed
    return () => abort.abort();
  }, [isOpen]);
  return projects;
}

function TempoField({ bpm }) {
  const [text, setText] = useState("");
  const [isWrong, setWrong] = useState(false);
  useEffect(() => setText(bpm ? formatBpm(bpm) : ""), [bpm]);
  const change = (event) => {
    setText(event.target.value);
    setWrong(false); // it is being mended
  };
  const commit = () => {
    const value = /^\d+([.,]\d+)?$/.test(text.trim()) ? Number(text.replace(",", ".")) : NaN;
    setWrong(false);
    if (text === (bpm ? formatBpm(bpm) : "")) return; // leaving the field switches nothing on
    if (!text.trim()) player.setMatch({ bpm: null });
    else if (value >= MIN_BPM && value <= MAX_BPM) player.setMatch({ bpm: value, on: true });
    else {
      setText(bpm ? formatBpm(bpm) : "");
      setWrong(true);
    }
  };
  return (
    <>
      <input id="match-bpm" className="input mono" inputMode="decimal" placeholder="As it is" value={text} aria-invalid={isWrong} data-testid="match-bpm" onChange={change} onBlur={commit} onKeyDown={(event) => event.key === "Enter" && commit()} />
      {isWrong && (
        <p className="field-error" role="alert">
          {`Enter ${MIN_BPM} to ${MAX_BPM} BPM.`}
        </p>
      )}
    </>
  );
}

function MatchPanel({ track, match, onClose }) {
  const projects = useProjects(true);
  const [chosenId, setChosenId] = useState("");
  const isProject = ({ id, tempo }) => tempo === match.bpm && (!chosenId || id === chosenId);
  const takeFrom = (id) => {
    setChosenId(id);
    if (id) player.setMatch({ bpm: projects.find((project) => project.id === id).tempo, on: true });
  };
  const hasOwn = track && (track.bpm || track.key);
  const takeOwn = () => player.setMatch({ bpm: Number(track.bpm) || null, key: track.key, on: true });
  return (
    <div className="match-panel" role="dialog" aria-label="Tempo and key of previews" data-testid="match-panel">
      <label className="match-switch touch-target">
        <input type="checkbox" checked={match.on} data-testid="match-on" onChange={(event) => player.setMatch({ on: event.target.checked })} />
        Play in this tempo and key
      </label>
      <label htmlFor="match-bpm">Tempo</label>
      <TempoField bpm={match.bpm} />
      <label htmlFor="match-key">Key</label>
      <select id="match-key" className="input" value={match.key} data-testid="match-key" onChange={(event) => player.setMatch({ key: event.target.value, on: true })}>
        <option value="">As it is</option>
        {KEYS.map((key) => (
          <option key={key} value={key}>
            {key.endsWith("m") ? `${key.slice(0, -1)} minor` : `${key} major`}
          </option>
        ))}
      </select>
      {projects.length > 0 && (
        <>
          <label htmlFor="match-project">Project</label>
          <select id="match-project" className="input" value={projects.find(isProject)?.id || ""} data-testid="match-project" onChange={(event) => takeFrom(event.target.value)}>
            <option value="">Take its tempo …</option>
            {projects.map(({ id, name, tempo }) => (
              <option key={id} value={id}>
                {`${name}, ${formatBpm(tempo)} BPM`}
              </option>
            ))}
          </select>
        </>
      )}
      <p className="field-hint match-said" role="status" data-testid="match-said">
        {explain(track, match)}
      </p>
      <div className="match-acts">
        <button type="button" className="button small" disabled={!hasOwn} data-testid="match-own" onClick={takeOwn}>
          Take from this sound
        </button>
        <button type="button" className="button small" onClick={onClose} data-testid="match-close">
          Close
        </button>
      </div>
    </div>
  );
}

export function MatchButton({ track, match }) {
  const [isOpen, setOpen] = useState(false);
  const frame = useRef(null);
  const button = useRef(null);
  useEffect(player.restoreMatch, []);
  useEffect(() => {
    if (!isOpen) return undefined;
    const onPointerDown = (event) => frame.current.contains(event.target) || setOpen(false);
    document.addEventListener("pointerdown", onPointerDown);
    frame.current.querySelector("input").focus();
    return () => document.removeEventListener("pointerdown", onPointerDown);
  }, [isOpen]);
  const close = () => {
    setOpen(false);
    button.current.focus();
  };
  const onKeyDown = (event) => {
    if (!isOpen) return;
    event.stopPropagation(); // the page has shortcuts, too
    if (event.key === "Escape") close();
  };
  const label = "Play in a chosen tempo and key";
  return (
    <div ref={frame} className="player-match" onKeyDown={onKeyDown}>
      <button ref={button} type="button" className={`icon-button ${match.on ? "on" : ""}`} aria-haspopup="dialog" aria-expanded={isOpen} aria-label={label} title={label} data-testid="match-open" onClick={() => (isOpen ? close() : setOpen(true))}>
        <svg viewBox="0 0 24 24" className="line-icon" aria-hidden="true">
          <path d="M8 21l3-17h2l3 17zM9.2 14h5.6M12 14l5-8" />
        </svg>
      </button>
      {isOpen && <MatchPanel track={track} match={match} onClose={close} />}
    </div>
  );
}
