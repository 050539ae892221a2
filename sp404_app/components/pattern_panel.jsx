// The patterns of a project: a list, and the chosen one as a grid that plays the project's pads.

import { useEffect, useRef, useState, useSyncExternalStore } from "react";
import * as engine from "../pad_engine/pad_engine.js";
import * as player from "../pad_engine/pattern_player.js";
import { PatternGrid } from "./pattern_grid.jsx";

const LOAD_FAILED = "Couldn’t load the patterns. Check your connection.";
const SHOWN_PADS = 5;
const padKey = ({ bank, pad }) => `${bank}${pad}`;
const plural = (count, word) => `${count} ${word}${count === 1 ? "" : "s"}`;
const lengthOf = ({ bars, beats_per_bar: beats }) => `${plural(bars, "bar")}${beats === 4 ? "" : ` of ${beats}/4`}`;

// Loads JSON again whenever `version` changes; the former content stays until then.
function useJson(url, version) {
  const [found, setFound] = useState({ url: "", content: null, failed: false });
  const [tries, setTries] = useState(0);
  useEffect(() => {
    if (!url) return undefined;
    const abort = new AbortController();
    fetch(url, { signal: abort.signal })
      .then((answer) => (answer.ok ? answer.json() : Promise.reject(answer)))
      .then((content) => setFound({ url, content, failed: false }))
      .catch(() => abort.signal.aborted || setFound((former) => ({ ...former, failed: true })));
    return () => abort.abort();
  }, [url, version, tries]);
  return { content: found.url === url ? found.content : null, failed: found.failed, retry: () => setTries(tries + 1) };
}

function PadChips({ pads, colours }) {
  const hidden = pads.length - SHOWN_PADS;
  return (
    <span className="pattern-pads">
      {pads.slice(0, SHOWN_PADS).map((pad) => (
        <i key={padKey(pad)} style={{ "--bank": colours[pad.bank] }}>
          {padKey(pad)}
        </i>
      ))}
      {hidden > 0 && <em>+{hidden}</em>}
    </span>
  );
}

function PatternItem({ pattern, chosen, playing, colours, onChoose, onKeyDown }) {
  const classes = ["pattern-item", chosen && "on", playing && "playing", pattern.problem && "broken"];
  const facts = pattern.problem ? "Can’t be read" : lengthOf(pattern);
  return (
    <li>
      <button type="button" className={classes.filter(Boolean).join(" ")} aria-current={chosen} tabIndex={chosen ? 0 : -1} aria-label={`Pattern ${pattern.name}, ${facts}`} onClick={() => onChoose(pattern.number)} onKeyDown={onKeyDown} data-testid={`pattern-${pattern.name}`}>
        <span className="pattern-name mono" style={{ "--bank": colours[pattern.bank] }}>
          {pattern.name}
        </span>
        <span className="pattern-length">{facts}</span>
        <PadChips pads={pattern.pads} colours={colours} />
      </button>
    </li>
  );
}

function PatternTools({ project, pattern, state, loops, onToggle }) {
  const isPlaying = state !== "stopped";
  const silent = pattern.pads.filter((pad) => !pad.has_sound).length;
  return (
    <div className="pattern-tools">
      <button type="button" className="button small primary pattern-play" onClick={onToggle} disabled={!pattern.note_count} title={isPlaying ? "Stop (Space)" : "Play (Space)"} data-testid="play-pattern" data-state={state}>
        <span aria-hidden="true">{isPlaying ? "■" : "▶"}</span> {isPlaying ? "Stop" : "Play"}
      </button>
      <button type="button" className={loops ? "switch on" : "switch"} aria-pressed={loops} onClick={() => player.setLoops(!loops)} data-testid="loop-pattern">
        Loop
      </button>
      <span className="pattern-facts">
        <b className="mono">{pattern.name}</b>
        <span>{lengthOf(pattern)}</span>
        <span className="mono">{pattern.tempo} BPM</span>
        <span>{plural(pattern.note_count, "note")}</span>
        {silent > 0 && <span className="pattern-silent">{plural(silent, "pad")} without sound</span>}
        <span role="status">{state === "loading" ? "Loading sounds …" : ""}</span>
      </span>
      <a className="button small ghost" href={`/api/projects/${project}/patterns/${pattern.number}.mid`} download title="Download as MIDI file" data-testid="pattern-midi">
        MIDI file
      </a>
    </div>
  );
}

function Chosen({ project, details, colours, state, loops, onToggle }) {
  if (details.failed) {
    return (
      <div className="pattern-note" role="alert">
        <p>{LOAD_FAILED}</p>
        <button type="button" className="button small" onClick={details.retry}>
          Try again
        </button>
      </div>
    );
  }
  const pattern = details.content;
  if (!pattern) return <div className="pattern-note muted">Loading …</div>;
  if (pattern.problem) return <div className="pattern-note" data-testid="pattern-problem">{pattern.problem}</div>;
  return (
    <>
      <PatternTools project={project} pattern={pattern} state={state} loops={loops} onToggle={onToggle} />
      <PatternGrid pattern={pattern} colours={colours} isPlaying={state === "playing"} />
    </>
  );
}

// Space plays and stops unless a control or a pad takes it; Escape stops, then closes.
function usePanelKeys(onToggle, onClose) {
  useEffect(() => {
    const onKey = (event) => {
      if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
      const isInside = event.target.closest?.("[data-patterns]");
      if (event.key === " " && (isInside ? !event.target.closest("button, a") : event.target === document.body)) {
        event.preventDefault();
        onToggle();
      } else if (event.key === "Escape" && isInside && player.getSnapshot().state === "stopped") {
        event.preventDefault();
        onClose();
      }
    };
    document.addEventListener("keydown", onKey);
    return () => document.removeEventListener("keydown", onKey);
  });
}

export function PatternPanel({ project, revision, banks, onClose }) {
  const { state, number: sounding, loops } = useSyncExternalStore(player.subscribe, player.getSnapshot, player.getSnapshot);
  const [wanted, setWanted] = useState(0);
  const panel = useRef(null);
  const listed = useJson(`/api/projects/${project}/patterns`, revision);
  const patterns = listed.content?.patterns || [];
  const chosen = patterns.find(({ number }) => number === wanted) || patterns.find(({ problem }) => !problem) || patterns[0];
  const details = useJson(chosen ? `/api/projects/${project}/patterns/${chosen.number}` : "", revision);
  const pattern = details.content;
  const colours = Object.fromEntries(banks.map(({ letter, colour }) => [letter, colour]));

  useEffect(() => {
    engine.setNeedsAllBanks(true);
    panel.current.focus({ preventScroll: true });
    return () => {
      if (player.getSnapshot().state !== "stopped") player.stop();
      engine.setNeedsAllBanks(false);
      engine.setWanted([]);
    };
  }, []);

  // Another pattern takes over while one plays; a new tempo holds at once.
  useEffect(() => {
    if (!pattern || state === "stopped") return;
    if (pattern.number !== sounding && !pattern.problem) player.play(pattern);
    else if (pattern.number === sounding) player.setTempo(pattern.tempo);
  }, [pattern]);

  const toggle = () => {
    if (state !== "stopped") player.stop();
    else if (pattern?.note_count) player.play(pattern);
  };
  usePanelKeys(toggle, onClose);

  const onItemKey = (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (event.key === " ") {
      event.preventDefault();
      toggle();
    } else if (step) {
      event.preventDefault();
      const next = patterns[patterns.indexOf(chosen) + step];
      if (!next) return;
      setWanted(next.number);
      panel.current.querySelector(`[data-testid="pattern-${next.name}"]`)?.focus();
    }
  };

  return (
    <section ref={panel} className="pattern-panel" tabIndex={-1} aria-label="Patterns" data-patterns data-testid="patterns">
      <header className="pattern-head">
        <h2>Patterns</h2>
        <button type="button" className="icon-button small" aria-label="Close patterns" title="Close patterns" onClick={onClose} data-testid="close-patterns">
          ×
        </button>
      </header>
      {listed.failed && (
        <div className="pattern-note" role="alert">
          <p>{LOAD_FAILED}</p>
          <button type="button" className="button small" onClick={listed.retry}>
            Try again
          </button>
        </div>
      )}
      <ul className="pattern-list" aria-label="All patterns">
        {patterns.map((each) => (
          <PatternItem key={each.number} pattern={each} chosen={each === chosen} playing={state !== "stopped" && each.number === sounding} colours={colours} onChoose={setWanted} onKeyDown={onItemKey} />
        ))}
      </ul>
      <div className="pattern-detail">{chosen && <Chosen project={project} details={details} colours={colours} state={state} loops={loops} onToggle={toggle} />}</div>
    </section>
  );
}
