// One pad: what it holds, and whether it can be played.

import { memo } from "react";
import { MiniWave } from "../player/waveforms.jsx";

const LABELS = ["1", "2", "3", "4", "Q", "W", "E", "R", "A", "S", "D", "F", "Z", "X", "C", "V"];

function badgesOf(cell) {
  const { settings } = cell;
  const badges = [];
  if (settings.loop) badges.push(["loop", "↻", "Loops"]);
  if (settings.one_shot) badges.push(["shot", "→", "Plays to the end"]);
  if ((settings.play_mode || "").startsWith("reverse")) badges.push(["reverse", "◁", "Reverse"]);
  if ((settings.play_mode || "").endsWith("ping_pong")) badges.push(["pingpong", "⇄", "Ping-pong"]);
  if (settings.mute_group) badges.push(["mute", `M${settings.mute_group}`, `Mute group ${settings.mute_group}`]);
  if (settings.pad_link) badges.push(["link", `L${settings.pad_link}`, `Pad link ${settings.pad_link}`]);
  if (cell.chops) badges.push(["chops", `✂${cell.chops}`, `${cell.chops} chops`]);
  if (cell.edited) badges.push(["edited", "●", "Edited"]);
  return badges;
}

const STATUS_TEXT = { trashed: "In the trash", missing: "Sound missing" };

function describe(cell, loading, failed) {
  if (!cell.name) return `Pad ${cell.key}, empty`;
  const state = STATUS_TEXT[cell.status] || failed || (loading ? "loading" : "");
  return [`Pad ${cell.key}, ${cell.name}`, cell.bpm && `${cell.bpm} BPM`, cell.music_key, state].filter(Boolean).join(", ");
}

// `cell` is plain data; the other properties are compared by identity.
const isEqual = ({ cell: former, ...before }, { cell, ...now }) => Object.keys(now).every((name) => before[name] === now[name]) && (former === cell || JSON.stringify(former) === JSON.stringify(cell));

// A pad is drawn again only if something of it changed: an answer of the server holds new objects for
// all pads. `actions` always is the same object.
export const Pad = memo(function Pad({ cell, chosen, entry, ready, loading, failed, playing, over, actions }) {
  const isEmpty = !cell.name;
  const problem = cell.error || failed;
  const classes = ["pad", isEmpty ? "empty-pad" : "lit", chosen && "chosen", playing && "sounding", over && "drop-target", loading && "loading", problem && "broken", cell.status && "absent"];
  return (
    <div role="gridcell" className={classes.filter(Boolean).join(" ")} data-pad={cell.key} data-testid={`pad-${cell.key}`} data-state={problem ? "failed" : ready ? "ready" : loading ? "loading" : "empty"}>
      <button type="button" className="pad-face" tabIndex={entry ? 0 : -1} aria-label={describe(cell, loading, problem)} aria-pressed={playing} onPointerDown={(event) => actions.press(event, cell)} onContextMenu={(event) => actions.menu(event, cell)} onFocus={() => actions.choose(cell.key)}>
        <span className="pad-top">
          <span className="pad-number">{cell.number}</span>
          <kbd className="pad-key">{LABELS[cell.number - 1]}</kbd>
        </span>
        {!isEmpty && <MiniWave bars={cell.wave} className="pad-wave" />}
        <span className="pad-name">{cell.name}</span>
        <span className="pad-facts mono">{STATUS_TEXT[cell.status] || problem || [cell.bpm, cell.music_key, cell.length].filter(Boolean).join(" · ")}</span>
        <span className="pad-badges">
          {badgesOf(cell).map(([name, text, title]) => (
            <i key={name} className={`badge-${name}`} title={title}>
              {text}
            </i>
          ))}
        </span>
      </button>
      <button type="button" className="pad-more dense" aria-label={`Actions for pad ${cell.key}`} aria-haspopup="menu" tabIndex={-1} onClick={(event) => actions.menu(event, cell)} data-testid={`pad-menu-${cell.key}`}>
        ⋯
      </button>
    </div>
  );
}, isEqual);
