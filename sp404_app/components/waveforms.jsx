// Waveforms: the thumbnail of a row, and the zoomable one of the player bar.

import { useCallback, useEffect, useRef, useState } from "react";
import * as player from "./audio_player.js";

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

function drawWaveform(canvas, peaks, view, colours) {
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
  peaks.points.forEach(([low, high], i) => {
    const from = peaks.start + i * step;
    const x = toX(from);
    if (x < -thick || x > width) return;
    context.fillStyle = from <= played ? colours.played : colours.wave;
    const top = height / 2 - (high * height) / 2;
    context.fillRect(x, top, thick, Math.max(1, ((high - low) * height) / 2));
  });
  context.fillStyle = colours.head;
  context.fillRect(toX(played), 0, 1.5, height);
}

const clampView = ([start, end], duration) => {
  const length = Math.min(duration, Math.max(0.002, end - start));
  const from = Math.max(0, Math.min(start, duration - length));
  return length >= duration ? null : [from, from + length];
};

export function ZoomableWaveform({ track, playing }) {
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

  useEffect(() => {
    const style = getComputedStyle(canvas.current);
    const colours = {
      wave: style.getPropertyValue("--wave"),
      played: style.getPropertyValue("--accent"),
      head: style.getPropertyValue("--text"),
    };
    let frame;
    const draw = () => {
      if (!canvas.current) return; // unmounted
      drawWaveform(canvas.current, peaks, shown, colours);
      if (playing) frame = requestAnimationFrame(draw);
    };
    draw();
    const unsubscribe = player.subscribe(() => !playing && draw());
    return () => {
      cancelAnimationFrame(frame);
      unsubscribe();
    };
  }, [peaks, shown[0], shown[1], playing, width]);

  const moment = useCallback(
    (event) => {
      const box = canvas.current.getBoundingClientRect();
      return shown[0] + ((event.clientX - box.left) / box.width) * (shown[1] - shown[0]);
    },
    [shown[0], shown[1]],
  );

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
    <canvas
      ref={canvas}
      className="zoom-wave"
      role="slider"
      aria-label="Playback position"
      aria-valuemin={0}
      aria-valuemax={duration}
      aria-valuenow={Math.round(player.position() * 100) / 100}
      title="Click to seek · Scroll to zoom · Shift + scroll to pan"
      onClick={(event) => duration && player.seek(moment(event))}
      onDoubleClick={() => setView(null)}
    />
  );
}
