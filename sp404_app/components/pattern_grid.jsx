// A pattern as a grid: a row for each pad that it plays, time from left to right, velocity as brightness.

import { useEffect, useLayoutEffect, useRef, useState, useSyncExternalStore } from "react";
import * as engine from "../pad_engine/pad_engine.js";
import * as player from "../pad_engine/pattern_player.js";

const MIN_ROW_PX = 22;
const MAX_ROW_PX = 36;
const ROWS_PX = 150; // height that few rows share
const RULER_PX = 18;
const MIN_BAR_PX = 56;
const MAX_WIDTH_PX = 8192;
const MIN_NOTE_PX = 4;
const GAP_PX = 3;
const SOUND_MS = 1000; // of a gated pad that is tried out
const padKey = ({ bank, pad }) => `${bank}${pad}`;
const rowHeight = ({ pads }) => Math.max(MIN_ROW_PX, Math.min(MAX_ROW_PX, Math.floor(ROWS_PX / Math.max(1, pads.length))));

function useWidth(box) {
  const [width, setWidth] = useState(0);
  useLayoutEffect(() => {
    const observer = new ResizeObserver(([entry]) => setWidth(Math.floor(entry.contentRect.width)));
    observer.observe(box.current);
    return () => observer.disconnect();
  }, []);
  return width;
}

// The bars that the ticks last; the file may count others.
const barTicks = ({ ppq, beats_per_bar: beats }) => ppq * beats;

function drawLines(pen, pattern, width, height) {
  const beat = (pattern.ppq / pattern.length) * width;
  const step = beat >= 12 ? pattern.ppq : barTicks(pattern);
  for (let tick = 0; tick <= pattern.length; tick += step) {
    const isBar = tick % barTicks(pattern) === 0;
    pen.fillStyle = isBar ? "rgba(140, 136, 132, 0.55)" : "rgba(140, 136, 132, 0.2)";
    pen.fillRect(Math.min(width - 1, Math.round((tick / pattern.length) * width)), isBar ? 0 : RULER_PX, 1, height);
    if (!isBar || tick === pattern.length) continue;
    pen.fillStyle = "#8c8884";
    pen.fillText(String(tick / barTicks(pattern) + 1), Math.round((tick / pattern.length) * width) + 4, RULER_PX - 6);
  }
}

function drawNotes(pen, pattern, width, colours) {
  const row = rowHeight(pattern);
  const rowOf = Object.fromEntries(pattern.pads.map((pad, index) => [padKey(pad), index]));
  for (const note of pattern.notes) {
    const x = (note.tick / pattern.length) * width;
    const long = Math.max(MIN_NOTE_PX, Math.min(width - x, (note.length / pattern.length) * width) - 1);
    const y = RULER_PX + rowOf[padKey(note)] * row + GAP_PX;
    pen.globalAlpha = 0.28 + 0.72 * (note.velocity / 127);
    pen.fillStyle = colours[note.bank];
    pen.beginPath();
    pen.roundRect(x, y, long, row - 2 * GAP_PX, 3);
    pen.fill();
  }
  pen.globalAlpha = 1;
}

function Notes({ pattern, colours, width, height }) {
  const canvas = useRef(null);
  const content = JSON.stringify([pattern, colours]);
  useEffect(() => {
    const ratio = Math.min(2, window.devicePixelRatio || 1);
    canvas.current.width = width * ratio;
    canvas.current.height = height * ratio;
    const pen = canvas.current.getContext("2d");
    pen.scale(ratio, ratio);
    pen.font = '500 10px "Geist Mono Variable", monospace';
    drawLines(pen, pattern, width, height);
    drawNotes(pen, pattern, width, colours);
  }, [content, width, height]);
  const text = `Pattern ${pattern.name}: ${pattern.note_count} notes on ${pattern.pads.length} pads`;
  return <canvas ref={canvas} role="img" aria-label={text} style={{ width, height }} />;
}

// Moves outside of React, and keeps itself in view.
function Playhead({ pattern, width, isPlaying, scroller }) {
  const line = useRef(null);
  useEffect(() => {
    if (!isPlaying) return undefined;
    let request;
    const draw = () => {
      const tick = player.position();
      const x = tick === null ? 0 : (tick / pattern.length) * width;
      if (line.current) line.current.style.transform = `translateX(${x}px)`;
      const box = scroller.current;
      if (box && (x < box.scrollLeft || x > box.scrollLeft + box.clientWidth)) box.scrollLeft = x;
      request = requestAnimationFrame(draw);
    };
    draw();
    return () => cancelAnimationFrame(request);
  }, [pattern.length, width, isPlaying]);
  return <span ref={line} className="pattern-playhead" hidden={!isPlaying} data-testid="playhead" />;
}

function tryPad(key) {
  engine.pressPad(key);
  setTimeout(() => engine.releasePad(key), SOUND_MS);
}

export function PatternGrid({ pattern, colours, isPlaying }) {
  const { playing } = useSyncExternalStore(engine.subscribe, engine.getSnapshot, engine.getSnapshot);
  const scroller = useRef(null);
  const room = useWidth(scroller);
  const bars = Math.ceil(pattern.length / barTicks(pattern));
  const width = Math.min(MAX_WIDTH_PX, Math.max(room, bars * MIN_BAR_PX));
  const row = rowHeight(pattern);
  const height = RULER_PX + pattern.pads.length * row;
  return (
    <div className="pattern-grid" data-testid="pattern-grid">
      <div className="pattern-rows" style={{ paddingTop: RULER_PX }}>
        {pattern.pads.map((pad) => (
          <button key={padKey(pad)} type="button" className={`pattern-row ${playing.includes(padKey(pad)) ? "sounding" : ""} ${pad.has_sound ? "" : "silent"}`} style={{ "--bank": colours[pad.bank], height: row }} disabled={!pad.has_sound} title={pad.has_sound ? `Play pad ${padKey(pad)}` : "No sound on this pad"} onClick={() => tryPad(padKey(pad))} data-testid={`pattern-row-${padKey(pad)}`}>
            <b className="mono">{padKey(pad)}</b>
            <span>{pad.name || "Empty"}</span>
          </button>
        ))}
      </div>
      <div ref={scroller} className="pattern-notes">
        <div className="pattern-sheet" style={{ width, height, "--row": `${row}px` }}>
          {width > 0 && <Notes pattern={pattern} colours={colours} width={width} height={height} />}
          <Playhead pattern={pattern} width={width} isPlaying={isPlaying} scroller={scroller} />
        </div>
      </div>
    </div>
  );
}
