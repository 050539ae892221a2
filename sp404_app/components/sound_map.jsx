// The map of sounds: each sound is a square, full for a one-shot and hollow for a loop, near what it
// sounds like. It plays what is under the pointer, and a lasso selects.

import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import * as player from "../player/audio_player.js";

// Hue and saturation by class; the theme gives the lightness.
const COLOURS = {
  kick: [24, 100], snare: [45, 95], clap: [338, 80], "closed hat": [98, 60], "open hat": [160, 55],
  tom: [0, 90], percussion: [28, 45], cymbal: [60, 55], bass: [233, 95], chord: [266, 95],
  lead: [196, 75], vocal: [318, 85], fx: [215, 14], break: [34, 60], "melodic loop": [205, 90],
};
const REACH_PX = 14; // how far from the pointer a sound is heard
const HOVER_MS = 45; // so that a fast sweep does not start every sound on its way
const CLICK_PX = 5;
const MAX_LASSO = 5000;
const MAX_ZOOM = 24;
const MAX_FIT = 6; // how near the view goes by itself
const WHOLE_MAP = { zoom: 1, x: 0.5, y: 0.5 };
const MARGIN_PX = 28;
const TOOLS_PX = 64; // at the top, where the buttons are
const CELLS = 64; // per side, of the index of places
const SIZES_PX = [[100, 11], [1000, 8], [3000, 7], [Infinity, 4]]; // up to so many sounds, not zoomed
const MAX_LABELS = 40; // with more sounds in the view, only the one under the pointer has its name
const LABEL_PX = 11;
const NAME_GAP_PX = 5;

const lightness = () => (getComputedStyle(document.documentElement).colorScheme.includes("light") ? 38 : 66);
const colourOf = (name, light) => (([hue, saturation]) => `hsl(${hue} ${saturation}% ${light}%)`)(COLOURS[name] || COLOURS.fx);
const cellOf = (value) => Math.max(0, Math.min(CELLS - 1, Math.floor(value * CELLS)));

// Which sounds are in which cell of the map, so that the nearest one is found at once.
function indexPlaces({ x, y }) {
  const cells = Array.from({ length: CELLS * CELLS }, () => []);
  x.forEach((_, at) => cells[cellOf(y[at]) * CELLS + cellOf(x[at])].push(at));
  return cells;
}

// The visible sounds of each class, single hits apart from loops.
function groupByClass({ sound_class, loop }, hidden) {
  const groups = new Map();
  sound_class.forEach((given, at) => {
    const name = given || "fx";
    if (hidden.has(name)) return;
    if (!groups.has(name)) groups.set(name, { name, hits: [], loops: [] });
    groups.get(name)[loop[at] ? "loops" : "hits"].push(at);
  });
  return [...groups.values()];
}

// A loop's square, drawn once for all loops of a class: copying is faster than drawing lines.
function hollowSquare(size, density, colour) {
  const side = Math.ceil(size * density);
  const made = Object.assign(document.createElement("canvas"), { width: side, height: side });
  const pen = made.getContext("2d");
  pen.strokeStyle = colour;
  pen.lineWidth = 1.4 * density;
  pen.strokeRect(0.7 * density, 0.7 * density, side - 1.4 * density, side - 1.4 * density);
  return made;
}

function isInside(lasso, x, y) {
  let inside = false;
  for (let i = 0, j = lasso.length - 1; i < lasso.length; j = i++) {
    const [ax, ay] = lasso[i];
    const [bx, by] = lasso[j];
    if (ay > y !== by > y && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) inside = !inside;
  }
  return inside;
}

// The view of these sounds, with room around them; not nearer than a few sounds need.
function viewOf(points, shown) {
  if (!shown.length) return { ...WHOLE_MAP };
  const span = (values) => shown.reduce(([least, most], at) => [Math.min(least, values[at]), Math.max(most, values[at])], [1, 0]);
  const [[left, right], [top, bottom]] = [span(points.x), span(points.y)];
  const zoom = Math.max(1, Math.min(MAX_FIT, 1 / Math.max(right - left, bottom - top, 1e-6)));
  return zoom === 1 ? { ...WHOLE_MAP } : { zoom, x: (left + right) / 2, y: (top + bottom) / 2 };
}

// Writes names beside squares, each at a side where no name or square is.
function writeNames(pen, names, squares, width) {
  pen.font = `500 ${LABEL_PX}px ${getComputedStyle(document.body).fontFamily}`;
  pen.textBaseline = "middle";
  const taken = squares.map(({ x, y, gap }) => ({ left: x - gap + 0.1, right: x + gap - 0.1, y })); // its own name is at the gap
  for (const { text, x, y, gap } of names) {
    const length = pen.measureText(text).width;
    const free = [x + gap, x - gap - length].find((left) => left >= 0 && left + length <= width && taken.every((other) => Math.abs(other.y - y) > LABEL_PX + 2 || left > other.right || left + length < other.left));
    if (free === undefined) continue;
    taken.push({ left: free, right: free + length, y });
    pen.fillText(text, free, y);
  }
}

const CHANGES_MS = 1000;

const inMap = (place) => Math.max(0, Math.min(1, place)); // the centre of the view stays on the map

// Loads the places for a search once it is known, and again after changes of the library, many at a time.
function usePoints(query, version, isKnown) {
  const [found, setFound] = useState({ points: null, of: "", problem: "" });
  const shown = useRef(null);
  const begun = useRef(false);
  begun.current ||= isKnown; // a later load of the page changes the search, if anything
  useEffect(() => {
    if (!begun.current) return undefined;
    const request = new AbortController();
    const load = () =>
      fetch(`/api/samples/map?${query}`, { signal: request.signal })
        .then(async (answer) => {
          const body = await answer.json();
          if (!answer.ok) throw new Error(body.error);
          shown.current = query;
          setFound({ points: body, of: query, problem: "" });
        })
        .catch((error) => {
          if (error.name === "AbortError") return;
          setFound((before) => ({ ...before, problem: error instanceof TypeError ? "The map can’t be loaded right now." : error.message }));
        });
    const timer = setTimeout(load, shown.current === query ? CHANGES_MS : 0);
    return () => {
      clearTimeout(timer);
      request.abort();
    };
  }, [query, version, begun.current]);
  return found;
}

const trackOf = (points, at) => ({ id: points.id[at], name: points.name[at], seconds: points.seconds[at], gain: points.gain[at], loops: points.loop[at], playable: true, bpm: points.bpm[at] ? String(Math.round(points.bpm[at] * 10) / 10) : "", key: points.key[at] || "" });
const describe = (points, at) => [points.name[at], points.sound_class[at], points.bpm[at] && `${Math.round(points.bpm[at] * 10) / 10} BPM`, points.key[at]].filter(Boolean).join(" · ");

export function SoundMap({ query, version, isKnown, anyMarked, selected, onSelect, onOpen }) {
  const { points, of, problem } = usePoints(query, version, isKnown);
  const canvas = useRef(null);
  const view = useRef({ ...WHOLE_MAP }); // the centre of what is shown
  const fitted = useRef(null); // the search that the view was fitted to
  const [hidden, setHidden] = useState(() => new Set());
  const [here, setHere] = useState(-1);
  const [lassoing, setLassoing] = useState(false); // for fingers, which have no Shift
  const [chosen, setChosen] = useState(() => new Set());
  const [clipped, setClipped] = useState(0); // sounds within the lasso that are too many to select
  const [touch, setTouch] = useState(false); // there is no Shift, and no pointer to point with
  const [zoom, setZoom] = useState(1); // of the view, for the buttons
  const gesture = useRef(null);
  const pointers = useRef(new Map());
  const timer = useRef(0);

  const cells = useMemo(() => points && indexPlaces(points), [points]);
  const classes = useMemo(() => {
    const counts = {};
    points?.sound_class.forEach((name) => (counts[name || "fx"] = (counts[name || "fx"] || 0) + 1));
    return Object.entries(counts).sort((a, b) => b[1] - a[1]);
  }, [points]);
  const groups = useMemo(() => points && groupByClass(points, hidden), [points, hidden]);
  const isShown = useCallback((at) => !hidden.has(points.sound_class[at] || "fx"), [hidden, points]);

  const scale = () => {
    const box = canvas.current;
    const side = [box.clientWidth - 2 * MARGIN_PX, Math.max(1, box.clientHeight - TOOLS_PX - MARGIN_PX)];
    const middle = TOOLS_PX + side[1] / 2;
    const { zoom: by, x, y } = view.current;
    return {
      toX: (v) => box.clientWidth / 2 + (v - x) * side[0] * by,
      toY: (v) => middle + (v - y) * side[1] * by,
      fromX: (px) => x + (px - box.clientWidth / 2) / (side[0] * by),
      fromY: (px) => y + (px - middle) / (side[1] * by),
    };
  };

  const draw = useCallback(() => {
    const box = canvas.current;
    if (!box || !points) return;
    const density = window.devicePixelRatio || 1;
    const [width, height] = [Math.round(box.clientWidth * density), Math.round(box.clientHeight * density)];
    if (box.width !== width || box.height !== height) Object.assign(box, { width, height });
    const pen = box.getContext("2d");
    pen.setTransform(density, 0, 0, density, 0, 0);
    pen.clearRect(0, 0, box.clientWidth, box.clientHeight);
    const { toX, toY } = scale();
    const light = lightness();
    const [, least] = SIZES_PX.find(([most]) => points.id.length <= most);
    const size = Math.max(least, Math.min(12, least * Math.sqrt(view.current.zoom)));
    // Places are linear in the view, so that no function is called for each of many points.
    const [left, top] = [toX(0), toY(0)];
    const [across, down] = [toX(1) - left, toY(1) - top];
    const [right, bottom] = [box.clientWidth + size, box.clientHeight + size];
    const seen = [];
    const paint = (all, put) => {
      for (const at of all) {
        const x = left + across * points.x[at];
        const y = top + down * points.y[at];
        if (x < -size || y < -size || x > right || y > bottom) continue;
        if (seen.length <= MAX_LABELS) seen.push({ at, text: points.name[at], x, y, gap: size / 2 + NAME_GAP_PX });
        if (chosen.size) pen.globalAlpha = chosen.has(at) ? 1 : 0.25;
        put(x - size / 2, y - size / 2);
      }
    };
    for (const { name, hits, loops } of groups) {
      pen.fillStyle = colourOf(name, light);
      paint(hits, (x, y) => pen.fillRect(x, y, size, size));
      const frame = hollowSquare(size, density, pen.fillStyle);
      paint(loops, (x, y) => pen.drawImage(frame, x, y, size, size));
    }
    pen.globalAlpha = 1;
    const style = getComputedStyle(box);
    const isPointed = here >= 0 && here < points.id.length;
    const pointed = isPointed ? [{ text: points.name[here], x: toX(points.x[here]), y: toY(points.y[here]), gap: size / 2 + 9 }] : [];
    pen.fillStyle = style.color;
    writeNames(pen, pointed, [], box.clientWidth);
    if (seen.length <= MAX_LABELS) {
      pen.fillStyle = style.getPropertyValue("--muted");
      writeNames(pen, seen.filter((each) => !isPointed || each.at !== here), [...seen, ...pointed], box.clientWidth);
    }
    if (isPointed) {
      pen.strokeStyle = style.color;
      pen.lineWidth = 2;
      pen.strokeRect(toX(points.x[here]) - size / 2 - 4, toY(points.y[here]) - size / 2 - 4, size + 8, size + 8);
    }
    const line = gesture.current?.lasso;
    if (line?.length > 1) {
      pen.strokeStyle = style.color;
      pen.lineWidth = 1.5;
      pen.setLineDash([5, 4]);
      pen.beginPath();
      line.forEach(([x, y]) => pen.lineTo(toX(x), toY(y)));
      pen.closePath();
      pen.stroke();
      pen.setLineDash([]);
    }
  }, [points, groups, chosen, here]);

  useEffect(draw, [draw]);
  useEffect(() => {
    const seen = new ResizeObserver(draw);
    seen.observe(canvas.current);
    const theme = new MutationObserver(draw);
    theme.observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
    return () => {
      seen.disconnect();
      theme.disconnect();
    };
  }, [draw]);
  const former = useRef(null);
  useEffect(() => {
    if (!points) return;
    const places = new Map(points.id.map((id, at) => [id, at]));
    const follow = (id) => places.get(id) ?? -1;
    const ids = former.current?.id || [];
    const chosenIds = former.current ? [...chosen].map((at) => ids[at]) : selected;
    former.current = points;
    if (fitted.current !== of) fit(); // a change of the library leaves the view where it is
    fitted.current = of;
    setHere((at) => follow(ids[at]));
    setChosen(new Set(chosenIds.map(follow).filter((at) => at >= 0)));
  }, [points]);
  useEffect(() => {
    if (!selected.length || !points) return;
    const ids = new Set(selected);
    setChosen(new Set(points.id.map((_, at) => at).filter((at) => ids.has(points.id[at]))));
  }, [selected]);
  useEffect(() => {
    if (!anyMarked) setChosen(new Set()); // the selection was cleared elsewhere
  }, [anyMarked]);
  useEffect(() => {
    setTouch(matchMedia("(pointer: coarse)").matches);
    return () => clearTimeout(timer.current);
  }, []);

  const nearest = (px, py) => {
    const { toX, toY, fromX, fromY } = scale();
    let best = -1;
    let least = REACH_PX ** 2;
    for (let row = cellOf(fromY(py - REACH_PX)); row <= cellOf(fromY(py + REACH_PX)); row++) {
      for (let column = cellOf(fromX(px - REACH_PX)); column <= cellOf(fromX(px + REACH_PX)); column++) {
        for (const at of cells[row * CELLS + column]) {
          const gap = (toX(points.x[at]) - px) ** 2 + (toY(points.y[at]) - py) ** 2;
          if (gap < least && isShown(at)) [best, least] = [at, gap];
        }
      }
    }
    return best;
  };

  const hear = (at, pause = 0) => {
    clearTimeout(timer.current);
    setClipped(0);
    setHere(at);
    if (at < 0) return;
    const play = () => player.play(trackOf(points, at));
    if (pause) timer.current = setTimeout(play, pause);
    else play(); // a finger leaves the map as it lifts, which ends what is waited for
  };
  const select = (indices) => {
    const limited = indices.slice(0, MAX_LASSO);
    setClipped(indices.length - limited.length);
    setChosen(new Set(limited));
    onSelect(limited.map((at) => points.id[at]));
  };
  const zoomAt = (factor, px, py) => {
    const { fromX, fromY } = scale();
    const before = [fromX(px), fromY(py)];
    view.current.zoom = Math.max(1, Math.min(MAX_ZOOM, view.current.zoom * factor));
    const after = scale();
    view.current.x += before[0] - after.fromX(px);
    view.current.y += before[1] - after.fromY(py);
    setZoom(view.current.zoom);
    if (view.current.zoom === 1) Object.assign(view.current, { x: 0.5, y: 0.5 });
    draw();
  };
  const panBy = ([fromPx, fromPy], [px, py]) => {
    const { fromX, fromY } = scale();
    view.current.x = inMap(view.current.x - fromX(px) + fromX(fromPx));
    view.current.y = inMap(view.current.y - fromY(py) + fromY(fromPy));
  };
  const fit = () => {
    view.current = viewOf(points, points.id.map((_, each) => each).filter(isShown));
    setZoom(view.current.zoom);
    draw();
  };
  const zoomBy = (factor) => zoomAt(factor, canvas.current.clientWidth / 2, canvas.current.clientHeight / 2);

  useEffect(() => {
    const box = canvas.current;
    const onWheel = (event) => {
      event.preventDefault(); // React's listener could not: it is passive
      if (points) zoomAt(Math.exp(-event.deltaY / 400), event.offsetX, event.offsetY);
    };
    box.addEventListener("wheel", onWheel, { passive: false });
    return () => box.removeEventListener("wheel", onWheel);
  });

  const at = (event) => {
    const box = canvas.current.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };
  const onPointerDown = (event) => {
    if (!points || event.button !== 0) return;
    canvas.current.setPointerCapture(event.pointerId);
    const [px, py] = at(event);
    pointers.current.set(event.pointerId, [px, py]);
    const { fromX, fromY } = scale();
    if (pointers.current.size > 2) pointers.current.delete(event.pointerId);
    else if (pointers.current.size === 2) gesture.current = { pinch: true };
    else gesture.current = { px, py, moved: false, lasso: event.shiftKey || lassoing ? [[fromX(px), fromY(py)]] : null };
  };
  const onPointerMove = (event) => {
    if (!points) return;
    const [px, py] = at(event);
    const act = gesture.current;
    if (!act) {
      const found = nearest(px, py);
      if (found !== here && event.pointerType === "mouse") {
        if (player.getSnapshot().autoplay) hear(found, HOVER_MS);
        else setHere(found);
      }
      return;
    }
    if (act.pinch) {
      if (!pointers.current.has(event.pointerId)) return; // such as a mouse beside the fingers
      const former = [...pointers.current.values()];
      pointers.current.set(event.pointerId, [px, py]);
      const present = [...pointers.current.values()];
      const spread = ([p, q]) => Math.hypot(p[0] - q[0], p[1] - q[1]) || 1;
      const middle = ([p, q]) => [(p[0] + q[0]) / 2, (p[1] + q[1]) / 2];
      panBy(middle(former), middle(present));
      zoomAt(spread(present) / spread(former), ...middle(present));
      return;
    }
    act.moved ||= Math.hypot(px - act.px, py - act.py) > CLICK_PX;
    if (!act.moved) return;
    const { fromX, fromY } = scale();
    if (act.lasso) act.lasso.push([fromX(px), fromY(py)]);
    else {
      panBy([act.px, act.py], [px, py]);
      Object.assign(act, { px, py });
    }
    draw();
  };
  const onPointerUp = (event) => {
    const act = gesture.current;
    pointers.current.delete(event.pointerId);
    if (!act || act.pinch) {
      const [left] = pointers.current.values(); // the finger that stays moves the map
      gesture.current = left ? { px: left[0], py: left[1], moved: true, lasso: null } : null;
      return;
    }
    gesture.current = null;
    if (act.moved && act.lasso) {
      select(points.id.map((_, each) => each).filter((each) => isShown(each) && isInside(act.lasso, points.x[each], points.y[each])));
      setLassoing(false);
    } else if (!act.moved) {
      const found = nearest(act.px, act.py);
      if (found >= 0) hear(found);
      else if (chosen.size) select([]);
    }
    draw();
  };

  // The next sound in the direction of an arrow key: near, and rather ahead than beside.
  const step = (dx, dy) => {
    const from = here >= 0 ? [points.x[here], points.y[here]] : [view.current.x, view.current.y];
    let best = -1;
    let least = Infinity;
    points.id.forEach((_, each) => {
      if (!isShown(each) || each === here) return;
      const [gx, gy] = [points.x[each] - from[0], points.y[each] - from[1]];
      const ahead = gx * dx + gy * dy;
      const aside = Math.abs(gx * dy) + Math.abs(gy * dx);
      if (here >= 0 && (ahead <= 0 || aside > 2 * ahead)) return;
      const cost = here >= 0 ? ahead + 2 * aside : Math.hypot(gx, gy);
      if (cost < least) [best, least] = [each, cost];
    });
    if (best >= 0) hear(best);
  };
  const onKeyDown = (event) => {
    if (!points || event.altKey) return;
    if (event.ctrlKey || event.metaKey) {
      if (event.key !== "a") return;
      event.preventDefault();
      select(points.id.map((_, each) => each).filter(isShown));
      return;
    }
    const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    if (event.key in moves) step(...moves[event.key]);
    else if (event.key === "Enter" && here >= 0) onOpen(points.id[here]);
    else if (event.key === " ") player.toggle();
    else if (event.key === "+" || event.key === "=") zoomBy(1.5);
    else if (event.key === "-") zoomBy(1 / 1.5);
    else if (event.key === "Escape" && chosen.size) select([]);
    else return;
    event.preventDefault();
  };
  const toggle = (name) => {
    const after = new Set(hidden);
    if (!after.delete(name)) after.add(name);
    setHidden(after);
    // What is hidden is not selected: the actions of the bar would concern sounds that nobody sees.
    const left = [...chosen].filter((each) => !after.has(points.sound_class[each] || "fx"));
    if (left.length < chosen.size) select(left);
  };

  const count = points ? points.id.length : 0;
  return (
    <div className="sound-map" data-testid="sound-map" data-count={points ? count : ""} data-chosen={chosen.size} data-lasso={lassoing}>
      <canvas
        ref={canvas}
        role="application"
        tabIndex={0}
        aria-label="Map of sounds. Arrow keys move to the next sound and play it, Enter opens it."
        aria-describedby="map-here"
        onPointerDown={onPointerDown}
        onPointerMove={onPointerMove}
        onPointerUp={onPointerUp}
        onPointerCancel={onPointerUp}
        onPointerLeave={() => clearTimeout(timer.current)}
        onDoubleClick={() => here >= 0 && onOpen(points.id[here])}
        onKeyDown={onKeyDown}
        data-testid="map-canvas"
      />
      <p id="map-here" className="map-here" role="status" data-testid="map-here">
        {clipped > 0 ? (
          `The newest ${MAX_LASSO.toLocaleString()} of these sounds are selected, ${clipped.toLocaleString()} are not. Zoom in to select fewer.`
        ) : lassoing ? (
          "Draw around sounds to select them."
        ) : here >= 0 && points && here < count ? (
          <>
            <strong>{points.name[here]}</strong> {describe(points, here).slice(points.name[here].length)}{" "}
            <button type="button" className="button small" onClick={() => onOpen(points.id[here])} data-testid="map-open">
              Open
            </button>
          </>
        ) : problem ? (
          problem
        ) : !points ? (
          "Loading the map …"
        ) : count === 0 ? (
          "No analysed sounds match. Sounds appear here when they are analysed."
        ) : (
          `${touch ? "Tap a square to hear it. Lasso selects." : "Point at a square to hear it. Shift and drag to select."} ${points.total > count ? `The newest ${count.toLocaleString()} of ${points.total.toLocaleString()} sounds are shown.` : ""}`
        )}
      </p>
      <div className="map-tools" role="group" aria-label="Map">
        <button type="button" className="button small" aria-pressed={lassoing} onClick={() => setLassoing(!lassoing)} title="Draw around sounds to select them (Shift and drag)" data-testid="map-lasso">
          Lasso
        </button>
        <button type="button" className="button small touch-target" aria-label="Zoom in" disabled={zoom >= MAX_ZOOM} onClick={() => zoomBy(1.5)} data-testid="map-in">
          +
        </button>
        <button type="button" className="button small touch-target" aria-label="Zoom out" disabled={zoom <= 1} onClick={() => zoomBy(1 / 1.5)} data-testid="map-out">
          −
        </button>
        <button type="button" className="button small touch-target" disabled={!count} onClick={fit} title="Show all sounds that were found" data-testid="map-fit">
          Fit
        </button>
      </div>
      <div className="map-legend" role="group" aria-label="Classes">
        {classes.map(([name, number]) => (
          <button key={name} type="button" className="map-class" aria-pressed={!hidden.has(name)} onClick={() => toggle(name)} style={{ "--hue": (COLOURS[name] || COLOURS.fx)[0], "--saturation": `${(COLOURS[name] || COLOURS.fx)[1]}%` }} data-testid="map-class">
            <i aria-hidden="true" />
            {name} <span className="mono">{number}</span>
          </button>
        ))}
      </div>
    </div>
  );
}
