// The screen above the pads, as on the device: the chosen pad as the device names it, its position
// while it plays, the output level; and the buttons that concern all pads.

import { useEffect, useRef, useSyncExternalStore } from "react";
import { engine, midi } from "./pad_deck.js";
import { usePlayhead } from "./playhead.js";

const NAME_LENGTH = 23;
const METER_FLOOR_DB = -48;
const METER_SEGMENTS = 16;

const decibels = (peak) => 20 * Math.log10(Math.max(peak, 1e-6));
const lit = (peak) => Math.round(Math.max(0, 1 - decibels(peak) / METER_FLOOR_DB) * METER_SEGMENTS);

function Meter({ level }) {
  return (
    <span className="screen-meter" role="meter" aria-label="Output level" aria-valuemin={METER_FLOOR_DB} aria-valuemax={0} aria-valuenow={Math.round(Math.max(METER_FLOOR_DB, decibels(Math.max(...level))))}>
      {level.map((peak, channel) => (
        <span key={channel} className="meter-row">
          {Array.from({ length: METER_SEGMENTS }, (_, i) => (
            <i key={i} className={i < lit(peak) ? (i >= METER_SEGMENTS - 2 ? "on hot" : "on") : ""} />
          ))}
        </span>
      ))}
    </span>
  );
}

function Progress({ padKey, frames }) {
  const bar = useRef(null);
  usePlayhead(padKey, (at) => {
    bar.current.style.transform = `scaleX(${at === null || !frames ? 0 : Math.min(1, at / frames)})`;
  });
  return (
    <span className="screen-progress" aria-hidden="true">
      <i ref={bar} />
    </span>
  );
}

export function PadScreen({ sheet, head, draft }) {
  const player = useSyncExternalStore(engine.subscribe, engine.getSnapshot, engine.getSnapshot);
  const name = draft || sheet.device_name || ""; // `draft` is a name that is being typed
  const place = sheet.key ? `${sheet.key[0]}-${sheet.key.slice(1).padStart(2, "0")}` : "----";
  const facts = sheet.sample_id ? [sheet.bpm && `BPM ${sheet.bpm}`, sheet.frames ? `${(sheet.frames / sheet.rate).toFixed(3)} s` : "", sheet.edited ? "EDITED" : ""] : [];
  return (
    <div className="pad-screen" data-testid="screen">
      <span className="screen-line">
        <span className="screen-place">{place}</span>
        <span className="screen-name" data-testid="device-name" title={`The name on the ${head.title}: up to ${NAME_LENGTH} characters`}>
          {name || (sheet.key ? "EMPTY" : "CHOOSE A PAD")}
        </span>
        {name && (
          <span className="screen-count">
            {name.length}/{NAME_LENGTH}
          </span>
        )}
      </span>
      <Progress padKey={sheet.key} frames={sheet.frames} />
      <span className="screen-line small">
        <span>{player.error || facts.filter(Boolean).join("  ") || `${head.title}  ${head.tempo} BPM`}</span>
        <span className="screen-voices">{player.playing.length ? `${player.playing.length} PLAYING` : ""}</span>
      </span>
      <Meter level={player.level} />
    </div>
  );
}

const MIDI_TEXT = { off: "Use a MIDI controller", asking: "Waiting for permission", on: "MIDI is on" };

export function PadTransport({ mapping, onMapping }) {
  const player = useSyncExternalStore(engine.subscribe, engine.getSnapshot, engine.getSnapshot);
  const { state, devices, learning, error, mapping: learned } = player.midi;
  const known = JSON.stringify(mapping || {});
  useEffect(() => {
    midi.setMapping(JSON.parse(known));
    midi.onMapping(onMapping);
  }, [known, onMapping]);
  const title = error || (devices.length ? devices.join(", ") : MIDI_TEXT[state] || "MIDI");
  return (
    <div className="pad-transport">
      <button type="button" className="button small" onClick={engine.stopAll} title="Stop all pads (Esc)" data-testid="stop-all">
        <span aria-hidden="true">■</span> Stop
      </button>
      <label className="volume">
        <span className="label">Volume</span>
        <input type="range" min="0" max="100" defaultValue="100" aria-label="Volume" onInput={(event) => engine.setMasterGain(event.target.value / 100)} data-testid="volume" />
      </label>
      <button type="button" className={`button small ${state === "on" ? "on" : ""}`} aria-pressed={state === "on"} title={title} onClick={() => midi.enableMidi()} data-testid="midi">
        MIDI{state === "on" && devices.length > 0 && <span className="midi-light" />}
      </button>
      <span className="transport-note" role="status">
        {error || (learning && `Play a note for pad ${learning}.`)}
      </span>
      {learning && (
        <button type="button" className="chip" onClick={() => midi.learnPad(null)} data-testid="cancel-learning">
          Cancel
        </button>
      )}
      {!learning && Object.keys(learned).length > 0 && (
        <button type="button" className="chip" title="Go back to notes 36–51 on channels 1–10" onClick={midi.forgetNotes} data-testid="forget-notes">
          Forget learned notes
        </button>
      )}
    </div>
  );
}
