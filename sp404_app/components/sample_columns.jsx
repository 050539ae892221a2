// The columns of the sample list: which are shown, in which order, and what fits into them.

import { createContext, useContext, useLayoutEffect, useMemo, useRef, useState } from "react";

// In the order of the cells that a page renders, after the check box and before the buttons.
export const COLUMNS = ["wave", "name", "tags", "bpm", "key", "length", "class", "added"];
const OF_A_PHONE = ["wave", "name", "bpm", "key"]; // app.css lays them out
const PHONE = "(max-width: 700px)";
const WIDTHS_PX = { wave: 56, name: 112, tags: 72, bpm: 56, key: 74, length: 60, class: 94, added: 78 }; // the least
const DROPPED = ["added", "tags", "class", "length", "key", "wave", "bpm"]; // without room, in this order
const ONE_TAG_PX = 100; // "one-shot" and "+1"
const MOST_TAGS_PX = 240;
const WIDE_WAVE_PX = 132;
const GAP_PX = 12;
const OTHERS_PX = 2 * 16 + 22 + 3 * 28 + 3 * GAP_PX + 16; // padding, check box, buttons and scroll bar
const CHIP_PX = { gap: 4, padding: 14 };
const WHOLE_TAG = 20; // characters

const ColumnsContext = createContext(null);

// Returns the columns that fit into a width, and the widths of those that use what is left. The column
// `kept` is always shown.
export function fitColumns(columns, width, kept = "") {
  const fitting = kept && !columns.includes(kept) ? [...columns, kept] : [...columns];
  const room = () => width - OTHERS_PX - fitting.reduce((sum, name) => sum + WIDTHS_PX[name] + GAP_PX, 0);
  for (const name of DROPPED) if (room() < 0 && name !== kept && fitting.includes(name)) fitting.splice(fitting.indexOf(name), 1);
  const spare = Math.max(0, room());
  const oneTag = Math.min(spare, ONE_TAG_PX - WIDTHS_PX.tags);
  const left = spare - oneTag;
  const wave = Math.round(Math.min(WIDE_WAVE_PX, WIDTHS_PX.wave + left * 0.3));
  const tags = Math.round(Math.min(MOST_TAGS_PX, WIDTHS_PX.tags + oneTag + left * 0.4));
  return { columns: fitting, widths: { ...WIDTHS_PX, wave, tags } };
}

// Returns the tags that fit beside "+2" for the rest: as many as possible, or one that fits whole, or the
// first; `rest` is the number of tags not given.
export function fitTags(tags, rest, room, measure) {
  const chip = (text) => measure(text) + CHIP_PX.padding + CHIP_PX.gap;
  const fits = (shown) => {
    const left = rest + tags.length - shown.length;
    return shown.reduce((sum, tag) => sum + chip(tag), left ? chip(`+${left}`) : 0) - CHIP_PX.gap <= room;
  };
  for (let count = tags.length; count > 1; count -= 1) if (fits(tags.slice(0, count))) return tags.slice(0, count);
  const whole = tags.find((tag) => fits([tag]));
  return whole ? [whole] : tags.slice(0, 1);
}

// Returns the names of the columns that fit into the list.
export const useFittingColumns = () => useContext(ColumnsContext)?.columns ?? COLUMNS;

// Returns the cells to render: those of the columns in their order, between the others.
export function useCells(children) {
  const shown = useContext(ColumnsContext);
  if (!shown) return children.map((cell, at) => [at, cell]);
  const cellOf = (name) => [name, children[1 + COLUMNS.indexOf(name)]];
  const others = children.slice(1 + COLUMNS.length).map((cell, at) => [at + 1, cell]);
  return [[0, children[0]], ...shown.columns.map(cellOf), ...others];
}

export function SampleSheet({ columns, kept, children }) {
  const sheet = useRef(null);
  const [width, setWidth] = useState(Infinity);
  useLayoutEffect(() => {
    const observer = new ResizeObserver(([entry]) => setWidth(entry.contentRect.width));
    observer.observe(sheet.current);
    return () => observer.disconnect();
  }, []);
  const isPhone = width < Infinity && window.matchMedia(PHONE).matches;
  const ofPhone = OF_A_PHONE.map((name) => (name === "key" && kept ? kept : name));
  const fitting = isPhone ? { columns: ofPhone, widths: WIDTHS_PX } : fitColumns(columns, width, kept);
  const said = JSON.stringify(fitting);
  const shown = useMemo(() => JSON.parse(said), [said]);
  const track = (name) => (name === "name" ? "minmax(0, 1fr)" : `${shown.widths[name]}px`);
  return (
    <div ref={sheet} className="sheet" style={{ "--columns": shown.columns.map(track).join(" ") }}>
      <ColumnsContext.Provider value={shown}>{children}</ColumnsContext.Provider>
    </div>
  );
}

export function SheetHead({ children }) {
  return <div className="sheet-head label">{useCells(children).map(([key, cell]) => <span key={key} className="row-cell">{cell}</span>)}</div>;
}

const widths = new Map();
let pen = null;
function measureTag(text) {
  if (!widths.has(text)) {
    pen ??= document.createElement("canvas").getContext("2d");
    pen.font = `500 11px ${getComputedStyle(document.body).fontFamily}`;
    widths.set(text, Math.ceil(pen.measureText(text).width));
  }
  return widths.get(text);
}

// The tags that fit, each a filter, and how many there are beside them; `rest` is the number of tags not
// given. A tag of `WHOLE_TAG` characters may be shortened.
export function TagChips({ tags, rest, onTag }) {
  const room = useContext(ColumnsContext)?.widths.tags ?? MOST_TAGS_PX;
  const shown = fitTags(tags, rest, room, measureTag);
  const hidden = rest + tags.length - shown.length;
  const names = [...tags.filter((tag) => !shown.includes(tag)), ...(rest ? ["…"] : [])].join(", ");
  return (
    <span className="row-tags">
      {shown.map((tag) => (tag.length < WHOLE_TAG ? <button key={tag} type="button" className="chip dense" data-testid="row-tag" tabIndex={-1} title={`Only ${tag}`} onClick={() => onTag(tag)}>{tag}</button> : <span key={tag} className="chip" title={tag}>{tag}</span>))}
      {hidden > 0 && <span className="chip more-tags" title={names} aria-label={`and ${names}`} role="note">{`+${hidden}`}</span>}
    </span>
  );
}

const SHORT = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short" });
const SHORT_WITH_YEAR = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric" });
const FULL = new Intl.DateTimeFormat("en-GB", { dateStyle: "full", timeStyle: "short" });

// The date of a UUIDv7, in the time zone of the browser: "27 Nov", with the year if it is not this one.
export function AddedDate({ of }) {
  const date = new Date(parseInt(of.slice(0, 8) + of.slice(9, 13), 16));
  const format = date.getFullYear() === new Date().getFullYear() ? SHORT : SHORT_WITH_YEAR;
  return <time className="row-added" dateTime={date.toISOString()} title={FULL.format(date)} data-testid="added">{format.format(date)}</time>;
}
