// The waveform of a pad's audio with its start, end, loop point and chops as handles.

import { useCallback, useEffect, useRef, useState } from "react";
import { useLocalEdit } from "./local_edit.js";
import { engine, keys } from "./pad_deck.js";
import { usePlayhead } from "./playhead.js";

const SNAP_REACH = 2048; // frames searched on either side of a zero crossing
const HEADER_BYTES = 44;
const MAX_CHOPS = 16;
const ZOOM_MIN_FRAMES = 256;
const KEY_PAUSE_MS = 500; // after it, the presses of keys are saved as one step of undo

// Fetches minimum and maximum of equal intervals of the visible range.
function usePeaks(url, view, width) {
  const [peaks, setPeaks] = useState(null);
  useEffect(() => setPeaks(null), [url]);
  useEffect(() => {
    if (!url || !width) return undefined;
    const abort = new AbortController();
    const range = view ? `&first=${view[0]}&last=${view[1]}` : "";
    let timer;
    const load = (delay, next) => {
      timer = setTimeout(async () => {
        try {
          const answer = await fetch(`${url}&points=${Math.min(1200, Math.round(width))}${range}`, { signal: abort.signal });
          if (answer.status === 202) load(next, Math.min(2000, next * 2));
          else if (answer.ok) setPeaks(await answer.json());
        } catch (error) {
          if (error.name !== "AbortError") setPeaks(null);
        }
      }, delay);
    };
    load(view ? 60 : 0, 200);
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
  }, [url, view && view[0], view && view[1], width]);
  return peaks;
}

// Returns the frame nearest to `frame` at which the mix of the channels changes its sign.
async function nearestZeroCrossing(url, frame, channels) {
  const first = Math.max(0, frame - SNAP_REACH);
  const bytes = 2 * channels;
  const range = `bytes=${HEADER_BYTES + first * bytes}-${HEADER_BYTES + (frame + SNAP_REACH) * bytes - 1}`;
  const answer = await fetch(url, { headers: { Range: range } });
  if (answer.status !== 206) return frame;
  const samples = new Int16Array(await answer.arrayBuffer());
  const mix = (index) => {
    let sum = 0;
    for (let c = 0; c < channels; c += 1) sum += samples[index * channels + c] || 0;
    return sum;
  };
  const count = Math.floor(samples.length / channels);
  for (let distance = 0; distance <= SNAP_REACH; distance += 1) {
    for (const index of [frame - first - distance, frame - first + distance]) {
      if (index > 0 && index < count && mix(index - 1) < 0 !== mix(index) < 0) return first + index;
    }
  }
  return frame;
}

function drawPeaks(canvas, peaks, view, region, colours) {
  const ratio = window.devicePixelRatio || 1;
  const { clientWidth: width, clientHeight: height } = canvas;
  canvas.width = width * ratio;
  canvas.height = height * ratio;
  const context = canvas.getContext("2d");
  context.scale(ratio, ratio);
  const toX = (frame) => ((frame - view[0]) / (view[1] - view[0])) * width;
  context.fillStyle = colours.region;
  context.fillRect(toX(region[0]), 0, toX(region[1]) - toX(region[0]), height);
  if (!peaks) return;
  const step = (peaks.last - peaks.first) / peaks.points.length;
  peaks.points.forEach(([low, high], i) => {
    const frame = peaks.first + i * step;
    const x = toX(frame);
    context.fillStyle = frame >= region[0] && frame <= region[1] ? colours.wave : colours.outside;
    const top = height / 2 - (high * height) / 2;
    context.fillRect(x, top, Math.max(1, toX(frame + step) - x), Math.max(1, ((high - low) * height) / 2));
  });
}

const HANDLES = { start: "Start", end: "End", loop_top: "Loop point" };

// `read` returns the frame as it is now, also before the page is drawn again. `onMove` shows a frame,
// `onDrop` ends a drag, `onStep` follows each key and `onLeave` the loss of the focus.
function Handle({ name, label, frame, view, rate, limits, read, onMove, onDrop, onStep, onLeave, onRemove, onKey }) {
  const at = ((frame - view[0]) / (view[1] - view[0])) * 100;
  const [low, high] = limits;
  const clamp = (value) => Math.max(low, Math.min(high, Math.round(value)));
  const step = (event) => {
    const size = event.shiftKey ? 1 : Math.max(1, Math.round((view[1] - view[0]) / 200));
    const by = { ArrowLeft: -size, ArrowRight: size, PageDown: -10 * size, PageUp: 10 * size }[event.key];
    if (by) {
      event.preventDefault();
      event.stopPropagation();
      onMove(clamp(read() + by));
      onStep();
    } else if (onRemove && (event.key === "Delete" || event.key === "Backspace")) {
      event.preventDefault();
      event.stopPropagation();
      onRemove();
    } else onKey?.(event);
  };
  const press = (event) => {
    event.preventDefault();
    event.stopPropagation();
    event.currentTarget.focus();
    const box = event.currentTarget.parentElement.getBoundingClientRect();
    const toFrame = (x) => clamp(view[0] + ((x - box.left) / box.width) * (view[1] - view[0]));
    let moved = false;
    const move = (each) => {
      moved = true;
      onMove(toFrame(each.clientX));
    };
    const up = (each) => {
      window.removeEventListener("pointermove", move);
      window.removeEventListener("pointerup", up);
      if (moved) onDrop(toFrame(each.clientX));
    };
    window.addEventListener("pointermove", move);
    window.addEventListener("pointerup", up);
  };
  const isOutside = at < -0.5 || at > 100.5;
  return (
    <span
      role="slider"
      tabIndex={isOutside ? -1 : 0}
      className={`wave-handle handle-${name}`}
      style={{ left: `${at}%`, display: isOutside ? "none" : undefined }}
      aria-label={label}
      aria-valuemin={low}
      aria-valuemax={high}
      aria-valuenow={frame}
      aria-valuetext={`${(frame / rate).toFixed(4)} s`}
      title={`${label} ${(frame / rate).toFixed(4)} s`}
      onPointerDown={press}
      onKeyDown={step}
      onBlur={onLeave}
      data-testid={`handle-${name}`}
    />
  );
}

export function PadWave({ sheet, confirmed = 0, url, minFrames = 1000, snap = true, chopKeys = false, onPositions, onChops }) {
  const box = useRef(null);
  const canvas = useRef(null);
  const head = useRef(null);
  const [width, setWidth] = useState(0);
  const [zoom, setZoom] = useState(null);
  const { frames } = sheet;
  const view = zoom || [0, Math.max(1, frames)];
  const scope = sheet.key;
  const { edit: positions, shown } = useLocalEdit({
    scope,
    saved: { start: sheet.start, end: sheet.end, loop_top: sheet.loop_top },
    confirmed,
    send: (next, number) => onPositions(next.start, next.end, next.loop_top, number),
  });
  const { edit: chops, shown: shownChops } = useLocalEdit({ scope, saved: sheet.chops, confirmed, send: onChops });
  const peaks = usePeaks(url && frames ? url.replace("/audio?", "/waveform?") : "", zoom, width);
  useEffect(() => setZoom(null), [sheet.key, frames]);

  useEffect(() => {
    const observer = new ResizeObserver(([entry]) => setWidth(entry.contentRect.width));
    observer.observe(box.current);
    return () => observer.disconnect();
  }, []);

  useEffect(() => {
    // In the next frame: reading a style or a size now would lay out the page once more.
    const request = requestAnimationFrame(() => {
      if (!box.current) return; // unmounted
      const style = getComputedStyle(box.current);
      const value = (name) => style.getPropertyValue(name);
      const colours = { wave: value("--bank") || value("--accent"), outside: value("--line"), region: value("--hover") };
      drawPeaks(canvas.current, peaks, view, [shown.start, shown.end], colours);
    });
    return () => cancelAnimationFrame(request);
  }, [peaks, view[0], view[1], shown.start, shown.end, width]);

  usePlayhead(sheet.key, (at) => {
    head.current.hidden = at === null;
    if (at !== null) head.current.style.left = `${((at - view[0]) / (view[1] - view[0])) * 100}%`;
  });

  const toFrame = useCallback(
    (event) => {
      const area = box.current.getBoundingClientRect();
      return Math.round(view[0] + ((event.clientX - area.left) / area.width) * (view[1] - view[0]));
    },
    [view[0], view[1]],
  );

  useEffect(() => {
    const onWheel = (event) => {
      if (!frames) return;
      event.preventDefault();
      const length = view[1] - view[0];
      const around = toFrame(event);
      const scroll = event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY);
      const by = scroll ? ((event.deltaX || event.deltaY) / 600) * length : 0;
      const size = Math.min(frames, Math.max(ZOOM_MIN_FRAMES, scroll ? length : length * Math.exp(event.deltaY / 400)));
      const from = scroll ? view[0] + by : around - ((around - view[0]) * size) / length;
      const first = Math.round(Math.max(0, Math.min(from, frames - size)));
      setZoom(size >= frames ? null : [first, Math.round(first + size)]);
    };
    const target = box.current;
    target.addEventListener("wheel", onWheel, { passive: false }); // React's wheel listeners are passive
    return () => target.removeEventListener("wheel", onWheel);
  }, [frames, view[0], view[1], toFrame]);

  // With `chopKeys`, the keys of the pads play the chops of this pad.
  useEffect(() => {
    if (!chopKeys) return undefined;
    const onKey = (event) => {
      if (event.repeat || event.ctrlKey || event.metaKey || event.altKey) return;
      const index = keys.KEY_CODES.indexOf(event.code);
      if (index < 0 || index >= sheet.chops.length || event.target.closest?.("input:not([type=range]), textarea, select")) return;
      event.preventDefault();
      event.stopImmediatePropagation();
      engine.playRange(sheet.key, sheet.chops[index], sheet.chops[index + 1] ?? frames);
    };
    window.addEventListener("keydown", onKey, true);
    return () => window.removeEventListener("keydown", onKey, true);
  }, [chopKeys, sheet.key, frames, JSON.stringify(sheet.chops)]);

  const setPosition = (name, frame) => positions.preview({ ...positions.read(), [name]: frame });
  const setChop = (index, frame) => chops.preview(chops.read().map((each, i) => (i === index ? frame : each)));
  const setChops = (frames) => {
    chops.preview(frames);
    chops.commit();
  };
  const isSnapping = snap && url;
  const findCrossing = (frame) => nearestZeroCrossing(url, frame, sheet.channels || 2).catch(() => frame);
  // Ends a drag: snaps unless the handle has moved on meanwhile, then saves.
  const drop = async (edit, frame, set, read) => {
    set(frame);
    const at = isSnapping ? await findCrossing(frame) : frame;
    if (edit.props.scope !== scope || read() !== frame) return;
    set(at);
    edit.commit();
  };
  const addChop = async (event) => {
    if (!frames || shownChops.length >= MAX_CHOPS || event.target.closest(".wave-handle")) return;
    const frame = toFrame(event);
    const at = isSnapping ? await findCrossing(frame) : frame;
    if (chops.props.scope !== scope) return;
    const marked = chops.read();
    setChops([...(marked.length ? marked : [0]), at]);
  };
  const limitsOf = (name) => {
    if (name === "start") return [0, Math.max(0, shown.end - minFrames)];
    if (name === "end") return [Math.min(frames, shown.start + minFrames), frames];
    return [shown.start, shown.end];
  };
  const playFrom = (event) => {
    if (!frames || event.detail !== 1 || event.target.closest(".wave-handle")) return;
    engine.playRange(sheet.key, toFrame(event), shown.end);
  };
  const isLoop = sheet.settings.loop;
  const handleOf = (edit, set, read) => ({
    view,
    rate: sheet.rate,
    read,
    onMove: set,
    onDrop: (frame) => drop(edit, frame, set, read),
    onStep: () => edit.commitAfter(KEY_PAUSE_MS),
    onLeave: edit.flush,
  });
  const positionHandle = (name) => handleOf(positions, (frame) => setPosition(name, frame), () => positions.read()[name]);
  const chopHandle = (index) => handleOf(chops, (frame) => setChop(index, frame), () => chops.read()[index]);
  return (
    <div ref={box} className="pad-wave-box" onDoubleClick={addChop} onClick={playFrom} title="Click to play from here. Double-click to add a chop. Scroll to zoom." data-testid="pad-wave">
      <canvas ref={canvas} aria-hidden="true" />
      {frames > 0 &&
        Object.entries(HANDLES).map(([name, label]) => (name !== "loop_top" || isLoop) && <Handle key={name} name={name} label={label} frame={shown[name]} limits={limitsOf(name)} {...positionHandle(name)} />)}
      {shownChops.map((frame, index) => (
        <Handle key={`chop-${index}`} name="chop" label={`Chop ${index + 1}`} frame={frame} limits={[0, Math.max(0, frames - 1)]} {...chopHandle(index)} onRemove={() => setChops(chops.read().filter((_, i) => i !== index))} onKey={(event) => event.key === "Enter" && engine.playRange(sheet.key, frame, shownChops[index + 1] ?? frames)} />
      ))}
      <span ref={head} className="wave-head" hidden aria-hidden="true" />
    </div>
  );
}
