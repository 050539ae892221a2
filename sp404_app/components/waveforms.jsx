// Waveforms: the thumbnail of a row, and the zoomable one of the player bar.

import { useCallback, useEffect, useRef, useState } from "react";
import * as player from "./audio_player.js";

const MAX_CLICK_TRAVEL_PX = 4;
const GRIP_PX = 6; // of an edge of the region
const BASE64URL = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

export function MiniWave({ bars = "", className = "" }) {
  const path = [...bars]
    .map((letter, i) => {
      const half = Math.max(0.5, (BASE64URL.indexOf(letter) / 63) * 11);
      return `M${i * 2 + 1} ${12 - half}V${12 + half}`;
    })
    .join("");
  return (
    <svg className={`mini-wave ${className}`} viewBox={`0 0 ${bars.length * 2} 24`} preserveAspectRatio="none" aria-hidden="true">
      <path d={path} />
    </svg>
  );
}

// Fetches the peaks of the visible range; the old ones are shown until the new ones arrive.
function usePeaks(id, view, width) {
  const [peaks, setPeaks] = useState(null);
  useEffect(() => setPeaks(null), [id]);
  useEffect(() => {
    if (!id || !width) return undefined;
    const abort = new AbortController();
    const points = Math.min(2000, Math.round(width));
    const range = view ? `&start=${view[0]}&end=${view[1]}` : "";
    const timer = setTimeout(
      () =>
        fetch(`/api/samples/${id}/waveform?points=${points}${range}`, { signal: abort.signal })
          .then((answer) => (answer.ok ? answer.json() : null))
          .then((found) => found && setPeaks(found))
          .catch((error) => error.name === "AbortError" || setPeaks(null)),
      view ? 60 : 0,
    );
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
  }, [id, view && view[0], view && view[1], width]);
  return peaks;
}

const formatMoment = (seconds) => `${seconds.toFixed(2)} s`;

function drawWaveform(canvas, peaks, view, region, colours) {
  const ratio = window.devicePixelRatio || 1;
  const { clientWidth: width, clientHeight: height } = canvas;
  canvas.width = width * ratio;
  canvas.height = height * ratio;
  const context = canvas.getContext("2d");
  context.scale(ratio, ratio);
  if (!peaks) return;
  const played = player.position();
  const toX = (seconds) => ((seconds - view[0]) / (view[1] - view[0])) * width;
  const step = (peaks.end - peaks.start) / peaks.points.length;
  const thick = Math.max(1, toX(peaks.start + step) - toX(peaks.start));
  if (region) {
    context.globalAlpha = 0.2;
    context.fillStyle = colours.played;
    context.fillRect(toX(region[0]), 0, Math.max(1, toX(region[1]) - toX(region[0])), height);
    context.globalAlpha = 1;
  }
  peaks.points.forEach(([low, high], i) => {
    const from = peaks.start + i * step;
    const x = toX(from);
    if (x < -thick || x > width) return;
    context.fillStyle = from <= played ? colours.played : colours.wave;
    const top = height / 2 - (high * height) / 2;
    context.fillRect(x, top, thick, Math.max(1, ((high - low) * height) / 2));
  });
  if (region) {
    context.fillStyle = colours.played;
    region.forEach((moment) => context.fillRect(toX(moment) - 0.75, 0, 1.5, height));
  }
  context.fillStyle = colours.head;
  context.fillRect(toX(played), 0, 1.5, height);
}

const clampView = ([start, end], duration) => {
  const length = Math.min(duration, Math.max(0.002, end - start));
  const from = Math.max(0, Math.min(start, duration - length));
  return length >= duration ? null : [from, from + length];
};

// Follows the pointer: a click seeks, a drag chooses the region, and a drag of an edge moves that edge.
function useRegionDrag(moment, region, duration) {
  const [drag, setDrag] = useState(null); // { from, to, x, moved } while the pointer is down
  const shown = drag?.moved ? [Math.min(drag.from, drag.to), Math.max(drag.from, drag.to)] : region;
  const onPointerDown = (event) => {
    if (!duration || event.button !== 0) return;
    event.currentTarget.setPointerCapture(event.pointerId);
    const at = moment(event);
    const grip = Math.abs(moment({ clientX: event.clientX + GRIP_PX }) - at);
    const edge = region ? region.findIndex((each) => Math.abs(each - at) <= grip) : -1;
    setDrag({ from: edge < 0 ? at : region[1 - edge], to: at, x: event.clientX, moved: false });
  };
  const onPointerMove = (event) => {
    if (!drag) return;
    const moved = drag.moved || Math.abs(event.clientX - drag.x) > MAX_CLICK_TRAVEL_PX;
    setDrag({ ...drag, to: Math.max(0, Math.min(moment(event), duration)), moved });
  };
  const onPointerUp = (event) => {
    if (!drag) return;
    if (drag.moved) player.setRegion(shown);
    else player.seek(moment(event));
    setDrag(null);
  };
  return [shown, { onPointerDown, onPointerMove, onPointerUp, onPointerCancel: () => setDrag(null) }];
}

const SEEK_STEPS = { ArrowLeft: -0.02, ArrowRight: 0.02, PageDown: -0.1, PageUp: 0.1 };

// Moves the position with the keys of a slider; "[" and "]" set the ends of the region.
function onWaveKey(event, region, duration) {
  const at = player.position();
  const keys = {
    Home: () => player.seek(0),
    End: () => player.seek(duration),
    "[": () => player.setRegion([at, region && region[1] > at ? region[1] : duration]),
    "]": () => player.setRegion([region && region[0] < at ? region[0] : 0, at]),
  };
  if (region) keys.Escape = () => player.setRegion(null);
  const step = SEEK_STEPS[event.key];
  if (!duration || (!step && !keys[event.key])) return;
  event.preventDefault();
  event.stopPropagation(); // the list has shortcuts, too
  if (step) player.seek(at + step * duration);
  else keys[event.key]();
}

export function ZoomableWaveform({ track, playing, region }) {
  const canvas = useRef(null);
  const [width, setWidth] = useState(0);
  const [view, setView] = useState(null);
  const duration = track ? track.seconds : 0;
  const shown = view || [0, duration];
  const peaks = usePeaks(track && track.id, view, width);
  useEffect(() => setView(null), [track && track.id]);

  useEffect(() => {
    const observer = new ResizeObserver(([entry]) => setWidth(entry.contentRect.width));
    observer.observe(canvas.current);
    return () => observer.disconnect();
  }, []);

  const moment = useCallback(
    (event) => {
      const box = canvas.current.getBoundingClientRect();
      return shown[0] + ((event.clientX - box.left) / box.width) * (shown[1] - shown[0]);
    },
    [shown[0], shown[1]],
  );
  const [shownRegion, pointer] = useRegionDrag(moment, region, duration);

  useEffect(() => {
    const style = getComputedStyle(canvas.current);
    const colours = {
      wave: style.getPropertyValue("--wave"),
      played: style.getPropertyValue("--accent"),
      head: style.getPropertyValue("--text"),
    };
    let frame;
    let wasVisible = false;
    const draw = () => {
      if (!canvas.current) return; // unmounted
      drawWaveform(canvas.current, peaks, shown, shownRegion, colours);
      const at = player.position();
      const isVisible = at >= shown[0] && at <= shown[1];
      // The view follows the playhead, but not after somebody has scrolled away from it.
      if (view && wasVisible && !isVisible) setView(clampView([at, at + shown[1] - shown[0]], duration));
      wasVisible = isVisible;
      if (playing) frame = requestAnimationFrame(draw);
    };
    draw();
    const unsubscribe = player.subscribe(() => !playing && draw());
    return () => {
      cancelAnimationFrame(frame);
      unsubscribe();
    };
  }, [peaks, shown[0], shown[1], playing, width, shownRegion?.[0], shownRegion?.[1]]);

  useEffect(() => {
    const onWheel = (event) => {
      if (!duration) return;
      event.preventDefault();
      const length = shown[1] - shown[0];
      if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
        const by = ((event.deltaX || event.deltaY) / 600) * length;
        setView(clampView([shown[0] + by, shown[1] + by], duration));
        return;
      }
      const around = moment(event);
      const factor = Math.exp(event.deltaY / 400);
      setView(clampView([around - (around - shown[0]) * factor, around + (shown[1] - around) * factor], duration));
    };
    const target = canvas.current;
    target.addEventListener("wheel", onWheel, { passive: false }); // React's wheel listeners are passive
    return () => target.removeEventListener("wheel", onWheel);
  }, [duration, shown[0], shown[1], moment]);

  return (
    <div className="zoom-frame">
      <canvas
        ref={canvas}
        className="zoom-wave"
        tabIndex={duration ? 0 : -1}
        role="slider"
        aria-label="Playback position"
        aria-valuemin={0}
        aria-valuemax={duration}
        aria-valuenow={Math.round(player.position() * 100) / 100}
        title="Click to seek · Drag to repeat a part · Scroll to zoom · Shift + scroll to pan"
        {...pointer}
        onKeyDown={(event) => onWaveKey(event, region, duration)}
        onDoubleClick={() => setView(null)}
      />
      {region && (
        <button type="button" className="region-clear mono" title="Repeat all of it" aria-label={`Stop repeating ${formatMoment(region[0])} to ${formatMoment(region[1])}`} data-testid="region-clear" onClick={() => player.setRegion(null)}>
          <span className="region-times">
            {formatMoment(region[0])} – {formatMoment(region[1])}{" "}
          </span>
          ×
        </button>
      )}
    </div>
  );
}
