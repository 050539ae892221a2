// The command palette: Ctrl K (Cmd K) finds pages, actions, sounds, collections and projects by name.
// It asks the API, so that typing does not wait for the state of the page.

import { useEffect, useMemo, useRef, useState } from "react";
import { useNavigate } from "react-router";
import { chooseTheme } from "./theme.jsx";

const TYPING_PAUSE_MS = 90;
const MAX_SOUNDS = 6;
const SOUNDS_READ = 30; // of these the best names are shown
const MAX_PLACES = 5; // collections and projects
const MAX_COLLECTIONS = 500; // that a person can have: the best match may be the oldest
const MAX_ACTIONS = 8;
// Controls of the page that are actions, except those that each row or pad has.
const CONTROLS = ["main button", "main a.button", ".topbar form button", ".player button"].join();
const REPEATED = "[role=row], [data-pads], .room, dialog, [popover], label";
const MAX_NAME_LENGTH = 48;
const STEADY = 3; // checks in a row
const PAGE_TIMEOUT_MS = 10_000; // for a page to show a control
const THEMES = ["System", "Dark", "Light"].map((name) => ({ text: `Theme: ${name}`, words: "appearance mode", run: () => chooseTheme(name.toLowerCase()) }));
const MAX_RECENT = 4;
const ICONS = {
  page: "M3 8h10M9.5 4.5 13 8l-3.5 3.5",
  action: "M9 1.5 3.5 9h4L7 14.5 12.5 7h-4z",
  sound: "M2.5 7v2M5.5 4.5v7M8 2.5v11M10.5 5v6M13.5 7v2",
  project: "M2.5 2.5h4.5v4.5h-4.5zM9 2.5h4.5v4.5h-4.5zM2.5 9h4.5v4.5h-4.5zM9 9h4.5v4.5h-4.5z",
  collection: "M2 5.5h12v8H2zM4 5.5v-3h8v3",
};
const MODIFIERS = { Ctrl: "ctrlKey", Shift: "shiftKey", Alt: "altKey" };

// Presses the keys that the page shows for an action, such as "Shift E".
function press(keys) {
  const parts = keys.split(" ");
  const key = parts.pop();
  const held = Object.fromEntries(parts.map((name) => [MODIFIERS[name], true]));
  const names = { Del: "Delete", Esc: "Escape", Space: " " };
  const pressed = names[key] || (held.shiftKey || key.length > 1 ? key : key.toLowerCase());
  document.body.dispatchEvent(new KeyboardEvent("keydown", { key: pressed, bubbles: true, cancelable: true, ...held }));
}

function nameOf(control) {
  const name = control.getAttribute("aria-label") || control.innerText || control.title || "";
  return name.replace(/\s+/g, " ").trim();
}

// The visible controls of the page, by name.
function controlsOfPage() {
  const found = new Map();
  for (const control of document.querySelectorAll(CONTROLS)) {
    const name = nameOf(control);
    if (!/\p{L}{2}/u.test(name) || name.length > MAX_NAME_LENGTH || found.has(name)) continue;
    if (control.disabled || control.closest(REPEATED) || !control.checkVisibility()) continue;
    const words = control.closest("[role=group][aria-label]")?.getAttribute("aria-label");
    found.set(name, { text: name, words, run: () => control.isConnected && control.click() });
  }
  return [...found.values()];
}

// Clicks a control of the page that is being opened, when it has loaded: that closes the page's dialogs.
function clickWhenShown(id) {
  const until = performance.now() + PAGE_TIMEOUT_MS;
  let seen = 0; // how often the page was loaded: at first it may not have begun to
  const timer = setInterval(() => {
    const control = document.querySelector("[data-loaded=true]") && document.getElementById(id);
    seen = control ? seen + 1 : 0;
    if (seen === STEADY) control.click();
    if (seen === STEADY || performance.now() > until) clearInterval(timer);
  }, 100);
}

// 0 is the best match of the words typed, larger is worse, -1 is none.
function rank(text, words) {
  const name = text.toLowerCase();
  const parts = name.split(/[^\p{L}\p{N}#]+/u);
  if (!words.every((word) => name.includes(word))) return -1;
  if (name.startsWith(words.join(" "))) return 0;
  return words.every((word) => parts.some((part) => part.startsWith(word))) ? 1 : 2;
}

function matching(items, words) {
  const ranked = items.map((item) => ({ item, score: rank(`${item.text} ${item.words || ""}`, words) }));
  return ranked.filter(({ score }) => score >= 0).sort((a, b) => a.score - b.score).map(({ item }) => item);
}

async function read(path, signal) {
  const answer = await fetch(path, { signal });
  if (!answer.ok) throw new Error(String(answer.status));
  return answer.json();
}

// Where somebody went from the palette, newest first; forgotten with the page, so at sign-out.
let recent = [];

function remember({ text, detail, icon, href }) {
  recent = [{ text, detail, icon, href }, ...recent.filter((each) => each.href !== href)].slice(0, MAX_RECENT + 1);
}

const recentElsewhere = () => recent.filter(({ href }) => href !== location.pathname + location.search).slice(0, MAX_RECENT);

// An entry with today's name; null if what it opens is gone or in the trash, or the session has
// ended. A page, or no answer: as it was.
async function refreshed(item, signal) {
  const [, field, id] = item.href.match(/^\/(samples|projects|collections)\/([\w-]+)$/) || [];
  if (!id) return item;
  const answer = await fetch(`/api/${field}/${id}`, { signal });
  if ([401, 403, 404].includes(answer.status)) return null;
  if (!answer.ok) return item;
  const found = await answer.json();
  if (found.deleted_at) return null;
  return { ...item, text: found.name, detail: field === "samples" ? describe(found) : item.detail };
}

function useRecent() {
  const [shown, setShown] = useState(recentElsewhere);
  useEffect(() => {
    const request = new AbortController();
    Promise.all(recent.map((each) => refreshed(each, request.signal).catch(() => each))).then((items) => {
      if (request.signal.aborted) return; // the palette was closed, and another entry may be first
      recent = items.filter(Boolean);
      setShown(recentElsewhere());
    });
    return () => request.abort();
  }, []);
  return shown;
}

const withIcon = (icon, items) => items.map((each) => ({ icon, ...each }));

const describe = (sample) => [sample.bpm && `${Math.round(sample.bpm * 10) / 10} BPM`, sample.key, sample.sound_class || sample.kind?.replace("_", "-")].filter(Boolean).join(" · ");

// The sounds whose names fit best; the API finds others by class, tag or key, the newest first.
function bestNamed(sounds, query) {
  const words = query.toLowerCase().split(/\s+/);
  const score = ({ name }) => (rank(name, words) + 4) % 4; // -1 is the last
  return sounds.toSorted((a, b) => score(a) - score(b)).slice(0, MAX_SOUNDS);
}

function useSounds(query) {
  const [found, setFound] = useState({ sounds: [], problem: "" });
  useEffect(() => {
    if (!query) {
      setFound({ sounds: [], problem: "" });
      return undefined;
    }
    const request = new AbortController();
    const timer = setTimeout(() => {
      read(`/api/samples?limit=${SOUNDS_READ}&q=${encodeURIComponent(query)}`, request.signal)
        .then(({ samples }) => setFound({ sounds: bestNamed(samples, query), problem: "", query }))
        .catch((error) => error.name !== "AbortError" && setFound({ sounds: [], problem: "Sounds can’t be searched right now." }));
    }, TYPING_PAUSE_MS);
    return () => {
      clearTimeout(timer);
      request.abort();
    };
  }, [query]);
  if (found.query === query) return found;
  // Until the answer is there, only sounds that surely belong to it: Enter opens the first.
  const words = query.toLowerCase().split(/\s+/);
  return { ...found, sounds: found.sounds.filter(({ name }) => rank(name, words) >= 0) };
}

// The projects or collections of a path, after a pause. Those found before stay until the answer.
function usePlaces(path, field, kind, pause) {
  const [places, setPlaces] = useState([]);
  useEffect(() => {
    if (!path) return undefined;
    const request = new AbortController();
    const load = () =>
      read(path, request.signal)
        .then((answer) => setPlaces(answer[field].map(({ id, name }) => ({ text: name, detail: kind, icon: kind.toLowerCase(), href: `/${field}/${id}` }))))
        .catch(() => {}); // the pages of collections and projects say what is wrong
    const timer = setTimeout(load, pause);
    return () => {
      clearTimeout(timer);
      request.abort();
    };
  }, [path]);
  return places;
}

function Palette({ destinations, keys, onClose }) {
  const navigate = useNavigate();
  const dialog = useRef(null);
  const list = useRef(null);
  const [text, setText] = useState("");
  const [active, setActive] = useState(""); // the key of an item, empty for the first
  const query = text.trim();
  const { sounds, problem } = useSounds(query);
  const before = useRecent();
  const projects = usePlaces("/api/projects", "projects", "Project", 0);
  const named = query && `/api/collections?counts=false&limit=${MAX_COLLECTIONS}&q=${encodeURIComponent(query)}`;
  const collections = usePlaces(named, "collections", "Collection", TYPING_PAUSE_MS);
  const [controls] = useState(controlsOfPage);

  useEffect(() => {
    const opener = document.activeElement;
    const box = dialog.current;
    box.showModal();
    return () => {
      box.close();
      if (opener?.isConnected) opener.focus();
    };
  }, []);

  const groups = useMemo(() => {
    const words = query.toLowerCase().split(/\s+/).filter(Boolean);
    const shortcuts = keys.map(({ text: name, keys: shown }) => ({ text: name, shown, run: () => press(shown) }));
    const named = new Set(shortcuts.map((each) => each.text));
    const here = new Set(controls.map((each) => each.text));
    const elsewhere = destinations.filter(({ press, text: name }) => press && !here.has(name));
    const actions = [...shortcuts, ...controls.filter((each) => !named.has(each.text)), ...THEMES];
    const found = [
      ["Recent", query ? [] : before],
      ["Go to", withIcon("page", matching(destinations.filter(({ press }) => !press), words))],
      ["Actions", withIcon("action", matching([...actions, ...elsewhere], words).slice(0, MAX_ACTIONS))],
      ["Sounds", withIcon("sound", sounds.map((each) => ({ text: each.name, detail: describe(each), href: `/samples/${each.id}` })))],
      ["Projects and collections", query ? matching([...projects, ...collections], words).slice(0, MAX_PLACES) : []],
    ];
    if (query) found.push(["Library", [{ icon: "page", text: `Search the library for “${query}”`, href: `/library?q=${encodeURIComponent(query)}` }]]);
    // Sounds of one name differ by their address, actions of one name by their place.
    const withKeys = (group, items) => items.map((each, index) => ({ ...each, key: `${group} ${each.text} ${each.href || index}` }));
    return found.filter(([, items]) => items.length).map(([group, items]) => [group, withKeys(group, items)]);
  }, [query, before, sounds, projects, collections, destinations, keys, controls]);

  const items = groups.flatMap(([, each]) => each);
  // Answers may add and remove items above the chosen one, which stays.
  const here = items.length ? Math.max(0, items.findIndex(({ key }) => key === active)) : -1;

  useEffect(() => {
    list.current.querySelector("[aria-selected=true]")?.scrollIntoView({ block: "nearest" });
  }, [here]);

  const choose = (item) => {
    if (item.href && !item.press) remember(item);
    onClose();
    // After the dialog is closed: the page ignores its keys while one is open.
    setTimeout(() => {
      if (item.href) navigate(item.href);
      else item.run();
      if (item.press) clickWhenShown(item.press);
    }, 0);
  };

  const onKeyDown = (event) => {
    event.stopPropagation(); // the page has shortcuts, too
    const moves = { ArrowDown: here + 1, ArrowUp: here - 1, PageDown: items.length - 1, PageUp: 0 };
    if (event.key in moves) setActive(items.at(moves[event.key] % items.length)?.key || "");
    else if (event.key === "Enter" && items[here] && !event.nativeEvent.isComposing) choose(items[here]);
    else if (event.key.toLowerCase() === "k" && (event.ctrlKey || event.metaKey)) onClose();
    else return;
    event.preventDefault();
  };

  let index = -1;
  const option = (item) => {
    index += 1;
    const at = index;
    return (
      <div key={at} id={`command-${at}`} role="option" aria-selected={at === here} className="command" onPointerMove={() => setActive(item.key)} onClick={() => choose(item)}>
        <svg viewBox="0 0 16 16" className="command-icon" aria-hidden="true">
          <path d={ICONS[item.icon]} />
        </svg>
        <span className="command-text">{item.text}</span>
        {item.detail && <span className="command-detail">{item.detail}</span>}
        {item.shown && <kbd>{item.shown}</kbd>}
      </div>
    );
  };

  return (
    <dialog
      ref={dialog}
      className="modal palette"
      aria-label="Commands"
      data-testid="palette"
      onKeyDown={onKeyDown}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onMouseDown={(event) => event.target === dialog.current && onClose()}
    >
      <input
        className="palette-field"
        role="combobox"
        aria-expanded="true"
        aria-controls="commands"
        aria-activedescendant={here >= 0 ? `command-${here}` : undefined}
        aria-label="Find a command or a sound"
        placeholder="Find a sound, a page or an action"
        autoComplete="off"
        spellCheck={false}
        maxLength={200}
        value={text}
        onChange={(event) => {
          setText(event.target.value);
          setActive("");
        }}
        data-testid="palette-field"
      />
      <div ref={list} id="commands" role="listbox" aria-label="Results" className="palette-list">
        {groups.map(([title, each]) => (
          <div key={title} role="group" aria-label={title}>
            <div className="label" aria-hidden="true">{title}</div>
            {each.map(option)}
          </div>
        ))}
      </div>
      {problem && <p className="palette-note" role="status">{problem}</p>}
    </dialog>
  );
}

export function CommandPalette({ destinations, keys }) {
  const [isOpen, setOpen] = useState(false);
  const [shown, setShown] = useState("Ctrl K");

  useEffect(() => {
    if (/Mac|iPhone|iPad/.test(navigator.platform)) setShown("⌘ K");
    const onKey = (event) => {
      if (event.key.toLowerCase() !== "k" || !(event.ctrlKey || event.metaKey) || event.shiftKey || event.altKey) return;
      event.preventDefault(); // Firefox would open its search
      if (!document.querySelector("dialog[open]")) setOpen(true);
    };
    window.addEventListener("keydown", onKey);
    return () => window.removeEventListener("keydown", onKey);
  }, []);

  return (
    <>
      <button type="button" className="button ghost small palette-open" aria-haspopup="dialog" aria-label="Find a sound, a page or an action" title={`Find a sound, a page or an action (${shown})`} onClick={() => setOpen(true)} data-testid="open-palette">
        <svg viewBox="0 0 16 16" width="14" height="14" aria-hidden="true">
          <path fill="none" stroke="currentColor" strokeWidth="1.6" strokeLinecap="round" d="M7 12A5 5 0 1 0 7 2a5 5 0 0 0 0 10zm3.6-1.4L14 14" />
        </svg>
        <kbd>{shown}</kbd>
      </button>
      {isOpen && <Palette destinations={destinations} keys={keys} onClose={() => setOpen(false)} />}
    </>
  );
}
